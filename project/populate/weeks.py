"""Week after week: windows as the weekly hours write them, and sessions in them that nobody attends twice at a time."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from project.populate.bulk import Table
from project.populate.lives import ANSWER, LONGEST_LEAD, Promise, Step, live, promises
from project.populate.people import DAY, WEEK, Cast, MentorPlan
from scheduling.models import Availability, Notice, Session
from scheduling.slots import Period, subtract
from scheduling.words import CANCELED

STEP = timedelta(minutes=30)
TOGETHER = 20_000  # windows
LENGTHS = (timedelta(minutes=30), timedelta(minutes=30), timedelta(minutes=60))
TOPICS = ("Mock interview", "Code review", "Career change", "First job", "A talk to prepare", "My project", "", "")
# A mentor's usual mentees; a quarter of a year later, others.
CIRCLE, QUARTER = 8, 13
# Notices are kept in mind as long as this; who looks for older ones looks into the history.
NOTICES_FROM = 2 * WEEK


class Placed(NamedTuple):
    """A session that found room."""

    mentor: int
    start: datetime
    end: datetime
    mentee: int
    window: int
    steps: list[Step]


class Weeks:
    """Writes one week after the other. Nothing of a week stays in memory but what reaches into the next."""

    SESSION = "id mentor_id mentee_id availability_id start_time end_time topic created_at answer_by"
    CHANGES = " status ending reason acted_for_id ended_by_id version decided_at"
    HISTORY = " history_date history_type history_change_reason history_user_id"

    def __init__(self, cast: Cast, seed: int, today: date, weeks_ahead: int):
        self.cast, self.seed, self.today, self.weeks_ahead = cast, seed, today, weeks_ahead
        self.now = datetime(today.year, today.month, today.day, tzinfo=UTC)
        self.windows = Table(Availability, "id mentor_id start_time end_time from_weekly_hours")
        self.sessions = Table(Session, self.SESSION + self.CHANGES)
        self.before = Table(Session.history.model, self.SESSION + self.CHANGES + self.HISTORY)
        self.notices = Table(Notice, "session_id start_time " + " ".join(Promise._fields))
        self.tables = [self.windows, self.sessions, self.before, self.notices]
        self.window_key = self.session_key = 0
        # Mentor -> the key of their first window in the week to come.
        self.next_window: dict[int, int] = {}
        self.taken: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.held: Counter = Counter()
        self.circles: dict[int, list[int]] = {}

    def _offer(self, week: int) -> None:
        """Write the windows from this week to the end of its quarter, mentor by mentor.

        PostgreSQL's guard takes five times as long for windows that come week by week; and sessions that refer to windows all
        over the table would take long in their turn.
        """
        beyond = (week // QUARTER + 1) * QUARTER
        first, last = self.today + week * WEEK, self.today + beyond * WEEK - DAY
        if beyond >= self.weeks_ahead:
            # As far as the daily task writes: it finds nothing to do on the day around which all lies.
            last = self.today + self.weeks_ahead * WEEK
        for plan in self.cast.mentors:
            self.next_window[plan.key] = self.window_key + 1
            for window in _windows(plan, first, last):
                self.window_key += 1
                self.windows.add(self.window_key, plan.key, window.start, window.end, not plan.by_hand)
            if len(self.windows.rows) >= TOGETHER:
                self.windows.write()

    def write(self, week: int, wanted: int) -> int:
        """The week that begins so many weeks from today, with so many sessions. Returns how many found room."""
        # Each week has a chance of its own: what is ahead is the same, whatever has been.
        chance = random.Random(f"{self.seed}/{week}")  # noqa: S311  a program made up, not a lock
        first = self.today + week * WEEK
        self._forget(first)
        if week % QUARTER == 0 or not self.next_window:
            self._offer(week)
            self.circles.clear()
        openings = [
            (plan, key, start, window.end)
            for plan in self.cast.mentors
            for key, window in enumerate(_windows(plan, first, first + 6 * DAY), self.next_window[plan.key])
            for start in _starts(window)
        ]
        for plan, key, _, _ in openings:
            self.next_window[plan.key] = key + 1
        chance.shuffle(openings)
        placed: list[Placed] = []
        for opening in openings:
            if len(placed) == wanted:
                break
            if one := self._place(chance, *opening, week):
                placed.append(one)
        # In the order of the indexes: fewer of their pages are gone through, which is most of the work.
        for one in sorted(placed, key=attrgetter("mentor", "start")):
            self._keep(chance, one)
        for table in self.tables:
            table.write()
        return len(placed)

    def _place(
        self, chance: random.Random, plan: MentorPlan, window: int, start: datetime, ends: datetime, week: int
    ) -> Placed | None:
        """A session that starts there, if mentor and mentee have time."""
        length = chance.choice(LENGTHS)
        end = start + (length if start + length <= ends else STEP)
        if end > ends or not self._free(plan.key, start - plan.buffer, end + plan.buffer):
            return None
        monday = start.date() - timedelta(days=start.weekday())
        if plan.week_cap and self.held[plan.key, monday] >= plan.week_cap:
            return None
        mentee = self._mentee(chance, plan.key, start, end, week)
        if mentee is None:
            return None
        steps = live(chance, Period(start, end), plan.key, mentee, self.cast.desk, self.now)
        if steps[-1].verb.to != CANCELED:
            for key in (plan.key, mentee):
                self.taken[key].append((start, end))
            if plan.week_cap:
                self.held[plan.key, monday] += 1
        return Placed(plan.key, start, end, mentee, window, steps)

    def _free(self, key: int, start: datetime, end: datetime) -> bool:
        return all(other_end <= start or end <= other_start for other_start, other_end in self.taken[key])

    def _mentee(self, chance: random.Random, mentor: int, start: datetime, end: datetime, week: int) -> int | None:
        """One of the mentor's circle if possible; somebody who is there, and free."""
        circle = self.circles.get(mentor)
        if circle is None:
            circle = self.circles[mentor] = self._circle(mentor, week // QUARTER)
        day = (start - LONGEST_LEAD).date()
        for attempt in range(8):
            mentee = circle[int(len(circle) * chance.random() ** 1.5)] if attempt < 5 else chance.choice(self.cast.mentees)
            if mentee != mentor and self._there(mentee, day, start.date()) and self._free(mentee, start, end):
                return mentee
        return None

    def _circle(self, mentor: int, quarter: int) -> list[int]:
        chance = random.Random(f"{self.seed}/{quarter}/{mentor}")  # noqa: S311
        return chance.choices(self.cast.mentees, k=CIRCLE)

    def _there(self, key: int, asked: date, day: date) -> bool:
        return self.cast.here(key, asked) and self.cast.here(key, day)

    def _keep(self, chance: random.Random, one: Placed) -> None:
        """The session with its history, and its notices."""
        self.session_key += 1
        mentor, mentee, steps, period = one.mentor, one.mentee, one.steps, Period(one.start, one.end)
        asked = steps[0].at
        answer_by = min(asked + ANSWER, one.start)
        same = (self.session_key, mentor, mentee, one.window, one.start, one.end, chance.choice(TOPICS), asked, answer_by)
        decided = None
        for version, step in enumerate(steps, 1):
            verb = step.verb
            ended_by = step.by if verb.to == CANCELED else None
            # Whoever lives past their request has been answered with the second step.
            decided = decided or (step.at if version == 2 else None)
            changes = (verb.to, verb.ending, step.reason, step.acted_for, ended_by, version, decided)
            why = step.change_reason(mentor, mentee)
            self.before.add(*same, *changes, step.at, "~" if version > 1 else "+", why, step.by)
        self.sessions.add(*same, *changes)
        if one.start >= self.now - NOTICES_FROM:
            for promise in promises(chance, period, mentor, mentee, steps, self.cast.off, self.now):
                self.notices.add(self.session_key, one.start, *promise)

    def _forget(self, first: date) -> None:
        """What was long before the week that begins."""
        since = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
        for key in list(self.taken):
            self.taken[key] = [times for times in self.taken[key] if times[1] > since]
        for key, monday in list(self.held):
            if monday < first - 2 * WEEK:
                del self.held[key, monday]


def _windows(plan: MentorPlan, first: date, last: date) -> list[Period]:
    """What a mentor offers on these days, in order."""
    return subtract([period for rule in plan.hours for period in rule.between(first, last)], plan.time_off)


def _starts(window: Period) -> Iterator[datetime]:
    start = window.start
    while start < window.end:
        yield start
        start += STEP
