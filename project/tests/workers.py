"""`manage.py worker` for tests: real processes on the tests' own database, quick to judge."""

import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django_q.brokers import get_broker
from django_q.status import Stat
from django_q.tasks import async_task

from project.worker import Timing
from scheduling.tests.test_race import database_url

# Of a slow machine; each step ends as soon as it is done.
PATIENCE = 60
QUICK = Timing(look=0.2, pulse=0.5, patience=2, start=20, grace=1, pause=0.1, longest_pause=0.5)
SUPERVISE = "import django; django.setup(); from project import worker; worker.supervise(worker.Timing(**{}))"


def until(found, what: str, patience: float = PATIENCE):
    """Wait for another process to get there."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.05)
    return pytest.fail(f"Waited {patience} s for {what}.")


class Ran:
    """Tasks that leave a file each, so that anybody can see which ran."""

    def __init__(self, folder: Path):
        self.folder = folder
        # Where a task that was handed to somebody who dies is lost, it is asked for again after so many seconds.
        self.again = math.inf

    def queue(self, name: str) -> None:
        async_task("pathlib.Path.touch", self.folder / name)

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def soon(self, name: str) -> float:
        """Queue one, wait until it ran: after how many seconds."""
        began, asked_at = time.monotonic(), -math.inf

        def has_run():
            nonlocal asked_at
            if time.monotonic() - asked_at > self.again or asked_at == -math.inf:
                asked_at = time.monotonic()
                self.queue(name)
            return self.has(name)

        until(has_run, f"the task {name}")
        return time.monotonic() - began


class Process:
    """A command in a process, its words in a file."""

    def __init__(self, command: list[str], log: Path, **env: str):
        self.path = log
        env = {
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "project.settings",
        } | env
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=os.environ | env, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def log(self) -> str:
        return self.path.read_text()

    def said(self) -> list[str]:
        """What the supervisor said, without times, numbers of processes, and which way it hung."""
        said = re.findall(r"project\.worker: (.*)", self.log)
        return [
            re.sub(r"cluster \d+", "cluster", re.sub(r"it is (deaf|silent).*", "it is deaf or silent", line)) for line in said
        ]

    def cluster(self) -> Stat:
        """The cluster that was started last, once it beats."""

        def beating():
            started = [int(pid) for pid in re.findall(r"cluster (\d+) started", self.log)] or [self.process.pid]
            return next((stat for stat in Stat.get_all(get_broker()) if stat.pid == started[-1] and stat.workers), None)

        return until(beating, "the cluster's heartbeat")

    def restarted(self, count: int, patience: float) -> bool:
        """Has the cluster been started so many times anew, by then?"""
        end = time.monotonic() + patience
        while self.log.count(" started") <= count and time.monotonic() < end:
            time.sleep(0.05)
        return self.log.count(" started") > count

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def started(command: list[str], log: Path, **env: str) -> Iterator[Process]:
    process = Process(command, log, **env)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            # Somebody frozen would not hear.
            process.process.send_signal(signal.SIGCONT)
            try:
                process.stop()
            finally:
                process.process.kill()
                process.process.wait(PATIENCE)


def quick_worker(log: Path, before: str = "", **env: str):
    """A context manager: the worker with times that suit a test. ``before``: Python that it runs first."""
    return started([sys.executable, "-c", before + SUPERVISE.format(asdict(QUICK))], log, **env)


def alive(session: int) -> list[int]:
    """The processes of this session, as `start_new_session` made it, that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def freeze(pid: int) -> None:
    """Stop it without ending it; not while it is writing into SQLite's file, or everybody else would wait for it for ever."""
    os.kill(pid, signal.SIGSTOP)
    while not _writable():
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)


def _writable() -> bool:
    if connection.vendor != "sqlite":
        return True
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=1, isolation_level=None)) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        file.execute("ROLLBACK")
    return True
