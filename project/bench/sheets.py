"""Sheets: how long a list takes to leave, and to come in, and how much memory.

The floor is what somebody would write who needs a CSV of the same cells: `values_list().iterator()` into `csv`. It knows no
zone but UTC, writes what looks like a formula as it stands, and no row can come back with what became of it.
"""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from time import perf_counter
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from people.imports import gathering, kinds, work
from people.models import Import, Mentee, User
from people.sheets.sheet import PIECE
from project.bench import Row, compared, in_turn
from project.bench.places import Places
from scheduling.exports import SESSIONS
from scheduling.models import Session

RUNS = 3
NEW_MENTEES = 10_000
MOST = 100_000
ZONE = ZoneInfo("America/New_York")
COLUMNS = [column for column in SESSIONS.columns if column.usual]
PATHS = list(dict.fromkeys(path for column in COLUMNS for path in column.paths))
# How much more memory ten times as many rows may take and still be called flat.
FLAT = 1.2


def rows(places: Places) -> Iterator[Row]:
    count = min(Session.objects.count(), MOST)
    same(ours(count), floor(count))
    yield compared(
        f"export of {count:,} sessions as CSV; values_list().iterator() and csv",
        in_turn(RUNS, ours=lambda: drained(pieces(count)), floor=lambda: floor(count)),
        2,
    )
    few, many = peak(count // 10), peak(count)
    yield Row(
        f"export, memory: {count:,} sessions; {count // 10:,}",
        f"{many / 1024**2:.1f} MB",
        f"{few / 1024**2:.1f} MB",
        many / few,
        f"flat: at most {FLAT:g}x",
        # Fewer than a few pieces are not yet all that is in memory at a time.
        many / few <= FLAT if count // 10 > 4 * PIECE else None,
    )
    yield from importing(min(NEW_MENTEES, 5 * places.scale.mails))


# ---- in -------------------------------------------------------------------------------------------------------------------
#
# The floor reads the same file with csv, builds the same people, has Django look at each (full_clean) and writes them with
# bulk_create: no history, nothing to undo, no switch that says who wants which mail, and nobody sees what it would do first.


def importing(count: int) -> Iterator[Row]:
    by = User.objects.create_user(email="bench-import@example.org", first_name="Bench", is_staff=True, is_superuser=True)
    data = roster(count)
    parts: list[float] = []
    with worked_through_at_once(), TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=folder):
        times = in_turn(
            1, ours=lambda: taken_back(lambda: import_it(data, by, parts)), floor=lambda: taken_back(lambda: bare(data))
        )
        yield compared(f"import of {count:,} new mentees; csv, full_clean of each, bulk_create", times, 3)
        yield Row(
            "the longest that such an import keeps others from writing",
            f"{1000 * max(parts):,.0f} ms",
            goal="at most 2 s",
            met=max(parts) < 2,
        )
        again: dict[str, list[float]] = {"ours": [], "floor": times["ours"]}

        def twice():
            import_it(data, by, parts)
            begun = perf_counter()
            import_it(data, by, parts)
            again["ours"].append(perf_counter() - begun)

        taken_back(twice)
        yield compared("the same file once more, nothing changed; its first import", again, 1)
    by.delete()


def roster(count: int) -> bytes:
    rows = (
        f"bench-{number}@example.org,First{number},Last{number},Europe/Berlin,+4930{1_000_000 + number},Learn {number}\n"
        for number in range(count)
    )
    return ("email,first_name,last_name,time_zone,phone,goals\n" + "".join(rows)).encode()


def taken_back(job) -> None:
    with transaction.atomic():
        job()
        transaction.set_rollback(True)


@contextmanager
def worked_through_at_once():
    """By whoever asks, not by the worker."""
    kind = kinds.get("mentees")
    kinds.register(replace(kind, at_once=10**9))
    yield
    kinds.register(kind)


def import_it(data: bytes, by: User, parts: list[float]) -> None:
    resource = kinds.get("mentees").resource()
    headers = gathering.begin(data, resource, 1).headers
    sheet = Import(kind="mentees", by=by, headers=headers, mapping=resource.recognise(headers), total=1)
    sheet.file.save("sheet", ContentFile(data), save=False)
    sheet.state = Import.State.LOOKING
    sheet.save()
    through(sheet, work._look, parts)
    if sheet.count("new"):
        Import.objects.filter(pk=sheet.pk).update(state=Import.State.APPLYING, done=0)
        through(sheet, work._apply, parts)
    sheet.file.delete(save=False)


def through(sheet: Import, step, parts: list[float]) -> None:
    sheet.refresh_from_db()
    begun = perf_counter()
    for _part in step(sheet):
        parts.append(perf_counter() - begun)
        begun = perf_counter()
    sheet.refresh_from_db()


def bare(data: bytes) -> None:
    users, mentees = [], []
    for number, row in enumerate(csv.DictReader(io.StringIO(data.decode()))):
        user = User(username=f"bench{number}", password="!", phone_number=row.pop("phone"))  # noqa: S106  nobody's
        mentees.append(Mentee(user=user, goals=row.pop("goals")))
        for name, value in row.items():
            setattr(user, name, value)
        user.full_clean()
        users.append(user)
    User.objects.bulk_create(users, batch_size=500)
    for user, mentee in zip(users, mentees, strict=True):
        mentee.user = user
        mentee.full_clean(exclude=["user"])
    Mentee.objects.bulk_create(mentees, batch_size=500)


# ---- out ------------------------------------------------------------------------------------------------------------------


def found(count: int):
    return Session.objects.order_by("-start_time", "-pk")[:count]


def pieces(count: int) -> Iterator[bytes]:
    """As the admin sends them (people/export_admin.py)."""
    from people.sheets.writing import csv_bytes

    return csv_bytes(SESSIONS.heads(COLUMNS), SESSIONS.rows(found(count), COLUMNS, "csv", ZONE, timezone.now()))


def drained(parts: Iterator[bytes]) -> int:
    return sum(map(len, parts))


def ours(count: int) -> list[list[str]]:
    text = b"".join(pieces(count)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def floor(count: int) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(PATHS)
    for row in found(count).values_list(*PATHS).iterator():
        writer.writerow(row)
    return file.getvalue()


def same(ours: list[list[str]], floor: str) -> None:
    """The same mentors, moments and topics, in the same order."""
    columns = [column.name for column in COLUMNS]
    mentor, start, topic = (columns.index(name) for name in ("mentor", "start_time", "topic"))
    told = [(row[mentor], datetime.fromisoformat(row[start]).astimezone(UTC), row[topic]) for row in ours]
    mentor, start, topic = (PATHS.index(name) for name in ("mentor__user__email", "start_time", "topic"))
    rows = list(csv.reader(io.StringIO(floor, newline="")))[1:]
    if told != [(row[mentor], datetime.fromisoformat(row[start]), row[topic]) for row in rows]:
        raise AssertionError("The sheets differ.")


def peak(count: int) -> int:
    """Bytes at most, besides what there was before."""
    tracemalloc.start()
    drained(pieces(count))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most
