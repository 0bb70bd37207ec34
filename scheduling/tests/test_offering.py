"""Weekly hours write windows, time off and people change them, and what is booked is never lost on the way."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from people.models import User
from scheduling import booking, offering
from scheduling.guard import WINDOWS
from scheduling.models import Availability, Notice, Program, Session, TimeOff, WeeklyHours
from scheduling.slots import Period
from scheduling.tests.test_hours import rules

pytestmark = pytest.mark.django_db

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@pytest.fixture(autouse=True)
def noon(time_machine):
    """It is noon on Monday, 4 January 2027; weekly hours are written two weeks ahead."""
    time_machine.move_to(utc("4 Jan 12:00"), tick=False)
    Program.objects.update_or_create(pk=1, defaults={"weeks_ahead": 2})


def utc(said: str) -> datetime:
    """ "5 Jan 18:00" of 2027."""
    return datetime.strptime(f"2027 {said}", "%Y %d %b %H:%M").replace(tzinfo=UTC)


def period(said: str) -> Period:
    """ "5 Jan 18:00-20:00", or with a day of its own for the end."""
    start, end = said.split("-")
    return Period(utc(start), utc(end if " " in end else f"{start.rpartition(' ')[0]} {end}"))


@pytest.fixture
def weekly():
    """A function that gives a mentor weekly hours: weekly(maya) is Tuesdays, 18:00 to 20:00 in UTC."""

    def give(mentor, between="18:00-20:00", **more):
        hours = rule(mentor, between, **more)
        offering.make(offering.save_hours(hours), by=mentor.user)
        return WeeklyHours.objects.latest("pk")

    return give


def rule(mentor, between="18:00-20:00", *, weekday=1, zone="UTC", **more) -> WeeklyHours:
    begins, ends = map(time.fromisoformat, between.split("-"))
    more = {"valid_from_on": date(2027, 1, 1)} | more
    return WeeklyHours(mentor=mentor, weekday=weekday, begins=begins, ends=ends, time_zone=zone, **more)


@pytest.fixture
def asked(alex):
    """A function that books a mentor for Alex, confirmed: asked(maya, "5 Jan 18:00")."""

    def ask(mentor, start, minutes=30, mentee=alex):
        session = booking.request(mentor, mentee, utc(start), minutes, by=mentee.user)
        return booking.confirm(session, by=mentor.user)

    return ask


def extra(mentor, said: str) -> Availability:
    window = Availability(mentor=mentor, start_time=period(said).start, end_time=period(said).end)
    offering.make(offering.save_window(window), by=mentor.user)
    return Availability.objects.latest("pk")


def moved(window: Availability, said: str) -> Availability:
    window.start_time, window.end_time = period(said).start, period(said).end
    return window


def off(mentor, said: str, **more) -> TimeOff:
    return TimeOff(mentor=mentor, start_time=period(said).start, end_time=period(said).end, **more)


def take_off(mentor, said: str, **decided) -> TimeOff:
    offering.make(offering.save_time_off(off(mentor, said)), by=mentor.user, **decided)
    return TimeOff.objects.get(note="")


def offered(mentor, zone=UTC) -> list[str]:
    """Every window of the mentor, past ones too, and what kind it is."""
    windows = []
    for row in mentor.availabilities.all():
        start, end = row.start_time.astimezone(zone), row.end_time.astimezone(zone)
        kind = "weekly" if row.from_weekly_hours else "edited" if row.instead_of else "extra"
        windows.append(f"{start:%a} {start.day} {start:%b %H:%M}-{end:%H:%M} {kind}")
    return windows


def at(mentor, said: str) -> Availability:
    return mentor.availabilities.get(start_time=utc(said))


def refusal(change, **how) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        offering.make(change, **how)
    return refused.value


# ---- writing ahead --------------------------------------------------------------------------------------------------------


def test_weekly_hours_write_windows_some_weeks_ahead(maya, weekly):
    weekly(maya)
    assert offered(maya) == ["Tue 5 Jan 18:00-20:00 weekly", "Tue 12 Jan 18:00-20:00 weekly"]


def test_writing_twice_changes_nothing(maya, omar, weekly):
    weekly(maya)
    weekly(omar, "09:00-12:00", weekday=0, zone="Asia/Kathmandu")
    before = list(Availability.objects.values())
    assert offering.write_ahead() == Counter()
    assert list(Availability.objects.values()) == before


def test_a_day_later_exactly_one_more_day_is_written(maya, weekly, time_machine):
    for weekday in range(7):
        weekly(maya, weekday=weekday)
    before = offered(maya)
    assert len(before) == 15
    time_machine.shift(DAY)
    assert offering.write_ahead() == Counter(written=1)
    assert offered(maya) == [*before, "Tue 19 Jan 18:00-20:00 weekly"]


def test_a_program_may_have_begun_earlier(maya, weekly):
    hours = weekly(maya, valid_from_on=date(2026, 12, 22))
    offering.write_ahead([maya.pk], at=datetime(2026, 12, 21, 12, tzinfo=UTC))
    offering.write_ahead()
    assert offered(maya) == [
        "Tue 22 Dec 18:00-20:00 weekly",
        "Tue 29 Dec 18:00-20:00 weekly",
        "Tue 5 Jan 18:00-20:00 weekly",
        "Tue 12 Jan 18:00-20:00 weekly",
    ]
    # What is over stays when the hours go.
    offering.make(offering.remove_hours(hours), by=maya.user)
    assert offered(maya) == ["Tue 22 Dec 18:00-20:00 weekly", "Tue 29 Dec 18:00-20:00 weekly"]


def test_every_second_week(maya, weekly):
    weekly(maya, every_weeks=2, valid_from_on=date(2027, 1, 5))
    weekly(maya, "08:00-09:00", every_weeks=2, valid_from_on=date(2027, 1, 11))
    assert offered(maya) == ["Tue 5 Jan 18:00-20:00 weekly", "Tue 12 Jan 08:00-09:00 weekly"]


def test_valid_from_and_until_include_both_days(maya, weekly):
    weekly(maya, weekday=2, valid_from_on=date(2027, 1, 13))
    weekly(maya, weekday=4, valid_until_on=date(2027, 1, 8))
    assert offered(maya) == ["Fri 8 Jan 18:00-20:00 weekly", "Wed 13 Jan 18:00-20:00 weekly"]


@pytest.mark.parametrize(
    ("zone", "today", "expected"),
    [
        ("Europe/Berlin", "22 Mar 12:00", ["Tue 23 Mar 17:00-19:00", "Tue 30 Mar 16:00-18:00"]),
        ("Europe/Berlin", "25 Oct 12:00", ["Tue 26 Oct 16:00-18:00", "Tue 2 Nov 17:00-19:00"]),
        ("America/New_York", "8 Mar 12:00", ["Tue 9 Mar 23:00-01:00", "Tue 16 Mar 22:00-00:00"]),
        ("America/New_York", "1 Nov 12:00", ["Tue 2 Nov 22:00-00:00", "Tue 9 Nov 23:00-01:00"]),
        ("Asia/Kathmandu", "22 Mar 12:00", ["Tue 23 Mar 12:15-14:15", "Tue 30 Mar 12:15-14:15"]),
    ],
)
def test_over_a_clock_change_the_utc_hour_moves_and_the_mentors_evening_does_not(
    maya, weekly, time_machine, zone, today, expected
):
    time_machine.move_to(utc(today))
    weekly(maya, zone=zone)
    assert offered(maya) == [f"{window} weekly" for window in expected]
    assert {window[-19:] for window in offered(maya, ZoneInfo(zone))} == {" 18:00-20:00 weekly"}


def test_on_the_nights_themselves_no_hour_is_lost(maya, weekly, time_machine):
    time_machine.move_to(utc("27 Mar 12:00"))
    weekly(maya, "02:30-03:30", weekday=6, zone="Europe/Berlin", valid_until_on=date(2027, 3, 28))
    weekly(maya, "01:00-04:00", weekday=6, zone="Europe/Berlin", valid_from_on=date(2027, 10, 31))
    time_machine.move_to(utc("30 Oct 12:00"))
    offering.write_ahead()
    assert offered(maya, ZoneInfo("Europe/Berlin"))[:2] == [
        "Sun 28 Mar 03:30-04:30 weekly",
        "Sun 31 Oct 01:00-04:00 weekly",
    ]
    assert maya.availabilities.get(start_time__gt=utc("30 Oct 0:00"), start_time__lt=utc("1 Nov 0:00")).period.minutes == 240


def test_hours_that_meet_on_the_night_become_one_window(maya, weekly, time_machine):
    time_machine.move_to(utc("27 Mar 12:00"))
    Program.objects.update(weeks_ahead=1)
    weekly(maya, "02:30-03:30", weekday=6, zone="Europe/Berlin")
    weekly(maya, "03:30-05:00", weekday=6, zone="Europe/Berlin")
    assert offered(maya, ZoneInfo("Europe/Berlin")) == ["Sun 28 Mar 03:30-05:00 weekly"]


def test_hours_that_run_now_are_written_whole_and_stay(maya, weekly, time_machine):
    time_machine.move_to(utc("5 Jan 19:00"))
    weekly(maya)
    weekly(maya, "23:00-02:00", weekday=1)
    before = offered(maya)
    assert before[0] == "Tue 5 Jan 18:00-20:00 weekly"
    time_machine.move_to(utc("6 Jan 1:00"))
    assert offering.write_ahead() == Counter()
    assert offered(maya) == before


def test_hours_changed_while_they_run_leave_what_is_over_alone(maya, weekly, time_machine):
    hours = weekly(maya, "17:00-18:30")
    time_machine.move_to(utc("5 Jan 19:00"))
    hours.ends = time(20)
    offering.make(offering.save_hours(hours), by=maya.user)
    assert offered(maya) == [
        "Tue 5 Jan 17:00-18:30 weekly",
        "Tue 5 Jan 18:30-20:00 weekly",
        "Tue 12 Jan 17:00-20:00 weekly",
        "Tue 19 Jan 17:00-20:00 weekly",
    ]


def test_who_left_offers_nothing_new(maya, weekly):
    weekly(maya)
    User.objects.filter(pk=maya.pk).update(is_active=False)
    assert offering.write_ahead() == Counter(removed=2)
    User.objects.filter(pk=maya.pk).update(is_active=True)
    assert offering.write_ahead([maya.pk]) == Counter(written=2)


@pytest.mark.parametrize("mentors", [3, 30])
def test_writing_asks_the_database_as_often_for_thirty_mentors_as_for_three(
    person, django_assert_num_queries, monkeypatch, mentors
):
    """So that 5,000 are written in 25 strokes."""
    for number in range(mentors):
        mentor = person(f"Mentor{number} Row", mentor=True).mentor
        rule(mentor).save()
        off(mentor, "12 Jan 19:00-20:00").save()
    # Their keys; then for all of them: a transaction (two), the program, the mentors, the lock, their hours, time off and
    # windows; one row or many written; two looks at the sessions.
    with django_assert_num_queries(1 + 11):
        assert offering.write_ahead() == Counter(written=2 * mentors)
    monkeypatch.setattr(offering, "TOGETHER", mentors // 3)
    Availability.objects.filter(start_time=utc("5 Jan 18:00")).delete()
    with django_assert_num_queries(1 + 3 * 11):
        assert offering.write_ahead() == Counter(written=mentors)


# ---- rules that overlap ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["19:00-21:00", "17:00-18:30", "18:00-20:00", "17:00-23:00", "18:30-19:00"])
def test_weekly_hours_that_overlap_others_are_refused(maya, weekly, between):
    weekly(maya)
    error = refusal(offering.save_hours(rule(maya, between)), by=maya.user)
    [(field, [first])] = error.error_dict.items()
    assert (field, first.code) == ("__all__", "overlap")
    assert first.messages == [
        "These hours overlap others: Tuesday 18:00–20:00. Change those, or choose hours that only touch them."
    ]
    assert offered(maya) == ["Tue 5 Jan 18:00-20:00 weekly", "Tue 12 Jan 18:00-20:00 weekly"]


def test_weekly_hours_may_touch_and_others_may_have_the_same(maya, omar, weekly):
    Program.objects.update(weeks_ahead=1)
    weekly(maya)
    weekly(maya, "20:00-21:00")
    weekly(maya, "17:00-18:00")
    weekly(omar)
    assert offered(maya) == [f"Tue 5 Jan {between} weekly" for between in ("17:00-18:00", "18:00-20:00", "20:00-21:00")]
    assert offered(omar) == ["Tue 5 Jan 18:00-20:00 weekly"]


def test_weekly_hours_leave_room_for_what_a_person_added(maya, weekly):
    extra(maya, "5 Jan 18:30-19:00")
    weekly(maya)
    assert offered(maya) == [
        "Tue 5 Jan 18:00-18:30 weekly",
        "Tue 5 Jan 18:30-19:00 extra",
        "Tue 5 Jan 19:00-20:00 weekly",
        "Tue 12 Jan 18:00-20:00 weekly",
    ]


# ---- windows changed by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["18:30-20:30", "17:00-21:00", "10:00-12:00"])
def test_an_edited_window_is_not_overwritten(maya, weekly, said):
    hours = weekly(maya)
    offering.make(offering.save_window(moved(at(maya, "5 Jan 18:00"), f"5 Jan {said}")), by=maya.user)
    expected = [f"Tue 5 Jan {said} edited", "Tue 12 Jan 18:00-20:00 weekly"]
    assert offered(maya) == expected
    offering.write_ahead()
    assert offered(maya) == expected
    # Neither when the hours change: around it, but not over it, nor where it stood.
    hours.ends = time(20, 15)
    offering.make(offering.save_hours(hours), by=maya.user)
    around = {
        "18:30-20:30": [],
        "17:00-21:00": [],
        "10:00-12:00": ["Tue 5 Jan 20:00-20:15 weekly"],
    }[said]
    assert offered(maya) == [expected[0], *around, "Tue 12 Jan 18:00-20:15 weekly"]


def test_an_edited_window_stands_for_the_other_also_when_it_is_over_itself(maya, weekly, time_machine):
    weekly(maya)
    offering.make(offering.save_window(moved(at(maya, "5 Jan 18:00"), "5 Jan 8:00-10:00")), by=maya.user)
    time_machine.move_to(utc("5 Jan 12:00"))
    offering.write_ahead()
    offering.make(offering.save_window(moved(at(maya, "12 Jan 18:00"), "7 Jan 8:00-10:00")), by=maya.user)
    time_machine.move_to(utc("11 Jan 12:00"))
    offering.write_ahead()
    assert offered(maya) == [
        "Tue 5 Jan 08:00-10:00 edited",
        "Thu 7 Jan 08:00-10:00 edited",
        "Tue 19 Jan 18:00-20:00 weekly",
    ]


def test_an_edited_window_may_be_edited_again_and_stands_for_the_same(maya, weekly):
    weekly(maya)
    for said in ("5 Jan 18:30-20:30", "6 Jan 18:00-19:00"):
        window = maya.availabilities.earliest("start_time")
        offering.make(offering.save_window(moved(window, said)), by=maya.user)
    window = maya.availabilities.get(instead_of_start__isnull=False)
    assert (window.period, window.instead_of) == (period("6 Jan 18:00-19:00"), period("5 Jan 18:00-20:00"))
    assert offered(maya) == ["Wed 6 Jan 18:00-19:00 edited", "Tue 12 Jan 18:00-20:00 weekly"]


def test_a_window_saved_as_it_was_stays_a_weekly_one(maya, weekly):
    weekly(maya)
    offering.make(offering.save_window(at(maya, "5 Jan 18:00")), by=maya.user)
    assert offered(maya)[0] == "Tue 5 Jan 18:00-20:00 weekly"


def test_a_weekly_window_that_a_sheet_names_is_kept_as_it_is(maya, weekly):
    hours = weekly(maya)
    window = at(maya, "5 Jan 18:00")
    window.external_id = "w1"
    offering.put_window(window)
    hours.begins = time(19)
    offering.make(offering.save_hours(hours), by=maya.user)
    assert offered(maya) == ["Tue 5 Jan 18:00-20:00 extra", "Tue 12 Jan 19:00-20:00 weekly"]
    assert at(maya, "5 Jan 18:00").external_id == "w1"


@pytest.mark.parametrize("said", ["19:00-21:00", "17:00-18:30", "18:00-20:00"])
def test_a_window_on_another_is_refused_in_words(maya, weekly, said):
    weekly(maya)
    window = Availability(mentor=maya, start_time=period(f"5 Jan {said}").start, end_time=period(f"5 Jan {said}").end)
    error = refusal(offering.save_window(window), by=maya.user)
    sentence = "Maya Lopez already offers Tue 5 Jan 2027, 18:00–20:00 (UTC)."
    advice = "Change or remove that window, or choose a time that only touches it."
    assert (error.code, error.messages) == ("overlap", [f"{sentence} {advice}"])
    assert not window.pk


def test_a_window_written_past_the_door_is_refused_in_the_same_words(maya, monkeypatch):
    """Somebody writes it without the mentor's lock, after we have looked."""
    look = Availability.objects.all().overlapping
    window = Availability(mentor=maya, start_time=period("5 Jan 18:00-20:00").start, end_time=period("5 Jan 18:00-20:00").end)

    def look_and_write(queryset, over):
        found = list(look(over))
        Availability.objects.bulk_create([Availability(mentor=maya, start_time=over.start, end_time=over.end)])
        return Availability.objects.filter(pk__in=[row.pk for row in found])

    monkeypatch.setattr("scheduling.querysets.PeriodQuerySet.overlapping", look_and_write)
    assert refusal(offering.save_window(window), by=maya.user).code == "overlap"


@pytest.mark.parametrize("weekly_one", [True, False])
def test_a_window_ends_after_it_starts_whichever_it_is(maya, weekly, weekly_one):
    weekly(maya)
    window = at(maya, "5 Jan 18:00") if weekly_one else Availability(mentor=maya, start_time=utc("6 Jan 12:00"))
    window.end_time = window.start_time
    with pytest.raises(ValidationError) as refused:
        offering.touched(offering.save_window(window))
    assert refused.value.messages == ["The end must come after the start."]


def test_a_removed_window_is_not_written_again(maya, weekly):
    hours = weekly(maya)
    offering.make(offering.remove_window(at(maya, "5 Jan 18:00")), by=maya.user)
    offering.write_ahead()
    assert offered(maya) == ["Tue 12 Jan 18:00-20:00 weekly"]
    assert list(TimeOff.objects.values_list("start_time", "end_time", "note")) == [
        (utc("5 Jan 18:00"), utc("5 Jan 20:00"), "A single window, removed.")
    ]
    # Neither when the hours change.
    hours.begins, hours.ends = time(17), time(21)
    offering.make(offering.save_hours(hours), by=maya.user)
    assert offered(maya) == [
        "Tue 5 Jan 17:00-18:00 weekly",
        "Tue 5 Jan 20:00-21:00 weekly",
        "Tue 12 Jan 17:00-21:00 weekly",
    ]


def test_a_removed_edited_window_does_not_bring_back_what_it_stood_for(maya, weekly):
    weekly(maya)
    offering.make(offering.save_window(moved(at(maya, "5 Jan 18:00"), "6 Jan 8:00-9:00")), by=maya.user)
    offering.make(offering.remove_window(at(maya, "6 Jan 8:00")), by=maya.user)
    assert offered(maya) == ["Tue 12 Jan 18:00-20:00 weekly"]
    assert [row.period for row in TimeOff.objects.all()] == [period("5 Jan 18:00-20:00")]


def test_a_removed_extra_window_leaves_nothing_behind(maya, weekly):
    weekly(maya)
    offering.make(offering.remove_window(extra(maya, "6 Jan 8:00-9:00")), by=maya.user)
    assert offered(maya) == ["Tue 5 Jan 18:00-20:00 weekly", "Tue 12 Jan 18:00-20:00 weekly"]
    assert not TimeOff.objects.exists()


def test_removed_hours_take_their_windows_along_and_no_others(maya, weekly):
    hours = weekly(maya)
    weekly(maya, weekday=2)
    extra(maya, "6 Jan 8:00-9:00")
    offering.make(offering.save_window(moved(at(maya, "12 Jan 18:00"), "12 Jan 19:00-21:00")), by=maya.user)
    offering.make(offering.remove_hours(hours), by=maya.user)
    assert offered(maya) == [
        "Wed 6 Jan 08:00-09:00 extra",
        "Wed 6 Jan 18:00-20:00 weekly",
        "Tue 12 Jan 19:00-21:00 edited",
        "Wed 13 Jan 18:00-20:00 weekly",
    ]


# ---- time off -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "left"),
    [
        ("18:30-19:00", ["18:00-18:30", "19:00-20:00"]),
        ("17:00-19:00", ["19:00-20:00"]),
        ("19:00-21:00", ["18:00-19:00"]),
        ("18:00-20:00", []),
        ("0:00-23:00", []),
        ("16:00-18:00", ["18:00-20:00"]),
        ("20:00-21:00", ["18:00-20:00"]),
    ],
)
def test_time_off_cuts_weekly_windows_and_giving_it_back_brings_them_back(maya, weekly, closed, left):
    weekly(maya)
    both = offered(maya)
    taken = take_off(maya, f"5 Jan {closed}")
    expected = [*(f"Tue 5 Jan {between} weekly" for between in left), both[1]]
    assert offered(maya) == expected
    assert offering.write_ahead() == Counter()
    offering.make(offering.remove_time_off(taken), by=maya.user)
    assert offered(maya) == both


@pytest.mark.parametrize(
    ("closed", "left"),
    [
        ("18:30-19:00", ["18:00-18:30", "19:00-20:00"]),
        ("17:00-19:00", ["19:00-20:00"]),
        ("19:00-21:00", ["18:00-19:00"]),
        ("18:00-20:00", []),
    ],
)
def test_time_off_cuts_extra_windows_and_they_stay_cut(maya, closed, left):
    window = extra(maya, "5 Jan 18:00-20:00")
    Availability.objects.filter(pk=window.pk).update(external_id="w1")
    taken = take_off(maya, f"5 Jan {closed}")
    expected = [f"Tue 5 Jan {between} extra" for between in left]
    assert offered(maya) == expected
    # The key names one of the parts, if there is any.
    assert [row.external_id for row in maya.availabilities.all()] == ["w1", ""][: len(left)]
    offering.make(offering.remove_time_off(taken), by=maya.user)
    assert offered(maya) == expected


@pytest.mark.parametrize(
    ("closed", "left"),
    [
        ("18:45-19:00", ["18:30-18:45", "19:00-21:00"]),
        ("18:00-19:00", ["19:00-21:00"]),
        ("20:00-22:00", ["18:30-20:00"]),
        ("18:00-21:00", []),
    ],
)
def test_time_off_cuts_edited_windows_and_what_they_stood_for_stays_closed(maya, weekly, closed, left):
    weekly(maya)
    offering.make(offering.save_window(moved(at(maya, "5 Jan 18:00"), "5 Jan 18:30-21:00")), by=maya.user)
    taken = take_off(maya, f"5 Jan {closed}")
    expected = [*(f"Tue 5 Jan {between} edited" for between in left), "Tue 12 Jan 18:00-20:00 weekly"]
    assert offered(maya) == expected
    offering.make(offering.remove_time_off(taken), by=maya.user)
    assert offered(maya) == expected


def test_time_off_in_the_middle_of_a_window_that_runs(maya, weekly, time_machine):
    weekly(maya, "17:00-20:00")
    take_off(maya, "5 Jan 18:00-19:00")
    parts = offered(maya)
    assert parts[:2] == ["Tue 5 Jan 17:00-18:00 weekly", "Tue 5 Jan 19:00-20:00 weekly"]
    # Before it, in it, after it: the night's task changes nothing of today.
    for now in ("5 Jan 17:30", "5 Jan 18:30", "5 Jan 19:30", "5 Jan 20:30", "6 Jan 12:00"):
        time_machine.move_to(utc(now))
        offering.write_ahead()
        assert offered(maya)[:2] == parts[:2]


def test_time_off_taken_while_a_window_runs_and_given_back_early(maya, weekly, time_machine):
    weekly(maya, "17:00-20:00", weekday=0)
    time_machine.move_to(utc("11 Jan 18:00"))
    taken = take_off(maya, "11 Jan 18:00-12 Jan 0:00")
    assert offered(maya)[1:3] == ["Mon 11 Jan 17:00-18:00 weekly", "Mon 18 Jan 17:00-20:00 weekly"]
    time_machine.move_to(utc("11 Jan 19:00"))
    offering.make(offering.remove_time_off(taken), by=maya.user)
    assert offered(maya)[1:3] == ["Mon 11 Jan 17:00-18:00 weekly", "Mon 11 Jan 18:00-20:00 weekly"]


def test_time_off_that_is_changed_gives_back_what_it_no_longer_takes(maya, weekly):
    weekly(maya)
    taken = take_off(maya, "4 Jan 0:00-10 Jan 0:00")
    assert offered(maya) == ["Tue 12 Jan 18:00-20:00 weekly"]
    taken.start_time, taken.end_time = utc("5 Jan 19:00"), utc("12 Jan 19:00")
    offering.make(offering.save_time_off(taken), by=maya.user)
    assert offered(maya) == ["Tue 5 Jan 18:00-19:00 weekly", "Tue 12 Jan 19:00-20:00 weekly"]


def test_a_new_note_touches_nothing(maya, weekly, asked):
    """What was booked there was decided about, and what was added there since was meant."""
    weekly(maya)
    kept = asked(maya, "5 Jan 18:00")
    taken = take_off(maya, "5 Jan 0:00-6 Jan 0:00", keep=[kept.pk])
    extra(maya, "5 Jan 10:00-11:00")
    taken.note = "At my sister's"
    assert offering.make(offering.save_time_off(taken), by=maya.user) == []
    assert offered(maya) == ["Tue 5 Jan 10:00-11:00 extra", "Tue 12 Jan 18:00-20:00 weekly"]
    # A day more touches what is in that day.
    taken.end_time = utc("13 Jan 0:00")
    later = asked(maya, "12 Jan 18:00")
    assert offering.touched(offering.save_time_off(taken)) == [later]


@pytest.mark.parametrize("said", ["5 Jan 20:00-5 Jan 20:00", "5 Jan 20:00-5 Jan 19:00", "4 Jan 0:00-31 Dec 0:00"])
def test_time_off_that_cannot_be_is_refused(maya, said):
    start, end = map(utc, said.split("-"))
    end += timedelta(days=30) if end.month == 12 else timedelta(0)
    row = TimeOff(mentor=maya, start_time=start, end_time=end)
    sentence = {True: "Time off lasts at most a year. Enter the rest as another."}.get(end > start)
    assert refusal(offering.save_time_off(row), by=maya.user).messages == [sentence or "The end must come after the start."]
    assert not TimeOff.objects.exists()


# ---- what is booked -------------------------------------------------------------------------------------------------------


def changes(mentor, weekly):
    """Every way to take the window of Tuesday, 5 January away: from 18:00 to 20:00, or from 18:30 on."""
    hours = WeeklyHours.objects.get()
    shorter = WeeklyHours.objects.get()
    shorter.ends = time(18, 30)
    window = at(mentor, "5 Jan 18:00")
    return {
        "hours changed": offering.save_hours(shorter),
        "hours removed": offering.remove_hours(hours),
        "time off": offering.save_time_off(off(mentor, "5 Jan 18:30-22:00")),
        "window edited": offering.save_window(moved(at(mentor, "5 Jan 18:00"), "5 Jan 18:00-18:30")),
        "window removed": offering.remove_window(window),
    }


HOW = ["hours changed", "hours removed", "time off", "window edited", "window removed"]


@pytest.mark.parametrize("how", HOW)
def test_a_change_first_says_what_it_touches_and_changes_nothing(maya, weekly, asked, bo, how):
    weekly(maya)
    early, late = asked(maya, "5 Jan 18:00"), asked(maya, "5 Jan 19:00", mentee=bo)
    before = offered(maya), list(WeeklyHours.objects.values()), list(Session.objects.values())
    change = changes(maya, weekly)[how]
    all_of_it = how in ("hours removed", "window removed")
    for _ in range(2):
        assert offering.touched(change) == ([early, late] if all_of_it else [late])
    assert (offered(maya), list(WeeklyHours.objects.values()), list(Session.objects.values())) == before
    assert not TimeOff.objects.exists()


@pytest.mark.parametrize("how", HOW)
def test_a_kept_session_loses_its_window_and_nothing_else(maya, weekly, asked, how):
    weekly(maya)
    session = asked(maya, "5 Jan 19:00")
    assert session.availability == at(maya, "5 Jan 18:00")
    before, told = Session.objects.values().get(), Notice.objects.count()
    offering.make(changes(maya, weekly)[how], by=maya.user, keep=[session.pk])
    assert Session.objects.values().get() == before | {"availability_id": None}
    assert Notice.objects.count() == told
    assert session.history.count() == 2
    # Nobody else can have that time.
    assert utc("5 Jan 19:00") not in [slot.start for slot in booking.slots(maya, 30, until=utc("6 Jan 0:00"))]


@pytest.mark.parametrize("how", HOW)
def test_a_canceled_session_tells_the_mentee_why(maya, weekly, asked, alex, how):
    weekly(maya)
    session = asked(maya, "5 Jan 19:00")
    offering.make(changes(maya, weekly)[how], by=maya.user, cancel=[session.pk], reason="I have moved to Lima.")
    session.refresh_from_db()
    assert (session.status, session.ending, session.ended_by) == ("Canceled", "canceled", maya.user)
    assert (session.reason, session.acted_for) == ("I have moved to Lima.", None)
    assert list(session.notices.filter(kind="canceled").values_list("recipient", flat=True)) == [alex.pk]


def test_a_coordinator_cancels_for_the_mentor(maya, weekly, asked, alex, cora):
    weekly(maya)
    session = asked(maya, "5 Jan 19:00")
    offering.make(changes(maya, weekly)["time off"], by=cora, cancel=[session.pk], reason="Maya is ill.")
    session.refresh_from_db()
    assert (session.status, session.ended_by, session.acted_for) == ("Canceled", cora, maya.user)
    assert set(session.notices.filter(kind="canceled").values_list("recipient", flat=True)) == {alex.pk, maya.pk}


def test_some_are_kept_and_some_canceled(maya, weekly, asked, bo):
    weekly(maya)
    early, late = asked(maya, "5 Jan 18:30"), asked(maya, "5 Jan 19:00", mentee=bo)
    change = changes(maya, weekly)["time off"]
    assert offering.make(change, by=maya.user, keep=[early.pk], cancel=[late.pk], reason="No bus") == [early, late]
    assert list(Session.objects.order_by("start_time").values_list("status", flat=True)) == ["Confirmed", "Canceled"]


def test_nothing_happens_until_everything_is_decided(maya, weekly, asked, bo):
    weekly(maya)
    early, late = asked(maya, "5 Jan 18:30"), asked(maya, "5 Jan 19:00", mentee=bo)
    before = offered(maya)
    error = refusal(changes(maya, weekly)["time off"], by=maya.user, cancel=[early.pk])
    assert (error.code, error.messages) == (
        "undecided",
        ["Decide what happens with what is booked then: Bo Lindqvist, Tue 5 Jan 2027, 19:00–19:30 (UTC)."],
    )
    assert offered(maya) == before
    assert {session.status for session in Session.objects.all()} == {"Confirmed"}
    assert late.availability_id == at(maya, "5 Jan 18:00").pk


def test_what_was_booked_since_somebody_looked_is_asked_about(maya, weekly, asked, bo):
    weekly(maya)
    seen, change = asked(maya, "5 Jan 18:30"), changes(maya, weekly)["time off"]
    assert offering.touched(change) == [seen]
    new = booking.request(maya, bo, utc("5 Jan 19:00"), 30, by=bo.user)
    error = refusal(change, by=maya.user, keep=[seen.pk])
    assert error.code == "undecided"
    assert "Bo Lindqvist" in error.message
    assert "Alex" not in error.message
    assert offering.make(change, by=maya.user, keep=[seen.pk, new.pk]) == [seen, new]


def test_too_late_to_cancel_is_said_and_nothing_has_changed(maya, weekly, asked, cora):
    weekly(maya)
    Program.objects.update(cancel_until_hours=48)
    session, before = asked(maya, "5 Jan 19:00"), offered(maya)
    error = refusal(changes(maya, weekly)["time off"], by=maya.user, cancel=[session.pk], reason="Ill")
    assert (error.code, error.messages) == (
        "too_late",
        ["Sessions can be canceled until 48 hours before they start. Ask the program's coordinators."],
    )
    assert (offered(maya), TimeOff.objects.count()) == (before, 0)
    offering.make(changes(maya, weekly)["time off"], by=cora, cancel=[session.pk], reason="Ill")
    assert offered(maya)[0] == "Tue 5 Jan 18:00-18:30 weekly"


def test_time_off_touches_what_was_booked_outside_of_any_window(maya, alex, cora):
    session = booking.request(maya, alex, utc("5 Jan 19:00"), 30, by=cora, set_aside="She said yes.")
    other = booking.request(maya, alex, utc("6 Jan 19:00"), 30, by=cora, set_aside="She said yes.")
    assert offering.touched(offering.save_time_off(off(maya, "5 Jan 0:00-6 Jan 0:00"))) == [session]
    # Whatever else changes: it never had a window to lose.
    assert offering.touched(offering.close(maya)) == []
    assert other.availability is None


def test_what_is_over_or_called_off_or_runs_now_is_not_touched(maya, weekly, asked, bo, time_machine):
    weekly(maya)
    called_off, runs = asked(maya, "5 Jan 19:30", mentee=bo), asked(maya, "5 Jan 18:00", 60)
    booking.cancel(called_off, by=maya.user)
    time_machine.move_to(utc("5 Jan 18:15"))
    assert offering.touched(offering.remove_hours(WeeklyHours.objects.get())) == []
    offering.make(offering.remove_hours(WeeklyHours.objects.get()), by=maya.user)
    runs.refresh_from_db()
    assert runs.status == "Confirmed"


def test_windows_that_touch_still_hold_a_session_together(maya, weekly, asked):
    """It began in one and ended in the other; the one becomes another, and the session lies in both as before."""
    weekly(maya, "18:00-19:00")
    weekly(maya, "19:00-20:00")
    session = asked(maya, "5 Jan 18:30", 60)
    one, other = WeeklyHours.objects.order_by("begins")
    one.begins = time(17)
    assert offering.touched(offering.save_hours(one)) == []
    other.begins = time(19, 15)
    assert offering.touched(offering.save_hours(other)) == [session]


def test_a_session_finds_its_window_again_when_it_is_written_anew(maya, weekly, asked):
    hours = weekly(maya)
    session = asked(maya, "5 Jan 19:00")
    version, changes = session.version, session.history.count()

    def held_by():
        session.refresh_from_db()
        return session.availability and session.availability.period

    hours.begins = time(17)
    assert offering.make(offering.save_hours(hours), by=maya.user) == []
    assert held_by() == period("5 Jan 17:00-20:00")
    taken = take_off(maya, "5 Jan 18:30-19:30", keep=[session.pk])
    assert held_by() is None
    offering.make(offering.remove_time_off(taken), by=maya.user)
    assert held_by() == period("5 Jan 17:00-20:00")
    # Edited, so that it lies outside; and a window of its own.
    offering.make(offering.save_window(moved(at(maya, "5 Jan 17:00"), "5 Jan 17:00-18:00")), by=maya.user, keep=[session.pk])
    assert held_by() is None
    offering.put_window(Availability(mentor=maya, start_time=utc("5 Jan 18:30"), end_time=utc("5 Jan 20:00")))
    assert held_by() == period("5 Jan 18:30-20:00")
    assert (session.version, session.history.count()) == (version, changes)


def test_who_leaves_closes_every_window_ahead(maya, weekly, asked, cora):
    weekly(maya)
    extra(maya, "6 Jan 8:00-9:00")
    session = asked(maya, "5 Jan 19:00")
    User.objects.filter(pk=maya.pk).update(is_active=False)
    assert offering.touched(offering.close(maya)) == [session]
    assert refusal(offering.close(maya), by=cora).code == "undecided"
    offering.make(offering.close(maya), by=cora, keep=[session.pk])
    assert (offered(maya), WeeklyHours.objects.count()) == ([], 1)


def test_others_sessions_and_windows_stay_as_they_are(maya, omar, weekly, asked, bo):
    weekly(maya)
    weekly(omar)
    theirs = asked(omar, "5 Jan 19:00", mentee=bo)
    before = offered(omar), Session.objects.values().get()
    assert offering.touched(offering.save_time_off(off(maya, "5 Jan 0:00-6 Jan 0:00"))) == []
    take_off(maya, "5 Jan 0:00-6 Jan 0:00")
    assert (offered(omar), Session.objects.values().get()) == before
    assert theirs.availability.mentor == omar


@pytest.mark.parametrize("who", ["omar", "alex", "zoe", "roleless", "left"])
def test_strangers_change_nothing(request, maya, weekly, person, cora, who):
    weekly(maya)
    before = offered(maya)
    if who == "roleless":
        stranger = person("Rolf Ohne", is_staff=True)
    elif who == "left":
        User.objects.filter(pk=cora.pk).update(is_active=False)
        stranger = User.objects.get(pk=cora.pk)
    else:
        stranger = request.getfixturevalue(who).user
    for change in changes(maya, weekly).values():
        error = refusal(change, by=stranger)
        assert (error.code, error.messages) == (
            "not_yours",
            ["Only the mentor and coordinators change when somebody can be booked."],
        )
    assert offered(maya) == before


# ---- laws -----------------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(rules(), max_size=4), some.lists(some.tuples(some.integers(0, 500), some.integers(1, 72)), max_size=3))
def test_windows_never_overlap_and_are_written_once_whatever_the_rules(maya, time_machine, several, away):
    time_machine.move_to(utc("20 Mar 12:00"))
    WeeklyHours.objects.all().delete()
    TimeOff.objects.all().delete()
    Availability.objects.all().delete()
    WeeklyHours.objects.bulk_create(
        WeeklyHours(
            mentor=maya,
            weekday=one.weekday,
            begins=one.begins,
            ends=one.ends,
            time_zone=one.zone.key,
            valid_from_on=one.since,
            valid_until_on=one.until,
            every_weeks=one.every,
        )
        for one in several
    )
    TimeOff.objects.bulk_create(
        TimeOff(
            mentor=maya, start_time=utc("20 Mar 12:00") + start * HOUR, end_time=utc("20 Mar 12:00") + (start + long) * HOUR
        )
        for start, long in away
    )
    for _ in range(3):
        offering.write_ahead()
        assert offering.write_ahead() == Counter()
        assert WINDOWS.overlaps(connection) == []
        time_machine.shift(7 * HOUR)
