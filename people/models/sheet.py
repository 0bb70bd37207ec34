"""What left the house as a sheet."""

from django.db import models
from django.utils import timezone

from people.models.user import User


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
