"""The time that mentors offer: limits of their own, weekly hours, time off, and the windows that come of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from people import time_zones
from people.models import PERMISSIONS, Mentor
from scheduling.hours import Hours
from scheduling.models.program import LONGEST_BUFFER, Program
from scheduling.models.timed import Timed, ends_after_it_starts, external_id_unique
from scheduling.querysets import AvailabilityQuerySet, PeriodQuerySet
from scheduling.rules import Policy
from scheduling.slots import Period
from scheduling.words import Weekday


class MentorLimits(models.Model):
    """What one mentor sets otherwise than the program: empty fields follow the program's policy."""

    mentor = models.OneToOneField(Mentor, models.CASCADE, primary_key=True, related_name="limits")
    week_cap = models.PositiveSmallIntegerField(
        _("sessions a week"),
        null=True,
        blank=True,
        help_text=_("At most so many in a week. Requests that wait for an answer count. Empty: as the program has it."),
    )
    buffer_minutes = models.PositiveSmallIntegerField(
        _("buffer"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_BUFFER)],
        help_text=_("So many minutes stay free before and after each session. Empty: as the program has it."),
    )
    paused_until_on = models.DateField(
        _("no new requests until"),
        null=True,
        blank=True,
        help_text=_("New requests are taken again from this day on. What is booked stays. Empty: no pause."),
    )

    class Meta:
        verbose_name = _("limits of a mentor")
        verbose_name_plural = _("limits of mentors")
        default_permissions = PERMISSIONS

    def __str__(self) -> str:
        return f"limits of mentor {self.pk}"

    @classmethod
    def of(cls, mentor: Mentor) -> "MentorLimits":
        """The mentor's, or empty ones that are not saved."""
        limits = cls.objects.filter(mentor=mentor).first() or cls(mentor=mentor)
        limits.mentor = mentor
        return limits

    def paused_until(self, today: date) -> date | None:
        """The day from which new requests are taken again; None where they are taken ``today``, a day of the mentor's."""
        return self.paused_until_on if self.paused_until_on and self.paused_until_on > today else None

    def within(self, program: Program) -> Policy:
        """The program's policy with these in the place of its own."""
        own = {"mentor_week_cap": self.week_cap, "buffer_minutes": self.buffer_minutes}
        own = {name: value for name, value in own.items() if value is not None}
        pause = None
        if self.paused_until_on:
            pause = datetime.combine(self.paused_until_on, time(), program.zone_of(self.mentor.user)).astimezone(UTC)
        return replace(program.policy, **own, own=frozenset(own), paused_until=pause)


class WeeklyHours(models.Model):
    """The rule that writes windows: local hours on one weekday, every week or every second one."""

    mentor = models.ForeignKey(Mentor, models.CASCADE, related_name="weekly_hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("to"), help_text=_("00:00 is midnight at the end of the day."))
    # Kept with the hours: they stay on the clock they were given by, wherever the mentor moves.
    time_zone = models.CharField(max_length=64, validators=[time_zones.validate])
    valid_from_on = models.DateField(_("valid from"))
    valid_until_on = models.DateField(_("valid until"), null=True, blank=True, help_text=_("The last day. Empty: for good."))
    every_weeks = models.PositiveSmallIntegerField(
        _("how often"),
        default=1,
        choices=[(1, _("every week")), (2, _("every second week"))],
        help_text=_("Every second week begins with the week of the first day."),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("weekly hours")
        default_permissions = PERMISSIONS
        ordering = ["mentor", "weekday", "begins", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__in=Weekday.values),
                name="weekly_hours_weekday_known",
                violation_error_message=_("Choose a day of the week."),
            ),
            models.CheckConstraint(
                condition=Q(every_weeks__in=[1, 2]),
                name="weekly_hours_every_week_or_second",
                violation_error_message=_("Choose every week or every second week."),
            ),
            models.CheckConstraint(
                condition=~Q(ends=F("begins")),
                name="weekly_hours_end_after_they_begin",
                violation_error_message=_("The end must come after the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until_on__isnull=True) | Q(valid_until_on__gte=F("valid_from_on")),
                name="weekly_hours_valid_for_a_while",
                violation_error_message=_("The last day must not come before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.begins:%H:%M}–{self.ends:%H:%M}"

    def clean(self):
        if self.mentor_id and self.begins and self.ends and self.valid_from_on and self.weekday is not None:
            others = WeeklyHours.objects.filter(mentor=self.mentor_id).exclude(pk=self.pk)
            zone = Program.current().time_zone
            mine = self.rule(zone)
            if twice := next((other for other in others if mine.meets(other.rule(zone))), None):
                raise ValidationError(
                    _("These hours overlap others: %(others)s. Change those, or choose hours that only touch them.")
                    % {"others": twice},
                    code="overlap",
                )

    def rule(self, fallback: str) -> Hours:
        """These hours without the database. ``fallback``: the zone to read them in where theirs is not known any more."""
        return Hours(
            weekday=self.weekday,
            begins=self.begins,
            ends=self.ends,
            zone=time_zones.zone(self.time_zone, fallback),
            since=self.valid_from_on,
            until=self.valid_until_on,
            every=self.every_weeks,
        )


class TimeOff(Timed):
    """A stretch in which a mentor's weekly hours offer nothing."""

    LONGEST_DAYS = 366

    mentor = models.ForeignKey(Mentor, models.CASCADE, related_name="time_off")
    note = models.CharField(
        max_length=200, blank=True, help_text=_("For the mentor and the coordinators; mentees do not see it.")
    )

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("time off")
        default_permissions = PERMISSIONS
        ordering = ["start_time", "pk"]
        indexes = [models.Index(fields=["mentor", "end_time"], name="time_off_mentor_end")]
        constraints = [ends_after_it_starts()]

    def __str__(self) -> str:
        return f"time off {self.pk}"

    def clean(self):
        if self.start_time and self.end_time and self.end_time - self.start_time > timedelta(days=self.LONGEST_DAYS):
            raise ValidationError(_("Time off lasts at most a year. Enter the rest as another."), code="too_long")


class Availability(Timed):
    """A window in which a mentor can be booked. No two of a mentor's overlap: the database refuses it (scheduling/guard.py)."""

    # Longer is a slip of the keyboard.
    LONGEST_HOURS = 24

    mentor = models.ForeignKey(Mentor, models.CASCADE, related_name="availabilities")
    external_id = models.CharField(_("roster key"), max_length=64, blank=True)
    # Written from the weekly hours, and written anew when those change. What a person added or edited stays as it is.
    from_weekly_hours = models.BooleanField(default=False, editable=False)
    # What the weekly hours said before a person edited the window: nothing else is written there.
    instead_of_start = models.DateTimeField(null=True, blank=True, editable=False)
    instead_of_end = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AvailabilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("window")
        verbose_name_plural = _("availability")
        default_permissions = PERMISSIONS
        ordering = ["start_time", "pk"]
        indexes = [
            models.Index(fields=["mentor", "start_time"], name="availability_mentor_start"),
            # "Who is free this week?" reads the week's windows, and not those of all the years before.
            # With the end: the hours of a week are summed without a look at the rows.
            models.Index(fields=["start_time", "end_time"], name="availability_start_end"),
        ]
        constraints = [
            ends_after_it_starts(),
            external_id_unique(),
            models.CheckConstraint(
                condition=Q(instead_of_start__isnull=True, instead_of_end__isnull=True)
                | Q(
                    from_weekly_hours=False,
                    instead_of_start__isnull=False,
                    instead_of_end__isnull=False,
                    instead_of_end__gt=F("instead_of_start"),
                ),
                name="availability_instead_of_a_period",
                violation_error_message=_("Only an edited window stands for another one."),
            ),
        ]

    def __str__(self) -> str:
        return f"window {self.pk}"

    def clean(self):
        if self.start_time and self.end_time and (self.end_time - self.start_time).total_seconds() > self.LONGEST_HOURS * 3600:
            raise ValidationError(_("A window lasts at most 24 hours. Enter one for each day."), code="too_long")
        leaves_on = self.mentor.user.leaves_on if self.mentor_id else None
        if leaves_on and self.end_time and self.end_time > Program.current().midnight_after(leaves_on):
            told = {"person": self.mentor, "day": date_format(leaves_on, "DATE_FORMAT")}
            raise ValidationError(_("%(person)s leaves the program: %(day)s is the last day.") % told, code="leaves")

    @property
    def instead_of(self) -> Period | None:
        return Period(self.instead_of_start, self.instead_of_end) if self.instead_of_start else None
