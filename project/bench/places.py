"""Two databases of our own to measure in: made, populated, and thrown away."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from project.bench import say


@dataclass(frozen=True)
class Scale:
    """How large the program is, how many slots are fought for over HTTP, and how many mails are sent."""

    mentors: int
    mentees: int
    sessions: int
    contested: int = 250
    mails: int = 2_000


SCALES = {
    "tiny": Scale(60, 240, 3_000, contested=16, mails=20),
    "usual": Scale(1_000, 4_000, 200_000),
    "full": Scale(5_000, 20_000, 1_000_000, mails=10_000),
}
# One session of the past in so many is in the other database: what looks at the past is slower in the first one.
THINNED = 100


@dataclass(frozen=True)
class Places:
    """Two databases with the same people, windows and weeks ahead: ``main`` with a long past, ``thin`` with few sessions in it.

    Both are known by the name that Django has for them.
    """

    main: str
    thin: str
    scale: Scale
    past: int
    thin_past: int
    data_dir: Path

    def use(self, name: str) -> None:
        """From now on this process works in that one."""
        from django.db import connection

        connection.close()
        connection.settings_dict["NAME"] = name

    def url(self, name: str) -> str:
        """The DATABASE_URL for other processes."""
        url = os.environ["DATABASE_URL"]
        return f"sqlite:///{name}" if url.startswith("sqlite") else urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def made(url: str, scale: Scale, folder: Path) -> Iterator[Places]:
    """Both databases, populated: files in a folder that goes away, or new ones on the PostgreSQL server of ``url``.

    Sets the environment and sets Django up: call it in a process of its own, and import models only after it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data_dir = Path(tempfile.mkdtemp(prefix="work-", dir=folder))
    for name in ("DEBUG", "DEMO", "REDIS_URL", "EMAIL_URL", "ALLOWED_HOSTS", "SITE_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": url or f"sqlite:///{data_dir / 'none.sqlite3'}",
        "SECRET_KEY": secrets.token_urlsafe(50),
    }
    import django

    django.setup()
    from django.db import connection

    postgres = connection.vendor == "postgresql"
    names = [f"bench_{secrets.token_hex(6)}" if postgres else str(data_dir / f"{at}.sqlite3") for at in ("main", "thin")]
    try:
        if postgres:
            _on_server(url, *(f"CREATE DATABASE {name}" for name in names))
        yield _populated(names, scale, data_dir)
    finally:
        connection.close()
        if postgres:
            _on_server(url, *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in names))
        shutil.rmtree(data_dir)


def _populated(names: list[str], scale: Scale, data_dir: Path) -> Places:
    from django.core.management import call_command
    from django.db import connection

    from project.populate import Plan, populate

    plan = Plan.of(scale.mentors, scale.mentees, scale.sessions)
    thin = replace(plan, past=plan.past // THINNED)
    places = Places(*names, scale, plan.past, thin.past, data_dir)
    for name, one in zip(names, (plan, thin), strict=True):
        say(
            f"Populating: {one.mentors:,} mentors, {one.mentees:,} mentees, {one.past:,} sessions past, {one.ahead:,} ahead ..."
        )
        places.use(name)
        call_command("migrate", verbosity=0)
        populate(one, seed=1, today=datetime.now(UTC).date())
        if connection.vendor == "postgresql":
            # What the server does by itself some minutes later, and had better not do while we measure.
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
    places.use(places.main)
    return places


def _on_server(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)
