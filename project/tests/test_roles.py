"""Every address, every kind of person: what each answers to whom (OWASP ASVS 8.2.1). The table is roles.txt beside this file.

Somebody who adds an address adds its line there; until then `test_every_address_is_in_the_table` fails and shows the line.
"""

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve
from django_q.models import Schedule

from people import changes
from people.models import ApiToken, ChangeSet, Import, NotificationSettings, Photo, SheetExport, Skill, SkillSuggestion, Team
from project.groups import VIEWERS
from scheduling import booking, feeds, mail_links
from scheduling.models import Availability, Feedback, MentorLimits, Notice, Remark, SavedView, Session, TimeOff, WeeklyHours

TABLE = Path(__file__).with_name("roles.txt")
# `stranger` is mentor and mentee, and has no part in what the addresses name.
ROLES = ["anonymous", "stranger", "mentee", "mentor", "viewer", "coordinator", "superuser"]
# A refusal, or the way to a page that says one, asks for a log-in or for the password once more.
CLOSED = {"login", "again", "302", "401", "403", "404", "405"}
WRITES = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "(people|scheduling)_')


# ---- the table ----------------------------------------------------------------------------------------------------------


def expanded(address: str) -> list[str]:
    """ "/a/{,b/,c/}" is /a/, /a/b/ and /a/c/."""
    if found := re.search(r"\{(.*?)\}", address):
        before, after = address[: found.start()], address[found.end() :]
        return [whole for part in found[1].split(",") for whole in expanded(before + part + after)]
    return [address]


def rows() -> list[tuple[str, str, list[str]]]:
    """(method, address, what each role is answered)"""
    read = []
    for line in TABLE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            *answers, method, address = line.split()
            assert len(answers) == len(ROLES), f"{TABLE.name} needs {len(ROLES)} answers in the line: {line}"
            read += [(method, one, answers) for one in expanded(address)]
    return read


def like_the_mentor(address: str) -> list[str]:
    """Who need not be asked: to the admin whoever is not staff is one like the other."""
    return ["stranger", "mentee"] if address.startswith("/admin/") else []


def filled(address: str, world: dict) -> str:
    return re.sub(r"<(\w+)>", lambda found: str(world[found[1]]), address)


def routes(entries, before="") -> dict[str, str]:
    """Each address that the resolver knows, as it names it, and one that leads there."""
    known = {}
    for entry in entries:
        route = before + str(entry.pattern).removeprefix("^") if before else str(entry.pattern)
        known |= {route: entry} if isinstance(entry, URLPattern) else routes(entry.url_patterns, route)
    return known


# ---- who there is, and what the addresses name --------------------------------------------------------------------------


@pytest.fixture
def world(request, settings, tmp_path, person, maya, alex, cora, kim, monday, window, session):
    """Keys for the addresses: <session> is Alex's with Maya, <over> one that was, <window> one of Maya's, and so on."""
    settings.MEDIA_ROOT = tmp_path
    user = maya.user
    now = datetime.now(UTC)
    over = Session.objects.create(
        mentor=maya,
        mentee=alex,
        start_time=now - timedelta(days=3),
        end_time=now - timedelta(days=3, minutes=-30),
        status="Completed",
        created_at=now,
    )
    hours = WeeklyHours.objects.create(
        mentor=maya, weekday=6, begins=time(9), ends=time(10), time_zone="UTC", valid_from_on=now.date()
    )
    off = TimeOff.objects.create(mentor=maya, start_time=monday, end_time=monday + timedelta(hours=1))
    MentorLimits.objects.create(mentor=maya)
    photo = Photo(user=user)
    photo.file.save("x.webp", ContentFile(b"RIFF"))
    user.api_tokens.issue(user, "report", 30)
    feed = feeds.make(user)
    changed = changes.begin("bulk", "Two sessions canceled.", by=cora)
    changed.record(session, {"reason": ""}, {"reason": "Snow."})
    notice = Notice.objects.filter(session=session).first()
    imported = Import.objects.create(
        kind="mentors",
        by=cora,
        state=Import.State.DONE,
        headers=["email"],
        change_set=ChangeSet.objects.create(kind="import", sentence="Imported mentors"),
    )
    imported.rows.create(position=0, numbers=[2], outcome="refused", cells=["x"])
    return {
        "import": imported.pk,
        "remark": Remark.objects.create(session=session, author=cora, text="x").pk,
        "view": SavedView.objects.create(owner=cora, name="Hers").pk,
        "session": session.pk,
        "over": over.pk,
        "mentor": maya.pk,
        "mentee": alex.pk,
        "hours": hours.pk,
        "off": off.pk,
        "window": Availability.objects.get(mentor=maya).pk,
        "skill": Skill.objects.create(name="Python").pk,
        "team": Team.objects.create(number=7).pk,
        "suggestion": SkillSuggestion.objects.create(mentor=maya, name="Rust").pk,
        "changeset": changed.pk,
        "erasure": alex.user.erasure_requests.create().pk,
        "feedback": Feedback.objects.create(session=over, rating=5, created_at=now).pk,
        "notice": notice.pk,
        "export": SheetExport.objects.create(by=user, sheet="mentors", ending="csv", rows=1).pk,
        "key": user.api_tokens.get().pk,
        "factor": TOTP.activate(user, "JBSWY3DPEHPK3PXP").instance.pk,
        "schedule": Schedule.objects.first().pk,
        "group": Group.objects.first().pk,
        "address": user.emailaddress_set.get().pk,
        "feed": feeds.address(feed).rsplit("/", 1)[1].removesuffix(".ics"),
        "act": mail_links.act(session, user, booking.VERBS["confirm"]).rstrip("/").rsplit("/", 1)[1],
        "version_of_session": session.history.latest().pk,
        "version_of_mentor": maya.history.latest().pk,
        "version_of_mentee": alex.history.latest().pk,
        "code": "invalid",
        "mails": NotificationSettings.objects.create(user=alex.user).pk,
        "stop": mail_links.stop(user, "session_requested").rstrip("/").rsplit("/", 1)[1],
    }


@pytest.fixture
def asks(monkeypatch, caplog, person, kim, alex, maya, cora, world):
    """asks(role, method, address): the status, or "login" for the way to the log-in, "again" for a question who that is."""
    # A thousand refusals in the log would bury what the test says.
    caplog.set_level("ERROR", "django")
    caplog.set_level("ERROR", "csp")
    # Who may see a page is decided before it is drawn, and drawing two thousand takes minutes.
    monkeypatch.setattr(Template, "render", lambda self, context=None, request=None: "")
    vera = person("Vera Stone", is_staff=True)
    vera.groups.add(Group.objects.get(name=VIEWERS))
    people = dict(zip(ROLES, [None, kim, alex.user, maya.user, vera, cora, None], strict=True))
    people["superuser"] = person("Root Ruiz", is_staff=True, is_superuser=True)
    clients, programs = {}, {}
    for role, user in people.items():
        clients[role], programs[role] = Client(), Client()
        if user:
            clients[role].force_login(user)
            programs[role] = Client(headers={"authorization": f"Token {ApiToken.objects.issue(user, 'test', 30)}"})
    # Their use is noted once a minute.
    ApiToken.objects.update(last_used_at=datetime.now(UTC))

    def ask(role, method, address):
        point = transaction.savepoint()
        path = filled(address, world)
        # The API asks for a key.
        client = programs[role] if (resolve(path).url_name or "").startswith("api_") else clients[role]
        cookies = client.cookies.copy()
        answer = getattr(client, method.lower())(path)
        transaction.savepoint_rollback(point)
        client.cookies = cookies
        to = answer.get("Location", "")
        if to.startswith(("/accounts/login/?", "/admin/login/?")):
            return "login"
        return "again" if to.startswith("/accounts/reauthenticate/") else str(answer.status_code)

    return ask


# ---- what must be so ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_address_is_in_the_table(world):
    told = {resolve(filled(address, world)).route for _, address, _ in rows()}
    known = routes(get_resolver().url_patterns)
    if missing := sorted(set(known) - told):
        lines = "\n".join("? " * len(ROLES) + f" GET /{route}" for route in missing)
        pytest.fail(
            f"The resolver knows addresses that {TABLE} does not tell of. For each add a line like those below, with a key of the"
            f" test's world for what is variable, like <session>. While there is a ? in it, the next test says what each role"
            f" is answered now: look whether that is right, and write it down.\n\n{lines}\n"
        )


@pytest.mark.django_db
def test_everybody_is_answered_as_the_table_says(asks):
    wrong = []
    for method, address, answers in rows():
        alike = like_the_mentor(address)
        found = {role: asks(role, method, address) for role in ROLES if role not in alike}
        now = [found["mentor"] if role in alike else found[role] for role in ROLES]
        if now != answers:
            wrong.append(f"  {' '.join(now)}  {method} {address}   (the table: {' '.join(answers)})")
    if wrong:
        pytest.fail(f"Answered otherwise than {TABLE} says, for {', '.join(ROLES)}:\n\n" + "\n".join(wrong) + "\n")


@pytest.mark.django_db
def test_who_may_not_look_may_not_write(asks):
    told, written = rows(), []
    posts = {address for method, address, _ in told if method == "POST"}

    def look(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if WRITES.match(sql) and context["cursor"].rowcount:
            written.append(sql)
        return result

    for method, address, answers in told:
        if method != "GET" or address in posts:
            continue
        assert "405" not in answers, f"{address} takes no GET: tell of POST {address} in {TABLE.name}, too"
        for role, answer in zip(ROLES, answers, strict=True):
            if answer in CLOSED and role not in like_the_mentor(address):
                with connection.execute_wrapper(look):
                    assert asks(role, "POST", address) in CLOSED, f"{role} may not look at {address}, but write there"
                assert written == [], f"{role} may not look at {address}, but changed something there"
