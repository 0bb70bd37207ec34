"""A message sent once more, by somebody of the staff: what may be, who may, and one copy however often it is asked for."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from people.models import NotificationSettings
from project.tests.mailserver import CUT
from project.tests.page import form_in
from scheduling import booking, delivery, resending
from scheduling.models import Notice, Session
from scheduling.tests.test_delivery import mail

__all__ = ["mail"]
pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LIST, SEND = "/admin/scheduling/notice/", "/admin/scheduling/notice/send-again/"


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def sent(session, mail):
    """Maya has been told that Alex asks; the server said yes."""
    mail.to_messages = ["250 OK queued as FIRST"]
    assert delivery.sweep() == {"sent": 1}
    return session.notices.get()


def allow(user, *codenames):
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="scheduling"))


def page_of(notice) -> str:
    return reverse("admin:scheduling_notice_resend", args=[notice.pk])


def select(desk, *notices, **more):
    """The page after selecting these rows of the list."""
    keys = [notice.pk for notice in notices]
    return desk.post(LIST, {"action": "resend_selected", "_selected_action": keys} | more)


def press(desk, page):
    return desk.post(SEND, form_in(page, "resend"), follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def refused(*notices, by) -> list[str]:
    """Why each was left out, of what was asked for at once."""
    return [why for _, why in resending.resend([notice.pk for notice in notices], by=by).left_out]


# ---- one message ------------------------------------------------------------------------------------------------------------


def test_a_message_that_was_sent_arrives_once_more_under_a_new_key(sent, mail, desk, cora):
    page = desk.get(page_of(sent))
    assert "Send 1 message again?" in page.content.decode()
    assert "Alex Johnson asks you for a session" in page.content.decode()
    before = Notice.objects.values().get()
    answer = press(desk, page)
    assert (said(answer), answer.redirect_chain[-1][0]) == (["1 message is on the way again."], f"{LIST}{sent.pk}/change/")
    row = Notice.objects.get()
    assert (row.state, row.attempts, row.sent_at, row.answer, row.resent_by) == ("pending", 0, None, "", cora)
    assert row.resent_at == row.due_at > before["due_at"]
    mail.to_messages = ["250 OK queued as SECOND"]
    assert (delivery.sweep(), delivery.sweep()) == ({"sent": 1}, {})
    row.refresh_from_db()
    assert (row.state, row.answer, row.attempts) == ("sent", "250 OK queued as SECOND", 1)
    assert [message["To"] for message in mail.messages] == ["maya@example.org"] * 2
    assert len({message["Message-ID"] for message in mail.messages}) == 2


def test_the_history_of_a_notice_tells_of_the_first_copy(sent, desk, cora):
    resending.resend([sent.pk], by=cora)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (cora, str(sent.pk))
    due, went = (f"{moment:%Y-%m-%d at %H:%M} UTC" for moment in (sent.due_at, sent.sent_at))
    assert entry.change_message == f"Sent again. Before: due {due}, sent on {went}. 250 OK queued as FIRST"
    assert "FIRST" in desk.get(reverse("admin:scheduling_notice_history", args=[sent.pk])).content.decode()


def test_to_look_changes_nothing(sent, desk):
    before = Notice.objects.values().get()
    assert desk.get(page_of(sent)).status_code == 200
    assert desk.post(page_of(sent)).status_code == 200
    assert select(desk, sent).status_code == 200
    assert desk.get(SEND, {"keys": sent.pk}).status_code == 302
    assert Notice.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_a_press_needs_the_csrf_token(sent, cora):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cora)
    assert browser.post(SEND, form_in(browser.get(page_of(sent)), "resend")).status_code == 403
    assert Notice.objects.get().state == "sent"


def test_the_queue_is_told_at_once(sent, cora, django_capture_on_commit_callbacks):
    OrmQ.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        resending.resend([sent.pk], by=cora)
    assert OrmQ.objects.count() == 1


def test_one_that_was_refused_arrives_after_the_address_is_mended(session, mail, cora, maya):
    mail.recipients["maya@example.org"] = "550 5.1.1 No such user"
    delivery.sweep()
    failed = session.notices.get()
    assert failed.state == "failed"
    maya.user.email = "maya@new.example.org"
    maya.user.save()
    assert refused(failed, by=cora) == []
    assert delivery.sweep() == {"sent": 1}
    assert [message["To"] for message in mail.messages] == ["maya@new.example.org"]


def test_one_that_may_have_arrived_keeps_its_key(session, mail, cora):
    """So that a mail system which has it drops the second; and it is tried as a new one is, twice."""
    mail.to_messages = [CUT, CUT]
    for minutes in (0, 5):
        with time_machine.travel(timezone.now() + minutes * MINUTE):
            delivery.sweep()
    uncertain = session.notices.get()
    assert (uncertain.state, uncertain.unanswered) == ("uncertain", 2)
    assert refused(uncertain, by=cora) == []
    assert delivery.sweep() == {"sent": 1}
    assert len(mail.messages) == 3
    assert len({message["Message-ID"] for message in mail.messages}) == 1


# ---- what is not sent again --------------------------------------------------------------------------------------------------


def test_nothing_untrue_is_sent_again(sent, mail, desk, cora, maya):
    booking.cancel(sent.session, by=maya.user)
    delivery.sweep()
    assert refused(sent, by=cora) == ["The session is Canceled."]
    page = desk.get(page_of(sent))
    assert "The session is Canceled." in page.content.decode()
    assert page.context["plan"].ready == []
    assert delivery.sweep() == {}


def test_nothing_is_sent_past_a_persons_own_switch(session, mail, cora, maya):
    wants = NotificationSettings.objects.create(user=maya.user, session_requested=False)
    delivery.sweep()
    notice = session.notices.get()
    assert notice.state == "suppressed"
    assert refused(notice, by=cora) == ["The recipient has turned these messages off."]
    # The control: once they want it, it goes.
    wants.session_requested = True
    wants.save()
    assert refused(notice, by=cora) == []
    assert delivery.sweep() == {"sent": 1}


def test_what_comes_too_late_and_what_waits_is_left_out(session, mail, cora, maya, monday):
    with time_machine.travel(monday - 40 * MINUTE):
        session = booking.confirm(session, by=maya.user)
        delivery.sweep()
        to_alex = session.notices.filter(recipient=session.mentee_id)
        too_late, waiting = to_alex.get(kind="reminder_60"), to_alex.get(kind="reminder_15")
        assert refused(too_late, waiting, by=cora) == [
            "The session was confirmed too late for it.",
            "It has not been sent yet: it is waiting for its time, or on its way.",
        ]
    with time_machine.travel(monday):
        told = to_alex.get(kind="confirmed")
        assert refused(told, by=cora) == ["The session has begun: it would come too late."]
    assert not Notice.objects.filter(resent_at__isnull=False).exists()


def test_a_session_moved_away_and_back_is_told_of_by_its_newest_message(session, mail, cora, maya, window, monday):
    window(maya, monday + timedelta(days=1))
    booking.confirm(session, by=maya.user)
    session.refresh_from_db()
    for start in (monday + timedelta(days=1), monday):
        session = booking.reschedule(session, start, 30, by=cora)
    with time_machine.travel(monday - 59 * MINUTE):
        delivery.sweep()
        old, _, new = session.notices.filter(recipient=maya.pk, kind="reminder_60").order_by("version")
        assert (old.state, new.state, old.start_time) == ("suppressed", "sent", new.start_time)
        assert refused(old, new, by=cora) == ["A newer message has taken its place."]
        mail.messages.clear()
        assert delivery.sweep() == {"sent": 1}


def test_what_was_only_recorded_is_no_message_to_send_again(maya, alex, window, mail, cora):
    """A sheet of the past brings many of these: nobody wants them mailed by a wrong press."""
    start = timezone.now() - timedelta(hours=3)
    session = Session.objects.create(
        mentor=maya, mentee=alex, start_time=start, end_time=start + 9 * HOUR, created_at=start, status="Confirmed"
    )
    now = timezone.now()
    notices = [
        session.notices.create(
            recipient=user,
            kind="confirmed",
            start_time=start,
            due_at=start,
            expires_at=now + HOUR,
            state="suppressed",
            detail=detail,
        )
        for user, detail in ((maya.user, "It was recorded afterwards."), (alex.user, "The recipient no longer takes part."))
    ]
    # The control: Alex takes part again.
    assert refused(*notices, by=cora) == ["It was recorded afterwards."]
    assert delivery.sweep() == {"sent": 1}


# ---- asked twice -------------------------------------------------------------------------------------------------------------


def test_a_double_click_and_a_colleague_send_one_copy(sent, mail, desk, person):
    ana = person("Ana Boss", is_staff=True, is_superuser=True)
    hers = Client()
    hers.force_login(ana)
    page, her_page = desk.get(page_of(sent)), hers.get(page_of(sent))
    press(desk, page)
    for late in (press(desk, page), press(hers, her_page)):
        assert "this press did nothing" in late.content.decode()
        assert "It is on its way already: Cora Diaz had it sent again at " in late.content.decode()
        assert late.context["plan"].ready == []
    assert delivery.sweep() == {"sent": 1}
    # Nor when the second copy is out: the page spoke of the first.
    assert "this press did nothing" in press(hers, her_page).content.decode()
    assert delivery.sweep() == {}
    assert (len(mail.messages), LogEntry.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_the_same_moment_send_one_copy(session, cora):
    notices = [
        Notice.objects.create(
            session=session,
            recipient=session.mentor.user,
            kind="requested",
            version=number,
            start_time=session.start_time,
            due_at=timezone.now(),
            expires_at=session.start_time,
            state="sent",
        )
        for number in range(100, 103)
    ]
    keys, ready = [notice.pk for notice in notices], []
    seen, barrier = resending.plan(keys).seen, Barrier(4)

    def ask():
        barrier.wait()
        try:
            ready.append(len(resending.resend(keys, by=cora, seen=seen).ready))
        except ValidationError as refusal:
            ready.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    # The newest of the three has taken the place of the others.
    assert sorted(ready, key=str) == [1, "stale", "stale", "stale"]
    assert LogEntry.objects.count() == 1


# ---- many --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(maya, alex, monday):
    """A function that makes sessions, each with a message to Maya that failed."""

    def make(number: int) -> list[Notice]:
        now, day = timezone.now(), timedelta(days=1)
        starts = [monday + count * timedelta(hours=1) for count in range(number)]
        sessions = Session.objects.bulk_create(
            Session(mentor=maya, mentee=alex, start_time=start, end_time=start + 30 * MINUTE, created_at=now)
            for start in starts
        )
        return Notice.objects.bulk_create(
            Notice(
                session=session,
                recipient=maya.user,
                kind="requested",
                start_time=session.start_time,
                due_at=now - day,
                expires_at=session.start_time,
                state="failed",
                detail="The mail server refused it (550).",
            )
            for session in sessions
        )

    return make


def test_a_filtered_set_is_sent_after_its_count_and_three_samples(many, desk, mail, maya, alex):
    notices = many(60)
    Session.objects.filter(pk=notices[7].session_id).update(status="Canceled", ending="canceled")
    # All of the filter, of which the list shows one page.
    page = desk.post(
        f"{LIST}?state__exact=failed", {"action": "resend_selected", "_selected_action": [notices[0].pk], "select_across": "1"}
    )
    text = " ".join(page.content.decode().split())
    assert "Send 59 messages again?" in text
    assert [sample["notice"].recipient for sample in page.context["samples"]] == [maya.user] * 3
    assert text.count("Alex Johnson asks you for a session") == 3
    assert "1: The session is Canceled." in text
    answer = press(desk, page)
    assert said(answer) == ["59 messages are on the way again. 1 was left out."]
    assert delivery.sweep() == {"sent": 59}
    assert Notice.objects.get(state="failed") == notices[7]


def test_five_hundred_cost_hardly_more_questions_than_ten(many, cora):
    def cost(keys):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(resending.resend(keys, by=cora).ready) == len(keys)
        return len(asked)

    keys = [notice.pk for notice in many(510)]
    few, more = cost(keys[:10]), cost(keys[10:510])
    # SQLite writes the history in several parts.
    assert few <= 9
    assert more <= few + 3


def test_too_many_at_once_are_refused_in_a_sentence(many, desk, monkeypatch):
    monkeypatch.setattr(resending, "MOST", 5)
    notices = many(6)
    answer = select(desk, *notices)
    page = desk.get(answer.url)
    assert said(page) == ["More than 5 are selected, and at most 5 are sent again at once. Filter, and select fewer."]
    # The control: so many are not too many. And nobody gets past it by hand.
    assert len(select(desk, *notices[1:]).context["plan"].ready) == 5
    desk.post(SEND, {"keys": ",".join(str(notice.pk) for notice in notices), "seen": ""})
    assert set(Notice.objects.values_list("state", flat=True)) == {"failed"}


def test_a_page_that_names_nothing_or_nonsense_sends_nothing(sent, desk):
    assert desk.post(SEND, {"keys": "", "seen": ""}).url == LIST
    assert desk.post(SEND, {"keys": "x,-1,;", "seen": ""}).url == LIST
    assert desk.post(SEND, {"keys": "999999", "seen": "forged"}).status_code == 200
    assert desk.get("/admin/scheduling/notice/999999/resend/").status_code == 404
    assert Notice.objects.get().state == "sent"


# ---- who may ------------------------------------------------------------------------------------------------------------------


def test_only_who_may_can_have_it_sent_again(sent, person, maya, cora):
    looker = person("Vic Stone", is_staff=True)
    allow(looker, "view_notice", "view_session")
    gone = person("Gus Gone", is_staff=True, is_active=False)
    allow(gone, "view_notice", "resend_notice")
    for user in (maya.user, looker, gone):
        with pytest.raises(ValidationError) as refusal:
            resending.resend([sent.pk], by=user)
        assert refusal.value.code == "not_yours"
    form = {"keys": str(sent.pk), "seen": resending.plan([sent.pk]).seen}
    for user, status in ((maya.user, 302), (looker, 403)):
        browser = Client()
        browser.force_login(user)
        assert browser.get(page_of(sent)).status_code == status
        assert browser.post(SEND, form).status_code == status
        select(browser, sent)
    assert Notice.objects.get().state == "sent"
    # The control: the same form, from a coordinator.
    browser = Client()
    browser.force_login(cora)
    browser.post(SEND, form)
    assert Notice.objects.get().state == "pending"


def test_who_may_only_look_is_shown_no_button(sent, person, desk):
    looker = person("Vic Stone", is_staff=True)
    allow(looker, "view_notice", "view_session")
    browser = Client()
    browser.force_login(looker)
    url = f"{LIST}{sent.pk}/change/"
    shown = [[button["title"] for button in who.get(url).context["actions_detail"]] for who in (browser, desk)]
    assert shown == [[], ["Send again"]]
    assert browser.get(LIST).context["action_form"] is None
