"""Rows of a sheet that are one: the same person twice, or one row for each of their skills."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from people.sheets.cells import is_empty, tidy

# Beside a row's cells, for the resource: its numbers in the sheet, and why it cannot be read.
NUMBERS, REFUSED = "(row)", "(refused)"


@dataclass(slots=True)
class Entry:
    """One row to import. ``cells``: in the order of the columns. ``numbers``: the rows of the sheet that it was."""

    numbers: list[int]
    cells: list[str]
    refusal: ValidationError | None = None


def merge(entries: Iterable[Entry], columns: list[str], *, key: str, joined: Iterable[str], read=str) -> Iterator[Entry]:
    """Rows with the same key become the first of them where they agree; where they do not, each is refused and names another.

    Two rows agree in a column if their cells are the same, or one is empty; those ``joined`` add up. ``read``: what is the
    key in its cell.
    """
    if key not in columns:
        yield from entries
        return
    at, adds_up = columns.index(key), [columns.index(name) for name in joined if name in columns]
    first: dict[str, Entry] = {}
    merged: list[Entry] = []
    for entry in entries:
        entry.cells[at] = read(entry.cells[at] or "")
        name = str(tidy(entry.cells[at]) or "").lower()
        other = first.get(name)
        if not name or entry.refusal or other is None:
            if name and not entry.refusal:
                first[name] = entry
            merged.append(entry)
        elif difference := _difference(other, entry, [place for place in range(len(columns)) if place not in [at, *adds_up]]):
            merged.append(entry)
            column = columns[difference[0]]
            for one, another, said in ((other, entry, difference[2]), (entry, other, difference[1])):
                sentence = _("Row %(row)s is the same one (%(key)s), but says “%(said)s” here. Keep one of them.")
                told = {"row": another.numbers[0], "key": name, "said": said}
                one.refusal = one.refusal or ValidationError({column: sentence % told}, code="twice")
        else:
            _put_together(other, entry, adds_up)
    yield from merged


def _difference(one: Entry, other: Entry, places: list[int]) -> tuple[int, str, str] | None:
    for place in places:
        here, there = (str(tidy(entry.cells[place]) or "") for entry in (one, other))
        if here != there and not is_empty(here) and not is_empty(there):
            return place, here, there
    return None


def _put_together(one: Entry, other: Entry, adds_up: list[int]) -> None:
    one.numbers += other.numbers
    for place, cell in enumerate(other.cells):
        if is_empty(one.cells[place]):
            one.cells[place] = cell
        elif place in adds_up and not is_empty(cell) and cell not in one.cells[place].split("\n"):
            one.cells[place] += f"\n{cell}"
