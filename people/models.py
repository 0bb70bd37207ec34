"""Who there is: users, what they know, where they belong, and the roles they take. Knows nothing of scheduling."""

import hashlib
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField
from simple_history.models import HistoricalRecords

from people import time_zones
from people.links import LinkField
from people.querysets import ApiTokenManager, MenteeQuerySet, MentorQuerySet, UserManager

# import-export asks for these two like Django for its four.
PERMISSIONS = ("add", "change", "delete", "view", "import", "export")


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
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

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


class Skill(models.Model):
    """Something a mentor knows, in the program's words."""

    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]
        default_permissions = PERMISSIONS
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="skill_name_unique", violation_error_message=_("This skill is already in the list.")
            )
        ]

    def __str__(self) -> str:
        return self.name


class SkillSuggestion(models.Model):
    """A skill that a mentor misses in the list. Staff take it in or decline it; until then the mentor can take it back."""

    class State(models.TextChoices):
        ASKED = "asked", _("waiting")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")

    # As of a skill.
    name = models.CharField(max_length=80)
    mentor = models.ForeignKey("Mentor", models.CASCADE, related_name="skill_suggestions")
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField(default=timezone.now)
    settled_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        permissions = [("settle_skillsuggestion", "Can take suggested skills into the list, and decline them")]
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                "mentor",
                Lower("name"),
                condition=models.Q(state="asked"),
                name="skill_suggestion_asked_once",
                violation_error_message=_("You have suggested this already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """A group of mentees, known by its number."""

    number = models.PositiveIntegerField(unique=True, error_messages={"unique": _("A team already has this number.")})
    name = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["number"]
        default_permissions = PERMISSIONS

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class Role(models.Model):
    """What a user is in the program. The key is the user's own, so one person has one key in every role."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="%(class)s")
    external_id = models.CharField(
        _("roster key"),
        max_length=64,
        blank=True,
        help_text=_("What the roster's own system calls this person, for sheets that name people by it."),
    )

    class Meta:
        abstract = True
        default_permissions = PERMISSIONS
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=~models.Q(external_id=""),
                name="%(class)s_external_id_unique",
                violation_error_message=_("Somebody else already has this roster key."),
            )
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def takes_part(self) -> bool:
        return self.user.is_active and getattr(self.user, f"{self._meta.model_name}_ended_at") is None


class Mentor(Role):
    about_me = models.TextField(blank=True)
    skills = models.ManyToManyField(Skill, blank=True, related_name="mentors")
    meeting_link = LinkField(
        blank=True, help_text=_("A room of your own for online sessions. Empty: each session gets a new one.")
    )

    objects = MentorQuerySet.as_manager()
    history = HistoricalRecords()


class Mentee(Role):
    team = models.ForeignKey(Team, models.SET_NULL, verbose_name=_("team"), null=True, blank=True, related_name="mentees")
    goals = models.TextField(
        blank=True, help_text=_("What this person wants to reach. Mentors who have a session with them read it.")
    )

    objects = MenteeQuerySet.as_manager()
    history = HistoricalRecords()


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


class ApiToken(models.Model):
    """A key with which a program reads what its owner may read. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    # The first letters, by which its owner knows it again.
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    password_seal = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    objects = ApiTokenManager()

    class Meta:
        ordering = ["-created_at", "pk"]

    def __str__(self) -> str:
        return f"access key {self.pk}"


class ErasureRequest(models.Model):
    """Somebody asked to be erased, or staff erased them unasked. Settled by staff; taken back by the person until then."""

    class State(models.TextChoices):
        ASKED = "asked", _("waiting")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REFUSED = "refused", _("Refused")
        DONE = "done", _("erased")

    person = models.ForeignKey(User, models.CASCADE, related_name="erasure_requests")
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    answer = models.CharField(max_length=300, blank=True, help_text=_("Why it was refused. The person reads it."))

    class Meta:
        default_permissions = ("view",)
        permissions = [("settle_erasurerequest", "Can erase people, and refuse to")]
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state="asked"),
                name="erasure_request_asked_once",
                violation_error_message=_("This person has asked already."),
            ),
            models.CheckConstraint(
                condition=models.Q(state="asked", settled_at__isnull=True)
                | models.Q(state__in=["withdrawn", "refused", "done"], settled_at__isnull=False),
                name="erasure_request_settled_or_not",
                violation_error_message=_("A request that is settled says when."),
            ),
        ]

    def __str__(self) -> str:
        return f"erasure request {self.pk}"


class SheetExport(models.Model):
    """A list left the house as a sheet: who took which, when, how many rows. The last one of a person is what they choose next."""

    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    sheet = models.CharField("list", max_length=20)
    ending = models.CharField("format", max_length=4)
    rows = models.PositiveIntegerField()
    columns = models.JSONField(default=list)
    # By what the list was narrowed: the names of the filters. What was looked for may be somebody's name.
    filters = models.JSONField(default=list, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["by", "sheet", "-at"], name="sheet_export_last")]

    def __str__(self) -> str:
        return f"export {self.pk}"

    @classmethod
    def last(cls, user: User, sheet: str) -> "SheetExport | None":
        return cls.objects.filter(by=user, sheet=sheet).first()


class ChangeSet(models.Model):
    """What somebody changed in one go, under a name, with the values from before: `changes` undoes it."""

    class Kind(models.TextChoices):
        BULK = "bulk", "bulk action"
        HANDOVER = "handover", "hand-over"
        IMPORT = "import"

    kind = models.CharField(max_length=8, choices=Kind)
    # What was done, in words that name nobody: these stay when somebody is erased.
    sentence = models.CharField("what", max_length=200)
    # Whom all of it was about, where that is one person.
    about = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField("when", default=timezone.now)
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    # The first time that something of it was undone.
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "change"
        default_permissions = ("view",)
        permissions = [("undo_changeset", "Can undo what was changed in one go")]
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["-at", "-id"], name="change_set_latest_first")]

    def __str__(self) -> str:
        return self.sentence

    def record(self, obj: models.Model, before: dict | None, after: dict | None) -> None:
        """That ``obj`` was changed from one to the other; ``before`` None: it was made anew. Both are values for JSON by the
        names of columns (`changes.snapshot`). Changed twice within the set, it keeps the first ``before``.
        """
        self.record_many([(obj, before, after)])

    def record_many(self, rows: Iterable[tuple[models.Model, dict | None, dict | None]]) -> None:
        """As `record`, for many, in few statements. Each object once."""
        changes = [
            Change(change_set=self, content_type=ContentType.objects.get_for_model(obj), key=obj.pk, before=before, after=after)
            for obj, before, after in rows
        ]
        one = ["change_set", "content_type", "key"]
        Change.objects.bulk_create(changes, batch_size=500, update_conflicts=True, unique_fields=one, update_fields=["after"])


class Change(models.Model):
    """One object that a set of changes touched."""

    change_set = models.ForeignKey(ChangeSet, models.CASCADE, related_name="changes")
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    key = models.PositiveBigIntegerField()
    # None: it was not there. Empty: these values are erased, with the person they told of.
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    undone_at = models.DateTimeField(null=True, blank=True)
    # Why it could not be undone when somebody tried last.
    refused = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        indexes = [models.Index(fields=["content_type", "key"], name="change_of_object")]
        constraints = [
            models.UniqueConstraint(
                fields=["change_set", "content_type", "key"],
                name="change_once_in_a_set",
                violation_error_message=_("This is in the set already."),
            )
        ]

    def __str__(self) -> str:
        return f"change {self.pk}"


class Invitation(models.Model):
    """That somebody was invited: at once the outbox and the proof. One a person; sent again, it counts on."""

    class State(models.TextChoices):
        WAITING = "waiting", _("on its way")
        SENDING = "sending", _("on its way now")
        SENT = "sent", _("sent")
        FAILED = "failed", _("refused by the mail server")

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="invitation")
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    # How often a mail server has taken it.
    times = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Nobody touches the row before this: a sender's lease, or the pause after a server's "not now".
    not_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["state", "asked_at"], name="invitation_unsent")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


from people.imports.models import Import, ImportRow  # noqa: E402, F401  they point at users
