"""Links in mails: each lets whoever holds the mail do one thing, and signs in nobody.

A token is signed and holds keys only. The address of a session's verb expires, and acts for one version of the session; the
one that turns messages off lasts, so that a mail of last year can still be stopped.
"""

import copy
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from people.models import NotificationSettings, User
from scheduling import booking
from scheduling.booking.writing import last_change
from scheduling.models import Session

# Moving needs a time to be chosen, on the page that asks for a log-in.
VERBS = ("confirm", "decline", "cancel")
MAX_AGE = timedelta(days=30)
ACT, STOP = "scheduling.mail_links.act", "scheduling.mail_links.stop"


@dataclass(frozen=True)
class Link:
    """What a mail's link is for: the session as its reader may answer it."""

    session: Session
    user: User
    verb: booking.Verb
    version: int
    # This very answer was given already: the link was followed twice.
    done: bool = False


def as_party(user: User) -> User:
    """The user without what a coordinator may do: a mail speaks to somebody as one of the two in a session."""
    party = copy.copy(user)
    party.is_staff = party.is_superuser = False
    return party


def act(session: Session, user: User, verb: booking.Verb) -> str:
    """The address where this person does this to the session as it is now."""
    return _address("mail_link", [session.pk, user.pk, verb.name, session.version], ACT)


def stop(user: User, switch: str) -> str:
    """The address that turns one of the person's switches off."""
    return _address("mail_stop", [user.pk, switch], STOP)


def _address(page: str, keys: list, salt: str) -> str:
    return settings.SITE_URL + reverse(page, args=[signing.dumps(keys, salt=salt)])


def opened(token: str) -> Link:
    """What the link can still do. Raises ValidationError, in words that tell no more than the mail did."""
    try:
        session_key, user_key, verb_name, version = signing.loads(token, salt=ACT, max_age=MAX_AGE)
    except signing.SignatureExpired:
        raise ValidationError(_("This link is too old. Log in to see what you can do."), code="expired") from None
    except signing.BadSignature:
        raise _unreadable() from None
    session = Session.objects.with_people().filter(pk=session_key).first()
    user = User.objects.filter(pk=user_key).first()
    if session is None or user is None:
        raise ValidationError(_("What this link was for is no longer there."), code="gone")
    if not user.is_active:
        raise ValidationError(_("This account no longer takes part in the program."), code="inactive")
    if user.pk not in (session.mentor_id, session.mentee_id):
        raise ValidationError(_("This session is no longer yours."), code="not_yours")
    if verb_name not in VERBS:
        raise ValidationError(_("This cannot be done by a link."), code="not_possible")
    user, verb = as_party(user), booking.VERBS[verb_name]
    if version != session.version:
        if version + 1 == session.version and _was(session, user, verb):
            return Link(session, user, verb, version, done=True)
        raise ValidationError(
            _("This session has changed since the mail was sent: it is %(status)s now.")
            % {"status": session.get_status_display()},
            code="stale",
        )
    if no := booking.refusal(session, verb, user):
        raise no
    return Link(session, user, verb, version)


def switch(token: str) -> tuple[User | None, str]:
    """Whose switch the link is about, and its name; no user where the account is gone. Raises ValidationError."""
    try:
        user_key, name = signing.loads(token, salt=STOP)
    except signing.BadSignature:
        raise _unreadable() from None
    if name not in NotificationSettings.SWITCHES:
        raise ValidationError(_("There are no such mails any more."), code="gone")
    return User.objects.filter(pk=user_key).first(), name


def _was(session: Session, user: User, verb: booking.Verb) -> bool:
    """Is this what happened to the session last?"""
    last = last_change(session)
    return (last.history_user, session.status, session.ending) == (user, verb.to, verb.ending)


def _unreadable() -> ValidationError:
    return ValidationError(_("This link is not complete. Open it from the mail again, or copy all of it."), code="unreadable")
