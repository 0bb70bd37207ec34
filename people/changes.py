"""What was changed in one go can be undone: a bulk action, a hand-over, an import.

Whoever changes many rows begins a set inside the transaction that writes, and records each object in it. Each model says how
one of its rows is put back (`undoes`, when its app is ready). A row that was changed since refuses, and the others are undone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import groupby

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import Change, ChangeSet, User

UNDOES = "people.undo_changeset"
# What one button undoes: more would take longer than a page may.
MOST = 5_000
# How many of one model are asked about together.
TOGETHER = 250

PutBack = Callable[..., object]


@dataclass(frozen=True)
class Way:
    """How the rows of one model are put back. ``put_back(change, by=user)`` does it, or raises ValidationError.

    ``first``: called once with all changes of the set that are of this model, to lock what `put_back` will touch, in one order.
    ``named``: says for the keys of rows what each is called, for the page of the set. ``warned``: says in a sentence or two
    what else undoing these would do, before somebody presses the button. ``hidden``: columns that tell a reader nothing.
    ``together``: of changes of one model that follow each other, puts those back in few statements that it is sure of, and returns
    their keys (of the changes); the others are put back one by one, or say why not.
    ``aside``: takes rows that refused with one of the codes in ``in_the_way`` out of each other's way until each is put back.
    """

    put_back: PutBack
    first: Callable[[list[Change]], None] | None = None
    named: Callable[[list[int]], dict[int, str]] | None = None
    warned: Callable[[list[Change]], str] | None = None
    hidden: frozenset[str] = frozenset()
    together: Callable[[list[Change]], set[int]] | None = None
    aside: Callable[[list[Change]], None] | None = None
    in_the_way: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What `undo` did: the changes that are undone, and those that are not, each with why."""

    undone: list[Change] = field(default_factory=list)
    refused: list[tuple[Change, str]] = field(default_factory=list)


_ways: dict[type[models.Model], Way] = {}


def undoes(model: type[models.Model], put_back: PutBack, **more) -> None:
    """Register how rows of this model are put back (see `Way`)."""
    _ways[model] = Way(put_back, **more)


def way(change: Change) -> Way | None:
    return way_of(change.content_type)


def way_of(kind: ContentType) -> Way | None:
    return _ways.get(kind.model_class())


def by_way(rows: Iterable[Change]) -> dict[Way, list[Change]]:
    """The changes that somebody knows how to undo."""
    found: dict[Way, list[Change]] = {}
    for change in rows:
        if (one := way(change)) and change.before != {}:
            found.setdefault(one, []).append(change)
    return found


def begin(kind: str, sentence: str, *, by: User, about: User | None = None) -> ChangeSet:
    """A new set, inside the transaction that writes. ``sentence`` says what was done and names nobody; ``about`` does."""
    return ChangeSet.objects.create(kind=kind, sentence=sentence, by=by, about=about)


def refusal(change_set: ChangeSet, by: User) -> ValidationError | None:
    """Why ``by`` cannot undo this set, or None if they can."""
    if not (by.is_active and by.is_staff and by.has_perm(UNDOES)):
        return ValidationError(_("Only the program’s coordinators undo changes."), code="not_yours")
    if not change_set.changes.filter(undone_at=None).exists():
        return ValidationError(_("This is undone already."), code="already")
    return None


def undo(change_set: ChangeSet, *, by: User) -> Outcome:
    """Put everything back that was not changed since, the last first. What refuses stays as it is, and keeps why.

    Raises ValidationError where nothing of it may be tried.
    """
    with transaction.atomic():
        # Two at once: the second waits, and finds it undone.
        change_set = ChangeSet.objects.select_for_update(no_key=True, of=("self",)).get(pk=change_set.pk)
        if no := refusal(change_set, by):
            raise no
        left = list(_left(change_set)[: MOST + 1])
        if len(left) > MOST:
            raise ValidationError(
                _("More than %(count)s rows are too many to undo at once.") % {"count": f"{MOST:,}"}, code="too_many"
            )
        return _undo_these(change_set, left, by)


def take_back(change_set: ChangeSet, *, by: User, most: int) -> Outcome:
    """A part of it: the last so many that nobody has tried to put back. For a set too large for one transaction, and for one
    that whoever writes it could not finish. Inside a transaction; who may is the caller's question.
    """
    change_set = ChangeSet.objects.select_for_update(no_key=True, of=("self",)).get(pk=change_set.pk)
    return _undo_these(change_set, list(_left(change_set).filter(refused="")[:most]), by)


def _left(change_set: ChangeSet) -> models.QuerySet[Change]:
    return change_set.changes.filter(undone_at=None).select_related("content_type").order_by("-pk")


def _undo_these(change_set: ChangeSet, left: list[Change], by: User) -> Outcome:
    for one, theirs in by_way(left).items():
        if one.first:
            one.first(theirs)
    refusals = {change.pk: no for change in _not_put_back_in_bulk(left) if (no := _put_back(change, by))}
    for one, theirs in by_way(left).items():
        stuck = [row for row in theirs if row.pk in refusals and _codes(refusals[row.pk]) & one.in_the_way]
        for row in _put_back_together(one, stuck, by):
            del refusals[row.pk]
    outcome, longest = Outcome(), Change._meta.get_field("refused").max_length
    for change in left:
        if no := refusals.get(change.pk):
            change.refused = " ".join(no.messages)[:longest]
            outcome.refused.append((change, change.refused))
        else:
            change.refused, change.undone_at = "", timezone.now()
            outcome.undone.append(change)
    Change.objects.bulk_update(left, ["refused", "undone_at"], batch_size=500)
    if outcome.undone and change_set.undone_at is None:
        change_set.undone_at, change_set.undone_by = timezone.now(), by
        change_set.save(update_fields=["undone_at", "undone_by"])
    return outcome


def _not_put_back_in_bulk(left: list[Change]) -> Iterator[Change]:
    """Those that are to be put back one by one. Lazily: what came before one of them is put back by then."""
    for _kind, run in groupby(left, key=lambda change: change.content_type_id):
        theirs = list(run)
        known = way(theirs[0])
        for start in range(0, len(theirs), TOGETHER):
            part = theirs[start : start + TOGETHER]
            done = known.together(part) if known and known.together else set()
            yield from (change for change in part if change.pk not in done)


def _put_back(change: Change, by: User) -> ValidationError | None:
    """Why not; None if it is done."""
    if change.before == {}:
        return ValidationError(_("What it was before is erased, with the person."), code="erased")
    if (known := way(change)) is None:
        return ValidationError(_("Nobody knows how to undo this."), code="no_way")
    try:
        # Of one that refuses in the middle nothing stays.
        with transaction.atomic():
            known.put_back(change, by=by)
    except ValidationError as no:
        return no
    return None


def _put_back_together(known: Way, rows: list[Change], by: User) -> list[Change]:
    """Those of them that only stood in each other's places: two that were swapped, or more in a ring. The others are as they
    were.
    """
    while rows:
        with transaction.atomic():
            known.aside(rows)
            refused = {row.pk for row in rows if _put_back(row, by)}
            transaction.set_rollback(bool(refused))
        if not refused:
            break
        rows = [row for row in rows if row.pk not in refused]
    return rows


def _codes(refusal: ValidationError) -> set[str]:
    return {error.code for error in refusal.error_list} if hasattr(refusal, "error_list") else set()


def forget(model: type[models.Model], keys: Iterable[int]) -> None:
    """Erase the values of before and after of these rows: what was changed stays known, and can be undone no more."""
    kind = ContentType.objects.get_for_model(model)
    Change.objects.filter(content_type=kind, key__in=keys).update(before={}, after={}, refused="")


def forget_name(name: str) -> None:
    """Erase what refusals say where they name somebody."""
    Change.objects.filter(refused__icontains=name).update(refused="")


def snapshot(obj: models.Model, names: Iterable[str]) -> dict:
    """The values of these fields, for JSON, by the names of their columns."""
    return {(found := obj._meta.get_field(name)).attname: _plain(getattr(obj, found.attname)) for name in names}


def put_values(obj: models.Model, values: dict) -> None:
    """Values of a snapshot into the object; nothing is saved. What is no column of it is left out."""
    columns = {column.attname: column for column in obj._meta.concrete_fields}
    for name, value in values.items():
        if name in columns:
            setattr(obj, name, columns[name].to_python(value))


def _plain(value):
    # To the microsecond: JSON's own encoder keeps only milliseconds.
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)
