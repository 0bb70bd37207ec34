"""A sheet that comes back, compared three ways, cell by cell: as it left, as it is in the file, as it is here. Pure."""

from collections.abc import Mapping
from enum import Enum

from people.sheets.stamps import Stamp


class Cell(Enum):
    SAME = "same"
    # The file changed it, and nobody did here: take it.
    FILE = "file"
    # It changed here, and the file still has what it was: leave it.
    HERE = "here"
    # Both changed it, and not alike: somebody has to choose.
    CONFLICT = "conflict"


def compare(stamp: Stamp, file: Mapping[str, str], here: Mapping[str, str]) -> dict[str, Cell]:
    """What became of each cell of the file. ``file`` and ``here``: plain texts by column (people/sheets/columns.py).

    A column that was not in the file when it left has no third side: where it differs, the file means it.
    """
    return {column: _cell(stamp, column, text, here[column]) for column, text in file.items()}


def _cell(stamp: Stamp, column: str, file: str, here: str) -> Cell:
    if file == here:
        return Cell.SAME
    if not stamp.knows(column):
        return Cell.FILE
    if stamp.holds(column, file):
        return Cell.HERE
    return Cell.FILE if stamp.holds(column, here) else Cell.CONFLICT
