"""What happens between people: the program and its policy, windows, sessions, and the notices they cause.

Nothing here decides or sends. The verbs are in ``booking``, the rules in ``rules``, the database's own refusal in ``guard``.
"""

import uuid
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from people import time_zones
from people.models import PERMISSIONS, Mentee, Mentor, User
from scheduling.querysets import AvailabilityQuerySet, NoticeQuerySet, SessionQuerySet
from scheduling.rules import Policy
from scheduling.slots import Period
from scheduling.words import CANCELED, PENDING, Ending, Kind, State, Status

LENGTHS = (15, 30, 45, 60, 90, 120)


def default_lengths() -> list[int]:
    return [30, 60]


def some_known_lengths(value) -> None:
    if not value or not isinstance(value, list) or not set(value) <= set(LENGTHS):
        raise ValidationError("Choose at least one of %(lengths)s minutes.", params={"lengths": ", ".join(map(str, LENGTHS))})


class Program(models.Model):
    """The one program of this installation, and its policy. Exactly one row, with key 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=120, default="Mentoring program")
    time_zone = models.CharField(
        max_length=64,
        default=time_zones.DEFAULT,
        validators=[time_zones.validate],
        help_text="For everybody who has not chosen a zone. Default: UTC.",
    )
    session_lengths = models.JSONField(
        "session lengths",
        default=default_lengths,
        validators=[some_known_lengths],
        help_text="How long a session may be, in minutes. Default: 30 and 60.",
    )
    slot_step = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(240)],
        help_text="Sessions may start every so many minutes from the beginning of a window. Default: 30.",
    )
    minimum_notice_hours = models.PositiveSmallIntegerField(
        "notice", default=0, help_text="A session is booked at least so many hours ahead. Default: 0, until just before it."
    )
    horizon_days = models.PositiveSmallIntegerField(
        "horizon", default=90, help_text="A session is booked at most so many days ahead; 0: no limit. Default: 90."
    )
    buffer_minutes = models.PositiveSmallIntegerField(
        "buffer",
        default=0,
        validators=[MaxValueValidator(240)],
        help_text="So many minutes stay free before and after each of a mentor's sessions. Default: 0.",
    )
    mentor_week_cap = models.PositiveSmallIntegerField(
        "sessions a week, mentor",
        null=True,
        blank=True,
        help_text="At most so many in a week that begins on Monday in the program's zone. Requests that wait for an answer "
        "count. Default: no limit.",
    )
    mentee_week_cap = models.PositiveSmallIntegerField(
        "sessions a week, mentee", null=True, blank=True, help_text="Counted in the same way. Default: no limit."
    )
    open_requests_cap = models.PositiveSmallIntegerField(
        "open requests, mentee",
        null=True,
        blank=True,
        help_text="At most so many requests of one mentee wait for an answer at a time. Default: no limit.",
    )
    answer_hours = models.PositiveSmallIntegerField(
        "hours to answer",
        default=72,
        validators=[MinValueValidator(1)],
        help_text="A request that nobody answers for so long expires, and its time is free again. Default: 72.",
    )
    cancel_until_hours = models.PositiveSmallIntegerField(
        "cancel until",
        default=0,
        help_text="Mentors and mentees cancel at least so many hours before the start; after that a coordinator does. "
        "Default: 0, until the start.",
    )

    class Meta:
        verbose_name_plural = "program"
        constraints = [
            models.CheckConstraint(
                condition=Q(id=1), name="program_is_one", violation_error_message="There is exactly one program."
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Program":
        return cls.objects.filter(pk=1).first() or cls.objects.get_or_create(pk=1)[0]

    @property
    def policy(self) -> Policy:
        return Policy(
            lengths=tuple(sorted(self.session_lengths)),
            step=self.slot_step,
            notice_hours=self.minimum_notice_hours,
            horizon_days=self.horizon_days,
            buffer_minutes=self.buffer_minutes,
            mentor_week_cap=self.mentor_week_cap,
            mentee_week_cap=self.mentee_week_cap,
            open_requests_cap=self.open_requests_cap,
            week_zone=time_zones.zone(self.time_zone),
        )

    def zone_of(self, user):
        """The zone this user sees times in (ZoneInfo): their own, else the program's."""
        return time_zones.zone(getattr(user, "time_zone", ""), fallback=self.time_zone)


class Timed(models.Model):
    """Something that lasts from ``start_time`` until just before ``end_time``."""

    start_time = models.DateTimeField()
    end_time = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def period(self) -> Period:
        return Period(self.start_time, self.end_time)


def ends_after_it_starts() -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(end_time__gt=F("start_time")),
        name="%(class)s_ends_after_it_starts",
        violation_error_message="The end must come after the start.",
    )


def external_id_unique() -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=["external_id"],
        condition=~Q(external_id=""),
        name="%(class)s_external_id_unique",
        violation_error_message="Another row already has this roster key.",
    )


class Availability(Timed):
    """A window in which a mentor can be booked."""

    # Longer is a slip of the keyboard.
    LONGEST_HOURS = 24

    mentor = models.ForeignKey(Mentor, models.CASCADE, related_name="availabilities")
    external_id = models.CharField("roster key", max_length=64, blank=True)

    objects = AvailabilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "availability"
        default_permissions = PERMISSIONS
        ordering = ["start_time", "pk"]
        indexes = [models.Index(fields=["mentor", "start_time"], name="availability_mentor_start")]
        constraints = [ends_after_it_starts(), external_id_unique()]

    def __str__(self) -> str:
        return f"window {self.pk}"

    def clean(self):
        if self.start_time and self.end_time and (self.end_time - self.start_time).total_seconds() > self.LONGEST_HOURS * 3600:
            raise ValidationError("A window lasts at most 24 hours. Enter one for each day.", code="too_long")


class Session(Timed):
    """One meeting of a mentor and a mentee. A booking request is a session that is Pending."""

    mentor = models.ForeignKey(Mentor, models.PROTECT, related_name="sessions")
    mentee = models.ForeignKey(Mentee, models.PROTECT, related_name="sessions")
    availability = models.ForeignKey(
        Availability, models.SET_NULL, null=True, blank=True, related_name="sessions", editable=False
    )
    # Changed by the verbs only. Editable in Django's sense, or the history would leave these out of what changed.
    status = models.CharField(max_length=10, choices=Status, default=PENDING)
    topic = models.CharField("what it is about", max_length=200, blank=True)
    meeting_link = models.URLField(blank=True, help_text="Where you meet online.")
    ending = models.CharField(max_length=8, choices=Ending, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    ended_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(editable=False)
    # A request that nobody has answered by then expires; empty: it never does.
    answer_by = models.DateTimeField(null=True, blank=True, editable=False)
    # Grows with every verb: a page that shows an older version is told so instead of overwriting.
    version = models.PositiveIntegerField(default=1, editable=False)
    # One filled-in form, however often it is sent, is one session.
    form_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    external_id = models.CharField("roster key", max_length=64, blank=True, editable=False)

    objects = SessionQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        default_permissions = PERMISSIONS
        ordering = ["-start_time", "-pk"]
        indexes = [
            models.Index(fields=["-start_time", "-id"], name="session_latest_first"),
            models.Index(fields=["mentor", "start_time"], name="session_mentor_start"),
            models.Index(fields=["mentee", "start_time"], name="session_mentee_start"),
            models.Index(fields=["status", "start_time"], name="session_status_start"),
            models.Index(fields=["answer_by"], condition=Q(status=PENDING), name="session_unanswered"),
        ]
        constraints = [
            ends_after_it_starts(),
            external_id_unique(),
            models.CheckConstraint(
                condition=~Q(mentor_id=F("mentee_id")),
                name="session_of_two_people",
                violation_error_message="Nobody can book a session with themselves.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values),
                name="session_status_known",
                violation_error_message="A session is Pending, Confirmed, Canceled, Completed or No-show.",
            ),
            models.CheckConstraint(
                condition=Q(status=CANCELED, ending__in=Ending.values) | (~Q(status=CANCELED) & Q(ending="")),
                name="session_canceled_has_a_why",
                violation_error_message="A canceled session says how it ended, and no other does.",
            ),
        ]

    # Follows no relation: lists print many of these.
    def __str__(self) -> str:
        return f"session {self.pk}"

    @property
    def minutes(self) -> int:
        return self.period.minutes

    def other_party(self, user) -> User:
        return self.mentee.user if user.pk == self.mentor_id else self.mentor.user

    def elsewhere(self, program: Program, here: tzinfo) -> list[tuple[User, ZoneInfo]]:
        """The people of this session whose clocks show another time then than the clocks here, each with their zone."""
        clock = self.start_time.astimezone(here).utcoffset()
        zones = [(user, program.zone_of(user)) for user in (self.mentor.user, self.mentee.user)]
        return [(user, zone) for user, zone in zones if self.start_time.astimezone(zone).utcoffset() != clock]


class Notice(models.Model):
    """One message owed to one person about one session: at once the outbox and the proof."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="notices")
    recipient = models.ForeignKey(User, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind)
    # The start that the message speaks of: a session moved is a new promise.
    start_time = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    detail = models.CharField(max_length=300, blank=True, help_text="Why it was not sent, or what the mail server said.")
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Nobody touches the row before this: a sender's lease, or the pause after a server's "not now".
    not_before = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    # Times the server took the message and gave no answer: it may have been sent.
    unanswered = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    # The same in every attempt, so that a mail system can drop a second copy.
    message_key = models.UUIDField(default=uuid.uuid4, editable=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at", "-pk"]
        indexes = [
            # The sweep's question: what is unsent and due? Most rows are sent, and not in here.
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["pending", "sending"]), name="notice_unsent_due"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "recipient", "kind", "start_time"],
                name="notice_promised_once",
                violation_error_message="This has been promised already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values),
                name="notice_state_known",
                violation_error_message="This is not a state of a notice.",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"
