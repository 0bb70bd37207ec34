"""Coordinators' notes on a session: who writes them, and who takes them away."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from people.models import User
from scheduling import booking
from scheduling.models import Remark, Session


def refusal(remark: Remark, by: User) -> ValidationError | None:
    """Why ``by`` cannot take this note away, or None if they can."""
    if not booking.acts_for_program(by):
        return ValidationError(_("Only the program’s coordinators write notes here."), code="not_yours")
    if remark.author_id != by.pk and not by.is_superuser:
        told = _("%(author)s wrote this note. Ask them.") if remark.author else _("Somebody else wrote this note. Ask them.")
        return ValidationError(told % {"author": remark.author}, code="not_yours")
    return None


def write(session: Session, text: str, *, by: User, shared: bool) -> Remark:
    """Raises ValidationError."""
    if not booking.acts_for_program(by):
        raise ValidationError(_("Only the program’s coordinators write notes here."), code="not_yours")
    if not text.strip():
        raise ValidationError(_("Write something."), code="required")
    return Remark.objects.create(session=session, author=by, text=text.strip(), shared=shared)


def remove(remark: Remark, *, by: User) -> None:
    """Raises ValidationError."""
    if no := refusal(remark, by):
        raise no
    remark.delete()
