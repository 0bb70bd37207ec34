"""The week on the wall: whose clock, which days, and what lies on each. Pure, so it is asked in memory."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling import week
from scheduling.slots import Period

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Casablanca",
    "Pacific/Apia",
)


@pytest.mark.parametrize(("begins_on", "first"), [(1, date(2099, 11, 23)), (0, date(2099, 11, 22)), (6, date(2099, 11, 21))])
def test_a_week_begins_as_the_locale_says(begins_on, first):
    """Thursday 26 November 2099; 1 is Monday, 0 is Sunday, 6 is Saturday."""
    days = week.days_of(date(2099, 11, 26), BERLIN, begins_on)
    assert (days[0].date, days[-1].date) == (first, first + timedelta(days=6))
    assert all(week.first_day(day.date, begins_on) == first for day in days)


@pytest.mark.parametrize(
    ("day", "hours", "missing", "twice"),
    [(date(2026, 3, 29), 23, [2], []), (date(2026, 10, 25), 25, [], [2]), (date(2026, 11, 26), 24, [], [])],
)
def test_a_day_is_as_long_as_its_clocks_make_it(day, hours, missing, twice):
    days = week.days_of(day, BERLIN, 1)
    assert days[day.weekday()].period.minutes == hours * 60
    rows = week.hours_of(days, BERLIN)
    cells = {(row.hour, row.again): row.cells[day.weekday()] for row in rows}
    assert [hour for (hour, again), cell in cells.items() if cell is None and not again] == missing
    assert [hour for (hour, again), cell in cells.items() if cell and again] == twice
    assert sum(cell.minutes for cell in cells.values() if cell) == hours * 60


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.sampled_from(ZONES), st.sampled_from([0, 1, 6]))
def test_the_days_and_their_hours_leave_out_no_moment_and_tell_none_twice(day, name, begins_on):
    zone = ZoneInfo(name)
    days = week.days_of(day, zone, begins_on)
    assert [one.period.end for one in days[:-1]] == [one.period.start for one in days[1:]]
    rows = week.hours_of(days, zone)
    for number, one in enumerate(days):
        cells = sorted(row.cells[number] for row in rows if row.cells[number])
        assert cells[0].start == one.period.start
        assert cells[-1].end == one.period.end
        assert [cell.end for cell in cells[:-1]] == [cell.start for cell in cells[1:]]


def test_what_lasts_over_midnight_is_on_both_days_and_what_is_elsewhere_on_none():
    days = week.days_of(date(2099, 11, 26), BERLIN, 1)
    midnight = datetime(2099, 11, 26, 23, tzinfo=UTC)  # of Thursday to Friday, in Berlin
    hour = timedelta(hours=1)
    night, before, ends = (
        SimpleNamespace(period=Period(start, end))
        for start, end in (
            (midnight - hour, midnight + hour),
            (midnight - 9 * hour, midnight - 8 * hour),
            (midnight - hour, midnight),
        )
    )
    found = week.on_each([night, ends, before], [day.period for day in days])
    assert found == [[], [], [], [before, night, ends], [night], [], []]
    shown = week.within(week.hours_of(days, BERLIN), [before, ends], at_least=(9, 10))
    assert [row.hour for row in shown] == list(range(9, 24))
