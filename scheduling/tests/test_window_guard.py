"""The database's own refusal of windows that overlap, on every path; and the migration that made room for it."""

from contextlib import contextmanager, suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F

from scheduling import booking
from scheduling.guard import SESSIONS, WINDOWS
from scheduling.models import Availability, Session

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
pytestmark = pytest.mark.django_db
# Without the guard, foreign keys checked late would be in the way of changing the table: these tests commit.
committing = pytest.mark.django_db(transaction=True)
BEFORE = ("scheduling", "0003_hours_limits_and_moves")


@pytest.fixture
def time_of(monday):
    """A function that makes an unsaved window, with nothing asked: time_of(maya) is Monday 9:00 to 12:00."""

    def make(mentor, after=0, hours=3):
        start = monday + after * MINUTE
        return Availability(mentor=mentor, start_time=start, end_time=start + hours * HOUR)

    return make


@pytest.fixture
def unguarded(transactional_db):
    """The guard is away in this test, and back after it."""
    WINDOWS.remove(connection)
    yield
    Session.objects.all().delete()
    Availability.objects.all().delete()
    WINDOWS.install(connection)
    assert WINDOWS.installed(connection)


def rows() -> list[tuple]:
    return list(Availability.objects.order_by("start_time", "pk").values_list("mentor", "start_time", "end_time"))


@contextmanager
def refused_by_the_guard():
    before = rows()
    with pytest.raises(IntegrityError, match=WINDOWS.name) as error, transaction.atomic():
        yield
    assert (WINDOWS.refused(error.value), SESSIONS.refused(error.value)) == (True, False)
    assert rows() == before


def copy_in_raw_sql(window, **changes):
    """Insert the row again by hand, with some columns changed."""
    columns = [field.column for field in Availability._meta.concrete_fields if not field.primary_key]
    values = ", ".join("%s" if column in changes else column for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {WINDOWS.table} ({', '.join(columns)}) SELECT {values} FROM {WINDOWS.table} WHERE id = %s",
            [*(changes[column] for column in columns if column in changes), window.pk],
        )


# ---- every path in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "hours"), [(-179, 3), (-60, 3), (0, 3), (60, 1), (-60, 5), (179, 3)])
def test_saving_an_overlap_is_refused(time_of, maya, after, hours):
    time_of(maya).save()
    with refused_by_the_guard():
        time_of(maya, after, hours).save()


def test_creating_an_overlap_in_bulk_is_refused(time_of, maya):
    with refused_by_the_guard():
        Availability.objects.bulk_create([time_of(maya), time_of(maya, 60)])


def test_ignoring_conflicts_in_bulk_lets_no_overlap_in(time_of, maya):
    time_of(maya).save()
    # PostgreSQL leaves the row out, SQLite refuses it.
    with suppress(IntegrityError), transaction.atomic():
        Availability.objects.bulk_create([time_of(maya, 60)], ignore_conflicts=True)
    assert len(rows()) == 1


def test_moving_a_window_onto_another_by_update_is_refused(time_of, maya):
    time_of(maya).save()
    late = time_of(maya, 180)
    late.save()
    with refused_by_the_guard():
        Availability.objects.filter(pk=late.pk).update(start_time=F("start_time") - MINUTE)
    with refused_by_the_guard():
        Availability.objects.filter(start_time__lt=late.start_time).update(end_time=F("end_time") + MINUTE)


def test_giving_a_window_to_a_mentor_who_offers_that_time_is_refused(time_of, maya, omar):
    time_of(maya).save()
    his = time_of(omar, 60)
    his.save()
    with refused_by_the_guard():
        Availability.objects.filter(pk=his.pk).update(mentor=maya)


@pytest.mark.parametrize("written", ["{:%Y-%m-%dT%H:%M:%S}+00:00", "{:%Y-%m-%d %H:%M:%S}Z", "{:%Y-%m-%dT%H:%M}Z"])
def test_raw_sql_may_write_times_as_it_likes_and_is_refused_all_the_same(time_of, maya, monday, written):
    window = time_of(maya)
    window.save()
    times = {name: written.format(monday + hours * HOUR) for name, hours in (("start_time", 2), ("end_time", 4))}
    with refused_by_the_guard():
        copy_in_raw_sql(window, **times)
    with refused_by_the_guard():
        # The same hours by another clock: 11:00 to 13:00 in UTC.
        day = f"{monday:%Y-%m-%d}"
        copy_in_raw_sql(window, start_time=f"{day}T13:00:00+02:00", end_time=f"{day}T15:00:00+02:00")
    other = time_of(maya, 180)
    other.save()
    with refused_by_the_guard(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {WINDOWS.table} SET start_time = %s WHERE id = %s", [monday, other.pk])


# ---- what is meant, and what is not --------------------------------------------------------------------------------------


def test_windows_may_touch(time_of, maya):
    for after in (0, 180, -180):
        time_of(maya, after).save()
    assert (len(rows()), WINDOWS.overlaps(connection)) == (3, [])


def test_another_mentor_may_offer_the_same_time(time_of, maya, omar):
    time_of(maya).save()
    time_of(omar).save()
    assert (len(rows()), WINDOWS.overlaps(connection)) == (2, [])


def test_a_window_is_not_in_its_own_way(time_of, maya):
    window = time_of(maya)
    window.save()
    window.start_time -= HOUR
    window.save()
    Availability.objects.update(end_time=F("end_time") + HOUR, external_id="w1")
    assert Availability.objects.get().period.minutes == 5 * 60


def test_a_session_does_not_close_its_window(session, maya):
    """The one guard does not look at the other's table."""
    assert session.period.overlaps(session.availability.period)
    assert (WINDOWS.overlaps(connection), SESSIONS.overlaps(connection)) == ([], [])


# ---- without it -----------------------------------------------------------------------------------------------------------


def test_without_the_guard_windows_overlap(unguarded, time_of, maya):
    """The control: the others could fail."""
    Availability.objects.bulk_create([time_of(maya), time_of(maya, 60)])
    one, other = Availability.objects.order_by("start_time")
    assert WINDOWS.overlaps(connection) == [(one.pk, other.pk)]
    out = StringIO()
    with pytest.raises(CommandError, match=r"windows: 1 overlaps, the guard is missing\."):
        call_command("check_integrity", stdout=out)
    assert out.getvalue() == f"window {one.pk} overlaps window {other.pk}\n"


def test_the_house_does_not_start_without_the_guard_and_migrate_puts_it_back(unguarded):
    [error] = [error for error in run_checks() if error.id == "scheduling.E001"]
    assert error.msg == "The guard against windows that overlap (availability_no_overlap) is missing from the database."
    call_command("migrate", verbosity=0, skip_checks=False)
    assert WINDOWS.installed(connection)


# ---- the migration --------------------------------------------------------------------------------------------------------


def migrate_again() -> None:
    """Back to before windows were guarded, with the rows there are, and forward to the last migration."""
    MigrationExecutor(connection).migrate([BEFORE])
    assert not WINDOWS.installed(connection)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert WINDOWS.installed(connection)


@committing
def test_windows_that_overlap_become_one_and_their_sessions_stay_in_it(maya, omar, alex, bo, time_of, monday, unguarded):
    # 9-12, 10-11 inside of it, 11-14 running on, 14-17 touching; the day after, 9-12 twice; and another mentor's.
    hers = [time_of(maya), time_of(maya, 60, 1), time_of(maya, 120), time_of(maya, 300)]
    day = 24 * 60
    hers += [time_of(maya, day), time_of(maya, day)]
    windows = Availability.objects.bulk_create([*hers, time_of(omar, 30)])
    first, inside, over, touching, twice, again, his = windows
    booked = {}
    for window, mentee, after in (
        (first, alex, 0),
        (inside, bo, 60),
        (over, alex, 240),
        (touching, bo, 300),
        (again, alex, day),
    ):
        session = booking.request(maya, mentee, monday + after * MINUTE, 30, by=mentee.user)
        Session.objects.filter(pk=session.pk).update(availability=window)
        booked[session.pk] = window

    migrate_again()

    assert rows() == [
        (maya.pk, monday, monday + 5 * HOUR),
        (omar.pk, monday + HOUR / 2, monday + 3.5 * HOUR),
        (maya.pk, monday + 5 * HOUR, monday + 8 * HOUR),
        (maya.pk, monday + 24 * HOUR, monday + 27 * HOUR),
    ]
    assert set(Availability.objects.values_list("pk", flat=True)) == {first.pk, touching.pk, twice.pk, his.pk}
    kept = {first.pk: first.pk, inside.pk: first.pk, over.pk: first.pk, touching.pk: touching.pk, again.pk: twice.pk}
    sessions = dict(Session.objects.values_list("pk", "availability"))
    assert sessions == {key: kept[window.pk] for key, window in booked.items()}


@committing
def test_windows_without_overlaps_are_left_as_they_are(maya, omar, time_of, unguarded):
    Availability.objects.bulk_create([time_of(maya), time_of(maya, 180), time_of(omar, 60)])
    before = list(Availability.objects.order_by("pk").values())
    migrate_again()
    assert list(Availability.objects.order_by("pk").values()) == before
