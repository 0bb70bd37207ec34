"""The private calendar address: one's own sessions, for whoever has the address, until it is reset."""

import uuid
from datetime import timedelta

import pytest
import vobject
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from people.models import User
from scheduling import booking, feeds
from scheduling.models import CalendarFeed, Program, Session

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def as_user(client):
    def log_in(user):
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def address():
    """A function that gives somebody's address: without the host, as a calendar program's request has it."""
    return lambda user: feeds.address(feeds.make(user)).removeprefix("http://127.0.0.1:8000")


def entries(answer) -> dict[int, tuple]:
    """Session -> status, summary and start in the calendar that came."""
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    calendar = Calendar.from_ical(answer.content)
    assert not calendar.errors
    found = {}
    for event in calendar.events:
        key = int(event["UID"].partition("@")[0].removeprefix("session-"))
        found[key] = event["STATUS"], event["SUMMARY"], event.start
    return found


def over(session, days, status="Completed") -> int:
    """A copy of a session that began so many days ago."""
    start = timezone.now() - days * DAY
    copy = Session(mentor=session.mentor, mentee=session.mentee, start_time=start, end_time=start + HOUR, status=status)
    copy.created_at, copy.ending = start, "canceled" if status == "Canceled" else ""
    copy.save()
    return copy.pk


# ---- what is in it ----------------------------------------------------------------------------------------------------


def test_a_calendar_program_reads_ones_sessions_without_a_log_in(client, session, maya, alex, address, monday):
    assert entries(client.get(address(alex.user))) == {session.pk: ("TENTATIVE", "Session with Maya Lopez", monday)}
    booking.confirm(session, by=maya.user)
    answer = client.get(address(alex.user))
    assert entries(answer) == {session.pk: ("CONFIRMED", "Session with Maya Lopez", monday)}
    assert entries(client.get(address(maya.user))) == {session.pk: ("CONFIRMED", "Session with Alex Johnson", monday)}
    calendar = vobject.readOne(answer.content.decode())
    calendar.validate(raiseException=True)
    assert (calendar.method.value, calendar.x_wr_calname.value) == ("PUBLISH", "Mentoring program")
    assert (answer["Cache-Control"], answer.has_header("Set-Cookie")) == ("private, max-age=300", False)
    booking.cancel(session, by=alex.user)
    assert entries(client.get(address(alex.user))) == {}


def test_ninety_days_back_and_all_ahead_and_nothing_that_is_off(client, session, alex, address):
    near, no_show = over(session, 89), over(session, 10, "No-show")
    over(session, 91)
    over(session, 5, "Canceled")
    far = over(session, -300, "Confirmed")
    found = entries(client.get(address(alex.user)))
    assert {key: status for key, (status, *_) in found.items()} == {
        near: "CONFIRMED",
        no_show: "CONFIRMED",
        session.pk: "TENTATIVE",
        far: "CONFIRMED",
    }


def test_who_is_both_finds_both(client, session, maya, kim, address, window, monday):
    window(kim.mentor, monday + DAY)
    booking.request(kim.mentor, session.mentee, monday + DAY, 30, by=session.mentee.user)
    booking.request(maya, kim.mentee, monday + HOUR, 30, by=kim)
    found = entries(client.get(address(kim)))
    assert sorted(summary for _, summary, _ in found.values()) == ["Session with Alex Johnson", "Session with Maya Lopez"]


def test_a_coordinator_finds_their_own_and_not_everybodys(client, session, cora, zoe, alex, address):
    assert entries(client.get(address(alex.user)))
    assert entries(client.get(address(cora))) == {}
    assert entries(client.get(address(zoe.user))) == {}


def test_it_names_nobodys_address(client, session, alex, address):
    text = client.get(address(alex.user)).content.decode().replace("\r\n ", "")
    assert "Maya Lopez" in text
    assert [line for line in text.splitlines() if "example.org" in line] == []
    assert {line.rpartition(":")[2] for line in text.splitlines() if "@" in line} == {
        f"session-{session.pk}@127.0.0.1",
        "mentoring@127.0.0.1",
    }


@pytest.mark.parametrize("number", [3, 30])
def test_the_same_few_queries_for_few_sessions_and_for_many(client, session, alex, address, number):
    for days in range(number - 1):
        over(session, days + 1)
    path = address(alex.user)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(entries(client.get(path))) == number
    # Whose it is, their sessions, the program.
    assert len(queries) == 3, [query["sql"] for query in queries]


# ---- whose it is ------------------------------------------------------------------------------------------------------


def test_every_wrong_address_gets_the_same_answer(client, session, maya, alex, address, settings):
    path = address(alex.user)
    assert entries(client.get(path))
    seal = path.partition("-")[2]
    key = CalendarFeed.objects.get().key
    wrong = [
        f"/calendar/{maya.pk}-{seal}",  # somebody who has none
        f"/calendar/{alex.pk}-{seal[:-5]}{'0' if seal[-5] != '0' else '1'}.ics",
        f"/calendar/{alex.pk}.ics",
        f"/calendar/{alex.pk}-.ics",
        f"/calendar/{alex.pk}-{key}.ics",  # what the database alone would tell
        f"/calendar/{alex.pk}-{key.hex}.ics",
        f"/calendar/0{path.removeprefix('/calendar/')}",  # the same number, written otherwise
        f"/calendar/{'9' * 18}-{seal}",
        f"/calendar/{'9' * 400}-{seal}",
        "/calendar/²-3.ics",
        "/calendar/ä.ics",
        "/calendar/-.ics",
    ]
    address(maya.user)  # a feed of hers does not open to his seal
    answers = {(answer.status_code, answer.content) for answer in map(client.get, wrong)}
    assert {status for status, _ in answers} == {404}
    assert len(answers) == 1
    User.objects.filter(pk=alex.pk).update(is_active=False)
    left = client.get(path)
    assert {(left.status_code, left.content)} == answers


def test_another_secret_key_makes_other_addresses(client, alex, address, settings):
    path = address(alex.user)
    settings.SECRET_KEY = "another " * 10
    assert client.get(path).status_code == 404
    assert client.get(address(alex.user)).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_a_feed_is_only_read(client, alex, address, method):
    assert getattr(client, method)(address(alex.user)).status_code == 405


def test_a_head_is_answered_without_a_body(client, session, alex, address):
    answer = client.head(address(alex.user))
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"", "text/calendar; charset=utf-8")


# ---- the page ---------------------------------------------------------------------------------------------------------


def test_an_address_is_made_by_a_button_and_not_by_a_look(as_user, alex, session):
    browser = as_user(alex.user)
    page = browser.get("/calendar/")
    assert b"Make my calendar address" in page.content
    assert (page.context["address"], CalendarFeed.objects.count()) == ("", 0)
    assert "no-store" in page["Cache-Control"]
    for _ in range(2):
        assert browser.post("/calendar/").url == "/calendar/"
    page = browser.get("/calendar/")
    address = page.context["address"]
    assert f'value="{address}" readonly' in page.content.decode()
    assert f'href="webcal://{address.partition("://")[2]}"' in page.content.decode()
    browser.logout()
    assert list(entries(browser.get(address))) == [session.pk]


def test_after_a_reset_the_old_address_is_dead_and_the_new_one_lives(as_user, alex, bo, session, address):
    old, others = address(alex.user), address(bo.user)
    browser = as_user(alex.user)
    page = browser.get("/calendar/reset/")
    assert b"stops working at once" in page.content
    assert browser.get(old).status_code == 200
    page = browser.post("/calendar/reset/", follow=True)
    assert [str(message) for message in page.context["messages"]] == [
        "This is your new address. The old one has stopped working."
    ]
    new = page.context["address"]
    assert browser.get(old).status_code == 404
    assert list(entries(browser.get(new))) == [session.pk]
    assert browser.get(others).status_code == 200


def test_there_is_nothing_to_reset_before_there_is_an_address(as_user, alex):
    browser = as_user(alex.user)
    assert browser.get("/calendar/reset/").url == "/calendar/"
    page = browser.post("/calendar/reset/", follow=True)
    assert page.context["address"] == ""
    assert list(page.context["messages"]) == []


@pytest.mark.parametrize("path", ["/calendar/", "/calendar/reset/", "/sessions/1.ics"])
def test_ones_own_pages_ask_for_a_log_in(client, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"
    assert client.post(path).status_code in (302, 405)
    assert not CalendarFeed.objects.exists()


# ---- one session ------------------------------------------------------------------------------------------------------


def test_one_session_as_a_file_for_whoever_may_see_it(as_user, session, alex, cora, zoe, monday):
    path = f"/sessions/{session.pk}.ics"
    browser = as_user(alex.user)
    assert f'href="{path}"' in browser.get(f"/sessions/{session.pk}/").content.decode()
    answer = browser.get(path)
    assert entries(answer) == {session.pk: ("TENTATIVE", "Session with Maya Lopez", monday)}
    assert answer["Content-Disposition"] == f'attachment; filename="session-{session.pk}.ics"'
    assert "no-store" in answer["Cache-Control"]
    summary = "Session with Maya Lopez and Alex Johnson"
    assert entries(as_user(cora).get(path)) == {session.pk: ("TENTATIVE", summary, monday)}
    assert as_user(zoe.user).get(path).status_code == 404
    booking.cancel(session, by=alex.user)
    page = as_user(alex.user).get(f"/sessions/{session.pk}/")
    assert path not in page.content.decode()
    assert entries(as_user(alex.user).get(path))[session.pk][0] == "CANCELLED"


def test_the_name_of_the_program_is_one_line(client, alex, session, address):
    Program.objects.update(name="Night school\r\nX-EVIL:1; <&>, é")
    text = client.get(address(alex.user)).content.decode()
    assert Calendar.from_ical(text)["X-WR-CALNAME"] == "Night school X-EVIL:1; <&>, é"
    assert "\nX-EVIL" not in text


def test_the_key_in_the_database_is_a_new_one_after_a_reset(alex):
    feed = feeds.make(alex.user)
    before = feed.key
    feeds.reset(alex.user)
    feed.refresh_from_db()
    assert isinstance(feed.key, uuid.UUID)
    assert feed.key != before
