"""That somebody is to be forgotten."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.user import User


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
