"""The German catalogue is complete, and everything that mentors and mentees see is marked for it."""

import re
import time
from datetime import timedelta

import polib
import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from people import accounts
from people.tests.test_accounts import SIGN_UP
from project.testing import PASSWORD
from project.tests.marked import Marker, in_sources, outside, shown_outside, unmarked_sentences
from project.tests.test_roles import ROLES, filled, rows, world  # noqa: F401  a fixture
from scheduling import booking
from scheduling.composing import compose
from scheduling.models import Notice
from scheduling.words import Kind

CATALOGUE = settings.LOCALE_PATHS[0] / "de" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]+>")
# What people gave, and what has no language: names, addresses, keys, zones, times, formats of files.
NOT_OURS = re.compile(
    r"\S+@\S+|\w+://\S+|\b(?:UTC|English|Deutsch|JPEG|PNG|WebP|Python|Rust|Maya|Lopez|Alex|Johnson|Kim|Park|Cora|Diaz|report|"
    r"Mentoring program|member|TOTP|testserver|http|localhost)\b|[A-Z][A-Za-z]+/[A-Z][A-Za-z_/ -]+|\b[0-9a-f]{8,}\b|"
    r"\S{8}…|\b[A-Z]{4}-[A-Z]{4}\b"
)
# Modules that only staff or programs read of: the admin's, those of sheets, and the API's, which documents itself in English.
STAFF_ONLY = (
    "/admin",
    "admin_",
    "_admin",
    "/management/",
    "/migrations/",
    "/tests/",
    "/sheets/",
    "/resources",
    "/api",
    "filters",
)


@pytest.fixture(scope="module")
def catalogue():
    return polib.pofile(str(CATALOGUE))


def texts(entry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_message_has_its_german(catalogue):
    there = {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete and all(texts(entry))}
    missing = {message: where for message, where in in_sources().items() if message not in there}
    assert missing == {}, "`make messages`, then translate these in project/locale/de"
    assert catalogue.fuzzy_entries() == []
    assert catalogue.untranslated_entries() == []


def test_german_keeps_what_is_filled_in(catalogue):
    wrong = []
    for entry in catalogue:
        wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural))
        # One may be told without its number.
        filled_in = [set(PLACEHOLDER.findall(text)) for text in texts(entry)]
        wrong += [entry.msgid for of_one in filled_in if not of_one <= wanted or filled_in[-1] != wanted]
        # Blanks at the ends join what stands beside.
        wrong += [entry.msgid for text in texts(entry) if (text[:1] == " ") != (entry.msgid[:1] == " ")]
    assert wrong == []


def test_what_is_shown_is_what_was_translated(catalogue):
    compiled = {(entry.msgctxt, entry.msgid): texts(entry) for entry in polib.mofile(str(CATALOGUE.with_suffix(".mo")))}
    written = {(entry.msgctxt, entry.msgid): texts(entry) for entry in catalogue.translated_entries()}
    assert compiled == written, "`make messages` writes the .mo"


def test_german_addresses_everybody_alike(catalogue):
    """With "Sie", as Django does: also where allauth says "du"."""
    familiar = re.compile(r"\b(du|dich|dir|dein\w*)\b", re.IGNORECASE)
    assert [text for entry in catalogue for text in texts(entry) if familiar.search(text)] == []


# ---- pages ----------------------------------------------------------------------------------------------------------------


def unmarked(lines: list[str]) -> list[str]:
    return [line for line in lines if re.search(r"[A-Za-z]{3}", NOT_OURS.sub("", line))]


@pytest.mark.django_db
def test_no_page_shows_what_cannot_be_translated(monkeypatch, maya, alex, kim, world):  # noqa: F811
    marker = Marker(monkeypatch)
    people = {"anonymous": None, "stranger": kim, "mentee": alex.user, "mentor": maya.user}
    found = {}
    for role, user in people.items():
        client = logged_in(user) if user else Client()
        for method, address, answers in rows():
            ours = not address.startswith(("/admin", "/api", "/healthz"))
            if ours and method == "GET" and answers[ROLES.index(role)] in ("200", "again"):
                answer = client.get(filled(address, world))
                page = answer.content.decode() if answer.headers.get("Content-Type", "").startswith("text/html") else ""
                if lines := unmarked(shown_outside(page)):
                    found.setdefault(address, set()).update(lines)
    assert found == {}
    assert marker.without_german() == []


def logged_in(user) -> Client:
    """With a log-in that is fresh: some pages ask who it is once more."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    return client


# ---- mails ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_mail_says_what_cannot_be_translated(monkeypatch, maya, omar, alex, session, monday):
    marker = Marker(monkeypatch)
    for kind in Kind:
        for person in (maya, alex):
            Notice.objects.get_or_create(
                session=session,
                recipient=person.user,
                kind=kind,
                version=0,
                start_time=monday,
                due_at=monday,
                expires_at=monday,
            )
    booking.reschedule(session, monday + timedelta(hours=1), by=alex.user, reason="Python")
    composed = [compose(notice, None) for notice in Notice.objects.select_related("session", "recipient")]
    assert {notice.kind for notice in Notice.objects.all()} == {*Kind}
    accounts.invite(alex.user)
    client = Client()
    client.post("/accounts/password/reset/", {"email": alex.user.email})
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    client.post("/accounts/login/code/", {"email": alex.user.email})
    client.post("/accounts/signup/", SIGN_UP | {"email": alex.user.email})
    client.post("/accounts/signup/", SIGN_UP)
    words = {"oldpassword": PASSWORD, "password1": f"{PASSWORD} 2", "password2": f"{PASSWORD} 2"}
    logged_in(alex.user).post("/accounts/password/change/", words)
    assert len(mail.outbox) == 7
    said = [
        outside(text)
        for message in [*composed, *mail.outbox]
        for text in (
            message.subject,
            message.body,
            *(part.content for part in message.attachments if "calendar" in part.mimetype),
        )
    ]
    pages = [line for message in composed for line in shown_outside(message.alternatives[0].content)]
    assert unmarked([line for text in said for line in text.splitlines()] + pages) == []
    assert marker.without_german() == []


# ---- sentences of our modules ---------------------------------------------------------------------------------------------


def test_no_sentence_in_our_modules_is_left_unmarked():
    """What refuses, tells or labels on the pages."""
    assert unmarked_sentences(leave_out=STAFF_ONLY) == []
