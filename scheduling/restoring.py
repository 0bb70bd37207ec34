"""How windows and weekly hours that a sheet wrote are put back: as changes of a mentor's time, so that nothing booked is lost."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from people import changes
from people.models import Change, User
from scheduling import offering
from scheduling.models import Availability, WeeklyHours


def put_back(change: Change, *, by: User) -> None:
    """A window or weekly hours as they were; made anew, they go. Raises ValidationError."""
    model: type[Availability | WeeklyHours] = change.content_type.model_class()
    row = model.objects.select_related("mentor__user").filter(pk=change.key).first()
    if row is None:
        raise ValidationError(_("It is not here any more."), code="gone")
    after = change.after or {}
    if _as_kept(row, after) != after:
        raise ValidationError(_("It was changed since."), code="changed")

    def apply():
        there = model.objects.filter(pk=row.pk)
        if change.before is None:
            there.delete()
            return
        changes.put_values(row, change.before)
        row.full_clean()
        row.save()

    try:
        offering.make(offering.Change(row.mentor, apply), by=by)
    except ValidationError as refusal:
        if getattr(refusal, "code", "") != "undecided":
            raise
        raise ValidationError(_("Something is booked in it by now: change it by hand."), code="booked") from refusal


def _as_kept(row, names) -> dict:
    return changes.snapshot(row, [name.removesuffix("_id") for name in names])
