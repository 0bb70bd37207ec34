"""Fifty processes at one moment: nobody is ever booked twice, and nobody is told an error.

`RACE_ATTEMPTS` in the environment makes it longer: `make soak` does.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import chain
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from people.models import Mentor
from scheduling.guard import GUARDS, SESSIONS, WINDOWS
from scheduling.models import Availability, Session

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES, ATTEMPTS = 50, int(os.environ.get("RACE_ATTEMPTS", "25"))
# How often each way is gone, of a hundred.
WAYS = {"request": 38, "confirm": 12, "cancel": 12, "move": 12, "hand over": 8, "enter": 5, "edit": 4, "import": 5, "window": 4}


def database_url() -> str:
    """Where the tests' own database is, for another process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    who = ":".join(quote(part, safe="") for part in (database["USER"], database["PASSWORD"]) if part)
    return f"postgres://{who}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def race(how: str, plan: list) -> Counter:
    """Let each process of the plan make its attempts, all from the same moment on. How often each outcome came."""
    runner = subprocess.run(
        [sys.executable, "-W", "error", "-m", "scheduling.tests.race", how],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=60 + 6 * ATTEMPTS,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY},
    )
    # Nothing may be said either: an error that the booking survives is logged there. ("Too many clients already" is a
    # server that has not fifty connections to spare: another race runs on it.)
    assert (runner.returncode, runner.stderr) == (0, ""), runner.stderr
    return Counter(chain.from_iterable(json.loads(runner.stdout)))


def broken(outcomes: Counter) -> list[str]:
    """What no person may ever see: an error, or what only the database noticed."""
    return [words for words in outcomes if words.startswith("error") or "guard" in words]


@pytest.fixture
def crowd(person):
    """Fifty mentees."""
    return [person(f"Mentee{number} Crowd", mentee=True).mentee for number in range(PROCESSES)]


@pytest.fixture
def one_slot(maya, crowd, window, monday):
    """Everybody wants Maya on Monday at 9:00, each in a process of their own."""
    window(maya)
    return [[[maya.pk, mentee.pk, monday.isoformat(), 30]] for mentee in crowd]


@pytest.fixture
def chaos(person, window, monday):
    """Attempts at random, always the same ones: 4 mentors and 12 mentees, two of whom are both, for two days."""
    both = [person(f"Both{number} Crowd", mentor=True, mentee=True) for number in range(2)]
    mentors = [user.pk for user in both] + [person(f"Mentor{number} Crowd", mentor=True).pk for number in range(2)]
    mentees = [user.pk for user in both] + [person(f"Mentee{number} Crowd", mentee=True).pk for number in range(10)]
    days = (monday, monday + timedelta(days=1))
    for mentor in Mentor.objects.filter(pk__in=mentors):
        for day in days:
            window(mentor, day, hours=8)
    dice = random.Random(20261123)  # noqa: S311  repeatable, not secret

    def attempt():
        start = dice.choice(days) + dice.randrange(16) * timedelta(minutes=30)
        return [dice.choice(mentors), dice.choice(mentees), start.isoformat(), dice.choice((30, 60))]

    return [[attempt() for _ in range(ATTEMPTS)] for _ in range(PROCESSES)]


@pytest.fixture
def bustle(chaos, person):
    """The same, each on one of the ways that there are, with a superuser who acts for others."""
    person("Sue Super", is_staff=True, is_superuser=True)
    dice = random.Random(1123)  # noqa: S311  repeatable, not secret

    def on_a_way(attempt):
        [way] = dice.choices(list(WAYS), WAYS.values())
        return [way, dice.randrange(1000), *attempt]

    return [[on_a_way(attempt) for attempt in attempts] for attempts in chaos]


@pytest.fixture
def unguarded():
    for guard in GUARDS:
        guard.remove(connection)
    yield
    Session.objects.all().delete()
    Availability.objects.all().delete()
    for guard in GUARDS:
        guard.install(connection)


def test_of_fifty_who_want_one_slot_one_gets_it(one_slot):
    assert race("book", one_slot) == {"booked": 1, "mentor_taken": PROCESSES - 1}
    assert Session.objects.count() == 1


def test_attempts_at_random_leave_no_overlap_and_no_error(chaos):
    outcomes = race("book", [attempts[:10] for attempts in chaos])
    assert outcomes.total() == PROCESSES * 10
    refusals = {code for words in outcomes if words != "booked" for code in words.split()}
    assert refusals <= {"mentor_taken", "mentee_taken", "same_person", "outside_window"}, outcomes
    assert SESSIONS.overlaps(connection) == []
    # Enough was booked for people to be in each other's way.
    assert Session.objects.count() == outcomes["booked"] > 60


def test_whatever_way_is_gone_nobody_is_booked_twice_and_nobody_is_told_an_error(bustle):
    outcomes = race("mix", bustle)
    sys.stdout.write(f"{outcomes.total()} attempts by {PROCESSES} processes on {connection.vendor}: {dict(outcomes)}\n")
    assert outcomes.total() == PROCESSES * ATTEMPTS
    assert broken(outcomes) == []
    assert (SESSIONS.overlaps(connection), WINDOWS.overlaps(connection)) == ([], [])
    # Every way was gone to its end: there was something to lose.
    assert [way for way in WAYS if outcomes[way] < 3] == [], outcomes
    history = defaultdict(list)
    for key, version in Session.history.order_by("history_id").values_list("id", "version"):
        history[key].append(version)
    assert history == {key: list(range(1, last + 1)) for key, last in Session.objects.values_list("pk", "version")}


def test_the_locks_and_rules_hold_on_every_way_without_the_guards(unguarded, bustle):
    outcomes = race("mix", [attempts[:10] for attempts in bustle])
    assert broken(outcomes) == []
    assert (SESSIONS.overlaps(connection), WINDOWS.overlaps(connection)) == ([], [])


def test_the_guards_hold_on_every_way_without_locks_and_rules(bustle):
    outcomes = race("mix_unguarded", [attempts[:10] for attempts in bustle])
    # On PostgreSQL some of those who wait for one another are sent away as a deadlock: what the locks are for.
    errors = {words.partition("deadlock detected")[0] for words in outcomes if words.startswith("error")}
    assert errors <= {"error: OperationalError: "}, outcomes
    assert outcomes["guard"] > 10, outcomes
    assert (SESSIONS.overlaps(connection), WINDOWS.overlaps(connection)) == ([], [])


def test_without_guards_locks_and_rules_people_are_booked_twice_on_every_way(unguarded, bustle):
    """The control: the others could fail. All of a round look before any of it writes: the first round is enough for sure."""
    race("mix_unguarded", [attempts[:10] for attempts in bustle])
    assert SESSIONS.overlaps(connection)


def test_without_guard_locks_and_rules_everybody_gets_the_one_slot(unguarded, one_slot):
    """The control of the first."""
    assert race("check_then_insert", one_slot) == {"request": PROCESSES}
    assert len(SESSIONS.overlaps(connection)) == PROCESSES * (PROCESSES - 1) // 2
