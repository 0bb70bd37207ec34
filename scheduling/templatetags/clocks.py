"""Times of day as the pages write them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

from scheduling import rules
from scheduling.slots import Period

register = template.Library()
MINUTE = timedelta(minutes=1)
# From so many minutes on a moment of the next day is "tomorrow"; until then it is told in hours.
HALF_A_DAY = 12 * 60


@register.filter(expects_localtime=True)
def clock(moment: datetime) -> str:
    """What the reader's clock shows, and which of the two where it shows that twice: "02:30 CET"."""
    return rules.clock(moment)


@register.filter
def when(period: Period) -> str:
    """A period in the reader's zone, named: "Tue 24 Nov 2026, 09:00–09:30 (Europe/Berlin)"."""
    return rules.when(period, timezone.get_current_timezone())


@register.filter
def day(moment: datetime) -> str:
    """The reader's day: "today", "tomorrow", "Tue 24 Nov"."""
    local = timezone.localtime(moment)
    days = (local.date() - timezone.localdate()).days
    return {0: "today", 1: "tomorrow"}.get(days) or f"{local:%a} {local.day} {local:%b}"


@register.filter
def until(moment: datetime) -> str:
    """How long from now: "in 25 minutes", "in 3 hours 10 minutes", "tomorrow", "in 3 days"; "now" when it has come."""
    minutes = -(-(moment - timezone.now()) // MINUTE)
    if minutes <= 0:
        return "now"
    days = (timezone.localdate(moment) - timezone.localdate()).days
    if minutes < HALF_A_DAY or days == 0:
        parts = zip(divmod(minutes, 60), ("hour", "minute"), strict=True)
        return "in " + " ".join(f"{number} {unit}{'s' * (number != 1)}" for number, unit in parts if number)
    return "tomorrow" if days == 1 else f"in {days} days"
