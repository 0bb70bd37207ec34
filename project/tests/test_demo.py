"""The demo as a newcomer meets it: real processes, real pages, and nothing left behind."""

import http.cookiejar
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# How long a slow machine may take for one step; the steps end as soon as they are done.
PATIENCE = 180


class Browser:
    """A visitor without JavaScript: keeps cookies, sends forms."""

    def __init__(self, address):
        self.address = address
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path):
        with self.opener.open(self.address + path, timeout=30) as page:
            return page.read().decode()

    def send(self, path, **fields):
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        data = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        with self.opener.open(self.address + path, data, timeout=30) as page:
            return page.url, page.read().decode()


def until(found, what):
    """Wait for another process to get there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.2)
    return pytest.fail(f"Waited {PATIENCE} s for {what}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that were started with this data folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"DATA_DIR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


@pytest.fixture
def demo(tmp_path):
    """A function that starts the demo and returns (process, its output up to the logins, a visitor)."""
    started = []
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DATABASE", "EMAIL"))}
    env |= {"DATA_DIR": str(tmp_path), "DEMO": "1", "SECRET_KEY": secrets.token_urlsafe(50), "PYTHONUNBUFFERED": "1"}
    # A real database in the shell must not be touched.
    env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/production"

    def start():
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C stops it" in line:
                break
        visitor = Browser(f"http://127.0.0.1:{port}")

        def answers():
            try:
                return visitor.get("/")
            except (urllib.error.URLError, ConnectionError):
                return process.poll() is not None

        until(answers, "the first page")
        assert process.poll() is None, "".join(lines)
        return process, "".join(lines), visitor

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def log_in(visitor, email, password) -> str:
    visitor.cookies.clear()
    visitor.get("/accounts/login/")
    url, page = visitor.send("/accounts/login/", login=email, password=password)
    assert "/accounts/login/" not in url, page
    return page


def stop(process, folder) -> str:
    """What a Ctrl-C in the terminal does: SIGINT to the whole group in front."""
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(PATIENCE) == 0, rest
    assert processes_of(folder) == []
    return rest


@pytest.mark.once
def test_the_demo_from_first_start_to_second(demo, tmp_path):
    process, told, visitor = demo()
    logins = re.findall(r"^(coordinator|mentor|mentee) +(\S+@\S+) +(\S+)$", told, re.MULTILINE)
    assert [role for role, _, _ in logins] == ["coordinator", "mentor", "mentee"]
    assert "Loading the demo program" in told

    assert "Emily Davis" in log_in(visitor, *logins[1][1:])
    assert "Alex Johnson" in log_in(visitor, *logins[2][1:])
    log_in(visitor, *logins[0][1:])
    assert "Requests waiting" in visitor.get("/admin/")

    # Web and worker: the coordinator's click becomes a mail, by way of the queue.
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        sessions = database.execute("SELECT count(*) FROM scheduling_session").fetchone()[0]
        sarah = database.execute("SELECT id FROM people_user WHERE email = 'sarah.chen@example.com'").fetchone()[0]
    database.close()
    visitor.send(f"/admin/people/mentor/{sarah}/invite/", _form_submitted="True")
    until(lambda: "To sarah.chen@example.com" in visitor.get("/demo/mail/"), "the invitation")
    stop(process, tmp_path)

    process, again, visitor = demo()
    assert "Loading" not in again
    assert re.findall(r"^(?:coordinator|mentor|mentee) .*$", again, re.MULTILINE) == [
        line.rstrip() for line in told.splitlines() if re.match("coordinator|mentor|mentee", line)
    ]
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM scheduling_session").fetchone()[0] == sessions
    database.close()
    stop(process, tmp_path)
    assert (tmp_path / "demo_logins.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.once
def test_a_port_in_use_is_said(tmp_path):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        run = manage(tmp_path, "demo", "--port", str(port), DEMO="1")
    assert (run.returncode, f"Port {port} is in use" in run.stderr) == (1, True)


@pytest.mark.once
def test_the_demo_never_runs_in_a_real_program(tmp_path):
    run = manage(tmp_path, "demo", DEMO="0")
    assert (run.returncode, "The demo runs with DEMO=1 only" in run.stderr) == (1, True)


def test_the_demo_is_loaded_into_an_empty_database_only(maya):
    from project.demo import load

    with pytest.raises(ValueError, match="already has people"):
        load.load(lambda done, of: None)


def manage(folder, *arguments, **env):
    env = os.environ | {"DATA_DIR": str(folder), "SECRET_KEY": secrets.token_urlsafe(50), "DATABASE_URL": ""} | env
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )


@pytest.mark.django_db
def test_the_demo_program_lies_around_today_and_has_everything(db):
    from datetime import timedelta

    from django.utils import timezone

    from people.models import Mentee, Mentor
    from project.demo import load
    from scheduling import offering
    from scheduling.models import Availability, MentorLimits, Session, TimeOff, WeeklyHours
    from scheduling.words import Status

    steps = []
    load.load(lambda done, of: steps.append((done, of)))
    now = timezone.now()
    assert steps[-1][0] == steps[-1][1]
    assert (Mentor.objects.count(), Mentee.objects.count()) == (45, 165)
    assert set(Session.objects.values_list("status", flat=True)) == set(Status.values)
    assert len(set(Mentor.objects.values_list("user__time_zone", flat=True))) > 5
    real = Session.objects.exclude(external_id="")
    assert real.count() == 6
    assert all(abs(session.start_time - now) < timedelta(days=14) for session in real)
    assert Session.objects.ahead(now).count() > 50
    assert Session.objects.over(now).count() > 50
    # Every mentor says when they are free, some take time off, and what is written is neither overwritten nor written twice.
    assert WeeklyHours.objects.count() == 2 * 45
    assert (TimeOff.objects.count() >= 10, MentorLimits.objects.count()) == (True, 9)
    windows = Availability.objects.ahead(now)
    edited = windows.filter(instead_of_start__isnull=False).count()
    extra = windows.filter(from_weekly_hours=False, instead_of_start__isnull=True, external_id="").count()
    assert (windows.filter(from_weekly_hours=True).count() > 500, edited > 0, extra > 0) == (True, True, True)
    assert not offering.write_ahead()
    emily = Mentor.objects.get(user__email=load.LOGINS["mentor"])
    assert (emily.weekly_hours.count(), hasattr(emily, "limits")) == (2, True)
