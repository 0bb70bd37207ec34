"""Mail: many due notices to a server next door, and a sweep that finds nothing to do.

The floor of the first is a loop that writes and sends the same messages over one open connection: nobody else may be sending,
nothing is written down, and nobody asks whether a message is still true. Ours sends alone, and then as the worker does where much is due:
two processes, from both ends. The floor of the sweep that finds nothing is its one statement, bare.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.core.mail import get_connection
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from people.models import NotificationSettings
from project.bench import Row, compared, in_turn
from project.bench.places import Places
from scheduling import delivery
from scheduling.composing import compose
from scheduling.models import Notice, Session

RUNS, SWEEPS = 3, 30
# Milliseconds of the database.
MOST_TIME = 5
# Ours are told apart from the program's by versions that no session has.
VERSIONS = count(1_000_000)
FIRST_VERSION = 1_000_000


def rows(places: Places) -> Iterator[Row]:
    yield from nothing_due(places)
    with (
        sink() as port,
        override_settings(
            EMAIL_BACKEND="scheduling.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, EMAIL_TIMEOUT=10
        ),
    ):
        yield from many_due(places, port)


# ---- nothing to do --------------------------------------------------------------------------------------------------------


def nothing_due(places: Places) -> Iterator[Row]:
    Notice.objects.filter(state__in=["pending", "sending"], due_at__lte=timezone.now()).update(state="expired")
    seconds: list[float] = []
    statement, values = delivery.next_due(timezone.now()).values_list("pk").query.sql_with_params()

    def bare():
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.fetchall()

    times = in_turn(SWEEPS, ours=delivery.sweep, floor=bare)
    yield compared(f"a sweep with nothing due, {places.past:,} past sessions; its bare SQL", times, 2)
    with connection.execute_wrapper(_timing(seconds)):
        for _ in range(SWEEPS):
            delivery.sweep()
    spent = 1000 * sum(seconds) / SWEEPS
    yield Row("of that, the database's time", f"{spent:.2f} ms", goal=f"at most {MOST_TIME} ms", met=spent <= MOST_TIME)


def _timing(seconds: list[float]):
    from time import perf_counter

    def wrapped(execute, sql, params, many, context):
        begun = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            seconds.append(perf_counter() - begun)

    return wrapped


# ---- many ---------------------------------------------------------------------------------------------------------------


def many_due(places: Places, port: int) -> Iterator[Row]:
    # Everybody wants all of it.
    NotificationSettings.objects.update(**dict.fromkeys(NotificationSettings.SWITCHES, True))
    active = {"mentor__user__is_active": True, "mentee__user__is_active": True}
    ahead = Session.objects.filter(status="Confirmed", start_time__gt=timezone.now() + delivery.LEASE * 30, **active)
    sessions = list(ahead.order_by("pk")[: (places.scale.mails + 1) // 2])
    people = ("recipient__notification_settings", "session__mentor__user", "session__mentee__user")
    due: list[Notice] = []

    def owe(name: str) -> None:
        ours().delete()
        version, now = next(VERSIONS), timezone.now()
        Notice.objects.bulk_create(
            Notice(
                session=session,
                recipient_id=key,
                kind="confirmed",
                version=version,
                start_time=session.start_time,
                due_at=now,
                expires_at=session.start_time,
            )
            for session in sessions
            for key in (session.mentor_id, session.mentee_id)
        )
        due[:] = ours().select_related(*people)

    def ours():
        return Notice.objects.filter(version__gte=FIRST_VERSION)

    def alone() -> None:
        while delivery.sweep():
            pass
        all_sent()

    def all_sent() -> None:
        if (sent := ours().filter(state="sent").count()) != len(due):
            raise AssertionError(f"Of {len(due)} notices {sent} were sent: there is nothing to compare.")

    def bare() -> None:
        line = get_connection()
        line.open()
        for notice in due:
            line.send_messages([compose(notice, line)])
        line.close()

    with second(places, port) as helper:

        def together() -> None:
            helper.stdin.write("go\n")
            helper.stdin.flush()
            while delivery.sweep():
                pass
            helper.stdout.readline()
            all_sent()

        seconds = in_turn(RUNS, before=owe, ours=alone, floor=bare, together=together)
    ours().delete()
    what = f"{2 * len(sessions):,} notices to a mail server"
    yield compared(f"{what}; a loop over one open connection", seconds, 1.3)
    yield compared(f"{what} by two senders; the same loop", seconds | {"ours": seconds["together"]}, 1)


@contextmanager
def second(places: Places, port: int) -> Iterator[subprocess.Popen]:
    env = os.environ | {"DATABASE_URL": places.url(places.main), "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    helper = subprocess.Popen(
        [sys.executable, "-m", "project.bench.second"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )
    try:
        yield helper
    finally:
        helper.kill()
        helper.communicate()


@contextmanager
def sink() -> Iterator[int]:
    server = subprocess.Popen([sys.executable, "-m", "project.bench.sink"], stdout=subprocess.PIPE, text=True)
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.communicate()
