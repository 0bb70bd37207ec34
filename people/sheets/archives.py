"""XLSX and ODS: archives of XML. Looked at from outside before anything is unpacked, then read row by row."""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl import DEFUSEDXML, load_workbook

Rows = Iterator[tuple[int, list[str]]]

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MOST_UNPACKED = 50 * 1024 * 1024
MOST_MEMBERS = 200
MOST_RATIO = 100
# What is smaller is no bomb, however well it packs.
SMALL = 100 * 1024
# As much of each part of it is looked at; by then its first element has begun.
BEGINNING = 16 * 1024
FIRST_ELEMENT = re.compile(rb"<[A-Za-z_]")
# Longer rows than this are not even put together.
MOST_CELLS = 1000
# A row that repeats itself so often is a mistake, or worse.
MOST_REPEATS = 10_000
MACROS = ("vbaproject.bin", "/macrosheets/", "basic/script")

NAMES = {
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
}
DAMAGED = "The file is damaged. Open it in a spreadsheet program, save it again as XLSX, and upload that."
HOSTILE = "The file holds XML that no spreadsheet program writes (entities). Save it again as XLSX or CSV."


class UnreadableError(ValueError):
    """A file that cannot be read as a sheet; the text says why, and what to do."""


def read_archive(data: bytes) -> tuple[Rows, str, str]:
    """The rows, what the file is, and a warning or "". Raises UnreadableError, also while the rows are walked through."""
    with _in_words():
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = {member.filename for member in archive.infolist()}
        _look_from_outside(archive)
        _look_at_beginnings(archive)
        if "xl/workbook.xml" in names:
            return _xlsx(data)
        if "content.xml" in names:
            return _ods_rows(archive), "OpenDocument (ODS)", ""
    raise UnreadableError("The file is an archive, but no sheet. Save the sheet as XLSX, ODS or CSV, and upload that.")


@contextmanager
def _in_words():
    try:
        yield
    except UnreadableError:
        raise
    except DefusedXmlException as error:
        raise UnreadableError(HOSTILE) from error
    # Whatever a broken archive makes its readers stumble over: BadZipFile, KeyError, ParseError, zlib.error, ...
    except Exception as error:
        raise UnreadableError(DAMAGED) from error


def _look_from_outside(archive: zipfile.ZipFile) -> None:
    """Read the directory only. What a member unpacks to is never more than it says there: zipfile stops."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UnreadableError(f"The file consists of {len(members):,} parts: no sheet has so many. Save it again, alone.")
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise UnreadableError(
            f"Unpacked, the file is larger than {MOST_UNPACKED // 1024**2} MB. Split it, or remove other sheets and pictures."
        )
    for member in members:
        if member.flag_bits & 1:
            raise UnreadableError("The file has a password. Save it without one.")
        if member.file_size > SMALL and member.file_size > MOST_RATIO * max(member.compress_size, 1):
            raise UnreadableError("The file is packed far tighter than a sheet is. Save it again as XLSX or CSV.")
        if any(sign in f"/{member.filename.lower()}" for sign in MACROS):
            raise UnreadableError("The file holds macros, which are not read here. Save it without them, as XLSX or CSV.")


def _look_at_beginnings(archive: zipfile.ZipFile) -> None:
    """Entities are told of before the first element, and no spreadsheet program does: no parser of anybody's sees them."""
    for member in archive.infolist():
        if not member.filename.endswith((".xml", ".rels")):
            continue
        with archive.open(member) as file:
            start = file.read(BEGINNING)
        # Nor does any write its XML in UTF-16, where the words would look otherwise.
        if b"<!DOCTYPE" in start or b"<!ENTITY" in start or b"\0" in start[:64] or (start and not FIRST_ELEMENT.search(start)):
            raise UnreadableError(HOSTILE)


# ---- XLSX -------------------------------------------------------------------------------------------------------------


def _xlsx(data: bytes) -> tuple[Rows, str, str]:
    if not DEFUSEDXML:
        raise RuntimeError("openpyxl parses hostile XML unless defusedxml is installed.")
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    if not sheets:
        raise UnreadableError("The file has no sheet with cells in it.")
    return _xlsx_rows(sheets[0]), "Excel (XLSX)", _of_several([sheet.title for sheet in sheets])


def _xlsx_rows(sheet) -> Rows:
    # What the file says of its own size would be believed, cell by cell.
    sheet.reset_dimensions()
    with _in_words():
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            _not_too_wide(number, len(values))
            yield number, [_text(value) for value in values]


def _of_several(titles: list[str]) -> str:
    return f"The file has {len(titles)} sheets: the first one, “{titles[0]}”, is read." if len(titles) > 1 else ""


def _not_too_wide(number: int, cells: int) -> None:
    if cells > MOST_CELLS:
        raise UnreadableError(f"Row {number} has {cells:,} columns: no such sheet is read. Delete the columns not needed.")


def _text(value) -> str:
    """As a person would type it: no .0 behind a whole number, times in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        # A moment is a broken number in there: without its noise.
        rounded = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
        return rounded.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


# ---- ODS --------------------------------------------------------------------------------------------------------------


def _tag(prefix: str, name: str) -> str:
    return f"{{{NAMES[prefix]}}}{name}"


TABLE, ROW, CELL = _tag("table", "table"), _tag("table", "table-row"), _tag("table", "table-cell")
COVERED, PARAGRAPH = _tag("table", "covered-table-cell"), _tag("text", "p")


def _ods_rows(archive: zipfile.ZipFile) -> Rows:
    """The first table's rows. An element is dropped once it is read."""
    with _in_words(), archive.open("content.xml") as file:
        number = 0
        for event, element in iterparse(file, events=("start", "end")):
            if event == "start":
                continue
            if element.tag == ROW:
                times = int(element.get(_tag("table", "number-rows-repeated"), 1))
                cells = list(_ods_cells(element, number + 1))
                element.clear()
                if any(cells):
                    if times > MOST_REPEATS:
                        raise UnreadableError(f"Row {number + 1} stands there {times:,} times. Delete what is not needed.")
                    for repeat in range(times):
                        yield number + 1 + repeat, cells
                number += times
            elif element.tag == TABLE:
                return


def _ods_cells(row: Element, number: int) -> Iterator[str]:
    cells = 0
    empty = 0
    for cell in row:
        if cell.tag not in (CELL, COVERED):
            continue
        times = int(cell.get(_tag("table", "number-columns-repeated"), 1))
        text = _ods_text(cell)
        if not text:
            # Rows end in thousands of them: only those before something count.
            empty += times
            continue
        cells += empty + times
        _not_too_wide(number, cells)
        yield from [""] * empty
        yield from [text] * times
        empty = 0


def _ods_text(cell: Element) -> str:
    kind = cell.get(_tag("office", "value-type"))
    if kind == "date":
        return cell.get(_tag("office", "date-value"), "")
    if kind == "boolean":
        return "Y" if cell.get(_tag("office", "boolean-value")) == "true" else "N"
    if kind == "time":
        return _clock(cell.get(_tag("office", "time-value"), ""))
    if kind in ("float", "percentage", "currency"):
        return _text(float(cell.get(_tag("office", "value"), "0")))
    return "\n".join(_inner(paragraph) for paragraph in cell if paragraph.tag == PARAGRAPH)


def _clock(duration: str) -> str:
    """PT09H30M00S as 09:30:00; a longer one as it stands."""
    digits = duration.removeprefix("PT").replace("H", ":").replace("M", ":").partition("S")[0].partition(".")[0]
    parts = digits.split(":")
    return ":".join(part.zfill(2) for part in parts) if len(parts) == 3 and all(map(str.isdigit, parts)) else duration


def _inner(element: Element) -> str:
    """The text of a paragraph, whose runs of spaces, tabs and breaks are elements of their own. Remarks are left out."""
    said = [element.text or ""]
    for child in element:
        if child.tag == _tag("text", "s"):
            said.append(" " * min(int(child.get(_tag("text", "c"), 1)), 1000))
        elif child.tag == _tag("text", "tab"):
            said.append("\t")
        elif child.tag == _tag("text", "line-break"):
            said.append("\n")
        elif child.tag != _tag("office", "annotation"):
            said.append(_inner(child))
        said.append(child.tail or "")
    return "".join(said)
