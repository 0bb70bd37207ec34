"""An account: who somebody is, how they look, and which messages they want."""

import hashlib

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from people import time_zones
from people.models.history import PersonRecords
from people.querysets import UserManager


def not_an_address(value: str) -> None:
    if "@" in value:
        raise ValidationError(_("A user name is shown to others, so it cannot be an e-mail address."), code="address")


class Wish(models.TextChoices):
    """How somebody who signs up wants to take part. `roles` names what it makes of them."""

    MENTEE = "mentee", _("I want to be mentored")
    MENTOR = "mentor", _("I want to mentor")
    BOTH = "both", _("Both")

    @property
    def roles(self) -> set[str]:
        return {"mentee", "mentor"} if self == Wish.BOTH else {self.value}


class User(AbstractUser):
    """A person with an account. The e-mail address is the key, whatever its case."""

    username = models.CharField(
        _("user name"),
        max_length=150,
        unique=True,
        validators=[AbstractUser.username_validator, not_an_address],
        error_messages={"unique": _("Somebody already has this user name.")},
    )
    email = models.EmailField(_("e-mail address"))
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[time_zones.validate],
        help_text=_("Where this person is, like Europe/Berlin. Empty: the program's zone."),
    )
    # What `languages` offers; another one, left by an older version, counts as none.
    language = models.CharField(
        _("language"),
        max_length=8,
        blank=True,
        choices=settings.LANGUAGES,
        help_text=_("Of the pages and mails for this person. Empty: pages as the browser asks, mails in the site's language."),
    )
    phone_number = PhoneNumberField(_("phone number"), blank=True, help_text=_("With the country code: +12345678987."))
    # Kept from the sign-up until the address is verified; empty from then on.
    wanted_role = models.CharField(max_length=6, choices=Wish, blank=True, editable=False)
    # When this person gave the role up. The role's row stays, emptied: past sessions belong to it. On the user, since that
    # is the row which is locked while a session is booked.
    mentor_ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    mentee_ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Written by the hand-over desk. Once it is over, this is the day on which the program deactivates the account.
    leaves_on = models.DateField(
        _("last day"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("By the program’s clock. Nobody can book this person for a later time, and after it they are deactivated."),
    )

    objects = UserManager()
    history = PersonRecords(excluded_fields=["password", "last_login"])

    class Meta:
        permissions = [("see_contact", "Can see the e-mail addresses and phone numbers of others")]
        ordering = ["first_name", "last_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("Somebody already has this e-mail address."),
            ),
            models.CheckConstraint(
                condition=~models.Q(email=""),
                name="user_email_given",
                violation_error_message=_("An e-mail address is needed."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def picture(self) -> "Photo | None":
        return getattr(self, "photo", None)

    @property
    def initials(self) -> str:
        """What stands where there is no photo."""
        return "".join(name[:1] for name in (self.first_name, self.last_name)).upper() or self.username[:1].upper()

    @property
    def sees_contact(self) -> bool:
        """Staff who see how others can be reached: a viewer reads the lists without it, and cannot search for it either."""
        return self.is_staff and self.has_perm("people.see_contact")

    @property
    def is_mentor(self) -> bool:
        return self.mentor_ended_at is None and hasattr(self, "mentor")

    @property
    def is_mentee(self) -> bool:
        return self.mentee_ended_at is None and hasattr(self, "mentee")


class Photo(models.Model):
    """How somebody looks. A row of its own: whoever saves a user writes no file's name."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="photo")
    file = models.FileField(max_length=100)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"photo of {self.user}"

    @property
    def version(self) -> str:
        """Changes with the picture, and does not tell the file's name."""
        return hashlib.sha256(self.file.name.encode()).hexdigest()[:16]

    @property
    def address(self) -> str:
        return f"{reverse('photo', args=[self.pk])}?v={self.version}"


class NotificationSettings(models.Model):
    """Which messages a person wants. All are on until they are turned off: a program whose mail is off sends none."""

    SWITCHES = ("session_requested", "session_confirmed", "session_canceled", "fifteen_minute_alert", "sixty_minute_alert")

    user = models.OneToOneField(User, models.CASCADE, related_name="notification_settings")
    session_requested = models.BooleanField(_("a session is requested"), default=True)
    session_confirmed = models.BooleanField(_("a session is confirmed, moved or handed over"), default=True)
    session_canceled = models.BooleanField(_("a session is canceled"), default=True)
    fifteen_minute_alert = models.BooleanField(_("15 minutes before a session"), default=True)
    sixty_minute_alert = models.BooleanField(_("60 minutes before a session"), default=True)

    class Meta:
        verbose_name_plural = _("notification settings")

    def __str__(self) -> str:
        return f"notification settings of {self.user}"

    @classmethod
    def set_all(cls, user: User, on: bool) -> None:
        """Turn every switch on or off: what a roster's single "opt in" column says."""
        cls.objects.update_or_create(user=user, defaults=dict.fromkeys(cls.SWITCHES, on))
