"""Many processes, one moment: run as `python -m scheduling.tests.race`, a plan on standard input, outcomes on standard output.

The plan is JSON: a list for each process, in it the attempts [mentor, mentee, start, minutes] in order. The answer is the
same lists with a word for each attempt: "booked", the codes of the refusal, or "error: ..." with the kind of error.

A process of its own, because a fork is only safe where nothing else runs. DATABASE_URL names the test's database.
"""

import argparse
import json
import multiprocessing
import sys
from datetime import datetime, timedelta

import django


def book(mentor_key, mentee_key, start, minutes) -> None:
    """The way everybody books: through the door."""
    from people.models import Mentee, Mentor
    from scheduling import booking

    mentor, mentee = Mentor.objects.get(pk=mentor_key), Mentee.objects.select_related("user").get(pk=mentee_key)
    booking.request(mentor, mentee, start, minutes, by=mentee.user)


def check_then_insert(mentor_key, mentee_key, start, minutes) -> None:
    """How double bookings are made: look, find nobody, write. No lock, no rules; everybody looks before anybody writes."""
    from django.core.exceptions import ValidationError

    from scheduling.models import Session
    from scheduling.slots import Period

    period = Period.of(start, minutes)
    taken = Session.objects.active().filter(mentor=mentor_key).overlapping(period).exists()
    barrier.wait()
    if taken:
        raise ValidationError("The mentor is busy.", code="mentor_taken")
    Session.objects.bulk_create(
        [Session(mentor_id=mentor_key, mentee_id=mentee_key, start_time=start, end_time=period.end, created_at=start)]
    )


def outcome(how, mentor_key, mentee_key, start, minutes) -> str:
    from django.core.exceptions import ValidationError
    from django.db import IntegrityError

    from scheduling import guard

    try:
        how(mentor_key, mentee_key, datetime.fromisoformat(start), minutes)
    except ValidationError as refusal:
        return " ".join(sorted(error.code for error in refusal.error_list))
    except IntegrityError as error:
        return "guard" if guard.refused(error) else f"error: {error}"
    except Exception as error:
        return f"error: {type(error).__name__}: {error}"
    return "booked"


def take_part(how, attempts) -> list[str]:
    from django.db import connection

    connection.ensure_connection()
    barrier.wait()
    try:
        return [outcome(how, *attempt) for attempt in attempts]
    finally:
        connection.close()


def main() -> None:
    global barrier
    arguments = argparse.ArgumentParser()
    arguments.add_argument("how", choices=["book", "check_then_insert"])
    how = globals()[arguments.parse_args().how]
    plan = json.load(sys.stdin)

    django.setup()
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(len(plan), timeout=timedelta(minutes=1).total_seconds())
    # One task for each process: nobody passes the barrier before all have come to it.
    with fork.Pool(len(plan)) as pool:
        json.dump(pool.starmap(take_part, [(how, attempts) for attempts in plan], chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
