"""A believable program of any size, made up from a seed: the same seed and the same day give the same data, row for row.

It stands as at midnight UTC at the beginning of that day. It is written by bulk statements in one transaction, past every
form, and therefore only into an empty database; what must never be false is looked at by the database's own constraints
and guards. Every session has its whole history; notices are there for those of the last two weeks and of what is ahead.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from math import ceil

from people.models import Skill, Team, User
from project.populate.bulk import know_sizes, writing
from project.populate.people import PROGRAM_ZONE, People
from project.populate.weeks import Weeks
from scheduling.models import Availability, Notice, Program, Session

# A mentor offers about twelve half hours a week. So many of them are sessions, on average, and so often a mentee has one:
# about half of what is possible.
MENTOR_WEEK, MENTEE_WEEK = 3.5, 2
SHORTEST, LONGEST = 26, 520  # weeks
# How full the weeks ahead are, beside a week that has been.
AHEAD = (1, 0.6, 0.35, 0.2, 0.12, 0.08, 0.05, 0.03)


@dataclass(frozen=True)
class Plan:
    """How large the program is, and how long it has been running."""

    mentors: int
    mentees: int
    past: int
    ahead: int
    weeks: int

    @classmethod
    def of(cls, mentors: int, mentees: int, sessions: int) -> "Plan":
        """Raises ValueError where so many sessions would not find time."""
        week = min(mentors * MENTOR_WEEK, mentees * MENTEE_WEEK)
        weeks = max(SHORTEST, ceil(sessions / week)) if week else SHORTEST
        if weeks > LONGEST or (sessions and not week):
            most = int(week * LONGEST)
            raise ValueError(
                f"{mentors} mentors and {mentees} mentees hold {most} sessions at most. Ask for fewer, or for more people."
            )
        ahead = round(sessions * sum(AHEAD) / (weeks + sum(AHEAD)))
        return cls(mentors, mentees, sessions - ahead, ahead, weeks)

    def shares(self, weeks_ahead: int) -> dict[int, int]:
        """Week (0 begins today) -> how many sessions it holds."""
        # The program grows: the first week has half of what the last has.
        past = [1 + week / self.weeks for week in range(self.weeks)]
        ahead = [*AHEAD, *[0] * weeks_ahead][:weeks_ahead]
        return dict(enumerate(_split(self.past, past) + _split(self.ahead, ahead), -self.weeks))


def populate(
    plan: Plan, *, seed: int, today: date, progress: Callable[[int, int], None] = lambda done, of: None
) -> dict[str, int]:
    """Write it, all or nothing. Returns how many rows of what. Raises ValueError where the database is in use, or the plan
    does not fit.
    """
    if in_use():
        raise ValueError(
            "This database is in use, and made-up people have no place in it. Name an empty one (DATA_DIR for SQLite, or"
            " DATABASE_URL), run `manage.py migrate` there, and try again."
        )
    weeks_ahead = Program().weeks_ahead
    people = People(random.Random(seed), today, plan.weeks)  # noqa: S311  a program made up, not a lock
    shares = plan.shares(weeks_ahead)
    tables = list(people.tables)
    with writing(tables, large=(Session, Session.history.model, Availability, Notice)):
        Program.objects.update_or_create(pk=1, defaults={"name": "Populated program", "time_zone": PROGRAM_ZONE})
        weeks = Weeks(people.make(plan.mentors, plan.mentees), seed, today, weeks_ahead)
        tables += weeks.tables
        missing = 0
        for done, (week, share) in enumerate(shares.items()):
            progress(done, len(shares))
            wanted = share + missing
            missing = wanted - weeks.write(week, wanted)
            if week == -plan.weeks:
                know_sizes()
        progress(len(shares), len(shares))
        if missing:
            raise ValueError(f"There was no time for {missing} of the sessions. Ask for fewer, or for more people.")
    return {str(table.model._meta.verbose_name_plural): table.written for table in tables}


def in_use() -> bool:
    """Has anybody worked in this database? History rows of what was removed count."""
    models = (User, Skill, Team, Session, User.history.model, Session.history.model)
    return any(model.objects.exists() for model in models)


def _split(number: int, weights: list[float]) -> list[int]:
    """In proportion to the weights, with nothing lost to rounding."""
    total = sum(weights) or 1
    marks = [round(number * mark / total) for mark in accumulate(weights)]
    return [mark - before for before, mark in zip([0, *marks], marks, strict=False)]
