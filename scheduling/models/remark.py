"""What coordinators note about a session."""

from django.db import models

from people.models import User
from scheduling.models.session import Session
from scheduling.querysets import RemarkQuerySet


class Remark(models.Model):
    """A coordinator's note on a session: for coordinators, or shared with the two who meet. Not a mentor's own notes
    (`SessionNote`), which nobody else reads.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="remarks")
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    text = models.CharField("note", max_length=1000)
    shared = models.BooleanField("mentor and mentee read it, too", default=False)
    written_at = models.DateTimeField(auto_now_add=True)

    objects = RemarkQuerySet.as_manager()

    class Meta:
        verbose_name = "note"
        default_permissions = ()
        ordering = ["written_at", "pk"]

    # Nothing of the text: Django shows this to whoever deletes what it belongs to.
    def __str__(self) -> str:
        return f"remark {self.pk}"
