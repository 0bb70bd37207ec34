"""A sheet that goes out: a list of the admin, its columns, and its rows in pieces that stay small."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import islice

from django.db.models import QuerySet

from people.sheets.columns import Column
from people.sheets.stamps import HEADER, Stamper
from people.sheets.writing import Head

# So many rows are in memory at a time.
PIECE = 2_000
# What is remembered of values seen is forgotten beyond so many.
REMEMBERED = 4_000


class Memory(dict):
    """What was made of a value is made once: lists repeat their people, times and words."""

    def __init__(self, make: Callable):
        super().__init__()
        self.make = make

    def __missing__(self, value):
        made = self[value] = self.make(value)
        return made

    def of(self, values: Sequence) -> list:
        if len(self) > REMEMBERED:
            self.clear()
        return list(map(self.__getitem__, values))


class Sheet:
    """``comes_back``: a resource imports it, so its rows carry stamps."""

    def __init__(self, name: str, *columns: Column, comes_back: bool = False):
        self.name = name
        self.columns = columns
        self.comes_back = comes_back
        self.compared = [column.name for column in columns if column.compared]

    def chosen(self, names: Sequence[str]) -> list[Column]:
        """In the order of the list. Names that are none of its columns are left out."""
        return [column for column in self.columns if column.name in names]

    def open_to(self, user) -> list[Column]:
        return [column for column in self.columns if user.sees_contact or not column.contact]

    def heads(self, columns: Sequence[Column]) -> list[Head]:
        heads = [head_of(column) for column in columns]
        return [*heads, Head(HEADER, hidden=True)] if self.comes_back else heads

    def rows(self, rows: QuerySet, columns: Sequence[Column], write: str, zone: tzinfo, at: datetime) -> Iterator[list[tuple]]:
        """Pieces of the file: each a list of rows, a cell for every header. ``write``: "csv" or "cell", as columns know it."""
        written = [Memory(lambda value, column=column: getattr(column, write)(value, zone)) for column in columns]
        compared = [(at, column) for at, column in enumerate(columns) if column.compared]
        stamper = Stamper(self.name, self.compared, [column.name for _, column in compared], at) if self.comes_back else None
        prints = [
            Memory(lambda value, column=column: stamper.print_of(column.name, column.text(value))) for _, column in compared
        ]
        for keys, values in self._pieces(rows, columns):
            cells = [memory.of(column) for memory, column in zip(written, values, strict=True)]
            if stamper:
                parts = [memory.of(values[place]) for memory, (place, _) in zip(prints, compared, strict=True)]
                cells.append(list(map(stamper.stamp, keys, zip(*parts, strict=True) if parts else [()] * len(keys))))
            yield list(zip(*cells, strict=True))

    def texts(self, rows: QuerySet) -> dict[int, dict[str, str]]:
        """How rows are now: key -> plain text by column, for what is compared."""
        columns = [column for column in self.columns if column.compared]
        found = {}
        for keys, values in self._pieces(rows, columns):
            texts = [list(map(column.text, of)) for column, of in zip(columns, values, strict=True)]
            found |= {key: dict(zip(self.compared, row, strict=True)) for key, *row in zip(keys, *texts, strict=True)}
        return found

    def _pieces(self, rows: QuerySet, columns: Sequence[Column]) -> Iterator[tuple[Sequence, list[Sequence]]]:
        paths = list(dict.fromkeys(["pk", *(path for column in columns for path in column.paths)]))
        # One question, read on while the file is written.
        found = rows.select_related(None).prefetch_related(None).values_list(*paths).iterator(chunk_size=PIECE)
        while piece := list(islice(found, PIECE)):
            raw = dict(zip(paths, zip(*piece, strict=True), strict=True))
            yield raw["pk"], [column.values(raw, raw["pk"]) for column in columns]


def head_of(column: Column) -> Head:
    choices = tuple(column.choices()) if column.choices else ()
    if column.several and choices:
        # A cell takes one choice only: there a drop-down would be in the way.
        some = ", ".join(map(str, choices))
        return Head(column.header, column.width, hint=f"Several with commas between. Known: {some}")
    return Head(column.header, column.width, choices=choices)
