"""What every test gets, as a pytest plugin (pyproject.toml names it): strictness, and a cast to play with.

The cast: Maya and Omar are mentors, Alex and Bo are mentees, Kim is both, Cora is a coordinator, Vera a viewer, Zoe is a
stranger: a mentee who has no part in anything and must see nothing.
"""

import logging
import os
import secrets
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from django.template.base import FilterExpression

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
# Nothing a test writes lands among the demo's data.
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="tps-tests-")
for name in ("DEBUG", "DEMO", "SITE_URL", "ALLOWED_HOSTS", "EMAIL_URL", "REDIS_URL", "LANGUAGE_CODE"):
    os.environ.pop(name, None)

# Tests that are about it turn it on.
os.environ["STAFF_SECOND_FACTOR"] = "0"

TEMPLATES = str(Path(__file__).resolve().parent.parent / "templates")
PASSWORD = "correct horse battery staple"


class UndefinedVariable(str):
    """Stands where Django puts "" for a template variable that does not exist, and fails the test if the template is ours.

    Other people's templates may leave things out, and must not notice: there it is "", with the filters applied.
    """

    __slots__ = ()

    def __bool__(self):
        # FilterExpression.resolve asks "is there anything to put there?"; everybody else gets the truth about "".
        return sys._getframe(1).f_code is FilterExpression.resolve.__code__

    def __contains__(self, item):
        return item == "%s"

    def __mod__(self, variable):
        caller = sys._getframe(1)
        expression, context = caller.f_locals["self"], caller.f_locals["context"]
        while caller:
            origin = getattr(getattr(caller.f_locals.get("self"), "origin", None), "name", None)
            if origin and str(origin).startswith(TEMPLATES):
                pytest.fail(f"{origin} uses the undefined variable {variable!r}.")
            if origin:
                break
            caller = caller.f_back
        engine = context.template.engine
        engine.string_if_invalid = ""
        try:
            return expression.resolve(context)
        finally:
            engine.string_if_invalid = self


# In CI the same examples every time: what a change broke is told apart from what was only now found. Elsewhere, new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


def pytest_configure(config):
    from django.conf import settings
    from django.template import engines

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Look files up when asked, not all of them for every client.
    settings.WHITENOISE_AUTOREFRESH = True
    # On the engine, not in the settings: the engine has read those by now.
    engines["django"].engine.string_if_invalid = UndefinedVariable()
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        # A file, not memory: races and servers need a database that other processes and threads can open.
        database.setdefault("TEST", {})["NAME"] = str(Path(os.environ["DATA_DIR"]) / "test.sqlite3")


def pytest_terminal_summary(terminalreporter):
    from django.conf import settings

    from project.tests.browser import chromium

    database = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    other = "" if database == "postgresql" else " PostgreSQL was not: set DATABASE_URL, see CONTRIBUTING.md."
    terminalreporter.line(f"Tested on {database}, browser {chromium() or 'NONE'}.{other}")
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("NOT TESTED", red=True, bold=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[2]}", red=True)


@pytest.fixture(autouse=True)
def plain_language():
    """The language of the last request stays with its thread: no test hears the one before it."""
    from django.utils import translation

    translation.deactivate()


@pytest.fixture(autouse=True)
def long_sessions(request, monkeypatch):
    """A test that moves the clock stays logged in, unless it is marked with session_limits."""
    from people import sessions

    if not request.node.get_closest_marker("session_limits"):
        monkeypatch.setattr(sessions, "STAFF", (timedelta.max, timedelta.max))
        monkeypatch.setattr(sessions, "MEMBERS", (timedelta.max, timedelta.max))


@pytest.fixture(autouse=True)
def no_badges(request, monkeypatch):
    """The menu counts once a minute: whether that is now must not decide how many questions a page asks."""
    from project import badges

    if not request.node.get_closest_marker("badges"):
        monkeypatch.setattr(badges, "numbers", dict)


@pytest.fixture(autouse=True)
def no_logged_errors(request):
    """An error in the log fails the test, unless it is marked with expects_logged_errors."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    yield records
    logging.getLogger().removeHandler(handler)
    if records and not request.node.get_closest_marker("expects_logged_errors"):
        pytest.fail("An error was logged: " + "; ".join(record.getMessage() for record in records))


# ---- the cast -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def person(db):
    """A function that makes a user with a verified address: person("Maya Lopez", mentor=True, time_zone="Europe/Berlin")."""
    from people.accounts import mark_verified
    from people.models import Mentee, Mentor, User

    def make(name, *, mentor=False, mentee=False, password=PASSWORD, **fields):
        first, _, last = name.partition(" ")
        fields = {"first_name": first, "last_name": last, "email": f"{first.lower()}@example.org"} | fields
        user = User.objects.create_user(password=password, **fields)
        mark_verified(user)
        if mentor:
            Mentor.objects.create(user=user)
        if mentee:
            Mentee.objects.create(user=user)
        return user

    return make


@pytest.fixture
def maya(person):
    return person("Maya Lopez", mentor=True).mentor


@pytest.fixture
def omar(person):
    return person("Omar Haddad", mentor=True).mentor


@pytest.fixture
def alex(person):
    return person("Alex Johnson", mentee=True).mentee


@pytest.fixture
def bo(person):
    return person("Bo Lindqvist", mentee=True).mentee


@pytest.fixture
def kim(person):
    return person("Kim Park", mentor=True, mentee=True)


@pytest.fixture
def zoe(person):
    return person("Zoe Novak", mentee=True).mentee


@pytest.fixture
def cora(person):
    from django.contrib.auth.models import Group

    from project.groups import COORDINATORS

    user = person("Cora Diaz", is_staff=True)
    user.groups.add(Group.objects.get(name=COORDINATORS))
    return user


@pytest.fixture
def vera(person):
    from django.contrib.auth.models import Group

    from project.groups import VIEWERS

    user = person("Vera Olsen", is_staff=True)
    user.groups.add(Group.objects.get(name=VIEWERS))
    return user


# ---- time and bookings --------------------------------------------------------------------------------------------------


@pytest.fixture
def monday():
    """9:00 UTC on the Monday after next: always ahead, always the same hour."""
    now = datetime.now(UTC)
    day = now.date() + timedelta(days=14 - now.weekday())
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


@pytest.fixture
def window(monday):
    """A function that offers a mentor's time: window(maya) is Monday 9:00 to 12:00."""
    from scheduling.models import Availability

    def offer(mentor, start=None, hours=3):
        start = start or monday
        return Availability.objects.create(mentor=mentor, start_time=start, end_time=start + timedelta(hours=hours))

    return offer


@pytest.fixture
def session(maya, alex, monday, window):
    """Alex has asked Maya for Monday 9:00 to 9:30."""
    from scheduling import booking

    window(maya)
    return booking.request(maya, alex, monday, 30, by=alex.user)


# ---- the API ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ask(db):
    """A function that asks the API as a program with somebody's key does: ask(maya.user, "/session/").json()."""
    from django.test import Client

    from people.models import ApiToken

    keys = {}

    def send(user, path, method="get", **headers):
        if user and user.pk not in keys:
            keys[user.pk] = ApiToken.objects.issue(user, "test", 30)
        authorization = {"authorization": f"Token {keys[user.pk]}"} if user else {}
        return Client(headers=authorization | headers).generic(method.upper(), path)

    return send


# ---- the browser --------------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(monkeypatch):
    """A real Chromium without a window. Where there is none the test is skipped, and the summary says so in red."""
    from django.db import connections
    from playwright.sync_api import sync_playwright

    from project.tests.browser import ARGUMENTS, chromium

    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    # Playwright runs an event loop in this thread; Django takes that for an async view.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chrome
        chrome.close()
        # Inside the loop Django keeps connections apart from those outside: nobody else would close these.
        connections.close_all()
