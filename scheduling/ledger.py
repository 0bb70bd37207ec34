"""What was promised for today, and how much of it was kept."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Count, Min, Q

from people import time_zones
from scheduling.models import Notice, Program
from scheduling.querysets import late
from scheduling.slots import Period
from scheduling.words import UNSENT, State


@dataclass(frozen=True)
class Day:
    """Promises of one day, in numbers. What was rightly not sent (canceled, moved, not wanted) is no promise any more."""

    # Due by now, and how many of them are sent.
    due: int
    kept: int
    # Due later on that day.
    ahead: int
    failed: int
    uncertain: int
    expired: int
    # Unsent for too long, whenever they were due, and by how much the oldest.
    late: int
    late_by: timedelta

    @property
    def broken(self) -> bool:
        return bool(self.late or self.failed or self.uncertain or self.expired)


def today(program: Program, now: datetime) -> Period:
    """From midnight to midnight by the program's clock."""
    zone = time_zones.zone(program.time_zone)
    day = now.astimezone(zone).date()
    start, end = (datetime.combine(date, time(), zone) for date in (day, day + timedelta(days=1)))
    return Period(start, end)


def promises_of_today(program: Program, now: datetime) -> Day:
    """One question: two indexes find the rows of the day, and the late ones."""
    day, is_late = today(program, now), late(now)
    in_day = Q(due_at__gte=day.start, due_at__lt=day.end)
    sums = {"due": Count("pk", filter=in_day & Q(due_at__lte=now)), "ahead": Count("pk", filter=in_day & Q(due_at__gt=now))}
    sums |= {"late": Count("pk", filter=is_late), "oldest": Min("due_at", filter=is_late)}
    rows = list(Notice.objects.filter(in_day | is_late).order_by().values("state").annotate(**sums))
    due = {row["state"]: row["due"] for row in rows}
    oldest = min((row["oldest"] for row in rows if row["oldest"]), default=now)
    return Day(
        due=sum(due.values()) - due.get(State.SUPPRESSED, 0),
        kept=due.get(State.SENT, 0),
        ahead=sum(row["ahead"] for row in rows if row["state"] in UNSENT),
        failed=due.get(State.FAILED, 0),
        uncertain=due.get(State.UNCERTAIN, 0),
        expired=due.get(State.EXPIRED, 0),
        late=sum(row["late"] for row in rows),
        late_by=now - oldest,
    )
