"""How windows and weekly hours that a sheet wrote are put back: as changes of a mentor's time, so that nothing booked is lost."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from people import changes
from people.models import Change, User
from scheduling import coming_back, offering
from scheduling.models import Availability, WeeklyHours


def put_back(change: Change, *, by: User) -> None:
    """A window or weekly hours as they were; made anew, they go. Raises ValidationError."""
    if change.after is None:
        # A hand-over closed it.
        coming_back.put_back_window(change, by=by)
        return
    model: type[Availability | WeeklyHours] = change.content_type.model_class()
    row = model.objects.select_related("mentor__user").filter(pk=change.key).first()
    if row is None:
        raise ValidationError(_("It is not here any more."), code="gone")
    if _as_kept(row, change.after) != change.after:
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
    return changes.snapshot(row, [column.name for column in row._meta.concrete_fields if column.attname in names])
