"""The database's own refusal: nobody is in two sessions at one time, on any path.

One name, one promise, two ways to keep it. PostgreSQL: one exclusion constraint over both people, since a role's key is
its user's (two constraints, one for mentors and one for mentees, would miss people who are both). SQLite: triggers.
Either surfaces as IntegrityError that carries ``NAME``.

It is installed by a migration and again after every `migrate`: SQLite rebuilds a table to alter it, and drops its
triggers without a word. It cannot be in ``Session.Meta``: SQLite has no exclusion constraints, and migrations would fail.
"""

from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, connections, transaction

NAME = "session_no_double_booking"
TABLE = "scheduling_session"
WATCHED = ("mentor_id", "mentee_id", "start_time", "end_time", "status")

# SQLite keeps times as text, and raw SQL may write the same instant in other words ("T", "+01:00"): julianday() reads all.
TRIGGER = """
CREATE TRIGGER {name} BEFORE {event} ON {table}
WHEN NEW.status IN ('Pending', 'Confirmed')
BEGIN
    SELECT RAISE(ABORT, '{constraint}') WHERE EXISTS (
        SELECT 1 FROM {table} AS other
        WHERE other.status IN ('Pending', 'Confirmed')
          AND other.id IS NOT NEW.id
          AND (other.mentor_id IN (NEW.mentor_id, NEW.mentee_id) OR other.mentee_id IN (NEW.mentor_id, NEW.mentee_id))
          AND julianday(other.start_time) < julianday(NEW.end_time)
          AND julianday(NEW.start_time) < julianday(other.end_time)
    );
END
"""
TRIGGERS = {
    name: TRIGGER.strip().format(name=name, event=event, table=TABLE, constraint=NAME)
    for name, event in ((f"{NAME}_insert", "INSERT"), (f"{NAME}_update", f"UPDATE OF {', '.join(WATCHED)}"))
}

EXCLUSION = f"""
ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} EXCLUDE USING gist (
    (ARRAY[mentor_id::int, mentee_id::int]) gist__int_ops WITH &&,
    tstzrange(start_time, end_time, '[)') WITH &&
) WHERE (status IN ('Pending', 'Confirmed'))
"""

OVERLAPS = """
SELECT one.id, other.id
FROM {table} AS one
JOIN {table} AS other ON one.id < other.id
 AND (one.mentor_id IN (other.mentor_id, other.mentee_id) OR one.mentee_id IN (other.mentor_id, other.mentee_id))
 AND {at}(one.start_time) < {at}(other.end_time) AND {at}(other.start_time) < {at}(one.end_time)
WHERE one.status IN ('Pending', 'Confirmed') AND other.status IN ('Pending', 'Confirmed')
ORDER BY one.id, other.id
"""


def install(connection) -> None:
    """Put the guard in place; does nothing where it stands. On PostgreSQL it fails while rows overlap already."""
    if installed(connection):
        return
    # One transaction: there is no moment without the guard while an older one is replaced.
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, trigger in TRIGGERS.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(trigger)
        else:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS intarray")
            cursor.execute(EXCLUSION)


def remove(connection) -> None:
    """Take the guard away: for migrations back, and for tests that must see what happens without it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {NAME}")


def installed(connection) -> bool:
    """Does it stand, as it is written here? An older release's triggers are not enough."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
            return TRIGGERS.items() <= dict(cursor.fetchall()).items()
        cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s AND conrelid = to_regclass(%s)", [NAME, TABLE])
        return cursor.fetchone() is not None


def overlaps(connection) -> list[tuple[int, int]]:
    """The keys of sessions that share a person and a time, in pairs. Empty, unless the guard was away."""
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS.format(table=TABLE, at="julianday" if connection.vendor == "sqlite" else ""))
        return cursor.fetchall()


def refused(error: Exception) -> bool:
    """Is this IntegrityError the guard's?"""
    return NAME in str(error)


def install_after_migrate(using: str, **kwargs) -> None:
    """A `post_migrate` receiver."""
    if _table_exists(connections[using]):
        install(connections[using])


def check(app_configs=None, databases=None, **kwargs) -> list[Error]:
    """A system check: refuse to start without the guard.

    `migrate` runs the checks too, with ``databases`` given, and puts the guard back when it is done: it is let through,
    or a missing guard could never be mended.
    """
    if databases or not _table_exists(connection) or installed(connection):
        return []
    return [
        Error(
            f"The guard against double booking ({NAME}) is missing from the database.",
            hint="Run `manage.py migrate`: it puts the guard back. Then run `manage.py check_integrity`.",
            id="scheduling.E001",
        )
    ]


def require() -> None:
    """Raise ImproperlyConfigured without the guard: for web servers, which run no system checks."""
    for error in check():
        raise ImproperlyConfigured(f"{error.msg} {error.hint}")


def _table_exists(connection) -> bool:
    """False also where the database cannot be reached: saying that is not this check's task."""
    try:
        return TABLE in connection.introspection.table_names()
    except DatabaseError:
        return False
