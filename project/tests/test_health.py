"""What /healthz says when something is wrong, and that it always says something, and soon."""

import json
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from people.models import User
from project import health
from project.tests.webserver import web_server
from scheduling.models import Notice

# Django logs every answer of 503 as an error.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.expects_logged_errors]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def worker():
    """One that was well a moment ago."""
    health.worker_is_well()
    yield
    cache.delete(health.WELL_KEY)


def ask(client, **headers) -> tuple[int, dict]:
    answer = client.get("/healthz", headers=headers)
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    return answer.status_code, answer.json()


def wrong(**findings: str) -> tuple[int, dict]:
    return 503, {"status": "wrong", "wrong": findings}


def test_all_is_well_for_anybody_who_asks(client, session):
    assert ask(client) == (200, {"status": "ok"})
    # A watchman beside the web server knows neither its name nor TLS.
    assert ask(client, host="10.0.0.7:8000") == (200, {"status": "ok"})
    assert health.findings() == {}


def test_it_is_asked_in_no_other_way(client):
    head = client.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")
    for verb in (client.post, client.put, client.patch, client.delete, client.options):
        refused = verb("/healthz")
        assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


def test_tls_is_not_insisted_on(client, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, ["^healthz$"]
    assert client.get("/").status_code == 301
    assert ask(client) == (200, {"status": "ok"})


def test_a_worker_that_is_silent_for_a_minute(client):
    said_at = time.time()
    for seconds, sentence in [(59, ""), (62, "for 1 minute"), (3600, "for 60 minutes")]:
        with time_machine.travel(said_at + seconds):
            silent = f"No worker has been heard of {sentence}. Is `manage.py worker` running?"
            assert ask(client) == (wrong(cluster=silent) if sentence else (200, {"status": "ok"}))
    cache.delete(health.WELL_KEY)
    assert ask(client) == wrong(cluster="No worker has been heard of ever. Is `manage.py worker` running?")


@pytest.mark.parametrize(("state", "counts"), [("pending", True), ("sending", True), ("sent", False), ("suppressed", False)])
def test_a_notice_that_is_late(client, session, state, counts):
    [notice] = session.notices.all()
    for minutes, late in [(4.9, False), (5.1, True)]:
        Notice.objects.filter(pk=notice.pk).update(state=state, due_at=timezone.now() - minutes * MINUTE)
        waits = wrong(notices="The oldest notice that is due has been waiting for 5 minutes.")
        assert ask(client) == (waits if late and counts else (200, {"status": "ok"}))


def test_the_oldest_counts_and_what_is_due_later_does_not(session, alex):
    [notice] = session.notices.all()
    now = timezone.now()
    for kind, due_at in [("confirmed", now - 90 * MINUTE), ("reminder_60", now + 90 * MINUTE)]:
        Notice.objects.create(
            session=session, recipient=alex.user, kind=kind, start_time=session.start_time, due_at=due_at, expires_at=now
        )
    Notice.objects.filter(pk=notice.pk).update(due_at=now - 10 * MINUTE)
    assert health.notices_late() == "The oldest notice that is due has been waiting for 90 minutes."


# ---- a real web server that has lost something ---------------------------------------------------------------------------------


def answered(web) -> tuple[int, dict]:
    """As a stranger and, the second time, with somebody's session: who that is cannot be asked either."""
    answers = [web.get("/healthz")]
    web.session_key = "0123456789abcdefghijklmnopqrstuv"
    answers.append(web.get("/healthz"))
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    [(status, text)] = {(answer.status, answer.text) for answer in answers}
    return status, json.loads(text)


@pytest.mark.parametrize("url", ["sqlite:////nowhere/db.sqlite3", "postgres://nobody@127.0.0.1:1/nothing"])
def test_a_database_that_is_away(url):
    away = "The database does not answer (OperationalError)."
    with web_server(DATABASE_URL=url) as web:
        answer = answered(web)
    assert answer == wrong(database=away, cache="The cache does not answer (OperationalError).")


ASK_TWICE = """
import json, os, django
django.setup()
from django.test import Client
from project import health
health.PATIENCE = 1
answers = [Client().get("/healthz") for _ in range(2)]
print(json.dumps([[answer.status_code, answer.json()] for answer in answers]), flush=True)
os._exit(0)  # a thread still waits
"""


def test_a_database_that_says_nothing_keeps_nobody_waiting():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"postgres://nobody@127.0.0.1:{deaf.getsockname()[1]}/nothing"
        env = {"DATABASE_URL": url, "SECRET_KEY": settings.SECRET_KEY, "DJANGO_SETTINGS_MODULE": "project.settings"}
        asked = subprocess.run(
            [sys.executable, "-c", ASK_TWICE], cwd=settings.BASE_DIR, env=os.environ | env, stdout=subprocess.PIPE, timeout=30
        )
    first, second = map(tuple, json.loads(asked.stdout))
    assert first == wrong(database="The database gives no answer within 1 seconds.")
    # The thread that asked still hangs there, and no second one does.
    assert second == wrong(answer="An earlier question has had no answer for 1 seconds.")
    assert health.PATIENCE == 5


def test_a_cache_that_is_away():
    with web_server(REDIS_URL="redis://127.0.0.1:1/0") as web:
        answer = answered(web)
    assert answer == wrong(cache="The cache does not answer (ConnectionError).")


def test_nobody_is_named(client, session):
    Notice.objects.update(due_at=timezone.now() - 60 * MINUTE)
    cache.delete(health.WELL_KEY)
    status, answer = ask(client)
    assert (status, answer["wrong"].keys()) == (503, {"cluster", "notices"})
    names = {word for user in User.objects.all() for word in (user.first_name, user.last_name, user.email)}
    assert names
    assert not [name for name in names if name in json.dumps(answer)]
