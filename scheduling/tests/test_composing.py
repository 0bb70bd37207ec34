"""What every mail says: the same in text and in HTML, to whoever reads it, and nothing that a name could smuggle in."""

import itertools
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import mail

from people.models import NotificationSettings, User
from scheduling import booking, delivery, mail_links
from scheduling.composing import compose
from scheduling.models import Notice, Program, Session
from scheduling.notices import SWITCH
from scheduling.words import Kind

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
VOID = {"meta", "link", "br", "img", "hr", "input"}


@pytest.fixture(autouse=True)
def desk(settings):
    settings.SITE_URL = "https://desk.example.org"


class Html(HTMLParser):
    """Reads a mail as a strict reader would: every element is closed in its order. ``lines``: what it says, block by block."""

    def __init__(self, source: str):
        super().__init__()
        self.open, self.links, self.facts, self.words, self.tags = [], {}, {}, [], set()
        self.attributes, self._label = [], ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if not data.strip() or "style" in inside or "title" in inside:
            return
        self.words.append(" ".join(data.split()))
        if "a" in inside:
            self.links[data.strip()] = self.open[inside.index("a")][1]["href"]
        if "th" in inside:
            self._label = data.strip()
        elif self._label:
            self.facts[self._label], self._label = data, ""


def html_of(message) -> Html:
    [content] = [part.content for part in message.alternatives if part.mimetype == "text/html"]
    return Html(content)


def facts_in(text: str) -> dict[str, str]:
    """The list of the text part: what stands between the second empty line and the third."""
    lines = text.split("\n\n")[2].splitlines()
    return dict(line.split(": ", 1) for line in lines)


def actions_in(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return {
        label.removesuffix(":"): url
        for label, url in itertools.pairwise(lines)
        if url.startswith("https://") and not label.startswith("http")
    }


def written(session, recipient, kind, **fields):
    return compose(Notice(session=session, recipient=recipient, kind=kind, start_time=session.start_time, **fields), None)


@pytest.fixture
def full(session, maya, alex):
    """A session with all that can be said about one; the two live in different zones."""
    for user, zone in ((maya.user, "Asia/Kolkata"), (alex.user, "America/Phoenix")):
        user.time_zone = zone
        user.save()
    session.topic, session.meeting_link, session.reason = "Joins <3", "https://meet.example.org/a?b=1&c=2", "Trains & rain"
    session.mentor.user, session.mentee.user = maya.user, alex.user
    session.save()
    return session


ENDED = {"declined", "canceled", "expired"}


@pytest.mark.parametrize("status", ["Pending", "Confirmed", "Canceled", "Completed", "No-show"])
@pytest.mark.parametrize("who", ["mentor", "mentee", "left"])
@pytest.mark.parametrize("kind", Kind.values)
def test_both_parts_say_the_same(full, maya, alex, omar, kind, who, status):
    full.status, full.ending = status, "canceled" if status == "Canceled" else ""
    reader = {"mentor": maya.user, "mentee": alex.user, "left": omar.user}[who]
    message = written(full, reader, kind)
    text, html = message.body, html_of(message)
    assert html.facts == facts_in(text)
    other = alex.user if who != "mentee" else maya.user
    assert html.facts["With"] == str(other)
    assert ("Reason" in html.facts) == (kind in ENDED | {"rescheduled", "reassigned"})
    assert ("Meet at" in html.facts) == (kind not in ENDED and who != "left")
    assert (f"For {other}" in html.facts) == (who != "left")
    # The same links under the same words, the last of them the page about it.
    actions = actions_in(text)
    assert actions
    assert {label: url for label, url in html.links.items() if label in actions} == actions
    elsewhere = {html.facts.get("Meet at"), "Choose which mails you get"} - {None}
    assert set(html.links) - set(actions) == elsewhere
    acts = [label for label, url in actions.items() if "/mail/" in url]
    expected = {
        ("mentor", "Pending"): ["Confirm", "Decline", "Move"],
        ("mentee", "Pending"): ["Move", "Cancel"],
        ("mentor", "Confirmed"): ["Move", "Cancel"],
        ("mentee", "Confirmed"): ["Move", "Cancel"],
    }.get((who, status), [])
    offered = [label for label in actions if label in ("Confirm", "Decline", "Move", "Cancel")]
    assert offered == expected
    assert acts == [label for label in expected if label != "Move"]
    # Every sentence of the one is in the other.
    said = " ".join(html.words)
    lines = [line for line in text.splitlines() if not line.startswith("https://") and line.partition(":")[0] not in actions]
    sentences = [line.partition(": https://")[0] for line in lines if line.partition(": ")[0] not in html.facts]
    assert len(sentences) >= 5
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert "\n\n\n" not in text
    assert "None" not in text + said


@pytest.mark.parametrize("kind", Kind.values)
def test_the_html_fetches_nothing_and_runs_nothing(full, maya, kind):
    html = html_of(written(full, maya.user, kind))
    assert html.tags.isdisjoint({"img", "script", "link", "iframe", "form", "object", "video"})
    assert {name for name, _ in html.attributes}.isdisjoint({"src", "srcset", "background", "onclick"})
    assert not [value for name, value in html.attributes if name == "style" and "url(" in value]


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "{{7*7}}{% now 'Y' %}",
        "\"><a href='https://evil.example'>",
        "Maya\r\nBcc: everybody@example.org\r\n\r\nMeet at: https://evil.example",
    ],
)
def test_a_hostile_name_is_a_name(full, maya, alex, cora, kind, hostile):
    User.objects.update(first_name=hostile, last_name="X")
    Program.objects.update_or_create(pk=1, defaults={"name": hostile})
    for person in (full.mentor.user, full.mentee.user, cora):
        person.refresh_from_db()
    full.topic, full.reason, full.ended_by = hostile, "Why: " + " ".join(hostile.split()), cora
    plain = " ".join(hostile.split())
    message = written(full, full.mentee.user, kind)
    parsed = message.message()
    assert (parsed["Bcc"], parsed["To"]) == (None, "alex@example.org")
    assert plain in message.subject
    assert "49" not in message.subject
    html = html_of(message)
    assert html.facts["With"] == f"{plain} X"
    assert html.facts["About"] == plain
    assert "script" not in html.tags
    # No line of its own, where it would look like one of ours.
    assert "Bcc: everybody@example.org" not in message.body.splitlines()
    assert not [line for line in message.body.splitlines() if line.startswith("Meet at: https://evil")]
    assert {urlsplit(url).hostname for url in html.links.values()} == {"desk.example.org"} | (
        {"meet.example.org"} if "Meet at" in html.facts else set()
    )


def test_a_reason_of_many_lines_makes_no_line_of_ours(full, alex):
    full.reason = "Trains\r\n\r\nMeet at: https://evil.example\nConfirm:\nhttps://evil.example"
    message = written(full, alex.user, "canceled")
    lines = message.body.splitlines()
    at = lines.index("Reason: Trains")
    assert lines[at + 1 : at + 4] == ["  Meet at: https://evil.example", "  Confirm:", "  https://evil.example"]
    html = html_of(message)
    assert html.facts["Reason"].splitlines() == full.reason.splitlines()
    assert "https://evil.example" not in html.links.values()


def test_a_link_that_is_no_address_of_a_page_is_words(full, alex):
    full.meeting_link = "javascript:alert(1)"
    html = html_of(written(full, alex.user, "confirmed"))
    assert html.facts["Meet at"] == "javascript:alert(1)"
    assert "javascript:alert(1)" not in html.links.values()


@pytest.mark.parametrize("kind", Kind.values)
def test_every_mail_can_be_stopped_by_one_click(client, full, alex, kind):
    message = written(full, alex.user, kind).message()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = message["List-Unsubscribe"]
    assert (address[0], address[-1]) == ("<", ">")
    assert address.startswith("<https://desk.example.org/mail/stop/")
    client.post(urlsplit(address[1:-1]).path, {"List-Unsubscribe": "One-Click"})
    wanted = NotificationSettings.objects.get(user=alex.user)
    assert [name for name in NotificationSettings.SWITCHES if not getattr(wanted, name)] == [SWITCH[kind]]


def test_addresses_name_nobody(full, maya, alex):
    for recipient, kind in itertools.product((maya.user, alex.user), Kind.values):
        message = written(full, recipient, kind)
        parts = [*html_of(message).links.values(), message.extra_headers["List-Unsubscribe"]]
        assert not [url for url in parts if any(word in url.lower() for word in ("maya", "alex", "@", "%40"))]
    token = actions_in(written(full, maya.user, "requested").body)["Confirm"].split("/")[-2]
    assert mail_links.signing.loads(token, salt=mail_links.ACT) == [full.pk, maya.pk, "confirm", full.version]


def test_what_is_too_late_is_not_offered(full, maya, alex):
    Program.objects.update_or_create(pk=1, defaults={"cancel_until_hours": 24})
    full = booking.confirm(full, by=maya.user)
    with time_machine.travel(full.start_time - HOUR):
        message = written(full, alex.user, "reminder_60")
    assert list(actions_in(message.body)) == ["See the session"]
    sentence = "it is too late to move or cancel it yourself. See it here:"
    assert sentence in message.body
    assert sentence in " ".join(html_of(message).words)


def test_a_coordinator_in_a_session_reads_what_anybody_in_it_would(full, alex, cora):
    """Whoever else may do more with it does so in the admin, not by a mail."""
    User.objects.filter(pk=alex.pk).update(is_staff=True, is_superuser=True)
    alex.user.refresh_from_db()
    assert booking.acts_for_program(alex.user)
    assert list(actions_in(written(full, alex.user, "requested").body)) == ["Move", "Cancel", "See the session"]


@pytest.mark.parametrize(
    ("kind", "ahead", "says"),
    [
        ("reminder_60", timedelta(minutes=59, seconds=30), "an hour"),
        ("reminder_60", timedelta(minutes=40), "40 minutes"),
        ("reminder_15", timedelta(minutes=15), "15 minutes"),
        ("reminder_15", timedelta(seconds=20), "1 minute"),
    ],
)
def test_a_reminder_that_comes_late_says_how_long_is_left(full, alex, kind, ahead, says):
    with time_machine.travel(full.start_time - ahead, tick=False):
        message = written(full, alex.user, kind)
    assert message.subject.startswith(f"In {says}: Maya Lopez, ")
    assert f"Your session with Maya Lopez starts in {says}." in message.body


def test_in_the_hour_that_comes_twice_a_mail_says_which(full, alex, maya):
    User.objects.update(time_zone="Europe/Berlin")
    full.mentee.user.refresh_from_db()
    full.mentor.user.refresh_from_db()
    start = full.start_time.replace(year=2027, month=10, day=31, hour=0, minute=30)
    full.start_time, full.end_time = start, start + HOUR
    message = written(full, full.mentee.user, "confirmed")
    assert facts_in(message.body)["When"] == "Sun 31 Oct 2027, 02:30 CEST–02:30 CET (Europe/Berlin)"
    assert message.subject.endswith("Sun 31 Oct 2027, 02:30 CEST (Europe/Berlin)")


def test_the_demo_of_a_whole_life_leaves_no_mail_unwritten(session, maya, alex, omar, cora, window, monday):
    """Through the door, not made by hand: all that was promised is composed and sent."""
    mail.outbox.clear()
    session = booking.confirm(session, by=maya.user)
    delivery.sweep()
    session = booking.reschedule(session, monday + HOUR, by=alex.user)
    delivery.sweep()
    window(omar)
    session = booking.reassign(session, omar, by=cora)
    delivery.sweep()
    booking.cancel(session, by=cora)
    delivery.sweep()
    told = sorted((message.to[0].partition("@")[0], message.subject.split(":")[0].split(",")[0]) for message in mail.outbox)
    assert told == sorted(
        [
            ("alex", "Confirmed"),
            ("maya", "Alex Johnson asks for another time"),
            ("alex", "Omar Haddad is your mentor now"),
            ("maya", "Handed over"),
            ("omar", "A session with Alex Johnson is yours now"),
            ("alex", "Canceled"),
            ("omar", "Canceled"),
        ]
    )
    for message in mail.outbox:
        assert html_of(message).facts == facts_in(message.body)
    assert Session.objects.get().status == "Canceled"
