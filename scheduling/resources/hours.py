"""Sheets of weekly hours: the rules that write windows."""

from datetime import date, datetime, time

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import Mentor
from people.sheets.cells import Cell, Text
from people.sheets.resource import SheetResource
from scheduling import offering
from scheduling.exports import WEEKLY_HOURS
from scheduling.models import Program, WeeklyHours
from scheduling.resources.timed import Person
from scheduling.words import Weekday


class Day(Text):
    """A date."""

    def clean(self, value, row=None, **kwargs):
        if not value:
            return None
        for shape in ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y"):
            try:
                return datetime.strptime(str(value)[:10] if shape == "%Y-%m-%d" else str(value), shape).date()  # noqa: DTZ007
            except ValueError:
                continue
        raise ValidationError(f"“{value}” is not a date. Write it like 2026-11-23.", code="not_a_date")

    def render(self, value, obj=None, **kwargs):
        return value.isoformat() if isinstance(value, date) else ""


class Clock(Text):
    """A time of day."""

    def clean(self, value, row=None, **kwargs):
        text = str(value).strip().lower().replace(".", ":")
        for shape in ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p", "%H"):
            try:
                return datetime.strptime(text, shape).time()  # noqa: DTZ007
            except ValueError:
                continue
        raise ValidationError(f"“{value}” is not a time of day. Write it like 18:30.", code="not_a_time")

    def render(self, value, obj=None, **kwargs):
        return f"{value:%H:%M}" if isinstance(value, time) else ""


class DayOfWeek(Text):
    """Monday, Mon, or the language of the reader."""

    def clean(self, value, row=None, **kwargs):
        word = str(value).strip().lower().removesuffix("s")
        for day in Weekday:
            names = {day.name.lower(), str(day.label).lower()}
            if any(name == word or (len(word) >= 2 and name.startswith(word.rstrip("."))) for name in names):
                return day.value
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
    time_zone = Cell("time_zone")
    valid_from_on = Cell("valid_from_on", widget=Day())
    valid_until_on = Cell("valid_until_on", widget=Day())
    every_weeks = Cell("every_weeks", widget=HowOften())

    sheet = WEEKLY_HOURS
    columns = {
        "mentor": ("mentor", "mentor_email", "email", "mentor_id", "tutor", "coach"),
        "weekday": ("weekday", "day", "day of week"),
        "begins": ("begins", "from", "start", "start_time", "begin"),
        "ends": ("ends", "to", "end", "end_time", "until"),
        "time_zone": ("time_zone", "timezone", "zone", "tz"),
        "valid_from_on": ("valid_from_on", "valid from", "from date", "since"),
        "valid_until_on": ("valid_until_on", "valid until", "until date", "last day"),
        "every_weeks": ("every_weeks", "how often"),
    }
    labels = {
        "mentor": _("Mentor (e-mail address or roster key)"),
        "begins": _("From"),
        "ends": _("To"),
        "valid_from_on": _("Valid from"),
        "valid_until_on": _("Valid until"),
        "every_weeks": _("How often (1 or 2 weeks)"),
    }
    needed = (("mentor",), ("weekday",), ("begins",), ("ends",))
    clearable = ("valid_until_on",)

    class Meta:
        model = WeeklyHours
        import_id_fields = ()
        fields = ("mentor", "weekday", "begins", "ends", "time_zone", "valid_from_on", "valid_until_on", "every_weeks")
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = skip_diff = True

    def get_queryset(self):
        return super().get_queryset().select_related("mentor__user")

    def prepare(self, dataset):
        if "mentor" in dataset.headers:
            self.fields["mentor"].widget.find(dataset["mentor"])
        self.today = timezone.localdate()

    def read_row(self, row):
        self.require(row, "mentor", "weekday", "begins", "ends")

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
