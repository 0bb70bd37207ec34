"""Times of day as the pages write them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scheduling import sentences
from scheduling.slots import Period

register = template.Library()
MINUTE = timedelta(minutes=1)
# From so many minutes on a moment of the next day is "tomorrow"; until then it is told in hours.
HALF_A_DAY = 12 * 60


@register.filter(expects_localtime=True)
def clock(moment: datetime) -> str:
    """What the reader's clock shows, and which of the two where it shows that twice: "02:30 CET"."""
    return sentences.clock(moment)


@register.filter
def when(period: Period) -> str:
    """A period in the reader's zone, named: "Tue 24 Nov 2026, 09:00–09:30 (Europe/Berlin)"."""
    return sentences.when(period, timezone.get_current_timezone())


@register.filter
def day(moment: datetime) -> str:
    """The reader's day: "today", "tomorrow", "Tue 24 Nov"."""
    local = timezone.localtime(moment)
    days = (local.date() - timezone.localdate()).days
    return {0: _("today"), 1: _("tomorrow")}.get(days) or date_format(local, _("D j M"))


@register.filter
def until(moment: datetime) -> str:
    """How long from now: "in 25 minutes", "in 3 hours 10 minutes", "tomorrow", "in 3 days"; "now" when it has come."""
    minutes = -(-(moment - timezone.now()) // MINUTE)
    if minutes <= 0:
        return _("now")
    days = (timezone.localdate(moment) - timezone.localdate()).days
    if minutes < HALF_A_DAY or days == 0:
        hours, minutes = divmod(minutes, 60)
        parts = [
            ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours} if hours else "",
            ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes} if minutes else "",
        ]
        return _("in %(time)s") % {"time": " ".join(filter(None, parts))}
    return _("tomorrow") if days == 1 else _("in %(count)s days") % {"count": days}
