"""The sheets of scheduling: windows, and sessions brought over from another system."""

from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from people.models import Mentee, Mentor
from people.sheets.cells import Cell, Text
from people.sheets.resource import SheetResource
from scheduling import booking, offering
from scheduling.models import Availability, Session
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING

# The verbs that bring a request to the status in a sheet.
PATHS = {
    PENDING: (),
    CONFIRMED: (booking.confirm,),
    CANCELED: (booking.cancel,),
    COMPLETED: (booking.confirm, booking.complete),
    NO_SHOW: (booking.confirm, booking.mark_no_show),
}


class Instant(Text):
    """A moment: ISO 8601 with its offset, or a date and time in the reader's zone. Leaves as UTC, ending in Z."""

    def clean(self, value, row=None, **kwargs):
        try:
            moment = value if isinstance(value, datetime) else parse_datetime(str(value))
        except ValueError:
            moment = None
        if moment is None:
            raise ValidationError(f"“{value}” is not a date and time. Write it like 2026-11-23T14:30Z.", code="not_a_time")
        # A local time that does not exist, or exists twice, is refused here and not guessed at.
        return moment if timezone.is_aware(moment) else from_current_timezone(moment)

    def render(self, value, obj=None, **kwargs):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


class Person(Text):
    """A mentor or mentee, by e-mail address or by roster key."""

    def __init__(self, role):
        super().__init__()
        self.role = role

    def clean(self, value, row=None, **kwargs):
        value = str(value)
        people = self.role.objects.with_people()
        person = people.with_email(value) if "@" in value else people.filter(external_id=value).first()
        if person is None:
            kind = self.role._meta.verbose_name
            raise ValidationError(f"There is no {kind} “{value}”. Import the {kind}s first.", code="unknown_person")
        return person

    def render(self, value, obj=None, **kwargs):
        return value.user.email if value else ""


class TimedResource(SheetResource):
    """Rows with a key of their own where the sheet has one, so that the same sheet may come in twice."""

    key = ("external_id", "key")

    external_id = Cell("external_id")
    start_time = Cell("start_time", widget=Instant())
    end_time = Cell("end_time", widget=Instant())

    class Meta:
        import_id_fields = ()
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = True

    def get_queryset(self):
        return super().get_queryset().order_by("start_time", "pk")

    def get_instance(self, instance_loader, row):
        key = row.get("external_id")
        return self._meta.model.objects.filter(external_id=key).first() if key else None


class AvailabilityResource(TimedResource):
    """Windows. Without keys, a window is the same when its mentor and times are.

    A sheet asks nobody: a row that would leave what is booked without a window is refused, and changed by hand.
    """

    mentor = Cell("mentor", widget=Person(Mentor))

    columns = {
        "external_id": ("external_id", "slot_id", "window_id", "roster key"),
        "mentor": ("mentor", "mentor_email", "email", "mentor_id"),
        "start_time": ("start_time", "start", "from"),
        "end_time": ("end_time", "end", "to"),
    }
    needed = (("mentor",), ("start_time",), ("end_time",))

    class Meta(TimedResource.Meta):
        model = Availability
        fields = ("mentor", "start_time", "end_time", "external_id")

    def get_queryset(self):
        return super().get_queryset().select_related("mentor__user")

    def init_instance(self, row=None):
        times = {name: self.fields[name].widget.clean(row[name]) for name in ("start_time", "end_time") if name in row}
        if len(times) == 2 and "mentor" in row:
            same = Availability.objects.filter(mentor=self.fields["mentor"].widget.clean(row["mentor"]), **times)
            if "external_id" in row:
                # One with another key is another one, and in the way.
                same = same.filter(external_id="")
            if found := same.first():
                return found
        return super().init_instance(row)

    def save_instance(self, instance, is_create, row, user=None, **kwargs):
        if instance._state.adding:
            offering.put_window(instance)
            return
        try:
            offering.make(offering.save_window(instance), by=user)
        except ValidationError as refusal:
            if getattr(refusal, "code", "") != "undecided":
                raise
            raise ValidationError([refusal, "A sheet cannot ask: change this window by hand."]) from refusal


class SessionResource(TimedResource):
    """Sessions from another system. Each row goes through the verbs, and is refused with their sentence.

    A row with ``created_at`` is taken over as of that moment, so that what was agreed on time is not refused for being
    past now. A session already here is left alone: it is changed with its buttons, not by a sheet.
    """

    mentor = Cell("mentor", widget=Person(Mentor))
    mentee = Cell("mentee", widget=Person(Mentee))
    status = Cell("status")
    topic = Cell("topic")
    meeting_link = Cell("meeting_link")
    created_at = Cell("created_at", widget=Instant())

    columns = {
        "external_id": ("external_id", "booking_id", "session_id", "roster key"),
        "mentor": ("mentor", "mentor_email", "mentor_id"),
        "mentee": ("mentee", "mentee_email", "student_email", "mentee_id", "student_id"),
        "window": ("window", "slot_id", "window_id"),
        "start_time": ("start_time", "start", "from"),
        "end_time": ("end_time", "end", "to"),
        "status": ("status",),
        "topic": ("topic", "notes"),
        "meeting_link": ("meeting_link", "meet_link", "link"),
        "created_at": ("created_at", "booked_at"),
    }
    needed = (("mentor",), ("mentee",), ("window", "start_time"))

    class Meta(TimedResource.Meta):
        model = Session
        fields = (
            "mentor",
            "mentee",
            "start_time",
            "end_time",
            "status",
            "topic",
            "meeting_link",
            "created_at",
            "external_id",
        )

    def get_queryset(self):
        return super().get_queryset().with_people()

    def read_row(self, row):
        if "window" in row and "start_time" not in row:
            window = Availability.objects.filter(external_id=row["window"]).first()
            if window is None:
                raise ValidationError(
                    {"window": f"There is no window with the key “{row['window']}”. Import the windows first."}
                )
            row["start_time"], row["end_time"] = window.start_time, window.end_time
        for column in ("mentor", "mentee", "start_time", "end_time"):
            if column not in row:
                raise ValidationError({column: "This cell is empty."})
        wanted = {status.value.lower(): status.value for status in PATHS}
        word = str(row.get("status", PENDING)).lower().replace("cancelled", "canceled").replace("no show", "no-show")
        if word not in wanted:
            raise ValidationError({"status": f"“{row['status']}” is no status: write {', '.join(wanted.values())}."})
        row["status"] = wanted[word]

    def skip_row(self, instance, original, row, import_validation_errors=None):
        return not instance._state.adding

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        # The verbs check everything else, under lock.
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def save_instance(self, instance, is_create, row, user=None, **kwargs):
        minutes = (instance.end_time - instance.start_time) / timedelta(minutes=1)
        if minutes < 1 or minutes % 1:
            raise ValidationError({"end_time": "The end must come after the start, by whole minutes."})
        happened_at = min(instance.created_at, timezone.now()) if instance.created_at else None
        session = booking.request(
            instance.mentor,
            instance.mentee,
            instance.start_time,
            int(minutes),
            by=user,
            topic=instance.topic,
            meeting_link=instance.meeting_link,
            external_id=instance.external_id,
            at=happened_at,
        )
        for verb in PATHS[row["status"]]:
            after = verb in (booking.complete, booking.mark_no_show)
            session = verb(session, by=user, at=instance.end_time if after else happened_at)
        instance.pk = session.pk
