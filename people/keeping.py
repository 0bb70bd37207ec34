"""What is kept about a person as a person: the account, the roles, how they log in. Given to them, and emptied."""

from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast
from django_q.models import Failure

from people import changes
from people.accounts import ROLES
from people.imports import work
from people.models import ApiToken, Invitation, Mentee, Mentor, NotificationSettings, Photo, SkillSuggestion, User
from people.privacy import COLLEAGUE, MACHINE, OPENS, Keeper, Part

FIRST_NAME, LAST_NAME = "Erased", "person"
NAME = f"{FIRST_NAME} {LAST_NAME}"

ACCOUNT = {
    "user_name": "username",
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email",
    # As it is stored: what the field makes of it is no text.
    "phone_number": Cast("phone_number", TextField()),
    "time_zone": "time_zone",
    "language": "language",
    "wants_to_become": "wanted_role",
    "takes_part": "is_active",
    "leaves_on": "leaves_on",
    "was_a_mentor_until": "mentor_ended_at",
    "was_a_mentee_until": "mentee_ended_at",
    "is_staff": "is_staff",
    "is_superuser": "is_superuser",
    "joined_at": "date_joined",
}
MENTOR = {"roster_key": "external_id", "about_me": "about_me", "meeting_link": "meeting_link"}
MENTEE = {"roster_key": "external_id", "team_number": "team__number", "team_name": "team__name", "goals": "goals"}
CHANGE = {"changed_at": "history_date", "change": "history_type", "why": "history_change_reason"}
CHANGED_BY = {"history_id": MACHINE, "history_user": COLLEAGUE}


class PeopleKeeper(Keeper):
    parts = (
        Part("person", "people.User", ("pk",), {**ACCOUNT, "last_login_at": "last_login"}, {"id": MACHINE, "password": OPENS}),
        Part("person_before", "people.HistoricalUser", ("id",), {**ACCOUNT, **CHANGE}, CHANGED_BY),
        Part("mentor", "people.Mentor", ("user",), MENTOR),
        Part("mentor_before", "people.HistoricalMentor", ("user",), {**MENTOR, **CHANGE}, CHANGED_BY),
        Part("skills", "people.Mentor_skills", ("mentor",), {"skill": "skill__name"}, {"id": MACHINE}),
        Part(
            "suggested_skills",
            "people.SkillSuggestion",
            ("mentor",),
            {"skill": "name", "asked_at": "asked_at", "state": "state"},
            {"id": MACHINE, "settled_by": COLLEAGUE},
        ),
        Part("mentee", "people.Mentee", ("user",), MENTEE),
        Part("mentee_before", "people.HistoricalMentee", ("user",), {**MENTEE, **CHANGE}, CHANGED_BY),
        Part(
            "notification_settings",
            "people.NotificationSettings",
            ("user",),
            {name: name for name in NotificationSettings.SWITCHES},
            {"id": MACHINE},
        ),
        Part(
            "email_addresses",
            "account.EmailAddress",
            ("user",),
            {"email": "email", "verified": "verified", "primary": "primary"},
            {"id": MACHINE},
        ),
        Part(
            "email_confirmations",
            "account.EmailConfirmation",
            ("email_address__user",),
            {"email": "email_address__email", "made_at": "created", "sent_at": "sent"},
            {"id": MACHINE, "key": OPENS},
        ),
        Part(
            "second_factors",
            "mfa.Authenticator",
            ("user",),
            {"kind": "type", "made_at": "created_at", "last_used_at": "last_used_at"},
            {"id": MACHINE, "data": OPENS},
        ),
        Part(
            "devices",
            "usersessions.UserSession",
            ("user",),
            {"logged_in_at": "created_at", "last_seen_at": "last_seen_at", "address": "ip", "browser": "user_agent"},
            {"id": MACHINE, "session_key": OPENS, "data": MACHINE},
        ),
        Part(
            "access_keys",
            "people.ApiToken",
            ("user",),
            {
                "name": "name",
                "begins_with": "prefix",
                "made_at": "created_at",
                "last_used_at": "last_used_at",
                "expires_at": "expires_at",
            },
            {"id": MACHINE, "digest": OPENS, "password_seal": OPENS},
        ),
        Part("photo", "people.Photo", ("user",), {"has_one": Value(True)}, {"file": MACHINE}),
        Part("groups", "people.User_groups", ("user",), {"group": "group__name"}, {"id": MACHINE}),
        Part(
            "permissions",
            "people.User_user_permissions",
            ("user",),
            {"permission": "permission__codename"},
            {"id": MACHINE},
        ),
        Part(
            "invitation",
            "people.Invitation",
            ("user",),
            {"asked_at": "asked_at", "state": "state", "sent_at": "sent_at", "times": "times"},
            {"by": COLLEAGUE, "attempts": MACHINE, "not_before": MACHINE},
        ),
        Part(
            "erasure_requests",
            "people.ErasureRequest",
            ("person",),
            {"asked_at": "asked_at", "state": "state", "settled_at": "settled_at", "answer": "answer"},
            {"id": MACHINE, "settled_by": COLLEAGUE},
        ),
    )
    left_out = {
        "admin.LogEntry": "what coordinators did in the admin: it is about the people they did it to",
        "people.Import": "which sheets coordinators imported, and when",
        "people.SheetExport": "which lists coordinators took out: it is kept for the program",
        "people.ChangeSet": "what coordinators did in one go; each change is told with what it changed",
    }

    # The one place for files that people give us.
    def files(self, user):
        return [("photo.webp", photo.file) for photo in Photo.objects.filter(user=user)]

    def empty(self, user):
        known = _addresses(user)
        changes.forget(User, [user.pk])
        work.forget_waiting()
        changes.forget_name(str(user))
        changes.forget(NotificationSettings, list(NotificationSettings.objects.filter(user=user).values_list("pk", flat=True)))
        for model in (ApiToken, NotificationSettings, EmailAddress, Authenticator, UserSession, Photo, Invitation):
            model.objects.filter(user=user).delete()
        _end_log_ins(user, known)
        _blacken_log(user, known)
        _forget_failures(known | {user.get_full_name()})
        for role in ROLES:
            empty_role(user, role)
        for model in (Mentor.history, Mentor.objects, Mentee.history, Mentee.objects):
            model.filter(user=user.pk).update(external_id="")
        _empty_account(user)

    def forget(self, keys):
        for model in (User, Mentor, Mentee):
            model.history.filter(**{f"{model._meta.pk.attname}__in": keys}).delete()
            changes.forget(model, keys)


def empty_role(user: User, role: str) -> None:
    """What somebody said of themselves in this role goes, also what it was before. The row stays, and the roster's key."""
    changes.forget(ROLES[role], [user.pk])
    nothing = {"about_me": "", "meeting_link": ""} if role == "mentor" else {"team": None, "goals": ""}
    for rows in (ROLES[role].history, ROLES[role].objects):
        rows.filter(user=user.pk).update(**nothing)
    if role == "mentor":
        SkillSuggestion.objects.filter(mentor=user.pk).delete()
        Mentor.skills.through.objects.filter(mentor=user.pk).delete()


def _addresses(user: User) -> set[str]:
    """All that the person ever had here, in small letters."""
    found = {user.email, *user.emailaddress_set.values_list("email", flat=True), *user.history.values_list("email", flat=True)}
    return {email.lower() for email in found if email}


def _end_log_ins(user: User, addresses: set[str]) -> None:
    """Log-ins, and what was typed and not sent. Also what a stranger to the house left who began to sign up or to log in."""
    ended = [session.pk for session in Session.objects.iterator() if _is_of(session.get_decoded(), user, addresses)]
    Session.objects.filter(pk__in=ended).delete()


def _is_of(session: dict, user: User, addresses: set[str]) -> bool:
    if session.get("_auth_user_id") == str(user.pk):
        return True
    text = str(session).lower()
    return any(address in text for address in addresses)


def _blacken_log(user: User, addresses: set[str]) -> None:
    """That something was done, when and by whom, stays in the admin's log; what it was done to is nobody any more."""
    kinds = ContentType.objects.get_for_models(User, Mentor, Mentee).values()
    about = Q(content_type__in=kinds, object_id=str(user.pk))
    for address in addresses:
        about |= Q(object_repr__icontains=address) | Q(change_message__icontains=address)
    LogEntry.objects.filter(about).update(object_repr=NAME, change_message="")


def _forget_failures(words: set[str]) -> None:
    """A task that failed keeps what was said, and a mail server may have said the address."""
    words = {word.lower() for word in words if word}
    told = [row.pk for row in Failure.objects.iterator() if any(word in str(row.result).lower() for word in words)]
    Failure.objects.filter(pk__in=told).delete()


def _empty_account(user: User) -> None:
    key = f"erased-{uuid4().hex[:12]}"
    user.username, user.email = key, f"{key}@erased.invalid"
    user.first_name, user.last_name = FIRST_NAME, LAST_NAME
    user.phone_number = user.time_zone = user.language = user.wanted_role = ""
    user.last_login = user.leaves_on = None
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.groups.clear()
    user.user_permissions.clear()
    user.history.update(
        **{name: getattr(user, name) for name in ("username", "email", "first_name", "last_name")},
        phone_number="",
        time_zone="",
        language="",
        wanted_role="",
    )
    user.save()
