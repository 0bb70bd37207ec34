"""From the sign-up to a confirmed session, and off again: two new people on a phone, with JavaScript and without."""

from datetime import timedelta

import pytest
from django.utils import timezone

from people.models import User
from people.tests.test_accounts import link_in
from project.testing import PASSWORD
from scheduling.models import Session

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[True, False], ids=["javascript", "no_javascript"])
def newcomer(request, browser, live_server, mailoutbox):
    """A function that signs somebody up on a phone of their own, follows the mailed link and logs in."""

    def of(name, wish):
        first, last = name.split()
        # One address gets a mail in three minutes, and the cache that counts outlives a test.
        email = f"{first.lower()}@example.{'org' if request.param else 'net'}"
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, java_script_enabled=request.param, timezone_id="Europe/Lisbon"
        )
        page = context.new_page()
        page.goto(live_server.url)
        page.locator("main").get_by_role("link", name="Sign up").click()
        page.locator("[name=first_name]").fill(first)
        page.locator("[name=last_name]").fill(last)
        page.locator("[name=email]").fill(email)
        page.locator("[name=password1]").fill(PASSWORD)
        page.get_by_label(wish).check()
        assert fits(page)
        page.get_by_role("button", name="Sign up").click()
        page.wait_for_url("**/accounts/confirm-email/")
        assert fits(page)
        page.goto(live_server.url + link_in(mailoutbox[-1]))
        page.get_by_role("button", name="Yes, it is mine").click()
        page.locator("[name=login]").fill(email)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(f"{live_server.url}/")
        # The zone is guessed where a script can ask the browser.
        user = User.objects.get(email=email)
        assert user.time_zone == ("Europe/Lisbon" if request.param else "")
        return page, user

    return of


def fits(page) -> bool:
    """Is the page no wider than the phone?"""
    return page.locator("body").bounding_box()["width"] <= 360 and page.locator("main").bounding_box()["width"] <= 360


def test_from_the_sign_up_to_a_confirmed_session(newcomer):
    mentor, ines = newcomer("Ines Roy", "I want to mentor")
    mentor.get_by_role("link", name="My hours").click()
    mentor.get_by_label("Day").fill((timezone.localdate() + timedelta(days=2)).isoformat())
    mentor.get_by_label("From").fill("18:00")
    mentor.get_by_label("To", exact=True).fill("19:00")
    assert fits(mentor)
    mentor.get_by_role("button", name="Offer this time").click()
    mentor.get_by_text("18:00–19:00").first.wait_for()

    mentee, jon = newcomer("Jon Berg", "I want to be mentored")
    mentee.get_by_role("link", name="Find a mentor").first.click()
    assert fits(mentee)
    mentee.get_by_role("link", name="Ines Roy", exact=True).click()
    mentee.locator(".slot", has_text="18:30").click()
    assert fits(mentee)
    mentee.get_by_role("button", name="Look at it once more").click()
    assert fits(mentee)
    mentee.get_by_role("button", name="Send the request").click()
    mentee.get_by_role("heading", name="Requested").wait_for()
    assert fits(mentee)
    mentee.get_by_role("link", name="See the session").click()

    mentor.get_by_role("link", name="My sessions").click()
    assert fits(mentor)
    mentor.get_by_role("button", name="Confirm").click()
    mentor.get_by_text("Confirmed").first.wait_for()
    session = Session.objects.get()
    assert (session.status, session.mentor.user, session.mentee.user) == ("Confirmed", ines, jon)

    mentee.reload()
    mentee.get_by_role("link", name="Cancel").click()
    mentee.get_by_label("Reason").fill("An exam")
    assert fits(mentee)
    mentee.locator("main").get_by_role("button").first.click()
    mentee.get_by_text("Canceled").first.wait_for()
    session.refresh_from_db()
    assert (session.status, session.ending, session.reason, session.ended_by) == ("Canceled", "canceled", "An exam", jon)
