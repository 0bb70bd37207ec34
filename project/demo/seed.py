"""A small program around the real sheets, so that the desk is not empty: made up, the same every time, and lived through
by the verbs. Nothing is inserted that a person could not have done at that moment.
"""

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from people.models import Mentee, Mentor, Skill, Team, User
from scheduling import booking, offering
from scheduling.models import Availability, MentorLimits, TimeOff, WeeklyHours
from scheduling.moments import day_begins

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
NOTES = ("Conference", "At my sister's", "Moving house", "Holidays", "")
TOPICS = ("Mock interview", "Code review", "Career change", "First job", "A talk to prepare", "SQL joins", "")


def sow(now: datetime | None = None) -> Iterator[tuple[int, int]]:
    """Make the program; yields (done, all) as it goes, for a progress bar."""
    now = now or timezone.now()
    chance = random.Random(20)  # noqa: S311  a garden, not a lock
    # The mentors of the sheets have single windows there; they say when they are free every week, too.
    others = list(Mentor.objects.select_related("user").order_by("pk"))
    mentors, mentees = _people(chance)
    _weekly_hours(others + mentors, now, chance)
    until = now + timedelta(weeks=WEEKS_AHEAD)
    windows = Availability.objects.filter(mentor__in=mentors, start_time__lt=until).select_related("mentor__user")
    for done, window in enumerate(windows):
        if chance.random() < 0.45:
            _live(window, chance.choice(mentees), now, chance)
        yield done + 1, len(windows)
    _exceptions(mentors, now, chance)
    # One of them is who the demo is looked at as (load.LOGINS).
    _limits([*others[-1:], *chance.sample(mentors, 8)], now, chance)


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


def _weekly_hours(mentors: list[Mentor], now: datetime, chance: random.Random) -> None:
    """Two evenings a week for each mentor, some every second week only, and the windows of the weeks gone by."""
    since = now - timedelta(weeks=WEEKS_PAST)
    for mentor in mentors:
        for weekday in chance.sample(range(5), 2):
            hour = chance.choice((9, 12, 17, 18, 19))
            hours = WeeklyHours(
                mentor=mentor,
                weekday=weekday,
                begins=time(hour),
                ends=time(hour + 2),
                time_zone=mentor.user.time_zone,
                valid_from_on=since.date(),
                every_weeks=chance.choice((1, 1, 1, 2)),
            )
            offering.make(offering.save_hours(hours), by=mentor.user)
    keys = [mentor.pk for mentor in mentors]
    offering.write_ahead(keys, at=since)
    offering.write_ahead(keys)


def _exceptions(mentors: list[Mentor], now: datetime, chance: random.Random) -> None:
    """No week is like the other: some take days off, and some offer more, or less, than every week."""
    for mentor in chance.sample(mentors, 10):
        first = now.date() + timedelta(days=chance.randint(3, 16))
        with timezone.override(mentor.user.time_zone):
            start, end = day_begins(first), day_begins(first + timedelta(days=chance.randint(1, 6)))
        off = TimeOff(mentor=mentor, start_time=start, end_time=end, note=chance.choice(NOTES))
        _change(mentor, offering.save_time_off(off))
    for mentor in chance.sample(mentors, 12):
        [window, later] = mentor.availabilities.filter(start_time__gt=now + timedelta(days=2))[:2]
        earlier = timedelta(minutes=30 * chance.randint(1, 3))
        match chance.choice(("longer", "removed", "extra")):
            case "longer":
                window.start_time -= earlier
                _change(mentor, offering.save_window(window))
            case "removed":
                _change(mentor, offering.remove_window(later))
            case "extra":
                end = window.start_time - earlier
                _change(mentor, offering.save_window(Availability(mentor=mentor, start_time=end - earlier, end_time=end)))


def _change(mentor: Mentor, change: offering.Change) -> None:
    """The next session it touches takes place all the same; the mentor calls off the others."""
    kept, *canceled = [session.pk for session in offering.touched(change)] or [None]
    offering.make(change, by=mentor.user, keep=[kept], cancel=canceled, reason="I am away then. Please book another time.")


def _limits(mentors: list[Mentor], now: datetime, chance: random.Random) -> None:
    for mentor in mentors:
        MentorLimits.objects.create(mentor=mentor, week_cap=chance.choice((2, 3, 4)), buffer_minutes=chance.choice((None, 15)))
    paused = mentors[-1].limits
    paused.paused_until_on = now.date() + timedelta(days=10)
    paused.save()


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
