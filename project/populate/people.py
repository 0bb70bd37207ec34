"""Who there is: coordinators, mentors in many zones with what they know and when they are there, mentees in teams.

Some left, some came late, some are both mentor and mentee, some have turned their mail off.
"""

import random
import string
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group

from people.models import Mentee, Mentor, NotificationSettings, Skill, Team, User
from project.demo.seed import FIRST_NAMES, LAST_NAMES
from project.groups import COORDINATORS
from project.populate.bulk import Table
from scheduling.hours import Hours
from scheduling.models import MentorLimits, TimeOff, WeeklyHours
from scheduling.slots import Period

PROGRAM_ZONE = "America/New_York"
# Zone -> of a hundred people, how many live there. Those of the program's zone have not all said so.
ZONES = {
    "": 12,
    PROGRAM_ZONE: 14,
    "America/Chicago": 10,
    "America/Los_Angeles": 10,
    "America/Sao_Paulo": 5,
    "Europe/London": 9,
    "Europe/Berlin": 10,
    "Europe/Lisbon": 4,
    "Africa/Lagos": 6,
    "Asia/Kolkata": 9,
    "Asia/Manila": 6,
    "Australia/Sydney": 5,
}
# The most common first: each is known to fewer than the one before (Zipf).
SKILLS = """Python, JavaScript, SQL, Job searching, React, Resume help, Behavioral interviews, Git, Data structures, Java,
Django, CSS, System design, Public speaking, TypeScript, Statistics, Career change, Excel, Linux, Machine learning, Node.js,
Testing, Code review, Docker, C#, PostgreSQL, Salary negotiation, Project management, REST APIs, UX design, Go, Security,
Data visualization, AWS, PHP, Agile, C++, Kubernetes, Accessibility, Networking events, Spring, R, Kotlin, Time management,
Vue, Technical writing, Pandas, Swift, Algorithms, Portfolio review, Redis, Angular, Azure, Freelancing, Ruby on Rails,
Data engineering, Figma, Rust, GraphQL, Mobile apps, Terraform, Product management, Spark, Game development, Leadership,
Scala, Embedded systems, Natural language processing, Elixir, Open source, Computer vision, Grant writing, Robotics, Haskell,
Quantum computing, COBOL, Bioinformatics, Fortran, Erlang, Prolog""".replace("\n", " ").split(", ")
TEAM_NAMES = (
    "Alder",
    "Aspen",
    "Beech",
    "Birch",
    "Cedar",
    "Cherry",
    "Elm",
    "Fir",
    "Hazel",
    "Holly",
    "Juniper",
    "Larch",
    "Linden",
)
TEAM_SIZE = 8
DESK = 3  # coordinators
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(slots=True)
class MentorPlan:
    """What the weeks and sessions of a mentor are made from."""

    key: int
    hours: list[Hours]
    # Entered by hand, window by window, and not by a rule.
    by_hand: bool
    time_off: list[Period] = field(default_factory=list)
    week_cap: int | None = None
    buffer: timedelta = timedelta(0)


@dataclass
class Cast:
    desk: list[int]
    mentors: list[MentorPlan]
    mentees: range
    # Key -> the first and the last day in the program.
    joined: dict[int, date]
    left: dict[int, date]
    # Key -> the switches of notification_settings that this person has turned off.
    off: dict[int, set[str]]

    def here(self, key: int, day: date) -> bool:
        return self.joined[key] <= day and (key not in self.left or day <= self.left[key])


class People:
    """Makes and writes them."""

    USER = "id username first_name last_name email password is_staff is_active date_joined time_zone"
    HISTORY = " history_date history_type history_user_id"
    MENTOR, MENTEE = "user_id about_me", "user_id team_id"

    def __init__(self, chance: random.Random, today: date, weeks: int):
        self.chance, self.today, self.weeks = chance, today, weeks
        self.begun = today - weeks * WEEK
        self.users = Table(User, self.USER)
        self.users_before = Table(User.history.model, self.USER.replace("password ", "") + self.HISTORY)
        self.skills = Table(Skill, "id name")
        self.teams = Table(Team, "id number name")
        self.mentors = Table(Mentor, self.MENTOR)
        self.mentors_before = Table(Mentor.history.model, self.MENTOR + self.HISTORY)
        self.known = Table(Mentor.skills.through, "mentor_id skill_id")
        self.mentees = Table(Mentee, self.MENTEE)
        self.mentees_before = Table(Mentee.history.model, self.MENTEE + self.HISTORY)
        self.groups = Table(User.groups.through, "user_id group_id")
        self.switches = Table(NotificationSettings, "user_id " + " ".join(NotificationSettings.SWITCHES))
        self.hours = Table(WeeklyHours, "mentor_id weekday begins ends time_zone valid_from_on valid_until_on every_weeks")
        self.time_off = Table(TimeOff, "mentor_id start_time end_time note")
        self.limits = Table(MentorLimits, "mentor_id week_cap buffer_minutes paused_until_on")
        # In an order in which nothing refers to what is not there yet.
        self.tables = [
            *(self.users, self.users_before, self.groups, self.switches, self.skills, self.teams),
            *(self.mentors, self.mentors_before, self.known, self.mentees, self.mentees_before),
            *(self.hours, self.time_off, self.limits),
        ]
        self.steady: set[int] = set()
        self.joined: dict[int, date] = {}
        self.left: dict[int, date] = {}
        self.off: dict[int, set[str]] = {}

    def make(self, mentors: int, mentees: int) -> Cast:
        desk = list(range(1, DESK + 1))
        first_mentor = DESK + 1
        # Mentors who are mentees, too: the last of the ones are the first of the others.
        both = min(mentors, mentees) // 50
        first_mentee = first_mentor + mentors - both
        zones = self.chance.choices(list(ZONES), list(ZONES.values()), k=mentors + mentees)
        # A program of one mentor and one mentee would be none without them.
        self.steady = {*desk, first_mentor, first_mentee}
        for key in desk:
            self._user(key, PROGRAM_ZONE, staff=True)
        coordinators = Group.objects.get(name=COORDINATORS)
        for key in desk:
            self.groups.add(key, coordinators.pk)
        for at in range(first_mentee - first_mentor + mentees):
            self._user(first_mentor + at, zones[at])
        for key, name in enumerate(SKILLS, 1):
            self.skills.add(key, name)
        plans = [self._mentor(first_mentor + at, zones[at]) for at in range(mentors)]
        self._mentees(range(first_mentee, first_mentee + mentees))
        for table in self.tables:
            table.write()
        return Cast(desk, plans, range(first_mentee, first_mentee + mentees), self.joined, self.left, self.off)

    def _user(self, key: int, zone: str, *, staff: bool = False) -> None:
        chance = self.chance
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        # Most were there from the start, the others came one by one; some left again.
        late = 0 if key in self.steady or chance.random() < 0.6 else chance.randrange(self.weeks * 7)
        joined = self.begun - timedelta(days=chance.randint(30, 60)) + timedelta(days=late)
        if key not in self.steady and chance.random() < 0.05:
            self.left[key] = joined + timedelta(days=chance.randint(0, (self.today - joined).days - 1))
        self.joined[key] = joined
        username, email = f"{first}{last}{key}".lower(), f"{first}.{last}.{key}@example.org".lower()
        nobody_knows_it = "!" + "".join(chance.choices(string.ascii_letters + string.digits, k=40))
        enrolled = _noon(joined)
        fixed = (key, username, first, last, email)
        active = key not in self.left
        self.users.add(*fixed, nobody_knows_it, staff, active, enrolled, zone)
        self.users_before.add(*fixed, staff, True, enrolled, zone, enrolled, "+", None if staff else 1)
        if not active:
            self.users_before.add(*fixed, staff, False, enrolled, zone, _noon(self.left[key] + DAY), "~", 1)
        if chance.random() < 0.1:
            switches = NotificationSettings.SWITCHES
            off = set(chance.choice((switches, switches[-1:], switches[-2:])))
            self.off[key] = off
            self.switches.add(key, *(name not in off for name in switches))

    def _mentor(self, key: int, zone: str) -> MentorPlan:
        chance, enrolled = self.chance, _noon(self.joined[key])
        skills = self._some_skills()
        about = f"Ask me about {SKILLS[skills[0] - 1]}."
        self.mentors.add(key, about)
        self.mentors_before.add(key, about, enrolled, "+", 1)
        for skill in skills:
            self.known.add(key, skill)

        plan = MentorPlan(key, self._weekly_hours(key, zone or PROGRAM_ZONE), by_hand=chance.random() < 0.1)
        if not plan.by_hand:
            for rule in plan.hours:
                until = self.left.get(key)
                self.hours.add(key, rule.weekday, rule.begins, rule.ends, rule.zone.key, rule.since, until, rule.every)
        if chance.random() < 0.2:
            for note in chance.sample(("Holidays", "Family", "A conference", ""), chance.randint(1, 2)):
                start = self.begun + timedelta(days=chance.randrange((self.weeks + 8) * 7))
                away = Period(_noon(start), _noon(start + timedelta(days=chance.randint(2, 16))))
                plan.time_off.append(away)
                self.time_off.add(key, away.start, away.end, note)
        if chance.random() < 0.08:
            cap, buffer, paused = chance.choice(
                ((4, None, 0), (6, None, 0), (None, 10, 0), (None, 15, 0), (5, 10, 0), (None, None, 1))
            )
            plan.week_cap, plan.buffer = cap, timedelta(minutes=buffer or 0)
            self.limits.add(key, cap, buffer, self.today + timedelta(days=chance.randint(3, 40)) if paused else None)
        return plan

    def _some_skills(self) -> list[int]:
        """One to six, the common ones more often; the best known of this mentor first."""
        weights = [1 / rank for rank in range(1, len(SKILLS) + 1)]
        return list(dict.fromkeys(self.chance.choices(range(1, len(SKILLS) + 1), weights, k=self.chance.randint(1, 6))))

    def _weekly_hours(self, key: int, zone: str) -> list[Hours]:
        """On one to four days, most in the evening; from some days after joining until the mentor leaves."""
        chance = self.chance
        rules = []
        since = max(self.joined[key] + timedelta(days=chance.randint(16, 29)), self.begun)
        for weekday in sorted(chance.sample(range(7), chance.choice((1, 2, 2, 3, 4)))):
            hour = chance.choice((8, 9, 12)) if chance.random() < 0.35 else chance.choice((17, 18, 18, 19))
            half_hours = chance.choice((3, 4, 4, 5, 6))
            begins = time(hour, chance.choice((0, 0, 30)))
            ends = (datetime.combine(since, begins) + half_hours * timedelta(minutes=30)).time()
            every = 2 if chance.random() < 0.08 else 1
            until = self.left.get(key)
            if until and until < since:
                continue
            rules.append(Hours(weekday, begins, ends, ZoneInfo(zone), since, until, every))
        return rules

    def _mentees(self, keys: range) -> None:
        teams = range(1, len(keys) // TEAM_SIZE + 1)
        for number in teams:
            self.teams.add(number, number, f"{TEAM_NAMES[number % len(TEAM_NAMES)]} {number // len(TEAM_NAMES) + 1}")
        for key in keys:
            team = self.chance.choice(teams) if teams and self.chance.random() < 0.9 else None
            self.mentees.add(key, team)
            self.mentees_before.add(key, team, _noon(self.joined[key]), "+", 1)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
