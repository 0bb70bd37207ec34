"""Sheets: how long a list takes to leave, and how much memory.

The floor is what somebody would write who needs a CSV of the same cells: `values_list().iterator()` into `csv`. It knows no
zone but UTC, writes what looks like a formula as it stands, and no row can come back with what became of it.
"""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from people.sheets.sheet import PIECE
from project.bench import Row, compared, in_turn
from project.bench.places import Places
from scheduling.exports import SESSIONS
from scheduling.models import Session

RUNS = 3
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
