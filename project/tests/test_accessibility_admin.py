"""The desk's pages, wide, light and dark: WCAG 2.2 AA as far as a machine can tell. Which there are the table of roles knows."""

import time

import pytest
from django.conf import settings

from project.tests.test_accessibility import AXE, LOOK, RULES
from project.tests.test_roles import filled, rows, world  # noqa: F401  the fixture
from project.tests.webserver import session_of

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

COORDINATOR, SUPERUSER = 5, 6
# Of what only superusers open, the pages that are like no other.
THEIRS = ("/admin/people/user/", "/admin/auth/group/")
# No pages: parts of one, scripts and files.
NO_PAGES = ("/jsi18n/", "/autocomplete/", "/search/", "/refused/")


def pages(world) -> list[tuple[int, str]]:  # noqa: F811
    """Those of coordinators as one, and what only superusers open as one."""
    found = []
    for method, address, answers in rows():
        if method == "GET" and address.startswith("/admin/") and not address.endswith(NO_PAGES):
            seen = [who for who in (COORDINATOR, SUPERUSER) if answers[who] in ("200", "again")]
            if seen == [SUPERUSER] and not address.startswith(THEIRS):
                continue
            found += [(seen[0], filled(address, world))] if seen else []
    return found


def test_nothing_serious_stands_in_the_desks_way(browser, live_server, world, cora, person):  # noqa: F811
    people = {COORDINATOR: cora, SUPERUSER: person("Root Ruiz", is_staff=True, is_superuser=True)}
    to_see = pages(world)
    assert len(to_see) > 60
    wrong = []
    for who, user in people.items():
        context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
        context.add_init_script(path=AXE)
        key = session_of(user, account_authentication_methods=[{"method": "password", "at": time.time()}])
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        page = context.new_page()
        for address in [address for whose, address in to_see if whose == who]:
            page.emulate_media(color_scheme="light")
            if "html" not in page.goto(live_server.url + address).headers.get("content-type", ""):
                continue
            if not page.title():
                continue  # a dialog, which is put into a page
            page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
            seen = page.evaluate(LOOK, {"runOnly": RULES})
            page.emulate_media(color_scheme="dark")
            seen += [f"dark: {one}" for one in page.evaluate(LOOK, {"runOnly": ["color-contrast"]})]
            wrong += [f"{address} {one}" for one in seen]
        context.close()
    if wrong:
        pytest.fail("\n".join(wrong))


def test_a_question_has_the_keyboard_until_it_is_answered(browser, live_server, cora, session):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    key = session_of(cora, account_authentication_methods=[{"method": "password", "at": time.time()}])
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/scheduling/session/{session.pk}/change/")
    page.locator("a[hx-get*='/decline/']").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Decline")
    dialog.wait_for()
    first = dialog.get_by_label("Reason")
    page.wait_for_function("document.activeElement.matches('#dialog textarea')")
    back = dialog.get_by_role("button", name="Back")
    seen = []
    # From the first to the last, and around.
    while not seen or not first.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("Boolean(document.activeElement.closest('#dialog'))"))
        assert len(seen) < 10
    assert all(seen)
    assert len(seen) >= 3
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert back.evaluate("one => one === document.activeElement")
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    page.wait_for_function("document.activeElement.matches(\"a[hx-get*='/decline/']\")")
    context.close()
