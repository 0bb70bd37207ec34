"""What a mentor notes about a session, for nobody else."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Mentor
from scheduling.models.session import Session
from scheduling.querysets import SessionNoteQuerySet


class SessionNote(models.Model):
    """A mentor's private note. It stays theirs when the session is handed on; nobody else reads it, coordinators included:
    it is in no admin, mail, feed or sheet.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="notes")
    mentor = models.ForeignKey(Mentor, models.CASCADE, related_name="session_notes")
    text = models.CharField(_("your notes"), max_length=2000)
    changed_at = models.DateTimeField(auto_now=True)

    objects = SessionNoteQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-changed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "mentor"],
                name="session_note_one_per_mentor",
                violation_error_message=_("You have notes on this session already."),
            )
        ]

    # Nothing of the text: Django shows this to whoever deletes what it belongs to.
    def __str__(self) -> str:
        return f"note {self.pk}"
