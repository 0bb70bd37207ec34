"""Rows that left here and come back: known again by their stamps, and compared before anything else is done with them."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from zoneinfo import ZoneInfo

import tablib
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from people import time_zones
from people.sheets import stamps
from people.sheets.cells import tidy
from people.sheets.columns import ZoneName
from people.sheets.comparing import Cell, compare
from people.sheets.merging import Entry
from people.sheets.sheet import Sheet
from people.sheets.stamps import HEADER as STAMP

# Beside a row's cells: the key of ours that it came back to, and the columns that are newer here.
KEY, NEWER = "(key)", "(newer)"
# What is chosen about a cell that both changed; about all that nobody chose about.
CHOICES = {"file": Cell.FILE, "here": Cell.HERE}
ALL = "*"


class ConflictError(ValidationError):
    """``conflicts``: (column, key of our row, what the file says, what is here)."""

    def __init__(self, conflicts: list[tuple[str, int, str, str]], when: str):
        sentence = _(
            "The file says “%(file)s”, and here it was changed to “%(here)s” since the file left, %(when)s. Choose one."
        )
        said = {
            column: ValidationError(sentence % {"file": file, "here": here, "when": when}, code="conflict")
            for column, _key, file, here in conflicts
        }
        super().__init__(said)
        self.conflicts = conflicts


class Returning:
    """Part of a resource. ``sheet``: the list whose rows come back to it; None where none do.

    ``choices``: "7.topic" -> "file" or "here", about a cell of our row 7 that both changed; "*" -> about all others.
    """

    sheet: Sheet | None = None

    def __init__(self, *, choices: Mapping[str, str] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.choices = choices or {}
        # Key of ours -> the row of the file that it is.
        self.came: dict[int, int] = {}
        self.here: dict[int, dict[str, str]] = {}
        self.returned: dict = {}

    def recall(self, dataset: tablib.Dataset) -> None:
        """Fetch at once what the stamps of these rows name."""
        self.here, self.returned = {}, {}
        if self.sheet is None or STAMP not in dataset.headers:
            return
        keys = {key for cell in dataset[STAMP] if (key := stamps.row_of(str(cell or "")))}
        self.returned = {row.pk: row for row in self.get_queryset().filter(pk__in=keys)}
        self.here = self.sheet.texts(self._meta.model._default_manager.filter(pk__in=keys))

    def remember_stamps(self, columns: list[str], entries: Iterable[Entry]) -> None:
        """The sheet is gone on with: these rows came before."""
        if STAMP in columns:
            at = columns.index(STAMP)
            self.came |= {key: entry.numbers[0] for entry in entries if (key := stamps.row_of(str(entry.cells[at] or "")))}

    def compare_with_here(self, row: dict, number: int) -> None:
        """Leave in the row what the file changed. Raises ValidationError, and ConflictError where somebody has to choose."""
        text = tidy(str(row.pop(STAMP, None) or ""))
        if not text or self.sheet is None:
            return
        stamp = stamps.read(text, self.sheet.name, self.sheet.compared)
        first = self.came.setdefault(stamp.row, number)
        if first != number:
            raise ValidationError(
                _("It has the cell “_row” of row %(first)s, so it is a copy. Clear that cell to add it as a new row."),
                code="copied",
                params={"first": first},
            )
        if stamp.row not in self.here or stamp.row not in self.returned:
            raise ValidationError(
                _("It was deleted here since it left, %(when)s. Remove the row, or clear its cell “_row” to add it anew."),
                code="gone",
                params={"when": stamp.when},
            )
        zone, here = _zone(row), self.here[stamp.row]
        columns = [column for column in self.sheet.columns if column.compared and column.name in row]
        file = {column.name: column.read(row[column.name], zone) for column in columns}
        conflicts, newer = [], []
        for column, became in compare(stamp, file, here).items():
            if became is Cell.CONFLICT:
                chosen = self.choices.get(f"{stamp.row}.{column}") or self.choices.get(ALL, "")
                became = CHOICES.get(chosen, became)
            if became is Cell.CONFLICT:
                conflicts.append((column, stamp.row, file[column], here[column]))
            elif became is Cell.HERE:
                newer.append(column)
            if became is not Cell.FILE:
                del row[column]
        if conflicts:
            raise ConflictError(conflicts, stamp.when)
        row[KEY], row[NEWER] = stamp.row, newer

    def get_or_init_instance(self, instance_loader, row):
        if KEY in row:
            return self.returned[row[KEY]], False
        return super().get_or_init_instance(instance_loader, row)

    def _check_import_id_fields(self, headers):
        """A stamp tells rows apart, too."""
        if STAMP not in headers or self.sheet is None:
            super()._check_import_id_fields(headers)


def _zone(row: Mapping) -> tzinfo:
    """By which clocks the times of a row are."""
    name = time_zones.read(str(tidy(row.get(ZoneName.NAME)) or ""))
    return ZoneInfo(name) if name in time_zones.names() else timezone.get_current_timezone()
