"""What coordinators fill in to book, to move, to hand over, and to ask why something cannot be booked."""

import uuid
from collections.abc import Iterable
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from people.links import LinkFormField
from people.models import Mentee, Mentor, User
from scheduling import booking
from scheduling.composing import as_query
from scheduling.models import Program, Session
from scheduling.moments import AsksWhich, LocalDateTimeField, WhichField
from scheduling.rules import Finding
from scheduling.slots import Period

LONGEST_REASON = Session._meta.get_field("reason").max_length
# No key has more digits, and no database takes more.
LONGEST_KEY = 18


def is_key(value) -> bool:
    """Can this be the key of a row? An address may hold anything."""
    return str(value).isdecimal() and len(str(value)) <= LONGEST_KEY


class PersonSelect(AutocompleteSelect):
    """A mentor or mentee, found by typing."""

    def __init__(self, name: str):
        super().__init__(Session._meta.get_field(name), admin.site)

    def optgroups(self, name, value, attr=None):
        return super().optgroups(name, [key for key in value if is_key(key)], attr)


class PersonField(forms.ModelChoiceField):
    def to_python(self, value):
        if value not in self.empty_values and not is_key(getattr(value, "pk", value)):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value})
        return super().to_python(value)


def person_field(name: str, **kwargs) -> PersonField:
    """For the session's "mentor" or "mentee"."""
    role = {"mentor": Mentor, "mentee": Mentee}[name]
    return PersonField(role.objects.with_people(), widget=PersonSelect(name), **kwargs)


class ForWhomField(forms.ChoiceField):
    """For whom a coordinator does this: "mentor", "mentee", or "" for the program itself."""

    def __init__(self, *parties: str, **kwargs):
        self.parties = parties
        kwargs = {"label": "On behalf of", "required": False, "widget": UnfoldAdminSelectWidget} | kwargs
        super().__init__(choices=self._named({}), **kwargs)

    def name_people(self, session: Session) -> None:
        self.choices = self._named({"mentor": session.mentor, "mentee": session.mentee})

    def _named(self, people) -> list[tuple[str, str]]:
        named = [(party, f"{people[party]}, the {party}" if people else f"The {party}") for party in self.parties]
        return [("", "Nobody: for the program"), *named]


def party(name: str, mentor: Mentor, mentee: Mentee) -> User | None:
    """The person that a `ForWhomField` names."""
    return {"mentor": mentor.user, "mentee": mentee.user}.get(name)


class ReasonField(forms.CharField):
    def __init__(self, **kwargs):
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(**{"max_length": LONGEST_REASON, "required": False, "widget": widget} | kwargs)


# The fields of a `KnowinglyForm`, for the fieldsets of those who may set rules aside.
ASIDE = ("told", "set_aside")


class KnowinglyForm(forms.Form):
    """Books against soft rules, with a reason, if these rules were shown before the reason was given.

    Somebody may change the hour, or the world the calendar, between the question and the answer: then it is asked again.
    """

    # Hidden until there is something to set aside. Read, and not shown, for whoever may not: the verb refuses them.
    set_aside = ReasonField(
        label="Why set these rules aside?",
        widget=forms.HiddenInput,
        help_text="With a reason it is booked all the same. The reason stays with the session and its history; mentor and "
        "mentee do not see it.",
    )
    # The codes of the rules on the page.
    told = forms.CharField(required=False, widget=forms.HiddenInput)

    # Who fills it in.
    by: User

    def weigh(self, findings: Iterable[Finding]) -> list[Finding]:
        """The failed rules that stand in the way. Where a reason would do, the form now asks for one."""
        failed = [finding for finding in findings if not finding.passed]
        answered = getattr(self, "cleaned_data", {})
        reason = answered.get("set_aside")
        if not booking.sets_rules_aside(self.by):
            # A forged reason is left to the verb, which refuses it in words.
            return [] if reason else failed
        if not failed or any(finding.hard for finding in failed):
            return failed
        codes = [finding.code for finding in failed]
        known = set(codes) <= set(answered.get("told", "").split())
        self._ask(codes)
        return [] if reason and known else failed

    @property
    def asks_why(self) -> bool:
        return not self["set_aside"].is_hidden

    def _ask(self, codes: list[str]) -> None:
        # Django gives the limit to the widget that a field begins with, and hidden ones have none.
        self.fields["set_aside"].widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "maxlength": LONGEST_REASON})
        if self.is_bound:
            self.data = self.data.copy()
            self.data[self.add_prefix("told")] = " ".join(codes)
        else:
            self.initial["told"] = " ".join(codes)


class StartWidget(UnfoldAdminSplitDateTimeWidget):
    """Nobody meets at a second."""

    def __init__(self, attrs=None):
        super().__init__(attrs)
        self.widgets[1].format = "%H:%M"


class TimeForm(AsksWhich, forms.Form):
    """A start, typed by the clocks of the reader's zone, and a length."""

    start_time = LocalDateTimeField(label="Start", widget=StartWidget)
    which_start_time = WhichField(asks_with=UnfoldAdminRadioSelectWidget)
    minutes = forms.TypedChoiceField(label="Length", coerce=int, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        lengths = Program.current().policy.lengths
        self.offer_lengths(lengths)
        self.fields["minutes"].initial = 30 if 30 in lengths else lengths[0]
        self.fields["start_time"].help_text = f"In your time zone, {timezone.get_current_timezone_name()}."

    def offer_lengths(self, lengths: Iterable[int]) -> None:
        self.fields["minutes"].choices = [(minutes, f"{minutes} minutes") for minutes in lengths]

    @property
    def period(self) -> Period:
        return Period.of(self.cleaned_data["start_time"], self.cleaned_data["minutes"])


class BeginningForm(forms.Form):
    """What another page puts into the address of the booking form, for its fields to begin with."""

    mentor = person_field("mentor", required=False)
    mentee = person_field("mentee", required=False)
    start = forms.DateTimeField(required=False)
    minutes = forms.IntegerField(required=False, min_value=1, max_value=24 * 60)

    @property
    def for_the_fields(self) -> dict:
        """What makes no sense is left out."""
        self.is_valid()
        wanted = {"mentor": "mentor", "mentee": "mentee", "start_time": "start", "minutes": "minutes"}
        return {field: self.cleaned_data[name] for field, name in wanted.items() if self.cleaned_data.get(name)}


def booking_page(*, mentor: int | None = None, mentee: int | None = None, slot: Period | None = None) -> str:
    """The address of the booking form, with this in its fields."""
    people = {name: key for name, key in (("mentor", mentor), ("mentee", mentee)) if key}
    return f"{reverse('admin:scheduling_session_add')}?{urlencode(people | (as_query(slot) if slot else {}))}"


class BookingForm(KnowinglyForm, TimeForm, forms.ModelForm):
    """Book for others: the same rules as everywhere, told beside the fields before anything is written."""

    on_behalf_of = ForWhomField("mentee", "mentor", help_text="Who asked you to. It is kept with the session.")
    meeting_link = LinkFormField(
        required=False,
        widget=UnfoldAdminURLInputWidget,
        help_text="Where they meet online. Empty: in the mentor’s own room, or in a new one.",
    )
    # Not named form_key: the admin takes that for the field that nobody edits.
    key = forms.UUIDField(widget=forms.HiddenInput)

    # What the verb said to this form just now, though the form's own question had found nothing.
    refused: ValidationError | None = None
    failed: list[Finding] = []

    class Meta:
        model = Session
        fields = ("mentor", "mentee", "start_time", "topic")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4

    def clean(self):
        cleaned = super().clean()
        if self.refused:
            self.add_error(None, self.refused)
        elif not self.errors and not Session.objects.filter(form_key=cleaned["key"]).exists():
            self.failed = self.weigh(booking.explain(cleaned["mentor"], cleaned["mentee"], self.period))
            for finding in self.failed:
                self.add_error(None, ValidationError(finding.sentence, code=finding.code))
        return cleaned

    @property
    def why_not(self) -> str:
        """The page that shows every rule of what was asked for here; empty where no rule stood in the way."""
        if not self.failed:
            return ""
        asked = {name: self.data[name] for name in WhyNotForm.IN_THE_ADDRESS if name in self.data}
        return f"{reverse('admin:scheduling_session_why_not')}?{urlencode(asked)}"


# ---- another time, another mentor -------------------------------------------------------------------------------------


class MovingForm(KnowinglyForm, TimeForm):
    """What moving and handing over have in common: a time, a reason, and the session as it was looked at."""

    reason = ReasonField(help_text="Optional. All who are in it can read it.")
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, session: Session, by: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by
        self.initial = {"start_time": session.start_time, "minutes": session.minutes} | self.initial
        self.initial["version"] = session.version
        self._show(session)

    def _show(self, session: Session) -> None:
        self.session = session
        # It may keep a length that is offered no longer.
        self.offer_lengths(sorted({*Program.current().policy.lengths, session.minutes}))
        if "on_behalf_of" in self.fields:
            self.fields["on_behalf_of"].name_people(session)

    def clean(self):
        cleaned = super().clean()
        # To an old page the verb says what has changed; what the rules say now would only hide that.
        if not self.errors and cleaned["version"] == self.session.version:
            for finding in self.weigh(booking.explain(self.mentor, self.session.mentee, self.period, leave_out=self.session)):
                self.add_error(None, ValidationError(finding.sentence, code=finding.code))
        return cleaned

    @property
    def mentor(self) -> Mentor:
        return self.session.mentor

    def look_again(self, session: Session) -> None:
        """The session has changed: the page shows it as it is now, and what was typed stays to be sent once more."""
        self._show(session)
        self.data = self.data.copy()
        self.data[self.add_prefix("version")] = session.version

    @property
    def shown(self) -> Period:
        """The time in the fields, or the session's own while they hold none."""
        filled_in = self.initial if not self.is_bound or self.errors.get("start_time") else self.cleaned_data
        if filled_in.get("start_time") and filled_in.get("minutes"):
            return Period.of(filled_in["start_time"], filled_in["minutes"])
        return self.session.period


class MoveForm(MovingForm):
    on_behalf_of = ForWhomField("mentor", "mentee", help_text="What is moved for the mentee waits for the mentor’s yes again.")


class HandOverForm(MovingForm):
    new_mentor = person_field("mentor", label="New mentor")
    agreed = forms.BooleanField(
        label="Has agreed already",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="It is Confirmed at once. Otherwise it waits for the new mentor’s yes.",
    )

    @property
    def mentor(self) -> Mentor:
        return self.cleaned_data["new_mentor"]


# ---- why not? ---------------------------------------------------------------------------------------------------------


class WhyNotForm(TimeForm):
    """Who with whom, and when: all of it stands in the address, which names people by their keys."""

    IN_THE_ADDRESS = ("mentor", "mentee", "start_time_0", "start_time_1", "which_start_time", "minutes")

    mentor = person_field("mentor")
    mentee = person_field("mentee")


class BookAnywayForm(KnowinglyForm):
    """Books what the page has just explained; where rules stand against it, with a reason."""

    on_behalf_of = ForWhomField("mentee", "mentor")
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args, by: User, findings: list[Finding], **kwargs):
        super().__init__(*args, **kwargs)
        self.by, self.findings = by, findings
        if not self.is_bound:
            self.weigh(findings)

    def clean(self):
        cleaned = super().clean()
        # Sent twice, it is booked already, and stands in its own way.
        if not self.errors and not Session.objects.filter(form_key=cleaned["key"]).exists() and self.weigh(self.findings):
            if self.asks_why and not cleaned["set_aside"]:
                self.add_error("set_aside", ValidationError("Write the reason, and it is booked.", code="required"))
            else:
                changed = "Something has changed since this page was made. Look again at what stands against it."
                self.add_error(None, ValidationError(changed, code="stale"))
        return cleaned
