"""Many verbs in one transaction, as one set of changes: what they all need is read once, and what they owe is written at the end.

Nothing that a verb asks, locks or writes is left out. Everybody was locked at the front: so nobody has to be locked or read
again, and of them nothing can change.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import models

from people.models import ChangeSet, User
from scheduling.models import Program
from scheduling.notices import Pile


@dataclass
class Together:
    """Takes the place of the set of changes as a verb's ``within``. Each session has its verb once: what it owes is not yet
    where a second verb would look for it.
    """

    change_set: ChangeSet
    program: Program
    people: dict[int, User]
    pile: Pile
    changed: list[tuple] = field(default_factory=list)

    def record(self, obj: models.Model, before: dict | None, after: dict | None) -> None:
        self.changed.append((obj, before, after))


@contextmanager
def together(change_set: ChangeSet, locked: Iterable[User]) -> Iterator[Together]:
    """``locked``: the people who are locked in this transaction, as `lock_keys` gives them."""
    people = {user.pk: user for user in locked}
    part_of = change_set if change_set.kind == ChangeSet.Kind.HANDOVER else None
    shared = Together(change_set, Program.current(), people, Pile(people, part_of))
    yield shared
    change_set.record_many(shared.changed)
    shared.pile.write()


Within = ChangeSet | Together | None


def people_of(within: Within) -> dict[int, User]:
    return within.people if isinstance(within, Together) else {}


def program_of(within: Within) -> Program:
    return within.program if isinstance(within, Together) else Program.current()


def pile_of(within: Within) -> Pile | None:
    return within.pile if isinstance(within, Together) else None
