"""Who writes first: people are locked, in one order everywhere."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps

from django.db import OperationalError, connection

from people.models import Mentee, Mentor, User

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


def lock(*people: Mentor | Mentee, locked: Mapping[int, User] | None = None) -> None:
    """All these people, fresh and locked until the transaction ends, always in the order of their keys.

    People, not windows: two windows may touch, and both bookings would pass. SQLite has no row locks and needs none: its
    transactions are IMMEDIATE, one writer at a time. ``locked``: who is so already, in this transaction.
    """
    locked = locked or {}
    if all(role.pk in locked for role in people):
        fresh = locked
    else:
        fresh = {user.pk: user for user in lock_keys(role.pk for role in people)}
    for role in people:
        role.user = fresh[role.pk]


def lock_keys(keys: Iterable[int]) -> list[User]:
    """The people of these keys, in their order: for whoever is about to change many sessions in one transaction."""
    return list(User.objects.select_for_update(no_key=True).filter(pk__in=set(keys)).order_by("pk"))
