"""Files out: rows to bytes. What looks like a formula leaves as text, and no file is ever in memory whole.

Rows come in pieces (lists of rows), so that a hundred thousand of them are written in the memory of one piece.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from tempfile import TemporaryFile
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

Pieces = Iterable[Sequence[Sequence]]

# The last row of a sheet in Excel.
EXCEL_ROWS = 1_048_576
# What openpyxl would take for a formula, or for an error's name.
TAKEN_FOR_MORE = ("=", "#")
# What a program that edits the cell would take for a formula or a number: marked as text, as if typed with an apostrophe.
LOOKS_LIKE_MORE = re.compile(r"[=+\-@#]|\d")


@dataclass(frozen=True)
class Head:
    """What stands above a column. ``choices``: a drop-down of these; ``hint``: shown to whoever edits a cell."""

    title: str
    width: int = 18
    hidden: bool = False
    choices: Sequence[str] = ()
    hint: str = ""


class TooManyRowsError(ValueError):
    """More than this kind of file holds."""


# ---- CSV ----------------------------------------------------------------------------------------------------------------


def csv_bytes(heads: Sequence[Head], pieces: Pieces) -> Iterator[bytes]:
    """For a streaming answer. Begins with a byte order mark, or Excel would read another encoding. Cells are guarded already."""
    kept = io.StringIO()
    writer = csv.writer(kept)
    kept.write("\ufeff")
    writer.writerow([head.title for head in heads])
    for piece in pieces:
        writer.writerows(piece)
        yield kept.getvalue().encode()
        kept.seek(0)
        kept.truncate()
    yield kept.getvalue().encode()


def write_csv(file: IO[bytes], title: str, heads: Sequence[Head], pieces: Pieces) -> None:
    for part in csv_bytes(heads, pieces):
        file.write(part)


# ---- XLSX ---------------------------------------------------------------------------------------------------------------

FORMATS = {datetime: "yyyy-mm-dd hh:mm:ss", date: "yyyy-mm-dd", time: "hh:mm"}


def write_xlsx(file: IO[bytes], title: str, heads: Sequence[Head], pieces: Pieces) -> None:
    """Cells are str, int, datetime, date, time or None. Every str is written as text: "=1+1" and "+49 30 ..." stay."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for at, head in enumerate(heads, 1):
        column = sheet.column_dimensions[get_column_letter(at)]
        column.width, column.hidden = head.width, head.hidden
    _choices(book, sheet, heads)
    try:
        _xlsx_rows(sheet, heads, pieces)
    except BaseException:
        # What is written so far is in a file of its own.
        sheet.close()
        sheet._writer.cleanup()
        raise
    book.save(file)


def _xlsx_rows(sheet, heads: Sequence[Head], pieces: Pieces) -> None:
    names = [WriteOnlyCell(sheet, head.title) for head in heads]
    for name in names:
        name.font = Font(bold=True)
    sheet.append(names)
    count = 1
    for piece in pieces:
        count += len(piece)
        if count > EXCEL_ROWS:
            raise TooManyRowsError(f"An XLSX file holds {EXCEL_ROWS - 1:,} rows. Export as CSV, or filter the list first.")
        for row in piece:
            sheet.append([_xlsx_cell(sheet, value) for value in row])


def _xlsx_cell(sheet, value):
    if isinstance(value, str):
        if not LOOKS_LIKE_MORE.match(value):
            return value
        cell = WriteOnlyCell(sheet, value if value[0] not in TAKEN_FOR_MORE else None)
        if value[0] in TAKEN_FOR_MORE:
            cell._value, cell.data_type = value, "s"
        cell.quotePrefix = True
        return cell
    kind = FORMATS.get(type(value))
    if kind is None:
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = kind
    return cell


def _choices(book, sheet, heads: Sequence[Head]) -> None:
    """Drop-downs read their words from a second, hidden sheet: a list in the cell's own rule may have 255 letters, no comma."""
    offered = [head for head in heads if head.choices]
    for at, head in enumerate(heads, 1):
        if not (head.choices or head.hint):
            continue
        rule = DataValidation(allow_blank=True)
        if head.choices:
            letter = get_column_letter(offered.index(head) + 1)
            rule.type, rule.formula1 = "list", f"Choices!${letter}$1:${letter}${len(head.choices)}"
            rule.showErrorMessage, rule.errorTitle = True, head.title[:32]
            rule.error = "Choose one from the list."
        if head.hint:
            rule.showInputMessage, rule.promptTitle, rule.prompt = True, head.title[:32], head.hint[:255]
        letter = get_column_letter(at)
        rule.add(f"{letter}2:{letter}{EXCEL_ROWS}")
        sheet.data_validations.append(rule)
    if offered:
        words = book.create_sheet("Choices")
        words.sheet_state = "hidden"
        for at in range(max(len(head.choices) for head in offered)):
            line = [head.choices[at] if at < len(head.choices) else None for head in offered]
            words.append([_xlsx_cell(words, word) for word in line])


# ---- ODS ----------------------------------------------------------------------------------------------------------------

ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
ODS_MANIFEST = f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:version="1.2" manifest:media-type="{ODS_TYPE}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>
"""
ODS_NAMES = {
    "office": "office",
    "table": "table",
    "text": "text",
    "style": "style",
    "number": "datastyle",
    "fo": "xsl-fo-compatible",
}
ODS_DAY = '<number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>'
ODS_CLOCK = '<number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/>'
ODS_STYLES = f"""<office:automatic-styles>
<number:date-style style:name="n-day">{ODS_DAY}</number:date-style>
<number:date-style style:name="n-moment">{ODS_DAY}<number:text> </number:text>{ODS_CLOCK}<number:text>:</number:text><number:seconds number:style="long"/></number:date-style>
<number:time-style style:name="n-clock">{ODS_CLOCK}</number:time-style>
<style:style style:name="day" style:family="table-cell" style:data-style-name="n-day"/>
<style:style style:name="moment" style:family="table-cell" style:data-style-name="n-moment"/>
<style:style style:name="clock" style:family="table-cell" style:data-style-name="n-clock"/>
<style:style style:name="head" style:family="table-cell"><style:text-properties fo:font-weight="bold"/></style:style>
"""
# A paragraph holds single spaces only; a line that ends, a tab and more spaces have names of their own.
ODS_SPACES = re.compile(r"^ | {2,}| $|\t")


def write_ods(file: IO[bytes], title: str, heads: Sequence[Head], pieces: Pieces) -> None:
    """Cells as in an XLSX. Written by hand: odfpy keeps the whole document in memory, and takes a minute for 100,000 rows."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        # First, and not compressed: by this other programs know what the file is.
        book.writestr(zipfile.ZipInfo("mimetype"), ODS_TYPE, zipfile.ZIP_STORED)
        book.writestr("META-INF/manifest.xml", ODS_MANIFEST)
        with book.open("content.xml", "w", force_zip64=True) as content:
            for part in _ods_content(title, heads, pieces):
                content.write(part.encode())


def _ods_content(title: str, heads: Sequence[Head], pieces: Pieces) -> Iterator[str]:
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{full}:1.0"' for name, full in ODS_NAMES.items())
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content {names} office:version="1.2">\n{ODS_STYLES}'
    for at, head in enumerate(heads):
        yield f'<style:style style:name="c{at}" style:family="table-column"><style:table-column-properties style:column-width="{head.width * 0.2:.1f}cm"/></style:style>\n'
    yield f"</office:automatic-styles>\n<office:body><office:spreadsheet><table:table table:name={quoteattr(title)}>\n"
    for at, head in enumerate(heads):
        hidden = ' table:visibility="collapse"' if head.hidden else ""
        yield f'<table:table-column table:style-name="c{at}"{hidden}/>\n'
    titles = "".join(_ods_text(head.title, ' table:style-name="head"') for head in heads)
    yield f"<table:table-row>{titles}</table:table-row>\n"
    for piece in pieces:
        yield "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>\n" for row in piece)
    yield "</table:table></office:spreadsheet></office:body></office:document-content>"


def _ods_cell(value) -> str:
    match value:
        case None | "":
            return "<table:table-cell/>"
        case str():
            return _ods_text(value)
        case datetime():
            return _ods_value("date", "date-value", f"{value:%Y-%m-%dT%H:%M:%S}", "moment", f"{value:%Y-%m-%d %H:%M:%S}")
        case date():
            return _ods_value("date", "date-value", value.isoformat(), "day", value.isoformat())
        case time():
            return _ods_value("time", "time-value", f"{value:PT%HH%MM%SS}", "clock", f"{value:%H:%M}")
    return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'


def _ods_value(kind: str, attribute: str, value: str, style: str, shown: str) -> str:
    return (
        f'<table:table-cell table:style-name="{style}" office:value-type="{kind}" office:{attribute}="{value}">'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def _ods_text(text: str, style: str = "") -> str:
    lines = [ODS_SPACES.sub(_ods_space, escape(line)) for line in text.split("\n")]
    paragraphs = "".join(f"<text:p>{line}</text:p>" for line in lines)
    return f'<table:table-cell{style} office:value-type="string">{paragraphs}</table:table-cell>'


def _ods_space(match: re.Match) -> str:
    return "<text:tab/>" if match[0] == "\t" else f'<text:s text:c="{len(match[0])}"/>'


# ---- which --------------------------------------------------------------------------------------------------------------

WRITERS = {"csv": write_csv, "xlsx": write_xlsx, "ods": write_ods}
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": ODS_TYPE,
}


def made(ending: str, title: str, heads: Sequence[Head], pieces: Pieces) -> IO[bytes]:
    """The whole file, in a temporary one that goes away when it is closed."""
    file = TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    try:
        WRITERS[ending](file, title, heads, pieces)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file
