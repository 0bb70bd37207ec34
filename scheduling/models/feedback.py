"""What a mentee says about a session afterwards."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from scheduling.models.session import Session
from scheduling.querysets import FeedbackQuerySet
from scheduling.words import Rating


class Feedback(models.Model):
    """How a session was, in the words of its mentee. Read by them and by staff; the mentor sees a summary only."""

    session = models.OneToOneField(Session, models.CASCADE, primary_key=True, related_name="feedback")
    rating = models.PositiveSmallIntegerField(choices=Rating)
    sentence = models.CharField(_("in a sentence"), max_length=500, blank=True)
    created_at = models.DateTimeField(editable=False)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("feedback")
        default_permissions = ("view", "export")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["-created_at", "-session"], name="feedback_latest_first")]
        constraints = [
            models.CheckConstraint(
                condition=Q(rating__in=Rating.values),
                name="feedback_rating_known",
                violation_error_message=_("A rating is a number from 1 to 5."),
            )
        ]

    def __str__(self) -> str:
        return f"feedback on session {self.pk}"
