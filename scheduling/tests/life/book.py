"""The machine's own book of what was done, and what must never be false: the database is held against both."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from people.models import Mentee, Mentor, User
from scheduling.guard import SESSIONS, WINDOWS
from scheduling.models import Notice, Session
from scheduling.notices import BEFORE, ENDINGS
from scheduling.slots import Period
from scheduling.tests.life.words import BECOMES, BEGINNING, HARD, PLACED, SOFT, TAKE_BACK, TOLD
from scheduling.words import ACTIVE, CONFIRMED, PENDING, REMINDERS, Kind, State


@dataclass(frozen=True)
class Cast:
    """Four people, two of them in both roles, and a superuser: their keys."""

    mentors: tuple[int, ...]
    mentees: tuple[int, ...]
    staff: int

    @classmethod
    def make(cls) -> "Cast":
        keys = [User.objects.create_user(email=f"p{n}@example.org", first_name=f"P{n}").pk for n in range(4)]
        for key in keys[:3]:
            Mentor.objects.create(user_id=key)
        for key in keys[1:]:
            Mentee.objects.create(user_id=key)
        staff = User.objects.create_user(email="s@example.org", first_name="S", is_staff=True, is_superuser=True)
        return cls(tuple(keys[:3]), tuple(keys[1:]), staff.pk)

    @property
    def everybody(self) -> tuple[int, ...]:
        return *self.mentors, self.mentees[-1]


@dataclass(frozen=True)
class Deed:
    """One version of a session: what was done, by whom and for whom, and what it left."""

    verb: str
    by: int | None
    step: int
    at: datetime
    status: str
    mentor: int
    mentee: int
    period: Period
    for_whom: int | None = None
    answer_by: datetime | None = None
    # The mentor who handed it on, and who had left the program by then.
    left: int | None = None
    away: frozenset[int] = frozenset()
    # So long its messages wait, since it can be undone.
    wait: timedelta = timedelta(0)

    @property
    def people(self) -> set[int]:
        return {self.mentor, self.mentee}

    def promises(self) -> Iterator[tuple[str, int, datetime, datetime]]:
        """The notices that it owes: kind, recipient, when due, and when too late."""
        start = self.period.start
        if kind := TOLD.get(self.verb):
            for key in (self.people | {self.left}) - {self.by, None}:
                yield kind, key, self.at, start + timedelta(days=1) if kind in ENDINGS else start
        if self.status == CONFIRMED:
            for kind in REMINDERS:
                for key in self.people:
                    yield kind, key, start - BEFORE[kind], start

    def takes_back(self, kind: str, recipient: int) -> bool:
        """Is the message no longer true? That they handed it on is, for the mentor of before, whatever becomes of it."""
        return self.verb in TAKE_BACK and (kind != Kind.REASSIGNED or recipient in self.people | {self.left})


def tried(verb: Callable, *args, **kwargs) -> tuple[object, set[str]]:
    """What it returned, and the codes of its refusal: none if it was done. Any other error ends the test."""
    try:
        return verb(*args, **kwargs), set()
    except ValidationError as refusal:
        errors = chain(*refusal.error_dict.values()) if hasattr(refusal, "error_dict") else refusal.error_list
        return None, {error.code for error in errors}


class Book(RuleBasedStateMachine):
    """One run. All is rolled back at its end, but the `cast`, who are there before."""

    cast: Cast
    # What happened in all the runs: to know that the machine gets about.
    happened: Counter = Counter()

    def __init__(self):
        super().__init__()
        self.clock = time_machine.travel(BEGINNING, tick=False)
        self.traveller = self.clock.start()
        self.now = self.latest = BEGINNING
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.written = False
        self.watching = connection.execute_wrapper(self.watch)
        self.watching.__enter__()
        self.staff = self.user(self.cast.staff)
        self.step = 0
        self.deeds: dict[int, list[Deed]] = {}
        # What the history was found to say, and up to which of its rows.
        self.history: defaultdict[int, list[tuple]] = defaultdict(list)
        self.read_to = 0
        # Notices that were sent, or not sent, by their keys; people, by theirs, and the step at which they last left.
        self.swept: dict[int, str] = {}
        self.left: dict[int, int] = {}
        self.away: set[int] = set()

    def watch(self, execute, sql, *rest):
        """Is anything written? Where nothing is, there is nothing new to look at."""
        self.written = self.written or not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE"))
        return execute(sql, *rest)

    def teardown(self):
        self.watching.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.clock.stop()

    # ---- who and what ------------------------------------------------------------------------------------------------------

    @property
    def hour(self) -> datetime:
        return self.now.replace(minute=0)

    @property
    def all(self) -> list[int]:
        """The keys of the sessions, in order."""
        return list(self.deeds)

    @property
    def open(self) -> list[int]:
        return [key for key, deeds in self.deeds.items() if deeds[-1].status in ACTIVE]

    @property
    def waiting(self) -> list[int]:
        return [key for key, deeds in self.deeds.items() if deeds[-1].status == PENDING]

    @property
    def agreed(self) -> list[int]:
        return [key for key, deeds in self.deeds.items() if deeds[-1].status == CONFIRMED]

    def user(self, key: int) -> User:
        return User.objects.get(pk=key)

    def mentor(self, who: int) -> Mentor:
        return Mentor.objects.with_people().get(pk=self.cast.mentors[who])

    def mentee(self, who: int) -> Mentee:
        return Mentee.objects.with_people().get(pk=self.cast.mentees[who])

    def session(self, keys: list[int], which: int) -> Session:
        return Session.objects.with_people().get(pk=keys[which % len(keys)])

    def set_clock(self, by: timedelta) -> None:
        self.now += by
        self.latest = max(self.latest, self.now)
        self.traveller.move_to(self.now, tick=False)

    def did(self, key: int, verb: str, by: User | None, for_whom: User | None = None, **changed) -> None:
        """Write a deed into the book; what is not named stays as it was."""
        deeds = self.deeds.setdefault(key, [])
        new = {"verb": verb, "by": by and by.pk, "for_whom": for_whom and for_whom.pk, "step": self.step, "at": self.now}
        new |= (
            {"left": None, "away": frozenset(self.away), "wait": timedelta(0)}
            | ({"status": BECOMES[verb]} if verb in BECOMES else {})
            | changed
        )
        deed = replace(deeds[-1], **new) if deeds else Deed(**new)
        if verb in PLACED and deed.status == PENDING:
            deed = replace(deed, answer_by=min(self.now + timedelta(hours=self.policy["answer_hours"]), deed.period.start))
        deeds.append(deed)
        self.happened[verb] += 1

    def impossible(self, mentor: int, mentee: int, period: Period, but: int | None = None) -> set[str]:
        """The hard rules, worked out again from the book. ``but``: the key of the session that is to be moved."""
        others = [deeds[-1] for key, deeds in self.deeds.items() if key != but and deeds[-1].status in ACTIVE]
        busy = {key for deed in others if deed.period.overlaps(period) for key in deed.people}
        why = {
            "same_person": mentor == mentee,
            "inactive": bool({mentor, mentee} & self.away),
            "past": period.start <= self.now,
            "mentor_taken": mentor in busy,
            "mentee_taken": mentee in busy,
        }
        return {code for code, true in why.items() if true}

    def placed(self, codes: set[str], by: User, set_aside: str, offered: bool, impossible: set[str]) -> bool:
        """Is this what asking for a time had to come to? True if it was done."""
        if set_aside and by != self.staff:
            assert codes == {"not_yours"}
        elif set_aside:
            assert codes == impossible
        else:
            # What is offered is taken, and nothing else.
            assert offered is (not codes), (offered, codes)
            assert codes <= HARD | SOFT
            assert codes & HARD == impossible
        return not codes

    # ---- what is never false -------------------------------------------------------------------------------------------------

    @invariant()
    def this_is_never_false(self):
        self.step += 1
        if not self.written:
            return
        self.written = False
        self.nobody_is_in_two_places()
        self.no_window_overlaps_another()
        self.every_session_is_what_was_made_of_it()
        self.every_change_is_in_the_history()
        self.nothing_is_confirmed_without_the_mentor_or_staff()
        self.whoever_is_to_meet_takes_part()
        self.every_promise_is_in_the_notices()

    def nobody_is_in_two_places(self):
        assert SESSIONS.overlaps(connection) == []

    def no_window_overlaps_another(self):
        assert WINDOWS.overlaps(connection) == []

    def every_session_is_what_was_made_of_it(self):
        rows = Session.objects.values_list("pk", "version", "status", "mentor_id", "mentee_id", "start_time", "end_time")
        assert {key: tuple(rest) for key, *rest in rows} == {
            key: (len(deeds), deed.status, deed.mentor, deed.mentee, deed.period.start, deed.period.end)
            for key, deeds in self.deeds.items()
            for deed in deeds[-1:]
        }

    def every_change_is_in_the_history(self):
        columns = ("version", "status", "mentor_id", "start_time", "end_time", "history_user_id", "acted_for_id")
        rows = Session.history.filter(history_id__gt=self.read_to).order_by("history_id")
        for self.read_to, key, *row in rows.values_list("history_id", "id", *columns):
            self.history[key].append(tuple(row))
        assert self.history == {
            key: [
                (version, deed.status, deed.mentor, deed.period.start, deed.period.end, deed.by, deed.for_whom)
                for version, deed in enumerate(deeds, 1)
            ]
            for key, deeds in self.deeds.items()
        }

    def nothing_is_confirmed_without_the_mentor_or_staff(self):
        for key, rows in self.history.items():
            for deed, (_, status, mentor, *_, by, for_whom) in zip(self.deeds[key], rows, strict=True):
                if status == CONFIRMED:
                    assert by in (mentor, self.cast.staff)
                    # For the mentee it is only handed to a mentor who has agreed.
                    assert for_whom != deed.mentee or deed.verb == "reassign"

    def whoever_is_to_meet_takes_part(self):
        active = User.objects.values_list("pk", "is_active")
        assert {key for key, takes_part in active if not takes_part} == self.away
        for key in self.open:
            deed = self.deeds[key][-1]
            # While the clock was ahead it had begun, and somebody may have left without a word about it.
            if deed.period.start > self.latest:
                assert not deed.people & self.away

    def every_promise_is_in_the_notices(self):
        """No more and no fewer, each due in time; and each is still owed, unless there is a reason."""
        owed = {}
        for key, deeds in self.deeds.items():
            for version, deed in enumerate(deeds, 1):
                for kind, recipient, due, too_late in deed.promises():
                    taken_back = any(later.takes_back(kind, recipient) for later in deeds[version:])
                    gone = recipient in deed.away or self.left.get(recipient, -1) >= deed.step
                    late = too_late <= deed.at or (kind in REMINDERS and due <= deed.at)
                    state = State.SUPPRESSED if taken_back or gone or late else State.PENDING
                    promised = not late and (kind in REMINDERS or recipient not in deed.away)
                    if promised and deed.wait and due < deed.at + deed.wait < too_late:
                        due = deed.at + deed.wait
                    owed[key, version, recipient, kind] = (deed.period.start, due, too_late, state)
        columns = ("session_id", "version", "recipient_id", "kind", "start_time", "due_at", "expires_at", "state")
        there = {}
        for key, session, version, recipient, kind, start, due, too_late, state in Notice.objects.values_list("pk", *columns):
            promise = session, version, recipient, kind
            if key in self.swept:
                assert state == self.swept[key]
                state = owed[promise][-1]
            there[promise] = start, due, too_late, state
        assert there == owed
