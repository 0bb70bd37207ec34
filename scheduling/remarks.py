"""Coordinators' notes on a session: who writes them, who corrects them, and who takes them away."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import User
from scheduling import booking
from scheduling.models import Remark, Session


def refusal(remark: Remark, by: User) -> ValidationError | None:
    """Why ``by`` cannot correct or remove this note, or None if they can."""
    if not booking.acts_for_program(by):
        return ValidationError(_("Only the program’s coordinators write notes here."), code="not_yours")
    if remark.author_id != by.pk and not by.is_superuser:
        told = _("%(author)s wrote this note. Ask them.") if remark.author else _("Somebody else wrote this note. Ask them.")
        return ValidationError(told % {"author": remark.author}, code="not_yours")
    if remark.removed:
        return ValidationError(_("This note is removed."), code="gone")
    return None


def write(session: Session, text: str, *, by: User, shared: bool) -> Remark:
    """Raises ValidationError."""
    if not booking.acts_for_program(by):
        raise ValidationError(_("Only the program’s coordinators write notes here."), code="not_yours")
    remark = Remark(session=session, author=by, text=_words(text), shared=shared)
    remark._history_user = by
    remark.save()
    return remark


def correct(remark: Remark, text: str, *, by: User, shared: bool, seen: datetime | None) -> None:
    """Give a note other words, or other readers. Who reads it sees when; coordinators also read what it said before.

    ``seen``: when it had been changed last, as whoever corrects it saw it. Raises ValidationError.
    """
    with transaction.atomic():
        remark = _locked(remark, by)
        if remark.changed_at != seen:
            raise ValidationError(_("This note was changed since you opened it: look again."), code="stale")
        if (remark.text, remark.shared) != (_words(text), shared):
            remark.text, remark.shared = _words(text), shared
            _change(remark, by, "corrected")


def remove(remark: Remark, *, by: User) -> None:
    """The words go, those of before, too; that there was a note, whose, and until when, stays. Raises ValidationError."""
    with transaction.atomic():
        remark = _locked(remark, by)
        remark.text = ""
        _change(remark, by, "removed")
        remark.history.update(text="")


def _words(text: str) -> str:
    if not text.strip():
        raise ValidationError(_("Write something."), code="required")
    return text.strip()


def _locked(remark: Remark, by: User) -> Remark:
    remark = Remark.objects.select_for_update(of=("self",)).get(pk=remark.pk)
    if no := refusal(remark, by):
        raise no
    return remark


def _change(remark: Remark, by: User, what: str) -> None:
    remark.changed_at = timezone.now()
    remark._history_user, remark._change_reason = by, what
    remark.save()
