"""Messages about a session that was moved or handed over: who reads what, and who is told nothing."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.utils import timezone

from people.models import NotificationSettings
from scheduling import booking, delivery, mail_links
from scheduling.models import Session

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def desk(settings):
    settings.SITE_URL = "https://desk.example.org"


@pytest.fixture
def day(monday) -> str:
    return f"{monday:%a} {monday.day} {monday:%b %Y}"


@pytest.fixture
def confirmed(session, maya):
    return booking.confirm(session, by=maya.user)


def sent() -> dict:
    """Send what is due: first name -> the one message to them."""
    mail.outbox.clear()
    delivery.sweep()
    names = [message.to[0].partition("@")[0] for message in mail.outbox]
    assert len(names) == len(set(names)), names
    return dict(zip(names, mail.outbox, strict=True))


def paths(message) -> list[str]:
    """The pages that a message leads to; the one that says which mails to get, which every one names, left out."""
    return [urlsplit(line).path for line in message.body.splitlines() if line.startswith("https://")]


def steps(message) -> list[str]:
    """The same, each link that acts by what it does."""
    return [mail_links.opened(path.split("/")[2]).verb.name if path.startswith("/mail/") else path for path in paths(message)]


def states(session) -> dict:
    rows = session.notices.exclude(kind__startswith="reminder").values_list("kind", "recipient__first_name", "state", "detail")
    return {(kind, name): (state, detail) for kind, name, state, detail in rows}


# ---- moved ------------------------------------------------------------------------------------------------------------


def test_the_mentor_reads_from_when_to_when_and_is_asked_again(confirmed, alex, monday, day):
    sent()
    answer_by = booking.reschedule(confirmed, monday + HOUR, by=alex.user, reason="Trains <late>").answer_by
    messages = sent()
    assert list(messages) == ["maya"]
    message = messages["maya"]
    assert message.subject == f"Alex Johnson asks for another time, {day}, 10:00 (UTC)"
    assert message.body.rstrip() == (
        "Hello Maya,\n\n"
        f"Alex Johnson moved your session. It was on {day}, 09:00–09:30 (UTC). This is the new time:\n\n"
        f"When: {day}, 10:00–10:30 (UTC)\n"
        "With: Alex Johnson\n"
        f"Meet at: {confirmed.meeting_link}\n"
        "Reason: Trains <late>\n"
        f"Answer by: {answer_by:%a} {answer_by.day} {answer_by:%b %Y, %H:%M} (UTC)\n\n"
        "Please confirm or decline it here:\n"
        f"Confirm:\nhttps://desk.example.org{paths(message)[0]}\n"
        f"Decline:\nhttps://desk.example.org{paths(message)[1]}\n"
        f"Move:\nhttps://desk.example.org/sessions/{confirmed.pk}/reschedule/\n"
        f"See the session:\nhttps://desk.example.org/sessions/{confirmed.pk}/\n\n"
        "Some of these links act for you without a log-in: please do not forward this mail.\n\n"
        "Mentoring program\n\n"
        "You get this mail because you take part in this session."
        " Choose which mails you get: https://desk.example.org/profile/mails/"
    )


def test_the_mentee_reads_that_it_stays_confirmed(confirmed, maya, monday, day):
    sent()
    booking.reschedule(confirmed, monday + HOUR, by=maya.user)
    messages = sent()
    assert list(messages) == ["alex"]
    assert messages["alex"].subject == f"Moved: Maya Lopez, {day}, 10:00 (UTC)"
    assert "Maya Lopez moved your session. It was on " in messages["alex"].body
    assert "It is confirmed. If it does not suit you, move or cancel it here:" in messages["alex"].body


def test_a_coordinator_who_moves_it_is_named_to_both(session, cora, monday):
    sent()
    booking.reschedule(session, monday + HOUR, by=cora)
    messages = sent()
    assert sorted(messages) == ["alex", "maya"]
    assert "Cora Diaz moved your session with Maya Lopez. It was on " in messages["alex"].body
    assert "Maya Lopez has still to confirm it. See, move or cancel it here:" in messages["alex"].body
    assert "Cora Diaz moved your session with Alex Johnson. It was on " in messages["maya"].body
    assert "Please confirm or decline it here:" in messages["maya"].body


def test_both_times_are_told_in_the_readers_zone_and_the_new_one_on_both_clocks(session, maya, alex, monday, day):
    alex.user.time_zone = "Asia/Kolkata"
    alex.user.save()
    sent()
    booking.reschedule(session, monday + HOUR, by=maya.user)
    body = sent()["alex"].body
    assert f"It was on {day}, 14:30–15:00 (Asia/Kolkata). This is the new time:" in body
    assert f"When: {day}, 15:30–16:00 (Asia/Kolkata)\nFor Maya Lopez: {day}, 10:00–10:30 (UTC)\n" in body


def test_what_was_written_about_it_in_between_does_not_hide_the_time_before(session, alex, monday):
    session.topic = "Joins"
    session.save()
    sent()
    booking.reschedule(session, monday + HOUR, by=alex.user)
    assert "It was on " in sent()["maya"].body


def test_a_session_moved_twice_is_told_of_once_as_it_is_now(session, alex, monday, day):
    booking.reschedule(session, monday + HOUR, by=alex.user)
    booking.reschedule(session, monday + 2 * HOUR, by=alex.user)
    messages = sent()
    assert [message.subject for message in messages.values()] == [f"Alex Johnson asks for another time, {day}, 11:00 (UTC)"]


def test_a_message_claimed_before_the_session_moved_on_is_asked_again(session, alex, monday):
    """Its sender died with it in the hands; the one after finds that it is not true any more."""
    session = booking.reschedule(session, monday + HOUR, by=alex.user)
    notice = session.notices.get(kind="rescheduled")
    session.notices.filter(pk=notice.pk).update(state="sending", not_before=timezone.now() - HOUR)
    booking.reschedule(session, monday + 2 * HOUR, by=alex.user)
    sent()
    notice.refresh_from_db()
    assert (notice.state, notice.detail) == ("suppressed", "The session was moved.")


@pytest.mark.parametrize("kind", ["rescheduled", "reassigned"])
def test_what_is_canceled_meanwhile_is_not_announced(session, omar, cora, window, monday, kind):
    if kind == "rescheduled":
        session = booking.reschedule(session, monday + HOUR, by=cora)
    else:
        window(omar)
        session = booking.reassign(session, omar, by=cora)
    Session.objects.update(status="Canceled", ending="canceled")
    assert sent() == {}
    assert {states(session)[key] for key in states(session) if key[0] == kind} == {("suppressed", "The session is Canceled.")}


# ---- handed over ------------------------------------------------------------------------------------------------------


def test_all_three_read_what_it_means_for_them(session, maya, omar, cora, window, day):
    window(omar)
    sent()
    page = f"/sessions/{session.pk}/"
    booking.reassign(session, omar, by=cora, reason="Maya is away")
    messages = sent()
    assert {name: message.subject for name, message in messages.items()} == {
        "alex": f"Omar Haddad is your mentor now: {day}, 09:00 (UTC)",
        "omar": f"A session with Alex Johnson is yours now: {day}, 09:00 (UTC)",
        "maya": f"Handed over: Alex Johnson, {day}, 09:00 (UTC)",
    }
    assert {name: message.body.split("\n\n")[1] for name, message in messages.items()} == {
        "alex": (
            "Maya Lopez hands over this session: Omar Haddad is your mentor now. We tell you when Omar Haddad has confirmed it."
        ),
        "omar": "Maya Lopez hands over this session to you.",
        "maya": "Your session with Alex Johnson is handed over to Omar Haddad. You need not do anything.",
    }
    assert {name: steps(message) for name, message in messages.items()} == {
        "alex": [f"{page}reschedule/", "cancel", page],
        "omar": ["confirm", "decline", f"{page}reschedule/", page],
        "maya": ["/"],
    }
    for message in messages.values():
        assert f"When: {day}, 09:00–09:30 (UTC)" in message.body
        assert "Reason: Maya is away" in message.body
        assert "\n\n\n" not in message.body
    assert "To keep it, you need not do anything." in messages["alex"].body
    assert "Please confirm or decline it here:" in messages["omar"].body
    assert "because you took part in this session." in messages["maya"].body


def test_agreed_already_it_is_confirmed_for_both(confirmed, omar, cora, window):
    window(omar)
    sent()
    booking.reassign(confirmed, omar, by=cora, agreed=True)
    messages = sent()
    news = {name: message.body.split("\n\n")[1] for name, message in messages.items()}
    assert news["alex"] == "Maya Lopez hands over this session: Omar Haddad is your mentor now. It is confirmed."
    assert news["omar"] == "Maya Lopez hands over this session to you. It is confirmed."
    assert "If you cannot come, move or cancel it here:" in messages["omar"].body


def test_at_another_time_those_in_it_read_both_and_the_mentor_before_the_old_one(session, omar, cora, window, monday, day):
    window(omar, monday + 5 * HOUR)
    sent()
    booking.reassign(session, omar, monday + 5 * HOUR, by=cora)
    messages = sent()
    for name in ("alex", "omar"):
        assert f"It was on {day}, 09:00–09:30 (UTC). This is the new time:" in messages[name].body
        assert f"When: {day}, 14:00–14:30 (UTC)" in messages[name].body
    assert messages["maya"].subject == f"Handed over: Alex Johnson, {day}, 09:00 (UTC)"
    assert f"When: {day}, 09:00–09:30 (UTC)" in messages["maya"].body
    assert "14:00" not in messages["maya"].body


def test_a_link_in_the_mail_is_a_page_its_reader_may_see(session, maya, alex, omar, cora, window, client):
    window(omar)
    sent()
    booking.reassign(session, omar, by=cora)
    messages = sent()
    for user in (maya.user, alex.user, omar.user):
        client.force_login(user)
        assert {client.get(path).status_code for path in paths(messages[user.first_name.lower()])} == {200}


def test_a_switch_silences_both_kinds(session, maya, alex, cora, omar, window, monday):
    NotificationSettings.objects.create(user=alex.user, session_confirmed=False)
    window(omar, monday + 2 * HOUR)
    sent()
    booking.reschedule(session, monday + HOUR, by=cora)
    assert sorted(sent()) == ["maya"]
    booking.reassign(session, omar, monday + 2 * HOUR, by=cora)
    assert sorted(sent()) == ["maya", "omar"]


def test_who_is_no_longer_in_the_session_is_told_of_the_handing_over_and_of_nothing_else(session, omar, cora, window, maya):
    """A request to Maya was on its way when it became Omar's."""
    window(omar)
    # Claimed by a sender that died: not taken back, but asked again.
    session.notices.update(state="sending", not_before=timezone.now() - HOUR)
    booking.reassign(session, omar, by=cora)
    assert sorted(sent()) == ["alex", "maya", "omar"]
    assert states(session) == {
        ("requested", "Maya"): ("suppressed", "The recipient is no longer in this session."),
        ("reassigned", "Alex"): ("sent", ""),
        ("reassigned", "Maya"): ("sent", ""),
        ("reassigned", "Omar"): ("sent", ""),
    }
