"""What coordinators note about a session."""

from django.db import models
from simple_history.models import HistoricalRecords

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
    # The last time that it was corrected, or removed: then its words are gone, and its row says that there was one.
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = RemarkQuerySet.as_manager()
    history = HistoricalRecords(cascade_delete_history=True)

    class Meta:
        verbose_name = "note"
        default_permissions = ()
        ordering = ["written_at", "pk"]

    @property
    def removed(self) -> bool:
        return not self.text

    # Nothing of the text: Django shows this to whoever deletes what it belongs to.
    def __str__(self) -> str:
        return f"remark {self.pk}"
