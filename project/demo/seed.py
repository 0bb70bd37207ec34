"""A small program around the real sheets, so that the desk is not empty: made up, the same every time, and lived through
by the verbs. Nothing is inserted that a person could not have done at that moment.
"""

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone

from people.models import Mentee, Mentor, Skill, Team, User
from scheduling import booking
from scheduling.models import Availability

MENTORS, MENTEES = 40, 160
WEEKS_PAST, WEEKS_AHEAD = 3, 3

FIRST_NAMES = [
    "Amara",
    "Ben",
    "Chidi",
    "Dana",
    "Elif",
    "Farid",
    "Grace",
    "Hana",
    "Ivan",
    "Jade",
    "Kofi",
    "Lena",
    "Marco",
    "Nadia",
    "Oskar",
    "Paula",
    "Quentin",
    "Rosa",
    "Samir",
    "Tara",
    "Umar",
    "Vera",
    "Wei",
    "Ximena",
    "Yusuf",
    "Zara",
    "Anton",
    "Bea",
    "Carlos",
    "Diya",
    "Emil",
    "Fatima",
    "Goran",
    "Helga",
    "Ines",
    "Jonas",
    "Keiko",
    "Luis",
    "Mina",
    "Noor",
]
LAST_NAMES = [
    "Abara",
    "Bauer",
    "Castillo",
    "Dubois",
    "Eriksson",
    "Fischer",
    "Gupta",
    "Hansen",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lopes",
    "Meyer",
    "Nguyen",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhang",
]
ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York", "America/Chicago", "Asia/Kolkata", "Asia/Manila", "Africa/Lagos")
SKILLS = (
    "SQL",
    "Python",
    "JavaScript",
    "Django",
    "React",
    "System design",
    "Data structures",
    "Behavioral interviews",
    "Resume help",
    "Job searching",
    "Public speaking",
    "Statistics",
)
TEAMS = ("Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Oak", "Rowan")
TOPICS = ("Mock interview", "Code review", "Career change", "First job", "A talk to prepare", "SQL joins", "")


def sow(now: datetime | None = None) -> Iterator[tuple[int, int]]:
    """Make the program; yields (done, all) as it goes, for a progress bar."""
    now = now or timezone.now()
    chance = random.Random(20)  # noqa: S311  a garden, not a lock
    mentors, mentees = _people(chance)
    windows = _windows(mentors, now, chance)
    for done, window in enumerate(windows):
        if chance.random() < 0.45:
            _live(window, chance.choice(mentees), now, chance)
        yield done + 1, len(windows)


def _people(chance: random.Random) -> tuple[list[Mentor], list[Mentee]]:
    skills = [Skill.objects.create(name=name) for name in SKILLS]
    teams = [Team.objects.create(number=number, name=name) for number, name in enumerate(TEAMS, 1)]
    names = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    chance.shuffle(names)
    mentors, mentees = [], []
    for at, (first, last) in enumerate(names[: MENTORS + MENTEES]):
        user = User(
            first_name=first,
            last_name=last,
            email=f"{first}.{last}@example.net".lower(),
            time_zone=chance.choice(ZONES),
        )
        User.objects.enrol(user)
        if at < MENTORS:
            known = chance.sample(skills, chance.randint(1, 4))
            mentor = Mentor.objects.create(user=user, about_me=f"Ask me about {known[0]}.")
            mentor.skills.set(known)
            mentors.append(mentor)
        else:
            mentees.append(Mentee.objects.create(user=user, team=chance.choice(teams)))
    return mentors, mentees


def _windows(mentors: list[Mentor], now: datetime, chance: random.Random) -> list[Availability]:
    """Two evenings a week for each mentor, at the same local hour whatever the clocks do."""
    monday = now.date() - timedelta(days=now.weekday())
    rows = []
    for mentor in mentors:
        zone = ZoneInfo(mentor.user.time_zone)
        for weekday in chance.sample(range(5), 2):
            hour = chance.choice((9, 12, 17, 18, 19))
            for week in range(-WEEKS_PAST, WEEKS_AHEAD + 1):
                local = datetime.combine(monday + timedelta(weeks=week, days=weekday), time(hour), zone)
                start = local.astimezone(ZoneInfo("UTC"))
                rows.append(Availability(mentor=mentor, start_time=start, end_time=start + timedelta(hours=2)))
    rows = Availability.objects.bulk_create(rows)
    return sorted(rows, key=lambda row: row.start_time)


def _live(window: Availability, mentee: Mentee, now: datetime, chance: random.Random) -> None:
    """One session's life up to now: asked for some days ahead, answered within a day, and what came of it."""
    start = window.start_time + timedelta(minutes=30 * chance.randint(0, 2))
    asked = min(start - timedelta(hours=chance.randint(30, 200)), now - timedelta(hours=chance.randint(1, 20)))
    answered = asked + timedelta(hours=chance.randint(1, 20))
    mentor, fate = window.mentor, chance.random()
    try:
        session = booking.request(
            mentor, mentee, start, chance.choice((30, 30, 60)), by=mentee.user, topic=chance.choice(TOPICS), at=asked
        )
    except ValidationError:
        return  # the mentee has another session then: people check their calendars
    if answered > now:
        return
    if fate < 0.08:
        booking.decline(session, by=mentor.user, reason="I am travelling that week.", at=answered)
        return
    booking.confirm(session, by=mentor.user, at=answered)
    if fate < 0.2 and (called_off := answered + timedelta(hours=2)) < min(start, now):
        booking.cancel(session, by=chance.choice((mentor.user, mentee.user)), reason="Something came up.", at=called_off)
    elif session.end_time < now and fate < 0.9:
        verb = booking.mark_no_show if fate < 0.27 else booking.complete
        verb(session, by=mentor.user, at=session.end_time)
