"""What people fill in to book, to answer, and to offer their time."""

import uuid
from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone

from scheduling import rules
from scheduling.models import Availability, Session
from scheduling.slots import Period

LOOK_AGAIN = "This page is out of date. Look at the session again before you act."


class SlotForm(forms.Form):
    """Which slot: the part of a booking that stands in the address."""

    start = forms.DateTimeField(widget=forms.HiddenInput)
    minutes = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=24 * 60)

    def clean_start(self) -> datetime:
        start = self.cleaned_data["start"]
        # Times at the end of the calendar cannot be told in every zone.
        if not 2000 <= start.year <= 2200:
            raise ValidationError("Choose one of the free times.", code="invalid")
        return start

    @property
    def period(self) -> Period:
        return Period.of(self.cleaned_data["start"], self.cleaned_data["minutes"])


class BookForm(SlotForm):
    """Ask a mentor for one free slot."""

    # Names this one filled-in form: sent twice, it is one session.
    form_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    topic = forms.CharField(
        label="What is it about?",
        required=False,
        max_length=Session._meta.get_field("topic").max_length,
        help_text="Optional. Your mentor reads it with your request.",
    )


class VerbForm(forms.Form):
    """Answer or end a session, as it was when this page was made."""

    version = forms.IntegerField(widget=forms.HiddenInput, error_messages=dict.fromkeys(["required", "invalid"], LOOK_AGAIN))


class EndingForm(VerbForm):
    """The same with a word of explanation."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=Session._meta.get_field("reason").max_length,
        help_text="Optional. The other person reads it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class WindowForm(forms.Form):
    """Offer time on one day, in the zone the page is shown in."""

    # Nobody plans further; and a slip of the keyboard in the year is noticed.
    FURTHEST_DAYS = 366

    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    begins = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(
        label="To",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="00:00 is midnight at the end of the day.",
    )

    def __init__(self, *args, mentor, **kwargs):
        super().__init__(*args, **kwargs)
        self.mentor = mentor

    def clean_day(self) -> date:
        day = self.cleaned_data["day"]
        if day > timezone.localdate() + timedelta(days=self.FURTHEST_DAYS):
            raise ValidationError("Choose a day within the next year.", code="too_far")
        if day < timezone.localdate():
            raise ValidationError("This day is in the past.", code="past")
        return day

    def clean(self):
        cleaned = super().clean()
        if self.errors:
            return cleaned
        day, begins, ends = cleaned["day"], cleaned["begins"], cleaned["ends"]
        window = Availability(
            mentor=self.mentor,
            start_time=local_instant(day, begins),
            end_time=local_instant(day + timedelta(days=1) if ends == time(0) else day, ends),
        )
        try:
            window.full_clean()
        except ValidationError as error:
            raise ValidationError(error.messages) from error
        if window.end_time <= timezone.now():
            raise ValidationError("This time is in the past.", code="past")
        if other := self.mentor.availabilities.overlapping(window.period).first():
            offered = rules.when(other.period, timezone.get_current_timezone())
            raise ValidationError(f"You already offer {offered}. Remove it first, or choose another time.", code="overlap")
        self.window = window
        return cleaned

    def save(self) -> Availability:
        self.window.save()
        return self.window


def local_instant(day: date, at: time) -> datetime:
    """The moment when the clocks of the active zone show this; ValidationError if they never do, or do twice."""
    wall = datetime.combine(day, at)
    try:
        return from_current_timezone(wall)
    except ValidationError as error:
        zone = timezone.get_current_timezone()
        seen = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        what = "happens twice" if seen == wall else "does not exist"
        turned = "back" if seen == wall else "forward"
        raise ValidationError(
            f"{wall:%H:%M} on {wall:%a} {wall.day} {wall:%b %Y} {what} in {zone.key}: the clocks go {turned} then. "
            "Choose a time before or after it.",
            code="clock_change",
        ) from error
