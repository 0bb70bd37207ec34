"""Programs log in with a password where that is enough, log out, and are told what is wrong with what they send."""

import json
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from people.models import ApiToken
from project.testing import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_tries_yet():
    """The limits on log-ins are kept in the cache, which lives longer than a test."""
    cache.clear()
    yield
    cache.clear()


def log_in(username, password=PASSWORD, content_type="application/json", **kwargs):
    body = json.dumps({"username": username, "password": password})
    return Client(**kwargs).post("/auth/token/login/", body, content_type)


@pytest.mark.parametrize("content_type", ["application/json", "json", "application/json; charset=utf-8"])
def test_a_program_logs_in_reads_and_logs_out(ask, maya, content_type):
    for name in (maya.user.username, "MAYA@example.org"):
        answer = log_in(name, content_type=content_type)
        assert (answer.status_code, answer["Cache-Control"], list(answer.json())) == (200, "no-store", ["auth_token"])
    token = answer.json()["auth_token"]
    row = ApiToken.objects.get(prefix=token[:8])
    assert (row.user, row.name) == (maya.user, "Log-in of a program")
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    program = Client(headers={"authorization": f"Token {token}"})
    assert program.get("/myprofile/").json()["username"] == maya.user.username
    row.refresh_from_db()
    assert row.last_used_at is not None
    answer = program.post("/auth/token/logout/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert program.get("/myprofile/").status_code == 401
    # The other one is another program's.
    assert ApiToken.objects.filter(user=maya.user).count() == 1


def test_a_form_does_as_well(maya):
    form = {"username": maya.user.username, "password": PASSWORD}
    assert "auth_token" in Client().post("/auth/token/login", form).json()


def test_programs_that_never_log_out_keep_five_keys(maya):
    mine = ApiToken.objects.issue(maya.user, "report", 365)
    tokens = [log_in(maya.user.username).json()["auth_token"] for _ in range(7)]
    good = [ApiToken.objects.user_of(token) is not None for token in tokens]
    assert good == [False, False, True, True, True, True, True]
    assert ApiToken.objects.user_of(mine) == maya.user


def test_who_has_too_many_keys_of_their_own_is_told(maya):
    for number in range(10):
        ApiToken.objects.issue(maya.user, f"report {number}", 30)
    answer = log_in(maya.user.username)
    assert (answer.status_code, answer.json()["code"]) == (403, "too_many")
    assert ApiToken.objects.filter(user=maya.user).count() == 10


def test_a_stranger_learns_nothing_from_the_answer(maya, omar, cora, person, monkeypatch):
    """The same for somebody, nobody, somebody who left and a coordinator; and after as many rounds of the hasher."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *args: hashed.append(1) or encode(self, *args))
    omar.user.is_active = False
    omar.user.save()
    answers = set()
    for name, password in (
        (maya.user.username, "wrong"),
        ("maya@example.org", "wrong"),
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        (omar.user.username, PASSWORD),
        (cora.username, "wrong"),
    ):
        hashed.clear()
        answer = log_in(name, password)
        answers.add((answer.status_code, answer.content, len(hashed)))
    [(status, body, rounds)] = answers
    assert (status, rounds, json.loads(body)["code"]) == (400, 1, "invalid")
    assert not ApiToken.objects.exists()


def test_where_a_password_is_not_enough_it_gets_no_key(maya, cora, alex, settings):
    TOTP.activate(maya.user, generate_totp_secret())
    for user in (maya.user, cora):
        answer = log_in(user.username)
        assert (answer.status_code, answer.json()["code"]) == (403, "password_not_enough")
        assert answer.json()["page"] == f"{settings.SITE_URL}/profile/keys/"
    EmailAddress.objects.filter(user=alex.user).update(verified=False)
    answer = log_in("alex@example.org")
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    assert not ApiToken.objects.exists()


def test_tries_are_limited_by_account_and_by_address(maya, settings):
    answers = [log_in(maya.user.username, "wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[-1]["Retry-After"] == "300"
    assert answers[-1].json()["code"] == "throttled"
    # Not even with the right one, and on the page neither: they are counted together.
    assert log_in(maya.user.username).status_code == 429
    page = Client().post("/accounts/login/", {"login": maya.user.username, "password": PASSWORD})
    assert page.status_code == 200
    # Others from the same address have four tries left before it is theirs, too.
    answers = [log_in(f"nobody{number}", "wrong").status_code for number in range(6)]
    assert answers[-1] == 429
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    assert log_in("nobody", "wrong", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 429
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert log_in(maya.user.username).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"x"', b"null", b"\xff", b"[" * 9000, b'{"username": "x"}', b'{"username": 1, "password": []}',
        b'{"username": "a\\u0000b", "password": "x"}', b'{"username": "\\ud800", "password": "x"}',
        b'{"username": {"x": 1}, "password": "x"}', json.dumps({"username": "x" * 300, "password": "y"}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_log_in_is_told_so(body):
    answer = Client().post("/auth/token/login/", body, "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json"), body[:40]
    assert {"code", "detail"} <= answer.json().keys()


BAD_HEADERS = [
    None, "", "Token", "Token ", "Token a b", "Token \0", "Token \xff", "Token " + "x" * 100_000, "Bearer x", "Basic bWF5YTp4",
    "Token eyJhbGciOiJub25lIn0.e30.", "token", "Token ' or 1=1--",
]  # fmt: skip


@pytest.mark.parametrize("header", BAD_HEADERS)
def test_a_header_that_is_no_key_is_401(header):
    client = Client()
    extra = {} if header is None else {"HTTP_AUTHORIZATION": header}
    for path, ask in (("/myprofile/", client.get), ("/api/v1/sessions/", client.get), ("/auth/token/logout/", client.post)):
        answer = ask(path, **extra)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token"), path
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["code"] in ("not_authenticated", "authentication_failed")


def test_a_key_that_was_good_is_401(ask, maya, omar, alex):
    """Expired, its owner left, its owner has a new password: at once, whatever it opened a moment ago."""
    for user in (maya.user, omar.user, alex.user):
        assert ask(user, "/myprofile/").status_code == 200
    ApiToken.objects.filter(user=maya.user).update(expires_at=timezone.now())
    omar.user.is_active = False
    omar.user.save()
    alex.user.set_password("another horse battery staple")
    alex.user.save()
    for user in (maya.user, omar.user, alex.user):
        answer = ask(user, "/myprofile/")
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_a_cookie_opens_nothing_and_a_key_opens_no_page(client, ask, maya):
    client.force_login(maya.user)
    assert client.get("/profile/").status_code == 200
    assert client.get("/myprofile/").status_code == 401
    assert client.post("/auth/token/logout/").status_code == 401
    assert ask(maya.user, "/profile/").status_code == 302
    assert ask(maya.user, "/admin/").status_code == 302
