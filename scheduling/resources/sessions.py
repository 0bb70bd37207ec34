"""Sheets of sessions that are still to come, or were agreed on elsewhere: each row through the verbs."""

import re
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import Mentee, Mentor
from people.sheets.cells import Cell, YesNo
from people.sheets.returning import KEY
from scheduling import booking
from scheduling.exports import SESSIONS
from scheduling.models import Availability, Session
from scheduling.resources.timed import Instant, Person, TimedResource
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING

# The verbs that bring a request to the status in a sheet.
PATHS = {
    PENDING: (),
    CONFIRMED: (booking.confirm,),
    CANCELED: (booking.cancel,),
    COMPLETED: (booking.confirm, booking.complete),
    NO_SHOW: (booking.confirm, booking.mark_no_show),
}
COLUMNS = TimedResource.columns | {
    "external_id": ("external_id", "booking_id", "session_id", "roster key"),
    "mentor": ("mentor", "mentor_email", "mentor_id", "tutor", "coach", "host email", "organizer email", "user email", "host"),
    "mentee": (
        "mentee",
        "mentee_email",
        "student_email",
        "mentee_id",
        "student_id",
        "student",
        "invitee email",
        "attendee email",
        "participant email",
        "client email",
        "learner",
    ),
    "status": ("status", "state", "outcome"),
    "canceled": ("canceled", "cancelled", "abgesagt"),
    "window": ("window", "slot_id", "window_id"),
    "topic": ("topic", "notes", "subject"),
    "meeting_link": ("meeting_link", "meet_link", "link"),
    "created_at": ("created_at", "booked_at", "event created date & time"),
}
# What other systems call them.
ALSO_CALLED = (
    dict.fromkeys(
        ("cancelled", "cancellation", "late cancel", "late cancellation", "declined", "expired", "rejected"), "canceled"
    )
    | dict.fromkeys(("no show", "noshow", "missed", "absent", "did not attend", "did not show"), "no-show")
    | dict.fromkeys(("attended", "done", "held", "took place", "happened", "finished", "complete"), "completed")
    | dict.fromkeys(("booked", "scheduled", "accepted", "approved"), "confirmed")
    | {"requested": "pending"}
)
# Who did it is not the question: "Cancelled by invitee", "No-show (mentee)".
BY_WHOM = re.compile(r"\s*(\bby\b.*|\(.*\))$")
FIELDS = ("mentor", "mentee", "start_time", "end_time", "status", "topic", "meeting_link", "created_at", "external_id")


def _called_off(row) -> bool:
    try:
        return YesNo().clean(row["canceled"])
    except ValidationError as refusal:
        raise ValidationError({"canceled": refusal}) from refusal


def status_of(row, usual: str) -> str:
    """The status in a row, spelled as ours."""
    wanted = {status.value.lower(): status.value for status in PATHS}
    if "canceled" in row and _called_off(row):
        return CANCELED
    word = BY_WHOM.sub("", " ".join(str(row.get("status", usual)).lower().replace("_", " ").split()))
    word = word if word in wanted else ALSO_CALLED.get(word.replace("-", " "), word)
    if word not in wanted:
        raise ValidationError({"status": f"“{row['status']}” is no status: write {', '.join(wanted.values())}."})
    return wanted[word]


class AnySessionResource(TimedResource):
    """Without keys, a session is the same when its people and its start are."""

    mentor = Cell("mentor", widget=Person(Mentor))
    mentee = Cell("mentee", widget=Person(Mentee))
    status = Cell("status")
    topic = Cell("topic")
    meeting_link = Cell("meeting_link")
    created_at = Cell("created_at", widget=Instant())

    sheet = SESSIONS
    columns = COLUMNS
    needed = (("mentor",), ("mentee",), ("window", "start_time"))

    class Meta(TimedResource.Meta):
        model = Session
        fields = FIELDS

    def get_queryset(self):
        return super().get_queryset().with_people()

    def skip_row(self, instance, original, row, import_validation_errors=None):
        return not (instance._state.adding or import_validation_errors or instance.sheet_changes)

    def import_instance(self, instance, row, **kwargs):
        """One that is here already is left alone: it is changed with its buttons, not by a sheet."""
        if instance._state.adding:
            super().import_instance(instance, row, **kwargs)
            return
        instance.sheet_changes, instance.sheet_emptied = [], []
        if changed := [name for name in FIELDS if KEY in row and name in row]:
            self.change(instance, row, changed)

    def change(self, session: Session, row, changed: list[str]) -> None:
        """One that left and came back, with other words in these columns."""
        sentence = _("This is changed with the buttons of the session, not by a sheet.")
        raise ValidationError({name: ValidationError(sentence, code="buttons") for name in changed})

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        # The verbs check everything else, under lock.
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def read_times(self, row) -> None:
        """A sheet may name a window, or say how long, instead of from when until when."""
        if "window" in row and "start_time" not in row:
            window = Availability.objects.filter(external_id=row["window"]).first()
            if window is None:
                raise ValidationError(
                    {"window": f"There is no window with the key “{row['window']}”. Import the windows first."}
                )
            row["start_time"], row["end_time"] = window.start_time, window.end_time
        self.end_by_minutes(row)
        self.require(row, "mentor", "mentee", "start_time", "end_time")


class SessionResource(AnySessionResource):
    """Sessions from another system. Each row goes through the verbs, and is refused with their sentence.

    A row with ``created_at`` is taken over as of that moment, so that what was agreed on time is not refused for being
    past now.
    """

    class Meta(AnySessionResource.Meta):
        pass

    def read_row(self, row):
        self.read_times(row)
        if "status" in row or KEY not in row:
            row["status"] = status_of(row, PENDING)

    def change(self, session, row, changed):
        """Its status, where verbs lead there; they say why not."""
        path = [verb for verb in PATHS.get(row.get("status"), ()) if verb is not booking.confirm or session.status != CONFIRMED]
        if changed != ["status"] or not path:
            super().change(session, row, [name for name in changed if name != "status"] or changed)
        session.sheet_path = path
        session.sheet_changes = [("status", session.status, row["status"])]

    def save_instance(self, instance, is_create, row, user=None, **kwargs):
        if not instance._state.adding:
            session = instance
            for verb in instance.sheet_path:
                session = verb(session, by=user, within=self.within)
            return
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
            within=self.within,
        )
        for verb in PATHS[row["status"]]:
            after = verb in (booking.complete, booking.mark_no_show)
            session = verb(session, by=user, at=instance.end_time if after else happened_at, within=self.within)
        instance.pk = session.pk
