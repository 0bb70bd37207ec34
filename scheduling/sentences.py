"""How sentences tell times, in the language of whoever reads them. Of Django it asks the words and how dates are written.

The pure modules may import this, and nothing else that knows of Django (pyproject.toml).
"""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scheduling.slots import Period

__all__ = ["_", "all_of", "clock", "day", "either", "gettext_lazy", "moment", "ngettext", "short_day", "when"]


def when(period: Period, zone: ZoneInfo) -> str:
    """A period as people write it, its zone named: "Tue 24 Nov 2026, 09:00–09:30 (Europe/Berlin)"."""
    start, end = period.start.astimezone(zone), period.end.astimezone(zone)
    ending = clock(end) if start.date() == end.date() else f"{date_format(end, 'DATE_FORMAT')}, {clock(end)}"
    return f"{date_format(start, 'DATE_FORMAT')}, {clock(start)}–{ending} ({zone.key})"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """As `when` writes it: "Tue 24 Nov 2026, 09:00 (Europe/Berlin)"."""
    local = at.astimezone(zone)
    return f"{date_format(local, 'DATE_FORMAT')}, {clock(local)} ({zone.key})"


def clock(local: datetime) -> str:
    """What the clock shows, "02:30"; in the hour that it shows twice also which of the two: "02:30 CET"."""
    twice = local.replace(fold=0).utcoffset() > local.replace(fold=1).utcoffset()
    # Some zones have no letters: their name is the offset, "+11".
    return f"{local:%H:%M} {local.tzname()}" if twice else f"{local:%H:%M}"


def day(at: datetime, zone: ZoneInfo) -> str:
    """The date of a moment, as people write it."""
    return date_format(at.astimezone(zone), "DATE_FORMAT")


def short_day(on: date) -> str:
    """ "24 Nov 2026"."""
    return date_format(on, "SHORT_DATE_FORMAT")


def all_of(these: Iterable[object]) -> str:
    """ "Maya Lopez and Alex Johnson"."""
    return _(" and ").join(map(str, these))


def either(these: list[str]) -> str:
    """ "15, 30 or 60"."""
    first, last = these[:-1], these[-1]
    return _("%(several)s or %(last)s") % {"several": ", ".join(first), "last": last} if first else last
