"""Finding, booking and being too late on a phone: with JavaScript and without, in as many browsers and tabs as it takes."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from people.models import Skill
from project.testing import PASSWORD
from project.tests.test_phone import fits
from scheduling.composing import book_path
from scheduling.models import Session
from scheduling.slots import Period

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)
PATIENCE = 60_000


@pytest.fixture(params=[True, False], ids=["javascript", "no_javascript"])
def scripts(request):
    return request.param


@pytest.fixture
def phone(browser, live_server, scripts):
    """A function that logs a mentee in on a phone of their own. What the browser refuses or trips over fails the test."""
    complaints = []

    def of(mentee):
        context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=scripts)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/accounts/login/")
        page.locator("[name=login]").fill(mentee.user.email)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(f"{live_server.url}/")
        return page

    yield of
    assert complaints == []


def press(page, link_or_button):
    link_or_button.click()
    page.wait_for_load_state()
    assert fits(page)


def open_slot(page, live_server, mentor, start):
    page.goto(live_server.url + book_path(mentor.pk, Period.of(start, 30)))


def type_and_look(page, topic):
    page.get_by_label("What do you need help with?").fill(topic)
    press(page, page.get_by_role("button", name="Look at it once more"))


def send(page):
    press(page, page.get_by_role("button", name="Send the request"))


def is_done(page):
    page.get_by_role("heading", name="Requested").wait_for()
    assert fits(page)


def test_find_book_done_in_four_clicks(phone, alex, maya, window, monday):
    window(maya)
    page = phone(alex)
    press(page, page.get_by_role("link", name="Find a mentor").first)
    press(page, page.get_by_role("link", name=re.compile("Ask Maya Lopez for .*09:30")))
    type_and_look(page, "Joins")
    send(page)
    is_done(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Add to calendar").click()
    session = Session.objects.get()
    assert download.value.suggested_filename == f"session-{session.pk}.ics"
    assert (session.mentee, session.start_time, session.topic) == (alex, monday + HOUR / 2, "Joins")


def test_the_list_follows_the_choice_and_the_address_holds_it(phone, scripts, alex, maya, omar, window, monday):
    sql = Skill.objects.create(name="SQL")
    omar.skills.add(sql)
    for mentor in (maya, omar):
        window(mentor, monday + 9 * HOUR)
    window(maya)
    page = phone(alex)

    def listed():
        return page.locator("#found h2 a").all_inner_texts()

    def answered(choice):
        """With JavaScript the list comes by itself; without, the button asks for it."""
        if not scripts:
            page.get_by_role("button", name="Search").click()
        page.wait_for_url(f"**{choice}**")
        page.locator("#found:not(.htmx-swapping)").wait_for()
        assert fits(page)

    press(page, page.get_by_role("link", name="Find a mentor").first)
    assert listed() == ["Maya Lopez", "Omar Haddad"]
    page.get_by_label("Free", exact=True).select_option("evenings")
    answered("when=evenings")
    page.get_by_text("2 mentors, free for 30 minutes in the evening, from 17:00 (UTC)").wait_for()
    page.get_by_label("SQL").check()
    answered(f"skill={sql.pk}")
    page.get_by_text("1 mentor who knows SQL").wait_for()
    assert listed() == ["Omar Haddad"]
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["when"], asked["skill"]) == (["evenings"], [str(sql.pk)])
    # The address is all there is to it: opened anew, the page is the same.
    page.reload()
    assert (listed(), page.get_by_label("SQL").is_checked()) == (["Omar Haddad"], True)
    page.go_back()
    page.get_by_text("2 mentors, free for 30 minutes in the evening").wait_for()
    assert listed() == ["Maya Lopez", "Omar Haddad"]


def test_words_are_looked_for_as_they_are_typed(phone, scripts, alex, maya, omar):
    page = phone(alex)
    press(page, page.get_by_role("link", name="Find a mentor").first)
    page.get_by_label("Name or words").press_sequentially("omar")
    if not scripts:
        page.get_by_role("button", name="Search").click()
    page.get_by_text("1 mentor", exact=True).wait_for()
    assert page.locator("#found h2 a").all_inner_texts() == ["Omar Haddad"]
    assert page.get_by_label("Name or words").input_value() == "omar"


def test_who_was_logged_out_meanwhile_comes_to_the_log_in(phone, scripts, alex, maya):
    page = phone(alex)
    press(page, page.get_by_role("link", name="Find a mentor").first)
    page.context.clear_cookies()
    page.get_by_label("Free", exact=True).select_option("today")
    if not scripts:
        page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/accounts/login/?next=**today**")


def test_of_two_mentees_in_one_slot_one_is_told_and_books_another(phone, live_server, alex, bo, maya, window, monday):
    window(maya)
    first, second = phone(alex), phone(bo)
    for page, topic in ((first, "Joins"), (second, "Trees & graphs")):
        open_slot(page, live_server, maya, monday)
        type_and_look(page, topic)
    send(first)
    is_done(first)
    send(second)
    second.get_by_text("Maya Lopez already has a session").wait_for()
    second.get_by_text("What you typed is kept: choose another time, and it goes along.").wait_for()
    second.get_by_text("Trees & graphs").wait_for()
    slots = second.locator("a.slot")
    assert [text.rpartition(", ")[2] for text in slots.all_inner_texts()] == ["09:30", "10:00", "10:30"]
    press(second, slots.first)
    send(second)
    is_done(second)
    booked = Session.objects.order_by("start_time").values_list("mentee", "start_time", "topic")
    assert list(booked) == [(alex.pk, monday, "Joins"), (bo.pk, monday + HOUR / 2, "Trees & graphs")]


def test_back_after_done_shows_what_was_done(phone, live_server, alex, maya, window, monday):
    window(maya)
    page = phone(alex)
    open_slot(page, live_server, maya, monday)
    type_and_look(page, "Joins")
    send(page)
    is_done(page)
    done = page.url
    for _ in range(2):
        page.go_back()
        page.get_by_text("You have sent this request already: here it is.").wait_for()
        assert page.url == done
    assert Session.objects.count() == 1


def test_back_before_it_is_sent_keeps_what_was_typed(phone, live_server, alex, maya, window, monday):
    window(maya)
    page = phone(alex)
    open_slot(page, live_server, maya, monday)
    type_and_look(page, "Joins")
    press(page, page.get_by_role("link", name="Change it"))
    assert page.get_by_label("What do you need help with?").input_value() == "Joins"
    type_and_look(page, "Indexes")
    send(page)
    is_done(page)
    assert Session.objects.get().topic == "Indexes"


def test_a_double_click_is_one_session(phone, live_server, alex, maya, window, monday):
    window(maya)
    page = phone(alex)
    open_slot(page, live_server, maya, monday)
    type_and_look(page, "Joins")
    page.get_by_role("button", name="Send the request").dblclick()
    is_done(page)
    session = Session.objects.get()
    assert (session.version, session.history.count()) == (1, 1)
    assert page.url == f"{live_server.url}/sessions/{session.pk}/requested/"


def test_of_two_tabs_the_second_shows_what_the_first_asked_for(phone, live_server, alex, maya, window, monday):
    window(maya)
    first = phone(alex)
    second = first.context.new_page()
    for page in (first, second):
        open_slot(page, live_server, maya, monday)
        type_and_look(page, "Joins")
    send(first)
    is_done(first)
    send(second)
    second.get_by_text("You have sent this request already: here it is.").wait_for()
    assert second.url == first.url
    assert Session.objects.count() == 1


def test_two_zones_on_different_dates(phone, live_server, alex, maya, window, monday):
    alex.user.time_zone, maya.user.time_zone = "America/Los_Angeles", "Asia/Tokyo"
    alex.user.save()
    maya.user.save()
    start = monday + 9 * HOUR  # 18:00 UTC: still Monday morning for Alex, Tuesday at night for Maya
    window(maya, start)
    page = phone(alex)
    press(page, page.get_by_role("link", name="Find a mentor").first)
    page.get_by_text("Times are in America/Los_Angeles").first.wait_for()
    press(page, page.locator("a.slot").first)
    type_and_look(page, "Joins")
    tuesday = monday + timedelta(days=1)
    facts = page.locator("dl.facts").first.inner_text()
    # In summer an hour later.
    hour = start.astimezone(ZoneInfo("America/Los_Angeles")).hour
    assert f"{monday:%A}, {monday.day} {monday:%B %Y}, {hour}:00–{hour}:30 (America/Los_Angeles), 30 minutes" in facts
    assert f"{tuesday:%A}, {tuesday.day} {tuesday:%B %Y}, 03:00–03:30 (Asia/Tokyo)" in facts
    send(page)
    is_done(page)
    facts = page.locator("dl.facts").first.inner_text()
    assert f"{monday:%a} {monday.day} {monday:%b %Y}, {hour}:00–{hour}:30 (America/Los_Angeles)" in facts
    assert f"{tuesday:%a} {tuesday.day} {tuesday:%b %Y}, 03:00–03:30 (Asia/Tokyo)" in facts
    assert Session.objects.get().start_time == start
