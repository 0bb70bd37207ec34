"""What sheets of times have in common: moments, people named in a cell, keys."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from people import time_zones
from people.models import Mentee, Mentor
from people.sheets.cells import Cell, Text, address, tidy
from people.sheets.resource import SheetResource

ROLES = {"mentor": Mentor, "mentee": Mentee}
# Written by people and by programs, besides ISO 8601: only what can mean one thing. 03/04/2026 cannot.
DAYS = ("%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%b %d, %Y", "%B %d, %Y")
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p")
# Day and month, or month and day: whichever is more than twelve says it.
SLASHED = re.compile(r"(?P<one>[0-9]{1,2})[/-](?P<other>[0-9]{1,2})[/-](?P<year>[0-9]{4})(?P<clock>\s.*)?")
# Days since 1900, as spreadsheet programs count them where a cell is not formatted: from 1970 to 2119.
SERIAL = re.compile(r"(2[5-9]|[3-7][0-9])[0-9]{3}\.[0-9]+")
ONLY_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?(\s?[ap]m)?", re.IGNORECASE)
FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  the zone is the reader's
NO_ZONE = re.compile(r".*[0-9:]\s*(?!am$|pm$|utc$|gmt$)(?P<zone>[a-z]{3,5})", re.IGNORECASE)


class Instant(Text):
    """A moment: ISO 8601 with its offset, or a date and time in the zone of the row's cell ``times_in``, else in the reader's.
    Leaves as UTC, ending in Z.
    """

    def clean(self, value, row=None, **kwargs):
        moment = value if isinstance(value, datetime) else _parsed(str(value))
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
        name = (row or {}).get("times_in")
        if not name:
            return from_current_timezone(moment)
        if name not in time_zones.names():
            raise ValidationError(f"“{name}” is not a time zone we know. Write it like Europe/Berlin.", code="time_zone")
        with timezone.override(ZoneInfo(name)):
            return from_current_timezone(moment)

    def render(self, value, obj=None, **kwargs):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def _parsed(text: str) -> datetime | None:
    """Raises ValidationError where it may be two days, or no time of day is said."""
    text = " ".join(text.split()).removesuffix(" Uhr")
    if text[-4:].upper() in (" UTC", " GMT"):
        found = _parsed(text[:-4])
        return found.replace(tzinfo=UTC) if found and timezone.is_naive(found) else found
    if SERIAL.fullmatch(text):
        return (FIRST_DAY + timedelta(days=float(text), microseconds=500_000)).replace(microsecond=0)
    if slashed := SLASHED.fullmatch(text):
        text = _in_order(text, slashed)
    if any(_read(text, day) for day in DAYS):
        raise ValidationError(f"“{text}” says no time of day. Write it like 2026-11-23T14:30Z.", code="no_time")
    try:
        if found := parse_datetime(text):
            return found
    except ValueError:
        return None
    return next(filter(None, (_read(text, f"{day} {clock}") for day in DAYS for clock in CLOCKS)), None)


def _read(text: str, shape: str) -> datetime | None:
    try:
        return datetime.strptime(text, shape)  # noqa: DTZ007  the zone is somebody else's question
    except ValueError:
        return None


def _in_order(text: str, found: re.Match) -> str:
    one, other, clock = int(found["one"]), int(found["other"]), found["clock"] or ""
    if max(one, other) > 12:
        month, day = sorted((one, other))
    elif one == other:
        month = day = one
    else:
        raise ValidationError(
            f"“{text}” can be two days. Write the month as a word, or the date like {found['year']}-{other:02}-{one:02}.",
            code="two_days",
        )
    return f"{found['year']}-{month:02}-{day:02}{clock}"


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
            raise ValidationError(f"There is no {kind} “{value}”. Import the {kind}s first.", code="unknown_person")
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
        "start_time": ("start_time", "start", "from", "starts at", "begin", "date and time"),
        "end_time": ("end_time", "end", "to", "until", "ends at"),
        "times_in": ("times_in", "time zone", "timezone", "zeitzone"),
        "date": ("date", "session date", "meeting date", "datum"),
    }
    labels = {
        "external_id": _("Roster key"),
        "mentor": _("Mentor (e-mail address or roster key)"),
        "mentee": _("Mentee (e-mail address or roster key)"),
        "times_in": _("Time zone of the times"),
        "date": _("Date, where the start and the end are times of day"),
        "window": _("Window (its roster key)"),
        "minutes": _("Length in minutes"),
        "topic": _("What it is about"),
        "created_at": _("When it was booked"),
    }

    class Meta:
        import_id_fields = ()
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = skip_diff = True

    def get_queryset(self):
        return super().get_queryset().order_by("start_time", "pk")

    def prepare(self, dataset):
        self._put_dates_to_times(dataset)
        for column in ROLES.keys() & set(dataset.headers):
            self.fields[column].widget.find(dataset[column])

    def _put_dates_to_times(self, dataset) -> None:
        """A sheet may have the day in a column of its own."""
        if "date" not in dataset.headers:
            return
        at = dataset.headers.index("date")
        places = [dataset.headers.index(name) for name in ("start_time", "end_time") if name in dataset.headers]
        for number, row in enumerate(dataset):
            cells = list(row)
            # A spreadsheet program makes a date and midnight of a date.
            day = str(tidy(cells[at]) or "").removesuffix("T00:00:00").removesuffix(" 00:00:00")
            for place in places:
                clock = str(tidy(cells[place]) or "")
                cells[place] = f"{day} {clock.upper()}" if day and ONLY_CLOCK.fullmatch(clock) else cells[place]
            dataset[number] = cells

    def get_instance(self, instance_loader, row):
        key = row.get("external_id")
        return self._meta.model.objects.filter(external_id=key).first() if key else None

    def moment(self, row, column):
        return self.cleaned(row, column)

    def end_by_minutes(self, row) -> None:
        """A sheet may say how long instead of until when."""
        if "end_time" in row or "minutes" not in row or "start_time" not in row:
            return
        try:
            minutes = float(row["minutes"])
        except ValueError:
            raise ValidationError({"minutes": "Write the length as a number of minutes, like 30."}) from None
        row["end_time"] = self.moment(row, "start_time") + timedelta(minutes=minutes)
