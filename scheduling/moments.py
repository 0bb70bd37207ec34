"""A time that somebody types, as the moment it means on the clocks of the active zone.

On one night of the year the clocks skip an hour, on another they show one twice. The first is refused with a sentence; of
the second the form asks which is meant. Nothing is guessed: Django's ``make_aware`` takes both without a word.
"""

from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

FIRST, SECOND = "first", "second"
# Times at the ends of the calendar cannot be told in every zone.
YEARS = range(2000, 2201)


def local_instant(day: date, at: time, *, which: str | None = None) -> datetime:
    """The moment (UTC) when the clocks of the active zone show this.

    ``which`` ("first" or "second") counts only where they show it twice. ValidationError: ``does_not_exist`` where they
    never do, ``happens_twice`` where they do twice and ``which`` says neither, ``too_far`` outside of YEARS.
    """
    if day.year not in YEARS:
        raise ValidationError(
            _("Choose a day between %(first)s and %(last)s.") % {"first": YEARS[0], "last": YEARS[-1]}, code="too_far"
        )
    first, second = _readings(day, at)
    if first.utcoffset() < second.utcoffset():
        raise ValidationError(
            _("%(when)s does not exist in %(zone)s: the clocks go forward then. Choose a time before or after it.")
            % {"when": _said(day, at), "zone": timezone.get_current_timezone_name()},
            code="does_not_exist",
        )
    if first.utcoffset() > second.utcoffset() and which not in (FIRST, SECOND):
        raise ValidationError(
            _("%(when)s happens twice in %(zone)s: choose which one is meant.")
            % {"when": _said(day, at), "zone": timezone.get_current_timezone_name()},
            code="happens_twice",
        )
    # In UTC, since Python compares two times of one zone by what the clocks show.
    return (second if which == SECOND else first).astimezone(UTC)


def day_begins(day: date) -> datetime:
    """The first moment (UTC) of a day in the active zone: some zones skip midnight, and some have it twice."""
    return _readings(day, time(0))[0].astimezone(UTC)


def week_ends() -> datetime:
    """When this week is over in the active zone; weeks end on Sunday."""
    today = timezone.localdate()
    return day_begins(today + timedelta(days=7 - today.weekday()))


class LocalDateTimeField(forms.SplitDateTimeField):
    """A day and a time as they were typed; `AsksWhich` makes the moment of them."""

    def compress(self, data_list) -> datetime | None:
        # Django refuses here whatever the active zone shows twice. UTC shows every time once.
        with timezone.override(UTC):
            typed = super().compress(data_list)
        return typed and typed.replace(tzinfo=None)


class WhichField(forms.ChoiceField):
    """Asks which of two equal times is meant: hidden, until `AsksWhich` has to ask with the widget ``asks_with``."""

    def __init__(self, *, label=None, asks_with=forms.RadioSelect):
        self.asks_with = asks_with
        choices = [(FIRST, _("The first")), (SECOND, _("The second"))]
        super().__init__(label=label or _("Which one is meant?"), choices=choices, required=False, widget=forms.HiddenInput)

    def ask(self, day: date, at: time) -> None:
        first, second = _readings(day, at)
        self.widget = self.asks_with()
        self.choices = [
            (FIRST, _("Before the clocks go back (%(offset)s)") % {"offset": _offset(first)}),
            (SECOND, _("After the clocks go back (%(offset)s)") % {"offset": _offset(second)}),
        ]


class AsksWhich:
    """For a form with local times: each becomes a moment, or the form says why not, or asks which of two is meant.

    The question about a field is another field after it, ``which_<its name>``. It is there only once the clocks show what
    was typed twice, so the page needs no script. A form whose place for the question is fixed (the admin's fieldsets)
    declares it as a `WhichField`, which stays hidden till then.
    """

    def clean(self):
        cleaned = super().clean()
        for name, field in list(self.fields.items()):
            if isinstance(field, LocalDateTimeField) and (typed := cleaned.get(name)):
                cleaned[name] = self.instant(typed.date(), typed.time(), name)
        return cleaned

    def instant(self, day: date | None, at: time | None, name: str) -> datetime | None:
        """The moment of the time typed into the field ``name``; None if either part is missing or an error was added to it."""
        if day is None or at is None:
            return None
        try:
            return local_instant(day, at, which=self._answer(day, at, name))
        except ValidationError as refusal:
            self.add_error(name, refusal)
            return None

    def _answer(self, day: date, at: time, name: str) -> str | None:
        """What was chosen, wherever there is a choice; then the form shows it, answered or not."""
        first, second = _readings(day, at)
        if first.utcoffset() <= second.utcoffset():
            return None
        question = f"which_{name}"
        if question not in self.fields:
            order = list(self.fields)
            order.insert(order.index(name) + 1, question)
            self.fields[question] = WhichField(label=_("Which %(time)s is meant?") % {"time": f"{at:%H:%M}"})
            self.order_fields(order)
        self.fields[question].ask(day, at)
        return self[question].data


def _readings(day: date, at: time) -> tuple[datetime, datetime]:
    """When the clocks of the active zone show this, first and last: the same moment, but for two nights of the year.

    Where they show it twice the second has the smaller offset; where they skip it, the greater.
    """
    moment = datetime.combine(day, at, timezone.get_current_timezone())
    return moment.replace(fold=0), moment.replace(fold=1)


def _said(day: date, at: time) -> str:
    return _("%(time)s on %(day)s") % {"time": f"{at:%H:%M}", "day": date_format(day, "DATE_FORMAT")}


def _offset(moment: datetime) -> str:
    """How far the clocks are from UTC: "CEST, UTC+2", or "UTC+5:45" where the zone has no letters for it."""
    minutes = moment.utcoffset() // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    distance = f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
    return f"{moment.tzname()}, {distance}" if moment.tzname().isalpha() else distance
