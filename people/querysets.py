"""How the rest of the house asks for people."""

from allauth.utils import generate_unique_username
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models import Q


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
        """Those who can take part: their account is not deactivated."""
        return self.filter(user__is_active=True)

    def with_email(self, email: str):
        return self.filter(user__email__iexact=email.strip()).select_related("user").first()


class MentorQuerySet(RoleQuerySet):
    def visible_to(self, user):
        """Any member may look for a mentor; staff see those who left, too."""
        if user.is_staff:
            return self
        return self.active() if user.is_authenticated else self.none()


class MenteeQuerySet(RoleQuerySet):
    def visible_to(self, user):
        """Mentees are seen by mentors and staff, and by themselves."""
        if user.is_staff:
            return self
        if not user.is_authenticated:
            return self.none()
        if user.is_mentor:
            return self.filter(Q(user__is_active=True) | Q(pk=user.pk))
        return self.filter(pk=user.pk)
