"""From the kept file to the rows to import: headers found, columns mapped, rows of one person merged."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from people.imports.models import Import
from people.sheets.cells import TICKS, UNTICKED, is_empty, listed, ticked_name
from people.sheets.merging import Entry, merge
from people.sheets.reading import Sheet, UnreadableError, open_sheet
from people.sheets.resource import Arranged, SheetResource

# The headers are looked for in so many rows: some files begin with a title, or with what a report was filtered by.
TOP = 20
SAMPLES = 3


@dataclass(frozen=True)
class Beginning:
    """The first rows of a file. ``count``: rows below the headers, not counted beyond ``most``."""

    sheet: Sheet
    header_row: int
    headers: list[str]
    samples: list[list[str]]
    count: int


def begin(data: bytes, resource: type[SheetResource], most: int) -> Beginning:
    """Look into a file. Raises UnreadableError."""
    sheet = _open(data, resource)
    top = list(islice(sheet.rows, TOP))
    if not top:
        raise UnreadableError(_("The file has no rows. Choose one with a row of headers and rows below it."))
    # The row that most of our columns are in; of equals, the first.
    at = max(range(len(top)), key=lambda place: (_known(resource, top[place][1]), -place))
    number, headers = top[at]
    below = chain(top[at + 1 :], sheet.rows)
    samples = [cells for _number, cells in islice(below, SAMPLES)]
    count = len(samples) + sum(1 for _row in islice(below, most))
    if not count:
        raise UnreadableError(_("The file has headers, and no rows below them."))
    return Beginning(sheet, number, [header.strip() for header in headers], samples, count)


def _open(data: bytes, resource: type[SheetResource]) -> Sheet:
    return open_sheet(data, lambda rows: max((_known(resource, cells) for cells in rows), default=0))


def _known(resource: type[SheetResource], headers: list[str]) -> int:
    return len(set(resource.recognise(headers)) - {""})


def key_of(headers: list[str]) -> str:
    return hashlib.sha256(json.dumps([header.lower() for header in headers]).encode()).hexdigest()


def remembered(kind: str, headers: list[str]) -> list[str] | None:
    """How the last file with these headers was mapped; one of refused rows is mapped as the file that they were in."""
    if headers and headers[-1] in _in_all_languages("Why it was refused"):
        before = _mapped(kind, headers[:-1])
        return before and [*before, ""]
    return _mapped(kind, headers)


def _in_all_languages(sentence: str) -> set[str]:
    said = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said.add(_(sentence))
    return said


def _mapped(kind: str, headers: list[str]) -> list[str] | None:
    last = Import.objects.filter(kind=kind, headers_key=key_of(headers)).exclude(mapping=[]).order_by("-made_at").first()
    return last.mapping if last and len(last.mapping) == len(headers) else None


def columns_of(mapping: list[str]) -> list[str]:
    """Our columns that the file has, each once."""
    return list(dict.fromkeys(filter(None, mapping)))


def gather(work: Import, resource: type[SheetResource]) -> Arranged:
    """All rows of the kept file, and their columns. Raises UnreadableError."""
    with work.file.open("rb") as file:
        sheet = _open(file.read(), resource)
    columns = columns_of(work.mapping)
    places = [[at for at, name in enumerate(work.mapping) if name == column] for column in columns]
    rows = _entries(sheet, work, resource, places)
    if resource.merges:
        rows = merge(rows, columns, key=resource.key[0], joined=resource.joined, read=resource.read_key)
    return resource.arrange(columns, list(rows), work.ticked.get("dates", ""))


def _entries(sheet: Sheet, work: Import, resource: type[SheetResource], places: list[list[int]]) -> Iterator[Entry]:
    width = len(work.mapping)
    adds_up = [work.mapping[at[0]] in resource.joined for at in places]
    for number, cells in sheet.rows:
        if number <= work.header_row or [cell.strip() for cell in cells] == work.headers:
            # Files that were put together have their headers again.
            continue
        refusal = _too_long(len(cells), width) if len(cells) > width else None
        cells += [""] * (width - len(cells))
        joined = [
            _together(cells, at, work.headers) if many else cells[at[0]] for at, many in zip(places, adds_up, strict=True)
        ]
        yield Entry([number], joined, refusal)


def _together(cells: list[str], places: list[int], headers: list[str]) -> str:
    """Several columns that mean one; a tick in a column named like a skill, or a question [like a skill], is that skill."""
    found = []
    for at in places:
        if is_empty(cells[at]):
            continue
        word = cells[at].strip().lower()
        if word in TICKS:
            found.append(ticked_name(headers[at]))
        elif word not in UNTICKED:
            found += listed(cells[at])
    return "\n".join(found)


def _too_long(cells: int, width: int) -> ValidationError:
    return ValidationError(
        _(
            "The row has %(cells)s cells, but the headers are %(width)s: put quotation marks around a cell that has commas or"
            " semicolons in it."
        )
        % {"cells": cells, "width": width},
        code="ragged",
    )


def raw(work: Import, resource: type[SheetResource], numbers: set[int]) -> dict[int, list[str]]:
    """These rows of the kept file, as it has them."""
    with work.file.open("rb") as file:
        sheet = _open(file.read(), resource)
        return {number: cells for number, cells in sheet.rows if number in numbers}
