"""What leaves with the lists of people: mentors, mentees, skills, teams."""

from collections import defaultdict
from functools import lru_cache

from people import time_zones
from people.models import Mentor, NotificationSettings, Skill, Team
from people.sheets.columns import Column, Flag, Names, Number
from people.sheets.sheet import Sheet


def person(name: str, path: str, **kwargs) -> Column:
    """Somebody's name, as it is shown everywhere. ``path``: from the row to the user."""
    parts = [f"{path}__{part}" for part in ("first_name", "last_name", "username")]
    return Column(name, *parts, made=full_name, compared=False, width=24, **kwargs)


@lru_cache(maxsize=4_000)
def full_name(first_name: str | None, last_name: str | None, username: str | None) -> str:
    return f"{first_name or ''} {last_name or ''}".strip() or username or ""


def skills_of(keys) -> dict[int, tuple[str, ...]]:
    found = defaultdict(list)
    known = Mentor.skills.through.objects.filter(mentor__in=keys).order_by("skill__name", "pk")
    for mentor, name in known.values_list("mentor_id", "skill__name"):
        found[mentor].append(name)
    return {mentor: tuple(names) for mentor, names in found.items()}


def wants_messages(*switches: bool | None) -> bool:
    """Who never chose gets all of them."""
    return any(switch is None or switch for switch in switches)


def account(is_active: bool, last_login) -> str:
    if not is_active:
        return "deactivated"
    return "active" if last_login else "not yet used"


PERSON = (
    Column("email", "user__email", contact=True, width=28),
    Column("first_name", "user__first_name"),
    Column("last_name", "user__last_name"),
    Column("time_zone", "user__time_zone", choices=lambda: sorted(time_zones.names()), width=20),
    Column("phone_number", "user__phone_number", made=str, contact=True),
)
NOTIFICATIONS = Flag(
    "opt_in_notifications",
    *(f"user__notification_settings__{switch}" for switch in NotificationSettings.SWITCHES),
    made=wants_messages,
    header="Notifications",
    choices=lambda: ("Y", "N"),
)
ROSTER_KEY = Column("external_id", header="Roster key")
ACCOUNT = Column("account", "user__is_active", "user__last_login", made=account, compared=False, usual=False)

MENTORS = Sheet(
    "mentors",
    *PERSON,
    Column("about_me", width=40),
    Names("skills", skills_of, choices=lambda: list(Skill.objects.values_list("name", flat=True))),
    Column("meeting_link", width=30),
    NOTIFICATIONS,
    ROSTER_KEY,
    ACCOUNT,
    comes_back=True,
)
MENTEES = Sheet(
    "mentees",
    *PERSON,
    Number("team_number", "team__number", choices=lambda: list(Team.objects.values_list("number", flat=True))),
    NOTIFICATIONS,
    ROSTER_KEY,
    Column("goals", compared=False, usual=False, width=40),
    ACCOUNT,
    comes_back=True,
)
SKILLS = Sheet(
    "skills", Column("name", width=30), Number("mentors", "mentor_count", compared=False, usual=False), comes_back=True
)
TEAMS = Sheet(
    "teams",
    Number("number"),
    Column("name", width=30),
    Number("mentees", "mentee_count", compared=False, usual=False),
    comes_back=True,
)
