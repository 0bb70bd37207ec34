"""What lasts for a while."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _

from scheduling.slots import Period


class Timed(models.Model):
    """Something that lasts from ``start_time`` until just before ``end_time``."""

    start_time = models.DateTimeField()
    end_time = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def period(self) -> Period:
        return Period(self.start_time, self.end_time)


def ends_after_it_starts() -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(end_time__gt=F("start_time")),
        name="%(class)s_ends_after_it_starts",
        violation_error_message=_("The end must come after the start."),
    )


def external_id_unique() -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=["external_id"],
        condition=~Q(external_id=""),
        name="%(class)s_external_id_unique",
        violation_error_message=_("Another row already has this roster key."),
    )
