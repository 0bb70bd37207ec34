"""How the rest of the house asks for people."""

import hashlib
import secrets
from datetime import timedelta

from allauth.utils import generate_unique_username
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _


class UserManager(DjangoUserManager):
    def with_email(self, email: str) -> "models.Model | None":
        """The one user with this address, whatever its case, or None."""
        return self.filter(email__iexact=email.strip()).first()

    def create_user(self, username=None, email=None, password=None, **fields):
        """A user known by e-mail; the user name may be left out."""
        if not username:
            username = self._free_username(fields.get("first_name", ""), fields.get("last_name", ""))
        return super().create_user(username, email, password, **fields)

    def enrol(self, user):
        """Save a user that staff entered. A new one has no password yet: they set one from the invitation.

        Nor has one who signed up with this address and never showed that it is theirs: a stranger could have done that
        before the roster came, and waited.
        """
        if user.pk is None:
            user.username = self._free_username(user.first_name, user.last_name)
            user.set_unusable_password()
        elif user.has_usable_password() and not user.is_staff and not user.emailaddress_set.filter(verified=True).exists():
            user.set_unusable_password()
            user.wanted_role = ""
        user.email = user.email.strip().lower()
        user.save()

    def _free_username(self, first_name: str, last_name: str) -> str:
        """Made from the person's name, never from the address: user names are shown to others."""
        return generate_unique_username([f"{first_name}{last_name}", "member"])


class RoleQuerySet(models.QuerySet):
    """Mentors or mentees, seen from either role."""

    def with_people(self):
        return self.select_related("user")

    def active(self):
        """Those who take part: their account is not deactivated, and they have not given the role up."""
        return self.filter(**{"user__is_active": True, f"user__{self.model._meta.model_name}_ended_at": None})

    def with_email(self, email: str):
        return self.filter(user__email__iexact=email.strip()).select_related("user").first()


class MentorQuerySet(RoleQuerySet):
    def visible_to(self, user):
        """Any member may look for a mentor; staff see those who left, too."""
        if user.is_staff:
            return self
        return self.active() if user.is_authenticated else self.none()

    def knowing(self, skills):
        """Those who have every one of these skills, or their keys, however many: in one question to the database."""
        known = self.model.skills.through.objects.filter(skill__in=skills).values("mentor")
        return self.filter(pk__in=known.annotate(how_many=Count("pk")).filter(how_many=len(skills)).values("mentor"))

    def who_know(self, names: str):
        """Those who know all of these, named with commas between; whatever the case, but the whole name.

        Compared here: SQLite knows the two cases of a-z only.
        """
        skills = self.model._meta.get_field("skills").related_model.objects
        keys = {name.casefold(): pk for pk, name in skills.values_list("pk", "name")}
        wanted = {name.strip().casefold() for name in names.split(",")} - {""}
        return self.knowing([keys[name] for name in wanted]) if wanted and wanted <= keys.keys() else self.none()


class MenteeQuerySet(RoleQuerySet):
    def visible_to(self, user):
        """Mentees are seen by mentors and staff, and by themselves."""
        if user.is_staff:
            return self
        if not user.is_authenticated:
            return self.none()
        if user.is_mentor:
            return self.filter(Q(user__is_active=True, user__mentee_ended_at=None) | Q(pk=user.pk))
        return self.filter(pk=user.pk)


class ApiTokenManager(models.Manager):
    """Access keys. What a person is shown is kept nowhere: the row has its digest."""

    MOST = 10
    # Not every request writes.
    USE_IS_NOTED_EVERY = timedelta(minutes=1)
    # Keys that programs got with a password.
    LOG_IN, LOG_IN_DAYS, MOST_LOG_INS = "Log-in of a program", 30, 5

    def issue(self, user, name: str, days: int) -> str:
        """A new key, to be shown once. Raises ValidationError where the person has too many."""
        token = secrets.token_urlsafe(32)
        with transaction.atomic():
            # Two requests at once must not both be the tenth.
            people = self.model._meta.get_field("user").related_model.objects
            user = people.select_for_update(no_key=True).get(pk=user.pk)
            if self.filter(user=user).count() >= self.MOST:
                raise ValidationError(
                    _("You have %(count)s access keys. Revoke one that you no longer use.") % {"count": self.MOST},
                    code="too_many",
                )
            self.create(
                user=user,
                name=name,
                prefix=token[:8],
                digest=_digest(token),
                password_seal=_seal(user),
                expires_at=timezone.now() + timedelta(days=days),
            )
        return token

    def log_in(self, user) -> str:
        """A new key for whoever logged in as a program does. The oldest of its kind goes: such programs do not log out."""
        with transaction.atomic():
            earlier = self.filter(user=user, name=self.LOG_IN).order_by("-created_at", "pk")
            self.filter(pk__in=list(earlier.values_list("pk", flat=True)[self.MOST_LOG_INS - 1 :])).delete()
            return self.issue(user, self.LOG_IN, self.LOG_IN_DAYS)

    def revoke(self, token: str) -> None:
        self.filter(digest=_digest(token)).delete()

    def user_of(self, token: str | None):
        """Whose key this is, or None: for no key, one that is revoked or expired, or whose owner left or has a new password."""
        if not token or len(token) > 200:
            return None
        now = timezone.now()
        mine = self.filter(digest=_digest(token), expires_at__gt=now, user__is_active=True)
        row = mine.select_related("user").first()
        if row is None or not constant_time_compare(row.password_seal, _seal(row.user)):
            return None
        if row.last_used_at is None or row.last_used_at < now - self.USE_IS_NOTED_EVERY:
            self.filter(pk=row.pk).update(last_used_at=now)
        return row.user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="backslashreplace")).hexdigest()


def _seal(user) -> str:
    """Changes with the password: what was sealed with the old one is dead."""
    return salted_hmac("people.ApiToken", user.password, algorithm="sha256").hexdigest()
