"""Rows by the hundred thousand, by the shortest way into either database. Constraints and guards look at each of them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache

from django.core.management.color import no_style
from django.db import connection, models, transaction

# Enough of SQLite's pages in memory (kB) to reach the middle of every index without going to the disk.
SQLITE_CACHE = 200_000
# SQLite's trigger takes its notes for each statement anew: a thousand rows in one cost a third of a thousand statements.
ROWS_A_STATEMENT = 1_000


class Table:
    """Rows on their way into one model's table. ``fields`` names what a row gives, in order; every other field has its
    default. What is added is in the database after ``write``.
    """

    def __init__(self, model: type[models.Model], fields: str):
        self.model = model
        varying = [model._meta.get_field(name) for name in fields.split()]
        rest = [
            field for field in model._meta.concrete_fields if field not in varying and not isinstance(field, models.AutoField)
        ]
        self.columns = [field.column for field in (*varying, *rest)]
        self.rest = tuple(field.get_db_prep_save(field.get_default(), connection) for field in rest)
        self.converters = [(at, how) for at, field in enumerate(varying) if (how := _converter(field.get_internal_type()))]
        self.rows: list[tuple] = []
        self.written = 0

    def add(self, *row) -> None:
        self.rows.append(row)

    def write(self) -> None:
        quote = connection.ops.quote_name
        into = f"{quote(self.model._meta.db_table)} ({', '.join(map(quote, self.columns))})"
        if connection.vendor == "postgresql":
            self._copy(into)
        else:
            self._insert(into)
        self.written += len(self.rows)
        self.rows.clear()

    def _copy(self, into: str) -> None:
        # The server works on the first rows while the last are made ready here.
        copying = f"COPY {into} FROM STDIN"
        with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(copying) as copy:
            for row in self.rows:
                copy.write_row(self._prepared(row))

    def _insert(self, into: str) -> None:
        one = f"({', '.join('?' * len(self.columns))})"
        most = min(ROWS_A_STATEMENT, connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(self.columns))
        for start in range(0, len(self.rows), most):
            rows = self.rows[start : start + most]
            sql = f"INSERT INTO {into} VALUES {', '.join([one] * len(rows))}"  # noqa: S608  names of our own tables
            # Not by Django's cursor, which would look through twenty thousand placeholders each time.
            with connection.wrap_database_errors:
                connection.connection.execute(sql, [value for row in rows for value in self._prepared(row)])

    def _prepared(self, row: tuple) -> tuple:
        values = list(row)
        for at, convert in self.converters:
            values[at] = convert(values[at])
        return (*values, *self.rest)


@cache
def _converter(kind: str) -> Callable | None:
    """What puts a value of this kind of field into the database's own form; None where it goes in as it is.

    The fields' own way is ten times longer, and the same hours come again and again.
    """
    ops = connection.ops
    ways = {
        "DateTimeField": lru_cache(2**17)(ops.adapt_datetimefield_value),
        "DateField": ops.adapt_datefield_value,
        "TimeField": ops.adapt_timefield_value,
        "UUIDField": lambda value: models.UUIDField().get_db_prep_value(value, connection),
    }
    return ways.get(kind)


def know_sizes() -> None:
    """Give SQLite statistics while we write: without them the guard's trigger looks for two people's sessions among all that
    are active, instead of among theirs.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@contextmanager
def writing(tables: list[Table], large: Iterable[type[models.Model]]) -> Iterator[None]:
    """One transaction for all that is written: all or nothing, and keys given here are not given out again. ``large``: the
    models with the most rows.
    """
    with connection.cursor() as cursor, _roomy(cursor):
        with transaction.atomic():
            if connection.vendor == "postgresql":
                # Foreign keys are looked at with each statement, and not millions of them remembered until the end.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with _without_checks(cursor, large):
                yield
            for sql in connection.ops.sequence_reset_sql(no_style(), [table.model for table in tables]):
                cursor.execute(sql)
            if connection.vendor == "sqlite":
                # An installation has no statistics, and what is measured here should be true there.
                cursor.execute("DELETE FROM sqlite_stat1")
                cursor.execute("ANALYZE sqlite_schema")
        if connection.vendor == "postgresql":
            # What the server does by itself some minutes later.
            cursor.execute("ANALYZE")


@contextmanager
def _roomy(cursor) -> Iterator[None]:
    """Give SQLite more memory for a while."""
    if connection.vendor != "sqlite":
        yield
        return
    cursor.execute("PRAGMA cache_size")
    [before] = cursor.fetchone()
    cursor.execute(f"PRAGMA cache_size = -{SQLITE_CACHE}")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA cache_size = {before}")


@contextmanager
def _without_checks(cursor, large: Iterable[type[models.Model]]) -> Iterator[None]:
    """On PostgreSQL an index is made, and a foreign key looked at, in a fraction of the time that it takes row by row. The
    indexes of constraints and guards stay, and SQLite's triggers need theirs.
    """
    tables = [model._meta.db_table for model in large]
    keys, indexes = [], []
    if connection.vendor == "postgresql":
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = ANY(%s::regclass[]) AND contype = 'f'",
            [tables],
        )
        keys = cursor.fetchall()
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique AND NOT i.indisexclusion",
            [tables],
        )
        indexes = cursor.fetchall()
    for table, name, _ in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
