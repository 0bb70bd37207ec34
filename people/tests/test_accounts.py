"""Coming in: signing up, verifying, setting a password from a mail, taking a role, saying who one is."""

import re
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from people.models import Mentee, Mentor, NotificationSettings, Skill, Team, User
from project.testing import PASSWORD

pytestmark = pytest.mark.django_db

SIGN_UP = {
    "first_name": "Nina",
    "last_name": "Simon",
    "email": "Nina@Example.org",
    "password1": PASSWORD,
    "time_zone": "America/Lima",
    "wanted_role": "mentee",
}


def link_in(message) -> str:
    return urlsplit(re.search(r"https?://\S+", message.body).group()).path


def shown(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_sign_up_verify_log_in_and_take_a_role(client):
    page = client.post("/accounts/signup/", SIGN_UP, follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/confirm-email/"
    user = User.objects.get()
    assert (user.email, user.get_full_name(), user.time_zone, user.username) == (
        "nina@example.org",
        "Nina Simon",
        "America/Lima",
        "ninasimon",
    )
    assert not Mentee.objects.exists()
    [message] = mail.outbox
    assert (message.to, message.subject) == (["nina@example.org"], "Verify your e-mail address")

    # Not before the address is verified.
    page = client.post("/accounts/login/", {"login": "nina@example.org", "password": PASSWORD}, follow=True)
    assert not page.context["user"].is_authenticated
    path = link_in(message)
    assert b"nina@example.org" in client.get(path).content
    page = client.post(path, follow=True)
    assert shown(page) == ["Your address is verified. You can log in now."]
    page = client.post("/accounts/login/", {"login": "NINA@example.org", "password": PASSWORD}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert b"America/Lima" in page.content
    assert User.objects.get().wanted_role == ""
    assert Mentee.objects.get().user == user

    page = client.post("/join/", {"role": "mentee"}, follow=True)
    assert Mentee.objects.get().user == user
    page = client.post("/join/", {"role": "mentor"}, follow=True)
    assert page.redirect_chain == [("/profile/", 302)]
    assert Mentor.objects.get().user == user


def test_an_empty_zone_at_sign_up_is_the_programs(client):
    client.post("/accounts/signup/", SIGN_UP | {"time_zone": ""})
    assert User.objects.get().time_zone == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", ""),
        ("last_name", " "),
        ("time_zone", "Mars/Olympus"),
        ("password1", "short"),
        ("email", "nina"),
        ("wanted_role", "admin"),
    ],
)
def test_a_sign_up_that_cannot_be_says_so_beside_the_field(client, field, value):
    page = client.post("/accounts/signup/", SIGN_UP | {field: value})
    assert list(page.context["form"].errors) == [field]
    assert f'id="id_{field}_error"'.encode() in page.content
    assert not User.objects.exists()


def test_signing_up_twice_tells_a_stranger_nothing_and_the_owner_by_mail(client, maya):
    page = client.post("/accounts/signup/", SIGN_UP | {"email": "maya@example.org"}, follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/confirm-email/"
    assert User.objects.count() == 1
    [message] = mail.outbox
    assert (message.to, message.subject) == (["maya@example.org"], "You have an account already")


@pytest.mark.parametrize(
    ("path", "field"), [("signup/", "email"), ("password/reset/", "email"), ("login/code/", "email"), ("login/", "login")]
)
def test_a_stranger_cannot_tell_who_has_an_account(person, path, field):
    """Known with a password, known from the roster only, unknown: one answer, and a mail to each but for a wrong password."""
    person("Maya Lopez")
    User.objects.create_user(email="ines@example.org", first_name="Ines", last_name="Roy")
    answers = []
    for email in ("maya@example.org", "ines@example.org", "nobody@example.org"):
        data = SIGN_UP | {field: email, "password": "wrong horse battery"}
        page = Client().post(f"/accounts/{path}", data, follow=True)
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode()).replace(email, "")
        answers.append((page.status_code, page.redirect_chain, text))
    assert answers[0] == answers[1] == answers[2]
    mailed = [] if path == "login/" else ["maya@example.org", "ines@example.org", "nobody@example.org"]
    assert [message.to for message in mail.outbox] == [[email] for email in mailed]


def test_who_is_invited_and_signs_up_is_told_by_mail_how_to_come_in(client):
    user = User.objects.create_user(email="ines@example.org", first_name="Ines", last_name="Roy")
    client.post("/accounts/signup/", SIGN_UP | {"email": "ines@example.org"})
    [message] = mail.outbox
    assert message.subject == "You have an account already"
    client.post(link_in(message), {"email": "ines@example.org"})
    path = client.get(link_in(mail.outbox[1]), follow=True).redirect_chain[-1][0]
    page = client.post(path, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert page.context["user"] == user
    # Nothing that was typed at the sign-up has been taken over.
    assert User.objects.get().get_full_name() == "Ines Roy"


def test_the_sixth_wrong_password_is_refused_and_the_right_one_with_it(client, maya):
    for _ in range(5):
        client.post("/accounts/login/", {"login": maya.user.email, "password": "wrong horse battery"})
    page = client.post("/accounts/login/", {"login": maya.user.email, "password": PASSWORD}, follow=True)
    assert not page.context["user"].is_authenticated
    assert "Too many failed login attempts" in page.content.decode()


def test_a_password_set_from_a_mailed_link_verifies_the_address_and_logs_in(client):
    user = User.objects.create_user(email="ines@example.org", first_name="Ines", last_name="Roy")
    assert not EmailAddress.objects.filter(verified=True).exists()
    client.post("/accounts/password/reset/", {"email": "ines@example.org"})
    [message] = mail.outbox
    assert message.subject == "Set a new password"
    form = client.get(link_in(message), follow=True)
    path = form.redirect_chain[-1][0]
    page = client.post(path, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert page.redirect_chain[-1][0] == "/"
    assert page.context["user"] == user
    assert EmailAddress.objects.get(user=user).verified


def test_a_link_used_twice_says_so(client):
    User.objects.create_user(email="ines@example.org", first_name="Ines", last_name="Roy")
    client.post("/accounts/password/reset/", {"email": "ines@example.org"})
    path = link_in(mail.outbox[0])
    form = client.get(path, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    client.logout()
    assert b"it has been used already" in client.get(path, follow=True).content


def test_logging_out_is_a_post(client, maya):
    client.force_login(maya.user)
    assert b"Log out?" in client.get("/accounts/logout/").content
    page = client.post("/accounts/logout/", follow=True)
    assert (page.redirect_chain, shown(page)) == ([("/", 302)], ["You are logged out."])


# ---- the profile ------------------------------------------------------------------------------------------------------

PROFILE = {"first_name": "Maya", "last_name": "Lopez-Ruiz", "time_zone": "Europe/Madrid", "phone_number": "+34 912 345 678"}


def test_a_mentor_says_who_she_is(client, maya):
    sql, rust = Skill.objects.create(name="SQL"), Skill.objects.create(name="Rust")
    maya.skills.add(rust)
    client.force_login(maya.user)
    page = client.get("/profile/")
    assert page.context["form"]["skills"].initial == [rust.pk]
    data = PROFILE | {"about_me": "I like tables.", "skills": [sql.pk], "session_requested": "on"}
    page = client.post("/profile/", data, follow=True)
    assert shown(page) == ["Saved."]
    maya = Mentor.objects.get()
    assert (maya.user.last_name, maya.user.time_zone, maya.user.phone_number.as_e164) == (
        "Lopez-Ruiz",
        "Europe/Madrid",
        "+34912345678",
    )
    assert (maya.about_me, list(maya.skills.all())) == ("I like tables.", [sql])
    switches = NotificationSettings.objects.get()
    assert {name: getattr(switches, name) for name in NotificationSettings.SWITCHES} == {
        "session_requested": True,
        "session_confirmed": False,
        "session_canceled": False,
        "fifteen_minute_alert": False,
        "sixty_minute_alert": False,
    }


def test_a_mentee_has_no_mentors_fields_and_all_switches_on(client, alex):
    client.force_login(alex.user)
    page = client.get("/profile/")
    assert page.context["form"].mentor_fields == []
    assert [field.initial for field in page.context["form"].switches] == [True] * 5
    client.post("/profile/", PROFILE | {"about_me": "no such field"})
    assert User.objects.get().last_name == "Lopez-Ruiz"


def test_a_mentee_chooses_a_team_and_says_what_they_want_to_reach(client, alex):
    team = Team.objects.create(number=4)
    client.force_login(alex.user)
    client.post("/profile/", PROFILE | {"team": team.pk, "goals": "A <b>first</b> job"})
    alex.refresh_from_db()
    assert (alex.team, alex.goals) == (team, "A <b>first</b> job")
    assert alex.history.first().goals == alex.goals
    page = client.post("/profile/", PROFILE | {"team": team.pk + 1, "goals": "Another"})
    assert (list(page.context["form"].errors), Mentee.objects.get().team) == (["team"], team)


def test_nonsense_in_the_profile_is_refused_and_kept_in_the_form(client, alex):
    client.force_login(alex.user)
    page = client.post("/profile/", PROFILE | {"phone_number": "12", "time_zone": "Berlin", "first_name": ""})
    assert sorted(page.context["form"].errors) == ["first_name", "phone_number", "time_zone"]
    assert b"Lopez-Ruiz" in page.content
    # The head of the page names who is stored, not who is typed.
    assert User.objects.get().last_name == "Johnson"


def test_a_role_nobody_knows_is_refused(client, cora):
    client.force_login(cora)
    assert shown(client.post("/join/", {"role": "admin"}, follow=True)) == [
        "Choose whether you want to be mentored or to mentor."
    ]
    assert client.get("/join/").status_code == 405


# ---- the look ---------------------------------------------------------------------------------------------------------


def test_the_admins_colours_are_served_as_variables(client, settings):
    settings.UNFOLD = {"COLORS": {"primary": {"600": "#102030"}}, "BORDER_RADIUS": "9px"}
    sheet = client.get("/colors.css")
    assert sheet["Content-Type"] == "text/css; charset=utf-8"
    assert "max-age=3600" in sheet["Cache-Control"]
    text = sheet.content.decode()
    assert "--color-primary-600: rgb(16, 32, 48);" in text
    assert "--color-base-50: oklch(" in text
    assert "--border-radius: 9px;" in text


ENTRANCE = [
    "login",
    "signup",
    "password/reset",
    "password/reset/done",
    "confirm-email",
    "confirm-email/no-such-key",
    "inactive",
    "login/code",
]


@pytest.mark.parametrize("path", ["/", *(f"/accounts/{name}/" for name in ENTRANCE)])
def test_pages_for_everybody_open_and_bring_no_inline_code(client, path):
    page = client.get(path)
    assert page.status_code == 200
    assert b" style=" not in page.content
    assert b"<style" not in page.content
    # JSON is data: no browser runs it, and no policy asks about it.
    assert re.findall(rb'<script(?![^>]*(?:\bsrc=|type="application/json"))[^>]*>', page.content) == []


@pytest.mark.parametrize(
    "path", ["/profile/", "/profile/security/", "/accounts/email/", "/accounts/password/change/", "/accounts/reauthenticate/"]
)
def test_own_pages_ask_for_a_log_in(client, maya, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"
    client.force_login(maya.user)
    assert client.get(path).status_code == 200


def test_the_profile_is_kept_by_no_cache(client, maya):
    client.force_login(maya.user)
    assert "no-store" in client.get("/profile/")["Cache-Control"]


def test_a_mentor_has_a_room_of_her_own(client, maya):
    client.force_login(maya.user)
    assert b"A room of your own" in client.get("/profile/").content
    client.post("/profile/", PROFILE | {"meeting_link": "meet.example.org/maya"})
    assert Mentor.objects.get().meeting_link == "https://meet.example.org/maya"
    for wrong in ("ftp://example.org/", "javascript:alert(1)", "my kitchen"):
        page = client.post("/profile/", PROFILE | {"meeting_link": wrong})
        assert page.context["form"].errors == {"meeting_link": ["Enter a valid URL."]}
    client.post("/profile/", PROFILE | {"meeting_link": ""})
    assert Mentor.objects.get().meeting_link == ""
