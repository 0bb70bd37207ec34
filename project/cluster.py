"""The process that the worker watches: django-q2's cluster, which dies with its supervisor and shows which of it is busy.

    python -m project.cluster <cluster id> <folder> <supervisor's pid> <seconds to end in>

In the folder lies one file for each process that is busy with a task, named by its pid.
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

import django

PR_SET_PDEATHSIG = 1


def die_with(parent: int, number: int) -> bool:
    """From now on the kernel sends this process the signal when its parent is gone. False if it is gone already.

    Linux only. Elsewhere a cluster whose supervisor is killed outright goes on by itself, which `manage.py worker` survives:
    any number of clusters may run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        return os.getppid() == parent
    return True


def tie_children() -> None:
    """Every process forked from here on is killed when the one that forked it is gone: none takes tasks by itself."""
    parent = 0

    def remember():
        nonlocal parent
        parent = os.getpid()

    def tie():
        if not die_with(parent, signal.SIGKILL):
            os._exit(1)

    os.register_at_fork(before=remember, after_in_child=tie)


def mark_the_busy(folder: Path) -> None:
    from django_q.signals import post_execute_in_worker, post_spawn, pre_execute

    # An error in here would kill the worker.
    def busy(**kwargs):
        with contextlib.suppress(OSError):
            (folder / str(os.getpid())).touch()

    def idle(**kwargs):
        with contextlib.suppress(OSError):
            (folder / str(os.getpid())).unlink()

    pre_execute.connect(busy, weak=False)
    for free in (post_spawn, post_execute_in_worker):
        free.connect(idle, weak=False)


def run(cluster_id: UUID, folder: Path, supervisor: int, grace: int) -> None:
    def alone(number, frame):
        """Finish what is begun, but not for ever: with this process all others are killed."""
        signal.alarm(grace)
        os.kill(os.getpid(), signal.SIGTERM)

    # The supervisor's terminal is not ours, so that nobody else sends this one.
    signal.signal(signal.SIGHUP, alone)
    if not die_with(supervisor, signal.SIGHUP):
        return
    tie_children()
    mark_the_busy(folder)

    from django.db import connections
    from django_q.cluster import Cluster
    from django_q.scheduler import scheduler

    # A cluster looks at the schedules after half a minute for the first time. What is due is late enough after a restart.
    scheduler()
    connections.close_all()
    cluster = Cluster()
    cluster.cluster_id = cluster_id
    cluster.start()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    run(UUID(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
