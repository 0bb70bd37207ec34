"""Each rule, failing alone: its code, its sentence, and whether staff could ever pass over it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.rules import TITLES, Party, Policy, bookable, when
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
CODES = [
    *("same_person", "inactive", "leaves", "past", "mentor_taken", "mentee_taken", "paused", "length", "too_many_requests"),
    *("outside_window", "off_step", "too_soon", "too_far", "buffer", "mentor_week_full", "mentee_week_full"),
]
HARD = ["same_person", "inactive", "leaves", "past", "mentor_taken", "mentee_taken"]


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


@pytest.mark.parametrize("side", ["mentor", "mentee"])
def test_who_leaves_can_be_booked_until_the_end_of_the_last_day(side):
    """The day is told by the program's clock: where it is still Monday for the others, it may be over there."""
    last = replace(GOOD[side], until=NINE + timedelta(minutes=30))
    assert failed(**{side: last}) == []
    gone = replace(last, until=NINE + timedelta(minutes=29))
    sentence = f"{gone.name} leaves the program: Sun 29 Nov 2026 is the last day."
    assert failed(**{side: gone}, policy=Policy(week_zone=ZoneInfo("America/Los_Angeles"))) == [
        ("leaves", sentence.replace("Sun 29", "Mon 30"))
    ]
    assert failed(**{side: replace(gone, until=NINE)}, policy=Policy(week_zone=ZoneInfo("Pacific/Pago_Pago"))) == [
        ("leaves", sentence)
    ]


@pytest.mark.parametrize(("late", "expected"), [(0, ["past"]), (1, ["past"]), (-1, [])])
def test_a_session_starts_later_than_now(late, expected):
    broken = failed(now=NINE + timedelta(seconds=late))
    assert [code for code, _ in broken] == expected
    assert [sentence for _, sentence in broken] == [
        "Mon 30 Nov 2026, 09:00–09:30 (Europe/Berlin) has already begun." for _ in expected
    ]


@pytest.mark.parametrize("side", ["mentor", "mentee"])
def test_time_is_taken_once(side):
    taken = {Period.of(NINE + timedelta(minutes=60), 30): 8, Period.of(NINE - timedelta(minutes=15), 30): 9}
    name = GOOD[side].name
    assert failed(**{side: replace(GOOD[side], taken=taken)}) == [
        (f"{side}_taken", f"{name} already has a session Mon 30 Nov 2026, 08:45–09:15 (Europe/Berlin).")
    ]


def test_touching_sessions_are_in_nobodys_way():
    before, after = Period.of(NINE - timedelta(minutes=30), 30), Period.of(NINE + timedelta(minutes=30), 30)
    assert failed(mentor=replace(MAYA, taken={before: 1, after: 2}), mentee=replace(ALEX, taken={after: 1, before: 2})) == []


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
        mentee=replace(MAYA, taken={GOOD["period"]: 1}),
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


def test_an_hour_that_the_clocks_show_twice_says_which_it_is():
    night = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert when(Period.of(night, 60), BERLIN) == "Sun 31 Oct 2027, 02:30 CEST–02:30 CET (Europe/Berlin)"
    assert when(Period.of(night + timedelta(hours=1), 30), BERLIN) == "Sun 31 Oct 2027, 02:30 CET–03:00 (Europe/Berlin)"


# ---- the policy -------------------------------------------------------------------------------------------------------

PERIOD = "Mon 30 Nov 2026, 09:00–09:30 (Europe/Berlin)"
MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(("hours", "refused"), [(24, False), (25, True)])
def test_a_session_is_booked_with_the_notice_the_program_asks_for(hours, refused):
    sentence = f"{PERIOD} is too soon: sessions are booked at least {hours} hours ahead."
    assert failed(policy=Policy(notice_hours=hours)) == ([("too_soon", sentence)] if refused else [])


def test_what_has_begun_is_not_called_too_soon_as_well():
    assert [code for code, _ in failed(policy=Policy(notice_hours=2), now=NINE)] == ["past"]


@pytest.mark.parametrize(("days", "refused"), [(0, False), (1, True), (2, False)])
def test_a_session_is_booked_within_the_horizon(days, refused):
    sentence = f"{PERIOD} is too far off: sessions are booked at most 1 day ahead."
    now = NINE - timedelta(days=2)
    assert failed(policy=Policy(horizon_days=days), now=now) == ([("too_far", sentence)] if refused else [])


@pytest.mark.parametrize("start", [NINE - timedelta(minutes=40), NINE + timedelta(minutes=40)])
@pytest.mark.parametrize(("buffer", "refused"), [(0, False), (10, False), (15, True)])
def test_minutes_stay_free_around_a_mentors_sessions(start, buffer, refused):
    other = Period.of(start, 30)
    maya = replace(MAYA, taken={other: 1})
    sentence = f"Maya Lopez has a session {when(other, BERLIN)}, and 15 minutes stay free before and after it."
    assert failed(mentor=maya, policy=Policy(buffer_minutes=buffer)) == ([("buffer", sentence)] if refused else [])


def test_a_mentees_sessions_may_follow_each_other_at_once():
    alex = replace(ALEX, taken={Period.of(NINE + timedelta(minutes=30), 30): 1})
    assert failed(mentee=alex, policy=Policy(buffer_minutes=15)) == []


@pytest.mark.parametrize("side", ["mentor", "mentee"])
@pytest.mark.parametrize(
    ("held", "cap", "refused"), [(1, None, False), (1, 2, False), (2, 2, True), (3, 2, True), (0, 0, True)]
)
def test_a_week_holds_as_many_sessions_as_the_program_allows(side, held, cap, refused):
    party = replace(GOOD[side], weeks={MONDAY: held, MONDAY + timedelta(days=7): 99})
    noun = "session" if held == 1 else "sessions"
    sentence = f"{party.name} already has {held} {noun} in the week of 30 Nov 2026, which is as many as the program allows."
    policy = Policy(**{f"{side}_week_cap": cap})
    assert failed(**{side: party}, policy=policy) == ([(f"{side}_week_full", sentence)] if refused else [])


def test_a_week_begins_on_monday_in_the_programs_zone():
    late_sunday = datetime(2026, 11, 29, 20, tzinfo=UTC)
    assert Policy().week_of(late_sunday) == date(2026, 11, 23)
    assert Policy(week_zone=ZoneInfo("Asia/Manila")).week_of(late_sunday) == MONDAY


@pytest.mark.parametrize(("waiting", "refused"), [(1, False), (2, True)])
def test_so_many_requests_of_one_mentee_wait_at_a_time(waiting, refused):
    sentence = (
        "Alex Johnson has 2 requests waiting for an answer, which is as many as the program allows."
        " Wait for an answer, or cancel one."
    )
    alex, policy = replace(ALEX, requests=waiting), Policy(open_requests_cap=2)
    assert failed(mentee=alex, policy=policy) == ([("too_many_requests", sentence)] if refused else [])


# ---- a mentor's own limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "refused"), [(0, False), (-1, False), (1, True)])
def test_a_mentor_who_pauses_takes_no_new_requests_until_that_day(hours, refused):
    policy = Policy(paused_until=GOOD["now"] + timedelta(hours=hours))
    sentence = "Maya Lopez takes no new requests until Sun 29 Nov 2026."
    assert failed(policy=policy) == ([("paused", sentence)] if refused else [])


def test_a_limit_of_the_mentors_own_is_called_theirs():
    maya = replace(MAYA, weeks={MONDAY: 2})
    policy = Policy(mentor_week_cap=2, own=frozenset({"mentor_week_cap"}))
    sentence = "Maya Lopez already has 2 sessions in the week of 30 Nov 2026, which is as many as they take."
    assert failed(mentor=maya, policy=policy) == [("mentor_week_full", sentence)]


def test_every_rule_names_what_decides_it():
    """The session in the way, the row that holds the limit, the person who left; nothing where the time itself decides."""
    before, during = Period.of(NINE - timedelta(minutes=40), 30), Period.of(NINE, 15)
    policy = Policy(
        lengths=(60,),
        notice_hours=99,
        horizon_days=1,
        buffer_minutes=15,
        mentor_week_cap=0,
        mentee_week_cap=0,
        open_requests_cap=0,
        paused_until=NINE,
        own=frozenset({"mentor_week_cap"}),
    )
    findings = bookable(
        replace(MAYA, taken={before: 7}, until=NINE),
        replace(ALEX, taken={during: 8}, active=False),
        GOOD["period"],
        windows=[],
        policy=policy,
        now=NINE - timedelta(days=2),
        zone=BERLIN,
    )
    assert {finding.code: finding.record for finding in findings if not finding.passed} == {
        "inactive": ("user", ALEX.key),
        "leaves": ("user", MAYA.key),
        "mentee_taken": ("session", 8),
        "paused": ("mentorlimits", MAYA.key),
        "length": ("program", 1),
        "too_many_requests": ("program", 1),
        "outside_window": None,
        "too_soon": ("program", 1),
        "too_far": ("program", 1),
        "buffer": ("session", 7),
        "mentor_week_full": ("mentorlimits", MAYA.key),
        "mentee_week_full": ("program", 1),
    }
    assert {finding.code for finding in findings} == set(TITLES)
    assert all(finding.title for finding in findings)
