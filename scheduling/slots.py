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


def free_slots(
    windows: Iterable[Period], taken: Iterable[Period], *, minutes: int, step: int, now: datetime
) -> Iterator[Period]:
    """Cut windows into slots of one length, leaving out whatever touches taken time or has begun.

    ``minutes`` and ``step`` are whole minutes. A slot starts a whole number of steps after its (merged) window does.
    Yields in order; slots overlap one another where the step is shorter than the length.
    """
    busy = merge(taken)
    length, stride = timedelta(minutes=minutes), timedelta(minutes=step)
    at = 0
    for window in merge(windows):
        start = window.start
        if start <= now:
            start += ((now - start) // stride + 1) * stride
        while start + length <= window.end:
            slot = Period(start, start + length)
            while at < len(busy) and busy[at].end <= start:
                at += 1
            if at == len(busy) or not slot.overlaps(busy[at]):
                yield slot
            start += stride
