"""What can be imported. Each app registers its kinds when it is ready; people know nothing of scheduling."""

from collections.abc import Callable
from dataclasses import dataclass

from people.models import User
from people.sheets.resource import SheetResource


@dataclass(frozen=True)
class Kind:
    """One kind of sheet. ``resource``: called to get its class. ``permission``: who may import it.

    ``at_once``: as many rows are done while the page waits; more are the worker's. ``together``: rows written in one
    transaction. ``warning``: what to know before, or "". ``invites``: who comes in can be invited.
    """

    key: str
    label: str
    resource: Callable[[], type[SheetResource]]
    permission: str
    at_once: int = 2_000
    together: int = 250
    most: int = 200_000
    warning: str = ""
    invites: bool = False

    def open_to(self, user: User) -> bool:
        return user.is_active and user.is_staff and user.has_perm(self.permission)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.key] = kind


def get(key: str) -> Kind | None:
    return _kinds.get(key)


def open_to(user: User) -> list[Kind]:
    return [kind for kind in _kinds.values() if kind.open_to(user)]


def of_resource(resource: type[SheetResource]) -> Kind | None:
    return next((kind for kind in _kinds.values() if kind.resource() is resource), None)
