"""The second factor: how people get one, when it is asked for, and that the admin stays shut without it."""

import re
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.core import mail
from django.urls import URLPattern, get_resolver

from project.testing import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def enforced(settings):
    settings.STAFF_SECOND_FACTOR = True


def code(secret: str) -> str:
    """What the app shows now."""
    return auth.format_hotp_value(auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time())))


def protect(user) -> str:
    secret = auth.generate_totp_secret()
    auth.TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def log_in(client, user, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD} | more, follow=True)


def logged_in(client) -> bool:
    return "_auth_user_id" in client.session


# ---- staff ------------------------------------------------------------------------------------------------------------


def admin_paths() -> list[str]:
    """Every address under /admin/, with a 1 where it has a variable."""
    [admin] = [entry for entry in get_resolver().url_patterns if getattr(entry, "app_name", None) == "admin"]

    def walk(entries, before):
        for entry in entries:
            path = before + re.sub(r"\(\?P<\w+>.*?\)(?=[/$]|\\Z)|<[^>]+>", "1", str(entry.pattern)).lstrip("^")
            if isinstance(entry, URLPattern):
                yield path.removesuffix("$").removesuffix("\\Z")
            else:
                yield from walk(entry.url_patterns, path)

    return sorted(set(walk(admin.url_patterns, "/admin/")))


def test_without_a_second_factor_no_page_of_the_admin_opens(client, person, enforced):
    client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    paths = admin_paths()
    assert len(paths) > 100
    for path in [*paths, "/admin/password_change/", "/admin/no-such-page/"]:
        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/"), path


def test_staff_without_one_get_one_and_come_back(client, cora, enforced):
    log_in(client, cora)
    wanted = "/admin/scheduling/session/?q=maya"
    page = client.get(wanted, follow=True)
    assert "it opens only to accounts with a second factor" in page.content.decode()
    form = client.get("/accounts/2fa/totp/activate/", follow=True)
    # A log-in is not enough: whoever finds a browser open must not lock its owner out.
    form = client.post(form.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    page = client.post("/accounts/2fa/totp/activate/", {"code": code(form.context["form"].secret)}, follow=True)
    assert "You have a second factor now" in page.content.decode()
    assert f'href="{wanted}"' in page.content.decode()
    assert client.get(wanted).status_code == 200
    assert "You have a second factor now" not in client.get("/accounts/2fa/").content.decode()


def test_members_need_none(client, maya, enforced):
    client.force_login(maya.user)
    assert client.get("/").status_code == 200


def test_where_it_is_off_the_admin_says_so(client, cora, settings):
    client.force_login(cora)
    assert "Staff need no second factor here" in client.get("/admin/").content.decode()
    protect(cora)
    settings.STAFF_SECOND_FACTOR = True
    assert "Staff need no second factor here" not in client.get("/admin/").content.decode()


# ---- every way in asks for it -----------------------------------------------------------------------------------------


def test_after_the_password_comes_the_second_factor(client, maya):
    secret = protect(maya.user)
    page = log_in(client, maya.user)
    assert page.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    assert not logged_in(client)
    before = client.session.session_key
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).context["form"].errors
    assert not logged_in(client)
    shown = code(secret)
    client.post("/accounts/2fa/authenticate/", {"code": shown})
    assert logged_in(client)
    assert client.session.session_key != before
    client.post("/accounts/logout/")
    # A code works once.
    log_in(client, maya.user)
    assert client.post("/accounts/2fa/authenticate/", {"code": shown}).context["form"].errors
    assert not logged_in(client)


def test_a_recovery_code_opens_once(client, maya):
    protect(maya.user)
    row = Authenticator.objects.get(user=maya.user, type=Authenticator.Type.RECOVERY_CODES)
    spare = row.wrap().get_unused_codes()[0]
    for opens in (True, False):
        log_in(client, maya.user)
        client.post("/accounts/2fa/authenticate/", {"code": spare})
        assert logged_in(client) is opens
        client.post("/accounts/logout/")


def test_after_a_mailed_code_comes_the_second_factor(client, maya):
    protect(maya.user)
    client.post("/accounts/login/code/", {"email": maya.user.email})
    [message] = mail.outbox
    assert message.subject == "Your code to log in"
    sent = message.body.split("is:")[1].split()[0]
    page = client.post("/accounts/login/code/confirm/", {"code": sent}, follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    assert not logged_in(client)


def test_after_a_new_password_comes_the_second_factor(client, maya):
    protect(maya.user)
    client.post("/accounts/password/reset/", {"email": maya.user.email})
    path = urlsplit(re.search(r"https?://\S+", mail.outbox[0].body).group()).path
    path = client.get(path, follow=True).redirect_chain[-1][0]
    words = {"password1": PASSWORD[::-1], "password2": PASSWORD[::-1]}
    page = client.post(path, words, follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    assert not logged_in(client)


@pytest.mark.parametrize(
    ("wanted", "arrives"),
    [
        ("/profile/", "/profile/"),
        *[(evil, "/") for evil in ("https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)")],
    ],
)
def test_after_the_second_factor_comes_what_was_wanted_and_never_another_site(client, maya, wanted, arrives):
    secret = protect(maya.user)
    log_in(client, maya.user, next=wanted)
    answer = client.post("/accounts/2fa/authenticate/", {"code": code(secret), "next": wanted})
    assert (answer["Location"], logged_in(client)) == (arrives, True)
    client.post("/accounts/logout/")
    client.post("/accounts/login/code/", {"email": maya.user.email, "next": wanted})
    sent = mail.outbox[-1].body.split("is:")[1].split()[0]
    client.post("/accounts/login/code/confirm/", {"code": sent, "next": wanted})
    row = Authenticator.objects.get(user=maya.user, type=Authenticator.Type.RECOVERY_CODES)
    answer = client.post("/accounts/2fa/authenticate/", {"code": row.wrap().get_unused_codes()[0]})
    assert (answer["Location"], logged_in(client)) == (arrives, True)


# ---- changing it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/", "/accounts/email/"])
def test_whoever_changes_how_the_account_opens_is_asked_once_more(client, maya, path):
    log_in(client, maya.user)
    page = client.post(path, {"email": "other@example.org", "action_add": ""})
    assert page["Location"].startswith("/accounts/reauthenticate/")
    assert not maya.user.emailaddress_set.filter(email="other@example.org").exists()
    assert client.post(page["Location"], {"password": "wrong"}).context["form"].errors
    # Then what was asked for goes on, with what was typed.
    page = client.post(page["Location"], {"password": PASSWORD}, follow=True)
    assert page.status_code == 200
    assert client.get(path).status_code == 200
    assert maya.user.emailaddress_set.filter(email="other@example.org").exists() is (path == "/accounts/email/")


def test_a_new_password_asks_for_the_old_one(client, maya):
    log_in(client, maya.user)
    page = client.post(
        "/accounts/password/change/", {"oldpassword": "wrong", "password1": PASSWORD[::-1], "password2": PASSWORD[::-1]}
    )
    assert list(page.context["form"].errors) == ["oldpassword"]


@pytest.mark.parametrize("protected", [False, True])
def test_the_pages_open(client, maya, protected):
    if protected:
        protect(maya.user)
        key = Authenticator.objects.get(user=maya.user, type=Authenticator.Type.TOTP)
        assert key.user == maya.user
    client.force_login(maya.user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    names = ["", "webauthn/", "webauthn/add/", "recovery-codes/generate/"]
    names += ["recovery-codes/", "totp/deactivate/"] if protected else ["totp/activate/"]
    for name in names:
        page = client.get(f"/accounts/2fa/{name}", follow=True)
        assert page.status_code == 200, name
        assert b" style=" not in page.content
    assert client.get("/profile/security/").context["protected"] is protected


# ---- a passkey --------------------------------------------------------------------------------------------------------

PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_added_and_opens_the_account_without_a_password(browser, live_server, maya):
    page = browser.new_page()
    refused = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    keys = page.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})
    page.goto(f"{live_server.url}/accounts/login/")
    page.locator("[name=login]").fill(maya.user.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{live_server.url}/")
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.locator("[name=passwordless]").check()
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{live_server.url}/")
    page.goto(f"{live_server.url}/accounts/login/?next=%2F%2Fevil.example%2F")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.get_by_text("Logged in as Maya Lopez").wait_for()
    assert page.url == f"{live_server.url}/"
    assert refused == []
