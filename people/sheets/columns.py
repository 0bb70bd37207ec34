"""The columns of a sheet that goes out: where each comes from, how it is written, and how it is compared when it comes back.

A column turns a value of the database into three things: what stands in a CSV, what stands in a cell that knows dates and
numbers, and its *plain text*, which is the same whatever way a sheet took. Two cells are equal where their plain texts are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from people.sheets.cells import UNWRITABLE, YesNo, guard, tidy

# The longest text that Excel keeps.
LONGEST = 32_767
# Excel knows no day before.
FIRST_YEAR = 1900


def plain(value) -> str:
    """Text as it comes through every format: `shown`, without tabs (LibreOffice drops those), no space around it."""
    return shown("" if value is None else str(value)).replace("\t", "").strip()


def shown(text: str) -> str:
    """What of a text a spreadsheet program keeps: nothing that no file can hold, one way to end a line, not too long."""
    return UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:LONGEST]


class Column:
    """Text.

    ``paths``: where the value comes from, as in ``values_list``; of several, the value is ``made`` of all of them.
    ``compared``: a sheet that comes back may change it. ``usual``: chosen for whoever has never chosen.
    ``contact``: how somebody is reached; for those only who may see that.
    ``choices``: what may be chosen, where it is one of a list; ``several``: of which a cell may hold more than one.
    """

    width = 18
    several = False

    def __init__(
        self,
        name: str,
        *paths: str,
        header: str = "",
        made: Callable | None = None,
        compared: bool = True,
        usual: bool = True,
        contact: bool = False,
        choices: Callable[[], Sequence[str]] | None = None,
        width: int = 0,
    ):
        self.name = name
        self.paths = paths or (name,)
        self.header = header or name.replace("_", " ").capitalize()
        self.made = made
        self.compared = compared
        self.usual = usual
        self.contact = contact
        self.choices = choices
        self.width = width or self.width

    def values(self, raw: Mapping[str, Sequence], keys: Sequence) -> Sequence:
        """This column of some rows. ``raw``: what the database said, by path."""
        if self.made is None:
            return raw[self.paths[0]]
        return [self.made(*row) for row in zip(*(raw[path] for path in self.paths), strict=True)]

    def text(self, value) -> str:
        """The plain text of a value."""
        return plain(value)

    def read(self, cell, zone: tzinfo) -> str:
        """The plain text of what stands in a file. ``zone``: of times that name none."""
        return plain(tidy(cell))

    def csv(self, value, zone: tzinfo) -> str:
        return guard(UNWRITABLE.sub("", value)) if value else ""

    def cell(self, value, zone: tzinfo):
        """str, int, datetime, date, time, or None for an empty cell. Times have no zone: they are by the clocks of ``zone``."""
        if not value:
            return None
        text = shown(value)
        # A text stays a text there. Only what `tidy` would take off is doubled.
        return guard(text) if text.lstrip()[:1] == "'" else text


class Number(Column):
    width = 10

    def read(self, cell, zone):
        text = super().read(cell, zone)
        return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text

    def csv(self, value, zone):
        return "" if value is None else str(value)

    def cell(self, value, zone):
        return value


class Flag(Column):
    """Y or N."""

    width = 12

    def text(self, value):
        return "Y" if value else "N"

    def read(self, cell, zone):
        word = super().read(cell, zone).lower()
        return "Y" if word in YesNo.YES else "N" if word in YesNo.NO else word

    def csv(self, value, zone):
        return self.text(value)

    cell = csv


class Names(Column):
    """Several names in one cell. ``fetch`` finds them for some rows at once: key -> names in their order."""

    several = True
    width = 30

    def __init__(self, name: str, fetch: Callable[[Sequence], Mapping], **kwargs):
        super().__init__(name, "pk", **kwargs)
        self.fetch = fetch

    def values(self, raw, keys):
        found = self.fetch(keys)
        return [found.get(key, ()) for key in keys]

    def text(self, value):
        return self._in_any_order(value)

    def read(self, cell, zone):
        return self._in_any_order([super().read(cell, zone)])

    def _in_any_order(self, names) -> str:
        parts = {part.strip().lower() for name in names for part in re.split(r"[,;\n]", plain(name))}
        return ", ".join(sorted(parts - {""}))

    def csv(self, value, zone):
        return super().csv(", ".join(value), zone)

    def cell(self, value, zone):
        return super().cell(", ".join(value), zone)


class Moment(Column):
    """An instant: ISO 8601 with its offset in a CSV, by the reader's clock elsewhere. Whole seconds."""

    width = 19

    def text(self, value):
        if value is None:
            return ""
        # What the database says is in UTC already.
        return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(timespec="seconds")

    def read(self, cell, zone):
        moment = cell
        if not isinstance(cell, datetime):
            text = super().read(cell, zone)
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                return text
        if moment.tzinfo is None:
            if not once(moment, zone):
                return moment.isoformat()
            moment = moment.replace(tzinfo=zone)
        # A cell holds the part of a day that is over: what comes back may lack some millionths of a second.
        return self.text(moment + timedelta(milliseconds=500))

    def csv(self, value, zone):
        return "" if value is None else value.astimezone(zone).isoformat(timespec="seconds")

    def cell(self, value, zone):
        if value is None:
            return None
        local = value.astimezone(zone)
        clock = local.replace(tzinfo=None, microsecond=0)
        # An hour that exists twice is told apart by its offset only.
        return clock if clock.year >= FIRST_YEAR and once(clock, zone) else self.csv(value, zone)


def once(clock: datetime, zone: tzinfo) -> bool:
    """Does a clock there show this exactly once?"""
    return clock.replace(tzinfo=zone, fold=0).utcoffset() == clock.replace(tzinfo=zone, fold=1).utcoffset()


class Day(Column):
    width = 12

    def text(self, value):
        return "" if value is None else value.isoformat()

    def read(self, cell, zone):
        if isinstance(cell, datetime):
            return cell.date().isoformat()
        if isinstance(cell, date):
            return cell.isoformat()
        text = super().read(cell, zone)
        try:
            return datetime.fromisoformat(text).date().isoformat()
        except ValueError:
            return text

    def csv(self, value, zone):
        return self.text(value)

    def cell(self, value, zone):
        return self.text(value) if value and value.year < FIRST_YEAR else value


class Clock(Column):
    """A time of day."""

    width = 10

    def text(self, value):
        return "" if value is None else f"{value:%H:%M}"

    def read(self, cell, zone):
        if isinstance(cell, time | datetime):
            return f"{cell:%H:%M}"
        text = super().read(cell, zone)
        for shape in ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p"):
            try:
                return f"{datetime.strptime(text, shape):%H:%M}"  # noqa: DTZ007  a time of day
            except ValueError:
                continue
        return text

    def csv(self, value, zone):
        return self.text(value)

    def cell(self, value, zone):
        return value


class ZoneName(Column):
    """Says by which clocks the times of its row are: the same in every row, as long as rows are not mixed."""

    NAME = "times_in"

    def __init__(self):
        super().__init__(self.NAME, "pk", compared=False)

    def values(self, raw, keys):
        return [None] * len(keys)

    def csv(self, value, zone):
        return zone_name(zone)

    cell = csv


def zone_name(zone: tzinfo) -> str:
    return zone.key if isinstance(zone, ZoneInfo) else str(zone)
