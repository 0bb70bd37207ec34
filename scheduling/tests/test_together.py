"""Many verbs in one transaction: what each finds, refuses and leaves behind is what it would do alone."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from people import changes
from people.models import Change, Mentor
from scheduling import booking, leaving
from scheduling.models import MentorLimits, Notice, Program, Session
from scheduling.slots import Period
from scheduling.tests.test_offers import calendars, fill_in, program_people
from scheduling.tests.test_slots import MIDNIGHT, MINUTE
from scheduling.words import CONFIRMED, PENDING

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


@pytest.fixture
def mine(maya, omar, person, window, monday):
    """A function that gives Maya some sessions, each with somebody else, that Omar could take over."""
    for mentor in (maya, omar):
        window(mentor, hours=12)

    def make(number: int, status: str, start=monday) -> list[Session]:
        mentees = [person(f"Mentee{number}{at} Lee", mentee=True).mentee for at in range(number)]
        return [
            Session.objects.create(
                mentor=maya,
                mentee=mentee,
                start_time=start + at * 30 * MINUTE,
                end_time=start + (at + 1) * 30 * MINUTE,
                status=status,
                created_at=timezone.now(),
            )
            for at, mentee in enumerate(mentees)
        ]

    return make


def test_each_finds_what_those_before_it_have_taken_and_left(mine, maya, omar, cora, monday):
    first, second, third = mine(3, CONFIRMED)
    MentorLimits.objects.create(mentor=omar, week_cap=1)
    period = Period(monday, monday + timedelta(hours=12))
    with pytest.raises(ValidationError) as full:
        leaving.be_away(maya, period, by=cora, decided={first.pk: omar, second.pk: omar, third.pk: None})
    assert {key: [error.code for error in errors] for key, errors in full.value.error_dict.items()} == {
        second.pk: ["mentor_week_full"]
    }
    MentorLimits.objects.update(week_cap=None, buffer_minutes=20)
    with transaction.atomic():
        locked = booking.lock_keys([maya.pk, omar.pk, first.mentee_id, second.mentee_id, third.mentee_id])
        keys = [first.pk, second.pk, third.pk]
        with booking.together(changes.begin("bulk", "Moved", by=cora), locked, keys) as within:
            # Out of the way, into its place, and too near to that.
            booking.reschedule(first, monday + timedelta(hours=5), by=cora, within=within)
            booking.reassign(second, omar, monday, by=cora, within=within)
            with pytest.raises(ValidationError) as near:
                booking.reassign(third, omar, monday + 30 * MINUTE, by=cora, within=within)
            booking.reschedule(third, monday + 30 * MINUTE, by=cora, within=within)
    assert [error.code for error in near.value.error_list] == ["buffer"]
    held = Session.objects.order_by("start_time").values_list("pk", "mentor_id", "start_time")
    assert list(held) == [
        (second.pk, omar.pk, monday),
        (third.pk, maya.pk, monday + 30 * MINUTE),
        (first.pk, maya.pk, monday + timedelta(hours=5)),
    ]
    assert [session.history.count() for session in (first, second, third)] == [2, 2, 2]


def test_one_that_the_database_refuses_is_named_and_the_others_are_done(mine, maya, omar, cora, monday):
    """Somebody has written past the doors since the rules were asked: the guard still looks at each."""
    first, second = mine(2, CONFIRMED)
    with transaction.atomic():
        locked = booking.lock_keys([maya.pk, omar.pk, first.mentee_id, second.mentee_id])
        with booking.together(changes.begin("bulk", "Moved", by=cora), locked, [first.pk, second.pk]) as within:
            within.known(timezone.now())
            Session.objects.create(
                mentor=omar,
                mentee=first.mentee,
                start_time=monday + timedelta(hours=3),
                end_time=monday + timedelta(hours=4),
                status=CONFIRMED,
                created_at=timezone.now(),
            )
            with pytest.raises(ValidationError) as taken:
                booking.reschedule(first, monday + timedelta(hours=3), by=cora, within=within)
            booking.cancel(second, by=cora, within=within)
    assert [error.code for error in taken.value.error_list] == ["mentee_taken"]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.start_time, first.version, second.status) == (monday, 1, "Canceled")
    assert (first.history.count(), second.history.count()) == (1, 2)
    assert not first.notices.exists()


@pytest.mark.parametrize("what", ["hand over", "confirm", "cancel", "complete", "mark_no_show"])
def test_each_further_session_costs_three_statements(what, mine, maya, omar, cora, monday):
    """Its UPDATE, between a savepoint and its release: all that is read, and all else that is written, is so once for all."""
    status = PENDING if what == "confirm" else CONFIRMED
    start = timezone.now() - timedelta(days=2) if what in ("complete", "mark_no_show") else monday
    told = {}
    # The first one warms up what is kept: rights, and the kinds of content.
    for number in (1, 2, 7):
        with transaction.atomic():
            sessions = mine(number, status, start)
            with CaptureQueriesContext(connection) as asked:
                if what == "hand over":
                    period = Period(monday, monday + timedelta(hours=12))
                    left = leaving.be_away(maya, period, by=cora, decided=dict.fromkeys([one.pk for one in sessions], omar))
                else:
                    left = booking.all_of(what, {one.pk: one.version for one in sessions}, by=cora).done
            assert len(left) == number
            told[number] = len(asked)
            transaction.set_rollback(True)
    assert told[7] - told[2] == 5 * 3


@pytest.mark.parametrize("limited", [False, True])
def test_one_booking_costs_the_same_statements_whatever_the_limits(
    limited, maya, alex, window, monday, django_assert_num_queries
):
    """The lock, four questions (the policy, the mentor, the windows, the sessions), three rows, and a savepoint inside another."""
    window(maya)
    if limited:
        Program.objects.update_or_create(
            pk=1, defaults={"mentor_week_cap": 3, "mentee_week_cap": 3, "open_requests_cap": 3, "buffer_minutes": 10}
        )
        MentorLimits.objects.create(mentor=maya, week_cap=2)
    Program.current()
    with django_assert_num_queries(1 + 4 + 3 + 2 * 2):
        booking.request(maya, alex, monday, 30, by=alex.user)
