"""How a program is doing, in numbers: what each means, and how it is counted. The first page and the reports ask here.

A number asks about the periods it is for, by an index, and about nothing else. Periods lie side by side: the end of one is
the beginning of the next.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from django.db.models import Case, Count, F, Func, IntegerField, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scheduling.querysets import took_place
from scheduling.slots import Period
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, Ending


class Seconds(Func):
    """An instant as whole seconds, so that lengths are sums of numbers on both databases."""

    arity = 1
    output_field = IntegerField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER)", **context)

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::bigint", **context)


LENGTH = Seconds("end_time") - Seconds("start_time")


@dataclass
class Figures:
    """One period, or one team's or mentor's part of it."""

    # Status -> how many sessions start in the period.
    statuses: dict[str, int] = field(default_factory=dict)
    # Sessions that took place: Completed, or Confirmed and over.
    held: int = 0
    held_seconds: int = 0
    # Hours that sessions take or took, whatever became of them but Canceled; and hours that mentors offered.
    booked_seconds: int = 0
    offered_seconds: int = 0
    # Requests first decided in the period, and those of them that nobody declined or let run out.
    decided: int = 0
    agreed: int = 0
    # Half of the answers came quicker than this.
    answer_seconds: int | None = None

    @property
    def sessions(self) -> int:
        return sum(self.statuses.values())

    @property
    def no_shows(self) -> int:
        return self.statuses.get(NO_SHOW, 0)

    @property
    def confirm_rate(self) -> float | None:
        return share(self.agreed, self.decided)

    @property
    def no_show_rate(self) -> float | None:
        return share(self.no_shows, self.no_shows + self.held)

    @property
    def use(self) -> float | None:
        return share(self.booked_seconds, self.offered_seconds)


def share(part: float, whole: float) -> float | None:
    """A part of a whole, from 0 to 1 (more where hours are booked that nobody offered); None where there is no whole."""
    return part / whole if whole else None


# ---- periods ----------------------------------------------------------------------------------------------------------


def days(first: date, number: int, zone) -> list[Period]:
    """So many days by the clocks of a zone, from midnight to midnight: some have 23 hours, some 25."""
    marks = [datetime.combine(first + timedelta(days=day), time(), zone) for day in range(number + 1)]
    return [Period(*ends) for ends in pairwise(marks)]


def weeks(now: datetime, zone) -> tuple[list[Period], list[Period]]:
    """The four weeks before this one, and its seven days, from Monday on."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    before = days(monday - timedelta(weeks=4), 28, zone)
    return [Period(before[at].start, before[at + 6].end) for at in range(0, 28, 7)], days(monday, 7, zone)


def within(rows: QuerySet, periods: Sequence[Period], instant: str = "start_time") -> QuerySet:
    """The rows of these periods, each with ``at``: the number of its period."""
    bounds = {f"{instant}__gte": periods[0].start, f"{instant}__lt": periods[-1].end}
    steps = [When(**{f"{instant}__lt": period.end}, then=Value(at)) for at, period in enumerate(periods[:-1])]
    last = Value(len(periods) - 1, IntegerField())
    return rows.filter(**bounds).order_by().annotate(at=Case(*steps, default=last) if steps else last)


# ---- what is counted --------------------------------------------------------------------------------------------------


def count_sessions(sessions: QuerySet, periods: Sequence[Period], now: datetime) -> list[Figures]:
    """Status by status, with hours: one question for all periods."""
    figures = [Figures() for _ in periods]
    over = Q(end_time__lte=now)
    # Columns of the index are counted, not keys: PostgreSQL then reads no row.
    sums = {"number": Count("status"), "seconds": Sum(LENGTH)}
    sums |= {"over": Count("status", filter=over), "over_seconds": Sum(LENGTH, filter=over)}
    rows = within(sessions, periods).values("at", "status").annotate(**sums)
    for at, status, number, seconds, held, held_seconds in rows.values_list("at", "status", *sums):
        one = figures[at]
        one.statuses[status] = number
        if status != CANCELED:
            one.booked_seconds += int(seconds)
        if status == COMPLETED:
            one.held, one.held_seconds = one.held + number, one.held_seconds + int(seconds)
        elif status == CONFIRMED:
            one.held, one.held_seconds = one.held + held, one.held_seconds + int(held_seconds or 0)
    return figures


def offered_seconds(windows: QuerySet, periods: Sequence[Period]) -> list[int]:
    """What mentors offer in windows that begin in each period."""
    sums = dict(within(windows, periods).values("at").annotate(seconds=Sum(LENGTH)).values_list("at", "seconds"))
    return [int(sums.get(at, 0)) for at in range(len(periods))]


def decisions(sessions: QuerySet, periods: Sequence[Period]) -> list[tuple[int, int]]:
    """Requests first decided in each period, and those of them with a yes."""
    no = Count("decided_at", filter=Q(ending__in=(Ending.DECLINED, Ending.EXPIRED)))
    rows = within(sessions, periods, "decided_at").values("at").annotate(number=Count("decided_at"), no=no)
    found = {at: (number, number - refused) for at, number, refused in rows.values_list("at", "number", "no")}
    return [found.get(at, (0, 0)) for at in range(len(periods))]


def answered(sessions: QuerySet) -> QuerySet:
    """Requests that somebody answered. What came in as agreed already (a sheet says so) was never waited for."""
    return sessions.exclude(ending=Ending.EXPIRED).filter(decided_at__gt=F("created_at"))


def answer_seconds(sessions: QuerySet, periods: Sequence[Period]) -> dict[int, int]:
    """The median time to an answer in each period, by its number."""
    return {at: seconds for at, (_, seconds) in medians(within(sessions, periods, "decided_at"), "at").items()}


def medians(sessions: QuerySet, by: str) -> dict[object, tuple[int, int]]:
    """For each value of ``by``: how many requests were answered, and after how many seconds half of them were."""
    part = {"partition_by": [F(by)]}
    took = Seconds("decided_at") - Seconds("created_at")
    rows = answered(sessions).annotate(
        took=took, number=Window(Count("decided_at"), **part), place=Window(RowNumber(), order_by=took.asc(), **part)
    )
    # The lower one of two in the middle.
    middle = rows.filter(place=(F("number") + 1) / 2)
    return {value: (number, seconds) for value, number, seconds in middle.values_list(by, "number", "took")}


@dataclass
class Week:
    """This week, day by day, beside the four before it. Of days and single weeks only the sessions are counted."""

    days: list[tuple[Period, Figures]]
    before: list[tuple[Period, Figures]]
    this: Figures
    # The four weeks together: a usual one has a quarter.
    usual: Figures


def week(sessions: QuerySet, windows: QuerySet, now: datetime, zone) -> Week:
    """Four questions."""
    four, seven = weeks(now, zone)
    counted = count_sessions(sessions, [*four, *seven], now)
    usual, this = total(counted[:4]), total(counted[4:])
    two = [Period(four[0].start, four[-1].end), Period(seven[0].start, seven[-1].end)]
    offered, decided, took = offered_seconds(windows, two), decisions(sessions, two), answer_seconds(sessions, two)
    for at, figures in enumerate((usual, this)):
        figures.offered_seconds = offered[at]
        figures.decided, figures.agreed = decided[at]
        figures.answer_seconds = took.get(at)
    return Week(list(zip(seven, counted[4:], strict=True)), list(zip(four, counted[:4], strict=True)), this, usual)


def total(parts: Sequence[Figures]) -> Figures:
    """Sessions and hours of several periods together."""
    statuses: dict[str, int] = {}
    for part in parts:
        for status, number in part.statuses.items():
            statuses[status] = statuses.get(status, 0) + number
    return Figures(
        statuses,
        held=sum(part.held for part in parts),
        held_seconds=sum(part.held_seconds for part in parts),
        booked_seconds=sum(part.booked_seconds for part in parts),
    )


# ---- a period, line by line -------------------------------------------------------------------------------------------

GROUPS = {"team": "mentee__team", "mentor": "mentor"}


@dataclass
class Line:
    """What one team, one mentor or everybody did in a period. ``key``: the team's or the mentor's; None: of no team, or all."""

    key: int | None
    title: str = ""
    held: int = 0
    held_seconds: int = 0
    no_shows: int = 0
    # Mentees with a session that took place, and those with two or more.
    reached: int = 0
    again: int = 0
    # Requests that were answered in the period, and how soon half of them were.
    answers: int = 0
    answer_seconds: int | None = None

    @property
    def hours(self) -> float:
        return round(self.held_seconds / 3600, 1)

    @property
    def no_show_rate(self) -> float | None:
        return share(self.no_shows, self.no_shows + self.held)

    @property
    def repeat_rate(self) -> float | None:
        return share(self.again, self.reached)


def lines(sessions: QuerySet, period: Period, now: datetime, by: str = "") -> list[Line]:
    """``by``: "team", "mentor", or nothing for one line about all. Three questions; no line where nothing happened."""
    # With nothing to tell them apart, all rows have the same number of their period.
    group, held = GROUPS.get(by, "at"), took_place(now)
    found: dict[int | None, Line] = defaultdict(lambda: Line(None))
    rows = within(sessions, [period])
    sums = {"held": Count("pk", filter=held), "seconds": Sum(LENGTH, filter=held)}
    sums |= {"no_shows": Count("pk", filter=Q(status=NO_SHOW)), "reached": Count("mentee", filter=held, distinct=True)}
    for key, number, seconds, no_shows, reached in rows.values(group).annotate(**sums).values_list(group, *sums):
        if number or no_shows:
            found[key] = Line(None, "", number, int(seconds or 0), no_shows, reached)
    often = rows.filter(held).values(group, "mentee").annotate(times=Count("pk")).filter(times__gte=2)
    for key, number in Counter(often.values_list(group, flat=True)).items():
        found[key].again = number
    for key, (number, seconds) in medians(within(sessions, [period], "decided_at"), group).items():
        found[key].answers, found[key].answer_seconds = number, seconds
    for key, line in found.items():
        line.key = key if by else None
    return list(found.values())


# What a number's link says -> the rows that were counted.
COUNTED = {
    "held": lambda sessions, period, now: within(sessions, [period]).filter(took_place(now)),
    "no_shows": lambda sessions, period, now: within(sessions, [period]).filter(status=NO_SHOW),
    "answers": lambda sessions, period, now: answered(within(sessions, [period], "decided_at")),
}


# ---- how it is said ---------------------------------------------------------------------------------------------------


def percent(rate: float | None) -> str:
    return "–" if rate is None else f"{round(100 * rate)} %"


def lasting(seconds: int | None) -> str:
    """ "40 minutes", "7 hours", "3 days": whatever is told best."""
    if seconds is None:
        return "–"
    minutes = max(1, round(seconds / 60))
    if minutes < 120:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    hours = round(minutes / 60)
    return ngettext("%d hour", "%d hours", hours) % hours if hours < 72 else _("%d days") % round(hours / 24)
