"""Who is told what, and when. Rows are written in the transaction that causes them; ``delivery`` sends them.

Messages about a verb go to everybody in the session but the one who acted; reminders go to both. Each is promised once by
one version of the session: what moves away and back is promised anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from people.models import ChangeSet, User
from scheduling.models import Notice, Session
from scheduling.words import REMINDERS, Kind, State

# The recipient's own switch (people.NotificationSettings) that each kind obeys.
SWITCH = {
    Kind.REQUESTED: "session_requested",
    Kind.CONFIRMED: "session_confirmed",
    Kind.DECLINED: "session_canceled",
    Kind.CANCELED: "session_canceled",
    Kind.EXPIRED: "session_canceled",
    Kind.RESCHEDULED: "session_confirmed",
    Kind.REASSIGNED: "session_confirmed",
    Kind.REMINDER_60: "sixty_minute_alert",
    Kind.REMINDER_15: "fifteen_minute_alert",
}
# That a session is off is worth knowing when it would have begun, too.
ENDINGS = (Kind.DECLINED, Kind.CANCELED, Kind.EXPIRED)
GONE = "The recipient no longer takes part."
TOO_LATE = "The session was confirmed too late for it."
OVER, AFTERWARDS = "It was recorded after the session had begun.", "It was recorded afterwards."
# Promised only to be shown: nobody was ever to read these.
NEVER_MEANT_TO_BE_SENT = (TOO_LATE, OVER, AFTERWARDS)
UNDONE = "It was undone before it was sent."
AT_ONCE = timedelta(0)
AT_THE_SAME_TIME = timedelta(seconds=30)
# The reader has it, or may have it.
TOLD = (State.SENDING, State.SENT, State.UNCERTAIN)
BEFORE = {Kind.REMINDER_60: timedelta(minutes=60), Kind.REMINDER_15: timedelta(minutes=15)}


class Owed(NamedTuple):
    """A message that is not sent yet."""

    key: int
    state: str
    kind: str
    recipient: int


@dataclass
class Pile:
    """What many sessions owe, to be written in one go. ``people``: of these nobody has to ask whether they take part.

    ``part_of``: the hand-over that all of it comes of. Who has several messages from it gets them as one.
    """

    people: Mapping[int, User]
    # Session -> what it owed before.
    owed: Mapping[int, list[Owed]]
    part_of: ChangeSet | None = None
    rows: list[Notice] = field(default_factory=list)
    # Why -> the keys of what is owed no longer.
    taken_back: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, people: Mapping[int, User], sessions: Iterable[int], part_of: ChangeSet | None) -> "Pile":
        """For these sessions, whose people are locked: nobody else promises anything about them."""
        owed = {key: [] for key in sessions}
        rows = Notice.objects.unsent().filter(session__in=list(owed)).order_by("pk")
        for session, *row in rows.values_list("session_id", "pk", "state", "kind", "recipient_id"):
            owed[session].append(Owed(*row))
        return cls(people, owed, part_of)

    def write(self) -> None:
        for why, keys in self.taken_back.items():
            _suppress(Notice.objects.filter(pk__in=keys), why)
        if self.part_of:
            self._put_together()
        _write(self.rows)
        self.rows, self.taken_back = [], defaultdict(list)

    def _put_together(self) -> None:
        news = defaultdict(list)
        for row in self.rows:
            if row.state == State.PENDING and row.kind not in REMINDERS:
                news[row.recipient_id].append(row)
        for theirs in news.values():
            latest = max(row.due_at for row in theirs)
            # What cannot wait so long goes by itself.
            theirs = [row for row in theirs if latest - row.due_at < AT_THE_SAME_TIME]
            if len(theirs) > 1:
                for row in theirs:
                    row.part_of, row.due_at = self.part_of, latest


def tell(
    session: Session,
    kind: Kind,
    *,
    by: User | None,
    at: datetime,
    also: int | None = None,
    wait: timedelta = AT_ONCE,
    pile: Pile | None = None,
) -> None:
    """Promise the message to both people but ``by``, now. ``at`` is when it happened: what is long past is not mailed.

    ``also`` is somebody who is no longer in it: the mentor who handed it on. ``wait``: so long it can still be undone.
    ``pile``: where it is put instead of being written now.
    """
    tell_these({session.mentor_id, session.mentee_id, also} - {by and by.pk, None}, session, kind, at=at, wait=wait, pile=pile)


def tell_these(
    keys: Collection[int],
    session: Session,
    kind: Kind,
    *,
    at: datetime,
    wait: timedelta = AT_ONCE,
    pile: Pile | None = None,
) -> None:
    """Promise the message to the people of these keys."""
    rows = [_notice(session, key, kind, due_at=at) for key in sorted(keys)]
    # The two are locked, and read after that.
    gone = _gone(keys, pile.people if pile else {user.pk: user for user in session.people})
    for notice in rows:
        if notice.recipient_id in gone:
            notice.state, notice.detail = State.SUPPRESSED, GONE
    _promise(rows, at, wait, pile)


def remind(session: Session, *, at: datetime, wait: timedelta = AT_ONCE, pile: Pile | None = None) -> None:
    """Promise both people their reminders. One whose time has come already is shown as suppressed, not left out."""
    rows = []
    for kind in REMINDERS:
        for key in sorted({session.mentor_id, session.mentee_id}):
            notice = _notice(session, key, kind, due_at=session.start_time - BEFORE[kind])
            if notice.due_at <= at:
                notice.state, notice.detail = State.SUPPRESSED, TOO_LATE
            rows.append(notice)
    _promise(rows, at, wait, pile)


def told_since(session: Session, version: int) -> set[int]:
    """The keys of those who have been told of what became of it after this version; reminders aside."""
    news = session.notices.filter(version__gt=version, state__in=TOLD).exclude(kind__in=REMINDERS)
    return set(news.values_list("recipient_id", flat=True))


def owed(session: Session, pile: Pile | None = None) -> list[tuple[str, int]]:
    """The kind and the recipient's key of each message that waits to be sent; reminders aside."""
    if pile and session.pk in pile.owed:
        waiting = [one for one in pile.owed[session.pk] if one.state == State.PENDING and one.kind not in REMINDERS]
        return [(one.kind, one.recipient) for one in waiting]
    news = session.notices.filter(state=State.PENDING).exclude(kind__in=REMINDERS)
    return list(news.order_by("pk").values_list("kind", "recipient_id"))


def take_back(session: Session, why: str, left: int | None = None, pile: Pile | None = None) -> None:
    """Suppress what this session still owes: it is no longer true. ``left``: the key of the mentor who leaves it now.

    A claimed one is left to its sender, who may have it on the line already and writes down what became of it; if that
    sender died, the next one asks again whether the message is still true. One stays: that it is no longer theirs is true
    for the mentor of before, whatever becomes of the session.
    """
    theirs = [key for key in (session.mentor_id, session.mentee_id, left) if key]
    if pile and session.pk in pile.owed:
        untrue = (one for one in pile.owed[session.pk] if one.kind != Kind.REASSIGNED or one.recipient in theirs)
        pile.taken_back[why] += [one.key for one in untrue]
    else:
        _suppress(session.notices.filter(~Q(kind=Kind.REASSIGNED) | Q(recipient__in=theirs)), why)


def _suppress(notices: QuerySet[Notice], why: str) -> None:
    notices.filter(state=State.PENDING).update(state=State.SUPPRESSED, detail=why, not_before=None)


def _notice(session: Session, recipient_key: int, kind: Kind, due_at: datetime) -> Notice:
    return Notice(
        session=session,
        recipient_id=recipient_key,
        kind=kind,
        start_time=session.start_time,
        version=session.version,
        due_at=due_at,
        expires_at=session.start_time + (timedelta(days=1) if kind in ENDINGS else timedelta(0)),
    )


def _gone(keys: Collection[int], people: Mapping[int, User]) -> set[int]:
    gone = {key for key in keys if key in people and not people[key].is_active}
    if unknown := set(keys) - set(people):
        gone |= set(User.objects.filter(pk__in=unknown, is_active=False).values_list("pk", flat=True))
    return gone


def _promise(rows: list[Notice], at: datetime, wait: timedelta, pile: Pile | None) -> None:
    now = timezone.now()
    for notice in rows:
        if notice.state == State.PENDING and notice.expires_at <= now:
            notice.state, notice.detail = State.SUPPRESSED, OVER
        elif notice.state == State.PENDING and notice.due_at < now and at < now - timedelta(minutes=1):
            notice.state, notice.detail = State.SUPPRESSED, AFTERWARDS
        elif notice.state == State.PENDING and wait and notice.due_at < now + wait < notice.expires_at:
            # What would come too late by then goes when it is due.
            notice.due_at = now + wait
    if pile is None:
        _write(rows)
    else:
        pile.rows += rows


def _write(rows: list[Notice]) -> None:
    now = timezone.now()
    Notice.objects.bulk_create(rows)
    if any(notice.state == State.PENDING and notice.due_at <= now for notice in rows):
        # At once, not at the next minute. If the queue cannot be reached the booking stands, and the sweep finds the row.
        transaction.on_commit(send_soon, robust=True)


def send_soon() -> None:
    """Wake the worker, which sends what is due. For `transaction.on_commit`."""
    async_task("scheduling.tasks.send_due")
