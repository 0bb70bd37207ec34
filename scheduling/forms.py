"""What people fill in to book and to answer."""

import re
import uuid
from datetime import date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.links import LinkFormField
from people.stale import FreshForm
from scheduling.models import Feedback, Session, SessionNote
from scheduling.moments import AsksWhich, day_begins
from scheduling.slots import Period
from scheduling.words import Rating

LOOK_AGAIN = _("This page is out of date. Look at the session again before you act.")


class SlotForm(forms.Form):
    """Which slot: the part of a booking that stands in the address."""

    start = forms.DateTimeField(widget=forms.HiddenInput)
    minutes = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=24 * 60)

    def clean_start(self) -> datetime:
        start = self.cleaned_data["start"]
        # Times at the end of the calendar cannot be told in every zone.
        if not 2000 <= start.year <= 2200:
            raise ValidationError(_("Choose one of the free times."), code="invalid")
        return start

    @property
    def period(self) -> Period:
        return Period.of(self.cleaned_data["start"], self.cleaned_data["minutes"])


class LinesField(forms.CharField):
    """Some lines of text. Browsers send two characters at the end of each, and count one when they look at the length."""

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class KeyForm(forms.Form):
    """Which filled-in form: what was typed there is kept (`drafts`)."""

    form_key = forms.UUIDField(required=False)


class KeptSlotForm(SlotForm, KeyForm):
    """A slot in the address, and what it is for."""


class BookForm(SlotForm):
    """Ask a mentor for one free slot."""

    # Names this one filled-in form: sent twice, it is one session.
    form_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    topic = forms.CharField(
        label=_("What do you need help with?"),
        required=False,
        max_length=Session._meta.get_field("topic").max_length,
        help_text=_("Optional. Your mentor reads it with your request."),
    )
    meeting_link = LinkFormField(
        label=_("A link of your own to meet at"),
        required=False,
        max_length=Session._meta.get_field("meeting_link").max_length,
        help_text=_("Optional. Empty: your mentor’s room, or a new one."),
    )


class VerbForm(forms.Form):
    """Answer or end a session, as it was when this page was made."""

    version = forms.IntegerField(widget=forms.HiddenInput, error_messages=dict.fromkeys(["required", "invalid"], LOOK_AGAIN))


class ReasonForm(VerbForm):
    """The same with a word of explanation."""

    reason = LinesField(
        label=_("Reason"),
        required=False,
        max_length=Session._meta.get_field("reason").max_length,
        help_text=_("Optional. The other person reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class WordForm(ReasonForm):
    """The same where nothing has to be explained: a word that goes along with a yes."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Add a word")


def form_for(verb) -> type[VerbForm]:
    """What is filled in for a verb that changes what the session is: whoever is told of it can be told why."""
    if not verb.told:
        return VerbForm
    return ReasonForm if verb.ending else WordForm


class SeenSessionsField(forms.Field):
    """Which sessions the page listed, each as "key-version"; cleaned: key -> version. Drawn by the page, beside each."""

    widget = forms.MultipleHiddenInput

    def clean(self, value):
        pairs = (one.split("-") for one in value or [] if re.fullmatch(r"[0-9]{1,18}-[0-9]{1,9}", one))
        return {int(key): int(version) for key, version in pairs}


class GiveUpForm(forms.Form):
    """Stop being a mentor or mentee, which may cancel sessions."""

    seen = SeenSessionsField(required=False)
    reason = LinesField(
        label=_("Reason"),
        required=False,
        max_length=Session._meta.get_field("reason").max_length,
        help_text=_("Optional. Everybody whose session is canceled reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FeedbackForm(forms.Form):
    """How a session was."""

    rating = forms.TypedChoiceField(
        label=_("How helpful was it?"), choices=Rating.choices[::-1], coerce=int, widget=forms.RadioSelect
    )
    sentence = LinesField(
        label=_("In a sentence"),
        required=False,
        max_length=Feedback._meta.get_field("sentence").max_length,
        help_text=_("Optional. Only the people who run the program read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NoteForm(FreshForm):
    """A mentor's own notes on a session. Emptied, they are deleted: `save` returns None."""

    only_one = True

    text = LinesField(
        label=_("Notes"),
        required=False,
        max_length=SessionNote._meta.get_field("text").max_length,
        help_text=_("Nobody else reads them: not the mentee, not the people who run the program. Empty: they are deleted."),
        widget=forms.Textarea(attrs={"rows": 10}),
    )

    class Meta:
        model = SessionNote
        fields = ("text",)

    def save(self, commit=True):
        if self.cleaned_data["text"]:
            return super().save(commit)
        if self.instance.pk:
            self.instance.delete()
        return None


class MoveForm(SlotForm, ReasonForm):
    """Move a session, as it was when this page was made, to one free slot."""


def day_field(**how) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **how)


def clock_field(**how) -> forms.TimeField:
    return forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **how)


def length_field(lengths: tuple[int, ...], **how) -> forms.TypedChoiceField:
    choices = [(minutes, _("%(minutes)s minutes") % {"minutes": minutes}) for minutes in lengths]
    return forms.TypedChoiceField(label=_("Length"), choices=choices, coerce=int, empty_value=lengths[0], **how)


class WantedForm(AsksWhich, forms.Form):
    """A time that a mentee would like, on the clocks the page is shown in. Whether it can be had is asked of the rules."""

    day = day_field(label=_("Day"))
    at = clock_field(label=_("From"))

    def __init__(self, *args, lengths: tuple[int, ...], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["minutes"] = length_field(lengths)

    def clean(self):
        cleaned = super().clean()
        cleaned["start"] = self.instant(cleaned.get("day"), cleaned.get("at"), "at")
        return cleaned

    @property
    def period(self) -> Period:
        return Period.of(self.cleaned_data["start"], self.cleaned_data["minutes"])


TODAY, TOMORROW, WEEK, EVENINGS = "today", "tomorrow", "week", "evenings"


class SpanForm(AsksWhich, forms.Form):
    """Who is free then? In words, or a day or some hours of it, on the clocks the page is shown in; all may be left out.

    ``over`` is the time asked about, or None for any.
    """

    # Nobody plans further; and a slip of the keyboard in the year is noticed.
    FURTHEST_DAYS = 366
    EVENING_BEGINS = time(17)
    WHEN = (
        ("", _("Any time")),
        (TODAY, _("Today")),
        (TOMORROW, _("Tomorrow")),
        (WEEK, _("This week")),
        (EVENINGS, _("Evenings")),
    )

    when = forms.ChoiceField(label=_("Free"), choices=WHEN, required=False)
    day = day_field(label=_("Free on"), required=False)
    begins = clock_field(label=_("From"), required=False)
    ends = clock_field(label=_("To"), required=False)

    def __init__(self, *args, lengths: tuple[int, ...], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["minutes"] = length_field(lengths, required=False)
        self.order_fields(["when", "minutes"])

    def fits(self, slot: Period) -> bool:
        """Of the slots within ``over``: whether this one is what was meant."""
        return self.cleaned_data["when"] != EVENINGS or timezone.localtime(slot.start).time() >= self.EVENING_BEGINS

    @property
    def narrows(self) -> bool:
        """Was any time asked about, or are all mentors meant?"""
        return bool(self.over or self.cleaned_data["when"])

    def clean_day(self) -> date | None:
        day = self.cleaned_data["day"]
        if day and day > timezone.localdate() + timedelta(days=self.FURTHEST_DAYS):
            raise ValidationError(_("Choose a day within the next year."), code="too_far")
        if day and day < timezone.localdate():
            raise ValidationError(_("This day is in the past."), code="past")
        return day

    def clean(self):
        cleaned = super().clean()
        day, begins, ends = (cleaned.get(name) for name in ("day", "begins", "ends"))
        self.over = self._in_words(cleaned.get("when"))
        if self.over and day:
            self.add_error("day", ValidationError(_("Choose a day here, or one above: not both."), code="both"))
        if day is None:
            if not (begins is None and ends is None) and "day" not in self.errors:
                self.add_error("day", ValidationError(_("Choose the day, too."), code="required"))
            return cleaned
        start = day_begins(day) if begins is None else self.instant(day, begins, "begins")
        # "To 00:00" is midnight at the end of the day.
        to_its_end = ends in (None, time(0))
        end = day_begins(day + timedelta(days=1)) if to_its_end else self.instant(day, ends, "ends")
        if not self.errors:
            if end - start < timedelta(minutes=cleaned["minutes"]):
                late = (
                    _("The end must come after the start.") if end <= start else _("A session of this length does not fit in.")
                )
                self.add_error("ends", ValidationError(late, code="too_short"))
            else:
                self.over = Period(start, end)
        return cleaned

    def _in_words(self, when: str | None) -> Period | None:
        today = timezone.localdate()
        # From which day on, and to which one's end; weeks end on Sunday.
        first, last = {TODAY: (0, 0), TOMORROW: (1, 1), WEEK: (0, 6 - today.weekday())}.get(when, (None, None))
        if first is None:
            return None
        return Period(day_begins(today + timedelta(days=first)), day_begins(today + timedelta(days=last + 1)))
