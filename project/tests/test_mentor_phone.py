"""A mentor's day on a phone: with JavaScript and without."""

from datetime import timedelta

import pytest
from django.utils import timezone

from project.testing import PASSWORD
from project.tests.test_phone import fits
from scheduling import booking
from scheduling.models import MentorLimits, Session, SessionNote

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

HALF_AN_HOUR = timedelta(minutes=30)
PATIENCE = 60_000


@pytest.fixture(params=[True, False], ids=["javascript", "no_javascript"])
def phone(request, browser, live_server, maya):
    """Maya's phone, logged in. What the browser refuses or trips over fails the test."""
    complaints = []
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=request.param)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/accounts/login/")
    page.locator("[name=login]").fill(maya.user.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{live_server.url}/")
    yield page
    assert complaints == []


@pytest.fixture
def asked(maya, alex, bo, window, monday):
    """Alex and Bo have asked Maya, one after the other."""
    window(maya)
    return [
        booking.request(maya, mentee, monday + HALF_AN_HOUR * number, 30, by=mentee.user, topic="Joins")
        for number, mentee in enumerate((alex, bo))
    ]


def row_of(page, mentee):
    return page.get_by_role("listitem").filter(has=page.get_by_role("button", name=f"Confirm {mentee.user}"))


def say(row, word):
    row.get_by_text("Add a word").click()
    row.get_by_label("A word to").fill(word)


def test_requests_are_answered_with_a_word_in_one_click(phone, live_server, asked, alex, bo):
    phone.reload()
    assert fits(phone)
    row = row_of(phone, alex)
    say(row, "See you there")
    assert fits(phone)
    row.get_by_role("button", name="Confirm").click()
    phone.get_by_text("The session with Alex Johnson is confirmed.").wait_for()
    row = row_of(phone, bo)
    say(row, "An exam")
    row.get_by_role("button", name="Decline").click()
    phone.get_by_text("The session with Bo Lindqvist is declined.").wait_for()
    assert (phone.url, fits(phone)) == (f"{live_server.url}/", True)
    told = Session.objects.order_by("start_time").values_list("status", "ending", "reason")
    assert list(told) == [("Confirmed", "", "See you there"), ("Canceled", "declined", "An exam")]


def test_without_a_word_it_is_one_click_and_a_double_click_is_one_answer(phone, asked, alex):
    phone.reload()
    row_of(phone, alex).get_by_role("button", name="Confirm").dblclick()
    phone.get_by_text("The session with Alex Johnson is confirmed.").first.wait_for()
    asked[0].refresh_from_db()
    assert (asked[0].status, asked[0].version) == ("Confirmed", 2)


def test_by_keyboard_alone(phone, asked, alex):
    phone.reload()
    row = row_of(phone, alex)
    row.get_by_role("button", name="Confirm").focus()
    # Decline, Move, then the word.
    for _ in range(3):
        phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    phone.keyboard.press("Tab")
    phone.keyboard.type("Gladly")
    row.get_by_role("button", name="Confirm").press("Enter")
    phone.get_by_text("The session with Alex Johnson is confirmed.").wait_for()
    asked[0].refresh_from_db()
    assert asked[0].reason == "Gladly"


def test_a_pause_and_requests_again(phone, maya):
    day = timezone.localdate() + timedelta(days=20)
    phone.get_by_label("No new requests until").fill(day.isoformat())
    phone.get_by_role("button", name="Pause new requests").click()
    phone.get_by_text("You take no new requests until").wait_for()
    assert fits(phone)
    assert MentorLimits.objects.get().paused_until_on == day
    phone.get_by_role("button", name="Take requests again").click()
    phone.get_by_text("New requests are taken again.", exact=True).wait_for()
    assert MentorLimits.objects.get().paused_until_on is None


def test_a_note(phone, live_server, asked, alex):
    phone.goto(f"{live_server.url}/sessions/{asked[0].pk}/")
    phone.get_by_role("link", name="Write notes").click()
    assert fits(phone)
    phone.get_by_label("Notes").fill("Ask about Rust\nagain")
    phone.get_by_role("button", name="Save").click()
    phone.get_by_text("Ask about Rust").wait_for()
    assert fits(phone)
    assert SessionNote.objects.get().text == "Ask about Rust\nagain"
    phone.get_by_role("link", name="My sessions").first.click()
    phone.get_by_role("link", name="My notes").click()
    phone.get_by_role("link", name="Alex Johnson").wait_for()
    assert fits(phone)


def test_weekly_hours_with_a_preview(phone, maya):
    phone.get_by_role("link", name="Give weekly hours").click()
    phone.get_by_label("Day", exact=True).select_option("Tuesday")
    phone.get_by_label("From").fill("18:00")
    phone.get_by_label("To", exact=True).fill("20:00")
    phone.get_by_role("button", name="Preview").click()
    phone.get_by_role("heading", name="Windows that come").wait_for()
    assert fits(phone)
    assert not maya.weekly_hours.exists()
    phone.get_by_role("button", name="Add weekly hours").click()
    phone.get_by_text("Saved. Mentees can book these hours.").wait_for()
    assert fits(phone)
    assert maya.weekly_hours.count() == 1
