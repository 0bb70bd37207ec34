"""What can be said about when somebody can be booked, in words: weekly hours, time off, single windows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from people import time_zones
from people.models import Mentor
from people.stale import FreshForm
from scheduling import offering, sentences
from scheduling.hours_forms import TimeOffForm, WeeklyHoursForm, WindowForm, as_days
from scheduling.models import Availability, TimeOff, WeeklyHours
from scheduling.offering import Change

# Each of the weekdays, as Python counts them.
DAYS = (_("Mondays"), _("Tuesdays"), _("Wednesdays"), _("Thursdays"), _("Fridays"), _("Saturdays"), _("Sundays"))


@dataclass(frozen=True)
class Desk:
    """Whose hours these are."""

    mentor: Mentor
    # The mentor's, whoever reads.
    zone: ZoneInfo
    # A coordinator acts for the mentor.
    for_other: bool
    address: dict

    @property
    def today(self) -> date:
        return timezone.localdate(timezone=self.zone)

    @property
    def home(self) -> str:
        return self.url("windows")

    @property
    def limits(self) -> str:
        return self.url("limits")

    def url(self, name: str, pk: int | None = None) -> str:
        return reverse(name, kwargs=self.address | ({} if pk is None else {"pk": pk}))


def hours_in_words(hours: WeeklyHours, desk: Desk) -> str:
    """ "Tuesdays 18:00–20:00, every second week, until 31 Mar"; with the zone where it is not the mentor's."""
    times = {"day": DAYS[hours.weekday], "begins": f"{hours.begins:%H:%M}", "ends": f"{hours.ends:%H:%M}"}
    over_night = time(0) < hours.ends < hours.begins
    said = (_("%(day)s %(begins)s–%(ends)s the next day") if over_night else _("%(day)s %(begins)s–%(ends)s")) % times
    if hours.every_weeks == 2:
        said += _(", every second week")
    if hours.valid_from_on > desk.today:
        said += _(", from %(day)s") % {"day": _day(hours.valid_from_on, desk)}
    if hours.valid_until_on:
        said += _(", until %(day)s") % {"day": _day(hours.valid_until_on, desk)}
    return said if hours.time_zone == desk.zone.key else f"{said} ({time_zones.lost(hours.time_zone) or hours.time_zone})"


def _day(day: date, desk: Desk) -> str:
    return date_format(day, _("j M")) if day.year == desk.today.year else sentences.short_day(day)


def time_off_in_words(off: TimeOff, desk: Desk) -> str:
    """By the reader's clock; whole days, the last one included, without times."""
    days = as_days(off)
    first, last = (date_format(day, "DATE_FORMAT") for day in (days["first"], days["last"]))
    begins, ends = (sentences.clock(timezone.localtime(moment)) for moment in (off.start_time, off.end_time))
    if first == last:
        return first if days["begins"] is None and days["ends"] is None else f"{first}, {begins}–{ends}"
    return " – ".join(
        [first if days["begins"] is None else f"{first}, {begins}", last if days["ends"] is None else f"{last}, {ends}"]
    )


def window_in_words(window: Availability, desk: Desk) -> str:
    return sentences.when(window.period, timezone.get_current_timezone())


@dataclass(frozen=True)
class Kind:
    """One way to say when somebody can be booked. Its pages are named after it; they differ in words."""

    name: str
    noun: str
    form: type[FreshForm]
    save: Callable[..., Change]
    remove: Callable[..., Change]
    in_words: Callable[..., str]
    adds: str
    edits: str
    removes: str
    # What the page that asks says where nothing is touched.
    untouched: str
    saved: str
    removed: str

    @property
    def model(self) -> type[Model]:
        return self.form._meta.model

    def zone_name(self, form: FreshForm) -> str:
        """Whose clocks the times of the form are on; nothing where the form asks."""
        if self.model is WeeklyHours:
            return "" if "time_zone" in form.fields else form.instance.time_zone
        return timezone.get_current_timezone_name()

    def new(self, desk: Desk):
        more = {"time_zone": desk.zone.key, "valid_from_on": desk.today} if self.model is WeeklyHours else {}
        return self.model(mentor=desk.mentor, **more)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="weekly_hours",
            noun=_("Weekly hours"),
            form=WeeklyHoursForm,
            save=offering.save_hours,
            remove=offering.remove_hours,
            in_words=hours_in_words,
            adds=_("Add weekly hours"),
            edits=_("Change weekly hours"),
            removes=_("Remove these weekly hours"),
            untouched=_("Nobody has booked in them."),
            saved=_("Saved. Mentees can book these hours."),
            removed=_("Removed. Nobody can book these hours any more."),
        ),
        Kind(
            name="time_off",
            noun=_("Time off"),
            form=TimeOffForm,
            save=offering.save_time_off,
            remove=offering.remove_time_off,
            in_words=time_off_in_words,
            adds=_("Take time off"),
            edits=_("Change time off"),
            removes=_("Remove this time off"),
            untouched=_("The weekly hours of this time can be booked again then."),
            saved=_("Saved. Nobody can book this time."),
            removed=_("Removed. The weekly hours of this time can be booked again."),
        ),
        Kind(
            name="window",
            noun=_("Window"),
            form=WindowForm,
            save=offering.save_window,
            remove=offering.remove_window,
            in_words=window_in_words,
            adds=_("Add a single window"),
            edits=_("Change this window"),
            removes=_("Remove this window"),
            untouched=_("Nobody has booked in it."),
            saved=_("Offered. Mentees can book this time now."),
            removed=_("Removed. Nobody can book this time any more."),
        ),
    )
}
