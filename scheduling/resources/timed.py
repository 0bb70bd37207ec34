"""What sheets of times have in common: moments, people named in a cell, keys."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from people import time_zones
from people.models import Mentee, Mentor
from people.sheets.cells import Cell, Text, address, tidy
from people.sheets.merging import Entry
from people.sheets.resource import Arranged, SheetResource
from scheduling.resources import clocks, dates

ROLES = {"mentor": Mentor, "mentee": Mentee}
ONLY_CLOCK = re.compile(clocks.CLOCK, re.IGNORECASE)
OFFSET = re.compile(r"[0-9]{2}:[0-9]{2}-(0[0-9]|1[0-2]):?[0-9]{2}$")
ONLY_SPAN = re.compile(rf"(?P<day>.*?\s|){clocks.SPAN.pattern}", re.IGNORECASE)
NO_ZONE = re.compile(r".*[0-9:]\s*(?!am$|pm$|utc$|gmt$)(?P<zone>[a-z]{3,5})", re.IGNORECASE)


class Instant(Text):
    """A moment: ISO 8601 with its offset, or a date and time in the zone of the row's cell ``times_in``, else in the reader's.
    Leaves as UTC, ending in Z.
    """

    def clean(self, value, row=None, **kwargs):
        moment = value if isinstance(value, datetime) else dates.moment(str(value))
        if moment is None and (found := NO_ZONE.fullmatch(str(value))):
            raise ValidationError(
                f"“{found['zone']}” in “{value}” can mean several zones. Write the moment like 2026-11-23T14:30+01:00, or name the"
                " zone in a column of its own, like Europe/Berlin.",
                code="time_zone",
            )
        if moment is None:
            raise ValidationError(f"“{value}” is not a date and time. Write it like 2026-11-23T14:30Z.", code="not_a_time")
        if timezone.is_aware(moment):
            return moment
        # A local time that does not exist, or exists twice, is refused here and not guessed at.
        name = time_zones.read(str((row or {}).get("times_in") or ""))
        if not name:
            return from_current_timezone(moment)
        if name not in time_zones.names():
            raise ValidationError(f"“{name}” is not a time zone we know. Write it like Europe/Berlin.", code="time_zone")
        with timezone.override(ZoneInfo(name)):
            return from_current_timezone(moment)

    def render(self, value, obj=None, **kwargs):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


class Person(Text):
    """A mentor or mentee, by e-mail address or by roster key. The resource gives it ``known``."""

    known: dict = {}

    def __init__(self, role):
        super().__init__()
        self.role = role

    def clean(self, value, row=None, **kwargs):
        value = address(str(value))
        person = self.known.get(value.lower() if "@" in value else value)
        if person is None:
            kind = self.role._meta.verbose_name
            first = f"Import the {kind}s first." if "@" in value else "Name them by their e-mail address, or import them first."
            raise ValidationError(f"There is no {kind} “{value}”. {first}", code="unknown_person")
        return person

    def find(self, cells) -> None:
        """All of a sheet's, in two questions."""
        words = {address(str(cell or "")) for cell in cells} - {""}
        emails = {word.lower() for word in words if "@" in word}
        people = self.role.objects.with_people()
        found = people.annotate(lower_email=Lower("user__email")).filter(lower_email__in=emails)
        self.known = {person.lower_email: person for person in found}
        keyed = people.filter(external_id__in=[word for word in words if "@" not in word])
        self.known |= {person.external_id: person for person in keyed}

    def render(self, value, obj=None, **kwargs):
        return value.user.email if value else ""


class TimedResource(SheetResource):
    """Rows with a key of their own where the sheet has one, so that the same sheet may come in twice."""

    key = ("external_id", "key")

    external_id = Cell("external_id")
    start_time = Cell("start_time", widget=Instant())
    end_time = Cell("end_time", widget=Instant())

    columns = {
        "external_id": ("external_id", "roster key"),
        "mentor": ("mentor", "mentor_email", "email", "mentor_id", "tutor", "coach"),
        "start_time": (
            "start_time",
            "start",
            "from",
            "starts at",
            "begin",
            "date and time",
            "start date & time",
            "time",
            "beginn",
            "von",
            "uhrzeit",
        ),
        "end_time": ("end_time", "end", "to", "until", "ends at", "end date & time", "ende", "bis"),
        "times_in": ("times_in", "time zone", "timezone", "zeitzone"),
        "date": ("date", "session date", "meeting date", "start date", "day", "datum", "tag"),
        "end_date": ("end date", "enddatum"),
        "minutes": ("minutes", "duration_mins", "duration", "length", "duration minutes", "dauer"),
    }
    labels = {
        "external_id": _("Roster key"),
        "mentor": _("Mentor (e-mail address or roster key)"),
        "mentee": _("Mentee (e-mail address or roster key)"),
        "times_in": _("Time zone of the times"),
        "date": _("Date, where the start and the end are times of day"),
        "end_date": _("Date of the end, where it is another one"),
        "window": _("Window (its roster key)"),
        "minutes": _("Length (minutes, or with its unit)"),
        "canceled": _("Canceled (yes or no)"),
        "topic": _("What it is about"),
        "created_at": _("When it was booked"),
    }

    # Elsewhere they speak of other times: "Submission time", "Invitee Time Zone".
    alone = frozenset({"time", "time zone", "timezone", "uhrzeit", "zeitzone"})

    class Meta:
        import_id_fields = ()
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = skip_diff = True

    def get_queryset(self):
        return super().get_queryset().order_by("start_time", "pk")

    @classmethod
    def by_whose_clocks(cls):
        zone = timezone.get_current_timezone_name()
        return _("Times are shown by the clocks of %(zone)s, and those that name no zone are read so.") % {"zone": zone}

    @classmethod
    def shown(cls, column, text):
        if not text or not isinstance(cls.fields[column].widget, Instant):
            return text
        local = timezone.localtime(datetime.fromisoformat(text))
        return date_format(local, "DATETIME_FORMAT")

    @classmethod
    def arrange(cls, columns, entries, order=""):
        """A sheet may have the day in a column of its own, both times in one cell, and days and months in either order."""
        columns = list(columns)
        if "start_time" in columns and "end_time" not in columns and any(_span(columns, entry) for entry in entries):
            columns.append("end_time")
            for entry in entries:
                entry.cells.append("")
        for entry in entries:
            _put_together(columns, entry)
        order, unsure = dates.in_one_order(columns, entries, ("start_time", "end_time", "created_at"), order)
        return Arranged(columns, entries, order, unsure)

    def prepare(self, dataset):
        for column in ROLES.keys() & set(dataset.headers):
            self.fields[column].widget.find(dataset[column])

    def get_instance(self, instance_loader, row):
        key = row.get("external_id")
        return self._meta.model.objects.filter(external_id=key).first() if key else None

    def moment(self, row, column):
        return self.cleaned(row, column)

    def end_by_minutes(self, row) -> None:
        """A sheet may say how long instead of until when."""
        if "end_time" in row or "minutes" not in row or "start_time" not in row:
            return
        minutes = clocks.minutes(str(row["minutes"]))
        if minutes is None:
            said = "Write the length as a number of minutes, like 30, or with its unit, like 1 h 30 min."
            raise ValidationError({"minutes": said})
        row["end_time"] = self.moment(row, "start_time") + timedelta(minutes=minutes)


def _span(columns: list[str], entry: Entry) -> re.Match | None:
    """Two times of day in the cell of the start. In 2026-11-23 14:30-05:00 the second is an offset."""
    cell = str(tidy(entry.cells[columns.index("start_time")]) or "") if "start_time" in columns else ""
    found = ONLY_SPAN.fullmatch(cell)
    return found if found and not OFFSET.search(cell) else None


def _put_together(columns: list[str], entry: Entry) -> None:
    cells = {
        name: str(tidy(entry.cells[columns.index(name)]) or "")
        for name in ("date", "end_date", "start_time", "end_time")
        if name in columns
    }
    # A spreadsheet program makes a date and midnight of a date.
    day, last = (dates.MIDNIGHT.sub("", cells.pop(name, "")) for name in ("date", "end_date"))
    before = dict(cells)
    if not cells.get("end_time") and (both := _span(columns, entry)):
        try:
            found = clocks.span(both["begins"], both["ends"])
        except ValidationError as refusal:
            entry.refusal = entry.refusal or ValidationError({"start_time": refusal})
            return
        if found:
            day, last = both["day"].strip(" ,") or day, ""
            cells = {name: f"{clock:%H:%M}" for name, clock in zip(("start_time", "end_time"), found, strict=True)}
    for name, cell in cells.items():
        on = last or day if name == "end_time" else day
        text = f"{on} {cell}" if on and ONLY_CLOCK.fullmatch(cell) else cell
        if text != before[name]:
            entry.cells[columns.index(name)] = text
