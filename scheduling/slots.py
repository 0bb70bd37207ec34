"""Time of day, pure: windows and taken periods in, free slots out. No database, no clock, no settings.

Periods are half-open and in UTC: 9:00-10:00 and 10:00-11:00 do not overlap.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple


class _Ends(NamedTuple):
    start: datetime
    end: datetime


class Period(_Ends):
    """A stretch of time, start included, end not. Both are aware datetimes and start < end.

    A tuple, because there are many: a page about all mentors sorts and compares tens of thousands.
    """

    __slots__ = ()

    def __new__(cls, start: datetime, end: datetime):
        if start >= end:
            raise ValueError("A period ends after it starts.")
        return tuple.__new__(cls, (start, end))

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


def join(periods: Iterable[Period]) -> list[Period]:
    """The same time without overlaps, in order. Those that only touch stay apart: each counts its steps from its own start."""
    joined: list[Period] = []
    for period in sorted(periods):
        if joined and period.start < joined[-1].end:
            joined[-1] = Period(joined[-1].start, max(joined[-1].end, period.end))
        else:
            joined.append(period)
    return joined


def subtract(periods: Iterable[Period], cuts: Iterable[Period]) -> list[Period]:
    """What is left of each period without the time of the cuts, in order. What touches is not joined."""
    left, cuts = [], merge(cuts)
    for period in sorted(periods):
        start = period.start
        for cut in cuts:
            if cut.end <= start:
                continue
            if cut.start >= period.end:
                break
            if start < cut.start:
                left.append(Period(start, cut.start))
            start = cut.end
        if start < period.end:
            left.append(Period(start, period.end))
    return left


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
    length, stride = timedelta(minutes=minutes), timedelta(minutes=step)
    busy = merge(taken)
    there = 0
    for together, until in _stretches(windows):
        for start in _starts(together, stride, after=now):
            end = start + length
            if end > until:
                break
            while there < len(busy) and busy[there].end <= start:
                there += 1
            if there == len(busy) or end <= busy[there].start:
                yield Period(start, end)


def _stretches(windows: Iterable[Period]) -> Iterator[tuple[list[Period], datetime]]:
    """The windows that touch or overlap together, in order, with the end of the last."""
    ordered = sorted(windows)
    if not ordered:
        return
    together, until = [], ordered[0].end
    for window in ordered:
        if window.start > until:
            yield together, until
            together, until = [], window.end
        together.append(window)
        until = max(until, window.end)
    yield together, until


def _starts(windows: list[Period], stride: timedelta, after: datetime) -> Iterable[datetime]:
    """Where slots of these windows may start: each window counts from its own beginning."""
    if len(windows) == 1:
        return _steps(windows[0], stride, after)
    return sorted({start for window in windows for start in _steps(window, stride, after)})


def _steps(window: Period, stride: timedelta, after: datetime) -> Iterator[datetime]:
    start = window.start
    if start <= after:
        start += ((after - start) // stride + 1) * stride
    while start < window.end:
        yield start
        start += stride
