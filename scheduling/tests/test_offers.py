"""Offered and accepted are one: whatever windows, sessions and policies there are, both are asked and agree."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from people.models import Mentee, Mentor, User
from scheduling import booking, rules
from scheduling.models import Availability, MentorLimits, Program, Session
from scheduling.rules import Party, Policy
from scheduling.slots import Period, merge, on_step
from scheduling.tests.test_slots import MIDNIGHT, MINUTE, every_minute, minutes_of, periods
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, PENDING, Ending

# Midnight is a Monday's in UTC, and still Sunday's in New York until five: the hours played lie in two weeks.
WEEK_ZONES = [ZoneInfo("UTC"), ZoneInfo("America/New_York")]
MONDAYS = [MIDNIGHT.date() - timedelta(days=7), MIDNIGHT.date()]

# ---- the rules, pure ----------------------------------------------------------------------------------------------------

few = some.none() | some.integers(0, 6)
# Most of the time nothing is in the way, or hardly anything would ever be offered.
seldom = some.integers(0, 14).map(lambda roll: roll == 14)


@some.composite
def policies(draw, minutes):
    own = draw(some.sets(some.sampled_from(["mentor_week_cap", "buffer_minutes"])))
    return Policy(
        lengths=(minutes, 120) if not draw(seldom) else (120,),
        step=draw(some.sampled_from([5, 15, 30, 45])),
        notice_hours=draw(some.sampled_from([0, 0, 1, 5])),
        horizon_days=draw(some.sampled_from([0, 0, 1, 2])),
        buffer_minutes=draw(some.sampled_from([0, 0, 5, 17, 60])),
        mentor_week_cap=draw(few),
        mentee_week_cap=draw(few),
        open_requests_cap=draw(few) if draw(seldom) else None,
        week_zone=draw(some.sampled_from(WEEK_ZONES)),
        paused_until=draw(moments()) if draw(seldom) else None,
        own=frozenset(own),
    )


@some.composite
def moments(draw):
    minute = draw(some.integers(-1440, 60) | some.integers(-3 * 1440, 420))
    return MIDNIGHT + minute * MINUTE + draw(some.sampled_from([0, 1])) * timedelta(seconds=30)


@some.composite
def parties(draw, key):
    taken = draw(some.lists(periods(longest=60), max_size=3))
    weeks = draw(some.dictionaries(some.sampled_from(MONDAYS), some.integers(0, 3)))
    return Party(
        key=key,
        name=f"Person {key}",
        active=not draw(seldom),
        taken={period: at for at, period in enumerate(taken, 1)},
        weeks=weeks,
        requests=draw(some.integers(0, 3)),
        until=draw(moments()) if draw(seldom) else None,
    )


@some.composite
def situations(draw):
    """Two people, the mentor's windows, a length, a policy and a moment."""
    minutes = draw(some.sampled_from([15, 30, 45, 60, 90]))
    mentor, mentee = draw(parties(1)), draw(parties(2))
    if draw(seldom):
        mentee = replace(mentor, weeks=mentee.weeks)
    return {
        "mentor": mentor,
        "mentee": mentee,
        "minutes": minutes,
        "windows": draw(some.lists(periods(), min_size=1, max_size=4)),
        "policy": draw(policies(minutes)),
        "now": draw(moments()),
    }


def offered(situation) -> list[Period]:
    return list(rules.offer(**situation))


laws = settings(deadline=None, max_examples=100)


@settings(laws, max_examples=60)
@given(situations())
def test_what_is_offered_is_what_every_rule_passes(situation):
    """Every minute of the day is asked about, one by one."""
    facts = {name: value for name, value in situation.items() if name != "minutes"}
    passed = [
        period
        for period in every_minute(situation)
        if all(finding.passed for finding in rules.bookable(period=period, zone=ZoneInfo("UTC"), **facts))
    ]
    assert offered(situation) == passed


@laws
@given(situations())
def test_what_is_offered_keeps_every_promise(situation):
    """Told again without the rules' own words: minutes, days and weeks are counted here."""
    policy, now, windows = situation["policy"], situation["now"], situation["windows"]
    mentor, mentee = situation["mentor"], situation["mentee"]
    pause = policy.buffer_minutes * MINUTE
    closed = set().union(
        *(minutes_of(Period(one.start - pause, one.end + pause)) for one in mentor.taken), *map(minutes_of, mentee.taken)
    )
    slots = offered(situation)
    for slot in slots:
        assert not minutes_of(slot) & closed
        assert any(window.contains(slot) for window in merge(windows))
        assert any(on_step(slot.start, window, policy.step) for window in windows)
        assert slot.start > now
        assert all(party.until is None or slot.end <= party.until for party in (mentor, mentee))
        assert slot.start - now >= timedelta(hours=policy.notice_hours)
        assert not policy.horizon_days or slot.start - now <= timedelta(days=policy.horizon_days)
        local = slot.start.astimezone(policy.week_zone).date()
        monday = local - timedelta(days=local.weekday())
        for party, cap in ((mentor, policy.mentor_week_cap), (mentee, policy.mentee_week_cap)):
            assert cap is None or party.weeks.get(monday, 0) < cap
    if slots:
        assert mentor.key != mentee.key
        assert mentor.active
        assert mentee.active
        assert policy.paused_until is None or policy.paused_until <= now
        assert situation["minutes"] in policy.lengths
        assert policy.open_requests_cap is None or mentee.requests < policy.open_requests_cap
    assert slots == sorted(set(slots))


# ---- the door ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def program_people(person):
    """Three mentors, of whom the last is a mentee, too; one who left; and a mentee who is nothing else."""
    for name in ("Maya Lopez", "Omar Haddad"):
        person(name, mentor=True)
    person("Kim Park", mentor=True, mentee=True)
    person("Ines Quist", mentor=True, is_active=False)
    person("Alex Johnson", mentee=True)


@some.composite
def calendars(draw):
    """What is in the database, and what is asked: numbers stand for people in the order of their keys."""
    mentor, mentee = some.integers(0, 3), some.integers(0, 1)
    capped = some.none() | some.integers(1, 3)
    return {
        "windows": draw(some.lists(some.tuples(mentor, periods()), max_size=8)),
        "sessions": draw(
            some.lists(
                some.tuples(mentor, mentee, periods(longest=60), some.sampled_from([PENDING, CONFIRMED, COMPLETED, CANCELED])),
                max_size=8,
            )
        ),
        "limits": draw(
            some.dictionaries(
                mentor,
                some.fixed_dictionaries(
                    {
                        "week_cap": capped,
                        "buffer_minutes": some.sampled_from([None, 0, 20]),
                        "paused_until_on": some.sampled_from(
                            [None, None, MIDNIGHT.date(), MIDNIGHT.date() + timedelta(days=1)]
                        ),
                    }
                ),
                max_size=2,
            )
        ),
        "policy": draw(
            some.fixed_dictionaries(
                {
                    "slot_step": some.sampled_from([15, 30]),
                    "minimum_notice_hours": some.sampled_from([0, 0, 2]),
                    "horizon_days": some.sampled_from([0, 0, 1]),
                    "buffer_minutes": some.sampled_from([0, 0, 10]),
                    "mentor_week_cap": capped,
                    "mentee_week_cap": capped,
                    "open_requests_cap": capped,
                    "time_zone": some.sampled_from(["UTC", "America/New_York"]),
                }
            )
        ),
        # Somebody's last day: in UTC it is over when the hours played begin, in New York five hours later.
        "leaves": draw(some.lists(mentor, max_size=1)),
        "now": MIDNIGHT + draw(some.integers(-120, 300)) * MINUTE,
        "minutes": draw(some.sampled_from([30, 60])),
        "mentee": draw(mentee),
        # Sometimes on a step of a window, so that many are taken.
        "tries": draw(some.lists(some.tuples(mentor, some.integers(0, 400), some.booleans()), max_size=4)),
    }


def fill_in(calendar) -> None:
    """Write it; what the guards would refuse is left out."""
    mentors, mentees = list(Mentor.objects.order_by("pk")), list(Mentee.objects.order_by("pk"))
    Program.objects.update_or_create(pk=1, defaults=calendar["policy"])
    for at in calendar["leaves"]:
        User.objects.filter(pk=mentors[at].pk).update(leaves_on=MIDNIGHT.date() - timedelta(days=1))
    for at, limits in calendar["limits"].items():
        MentorLimits.objects.create(mentor=mentors[at], **limits)
    offered: dict[int, list[Period]] = {}
    for at, window in calendar["windows"]:
        theirs = offered.setdefault(at, [])
        if not any(window.overlaps(other) for other in theirs):
            theirs.append(window)
            Availability.objects.create(mentor=mentors[at], start_time=window.start, end_time=window.end)
    active: list[tuple[set[int], Period]] = []
    for at, to, period, status in calendar["sessions"]:
        people = {mentors[at].pk, mentees[to].pk}
        clash = any(people & others and period.overlaps(other) for others, other in active)
        if len(people) == 2 and not (clash and status in (PENDING, CONFIRMED)):
            if status in (PENDING, CONFIRMED):
                active.append((people, period))
            Session.objects.create(
                mentor=mentors[at],
                mentee=mentees[to],
                start_time=period.start,
                end_time=period.end,
                status=status,
                ending=Ending.CANCELED if status == CANCELED else "",
                created_at=MIDNIGHT - timedelta(days=3),
            )


@pytest.mark.django_db
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calendars())
def test_what_is_offered_can_be_booked_and_nothing_else(program_people, calendar):
    """One mentor or all of them, asked or booked: four ways to one answer."""
    minutes, now = calendar["minutes"], calendar["now"]
    with time_machine.travel(now, tick=False), transaction.atomic():
        fill_in(calendar)
        mentors = list(Mentor.objects.select_related("user").order_by("pk"))
        mentee = Mentee.objects.select_related("user").order_by("pk")[calendar["mentee"]]
        over = Period(now, MIDNIGHT + timedelta(hours=9))
        asked = {"minutes": minutes, "over": over, "mentee": mentee}
        each = {mentor.pk: booking.slots(mentor, minutes, until=over.end, mentee=mentee) for mentor in mentors}
        expected = {key: within for key, slots in each.items() if (within := [slot for slot in slots if over.contains(slot)])}
        assert {key: list(slots) for key, slots in booking.free(Mentor.objects.order_by("pk"), **asked)} == expected
        assert {key: list(slots) for key, slots in booking.free(mentors, **asked)} == expected
        for some_mentors in (Mentor.objects.order_by("pk"), mentors):
            # The first is not free as often as not: the others are looked at, too.
            found = {key: list(slots) for key, slots in booking.free(some_mentors, **asked, first=1)}
            assert found == dict(list(expected.items())[:1])

        for at, minute, on_step in calendar["tries"]:
            mentor = mentors[at]
            start = MIDNIGHT + minute * MINUTE
            windows = mentor.availabilities.periods()
            if on_step and windows:
                window = windows[minute % len(windows)]
                start = window.start + minute // 30 * timedelta(minutes=calendar["policy"]["slot_step"])
            assert booked(mentor, mentee, start, minutes) == (start in {slot.start for slot in each[mentor.pk]})
        transaction.set_rollback(True)


def booked(mentor, mentee, start, minutes) -> bool:
    with transaction.atomic():
        try:
            booking.request(mentor, mentee, start, minutes, by=mentee.user)
        except ValidationError:
            return False
        transaction.set_rollback(True)
    return True


@pytest.mark.django_db
def test_all_mentors_take_as_many_queries_as_one(alex):
    """With every limit there is, so that every question is asked."""
    Program.objects.update_or_create(
        pk=1, defaults={"mentor_week_cap": 3, "mentee_week_cap": 3, "open_requests_cap": 3, "buffer_minutes": 10}
    )
    now = datetime.now(UTC)
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    users = User.objects.bulk_create(
        User(username=f"mentor{at}", email=f"mentor{at}@example.org", first_name=f"Mentor {at}") for at in range(30)
    )
    mentors = Mentor.objects.bulk_create(Mentor(user=user) for user in users)
    for mentor in mentors:
        Availability.objects.create(mentor=mentor, start_time=start, end_time=start + timedelta(hours=2))
        MentorLimits.objects.create(mentor=mentor, week_cap=2)
    over = Period(now, now + timedelta(days=7))

    def queries(some_mentors) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            found = [(key, list(slots)) for key, slots in booking.free(some_mentors, 30, over, mentee=alex)]
        return len(found), len(captured)

    (one, for_one), (all_of_them, for_all) = queries(Mentor.objects.filter(pk=mentors[0].pk)), queries(Mentor.objects.all())
    assert (one, all_of_them) == (1, 30)
    assert for_one == for_all <= 12
    assert queries(Mentor.objects.order_by("pk")[:7]) == (7, for_all)
    listed = [queries(list(Mentor.objects.select_related("user")[:count])) for count in (1, 30)]
    assert [found for found, _ in listed] == [1, 30]
    assert listed[0][1] == listed[1][1] <= 12
