"""Booking: in this process, and over HTTP where many want the same.

The floor of the first is the bare INSERTs of the rows that a booking writes (session, history, notice, the task that sends
it), one transaction for each booking: no rules, no lock, no questions. Over HTTP there is no floor to divide by: what counts is
that every answer is a booking or a refusal in words.
"""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from statistics import median
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from people.models import Mentee, Mentor
from project.bench import Row, in_turn, ratio
from project.bench.places import Places
from scheduling import booking, guard
from scheduling.models import Notice, Session
from scheduling.slots import Period

MINUTES = 30
# So many bookings are timed at once, in so many runs.
BATCH, RUNS = 40, 7
CONNECTIONS, WORKERS, THREADS = 8, 2, 4
# Each slot is wanted by so many at about the same moment.
WANTED_BY = 4
PATIENCE = 60


@dataclass(frozen=True)
class Wish:
    mentor: Mentor
    mentee: Mentee
    start: datetime


def rows(places: Places) -> Iterator[Row]:
    wishes = possible()
    yield in_process(wishes)
    yield over_http(places, list(islice(wishes, places.scale.contested)))


def possible() -> Iterator[Wish]:
    """Bookings that the rules allow, no two of them in each other's way: each mentor in turn, each time another mentee."""
    now = timezone.now()
    over = Period(now + timedelta(days=10), now + timedelta(days=60))
    mentees = Mentee.objects.active().filter(user__mentor=None).select_related("user").order_by("pk")
    taken = defaultdict(list)
    for key, start, end in Session.objects.active().overlapping(over).values_list("mentee_id", "start_time", "end_time"):
        taken[key].append(Period(start, end))
    mentors = Mentor.objects.active().filter(limits=None, user__mentee=None).select_related("user").in_bulk()
    free = [(mentors[key], slots) for key, slots in booking.free(list(mentors.values()), MINUTES, over)]
    rest = list(mentees)
    while free:
        for mentor, slots in list(free):
            slot = next(slots, None)
            if slot is None:
                free.remove((mentor, slots))
                continue
            at = next((at for at, one in enumerate(rest) if not any(slot.overlaps(other) for other in taken[one.pk])), None)
            if at is not None:
                mentee = rest.pop(at)
                rest.append(mentee)
                taken[mentee.pk].append(slot)
                yield Wish(mentor, mentee, slot.start)


# ---- in this process ----------------------------------------------------------------------------------------------------


def in_process(wishes: Iterator[Wish]) -> Row:
    def book(wish: Wish) -> Session:
        return booking.request(wish.mentor, wish.mentee, wish.start, MINUTES, by=wish.mentee.user)

    bare = Bare(book(next(wishes)))
    batches = {"ours": [], "floor": []}

    def prepare(name: str) -> None:
        some = list(islice(wishes, BATCH))
        if len(some) < BATCH:
            raise RuntimeError("There is too little free time to book in: choose a larger scale.")
        batches[name] = some if name == "ours" else [bare.rows(wish) for wish in some]

    seconds = in_turn(
        RUNS,
        before=prepare,
        ours=lambda: [book(wish) for wish in batches["ours"]],
        floor=lambda: [bare.write(rows) for rows in batches["floor"]],
    )
    times = ratio(seconds)
    ours, floor = (f"{BATCH / median(seconds[name]):,.0f} a second" for name in ("ours", "floor"))
    return Row("bookings in-process; bare INSERTs of their rows", ours, floor, times, "at most 6x", times <= 6, seconds)


class Bare:
    """The rows of one real booking, to be written again for other people and times."""

    def __init__(self, session: Session):
        self.models = (Session, Session.history.model, Notice, OrmQ)
        notice, task = session.notices.get(), OrmQ.objects.latest("pk")
        self.patterns = [self._pattern(row) for row in (session, session.history.get(), notice, task)]

    def _pattern(self, row) -> dict:
        return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}

    def rows(self, wish: Wish) -> list[tuple[str, list]]:
        """Each statement and its values, in the database's own form; the session's key is still missing."""
        start, now = wish.start, timezone.now()
        anew = {"mentor_id": wish.mentor.pk, "mentee_id": wish.mentee.pk, "history_user_id": wish.mentee.pk}
        anew |= {"recipient_id": wish.mentor.pk, "message_key": uuid.uuid4()}
        anew |= {"start_time": start, "end_time": start + timedelta(minutes=MINUTES), "expires_at": start}
        anew |= {"created_at": now, "history_date": now, "due_at": now}
        return [
            self._insert(model, pattern | {name: value for name, value in anew.items() if name in pattern})
            for model, pattern in zip(self.models, self.patterns, strict=True)
        ]

    def _insert(self, model, values: dict) -> tuple[str, list]:
        fields = [model._meta.get_field(name) for name in values]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        sql = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks}) RETURNING {model._meta.pk.column}"  # noqa: S608
        return sql, [
            MISSING
            if field.attname == "session_id" or (model is self.models[1] and field.attname == "id")
            else field.get_db_prep_save(value, connection)
            for field, value in zip(fields, values.values(), strict=True)
        ]

    def write(self, rows: list[tuple[str, list]]) -> None:
        key = None
        with transaction.atomic(), connection.cursor() as cursor:
            for sql, values in rows:
                cursor.execute(sql, [key if value is MISSING else value for value in values])
                key = key or cursor.fetchone()[0]


# Stands for the key of the session.
MISSING = object()


# ---- over HTTP ------------------------------------------------------------------------------------------------------------


def over_http(places: Places, wishes: list[Wish]) -> Row:
    """Every slot is asked for by several mentees at about the same moment, on eight connections."""
    before = Session.objects.count()
    mentees = [wish.mentee for wish in wishes]
    keys = {mentee.pk: _logged_in(mentee) for mentee in mentees}
    posts = [
        (keys[mentees[(at + WANTED_BY * 7 * turn) % len(mentees)].pk], wish)
        for at, wish in enumerate(wishes)
        for turn in range(WANTED_BY)
    ]
    port = _free_port()
    with _server(places, port), ThreadPoolExecutor(CONNECTIONS) as pool:
        begun = time.perf_counter()
        answers = sum(pool.map(lambda at: _visit(port, posts[at::CONNECTIONS]), range(CONNECTIONS)), Counter())
        rate = len(posts) / (time.perf_counter() - begun)
    booked = Session.objects.count() - before
    overlaps = len(guard.SESSIONS.overlaps(connection))
    wrong = {answer: count for answer, count in answers.items() if answer not in ("booked", "refused")}
    return Row(
        f"booking over HTTP, {CONNECTIONS} connections, every slot wanted {WANTED_BY} times",
        f"{rate:,.0f} answers a second: {answers['booked']} booked, {answers['refused']} refused"
        + "".join(f", {count} {answer}" for answer, count in wrong.items())
        + f"; {overlaps} overlaps",
        goal="booked or refused in words; 0 overlaps",
        met=not wrong and not overlaps and booked == answers["booked"] >= len(wishes) // 2,
        runs={"answers a second": [rate]},
    )


def _logged_in(mentee: Mentee) -> str:
    """The key of a web session of this person, as after a log-in."""
    store = SessionStore()
    store[SESSION_KEY] = str(mentee.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = mentee.user.get_session_auth_hash()
    store.create()
    return store.session_key


def _visit(port: int, posts: list[tuple[str, Wish]]) -> Counter:
    """Send forms over one connection, one after the other; what came of each."""
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    answers: Counter = Counter()
    for session_key, wish in posts:
        token = secrets.token_hex(16)
        form = {
            "csrfmiddlewaretoken": token,
            "start": f"{wish.start:%Y-%m-%dT%H:%M:%SZ}",
            "minutes": MINUTES,
            "form_key": uuid.uuid4(),
            "topic": "",
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session_key}; {settings.CSRF_COOKIE_NAME}={token}",
        }
        browser.request("POST", reverse("book", args=[wish.mentor.pk]), urlencode(form), headers)
        answer = browser.getresponse()
        page = answer.read()
        if answer.status == 302 and "/sessions/" in answer.headers["Location"]:
            answers["booked"] += 1
        elif answer.status == 200 and b'role="alert"' in page:
            answers["refused"] += 1
        else:
            answers[f"answered {answer.status}"] += 1
    browser.close()
    return answers


@contextmanager
def _server(places: Places, port: int) -> Iterator[None]:
    """The web server as docs/settings.md starts it, on the database that is measured."""
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    env = os.environ | {"DATABASE_URL": places.url(connection.settings_dict["NAME"]), "SITE_URL": f"http://127.0.0.1:{port}"}
    with open(places.data_dir / "web.log", "ab") as log:
        server = subprocess.Popen(  # noqa: S603  our own command
            [*command, "--workers", str(WORKERS), "--threads", str(THREADS)],
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=settings.BASE_DIR,
        )
    try:
        _wait_for(port, server)
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait_for(port: int, server: subprocess.Popen) -> None:
    """Until every worker had the time to answer a first page."""
    until = time.monotonic() + PATIENCE
    answered = 0
    while answered < 4 * WORKERS * THREADS:
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError("The web server did not start.")
        try:
            browser = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            browser.request("GET", "/")
            browser.getresponse().read()
            answered += 1
        except OSError:
            time.sleep(0.1)
        finally:
            browser.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
