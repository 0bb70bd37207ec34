"""A made-up program: large, believable, the same every time, and never among real people."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q

from people.models import Mentee, Mentor, Skill, Team, User
from project.populate import Plan, populate
from project.populate.bulk import Table, writing
from scheduling import booking, offering
from scheduling.booking.moves import MOVES
from scheduling.models import Availability, MentorLimits, Notice, Program, Session, TimeOff, WeeklyHours
from scheduling.notices import BEFORE
from scheduling.slots import Period, merge
from scheduling.words import ACTIVE, CANCELED, CONFIRMED, PENDING, REMINDERS, State, Status

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, tzinfo=UTC)
pytestmark = pytest.mark.django_db

SMALL = {"mentors": 50, "mentees": 200, "sessions": 1_500}


def run(**options) -> str:
    out = StringIO()
    call_command("populate", stdout=out, **(SMALL | {"seed": 1, "today": TODAY} | options))
    return out.getvalue()


def everything() -> str:
    """A fingerprint of all that populating writes, but for keys that the database gives out."""
    told = hashlib.sha256()
    for model in (
        User,
        Skill,
        Team,
        Mentor,
        Mentee,
        WeeklyHours,
        TimeOff,
        Availability,
        Session,
        Session.history.model,
        Notice,
    ):
        given_out = {"history_id"} | ({"id"} if model in (WeeklyHours, TimeOff, Notice) else set())
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in given_out]
        for row in model.objects.order_by(*names).values_list(*names):
            told.update(repr(row).encode())
    return told.hexdigest()


def test_the_command_says_what_it_wrote_and_how_far_it_is():
    told = run()
    assert "100 %" in told
    assert "1,500 sessions" in told
    assert "@" not in told
    assert (Mentor.objects.count(), Mentee.objects.count(), Session.objects.count()) == (50, 200, 1_500)


def test_the_same_seed_and_day_give_the_same_data_and_others_give_others():
    made = []
    for seed, today in ((1, TODAY), (1, TODAY), (2, TODAY), (1, TODAY + timedelta(days=1))):
        with transaction.atomic():
            run(seed=seed, today=today)
            made.append(everything())
            transaction.set_rollback(True)
    assert made[0] == made[1]
    assert len(set(made)) == 3


@pytest.mark.parametrize("before", ["a user", "a skill", "a session that was removed"])
def test_a_database_in_use_is_refused(before, person):
    if before == "a skill":
        Skill.objects.create(name="SQL")
    elif before == "a user":
        person("Maya Lopez")
    else:
        Session.history.model.objects.create(
            id=1, start_time=NOW, end_time=NOW, created_at=NOW, history_date=NOW, history_type="-"
        )
    users = User.objects.count()
    with pytest.raises(CommandError, match=r"in use.*Name an empty one"):
        run()
    assert User.objects.count() == users


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"mentors": 1, "sessions": 100_000}, "1 mentors and 200 mentees hold 1820 sessions at most. Ask for fewer"),
        ({"mentors": 0}, "0 mentors and 200 mentees hold 0 sessions at most"),
        ({"sessions": -1}, "from 0 on"),
    ],
)
def test_what_cannot_be_is_refused_in_words(asked, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(**asked)
    assert not User.objects.exists()


@pytest.mark.parametrize("size", [{"mentors": 0, "mentees": 0, "sessions": 0}, {"mentors": 1, "mentees": 1, "sessions": 9}])
def test_small_programs_can_be_made_too(size):
    run(**size)
    assert (Mentor.objects.count(), Mentee.objects.count(), Session.objects.count()) == tuple(size.values())


def test_it_is_all_or_nothing(monkeypatch):
    def fail(*args):
        raise ValueError("There was no time.")

    monkeypatch.setattr("project.populate.weeks.Weeks.write", fail)
    with pytest.raises(CommandError, match="There was no time"):
        run()
    assert not User.objects.exists()
    assert not Availability.objects.exists()


def test_what_the_database_refuses_is_told_and_nothing_stays():
    def write_twice():
        with writing([skills], large=[Session]):
            for name in ("Go", "Python", "PYTHON"):
                skills.add(name)
            skills.write()

    skills = Table(Skill, "name")
    with pytest.raises(IntegrityError):
        write_twice()
    assert not Skill.objects.exists()


def test_what_is_added_later_gets_keys_of_its_own(person):
    run()
    last = {model: model.objects.latest("pk").pk for model in (User, Skill, Team, Availability, Session)}
    maya = person("Maya Lopez", mentor=True).mentor
    window = Availability.objects.create(mentor=maya, start_time=NOW, end_time=NOW + timedelta(hours=1))
    assert (maya.pk, window.pk) == (last[User] + 1, last[Availability] + 1)


def test_every_index_and_constraint_is_there_afterwards():
    """On PostgreSQL some are taken away while the rows go in."""

    def there() -> dict[str, set]:
        with connection.cursor() as cursor:
            return {table: set(connection.introspection.get_constraints(cursor, table)) for table in tables}

    tables = [model._meta.db_table for model in (Session, Session.history.model, Availability, Notice)]
    before = there()
    assert {"session_mentor_start", "session_unanswered"} <= before["scheduling_session"]
    run()
    assert there() == before


# ---- is it believable? ------------------------------------------------------------------------------------------------


@pytest.fixture
def program():
    run()
    return Program.current()


def test_people_are_many_kinds(program):
    """Zones, skills from common to rare, both roles, people who left, limits, time off."""
    zones = Counter(User.objects.filter(mentor__isnull=False).values_list("time_zone", flat=True))
    assert len(zones) > 6
    known = Skill.objects.annotate(mentors_count=Count("mentors")).order_by("-mentors_count")
    known = list(known.values_list("mentors_count", flat=True))
    # A long tail: the common ones are known to many, most of them to few.
    assert known[0] > 5 * known[len(known) // 2]
    assert User.objects.filter(mentor__isnull=False, mentee__isnull=False).count() == 1
    assert 0 < User.objects.filter(is_active=False).count() < 40
    assert User.objects.filter(is_staff=True).count() == 3
    assert not any(user.has_usable_password() for user in User.objects.all())
    assert not User.objects.exclude(email__endswith="@example.org").exists()
    assert TimeOff.objects.exists()
    assert MentorLimits.objects.exists()
    assert Team.objects.count() == 25
    assert set(User.objects.values_list("pk", flat=True)) == set(User.history.values_list("id", flat=True))


def test_windows_are_those_that_the_weekly_hours_write(program):
    """The daily task looks at them on the same day, and finds nothing to do."""
    with time_machine.travel(NOW + timedelta(hours=12), tick=False):
        assert Availability.objects.ahead().filter(from_weekly_hours=True).count() > 500
        assert Availability.objects.over().filter(from_weekly_hours=True).count() > 1_000
        assert offering.write_ahead() == Counter()
    assert Availability.objects.filter(from_weekly_hours=False).exists()


def test_sessions_have_every_status_and_lie_where_they_can(program):
    statuses = Counter(Session.objects.values_list("status", flat=True))
    assert set(statuses) == set(Status.values)
    assert statuses[Status.COMPLETED] > 1_000
    windows: dict[int, list[Period]] = {}
    for mentor, start, end in Availability.objects.order_by("start_time").values_list("mentor_id", "start_time", "end_time"):
        windows.setdefault(mentor, []).append(Period(start, end))
    for session in Session.objects.select_related("availability"):
        assert session.availability.mentor_id == session.mentor_id
        assert session.availability.period.contains(session.period)
        assert session.created_at < session.start_time
    # Nobody sees the future.
    assert not Session.objects.exclude(status__in=(*ACTIVE, CANCELED)).filter(end_time__gt=NOW).exists()
    assert not Session.objects.pending().filter(Q(answer_by__lte=NOW) | Q(start_time__lte=NOW)).exists()
    assert Session.objects.active().ahead(NOW).count() > 50
    ended = Session.objects.filter(status=CANCELED)
    assert set(ended.values_list("ending", flat=True)) == {"canceled", "declined", "expired"}
    assert not ended.exclude(ending="expired").filter(ended_by=None).exists()
    assert not Session.objects.ahead(NOW).filter(Q(mentor__user__is_active=False) | Q(mentee__user__is_active=False)).exists()


def test_nobody_is_in_two_places_not_even_in_the_past(program):
    taken: dict[int, list[Period]] = {}
    for session in Session.objects.exclude(status=CANCELED):
        for key in (session.mentor_id, session.mentee_id):
            taken.setdefault(key, []).append(session.period)
    for periods in taken.values():
        assert sum(period.minutes for period in merge(periods)) == sum(period.minutes for period in periods)
    out = StringIO()
    call_command("check_integrity", stdout=out)
    assert "sessions: 0 overlaps" in out.getvalue()


def test_every_session_has_the_history_of_its_verbs(program):
    """A row for each version, from Pending by legal moves to what the session is."""
    histories: dict[int, list] = {}
    rows = Session.history.order_by("id", "version")
    for row in rows:
        histories.setdefault(row.id, []).append(row)
    for session in Session.objects.all():
        story = histories.pop(session.pk)
        assert [row.version for row in story] == list(range(1, session.version + 1))
        assert [row.history_type for row in story] == ["+", *["~"] * (session.version - 1)]
        statuses = [PENDING, *(row.status for row in story)]
        assert all(after == before or after in MOVES[before] for before, after in pairwise(statuses))
        assert (story[-1].status, story[-1].ending, story[-1].reason) == (session.status, session.ending, session.reason)
        moments = [row.history_date for row in story]
        assert moments == sorted(moments)
        assert moments[0] == session.created_at
        assert moments[-1] <= NOW
    assert not histories
    said = set(Session.history.values_list("history_change_reason", flat=True))
    assert said >= {"requested", "confirmed", "declined", "canceled", "expired", "completed", "marked as a no-show"}
    assert "canceled for the mentee" in said


def test_notices_are_those_that_the_verbs_promise(program):
    """Of the last weeks and of what is ahead; every confirmed session ahead owes both people their reminders."""
    ahead = Session.objects.filter(status=CONFIRMED, start_time__gt=NOW + timedelta(hours=2))
    for session in ahead:
        reminders = session.notices.filter(kind__in=REMINDERS)
        expected = {
            (recipient, kind, session.start_time - before, session.version)
            for recipient in (session.mentor_id, session.mentee_id)
            for kind, before in BEFORE.items()
        }
        assert set(reminders.values_list("recipient", "kind", "due_at", "version")) == expected
        assert set(reminders.values_list("state", flat=True)) <= {State.PENDING, State.SUPPRESSED}
        assert session.notices.filter(kind="confirmed", recipient=session.mentee_id).exists()
    assert not Notice.objects.filter(state=State.PENDING).filter(Q(due_at__lte=NOW) | ~Q(session__status=CONFIRMED)).exists()
    assert not Notice.objects.filter(state=State.SENT).filter(Q(sent_at=None) | Q(due_at__gt=NOW)).exists()
    assert set(Notice.objects.values_list("state", flat=True)) >= {State.PENDING, State.SENT, State.SUPPRESSED}
    assert not Notice.objects.exclude(start_time=F("session__start_time")).exists()


def test_people_can_go_on_from_there(program):
    """The rules offer what is free, and it can be booked."""
    with time_machine.travel(NOW + timedelta(hours=9), tick=False):
        mentee = Mentee.objects.active().select_related("user").first()
        over = Period(NOW + timedelta(hours=9), NOW + timedelta(days=14))
        key, slots = next(booking.free(Mentor.objects.exclude(pk=mentee.pk), 30, over, mentee=mentee))
        mentor = Mentor.objects.select_related("user").get(pk=key)
        session = booking.request(mentor, mentee, next(slots).start, 30, by=mentee.user)
    assert session.status == PENDING


# ---- the same weeks ahead, whatever has been ------------------------------------------------------------------------------


def test_a_shorter_past_changes_nothing_that_is_ahead():
    """What compares two pasts (project/bench) compares nothing else."""
    plan = Plan.of(40, 160, 2_000)
    seen = []
    for past in (plan.past, plan.past // 100):
        with transaction.atomic():
            populate(replace(plan, past=past), seed=1, today=TODAY)
            ahead = Session.objects.ahead(NOW + timedelta(days=1)).order_by("mentor", "start_time", "mentee", "status")
            windows = Availability.objects.order_by("mentor", "start_time").values_list("pk", "mentor", "start_time")
            seen.append((list(ahead.values_list("mentor", "mentee", "start_time", "status")), list(windows)))
            assert Session.objects.count() == past + plan.ahead
            transaction.set_rollback(True)
    assert seen[0] == seen[1]
