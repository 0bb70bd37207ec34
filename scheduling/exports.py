"""What leaves with the lists of scheduling: windows, weekly hours, time off, sessions, notices, feedback."""

from people import time_zones
from people.exports import ROSTER_KEY, person
from people.sheets.columns import Clock, Column, Day, Moment, Number, ZoneName
from people.sheets.sheet import Sheet
from scheduling.words import Ending, Kind, Rating, State, Status, Weekday


def labels(kind):
    """From what is stored to what is shown."""
    return {value: str(label) for value, label in kind.choices}


def label(name: str, kind, path: str = "", **kwargs) -> Column:
    words = labels(kind)
    return Column(name, path or name, made=lambda value: words.get(value, ""), choices=lambda: [*words.values()], **kwargs)


MENTOR = Column("mentor", "mentor__user__email", header="Mentor email", contact=True, width=28)
MENTEE = Column("mentee", "mentee__user__email", header="Mentee email", contact=True, width=28)
MENTOR_NAME = person("mentor_name", "mentor__user")
MENTEE_NAME = person("mentee_name", "mentee__user")
TIMES = (Moment("start_time"), Moment("end_time"), ZoneName())

WINDOWS = Sheet("windows", MENTOR, *TIMES, ROSTER_KEY, MENTOR_NAME, comes_back=True)
WEEKLY_HOURS = Sheet(
    "weekly_hours",
    MENTOR,
    label("weekday", Weekday),
    Clock("begins", header="From"),
    Clock("ends", header="To"),
    Column("time_zone", choices=lambda: sorted(time_zones.names()), width=20),
    Day("valid_from_on", header="Valid from"),
    Day("valid_until_on", header="Valid until"),
    Number("every_weeks", choices=lambda: [1, 2]),
    MENTOR_NAME,
    comes_back=True,
)
TIME_OFF = Sheet("time_off", MENTOR, MENTOR_NAME, *TIMES, Column("note", width=30))
SESSIONS = Sheet(
    "sessions",
    MENTOR,
    MENTEE,
    *TIMES,
    Column("status", choices=lambda: [*Status.values]),
    Column("topic", width=30),
    Column("meeting_link", width=30),
    Moment("created_at"),
    ROSTER_KEY,
    MENTOR_NAME,
    MENTEE_NAME,
    label("ending", Ending, compared=False, usual=False),
    Column("reason", compared=False, usual=False, width=30),
    comes_back=True,
)
NOTICES = Sheet(
    "notices",
    Moment("due_at"),
    Moment("sent_at"),
    ZoneName(),
    label("kind", Kind),
    person("to", "recipient"),
    Column("to_email", "recipient__email", header="To, e-mail address", contact=True, width=28),
    label("state", State),
    Column("detail", header="Why", contact=True, width=30),
    Column("answer", header="The server’s answer", contact=True, width=30),
    Number("attempts"),
    person("mentor", "session__mentor__user"),
    person("mentee", "session__mentee__user"),
    Moment("start_time", header="Start time it speaks of", usual=False),
)
FEEDBACK = Sheet(
    "feedback",
    Moment("created_at"),
    ZoneName(),
    Number("rating"),
    label("in_words", Rating, "rating"),
    Column("sentence", width=60),
    person("mentor", "session__mentor__user"),
    person("mentee", "session__mentee__user"),
    Moment("start_time", "session__start_time", header="Session"),
)
