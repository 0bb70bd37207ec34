"""The verbs on a session: the only door. Admin, pages, spreadsheets and tasks call these and show what they refuse.

Each verb checks who may, asks the table of moves and the rules, writes under the lock of both people with its history,
and promises the notices in the same transaction. A refusal is a ValidationError with a sentence and a code.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from people.models import Mentee, Mentor, User
from scheduling import guard, notices, rules
from scheduling.models import Availability, Program, Session
from scheduling.slots import Period, free_slots
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING, Ending, Kind, Status

# PostgreSQL's code: its sentence is told in the server's language.
DEADLOCK = "40P01"

# What may follow what.
MOVES = {PENDING: {CONFIRMED, CANCELED}, CONFIRMED: {CANCELED, COMPLETED, NO_SHOW}}


@dataclass(frozen=True)
class Verb:
    """One thing that can be done to a session, and by whom. Staff may do all of them for either party."""

    name: str
    label: str
    past: str
    to: Status
    # Which parties may: "mentor", "mentee".
    parties: tuple[str, ...]
    since: tuple[Status, ...]
    ending: Ending | str = ""
    after_start: bool = False
    told: Kind | None = None


VERBS = {
    verb.name: verb
    for verb in (
        Verb("confirm", "Confirm", "confirmed", CONFIRMED, ("mentor",), (PENDING,), told=Kind.CONFIRMED),
        Verb("decline", "Decline", "declined", CANCELED, ("mentor",), (PENDING,), Ending.DECLINED, told=Kind.DECLINED),
        Verb(
            "cancel",
            "Cancel",
            "canceled",
            CANCELED,
            ("mentor", "mentee"),
            (PENDING, CONFIRMED),
            Ending.CANCELED,
            told=Kind.CANCELED,
        ),
        Verb("complete", "It took place", "completed", COMPLETED, ("mentor",), (CONFIRMED,), after_start=True),
        Verb("mark_no_show", "No-show", "marked as a no-show", NO_SHOW, ("mentor",), (CONFIRMED,), after_start=True),
    )
}


# ---- asking -----------------------------------------------------------------------------------------------------------


def explain(
    mentor: Mentor, mentee: Mentee, period: Period, *, at: datetime | None = None, leave_out: Session | None = None
) -> list[rules.Finding]:
    """Every rule of this booking, passed and failed, told in the active time zone. ``leave_out``: a session already there."""
    around = Session.objects.active().overlapping(period).exclude(pk=leave_out.pk if leave_out else None)
    return rules.bookable(
        _party(mentor, around),
        _party(mentee, around),
        period,
        windows=Availability.objects.filter(mentor=mentor).overlapping(period).periods(),
        policy=Program.current().policy,
        now=at or timezone.now(),
        zone=timezone.get_current_timezone(),
    )


def slots(mentor: Mentor, minutes: int, *, until: datetime, mentee: Mentee | None = None) -> list[Period]:
    """The free slots of one length that start before ``until``, in order; also free for the mentee, where one is given."""
    now = timezone.now()
    policy = Program.current().policy
    if until <= now or not mentor.user.is_active or minutes not in policy.lengths:
        return []
    # A slot that starts before ``until`` may end after it.
    ahead = Period(now, until + timedelta(minutes=minutes))
    taken = Session.objects.active().overlapping(ahead).of(mentor.user).periods()
    if mentee:
        taken += Session.objects.active().overlapping(ahead).of(mentee.user).periods()
    windows = mentor.availabilities.overlapping(ahead).periods()
    return [slot for slot in free_slots(windows, taken, minutes=minutes, step=policy.step, now=now) if slot.start < until]


def refusal(session: Session, verb: Verb, by: User, at: datetime | None = None) -> ValidationError | None:
    """Why ``by`` cannot do this to the session now, or None if they can. Buttons and verbs both ask here."""
    at = at or timezone.now()
    parties = {"mentor": session.mentor_id, "mentee": session.mentee_id}
    if not acts_for_program(by) and not (by.is_active and by.pk in {parties[name] for name in verb.parties}):
        whose = " or ".join(f"the {name}" for name in verb.parties)
        return ValidationError(f"This session can only be {verb.past} by {whose}.", code="not_yours")
    if session.status not in verb.since or verb.to not in MOVES.get(session.status, ()):
        return ValidationError(f"This session is {session.status}: it cannot be {verb.past}.", code="not_possible")
    if verb.after_start and at < session.start_time:
        return ValidationError(f"A session cannot be {verb.past} before it starts.", code="too_early")
    if not verb.after_start and at >= session.start_time:
        return ValidationError(f"This session has already begun: it cannot be {verb.past}.", code="too_late")
    return None


def possible(session: Session, by: User) -> list[Verb]:
    """The verbs to offer this person, in order."""
    return [verb for verb in VERBS.values() if refusal(session, verb, by) is None]


def acts_for_program(user: User) -> bool:
    """May this user act for either party? Coordinators and superusers."""
    return user.is_active and user.is_staff and user.has_perm("scheduling.change_session")


# ---- doing ------------------------------------------------------------------------------------------------------------


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
        )
        _write(session, by, "requested", happened_at)
        notices.tell(session, Kind.REQUESTED, by=by, at=happened_at)
    return session


def confirm(session: Session, *, by: User, version: int | None = None, at: datetime | None = None) -> Session:
    """The mentor agrees. Both are promised their reminders."""
    return _move(session, "confirm", by=by, version=version, at=at)


def decline(session: Session, *, by: User, reason: str = "", version: int | None = None, at: datetime | None = None) -> Session:
    """The mentor cannot: the session is Canceled, its ending ``declined``."""
    return _move(session, "decline", by=by, reason=reason, version=version, at=at)


def cancel(session: Session, *, by: User, reason: str = "", version: int | None = None, at: datetime | None = None) -> Session:
    """Either party calls it off before it starts. What it still owed is taken back."""
    return _move(session, "cancel", by=by, reason=reason, version=version, at=at)


def complete(session: Session, *, by: User, version: int | None = None, at: datetime | None = None) -> Session:
    """It took place."""
    return _move(session, "complete", by=by, version=version, at=at)


def mark_no_show(session: Session, *, by: User, version: int | None = None, at: datetime | None = None) -> Session:
    """Somebody did not come."""
    return _move(session, "mark_no_show", by=by, version=version, at=at)


@retry_after_deadlock
def _move(
    session: Session, name: str, *, by: User, reason: str = "", version: int | None = None, at: datetime | None = None
) -> Session:
    """Do one verb. ``version`` is the one the person saw; a newer one in the database is refused (code ``stale``)."""
    verb = VERBS[name]
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


def _write(session: Session, by: User, what: str, happened_at: datetime) -> None:
    """Save with history; the guard's refusal becomes a sentence."""
    session._history_user = by
    session._history_date = happened_at
    session._change_reason = what if by.pk in (session.mentor_id, session.mentee_id) else f"{what} for the program"
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
        f"{last.history_user or 'Somebody'} changed this session at {when:%H:%M}: it is {session.status} now."
        " Look again before you act.",
        code="stale",
    )


def _party(role: Mentor | Mentee, around) -> rules.Party:
    return rules.Party(
        key=role.pk, name=str(role.user), active=role.user.is_active, taken=tuple(around.of(role.user).periods())
    )
