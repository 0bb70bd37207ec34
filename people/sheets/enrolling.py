"""Mentors and mentees of a sheet written by the thousand, each with their account, history and switches."""

import secrets
from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.utils.text import slugify
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from people.models import Mentee, Mentor, NotificationSettings, Role, Skill, Team, User

TOGETHER = 500
PERSON = ("first_name", "last_name", "email", "time_zone", "phone_number")


def write(roles: list[Role], *, by: User | None) -> list[Skill | Team]:
    """Save these roles of one model with their users, in one transaction that is already open. The skills and teams made for them.

    What a sheet says of them stands on the rows: ``opt_in`` (all switches), ``known`` (skills, some of them not saved yet).
    """
    model = type(roles[0])
    _write_users([role.user for role in roles], by)
    teams = _write_teams(roles) if model is Mentee else []
    new = [role for role in roles if role._state.adding]
    for role in new:
        # Again, now that the user has a key: it is the role's key.
        role.user = role.user
        if isinstance(role, Mentor):
            role.__dict__.setdefault("known", [])
    there = [role for role in roles if not role._state.adding]
    columns = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    bulk_create_with_history(new, model, batch_size=TOGETHER, default_user=by)
    if there:
        bulk_update_with_history(there, model, columns, batch_size=TOGETHER, default_user=by)
    _write_switches(role for role in roles if "opt_in" in role.__dict__)
    return teams + _write_skills([role for role in roles if "known" in role.__dict__])


def _write_users(users: list[User], by: User | None) -> None:
    """As `User.objects.enrol` does for one."""
    new = [user for user in users if user._state.adding]
    _name(new)
    for user in new:
        user.set_unusable_password()
    there = [user for user in users if not user._state.adding]
    could_log_in = [user for user in there if user.has_usable_password() and not user.is_staff]
    proven = set(EmailAddress.objects.filter(user__in=could_log_in, verified=True).values_list("user", flat=True))
    for user in could_log_in:
        if user.pk not in proven:
            # They took an address that nobody knows to be theirs, and waited for the roster.
            user.set_unusable_password()
            user.wanted_role = ""
    for user in users:
        user.email = user.email.strip().lower()
    bulk_create_with_history(new, User, batch_size=TOGETHER, default_user=by)
    for user in new:
        # Known to be none: nobody asks for each of them.
        user._state.fields_cache["notification_settings"] = None
    if there:
        fields = [*PERSON, "password", "wanted_role"]
        bulk_update_with_history(there, User, fields, batch_size=TOGETHER, default_user=by)


def _name(users: list[User]) -> None:
    """User names for new accounts, made from the person's name, never from the address: they are shown to others."""
    nameless = list(users)
    given: set[str] = set()
    while nameless:
        for user in nameless:
            base = slugify(f"{user.first_name}{user.last_name}").replace("-", "")[:100] or "member"
            user.username = base if base not in given else f"{base}{secrets.randbelow(10**8)}"
            given.add(user.username)
        wanted = [user.username for user in nameless]
        taken = {name.lower() for name in User.objects.filter(username__in=wanted).values_list("username", flat=True)}
        nameless = [user for user in nameless if user.username in taken]


def _write_switches(roles: Iterable[Role]) -> None:
    """One column for all five switches: what rosters have."""
    rows = [
        NotificationSettings(user_id=role.user_id, **dict.fromkeys(NotificationSettings.SWITCHES, role.opt_in))
        for role in roles
    ]
    NotificationSettings.objects.bulk_create(
        rows,
        batch_size=TOGETHER,
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=list(NotificationSettings.SWITCHES),
    )


def _write_teams(mentees: list[Mentee]) -> list[Team]:
    made = []
    for mentee in mentees:
        # What is not in its cache is saved.
        team = mentee._state.fields_cache.get("team")
        if team is None:
            continue
        if team._state.adding:
            team.save()
            made.append(team)
        # Again, now that it has a key.
        mentee.team = team
    return made


def _write_skills(mentors: list[Mentor]) -> list[Skill]:
    made = [skill for mentor in mentors for skill in mentor.known if skill._state.adding]
    made = list({skill.name.lower(): skill for skill in made}.values())
    for skill in made:
        skill.save()
    through = Mentor.skills.through
    through.objects.filter(mentor__in=mentors).delete()
    rows = [through(mentor_id=mentor.pk, skill_id=skill.pk) for mentor in mentors for skill in mentor.known]
    through.objects.bulk_create(rows, batch_size=TOGETHER)
    return made


# ---- put back ---------------------------------------------------------------------------------------------------------


def snapshot(role: Role) -> dict:
    """What a set of changes keeps of a person in one role: their columns, and those of their account."""
    columns = [field.attname for field in role._meta.concrete_fields if not field.primary_key]
    kept = {name: getattr(role, name) for name in columns}
    kept["user"] = {name: str(getattr(role.user, name)) for name in PERSON}
    kept["switches"] = _switches(role)
    if isinstance(role, Mentor):
        skills = role.known if "known" in role.__dict__ else role.skills.all()
        kept["skills"] = sorted(skill.pk for skill in skills)
    return kept


def _switches(role: Role) -> dict[str, bool]:
    if "opt_in" in role.__dict__:
        return dict.fromkeys(NotificationSettings.SWITCHES, role.opt_in)
    settings = getattr(role.user, "notification_settings", None)
    return {switch: settings is None or getattr(settings, switch) for switch in NotificationSettings.SWITCHES}
