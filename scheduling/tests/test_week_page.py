"""The week in the admin: mentors by days, one person by the hour; what is free leads to the booking form."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from people.models import Skill, Team
from project.tests.page import form_in
from scheduling import booking
from scheduling.models import Session, TimeOff

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)


@pytest.fixture
def desk(client, cora):
    cora.time_zone = "Europe/Berlin"
    cora.save()
    client.force_login(cora)
    return client


class Table(HTMLParser):
    """Each row of the table as the texts of its cells; links by their text, where they lead."""

    def __init__(self, html: str):
        super().__init__()
        self.rows, self.links, self.cell, self.href = [], {}, None, None
        self.heads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        has = dict(attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.cell = []
            self.heads += [has["scope"]] if tag == "th" else []
        elif tag == "a" and self.cell is not None:
            self.href = (has["href"], len(self.cell))

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append(" ".join(" ".join(self.cell).split()))
            self.cell = None
        elif tag == "a" and self.href and self.cell is not None:
            text = " ".join(" ".join(self.cell[self.href[1] :]).split())
            self.links[text] = self.href[0]

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)


def table(page) -> Table:
    return Table(page.content.decode())


def week(client, day, **asked):
    return client.get(reverse("admin:scheduling_session_week"), {"day": f"{day:%Y-%m-%d}"} | asked)


def test_mentors_in_rows_days_in_columns_and_what_is_free_leads_to_the_booking_form(desk, session, maya, alex, omar, monday):
    """Alex has asked Maya for 9:00 UTC, which is 10:00 in Berlin; she offers until 13:00 there. On Tuesday she is off."""
    tuesday = monday.replace(hour=11) + timedelta(days=1)
    TimeOff.objects.create(mentor=maya, start_time=tuesday, end_time=tuesday + timedelta(hours=1), note="Dentist")
    page = week(desk, monday)
    found = table(page)
    head, *rows = found.rows
    assert head[:2] == ["Mentor", f"Mon {monday.day} {monday:%b}"]
    assert len(head) == 8
    assert [row[0] for row in rows] == ["Maya Lopez", "Omar Haddad"]
    assert rows[0][1:3] == [
        "10:00–13:00 offered 10:00–10:30 Alex Johnson · Pending with the mentee 10:30–13:00 book here Maya Lopez",
        "12:00–13:00 time off Dentist",
    ]
    assert set(rows[1][1:]) == {""}
    assert found.heads == ["col"] * 8 + ["row"] * 2
    assert "(times in Europe/Berlin)" in page.content.decode()
    assert found.links["10:00–10:30 Alex Johnson · Pending with the mentee"] == reverse(
        "admin:scheduling_session_change", args=[session.pk]
    )
    form = form_in(desk.get(found.links["10:30–13:00 book here Maya Lopez"]), "session_form")
    assert {name: form[name] for name in ("mentor", "start_time_0", "start_time_1", "minutes")} == {
        "mentor": [str(maya.pk)],
        "start_time_0": [f"{monday:%Y-%m-%d}"],
        "start_time_1": ["10:30"],
        "minutes": ["30"],
    }


def test_one_mentor_and_one_mentee_by_the_hour(desk, session, maya, alex, monday):
    page = table(week(desk, monday, mentor=maya.pk))
    hours = {row[0]: row[1] for row in page.rows[1:]}
    assert list(hours) == [f"{hour:02}:00" for hour in range(8, 18)]
    assert hours["10:00"] == (
        "10:00–13:00 offered 10:00–10:30 Alex Johnson · Pending with the mentee 10:30–11:00 book here Maya Lopez"
    )
    assert hours["12:00"] == "12:00–12:30 book here Maya Lopez 12:30–13:00 book here Maya Lopez"
    asked = parse_qs(urlsplit(page.links["12:30–13:00 book here Maya Lopez"]).query)
    assert asked["start"] == [f"{monday + 5 * HALF:%Y-%m-%dT%H:%M:%SZ}"]
    mentees = table(week(desk, monday, mentee=alex.pk))
    assert [cell for row in mentees.rows[1:] for cell in row[1:] if cell] == [
        "10:00–10:30 Maya Lopez · Pending with the mentor"
    ]


def test_a_week_in_which_the_clocks_go_back_tells_the_hour_twice(desk, maya, alex):
    """In Berlin on 25 October 2099 at 3:00 it is 2:00 again."""
    for utc in (0, 1):
        start = datetime(2099, 10, 25, utc, 30, tzinfo=UTC)
        made = {"mentor": maya, "mentee": alex, "status": "Confirmed", "created_at": start}
        Session.objects.create(start_time=start, end_time=start + HALF, **made)
    # The last day of its week.
    rows = {row[0]: row[7] for row in table(week(desk, datetime(2099, 10, 25, tzinfo=UTC), mentor=maya.pk)).rows[1:]}
    assert list(rows)[:3] == ["02:00", "02:00 again", "03:00"]
    assert rows["02:00"].startswith("02:30 CEST–02:00 CET Alex Johnson")
    assert rows["02:00 again"].startswith("02:30 CET–03:00 Alex Johnson")


def test_filters_stay_in_the_links_and_choose_the_mentors(desk, session, maya, omar, kim, alex, monday, window):
    sql, team = Skill.objects.create(name="SQL"), Team.objects.create(number=7)
    omar.skills.add(sql)
    alex.team = team
    alex.save()

    def named(**asked):
        return [row[0] for row in table(week(desk, monday, **asked)).rows[1:]]

    assert named() == ["Kim Park", "Maya Lopez", "Omar Haddad"]
    assert named(skill=sql.pk) == ["Omar Haddad"]
    assert named(team=team.pk) == ["Maya Lopez"]
    assert named(team=team.pk, skill=sql.pk) == ["No mentor is like that. Choose another skill or team."]
    after = week(desk, monday, skill=sql.pk).context["after"]
    assert parse_qs(urlsplit(after).query)["skill"] == [str(sql.pk)]
    assert [row[0] for row in table(desk.get(after)).rows[1:]] == ["Omar Haddad"]
    # An address may hold anything.
    for asked in ({"day": "9999-12-31"}, {"day": "soon"}, {"skill": "x"}, {"mentor": "9" * 40}, {"p": "99"}):
        assert desk.get(reverse("admin:scheduling_session_week"), asked).status_code == 200


def test_who_may_not_book_sees_what_is_free_and_who_sees_no_sessions_sees_no_week(client, person, session, monday, alex):
    from django.contrib.auth.models import Group

    from project.groups import VIEWERS

    viewer = person("Vic Stone", is_staff=True)
    viewer.groups.add(Group.objects.get(name=VIEWERS))
    client.force_login(viewer)
    found = table(week(client, monday))
    assert "09:30–12:00 free" in found.rows[1][1]
    assert [link for link in found.links.values() if "/add/" in link] == []
    client.force_login(person("Pat Plain", is_staff=True))
    assert week(client, monday).status_code == 403


def test_one_mentor_and_many_cost_the_same_queries(desk, session, maya, bo, monday, person, window):
    week(desk, monday)
    with CaptureQueriesContext(connection) as one:
        week(desk, monday)
    for name in ("Nia Free", "Ola Free"):
        mentor = person(name, mentor=True).mentor
        window(mentor)
        booking.request(mentor, bo, monday + (2 if name == "Nia Free" else 4) * HALF, 30, by=bo.user)
    with CaptureQueriesContext(connection) as three:
        page = week(desk, monday)
    assert len(page.context["rows"]) == 3
    assert (len(one), len(three)) == (17, 17)
