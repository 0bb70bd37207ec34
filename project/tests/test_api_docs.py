"""The examples of docs/api.md, run by a shell with curl against a real server; each answers in the shape that stands below it."""

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from people.models import ApiToken, Skill, Team
from project.testing import PASSWORD
from scheduling.tests.test_api_contract import unlike

EXAMPLE = re.compile(r"```sh\n(curl .*?)\n```(?:\n\n```json\n(.*?)\n```)?", re.DOTALL)
EXAMPLES = EXAMPLE.findall((Path(settings.BASE_DIR) / "docs" / "api.md").read_text())
# What those without a body answer.
SILENT = {"/auth/token/logout/": "204", "If-None-Match": "304"}


@pytest.mark.django_db(transaction=True)
def test_every_example_answers_as_it_says(live_server, maya, alex, bo, session, monday):
    assert shutil.which("curl"), "There is no curl on this machine (Debian: apt install curl)."
    assert len(EXAMPLES) == 9
    maya.skills.set([Skill.objects.create(name=name) for name in ("CSS", "SQL")])
    alex.team = Team.objects.create(number=4)
    alex.save()
    key, other = (ApiToken.objects.issue(maya.user, name, 30) for name in ("docs", "other"))
    shell = {"SITE": live_server.url, "KEY": key, "OTHER_KEY": other, "NAME": maya.user.username, "PASSWORD": PASSWORD}
    head = 'curl -s -I -H "Authorization: Token $KEY" $SITE/mentor/'

    def run(command: str) -> str:
        # Times of the examples are long past, or years ahead.
        command = command.replace("2027-01-01", f"{monday - timedelta(days=1):%Y-%m-%d}")
        done = subprocess.run(["sh", "-c", command], env=os.environ | shell, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for command, shape in EXAMPLES:
        shell["ETAG"] = re.search(r'ETag: (?:W/)?"(\w+)"', run(head))[1]
        *body, status = run(command.replace("curl ", "curl -s -w '\\n%{http_code}' ", 1)).rsplit("\n", 1)
        if shape:
            assert not unlike(json.loads(shape), json.loads(body[0])), command
            assert status == ("405" if "-X POST" in command and "login" not in command else "200"), command
        else:
            assert (status, "".join(body)) == (next(said for part, said in SILENT.items() if part in command), ""), command
    assert ApiToken.objects.user_of(other) is None


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_for_people_is_tried_out_under_the_strict_policy(browser, live_server, client, maya):
    """Swagger UI draws without inline script or style, and answers with the key that was pasted."""
    client.force_login(maya.user)
    page = browser.new_page()
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/profile/keys/")
    page.get_by_role("link", name="What a program reads with a key, and how").click()
    page.locator("button.authorize").click()
    page.locator(".auth-container input").fill(f"Token {ApiToken.objects.issue(maya.user, 'page', 30)}")
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".btn-done").click()
    me = page.locator("#operations-Version_1-get_api_v1_me")
    me.locator(".opblock-summary-control").click()
    me.get_by_role("button", name="Try it out").click()
    me.get_by_role("button", name="Execute").click()
    assert '"username": "mayalopez"' in me.locator(".live-responses-table").inner_text()
    assert not complaints
    page.close()
