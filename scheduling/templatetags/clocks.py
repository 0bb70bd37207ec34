"""Times of day as the pages write them."""

from datetime import datetime

from django import template
from django.utils import timezone

from scheduling import rules
from scheduling.slots import Period

register = template.Library()


@register.filter(expects_localtime=True)
def clock(moment: datetime) -> str:
    """What the reader's clock shows, and which of the two where it shows that twice: "02:30 CET"."""
    return rules.clock(moment)


@register.filter
def when(period: Period) -> str:
    """A period in the reader's zone, named: "Tue 24 Nov 2026, 09:00–09:30 (Europe/Berlin)"."""
    return rules.when(period, timezone.get_current_timezone())
