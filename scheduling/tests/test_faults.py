"""Faults 8 to 12 and 21 to 23 of the list of what the system must survive: nothing lost, clear words, no 500.

Each test is named after its number. What other files prove is not proved again; they are named where the number begins.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from people.models import User
from scheduling import booking, delivery, leaving, offering
from scheduling.models import Availability, Notice, Program, Session, WeeklyHours
from scheduling.slots import Period
from scheduling.tests.test_pages import book_path, filled_in, shown

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def refused(verb, *args, **kwargs) -> list[tuple[str, str]]:
    """The codes and sentences of the refusal."""
    with pytest.raises(ValidationError) as refusal:
        verb(*args, **kwargs)
    return [(error.code, error.messages[0]) for error in refusal.value.error_list]


# ---- 8: clocks that are wrong --------------------------------------------------------------------------------------------------
# test_life puts the clock back in many lives; test_delivery has mail servers that are away for hours.


@pytest.fixture
def at(time_machine, mailoutbox):
    """A function that sweeps when the clock shows this on Monday, and tells how many messages have gone out till then."""

    def sweep(clock: str, monday) -> int:
        time_machine.move_to(datetime.combine(monday, time.fromisoformat(clock), UTC), tick=False)
        delivery.sweep()
        return len(mailoutbox)

    return sweep


@pytest.fixture
def two_meetings(maya, alex, bo, window, monday, mailoutbox):
    """Alex at 9:00 and Bo at 12:00, both confirmed; only the reminders are still owed."""
    window(maya, hours=4)
    for mentee, start in ((alex, monday), (bo, monday + 3 * HOUR)):
        booking.confirm(booking.request(maya, mentee, start, 30, by=mentee.user), by=maya.user)
    delivery.sweep()
    mailoutbox.clear()
    return list(Session.objects.order_by("start_time"))


def reminders() -> list[tuple[str, str, int]]:
    """Kind, state and how often it was tried, for each reminder in the order in which they are due."""
    rows = Notice.objects.filter(kind__startswith="reminder").order_by("due_at", "pk")
    return list(rows.values_list("kind", "state", "attempts"))


def test_8_a_clock_two_hours_ahead_sends_nothing_twice_and_says_what_came_too_late(two_meetings, at, monday):
    assert at("08:05", monday) == 2
    # For a moment it shows 10:10. The first meeting has begun by then, so its second reminder is too late.
    assert at("10:10", monday) == 2
    assert [at(clock, monday) for clock in ("08:10", "08:45", "08:50", "10:10")] == [2, 2, 2, 2]
    assert [at(clock, monday) for clock in ("11:00", "11:01", "11:45", "11:46", "12:01")] == [4, 4, 6, 6, 6]
    gone = ("reminder_15", "expired", 1)
    sent = [("reminder_60", "sent", 1), ("reminder_15", "sent", 1)]
    assert reminders() == [sent[0], sent[0], gone, gone, sent[0], sent[0], sent[1], sent[1]]
    assert set(Notice.objects.filter(state="expired").values_list("detail", flat=True)) == {
        "The session had begun before it could be sent."
    }


def test_8_a_clock_two_hours_behind_sends_nothing_twice_and_loses_nothing(two_meetings, at, monday):
    assert at("08:05", monday) == 2
    assert [at(clock, monday) for clock in ("06:05", "07:59", "08:05")] == [2, 2, 2]
    assert [at(clock, monday) for clock in ("08:45", "06:45", "08:46", "11:00", "11:45")] == [4, 4, 4, 6, 8]
    assert {(state, tries) for _, state, tries in reminders()} == {("sent", 1)}


def test_8_what_was_promised_by_a_clock_ahead_goes_out_once_when_the_time_has_come(two_meetings, at, monday):
    at("10:05", monday)
    booking.cancel(two_meetings[1], by=two_meetings[1].mentor.user)
    # Put right again: Bo is told when that time has really come, and once.
    assert [at(clock, monday) for clock in ("08:06", "10:04", "10:05", "10:06", "08:10", "10:10")] == [0, 0, 1, 1, 1, 1]


def test_8_a_request_expires_by_a_clock_ahead_and_stays_so(session, at, monday, alex, maya, mailoutbox, time_machine):
    mailoutbox.clear()
    time_machine.move_to(session.answer_by, tick=False)
    assert (booking.expire_unanswered(), booking.expire_unanswered()) == (1, 0)
    time_machine.shift(-2 * HOUR)
    assert booking.expire_unanswered() == 0
    assert refused(booking.confirm, session, by=maya.user) == [
        ("not_possible", "This session is Canceled: it cannot be confirmed.")
    ]
    # Nobody has lost the time: it can be asked for again.
    assert booking.request(maya, alex, monday, 30, by=alex.user).period == session.period
    assert Counter(session.notices.values_list("kind", flat=True)) == {"requested": 1, "expired": 2}


def test_8_two_machines_whose_clocks_are_five_minutes_apart_send_each_reminder_once(two_meetings, at, monday, mailoutbox):
    """They take turns for half a day. (That two in one moment send a row once is in test_delivery: whoever has it holds it for
    two minutes, by its own clock.)
    """
    for minutes in range(4 * 60 + 30):
        right = datetime.combine(monday, time(7, 45), UTC) + minutes * MINUTE
        for clock in (right, right + 5 * MINUTE):
            at(f"{clock:%H:%M}", monday)
    assert {(state, tries) for _, state, tries in reminders()} == {("sent", 1)}
    assert len(mailoutbox) == len({message.extra_headers["Message-ID"] for message in mailoutbox}) == 8


# ---- 9, 10: the nights when the clocks change ---------------------------------------------------------------------------------
# The forms ask and refuse in test_time; the hours themselves are in test_hours and test_offering.


@pytest.fixture
def night_hours(maya, time_machine):
    """A function that gives Maya hours on the night of this Sunday in Berlin, seen from the Friday before."""

    def give(sunday, begins, ends):
        time_machine.move_to(datetime.combine(sunday - timedelta(days=2), time(12), UTC), tick=False)
        hours = WeeklyHours(mentor=maya, weekday=6, begins=begins, ends=ends, time_zone="Europe/Berlin", valid_from_on=sunday)
        offering.make(offering.save_hours(hours), by=maya.user)

    return give


def test_9_hours_that_the_clocks_skip_move_on_and_can_be_booked(night_hours, maya, alex):
    night_hours(date(2027, 3, 28), time(2, 0), time(3, 30))
    offered = Availability.objects.order_by("start_time")[:2]
    # That night it begins when the clocks have moved on, and is as long as ever.
    assert [f"{row.start_time.astimezone(BERLIN):%d %b %H:%M} {row.period.minutes}" for row in offered] == [
        "28 Mar 03:00 90",
        "04 Apr 02:00 90",
    ]
    session = booking.request(maya, alex, offered[0].start_time, 30, by=alex.user)
    assert Session.objects.get().start_time == session.start_time == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


def test_10_each_of_two_equal_hours_is_another_session_stored_in_utc(night_hours, maya, alex, client):
    night_hours(date(2027, 10, 31), time(2, 0), time(3, 0))
    User.objects.update(time_zone="Europe/Berlin")
    client.force_login(alex.user)
    first, second = (datetime(2027, 10, 31, hour, 30, tzinfo=UTC) for hour in (0, 1))
    # The clocks show both as 2:30; each is a time of its own.
    slots = [slot.start for slot in booking.slots(maya, 30, until=second + HOUR, mentee=alex)]
    assert (first in slots, second in slots) == (True, True)
    form = filled_in(client.get(book_path(maya, second)))
    for _ in range(2):
        client.post(reverse("book", args=[maya.pk]), form)
    assert Session.objects.get().start_time == second
    with connection.cursor() as cursor:
        cursor.execute("SELECT start_time FROM scheduling_session")
        [[stored]] = cursor.fetchall()
    # SQLite gives the text as it is kept, PostgreSQL a moment.
    assert str(stored).startswith("2027-10-31 01:30:00")


# ---- 11: the same form again ----------------------------------------------------------------------------------------------------
# Sent twice, one after the other: test_pages, test_moving_pages and test_admin_moving. Here, in one moment and out of turn.


@pytest.fixture
def browser_of():
    """A function that gives a logged-in browser."""

    def log_in(user) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return log_in


def press_twice(browser: Client, path: str, form: dict) -> list:
    """A double click: two requests of one browser on their way at once."""
    start = Barrier(2)

    def press():
        own = Client()
        own.cookies = browser.cookies
        start.wait()
        try:
            return own.post(path, form)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as both:
        return [answer.result() for answer in [both.submit(press) for _ in range(2)]]


@pytest.mark.django_db(transaction=True)
def test_11_a_double_click_is_one_session_and_both_answers_show_it(browser_of, maya, alex, window, monday):
    window(maya)
    browser = browser_of(alex.user)
    form = filled_in(browser.get(book_path(maya, monday)))
    answers = press_twice(browser, reverse("book", args=[maya.pk]), form)
    session = Session.objects.get()
    assert [(answer.status_code, answer.url) for answer in answers] == [(302, f"/sessions/{session.pk}/requested/")] * 2
    assert (session.version, session.history.count(), session.notices.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_11_a_double_click_is_one_move(browser_of, session, alex, monday):
    browser = browser_of(alex.user)
    path = reverse("move", args=[session.pk])
    form = filled_in(browser.get(path, {"start": (monday + HOUR).isoformat(), "minutes": 30}))
    answers = press_twice(browser, path, form)
    assert [(answer.status_code, answer.url) for answer in answers] == [(302, f"/sessions/{session.pk}/")] * 2
    session = Session.objects.get()
    assert (session.start_time, session.version, session.history.count()) == (monday + HOUR, 2, 2)
    assert session.notices.filter(kind="rescheduled").count() == 1


def test_11_who_goes_back_and_chooses_another_hour_is_told_that_the_form_is_used(browser_of, maya, alex, window, monday):
    window(maya)
    browser, path = browser_of(alex.user), reverse("book", args=[maya.pk])
    form = filled_in(browser.get(book_path(maya, monday)), topic="Joins")
    browser.post(path, form)
    page = browser.post(path, form | {"start": (monday + HOUR).isoformat()})
    assert page.context["form"].non_field_errors() == ["This form has been sent before, for another session. Open it anew."]
    assert Session.objects.get().start_time == monday


def test_11_of_two_tabs_the_second_shows_what_the_first_asked_for(browser_of, maya, alex, window, monday):
    window(maya)
    browser, path = browser_of(alex.user), reverse("book", args=[maya.pk])
    forms = [filled_in(browser.get(book_path(maya, monday))) for _ in range(2)]
    assert forms[0]["form_key"] != forms[1]["form_key"]
    first = browser.post(path, forms[0]).url
    page = browser.post(path, forms[1], follow=True)
    assert page.redirect_chain == [(first, 302)] == [(f"/sessions/{Session.objects.get().pk}/requested/", 302)]
    assert [str(message) for message in page.context["messages"]] == ["You have sent this request already: here it is."]


# ---- 12: forms that are out of date ---------------------------------------------------------------------------------------------
# The pages that move: test_moving_pages, test_admin_moving. Rows, policy and people: test_hours_pages and both test_stale.

PRESSED = ("confirm", "decline", "cancel", "complete", "mark_no_show")


@pytest.mark.parametrize("name", [*PRESSED, "reschedule", "reassign"])
def test_12_no_verb_overwrites_what_somebody_changed_meanwhile(session, maya, omar, alex, cora, monday, name):
    booking.confirm(session, by=maya.user)
    others = {"reschedule": [monday + HOUR], "reassign": [omar]}.get(name, [])
    [(code, sentence)] = refused(getattr(booking, name), session, *others, by=cora, version=1)
    assert (code, sentence.partition(" at ")[0]) == ("stale", "Maya Lopez changed this session")
    session = Session.objects.get()
    assert (session.status, session.version, session.mentor, session.start_time) == ("Confirmed", 2, maya, monday)


@pytest.mark.parametrize("name", PRESSED)
def test_12_no_dialog_overwrites_what_a_colleague_changed_meanwhile(browser_of, session, person, cora, name):
    ana = person("Ana Boss", is_staff=True, is_superuser=True)
    booking.confirm(session, by=ana)
    desk = browser_of(cora)
    sent = {"_form_submitted": "True", "version": 1, "on_behalf_of": "", "reason": "By mistake."}
    answer = desk.post(reverse(f"admin:scheduling_session_{name}", args=[session.pk]), sent)
    page = desk.get(answer["HX-Redirect"])
    [sentence] = shown(page)
    assert sentence.startswith("Ana Boss changed this session at ")
    assert sentence.endswith(": it is Confirmed now. Look again before you act.")
    assert Session.objects.values_list("status", "version").get() == ("Confirmed", 2)


# ---- 21, 22: people who leave ---------------------------------------------------------------------------------------------------
# Leaving, its pages, log-ins and messages: test_leaving. What nobody is promised any more: test_life.


@pytest.mark.parametrize("whose", ["mentor", "mentee"])
@pytest.mark.parametrize("rows", ["the role", "the user", "all of them"])
def test_21_nobody_who_has_sessions_is_deleted_on_any_path(session, whose, rows):
    role = getattr(session, whose)
    delete = {"the role": role.delete, "the user": role.user.delete, "all of them": type(role).objects.all().delete}[rows]
    with pytest.raises(ProtectedError):
        delete()
    assert Session.objects.get() == session
    assert getattr(Session.objects.get(), whose).user.is_active


def test_21_whoever_would_be_deleted_leaves_instead_and_the_mentees_are_told(session, maya, bo, cora, monday):
    other = booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    leaving.leave(maya.user, by=cora, decided={session.pk: None, other.pk: None}, reason="Maya has moved away.")
    assert set(Session.objects.values_list("status", "ending", "reason")) == {("Canceled", "canceled", "Maya has moved away.")}
    told = Notice.objects.filter(kind="canceled", state="pending").values_list("recipient__first_name", flat=True)
    assert sorted(told) == ["Alex", "Bo"]


def test_22_nobody_leaves_before_each_session_ahead_was_listed_and_decided(session, maya, bo, cora, monday, time_machine):
    other = booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    assert leaving.ahead(maya.user) == [session, other]
    [(code, sentence)] = refused(leaving.leave, maya.user, by=cora, decided={session.pk: None})
    day = f"{monday:%a} {monday.day} {monday:%b %Y}"
    assert (code, sentence) == (
        "undecided",
        f"Decide who takes these over, or cancel them: Bo Lindqvist, {day}, 10:00–10:30 (UTC).",
    )
    assert User.objects.get(pk=maya.pk).is_active
    assert set(Session.objects.values_list("status", "version")) == {("Pending", 1)}


def test_22_whoever_is_switched_off_past_the_door_gets_no_reminder(two_meetings, alex, at, monday, mailoutbox):
    User.objects.filter(pk=alex.pk).update(is_active=False)
    at("08:01", monday)
    at("08:46", monday)
    assert {address for message in mailoutbox for address in message.to} == {"maya@example.org"}
    # The coordinators still find what is to be decided.
    assert leaving.ahead(alex.user) == [two_meetings[0]]
    assert Counter(Notice.objects.filter(recipient=alex.user, kind__startswith="reminder").values_list("state", "detail")) == {
        ("suppressed", "The recipient no longer takes part."): 2
    }


# ---- 23: zones that do not exist ------------------------------------------------------------------------------------------------
# Fields refuse them in people/tests/test_time_zones; here they are in the database already.


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe", "\N{ROCKET}" * 60])
def test_23_a_bad_zone_in_the_database_is_the_programs_zone(maya, alex, monday, name, client, mailoutbox):
    Program.objects.update_or_create(pk=1, defaults={"time_zone": "Europe/Berlin", "weeks_ahead": 3})
    hours = WeeklyHours(mentor=maya, weekday=0, begins=time(18), ends=time(19), time_zone="UTC", valid_from_on=monday.date())
    offering.make(offering.save_hours(hours), by=maya.user)
    WeeklyHours.objects.update(time_zone=name)
    User.objects.update(time_zone=name)
    # What was offered in UTC is offered in the program's zone, and nothing stops.
    offering.write_ahead()
    offered = Availability.objects.order_by("start_time")[0].period
    assert f"{offered.start.astimezone(BERLIN):%d %H:%M}" == f"{monday:%d} 18:00"
    client.force_login(User.objects.get(pk=alex.pk))
    form = filled_in(client.get(book_path(maya, offered.start)))
    answer = client.post(reverse("book", args=[maya.pk]), form)
    page = client.get(answer.url)
    assert (page.status_code, Session.objects.get().period) == (200, Period.of(offered.start, 30))
    assert "(Europe/Berlin)" in page.content.decode()
    delivery.sweep()
    assert "18:00–18:30 (Europe/Berlin)" in mailoutbox[0].body
