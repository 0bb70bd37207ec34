"""The program and its policy."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people import time_zones
from people.links import LinkField
from scheduling.rules import Policy

LENGTHS = (15, 30, 45, 60, 90, 120)
LONGEST_BUFFER = 240


def default_lengths() -> list[int]:
    return [30, 60]


def some_known_lengths(value) -> None:
    if not value or not isinstance(value, list) or not set(value) <= set(LENGTHS):
        raise ValidationError(
            _("Choose at least one of %(lengths)s minutes."), params={"lengths": ", ".join(map(str, LENGTHS))}
        )


class Program(models.Model):
    """The one program of this installation, and its policy. Exactly one row, with key 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=120, default="Mentoring program")
    time_zone = models.CharField(
        max_length=64,
        default=time_zones.DEFAULT,
        validators=[time_zones.validate],
        help_text=_("For everybody who has not chosen a zone. Default: UTC."),
    )
    session_lengths = models.JSONField(
        _("session lengths"),
        default=default_lengths,
        validators=[some_known_lengths],
        help_text=_("How long a session may be, in minutes. Default: 30 and 60."),
    )
    slot_step = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(240)],
        help_text=_("Sessions may start every so many minutes from the beginning of a window. Default: 30."),
    )
    minimum_notice_hours = models.PositiveSmallIntegerField(
        _("notice"),
        default=0,
        help_text=_("A session is booked at least so many hours ahead. Default: 0, until just before it."),
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("horizon"), default=90, help_text=_("A session is booked at most so many days ahead; 0: no limit. Default: 90.")
    )
    buffer_minutes = models.PositiveSmallIntegerField(
        _("buffer"),
        default=0,
        validators=[MaxValueValidator(LONGEST_BUFFER)],
        help_text=_("So many minutes stay free before and after each of a mentor's sessions. Default: 0."),
    )
    weeks_ahead = models.PositiveSmallIntegerField(
        _("weeks written ahead"),
        default=13,
        validators=[MinValueValidator(1), MaxValueValidator(53)],
        help_text=_(
            "Weekly hours become windows that can be booked so many weeks ahead. Default: 13, a little more than the "
            "default horizon."
        ),
    )
    mentor_week_cap = models.PositiveSmallIntegerField(
        _("sessions a week, mentor"),
        null=True,
        blank=True,
        help_text=_(
            "At most so many in a week that begins on Monday in the program's zone. Requests that wait for an answer "
            "count. Default: no limit."
        ),
    )
    mentee_week_cap = models.PositiveSmallIntegerField(
        _("sessions a week, mentee"), null=True, blank=True, help_text=_("Counted in the same way. Default: no limit.")
    )
    open_requests_cap = models.PositiveSmallIntegerField(
        _("open requests, mentee"),
        null=True,
        blank=True,
        help_text=_("At most so many requests of one mentee wait for an answer at a time. Default: no limit."),
    )
    meeting_rooms = LinkField(
        _("meeting rooms"),
        default="https://meet.jit.si/",
        blank=True,
        help_text=_(
            "A session whose mentor has no room gets one of its own under this address; empty: none. "
            "Default: https://meet.jit.si/"
        ),
    )
    answer_hours = models.PositiveSmallIntegerField(
        _("hours to answer"),
        default=72,
        validators=[MinValueValidator(1)],
        help_text=_("A request that nobody answers for so long expires, and its time is free again. Default: 72."),
    )
    cancel_until_hours = models.PositiveSmallIntegerField(
        _("cancel until"),
        default=0,
        help_text=_(
            "Mentors and mentees cancel at least so many hours before the start; after that a coordinator does. "
            "Default: 0, until the start."
        ),
    )
    undo_minutes = models.PositiveSmallIntegerField(
        _("minutes to undo"),
        default=2,
        validators=[MaxValueValidator(60)],
        help_text=_(
            "Messages about many changes at once (a bulk action, a hand-over, an import) wait so many minutes: undone in that"
            " time, they are not sent. 0: they go at once. Default: 2."
        ),
    )

    mentees_may_join = models.BooleanField(
        _("people may become mentees by themselves"),
        default=True,
        help_text=_("At the sign-up and later. Off: only who is on the roster. Default: on."),
    )
    mentors_may_join = models.BooleanField(
        _("people may become mentors by themselves"),
        default=True,
        help_text=_("With both off nobody can sign up; invited people come in by their invitation. Default: on."),
    )

    class Meta:
        verbose_name_plural = _("program")
        constraints = [
            models.CheckConstraint(
                condition=Q(id=1), name="program_is_one", violation_error_message=_("There is exactly one program.")
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

    def policy_for(self, limits, *, moved: bool = False) -> Policy:
        """The policy with a mentor's own limits in it. ``moved``: for a session that they have already."""
        policy = limits.within(self) if limits else self.policy
        # A pause is for new requests: what is booked already may be moved.
        return replace(policy, paused_until=None) if moved else policy

    def midnight_after(self, day: date | None) -> datetime | None:
        """The end of this day by the program's clock: what somebody's last day lasts until."""
        return day and datetime.combine(day + timedelta(days=1), time(), time_zones.zone(self.time_zone)).astimezone(UTC)

    def is_over(self, day: date | None) -> bool:
        """Whether this last day is."""
        return day is not None and self.midnight_after(day) <= timezone.now()

    def zone_of(self, user):
        """The zone this user sees times in (ZoneInfo): their own, else the program's."""
        return time_zones.zone(getattr(user, "time_zone", ""), fallback=self.time_zone)
