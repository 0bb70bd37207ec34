"""What was changed in one go, to be undone in one go."""

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.user import User


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
