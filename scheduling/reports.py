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


# What `count` asks about sessions, windows and decisions alike: how many, how long; and of those over, or agreed to, the same.
SUMS = ("number", "seconds", "part", "part_seconds")
OFFERED, DECIDED = "offered", "decided"


def count(sessions: QuerySet, windows: QuerySet, periods: Sequence[Period], now: datetime) -> list[Figures]:
    """Sessions status by status, what mentors offer, and what was decided: one question for all of it and all periods."""
    figures = [Figures() for _ in periods]
    over, yes = Q(end_time__lte=now), ~Q(ending__in=(Ending.DECLINED, Ending.EXPIRED))
    # Columns of the index are counted, not keys: PostgreSQL then reads no row.
    lengths = {"seconds": Sum(LENGTH), "part_seconds": Sum(LENGTH, filter=over)}
    by_status = {"number": Count("status"), "part": Count("status", filter=over)} | lengths
    decided = {"number": Count("decided_at"), "part": Count("decided_at", filter=yes)}
    rows = _summed(within(sessions, periods), F("status"), by_status).union(
        _summed(within(windows, periods), Value(OFFERED), {"seconds": Sum(LENGTH)}),
        _summed(within(sessions, periods, "decided_at"), Value(DECIDED), decided),
        all=True,
    )
    for at, what, number, seconds, part, part_seconds in rows:
        one = figures[at]
        if what == OFFERED:
            one.offered_seconds = int(seconds)
        elif what == DECIDED:
            one.decided, one.agreed = number, part
        else:
            one.statuses[what] = number
            one.booked_seconds += int(seconds) if what != CANCELED else 0
            if what == COMPLETED:
                one.held, one.held_seconds = one.held + number, one.held_seconds + int(seconds)
            elif what == CONFIRMED:
                one.held, one.held_seconds = one.held + part, one.held_seconds + int(part_seconds or 0)
    return figures


def _summed(rows: QuerySet, what, sums: dict) -> QuerySet:
    return rows.values("at", what=what).annotate(**dict.fromkeys(SUMS, Value(0)) | sums).values_list("at", "what", *SUMS)


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
    """This week, day by day, beside the four before it. The median answer is known of the two, not of days and single weeks."""

    days: list[tuple[Period, Figures]]
    before: list[tuple[Period, Figures]]
    this: Figures
    # The four weeks together: a usual one has a quarter.
    usual: Figures


def week(sessions: QuerySet, windows: QuerySet, now: datetime, zone) -> Week:
    """Two questions."""
    four, seven = weeks(now, zone)
    counted = count(sessions, windows, [*four, *seven], now)
    took = answer_seconds(sessions, [Period(four[0].start, four[-1].end), Period(seven[0].start, seven[-1].end)])
    usual, this = total(counted[:4], took.get(0)), total(counted[4:], took.get(1))
    return Week(list(zip(seven, counted[4:], strict=True)), list(zip(four, counted[:4], strict=True)), this, usual)


def total(parts: Sequence[Figures], answer_seconds: int | None) -> Figures:
    """Several periods together."""
    statuses: Counter[str] = Counter()
    for part in parts:
        statuses.update(part.statuses)
    names = ("held", "held_seconds", "booked_seconds", "offered_seconds", "decided", "agreed")
    sums = {name: sum(getattr(part, name) for part in parts) for name in names}
    return Figures(dict(statuses), answer_seconds=answer_seconds, **sums)


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
