"""Send what is due. Safe to run late, twice, or in many places at once.

A row is claimed by one conditional UPDATE with a lease of two minutes. Before it is sent it is asked again whether it is
still true and still wanted, as of a second ago at the most. Time ends a notice, never a count of tries. What SMTP can promise: none is lost, and at most
one extra copy goes out per sender killed between the server's yes and our commit.
"""

import logging
import smtplib
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from traceback import walk_tb

from django.core.mail import get_connection
from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from people.models import NotificationSettings
from scheduling import smtp
from scheduling.composing import compose
from scheduling.models import Notice
from scheduling.notices import SWITCH
from scheduling.words import ACTIVE, CONFIRMED, PENDING, REMINDERS, Kind, State

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=5)
# A sweep takes this many at the most, and goes on for so long; the next one takes the rest. (The task queue ends a task that
# takes longer than settings.Q_CLUSTER allows, be it in the middle of a message.)
BATCH = 2_000
# One sender needs some seconds for so many.
MANY = 200
# So many are read in one go, and what was read longer ago is read again before it is sent.
AHEAD, FRESH = 50, 1.0  # rows, seconds
LONGEST_SWEEP = timedelta(seconds=40)
# So many of one hand-over go in one message; what is left goes in the next.
MOST_IN_ONE = 20
TOGETHER = "In one message with others of the same hand-over."
# The message is only true while the session has one of these statuses.
TRUE_WHILE = (
    {Kind.REQUESTED: (PENDING,), Kind.CONFIRMED: (CONFIRMED,)}
    | dict.fromkeys(REMINDERS, (CONFIRMED,))
    | dict.fromkeys((Kind.RESCHEDULED, Kind.REASSIGNED), ACTIVE)
)


@dataclass(frozen=True)
class Outcome:
    """What became of a claimed notice, not written down yet. ``over``: the server would give every message the same answer.
    ``others``: what became of those that were claimed with it.
    """

    notice: Notice
    state: State
    detail: str = ""
    fields: dict = field(default_factory=dict)
    over: bool = False
    others: tuple["Outcome", ...] = ()

    def write(self) -> None:
        """Unless the lease ran out and another sender has it now."""
        mine = {"id": self.notice.pk, "state": State.SENDING, "not_before": self.notice.not_before}
        _update(mine, {"state": self.state, "detail": self.detail, "not_before": None} | self.fields)
        for other in self.others:
            other.write()


def sweep(*, last_first: bool = False) -> Counter:
    """Claim and send every due notice once. Returns how many ended in which state.

    ``last_first``: begin at the other end. Two senders then meet in the middle, and seldom want the same row.
    """
    outcomes: Counter = Counter()
    if not (keys := list(next_due(timezone.now()).values_list("pk", flat=True))):
        return outcomes
    if last_first:
        keys.reverse()
    upcoming: deque[Notice] = deque()
    connection = get_connection()
    connection.meanwhile = partial(_write_next, upcoming, connection)
    over = time.monotonic() + LONGEST_SWEEP.total_seconds()
    outcome = None
    try:
        for notice in _read(keys, upcoming):
            enough = time.monotonic() > over or (outcome is not None and outcome.over)
            taken = _go_on(outcome, None if enough else notice)
            outcome = None
            if enough:
                break
            if taken:
                outcome = deliver(notice, connection)
                outcomes.update(one.state for one in (outcome, *outcome.others))
    finally:
        connection.close()
    return outcomes


def next_due(now: datetime) -> QuerySet[Notice]:
    """What was never tried goes first: some that the server puts off again and again must not keep it back."""
    return Notice.objects.due(now).order_by("attempts", "due_at", "pk")[:BATCH]


def many_due() -> bool:
    """Is it worth a second sender?"""
    return next_due(timezone.now())[MANY:].exists()


def _read(keys: list[int], upcoming: deque[Notice]) -> Iterator[Notice | None]:
    """Those of them that are due, each as it and its session stood a moment ago; None before each reading, and at the end:
    what is to be written is not to wait for that. ``upcoming`` holds what has been read and was not given yet.
    """
    while keys:
        yield None
        ahead, keys = keys[:AHEAD], keys[AHEAD:]
        read_at = time.monotonic()
        rows = Notice.objects.due(timezone.now()).with_people().in_bulk(ahead)
        upcoming.extend(rows[key] for key in ahead if key in rows)
        if upcoming:
            yield upcoming.popleft()
        while upcoming:
            if time.monotonic() - read_at > FRESH:
                keys = [notice.pk for notice in upcoming] + keys
                upcoming.clear()
                break
            yield upcoming.popleft()
    yield None


def _write_next(upcoming: deque[Notice], connection) -> None:
    """Write the next message while the mail server thinks about the last. Whether it goes out is asked when it is its turn."""
    if upcoming and not upcoming[0].part_of_id and verdict(upcoming[0], timezone.now())[0] is None:
        # Who cannot be written to is told of then, too.
        with suppress(Exception):
            upcoming[0].message = compose(upcoming[0], connection)


def _go_on(outcome: Outcome | None, notice: Notice | None) -> bool:
    """Write down the last one and claim the next, in one transaction: waiting for the disk is most of what it costs.
    Is the next one ours?
    """
    with transaction.atomic():
        if outcome is not None:
            outcome.write()
        if notice is None or not notice.part_of_id:
            return notice is not None and claim(notice)
        notice.together = _claim_together(notice)
        return bool(notice.together)


def claim(notice: Notice, until: datetime | None = None) -> bool:
    """Take a due notice for two minutes, or ``until`` then; False if another sender has it. Each claim counts as an attempt, so
    a row with another count is not as it was read.
    """
    as_read = {"id": notice.pk, "state": notice.state, "attempts": notice.attempts}
    # A row found in SENDING was left by a sender that died: it may have gone out.
    notice.unanswered += notice.state == State.SENDING
    notice.state = State.SENDING
    notice.attempts += 1
    notice.not_before = until or timezone.now() + LEASE
    taken = {name: getattr(notice, name) for name in ("state", "attempts", "unanswered", "not_before")}
    return bool(_update(as_read, taken))


def _claim_together(notice: Notice) -> list[Notice]:
    """All that is due to the same reader from the same hand-over, until one moment: left by a sender that died, it comes back at
    once. Locked in one order: of two senders the second waits, and finds nothing left.
    """
    now = timezone.now()
    same = Notice.objects.due(now).filter(part_of=notice.part_of_id, recipient=notice.recipient_id).order_by("pk")
    locked = same.select_for_update(of=("self",)).with_people()
    return [one for one in locked[:MOST_IN_ONE] if claim(one, now + LEASE)]


def _update(where: dict, values: dict) -> int:
    """The number of rows (1 or 0). Twice for each message: a QuerySet takes longer to put such a statement together than
    the database to carry it out.
    """
    named = (*values.items(), *where.items())
    given = [Notice._meta.get_field(name).get_db_prep_save(value, database) for name, value in named]
    with database.cursor() as cursor:
        cursor.execute(_statement(tuple(values), tuple(where)), given)
        return cursor.rowcount


@cache
def _statement(values: tuple[str, ...], where: tuple[str, ...]) -> str:
    def equal(name: str) -> str:
        return f"{database.ops.quote_name(Notice._meta.get_field(name).column)} = %s"

    table = database.ops.quote_name(Notice._meta.db_table)
    return f"UPDATE {table} SET {', '.join(map(equal, values))} WHERE {' AND '.join(map(equal, where))}"  # noqa: S608 (our own names)


def deliver(notice: Notice, connection) -> Outcome:
    """Send one claimed notice, with those that were claimed with it, or say why not. Each is asked for itself, and has an
    outcome of its own.
    """
    now, true, outcomes = timezone.now(), [], []
    for one in getattr(notice, "together", None) or [notice]:
        state, why = verdict(one, now)
        if state is None:
            true.append(one)
        else:
            outcomes.append(Outcome(one, state, why))
    if true:
        sent = _send(true, connection)
        detail = sent.detail or (TOGETHER if len(true) > 1 else "")
        outcomes[:0] = [replace(sent, notice=one, detail=detail) for one in true]
    first, *others = outcomes
    return replace(first, others=tuple(others))


def _send(together: list[Notice], connection) -> Outcome:
    """One message with all of these. The outcome is that of each."""
    notice, *others = together
    try:
        message = getattr(notice, "message", None) or compose(notice, connection, others)
    except Exception as error:
        return _unwritten(notice, error)
    try:
        connection.open()
    except OSError as error:
        # No fault of this message: it goes with the others in the first sweep that reaches the server.
        why = f"The mail server cannot be reached ({_said(error)})."
        return Outcome(notice, State.PENDING, why, _heard(error), over=True)
    try:
        connection.send_messages([message])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        return _refused(notice, error, connection)
    except OSError as error:
        connection.close()
        if not _text_was_given(error):
            return _pause(notice, f"The mail server broke off ({_said(error)}).", over=True)
        # It may have been taken. One more try, then a person decides.
        Notice.objects.filter(pk__in=[one.pk for one in together]).update(unanswered=F("unanswered") + 1)
        if any(one.unanswered for one in together):
            return Outcome(notice, State.UNCERTAIN, f"The mail server gave no answer twice ({_said(error)}).")
        return _pause(notice, f"The mail server gave no answer ({_said(error)}).", over=True)
    except Exception as error:  # an impossible address shows only where the headers are written
        if _text_was_given(error):
            raise  # a fault of ours: the row stays as if its sender had died, and is tried once more at the most
        return _unwritten(notice, error)
    return Outcome(notice, State.SENT, "", {"sent_at": timezone.now(), "answer": smtp.answer(connection)})


def verdict(notice: Notice, now: datetime) -> tuple[State | None, str]:
    """Should it still go out? A state and the reason why not, or (None, "")."""
    session, recipient = notice.session, notice.recipient
    switches = getattr(recipient, "notification_settings", None) or NotificationSettings()
    needed = TRUE_WHILE.get(notice.kind)
    if needed and session.status not in needed:
        return State.SUPPRESSED, f"The session is {session.status}."
    # Who handed it on is told of that, and of nothing else: also where it was moved since.
    takes_part = recipient.pk in (session.mentor_id, session.mentee_id)
    if notice.kind != Kind.REASSIGNED and not takes_part:
        return State.SUPPRESSED, "The recipient is no longer in this session."
    if takes_part and session.start_time != notice.start_time:
        return State.SUPPRESSED, "The session was moved."
    if not recipient.is_active:
        return State.SUPPRESSED, "The recipient no longer takes part."
    if not getattr(switches, SWITCH[notice.kind]):
        return State.SUPPRESSED, "The recipient has turned these messages off."
    if notice.unanswered > 1:
        return State.UNCERTAIN, "Two senders stopped before the mail server's answer."
    if now >= notice.expires_at:
        return State.EXPIRED, "The session had begun before it could be sent."
    return None, ""


def _unwritten(notice: Notice, error: Exception) -> Outcome:
    """One message that cannot be written must not keep back the others; it waits for whoever reads the log."""
    logger.error("notice %s cannot be written: %s", notice.pk, _said(error))
    outcome = _pause(notice, f"The message cannot be written ({_said(error)}).")
    # By itself next time: of those that go as one it may be another that cannot.
    return replace(outcome, fields=outcome.fields | {"part_of": None})


def _refused(notice: Notice, error: smtplib.SMTPException, connection) -> Outcome:
    """A definite no. 4xx: not now; 5xx: never."""
    connection.close()
    of_recipient = isinstance(error, smtplib.SMTPRecipientsRefused)
    code = max(code for code, _ in error.recipients.values()) if of_recipient else error.smtp_code
    if 400 <= code < 500:
        # A full mailbox is one person's; 421 is the server going away.
        return _pause(notice, f"The mail server said not now ({code}).", error, over=not of_recipient or code == 421)
    return Outcome(notice, State.FAILED, f"The mail server refused it ({code}).", {"answer": smtp.refusal(error)})


def _pause(notice: Notice, why: str, error: Exception | None = None, *, over: bool = False) -> Outcome:
    """Put it back for a while."""
    pause = min(FIRST_PAUSE * 2 ** min(notice.attempts - 1, 10), LONGEST_PAUSE)
    return Outcome(notice, State.PENDING, why, {"not_before": timezone.now() + pause} | _heard(error), over)


def _heard(error: Exception | None) -> dict:
    """The server's answer, where the error is one: what it said before stays otherwise."""
    return {"answer": answer} if (answer := smtp.refusal(error)) else {}


def _text_was_given(error: Exception) -> bool:
    """Did the connection break at or after DATA? smtplib's errors do not say where they arose; their traceback does."""
    giving = (smtplib.SMTP.data.__code__, smtp.Remembers.data.__code__)
    return any(frame.f_code in giving for frame, _ in walk_tb(error.__traceback__))


def _said(error: Exception) -> str:
    """The kind of error: its text may hold an address."""
    return type(error).__name__
