"""Files in: bytes to rows."""

import codecs
import csv
import io

import tablib


class UnreadableError(ValueError):
    """A file that cannot be read as a sheet; the text says why, and what to do."""


def read_csv(data: bytes) -> tablib.Dataset:
    """UTF-8 or UTF-16, with commas, semicolons or tabs between the cells."""
    text = _decode(data)
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise UnreadableError(f"The file cannot be read as CSV ({error}). Save it again in a spreadsheet program.") from error
    dataset = tablib.Dataset(headers=rows[0] if rows else None)
    for row in rows[1:]:
        if any(row[len(rows[0]) :]):
            raise UnreadableError(
                f"Row {dataset.height + 2} has {len(row)} cells, but the first row names {len(rows[0])} columns."
            )
        dataset.append((row + [""] * len(rows[0]))[: len(rows[0])])
    return dataset


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            "The file is not in UTF-8, so its accents would be lost. Save it as “CSV UTF-8”, or upload it as XLSX."
        ) from error
