"""Notices on their way through a real mail server: each arrives once, or it is written down why not."""

import logging
import os
import re
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone
from django_q.models import OrmQ

from people.models import NotificationSettings, User
from project.tests.mailserver import CUT, mail_server
from scheduling import booking, delivery, mail_links, smtp, tasks
from scheduling.models import Notice, Session
from scheduling.tests.test_race import database_url

MINUTE = timedelta(minutes=1)


@pytest.fixture
def mail(settings):
    """A mail server that takes everything, unless the test tells it otherwise."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "scheduling.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        settings.EMAIL_TIMEOUT = 10
        settings.SITE_URL = "https://desk.example.org"
        yield server


@pytest.fixture
def confirmed(session, maya):
    """Alex and Maya meet on Monday at 9:00; only the reminders are still owed."""
    session = booking.confirm(session, by=maya.user)
    session.notices.exclude(kind__startswith="reminder").delete()
    return session


def before(session, minutes):
    """So many minutes before it starts."""
    return time_machine.travel(session.start_time - minutes * MINUTE)


def states(session, kind="reminder_60") -> dict[str, tuple[str, str]]:
    """Recipient -> state and detail of one kind of notice."""
    rows = session.notices.filter(kind=kind).values_list("recipient__first_name", "state", "detail")
    return {name: (state, detail) for name, state, detail in rows}


def only(session, name, kind="reminder_60") -> Notice:
    """Leave this one notice of the session, for tests that look at one message."""
    session.notices.exclude(recipient__first_name=name, kind=kind).delete()
    return session.notices.get()


def again(notice) -> Notice:
    """As it stands in the database now."""
    return Notice.objects.get(pk=notice.pk)


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


def html_of(message) -> str:
    return message.get_body(("html",)).get_content()


# ---- what arrives ---------------------------------------------------------------------------------------------------------


def test_a_reminder_arrives_once(confirmed, mail):
    with before(confirmed, 61):
        assert delivery.sweep() == {}
    with before(confirmed, 60):
        assert delivery.sweep() == {"sent": 2}
        assert delivery.sweep() == {}
    assert sorted(message["To"] for message in mail.messages) == ["alex@example.org", "maya@example.org"]
    assert states(confirmed) == {"Alex": ("sent", ""), "Maya": ("sent", "")}
    [sent_at] = {notice.sent_at.replace(second=0, microsecond=0) for notice in confirmed.notices.filter(state="sent")}
    assert sent_at == confirmed.start_time - 60 * MINUTE
    with before(confirmed, 15):
        assert delivery.sweep() == {"sent": 2}
    assert len(mail.messages) == 4


def test_every_kind_of_message_arrives(session, maya, alex, cora, mail, window, monday):
    with before(session, 90):
        booking.confirm(session, by=maya.user)
        declined = booking.request(maya, alex, monday + 60 * MINUTE, 30, by=cora)
        booking.decline(declined, by=maya.user, reason="Too short notice")
        assert delivery.sweep() == {"sent": 2, "suppressed": 1}  # the one about the request that is answered already
    with before(session, 60):
        delivery.sweep()
    with before(session, 15):
        delivery.sweep()
    with before(session, 5):
        booking.cancel(session, by=cora, reason="The house is closed")
        delivery.sweep()
    kinds = [notice.kind for notice in Notice.objects.filter(state="sent").order_by("sent_at", "pk")]
    assert kinds == ["confirmed", "declined", *["reminder_60"] * 2, *["reminder_15"] * 2, *["canceled"] * 2]
    assert [message["To"] for message in mail.messages][:2] == ["alex@example.org", "alex@example.org"]
    for message, reason in zip(mail.messages[1::6], ["Too short notice", "The house is closed"], strict=True):
        assert reason in text_of(message)
        assert reason in html_of(message)


def test_a_request_arrives_at_the_mentor(session, mail):
    assert delivery.sweep() == {"sent": 1}
    [message] = mail.messages
    assert message["To"] == "maya@example.org"
    assert "Alex Johnson asks you for a session" in message["Subject"]


def test_a_message_names_both_peoples_times_and_zones(confirmed, mail, maya, alex):
    User.objects.filter(pk=maya.pk).update(time_zone="Asia/Kolkata")
    User.objects.filter(pk=alex.pk).update(time_zone="America/Phoenix")
    notice = only(confirmed, "Alex")
    with before(confirmed, 60):
        assert delivery.sweep() == {"sent": 1}
    [message] = mail.messages
    # Neither of the two changes its clocks: 9:00 UTC is 2:00 for Alex and 14:30 for Maya.
    day = confirmed.start_time
    date = f"{day:%a} {day.day} {day:%b %Y}"
    assert message["Subject"].endswith(f"Maya Lopez, {date}, 02:00 (America/Phoenix)")
    times = [f"{date}, 02:00–02:30 (America/Phoenix)", f"{date}, 14:30–15:00 (Asia/Kolkata)"]
    lines = [line for line in text_of(message).splitlines() if "https://" not in line]
    assert [line for line in lines if "00" in line or "30" in line] == [f"When: {times[0]}", f"For Maya Lopez: {times[1]}"]
    assert [html_of(message).count(time) for time in times] == [1, 1]
    assert f"https://desk.example.org/sessions/{confirmed.pk}/" in text_of(message).splitlines()
    assert message["Message-ID"] == f"<{notice.message_key}@desk.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    # In one piece, however long: half an address stops nothing.
    stop = re.fullmatch(r"<https://desk\.example\.org/mail/stop/([^/\s]+)/>", message["List-Unsubscribe"].strip())
    assert mail_links.switch(stop.group(1)) == (notice.recipient, "sixty_minute_alert")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_people_in_one_zone_read_the_time_once(confirmed, mail):
    only(confirmed, "Alex")
    with before(confirmed, 60):
        delivery.sweep()
    [message] = mail.messages
    text = text_of(message)
    assert text.count("(UTC)") == 1
    assert "When: " in text
    assert "For Maya" not in text


def test_a_name_with_a_line_break_makes_no_second_header(confirmed, mail, maya):
    User.objects.filter(pk=maya.pk).update(first_name="Maya\r\nBcc: everybody@example.org\r\n\r\nHello")
    only(confirmed, "Alex")
    with before(confirmed, 60):
        assert delivery.sweep() == {"sent": 1}
    [message] = mail.messages
    assert (message["Bcc"], message["To"]) == (None, "alex@example.org")
    assert "Maya Bcc: everybody@example.org Hello Lopez" in message["Subject"]


def test_a_name_is_no_markup_and_its_letters_arrive(confirmed, mail, maya):
    User.objects.filter(pk=maya.pk).update(first_name="Zoë & <b>Åse</b>", last_name="O'Neil")
    only(confirmed, "Alex")
    with before(confirmed, 60):
        delivery.sweep()
    [message] = mail.messages
    assert "Zoë & <b>Åse</b> O'Neil" in message["Subject"]
    assert "With: Zoë & <b>Åse</b> O'Neil" in text_of(message).splitlines()
    assert "Zoë &amp; &lt;b&gt;Åse&lt;/b&gt; O&#x27;Neil" in html_of(message)
    assert "<b>" not in html_of(message)


# ---- what should not go out ---------------------------------------------------------------------------------------------------


def test_reminders_of_a_canceled_session_are_taken_back(confirmed, mail, cora):
    booking.cancel(confirmed, by=cora)
    confirmed.notices.filter(kind="canceled").delete()
    with before(confirmed, 60):
        assert delivery.sweep() == {}
    why = ("suppressed", "The session was canceled.")
    assert states(confirmed) == {"Alex": why, "Maya": why}
    assert mail.messages == []


def test_a_session_changed_past_the_door_is_asked_again_before_sending(confirmed, mail):
    Session.objects.update(status="Canceled", ending="canceled")
    with before(confirmed, 60):
        assert delivery.sweep() == {"suppressed": 2}
    why = ("suppressed", "The session is Canceled.")
    assert states(confirmed) == {"Alex": why, "Maya": why}
    assert mail.messages == []


def test_a_session_moved_past_the_door_is_not_announced_at_its_old_time(confirmed, mail):
    Session.objects.update(start_time=confirmed.start_time + MINUTE)
    with before(confirmed, 60):
        assert delivery.sweep() == {"suppressed": 2}
    assert states(confirmed)["Alex"] == ("suppressed", "The session was moved.")
    assert mail.messages == []


def test_who_left_gets_no_mail_and_the_other_does(confirmed, mail, alex):
    User.objects.filter(pk=alex.pk).update(is_active=False)
    with before(confirmed, 60):
        assert delivery.sweep() == {"suppressed": 1, "sent": 1}
    assert states(confirmed) == {"Alex": ("suppressed", "The recipient no longer takes part."), "Maya": ("sent", "")}
    assert [message["To"] for message in mail.messages] == ["maya@example.org"]


@pytest.mark.parametrize(
    ("switch", "silenced"),
    [
        ("session_requested", {"requested"}),
        ("session_confirmed", {"confirmed"}),
        ("session_canceled", {"declined", "canceled"}),
        ("sixty_minute_alert", {"reminder_60"}),
        ("fifteen_minute_alert", {"reminder_15"}),
    ],
)
def test_each_switch_silences_its_own_messages_and_no_others(session, maya, alex, mail, switch, silenced):
    NotificationSettings.objects.create(user=alex.user, **{switch: False})
    with before(session, 60):
        now = timezone.now()
        session.notices.all().delete()
        for kind, status in [
            ("requested", "Pending"),
            ("confirmed", "Confirmed"),
            ("declined", "Canceled"),
            ("canceled", "Canceled"),
            ("reminder_60", "Confirmed"),
            ("reminder_15", "Confirmed"),
        ]:
            Session.objects.update(status=status, ending="canceled" if status == "Canceled" else "")
            for user in (alex.user, maya.user):
                session.notices.create(
                    recipient=user, kind=kind, start_time=session.start_time, due_at=now, expires_at=session.start_time
                )
            delivery.sweep()
    off = set(session.notices.filter(state="suppressed").values_list("recipient", "kind", "detail"))
    assert off == {(alex.pk, kind, "The recipient has turned these messages off.") for kind in silenced}
    assert session.notices.filter(state="sent").count() == len(mail.messages) == 12 - len(silenced)


def test_a_reminder_that_comes_too_late_does_not_come(confirmed, mail):
    with before(confirmed, 0):
        assert delivery.sweep() == {"expired": 4}
    why = ("expired", "The session had begun before it could be sent.")
    assert states(confirmed) == {"Alex": why, "Maya": why}
    assert mail.messages == []


def test_confirmed_forty_minutes_ahead_the_later_reminder_comes_and_the_earlier_says_why_not(session, maya, mail):
    with before(session, 40):
        session = booking.confirm(session, by=maya.user)
        assert delivery.sweep() == {"sent": 1, "suppressed": 1}  # confirmed; and the request, which is answered
    with before(session, 15):
        assert delivery.sweep() == {"sent": 2}
    why = ("suppressed", "The session was confirmed too late for it.")
    assert states(session) == {"Alex": why, "Maya": why}
    assert states(session, "reminder_15") == {"Alex": ("sent", ""), "Maya": ("sent", "")}
    assert len(mail.messages) == 3


# ---- when the server does not want it -----------------------------------------------------------------------------------------


def test_not_now_is_tried_again_after_a_pause_and_arrives(confirmed, mail):
    only(confirmed, "Alex")
    mail.to_messages = ["451 4.3.0 Try later", "452 4.3.1 Full"]
    with before(confirmed, 60) as clock:
        assert delivery.sweep() == {"pending": 1}
        assert states(confirmed) == {"Alex": ("pending", "The mail server said not now (451).")}
        clock.shift(timedelta(seconds=28))
        assert delivery.sweep() == {}
        clock.shift(timedelta(seconds=2))
        assert delivery.sweep() == {"pending": 1}
        # The second pause is twice as long.
        clock.shift(timedelta(seconds=58))
        assert delivery.sweep() == {}
        clock.shift(timedelta(seconds=2))
        assert delivery.sweep() == {"sent": 1}
    assert len({message["Message-ID"] for message in mail.messages}) == 1
    assert (confirmed.notices.get().attempts, states(confirmed)) == (3, {"Alex": ("sent", "")})


def test_time_ends_the_tries_and_no_count_does(confirmed, mail):
    only(confirmed, "Alex")
    mail.to_messages = ["451 4.3.0 Try later"] * 60
    with before(confirmed, 60) as clock:
        tries = 0
        while (state := confirmed.notices.get().state) == "pending":
            tries += delivery.sweep().total()
            clock.shift(MINUTE)
    assert (state, timezone.now() < confirmed.start_time) == ("expired", True)
    # 30 s, 1, 2 and 4 minutes, then every five: the last try is the one that finds it too late.
    assert tries == 16
    assert len(mail.messages) == tries - 1


@pytest.mark.parametrize("where", ["recipient", "message", "sender"])
def test_never_is_written_down_and_not_tried_again(confirmed, mail, where):
    notice = only(confirmed, "Alex")
    if where == "recipient":
        mail.recipients["alex@example.org"] = "550 5.1.1 No such user"
    elif where == "sender":
        mail.to_sender = "550 5.7.1 We do not know you"
    else:
        mail.to_messages = ["550 5.7.1 No"]
    with before(confirmed, 60):
        assert delivery.sweep() == {"failed": 1}
        assert states(confirmed) == {"Alex": ("failed", "The mail server refused it (550).")}
    with before(confirmed, 30):
        assert delivery.sweep() == {}
    notice.refresh_from_db()
    assert (notice.attempts, notice.sent_at) == (1, None)


# Maya's reminder is the first in line: what happens to it could happen to Alex's.


def test_one_who_is_refused_keeps_nobody_else_waiting(confirmed, mail):
    mail.recipients["maya@example.org"] = "550 5.1.1 No such user"
    with before(confirmed, 60):
        assert delivery.sweep() == {"failed": 1, "sent": 1}
    assert [message["To"] for message in mail.messages] == ["alex@example.org"]


def test_one_full_mailbox_keeps_nobody_else_waiting(confirmed, mail):
    mail.recipients["maya@example.org"] = "452 4.2.2 Mailbox full"
    with before(confirmed, 60):
        assert delivery.sweep() == {"pending": 1, "sent": 1}
    assert states(confirmed) == {"Maya": ("pending", "The mail server said not now (452)."), "Alex": ("sent", "")}


def test_a_server_that_goes_away_is_left_alone_until_later(confirmed, mail):
    mail.recipients = dict.fromkeys(["alex@example.org", "maya@example.org"], "421 4.3.2 Shutting down")
    with before(confirmed, 60):
        # One was tried; the other would have heard the same.
        assert delivery.sweep() == {"pending": 1}
    assert sorted(confirmed.notices.filter(kind="reminder_60").values_list("attempts", flat=True)) == [0, 1]


def test_what_was_put_off_before_does_not_go_first(confirmed, mail):
    mail.to_messages = ["451 4.3.0 Not this one"]
    with before(confirmed, 60) as clock:
        assert delivery.sweep() == {"pending": 1}
        [put_off] = confirmed.notices.filter(attempts=1)
        clock.shift(MINUTE)
        mail.to_messages = ["250 OK", "451 4.3.0 Not this one"]
        assert delivery.sweep() == {"sent": 1, "pending": 1}
    put_off.refresh_from_db()
    assert (put_off.state, put_off.attempts) == ("pending", 2)


# ---- when there is no answer ---------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_loses_nothing(confirmed, settings):
    # A port that is nobody's: bound for a moment, and not listening.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "scheduling.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = nobody.getsockname()
        with before(confirmed, 60):
            assert delivery.sweep() == {"pending": 1}
    why = "The mail server cannot be reached (ConnectionRefusedError)."
    assert sorted(states(confirmed).values()) == [("pending", ""), ("pending", why)]
    with mail_server() as server, before(confirmed, 58):
        settings.EMAIL_PORT = server.port
        assert delivery.sweep() == {"sent": 2}
    assert sorted(message["To"] for message in server.messages) == ["alex@example.org", "maya@example.org"]


@pytest.mark.parametrize("where", ["sender", "recipient"])
def test_a_line_cut_before_the_message_was_given_loses_nothing_however_often(confirmed, mail, where):
    notice = only(confirmed, "Alex")
    if where == "sender":
        mail.to_sender = CUT
    else:
        mail.recipients["alex@example.org"] = CUT
    for minutes in (60, 55, 50):
        with before(confirmed, minutes):
            assert delivery.sweep() == {"pending": 1}
    assert states(confirmed) == {"Alex": ("pending", "The mail server broke off (SMTPServerDisconnected).")}
    mail.recipients, mail.to_sender = {}, "250 OK"
    with before(confirmed, 45):
        assert delivery.sweep() == {"sent": 1}
    notice.refresh_from_db()
    assert (notice.attempts, notice.unanswered, len(mail.messages)) == (4, 0, 1)


def test_no_answer_to_the_message_means_one_more_try_and_then_a_person_decides(confirmed, mail):
    only(confirmed, "Alex")
    mail.to_messages = [CUT, CUT]
    with before(confirmed, 60):
        assert delivery.sweep() == {"pending": 1}
        assert states(confirmed) == {"Alex": ("pending", "The mail server gave no answer (SMTPServerDisconnected).")}
    with before(confirmed, 55):
        assert delivery.sweep() == {"uncertain": 1}
    why = "The mail server gave no answer twice (SMTPServerDisconnected)."
    assert states(confirmed) == {"Alex": ("uncertain", why)}
    with before(confirmed, 50):
        assert delivery.sweep() == {}
    # Both copies carry one key: a mail system can drop the second.
    assert len(mail.messages) == 2
    assert len({message["Message-ID"] for message in mail.messages}) == 1


def test_no_answer_once_and_then_one_is_sent(confirmed, mail):
    only(confirmed, "Alex")
    mail.to_messages = [CUT]
    with before(confirmed, 60):
        delivery.sweep()
    with before(confirmed, 55):
        assert delivery.sweep() == {"sent": 1}
    assert states(confirmed) == {"Alex": ("sent", "")}


def test_a_sender_that_died_is_followed_by_one_more_and_then_a_person_decides(confirmed, mail):
    notice = only(confirmed, "Alex")
    with before(confirmed, 60) as clock:
        assert delivery.claim(again(notice))
        # It dies here, the row in its hands. Nobody takes it before the lease is over.
        clock.shift(timedelta(seconds=118))
        assert delivery.sweep() == {}
        clock.shift(timedelta(seconds=3))
        died = again(notice)
        assert delivery.claim(died)
        assert died.unanswered == again(notice).unanswered == 1
        # And the second dies as well.
        clock.shift(timedelta(seconds=121))
        assert delivery.sweep() == {"uncertain": 1}
    assert states(confirmed) == {"Alex": ("uncertain", "Two senders stopped before the mail server's answer.")}
    assert mail.messages == []


@pytest.mark.parametrize(("fresh", "state"), [(0.0, "suppressed"), (60.0, "sent")])
def test_what_was_read_a_while_ago_is_read_again_before_it_is_sent(confirmed, mail, monkeypatch, fresh, state):
    monkeypatch.setattr(delivery, "FRESH", fresh)
    deliver = delivery.deliver

    def then_the_others_opt_out(notice, connection):
        sent = deliver(notice, connection)
        for user in (confirmed.mentor.user, confirmed.mentee.user):
            NotificationSettings.objects.update_or_create(user=user, defaults={"sixty_minute_alert": False})
        return sent

    monkeypatch.setattr(delivery, "deliver", then_the_others_opt_out)
    with before(confirmed, 60):
        assert sum(delivery.sweep().values()) == 2
    assert sorted(state for state, _ in states(confirmed).values()) == sorted(["sent", state])


@pytest.mark.parametrize(
    ("fresh", "order"),
    [
        (60.0, ["write Alex", "write Maya", "answer", "answer"]),
        # What was read too long ago is read again, and written again.
        (0.0, ["write Alex", "write Maya", "answer", "write Maya", "answer"]),
    ],
)
def test_the_next_message_is_written_while_the_server_thinks_about_the_last(confirmed, mail, monkeypatch, fresh, order):
    monkeypatch.setattr(delivery, "FRESH", fresh)
    seen = []
    compose, as_said = delivery.compose, smtp.as_said

    def composed(notice, connection, others=()):
        seen.append(f"write {notice.recipient.first_name}")
        return compose(notice, connection, others)

    def answered(code, reply):
        seen.append("answer")
        return as_said(code, reply)

    monkeypatch.setattr(delivery, "compose", composed)
    monkeypatch.setattr(smtp, "as_said", answered)
    confirmed.notices.filter(kind="reminder_60", recipient__first_name="Maya").update(due_at=confirmed.start_time - 59 * MINUTE)
    with before(confirmed, 58):
        assert delivery.sweep() == {"sent": 2}
    assert seen == order
    assert [message["To"] for message in mail.messages] == ["alex@example.org", "maya@example.org"]


def test_what_changed_since_it_was_read_is_not_claimed(confirmed, mail, maya):
    notice = only(confirmed, "Alex")
    with before(confirmed, 60):
        one, other, third = again(notice), again(notice), again(notice)
        assert (delivery.claim(one), delivery.claim(other)) == (True, False)
        delivery.Outcome(one, "pending", "The mail server said not now (451).").write()
        # As due as before, and one attempt further.
        assert not delivery.claim(third)
        fourth = again(notice)
        booking.cancel(confirmed, by=maya.user, reason="Ill.")
        assert not delivery.claim(fourth)
    assert states(confirmed)["Alex"][0] == "suppressed"


def test_after_a_sender_that_died_the_next_one_sends(confirmed, mail):
    notice = only(confirmed, "Alex")
    with before(confirmed, 60) as clock:
        assert delivery.claim(again(notice))
        clock.shift(timedelta(seconds=121))
        assert delivery.sweep() == {"sent": 1}
    notice.refresh_from_db()
    assert (notice.state, notice.attempts, notice.unanswered, len(mail.messages)) == ("sent", 2, 1, 1)


def test_a_sender_whose_lease_ran_out_does_not_write_over_the_next_ones_answer(confirmed, mail):
    notice = only(confirmed, "Alex")
    with before(confirmed, 60) as clock:
        slow = again(notice)
        assert delivery.claim(slow)
        clock.shift(timedelta(seconds=121))
        assert delivery.sweep() == {"sent": 1}
        delivery.Outcome(slow, "failed", "The mail server refused it (550).").write()
    assert states(confirmed) == {"Alex": ("sent", "")}


@pytest.mark.expects_logged_errors
def test_a_message_that_cannot_be_written_keeps_nobody_else_waiting(confirmed, mail, maya, caplog):
    User.objects.filter(pk=maya.pk).update(email="maya@example.org\nBcc: everybody@example.org")
    with before(confirmed, 60):
        assert delivery.sweep() == {"pending": 1, "sent": 1}
    assert states(confirmed) == {
        "Maya": ("pending", "The message cannot be written (ValueError)."),
        "Alex": ("sent", ""),
    }
    [error] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert re.fullmatch(r"notice \d+ cannot be written: ValueError", error.getMessage())
    assert "example.org" not in caplog.text


def test_a_fault_of_ours_after_the_servers_yes_sends_one_more_copy_and_no_third(confirmed, mail, monkeypatch):
    def broken(*answer):
        raise TypeError("A mistake in what we do with the answer.")

    monkeypatch.setattr(smtp, "as_said", broken)
    notice = only(confirmed, "Alex")
    with before(confirmed, 60) as clock:
        for _ in range(2):
            with pytest.raises(TypeError, match="A mistake"):
                delivery.sweep()
            notice.refresh_from_db()
            assert notice.state == "sending"
            clock.shift(timedelta(seconds=121))
        assert delivery.sweep() == {"uncertain": 1}
    assert len(mail.messages) == 2


def test_the_log_counts_and_names_nobody(confirmed, mail, caplog):
    caplog.set_level(logging.DEBUG)
    mail.recipients["alex@example.org"] = "550 5.1.1 <alex@example.org>: no such user"
    with before(confirmed, 60):
        assert tasks.send_due() == "1 failed, 1 sent"
        assert tasks.send_due() == "nothing was due"
    mail.recipients["alex@example.org"] = CUT
    with before(confirmed, 15):
        tasks.send_due()
    assert "notices: 1 failed, 1 sent" in caplog.messages
    # The row has the answer, the address in it included; the log has neither.
    assert confirmed.notices.get(state="failed").answer == "550 5.1.1 <alex@example.org>: no such user"
    said = [record for record in caplog.records if not record.name.startswith(("mail.", "django.db"))]
    assert not [record.getMessage() for record in said if "@" in record.getMessage()]
    assert not [detail for detail in confirmed.notices.values_list("detail", flat=True) if "@" in detail]


# ---- what the server answered ------------------------------------------------------------------------------------------------


def test_the_servers_answer_is_kept_as_it_came(confirmed, mail):
    notice = only(confirmed, "Alex")
    mail.recipients["alex@example.org"] = "452 4.2.2 <alex@example.org>: mailbox full"
    mail.to_messages = ["451 4.3.0 Try later", "250 2.0.0 OK queued as 4F2A"]
    heard = []
    for minutes in (60, 55, 50):
        with before(confirmed, minutes):
            delivery.sweep()
        notice.refresh_from_db()
        heard.append((notice.state, notice.answer))
        mail.recipients = {}
    assert heard == [
        ("pending", "452 4.2.2 <alex@example.org>: mailbox full"),
        ("pending", "451 4.3.0 Try later"),
        ("sent", "250 2.0.0 OK queued as 4F2A"),
    ]


@pytest.mark.parametrize("where", ["recipient", "message", "sender"])
def test_a_refusal_is_kept_as_it_came(confirmed, mail, where):
    notice = only(confirmed, "Alex")
    answer = "550 5.7.1 <alex@example.org> is not welcome"
    if where == "recipient":
        mail.recipients["alex@example.org"] = answer
    elif where == "sender":
        mail.to_sender = answer
    else:
        mail.to_messages = [answer]
    with before(confirmed, 60):
        delivery.sweep()
    notice.refresh_from_db()
    assert (notice.state, notice.answer) == ("failed", answer)


def test_each_message_has_its_own_answer_and_silence_has_none(confirmed, mail):
    mail.to_messages = ["250 OK first", "250 OK second", CUT]
    with before(confirmed, 60):
        delivery.sweep()
    assert sorted(confirmed.notices.filter(state="sent").values_list("answer", flat=True)) == ["250 OK first", "250 OK second"]
    with before(confirmed, 15):
        delivery.sweep()
    assert set(confirmed.notices.filter(kind="reminder_15").values_list("answer", flat=True)) == {""}


def test_an_answer_that_no_table_takes_is_made_one(confirmed, mail):
    """Longer than the column, and with a NUL in it, which PostgreSQL refuses."""
    notice = only(confirmed, "Alex")
    mail.to_messages = ["250 OK\x00 " + "very " * 80]
    with before(confirmed, 60):
        assert delivery.sweep() == {"sent": 1}
    notice.refresh_from_db()
    assert (notice.answer[:17], len(notice.answer)) == ("250 OK very very ", 300)


@pytest.mark.parametrize("backend", ["locmem", "console", "filebased", "dummy"])
def test_mail_that_goes_to_no_server_has_no_answer(confirmed, settings, tmp_path, backend, capsys):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = f"django.core.mail.backends.{backend}.EmailBackend", tmp_path
    notice = only(confirmed, "Alex")
    with before(confirmed, 60):
        assert delivery.sweep() == {"sent": 1}
    notice.refresh_from_db()
    assert (notice.state, notice.answer) == ("sent", "")


def test_where_much_is_due_a_second_sender_begins_at_the_other_end(confirmed, mail, monkeypatch):
    """Four notices, and a second sender asked for from the third on."""
    monkeypatch.setattr(delivery, "MANY", 2)
    with before(confirmed, 15):
        assert tasks.send_due() == "4 sent"
        assert [row.task["func"] for row in OrmQ.objects.all()].count("scheduling.tasks.help_to_send") == 1
        first = [message["Message-ID"] for message in mail.messages]
        mail.messages.clear()
        Notice.objects.filter(state="sent").update(state="pending", attempts=0)
        queued = OrmQ.objects.count()
        monkeypatch.setattr(delivery, "MANY", 4)
        assert tasks.send_due() == "4 sent"
        assert OrmQ.objects.count() == queued
        mail.messages.clear()
        Notice.objects.filter(state="sent").update(state="pending", attempts=0)
        assert tasks.help_to_send() == "4 sent"
    assert [message["Message-ID"] for message in mail.messages] == first[::-1]


# ---- two senders ---------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_processes_sweeping_at_once_send_nothing_twice(session, maya, alex, mail):
    """`manage.py send_due` twice, as cron and the worker do: each is in the middle of a message before either goes on."""
    now = timezone.now()
    # Twenty requests, each of a session of its own: nobody is reminded, so that no time need pass.
    for number in range(1, 20):
        start = session.start_time + number * timedelta(hours=1)
        other = Session.objects.create(mentor=maya, mentee=alex, start_time=start, end_time=start + 30 * MINUTE, created_at=now)
        other.notices.create(recipient=maya.user, kind="requested", start_time=start, due_at=now, expires_at=start)
    mail.senders_awaited = 2
    env = os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": django_settings.SECRET_KEY,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
    }
    senders = [
        subprocess.Popen(
            [sys.executable, "manage.py", "send_due"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=django_settings.BASE_DIR,
            env=env,
        )
        for _ in range(2)
    ]
    answers = [sender.communicate(timeout=60) for sender in senders]
    assert [sender.returncode for sender in senders] == [0, 0], answers
    assert set(Notice.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert len(mail.messages) == len({message["Message-ID"] for message in mail.messages}) == 20
    # Both sent some of it, and each says how much.
    counts = [int(re.fullmatch(r"(\d+) sent\n", out).group(1)) for out, _ in answers]
    assert sum(counts) == 20


@pytest.mark.django_db(transaction=True)
def test_where_much_is_due_the_command_takes_a_second_sender(session, maya, mail):
    now = timezone.now()
    told = {"session": session, "recipient": maya.user, "kind": "requested", "start_time": session.start_time}
    Notice.objects.all().delete()
    due = [Notice(**told, version=number, due_at=now, expires_at=session.start_time) for number in range(delivery.MANY + 1)]
    Notice.objects.bulk_create(due)
    # The server answers nobody before two of them are in the middle of a message.
    mail.senders_awaited = 2
    env = os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": django_settings.SECRET_KEY,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
    }
    command = [sys.executable, "manage.py", "send_due"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=django_settings.BASE_DIR, env=env, timeout=120)
    assert run.returncode == 0, run.stderr
    counts = [int(count) for count in re.findall(r"^(\d+) sent$", run.stdout, re.MULTILINE)]
    assert (len(counts), sum(counts)) == (2, len(due))
    assert len({message["Message-ID"] for message in mail.messages}) == len(mail.messages) == len(due)
