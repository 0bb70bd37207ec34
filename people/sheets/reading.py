"""Files in: bytes to rows. What the file is, its content says and not its name; whatever is no sheet is refused in words."""

import codecs
import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

import tablib

from people.sheets.archives import OLD_EXCEL, Fit, Rows, UnreadableError, read_archive

__all__ = ["MOST_BYTES", "MOST_COLUMNS", "MOST_ROWS", "Sheet", "UnreadableError", "open_sheet", "read"]

MOST_BYTES = 9 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 200
# So many can be empty behind them: a row of a spreadsheet program has no more.
WIDEST = 16_384
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SEPARATOR = re.compile(r'"?sep=(?P<sign>[^"\r\n])"?(\r\n|\r|\n)', re.IGNORECASE)
# Records that are tried to find out what stands between the cells.
TRIED = 20
# What a text may hold below the space.
FAIR_CONTROLS = {9, 10, 11, 12, 13, 28, 29, 30, 31}


@dataclass(frozen=True)
class Sheet:
    """``rows``: each with its number as spreadsheet programs show it, and its cells as text; empty ones are left out.

    ``read_as``: what the file was taken for, in words. ``warning``: what to look at twice, or "".
    """

    rows: Rows
    read_as: str
    warning: str = ""


def open_sheet(data: bytes, fit: Fit | None = None) -> Sheet:
    """Begin to read a file, and of several sheets the one that fits best. Raises UnreadableError, also later, while the rows
    are walked through.
    """
    if len(data) > MOST_BYTES:
        raise UnreadableError(
            f"The file is larger than {MOST_BYTES // 1024**2} MB. Split it, or remove other sheets and pictures."
        )
    if not data.strip():
        raise UnreadableError("The file is empty. Choose one with a row of headers and rows below it.")
    if data.startswith(b"PK\x03\x04"):
        rows, read_as, warning = read_archive(data, fit)
    else:
        rows, read_as, warning = _read_text(data)
    return Sheet(_bounded(rows), read_as, warning)


def read(data: bytes) -> tablib.Dataset:
    """The whole file at once: the first row names the columns. Raises UnreadableError."""
    rows = open_sheet(data).rows
    _, headers = next(rows, (0, []))
    dataset = tablib.Dataset(headers=headers or None)
    for number, cells in rows:
        if len(cells) > len(headers):
            raise UnreadableError(f"Row {number} has {len(cells)} cells, but the first row names {len(headers)} columns.")
        dataset.append(cells + [""] * (len(headers) - len(cells)))
    return dataset


def _bounded(rows: Rows) -> Rows:
    """Without empty rows and empty cells at the end; not more than anybody's sheet has."""
    seen = 0
    for number, cells in rows:
        last = len(cells)
        if last > WIDEST:
            raise UnreadableError(f"Row {number} has {last:,} columns: no such sheet is read. Delete the columns not needed.")
        while last and not cells[last - 1].strip():
            last -= 1
        if not last:
            continue
        if last > MOST_COLUMNS:
            raise UnreadableError(
                f"Row {number} has {last:,} columns, and {MOST_COLUMNS} are the most. Delete those not needed."
            )
        seen += 1
        if seen > MOST_ROWS:
            raise UnreadableError(f"The sheet has more than {MOST_ROWS:,} rows. Split it.")
        yield number, cells[:last]


# ---- text -------------------------------------------------------------------------------------------------------------


def _read_text(data: bytes) -> tuple[Rows, str, str]:
    text, encoding, warning = _decode(data)
    start = text[:1024].lstrip()
    if start.startswith("<"):
        raise UnreadableError("The file is a web page (HTML or XML) under the name of a sheet. Save it as CSV or XLSX.")
    if start.startswith(("%PDF", "{\\rtf")):
        raise UnreadableError("The file is a document, not a sheet. Save its table as CSV or XLSX.")
    if start.startswith(("{", "[")) and _is_json(text):
        raise UnreadableError("The file is JSON, not a sheet. Save its table as CSV or XLSX.")
    delimiter = ""
    if said := SEPARATOR.match(text):
        # How Excel says it, in a line of its own.
        delimiter, text = said["sign"], "\n" + text[said.end() :]
    delimiter = delimiter or _delimiter(text)
    between = f" with {DELIMITERS.get(delimiter, 'other signs')} between the cells"
    return _csv_rows(text, delimiter), f"Text in {encoding},{between}", warning


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _csv_rows(text: str, delimiter: str) -> Rows:
    number = 0
    try:
        # Strict: else a quotation mark that nobody closed swallows all rows below it, and nobody is told.
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield number, row
    except csv.Error as error:
        raise UnreadableError(
            f'The file cannot be read as CSV ({error}), from row {number + 1} on. A quotation mark (") there is not closed, or stands'
            " inside a cell that is in quotation marks: write it twice there, or save the sheet again in a spreadsheet program."
        ) from error


def _delimiter(text: str) -> str:
    """The one that cuts the most rows into the same number of cells: the first may be a title."""
    # Whole lines only: half a quoted cell would swallow the rest.
    sample = text[: 64 * 1024]

    def score(delimiter: str) -> tuple[int, int]:
        try:
            rows = [row for row in islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), TRIED) if row]
        except csv.Error:
            return 0, 0
        widths = Counter(len(row) for row in rows if len(row) > 1)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=score)


def _decode(data: bytes) -> tuple[str, str, str]:
    """The text, the name of its encoding for people, and a warning where it was guessed."""
    if data.startswith(OLD_EXCEL):
        raise UnreadableError(
            "The file is an old Excel workbook (.xls), or one with a password. Save it as XLSX without a password."
        )
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _with_codec(data, "utf-32"), "UTF-32", ""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _with_codec(data, "utf-16"), "UTF-16", ""
    if b"\0" in data:
        # Latin letters in UTF-16 have a NUL in every other byte.
        start = data[:400]
        halves = start[0::2].count(0) * 2 / len(start), start[1::2].count(0) * 2 / len(start)
        if max(halves) < 0.4 or min(halves) > 0.1:
            raise UnreadableError("The file holds NUL bytes, so it is no text. Save the sheet again as CSV or XLSX.")
        return _with_codec(data, "utf-16-be" if halves[0] > halves[1] else "utf-16-le"), "UTF-16", ""
    try:
        text, encoding, warning = data.decode("utf-8-sig"), "UTF-8", ""
    except UnicodeDecodeError:
        text, encoding = _with_codec(data, "cp1252"), "Windows-1252"
        warning = (
            "The file is not in UTF-8: it was read as Windows-1252 (cp1252), as Excel writes it in Western Europe and America."
            " Look whether accents and umlauts are right; if not, save it as “CSV UTF-8” and upload that."
        )
    if any(ord(sign) < 32 and ord(sign) not in FAIR_CONTROLS for sign in set(text)):
        raise UnreadableError("The file holds signs that no text has. Save the sheet again as CSV or XLSX.")
    return text, encoding, warning


def _with_codec(data: bytes, codec: str) -> str:
    try:
        text = data.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableError("The file’s encoding cannot be told. Save it as “CSV UTF-8”, or upload it as XLSX.") from error
    if "\0" in text:
        raise UnreadableError("The file holds NUL bytes, so it is no text. Save the sheet again as CSV or XLSX.")
    return text
