"""Many verbs in one transaction: what each finds, refuses and leaves behind is what it would do alone."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from people import changes
from people.models import Change, Mentor
from scheduling import booking
from scheduling.models import Notice, Program, Session
from scheduling.tests.test_offers import calendars, fill_in, program_people
from scheduling.tests.test_slots import MIDNIGHT, MINUTE
from scheduling.words import PENDING

__all__ = ["program_people"]
# What is made by chance, or counts on.
CHANCE = {"id", "history_id", "message_key", "change_set_id"}
steps = some.lists(
    some.tuples(
        some.sampled_from(["reassign", "reassign", "reschedule", "confirm", "cancel"]),
        some.integers(0, 3),
        some.integers(0, 13).map(lambda at: at * 30 * MINUTE),
        some.booleans(),
    ),
    min_size=8,
    max_size=8,
)


@contextmanager
def alone(change_set, people, sessions):
    yield change_set


def rows(model) -> list[dict]:
    found = [{name: value for name, value in row.items() if name not in CHANCE} for row in model.objects.values()]
    return sorted(found, key=str)


def left_by(way, calendar, steps, by) -> dict:
    """What the verbs say and leave, done this way to the sessions ahead, and taken back."""
    with transaction.atomic():
        sessions = list(Session.objects.filter(start_time__gt=timezone.now()).with_people().order_by("pk"))
        mentors = list(Mentor.objects.with_people().order_by("pk"))
        locked = booking.lock_keys({mentor.pk for mentor in mentors} | {session.mentee_id for session in sessions})
        refused = []
        with way(changes.begin("bulk", "Tried", by=by), locked, [session.pk for session in sessions]) as within:
            for session, (verb, at, later, aside) in zip(sessions, steps, strict=False):
                placed = {"set_aside": "Agreed." if aside else ""}
                how = {
                    "reassign": {"mentor": mentors[at], "start_time": MIDNIGHT + later if at else None} | placed,
                    "reschedule": {"start_time": MIDNIGHT + later} | placed,
                }
                try:
                    getattr(booking, verb)(session, by=by, within=within, **how.get(verb, {}))
                except ValidationError as error:
                    refused.append((session.pk, [(one.code, *one.messages) for one in error.error_list]))
        left = {model.__name__: rows(model) for model in (Session, Session.history.model, Notice, Change)}
        transaction.set_rollback(True)
    return {"refused": refused} | left


@pytest.mark.django_db
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calendars(), steps)
def test_each_finds_refuses_and_leaves_what_it_would_alone(program_people, cora, calendar, steps):
    # Early enough that most of it is still ahead.
    with time_machine.travel(MIDNIGHT - timedelta(hours=3), tick=False), transaction.atomic():
        fill_in(calendar)
        # New rooms have names by chance.
        Program.objects.update(meeting_rooms="")
        for session in Session.objects.filter(status=PENDING).with_people():
            Notice.objects.create(
                session=session,
                recipient=session.mentor.user,
                kind="requested",
                start_time=session.start_time,
                due_at=timezone.now(),
                expires_at=session.start_time,
            )
        assert left_by(booking.together, calendar, steps, cora) == left_by(alone, calendar, steps, cora)
        transaction.set_rollback(True)
