"""Where a session meets online: given once, stored, and left behind when it goes to another mentor."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import tablib
from django.core.exceptions import ValidationError
from django.utils import timezone

from people.models import Mentor
from project.tests.page import form_in
from scheduling import booking
from scheduling.models import Program, Session
from scheduling.resources import SessionResource
from scheduling.slots import Period

pytestmark = pytest.mark.django_db

ROOM = "https://meet.example.org/maya"
TYPED = "https://video.example.com/j/123?pwd=x"
MADE = re.compile(r"https://rooms\.example\.org/session-[0-9a-f]{32}")


@pytest.fixture(autouse=True)
def rooms(db):
    Program.objects.update_or_create(pk=1, defaults={"meeting_rooms": "https://rooms.example.org/"})


def own_room(mentor, link=ROOM) -> None:
    mentor = Mentor.objects.get(pk=mentor.pk)
    mentor.meeting_link = link
    mentor.save()


def asked(mentor, mentee, start, **more) -> Session:
    return booking.request(mentor, mentee, start, 30, by=mentee.user, **more)


# ---- a new session ----------------------------------------------------------------------------------------------------


def test_the_mentors_own_room_as_it_is_now(maya, alex, window, monday):
    window(maya)
    # `maya` was read before she said where.
    own_room(maya)
    assert asked(maya, alex, monday).meeting_link == ROOM


def test_without_one_each_session_gets_a_room_that_nobody_guesses(maya, alex, bo, window, monday):
    window(maya)
    links = [asked(maya, mentee, monday + timedelta(hours=n)).meeting_link for n, mentee in enumerate([alex, bo, alex])]
    assert len(set(links)) == 3
    for link in links:
        assert MADE.fullmatch(link), link
        assert not re.search("maya|lopez|alex|johnson|bo|lindqvist", urlsplit(link).path.removeprefix("/session-"))


@pytest.mark.parametrize("base", ["https://rooms.example.org", "https://rooms.example.org/"])
def test_the_address_of_the_rooms_may_end_in_a_stroke_or_not(session, base):
    Program.objects.update(meeting_rooms=base)
    later = asked(session.mentor, session.mentee, session.end_time)
    assert MADE.fullmatch(later.meeting_link)


def test_a_program_without_rooms_has_none(maya, alex, bo, window, monday):
    Program.objects.update(meeting_rooms="")
    window(maya)
    assert asked(maya, alex, monday).meeting_link == ""
    own_room(maya)
    assert asked(maya, bo, monday + timedelta(hours=1)).meeting_link == ROOM


def test_a_typed_link_comes_first(maya, alex, window, monday):
    own_room(maya)
    window(maya)
    assert asked(maya, alex, monday, meeting_link=TYPED).meeting_link == TYPED


@pytest.mark.parametrize("typed", ["javascript:alert(1)", "ftp://example.org/", "meet me", "https://x.org/" + "a" * 200])
def test_what_is_no_web_address_is_refused_at_the_door(maya, alex, window, monday, typed):
    window(maya)
    with pytest.raises(ValidationError):
        asked(maya, alex, monday, meeting_link=typed)
    assert not Session.objects.exists()


def test_an_imported_session_that_is_over_gets_none_and_one_ahead_does(maya, alex, cora, window, monday):
    past = timezone.now().replace(microsecond=0) - timedelta(days=3)
    window(maya, past)
    window(maya)
    row = ("maya@example.org", "alex@example.org")
    headers = ["mentor", "mentee", "start", "end", "status", "created_at"]
    rows = [
        (*row, start.isoformat(), (start + timedelta(minutes=30)).isoformat(), status, (past - timedelta(days=1)).isoformat())
        for start, status in [(past, "Completed"), (monday, "Confirmed")]
    ]
    result = SessionResource().import_data(tablib.Dataset(*rows, headers=headers), user=cora)
    assert (result.totals["new"], result.invalid_rows) == (2, [])
    over, ahead = Session.objects.order_by("start_time").values_list("meeting_link", flat=True)
    assert over == ""
    assert MADE.fullmatch(ahead)


def test_it_never_changes_by_itself(session, maya, monday):
    link = session.meeting_link
    assert MADE.fullmatch(link)
    own_room(maya)
    Program.objects.update(meeting_rooms="https://elsewhere.example.org/")
    booking.confirm(session, by=maya.user)
    booking.reschedule(session, monday + timedelta(hours=1), by=maya.user)
    assert Session.objects.get().meeting_link == link


def test_the_same_form_twice_is_one_room(maya, alex, window, monday):
    window(maya)
    key = "5b0f8a0e-2f5c-4b6b-9a53-0a1de6f3f7aa"
    first, again = (asked(maya, alex, monday, form_key=key) for _ in range(2))
    assert first.meeting_link == again.meeting_link


# ---- handed over ------------------------------------------------------------------------------------------------------


@pytest.fixture
def hand_over(omar, cora, window):
    """A function that hands a session to Omar, and says where it meets then."""

    def act(session):
        window(omar)
        return booking.reassign(session, omar, by=cora).meeting_link

    return act


def test_the_new_mentors_own_room(session, omar, hand_over):
    own_room(omar, "https://meet.example.org/omar")
    assert hand_over(session) == "https://meet.example.org/omar"


def test_a_room_we_made_is_left_for_a_new_one(session, hand_over):
    """The mentor before knows its address."""
    before = session.meeting_link
    after = hand_over(session)
    assert MADE.fullmatch(after)
    assert after != before


def test_a_room_we_made_elsewhere_is_left_too(session, hand_over):
    Program.objects.update(meeting_rooms="https://elsewhere.example.org/")
    assert hand_over(session).startswith("https://elsewhere.example.org/session-")


@pytest.mark.parametrize("now", [ROOM, "https://meet.example.org/another", ""])
def test_the_old_mentors_own_room_stays_with_them_whatever_it_is_by_now(maya, alex, window, monday, hand_over, now):
    own_room(maya)
    window(maya)
    session = asked(maya, alex, monday)
    assert session.meeting_link == ROOM
    own_room(maya, now)
    assert MADE.fullmatch(hand_over(session))


def test_the_old_mentors_own_room_is_known_however_it_was_typed(maya, alex, window, monday, hand_over):
    own_room(maya)
    window(maya)
    session = asked(maya, alex, monday, meeting_link="https://Meet.example.org/Maya/")
    assert MADE.fullmatch(hand_over(session))


def test_what_was_typed_for_this_session_stays(maya, alex, omar, window, monday, hand_over):
    own_room(maya)
    own_room(omar, "https://meet.example.org/omar")
    window(maya)
    assert hand_over(asked(maya, alex, monday, meeting_link=TYPED)) == TYPED


def test_without_rooms_the_old_one_goes_all_the_same(maya, alex, window, monday, hand_over):
    own_room(maya)
    window(maya)
    session = asked(maya, alex, monday)
    Program.objects.update(meeting_rooms="")
    assert hand_over(session) == ""


# ---- where it is shown and edited ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("link", "followed"), [(TYPED, True), ("http://meet.example.org/maya", False)])
def test_only_what_is_encrypted_is_a_link(client, session, alex, link, followed):
    Session.objects.update(meeting_link=link)
    client.force_login(alex.user)
    page = client.get(f"/sessions/{session.pk}/").content.decode()
    assert f"{link}</" in page
    assert (f'href="{link}"' in page) == followed


def test_the_rooms_are_part_of_the_policy(client, cora):
    client.force_login(cora)
    url = "/admin/scheduling/program/1/change/"
    data = form_in(client.get(url), "program_form")
    assert client.post(url, data | {"meeting_rooms": "rooms.example.com/mentoring"}).status_code == 302
    assert Program.current().meeting_rooms == "https://rooms.example.com/mentoring"
    del data["seen"]
    for wrong in ("ftp://rooms.example.com/", "my kitchen", "https://x.org/" + "a" * 150):
        page = client.post(url, data | {"meeting_rooms": wrong})
        assert list(page.context["adminform"].form.errors) == ["meeting_rooms"]
    assert client.post(url, data | {"meeting_rooms": ""}).status_code == 302
    assert Program.current().meeting_rooms == ""


def test_the_longest_address_of_rooms_fits_into_a_session(maya, alex, window, monday):
    Program.objects.update(meeting_rooms="https://x.org/" + "a" * 136)
    window(maya)
    session = asked(maya, alex, monday)
    session.full_clean(exclude=["mentor", "mentee"])
    assert Period.of(monday, 30) == session.period
