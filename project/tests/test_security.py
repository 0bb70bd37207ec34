"""What must not get through, wherever it is tried: to other sites, into pages, out of cookies and addresses."""

import html
import http.client
import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core import mail
from django.test import Client

from people.models import Mentor, Skill, SkillSuggestion, Team, User
from people.tests.test_accounts import SIGN_UP, link_in
from project.testing import PASSWORD
from project.tests.test_roles import filled, rows, world  # noqa: F401  the fixture
from project.tests.webserver import web_server
from scheduling.models import Feedback, Session, SessionNote, TimeOff

EVIL = ["https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)"]


# ---- to other sites ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", EVIL)
def test_no_sign_up_and_no_choice_of_a_language_leads_off_the_site(client, wanted):
    assert client.post("/language/", {"language": "de", "next": wanted}, headers={"referer": wanted}).url == "/"
    page = client.get(f"/accounts/signup/?{urlencode({'next': wanted})}")
    assert page.status_code == 200
    page = client.post("/accounts/signup/", SIGN_UP | {"wanted_role": "mentee", "next": wanted})
    assert page.url == "/accounts/confirm-email/"
    confirmed = client.post(link_in(mail.outbox[0]))
    assert confirmed.url.startswith("/")
    assert "evil" not in confirmed.url


# ---- into pages -------------------------------------------------------------------------------------------------------

SCRIPT, PICTURE, ASKED = "<script>alert(7)</script>", '"><img src=x onerror=alert(7)>', "{{7*7}}"
# Longer than what stands in every name of a page.
MARKS = "\u202etxt.exe"


def hostile(most: int) -> str:
    return f"{ASKED}{MARKS}{SCRIPT}{PICTURE}"[:most]


@pytest.fixture
def poisoned(world, maya, alex):  # noqa: F811
    """Everybody and everything in the world has a name that wants to be more than text."""
    for row in User.objects.exclude(is_staff=True):
        row.first_name, row.last_name = hostile(150), hostile(150)
        row.save()
    Mentor.objects.update(about_me=hostile(400))
    alex.goals = hostile(400)
    alex.team = Team.objects.get()
    alex.save()
    Team.objects.update(name=hostile(80))
    Skill.objects.update(name=hostile(80))
    maya.skills.add(Skill.objects.get())
    SkillSuggestion.objects.update(name=hostile(80))
    Session.objects.update(topic=hostile(200), reason=hostile(300))
    Session.history.update(topic=hostile(200), reason=hostile(300))
    Feedback.objects.update(sentence=hostile(500))
    TimeOff.objects.update(note=hostile(200))
    SessionNote.objects.create(session_id=world["session"], mentor=maya, text=hostile(400), changed_at=maya.user.date_joined)
    maya.user.api_tokens.update(name=hostile(60))
    return world


@pytest.mark.django_db
def test_names_and_words_are_text_on_every_page_and_no_address_tells_who(poisoned, person, maya, alex, cora):
    root = person("Root Ruiz", is_staff=True, is_superuser=True)
    readers = {2: alex.user, 3: maya.user, 6: root}
    said, told = set(), []
    for column, user in readers.items():
        client = Client()
        client.force_login(user)
        for method, address, answers in rows():
            admins = address.startswith("/admin/")
            if method != "GET" or answers[column] != "200" or admins is not (user == root):
                continue
            answer = client.get(filled(address, poisoned))
            text = b"".join(answer).decode(errors="replace")
            if "html" not in answer["Content-Type"]:
                assert answer["X-Content-Type-Options"] == "nosniff"
                continue
            for live in (SCRIPT, "<img src=x"):
                assert live not in text, f"{address} lets {live} through"
            if html.escape(SCRIPT) in text:
                said.add(address)
                assert ASKED in text, f"{address} counts {ASKED}"
            for link in re.findall(r'(?:href|action|src)="([^"]*)"', text):
                if re.search(r"@|%40|\+49", link) and not link.startswith(("mailto:", "tel:")):
                    told.append((address, link))
    # Where such a name stands, it stands as it was typed; and it does stand on most pages.
    assert len(said) > 60, len(said)
    assert told == []


# ---- cookies ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_behind_tls_cookies_are_locked_to_the_host_and_browsers_insist_on_tls(maya):
    # The server does not know the quick hasher of the tests.
    User.objects.filter(pk=maya.pk).update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1))
    with web_server(SITE_URL="https://mentors.example.org") as server:
        behind = {"Host": "mentors.example.org", "X-Forwarded-Proto": "https"}

        def ask(method, path, form=None, **headers):
            line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            body = urlencode(form) if form else None
            if form:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            line.request(method, path, body, behind | headers)
            answer = line.getresponse()
            answer.read()
            line.close()
            return answer

        page = ask("GET", "/accounts/login/")
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        [token] = page.headers.get_all("Set-Cookie")
        pair = token.split(";")[0]
        form = {"login": maya.user.email, "password": PASSWORD, "csrfmiddlewaretoken": pair.split("=")[1]}
        said = {"Cookie": pair, "Referer": "https://mentors.example.org/accounts/login/"}
        entered = ask("POST", "/accounts/login/", form, **said)
        assert entered.status == 302
        chosen = ask("POST", "/language/", {"language": "de", "csrfmiddlewaretoken": pair.split("=")[1]}, **said)
        cookies = [
            *page.headers.get_all("Set-Cookie"),
            *entered.headers.get_all("Set-Cookie"),
            *chosen.headers.get_all("Set-Cookie"),
        ]
        names = set()
        for cookie in cookies:
            name, *rest = [part.strip() for part in cookie.split(";")]
            names.add(name.split("=")[0])
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(rest), cookie
            assert not [part for part in rest if part.lower().startswith("domain")]
        assert names == {"__Host-sessionid", "__Host-csrftoken", "__Host-language"}
        # Without TLS there is no page, only the way to it.
        behind.pop("X-Forwarded-Proto")
        plain = ask("GET", "/accounts/login/")
        assert (plain.status, plain.headers["Location"]) == (301, "https://mentors.example.org/accounts/login/")
