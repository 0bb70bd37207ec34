"""Who suits best: pure, so it is asked in memory."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduling.ranking import Candidate, Wish, plan
from scheduling.slots import Period

MONDAY = datetime(2099, 1, 5, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)


def at(half_hours: int) -> Period:
    return Period(MONDAY + half_hours * HALF, MONDAY + (half_hours + 1) * HALF)


def week_of(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def mentor(name: str, *half_hours: int, knows: str = "", held: int = 0, **more) -> Candidate:
    key = sum(map(ord, name))
    week = {MONDAY.date(): held}
    return Candidate(key, name, frozenset(knows.split()), {30: [at(one) for one in half_hours]}, week, **more)


def wish(key: int, half_hour: int, skills: str = "sql python", **more) -> Wish:
    return Wish(key, at(half_hour), frozenset(skills.split()), **more)


def suggested(wishes, candidates, most=9) -> dict[int, list[tuple[str, int]]]:
    """Name and half hour of each suggestion."""
    found = plan(wishes, candidates, week_of=week_of, most=most)
    return {key: [(one.mentor.name, (one.slot.start - MONDAY) // HALF) for one in row] for key, row in found.items()}


def test_first_comes_who_knows_any_of_it_then_the_minute_then_more_skills_then_the_nearest_then_the_least_load():
    candidates = [
        mentor("Nothing", 4, knows="cobol"),
        mentor("Both later", 6, knows="sql python"),
        mentor("One busy", 4, knows="sql", held=3),
        mentor("One", 4, knows="sql", held=1),
        mentor("Both", 4, knows="sql python", held=5),
        mentor("Both earlier", 3, knows="sql python"),
        mentor("Too far", 200, knows="sql python"),
    ]
    names = ["Both", "One", "One busy", "Both earlier", "Both later", "Nothing"]
    assert [name for name, _ in suggested([wish(1, 4)], candidates)[1]] == names
    assert [name for name, _ in suggested([wish(1, 4)], candidates, most=2)[1]] == names[:2]
    # Where no skill is asked for none is missed.
    assert suggested([wish(1, 4, skills="")], candidates, most=1) == {1: [("Nothing", 4)]}


def test_the_first_suggestions_of_all_can_be_taken_together():
    """What one session is given is gone for the next: the slot, the pause around it, and a place in the week."""
    free = mentor("Free", 0, 1, 2, 3)
    assert suggested([wish(2, 1), wish(1, 1)], [free]) == {1: [("Free", 1)], 2: [("Free", 0)]}
    pausing = mentor("Free", 0, 1, 2, 3, pause=HALF)
    assert suggested([wish(1, 1), wish(2, 1)], [pausing]) == {1: [("Free", 1)], 2: [("Free", 3)]}
    full = mentor("Free", 0, 1, 2, 3, cap=1)
    assert suggested([wish(1, 1), wish(2, 1)], [full]) == {1: [("Free", 1)], 2: []}
    fair = [mentor("Ann", 0, 1), mentor("Bob", 0, 1)]
    assert suggested([wish(1, 0), wish(2, 1)], fair, most=1) == {1: [("Ann", 0)], 2: [("Bob", 1)]}


def test_nobody_is_suggested_who_cannot_be_it_nor_when_the_mentee_cannot():
    free = mentor("Free", 3, 4, 5)
    assert suggested([wish(1, 4, without=frozenset({free.key}))], [free]) == {1: []}
    assert suggested([wish(1, 4, busy=[at(4)])], [free]) == {1: [("Free", 3)]}
    assert suggested([wish(1, 4, near=timedelta(0), busy=[at(4)])], [free]) == {1: []}


@given(
    st.lists(st.integers(0, 12), max_size=8),
    st.lists(st.tuples(st.sets(st.integers(0, 12)), st.integers(0, 2)), max_size=4),
)
def test_whatever_is_wished_nobody_is_suggested_first_twice_at_a_time_or_over_the_cap(wished, mentors):
    """And the slot is the nearest that is left: no other way to find it is as fast, but every way finds the same."""
    candidates = [
        Candidate(key, str(key), slots={30: [at(one) for one in sorted(slots)]}, cap=cap)
        for key, (slots, cap) in enumerate(mentors)
    ]
    found = plan([wish(key, one, "") for key, one in enumerate(wished)], candidates, week_of=week_of)
    taken: dict[int, set[Period]] = {one.key: set() for one in candidates}
    for key in sorted(range(len(wished)), key=lambda key: (wished[key], key)):
        wanted = at(wished[key])
        expected = {}
        for one in candidates:
            left = [slot for slot in one.slots[30] if slot not in taken[one.key]] if len(taken[one.key]) < one.cap else []
            if left:
                expected[one.key] = min(left, key=lambda slot: (abs(slot.start - wanted.start), slot.start))
        assert {one.mentor.key: one.slot for one in found[key]} == expected
        for first in found[key][:1]:
            taken[first.mentor.key].add(first.slot)
