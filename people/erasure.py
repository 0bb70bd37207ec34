"""How people are erased: they ask, staff settle it. What is left of them are numbers."""

import logging
import smtplib

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from people import languages, privacy
from people.models import ErasureRequest, User

logger = logging.getLogger(__name__)

State = ErasureRequest.State
SETTLES = "people.settle_erasurerequest"
ERASED = "erased"


def is_erased(user: User) -> bool:
    return user.erasure_requests.filter(state=State.DONE).exists()


def waiting(user: User) -> ErasureRequest | None:
    return user.erasure_requests.filter(state=State.ASKED).first()


def ask(user: User) -> None:
    """The person asks. Twice is once."""
    try:
        with transaction.atomic():
            ErasureRequest.objects.create(person=user)
    except IntegrityError:
        return
    logger.info("person %s asks to be erased", user.pk)


def withdraw(user: User) -> None:
    """The person takes it back. Raises ValidationError where there is nothing to take back any more."""
    asked = ErasureRequest.objects.filter(person=user, state=State.ASKED)
    if not asked.update(state=State.WITHDRAWN, settled_at=timezone.now()):
        raise ValidationError(_("You have no request that waits for an answer."), code="already")


def refusal(user: User, by: User) -> ValidationError | None:
    """Why ``by`` cannot settle this: erase the person, or refuse to. None if they can."""
    if not (by.is_active and by.is_staff and by.has_perm(SETTLES)):
        return ValidationError(_("Only the program's coordinators erase people."), code="not_yours")
    if user.pk == by.pk:
        return ValidationError(_("Nobody erases themselves. Ask another coordinator."), code="yourself")
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        return ValidationError(_("This is a coordinator's account: only a superuser erases it."), code="not_yours")
    if is_erased(user):
        return ValidationError(_("This person is erased already."), code="erased")
    return None


def refuse(request: ErasureRequest, answer: str, *, by: User) -> None:
    """Keep the person, and say why. Raises ValidationError."""
    if no := refusal(request.person, by):
        raise no
    asked = ErasureRequest.objects.filter(pk=request.pk, state=State.ASKED)
    if not asked.update(state=State.REFUSED, settled_at=timezone.now(), settled_by=by, answer=answer.strip()):
        raise ValidationError(_("This request is settled already."), code="already")


def erase(user: User, *, by: User) -> bool:
    """Call off what is ahead, and empty everything that says who this was. It cannot be undone.

    Returns whether the mail that tells the person was taken: after it nobody knows the address. Raises ValidationError.
    """
    address, first_name, in_their_language = user.email, user.first_name, languages.speaking(user)
    # Nobody may be told of it, and then it is taken back.
    with transaction.atomic(durable=True):
        if no := refusal(user, by):
            raise no
        for keeper in privacy.keepers():
            keeper.leave(user, by)
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if no := refusal(user, by):
            raise no
        # Who builds on others goes first: at last the account itself.
        for keeper in reversed(privacy.keepers()):
            keeper.empty(user)
        _settle(user, by)
    logger.info("person %s is erased by %s", user.pk, by.pk)
    with in_their_language:
        return _say_so(address, first_name)


def _settle(user: User, by: User) -> None:
    user.history.filter(pk=user.history.latest("pk").pk).update(history_change_reason=ERASED, history_user=by)
    user.erasure_requests.update(answer="")
    now = timezone.now()
    done = {"state": State.DONE, "settled_at": now, "settled_by": by}
    if not user.erasure_requests.filter(state=State.ASKED).update(**done):
        ErasureRequest.objects.create(person=user, asked_at=now, **done)


def _say_so(address: str, first_name: str) -> bool:
    """The last mail. Sent here and now: no row and no task may hold the address."""
    context = {"first_name": first_name}
    subject = " ".join(render_to_string("emails/erased/subject.txt", context).split())
    try:
        EmailMessage(subject, render_to_string("emails/erased/body.txt", context), to=[address]).send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # The kind of error only: its text may hold the address.
        logger.warning("the mail that tells of an erasure was not sent: %s", type(error).__name__)
        return False
    return True
