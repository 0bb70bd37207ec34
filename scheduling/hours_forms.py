"""What mentors, and coordinators for them, fill in to say when somebody can be booked, and what becomes of sessions then."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from people import time_zones
from people.stale import FreshForm
from scheduling.forms import clock_field, day_field
from scheduling.models import Availability, MentorLimits, Program, Session, TimeOff, WeeklyHours
from scheduling.moments import AsksWhich, day_begins
from scheduling.words import Weekday

KEEP, CANCEL = "keep", "cancel"
MIDNIGHT = time(0)
AT_MIDNIGHT = _("00:00 is midnight at the end of the day.")


def zone_of(mentor) -> tzinfo:
    return Program.current().zone_of(mentor.user)


def not_further(day: date | None, days: int, how_long: str) -> date | None:
    """Nobody plans further; and a slip of the keyboard in the year is noticed."""
    if day and day > timezone.localdate() + timedelta(days=days):
        raise ValidationError(_("Choose a day within the next %(how_long)s.") % {"how_long": how_long}, code="too_far")
    return day


def not_before(day: date | None, first: date) -> date | None:
    if day and day < first:
        raise ValidationError(_("This day is in the past."), code="past")
    return day


class WeeklyHoursForm(FreshForm):
    """Hours on one weekday, by the clock they were given by: the mentor's own, or one the mentor had before."""

    LONGEST_NIGHT_HOURS = 12

    begins = clock_field(label=_("From"))
    ends = clock_field(label=_("To"), help_text=_("00:00 is midnight. A time before “From” is on the next day."))
    valid_from_on = day_field(label=_("First day"))
    valid_until_on = day_field(label=_("Last day"), required=False, help_text=_("Leave it empty if you do not know yet."))

    class Meta:
        model = WeeklyHours
        fields = ("weekday", "begins", "ends", "every_weeks", "valid_from_on", "valid_until_on", "time_zone")
        labels = {"weekday": _("Day")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["weekday"].choices = [("", _("Choose a day")), *Weekday.choices]
        given, theirs = self.instance.time_zone, zone_of(self.instance.mentor).key
        if given == theirs:
            del self.fields["time_zone"]
            return
        lost = time_zones.lost(given)
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("On the clocks of"),
            choices=[(name, name.replace("_", " ")) for name in ([theirs] if lost else [given, theirs])],
            widget=forms.RadioSelect,
            help_text=_("“%(zone)s” is not known any more.") % {"zone": lost} if lost else "",
        )

    def clean_valid_from_on(self) -> date:
        # Long ago is only where a count of weeks began, but not before there were such calendars.
        first = not_before(self.cleaned_data["valid_from_on"], date(2000, 1, 1))
        return not_further(first, 2 * 366, _("two years"))

    def clean_valid_until_on(self) -> date | None:
        return not_before(self.cleaned_data["valid_until_on"], timezone.localdate(timezone=zone_of(self.instance.mentor)))

    def clean(self):
        cleaned = super().clean()
        begins, ends = cleaned.get("begins"), cleaned.get("ends")
        if begins and ends and MIDNIGHT < ends < begins:
            night = datetime.combine(date(2000, 1, 2), ends) - datetime.combine(date(2000, 1, 1), begins)
            if night > timedelta(hours=self.LONGEST_NIGHT_HOURS):
                sentence = _("From %(begins)s to %(ends)s would last until the next day. Did you mean another time?") % {
                    "begins": f"{begins:%H:%M}",
                    "ends": f"{ends:%H:%M}",
                }
                self.add_error("ends", ValidationError(sentence, code="too_long"))
        return cleaned


class TimeOffForm(AsksWhich, FreshForm):
    """Days off, in the zone the page is shown in; with times, if the first or last is not off as a whole."""

    first = day_field(label=_("First day off"))
    begins = clock_field(label=_("From"), required=False, help_text=_("Leave it empty for the whole day."))
    last = day_field(label=_("Last day off"), required=False, help_text=_("This day is off, too. Leave it empty for one day."))
    ends = clock_field(label=_("To"), required=False, help_text=_("Leave it empty for the whole day."))

    class Meta:
        model = TimeOff
        fields = ("note",)
        labels = {"note": _("Note")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields(["seen", "first", "begins", "last", "ends", "note"])
        if self.instance.start_time:
            self.initial = as_days(self.instance) | self.initial

    def clean_first(self) -> date:
        first = not_before(self.cleaned_data["first"], timezone.localdate() - timedelta(days=TimeOff.LONGEST_DAYS))
        return not_further(first, 2 * 366, _("two years"))

    def clean_last(self) -> date | None:
        last = not_before(self.cleaned_data["last"], timezone.localdate())
        return not_further(last, 3 * 366, _("three years"))

    def clean(self):
        cleaned = super().clean()
        first, begins, ends = cleaned.get("first"), cleaned.get("begins"), cleaned.get("ends")
        last = cleaned.get("last") or first
        if first is None or "last" in self.errors:
            return cleaned
        # Off until midnight is off for the whole day.
        whole = ends in (None, MIDNIGHT)
        start = day_begins(first) if begins is None else self.instant(first, begins, "begins")
        end = day_begins(last + timedelta(days=1)) if whole else self.instant(last, ends, "ends")
        if not self.errors:
            self.instance.start_time, self.instance.end_time = start, end
            if end <= timezone.now():
                raise ValidationError(_("This time is in the past."), code="past")
        return cleaned


class WindowForm(AsksWhich, FreshForm):
    """One window on one day, in the zone the page is shown in."""

    day = day_field(label=_("Day"))
    begins = clock_field(label=_("From"))
    last_day = day_field(label=_("Last day"))
    ends = clock_field(label=_("To"), help_text=AT_MIDNIGHT)

    class Meta:
        model = Availability
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.shown_from = timezone.localdate()
        over_midnight = False
        if self.instance.start_time:
            days = as_days(self.instance)
            over_midnight = days["last"] != days["first"]
            self.initial |= {
                "day": days["first"],
                "begins": timezone.localtime(self.instance.start_time).time(),
                "last_day": days["last"],
                "ends": days["ends"] or MIDNIGHT,
            }
            # It may have begun yesterday.
            self.shown_from = min(self.shown_from, days["first"])
        if not over_midnight:
            del self.fields["last_day"]

    def clean_day(self) -> date:
        return not_further(not_before(self.cleaned_data["day"], self.shown_from), 366, _("year"))

    def clean_last_day(self) -> date:
        return not_further(not_before(self.cleaned_data["last_day"], self.shown_from), 367, _("year"))

    def clean(self):
        cleaned = super().clean()
        day, begins, ends = (cleaned.get(name) for name in ("day", "begins", "ends"))
        last = cleaned.get("last_day") if "last_day" in self.fields else day
        start = self.instant(day, begins, "begins")
        at_midnight = last is not None and ends == MIDNIGHT
        end = day_begins(last + timedelta(days=1)) if at_midnight else self.instant(last, ends, "ends")
        if not self.errors:
            self.instance.start_time, self.instance.end_time = start, end
            if start < end <= timezone.now():
                raise ValidationError(_("This time is in the past."), code="past")
        return cleaned


class PauseForm(FreshForm):
    """Until when a mentor takes no new requests. Sent with ``AGAIN``, no day ends the pause."""

    AGAIN = "again"
    only_one = True

    paused_until_on = day_field(
        label=_("No new requests until"), help_text=_("From this day on new requests are taken again. What is booked stays.")
    )

    class Meta:
        model = MentorLimits
        fields = ("paused_until_on",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["paused_until_on"].required = self.AGAIN not in self.data
        self.today = timezone.localdate(timezone=zone_of(self.instance.mentor))
        # One that is over is nothing to be seen, and nothing in the way of saving the rest.
        self.initial["paused_until_on"] = self.instance.paused_until(self.today)

    def clean_paused_until_on(self) -> date | None:
        return not_further(not_before(self.cleaned_data["paused_until_on"], self.today + timedelta(days=1)), 366, _("year"))


class LimitsForm(PauseForm):
    """What a mentor sets otherwise than the program."""

    HOURS_OF_A_WEEK = 168

    class Meta(PauseForm.Meta):
        fields = ("week_cap", "buffer_minutes", "paused_until_on")
        labels = {"week_cap": _("Sessions a week, at most"), "buffer_minutes": _("Free minutes before and after each session")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["paused_until_on"].required = False
        program = Program.current()
        most = _("no limit") if program.mentor_week_cap is None else program.mentor_week_cap
        self.fields["week_cap"].help_text = _(
            "Requests that wait for an answer count. Empty: as the program has it, %(most)s."
        ) % {"most": most}
        self.fields["buffer_minutes"].help_text = _("Empty: as the program has it, %(minutes)s.") % {
            "minutes": program.buffer_minutes
        }

    def clean_week_cap(self) -> int | None:
        most = self.cleaned_data["week_cap"]
        if most and most > self.HOURS_OF_A_WEEK:
            raise ValidationError(_("A week has no room for so many. Empty means: as the program has it."), code="too_many")
        if most == 0:
            raise ValidationError(
                _("To take no requests for a while, choose a day under “No new requests until”."), code="none"
            )
        return most


class RemoveForm(FreshForm):
    """Nothing to fill in. It looks whether the row is still what the page showed."""

    def _digest(self) -> str:
        row = self.instance
        shown = {field.attname: str(getattr(row, field.attname)) for field in row._meta.concrete_fields}
        return salted_hmac("scheduling.hours_forms", repr((row._meta.label, shown)), algorithm="sha256").hexdigest()[:32]

    def _post_clean(self):
        """What goes need not be valid."""


def removal(model) -> type[RemoveForm]:
    return forms.modelform_factory(model, form=RemoveForm, fields=())


class TouchedForm(forms.Form):
    """What becomes of each session that a change touches. Nothing is chosen until somebody chooses it.

    ``all`` counts for those sessions that were on the page and have no choice of their own. ``cannot``: for keys of sessions,
    why they cannot be canceled. The page names each session that it shows in a hidden ``touched-listed``. The admin's page
    asks in widgets of its own.
    """

    prefix = "touched"
    widget: Callable[[], forms.Widget] = forms.RadioSelect

    all = forms.ChoiceField(
        label=_("All of them"),
        required=False,
        choices=[("", _("One by one")), (KEEP, _("Keep all")), (CANCEL, _("Cancel all"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Why are they canceled?"),
        required=False,
        max_length=Session._meta.get_field("reason").max_length,
        help_text=_("Needed only if you cancel: the mentees read it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, sessions: list[Session], cannot: Mapping[int, str] | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.sessions, self.cannot = sessions, cannot or {}
        self.listed = set(self.data.getlist(self.add_prefix("listed"))) if self.is_bound else set()
        if len(sessions) < 2:
            del self.fields["all"]
        for session in sessions:
            self.fields[str(session.pk)] = forms.ChoiceField(
                label=str(session.mentee),
                required=False,
                choices=[(KEEP, _("Keep it")), (CANCEL, _("Cancel it"))],
                widget=self.widget(),
            )
            if session.pk in self.cannot:
                # Offered, not enforced: the verb refuses, with its sentence.
                self.fields[str(session.pk)].initial = KEEP
                self.fields[str(session.pk)].widget.choices = [(KEEP, _("Keep it"))]

    @property
    def rows(self) -> list[tuple[Session, forms.BoundField, bool, str]]:
        """Each session, its question, whether it is new, and why it cannot be canceled."""
        return [(one, self[str(one.pk)], self.is_new(one), self.cannot.get(one.pk, "")) for one in self.sessions]

    def is_new(self, session: Session) -> bool:
        """Booked since the page that was answered."""
        return self.is_bound and str(session.pk) not in self.listed

    def clean(self):
        cleaned = super().clean()
        self.decided = {}
        for session in self.sessions:
            name = str(session.pk)
            decision = cleaned.get(name) or ("" if self.is_new(session) else cleaned.get("all"))
            if not decision and name not in self.errors:
                new = _("This was booked since you looked. Choose: keep it, or cancel it.")
                choose = new if self.is_new(session) else _("Choose: keep it, or cancel it.")
                self.add_error(name, ValidationError(choose, code="undecided"))
            self.decided[session.pk] = decision
        if CANCEL in self.decided.values() and not cleaned.get("reason", "").strip() and "reason" not in self.errors:
            self.add_error("reason", ValidationError(_("Say why: whoever has booked reads it."), code="required"))
        return cleaned

    def those(self, what: str) -> list[int]:
        return [key for key, decision in self.decided.items() if decision == what]


def as_days(row: TimeOff | Availability) -> dict:
    """A period as the clocks of the active zone tell it: days, and the times where they are not midnight."""
    start, end = timezone.localtime(row.start_time), timezone.localtime(row.end_time)
    to_midnight = row.end_time == day_begins(end.date())
    return {
        "first": start.date(),
        "begins": None if row.start_time == day_begins(start.date()) else start.time(),
        "last": end.date() - timedelta(days=1) if to_midnight else end.date(),
        "ends": None if to_midnight else end.time(),
    }
