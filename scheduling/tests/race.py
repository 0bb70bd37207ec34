"""Many processes, one moment: run as `python -m scheduling.tests.race`, a plan on standard input, outcomes on standard output.

The plan is JSON: a list for each process, in it the attempts in order. The first argument names the function of `race_ways`
that makes one, from [..., start, minutes]. The answer is the same lists with a word for each attempt: what was done, the
codes of the refusal, "guard", or "error: ..." with the kind of error.

A process of its own, because a fork is only safe where nothing else runs. DATABASE_URL names the test's database.
"""

import json
import multiprocessing
import sys
from datetime import datetime

import django
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from scheduling.guard import GUARDS

# Whoever waits longer for the others waits for somebody who has died.
LONGEST_WAIT = 120


def outcome(how: str, *before, start: str, minutes: int) -> str:
    try:
        return getattr(ways, how)(*before, datetime.fromisoformat(start), minutes)
    except ValidationError as refusal:
        return ways.codes(refusal)
    except IntegrityError as error:
        return "guard" if any(guard.refused(error) for guard in GUARDS) else f"error: {error}"
    except Exception as error:
        return f"error: {type(error).__name__}: {error}"


def take_part(how: str, attempts: list) -> list[str]:
    connection.ensure_connection()
    ways.barrier.wait()
    try:
        return [outcome(how, *before, start=start, minutes=minutes) for *before, start, minutes in attempts]
    finally:
        connection.close()


def main() -> None:
    global ways
    plan = json.load(sys.stdin)

    django.setup()
    # Once, and before the fork: not fifty times while the race is on.
    from scheduling.tests import race_ways as ways

    if connection.vendor == "sqlite":
        # SQLite lets in whom it likes, not who came first. Fifty who never rest would be more than anybody is patient for.
        connection.settings_dict["OPTIONS"]["timeout"] = LONGEST_WAIT
    fork = multiprocessing.get_context("fork")
    ways.barrier = fork.Barrier(len(plan), timeout=LONGEST_WAIT)
    # One task for each process: nobody passes the barrier before all have come to it.
    with fork.Pool(len(plan)) as pool:
        json.dump(pool.starmap(take_part, [(sys.argv[1], attempts) for attempts in plan], chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
