"""What sheets of times have in common: moments, people named in a cell, keys."""

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
from people.sheets.cells import Cell, Text, tidy
from people.sheets.resource import SheetResource

ROLES = {"mentor": Mentor, "mentee": Mentee}
# Written by people and by programs, besides ISO 8601: only what can mean one thing. 03/04/2026 cannot.
ALSO = ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %I:%M %p", "%d %b %Y %H:%M", "%d %B %Y %H:%M")


class Instant(Text):
    """A moment: ISO 8601 with its offset, or a date and time in the zone of the row's cell ``times_in``, else in the reader's.
    Leaves as UTC, ending in Z.
    """

    def clean(self, value, row=None, **kwargs):
        moment = value if isinstance(value, datetime) else _parsed(str(value))
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
    try:
        if found := parse_datetime(text):
            return found
    except ValueError:
        return None
    for shape in ALSO:
        try:
            return datetime.strptime(text, shape)  # noqa: DTZ007  the zone is somebody else's question
        except ValueError:
            continue
    return None


class Person(Text):
    """A mentor or mentee, by e-mail address or by roster key. The resource gives it ``known``."""

    known: dict = {}

    def __init__(self, role):
        super().__init__()
        self.role = role

    def clean(self, value, row=None, **kwargs):
        value = str(value)
        person = self.known.get(value.lower() if "@" in value else value)
        if person is None:
            kind = self.role._meta.verbose_name
            raise ValidationError(f"There is no {kind} “{value}”. Import the {kind}s first.", code="unknown_person")
        return person

    def find(self, cells) -> None:
        """All of a sheet's, in two questions."""
        words = {str(tidy(cell) or "") for cell in cells} - {""}
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
        "times_in": ("times_in", "time zone", "timezone"),
    }
    labels = {
        "external_id": _("Roster key"),
        "mentor": _("Mentor (e-mail address or roster key)"),
        "mentee": _("Mentee (e-mail address or roster key)"),
        "times_in": _("Time zone of the times"),
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
        try:
            minutes = float(row["minutes"])
        except ValueError:
            raise ValidationError({"minutes": "Write the length as a number of minutes, like 30."}) from None
        row["end_time"] = self.moment(row, "start_time") + timedelta(minutes=minutes)
