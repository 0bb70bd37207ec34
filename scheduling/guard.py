"""The database's own refusal, on any path: nobody is in two sessions at one time, and no mentor offers an hour twice.

A name and a promise each, two ways to keep it. PostgreSQL: one exclusion constraint. SQLite: triggers. Either surfaces as
IntegrityError that carries the name. That of sessions looks at both people at once, since a role's key is its user's: two
constraints, one for mentors and one for mentees, would miss people who are both.

They are installed by a migration and again after every `migrate`: SQLite rebuilds a table to alter it, and drops its
triggers without a word. They cannot be in ``Meta``: SQLite has no exclusion constraints, and migrations would fail.
"""

from dataclasses import dataclass
from functools import cached_property

from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, connections, transaction

# How PostgreSQL's index holds two people of thousands: by signature. The extension's default, by ranges of their keys, took
# 58 times as long for 20,000 sessions, and more for each that is added.
MANY_PEOPLE = "gist__intbig_ops"


@dataclass(frozen=True)
class Guard:
    """No two rows of one table share a person and a time."""

    name: str
    table: str
    # What the people of one row are called.
    row: str
    against: str
    people: tuple[str, ...]
    # Which rows count, by a column and its values; none named: all.
    column: str = ""
    values: tuple[str, ...] = ()

    def counts(self, row: str = "") -> str:
        """The condition on a row (an alias with its dot, or none) that counts."""
        listed = ", ".join(f"'{value}'" for value in self.values)
        return f"{row}{self.column} IN ({listed})" if self.column else "1 = 1"

    def same_people(self, one: str, other: str) -> str:
        theirs = ", ".join(f"{other}.{column}" for column in self.people)
        return "(" + " OR ".join(f"{one}.{column} IN ({theirs})" for column in self.people) + ")"

    @cached_property
    def triggers(self) -> dict[str, str]:
        watched = ", ".join((*self.people, "start_time", "end_time", *([self.column] if self.column else [])))
        events = {"insert": "INSERT", "update": f"UPDATE OF {watched}"}
        return {f"{self.name}_{when}": self._trigger(f"{self.name}_{when}", event) for when, event in events.items()}

    def _trigger(self, name: str, event: str) -> str:
        # SQLite keeps times as text, and raw SQL may write the same instant in other words ("T", "+01:00"): julianday()
        # reads all. The "+" hides the index of the status, which it would take, and walk through everybody's sessions.
        return f"""
CREATE TRIGGER {name} BEFORE {event} ON {self.table}
WHEN {self.counts("NEW.")}
BEGIN
    SELECT RAISE(ABORT, '{self.name}') WHERE EXISTS (
        SELECT 1 FROM {self.table} AS other
        WHERE {self.counts("+other.")}
          AND other.id IS NOT NEW.id
          AND {self.same_people("other", "NEW")}
          AND julianday(other.start_time) < julianday(NEW.end_time)
          AND julianday(NEW.start_time) < julianday(other.end_time)
    );
END
""".strip()

    @property
    def extension(self) -> str:
        """What PostgreSQL needs for `same_people_gist`."""
        return "intarray" if len(self.people) > 1 else "btree_gist"

    @property
    def same_people_gist(self) -> str:
        if len(self.people) == 1:
            # An index of lists would do, and takes twenty times as long for a hundred thousand rows.
            return f"{self.people[0]} WITH ="
        return f"(ARRAY[{', '.join(f'{column}::int' for column in self.people)}]) {MANY_PEOPLE} WITH &&"

    @property
    def exclusion(self) -> str:
        return f"""
ALTER TABLE {self.table} ADD CONSTRAINT {self.name} EXCLUDE USING gist (
    {self.same_people_gist},
    tstzrange(start_time, end_time, '[)') WITH &&
) WHERE ({self.counts()})
"""

    def install(self, connection) -> None:
        """Put it in place; does nothing where it stands. On PostgreSQL it fails while rows overlap already."""
        if self.installed(connection):
            return
        # One transaction: there is no moment without the guard while an older one is replaced.
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                for name, trigger in self.triggers.items():
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                    cursor.execute(trigger)
            else:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS " + self.extension)
                cursor.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {self.name}")
                cursor.execute(self.exclusion)

    def remove(self, connection) -> None:
        """Take it away: for migrations back, and for tests that must see what happens without it."""
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                for name in self.triggers:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            else:
                cursor.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {self.name}")

    def installed(self, connection) -> bool:
        """Does it stand, as it is written here? An older release's triggers or index are not enough."""
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
                cursor.execute(sql, [self.table])
                return self.triggers.items() <= dict(cursor.fetchall()).items()
            sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = to_regclass(%s)"
            cursor.execute(sql, [self.name, self.table])
            found = cursor.fetchone()
            return found is not None and (len(self.people) == 1 or MANY_PEOPLE in found[0])

    def overlaps(self, connection) -> list[tuple[int, int]]:
        """The keys of rows that share a person and a time, in pairs. Empty, unless the guard was away."""
        at = "julianday" if connection.vendor == "sqlite" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"""
SELECT one.id, other.id
FROM {self.table} AS one
JOIN {self.table} AS other ON one.id < other.id
 AND {self.same_people("one", "other")}
 AND {at}(one.start_time) < {at}(other.end_time) AND {at}(other.start_time) < {at}(one.end_time)
WHERE {self.counts("one.")} AND {self.counts("other.")}
ORDER BY one.id, other.id
""")
            return cursor.fetchall()

    def refused(self, error: Exception) -> bool:
        """Is this IntegrityError the guard's?"""
        return self.name in str(error)


SESSIONS = Guard(
    name="session_no_double_booking",
    table="scheduling_session",
    row="session",
    against="double booking",
    people=("mentor_id", "mentee_id"),
    column="status",
    values=("Pending", "Confirmed"),
)
WINDOWS = Guard(
    name="availability_no_overlap",
    table="scheduling_availability",
    row="window",
    against="windows that overlap",
    people=("mentor_id",),
)
GUARDS = (SESSIONS, WINDOWS)


def install(connection) -> None:
    """Put every guard in place whose table is there."""
    tables = connection.introspection.table_names()
    for guard in GUARDS:
        if guard.table in tables:
            guard.install(connection)


def missing(connection) -> list[Guard]:
    """The guards that do not stand. A table that is not there yet misses none."""
    try:
        tables = connection.introspection.table_names()
    except DatabaseError:
        # A database that cannot be reached: saying that is not this check's task.
        return []
    return [guard for guard in GUARDS if guard.table in tables and not guard.installed(connection)]


def install_after_migrate(using: str, **kwargs) -> None:
    """A `post_migrate` receiver."""
    install(connections[using])


def check(app_configs=None, databases=None, **kwargs) -> list[Error]:
    """A system check: refuse to start without the guards.

    `migrate` runs the checks too, with ``databases`` given, and puts the guards back when it is done: it is let through,
    or a missing guard could never be mended.
    """
    return [
        Error(
            f"The guard against {guard.against} ({guard.name}) is missing from the database.",
            hint="Run `manage.py migrate`: it puts the guard back. Then run `manage.py check_integrity`.",
            id="scheduling.E001",
        )
        for guard in ([] if databases else missing(connection))
    ]


def require() -> None:
    """Raise ImproperlyConfigured without the guards: for web servers, which run no system checks."""
    for error in check():
        raise ImproperlyConfigured(f"{error.msg} {error.hint}")
