"""Mail servers that are away, and the ways in which reminders fail elsewhere: a missed run of the worker, nothing that says it
was sent, a reminder that survives the cancellation, a queue that runs a task twice.
"""

import socket
import time
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django_q.models import OrmQ
from django_q.tasks import async_task

from people.models import NotificationSettings
from project.tests.mailserver import HANG, mail_server
from scheduling import booking, delivery, leaving
from scheduling.models import Notice
from scheduling.tests.test_delivery import before, confirmed, mail, only, states

__all__ = ["confirmed", "mail"]
MINUTE = timedelta(minutes=1)


# ---- away ----------------------------------------------------------------------------------------------------------------


def test_of_an_hour_without_a_server_nothing_is_lost_but_what_was_too_late(maya, alex, monday, window, settings):
    """A sweep a minute, as the worker makes it. It is back when three sessions lie behind, under way and ahead."""
    window(maya, hours=8)
    for minutes in (30, 60, 120):
        with time_machine.travel(monday - timedelta(days=1)):
            session = booking.request(maya, alex, monday + minutes * MINUTE, 30, by=alex.user)
            booking.confirm(session, by=maya.user)
    Notice.objects.exclude(kind__startswith="reminder").delete()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = nobody.getsockname()
        for minute in range(60):
            with time_machine.travel(monday + minute * MINUTE, tick=False):
                assert delivery.sweep().keys() <= {"pending", "expired"}
    with mail_server() as server, time_machine.travel(monday + 60 * MINUTE, tick=False):
        settings.EMAIL_PORT = server.port
        delivery.sweep()
    began = {0: "expired", 1: "expired", 2: "sent"}
    due = Notice.objects.filter(due_at__lte=monday + 60 * MINUTE).order_by("start_time")
    starts = sorted(set(due.values_list("start_time", flat=True)))
    assert {(starts.index(row.start_time), row.state) for row in due} == set(began.items())
    # The hour's reminder of the last, to both; each once, in the first sweep after the server was back.
    assert Counter(message["To"] for message in server.messages) == {"alex@example.org": 1, "maya@example.org": 1}
    assert set(due.filter(state="expired").values_list("detail", flat=True)) == {
        "The session had begun before it could be sent."
    }


def test_a_server_that_does_not_greet_is_given_up_soon(confirmed, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = "django.core.mail.backends.smtp.EmailBackend", 0.5
    with socket.create_server(("127.0.0.1", 0)) as deaf, before(confirmed, 60):
        settings.EMAIL_HOST, settings.EMAIL_PORT = deaf.getsockname()
        begun = time.monotonic()
        assert delivery.sweep() == {"pending": 1}
    # Once for all, not once for each.
    assert time.monotonic() - begun < 5
    assert ("pending", "The mail server cannot be reached (SMTPServerDisconnected).") in states(confirmed).values()


def test_a_server_that_takes_the_message_and_says_nothing_gets_one_more_try(confirmed, mail, settings):
    notice = only(confirmed, "Alex")
    settings.EMAIL_TIMEOUT = 0.5
    mail.to_messages = [HANG, HANG]
    with before(confirmed, 60):
        assert delivery.sweep() == {"pending": 1}
    with before(confirmed, 55):
        assert delivery.sweep() == {"uncertain": 1}
    with before(confirmed, 50):
        assert delivery.sweep() == {}
    notice.refresh_from_db()
    assert (notice.attempts, len(mail.messages)) == (2, 2)


def test_a_slow_server_makes_no_sweep_longer_than_the_task_queue_lets_it_take(confirmed, mail, monkeypatch, settings):
    assert delivery.LONGEST_SWEEP.total_seconds() + settings.EMAIL_TIMEOUT < settings.Q_CLUSTER["timeout"]
    monkeypatch.setattr(delivery, "LONGEST_SWEEP", timedelta(seconds=-1))
    with before(confirmed, 60):
        assert (delivery.sweep(), len(mail.messages)) == ({}, 0)
    monkeypatch.undo()
    with before(confirmed, 59):
        assert delivery.sweep() == {"sent": 2}


def test_nobody_waits_for_a_server_for_as_long_as_a_lease(settings):
    assert 0 < settings.EMAIL_TIMEOUT <= 10 < delivery.LEASE.total_seconds() / 4


# ---- how they fail elsewhere ---------------------------------------------------------------------------------------------


def test_a_missed_run_loses_no_reminder(confirmed, mail):
    with before(confirmed, 41):
        assert delivery.sweep() == {"sent": 2}
    assert len(mail.messages) == 2


def test_what_was_sent_is_not_sent_by_the_next_run(confirmed, mail):
    for minutes in (60, 59, 58, 57):
        with before(confirmed, minutes):
            delivery.sweep()
    assert len(mail.messages) == 2


@pytest.mark.parametrize("how", ["canceled", "moved", "handed over"])
def test_no_reminder_survives_what_becomes_of_the_session(confirmed, mail, how, maya, omar, window, cora, monday):
    window(omar)
    if how == "canceled":
        booking.cancel(confirmed, by=maya.user)
    elif how == "moved":
        booking.reschedule(confirmed, monday + timedelta(hours=2), by=cora)
    else:
        booking.reassign(confirmed, omar, by=cora, agreed=True)
    Notice.objects.filter(kind__in=["canceled", "rescheduled", "reassigned"]).delete()
    with before(confirmed, 60):
        delivery.sweep()
    # Handed over at the same time: the two who meet now.
    told = sorted(message["To"] for message in mail.messages)
    assert told == (["alex@example.org", "omar@example.org"] if how == "handed over" else [])


@pytest.mark.parametrize("how", ["opted out", "deactivated"])
def test_no_reminder_reaches_who_wants_none_or_has_left(confirmed, mail, how, alex, cora):
    if how == "opted out":
        NotificationSettings.set_all(alex.user, False)
    else:
        sessions = leaving.ahead(alex.user)
        assert sessions == [confirmed]
        alex.user.is_active = False
        alex.user.save()
    with before(confirmed, 60):
        delivery.sweep()
    assert [message["To"] for message in mail.messages] == ["maya@example.org"]
    assert states(confirmed)["Alex"][0] == "suppressed"


def test_a_queue_that_runs_a_task_twice_sends_once(confirmed, mail):
    """The same task, taken out of the queue twice: as it is after a worker died over it."""
    async_task("scheduling.tasks.send_due")
    task = OrmQ.objects.latest("pk").task
    module, _, name = task["func"].rpartition(".")
    run = getattr(__import__(module, fromlist=[name]), name)
    with before(confirmed, 60):
        assert [run(*task["args"]) for _ in range(2)] == ["2 sent", "nothing was due"]
    assert len(mail.messages) == 2
