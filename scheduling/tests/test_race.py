"""Fifty processes at one moment: nobody is ever booked twice, and nobody is told an error."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from itertools import chain
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from people.models import Mentor
from scheduling import guard
from scheduling.models import Session

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES, ATTEMPTS = 50, 40


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
        timeout=120,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY},
    )
    # Nothing may be said either: an error that the booking survives is logged there. ("Too many clients already" is a
    # server that has not fifty connections to spare: another race runs on it.)
    assert (runner.returncode, runner.stderr) == (0, ""), runner.stderr
    return Counter(chain.from_iterable(json.loads(runner.stdout)))


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
    """2,000 attempts at random, always the same ones: 4 mentors and 12 mentees, two of whom are both, for two days."""
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
def unguarded():
    guard.remove(connection)
    yield
    Session.objects.all().delete()
    guard.install(connection)


def test_of_fifty_who_want_one_slot_one_gets_it(one_slot):
    assert race("book", one_slot) == {"booked": 1, "mentor_taken": PROCESSES - 1}
    assert Session.objects.count() == 1


def test_two_thousand_attempts_at_random_leave_no_overlap_and_no_error(chaos):
    outcomes = race("book", chaos)
    assert outcomes.total() == PROCESSES * ATTEMPTS
    refusals = {code for words in outcomes if words != "booked" for code in words.split()}
    assert refusals <= {"mentor_taken", "mentee_taken", "same_person", "outside_window"}, outcomes
    assert guard.overlaps(connection) == []
    # Enough was booked for people to be in each other's way.
    assert Session.objects.count() == outcomes["booked"] > 60


def test_the_locks_and_rules_hold_without_the_guard(unguarded, chaos):
    outcomes = race("book", [attempts[:10] for attempts in chaos])
    assert outcomes["booked"] > 40
    assert not any(words.startswith(("error", "guard")) for words in outcomes), outcomes
    assert guard.overlaps(connection) == []


def test_the_guard_holds_without_locks_and_rules(one_slot):
    outcomes = race("check_then_insert", one_slot[:8])
    # On PostgreSQL some of those who wait for one another are sent away as a deadlock: what the locks are for.
    lost = {words.partition("deadlock detected")[0] for words in outcomes if words != "booked"}
    assert outcomes["booked"] == 1
    assert lost <= {"guard", "error: OperationalError: "}, outcomes
    assert guard.overlaps(connection) == []


def test_without_guard_locks_and_rules_people_are_booked_twice(unguarded, one_slot):
    """The control: the others could fail."""
    assert race("check_then_insert", one_slot) == {"booked": PROCESSES}
    assert len(guard.overlaps(connection)) == PROCESSES * (PROCESSES - 1) // 2
