"""A roster on its way through the desk, in a browser: from the upload to the undo."""

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from people.models import Mentor, Skill
from project.tests.webserver import session_of

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

ROSTER = """;Full name;E-mail address;Areas of expertise;Bio;Wohnort
0;José Núñez;jose@example.org;['Resume Help', 'Go'];Ask me;Köln
1;Maya Lopez;MAYA@example.org;Resume Help;;Bonn
2;Ana;ana@example;;;
"""
# Where to put pictures of each page, for whoever wants to look at them.
PICTURES = os.environ.get("PICTURES", "")


def picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def test_from_the_upload_to_the_undo(browser, live_server, settings, tmp_path, cora, maya):
    settings.MEDIA_ROOT = tmp_path
    maya.about_me = "Ask Maya"
    maya.save()
    Skill.objects.create(name="Resume Help")
    complaints = []
    dark = bool(os.environ.get("DARK"))
    size = {"width": int(os.environ.get("WIDTH", 1280)), "height": 800}
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": session_of(cora), "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/admin/people/mentor/import/")
    picture(page, "1-upload")
    assert page.locator("select[name=kind]").input_value() == "mentors"
    page.locator("input[type=file][name=file]").set_input_files(
        {"name": "roster.csv", "mimeType": "text/csv", "buffer": ROSTER.encode("cp1252")}
    )
    page.get_by_role("button", name="Next: its columns").click()
    page.get_by_text("read as Windows-1252").wait_for()
    picture(page, "2-columns")
    page.get_by_role("button", name="Next: see what it would do").click()
    page.get_by_text("1 name is not in the list").wait_for()
    picture(page, "3-refused")
    page.get_by_label("Go (1)").check()
    page.get_by_label("Empty cells delete what is here").check()
    page.get_by_role("button", name="Look again with this").click()
    page.get_by_role("link", name="Changed: 1").click()
    page.get_by_text("deleted").wait_for()
    picture(page, "4-changed")
    page.get_by_role("link", name="Refused: 1").click()
    page.get_by_text("Enter a valid email address.").wait_for()
    page.get_by_role("button", name="Import the 2 good rows, leave out 1").click()
    page.get_by_text("1 new, 1 changed, 0 unchanged, 1 refused").wait_for()
    picture(page, "5-result")
    jose = Mentor.objects.with_email("jose@example.org")
    assert (jose.user.last_name, sorted(map(str, jose.skills.all()))) == ("Núñez", ["Go", "Resume Help"])
    maya.refresh_from_db()
    assert maya.about_me == ""
    page.get_by_text("Undo this import").click()
    page.get_by_role("button", name="Undo it now").click()
    page.get_by_text("The import is undone.").wait_for()
    picture(page, "6-undone")
    maya.refresh_from_db()
    assert (maya.about_me, Mentor.objects.count(), complaints) == ("Ask Maya", 1, [])
