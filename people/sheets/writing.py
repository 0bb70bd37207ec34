"""Files out: rows to bytes. What looks like a formula leaves as text."""

import io

import tablib
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from people.sheets.cells import FORMULA_STARTS


def guarded(dataset: tablib.Dataset) -> tablib.Dataset:
    """With an apostrophe in front of what looks like a formula; ``cells.tidy`` takes it off again on the way in."""
    quoted = tablib.Dataset(headers=dataset.headers)
    for row in dataset:
        quoted.append([f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell for cell in row])
    return quoted


def write_xlsx(dataset: tablib.Dataset) -> bytes:
    """Every text is written as text: "=1+1" and "+49 30 ..." stay what they were."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(dataset.title or "Sheet1")
    for row in [dataset.headers, *dataset]:
        cells = [WriteOnlyCell(sheet, value=value) for value in row]
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
        sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
