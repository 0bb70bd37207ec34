"""Weekly hours, pure: a rule in local time in, the periods it gives out. No database, no clock, no settings.

"Tuesdays 18:00 to 20:00" is a promise about the clock on the mentor's wall: over a clock change the UTC hour moves, and
the Tuesday does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduling.slots import Period

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Hours:
    """Local hours on one weekday (0 is Monday), every ``every`` weeks from ``since`` (its week is the first) to ``until``.

    Both dates are included; no ``until`` is for ever. ``ends`` at or before ``begins`` means the next day's clock.
    """

    weekday: int
    begins: time
    ends: time
    zone: ZoneInfo
    since: date
    until: date | None = None
    every: int = 1

    def falls_on(self, day: date) -> bool:
        return (
            day.weekday() == self.weekday
            and self.since <= day
            and (self.until is None or day <= self.until)
            and ((_monday(day) - _monday(self.since)) // WEEK) % self.every == 0
        )

    def on(self, day: date) -> Period:
        """The hours of that day, in UTC.

        Where the clocks skip the beginning, the hours move on with the clock and keep their length; where the clocks go back,
        an hour told twice counts from its first time.
        """
        start = datetime.combine(day, self.begins)
        end = datetime.combine(day if self.ends > self.begins else day + timedelta(days=1), self.ends)
        begins, ends = (moment.replace(tzinfo=self.zone).astimezone(UTC) for moment in (start, end))
        skipped = begins.astimezone(self.zone).replace(tzinfo=None, fold=0) != start
        return Period(begins, begins + (end - start) if skipped else ends)

    def between(self, first: date, last: date) -> Iterator[Period]:
        """The hours of every day from ``first`` to ``last``, both included, in order."""
        day = max(first, self.since)
        day += timedelta(days=(self.weekday - day.weekday()) % 7)
        last = min(last, self.until) if self.until else last
        while day <= last:
            if self.falls_on(day):
                yield self.on(day)
            day += WEEK

    def meets(self, other: "Hours") -> bool:
        """Do the two ever offer the same time? Asked of the weeks in which both are valid."""
        first = max(self.since, other.since)
        # Every second week: what two rules do in two weeks of summer and two of winter, they do for ever.
        looked_at = [first, first + timedelta(days=182), first + timedelta(days=364)]
        return any(
            one.overlaps(two)
            for start in looked_at
            for one in self.between(start - WEEK, start + 3 * WEEK)
            for two in other.between(start - WEEK, start + 3 * WEEK)
        )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
