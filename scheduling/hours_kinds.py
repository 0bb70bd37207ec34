"""What can be said about when somebody can be booked, in words: weekly hours, time off, single windows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from people import time_zones
from people.models import Mentor
from people.stale import FreshForm
from scheduling import offering, rules
from scheduling.hours_forms import TimeOffForm, WeeklyHoursForm, WindowForm, as_days
from scheduling.models import Availability, TimeOff, WeeklyHours
from scheduling.offering import Change


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
    said = f"{hours.get_weekday_display()}s {hours.begins:%H:%M}–{hours.ends:%H:%M}"
    if time(0) < hours.ends < hours.begins:
        said += " the next day"
    if hours.every_weeks == 2:
        said += ", every second week"
    if hours.valid_from_on > desk.today:
        said += f", from {_day(hours.valid_from_on, desk)}"
    if hours.valid_until_on:
        said += f", until {_day(hours.valid_until_on, desk)}"
    return said if hours.time_zone == desk.zone.key else f"{said} ({time_zones.lost(hours.time_zone) or hours.time_zone})"


def _day(day: date, desk: Desk) -> str:
    return f"{day.day} {day:%b}" + (f" {day:%Y}" if day.year != desk.today.year else "")


def time_off_in_words(off: TimeOff, desk: Desk) -> str:
    """By the reader's clock; whole days, the last one included, without times."""
    days = as_days(off)
    first, last = (f"{day:%a} {day.day} {day:%b %Y}" for day in (days["first"], days["last"]))
    begins, ends = (rules.clock(timezone.localtime(moment)) for moment in (off.start_time, off.end_time))
    if first == last:
        return first if days["begins"] is None and days["ends"] is None else f"{first}, {begins}–{ends}"
    return " – ".join(
        [first if days["begins"] is None else f"{first}, {begins}", last if days["ends"] is None else f"{last}, {ends}"]
    )


def window_in_words(window: Availability, desk: Desk) -> str:
    return rules.when(window.period, timezone.get_current_timezone())


@dataclass(frozen=True)
class Kind:
    """One way to say when somebody can be booked. Its pages are named after it; they differ in words."""

    name: str
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
    def noun(self) -> str:
        return self.name.replace("_", " ").capitalize()

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
            form=WeeklyHoursForm,
            save=offering.save_hours,
            remove=offering.remove_hours,
            in_words=hours_in_words,
            adds="Add weekly hours",
            edits="Change weekly hours",
            removes="Remove these weekly hours",
            untouched="Nobody has booked in them.",
            saved="Saved. Mentees can book these hours.",
            removed="Removed. Nobody can book these hours any more.",
        ),
        Kind(
            name="time_off",
            form=TimeOffForm,
            save=offering.save_time_off,
            remove=offering.remove_time_off,
            in_words=time_off_in_words,
            adds="Take time off",
            edits="Change time off",
            removes="Remove this time off",
            untouched="The weekly hours of this time can be booked again then.",
            saved="Saved. Nobody can book this time.",
            removed="Removed. The weekly hours of this time can be booked again.",
        ),
        Kind(
            name="window",
            form=WindowForm,
            save=offering.save_window,
            remove=offering.remove_window,
            in_words=window_in_words,
            adds="Add a single window",
            edits="Change this window",
            removes="Remove this window",
            untouched="Nobody has booked in it.",
            saved="Offered. Mentees can book this time now.",
            removed="Removed. Nobody can book this time any more.",
        ),
    )
}
