"""Weekly hours as a promise about the clock on the mentor's wall: nights on which the clocks change, and laws for any rule."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scheduling.hours import Hours
from scheduling.offering import _plan
from scheduling.slots import Period, merge

BERLIN, NEW_YORK, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")
# By half an hour; and at midnight.
ODD_ONES = (ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Santiago"))
LONG_AGO = date(2020, 1, 1)
TUESDAY, SUNDAY = 1, 6


def hours(between: str, weekday=TUESDAY, zone=BERLIN, since=LONG_AGO, **more) -> Hours:
    """ "18:00-20:00" on Tuesdays in Berlin, unless said otherwise."""
    begins, ends = map(time.fromisoformat, between.split("-"))
    return Hours(weekday, begins, ends, zone, since, **more)


def said(period: Period, zone=UTC) -> str:
    start, end = (moment.astimezone(zone) for moment in (period.start, period.end))
    return f"{start:%a} {start.day} {start:%b %H:%M}-{end:%H:%M}"


def days(rule: Hours, first: date, last: date) -> list[date]:
    return [period.start.astimezone(rule.zone).date() for period in rule.between(first, last)]


# ---- which days -----------------------------------------------------------------------------------------------------------


def test_every_week_from_the_first_day_to_the_last_both_included():
    rule = hours("18:00-20:00", since=date(2027, 1, 5), until=date(2027, 1, 19))
    assert days(rule, date(2026, 1, 1), date(2028, 1, 1)) == [date(2027, 1, 5), date(2027, 1, 12), date(2027, 1, 19)]
    assert days(rule, date(2027, 1, 6), date(2027, 1, 12)) == [date(2027, 1, 12)]
    assert days(rule, date(2027, 1, 13), date(2027, 1, 18)) == []


@pytest.mark.parametrize("since", [date(2027, 1, 4), date(2027, 1, 5), date(2027, 1, 6), date(2027, 1, 10)])
def test_every_second_week_counts_from_the_week_of_its_first_day(since):
    """Whichever day of the week it is valid from: Mondays begin weeks, also over the end of a year."""
    rule = hours("18:00-20:00", since=since, every=2)
    expected = [date(2027, 1, 5), date(2027, 1, 19), date(2027, 2, 2)]
    assert days(rule, date(2026, 12, 1), date(2027, 2, 9)) == [day for day in expected if day >= since]
    assert days(hours("18:00-20:00", since=date(2026, 12, 31), every=2), date(2027, 1, 1), date(2027, 1, 20)) == [
        date(2027, 1, 12)
    ]


def test_hours_may_run_past_midnight():
    night, evening = hours("22:00-02:00", zone=UTC), hours("18:00-00:00", zone=UTC)
    assert said(night.on(date(2027, 1, 5))) == "Tue 5 Jan 22:00-02:00"
    assert night.on(date(2027, 1, 5)).minutes == 4 * 60
    assert evening.on(date(2027, 1, 5)) == Period.of(datetime(2027, 1, 5, 18, tzinfo=UTC), 6 * 60)


# ---- the clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "first", "expected"),
    [
        # Berlin changes on 28 March, New York on 14 March, Kathmandu never.
        (BERLIN, date(2027, 3, 23), ["Tue 23 Mar 17:00-19:00", "Tue 30 Mar 16:00-18:00"]),
        (NEW_YORK, date(2027, 3, 9), ["Tue 9 Mar 23:00-01:00", "Tue 16 Mar 22:00-00:00"]),
        (KATHMANDU, date(2027, 3, 23), ["Tue 23 Mar 12:15-14:15", "Tue 30 Mar 12:15-14:15"]),
        # And back on 31 October and 7 November.
        (BERLIN, date(2027, 10, 26), ["Tue 26 Oct 16:00-18:00", "Tue 2 Nov 17:00-19:00"]),
        (NEW_YORK, date(2027, 11, 2), ["Tue 2 Nov 22:00-00:00", "Tue 9 Nov 23:00-01:00"]),
    ],
)
def test_tuesday_evening_stays_and_its_utc_hour_moves(zone, first, expected):
    rule = hours("18:00-20:00", zone=zone)
    periods = list(rule.between(first, first + timedelta(days=7)))
    assert [said(period) for period in periods] == expected
    assert [said(period, zone)[-11:] for period in periods] == ["18:00-20:00"] * 2


@pytest.mark.parametrize(
    ("zone", "night", "between", "expected", "minutes"),
    [
        # In spring the hour from 2 to 3 is skipped.
        (BERLIN, date(2027, 3, 28), "01:00-04:00", "01:00-04:00", 120),
        (BERLIN, date(2027, 3, 28), "02:15-02:45", "03:15-03:45", 30),
        (BERLIN, date(2027, 3, 28), "02:30-03:30", "03:30-04:30", 60),
        (BERLIN, date(2027, 3, 28), "02:30-03:45", "03:30-04:45", 75),
        (BERLIN, date(2027, 3, 28), "02:00-03:00", "03:00-04:00", 60),
        (BERLIN, date(2027, 3, 28), "01:00-02:30", "01:00-03:30", 90),
        (BERLIN, date(2027, 3, 28), "01:00-02:00", "01:00-03:00", 60),
        (NEW_YORK, date(2027, 3, 14), "02:30-03:30", "03:30-04:30", 60),
        (NEW_YORK, date(2027, 3, 14), "01:30-04:30", "01:30-04:30", 120),
        # In autumn one hour happens twice: in Berlin from 2 to 3, in New York from 1 to 2.
        (BERLIN, date(2027, 10, 31), "01:00-04:00", "01:00-04:00", 240),
        (BERLIN, date(2027, 10, 31), "02:15-02:45", "02:15-02:45", 30),
        (BERLIN, date(2027, 10, 31), "02:30-03:30", "02:30-03:30", 120),
        (BERLIN, date(2027, 10, 31), "01:30-02:30", "01:30-02:30", 60),
        (NEW_YORK, date(2027, 11, 7), "01:00-01:30", "01:00-01:30", 30),
        (NEW_YORK, date(2027, 11, 7), "01:00-02:00", "01:00-02:00", 120),
    ],
)
def test_hours_of_the_night_are_not_lost_when_the_clocks_change(zone, night, between, expected, minutes):
    period = hours(between, SUNDAY, zone).on(night)
    assert (said(period, zone)[-11:], period.minutes) == (expected, minutes)
    assert (period.start.tzinfo, period.end.tzinfo) == (UTC, UTC)


def test_the_first_of_two_equal_hours_counts():
    assert said(hours("02:15-02:45", SUNDAY).on(date(2027, 10, 31))) == "Sun 31 Oct 00:15-00:45"
    assert said(hours("01:15-01:45", SUNDAY, NEW_YORK).on(date(2027, 11, 7))) == "Sun 7 Nov 05:15-05:45"


def test_hours_that_the_clocks_push_together_become_one_window():
    """2:30 to 3:30 moves on an hour, to where 3:30 to 5:00 is already."""
    rules = [hours("02:30-03:30", SUNDAY), hours("03:30-05:00", SUNDAY)]
    plan = _plan(rules, datetime(2027, 3, 21, 12, tzinfo=UTC), 1)
    assert [said(period, BERLIN) for period in plan] == ["Sun 28 Mar 03:30-05:00"]
    plan = _plan(rules, datetime(2027, 3, 28, 12, tzinfo=UTC), 1)
    assert [said(period, BERLIN) for period in plan] == ["Sun 4 Apr 02:30-03:30", "Sun 4 Apr 03:30-05:00"]


# ---- two rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (hours("18:00-20:00"), hours("19:00-21:00"), True),
        (hours("18:00-20:00"), hours("20:00-21:00"), False),
        (hours("18:00-20:00"), hours("18:00-20:00", weekday=2), False),
        # Past midnight, into the next day of the week.
        (hours("22:00-02:00"), hours("01:00-03:00", weekday=2), True),
        (hours("22:00-02:00"), hours("02:00-03:00", weekday=2), False),
        (hours("22:00-02:00", weekday=6), hours("01:00-03:00", weekday=0), True),
        # Never valid in the same weeks.
        (hours("18:00-20:00", until=date(2027, 1, 5)), hours("18:00-20:00", since=date(2027, 1, 6)), False),
        (hours("18:00-20:00", until=date(2027, 1, 5)), hours("18:00-20:00", since=date(2027, 1, 5)), True),
        (hours("18:00-20:00", since=date(2027, 1, 5), every=2), hours("18:00-20:00", since=date(2027, 1, 12), every=2), False),
        (hours("18:00-20:00", since=date(2027, 1, 5), every=2), hours("18:00-20:00", since=date(2027, 1, 12)), True),
        # Berlin's evening is New York's noon, in winter and in summer.
        (hours("18:00-20:00"), hours("12:00-14:00", zone=NEW_YORK), True),
        (hours("18:00-20:00"), hours("14:00-16:00", zone=NEW_YORK), False),
        # Half a year in the same hour, half a year not: Kathmandu stays where it is.
        (hours("18:00-19:00"), hours("22:45-23:45", zone=KATHMANDU), True),
        (hours("18:00-19:00"), hours("21:45-22:45", zone=KATHMANDU), True),
    ],
)
def test_two_rules_meet_where_they_ever_offer_the_same_time(one, other, meet):
    assert (one.meets(other), other.meets(one)) == (meet, meet)


# ---- laws -----------------------------------------------------------------------------------------------------------------

quarter = some.integers(0, 95).map(lambda quarters: time(quarters // 4, quarters % 4 * 15))
NIGHTS = (date(2027, 3, 14), date(2027, 3, 28), date(2027, 10, 31), date(2027, 11, 7))
near_a_night = some.builds(lambda night, days: night + timedelta(days=days), some.sampled_from(NIGHTS), some.integers(-20, 20))


@some.composite
def rules(draw, zones=(BERLIN, NEW_YORK, KATHMANDU, *ODD_ONES)):
    begins, since = draw(quarter), draw(near_a_night)
    return Hours(
        weekday=draw(some.integers(0, 6)),
        begins=begins,
        ends=draw(quarter.filter(lambda ends: ends != begins)),
        zone=draw(some.sampled_from(zones)),
        since=since,
        until=draw(some.none() | some.integers(0, 60).map(lambda days: since + timedelta(days=days))),
        every=draw(some.sampled_from([1, 2])),
    )


laws = settings(deadline=None, max_examples=150)


@laws
@given(some.lists(rules(), max_size=5), near_a_night, some.integers(1, 6))
def test_a_plan_never_overlaps_whatever_the_rules(several, day, weeks):
    now = datetime.combine(day, time(12), UTC)
    plan = _plan(several, now, weeks)
    assert all(one.end <= other.start for one, other in pairwise(plan))
    assert all(period.end > now for period in plan)
    # The same in any order, and nothing that a rule offers is left out.
    assert _plan(several[::-1], now, weeks) == plan
    merged = merge(plan)
    for rule in several:
        today = now.astimezone(rule.zone).date()
        for period in rule.between(today, today + timedelta(weeks=weeks)):
            assert period.end <= now or any(whole.contains(period) for whole in merged)


@laws
@given(rules(), near_a_night, some.integers(1, 6))
def test_a_day_later_the_plan_is_the_same_but_for_what_is_over_and_one_day_more(rule, day, weeks):
    now = datetime.combine(day, time(12), rule.zone)
    tomorrow = datetime.combine(day + timedelta(days=1), time(12), rule.zone)
    before, after = _plan([rule], now, weeks), _plan([rule], tomorrow, weeks)
    new_day = day + timedelta(days=1, weeks=weeks)
    assert [period for period in before if period.end > tomorrow] + list(rule.between(new_day, new_day)) == after


@laws
@given(rules(), near_a_night, some.integers(0, 30), some.integers(0, 30))
def test_days_may_be_asked_for_in_parts(rule, first, some_days, more_days):
    middle, last = first + timedelta(days=some_days), first + timedelta(days=some_days + more_days)
    parts = [*rule.between(first, middle), *rule.between(middle + timedelta(days=1), last)]
    assert parts == list(rule.between(first, last))
    assert [period.start for period in parts] == sorted({period.start for period in parts})


@laws
@given(rules(), near_a_night)
def test_hours_begin_when_the_clock_shows_it_or_when_it_has_moved_on(rule, day):
    period = rule.on(day)
    local = period.start.astimezone(rule.zone).replace(tzinfo=None, fold=0)
    assert timedelta(0) <= local - datetime.combine(day, rule.begins) <= timedelta(hours=1)
    assert period.end - period.start <= timedelta(hours=25)


@laws
@given(rules(zones=(UTC,)), rules(zones=(UTC,)))
def test_two_rules_meet_just_where_a_look_at_every_day_finds_it(one, other):
    first, last = date(2027, 1, 1), date(2028, 12, 31)
    found = any(a.overlaps(b) for a in one.between(first, last) for b in other.between(first, last))
    assert one.meets(other) == found
