"""What people are in the program, what mentors know, and where mentees belong."""

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.links import LinkField
from people.models.history import PersonRecords
from people.models.user import User
from people.querysets import MenteeQuerySet, MentorQuerySet

# import-export asks for these two like Django for its four.
PERMISSIONS = ("add", "change", "delete", "view", "import", "export")


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
    history = PersonRecords()


class Mentee(Role):
    team = models.ForeignKey(Team, models.SET_NULL, verbose_name=_("team"), null=True, blank=True, related_name="mentees")
    goals = models.TextField(
        blank=True, help_text=_("What this person wants to reach. Mentors who have a session with them read it.")
    )

    objects = MenteeQuerySet.as_manager()
    history = PersonRecords()
