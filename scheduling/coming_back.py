"""What becomes of a person's place in the program when a hand-over is undone: the time off, the windows, the account.

The sessions of it are put back by `booking`. Each is asked whether somebody changed it since.
"""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people import changes
from people.models import Change, ChangeSet, Mentor, User
from scheduling import booking, offering, rules
from scheduling.models import Availability, TimeOff
from scheduling.slots import subtract

WHEN = ("mentor", "start_time", "end_time")
Windows = dict[int, tuple[Availability, dict]]


def by_hand(mentor: Mentor) -> Windows:
    """The windows ahead that people added: nobody would write them again."""
    ahead = Availability.objects.filter(mentor=mentor, from_weekly_hours=False).ahead()
    return {window.pk: (window, changes.snapshot(window, WHEN)) for window in ahead}


def record(within: ChangeSet, windows: Windows, *others: tuple) -> None:
    """What came besides the sessions: the windows that are there no more, then the others. Undone in the other order."""
    left = set(Availability.objects.filter(pk__in=windows).values_list("pk", flat=True))
    gone = [(window, before, None) for key, (window, before) in windows.items() if key not in left]
    within.record_many([*gone, *others])


def put_back_window(change: Change, *, by: User) -> None:
    """Offer the time of a window again, as far as nothing is offered there by now."""
    mentor = Mentor.objects.with_people().get(pk=change.before["mentor_id"])
    was = Availability(mentor=mentor)
    changes.put_values(was, change.before)
    with transaction.atomic():
        booking.lock(mentor)
        there = Availability.objects.filter(mentor=mentor).overlapping(was.period).periods()
        for left in subtract([was.period], there):
            if left.end > timezone.now():
                offering.put_window(Availability(mentor=mentor, start_time=left.start, end_time=left.end))


def put_back_time_off(change: Change, *, by: User) -> None:
    """Take entered time off away again. Raises ValidationError where somebody changed or removed it since."""
    off = TimeOff.objects.select_related("mentor__user").filter(pk=change.key).first()
    if off is None:
        raise ValidationError(_("This time off is not there any more."), code="gone")
    if changes.snapshot(off, WHEN) != change.after:
        raise ValidationError(_("This time off was changed since."), code="changed_since")
    offering.make(offering.remove_time_off(off), by=by)


def named_times(model) -> Callable[[list[int]], dict[int, str]]:
    def named(keys: list[int]) -> dict[int, str]:
        """What the page of a set of changes calls these rows."""
        zone = timezone.get_current_timezone()
        rows = model.objects.select_related("mentor__user").in_bulk(keys)
        return {key: f"{model._meta.verbose_name} of {row.mentor}, {rules.when(row.period, zone)}" for key, row in rows.items()}

    return named


def named_people(keys: list[int]) -> dict[int, str]:
    return {key: str(user) for key, user in User.objects.in_bulk(keys).items()}
