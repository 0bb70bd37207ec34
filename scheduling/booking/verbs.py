"""The verbs: each asks, writes under the lock of both people with its history, and promises the notices."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from people.models import Mentee, Mentor, User
from scheduling import guard, notices
from scheduling.booking.facts import explain
from scheduling.booking.moves import EXPIRE, VERBS, Verb, acts_for_program, refusal
from scheduling.models import Program, Session
from scheduling.slots import Period
from scheduling.words import CANCELED, CONFIRMED, Kind

# PostgreSQL's code: its sentence is told in the server's language.
DEADLOCK = "40P01"


def retry_after_deadlock(verb: Callable) -> Callable:
    """Once, and only where the verb opened the transaction: an outer one is lost after a deadlock anyway."""

    @wraps(verb)
    def inner(*args, **kwargs):
        if connection.in_atomic_block:
            return verb(*args, **kwargs)
        try:
            return verb(*args, **kwargs)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                raise
            return verb(*args, **kwargs)

    return inner


@retry_after_deadlock
def request(
    mentor: Mentor,
    mentee: Mentee,
    start_time: datetime,
    minutes: int,
    *,
    by: User,
    topic: str = "",
    meeting_link: str = "",
    form_key: uuid.UUID | None = None,
    external_id: str = "",
    at: datetime | None = None,
) -> Session:
    """Ask a mentor for a session; the answer is Pending.

    ``form_key`` names one filled-in form: sent twice, it gives the same session twice. ``at`` is when this happened, for
    sessions brought over from another system; the rules are asked as of then. Raises ValidationError.
    """
    if not acts_for_program(by) and not (by.is_active and by.pk == mentee.pk):
        raise ValidationError("Only the mentee can request this session.", code="not_yours")
    period = Period.of(start_time, minutes)
    happened_at = at or timezone.now()
    with transaction.atomic():
        mentor, mentee = _lock(mentor, mentee)
        if form_key and (earlier := Session.objects.filter(form_key=form_key).first()):
            # The browser's Back button sends the same form with another hour or person in it.
            if (earlier.mentor_id, earlier.mentee_id, earlier.period) != (mentor.pk, mentee.pk, period):
                raise ValidationError("This form has been sent before, for another session. Open it anew.", code="form_used")
            return earlier
        _insist(explain(mentor, mentee, period, at=happened_at))
        session = Session(
            mentor=mentor,
            mentee=mentee,
            availability=mentor.availabilities.overlapping(period).order_by("start_time").first(),
            start_time=period.start,
            end_time=period.end,
            topic=topic,
            meeting_link=meeting_link,
            form_key=form_key,
            external_id=external_id,
            created_at=happened_at,
            # From now, also for what was asked elsewhere long ago: nobody could answer it here before.
            answer_by=min(timezone.now() + timedelta(hours=Program.current().answer_hours), period.start),
        )
        _write(session, by, "requested", happened_at)
        notices.tell(session, Kind.REQUESTED, by=by, at=happened_at)
    return session


def confirm(session: Session, *, by: User, version: int | None = None, at: datetime | None = None) -> Session:
    """The mentor agrees. Both are promised their reminders."""
    return _move(session, VERBS["confirm"], by=by, version=version, at=at)


def decline(session: Session, *, by: User, reason: str = "", version: int | None = None, at: datetime | None = None) -> Session:
    """The mentor cannot: the session is Canceled, its ending ``declined``."""
    return _move(session, VERBS["decline"], by=by, reason=reason, version=version, at=at)


def cancel(session: Session, *, by: User, reason: str = "", version: int | None = None, at: datetime | None = None) -> Session:
    """Either party calls it off before it starts. What it still owed is taken back."""
    return _move(session, VERBS["cancel"], by=by, reason=reason, version=version, at=at)


def complete(session: Session, *, by: User, version: int | None = None, at: datetime | None = None) -> Session:
    """It took place."""
    return _move(session, VERBS["complete"], by=by, version=version, at=at)


def mark_no_show(session: Session, *, by: User, version: int | None = None, at: datetime | None = None) -> Session:
    """Somebody did not come."""
    return _move(session, VERBS["mark_no_show"], by=by, version=version, at=at)


def expire(session: Session) -> Session:
    """Nobody answered in time: the session is Canceled, its ending ``expired``, its time free again. Both are told."""
    return _move(session, EXPIRE, by=None)


def expire_unanswered() -> int:
    """Expire every request whose time to be answered is over. Returns how many; safe to run late or in two places."""
    expired = 0
    for session in Session.objects.unanswered().with_people():
        try:
            expire(session)
        except ValidationError:
            continue  # answered, or expired by somebody else, since we looked
        expired += 1
    return expired


@retry_after_deadlock
def _move(
    session: Session, verb: Verb, *, by: User | None, reason: str = "", version: int | None = None, at: datetime | None = None
) -> Session:
    """Do one verb. ``version`` is the one the person saw; a newer one in the database is refused (code ``stale``)."""
    happened_at = at or timezone.now()
    with transaction.atomic():
        mentor, mentee = _lock(session.mentor, session.mentee)
        session = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
        session.mentor, session.mentee = mentor, mentee
        if version is not None and version != session.version:
            raise _stale(session)
        if no := refusal(session, verb, by, happened_at):
            raise no
        if verb.to == CONFIRMED:
            # The mentor's yes settles what the policy only prefers; what can never be is asked again.
            _insist(f for f in explain(mentor, mentee, session.period, at=happened_at, leave_out=session) if f.hard)
        session.status, session.ending = verb.to, verb.ending
        if verb.to == CANCELED:
            session.reason, session.ended_by = reason.strip(), by
            notices.take_back(session, f"The session was {verb.past}.")
        session.version += 1
        _write(session, by, verb.past, happened_at)
        if verb.told:
            notices.tell(session, verb.told, by=by, at=happened_at)
        if verb.to == CONFIRMED:
            notices.remind(session, at=happened_at)
    return session


def _lock(mentor: Mentor, mentee: Mentee) -> tuple[Mentor, Mentee]:
    """Both people, fresh and locked until the transaction ends, always in the order of their keys.

    People, not windows: two windows may touch, and both bookings would pass. SQLite has no row locks and needs none: its
    transactions are IMMEDIATE, one writer at a time.
    """
    users = User.objects.select_for_update(no_key=True).filter(pk__in=[mentor.pk, mentee.pk]).order_by("pk")
    fresh = {user.pk: user for user in users}
    mentor.user, mentee.user = fresh[mentor.pk], fresh[mentee.pk]
    return mentor, mentee


def _insist(findings) -> None:
    """Raise the failed rules: every sentence, each with its code."""
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        raise ValidationError([ValidationError(finding.sentence, code=finding.code) for finding in failed])


def _write(session: Session, by: User | None, what: str, happened_at: datetime) -> None:
    """Save with history; the guard's refusal becomes a sentence."""
    session._history_user = by
    session._history_date = happened_at
    itself = by is None or by.pk in (session.mentor_id, session.mentee_id)
    session._change_reason = what if itself else f"{what} for the program"
    try:
        # A savepoint: after the database's refusal the transaction can still be asked why.
        with transaction.atomic():
            session.save()
    except IntegrityError as error:
        if not guard.refused(error):
            raise
        _insist(explain(session.mentor, session.mentee, session.period, at=happened_at, leave_out=session))
        raise ValidationError("One of the two already has a session at that time.", code="taken") from error


def _stale(session: Session) -> ValidationError:
    last = session.history.select_related("history_user").latest("history_date")
    when = timezone.localtime(last.history_date)
    return ValidationError(
        f"{last.history_user or 'The program'} changed this session at {when:%H:%M}: it is {session.status} now."
        " Look again before you act.",
        code="stale",
    )
