"""Many verbs in one transaction, as one set of changes: what they all need is read once, and what they owe is written at the end.

Nothing that a verb asks, locks or writes is left out. Everybody was locked at the front: so nobody has to be locked or read
again, and of them nothing can change but what the verbs change.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import models, transaction

from people.models import ChangeSet, Mentee, Mentor, User
from scheduling.booking.known import Known
from scheduling.models import Program, Session
from scheduling.notices import Pile
from scheduling.slots import Period

# Where sessions are moved to is known, too, if it is no further off.
NEAR = timedelta(days=2)


@dataclass
class Together:
    """Takes the place of the set of changes as a verb's ``within``. Each session has its verb once: what it owes is not yet
    where a second verb would look for it.
    """

    change_set: ChangeSet
    program: Program
    people: Mapping[int, User]
    # As they are, and locked with both their people.
    sessions: Mapping[int, Session]
    pile: Pile
    changed: list[tuple] = field(default_factory=list)
    # Their histories are not written yet.
    saved: list[Session] = field(default_factory=list)
    _known: Known | None = None

    def record(self, obj: models.Model, before: dict | None, after: dict | None) -> None:
        self.changed.append((obj, before, after))
        if self._known and isinstance(obj, Session):
            self._known.put(obj)

    def known(self, at: datetime) -> Known | None:
        """Everybody's time, from the first session to the last."""
        if self._known is None and self.sessions:
            periods = [session.period for session in self.sessions.values()]
            over = Period(min(one.start for one in periods) - NEAR, max(one.end for one in periods) + NEAR)
            self._known = Known(self.people, over, self.program, at)
        return self._known

    def write(self) -> None:
        Session.history.bulk_history_create(self.saved, update=True)
        self.change_set.record_many(self.changed)
        self.pile.write()


@contextmanager
def together(change_set: ChangeSet, locked: Iterable[User], sessions: Iterable[int]) -> Iterator[Together]:
    """``locked``: the people who are locked in this transaction, as `lock_keys` gives them. ``sessions``: the keys of those that
    are about to change. One with somebody else in it by now is left to its verb, which locks and reads it by itself.
    """
    people = {user.pk: user for user in locked}
    theirs = Session.objects.filter(pk__in=list(sessions), mentor__in=people, mentee__in=people)
    fresh = {session.pk: session for session in theirs.select_for_update(of=("self",)).order_by("pk")}
    part_of = change_set if change_set.kind == ChangeSet.Kind.HANDOVER else None
    shared = Together(change_set, Program.current(), people, fresh, Pile.of(people, fresh, part_of))
    yield shared
    shared.write()


Within = ChangeSet | Together | None


def people_of(within: Within) -> Mapping[int, User]:
    return within.people if isinstance(within, Together) else {}


def program_of(within: Within) -> Program:
    return within.program if isinstance(within, Together) else Program.current()


def pile_of(within: Within) -> Pile | None:
    return within.pile if isinstance(within, Together) else None


def session_of(within: Within, key: int) -> Session | None:
    """The session as it is, locked: a copy, since a verb that refuses may have begun to change it."""
    return copy(within.sessions[key]) if isinstance(within, Together) and key in within.sessions else None


def known_of(within: Within, mentor: Mentor, mentee: Mentee, period: Period, at: datetime, program: Program) -> Known:
    """What the rules need to know of these two, who are locked, for this period."""
    shared = within.known(at) if isinstance(within, Together) else None
    if shared and shared.covers(mentor, mentee, period, at):
        return shared
    return Known({mentor.pk, mentee.pk}, period, program, at)


def apart(within: Within) -> AbstractContextManager:
    """A verb's own transaction. Among many it needs none: what refuses has written nothing."""
    return nullcontext() if isinstance(within, Together) else transaction.atomic()


def save(session: Session, within: Within) -> None:
    """With its history: at once, or among many at the end."""
    if isinstance(within, Together):
        session.skip_history_when_saving = True
        session.save()
        del session.skip_history_when_saving
        within.saved.append(session)
    else:
        session.save()
