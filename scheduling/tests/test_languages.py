"""The language of a page is its reader's, that of a mail its recipient's; everybody chooses."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from people import accounts, erasure
from people.models import User
from people.tests.test_accounts import SIGN_UP
from people.tests.test_time_zones import filled_in
from project.testing import PASSWORD
from scheduling import booking
from scheduling.composing import compose
from scheduling.models import Notice

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}
LOG_IN = "/accounts/login/"


def language_of(page) -> str:
    """What the page says it speaks, and speaks: the two are the same."""
    found = re.search(r'<html lang="(\w+)">', page.content.decode())[1]
    assert page["Content-Language"] == found
    assert ("Abmelden" in page.content.decode() or "Anmelden" in page.content.decode()) == (found == "de")
    return found


def choose(client, code, then=LOG_IN, **headers):
    return client.post("/language/", {"language": code, "next": then}, **headers)


# ---- pages ------------------------------------------------------------------------------------------------------------


def test_a_stranger_is_answered_as_their_browser_asks_and_as_they_chose(client):
    page = client.get(LOG_IN, **GERMAN)
    assert language_of(page) == "de"
    assert "Accept-Language" in page["Vary"]
    assert language_of(client.get(LOG_IN)) == "en"
    assert language_of(client.get(LOG_IN, HTTP_ACCEPT_LANGUAGE="fr")) == "en"
    assert choose(client, "de")["Location"] == LOG_IN
    assert language_of(client.get(LOG_IN, HTTP_ACCEPT_LANGUAGE="en")) == "de"
    choose(client, "xx")
    assert language_of(client.get(LOG_IN)) == "de"


def test_the_switch_is_pressed_and_leads_to_no_other_site(client):
    assert client.get("/language/?language=de").status_code == 405
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert choose(client, "de", elsewhere)["Location"] == "/"


def test_what_a_person_chose_goes_with_them_to_every_browser(client, alex):
    client.force_login(alex.user)
    assert language_of(client.get("/", **GERMAN)) == "de"
    choose(client, "en")
    assert User.objects.get(pk=alex.pk).language == "en"
    client.cookies.load({"django_language": "de"})
    assert language_of(client.get("/", **GERMAN)) == "en"
    choose(client, "xx")
    assert User.objects.get(pk=alex.pk).language == "en"


def test_the_profile_offers_it_too_and_answers_in_it_at_once(client, alex):
    client.force_login(alex.user)
    page = client.get("/profile/")
    saved = client.post("/profile/", filled_in(page, language="de"), follow=True)
    assert language_of(saved) == "de"
    assert [str(message) for message in saved.context["messages"]] == ["Gespeichert."]
    client.post("/profile/", filled_in(saved, language=""))
    assert User.objects.get(pk=alex.pk).language == ""
    assert client.post("/profile/", filled_in(saved, language="fr")).context["form"].has_error("language")


def test_forms_take_back_what_they_showed_in_german(client, maya, monday):
    """A browser shows and sends days as 2026-11-24, whatever its reader writes."""
    client.force_login(maya.user)
    day, until = (f"{monday + timedelta(days=days):%Y-%m-%d}" for days in (0, 70))
    hours = {"weekday": monday.weekday(), "begins": "18:00", "ends": "20:00", "every_weeks": 1}
    client.post(
        reverse("weekly_hours_add"), hours | {"valid_from_on": day, "valid_until_on": until, "time_zone": "UTC"}, **GERMAN
    )
    row = maya.weekly_hours.get()
    page = client.get(reverse("weekly_hours", args=[row.pk]), **GERMAN)
    assert f'value="{day}"' in page.content.decode()
    shown = filled_in(page)
    answer = client.post(reverse("weekly_hours", args=[row.pk]), shown | {"weekday": 0}, **GERMAN)
    assert answer["Location"] == reverse("windows")
    page = client.get(reverse("windows"), **GERMAN)
    assert page.context["hours"][0].said.startswith("montags 18:00–20:00, ab ")


def test_a_refusal_is_told_in_the_language_of_whoever_asked(client, maya, alex, session):
    client.force_login(alex.user)
    page = client.get(
        reverse("book", args=[maya.pk]), {"start": f"{session.start_time:%Y-%m-%dT%H:%M:%SZ}", "minutes": 60}, **GERMAN
    )
    told = page.content.decode()
    assert "Maya Lopez hat schon einen Termin: Mo, " in told
    assert "already has a session" not in told


# ---- mails ------------------------------------------------------------------------------------------------------------


def test_a_mail_speaks_its_readers_language_and_not_the_writers(client, maya, alex, session):
    User.objects.filter(pk=alex.pk).update(language="de")
    client.force_login(maya.user)
    client.post(reverse("session_verb", args=[session.pk, "confirm"]), {"version": session.version})
    alex.user.refresh_from_db()
    booking.cancel(type(session).objects.get(pk=session.pk), by=alex.user)
    to = {notice.recipient_id: compose(notice, None) for notice in Notice.objects.filter(kind__in=["confirmed", "canceled"])}
    assert to[alex.pk].subject.startswith("Bestätigt: Maya Lopez, Mo, ")
    assert "Guten Tag Alex," in to[alex.pk].body
    assert '<html lang="de">' in to[alex.pk].alternatives[0].content
    assert to[maya.pk].subject.startswith("Canceled: Alex Johnson, Mon ")
    assert "Hello Maya," in to[maya.pk].body


def test_who_chose_nothing_gets_mails_in_the_sites_language(settings, maya, session):
    settings.LANGUAGE_CODE = "de"
    message = compose(Notice.objects.get(recipient=maya.user, kind="requested"), None)
    assert message.subject.startswith("Alex Johnson bittet Sie um einen Termin: Mo, ")


def test_signing_up_in_german_goes_on_in_german(client, settings):
    client.post("/accounts/signup/", SIGN_UP, **GERMAN)
    assert User.objects.get().language == "de"
    assert mail.outbox[-1].subject == "Bestätigen Sie Ihre E-Mail-Adresse"


def test_mails_about_an_account_speak_its_owners_language(client, alex, cora):
    User.objects.filter(pk=alex.pk).update(language="de")
    alex.user.refresh_from_db()
    client.post("/accounts/password/reset/", {"email": alex.user.email})
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    accounts.invite(alex.user)
    client.force_login(alex.user)
    words = {"oldpassword": PASSWORD, "password1": f"{PASSWORD} 2", "password2": f"{PASSWORD} 2"}
    client.post("/accounts/password/change/", words)
    assert [message.subject for message in mail.outbox] == [
        "Neues Passwort festlegen",
        "No account has this address",
        "Alex, legen Sie Ihr Passwort für unser Mentoring-Programm fest",
        "Passwort geändert",
    ]
    assert "An Ihrem Konto hat sich dies geändert:\nIhr Passwort wurde geändert." in mail.outbox[-1].body


@pytest.mark.django_db(transaction=True)
def test_the_last_mail_speaks_it_though_nobody_knows_it_any_more(alex, cora):
    User.objects.filter(pk=alex.pk).update(language="de")
    alex.user.refresh_from_db()
    erasure.erase(alex.user, by=cora)
    assert mail.outbox[-1].subject == "Ihre Daten sind gelöscht"
    user = User.objects.get(pk=alex.pk)
    assert {user.language, *user.history.values_list("language", flat=True)} == {""}
