"""What becomes of the sessions of a mentor who leaves, is ill or away: one small form for each, and one for what is said."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from people.models import Mentor, User
from scheduling import booking, rules
from scheduling.admin.booking_forms import ReasonField, is_key, person_field
from scheduling.admin.suggestions import why
from scheduling.models import Session
from scheduling.ranking import Suggestion
from scheduling.slots import Period
from scheduling.words import CANCELED

CANCEL, KEEP, SUGGESTED = "cancel", "keep", "suggested"
# With more sessions the page has no field to look for another mentor beside each: a browser would be slow with so many.
SEARCHABLE = 40


class Heir(NamedTuple):
    """Who takes a session over, by key; ``start`` where that is at another time."""

    key: int
    start: datetime | None = None

    @classmethod
    def read(cls, value: str) -> "Heir | None":
        """As a form sends it: "12", or "12@2099-01-05T09:00:00Z". An address may hold anything."""
        key, _at, at = str(value).partition("@")
        if not is_key(key):
            return None
        if not _at:
            return cls(int(key))
        try:
            start = parse_datetime(at)
        except ValueError:
            start = None
        return cls(int(key), start) if start and timezone.is_aware(start) else None

    def __str__(self) -> str:
        return f"{self.key}@{self.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if self.start else str(self.key)


class Option(NamedTuple):
    """One answer for one session: what is sent, what is read, and why it is suggested."""

    value: str
    label: str
    why: str = ""
    first: bool = False
    checked: bool = False


class WhatField(forms.ChoiceField):
    """Cancel, keep, or a mentor by their key: one that was suggested when the page was made, and may be busy by now."""

    def __init__(self):
        super().__init__(label=gettext_lazy("What becomes of it"), required=False, widget=UnfoldAdminSelectWidget)
        self.choices = [("", ""), (CANCEL, gettext_lazy("Cancel it"))]

    def valid_value(self, value) -> bool:
        return super().valid_value(value) or Heir.read(value) is not None


class DecisionForm(forms.Form):
    """What becomes of one session, or of all about which nobody says anything else."""

    what = WhatField()
    to = person_field("mentor", label=gettext_lazy("Or another mentor"), required=False)

    # Mentors by key, for all the forms of a page together.
    mentors: dict[int, Mentor]
    suggestions: list[Suggestion] = []
    # Is nothing said beside this session, the answer for all counts?
    with_all = False

    def clean(self):
        cleaned = super().clean()
        what, to = cleaned.get("what", ""), cleaned.get("to")
        self.start, self.kept = None, what == KEEP
        if heir := Heir.read(what):
            mentor = self.mentors.get(heir.key)
            if mentor is None:
                gone = _("This mentor is not here any more. Choose another one.")
                self.add_error("what", ValidationError(gone, code="gone"))
            elif to and to != mentor:
                self.add_error("to", ValidationError(_("Choose one of the two."), code="two"))
            to, self.start = mentor, heir.start
        elif what in (CANCEL, KEEP) and to:
            self.add_error("to", ValidationError(_("Cancel it or hand it over: choose one."), code="two"))
        self.heir = to
        self.decided = bool(what or to)
        return cleaned

    @property
    def options(self) -> list[Option]:
        """The answers to choose from, the suggested mentors first. One that was chosen and is suggested no longer stays."""
        chosen = self["what"].value() or ""
        found = [Option("", _("As chosen for all, above"))] if self.with_all else []
        found += [
            Option(str(_heir_of(one)), one.mentor.name, why(one), first=self.with_all and one is self.suggestions[0])
            for one in self.suggestions
        ]
        heir = Heir.read(chosen)
        if heir and heir.key in self.mentors and chosen not in {option.value for option in found}:
            found.append(Option(chosen, str(self.mentors[heir.key])))
        found += [Option(value, label) for value, label in self.fields["what"].choices if value]
        return [option._replace(checked=option.value == chosen) for option in found]


def _heir_of(one: Suggestion) -> Heir:
    return Heir(one.mentor.key, None if one.exact else one.slot.start)


class GivingUpForm(forms.Form):
    """What becomes of somebody's sessions, each with a `DecisionForm` of its own, and what is said about it."""

    reason = ReasonField(help_text=gettext_lazy("Optional. Everybody who is in these sessions can read it."))
    agreed = forms.BooleanField(
        label=gettext_lazy("The new mentors have agreed already"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("What is handed over is Confirmed at once. Otherwise it waits for the new mentor’s yes."),
    )
    # Hidden until there is something to set aside.
    set_aside = ReasonField(
        label=gettext_lazy("Why set these rules aside?"),
        widget=forms.HiddenInput,
        help_text=gettext_lazy(
            "With a reason they are handed over all the same. It stays with the sessions and their history; mentors and "
            "mentees do not see it."
        ),
    )

    def __init__(self, data=None, *, user: User, sessions: list[Session], by: User, may_keep: bool = False):
        super().__init__(data)
        self.user, self.by, self.sessions = user, by, sessions
        self.mentored = [session for session in sessions if session.mentor_id == user.pk]
        self.rows = {session.pk: DecisionForm(data, prefix=f"session-{session.pk}") for session in sessions}
        self.all = DecisionForm(data, prefix="all", initial={"what": SUGGESTED if self.mentored else ""})
        mentors = self._mentors_named(data)
        for row in (*self.rows.values(), self.all):
            row.mentors = mentors
            row.with_all = row is not self.all and len(sessions) > 1
            if may_keep:
                row.fields["what"].choices.append((KEEP, _("Leave it: they come all the same")))
        self.all.fields["what"].label = _("All for which you choose nothing below")
        self.all.fields["what"].choices = self._for_all(may_keep)
        for session in sessions:
            if session.mentor_id != user.pk or len(sessions) > SEARCHABLE:
                del self.rows[session.pk].fields["to"]
        if not self.mentored:
            del self.all.fields["to"], self.fields["agreed"]

    def _for_all(self, may_keep: bool) -> list[tuple[str, str]]:
        found = [(SUGGESTED, _("Hand each to its first suggestion"))] if self.mentored else []
        found += [(CANCEL, _("Cancel all"))] + ([(KEEP, _("Leave all as they are"))] if may_keep else [])
        return [*found, ("", _("Choose for each, below"))]

    def _mentors_named(self, data) -> dict[int, Mentor]:
        """One query for all whom the form names."""
        names = [f"{row.prefix}-what" for row in (*self.rows.values(), self.all)] if data else []
        heirs = [Heir.read(data.get(name, "")) for name in names]
        keys = {heir.key for heir in heirs if heir}
        return Mentor.objects.with_people().in_bulk(keys) if keys else {}

    @cached_property
    def suggestions(self) -> dict[int, list[Suggestion]]:
        return booking.stand_ins(self.mentored)

    def suggest(self) -> None:
        """Name beside each session who could take it over; in the list for all, who is free for all."""
        for key, found in self.suggestions.items():
            self.rows[key].suggestions = found
            if len(self.sessions) == 1 and found:
                self.rows[key].initial["what"] = str(_heir_of(found[0]))
        exact = [{one.mentor.key: one.mentor.name for one in found if one.exact} for found in self.suggestions.values()]
        first, *others = exact or [{}]
        common = [(str(key), name) for key, name in first.items() if all(key in other for other in others)]
        if common and len(self.mentored) > 1:
            # Each suggestion reckons with those before it; all by one mentor is asked again by the verbs.
            self.all.fields["what"].choices += [(_("Hand all over to, free for all"), common)]

    @property
    def unsuggested(self) -> int:
        """Sessions for which nobody is free near their time."""
        return sum(not found for found in self.suggestions.values())

    def clean(self):
        cleaned = super().clean()
        self.decided, self.moved, self.keep = {}, {}, set()
        well = self.all.is_valid()
        for session in self.sessions:
            form = self.rows[session.pk]
            if form.is_valid() and well:
                self._decide(session, form)
        if not well or any(form.errors for form in self.rows.values()):
            # Said beside each of them.
            self.add_error(None, self._look_below())
        return cleaned

    def _decide(self, session: Session, form: DecisionForm) -> None:
        source = form if form.decided else self.all
        mentored, what = session.mentor_id == self.user.pk, source.cleaned_data.get("what", "")
        if source is self.all and what == SUGGESTED and mentored and not self.all.heir:
            self._take_first(session, form)
        elif not source.decided or (what == SUGGESTED and not mentored):
            sentence = _("Cancel it or hand it over.") if mentored else _("Cancel it.")
            form.add_error("what", ValidationError(sentence, code="undecided"))
        elif source.kept:
            self.keep.add(session.pk)
        elif source.heir and not mentored:
            taken = _("%(person)s is the mentee here: nobody can take that over. Cancel it.")
            form.add_error("what", taken % {"person": self.user})
        else:
            self.decided[session.pk] = source.heir
            if source.start:
                self.moved[session.pk] = source.start

    def _take_first(self, session: Session, form: DecisionForm) -> None:
        found = self.suggestions.get(session.pk)
        if not found:
            nobody = _("Nobody is free near this time. Choose another mentor, or cancel it.")
            form.add_error("what", ValidationError(nobody, code="nobody"))
            return
        mentor = self._firsts.get(found[0].mentor.key)
        self.decided[session.pk] = mentor
        if not found[0].exact:
            self.moved[session.pk] = found[0].slot.start

    @cached_property
    def _firsts(self) -> dict[int, Mentor]:
        """Those suggested first. One object for each, whoever they take over from: they are locked together."""
        keys = {found[0].mentor.key for found in self.suggestions.values() if found}
        known = (self.rows and next(iter(self.rows.values())).mentors) or {}
        return Mentor.objects.with_people().in_bulk(keys - set(known)) | known

    def _look_below(self) -> ValidationError:
        return ValidationError(_("Nothing has changed yet. Look at what is marked below."), code="look_below")

    @property
    def said(self) -> dict:
        """What the verb is told."""
        cleaned = self.cleaned_data
        return {
            "decided": self.decided,
            "moved": self.moved,
            "seen": {session.pk: session.version for session in self.sessions},
            "agreed": cleaned.get("agreed", False),
            "set_aside": cleaned["set_aside"],
            "reason": cleaned["reason"],
        }

    def refuse(self, refusal: ValidationError) -> None:
        """Show what the verbs say: beside each session. Where a reason would do, ask for one."""
        if not hasattr(refusal, "error_dict"):
            self.add_error(None, refusal)
            return
        soft = booking.sets_rules_aside(self.by)
        for session in self.sessions:
            if errors := refusal.error_dict.get(session.pk):
                row = self.rows[session.pk]
                row.add_error("to" if row.cleaned_data.get("to") else "what", errors)
                soft = soft and {error.code for error in errors} <= self._soft(session)
        self.add_error(None, self._look_below())
        if soft or self.cleaned_data["set_aside"]:
            self.fields["set_aside"].widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def _soft(self, session: Session) -> set[str]:
        heir = self.decided[session.pk]
        if heir is None:
            return set()
        period = Period.of(self.moved.get(session.pk, session.start_time), session.minutes)
        findings = booking.explain(heir, session.mentee, period, leave_out=session)
        return {finding.code for finding in findings if not finding.hard}

    @property
    def shown(self) -> list[tuple[Session, User, str, DecisionForm]]:
        zone = timezone.get_current_timezone()
        return [
            (session, session.other_party(self.user), rules.when(session.period, zone), self.rows[session.pk])
            for session in self.sessions
        ]

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the last page sends again: one decision for each session, whatever was chosen for all."""
        one_by_one = [
            (f"session-{key}-what", str(Heir(heir.pk, self.moved.get(key))) if heir else CANCEL)
            for key, heir in self.decided.items()
        ]
        one_by_one += [(f"session-{key}-what", KEEP) for key in sorted(self.keep)]
        said = {"reason": self.cleaned_data["reason"], "set_aside": self.cleaned_data["set_aside"]}
        agreed = {"agreed": "on"} if self.cleaned_data.get("agreed") else {}
        return [*one_by_one, *(said | agreed).items()]


def what_happens(would: Iterable[Session], first: str, cancel: str, hand_over: str) -> str:
    """ "Deactivate, cancel 3 sessions, hand over 2" """
    would = list(would)
    canceled = sum(session.status == CANCELED for session in would)
    handed, said = len(would) - canceled, [first] if first else []
    if canceled:
        said.append(
            ngettext("{verb} {number} session", "{verb} {number} sessions", canceled).format(verb=cancel, number=canceled)
        )
    if handed and canceled:
        said.append(f"{hand_over} {handed}")
    elif handed:
        said.append(
            ngettext("{verb} {number} session", "{verb} {number} sessions", handed).format(verb=hand_over, number=handed)
        )
    sentence = ", ".join(said)
    return sentence[:1].upper() + sentence[1:]
