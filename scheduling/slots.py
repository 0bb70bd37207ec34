"""Time of day, pure: windows and taken periods in, free slots out. No database, no clock, no settings.

Periods are half-open and in UTC: 9:00-10:00 and 10:00-11:00 do not overlap.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """A stretch of time, start included, end not. Both are aware datetimes and start < end."""

    start: datetime
    end: datetime

    def __post_init__(self):
        if self.start >= self.end:
            raise ValueError("A period ends after it starts.")

    @classmethod
    def of(cls, start: datetime, minutes: int) -> "Period":
        return cls(start, start + timedelta(minutes=minutes))

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds() // 60)

    def overlaps(self, other: "Period") -> bool:
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Period") -> bool:
        return self.start <= other.start and other.end <= self.end


def merge(periods: Iterable[Period]) -> list[Period]:
    """The same time in as few periods as possible, in order: touching and overlapping ones become one."""
    merged: list[Period] = []
    for period in sorted(periods):
        if merged and period.start <= merged[-1].end:
            merged[-1] = Period(merged[-1].start, max(merged[-1].end, period.end))
        else:
            merged.append(period)
    return merged


def on_step(start: datetime, window: Period, step: int) -> bool:
    """Does ``start`` lie in the window, a whole number of steps (minutes) after its beginning?

    After the window's own beginning, not that of the windows it touches: the answer would change with windows days away.
    """
    return window.start <= start < window.end and (start - window.start) % timedelta(minutes=step) == timedelta(0)


def free_slots(
    windows: Iterable[Period], taken: Iterable[Period], *, minutes: int, step: int, now: datetime
) -> Iterator[Period]:
    """Cut windows into slots of one length, leaving out whatever overlaps taken time or has begun.

    ``minutes`` and ``step`` are whole minutes. A slot starts ``on_step`` of some window and may run on into the next one
    where the two touch. Yields in order; slots overlap one another where the step is shorter than the length.
    """
    windows = list(windows)
    offered, busy = merge(windows), merge(taken)
    length = timedelta(minutes=minutes)
    here = there = 0
    for start in sorted({start for window in windows for start in _starts(window, step, after=now)}):
        slot = Period(start, start + length)
        while offered[here].end <= start:
            here += 1
        while there < len(busy) and busy[there].end <= start:
            there += 1
        if offered[here].contains(slot) and (there == len(busy) or not slot.overlaps(busy[there])):
            yield slot


def _starts(window: Period, step: int, after: datetime) -> Iterator[datetime]:
    stride = timedelta(minutes=step)
    start = window.start
    if start <= after:
        start += ((after - start) // stride + 1) * stride
    while start < window.end:
        yield start
        start += stride
