"""XLSX and ODS: archives of XML. Looked at from outside before anything is unpacked, then read row by row."""

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl import DEFUSEDXML, load_workbook

Rows = Iterator[tuple[int, list[str]]]
# How well the first rows of a sheet fit what is looked for.
Fit = Callable[[list[list[str]]], int]

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
# So many sheets of a file, and rows of each, are looked at to find the one that fits.
MOST_SHEETS = 20
BEGINNING_ROWS = 20
HIDDEN_ROW = re.compile(rb'<row [^>]*hidden="(1|true)"|<table:table-row [^>]*table:visibility="(collapse|filter)"')
# A formula that no spreadsheet program has counted yet.
UNCOUNTED = re.compile(rb"(</f>|<f [^>]*/>)\s*(<v\s*/>|<v></v>)?\s*</c>")
# As soon as there are two.
SECOND_TABLE = re.compile(rb"</table:table>\s*<table:table ")
MIDNIGHT = time()
MACROS = ("vbaproject.bin", "/macrosheets/", "basic/script")

NAMES = {
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
}
DAMAGED = "The file is damaged. Open it in a spreadsheet program, save it again as XLSX, and upload that."
HOSTILE = "The file holds XML that no spreadsheet program writes (entities). Save it again as XLSX or CSV."


class UnreadableError(ValueError):
    """A file that cannot be read as a sheet; the text says why, and what to do."""


def read_archive(data: bytes, fit: Fit | None = None) -> tuple[Rows, str, str]:
    """The rows, what the file is, and a warning or "". Of several sheets the one that fits best is read, of equals the first.

    Raises UnreadableError, also while the rows are walked through.
    """
    with _in_words():
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = {member.filename for member in archive.infolist()}
        _look_from_outside(archive)
        _look_at_beginnings(archive)
        if "xl/workbook.xml" in names:
            rows, warning = _xlsx(data, fit)
            return rows, "Excel (XLSX)", " ".join(filter(None, [warning, *_of_rows(archive, "xl/worksheets/")]))
        if "content.xml" in names:
            rows, warning = _ods(archive, fit)
            return rows, "OpenDocument (ODS)", " ".join(filter(None, [warning, *_of_rows(archive, "content.xml")]))
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


def _best(beginnings: list[list[list[str]]], fit: Fit | None) -> int:
    scores = [fit([cells for cells in rows if any(cells)]) for rows in beginnings] if fit else [0]
    return scores.index(max(scores))


def _of_several(titles: list[str], at: int) -> str:
    if len(titles) < 2:
        return ""
    why = "its headers fit best" if at else "it is the first that fits"
    return f"The file has {len(titles)} sheets: “{titles[at]}” is read, because {why}. Save another one as a file of its own."


def _of_rows(archive: zipfile.ZipFile, where: str) -> Iterator[str]:
    parts = [name for name in archive.namelist() if name.startswith(where) and name.endswith(".xml")]
    if any(_holds(archive, name, HIDDEN_ROW) for name in parts):
        yield "The file has hidden rows, as a filter leaves them: they are read like the others."
    if any(_holds(archive, name, UNCOUNTED) for name in parts):
        yield "It has formulas without their results, which are read as empty cells: open it in a spreadsheet program, and save it."


def _holds(archive: zipfile.ZipFile, name: str, sign: re.Pattern) -> bool:
    with archive.open(name) as file:
        end = b""
        while part := file.read(BEGINNING * 16):
            if sign.search(end + part):
                return True
            end = part[-500:]
    return False


# ---- XLSX -------------------------------------------------------------------------------------------------------------


def _xlsx(data: bytes, fit: Fit | None) -> tuple[Rows, str]:
    if not DEFUSEDXML:
        raise RuntimeError("openpyxl parses hostile XML unless defusedxml is installed.")
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    if not sheets:
        raise UnreadableError("The file has no sheet with cells in it.")
    at = _best([_beginning_of(sheet) for sheet in sheets[:MOST_SHEETS]] if len(sheets) > 1 else [[]], fit)
    return _xlsx_rows(sheets[at]), _of_several([sheet.title for sheet in sheets], at)


def _beginning_of(sheet) -> list[list[str]]:
    return [cells for _number, cells in islice(_xlsx_rows(sheet), BEGINNING_ROWS)]


def _xlsx_rows(sheet) -> Rows:
    # What the file says of its own size would be believed, cell by cell.
    sheet.reset_dimensions()
    with _in_words():
        for number, row in enumerate(sheet.iter_rows(), 1):
            _not_too_wide(number, len(row))
            yield number, [_xlsx_text(cell) for cell in row]


def _xlsx_text(cell) -> str:
    value = cell.value
    if isinstance(value, datetime) and value.time() == MIDNIGHT and "h" not in cell.number_format.lower():
        # Shown as a day: nobody said midnight.
        return value.date().isoformat()
    return _text(value)


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
STYLE, TABLE_STYLE = _tag("style", "style"), _tag("style", "table-properties")
COVERED, PARAGRAPH = _tag("table", "covered-table-cell"), _tag("text", "p")


def _ods(archive: zipfile.ZipFile, fit: Fit | None) -> tuple[Rows, str]:
    if not _holds(archive, "content.xml", SECOND_TABLE):
        return _ods_rows(archive, None), ""
    titles: list[str] = []
    beginnings: dict[str, list[list[str]]] = defaultdict(list)
    for title, row in _ods_tables(archive):
        if title not in titles:
            titles.append(title)
        if row and len(beginnings[title]) < BEGINNING_ROWS:
            beginnings[title].append(row[1])
    at = _best([beginnings[title] for title in titles[:MOST_SHEETS]] or [[]], fit)
    return _ods_rows(archive, titles[at] if titles else None), _of_several(titles, at)


def _ods_rows(archive: zipfile.ZipFile, title: str | None) -> Rows:
    """One table's rows; the first one's, where none is named."""
    begun = False
    for found, row in _ods_tables(archive):
        title = found if title is None else title
        if found == title:
            begun = True
            if row:
                yield row
        elif begun:
            return


def _ods_tables(archive: zipfile.ZipFile) -> Iterator[tuple[str, tuple[int, list[str]] | None]]:
    """(name of its table, row) of all tables that are shown, and (name, None) for each of them. Read elements are dropped."""
    hidden: set[str | None] = set()
    with _in_words(), archive.open("content.xml") as file:
        style, title, number = None, None, 0
        for event, element in iterparse(file, events=("start", "end")):
            if event == "start":
                if element.tag == STYLE:
                    style = element.get(_tag("style", "name"))
                elif element.tag == TABLE:
                    title, number = element.get(_tag("table", "name"), ""), 0
                    title = None if element.get(_tag("table", "style-name"), "") in hidden else title
                    if title is not None:
                        yield title, None
            elif element.tag == TABLE_STYLE and element.get(_tag("table", "display")) == "false":
                hidden.add(style)
            elif element.tag == ROW:
                times = int(element.get(_tag("table", "number-rows-repeated"), 1))
                cells = list(_ods_cells(element, number + 1)) if title is not None else []
                element.clear()
                if any(cells):
                    if times > MOST_REPEATS:
                        raise UnreadableError(f"Row {number + 1} stands there {times:,} times. Delete what is not needed.")
                    for repeat in range(times):
                        yield title, (number + 1 + repeat, cells)
                number += times


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
