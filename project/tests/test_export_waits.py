"""A download that takes its time says so: with the keyboard alone, in a real browser."""

import pytest

from project.testing import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATIENCE = 60_000
# Milliseconds that every answer takes longer: more than the two seconds after which the page speaks.
SLOW = 3_500


def test_a_slow_download_is_told_about_and_its_end_too(browser, live_server, cora, maya):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{live_server.url}/accounts/login/?next=/admin/people/mentor/export/")
    page.locator("[name=login]").fill(cora.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    status = page.locator("#making")
    page.get_by_text("CSV, for other programs").wait_for()
    assert status.inner_text() == ""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    speed = {"offline": False, "latency": SLOW, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", speed)
    page.get_by_label("CSV, for other programs").focus()
    page.keyboard.press("Space")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
        page.get_by_text("The file is being made.").wait_for()
    assert download.value.suggested_filename.startswith("mentors-")
    page.get_by_text("The file is made, and the download begins.").wait_for()
