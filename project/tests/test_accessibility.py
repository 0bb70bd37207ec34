"""Every page for mentors and mentees, on a phone, light and dark: WCAG 2.2 AA as far as a machine can tell, and a visible focus.

Which pages there are is asked of the table of roles: a new one is looked at as soon as it stands there.
"""

import time
from importlib.resources import files

import pytest
from django.conf import settings

from project.tests.test_roles import filled, rows, world  # noqa: F401  the fixture
from project.tests.webserver import session_of
from scheduling.composing import book_path
from scheduling.slots import Period

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

AXE = str(files("axe_playwright_python") / "axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# As columns of the table.
LOOKING = {"anonymous": 0, "mentee": 2, "mentor": 3, "coordinator": 5}
NO_PAGES = (".ics", ".css", "/photo/", "/download/")

LOOK = """async (options) => {
  const found = await axe.run(document, {resultTypes: ["violations"], ...options});
  const wide = document.documentElement.scrollWidth > innerWidth ? ["wider than the screen"] : [];
  return wide.concat(found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map(
    (one) => `${one.id} (${one.help}): ${one.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(" | ")}`));
}"""
# What can be reached with the keyboard and does not show that it is.
UNSEEN = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter((one) => {
  one.focus();
  const style = getComputedStyle(one);
  return document.activeElement === one && (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2);
}).map((one) => one.outerHTML.slice(0, 160))"""


def pages(world) -> dict[str, list[str]]:  # noqa: F811
    """Who looks -> at which pages."""
    found = {who: [] for who in LOOKING}
    for method, address, answers in rows():
        if method != "GET" or address.startswith(("/admin", "/api")) or address.endswith(NO_PAGES):
            continue
        # Whoever has just logged in is not asked for the password again.
        sees = [who for who, column in LOOKING.items() if answers[column] in ("200", "again")]
        if sees:
            found[sees[0]].append(filled(address, world))
    return found


def test_nothing_serious_stands_in_anybodys_way(browser, live_server, world, maya, alex, cora, monday):  # noqa: F811
    people = {"anonymous": None, "mentee": alex.user, "mentor": maya.user, "coordinator": cora}
    to_see = pages(world)
    slot = book_path(maya.pk, Period.of(monday.replace(hour=10), 30))
    to_see["mentee"] += [slot, slot.replace("/book/", "/book/review/"), "/no-such-page/"]
    assert sum(map(len, to_see.values())) > 60
    wrong = []
    for who, addresses in to_see.items():
        context = browser.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True)
        context.add_init_script(path=AXE)
        if people[who]:
            key = session_of(people[who], account_authentication_methods=[{"method": "password", "at": time.time()}])
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        page = context.new_page()
        for address in addresses:
            page.emulate_media(color_scheme="light")
            if "html" not in page.goto(live_server.url + address).headers.get("content-type", ""):
                continue
            seen = page.evaluate(LOOK, {"runOnly": RULES})
            page.emulate_media(color_scheme="dark")
            seen += [f"dark: {one}" for one in page.evaluate(LOOK, {"runOnly": ["color-contrast"]})]
            page.keyboard.press("Tab")
            seen += [f"no focus seen: {one}" for one in page.evaluate(UNSEEN)]
            wrong += [f"{who} {address} {one}" for one in seen]
        context.close()
    if wrong:
        pytest.fail("\n".join(wrong))
