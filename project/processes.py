"""Run a few commands as one: started together, stopped together, and none left behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

# How long a process may take to finish what it is doing.
PATIENCE = 15
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop."""


@contextlib.contextmanager
def stoppable():
    """Within, the first signal that asks to stop raises Stopped; later ones are ignored, so that things can be ended in peace."""
    handlers = {number: signal.signal(number, _stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class Request:
    """Whether somebody asked us to stop."""

    asked = False
    # Who is still in the middle of something after so many seconds is torn out of it.
    PATIENCE = 5

    def sleep(self, seconds: float) -> None:
        """As long as nobody asks."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    @contextlib.contextmanager
    def in_peace(self):
        """Nobody is torn out of what is done here: it ends by itself."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        try:
            yield
        finally:
            signal.alarm(0)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


@contextlib.contextmanager
def listening():
    """Within, the first signal that asks to stop is written down in the `Request`, for whoever looks between two steps.

    An exception may come to nothing at a bad moment, in the middle of somebody else's code. It is raised (Stopped) only where
    a step takes too long: a database that says nothing.
    """
    request = Request()

    def ask(number, frame):
        request.asked = True
        _ignore()
        signal.signal(signal.SIGALRM, _stop)
        signal.alarm(Request.PATIENCE)

    numbers = (*SIGNALS, signal.SIGALRM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    for number in SIGNALS:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        signal.alarm(0)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def run(commands: Mapping[str, Sequence[str]], *, env: Mapping[str, str], log_dir: Path) -> tuple[str, int] | None:
    """Run all commands until a signal comes (None), or until one of them ends (its name and exit code).

    Each has a session of its own, so that a Ctrl-C in the terminal reaches only us: django-q2 may hang when several
    signals reach it at once. Every command is sent one SIGTERM; what is left of its group after a while is killed.
    Output goes to ``<log_dir>/<name>.log``.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    running: dict[str, subprocess.Popen] = {}
    with stoppable():
        try:
            for name, command in commands.items():
                with open(log_dir / f"{name}.log", "ab") as log:
                    running[name] = subprocess.Popen(  # noqa: S603  our own commands
                        command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                    )
            key, status = os.wait()
            name = next(name for name, process in running.items() if process.pid == key)
            running[name].returncode = os.waitstatus_to_exitcode(status)
            return name, running[name].returncode
        except Stopped:
            return None
        finally:
            _ignore()
            end(running.values())


def _stop(number, frame):
    _ignore()
    raise Stopped


def _ignore():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end(processes: Iterable[subprocess.Popen], patience: float = PATIENCE) -> None:
    """Ask each, once, and wait; then kill what is left of the group that it leads."""
    for process in processes:
        if process.returncode is None:
            process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        # Whatever the command left behind, or would not let go of.
        _kill_group(process.pid)
        process.wait()


def _kill_group(key: int) -> None:
    """And see it gone: somebody half dead may still take a task. (Where nobody buries the dead, they are not waited for.)"""
    for _ in range(10):
        try:
            os.killpg(key, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.02)
