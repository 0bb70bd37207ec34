"""Finding a mentor who is free, and hearing why a time cannot be had."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from people.models import Mentor, Skill, User
from scheduling import booking
from scheduling.models import Availability, MentorLimits, Program, Session
from scheduling.sentences import clock, when
from scheduling.slots import Period

pytestmark = pytest.mark.django_db

HERE = ZoneInfo("UTC")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alexs(client, alex):
    """Alex's browser."""
    client.force_login(alex.user)
    return client


def text(page) -> str:
    return " ".join(page.content.decode().split())


def search(browser, **asked):
    """The list, asked as the form does; a day may be given as a moment in it."""
    if isinstance(asked.get("day"), datetime):
        asked["day"] = f"{asked['day']:%Y-%m-%d}"
    return browser.get("/mentors/", asked)


def found(page) -> dict[str, list[str]]:
    """Mentor -> their free times on the card, on the clocks of the page."""
    return {str(card.mentor): [clock(timezone.localtime(slot.start)) for slot, _ in card.free] for card in page.context["page"]}


def errors(page) -> dict[str, list[str]]:
    return {**page.context["form"].errors, **page.context["span"].errors}


# ---- who is free then? ------------------------------------------------------------------------------------------------


def test_who_knows_sql_and_is_free_on_monday_between_nine_and_eleven(alexs, maya, omar, kim, bo, window, monday):
    sql = Skill.objects.create(name="SQL")
    for mentor in (maya, omar):
        mentor.skills.add(sql)
    window(maya)
    window(omar, monday + 5 * HOUR)
    window(kim.mentor)
    booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    page = search(alexs, skill=sql.pk, day=monday, begins="09:00", ends="11:00", minutes=30)
    assert found(page) == {"Maya Lopez": ["09:00", "09:30", "10:30"]}
    assert f"1 mentor who knows SQL, free for 30 minutes on {monday:%A}, {monday.day} {monday:%B}, 09:00–11:00 (UTC)" in text(
        page
    )
    page = search(alexs, day=monday, begins="09:00", ends="11:00", minutes=60)
    assert found(page) == {"Kim Park": ["09:00", "09:30", "10:00"], "Maya Lopez": ["09:00"]}


def test_a_card_has_the_first_times_each_with_the_page_that_asks_for_it(alexs, maya, window, monday):
    window(maya)
    page = search(alexs, day=monday)
    assert found(page) == {"Maya Lopez": ["09:00", "09:30", "10:00"]}
    [(_, href), *_] = page.context["page"][0].free
    assert href.replace("&", "&amp;") in text(page)
    assert alexs.get(href).context["period"] == Period.of(monday, 30)


def test_whoever_books_nothing_sees_the_times_without_links(client, omar, maya, window, monday):
    window(maya)
    client.force_login(omar.user)
    page = search(client, day=monday)
    assert found(page) == {"Maya Lopez": ["09:00", "09:30", "10:00"]}
    assert "/book/" not in text(page)


def test_the_hours_are_those_of_the_readers_zone(alexs, alex, maya, window, monday):
    alex.user.time_zone = "Asia/Tokyo"
    alex.user.save()
    window(maya)  # 18:00 to 21:00 in Tokyo
    with timezone.override("Asia/Tokyo"):
        page = search(alexs, day=monday, begins="17:00", ends="19:00")
        assert found(page) == {"Maya Lopez": ["18:00", "18:30"]}
    assert "Times are in Asia/Tokyo" in text(page)


@pytest.mark.parametrize(
    ("asked", "times"),
    [
        ({}, ["00:30", "09:00"]),
        ({"begins": "08:00"}, ["09:00"]),
        ({"ends": "08:00"}, ["00:30"]),
        ({"begins": "00:00", "ends": "00:00"}, ["00:30", "09:00"]),
        ({"begins": "09:00", "ends": "09:30"}, ["09:00"]),
    ],
)
def test_hours_left_out_are_the_rest_of_the_day(alexs, maya, window, monday, asked, times):
    for start in (monday - 8.5 * HOUR, monday, monday + DAY):
        Availability.objects.create(mentor=maya, start_time=start, end_time=start + HOUR / 2)
    assert found(search(alexs, day=monday, **asked)) == {"Maya Lopez": times}


def test_the_mentees_own_calendar_counts(alexs, alex, maya, omar, window, monday):
    window(maya)
    window(omar, hours=1)
    booking.request(maya, alex, monday, 60, by=alex.user)
    assert found(search(alexs, day=monday)) == {"Maya Lopez": ["10:00", "10:30", "11:00"]}


def test_nobody_free_leads_on(alexs, maya, window, monday):
    skill = Skill.objects.create(name="SQL")
    maya.skills.add(skill)
    window(maya)
    page = search(alexs, skill=skill.pk, day=monday, begins="18:00", ends="20:00")
    assert found(page) == {}
    assert "Nobody is free then" in text(page)
    assert f'href="?skill={skill.pk}">Show mentors at any time' in text(page)


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"day": "someday"}, {"day": ["Enter a valid date."]}),
        ({"day": "1999-01-01"}, {"day": ["This day is in the past."]}),
        ({"day": "9999-12-31"}, {"day": ["Choose a day within the next year."]}),
        ({"begins": "17:00"}, {"day": ["Choose the day, too."]}),
        ({"day": "", "ends": "00:00"}, {"day": ["Choose the day, too."]}),
        ({"day": "monday", "begins": "17:00", "ends": "16:00"}, {"ends": ["The end must come after the start."]}),
        ({"day": "monday", "begins": "17:00", "ends": "17:00"}, {"ends": ["The end must come after the start."]}),
        (
            {"day": "monday", "begins": "17:00", "ends": "17:45", "minutes": 60},
            {"ends": ["A session of this length does not fit in."]},
        ),
        ({"day": "monday", "begins": "25:00"}, {"begins": ["Enter a valid time."]}),
        (
            {"day": "monday", "minutes": 7},
            {"minutes": ["Select a valid choice. 7 is not one of the available choices."]},
        ),
        ({"skill": "999"}, {"skill": ["Select a valid choice. 999 is not one of the available choices."]}),
    ],
)
def test_what_cannot_be_meant_is_said_at_its_field_and_nobody_is_listed(alexs, maya, window, monday, asked, wrong):
    window(maya)
    if asked.get("day") == "monday":
        asked = asked | {"day": monday}
    page = search(alexs, **asked)
    assert (errors(page), page.context["page"]) == (wrong, None)
    assert "Look at what is marked above." in text(page)
    assert list(found(search(alexs))) == ["Maya Lopez"]


# ---- the next free time -----------------------------------------------------------------------------------------------


def test_every_card_says_when_the_mentor_is_free_next(alexs, maya, omar, kim, bo, window, monday):
    window(maya)
    booking.request(maya, bo, monday, 30, by=bo.user)
    window(omar, monday + 28 * DAY)
    page = alexs.get("/mentors/")
    assert found(page) == {"Maya Lopez": ["09:30", "10:00", "10:30"], "Omar Haddad": [], "Kim Park": []}
    assert f"<strong>Free {monday:%a} {monday.day} {monday:%b}, 09:30</strong>" in text(page)
    assert text(page).count("Not free in the next 2 weeks.") == 1
    assert text(page).count("Offers no time at the moment.") == 1


def test_who_has_too_many_open_requests_is_told_so_and_not_that_nobody_is_free(alexs, alex, maya, window, monday):
    window(maya)
    booking.request(maya, alex, monday, 30, by=alex.user)
    sentence = (
        "Alex Johnson has 1 request waiting for an answer, which is as many as the program allows."
        " Wait for an answer, or cancel one."
    )
    assert sentence not in text(alexs.get("/mentors/"))
    Program.objects.update(open_requests_cap=1)
    for page in (alexs.get("/mentors/"), search(alexs, day=monday), alexs.get(f"/mentors/{maya.pk}/")):
        assert page.context["none_because"] == [sentence]
        assert sentence in text(page)


def test_a_mentor_who_takes_no_new_requests_says_until_when(alexs, client, omar, maya, window, monday):
    window(maya)
    until = (monday + DAY).date()
    MentorLimits.objects.create(mentor=maya, paused_until_on=until)
    sentence = f"Maya Lopez takes no new requests until {until:%a} {until.day} {until:%b %Y}."
    page = alexs.get(f"/mentors/{maya.pk}/")
    assert sentence in text(page)
    assert "has no free time" not in text(page)
    assert "Another time?" not in text(page)
    client.force_login(omar.user)
    assert sentence in text(client.get(f"/mentors/{maya.pk}/"))
    MentorLimits.objects.update(paused_until_on=date(2020, 1, 1))
    assert len(client.get(f"/mentors/{maya.pk}/").context["days"]) == 1


# ---- one query count, however many there are --------------------------------------------------------------------------


@pytest.mark.parametrize("mentors", [3, 30])
# Where no time is asked about, one more: for those who are not free.
@pytest.mark.parametrize(("asked", "queries"), [({}, 15), ({"day": "monday", "begins": "09:00", "ends": "11:00"}, 14)])
def test_the_list_asks_the_database_as_often_for_thirty_mentors_as_for_three(
    alexs, person, window, monday, django_assert_num_queries, asked, queries, mentors
):
    for number in range(mentors):
        mentor = person(f"Mentor{number} Row", mentor=True, password=None).mentor
        window(mentor)
        MentorLimits.objects.create(mentor=mentor, week_cap=5)
    asked = asked and asked | {"day": monday}
    search(alexs, **asked)
    with django_assert_num_queries(queries):
        page = search(alexs, **asked)
    assert (len(page.context["page"]), page.context["page"].paginator.count) == (min(mentors, 20), mentors)
    assert len(search(alexs, **asked, page=2).context["page"]) == (10 if mentors == 30 else 3)


@pytest.mark.parametrize("mentors", [10, 1_000])
def test_the_list_asks_the_database_as_often_for_a_thousand_mentors_as_for_ten(
    alexs, monday, django_assert_num_queries, mentors
):
    names = [f"mentor{number}" for number in range(mentors)]
    users = User.objects.bulk_create(User(username=name, email=f"{name}@example.org", first_name=name) for name in names)
    rows = Mentor.objects.bulk_create(Mentor(user=user) for user in users)
    skills = [Skill.objects.create(name=name) for name in ("Python", "SQL")]
    knows = Mentor.skills.through
    knows.objects.bulk_create(knows(mentor=mentor, skill=skill) for mentor in rows for skill in skills)
    evening = monday.replace(hour=18)
    Availability.objects.bulk_create(
        Availability(mentor=mentor, start_time=start, end_time=start + HOUR) for mentor in rows for start in (monday, evening)
    )
    asked = {"skill": [skill.pk for skill in skills], "when": "evenings", "words": "mentor"}
    search(alexs, **asked)
    with django_assert_num_queries(14):
        page = search(alexs, **asked)
    assert page.context["page"].paginator.count == mentors
    assert set(map(tuple, found(page).values())) == {("18:00", "18:30")}


# ---- what fits, and why -----------------------------------------------------------------------------------------------


@pytest.fixture
def wednesday_noon(alex):
    """Noon in Berlin, where Alex is, on Wednesday 14 November 2029."""
    alex.user.time_zone = "Europe/Berlin"
    alex.user.save()
    with time_machine.travel(datetime(2029, 11, 14, 11, tzinfo=UTC), tick=False), timezone.override("Europe/Berlin"):
        yield datetime(2029, 11, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("today", ["Today Late"]),
        ("tomorrow", ["Tomorrow Early"]),
        ("week", ["Today Late", "Tomorrow Early", "Sunday Late"]),
        ("evenings", ["Today Late", "Sunday Late", "Monday Evening"]),
        ("", ["Today Late", "Tomorrow Early", "Sunday Late", "Monday Evening", "Never Free"]),
    ],
)
def test_free_when_is_meant_in_the_readers_zone_and_the_soonest_come_first(wednesday_noon, client, alex, person, when, names):
    client.force_login(alex.user)
    # In UTC; Berlin is an hour ahead. Tomorrow begins at 23:00 of the day before, and the week ends then on Sunday.
    starts = {
        "Sunday Late": 4 * 24 + 22,
        "Tomorrow Early": 23,
        "Today Late": 22,
        "Monday Evening": 5 * 24 + 16,
        "Never Free": None,
    }
    for name, hours in starts.items():
        mentor = person(name, mentor=True, email=f"{name.replace(' ', '.')}@example.org", password=None).mentor
        if hours is not None:
            start = wednesday_noon + hours * HOUR
            Availability.objects.create(mentor=mentor, start_time=start, end_time=start + HOUR / 2)
    page = search(client, when=when)
    assert list(found(page)) == names
    assert "Times are in Europe/Berlin" in text(page)


def test_a_card_says_why_it_fits(wednesday_noon, client, alex, maya, omar, kim):
    client.force_login(alex.user)
    python, sql = (Skill.objects.create(name=name) for name in ("Python", "SQL"))
    maya.skills.add(python, sql)
    omar.skills.add(sql)
    for mentor in (maya, omar):
        start = wednesday_noon + 41 * HOUR
        Availability.objects.create(mentor=mentor, start_time=start, end_time=start + HOUR)
    page = search(client, skill=[python.pk, sql.pk])
    assert found(page) == {"Maya Lopez": ["18:00", "18:30"]}
    assert "<strong>Python, SQL · free tomorrow, 18:00</strong>" in text(page)
    assert "1 mentor who knows Python and SQL" in text(page)
    assert list(found(search(client, skill=sql.pk))) == ["Maya Lopez", "Omar Haddad"]


def test_a_day_in_words_and_another_in_numbers_is_one_too_many(alexs, monday):
    page = search(alexs, day=monday, when="today")
    assert (errors(page), page.context["page"]) == ({"day": ["Choose a day here, or one above: not both."]}, None)
    assert "Free on: Choose a day here, or one above: not both." in text(page)
    assert errors(search(alexs, day=monday, when="evenings")) == {}


def test_a_hundred_skills_in_the_address_are_no_mistake_of_ours(alexs, maya):
    skills = Skill.objects.bulk_create(Skill(name=f"Skill {number}") for number in range(100))
    maya.skills.set(skills)
    assert list(found(search(alexs, skill=[skill.pk for skill in skills]))) == ["Maya Lopez"]
    assert search(alexs, skill=["x", "1' or 1=1--", "9" * 30]).status_code == 200


# ---- why not then? ----------------------------------------------------------------------------------------------------


def ask(browser, mentor, day, at, minutes=30, more=None):
    asked = {"day": f"{day:%Y-%m-%d}", "at": at, "minutes": minutes} | (more or {})
    return browser.get(f"/mentors/{mentor.pk}/book/", asked)


def test_the_mentors_page_asks_for_another_time_and_the_next_page_takes_it(alexs, alex, maya, window, monday):
    window(maya)
    page = alexs.get(f"/mentors/{maya.pk}/?minutes=60")
    assert f'action="/mentors/{maya.pk}/book/"' in text(page)
    assert '<option value="60" selected>60 minutes</option>' in text(page)
    page = ask(alexs, maya, monday, "10:30", 60)
    assert (page.status_code, page.context["period"]) == (200, Period.of(monday + 1.5 * HOUR, 60))
    form = {field.html_name: field.value() or "" for field in page.context["form"]}
    answer = alexs.post(f"/mentors/{maya.pk}/book/", form)
    session = Session.objects.get()
    assert (answer.url, session.mentee, session.period) == (
        f"/sessions/{session.pk}/requested/",
        alex,
        Period.of(monday + 1.5 * HOUR, 60),
    )


def test_a_taken_time_is_explained_with_the_nearest_before_and_after(alexs, maya, bo, window, monday):
    window(maya)
    taken = booking.request(maya, bo, monday + HOUR, 60, by=bo.user)
    page = ask(alexs, maya, monday, "10:30")
    assert page.status_code == 200
    assert page.context["reasons"] == [f"Maya Lopez already has a session {when(taken.period, HERE)}."]
    assert [f"{slot.start:%H:%M}" for slot, _ in page.context["near"]] == ["09:30", "11:00", "11:30"]
    for _, href in page.context["near"]:
        assert href.replace("&", "&amp;") in text(page)
        assert "form" in alexs.get(href).context
    assert f'href="/mentors/{maya.pk}/?minutes=30">All free times of Maya Lopez' in text(page)
    assert "Lindqvist" not in text(page)


def test_every_reason_is_a_line_of_its_own(alexs, alex, maya, omar, window, monday):
    Program.objects.update_or_create(pk=1, defaults={"horizon_days": 5})
    window(omar)
    with time_machine.travel(monday - 2 * DAY):
        mine = booking.request(omar, alex, monday, 30, by=alex.user)
    # Time enough that nothing is too soon.
    with time_machine.travel(monday - 6 * DAY):
        alexs.force_login(alex.user)
        page = ask(alexs, maya, monday, "09:00")
    wanted = when(mine.period, HERE)
    assert page.context["reasons"] == [
        f"Alex Johnson already has a session {wanted}.",
        f"Maya Lopez has not offered {wanted}.",
        f"{wanted} is too far off: sessions are booked at most 5 days ahead.",
    ]
    lines = text(page).partition('<ul class="reasons"')[2].partition("</ul>")[0]
    assert lines.count("<li>") == 3
    assert page.context["near"] == []
    assert "The nearest free times" not in text(page)


def test_what_was_typed_is_still_there_to_try_another(alexs, maya, window, monday):
    window(maya)
    page = ask(alexs, maya, monday, "18:15", 60)
    values = [f'value="{monday:%Y-%m-%d}"', 'value="18:15"', '<option value="60" selected>']
    assert [value for value in values if value not in text(page)] == []
    # From an address with a slot in it, too.
    page = alexs.get(f"/mentors/{maya.pk}/book/?start={monday + 9.25 * HOUR:%Y-%m-%dT%H:%M:%SZ}&minutes=60")
    assert [value for value in values if value not in text(page)] == []


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"day": ""}, {"day": ["This field is required."]}),
        ({"at": "soon"}, {"at": ["Enter a valid time."]}),
        ({"minutes": 7}, {"minutes": ["Select a valid choice. 7 is not one of the available choices."]}),
        ({"day": "1234-05-06"}, {"at": ["Choose a day between 2000 and 2200."]}),
    ],
)
def test_what_cannot_be_meant_is_asked_again(alexs, maya, asked, wrong):
    page = ask(alexs, maya, date(2030, 1, 1), "09:00", more=asked)
    assert (page.status_code, page.context["wanted"].errors) == (200, wrong)
    assert f'href="/mentors/{maya.pk}/">All free times of Maya Lopez' in text(page)


# ---- the nights on which the clocks change ----------------------------------------------------------------------------


@pytest.fixture
def in_berlin(alex):
    """Alex lives in Berlin; it is October 2029, and the clocks go back on Sunday the 28th."""
    alex.user.time_zone = "Europe/Berlin"
    alex.user.save()
    with time_machine.travel(datetime(2029, 10, 15, 12, tzinfo=UTC)):
        yield


def test_an_hour_told_twice_is_asked_about(in_berlin, client, alex, maya):
    client.force_login(alex.user)
    start = datetime(2029, 10, 28, 0, tzinfo=UTC)
    Availability.objects.create(mentor=maya, start_time=start, end_time=start + 4 * HOUR)
    page = ask(client, maya, start, "02:30")
    assert page.context["wanted"].errors == {
        "at": ["02:30 on Sun 28 Oct 2029 happens twice in Europe/Berlin: choose which one is meant."]
    }
    assert "Which 02:30 is meant?" in text(page)
    assert text(page).count('type="radio" name="which_at"') == 2
    for which, hour, name in (("first", 0, "CEST"), ("second", 1, "CET")):
        page = ask(client, maya, start, "02:30", more={"which_at": which})
        assert page.context["period"] == Period.of(start + (hour + 0.5) * HOUR, 30)
        assert f"02:30 {name}–" in text(page)
        # And the form carries that very moment on.
        assert page.context["form"]["start"].value() == f"2029-10-28T0{hour}:30:00Z"


def test_an_hour_told_twice_is_searched_as_was_meant(in_berlin, client, alex, maya):
    client.force_login(alex.user)
    start = datetime(2029, 10, 28, 0, tzinfo=UTC)
    Availability.objects.create(mentor=maya, start_time=start, end_time=start + 4 * HOUR)
    page = search(client, day=start, begins="02:00", ends="03:00")
    assert list(errors(page)) == ["begins"]
    assert "Which 02:00 is meant?" in text(page)
    with timezone.override("Europe/Berlin"):
        page = search(client, day=start, begins="02:00", ends="03:00", which_begins="second")
        assert found(page) == {"Maya Lopez": ["02:00 CET", "02:30 CET"]}
        page = search(client, day=start, begins="02:00", ends="03:00", which_begins="first")
        assert found(page) == {"Maya Lopez": ["02:00 CEST", "02:30 CEST", "02:00 CET"]}
        assert ", 02:30 CEST</a>" in text(page)


def test_an_hour_that_is_skipped_is_refused(client, alex, maya):
    alex.user.time_zone = "Europe/Berlin"
    alex.user.save()
    with time_machine.travel(datetime(2029, 3, 12, 12, tzinfo=UTC)):
        client.force_login(alex.user)
        sentence = (
            "02:30 on Sun 25 Mar 2029 does not exist in Europe/Berlin: the clocks go forward then."
            " Choose a time before or after it."
        )
        page = ask(client, maya, date(2029, 3, 25), "02:30")
        assert page.context["wanted"].errors == {"at": [sentence]}
        assert sentence in text(page)
        assert errors(search(client, day="2029-03-25", begins="02:30")) == {"begins": [sentence]}
