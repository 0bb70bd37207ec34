"""Who is invited: asked for by a coordinator, mailed by whoever sweeps, seen again by the log-in that follows.

A row is claimed by one conditional UPDATE with a lease, as notices are. What the server refuses for good is failed and listed;
what it puts off is tried again, ever more seldom, for three days.
"""

import logging
import smtplib
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from people.accounts import invite
from people.models import Invitation, User

logger = logging.getLogger(__name__)

State = Invitation.State
LEASE, FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(seconds=30), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)
# At once; a program has no more people than that.
MOST = 20_000
# A sweep takes so many; the next one takes the rest.
BATCH = 500

NOT_INVITED, WAITING, INVITED, ACCEPTED, FAILED = "not_invited", "waiting", "invited", "accepted", "failed"


def people(role: str = "") -> QuerySet[User]:
    """Who can be invited: active mentors and mentees, each with ``invited``, one of the five words above."""
    roles = {name: Q(**{f"{name}__isnull": False, f"{name}_ended_at": None}) for name in ("mentor", "mentee")}
    wanted = roles.get(role) or roles["mentor"] | roles["mentee"]
    state = Case(
        When(last_login__isnull=False, then=Value(ACCEPTED)),
        When(invitation=None, then=Value(NOT_INVITED)),
        When(invitation__state__in=[State.WAITING, State.SENDING], then=Value(WAITING)),
        When(invitation__state=State.FAILED, then=Value(FAILED)),
        default=Value(INVITED),
        output_field=models.CharField(),
    )
    return User.objects.filter(wanted, is_active=True).annotate(invited=state).order_by("first_name", "last_name", "pk")


def counts(found: QuerySet[User]) -> Counter:
    return Counter(found.order_by().values_list("invited", flat=True))


def ask(keys: Iterable[int], *, by: User) -> int:
    """Have these people invited, again where they were before. How many will be: whoever has come in is left out."""
    keys = set(keys)
    if len(keys) > MOST:
        raise ValidationError(_("That is more than %(most)s people at once.") % {"most": f"{MOST:,}"}, code="too_many")
    wanted = [key for key in people().exclude(invited__in=[ACCEPTED, WAITING]).values_list("pk", flat=True) if key in keys]
    now = timezone.now()
    anew = {"by": by, "state": State.WAITING, "asked_at": now, "attempts": 0, "not_before": None}
    with transaction.atomic():
        Invitation.objects.bulk_create(
            [Invitation(user_id=key, **anew) for key in wanted],
            batch_size=500,
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=list(anew),
        )
        transaction.on_commit(lambda: async_task("people.tasks.send_invitations"))
    logger.info("invitations: user %s asked for %s", by.pk, len(wanted))
    return len(wanted)


def due(now: datetime) -> QuerySet[Invitation]:
    """What is to be mailed: never claimed, or claimed by somebody who did not come back."""
    unsent = Invitation.objects.filter(state__in=[State.WAITING, State.SENDING])
    return unsent.filter(Q(not_before=None) | Q(not_before__lte=now)).order_by("attempts", "asked_at", "pk")


def sweep() -> int:
    """Mail every invitation that is due, once. How many went out; safe to run late, twice, or in two places."""
    sent = 0
    for row in due(timezone.now()).select_related("user")[:BATCH]:
        if not _claim(row):
            continue
        if row.user.last_login or not row.user.is_active:
            # They came in, or left, since somebody asked.
            _write(row, State.SENT if row.times else State.FAILED)
            continue
        try:
            invite(row.user)
        except OSError as error:
            # All of smtplib's are, and what a network says.
            _not_now(row, error)
        else:
            _write(row, State.SENT, sent_at=timezone.now(), times=F("times") + 1)
            sent += 1
    if sent:
        logger.info("invitations: %s sent", sent)
    return sent


def _claim(row: Invitation) -> bool:
    now = timezone.now()
    mine = due(now).filter(pk=row.pk).order_by()
    row.not_before = now + LEASE
    return bool(mine.update(state=State.SENDING, not_before=row.not_before, attempts=F("attempts") + 1))


def _write(row: Invitation, state: str, **fields) -> None:
    """Unless the lease ran out and another sender has it now."""
    mine = Invitation.objects.filter(pk=row.pk, state=State.SENDING, not_before=row.not_before)
    mine.update(**{"state": state, "not_before": None} | fields)


def _not_now(row: Invitation, error: OSError) -> None:
    logger.warning("invitations: %s", type(error).__name__)
    if _for_good(error) or timezone.now() - row.asked_at > GIVEN_UP_AFTER:
        _write(row, State.FAILED)
        return
    pause = min(FIRST_PAUSE * 2 ** min(row.attempts, 10), LONGEST_PAUSE)
    _write(row, State.WAITING, not_before=timezone.now() + pause)


def _for_good(error: OSError) -> bool:
    """Did the server say that it never takes this?"""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _said in error.recipients.values())
    # A wrong password, or a server that is down, is nothing about this person.
    own = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
    return own and error.smtp_code >= 500


def keys_of(found: QuerySet[User], states: Collection[str]) -> list[int]:
    return sorted(found.filter(invited__in=states).values_list("pk", flat=True))
