"""Mentors say when they can be booked, and coordinators for them: nothing booked is lost, and nothing overwritten unseen."""

import re
from datetime import UTC, date, datetime, time, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from people.models import User
from project.testing import PASSWORD
from project.tests.page import form_in
from scheduling import booking, offering
from scheduling.models import Availability, MentorLimits, Program, Session, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

BERLIN, NEW_YORK, TOKYO = "Europe/Berlin", "America/New_York", "Asia/Tokyo"
OTHERWISE = "Change or remove that window, or choose a time that only touches it."


@pytest.fixture(autouse=True)
def noon(time_machine, request):
    """It is noon on Monday, 4 January 2027; weekly hours are written two weeks ahead. A browser lives in the present."""
    if "browser" not in request.keywords:
        time_machine.move_to(datetime(2027, 1, 4, 12, tzinfo=UTC), tick=False)
        Program.objects.update_or_create(pk=1, defaults={"weeks_ahead": 2})


@pytest.fixture
def hers(maya):
    """Maya's browser."""
    return at_desk(maya.user)


@pytest.fixture
def tuesdays(maya):
    """Maya mentors on Tuesdays from 18:00 to 20:00."""
    return hours_of(maya)


@pytest.fixture
def booked(tuesdays, maya, alex, bo):
    """Alex asked for 18:00 on the first Tuesday, and Bo has 19:00 confirmed."""
    first = booking.request(maya, alex, utc("5 Jan 18:00"), 30, by=alex.user, topic="Joins")
    second = booking.confirm(booking.request(maya, bo, utc("5 Jan 19:00"), 30, by=bo.user), by=maya.user)
    return first, second


def utc(said: str) -> datetime:
    return datetime.strptime(f"2027 {said}", "%Y %d %b %H:%M").replace(tzinfo=UTC)


def hours_of(mentor, weekday=1, begins=time(18), ends=time(20), **more) -> WeeklyHours:
    more = {"time_zone": "UTC", "valid_from_on": date(2027, 1, 1)} | more
    hours = WeeklyHours(mentor=mentor, weekday=weekday, begins=begins, ends=ends, **more)
    offering.make(offering.save_hours(hours), by=mentor.user)
    return WeeklyHours.objects.latest("pk")


def time_off(mentor, first: str, last: str, **more) -> TimeOff:
    offering.make(
        offering.save_time_off(TimeOff(mentor=mentor, start_time=utc(first), end_time=utc(last), **more)), by=mentor.user
    )
    return TimeOff.objects.latest("pk")


def at_desk(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def move_to(user, zone) -> User:
    User.objects.filter(pk=user.pk).update(time_zone=zone)
    return User.objects.get(pk=user.pk)


def shown(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def text(response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split()).replace(" .", ".")


def errors(response) -> dict[str, list[str]]:
    """Field -> what the form says about it; "" for the whole form."""
    found = response.context["form"].errors.items()
    return {name.replace("__all__", ""): [strip_tags(error) for error in those] for name, those in found}


def sent(browser, path, _form=None, **fields):
    """What comes of opening a page, filling in some of its fields and pressing its button."""
    page = _form or form_in(browser.get(path))
    return browser.post(path, page | {name: [value] for name, value in fields.items()}, follow=True)


def answered(browser, page, **fields):
    """The same for a page that was answered with another one: what it carries is sent along."""
    return browser.post(
        page.request["PATH_INFO"], form_in(page) | {name: [value] for name, value in fields.items()}, follow=True
    )


def asks(page) -> list[str]:
    """The sessions that the page asks about; nothing where it is another page."""
    form = page.context.get("form")
    return [f"{one.mentee} {one.start_time:%a %H:%M}" for one in getattr(form, "sessions", [])]


def windows(mentor) -> list[str]:
    return [
        f"{row.start_time:%a} {row.start_time.day} {row.start_time:%b %H:%M}-{row.end_time:%H:%M}"
        for row in mentor.availabilities.all()
    ]


def everything() -> list:
    return [
        list(model.objects.order_by("pk").values()) for model in (WeeklyHours, TimeOff, Availability, Session, MentorLimits)
    ]


TWO_TUESDAYS = ["Tue 5 Jan 18:00-20:00", "Tue 12 Jan 18:00-20:00"]


# ---- weekly hours ---------------------------------------------------------------------------------------------------------


def test_who_offers_nothing_is_told_what_to_do_first(hers, maya):
    page = hers.get("/windows/")
    assert "You offer no time yet Start with weekly hours: say once when you are free" in text(page)
    assert 'class="button button-primary" href="/windows/weekly/add/"' in page.content.decode()


def test_a_mentor_says_once_when_she_is_free_every_week(hers, maya):
    page = sent(hers, "/windows/weekly/add/", weekday=1, begins="18:00", ends="20:00")
    assert (page.redirect_chain, shown(page)) == ([("/windows/", 302)], ["Saved. Mentees can book these hours."])
    assert windows(maya) == TWO_TUESDAYS
    assert [row.said for row in page.context["hours"]] == ["Tuesdays 18:00–20:00"]
    assert [[row.label for row in rows] for _, rows in page.context["days"]] == [["weekly"]] * 2


def test_one_day_after_the_other_is_filled_in_with_the_same_hours(hers, maya):
    page = sent(hers, "/windows/weekly/add/", weekday=6, begins="18:00", ends="20:00", another="1")
    assert page.redirect_chain == [("/windows/weekly/add/?weekday=0&begins=18%3A00&ends=20%3A00", 302)]
    page = answered(hers, page)
    assert page.redirect_chain == [("/windows/", 302)]
    assert [row.said for row in page.context["hours"]] == ["Mondays 18:00–20:00", "Sundays 18:00–20:00"]


def test_new_hours_are_on_the_mentors_clock_and_stay_there_when_she_moves(maya):
    hers = at_desk(move_to(maya.user, BERLIN))
    assert "By the clocks of Europe/Berlin." in text(hers.get("/windows/weekly/add/"))
    sent(hers, "/windows/weekly/add/", weekday=1, begins="18:00", ends="20:00")
    assert windows(maya) == ["Tue 5 Jan 17:00-19:00", "Tue 12 Jan 17:00-19:00"]
    hours = WeeklyHours.objects.get()
    hers = at_desk(move_to(maya.user, TOKYO))
    assert [row.said for row in hers.get("/windows/").context["hours"]] == ["Tuesdays 18:00–20:00 (Europe/Berlin)"]
    path = f"/windows/weekly/{hours.pk}/"
    page = hers.get(path)
    assert page.context["form"].fields["time_zone"].choices == [(BERLIN, "Europe/Berlin"), (TOKYO, "Asia/Tokyo")]
    sent(hers, path, ends="21:00")
    assert windows(maya) == ["Tue 5 Jan 17:00-20:00", "Tue 12 Jan 17:00-20:00"]
    sent(hers, path, time_zone=TOKYO)
    assert windows(maya) == ["Tue 5 Jan 09:00-12:00", "Tue 12 Jan 09:00-12:00"]
    assert [row.said for row in hers.get("/windows/").context["hours"]] == ["Tuesdays 18:00–21:00"]


def test_a_zone_that_is_gone_is_named_and_another_chosen(hers, maya, tuesdays):
    WeeklyHours.objects.update(time_zone="Mars/Base")
    assert [row.said for row in hers.get("/windows/").context["hours"]] == ["Tuesdays 18:00–20:00 (Mars/Base)"]
    path = f"/windows/weekly/{tuesdays.pk}/"
    assert "“Mars/Base” is not known any more." in text(hers.get(path))
    assert errors(sent(hers, path)) == {"time_zone": ["This field is required."]}
    sent(hers, path, time_zone="UTC")
    assert WeeklyHours.objects.get().time_zone == "UTC"


@pytest.mark.parametrize(
    ("more", "said", "next_on"),
    [
        ({}, "Tuesdays 18:00–20:00", None),
        ({"begins": time(22), "ends": time(1)}, "Tuesdays 22:00–01:00 the next day", None),
        ({"ends": time(0)}, "Tuesdays 18:00–00:00", None),
        ({"valid_until_on": date(2027, 3, 31)}, "Tuesdays 18:00–20:00, until 31 Mar", None),
        ({"valid_from_on": date(2028, 1, 4)}, "Tuesdays 18:00–20:00, from 4 Jan 2028", None),
        ({"every_weeks": 2}, "Tuesdays 18:00–20:00, every second week", date(2027, 1, 12)),
        (
            {"every_weeks": 2, "valid_from_on": date(2027, 1, 6), "valid_until_on": date(2027, 3, 31), "time_zone": BERLIN},
            "Tuesdays 18:00–20:00, every second week, from 6 Jan, until 31 Mar (Europe/Berlin)",
            date(2027, 1, 19),
        ),
    ],
)
def test_hours_are_told_in_words(hers, maya, more, said, next_on):
    hours_of(maya, **more)
    page = hers.get("/windows/")
    assert [(row.said, row.next_on) for row in page.context["hours"]] == [(said, next_on)]
    assert said in text(page)
    assert (f"Next on {next_on:%a} {next_on.day} Jan" in text(page)) if next_on else ("Next on" not in text(page))


def test_hours_that_are_over_are_not_listed(hers, maya):
    hours_of(maya, valid_until_on=date(2027, 1, 3))
    hours_of(maya, weekday=0, valid_until_on=date(2027, 1, 4))
    assert [row.said for row in hers.get("/windows/").context["hours"]] == ["Mondays 18:00–20:00, until 4 Jan"]


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        (
            {"begins": "19:00", "ends": "21:00"},
            {"": ["These hours overlap others: Tuesday 18:00–20:00. Change those, or choose hours that only touch them."]},
        ),
        ({"begins": "21:00", "ends": "21:00"}, {"": ["The end must come after the beginning."]}),
        (
            {"begins": "20:00", "ends": "18:00"},
            {"ends": ["From 20:00 to 18:00 would last until the next day. Did you mean another time?"]},
        ),
        ({"valid_from_on": "2030-01-01"}, {"valid_from_on": ["Choose a day within the next two years."]}),
        ({"valid_from_on": "9999-12-31"}, {"valid_from_on": ["Choose a day within the next two years."]}),
        ({"valid_from_on": "0001-01-01"}, {"valid_from_on": ["This day is in the past."]}),
        ({"valid_until_on": "2027-01-03"}, {"valid_until_on": ["This day is in the past."]}),
        (
            {"weekday": "2", "valid_from_on": "2027-03-01", "valid_until_on": "2027-02-01"},
            {"": ["The last day must not come before the first."]},
        ),
        ({"weekday": "", "begins": "25:00"}, {"weekday": ["This field is required."], "begins": ["Enter a valid time."]}),
    ],
)
def test_hours_that_cannot_be_are_refused_and_what_was_typed_is_kept(hers, maya, tuesdays, typed, refused):
    page = sent(hers, "/windows/weekly/add/", **({"weekday": "1", "begins": "21:00", "ends": "22:00"} | typed))
    assert errors(page) == refused
    assert {name: page.context["form"][name].value() for name in typed} == typed
    assert WeeklyHours.objects.count() == 1


def test_hours_are_changed(hers, maya, tuesdays):
    page = sent(hers, f"/windows/weekly/{tuesdays.pk}/", begins="17:00")
    assert shown(page) == ["Saved. Mentees can book these hours."]
    assert windows(maya) == ["Tue 5 Jan 17:00-20:00", "Tue 12 Jan 17:00-20:00"]


def test_hours_are_removed_after_a_question(hers, maya, tuesdays):
    path = f"/windows/weekly/{tuesdays.pk}/delete/"
    page = hers.get(path)
    assert "Remove these weekly hours? Weekly hours Tuesdays 18:00–20:00 Nobody has booked in them." in text(page)
    assert windows(maya) == TWO_TUESDAYS
    page = answered(hers, page)
    assert (page.redirect_chain, shown(page)) == ([("/windows/", 302)], ["Removed. Nobody can book these hours any more."])
    assert (windows(maya), WeeklyHours.objects.count()) == ([], 0)


# ---- time off -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "start", "end", "said"),
    [
        # 5 and 6 January in Berlin begin an hour before those in UTC.
        ({"first": "2027-01-05", "last": "2027-01-06"}, "4 Jan 23:00", "6 Jan 23:00", "Tue 5 Jan 2027 – Wed 6 Jan 2027"),
        ({"first": "2027-01-05"}, "4 Jan 23:00", "5 Jan 23:00", "Tue 5 Jan 2027"),
        ({"first": "2027-01-04"}, "3 Jan 23:00", "4 Jan 23:00", "Mon 4 Jan 2027"),
        ({"first": "2027-01-05", "ends": "00:00"}, "4 Jan 23:00", "5 Jan 23:00", "Tue 5 Jan 2027"),
        (
            {"first": "2027-01-05", "begins": "19:00", "ends": "19:30"},
            "5 Jan 18:00",
            "5 Jan 18:30",
            "Tue 5 Jan 2027, 19:00–19:30",
        ),
        (
            {"first": "2027-01-05", "begins": "19:00", "last": "2027-01-12"},
            "5 Jan 18:00",
            "12 Jan 23:00",
            "Tue 5 Jan 2027, 19:00 – Tue 12 Jan 2027",
        ),
        # Over the night on which the clocks change.
        ({"first": "2027-03-28"}, "27 Mar 23:00", "28 Mar 22:00", "Sun 28 Mar 2027"),
    ],
)
def test_a_mentor_takes_time_off(maya, typed, start, end, said):
    hers = at_desk(move_to(maya.user, BERLIN))
    page = sent(hers, "/windows/off/add/", **typed, note="At my sister's")
    assert shown(page) == ["Saved. Nobody can book this time."]
    off = TimeOff.objects.get()
    assert (off.start_time, off.end_time, off.note) == (utc(start), utc(end), "At my sister's")
    assert [row.said for row in page.context["time_off"]] == [said]
    assert f"{said} At my sister's" in text(page)
    # Saved again as it is shown: it is the same.
    before = everything()
    page = sent(hers, f"/windows/off/{off.pk}/")
    assert (errors(page) if not page.redirect_chain else {}, everything()) == ({}, before)


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ({"first": ""}, {"first": ["This field is required."]}),
        ({"first": "2027-01-06", "last": "2027-01-05"}, {"": ["The end must come after the start."]}),
        ({"first": "2027-01-05", "begins": "12:00", "ends": "11:00"}, {"": ["The end must come after the start."]}),
        ({"first": "2027-01-03"}, {"": ["This time is in the past."]}),
        ({"first": "2027-01-04", "ends": "11:00"}, {"": ["This time is in the past."]}),
        ({"first": "2025-01-04"}, {"first": ["This day is in the past."]}),
        ({"first": "0001-01-01"}, {"first": ["This day is in the past."]}),
        ({"first": "9999-12-31"}, {"first": ["Choose a day within the next two years."]}),
        ({"first": "2027-01-05", "last": "9999-12-31"}, {"last": ["Choose a day within the next three years."]}),
        ({"first": "2027-01-05", "last": "2028-02-05"}, {"": ["Time off lasts at most a year. Enter the rest as another."]}),
    ],
)
def test_time_off_that_cannot_be_is_refused(hers, typed, refused):
    page = sent(hers, "/windows/off/add/", **typed)
    assert errors(page) == refused
    assert not TimeOff.objects.exists()


def test_a_time_off_that_happens_twice_is_asked_about(maya):
    hers = at_desk(move_to(maya.user, BERLIN))
    page = sent(hers, "/windows/off/add/", first="2027-10-31", begins="02:30", ends="05:00")
    assert errors(page) == {"begins": ["02:30 on Sun 31 Oct 2027 happens twice in Europe/Berlin: choose which one is meant."]}
    page = answered(hers, page, which_begins="second")
    assert TimeOff.objects.get().start_time == utc("31 Oct 1:30")


def test_time_off_is_given_back(hers, maya, tuesdays):
    off = time_off(maya, "5 Jan 0:00", "6 Jan 0:00")
    assert windows(maya) == TWO_TUESDAYS[1:]
    page = hers.get(f"/windows/off/{off.pk}/delete/")
    said = "Remove this time off? Time off Tue 5 Jan 2027 The weekly hours of this time can be booked again then."
    assert said in text(page)
    page = answered(hers, page)
    assert shown(page) == ["Removed. The weekly hours of this time can be booked again."]
    assert windows(maya) == TWO_TUESDAYS


def test_only_time_off_that_is_not_over_is_listed(hers, maya):
    TimeOff.objects.create(mentor=maya, start_time=utc("1 Jan 0:00"), end_time=utc("4 Jan 12:00"))
    time_off(maya, "4 Jan 0:00", "5 Jan 0:00")
    assert [row.said for row in hers.get("/windows/").context["time_off"]] == ["Mon 4 Jan 2027"]


# ---- windows --------------------------------------------------------------------------------------------------------------


def test_a_mentor_offers_a_single_window_in_her_zone(maya):
    hers = at_desk(move_to(maya.user, "Asia/Kolkata"))
    for path, midnight in (("/windows/", False), ("/windows/add/", True)):
        typed = {"day": "2027-01-07" if midnight else "2027-01-06", "begins": "14:30", "ends": "00:00"}
        page = sent(hers, path, **typed)
        assert (page.redirect_chain, shown(page)) == ([("/windows/", 302)], ["Offered. Mentees can book this time now."])
    assert windows(maya) == ["Wed 6 Jan 09:00-18:30", "Thu 7 Jan 09:00-18:30"]
    assert [[row.label for row in rows] for _, rows in page.context["days"]] == [["extra"]] * 2


@pytest.mark.parametrize(
    ("day", "begins", "ends", "refused"),
    [
        ("2027-01-05", "12:00", "11:00", {"": ["The end must come after the start."]}),
        (
            "2027-01-05",
            "19:30",
            "21:00",
            {"": [f"Maya Lopez already offers Tue 5 Jan 2027, 18:00–20:00 (UTC). {OTHERWISE}"]},
        ),
        ("2027-01-03", "09:00", "12:00", {"day": ["This day is in the past."]}),
        ("2027-01-04", "09:00", "12:00", {"": ["This time is in the past."]}),
        ("2028-01-10", "09:00", "12:00", {"day": ["Choose a day within the next year."]}),
        ("9999-12-31", "09:00", "12:00", {"day": ["Choose a day within the next year."]}),
    ],
)
def test_a_window_that_cannot_be_is_refused(hers, maya, tuesdays, day, begins, ends, refused):
    for path in ("/windows/", "/windows/add/"):
        page = sent(hers, path, day=day, begins=begins, ends=ends)
        assert errors(page) == refused
        assert page.context["form"]["begins"].value() == begins
    assert windows(maya) == TWO_TUESDAYS


def test_a_window_is_edited_and_told_apart(hers, maya, tuesdays):
    window = maya.availabilities.earliest("start_time")
    page = sent(hers, f"/windows/{window.pk}/", ends="20:30")
    assert [(row.label, row.row.end_time) for _, [row] in page.context["days"]] == [
        ("edited", utc("5 Jan 20:30")),
        ("weekly", utc("12 Jan 20:00")),
    ]
    # Onto the next one: refused, whichever it was.
    page = sent(hers, f"/windows/{window.pk}/", day="2027-01-12", ends="19:00")
    assert errors(page)[""][0].startswith("Maya Lopez already offers Tue 12 Jan 2027, 18:00–20:00 (UTC).")
    page = sent(hers, f"/windows/{window.pk}/", ends="17:00")
    assert errors(page) == {"": ["The end must come after the start."]}


def test_a_window_that_runs_now_can_still_be_made_longer(hers, maya, tuesdays, time_machine):
    time_machine.move_to(utc("5 Jan 19:00"))
    window = maya.availabilities.earliest("start_time")
    assert shown(sent(hers, f"/windows/{window.pk}/", ends="21:00")) == ["Offered. Mentees can book this time now."]


def test_a_window_past_midnight_on_the_readers_clock_has_a_last_day(maya, tuesdays):
    hers = at_desk(move_to(maya.user, "Asia/Karachi"))  # 18:00 to 20:00 in UTC is 23:00 to 1:00
    window = maya.availabilities.earliest("start_time")
    path = f"/windows/{window.pk}/"
    form = form_in(hers.get(path))
    assert {name: form[name] for name in ("day", "begins", "last_day", "ends")} == {
        "day": ["2027-01-05"],
        "begins": ["23:00"],
        "last_day": ["2027-01-06"],
        "ends": ["01:00"],
    }
    sent(hers, path)
    assert windows(maya) == TWO_TUESDAYS
    sent(hers, path, ends="01:30")
    assert windows(maya) == ["Tue 5 Jan 18:00-20:30", TWO_TUESDAYS[1]]


def test_a_window_nobody_has_booked_is_removed_after_a_question(hers, maya, tuesdays):
    window = maya.availabilities.earliest("start_time")
    page = hers.get(f"/windows/{window.pk}/delete/")
    said = "Remove this window? Window Tue 5 Jan 2027, 18:00–20:00 (UTC) Nobody has booked in it."
    assert said in text(page)
    assert windows(maya) == TWO_TUESDAYS
    page = answered(hers, page)
    assert shown(page) == ["Removed. Nobody can book this time any more."]
    assert windows(maya) == TWO_TUESDAYS[1:]
    # It can be taken back.
    assert [(row.said, row.row.note) for row in page.context["time_off"]] == [
        ("Tue 5 Jan 2027, 18:00–20:00", "A single window, removed.")
    ]


def test_a_mentor_sees_day_by_day_who_has_booked(hers, maya, booked):
    # Booked by the program without a window, and still in it.
    Session.objects.filter(pk=booked[0].pk).update(availability=None)
    [(day, [row]), (later, [other])] = hers.get("/windows/").context["days"]
    assert (day, row.sessions, later, other.sessions) == (date(2027, 1, 5), booked, date(2027, 1, 12), ())


def test_the_list_begins_with_two_weeks_and_shows_more_on_demand(hers, maya, time_machine):
    Program.objects.update(weeks_ahead=13)
    hours_of(maya)
    page = hers.get("/windows/")
    assert (len(page.context["days"]), page.context["later"]) == (2, 11)
    assert "Show 6 weeks 11 more after that" in text(page)
    page = hers.get("/windows/?weeks=6")
    assert (len(page.context["days"]), page.context["later"]) == (6, 7)
    page = hers.get("/windows/?weeks=106")
    assert (len(page.context["days"]), page.context["later"]) == (13, 0)
    assert "more after that" not in text(page)
    assert len(hers.get("/windows/?weeks=many").context["days"]) == 2


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_asks_the_database_as_often_for_thirty_windows_as_for_one(hers, maya, alex, django_assert_num_queries, rows):
    for number in range(rows):
        start = utc("5 Jan 0:00") + timedelta(hours=2 * number)
        Availability.objects.create(mentor=maya, start_time=start, end_time=start + timedelta(hours=1))
        booking.request(maya, alex, start, 30, by=alex.user)
        hours_of(maya, weekday=number % 7, begins=time(number // 7, 30), ends=time(number // 7, 45), every_weeks=2)
        time_off(maya, f"{number + 1} Mar 0:00", f"{number + 1} Mar 1:00")
    hers.get("/windows/")  # the first answer of a process asks more
    with django_assert_num_queries(10):
        page = hers.get("/windows/?weeks=106")
    assert len(page.context["hours"]) == len(page.context["time_off"]) == rows
    assert sum(len(row.sessions) for _, day in page.context["days"] for row in day) == rows


# ---- what is booked -------------------------------------------------------------------------------------------------------


def ways(maya) -> dict[str, tuple[str, dict]]:
    """Every way to touch what is booked on Tuesday: an address, and what is typed there."""
    window, hours = maya.availabilities.earliest("start_time"), WeeklyHours.objects.get()
    return {
        "hours changed": (f"/windows/weekly/{hours.pk}/", {"begins": "20:00", "ends": "21:00"}),
        "hours removed": (f"/windows/weekly/{hours.pk}/delete/", {}),
        "time off": ("/windows/off/add/", {"first": "2027-01-05", "note": "Away"}),
        "window changed": (f"/windows/{window.pk}/", {"day": "2027-01-06"}),
        "window removed": (f"/windows/{window.pk}/delete/", {}),
    }


WAYS = ["hours changed", "hours removed", "time off", "window changed", "window removed"]
BOTH = ["Alex Johnson Tue 18:00", "Bo Lindqvist Tue 19:00"]


def touch(browser, maya, way, prefix="/windows/"):
    """The page that asks."""
    path, typed = ways(maya)[way]
    path = path.replace("/windows/", prefix)
    return sent(browser, path, **typed) if typed else browser.get(path)


@pytest.mark.parametrize("way", WAYS)
def test_every_change_first_shows_what_it_touches(hers, maya, booked, way):
    before = everything()
    page = touch(hers, maya, way)
    assert (page.status_code, asks(page)) == (200, BOTH)
    words = text(page)
    assert "This touches 2 booked sessions" in words
    assert "Tue 5 Jan 2027, 18:00–18:30, Alex Johnson Pending Joins" in words
    assert "Tue 5 Jan 2027, 19:00–19:30, Bo Lindqvist Confirmed" in words
    assert "Times are in UTC." in words
    # Nothing is chosen, and nothing has changed.
    assert {name for name in form_in(page) if name.startswith("touched-")} == {
        "touched-asked",
        "touched-listed",
        "touched-all",
        "touched-reason",
    }
    assert form_in(page)["touched-all"] == [""]
    assert everything() == before


def test_the_page_says_what_changes(hers, maya, booked):
    assert "Now Tuesdays 18:00–20:00 Then Tuesdays 20:00–21:00" in text(touch(hers, maya, "hours changed"))
    assert "Time off Tue 5 Jan 2027" in text(touch(hers, maya, "time off"))
    assert "Window Tue 5 Jan 2027, 18:00–20:00 (UTC)" in text(touch(hers, maya, "window removed"))
    said = "Now Tue 5 Jan 2027, 18:00–20:00 (UTC) Then Wed 6 Jan 2027, 18:00–20:00 (UTC)"
    assert said in text(touch(hers, maya, "window changed"))


@pytest.mark.parametrize("way", WAYS)
def test_what_is_kept_stays_as_it_is(hers, maya, booked, way):
    page = answered(hers, touch(hers, maya, way), **{f"touched-{one.pk}": "keep" for one in booked})
    assert page.redirect_chain == [("/windows/", 302)]
    assert shown(page)[1:] == ["2 sessions are kept, at the time agreed."]
    assert list(Session.objects.order_by("pk").values_list("status", "availability", "version")) == [
        ("Pending", None, 1),
        ("Confirmed", None, 2),
    ]
    assert TWO_TUESDAYS[0] not in windows(maya)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_canceled_tells_the_mentee_why(hers, maya, booked, way):
    alexs, bos = booked
    decided = {f"touched-{alexs.pk}": "keep", f"touched-{bos.pk}": "cancel", "touched-reason": "I have moved to Lima."}
    page = answered(hers, touch(hers, maya, way), **decided)
    assert shown(page)[1:] == [
        "1 session is canceled. We tell the mentee by mail.",
        "1 session is kept, at the time agreed.",
    ]
    alexs.refresh_from_db()
    bos.refresh_from_db()
    assert (alexs.status, bos.status, bos.reason, bos.ended_by) == ("Pending", "Canceled", "I have moved to Lima.", maya.user)
    assert [notice.recipient for notice in bos.notices.filter(kind="canceled")] == [bos.mentee.user]


@pytest.mark.parametrize(("choice", "statuses"), [("keep", {"Pending", "Confirmed"}), ("cancel", {"Canceled"})])
def test_all_of_them_are_decided_at_once(hers, maya, booked, choice, statuses):
    page = answered(hers, touch(hers, maya, "time off"), **{"touched-all": choice, "touched-reason": "Ill"})
    assert page.redirect_chain == [("/windows/", 302)]
    assert {one.status for one in Session.objects.all()} == statuses


def test_a_choice_for_one_counts_more_than_that_for_all(hers, maya, booked):
    decided = {"touched-all": "cancel", f"touched-{booked[0].pk}": "keep", "touched-reason": "Ill"}
    answered(hers, touch(hers, maya, "time off"), **decided)
    assert list(Session.objects.order_by("pk").values_list("status", flat=True)) == ["Pending", "Canceled"]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_happens_until_everything_is_decided(hers, maya, booked, way):
    before = everything()
    page = answered(hers, touch(hers, maya, way), **{f"touched-{booked[0].pk}": "keep", "touched-reason": "Ill"})
    assert errors(page) == {str(booked[1].pk): ["Choose: keep it, or cancel it."]}
    form = form_in(page)
    assert (form[f"touched-{booked[0].pk}"], form["touched-reason"]) == (["keep"], ["Ill"])
    assert everything() == before
    page = answered(hers, page, **{f"touched-{booked[1].pk}": "keep"})
    assert page.redirect_chain == [("/windows/", 302)]


@pytest.mark.parametrize("reason", ["", "   ", "because " * 50])
def test_who_cancels_says_why_in_so_many_words(hers, maya, booked, reason):
    before = everything()
    page = answered(hers, touch(hers, maya, "time off"), **{"touched-all": "cancel", "touched-reason": reason})
    assert list(errors(page)) == ["reason"]
    assert everything() == before


@pytest.mark.parametrize("way", WAYS)
def test_what_was_booked_meanwhile_is_asked_about_and_not_canceled_with_the_rest(hers, maya, booked, zoe, way):
    page = touch(hers, maya, way)
    new = booking.request(maya, zoe, utc("5 Jan 19:30"), 30, by=zoe.user)
    before = everything()
    decided = {f"touched-{booked[0].pk}": "keep", "touched-all": "cancel", "touched-reason": "Ill"}
    page = answered(hers, page, **decided)
    assert asks(page) == [*BOTH, "Zoe Novak Tue 19:30"]
    assert errors(page) == {str(new.pk): ["This was booked since you looked. Choose: keep it, or cancel it."]}
    assert text(page).count("booked just now") == 1
    assert "19:30–20:00, Zoe Novak Pending booked just now" in text(page)
    assert everything() == before
    # What was decided before is still decided. Now it is on the page, and one of all.
    page = answered(hers, page, **{f"touched-{new.pk}": "keep"})
    assert page.redirect_chain == [("/windows/", 302)]
    assert list(Session.objects.order_by("pk").values_list("status", flat=True)) == ["Pending", "Canceled", "Pending"]


def test_the_first_to_book_meanwhile_is_asked_about_too(hers, maya, tuesdays, alex):
    """The page that said "nobody has booked in it" was true when it was made."""
    window = maya.availabilities.earliest("start_time")
    page = hers.get(f"/windows/{window.pk}/delete/")
    booking.request(maya, alex, utc("5 Jan 18:00"), 30, by=alex.user)
    page = answered(hers, page)
    assert asks(page) == BOTH[:1]
    assert "booked just now" in text(page)
    assert windows(maya) == TWO_TUESDAYS


def test_somebody_who_canceled_meanwhile_is_no_longer_asked_about(hers, maya, booked):
    page = touch(hers, maya, "time off")
    booking.cancel(booked[0], by=booked[0].mentee.user)
    page = answered(hers, page, **{f"touched-{one.pk}": "keep" for one in booked})
    assert shown(page) == ["Saved. Nobody can book this time.", "1 session is kept, at the time agreed."]


TOO_LATE = "Sessions can be canceled until 48 hours before they start. Ask the program's coordinators."


def test_what_cannot_be_canceled_any_more_can_be_kept(hers, maya, booked):
    """The policy holds for what is agreed, and not for a request."""
    Program.objects.update(cancel_until_hours=48)
    page = touch(hers, maya, "time off")
    assert text(page).count(TOO_LATE) == 1
    assert form_in(page)[f"touched-{booked[1].pk}"] == ["keep"]
    assert page.content.decode().count('value="cancel"') == 2
    answered(hers, page, **{"touched-all": "cancel", "touched-reason": "Ill"})
    assert list(Session.objects.order_by("pk").values_list("status", flat=True)) == ["Canceled", "Confirmed"]


@pytest.mark.parametrize("way", WAYS)
def test_too_late_to_cancel_since_the_page_was_made_is_said_and_nothing_has_changed(hers, maya, booked, way):
    page = touch(hers, maya, way)
    Program.objects.update(cancel_until_hours=48)
    before = everything()
    page = answered(hers, page, **{"touched-all": "cancel", "touched-reason": "Ill"})
    assert errors(page) == {"": [TOO_LATE]}
    assert everything() == before
    page = answered(hers, page, **{f"touched-{booked[1].pk}": "keep"})
    assert page.redirect_chain == [("/windows/", 302)]
    assert list(Session.objects.order_by("pk").values_list("status", flat=True)) == ["Canceled", "Confirmed"]


@pytest.mark.parametrize("way", ["hours changed", "time off", "window changed"])
def test_who_goes_back_finds_what_was_typed(hers, maya, booked, way):
    before = everything()
    page = answered(hers, touch(hers, maya, way), back="1", **{"touched-all": "cancel", "touched-reason": "Ill"})
    typed = ways(maya)[way][1]
    assert errors(page) == {}
    assert {name: page.context["form"][name].value() for name in typed} == typed
    assert everything() == before
    # And on again: it is asked anew.
    assert asks(answered(hers, page)) == BOTH


def test_a_change_that_touches_nothing_asks_nothing(hers, maya, booked):
    sent(hers, f"/windows/weekly/{WeeklyHours.objects.get().pk}/", begins="17:00", ends="21:00")
    sent(hers, "/windows/off/add/", first="2027-01-06")
    page = sent(hers, f"/windows/{maya.availabilities.earliest('start_time').pk}/", ends="19:30")
    assert shown(page) == ["Offered. Mentees can book this time now."]
    assert [one.status for one in Session.objects.order_by("pk")] == ["Pending", "Confirmed"]


# ---- for a mentor ---------------------------------------------------------------------------------------------------------


def desk_of(maya) -> str:
    return f"/mentors/{maya.pk}/hours/"


def test_a_coordinator_fills_in_the_hours_of_a_mentor(maya, cora):
    move_to(maya.user, BERLIN)
    coras = at_desk(move_to(cora, NEW_YORK))
    path = f"{desk_of(maya)}weekly/add/"
    page = coras.get(path)
    assert "You change the hours of Maya Lopez." in text(page)
    # Weekly hours are on the mentor's clock; windows and time off are told on the reader's.
    assert "By the clocks of Europe/Berlin." in text(page)
    page = sent(coras, path, weekday=1, begins="18:00", ends="20:00")
    assert page.redirect_chain == [(desk_of(maya), 302)]
    assert windows(maya) == ["Tue 5 Jan 17:00-19:00", "Tue 12 Jan 17:00-19:00"]
    words = text(page)
    assert "Hours of Maya Lopez" in words
    assert "Weekly hours in Europe/Berlin Add weekly hours Tuesdays 18:00–20:00 Edit" in words
    assert "Windows ahead in America/New_York Add a single window Tuesday, 5 January 12:00–14:00 weekly" in words
    sent(coras, f"{desk_of(maya)}off/add/", first="2027-01-05", begins="13:00")
    assert windows(maya)[0] == "Tue 5 Jan 17:00-18:00"
    sent(coras, desk_of(maya), day="2027-01-06", begins="09:00", ends="10:00")
    assert windows(maya)[1] == "Wed 6 Jan 14:00-15:00"
    sent(coras, f"{desk_of(maya)}limits/", week_cap="2")
    assert MentorLimits.objects.get().week_cap == 2


def test_every_link_of_a_coordinators_page_leads_to_that_mentor(maya, cora, booked):
    time_off(maya, "1 Feb 0:00", "2 Feb 0:00")
    page = at_desk(cora).get(desk_of(maya)).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    links = set(re.findall(r'(?:href|action)="([^"#?]+)', main))
    assert {link for link in links if not link.startswith(desk_of(maya))} == {f"/sessions/{one.pk}/" for one in booked}
    assert {at_desk(cora).get(link).status_code for link in links} == {200}


@pytest.mark.parametrize("way", WAYS)
def test_a_coordinator_cancels_for_the_mentor_and_both_are_told(maya, cora, booked, way):
    Program.objects.update(cancel_until_hours=48)
    coras = at_desk(cora)
    page = touch(coras, maya, way, prefix=desk_of(maya))
    assert asks(page) == BOTH
    page = answered(coras, page, **{"touched-all": "cancel", "touched-reason": "Maya is ill."})
    assert page.redirect_chain == [(desk_of(maya), 302)]
    for one in booked:
        one.refresh_from_db()
        assert (one.status, one.ended_by, one.acted_for, one.reason) == ("Canceled", cora, maya.user, "Maya is ill.")
        told = one.notices.filter(kind="canceled").values_list("recipient", flat=True)
        assert set(told) == {maya.pk, one.mentee_id}


def test_the_hours_of_who_left_are_there_to_be_seen(maya, cora, tuesdays):
    User.objects.filter(pk=maya.pk).update(is_active=False)
    page = at_desk(cora).get(desk_of(maya))
    assert "Maya Lopez does not take part any more: nobody can book them." in text(page)


def test_a_coordinator_who_mentors_has_hours_like_anybody(maya, cora):
    cora_mentors = at_desk(cora)
    assert shown(cora_mentors.get("/windows/", follow=True)) == [
        "Only mentors offer time. You can become one on your profile page."
    ]
    cora_mentors.post("/join/", {"role": "mentor"})
    for path in ("/windows/", f"/mentors/{cora.pk}/hours/"):
        page = cora_mentors.get(path)
        assert (page.status_code, "You change the hours of" in text(page)) == (200, False)


# ---- whose rows -----------------------------------------------------------------------------------------------------------


def addresses(maya) -> list[str]:
    """Every page about a row of Maya's, without what it begins with."""
    hours, off = WeeklyHours.objects.get(mentor=maya), TimeOff.objects.get(mentor=maya)
    window = maya.availabilities.earliest("start_time")
    rows = [f"weekly/{hours.pk}/", f"off/{off.pk}/", f"{window.pk}/"]
    return [*rows, *(f"{row}delete/" for row in rows)]


@pytest.fixture
def hers_and_his(maya, omar, booked):
    time_off(maya, "1 Feb 0:00", "2 Feb 0:00")
    hours_of(omar, weekday=3)
    return addresses(maya)


def test_another_mentors_rows_do_not_exist(hers_and_his, maya, omar, cora):
    before = everything()
    for browser, prefix in ((at_desk(omar.user), "/windows/"), (at_desk(cora), desk_of(omar))):
        for path in hers_and_his:
            assert browser.get(prefix + path).status_code == 404, path
            assert browser.post(prefix + path, {"touched-asked": "1"}).status_code == 404, path
    assert everything() == before
    # They could be seen.
    assert {at_desk(maya.user).get(f"/windows/{path}").status_code for path in hers_and_his} == {200}
    assert {at_desk(cora).get(desk_of(maya) + path).status_code for path in hers_and_his} == {200}


@pytest.mark.parametrize("who", ["maya", "omar", "alex", "zoe", "clerk", "left"])
def test_only_who_acts_for_the_program_finds_a_mentors_pages(request, hers_and_his, maya, person, cora, who):
    if who == "clerk":
        stranger = person("Vic Stone", is_staff=True)
    elif who == "left":
        stranger = cora
    else:
        stranger = request.getfixturevalue(who).user
    browser, before = at_desk(stranger), everything()
    if who == "left":
        User.objects.filter(pk=cora.pk).update(is_active=False)
    for path in ["", "limits/", "add/", "weekly/add/", "off/add/", *hers_and_his]:
        for answer in (browser.get(desk_of(maya) + path), browser.post(desk_of(maya) + path, {"touched-asked": "1"})):
            assert answer.status_code == (302 if who == "left" else 404), path
            assert "/accounts/login/" in answer.get("Location", "/accounts/login/")
    assert everything() == before


def test_a_mentor_who_does_not_exist_has_no_pages(cora):
    for path in ("/mentors/99999999999999999999/hours/", "/mentors/1/hours/", f"/mentors/{cora.pk}/hours/"):
        assert at_desk(cora).get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["", "add/", "limits/", "weekly/add/", "off/add/", "weekly/1/", "off/1/delete/", "1/", "1/delete/"]
)
def test_only_mentors_have_hours(client, alex, path):
    assert client.get(f"/windows/{path}").url == f"/accounts/login/?next=/windows/{path}"
    assert client.get(f"/mentors/1/hours/{path}").url == f"/accounts/login/?next=/mentors/1/hours/{path}"
    page = at_desk(alex.user).post(f"/windows/{path}", follow=True)
    assert shown(page) == ["Only mentors offer time. You can become one on your profile page."]


# ---- two at a time --------------------------------------------------------------------------------------------------------

LATER = "Nothing of yours was saved: open the page anew, and make your change again."


def other_changes(maya):
    """Address -> what is typed there, and how somebody else changes the same row meanwhile."""
    hours, off = WeeklyHours.objects.get(), TimeOff.objects.get()
    window = maya.availabilities.earliest("start_time")

    def change(row, **values):
        return lambda: type(row).objects.filter(pk=row.pk).update(**values)

    return {
        f"/windows/weekly/{hours.pk}/": ({"begins": "17:00"}, change(hours, ends=time(21))),
        f"/windows/off/{off.pk}/": ({"note": "Away"}, change(off, end_time=utc("3 Feb 0:00"))),
        f"/windows/{window.pk}/": ({"begins": "17:00"}, change(window, end_time=utc("5 Jan 21:00"))),
    }


@pytest.mark.parametrize("which", [0, 1, 2])
def test_of_two_who_change_a_row_the_second_is_told(hers, maya, tuesdays, which):
    time_off(maya, "1 Feb 0:00", "2 Feb 0:00")
    path, (typed, change) = list(other_changes(maya).items())[which]
    form = form_in(hers.get(path))
    change()
    before = everything()
    for _ in range(2):
        page = sent(hers, path, form, **typed)
        assert errors(page) == {"": [f"Somebody changed this meanwhile. {LATER}"]}
        assert {name: page.context["form"][name].value() for name in typed} == typed
    assert everything() == before
    assert sent(hers, path, **typed).redirect_chain == [("/windows/", 302)]


def test_who_decides_about_sessions_meanwhile_is_told_as_well(hers, maya, booked):
    page = touch(hers, maya, "hours changed")
    WeeklyHours.objects.update(ends=time(20, 30))
    before = everything()
    page = answered(hers, page, **{"touched-all": "cancel", "touched-reason": "Ill"})
    assert errors(page) == {"": [f"Somebody changed this meanwhile. {LATER}"]}
    assert everything() == before


@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_somebody_changed_meanwhile_is_not_removed_unseen(hers, maya, tuesdays, which):
    time_off(maya, "1 Feb 0:00", "2 Feb 0:00")
    path, (_, change) = list(other_changes(maya).items())[which]
    page = hers.get(f"{path}delete/")
    change()
    before = everything()
    page = answered(hers, page)
    assert "Somebody changed this meanwhile." in text(page)
    assert "until 21:00" not in text(page)
    assert everything() == before
    # It shows what is there now, and asks again.
    page = answered(hers, page)
    assert page.redirect_chain == [("/windows/", 302)]


@pytest.mark.parametrize("path", ["weekly/{}/", "off/{}/", "{}/", "weekly/{}/delete/", "off/{}/delete/", "{}/delete/"])
def test_what_is_gone_is_said_to_be_gone(hers, path):
    for answer in (hers.get, hers.post):
        page = answer(f"/windows/{path.format(12345)}", follow=True)
        assert page.redirect_chain == [("/windows/", 302)]
        assert shown(page) == ["This is not there any more: somebody changed the hours meanwhile. Nothing was changed now."]


# ---- a look before it is saved ----------------------------------------------------------------------------------------


def test_a_preview_shows_the_windows_that_come_and_saves_nothing_yet(hers, maya):
    Program.objects.update(weeks_ahead=10)
    form = form_in(hers.get("/windows/weekly/add/"))
    form |= {"weekday": ["1"], "begins": ["18:00"], "ends": ["20:00"], "preview": ["1"]}
    page = hers.post("/windows/weekly/add/", form)
    words = text(page)
    assert "Add weekly hours? Weekly hours Tuesdays 18:00–20:00 No booked session is touched." in words
    assert "Windows that come in UTC Tue 5 Jan 2027, 18:00–20:00 Tue 12 Jan 2027, 18:00–20:00" in words
    assert "Tue 23 Feb 2027, 18:00–20:00 and 2 more" in words
    assert not WeeklyHours.objects.exists()
    assert windows(maya) == []
    # Back keeps what was typed; the button saves it.
    again = answered(hers, page, back="1")
    assert (again.context["form"]["begins"].value(), WeeklyHours.objects.exists()) == ("18:00", False)
    page = answered(hers, page)
    assert (shown(page), WeeklyHours.objects.count()) == (["Saved. Mentees can book these hours."], 1)
    assert maya.availabilities.count() == 10


def test_a_preview_shows_what_goes_and_the_sessions_touched(hers, maya, booked, tuesdays):
    form = form_in(hers.get("/windows/off/add/")) | {"first": ["2027-01-05"], "preview": ["1"]}
    page = hers.post("/windows/off/add/", form)
    assert asks(page) == ["Alex Johnson Tue 18:00", "Bo Lindqvist Tue 19:00"]
    assert "Windows that go in UTC Tue 5 Jan 2027, 18:00–20:00" in text(page)
    assert "Windows that come" not in text(page)
    assert not TimeOff.objects.exists()


def test_what_is_touched_is_shown_with_the_windows_without_a_preview_too(hers, booked, tuesdays):
    page = sent(hers, f"/windows/weekly/{tuesdays.pk}/", begins="19:00")
    words = text(page)
    assert asks(page) == ["Alex Johnson Tue 18:00"]
    assert "Windows that come in UTC Tue 5 Jan 2027, 19:00–20:00 Tue 12 Jan 2027, 19:00–20:00" in words
    assert "Windows that go in UTC Tue 5 Jan 2027, 18:00–20:00 Tue 12 Jan 2027, 18:00–20:00" in words


# ---- limits ---------------------------------------------------------------------------------------------------------------


def test_a_mentor_sees_what_the_program_has_and_sets_her_own(hers, maya):
    Program.objects.update(mentor_week_cap=5, buffer_minutes=10)
    words = text(hers.get("/windows/limits/"))
    assert "Requests that wait for an answer count. Empty: as the program has it, 5." in words
    assert "Empty: as the program has it, 10." in words
    said = "Limits Sessions a week 5 Free before and after each 10 minutes Paused no"
    assert said in text(hers.get("/windows/"))
    page = sent(hers, "/windows/limits/", week_cap="3", buffer_minutes="15", paused_until_on="2027-01-10")
    assert (page.redirect_chain, shown(page)) == ([("/windows/", 302)], ["Saved."])
    limits = MentorLimits.objects.values().get()
    assert limits == {"mentor_id": maya.pk, "week_cap": 3, "buffer_minutes": 15, "paused_until_on": date(2027, 1, 10)}
    words = text(page)
    assert "Sessions a week 3 (the program: 5) Free before and after each 15 minutes (the program: 10 minutes)" in words
    assert "No new requests until Sun 10 Jan 2027: from that day on these times can be booked again." in words
    # And as the program has it again.
    page = sent(hers, "/windows/limits/", week_cap="", buffer_minutes="", paused_until_on="")
    assert said in text(page)
    assert MentorLimits.objects.values_list("week_cap", "buffer_minutes", "paused_until_on").get() == (None, None, None)


def test_no_limit_of_the_programs_is_called_so(hers):
    assert "Empty: as the program has it, no limit." in text(hers.get("/windows/limits/"))
    assert "Sessions a week no limit" in text(hers.get("/windows/"))


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ({"week_cap": "0"}, {"week_cap": ["To take no requests for a while, choose a day under “No new requests until”."]}),
        ({"week_cap": "-1"}, {"week_cap": ["Ensure this value is greater than or equal to 0."]}),
        ({"week_cap": "99999999"}, {"week_cap": ["A week has no room for so many. Empty means: as the program has it."]}),
        ({"buffer_minutes": "241"}, {"buffer_minutes": ["Ensure this value is less than or equal to 240."]}),
        ({"paused_until_on": "2027-01-04"}, {"paused_until_on": ["This day is in the past."]}),
        ({"paused_until_on": "2028-02-01"}, {"paused_until_on": ["Choose a day within the next year."]}),
    ],
)
def test_limits_that_cannot_be_are_refused(hers, typed, refused):
    assert errors(sent(hers, "/windows/limits/", **typed)) == refused
    assert not MentorLimits.objects.exists()


def test_a_pause_that_is_over_is_in_nobodys_way(hers, maya):
    MentorLimits.objects.create(mentor=maya, paused_until_on=date(2027, 1, 4))
    page = hers.get("/windows/")
    assert (page.context["paused_until"], "Paused no" in text(page)) == (None, True)
    sent(hers, "/windows/limits/", week_cap="2")
    assert MentorLimits.objects.values_list("week_cap", "paused_until_on").get() == (2, None)


def test_a_look_at_the_limits_writes_nothing(hers):
    assert hers.get("/windows/limits/").status_code == hers.get("/windows/pause/").status_code == 200
    assert not MentorLimits.objects.exists()


def test_limits_filled_in_twice_at_a_time_are_told_apart(hers, maya, cora):
    form = form_in(hers.get("/windows/limits/"))
    sent(at_desk(cora), f"{desk_of(maya)}limits/", week_cap="2")
    page = sent(hers, "/windows/limits/", form, week_cap="4")
    assert errors(page) == {"": [f"Somebody changed this meanwhile. {LATER}"]}
    assert MentorLimits.objects.get().week_cap == 2


# ---- on a phone -----------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_mentor_takes_a_day_off_on_a_phone_without_javascript(browser, live_server, maya, alex):
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}/accounts/login/")
    page.locator("[name=login]").fill(maya.user.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()

    def fits():
        return page.locator("body").bounding_box()["width"] <= 360 and page.locator("main").bounding_box()["width"] <= 360

    page.get_by_role("link", name="My hours").click()
    page.get_by_role("link", name="Add weekly hours").click()
    page.get_by_label("Day", exact=True).select_option("Tuesday")
    page.get_by_label("From").fill("18:00")
    page.get_by_label("To", exact=True).fill("20:00")
    assert fits()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Tuesdays 18:00–20:00").first.wait_for()
    assert fits()

    window = Availability.objects.filter(start_time__gt=timezone.now()).earliest("start_time")
    booking.request(maya, alex, window.start_time, 30, by=alex.user)
    page.get_by_role("link", name="Take time off").click()
    page.get_by_label("First day off").fill(f"{window.start_time:%Y-%m-%d}")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("heading", name="This touches 1 booked session").wait_for()
    assert fits()
    page.get_by_role("button", name="Back, change nothing").click()
    page.get_by_label("Note").fill("At my sister's")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Cancel it").check()
    page.get_by_label("Why are they canceled?").fill("I am away.")
    page.get_by_role("button", name="Take time off").click()
    page.get_by_text("1 session is canceled. We tell the mentee by mail.").wait_for()
    assert fits()
    assert Session.objects.values_list("status", "reason").get() == ("Canceled", "I am away.")
    assert TimeOff.objects.get().note == "At my sister's"
    context.close()
