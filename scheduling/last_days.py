"""Who has a last day in the program: it can be taken back, and once it is over they are deactivated. `leaving.leave_after` gives it."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people import changes, time_zones
from people.models import Change, User
from scheduling import leaving, offering
from scheduling.booking.undoing import UNDONE
from scheduling.models import Program

# What the history says of it.
STAYS = "stays after all"


def stay(user: User, *, by: User) -> None:
    """Take the last day back: weekly hours offer time after it again. What was handed over or canceled stays so."""
    if no := leaving.refusal(user, by):
        raise no
    with transaction.atomic():
        user = _locked(user)
        if user.leaves_on is None:
            raise ValidationError(_("%(person)s has no last day.") % {"person": user}, code="already")
        _give(user, None, by, STAYS)


def let_go() -> tuple[int, int]:
    """Deactivate everybody whose last day is over. Returns how many, and how many stay active since something that is ahead
    was not decided about: coordinators see those sessions among what needs them. Safe to run late, twice, or in two places.
    """
    today = timezone.localdate(timezone=time_zones.zone(Program.current().time_zone))
    done = undecided = 0
    for user in User.objects.filter(is_active=True, leaves_on__lt=today).order_by("pk"):
        try:
            leaving.leave(user, by=None)
            done += 1
        except ValidationError as refused:
            undecided += refused.code == "undecided"
    return done, undecided


def put_back(change: Change, *, by: User) -> None:
    """Undo that somebody was deactivated, or given a last day. Raises ValidationError."""
    user, before = User.objects.get(pk=change.key), User()
    changes.put_values(before, change.before)
    if "is_active" in change.after:
        user = leaving.come_back(user, by=by)
        if before.leaves_on is None or Program.current().is_over(before.leaves_on):
            return
    elif no := leaving.refusal(user, by):
        raise no
    with transaction.atomic():
        user = _locked(user)
        if not user.is_active or changes.snapshot(user, leaving.LAST_DAY)["leaves_on"] != change.after["leaves_on"]:
            raise ValidationError(_("The last day was changed since, or is over."), code="changed_since")
        _give(user, before.leaves_on, by, UNDONE)


def _locked(user: User) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _give(user: User, day: date | None, by: User, what: str) -> None:
    user.leaves_on = day
    user._history_user, user._change_reason = by, what
    user.save(update_fields=["leaves_on"])
    if user.is_mentor:
        offering.write_ahead([user.pk])
