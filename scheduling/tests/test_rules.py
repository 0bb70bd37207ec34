"""Each rule, failing alone: its code, its sentence, and whether staff could ever pass over it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.rules import Party, Policy, bookable, when
from scheduling.slots import Period

NINE = datetime(2026, 11, 30, 8, tzinfo=UTC)  # in Berlin
BERLIN = ZoneInfo("Europe/Berlin")
MAYA, ALEX = Party(1, "Maya Lopez", True), Party(2, "Alex Johnson", True)
GOOD = {
    "mentor": MAYA,
    "mentee": ALEX,
    "period": Period.of(NINE, 30),
    "windows": [Period.of(NINE, 120)],
    "policy": Policy(),
    "now": NINE - timedelta(days=1),
    "zone": BERLIN,
}
CODES = ["same_person", "inactive", "past", "mentor_taken", "mentee_taken", "length", "outside_window", "off_step"]
HARD = ["same_person", "inactive", "past", "mentor_taken", "mentee_taken"]


def failed(**changes) -> list[tuple[str, str]]:
    """The code and sentence of each rule that this booking breaks, and of no other."""
    findings = bookable(**GOOD | changes)
    # Always the whole list, in one order: "why not?" pages show the passed ones, too.
    assert [finding.code for finding in findings] == CODES
    assert [finding.code for finding in findings if finding.hard] == HARD
    return [(finding.code, finding.sentence) for finding in findings if not finding.passed]


def test_a_good_booking_passes_every_rule():
    assert failed() == []


def test_nobody_meets_themselves():
    assert failed(mentee=replace(ALEX, key=MAYA.key)) == [("same_person", "Nobody can book a session with themselves.")]


@pytest.mark.parametrize("side", ["mentor", "mentee"])
def test_who_left_cannot_be_booked(side):
    gone = replace(GOOD[side], active=False)
    assert failed(**{side: gone}) == [("inactive", f"{gone.name} no longer takes part in the program.")]


@pytest.mark.parametrize(("late", "expected"), [(0, ["past"]), (1, ["past"]), (-1, [])])
def test_a_session_starts_later_than_now(late, expected):
    broken = failed(now=NINE + timedelta(seconds=late))
    assert [code for code, _ in broken] == expected
    assert [sentence for _, sentence in broken] == [
        "Mon 30 Nov 2026, 09:00–09:30 (Europe/Berlin) has already begun." for _ in expected
    ]


@pytest.mark.parametrize("side", ["mentor", "mentee"])
def test_time_is_taken_once(side):
    taken = (Period.of(NINE + timedelta(minutes=60), 30), Period.of(NINE - timedelta(minutes=15), 30))
    name = GOOD[side].name
    assert failed(**{side: replace(GOOD[side], taken=taken)}) == [
        (f"{side}_taken", f"{name} already has a session Mon 30 Nov 2026, 08:45–09:15 (Europe/Berlin).")
    ]


def test_touching_sessions_are_in_nobodys_way():
    before, after = Period.of(NINE - timedelta(minutes=30), 30), Period.of(NINE + timedelta(minutes=30), 30)
    assert failed(mentor=replace(MAYA, taken=(before, after)), mentee=replace(ALEX, taken=(after, before))) == []


@pytest.mark.parametrize(
    ("lengths", "choice"),
    [((15,), "15"), ((15, 60), "15 or 60"), ((15, 60, 90), "15, 60 or 90")],
)
def test_only_the_programs_lengths_are_offered(lengths, choice):
    sentence = f"A session of 30 minutes is not offered here: choose {choice} minutes."
    assert failed(policy=Policy(lengths=lengths)) == [("length", sentence)]


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [Period.of(NINE + timedelta(minutes=1), 120)],
        [Period.of(NINE - timedelta(minutes=60), 89)],
        # A minute between the two is not offered.
        [Period.of(NINE, 15), Period.of(NINE + timedelta(minutes=16), 60)],
    ],
)
def test_a_session_lies_within_the_time_offered(windows):
    sentence = "Maya Lopez has not offered Mon 30 Nov 2026, 09:00–09:30 (Europe/Berlin)."
    assert failed(windows=windows) == [("outside_window", sentence)]


def test_two_windows_that_touch_hold_a_session_together():
    assert failed(windows=[Period.of(NINE + timedelta(minutes=15), 60), Period.of(NINE, 15)]) == []


def test_a_session_starts_on_a_step():
    sentence = (
        "Sessions start every 30 minutes from the beginning of the time offered:"
        " Mon 30 Nov 2026, 09:10–09:40 (Europe/Berlin) does not."
    )
    assert failed(period=Period.of(NINE + timedelta(minutes=10), 30)) == [("off_step", sentence)]
    assert failed(period=Period.of(NINE + timedelta(minutes=10), 30), policy=Policy(step=10)) == []


def test_every_broken_rule_is_told_at_once():
    broken = failed(
        mentor=replace(MAYA, active=False),
        mentee=replace(MAYA, taken=(GOOD["period"],)),
        now=NINE,
        windows=[],
        policy=Policy((60,)),
    )
    assert [code for code, _ in broken] == ["same_person", "inactive", "past", "mentee_taken", "length", "outside_window"]


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        ("UTC", "Tue 24 Nov 2026, 23:30–Wed 25 Nov 2026, 00:30 (UTC)"),
        ("Europe/Berlin", "Wed 25 Nov 2026, 00:30–01:30 (Europe/Berlin)"),
        ("America/New_York", "Tue 24 Nov 2026, 18:30–19:30 (America/New_York)"),
    ],
)
def test_a_period_is_told_in_the_zone_of_who_asks(zone, sentence):
    assert when(Period.of(datetime(2026, 11, 24, 23, 30, tzinfo=UTC), 60), ZoneInfo(zone)) == sentence
