"""Runs django-q2's cluster, and starts it anew when it is dead, silent or deaf.

Deaf: a worker that is killed while it waits for a task takes the queue's lock with it. The cluster goes on beating, takes
tasks, and never runs one again. So: something waits, somebody is idle, and nothing is begun.
"""

import contextlib
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import close_old_connections
from django_q.brokers import get_broker
from django_q.status import Stat
from django_q.tasks import async_task

from project import health, processes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """All in seconds. What is longest from a kill to the next task is less than a minute (`longest`)."""

    # Between two looks at the cluster.
    look: float = 1
    # After so long without a task it is given one that does nothing: without a task nobody can tell a deaf one.
    pulse: float = 10
    # How long it may be silent, or let tasks wait beside idle workers.
    patience: float = 20
    # How long the first heartbeat may take.
    start: float = 30
    # How long it may finish what it does. Shorter than `processes.PATIENCE`, which we are given ourselves.
    grace: float = 10
    # Before the second restart in a row and each one after, doubled every time.
    pause: float = 1
    longest_pause: float = 10
    # Who lived as long did not die at once.
    steady: float = 60

    @property
    def longest(self) -> float:
        """Until a new cluster is started after the worst kill."""
        return self.pulse + self.patience + 2 * self.look + self.grace + self.longest_pause


def pulse() -> None:
    """A task that does nothing."""


class Cluster:
    """One life of it."""

    def __init__(self, timing: Timing):
        self.timing = timing
        self.id = uuid4()
        # One file for each process of it that is busy (project/cluster.py).
        self.folder = Path(tempfile.mkdtemp(prefix="worker-"))
        words = [sys.executable, "-m", "project.cluster", self.id, self.folder, os.getpid(), max(1, round(timing.grace))]
        self.process = subprocess.Popen(  # noqa: S603  our own command
            [str(word) for word in words], cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.broker = get_broker()
        self.born = time.monotonic()
        self.heard, self.beat = False, None
        self.moves = self.folder.stat().st_mtime_ns
        self.pulse_at = self.told_at = -math.inf
        self.forgive()

    @property
    def age(self) -> float:
        return time.monotonic() - self.born

    def forgive(self) -> None:
        """Count silence and waiting from now on."""
        self.beat_at = self.well_at = time.monotonic()

    def end(self) -> None:
        processes.end([self.process], self.timing.grace)
        shutil.rmtree(self.folder, ignore_errors=True)

    def complaint(self) -> str:
        """What is wrong with it, or "". Raises health.AWAY where that cannot be asked."""
        code = self.process.poll()
        if code is not None:
            return f"it ended by itself (code {code})"
        stat, now = Stat.get(self.process.pid, self.id, self.broker), time.monotonic()
        # The last beat is kept for three seconds, or longer.
        if isinstance(stat, Stat) and stat.timestamp != self.beat:
            self.beat = stat.timestamp
            if not self.heard:
                # What was waiting before is no fault of this one.
                self.forgive()
            self.heard, self.beat_at = True, now
            self._look(stat, now)
        if now - self.beat_at > (self.timing.patience if self.heard else self.timing.start):
            return "it is silent" if self._can_write() else ""
        if self.heard and now - self.well_at > self.timing.patience:
            return "it is deaf: tasks wait, somebody is idle, nothing is begun" if self._can_write() else ""
        return ""

    def _look(self, stat: Stat, now: float) -> None:
        moves, busy = self.folder.stat().st_mtime_ns, {int(file.name) for file in self.folder.iterdir()}
        waiting = stat.task_q_size + stat.done_q_size + self.broker.queue_size()
        moved = moves != self.moves
        if moved:
            self.moves, self.pulse_at = moves, now
        if not waiting or moved or busy.issuperset(stat.workers):
            self.well_at = now
            if now - self.told_at >= self.timing.pulse:
                self.told_at = now
                health.worker_is_well()
        if not waiting and now - self.pulse_at >= self.timing.pulse:
            self.pulse_at = now
            async_task("project.worker.pulse")

    def _can_write(self) -> bool:
        """Before it is blamed: a long import on SQLite keeps everybody else from writing, heartbeats and all."""
        asked_at = time.monotonic()
        health.worker_is_asked()
        if time.monotonic() - asked_at < max(1, self.timing.look):
            return True
        self.forgive()
        return False


def supervise(timing: Timing | None = None) -> None:
    """Until a signal says stop."""
    timing, pause = timing or Timing(), 0.0
    with contextlib.suppress(processes.Stopped), processes.listening() as request:
        while not request.asked:
            cluster = Cluster(timing)
            try:
                logger.info("cluster %s started", cluster.process.pid)
                why = _watch(cluster, request)
            finally:
                with request.in_peace():
                    cluster.end()
                    if request.asked:
                        logger.info("cluster %s stopped", cluster.process.pid)
            if request.asked:
                return
            if cluster.age >= timing.steady:
                pause = 0.0
            logger.warning("cluster %s is restarted in %g s: %s", cluster.process.pid, pause, why)
            request.sleep(pause)
            pause = min(max(2 * pause, timing.pause), timing.longest_pause)


def _watch(cluster: Cluster, request: processes.Request) -> str:
    """Until there is something to complain of, or somebody asks us to stop."""
    blind = False
    while True:
        request.sleep(cluster.timing.look)
        if request.asked:
            return ""
        close_old_connections()
        try:
            why = cluster.complaint()
        except health.AWAY as error:
            # Not the cluster's fault, and a new one would be no better off.
            if not blind:
                logger.warning("cluster %s cannot be watched: %s", cluster.process.pid, type(error).__name__)
            blind = True
            cluster.forgive()
            continue
        if blind:
            logger.info("cluster %s can be watched again", cluster.process.pid)
        blind = False
        if why:
            return why
