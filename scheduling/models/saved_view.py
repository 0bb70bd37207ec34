"""What coordinators look at again and again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models import User


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, and what others share."""
        return self.filter(Q(owner=user.pk) | Q(shared=True)) if user.is_authenticated and user.is_staff else self.none()

    def of(self, user):
        return self.filter(owner=user.pk)


class SavedView(models.Model):
    """A list of sessions as somebody has filtered it, under a name."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    # What stands after the question mark of the list's address, without the page.
    query = models.CharField(max_length=1000, blank=True)
    shared = models.BooleanField("for all coordinators", default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="saved_view_named_once",
                violation_error_message=_("You have a view of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name
