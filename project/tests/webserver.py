"""The web server as it runs in production, in a process of its own, on the tests' database."""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from scheduling.tests.test_race import database_url

PATIENCE = 60


def session_of(user, **more) -> str:
    """The key of a web session of somebody who is logged in, with this in it."""
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store.update(more)
    store.create()
    return store.session_key


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class WebServer:
    port: int
    # The key of somebody's web session; empty for strangers.
    session_key: str = ""

    def log_in(self, user) -> None:
        self.session_key = session_of(user)

    def get(self, path: str) -> Answer:
        return self._send("GET", path)

    def post(self, path: str, **form) -> Answer:
        return self._send("POST", path, form)

    def _send(self, method: str, path: str, form: dict | None = None) -> Answer:
        token = secrets.token_hex(16)
        cookies = {settings.CSRF_COOKIE_NAME: token}
        if self.session_key:
            cookies[settings.SESSION_COOKIE_NAME] = self.session_key
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form | {"csrfmiddlewaretoken": token})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            line.close()


@contextmanager
def web_server(**env: str) -> Iterator[WebServer]:
    """One worker, with this in its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    usual = {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY, "SITE_URL": f"http://127.0.0.1:{port}"}
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
        cwd=settings.BASE_DIR,
        env=os.environ | usual | env,
    )
    try:
        _wait_for(port, server)
        yield WebServer(port)
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait_for(port: int, server: subprocess.Popen) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, "The web server did not start."
            assert time.monotonic() < until, "The web server does not answer."
            time.sleep(0.05)
        else:
            return
