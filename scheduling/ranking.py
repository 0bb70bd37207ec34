"""Who suits best? Candidates and wishes in, suggestions in order out: for a stand-in, and for whoever looks for a mentor.

No database, no clock, no settings: who asks brings the candidates with their free slots. First comes who knows any of what is
asked for, then who is free at that very time, who knows most of it, who is free nearest to it, and who has least to do that week.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import nsmallest

from scheduling.slots import Period

NOW = timedelta(0)
# A slot further off than this is no slot near the time that was asked for.
NEAR = timedelta(days=2)
MOST = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mentor who could do it. ``slots``: minutes -> the free slots of that length, in order. ``held``: Monday -> the sessions
    of that week, canceled ones left out; ``cap`` is how many it may hold, None for no limit. ``pause`` stays free around each.
    """

    key: int
    name: str
    skills: frozenset[str] = frozenset()
    slots: Mapping[int, Sequence[Period]] = field(default_factory=dict)
    held: Mapping[date, int] = field(default_factory=dict)
    cap: int | None = None
    pause: timedelta = NOW


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for: a time, and what should be known. ``without``: the keys of mentors who cannot be it.

    ``busy``: when the mentee cannot. ``near``: how far from the time a slot may begin.
    """

    key: int
    period: Period
    skills: frozenset[str] = frozenset()
    without: frozenset[int] = frozenset()
    busy: Sequence[Period] = ()
    near: timedelta = NEAR


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One mentor at one time. ``held``: the sessions they have that week already; ``wanted``: how many skills were asked for."""

    mentor: Candidate
    slot: Period
    shared: tuple[str, ...]
    wanted: int
    away: timedelta
    held: int

    @property
    def exact(self) -> bool:
        return self.away == NOW


class Given:
    """What was suggested to others before: it is not free any more, and counts in its week."""

    def __init__(self, week_of: Callable[[datetime], date]):
        self.week_of = week_of
        self._slots: dict[int, list[Period]] = defaultdict(list)
        self._weeks: Counter[tuple[int, date]] = Counter()
        self._mondays: dict[datetime, date] = {}

    def give(self, mentor: Candidate, slot: Period) -> None:
        self._slots[mentor.key].append(Period(slot.start - mentor.pause, slot.end + mentor.pause))
        self._weeks[mentor.key, self.week_of(slot.start)] += 1

    def taken(self, mentor: Candidate) -> Sequence[Period]:
        return self._slots.get(mentor.key, ())

    def held(self, mentor: Candidate, slot: Period) -> int:
        monday = self._mondays.get(slot.start)
        if monday is None:
            # Thousands of candidates have the same few slots.
            monday = self._mondays[slot.start] = self.week_of(slot.start)
        return mentor.held.get(monday, 0) + self._weeks[mentor.key, monday]


def rank(wish: Wish, candidates: Iterable[Candidate], given: Given, *, most: int = MOST) -> list[Suggestion]:
    """The best for this wish, the best first, no more than ``most``; each mentor once, at the free slot nearest to the time."""
    found = (_look_at(wish, one, given) for one in candidates if one.key not in wish.without)
    best = nsmallest(most, filter(None, found))
    return [_suggest(wish, mentor, slot, given) for *_order, mentor, slot in best]


def plan(
    wishes: Iterable[Wish], candidates: Sequence[Candidate], *, week_of: Callable[[datetime], date], most: int = MOST
) -> dict[int, list[Suggestion]]:
    """For the key of each wish what `rank` says, so that the first suggestions of all can be taken together."""
    given, found = Given(week_of), {}
    for wish in sorted(wishes, key=lambda one: (one.period, one.key)):
        found[wish.key] = rank(wish, candidates, given, most=most)
        for first in found[wish.key][:1]:
            given.give(first.mentor, first.slot)
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A mentor for whoever looks for one, with the free slots that lie in the times asked for. The rest as of `Suggestion`."""

    mentor: Candidate
    slots: tuple[Period, ...]
    shared: tuple[str, ...]
    wanted: int
    held: int

    @property
    def order(self) -> tuple:
        return -len(self.shared), self.held, self.slots[0], self.mentor.name, self.mentor.key


def find(
    candidates: Iterable[Candidate],
    periods: Sequence[Period],
    minutes: int,
    *,
    skills: frozenset[str],
    week_of: Callable[[datetime], date],
    most: int,
) -> list[Found]:
    """Who is free within these times: first who knows most of the skills, then who has least to do in the week of their first
    slot, then who is free first. The times are in order and overlap nowhere.
    """
    found = []
    for one in candidates:
        if slots := tuple(_inside(one.slots.get(minutes, ()), periods)):
            held = one.held.get(week_of(slots[0].start), 0)
            found.append(Found(one, slots, tuple(sorted(skills & one.skills)), len(skills), held))
    return nsmallest(most, found, key=lambda one: one.order)


def _inside(slots: Iterable[Period], periods: Sequence[Period]) -> Iterator[Period]:
    there = 0
    for slot in slots:
        while there < len(periods) and periods[there].end <= slot.start:
            there += 1
        if there == len(periods):
            return
        if periods[there].contains(slot):
            yield slot


def _look_at(wish: Wish, mentor: Candidate, given: Given) -> tuple | None:
    """Where this mentor stands in the order, by which no two are equal; and the slot. The words are for the few at the front."""
    slot = _nearest(wish, mentor, mentor.slots.get(wish.period.minutes, ()), given)
    if slot is None:
        return None
    shared, away = len(wish.skills & mentor.skills), abs(slot.start - wish.period.start)
    knows_none = bool(wish.skills and not shared)
    return knows_none, away != NOW, -shared, away, given.held(mentor, slot), mentor.name, mentor.key, mentor, slot


def _suggest(wish: Wish, mentor: Candidate, slot: Period, given: Given) -> Suggestion:
    return Suggestion(
        mentor,
        slot,
        tuple(sorted(wish.skills & mentor.skills)),
        len(wish.skills),
        abs(slot.start - wish.period.start),
        given.held(mentor, slot),
    )


def _nearest(wish: Wish, mentor: Candidate, slots: Sequence[Period], given: Given) -> Period | None:
    """Of the free slots the one that begins nearest to the time asked for; of two equally near ones the earlier."""
    wanted, taken = wish.period.start, given.taken(mentor)
    # A slot is a tuple that begins with its start: the shorter one comes before all of that start.
    later = bisect_left(slots, (wanted,))
    earlier = later - 1
    while True:
        after = slots[later].start - wanted if later < len(slots) else None
        before = wanted - slots[earlier].start if earlier >= 0 else None
        take_earlier = before is not None and (after is None or before <= after)
        away = before if take_earlier else after
        if away is None or away > wish.near:
            return None
        slot = slots[earlier if take_earlier else later]
        if _fits(slot, wish, mentor, taken, given):
            return slot
        earlier, later = (earlier - 1, later) if take_earlier else (earlier, later + 1)


def _fits(slot: Period, wish: Wish, mentor: Candidate, taken: Sequence[Period], given: Given) -> bool:
    for others in (wish.busy, taken):
        if others and any(slot.overlaps(other) for other in others):
            return False
    return mentor.cap is None or given.held(mentor, slot) < mentor.cap
