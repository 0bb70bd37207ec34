"""An upload on its way through the desk, and what every row of it would do."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

REST_IS_OPEN = timedelta(days=7)


def private_name(row: "Import", name: str) -> str:
    """No name of the uploader's, and none that can be guessed. No address leads to it."""
    return f"imports/{secrets.token_urlsafe(24)}"


class ImportQuerySet(models.QuerySet):
    def waiting(self):
        """Their files are still kept."""
        return self.exclude(file="")

    def of(self, user):
        """What is on its way is its uploader's alone."""
        return self.filter(by=user)

    def left_over(self, user, kinds: list[str], now: datetime):
        """Where somebody has to go on: this person's own that wait for them; and anybody's of the last week that left rows
        out, until the next sheet of that kind comes in without a rest.
        """
        state = self.model.State
        whole = self.model.objects.order_by().filter(
            kind=models.OuterRef("kind"), state=state.DONE, finished_at__gt=models.OuterRef("finished_at")
        )
        settled = models.Exists(whole.filter(models.Q(counts__refused__isnull=True) | models.Q(counts__refused=0)))
        waits = models.Q(by=user, state__in=(state.UPLOADED, state.LOOKED))
        rest = models.Q(state=state.DONE, counts__refused__gt=0, finished_at__gt=now - REST_IS_OPEN)
        return self.filter(waits | rest & ~settled, kind__in=kinds)


class Import(models.Model):
    """One sheet. The file and the rows go when it is applied, or after a day; what became of it stays."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("waits for its columns")
        LOOKING = "looking", _("is looked through")
        LOOKED = "looked", _("waits to be applied")
        APPLYING = "applying", _("is written")
        TAKING_BACK = "taking_back", _("is taken back")
        DONE = "done", _("imported")
        FAILED = "failed", _("not imported")
        GONE = "gone", _("dropped")

    AT_WORK = (State.LOOKING, State.APPLYING, State.TAKING_BACK)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    file = models.FileField(max_length=100, upload_to=private_name, blank=True)
    name = models.CharField(max_length=100, blank=True)
    read_as = models.CharField(max_length=100, blank=True)
    warning = models.CharField(max_length=300, blank=True)
    # The row of the file that names its columns.
    header_row = models.PositiveIntegerField(default=1)
    headers = models.JSONField(default=list)
    # A digest of the headers: the next file with them is mapped like this one.
    headers_key = models.CharField(max_length=64, blank=True)
    # Our column for each header, "" for those that are ignored.
    mapping = models.JSONField(default=list)
    # What was ticked: "clear" (empty cells delete), "make" (names added to the list), "good" (refused rows are left out);
    # "dates" (what is first in 04/03/2026), and "choices" about cells that both changed (people/sheets/returning.py). And the
    # "zone" and "language" of whoever looks.
    ticked = models.JSONField(default=dict)
    state = models.CharField(max_length=11, choices=State, default=State.UPLOADED)
    total = models.PositiveIntegerField(default=0)
    # Rows that are through: of this state, from the first.
    done = models.PositiveIntegerField(default=0)
    # Outcome -> rows; "emptied": rows with cells that would delete; "unknown": name -> rows.
    counts = models.JSONField(default=dict)
    problem = models.CharField(max_length=500, blank=True)
    change_set = models.ForeignKey("people.ChangeSet", models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-made_at"]
        indexes = [
            models.Index(fields=["-made_at"], name="import_latest_first"),
            models.Index(fields=["kind", "headers_key", "-made_at"], name="import_of_headers"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def at_work(self) -> bool:
        return self.state in self.AT_WORK

    def count(self, outcome: str) -> int:
        return self.counts.get(outcome, 0)

    @property
    def counted(self) -> dict[str, int]:
        """Outcome -> rows, also where there are none; rows with cells that would delete, with cells that are newer here, with
        cells that both changed, and with dates that may be two.
        """
        return {name: self.count(name) for name in [*ImportRow.Outcome.values, "emptied", "newer", "conflicts", "two_days"]}

    def forget(self) -> None:
        """Delete the file, and with it whatever names people."""
        name, storage = self.file.name, self.file.storage
        self.rows.all().delete()
        self.file, self.name, self.headers = "", "", []
        self.counts.pop("unknown", None)
        self.save(update_fields=["file", "name", "headers", "counts"])
        if name:
            storage.delete(name)


class ImportRow(models.Model):
    """What one row would do. Unchanged ones are only counted."""

    class Outcome(models.TextChoices):
        REFUSED = "refused", _("refused")
        NEW = "new", _("new")
        CHANGED = "changed", _("changed")
        UNCHANGED = "unchanged", _("unchanged")

    sheet = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    # Among the rows to import, and those of the file that it was.
    position = models.PositiveIntegerField()
    numbers = models.JSONField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    # [[column, old, new], ...]; and [[column, old], ...] of empty cells that would delete.
    changes = models.JSONField(default=list)
    emptied = models.JSONField(default=list)
    # Of a refused row: [[column or "", sentence], ...] (a third, where one may choose: of which choice), and its cells as the
    # file has them.
    problems = models.JSONField(default=list)
    cells = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["sheet", "position"],
                name="import_row_once",
                violation_error_message=_("This row was looked at already."),
            )
        ]
        indexes = [models.Index(fields=["sheet", "outcome", "position"], name="import_row_by_outcome")]

    def __str__(self) -> str:
        return f"row {self.numbers[0]}"
