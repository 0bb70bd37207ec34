"""Book for others: who fits is found by skill and time, in anybody's zone, and each time opens the booking form filled in."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from people.models import Skill
from project.tests.page import form_in
from scheduling import booking
from scheduling.models import MentorLimits, Program, Session

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)
# A Thursday, 18:00 in Manila.
THURSDAY = datetime(2099, 11, 26, 10, tzinfo=UTC)


@pytest.fixture
def desk(client, cora):
    Program.objects.update_or_create(pk=1, defaults={"horizon_days": 0})
    client.force_login(cora)
    return client


@pytest.fixture
def sql(maya, omar):
    skill = Skill.objects.create(name="SQL")
    for mentor in (maya, omar):
        mentor.skills.add(skill)
    return skill


def find(client, **asked):
    return client.get(reverse("admin:scheduling_session_find"), asked)


def found(page) -> list[tuple[str, str, list[str]]]:
    return [(one["name"], one["why"], [when for when, _, _ in one["slots"]]) for one in page.context["found"]]


EVENING = {"from_on": "2099-11-26", "part": "evening", "zone": "Asia/Manila"}


def test_anyone_with_sql_on_thursday_evening_manila_time(desk, sql, maya, omar, kim, alex, bo, window):
    """Kim is free as well, and knows nothing of it; Maya has a session that week already, so Omar comes first."""
    window(maya, THURSDAY, hours=1)
    window(omar, THURSDAY - 3 * HALF, hours=2)  # from 16:30; the evening begins at 17:00
    window(kim.mentor, THURSDAY)
    earlier = THURSDAY - timedelta(days=1)
    Session.objects.create(
        mentor=maya, mentee=bo, start_time=earlier, end_time=earlier + HALF, status="Confirmed", created_at=earlier
    )
    assert found(find(desk, skills=sql.pk, **EVENING)) == [
        (
            "Omar Haddad",
            "Knows SQL · no session that week",
            [f"Thu 26 Nov, {at}" for at in ("17:00–17:30", "17:30–18:00", "18:00–18:30")],
        ),
        ("Maya Lopez", "Knows SQL · 1 session that week", [f"Thu 26 Nov, {at}" for at in ("18:00–18:30", "18:30–19:00")]),
    ]
    # Where no skill is asked for the load decides, then who is free first.
    assert [name for name, *_ in found(find(desk, **EVENING))] == ["Omar Haddad", "Kim Park", "Maya Lopez"]
    page = find(desk, skills=sql.pk, mentee=alex.pk, **EVENING)
    _, mayas = page.context["found"]
    form = form_in(desk.get(mayas["slots"][0][2]), "session_form")
    assert {name: form[name] for name in ("mentor", "mentee", "start_time_0", "start_time_1", "minutes")} == {
        "mentor": [str(maya.pk)],
        "mentee": [str(alex.pk)],
        "start_time_0": ["2099-11-26"],
        "start_time_1": ["10:00"],
        "minutes": ["30"],
    }
    desk.post(mayas["slots"][0][2], form)
    booked = Session.objects.latest("pk")
    assert (booked.mentor, booked.mentee, booked.start_time, booked.status) == (maya, alex, THURSDAY, "Pending")
    # What Alex has now is in the way, with whomever.
    assert [slots for *_, slots in found(find(desk, skills=sql.pk, mentee=alex.pk, **EVENING))] == [
        ["Thu 26 Nov, 17:00–17:30", "Thu 26 Nov, 17:30–18:00"],
        ["Thu 26 Nov, 18:30–19:00"],
    ]


def test_the_mentees_clocks_are_thought_in_and_who_has_enough_is_left_out(desk, sql, maya, omar, alex, bo, window):
    alex.user.time_zone = "Asia/Manila"
    alex.user.save()
    for mentor in (maya, omar):
        window(mentor, THURSDAY)
    MentorLimits.objects.create(mentor=maya, week_cap=1)
    booking.request(maya, bo, THURSDAY, 30, by=bo.user)
    page = find(desk, mentee=alex.pk, from_on="2099-11-26", from_at="18:00", until_at="19:00")
    assert found(page) == [("Omar Haddad", "No session that week", ["Thu 26 Nov, 18:00–18:30", "Thu 26 Nov, 18:30–19:00"])]
    assert page.context["found"][0]["slots"][0][1] == "Thu 26 Nov, 10:00–10:30"
    assert "in your own UTC" in page.content.decode()
    why_not = desk.get(page.context["found"][0]["why_not"])
    assert why_not.context["answer"]["may_book"]


def test_where_nobody_fits_the_page_says_what_to_do_next(desk, sql, maya, alex, window):
    window(maya, THURSDAY)
    page = find(desk, mentor=maya.pk, mentee=alex.pk, from_on="2099-11-27")
    assert found(page) == []
    assert [sentence for sentence, _ in page.context["nobody_because"]] == [
        "Ask the rules why not",
        "See the week of Maya Lopez",
        "Look for other mentors",
    ]
    asked = desk.get(page.context["nobody_because"][0][1])
    assert [finding.code for finding, _ in asked.context["answer"]["broken"]] == ["outside_window"]
    assert parse_qs(urlsplit(page.context["nobody_because"][1][1]).query)["day"] == ["2099-11-27"]


def test_an_empty_page_asks_and_what_makes_no_sense_is_told(desk, maya):
    assert not find(desk).context["well"]

    def errors(**asked):
        return {name: list(said) for name, said in find(desk, **asked).context["form"].errors.items()}

    order = {"until_on": ["The last day must not come before the first."]}
    assert errors(from_on="2099-11-26", until_on="2099-11-25") == order
    assert errors(from_on="2099-11-26", until_on="2100-11-25") == {"until_on": ["Look at two months at most."]}
    assert errors(from_at="18:00", until_at="17:00") == {"until_at": ["The end must come after the beginning."]}
    assert list(errors(zone="Mars/Olympus")) == ["zone"]
    assert list(errors(mentor="9" * 40)) == ["mentor"]


def test_one_mentor_and_many_cost_the_same_queries(desk, sql, maya, omar, person, window):
    window(maya, THURSDAY)
    find(desk, skills=sql.pk, **EVENING)
    with CaptureQueriesContext(connection) as one:
        find(desk, skills=sql.pk, **EVENING)
    for mentor in (omar, person("Nia Free", mentor=True).mentor):
        mentor.skills.add(sql)
        window(mentor, THURSDAY)
    with CaptureQueriesContext(connection) as three:
        page = find(desk, skills=sql.pk, **EVENING)
    assert len(page.context["found"]) == 3
    assert len(one) == len(three)
