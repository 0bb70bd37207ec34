"""Is anything wrong that an operator should know of? `/healthz` says it to machines, the desk to coordinators.

Sentences only, and no names: anybody may ask.
"""

import logging
import math
import threading
import time
from datetime import timedelta

from django.core.cache import cache
from django.db import Error, OperationalError, connection, connections
from django.http import HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from scheduling.models import Notice

try:
    from redis.exceptions import RedisError
except ImportError:  # an extra: without it nothing asks Redis
    RedisError = OperationalError

logger = logging.getLogger(__name__)

PATH = "/healthz"
# What is raised where database, cache or queue cannot be asked.
AWAY = (Error, RedisError, OSError)
# The worker tells every ten seconds (`worker.Timing.pulse`).
SILENT = timedelta(minutes=1)
LATE = timedelta(minutes=5)
# In seconds. Who asks gives up after a while too.
PATIENCE = 5

WELL_KEY, ASKED_KEY = "project.worker.well", "project.worker.asked"


# ---- what the worker tells ------------------------------------------------------------------------------------------------


def worker_is_well() -> None:
    """A worker looked at its cluster: it beats, and takes what waits."""
    cache.set(WELL_KEY, time.time(), timeout=None)


def worker_is_asked() -> None:
    """Writes, or raises, or takes its time."""
    cache.set(ASKED_KEY, time.time(), timeout=None)


# ---- what may be wrong: each a sentence, or "" ------------------------------------------------------------------------------


def database_away() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def cache_away() -> str:
    cache.get(WELL_KEY)
    return ""


def cluster_silent() -> str:
    """Does any worker run, anywhere? Several may: one that is well is enough."""
    silent = time.time() - cache.get(WELL_KEY, -math.inf)
    if silent <= SILENT.total_seconds():
        return ""
    since = "ever" if silent == math.inf else f"for {_minutes(timedelta(seconds=silent))}"
    return f"No worker has been heard of {since}. Is `manage.py worker` running?"


def notices_late(by: timedelta = LATE) -> str:
    late = Notice.objects.late(by=by).order_by("due_at").values_list("due_at", flat=True).first()
    if late is None:
        return ""
    return f"The oldest notice that is due has been waiting for {_minutes(timezone.now() - late)}."


def _minutes(period: timedelta) -> str:
    minutes = int(period.total_seconds() // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


# Name -> the question, and what it is no use asking without.
CHECKS = {
    "database": (database_away, ""),
    "cache": (cache_away, ""),
    "cluster": (cluster_silent, "cache"),
    "notices": (notices_late, "database"),
}


def findings() -> dict[str, str]:
    """What is wrong, by name, each in a sentence; empty: nothing. Never raises."""
    found: dict[str, str] = {}
    for name in CHECKS:
        _ask(name, found)
    return found


def finding(name: str) -> str:
    """What is wrong with this one, or "". Never raises."""
    found: dict[str, str] = {}
    _ask(name, found)
    return found.get(name, "")


def _ask(name: str, found: dict[str, str]) -> None:
    check, needed = CHECKS[name]
    if needed in found:
        return
    try:
        sentence = check()
    # Whatever it is: an answer that says so is worth more than none.
    except Exception as error:
        sentence = f"The {needed or name} does not answer ({type(error).__name__})."
        logger.warning("health: %s: %s", name, type(error).__name__)
    if sentence:
        found[name] = sentence


# ---- the answer -------------------------------------------------------------------------------------------------------------

# A server that accepts a connection and then says nothing keeps a thread for long: one of this process, not all.
_asking = threading.Lock()


def findings_within(seconds: float) -> dict[str, str]:
    """The same in bounded time: what has given no answer by then is what is wrong."""
    end = time.monotonic() + seconds
    if not _asking.acquire(timeout=seconds):
        return {"answer": f"An earlier question has had no answer for {seconds:g} seconds."}
    found, asked = {}, ""

    def ask_all():
        nonlocal asked
        try:
            for name in CHECKS:
                asked = name
                _ask(name, found)
            asked = ""
        finally:
            # The thread's own: nobody else would.
            connections.close_all()
            _asking.release()

    thread = threading.Thread(target=ask_all, name="health", daemon=True)
    thread.start()
    thread.join(end - time.monotonic())
    if silent := asked:
        found = found | {silent: f"The {CHECKS[silent][1] or silent} gives no answer within {seconds:g} seconds."}
    return found


def healthz(request):
    """200 and "ok", or 503 and what is wrong."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    found = findings_within(PATIENCE)
    answer = {"status": "wrong", "wrong": found} if found else {"status": "ok"}
    return JsonResponse(answer, status=503 if found else 200, headers={"Cache-Control": "no-store"})
