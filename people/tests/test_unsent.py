"""The log-in ran out while somebody filled in a form: they log in, are back on it, and find what they typed. Nobody else does."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session as WebSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from people import unsent
from people.models import Mentor, Skill, User
from project.testing import PASSWORD
from project.tests.page import form_in

pytestmark = pytest.mark.django_db

HERE_AGAIN = "All that you typed is here again"
GONE = "is not kept any more"


def log_in_from(client, answer, user, path=None):
    """What somebody does who is led to the log-in: the page that they come to, and the messages on the way."""
    page = client.get(path or answer["Location"])
    words = form_in(page) | {"login": user.email, "password": PASSWORD}
    return page, client.post("/accounts/login/", words, follow=True)


def expire() -> None:
    """All log-ins, wherever they are kept."""
    WebSession.objects.all().delete()


def write(client, user, path, **typed):
    """Open a page, change some of its form, and come too late."""
    client.force_login(user)
    form = form_in(client.get(path)) | typed
    expire()
    return client.post(path, form)


@pytest.fixture
def rust():
    return Skill.objects.create(name="Rust")


def test_what_was_typed_is_there_again_after_the_log_in_and_saved_by_the_button_only(client, maya, rust):
    maya.skills.add(Skill.objects.create(name="SQL"))
    typed = {"about_me": ["Boats & <b>knots</b>"], "skills": [str(rust.pk)], "time_zone": ["Asia/Tokyo"]}
    client.force_login(maya.user)
    form = form_in(client.get("/profile/")) | typed
    form.pop("session_canceled")
    expire()
    answer = client.post("/profile/", form)
    assert "Boats" not in answer["Location"]
    told, page = log_in_from(client, answer, maya.user)
    assert "nothing is saved yet. Log in within half an hour" in told.content.decode()
    assert page.wsgi_request.path == "/profile/"
    assert HERE_AGAIN in page.content.decode()
    assert form_in(page) == form
    maya.refresh_from_db()
    assert (maya.about_me, [skill.name for skill in maya.skills.all()]) == ("", ["SQL"])
    client.post("/profile/", form_in(page))
    maya.refresh_from_db()
    assert (maya.about_me, list(maya.skills.all()), maya.user.time_zone) == ("Boats & <b>knots</b>", [rust], "Asia/Tokyo")
    assert not maya.user.notification_settings.session_canceled


def test_it_is_shown_once(client, maya):
    _, page = log_in_from(client, write(client, maya.user, "/profile/", about_me="Boats"), maya.user)
    again = client.get(page.wsgi_request.get_full_path()).content.decode()
    assert "Boats" not in again
    assert GONE in again


def test_another_person_who_logs_in_there_sees_none_of_it(client, maya, omar):
    answer = write(client, maya.user, "/profile/", about_me="Boats")
    assert "Boats" in str(client.session[unsent.KEPT_IN])
    _, page = log_in_from(client, answer, omar.user)
    assert page.context["user"] == omar.user
    assert "Boats" not in page.content.decode()
    assert client.session[unsent.KEPT_IN] == {}
    # Nor does its writer after them.
    client.post("/accounts/logout/")
    _, page = log_in_from(client, answer, maya.user)
    assert page.context["user"] == maya.user
    assert "Boats" not in page.content.decode()


def test_nobody_writes_in_anothers_name(client, maya, omar):
    client.force_login(omar.user)
    theirs = form_in(client.get("/profile/")) | {"about_me": "Boats"}
    expire()
    for mark in (f"{maya.pk}", theirs["written_by"][0].replace(str(omar.pk), str(maya.pk)), ""):
        answer = client.post("/profile/", theirs | {"written_by": mark})
        assert answer["Location"] == "/accounts/login/?next=/profile/"
        assert unsent.KEPT_IN not in client.session


@pytest.mark.parametrize(("minutes", "there"), [(29, True), (31, False)])
def test_it_waits_for_half_an_hour(client, maya, minutes, there):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answer = write(client, maya.user, "/profile/", about_me="Boats")
        # However long a web session lasts otherwise.
        [row] = WebSession.objects.all()
        assert row.expire_date - timezone.now() == timedelta(minutes=30)
        login = client.get(answer["Location"])
        clock.shift(timedelta(minutes=minutes))
        words = form_in(login) | {"login": maya.user.email, "password": PASSWORD}
        page = client.post("/accounts/login/", words, follow=True).content.decode()
    assert ("Boats" in page, HERE_AGAIN in page, GONE in page) == (there, there, not there)


@pytest.mark.parametrize("remember", [False, True])
def test_the_log_in_lasts_as_long_as_any_other(client, maya, remember):
    answer = write(client, maya.user, "/profile/", about_me="Boats")
    words = form_in(client.get(answer["Location"])) | {"login": maya.user.email, "password": PASSWORD}
    client.post("/accounts/login/", words | ({"remember": "on"} if remember else {}))
    assert client.session.get_expire_at_browser_close() is not remember
    assert client.session.get_expiry_age() == 14 * 24 * 3600


def test_a_log_in_by_code_lasts_as_long_as_any_other(client, maya, mailoutbox):
    answer = write(client, maya.user, "/profile/", about_me="Boats")
    page = client.get(answer["Location"])
    client.post(page.context["request_login_code_url"], {"email": maya.user.email})
    code = mailoutbox[0].body.split("is:")[1].split()[0]
    page = client.post("/accounts/login/code/confirm/", {"code": code, "next": next_of(answer)}, follow=True)
    assert "Boats" in page.content.decode()
    assert client.session.get_expiry_age() == 14 * 24 * 3600


def next_of(answer) -> str:
    return parse_qs(urlsplit(answer["Location"]).query)["next"][0]


def test_what_is_too_long_is_not_kept_and_that_is_said(client, maya):
    answer = write(client, maya.user, "/profile/", about_me="x" * (unsent.LARGEST + 1))
    told, page = log_in_from(client, answer, maya.user)
    assert "too long to be kept" in told.content.decode()
    assert (page.wsgi_request.get_full_path(), unsent.KEPT_IN in client.session) == ("/profile/", False)


def test_the_oldest_makes_room(client, maya):
    client.force_login(maya.user)
    form = form_in(client.get("/profile/"))
    expire()
    for number in range(7):
        client.post("/profile/", form | {"about_me": f"Text {number}"})
    texts = [entry["typed"]["about_me"] for entry in client.session[unsent.KEPT_IN].values()]
    assert texts == [[f"Text {number}"] for number in range(2, 7)]


def test_two_tabs_are_two(client, maya):
    client.force_login(maya.user)
    form = form_in(client.get("/profile/"))
    expire()
    one, two = (client.post("/profile/", form | {"about_me": text}) for text in ("Boats", "Trains"))
    _, page = log_in_from(client, two, maya.user)
    assert "Trains" in page.content.decode()
    assert "Boats" not in page.content.decode()
    page = client.get(one["Location"], follow=True).content.decode()
    assert "Boats" in page
    assert "Trains" not in page


def test_a_log_out_on_purpose_forgets(client, maya):
    answer = write(client, maya.user, "/profile/", about_me="Boats")
    words = {"login": maya.user.email, "password": PASSWORD}
    client.post("/accounts/login/", words)
    assert "Boats" in str(client.session[unsent.KEPT_IN])
    client.post("/accounts/logout/")
    assert not WebSession.objects.exists() or unsent.KEPT_IN not in client.session
    _, page = log_in_from(client, answer, maya.user)
    assert "Boats" not in page.content.decode()


def test_passwords_and_files_and_tokens_are_not_kept(client, maya):
    photo = SimpleUploadedFile("me.png", b"pixels")
    write(client, maya.user, "/profile/", about_me="Boats", oldpassword="s3cret", csrfmiddlewaretoken="t0ken", photo=photo)
    [entry] = client.session[unsent.KEPT_IN].values()
    assert "Boats" in str(entry)
    assert not any(word in str(entry) for word in ("s3cret", "t0ken", "pixels", "me.png"))


def test_looking_at_a_page_keeps_nothing_and_one_button_alone_is_led_back_to_its_page(client, maya):
    answer = client.get("/profile/?about_me=Boats")
    assert unsent.KEPT_IN not in client.session
    assert answer["Location"] == "/accounts/login/?next=/profile/%3Fabout_me%3DBoats"
    answer = client.post("/join/", {"role": "mentee"}, headers={"referer": "http://testserver/profile/"})
    told, page = log_in_from(client, answer, maya.user)
    assert "nothing was done. Log in, and press the button again." in told.content.decode()
    assert (page.wsgi_request.path, User.objects.get().is_mentee) == ("/profile/", False)


@pytest.mark.parametrize("page", ["https://evil.example/x", "//evil.example/x", "http://testserver//evil.example/", "nonsense"])
def test_no_page_off_the_site_is_come_back_to(client, maya, page):
    client.force_login(maya.user)
    form = form_in(client.get("/profile/"))
    expire()
    for said in ({"headers": {"referer": page}}, {"data": form | {"back_to": page}}):
        answer = client.post("/profile/", **({"data": form} | said))
        assert next_of(answer).startswith("/profile/?kept=")


# ---- a form that is too old ---------------------------------------------------------------------------------------------


@pytest.fixture
def strict():
    """A browser whose forms need their token."""
    return Client(enforce_csrf_checks=True)


def token(page) -> dict:
    return {"csrfmiddlewaretoken": page.content.decode().split('csrfmiddlewaretoken" value="')[1].split('"')[0]}


def enter(client, user):
    page = client.get("/accounts/login/")
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD} | token(page))


def test_a_form_from_before_the_log_in_in_another_tab_comes_back_filled_in(strict, maya):
    enter(strict, maya.user)
    page = strict.get("/profile/")
    form = form_in(page) | token(page) | {"about_me": "Boats"}
    strict.post("/accounts/logout/", token(page))
    enter(strict, maya.user)
    page = strict.post("/profile/", form, follow=True)
    assert (form_in(page)["about_me"], Mentor.objects.get().about_me) == (["Boats"], "")
    strict.post("/profile/", form_in(page) | token(page))
    assert Mentor.objects.get().about_me == "Boats"


def test_anothers_old_form_is_refused_kindly_and_not_shown(strict, maya, omar):
    enter(strict, maya.user)
    page = strict.get("/profile/")
    form = form_in(page) | token(page) | {"about_me": "Boats"}
    strict.post("/accounts/logout/", token(page))
    enter(strict, omar.user)
    answer = strict.post("/profile/", form, headers={"referer": "http://testserver/profile/"})
    assert answer.status_code == 403
    assert "Boats" not in answer.content.decode()
    assert '<a class="button button-primary" href="/profile/">Open the page anew</a>' in answer.content.decode()
    assert unsent.KEPT_IN not in strict.session
    # Another site has no page of anybody's to send.
    assert strict.post("/profile/", {"about_me": "Boats"}).status_code == 403


def test_without_its_cookies_an_old_form_leads_to_the_log_in_and_back(strict, maya):
    enter(strict, maya.user)
    page = strict.get("/profile/")
    form = form_in(page) | token(page) | {"about_me": "Boats"}
    fresh = Client(enforce_csrf_checks=True)
    answer = fresh.post("/profile/", form)
    login = fresh.get(answer["Location"])
    words = form_in(login) | token(login) | {"login": maya.user.email, "password": PASSWORD}
    page = fresh.post("/accounts/login/", words, follow=True)
    assert (form_in(page)["about_me"], Mentor.objects.get().about_me) == (["Boats"], "")


def test_a_second_tabs_log_in_is_no_error(strict, maya):
    login = strict.get("/accounts/login/?next=/profile/")
    words = form_in(login) | token(login) | {"login": maya.user.email, "password": PASSWORD}
    enter(strict, maya.user)
    assert strict.post("/accounts/login/", words, follow=True).redirect_chain[-1][0] == "/profile/"
    evil = words | {"next": "https://evil.example/"}
    assert strict.post("/accounts/login/", evil, follow=True).redirect_chain[-1][0] == "/"
