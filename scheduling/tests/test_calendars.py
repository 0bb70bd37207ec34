"""What a mail says to its reader's calendar, read by two parsers, and as it comes over the wire."""

import warnings
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
import vobject
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from people.models import Mentee, Mentor, User
from project.tests.mailserver import mail_server
from scheduling import booking, calendars, delivery
from scheduling.models import Notice, Program, Session
from scheduling.words import ACTIVE, CANCELED

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def desk(settings):
    settings.SITE_URL = "https://desk.example.org"
    settings.DEFAULT_FROM_EMAIL = "The desk <desk@example.org>"


@pytest.fixture
def confirmed(session, cora):
    """By a coordinator: both have it in their calendars."""
    return booking.confirm(session, by=cora)


def read(content: bytes | str):
    """The one event in a calendar, which two parsers take and read alike."""
    content = content.encode() if isinstance(content, str) else content
    assert content.endswith(b"END:VCALENDAR\r\n")
    # A line is 75 octets at the most, and only ends as the standard says.
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert content.count(b"\n") == content.count(b"\r\n")
    calendar = Calendar.from_ical(content)
    assert not calendar.errors
    [event] = calendar.events
    assert not event.errors
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = vobject.readOne(content.decode())
        other.validate(raiseException=True)
    for name in ("uid", "summary", "description", "location", "status", "sequence"):
        theirs = getattr(other.vevent, name, None)
        assert (theirs and str(theirs.value)) == (str(event[name]) if name in event else None), name
    assert other.method.value == calendar["METHOD"]
    assert (other.vevent.dtstart.value, other.vevent.dtend.value) == (event.start, event.end)
    return event


def sent() -> dict:
    """Send what is due: first name -> the method and the event of the one message to them, or None where it has none."""
    mail.outbox.clear()
    delivery.sweep()
    found = {}
    for message in mail.outbox:
        name = message.to[0].partition("@")[0]
        assert name not in found
        parts = [part for part in message.alternatives if "calendar" in part.mimetype]
        found[name] = None
        for part in parts:
            event = read(part.content)
            method = part.mimetype.removeprefix("text/calendar; method=")
            assert Calendar.from_ical(part.content)["METHOD"] == method
            found[name] = method, event
    return found


def brief(found: dict) -> dict:
    """Who is told what: the method, the status, the start and the sequence."""
    return {name: it and (it[0], it[1]["STATUS"], it[1].start, it[1]["SEQUENCE"]) for name, it in found.items()}


# ---- the entry --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_confirmed_it_is_in_both_calendars(session, maya, alex, cora, monday):
    Session.objects.update(topic="Joins, and indexes; then lunch")
    sent()
    session.refresh_from_db()
    session = booking.confirm(session, by=cora)
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False):
        content = calendars.invitation(session.notices.get(kind="confirmed", recipient=alex.user), Program.current())[1]
    page = rf"See\, move or cancel it: https://desk.example.org/sessions/{session.pk}/"
    assert content.decode().replace("\r\n ", "").split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Team Production System//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "SUMMARY:Session with Maya Lopez",
        f"DTSTART:{monday:%Y%m%dT%H%M%SZ}",
        f"DTEND:{session.end_time:%Y%m%dT%H%M%SZ}",
        "DTSTAMP:20260102T030405Z",
        f"UID:session-{session.pk}@desk.example.org",
        "SEQUENCE:2",
        'ATTENDEE;CN="Alex Johnson";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:alex@example.org',
        rf"DESCRIPTION:About: Joins\, and indexes\; then lunch\nMeet at: {session.meeting_link}\n{page}",
        f"LOCATION:{session.meeting_link}",
        'ORGANIZER;CN="Mentoring program":mailto:desk@example.org',
        "STATUS:CONFIRMED",
        f"URL:{session.meeting_link}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    read(content)
    found = sent()
    assert brief(found) == dict.fromkeys(["alex", "maya"], ("REQUEST", "CONFIRMED", monday, 2))
    assert {name: event["SUMMARY"] for name, (_, event) in found.items()} == {
        "alex": "Session with Maya Lopez",
        "maya": "Session with Alex Johnson",
    }
    assert {name: event["ATTENDEE"] for name, (_, event) in found.items()} == {
        "alex": "mailto:alex@example.org",
        "maya": "mailto:maya@example.org",
    }


@pytest.mark.django_db
def test_a_request_is_in_no_calendar_and_neither_is_its_end(session, maya):
    assert sent() == {"maya": None}
    booking.decline(session, by=maya.user)
    assert sent() == {"alex": None}


@pytest.mark.django_db
def test_a_request_that_expires_was_in_no_calendar(session):
    sent()
    with time_machine.travel(session.answer_by):
        booking.expire_unanswered()
        assert sent() == {"alex": None, "maya": None}


@pytest.mark.django_db
def test_reminders_carry_none(confirmed):
    sent()
    with time_machine.travel(confirmed.start_time - HOUR):
        assert sent() == {"alex": None, "maya": None}


@pytest.mark.django_db
def test_moved_and_canceled_it_is_the_same_entry_with_a_higher_number(confirmed, cora, monday):
    uids = {event["UID"] for _, event in sent().values()}
    booking.reschedule(confirmed, monday + HOUR, by=cora)
    found = sent()
    assert brief(found) == dict.fromkeys(["alex", "maya"], ("REQUEST", "CONFIRMED", monday + HOUR, 3))
    uids |= {event["UID"] for _, event in found.values()}
    booking.cancel(Session.objects.get(), by=cora)
    found = sent()
    assert brief(found) == dict.fromkeys(["alex", "maya"], ("CANCEL", "CANCELLED", monday + HOUR, 4))
    uids |= {event["UID"] for _, event in found.values()}
    assert uids == {f"session-{confirmed.pk}@desk.example.org"}
    # What is off has no place where people meet.
    assert not {"LOCATION", "URL"} & found["alex"][1].keys()


@pytest.mark.django_db
def test_moved_by_the_mentee_it_is_held_until_the_mentor_answers(confirmed, maya, alex, monday):
    sent()
    moved = booking.reschedule(confirmed, monday + HOUR, by=alex.user)
    found = sent()
    assert brief(found) == {"maya": ("REQUEST", "TENTATIVE", monday + HOUR, 3)}
    event = found["maya"][1]
    assert event["ATTENDEE"].params["PARTSTAT"] == "TENTATIVE"
    assert "It is not confirmed yet." in event["DESCRIPTION"]
    booking.confirm(moved, by=maya.user)
    assert brief(sent()) == {"alex": ("REQUEST", "CONFIRMED", monday + HOUR, 4)}


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["declined", "expired"])
def test_what_was_confirmed_once_leaves_the_calendar_when_its_new_time_is_refused(confirmed, maya, alex, monday, end):
    sent()
    moved = booking.reschedule(confirmed, monday + HOUR, by=alex.user)
    sent()
    if end == "declined":
        booking.decline(moved, by=maya.user)
        assert brief(sent()) == {"alex": ("CANCEL", "CANCELLED", monday + HOUR, 4)}
    else:
        with time_machine.travel(moved.answer_by):
            booking.expire_unanswered()
            assert brief(sent()) == dict.fromkeys(["alex", "maya"], ("CANCEL", "CANCELLED", monday + HOUR, 4))


@pytest.mark.django_db
def test_handed_over_it_leaves_one_calendar_at_its_old_time_and_is_held_in_another(confirmed, omar, cora, window, monday):
    window(omar, monday + 5 * HOUR)
    sent()
    session = booking.reassign(confirmed, omar, monday + 5 * HOUR, by=cora)
    found = sent()
    # Omar has not agreed to anything yet, and Maya is told nothing of the new time.
    assert brief(found) == {
        "alex": ("REQUEST", "TENTATIVE", monday + 5 * HOUR, 3),
        "maya": ("CANCEL", "CANCELLED", monday, 3),
        "omar": None,
    }
    assert found["alex"][1]["SUMMARY"] == "Session with Omar Haddad"
    assert found["maya"][1]["SUMMARY"] == "Session with Alex Johnson"
    booking.confirm(session, by=cora)
    assert brief(sent()) == dict.fromkeys(["alex", "omar"], ("REQUEST", "CONFIRMED", monday + 5 * HOUR, 4))
    booking.cancel(Session.objects.get(), by=cora)
    assert brief(sent()) == dict.fromkeys(["alex", "omar"], ("CANCEL", "CANCELLED", monday + 5 * HOUR, 5))


@pytest.mark.django_db
def test_agreed_already_it_is_confirmed_in_the_new_ones_calendar(confirmed, omar, cora, window, monday):
    window(omar)
    sent()
    booking.reassign(confirmed, omar, by=cora, agreed=True)
    assert brief(sent()) == {
        "alex": ("REQUEST", "CONFIRMED", monday, 3),
        "maya": ("CANCEL", "CANCELLED", monday, 3),
        "omar": ("REQUEST", "CONFIRMED", monday, 3),
    }


@pytest.mark.django_db
def test_a_request_handed_over_was_in_no_calendar(session, omar, cora, window):
    window(omar)
    sent()
    booking.reassign(session, omar, by=cora)
    assert sent() == {"alex": None, "maya": None, "omar": None}


@pytest.mark.django_db
def test_nobody_is_told_anothers_address(confirmed, omar, cora, window, settings):
    """Through a whole life: confirmed, moved, handed over, canceled."""
    window(omar)
    contents = []

    def look():
        mail.outbox.clear()
        delivery.sweep()
        for message in mail.outbox:
            parts = [part.content for part in message.alternatives if part.mimetype.startswith("text/calendar")]
            contents.extend((message.to[0], content) for content in parts)

    look()
    session = booking.reassign(confirmed, omar, by=cora, agreed=True)
    look()
    booking.cancel(session, by=cora)
    look()
    assert len(contents) == 7
    for reader, content in contents:
        addresses = {word for word in content.replace("\r\n ", "").replace("mailto:", " ").split() if "@" in word}
        assert {address for address in addresses if not address.startswith("UID:")} == {reader, "desk@example.org"}


# ---- whatever people type ---------------------------------------------------------------------------------------------

HOSTILE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@settings(deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from([*ACTIVE, CANCELED]))
def test_nothing_that_is_typed_breaks_the_calendar(a_time, topic, name, program, status):
    maya = Mentor(user=User(pk=1, first_name=name, username="maya", email="maya@example.org"))
    alex = Mentee(user=User(pk=2, first_name="Alex", username="alex", email="alex@example.org"))
    session = Session(pk=3, mentor=maya, mentee=alex, status=status, topic=topic, version=4, **a_time)
    event = read(calendars.download(session, alex.user, Program(name=program)))
    assert (event["SEQUENCE"], event["STATUS"].lower()[:5], event["UID"]) == (
        4,
        {"Pending": "tenta", "Confirmed": "confi", "Canceled": "cance"}[status],
        "session-3@desk.example.org",
    )
    invited = read(calendars._message("REQUEST", session, maya.user, Program(name=program))[1])
    assert invited["ATTENDEE"] == "mailto:maya@example.org"


@pytest.fixture(scope="module")
def a_time() -> dict:
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return {"start_time": start, "end_time": start + HOUR}


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("a\r\nEND:VEVENT\nATTENDEE:mailto:eve@example.org", "a END:VEVENT ATTENDEE:mailto:eve@example.org"),
        ("one, two; three\\n four", "one, two; three\\n four"),
        ("🎉" * 200, "🎉" * 200),
        ("bell\x07, tab\t, next line\x85, end\u2028.", "bell , tab , next line , end ."),
    ],
)
def test_a_topic_arrives_as_it_was_typed_and_as_nothing_else(a_time, topic, told):
    maya, alex = (role(user=User(pk=n, first_name=str(n))) for n, role in ((1, Mentor), (2, Mentee)))
    session = Session(pk=3, mentor=maya, mentee=alex, topic=topic, **a_time)
    event = read(calendars.download(session, alex.user, Program()))
    assert event["DESCRIPTION"].split("\n")[0] == f"About: {told}"
    assert "ATTENDEE" not in event


# ---- on the wire ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_part_comes_over_the_wire_as_calendars_want_it(confirmed, settings):
    Session.objects.update(topic="Zoë fragt: „Äpfel?“ 🎉")
    confirmed.notices.exclude(kind="confirmed", recipient__first_name="Alex").delete()
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert delivery.sweep() == {"sent": 1}
    [message] = server.messages
    assert message.get_content_type() == "multipart/alternative"
    # The last one is what a mail program likes best.
    *others, part = message.iter_parts()
    assert [other.get_content_type() for other in others][:1] == ["text/plain"]
    assert "is confirmed" in message.get_body(("plain",)).get_content()
    assert part.get_content_type() == "text/calendar"
    assert part.get_params() == [("text/calendar", ""), ("method", "REQUEST"), ("charset", "utf-8")]
    assert not part.is_attachment()
    event = read(part.get_payload(decode=True))
    assert event["DESCRIPTION"].startswith("About: Zoë fragt: „Äpfel?“ 🎉")
    assert event["ATTENDEE"] == "mailto:alex@example.org"


@pytest.mark.django_db
def test_a_notice_without_a_calendar_stays_as_it_is(session):
    notice = session.notices.get()
    message = EmailMultiAlternatives(subject="s", body="b", to=[notice.recipient.email])
    calendars.attach(message, notice)
    assert (notice.kind, message.alternatives) == ("requested", [])
    assert Notice.objects.count() == 1
