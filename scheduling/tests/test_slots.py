"""The slots offered, as laws: whatever windows and sessions there are, these hold."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scheduling.rules import Party, Policy, bookable
from scheduling.slots import Period, free_slots, merge, on_step

MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def at(clock: str) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes)


def period(text: str) -> Period:
    """period("9:00-10:30") is on the one day these examples play."""
    start, end = text.split("-")
    return Period(at(start), at(end))


def offered(windows, taken="", *, minutes=30, step=30, now="0:00") -> list[str]:
    """The starts of the free slots, as "9:00"."""
    slots = free_slots(map(period, windows.split()), map(period, taken.split()), minutes=minutes, step=step, now=at(now))
    return [f"{slot.start.hour}:{slot.start:%M}" for slot in slots]


# ---- examples -----------------------------------------------------------------------------------------------------------


def test_a_window_is_cut_into_slots():
    assert offered("9:00-10:30") == ["9:00", "9:30", "10:00"]
    assert offered("9:00-10:30", minutes=60) == ["9:00", "9:30"]
    assert offered("9:00-9:20") == []


def test_taken_time_is_left_out_and_what_touches_it_is_not():
    assert offered("9:00-11:00", taken="9:30-10:00") == ["9:00", "10:00", "10:30"]
    assert offered("9:00-11:00", taken="9:45-9:50") == ["9:00", "10:00", "10:30"]


def test_what_has_begun_is_not_offered():
    assert offered("9:00-11:00", now="9:30") == ["10:00", "10:30"]
    assert offered("9:00-11:00", now="9:29") == ["9:30", "10:00", "10:30"]
    assert offered("9:00-11:00", now="11:00") == []


def test_a_slot_may_run_on_into_a_window_that_touches():
    assert offered("9:00-10:00 10:00-11:00", minutes=60) == ["9:00", "9:30", "10:00"]


def test_each_window_counts_its_steps_from_its_own_beginning():
    assert offered("9:00-10:15 10:15-11:00") == ["9:00", "9:30", "10:00", "10:15"]
    # The same, when the first is over and nobody asks for it any more.
    assert offered("10:15-11:00") == ["10:15"]


def test_overlapping_windows_offer_a_slot_once():
    assert offered("9:00-10:00 9:00-10:30") == ["9:00", "9:30", "10:00"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_night_in_which_the_clocks_change_has_as_many_slots_as_it_has_hours(zone):
    zone = ZoneInfo(zone)
    for day in (datetime(2026, 3, 1), datetime(2026, 10, 1)):  # noqa: DTZ001  each night of the month, in that zone
        for night in range(62):
            local = day + timedelta(days=night)
            window = Period(
                local.replace(tzinfo=zone).astimezone(UTC), (local + timedelta(1)).replace(tzinfo=zone).astimezone(UTC)
            )
            slots = list(free_slots([window], [], minutes=30, step=30, now=MIDNIGHT - timedelta(days=900)))
            assert [slot.minutes for slot in slots] == [30] * (window.minutes // 30)
            assert merge(slots) == [window]


def test_a_period_ends_after_it_starts():
    with pytest.raises(ValueError, match=r"^A period ends after it starts\.$"):
        Period(MIDNIGHT, MIDNIGHT)


def test_periods_are_half_open():
    assert period("9:00-10:00").overlaps(period("9:59-10:01"))
    assert not period("9:00-10:00").overlaps(period("10:00-11:00"))
    assert not period("10:00-11:00").overlaps(period("9:00-10:00"))
    assert period("9:00-10:00").contains(period("9:00-10:00"))
    assert not period("9:00-10:00").contains(period("9:30-10:01"))


def test_merging_joins_what_touches_and_leaves_what_does_not():
    merged = merge(map(period, ["13:00-14:00", "9:00-10:00", "10:00-10:30", "9:15-9:30", "10:31-11:00"]))
    assert merged == [period("9:00-10:30"), period("10:31-11:00"), period("13:00-14:00")]


# ---- laws ---------------------------------------------------------------------------------------------------------------

# Multiples of five minutes, so that windows and sessions often touch; sometimes any minute.
minute = some.integers(0, 80).map(lambda fives: fives * 5) | some.integers(0, 400)


@some.composite
def periods(draw, longest=150):
    start = draw(minute)
    return Period.of(MIDNIGHT + start * MINUTE, draw(some.integers(1, longest)))


@some.composite
def days(draw):
    """A mentor's day: windows, taken time, a length, a step and a moment."""
    return {
        "windows": draw(some.lists(periods(), max_size=4)),
        "taken": draw(some.lists(periods(longest=60), max_size=4)),
        "minutes": draw(some.sampled_from([15, 30, 45, 60, 90])),
        "step": draw(some.sampled_from([5, 7, 15, 30, 60])),
        "now": MIDNIGHT + draw(some.integers(-10, 420)) * MINUTE + draw(some.sampled_from([0, 1])) * timedelta(seconds=30),
    }


def slots_of(day) -> list[Period]:
    return list(free_slots(day["windows"], day["taken"], minutes=day["minutes"], step=day["step"], now=day["now"]))


def every_minute(day):
    """Each period of the right length that could be thought of, on the minute."""
    return [Period.of(MIDNIGHT + start * MINUTE, day["minutes"]) for start in range(-5, 560)]


def minutes_of(period: Period) -> set[int]:
    start = (period.start - MIDNIGHT) // MINUTE
    return set(range(start, start + period.minutes))


laws = settings(deadline=None, max_examples=150)


@laws
@given(days())
def test_slots_are_those_that_a_look_at_every_minute_finds(day):
    """The oracle knows no periods, only minutes: offered ones, taken ones."""
    open_minutes = set().union(*map(minutes_of, day["windows"]))
    taken_minutes = set().union(*map(minutes_of, day["taken"]))
    steps = {
        minute
        for window in day["windows"]
        for minute in minutes_of(window)
        if (minute - min(minutes_of(window))) % day["step"] == 0
    }
    expected = [
        slot
        for slot in every_minute(day)
        if min(minutes_of(slot)) in steps and minutes_of(slot) <= open_minutes - taken_minutes and slot.start > day["now"]
    ]
    assert slots_of(day) == expected


@laws
@given(days())
def test_each_slot_keeps_every_promise(day):
    slots = slots_of(day)
    for slot in slots:
        assert any(window.contains(slot) for window in merge(day["windows"]))
        assert any(on_step(slot.start, window, day["step"]) for window in day["windows"])
        assert not any(slot.overlaps(other) for other in day["taken"])
        assert slot.start > day["now"]
        assert slot.end - slot.start == timedelta(minutes=day["minutes"])
    assert slots == sorted(set(slots))


@settings(laws, max_examples=50)
@given(days())
def test_slots_and_rules_never_disagree(day):
    """What is offered can be booked, and what can be booked is offered."""
    mentor = Party(key=1, name="Maya", active=True, taken=dict.fromkeys(day["taken"], 1))
    mentee = Party(key=2, name="Alex", active=True)
    policy = Policy(lengths=(day["minutes"],), step=day["step"])

    def passes(period):
        findings = bookable(mentor, mentee, period, windows=day["windows"], policy=policy, now=day["now"], zone=BERLIN)
        return all(finding.passed for finding in findings)

    assert slots_of(day) == [period for period in every_minute(day) if passes(period)]


@laws
@given(days(), periods())
def test_far_windows_change_nothing(day, asked):
    """Who asks about a period need only bring the windows that overlap it (booking.explain does)."""
    near = [window for window in day["windows"] if window.overlaps(asked)]
    mentor, mentee = Party(1, "Maya", True), Party(2, "Alex", True)
    policy = Policy(lengths=(asked.minutes,), step=day["step"])
    answers = [
        bookable(mentor, mentee, asked, windows=windows, policy=policy, now=day["now"], zone=BERLIN)
        for windows in (day["windows"], near)
    ]
    assert answers[0] == answers[1]


@laws
@given(some.lists(periods(), max_size=6))
def test_merging_keeps_every_minute_and_nothing_touches_after_it(windows):
    merged = merge(windows)
    assert set().union(*map(minutes_of, merged)) == set().union(*map(minutes_of, windows))
    assert all(one.end < other.start for one, other in pairwise(merged))
