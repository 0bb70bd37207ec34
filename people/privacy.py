"""What is kept about people, table by table: so that all of it can be given to them, and all of it erased.

Each app that knows something about people has a `Keeper`, and registers it when the app is ready. A test walks through all
tables and fails where one points at people and no keeper speaks of it.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from django.apps import apps
from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat, Trim
from django.utils import timezone

from people.models import User

ABOUT = "Everything that this program keeps about you. Times are in UTC. Of other people it holds names only."
# Why a column is not in the download, where many have the same reason.
MACHINE = "a number or mark of the machine"
OPENS = "whoever has it can act as the person"
COLLEAGUE = "names a coordinator who acted for the program"

Shown = str | Combinable


def name_of(user: str) -> Combinable:
    """The name of whom this path leads to, as pages show it."""
    return Trim(Concat(f"{user}__first_name", Value(" "), f"{user}__last_name"))


@dataclass(frozen=True)
class Part:
    """The rows of one table that are about a person, and what of them that person is given.

    ``whose``: paths to the person's key; one that leads there is enough. ``shown``: word in the download -> path to a column,
    or an expression. ``withheld``: every other column -> why it is not given.
    """

    name: str
    model: str
    whose: tuple[str, ...]
    shown: Mapping[str, Shown]
    withheld: Mapping[str, str] = field(default_factory=dict)

    def rows(self, user: User) -> Iterator[dict[str, Any]]:
        mine = Q()
        for path in self.whose:
            mine |= Q(**{path: user.pk})
        rows = apps.get_model(self.model)._base_manager.filter(mine).order_by("pk").values_list(*self.shown.values())
        return (dict(zip(self.shown, row, strict=True)) for row in rows.iterator())


class Keeper:
    """What one app keeps about people, and what it does when they are erased."""

    parts: tuple[Part, ...] = ()
    # Tables that point at people and are not given to them: model -> why not.
    left_out: Mapping[str, str] = {}

    def files(self, user: User) -> Iterable[tuple[str, File]]:
        """Names in the download, and what is stored."""
        return ()

    def ahead(self, user: User) -> list[str]:
        """What is still to come and will be called off if this person is erased, each in words."""
        return []

    def leave(self, user: User, by: User) -> None:
        """Call that off, and tell the others."""

    def empty(self, user: User) -> None:
        """Take out everything that says who this was. Inside the transaction that erases; the user's row is still full."""

    def forget(self, keys: list[int]) -> None:
        """Take out what is left of people whose accounts are deleted, since they came by mistake: nobody can ask for it any more."""


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    _keepers.append(keeper)


def keepers() -> tuple[Keeper, ...]:
    """The registered ones; what builds on others comes after them."""
    return tuple(_keepers)


def ahead(user: User) -> list[str]:
    return [said for keeper in keepers() for said in keeper.ahead(user)]


def write(user: User, file: IO[bytes]) -> None:
    """Everything about this person into ``file``, as a ZIP. Row by row: years of sessions need no more memory than one."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("data.json", "w") as raw, io.TextIOWrapper(raw, "utf-8") as text:
            text.writelines(_json(user))
        for keeper in keepers():
            for name, stored in keeper.files(user):
                with stored.open("rb") as source, archive.open(name, "w") as target:
                    target.writelines(source.chunks())


def _json(user: User) -> Iterator[str]:
    encode = DjangoJSONEncoder(ensure_ascii=False).encode
    yield f'{{\n"about": {encode(ABOUT)},\n"made_at": {encode(timezone.now())}'
    for part in (part for keeper in keepers() for part in keeper.parts):
        yield f",\n{json.dumps(part.name)}: ["
        for number, row in enumerate(part.rows(user)):
            yield f"{',' if number else ''}\n  {encode(row)}"
        yield "\n]"
    yield "\n}\n"
