"""Who has several messages from one hand-over gets them as one; each keeps its own row, and its own outcome."""

import signal
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from icalendar import Calendar

from people.models import NotificationSettings, Skill
from project.tests.maillog import logging_server
from project.tests.mailserver import CUT
from scheduling import booking, composing, delivery, leaving, resending
from scheduling.models import Notice, Session
from scheduling.slots import Period
from scheduling.tests.test_delivery import mail  # noqa: F401  the fixture
from scheduling.tests.test_kills import start

pytestmark = pytest.mark.django_db
MINUTE, HALF, DAY = timedelta(minutes=1), timedelta(minutes=30), timedelta(days=1)
IN_ONE = "In one message with others of the same hand-over."


@pytest.fixture
def met(maya, alex, bo, monday, window):
    """On Monday, Maya meets Alex at 9:00, 9:30 and 10:00, and Bo at 10:30; nothing is left to be told."""
    window(maya)
    maya.skills.add(Skill.objects.create(name="SQL"))
    found = []
    for number, mentee in enumerate((alex, alex, alex, bo)):
        asked = booking.request(maya, mentee, monday + number * HALF, 30, by=mentee.user)
        found.append(booking.confirm(asked, by=maya.user))
    Notice.objects.exclude(kind__startswith="reminder").delete()
    return found


@pytest.fixture
def handed(met, maya, omar, kim, monday, window, cora):
    """Maya is away: Omar takes the first, Kim the second at another time, the third is canceled, Omar takes Bo's. They agreed."""
    window(omar)
    window(kim.mentor)
    first, second, third, of_bo = met
    leaving.be_away(
        maya,
        Period(monday, monday + DAY),
        by=cora,
        decided={first.pk: omar, second.pk: kim.mentor, third.pk: None, of_bo.pk: omar},
        moved={second.pk: monday + 5 * HALF},
        agreed=True,
        reason="Maya is ill.",
    )
    return met


def later(minutes: float):
    """From now, when they are told; after ten of them the hand-over is out of mind."""
    return time_machine.travel(timezone.now() + minutes * MINUTE, tick=False)


def news(person) -> list[tuple]:
    """What this person is told of the hand-over: session, kind, state and detail of each row."""
    rows = Notice.objects.filter(recipient=person.pk).exclude(kind__startswith="reminder").order_by("session_id", "kind")
    return [(row.session_id, row.kind, row.state, row.detail) for row in rows]


def to(box, person) -> list:
    return [message for message in box if message["To"] == person.user.email]


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def calendars(message) -> dict[str, tuple]:
    """File -> what it tells a calendar."""
    found = {}
    for part in message.iter_attachments():
        calendar = Calendar.from_ical(part.get_content())
        [event] = calendar.events
        assert part.get_content_type() == "text/calendar"
        assert part.get_param("method") == str(calendar["METHOD"])
        found[part.get_filename()] = (str(calendar["METHOD"]), str(event["STATUS"]), event.decoded("dtstart"))
    return found


def test_a_mentee_reads_of_all_of_them_in_one_message(handed, mail, alex, bo, omar, maya, kim, monday):  # noqa: F811
    first, second, third, of_bo = handed
    with later(3):
        assert delivery.sweep() == {"sent": 11}
    assert Counter(message["To"] for message in mail.messages) == {
        person.user.email: 1 for person in (alex, bo, omar, maya, kim.mentor)
    }
    [message] = to(mail.messages, alex)
    assert message["Subject"].startswith(f"3 of your sessions have changed, the first: Mon {monday.day} {monday:%b %Y}, 09:00")
    text = text_of(message)
    told = [
        "Maya Lopez hands over this session: Omar Haddad is your mentor now. It is confirmed.",
        "Your session with Maya Lopez was canceled by Cora Diaz. It will not take place.",
        "Maya Lopez hands over this session: Kim Park is your mentor now. It is confirmed. It was on",
    ]
    # In the order of their times: the one that moved is the last.
    assert [text.index(sentence) for sentence in told] == sorted(text.index(sentence) for sentence in told)
    assert (text.count("Reason: Maya is ill."), text.count("Move:\nhttps://"), text.count("Hello Alex")) == (3, 2, 1)
    assert text.count("Some of these links act for you") == 1
    html = message.get_body(("html",)).get_content()
    for sentence in told:
        assert sentence in " ".join(html.split())
    assert html.count(">Move</a>") == 2
    assert calendars(message) == {
        f"session-{first.pk}.ics": ("REQUEST", "CONFIRMED", monday),
        f"session-{second.pk}.ics": ("REQUEST", "CONFIRMED", monday + 5 * HALF),
        f"session-{third.pk}.ics": ("CANCEL", "CANCELLED", monday + 2 * HALF),
    }
    assert news(alex) == [
        (first.pk, "reassigned", "sent", IN_ONE),
        (second.pk, "reassigned", "sent", IN_ONE),
        (third.pk, "canceled", "sent", IN_ONE),
    ]
    # Who has one only gets what they always got.
    [single] = to(mail.messages, bo)
    assert (single["Subject"].startswith("Omar Haddad is your mentor now: "), news(bo)) == (
        True,
        [(of_bo.pk, "reassigned", "sent", "")],
    )
    assert single.get_body(("related", "html", "plain")) is not None
    assert [part.get_content_type() for part in single.iter_attachments()] == []
    with later(5):
        assert delivery.sweep() == {}


def test_each_is_asked_for_itself_whether_it_is_still_true(handed, mail, alex):  # noqa: F811
    first, second, third, _ = handed
    booking.cancel(Session.objects.with_people().get(pk=first.pk), by=alex.user)
    NotificationSettings.objects.update_or_create(user=alex.user, defaults={"session_canceled": False})
    with later(3):
        delivery.sweep()
    assert news(alex) == [
        (first.pk, "reassigned", "suppressed", "The session was canceled."),
        (second.pk, "reassigned", "sent", ""),
        (third.pk, "canceled", "suppressed", "The recipient has turned these messages off."),
    ]
    # One is left: it is told as one.
    [message] = to(mail.messages, alex)
    assert message["Subject"].startswith("Kim Park is your mentor now: ")


def test_a_server_that_says_not_now_gets_the_same_message_later(handed, mail, alex):  # noqa: F811
    Notice.objects.exclude(recipient=alex.pk).delete()
    mail.to_messages = ["451 4.3.0 Try later"]
    with later(3):
        assert delivery.sweep() == {"pending": 3}
        assert {row[2:] for row in news(alex)} == {("pending", "The mail server said not now (451).")}
    with later(4):
        assert delivery.sweep() == {"sent": 3}
    assert {row[2:] for row in news(alex)} == {("sent", IN_ONE)}
    # The server has read the first one, too, before it said no.
    assert (len(mail.messages), len({message["Message-ID"] for message in mail.messages})) == (2, 1)


def test_without_an_answer_there_is_one_more_try_and_then_a_person_decides_about_each(handed, mail, alex):  # noqa: F811
    Notice.objects.exclude(recipient=alex.pk).delete()
    mail.to_messages = [CUT, CUT]
    with later(3):
        assert delivery.sweep() == {"pending": 3}
    with later(5):
        assert delivery.sweep() == {"uncertain": 3}
    assert (len(mail.messages), len({message["Message-ID"] for message in mail.messages})) == (2, 1)


def test_what_a_sender_that_died_held_comes_back_as_one(handed, mail, alex):  # noqa: F811
    Notice.objects.exclude(recipient=alex.pk).delete()
    with later(3):
        first = Notice.objects.filter(kind="reassigned").with_people().first()
        assert delivery._go_on(None, first)
        # It dies here, all three in its hands.
        assert {row[2] for row in news(alex)} == {"sending"}
        assert delivery.sweep() == {}
    with later(5.01):
        assert delivery.sweep() == {"sent": 3}
    assert len(mail.messages) == 1
    rows = Notice.objects.exclude(kind__startswith="reminder")
    assert set(rows.values_list("attempts", "unanswered")) == {(2, 1)}


def test_one_that_cannot_be_written_keeps_the_others_back_once(handed, mail, alex, monkeypatch, no_logged_errors):  # noqa: F811
    Notice.objects.exclude(recipient=alex.pk).delete()
    third = handed[2]
    context = composing._context

    def broken(notice, *args):
        if notice.session_id == third.pk:
            raise RuntimeError
        return context(notice, *args)

    monkeypatch.setattr(composing, "_context", broken)
    with later(3):
        assert delivery.sweep() == {"pending": 3}
    with later(4):
        assert delivery.sweep() == {"sent": 2, "pending": 1}
    assert {record.getMessage().split(maxsplit=2)[2] for record in no_logged_errors} == {"cannot be written: RuntimeError"}
    no_logged_errors.clear()
    assert len(mail.messages) == 2


def test_so_many_go_in_one_and_the_rest_in_the_next(handed, mail, alex, monkeypatch):  # noqa: F811
    Notice.objects.exclude(recipient=alex.pk).delete()
    monkeypatch.setattr(delivery, "MOST_IN_ONE", 2)
    with later(3):
        assert delivery.sweep() == {"sent": 3}
    assert [message["Subject"].split()[0] for message in mail.messages] == ["2", "Canceled:"]


def test_one_of_them_sent_again_goes_by_itself_under_a_key_of_its_own(handed, mail, alex, root):  # noqa: F811
    with later(3):
        delivery.sweep()
        first = Notice.objects.get(recipient=alex.pk, session=handed[0].pk, kind="reassigned")
        resending.resend([first.pk], by=root)
        delivery.sweep()
    together, again = to(mail.messages, alex)
    assert again["Subject"].startswith("Omar Haddad is your mentor now: ")
    assert again["Message-ID"] != together["Message-ID"]
    first.refresh_from_db()
    assert (first.state, first.detail) == ("sent", "")


def test_who_leaves_at_once_or_alone_is_told_as_before(met, mail, maya, omar, window, cora, alex):  # noqa: F811
    """A single action, and what would come too late by then, wait for no other."""
    window(omar)
    with time_machine.travel(met[0].start_time - MINUTE, tick=False):
        leaving.leave(maya.user, by=cora, decided=dict.fromkeys([one.pk for one in met], omar))
        assert delivery.sweep()["sent"] == 2  # Alex and Omar, about what begins in a minute
        assert [row[2] for row in news(alex)] == ["sent", "pending", "pending"]
    assert Notice.objects.filter(recipient=alex.pk, part_of__isnull=False).count() == 2


@pytest.fixture
def root(person):
    return person("Root Ruiz", is_staff=True, is_superuser=True)


@pytest.mark.django_db(transaction=True)
def test_senders_who_are_killed_lose_none_of_them_and_tell_at_most_once_more(handed, alex, tmp_path):
    """One dies after the server's yes, before that is written; two begin together after its lease."""
    Notice.objects.exclude(recipient=alex.pk).exclude(kind__startswith="reminder").delete()
    theirs = list(Notice.objects.exclude(kind__startswith="reminder").with_people())
    key = f"<{composing.message_key(sorted(theirs, key=lambda one: (one.start_time, one.pk)))}@127.0.0.1>"
    with logging_server(tmp_path / "taken.log") as server:
        dead = start(server, "house", 150, "given", 1)
        assert (dead.communicate(timeout=120)[1], dead.returncode) == ("", -signal.SIGKILL)
        assert server.settled() == {key: 1}
        assert {row[2] for row in news(alex)} == {"sending"}
        senders = [start(server, "house", 300) for _ in range(2)]
        assert [sender.communicate(timeout=120)[1] for sender in senders] == ["", ""]
        assert server.settled() == {key: 2}
    assert {row[2:] for row in news(alex)} == {("sent", IN_ONE)}
