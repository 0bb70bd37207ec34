"""The same pages on a phone, with no JavaScript at all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from project.testing import PASSWORD
from scheduling.models import Session

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser, live_server):
    """A function that logs somebody in on a phone of their own; every page they open is looked at for sideways scrolling."""

    def of(user):
        context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{live_server.url}/accounts/login/")
        page.locator("[name=login]").fill(user.email)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(f"{live_server.url}/")
        return page

    return of


def fits(page) -> bool:
    """Is the page no wider than the phone?"""
    return page.locator("body").bounding_box()["width"] <= 360 and page.locator("main").bounding_box()["width"] <= 360


def test_booking_and_answering_on_a_phone_without_javascript(phone, maya, alex):
    mentor = phone(maya.user)
    mentor.get_by_role("link", name="My hours").click()
    mentor.get_by_label("Day").fill((timezone.localdate() + timedelta(days=2)).isoformat())
    mentor.get_by_label("From").fill("18:00")
    mentor.get_by_label("To", exact=True).fill("19:00")
    assert fits(mentor)
    mentor.get_by_role("button", name="Offer this time").click()

    mentee = phone(alex.user)
    mentee.get_by_role("link", name="Find a mentor").first.click()
    assert fits(mentee)
    mentee.get_by_role("link", name="Maya Lopez", exact=True).click()
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

    mentee.reload()
    mentee.get_by_role("link", name="Cancel").click()
    mentee.get_by_label("Reason").fill("An exam")
    assert fits(mentee)
    mentee.locator("main").get_by_role("button").first.click()
    mentee.get_by_text("Canceled").first.wait_for()
    session = Session.objects.get()
    assert (session.status, session.ending, session.reason, session.ended_by) == ("Canceled", "canceled", "An exam", alex.user)
