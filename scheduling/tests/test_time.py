"""Whose clock? The nights on which the clocks change, the weeks in which only one side has changed, and zones that are gone."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.mail import get_connection
from django.http import QueryDict
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSplitDateTimeVerticalWidget

from people.models import User
from scheduling import booking
from scheduling.composing import book_path, compose
from scheduling.models import Availability, Notice, Program, Session
from scheduling.moments import AsksWhich, LocalDateTimeField, WhichField, day_begins, local_instant
from scheduling.slots import Period
from scheduling.words import Kind

pytestmark = pytest.mark.django_db

BERLIN, NEW_YORK, KATHMANDU, AUCKLAND = "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"
HOUR = timedelta(hours=1)


def utc(*parts) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def living_in():
    """A function that puts somebody into a zone: living_in("Asia/Kathmandu", alex)."""

    def put(zone, role):
        User.objects.filter(pk=role.pk).update(time_zone=zone)
        role.user.refresh_from_db()
        return role.user

    return put


@pytest.fixture
def as_user(client):
    def log_in(user):
        client.force_login(user)
        return client

    return log_in


def text(response) -> str:
    """What a page says: no markup, one space between words."""
    words = " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())
    return words.replace(" .", ".")


def offer(browser, day, begins, ends, **more):
    return browser.post("/windows/", {"day": f"{day:%Y-%m-%d}", "begins": begins, "ends": ends} | more, follow=True)


def errors(response) -> dict[str, list[tuple[str, str]]]:
    """Field -> sentence and code of each refusal."""
    data = response.context["form"].errors.as_data()
    return {name: [(error.messages[0], error.code) for error in found] for name, found in data.items()}


# ---- a moment -----------------------------------------------------------------------------------------------------------

# Zone -> the time that is skipped, the time that happens twice, and when it does.
NIGHTS = {
    BERLIN: (
        (date(2027, 3, 28), time(2, 30)),
        (date(2027, 10, 31), time(2, 30)),
        (utc(2027, 10, 31, 0, 30), utc(2027, 10, 31, 1, 30)),
    ),
    NEW_YORK: (
        (date(2027, 3, 14), time(2, 30)),
        (date(2027, 11, 7), time(1, 30)),
        (utc(2027, 11, 7, 5, 30), utc(2027, 11, 7, 6, 30)),
    ),
    AUCKLAND: (
        (date(2027, 9, 26), time(2, 30)),
        (date(2027, 4, 4), time(2, 30)),
        (utc(2027, 4, 3, 13, 30), utc(2027, 4, 3, 14, 30)),
    ),
    # By half an hour.
    "Australia/Lord_Howe": (
        (date(2027, 10, 3), time(2, 15)),
        (date(2027, 4, 4), time(1, 45)),
        (utc(2027, 4, 3, 14, 45), utc(2027, 4, 3, 15, 15)),
    ),
}


@pytest.mark.parametrize("zone", NIGHTS)
def test_a_time_is_a_moment_unless_the_clocks_skip_it_or_show_it_twice(zone):
    skipped, twice, moments = NIGHTS[zone]

    def refusal(wall):
        with pytest.raises(ValidationError) as refused:
            local_instant(*wall)
        return refused.value.code

    with timezone.override(zone):
        assert (refusal(skipped), refusal(twice)) == ("does_not_exist", "happens_twice")
        assert tuple(local_instant(*twice, which=which) for which in ("first", "second")) == moments
        for which in ("", "third"):
            with pytest.raises(ValidationError) as refused:
                local_instant(*twice, which=which)
            assert refused.value.code == "happens_twice"
        with pytest.raises(ValidationError) as refused:
            local_instant(*skipped, which="first")
        assert refused.value.code == "does_not_exist"
        # Any other time is what the clocks say, whatever was chosen.
        noon = datetime(2027, 7, 1, 12, tzinfo=ZoneInfo(zone))
        assert local_instant(noon.date(), noon.time(), which="second") == noon
        assert local_instant(noon.date(), noon.time()).tzinfo is UTC


def test_a_zone_that_never_changes_asks_nothing():
    with timezone.override(KATHMANDU):
        for day in (date(2027, 3, 28), date(2027, 10, 31)):
            assert local_instant(day, time(2, 30)) == datetime.combine(day - timedelta(days=1), time(20, 45), UTC)


@pytest.mark.parametrize("day", [date.min, date(1999, 12, 31), date(2201, 1, 1), date.max])
def test_the_ends_of_the_calendar_are_refused(day):
    with timezone.override(AUCKLAND), pytest.raises(ValidationError) as refused:
        local_instant(day, time(0, 0))
    assert refused.value.code == "too_far"


def test_a_day_begins_where_its_midnight_is_skipped_or_happens_twice():
    with timezone.override("America/Santiago"):  # 0:00 is 1:00
        assert day_begins(date(2027, 9, 5)) == datetime(2027, 9, 5, 1, tzinfo=ZoneInfo("America/Santiago"))
    with timezone.override("America/Havana"):  # 1:00 is 0:00 again
        begins, first_one = day_begins(date(2027, 11, 7)), datetime(2027, 11, 7, 1, tzinfo=ZoneInfo("America/Havana"))
        assert first_one.astimezone(UTC) - begins == 2 * HOUR


# ---- offering time on such a night ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [(BERLIN, date(2027, 3, 28), "01:00", "04:00"), (NEW_YORK, date(2027, 3, 14), "01:00", "04:00")],
)
def test_a_time_the_clocks_skip_is_refused(as_user, living_in, maya, time_machine, zone, day, begins, ends):
    time_machine.move_to(utc(2027, 3, 1, 12))
    browser = as_user(living_in(zone, maya))
    said = f"02:30 on {day:%a} {day.day} Mar 2027 does not exist in {zone}: the clocks go forward then. "
    sentence = (said + "Choose a time before or after it.", "does_not_exist")
    assert errors(offer(browser, day, "02:30", ends)) == {"begins": [sentence]}
    assert errors(offer(browser, day, begins, "02:30")) == {"ends": [sentence]}
    assert not Availability.objects.exists()
    offer(browser, day, begins, ends)
    assert Availability.objects.get().period.minutes == 2 * 60


OVERLAPS = [
    (BERLIN, date(2027, 10, 31), "02:30", ("CEST, UTC+2", "CET, UTC+1")),
    (NEW_YORK, date(2027, 11, 7), "01:30", ("EDT, UTC−4", "EST, UTC−5")),
]


@pytest.mark.parametrize(("zone", "day", "twice", "offsets"), OVERLAPS)
@pytest.mark.parametrize("field", ["begins", "ends"])
def test_a_time_that_happens_twice_is_asked_about(as_user, living_in, maya, time_machine, zone, day, twice, offsets, field):
    time_machine.move_to(utc(2027, 10, 1, 12))
    browser = as_user(living_in(zone, maya))
    assert [name for name in browser.get("/windows/").context["form"].fields if "which" in name] == []

    typed = {"begins": "00:30", "ends": "05:00"} | {field: twice}
    page = offer(browser, day, **typed)
    sentence = f"{twice} on {day:%a} {day.day} {day:%b %Y} happens twice in {zone}: choose which one is meant."
    assert errors(page) == {field: [(sentence, "happens_twice")]}
    form = page.context["form"]
    assert [name for name in form.fields if "which" in name] == [f"which_{field}"]
    assert form.fields[f"which_{field}"].choices == [
        ("first", f"Before the clocks go back ({offsets[0]})"),
        ("second", f"After the clocks go back ({offsets[1]})"),
    ]
    assert {name: form[name].value() for name in typed} == typed
    assert f"Which {twice} is meant?" in text(page)
    assert not Availability.objects.exists()

    for which, moment in zip(("first", "second"), NIGHTS[zone][2], strict=True):
        offer(browser, day, **typed, **{f"which_{field}": which})
        window = Availability.objects.get()
        assert (window.start_time if field == "begins" else window.end_time) == moment
        window.delete()


def test_the_question_stands_after_the_time_it_is_about_and_goes_with_it(as_user, living_in, maya, time_machine):
    time_machine.move_to(utc(2027, 10, 1, 12))
    browser, day = as_user(living_in(BERLIN, maya)), date(2027, 10, 31)
    page = offer(browser, day, "02:00", "02:30")
    assert list(page.context["form"].fields) == ["day", "begins", "which_begins", "ends", "which_ends"]
    assert list(errors(page)) == ["begins", "ends"]
    # One answered, the other not: what was answered is kept.
    page = offer(browser, day, "02:00", "02:30", which_begins="second")
    assert list(errors(page)) == ["ends"]
    assert re.search(r'value="second"[^>]*checked', page.content.decode())
    # Half past the first two o'clock comes before the second one.
    page = offer(browser, day, "02:00", "02:30", which_begins="second", which_ends="first")
    assert page.context["form"].non_field_errors() == ["The end must come after the start."]
    # The window ends where its hour begins, by what the clocks show; it lasts half an hour.
    page = offer(browser, day, "02:30", "02:00", which_begins="first", which_ends="second")
    assert Availability.objects.get().period == Period.of(utc(2027, 10, 31, 0, 30), 30)
    # Another day: nothing is asked, and an old answer counts for nothing.
    page = offer(browser, day - timedelta(days=7), "02:30", "03:00", which_begins="second")
    assert not errors(page)
    assert list(page.context["form"].fields) == ["day", "begins", "ends"]
    assert Availability.objects.earliest("start_time").period == Period.of(utc(2027, 10, 24, 0, 30), 30)


def test_a_question_is_kept_while_something_else_is_wrong(as_user, living_in, maya, time_machine):
    time_machine.move_to(utc(2027, 10, 1, 12))
    page = offer(as_user(living_in(BERLIN, maya)), date(2027, 10, 31), "02:30", "soon", which_begins="first")
    assert list(errors(page)) == ["ends"]
    assert page.context["form"]["which_begins"].value() == "first"


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends", "which", "hours"),
    [
        (BERLIN, date(2027, 3, 28), "00:00", "06:00", {}, 5),
        (BERLIN, date(2027, 3, 28), "00:00", "00:00", {}, 23),
        (BERLIN, date(2027, 10, 31), "01:00", "06:00", {}, 6),
        (BERLIN, date(2027, 10, 31), "02:30", "06:00", {"which_begins": "first"}, 4.5),
        (BERLIN, date(2027, 10, 31), "02:30", "06:00", {"which_begins": "second"}, 3.5),
        (BERLIN, date(2027, 10, 31), "02:00", "02:30", {"which_begins": "first", "which_ends": "second"}, 1.5),
        (NEW_YORK, date(2027, 3, 14), "00:00", "06:00", {}, 5),
        (NEW_YORK, date(2027, 11, 7), "00:00", "06:00", {}, 7),
        (NEW_YORK, date(2027, 11, 7), "01:30", "06:00", {"which_begins": "first"}, 5.5),
        (NEW_YORK, date(2027, 11, 7), "01:30", "06:00", {"which_begins": "second"}, 4.5),
        (NEW_YORK, date(2027, 11, 7), "00:00", "01:30", {"which_ends": "second"}, 2.5),
    ],
)
def test_a_night_has_as_many_slots_as_it_has_hours(
    as_user, living_in, maya, time_machine, zone, day, begins, ends, which, hours
):
    time_machine.move_to(datetime.combine(day - timedelta(days=3), time(12), UTC))
    offer(as_user(living_in(zone, maya)), day, begins, ends, **which)
    slots = booking.slots(maya, 30, until=timezone.now() + timedelta(days=7))
    assert len(slots) == 2 * hours
    # One after the other, without a gap or an overlap.
    assert [one.end for one in slots[:-1]] == [other.start for other in slots[1:]]


def test_both_times_of_the_night_can_be_booked(living_in, as_user, maya, alex, bo, time_machine):
    time_machine.move_to(utc(2027, 10, 28, 12))
    offer(as_user(living_in(BERLIN, maya)), date(2027, 10, 31), "02:00", "04:00", which_begins="first")
    for mentee, moment in ((alex, utc(2027, 10, 31, 0, 30)), (bo, utc(2027, 10, 31, 1, 30))):
        browser = as_user(living_in(BERLIN, mentee))
        path = book_path(maya.pk, Period.of(moment, 30))
        form = browser.get(path).context["form"]
        browser.post(path, {field.html_name: field.value() or "" for field in form})
    booked = Session.objects.order_by("start_time").values_list("mentee__user__first_name", "start_time")
    assert list(booked) == [("Alex", utc(2027, 10, 31, 0, 30)), ("Bo", utc(2027, 10, 31, 1, 30))]


# ---- a day and a time in one field, as in the admin -----------------------------------------------------------------------


class AdminLikeForm(AsksWhich, forms.ModelForm):
    """The shape of the admin's form: a place for the question, and Unfold's widgets."""

    start_time = LocalDateTimeField(widget=UnfoldAdminSplitDateTimeVerticalWidget)
    which_start_time = WhichField(asks_with=UnfoldAdminRadioSelectWidget)

    class Meta:
        model = Session
        fields = ("start_time",)


def filled_in(day, at, which="") -> AdminLikeForm:
    query = f"start_time_0={day}&start_time_1={at}&which_start_time={which}"
    return AdminLikeForm(QueryDict(query))


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
def test_a_form_with_a_fixed_place_for_the_question_asks_there(zone):
    skipped, twice, moments = NIGHTS[zone]
    with timezone.override(zone):
        assert AdminLikeForm()["which_start_time"].is_hidden
        form = filled_in(*skipped)
        assert [error.code for error in form.errors.as_data()["start_time"]] == ["does_not_exist"]
        assert form["which_start_time"].is_hidden
        form = filled_in(*twice)
        assert list(form.errors) == ["start_time"]
        assert [error.code for error in form.errors.as_data()["start_time"]] == ["happens_twice"]
        assert not form["which_start_time"].is_hidden
        assert str(form["which_start_time"]).count('type="radio"') == 2
        for which, moment in zip(("first", "second"), moments, strict=True):
            form = filled_in(*twice, which)
            assert form.is_valid(), form.errors
            assert form.cleaned_data["start_time"] == form.instance.start_time == moment
        form = filled_in("2027-07-01", "12:00:00", "second")
        assert form.is_valid()
        assert form.instance.start_time == datetime(2027, 7, 1, 12, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(("day", "at"), [("", ""), ("2027-07-01", ""), ("2027-07-01", "25:00"), ("soon", "12:00")])
def test_half_a_moment_is_refused(day, at):
    assert list(filled_in(day, at).errors) == ["start_time"]


# ---- the weeks in which only one side has changed -------------------------------------------------------------------------


SPRING = [date(2027, 3, 9), date(2027, 3, 16), date(2027, 3, 23), date(2027, 3, 30), date(2027, 4, 6)]
AUTUMN = [date(2027, 10, 26), date(2027, 11, 2), date(2027, 11, 9)]


@pytest.mark.parametrize(
    ("zone", "days", "begins"),
    [
        # Berlin's 18:00. New York changes on 14 March and 7 November, Berlin on 28 March and 31 October.
        (BERLIN, SPRING, ["Tue 18:00", "Tue 18:00", "Tue 18:00", "Tue 18:00", "Tue 18:00"]),
        (NEW_YORK, SPRING, ["Tue 12:00", "Tue 13:00", "Tue 13:00", "Tue 12:00", "Tue 12:00"]),
        (KATHMANDU, SPRING, ["Tue 22:45", "Tue 22:45", "Tue 22:45", "Tue 21:45", "Tue 21:45"]),
        # Auckland leaves summer on 4 April.
        (AUCKLAND, SPRING, ["Wed 06:00", "Wed 06:00", "Wed 06:00", "Wed 05:00", "Wed 04:00"]),
        (BERLIN, AUTUMN, ["Tue 18:00", "Tue 18:00", "Tue 18:00"]),
        (NEW_YORK, AUTUMN, ["Tue 12:00", "Tue 13:00", "Tue 12:00"]),
        (KATHMANDU, AUTUMN, ["Tue 21:45", "Tue 22:45", "Tue 22:45"]),
        (AUCKLAND, AUTUMN, ["Wed 05:00", "Wed 06:00", "Wed 06:00"]),
    ],
)
def test_a_mentee_sees_a_tuesday_evening_in_berlin(as_user, living_in, maya, alex, time_machine, zone, days, begins):
    time_machine.move_to(datetime.combine(days[0] - timedelta(days=4), time(12), UTC))
    mentor = as_user(living_in(BERLIN, maya))
    for day in days:
        offer(mentor, day, "18:00", "20:00")
    mentee = as_user(living_in(zone, alex))
    page = mentee.get(f"/mentors/{maya.pk}/?weeks=8&minutes=60")
    assert f"Free times in {zone}" in text(page)
    # What the page itself says, in its order: three hours to choose from each evening, some of them past midnight.
    shown = re.findall(r"(\d+ \w+) at (\d\d:\d\d)", text(page))
    assert len(shown) == 3 * len(days)
    starts = [datetime.strptime(f"2027 {day} {at}", "%Y %d %B %H:%M") for day, at in shown]  # noqa: DTZ007  as the page shows it
    assert [f"{start:%a %H:%M}" for start in starts[::3]] == begins
    assert [later - start for start, later in zip(starts[::3], starts[2::3], strict=True)] == [HOUR] * len(days)


@pytest.mark.parametrize(
    ("zone", "day", "here", "there"),
    [
        (NEW_YORK, date(2027, 3, 9), "Tue 9 Mar 2027, 12:00–13:00", "Tue 9 Mar 2027, 18:00–19:00"),
        (NEW_YORK, date(2027, 3, 16), "Tue 16 Mar 2027, 13:00–14:00", "Tue 16 Mar 2027, 18:00–19:00"),
        (NEW_YORK, date(2027, 3, 30), "Tue 30 Mar 2027, 12:00–13:00", "Tue 30 Mar 2027, 18:00–19:00"),
        (NEW_YORK, date(2027, 11, 2), "Tue 2 Nov 2027, 13:00–14:00", "Tue 2 Nov 2027, 18:00–19:00"),
        (KATHMANDU, date(2027, 3, 16), "Tue 16 Mar 2027, 22:45–23:45", "Tue 16 Mar 2027, 18:00–19:00"),
        (AUCKLAND, date(2027, 3, 16), "Wed 17 Mar 2027, 06:00–07:00", "Tue 16 Mar 2027, 18:00–19:00"),
    ],
)
def test_mentor_and_mentee_each_read_both_times(as_user, living_in, maya, alex, time_machine, zone, day, here, there):
    time_machine.move_to(datetime.combine(day - timedelta(days=4), time(12), UTC))
    mentor, mentee = living_in(BERLIN, maya), living_in(zone, alex)
    offer(as_user(mentor), day, "18:00", "20:00")
    [slot, *_] = booking.slots(maya, 60, until=timezone.now() + timedelta(days=7))
    session = booking.request(maya, alex, slot.start, 60, by=mentee)
    for reader, other, mine, theirs in (
        (mentor, mentee, f"{there} (Europe/Berlin)", f"{here} ({zone})"),
        (mentee, mentor, f"{here} ({zone})", f"{there} (Europe/Berlin)"),
    ):
        page = text(as_user(reader).get(f"/sessions/{session.pk}/"))
        assert f"When {mine} For {other} {theirs}" in page
        message = mail(session, reader, "confirmed")
        assert f"When: {mine}\nFor {other}: {theirs}\nWith: {other}\n" in message.body
        assert mine.split("–")[0] in message.subject


# ---- every page and every mail names the zone -----------------------------------------------------------------------------


MAILS = Kind.values
LOST = f"Your time zone “Mars/Olympus” is not known any more: times are shown in {BERLIN}, the program’s zone."


def mail(session, recipient, kind):
    return compose(Notice(session=session, recipient=recipient, kind=kind, start_time=session.start_time), get_connection())


def addresses(resolver=None, before="") -> dict[str, str]:
    """Name -> pattern of every page outside of the admin, whoever may see it."""
    found = {}
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found[entry.name] = route
        elif not route.startswith(("admin/", "api/")):
            found |= addresses(entry, route)
    return found


def pages_of(browser, session, start) -> dict[str, str]:
    """Name of each page that opens for this reader -> what it says. Tries every number and verb there is in the addresses."""
    numbers = {session.pk, session.mentor_id, session.mentee_id, *Availability.objects.values_list("pk", flat=True)}
    guesses = [{}, *({"pk": number} for number in numbers), *({"pk": session.pk, "verb": verb} for verb in booking.VERBS)]
    said = {}
    for name in filter(None, addresses()):
        for guess in guesses:
            try:
                path = reverse(name, kwargs=guess)
            except NoReverseMatch:
                continue
            page = browser.get(path, {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "minutes": 30})
            if page.status_code == 200 and page["Content-Type"].startswith("text/html"):
                said[name] = text(page)
    return said


EVERYBODYS = {"home", "sessions", "session", "session_verb", "mentors", "mentor", "profile"} | {
    "account_email",
    "account_change_password",
    "account_logout",
}
PAGES = {"maya": EVERYBODYS | {"windows", "window_delete"}, "alex": EVERYBODYS | {"book"}}


@pytest.mark.parametrize("who", PAGES)
@pytest.mark.parametrize("zone", [KATHMANDU, AUCKLAND, ""])
def test_every_page_names_the_zone_of_its_times(request, as_user, living_in, session, monday, who, zone):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": BERLIN})
    reader = living_in(zone, request.getfixturevalue(who))
    said = pages_of(as_user(reader), session, monday + HOUR)
    assert set(said) >= PAGES[who]
    assert [name for name, words in said.items() if f"Times are in {zone or BERLIN}. Change" not in words] == []
    assert [name for name, words in said.items() if "is not known any more" in words] == []


@pytest.mark.parametrize("who", PAGES)
def test_every_page_says_that_the_readers_zone_is_gone(request, as_user, living_in, session, monday, who):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": BERLIN})
    reader = living_in("Mars/Olympus", request.getfixturevalue(who))
    said = pages_of(as_user(reader), session, monday + HOUR)
    assert set(said) >= PAGES[who]
    told = LOST + " Choose yours on your profile page."
    assert [name for name, words in said.items() if told not in words or f"Times are in {BERLIN}." not in words] == []


@pytest.mark.parametrize("kind", MAILS)
@pytest.mark.parametrize("who", ["mentor", "mentee"])
def test_every_mail_names_the_zones_of_its_times(living_in, session, maya, alex, monday, kind, who):
    session.mentor.user, session.mentee.user = living_in(KATHMANDU, maya), living_in(AUCKLAND, alex)
    with timezone.override(AUCKLAND):
        far = timezone.localtime(monday)
    near = monday.astimezone(ZoneInfo(KATHMANDU))
    here, there = (near, far) if who == "mentor" else (far, near)
    reader, other = (maya.user, alex.user) if who == "mentor" else (alex.user, maya.user)
    message = mail(session, reader, kind)

    def told(start):
        return f"{start:%a} {start.day} {start:%b %Y, %H:%M}–{start + HOUR / 2:%H:%M} ({start.tzinfo.key})"

    lines = message.body.splitlines()
    assert f"When: {told(here)}" in lines
    assert f"For {other}: {told(there)}" in lines
    assert message.subject.endswith(f"{here:%H:%M} ({here.tzinfo.key})")
    assert "is not known any more" not in message.body


@pytest.mark.parametrize("kind", MAILS)
def test_every_mail_says_that_the_readers_zone_is_gone(living_in, session, maya, alex, kind):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": BERLIN})
    session.mentor.user = living_in("Mars/Olympus", maya)
    lines = mail(session, maya.user, kind).body.splitlines()
    assert lines[lines.index(LOST) + 1] == "Choose yours here: http://127.0.0.1:8000/profile/"
    [when] = [line for line in lines if line.startswith("When: ")]
    assert when.endswith(f"({BERLIN})")
    # Nobody else's business.
    assert "Mars" not in mail(session, alex.user, kind).body


# ---- a zone that is gone --------------------------------------------------------------------------------------------------


def test_a_lost_zone_is_no_markup_and_is_cut(as_user, living_in, alex):
    name = "<b>Mars</b>/" + "Olympus " * 6
    browser = as_user(living_in(name[:64], alex))
    for path in ("/", "/profile/"):
        page = browser.get(path).content.decode()
        assert "“&lt;b&gt;Mars&lt;/b&gt;/Olympus Olympus Olympus Olympus Olympus Olympus”" in page
        assert "<b>Mars" not in page
    living_in("M" * 64, alex)
    assert f"“{'M' * 60}”" in text(browser.get("/"))


def test_where_the_programs_zone_is_gone_as_well_times_are_in_utc(as_user, living_in, alex):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": "Mars/Base"})
    page = text(as_user(living_in("Mars/Olympus", alex)).get("/"))
    assert "“Mars/Olympus” is not known any more: times are shown in UTC. Choose yours" in page
    assert "Times are in UTC." in page


def test_the_admin_says_that_the_readers_zone_is_gone(as_user, living_in, cora, session):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": BERLIN})
    browser = as_user(cora)
    User.objects.filter(pk=cora.pk).update(time_zone="Mars/Olympus")
    pages = [reverse("admin:index"), reverse("admin:scheduling_session_change", args=[session.pk])]
    request = browser.get(pages[0]).wsgi_request
    for model, face in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages += [reverse(f"{name}_changelist")] * face.has_view_permission(request)
        # Imports have their own first page.
        if face.has_add_permission(request) and model._meta.label != "people.Import":
            pages.append(reverse(f"{name}_add"))
    assert len(pages) > 15
    seen = {path: text(browser.get(path, follow=True)) for path in pages}
    assert [path for path, words in seen.items() if LOST not in words or f"Times in {BERLIN}" not in words] == []
    User.objects.filter(pk=cora.pk).update(time_zone=KATHMANDU)
    seen = {path: text(browser.get(path, follow=True)) for path in pages}
    assert [path for path, words in seen.items() if "not known" in words or f"Times in {KATHMANDU}" not in words] == []


def test_a_lost_zone_of_the_program_is_chosen_anew_and_none_is_put_in_its_place(client, person):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": "Mars/Base"})
    client.force_login(person("Sue Super", is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:scheduling_program_change", args=[1]))
    choices = page.context["adminform"].form["time_zone"]
    assert next(iter(choices.subwidgets)).data["value"] == ""
    refused = client.post(page.wsgi_request.path, {"name": "Ours", "time_zone": ""})
    assert refused.context["adminform"].form.errors["time_zone"]
    assert Program.objects.get().time_zone == "Mars/Base"
