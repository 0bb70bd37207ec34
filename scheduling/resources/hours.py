"""Sheets of weekly hours: the rules that write windows."""

from collections.abc import Iterator
from datetime import date, time

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from people.models import Mentor
from people.sheets.cells import UNTICKED, Cell, Text, Zone, is_empty, tidy
from people.sheets.merging import Entry
from people.sheets.resource import STAMP, Arranged, SheetResource
from scheduling import offering
from scheduling.exports import WEEKLY_HOURS
from scheduling.models import Program, WeeklyHours
from scheduling.resources import clocks, dates
from scheduling.resources.timed import Person
from scheduling.words import Weekday

DAYS = [day.name.lower() for day in Weekday]
GERMAN = ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"]


class Day(Text):
    """A date."""

    def clean(self, value, row=None, **kwargs):
        if not value:
            return None
        if found := dates.day(dates.MIDNIGHT.sub("", str(value))):
            return found
        raise ValidationError(f"“{value}” is not a date. Write it like 2026-11-23.", code="not_a_date")

    def render(self, value, obj=None, **kwargs):
        return value.isoformat() if isinstance(value, date) else ""


class Clock(Text):
    """A time of day."""

    def clean(self, value, row=None, **kwargs):
        if (found := clocks.clock(str(value))) is not None:
            return found
        raise ValidationError(f"“{value}” is not a time of day. Write it like 18:30.", code="not_a_time")

    def render(self, value, obj=None, **kwargs):
        return f"{value:%H:%M}" if isinstance(value, time) else ""


class DayOfWeek(Text):
    """Monday, Mon, or the language of the reader."""

    def clean(self, value, row=None, **kwargs):
        found = clocks.days(str(value))
        if found and len(found) == 1:
            return found[0]
        raise ValidationError(f"“{value}” is no day of the week. Write it like Monday.", code="not_a_day")

    def render(self, value, obj=None, **kwargs):
        return str(Weekday(value).label) if value is not None else ""


class HowOften(Text):
    def clean(self, value, row=None, **kwargs):
        word = str(value).strip().removesuffix(".0")
        if word not in ("1", "2"):
            raise ValidationError("Write 1 for every week, or 2 for every second one.", code="how_often")
        return int(word)


class WeeklyHoursResource(SheetResource):
    """Hours of one mentor that begin at the same time of the same weekday, from the same day on, are the same ones."""

    mentor = Cell("mentor", widget=Person(Mentor))
    weekday = Cell("weekday", widget=DayOfWeek())
    begins = Cell("begins", widget=Clock())
    ends = Cell("ends", widget=Clock())
    time_zone = Cell("time_zone", widget=Zone())
    valid_from_on = Cell("valid_from_on", widget=Day())
    valid_until_on = Cell("valid_until_on", widget=Day())
    every_weeks = Cell("every_weeks", widget=HowOften())

    sheet = WEEKLY_HOURS
    columns = {
        "mentor": ("mentor", "mentor_email", "email", "mentor_id", "tutor", "coach"),
        "weekday": ("weekday", "day", "day of week", "days", "wochentag", "tag"),
        "begins": ("begins", "from", "start", "start_time", "begin", "time", "von", "beginn", "uhrzeit"),
        "ends": ("ends", "to", "end", "end_time", "until", "bis", "ende"),
        "hours": ("hours", "availability", "available", "weekly hours", "office hours", "times", "verfügbarkeit", "zeiten"),
        **{name: (name, name[:3], german, german[:2]) for name, german in zip(DAYS, GERMAN, strict=True)},
        "time_zone": ("time_zone", "timezone", "zone", "tz"),
        "valid_from_on": ("valid_from_on", "valid from", "from date", "since"),
        "valid_until_on": ("valid_until_on", "valid until", "until date", "last day"),
        "every_weeks": ("every_weeks", "how often"),
    }
    labels = {
        "mentor": _("Mentor (e-mail address or roster key)"),
        "begins": _("From"),
        "hours": _("Days and times, like “Mon–Fr 17:00–19:00”"),
        **{day.name.lower(): format_lazy(_("{day}: from when until when"), day=day.label) for day in Weekday},
        "ends": _("To"),
        "valid_from_on": _("Valid from"),
        "valid_until_on": _("Valid until"),
        "every_weeks": _("How often (1 or 2 weeks)"),
    }
    needed = (("mentor",),)
    clearable = ("valid_until_on",)
    alone = frozenset({"time", "hours", "uhrzeit"})

    class Meta:
        model = WeeklyHours
        import_id_fields = ()
        fields = ("mentor", "weekday", "begins", "ends", "time_zone", "valid_from_on", "valid_until_on", "every_weeks")
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = skip_diff = True

    def get_queryset(self):
        return super().get_queryset().select_related("mentor__user")

    @classmethod
    def by_whose_clocks(cls):
        return _("Hours that name no zone are by each mentor’s own clocks.")

    @classmethod
    def missing(cls, columns):
        found = super().missing(columns)
        if "hours" in columns or not set(DAYS).isdisjoint(columns) or STAMP in columns:
            return found
        return found + [f"“{name}”" for name in ("weekday", "begins") if name not in columns]

    @classmethod
    def arrange(cls, columns, entries, order=""):
        """One row may tell of several days and times: in one cell, or in a column for each day."""
        kept = [name for name in columns if name not in (*DAYS, "hours")]
        wanted = [*kept, *(name for name in ("weekday", "begins", "ends") if name not in kept)]
        arranged = [one for entry in entries for one in _spread(dict(zip(columns, entry.cells, strict=True)), entry, wanted)]
        order, unsure = dates.in_one_order(wanted, arranged, ("valid_from_on", "valid_until_on"), order)
        return Arranged(wanted, arranged, order, unsure)

    def prepare(self, dataset):
        if "mentor" in dataset.headers:
            self.fields["mentor"].widget.find(dataset["mentor"])
        self.today = timezone.localdate()

    def read_row(self, row):
        why = _("There is no day, or no time, in this row.")
        self.require(row, "mentor")
        self.require(row, "weekday", "begins", "ends", why=why)

    def get_instance(self, instance_loader, row):
        clean = {name: self.cleaned(row, name) for name in ("mentor", "weekday", "begins")}
        same = WeeklyHours.objects.filter(**clean).select_related("mentor__user")
        if "valid_from_on" in row:
            same = same.filter(valid_from_on=self.cleaned(row, "valid_from_on"))
        return same.order_by("valid_from_on", "pk").last()

    def init_instance(self, row=None):
        mentor = self.cleaned(row, "mentor")
        return WeeklyHours(
            mentor=mentor, time_zone=Program.current().zone_of(mentor.user).key, valid_from_on=self.today, every_weeks=1
        )

    def save_instance(self, instance, is_create, row, user=None, **kwargs):
        before = set(WeeklyHours.objects.filter(mentor=instance.mentor).values_list("pk", flat=True))
        try:
            offering.make(offering.save_hours(instance), by=user)
        except ValidationError as refusal:
            if getattr(refusal, "code", "") != "undecided":
                raise
            raise ValidationError([refusal, "A sheet cannot ask: change these hours by hand."]) from refusal
        if is_create:
            # The change saves a copy of its own.
            instance = WeeklyHours.objects.exclude(pk__in=before).get(mentor=instance.mentor)
            self.touched.append((instance, None, self.snapshot(instance)))
        else:
            self.touched.append((instance, instance.sheet_before, self.snapshot(instance)))


def _spread(row: dict, entry: Entry, wanted: list[str]) -> Iterator[Entry]:
    """The row once for each of its hours. What is not understood stays as it is, to be refused in words."""
    try:
        found = list(_hours_in(row))
    except ValidationError as refusal:
        entry.refusal, found = entry.refusal or refusal, []
    if STAMP in row and not is_empty(row[STAMP]) and len(found) == 1:
        # What left here is compared as it left.
        found = []
    for times in found or [{}]:
        yield Entry(entry.numbers, [(row | times).get(name, "") for name in wanted], entry.refusal)


def _hours_in(row: dict) -> Iterator[dict[str, str]]:
    """Raises ValidationError where a cell of several days or times is not understood."""
    for name in ("hours", *DAYS):
        text = str(tidy(row.get(name)) or "")
        if is_empty(text) or text.lower() in UNTICKED:
            continue
        try:
            found = clocks.days_and_spans(text if name == "hours" else f"{name} {text}")
        except ValidationError as refusal:
            raise ValidationError({name: refusal}) from refusal
        if found is None:
            like = "Mon–Fr 17:00–19:00; Sat 10:00–12:00" if name == "hours" else "17:00–19:00"
            said = _("“%(text)s” is not understood. Write it like %(like)s.") % {"text": text, "like": like}
            raise ValidationError({name: ValidationError(said, code="not_hours")})
        for day, times in found:
            yield _cells(day, times)
    on, begins = (str(tidy(row.get(name)) or "") for name in ("weekday", "begins"))
    days = clocks.days(on)
    if not days:
        return
    try:
        times = clocks.days_and_spans(f"monday {begins}") if is_empty(row.get("ends")) else None
    except ValidationError as refusal:
        raise ValidationError({"begins": refusal}) from refusal
    for day in days:
        for _monday, one in times or [(0, None)]:
            yield _cells(day, one)


def _cells(day: int, times: clocks.Span | None) -> dict[str, str]:
    cells = {"weekday": Weekday(day).name.capitalize()}
    return cells | {name: f"{clock:%H:%M}" for name, clock in zip(("begins", "ends"), times or (), strict=False)}
