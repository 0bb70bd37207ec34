"""A week on the wall, pure: which days it has, by whose clock, and what lies on each. No database, no clock, no settings.

A day is as long as its clocks make it: 23 or 25 hours where they change. Instants are UTC, periods are half-open.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from scheduling.slots import Period

DAYS = 7
DAY = timedelta(days=1)


class Day(NamedTuple):
    """A date, and from when to when it lasts there."""

    date: date
    period: Period


class Hour(NamedTuple):
    """One hour of the clock on each day of a week; None on days whose clocks do not show it. ``again``: shown a second time."""

    hour: int
    again: bool
    cells: list[Period | None]


class Lasting(Protocol):
    period: Period


T = TypeVar("T", bound=Lasting)


def first_day(day: date, begins_on: int) -> date:
    """The first day of the week that this one lies in. ``begins_on``: 0 is Sunday, 1 Monday, as locales count."""
    return day - (day.isoweekday() - begins_on) % DAYS * DAY


def days_of(day: date, zone: ZoneInfo, begins_on: int) -> list[Day]:
    """The seven days of the week that this one lies in."""
    first = first_day(day, begins_on)
    dates = [first + number * DAY for number in range(DAYS)]
    return [Day(one, Period(_midnight(one, zone), _midnight(one + DAY, zone))) for one in dates]


def all_of(days: Sequence[Day]) -> Period:
    return Period(days[0].period.start, days[-1].period.end)


def on_each(lasting: Iterable[T], cells: Sequence[Period | None]) -> list[list[T]]:
    """For each of these periods what lies in it, in order, the longer first; what lasts longer is in each that it touches."""
    ordered = sorted(lasting, key=lambda one: (one.period.start, -one.period.minutes))
    return [[one for one in ordered if cell and one.period.overlaps(cell)] for cell in cells]


def hours_of(days: Sequence[Day], zone: ZoneInfo) -> list[Hour]:
    """The hours of the clock, with the periods they are on each day; an hour told twice has a second row.

    Where the clocks skip an hour the cell is None; what a skip of half an hour leaves belongs to the hour before.
    """
    starts = [_hours(day, zone) for day in days]
    rows = sorted({key for day in starts for key in day})
    return [Hour(hour, again, [day.get((hour, again)) for day in starts]) for hour, again in rows]


def within(rows: Sequence[Hour], used: Iterable[Lasting], *, at_least: tuple[int, int]) -> list[Hour]:
    """Of the hours those from the first to the last in which anything lies, and these at least (the first, and the last)."""
    used = list(used)
    first, last = at_least
    for row in rows:
        if any(on_each(used, row.cells)):
            first, last = min(first, row.hour), max(last, row.hour)
    return [row for row in rows if first <= row.hour <= last]


def _hours(day: Day, zone: ZoneInfo) -> dict[tuple[int, bool], Period]:
    begins = {}
    for hour in range(24):
        for fold in (0, 1):
            local = datetime.combine(day.date, time(hour), zone).replace(fold=fold)
            moment = local.astimezone(UTC)
            shown = moment.astimezone(zone)
            # An hour that the clocks skip comes back as another one; one that is told once has the same moment twice.
            if (shown.date(), shown.hour, shown.minute) == (day.date, hour, 0) and moment not in begins.values():
                begins[hour, bool(fold)] = moment
    ordered = sorted(begins.items(), key=lambda item: item[1])
    ends = [moment for _, moment in ordered[1:]] + [day.period.end]
    return {key: Period(moment, end) for (key, moment), end in zip(ordered, ends, strict=True)}


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins. Where the clocks skip midnight it begins with the first moment after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
