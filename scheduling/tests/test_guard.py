"""The database's own refusal, on every path: nobody is in two sessions at one time."""

from contextlib import contextmanager, suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from scheduling import guard
from scheduling.guard import SESSIONS
from scheduling.models import Session

HALF_HOUR = timedelta(minutes=30)
# Without the guard, foreign keys checked late would be in the way of changing the table: these tests commit.
committing = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meeting(monday):
    """A function that makes an unsaved session, with no rule asked: meeting(maya, alex) is Monday 9:00 to 9:30."""

    def make(mentor, mentee, start=None, minutes=30, status="Pending"):
        start = start or monday
        return Session(
            mentor=mentor,
            mentee=mentee,
            start_time=start,
            end_time=start + timedelta(minutes=minutes),
            status=status,
            ending="canceled" if status == "Canceled" else "",
            created_at=start,
        )

    return make


@pytest.fixture
def unguarded(transactional_db):
    """The guard is away in this test, and back after it."""
    SESSIONS.remove(connection)
    yield
    Session.objects.all().delete()
    SESSIONS.install(connection)
    assert SESSIONS.installed(connection)


@contextmanager
def refused_by_the_guard():
    before = set(Session.objects.values_list("pk", "mentor", "mentee", "start_time", "end_time", "status"))
    with pytest.raises(IntegrityError, match=SESSIONS.name) as error, transaction.atomic():
        yield
    assert SESSIONS.refused(error.value)
    assert set(Session.objects.values_list("pk", "mentor", "mentee", "start_time", "end_time", "status")) == before


def copy_in_raw_sql(session, **changes):
    """Insert the row again by hand, with some columns changed."""
    columns = [field.column for field in Session._meta.concrete_fields if not field.primary_key]
    values = ", ".join("%s" if column in changes else column for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {SESSIONS.table} ({', '.join(columns)}) SELECT {values} FROM {SESSIONS.table} WHERE id = %s",
            [*(changes[column] for column in columns if column in changes), session.pk],
        )


# ---- every path in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [-59, -30, 0, 29, 59])
def test_saving_an_overlap_is_refused(meeting, maya, alex, bo, monday, shift):
    meeting(maya, alex, minutes=60).save()
    with refused_by_the_guard():
        meeting(maya, bo, monday + timedelta(minutes=shift), minutes=60).save()


def test_a_session_inside_another_is_refused_and_so_is_one_around_it(meeting, maya, alex, bo, monday):
    meeting(maya, alex, monday, minutes=60).save()
    with refused_by_the_guard():
        meeting(maya, bo, monday + timedelta(minutes=15), minutes=15).save()
    with refused_by_the_guard():
        meeting(maya, bo, monday - HALF_HOUR, minutes=120).save()


def test_creating_an_overlap_in_bulk_is_refused(meeting, maya, alex, bo, monday):
    with refused_by_the_guard():
        Session.objects.bulk_create([meeting(maya, alex), meeting(maya, bo)])


def test_ignoring_conflicts_in_bulk_lets_no_overlap_in(meeting, maya, alex, bo):
    meeting(maya, alex).save()
    # PostgreSQL leaves the row out, SQLite refuses it.
    with suppress(IntegrityError), transaction.atomic():
        Session.objects.bulk_create([meeting(maya, bo)], ignore_conflicts=True)
    assert list(Session.objects.values_list("mentee__user__first_name", flat=True)) == ["Alex"]


def test_moving_a_session_onto_another_by_update_is_refused(meeting, maya, alex, bo, monday):
    meeting(maya, alex).save()
    late = meeting(maya, bo, monday + HALF_HOUR)
    late.save()
    with refused_by_the_guard():
        Session.objects.filter(pk=late.pk).update(start_time=monday, end_time=monday + HALF_HOUR)
    with refused_by_the_guard():
        Session.objects.filter(pk=late.pk).update(start_time=F("start_time") - timedelta(minutes=1))


def test_making_a_session_longer_by_update_is_refused(meeting, maya, alex, bo, monday):
    early = meeting(maya, alex)
    early.save()
    meeting(maya, bo, monday + HALF_HOUR).save()
    with refused_by_the_guard():
        Session.objects.filter(pk=early.pk).update(end_time=F("end_time") + timedelta(minutes=1))


def test_giving_a_session_to_a_busy_mentor_or_mentee_is_refused(meeting, maya, omar, alex, bo):
    meeting(maya, alex).save()
    other = meeting(omar, bo)
    other.save()
    with refused_by_the_guard():
        Session.objects.filter(pk=other.pk).update(mentor=maya)
    with refused_by_the_guard():
        Session.objects.filter(pk=other.pk).update(mentee=alex)


@pytest.mark.parametrize("back_to", ["Pending", "Confirmed"])
def test_reviving_a_canceled_session_in_taken_time_is_refused(meeting, maya, alex, bo, back_to):
    canceled = meeting(maya, alex, status="Canceled")
    canceled.save()
    meeting(maya, bo).save()
    with refused_by_the_guard():
        Session.objects.filter(pk=canceled.pk).update(status=back_to, ending="")


def test_raw_sql_is_refused_like_everything_else(meeting, maya, alex, bo, monday):
    session = meeting(maya, alex)
    session.save()
    other = meeting(maya, bo, monday + HALF_HOUR)
    other.save()
    with refused_by_the_guard():
        copy_in_raw_sql(session, mentee_id=bo.pk)
    with refused_by_the_guard(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {SESSIONS.table} SET start_time = %s WHERE id = %s", [monday, other.pk])


@pytest.mark.parametrize("written", ["{:%Y-%m-%dT%H:%M:%S}+00:00", "{:%Y-%m-%d %H:%M:%S}Z", "{:%Y-%m-%dT%H:%M}Z"])
def test_raw_sql_may_write_times_as_it_likes(meeting, maya, alex, bo, monday, written):
    session = meeting(maya, alex, minutes=60)
    session.save()
    with refused_by_the_guard():
        copy_in_raw_sql(
            session,
            mentee_id=bo.pk,
            start_time=written.format(monday + HALF_HOUR),
            end_time=written.format(monday + timedelta(minutes=90)),
        )


def test_raw_sql_may_write_another_offset(meeting, maya, alex, bo, monday):
    session = meeting(maya, alex)
    session.save()
    day = f"{monday:%Y-%m-%d}"
    with refused_by_the_guard():
        copy_in_raw_sql(session, mentee_id=bo.pk, start_time=f"{day}T11:00:00+02:00", end_time=f"{day}T11:30:00+02:00")
    copy_in_raw_sql(session, mentee_id=bo.pk, start_time=f"{day}T09:00:00+02:00", end_time=f"{day}T11:00:00+02:00")
    assert SESSIONS.overlaps(connection) == []


# ---- who is meant, and who is not ---------------------------------------------------------------------------------------


def test_a_mentee_cannot_be_with_two_mentors(meeting, maya, omar, alex):
    meeting(maya, alex).save()
    with refused_by_the_guard():
        meeting(omar, alex).save()


def test_one_person_cannot_be_mentor_here_and_mentee_there(meeting, maya, alex, kim):
    meeting(maya, kim.mentee).save()
    with refused_by_the_guard():
        meeting(kim.mentor, alex).save()


def test_one_person_cannot_be_mentee_here_and_mentor_there(meeting, maya, alex, kim):
    meeting(kim.mentor, alex).save()
    with refused_by_the_guard():
        meeting(maya, kim.mentee).save()


def test_others_may_meet_at_the_same_time(meeting, maya, omar, alex, bo):
    meeting(maya, alex).save()
    meeting(omar, bo).save()
    assert Session.objects.count() == 2


def test_sessions_may_touch(meeting, maya, alex, monday):
    for start in (monday, monday - HALF_HOUR, monday + HALF_HOUR):
        meeting(maya, alex, start).save()
    assert Session.objects.count() == 3
    assert SESSIONS.overlaps(connection) == []


@pytest.mark.parametrize("status", ["Canceled", "Completed", "No-show"])
def test_only_pending_and_confirmed_sessions_take_time(meeting, maya, alex, bo, status):
    meeting(maya, alex, status=status).save()
    meeting(maya, bo, status="Confirmed").save()
    meeting(maya, alex, status=status).save()
    assert Session.objects.count() == 3
    assert SESSIONS.overlaps(connection) == []


def test_the_guard_looks_at_the_sessions_of_two_people_and_not_at_everybodys(db):
    if connection.vendor == "postgresql":
        # Its index holds the people.
        assert "mentor_id::int" in SESSIONS.exclusion
        return
    trigger = SESSIONS.triggers["session_no_double_booking_insert"]
    asked = trigger[trigger.index("SELECT 1") : trigger.index(");")]
    for column, value in (("id", 1), ("mentor_id", 2), ("mentee_id", 3), ("start_time", "'2099'"), ("end_time", "'2099'")):
        asked = asked.replace(f"NEW.{column}", str(value))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
        plan = " ".join(row[3] for row in cursor.fetchall())
    assert "(mentor_id=?)" in plan
    assert "(mentee_id=?)" in plan
    assert "status" not in plan


def test_a_session_is_not_in_its_own_way(meeting, maya, alex, monday):
    session = meeting(maya, alex)
    session.save()
    session.start_time += timedelta(minutes=10)
    session.end_time += timedelta(minutes=10)
    session.status = "Confirmed"
    session.save()
    assert Session.objects.get().start_time == monday + timedelta(minutes=10)


def test_another_broken_promise_is_not_called_the_guards(meeting, maya, alex, monday):
    session = meeting(maya, alex)
    session.end_time = monday - HALF_HOUR
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        session.save()
    assert not SESSIONS.refused(error.value)


# ---- it stays, and is missed when it does not -----------------------------------------------------------------------------


@committing
def test_the_guard_outlives_a_change_of_the_table(meeting, maya, alex, bo):
    topic = Session._meta.get_field("topic")
    longer = topic.clone()
    longer.max_length = 250
    longer.model = Session
    longer.set_attributes_from_name("topic")
    with connection.schema_editor() as editor:
        editor.alter_field(Session, topic, longer)
    try:
        # The danger is real: SQLite builds the table anew, and forgets the triggers.
        assert SESSIONS.installed(connection) is (connection.vendor == "postgresql")
        call_command("migrate", verbosity=0, skip_checks=False)
        assert SESSIONS.installed(connection)
        meeting(maya, alex).save()
        with refused_by_the_guard():
            meeting(maya, bo).save()
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Session, longer, topic)
        SESSIONS.install(connection)


def test_nothing_starts_without_the_guard(unguarded):
    # Web servers run no checks and ask by name; management commands run them all.
    [error] = [error for error in run_checks() if error.id == "scheduling.E001"]
    assert error.msg == "The guard against double booking (session_no_double_booking) is missing from the database."
    with pytest.raises(ImproperlyConfigured, match=r"session_no_double_booking.*Run `manage.py migrate`"):
        guard.require()


def test_migrate_starts_without_the_guard_and_puts_it_back(unguarded):
    call_command("migrate", verbosity=0, skip_checks=False)
    assert SESSIONS.installed(connection)
    assert guard.check() == []
    guard.require()


def test_half_a_guard_is_none_and_is_made_whole(transactional_db):
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {SESSIONS.name}_update")
            cursor.execute(f"CREATE TRIGGER {SESSIONS.name}_update BEFORE UPDATE ON {SESSIONS.table} BEGIN SELECT 1; END")
    else:
        older = SESSIONS.exclusion.replace("gist__intbig_ops", "gist__int_ops")
        assert older != SESSIONS.exclusion
        SESSIONS.remove(connection)
        with connection.cursor() as cursor:
            cursor.execute(older)
        # An older release's: it holds, and takes milliseconds for each booking.
        assert not SESSIONS.installed(connection)
        SESSIONS.install(connection)
        assert SESSIONS.installed(connection)
        SESSIONS.remove(connection)
        with connection.cursor() as cursor:
            # The name alone, on another table, is no guard.
            cursor.execute(f"ALTER TABLE scheduling_program ADD CONSTRAINT {SESSIONS.name} CHECK (id = 1)")
    try:
        assert not SESSIONS.installed(connection)
        SESSIONS.install(connection)
        assert SESSIONS.installed(connection)
    finally:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE scheduling_program DROP CONSTRAINT {SESSIONS.name}")
        SESSIONS.install(connection)


def check_integrity() -> str:
    out = StringIO()
    call_command("check_integrity", stdout=out)
    return out.getvalue()


def test_check_integrity_finds_nothing_in_a_sound_house(session):
    assert check_integrity() == ("sessions: 0 overlaps, the guard is in place; windows: 0 overlaps, the guard is in place.\n")


def test_check_integrity_names_the_sessions_that_overlap(unguarded, meeting, maya, alex, kim):
    one, other, _touching, _canceled = Session.objects.bulk_create(
        [
            meeting(kim.mentor, alex),
            meeting(maya, kim.mentee),
            meeting(maya, alex, meeting(maya, alex).end_time),
            meeting(maya, alex, status="Canceled"),
        ]
    )
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("check_integrity", stdout=out)
    assert out.getvalue() == f"session {one.pk} overlaps session {other.pk}\n"
    assert str(refusal.value) == (
        "sessions: 1 overlaps, the guard is missing; windows: 0 overlaps, the guard is in place."
        " Cancel or remove what overlaps, then run `manage.py migrate`: it puts the guard back."
    )


def test_check_integrity_misses_a_guard_that_is_away(unguarded):
    with pytest.raises(CommandError, match=r"^sessions: 0 overlaps, the guard is missing;"):
        check_integrity()
