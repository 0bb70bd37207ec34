"""The page on which a person leaves: first what becomes of their sessions, then what will happen, then it happens."""

from collections.abc import Iterable
from itertools import islice

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from people.models import Mentor, Role, User
from scheduling import booking, leaving, rules
from scheduling.admin.booking_forms import ReasonField, is_key, person_field
from scheduling.admin.history import rules_set_aside
from scheduling.models import Notice, Session
from scheduling.words import CANCELED, CONFIRMED, State

CANCEL = "cancel"
# The button of the last page that leads back to the decisions.
BACK = "_back"
SUGGESTED = 10
NAMED = 5


class WhatField(forms.ChoiceField):
    """Cancel, or a mentor by their key: one that was suggested when the page was made, and may be busy by now."""

    def __init__(self):
        choices = [("", "Choose"), (CANCEL, "Cancel it")]
        super().__init__(label="What becomes of it", choices=choices, required=False, widget=UnfoldAdminSelectWidget)

    def suggest(self, label: str, mentors: list[Mentor]) -> None:
        if mentors:
            self.choices = [*self.choices, (label, [(str(mentor.pk), str(mentor)) for mentor in mentors])]

    def valid_value(self, value) -> bool:
        return super().valid_value(value) or is_key(value)


class DecisionForm(forms.Form):
    """What becomes of one session, or of all about which nobody says anything else."""

    what = WhatField()
    to = person_field("mentor", label="Or hand over to", required=False)

    def clean(self):
        cleaned = super().clean()
        what, to = cleaned.get("what", ""), cleaned.get("to")
        if is_key(what):
            mentor = Mentor.objects.with_people().filter(pk=what).first()
            if mentor is None:
                self.add_error("what", ValidationError("This mentor is not here any more. Choose another one.", code="gone"))
            elif to and to != mentor:
                self.add_error("to", ValidationError("Choose one of the two.", code="two"))
            to = mentor
        elif what == CANCEL and to:
            self.add_error("to", ValidationError("Cancel it or hand it over: choose one.", code="two"))
        self.heir = to
        self.decided = bool(what or to)
        return cleaned


class LeavingForm(forms.Form):
    """What becomes of the sessions of somebody who leaves, each with a `DecisionForm` of its own, and what is said about it."""

    reason = ReasonField(help_text="Optional. Everybody who is in these sessions can read it.")
    agreed = forms.BooleanField(
        label="The new mentors have agreed already",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="What is handed over is Confirmed at once. Otherwise it waits for the new mentor’s yes.",
    )
    # Hidden until there is something to set aside.
    set_aside = ReasonField(
        label="Why set these rules aside?",
        widget=forms.HiddenInput,
        help_text="With a reason they are handed over all the same. It stays with the sessions and their history; mentors and "
        "mentees do not see it.",
    )
    # What the last page said would happen.
    told = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data=None, *, user: User, sessions: list[Session], by: User):
        super().__init__(data)
        self.user, self.by, self.sessions = user, by, sessions
        self.rows = {session.pk: DecisionForm(data, prefix=f"session-{session.pk}") for session in sessions}
        self.all = DecisionForm(data, prefix="all")
        for_all = self.all.fields["what"]
        for_all.label, for_all.choices = "What becomes of them", [("", "Choose for each, below"), (CANCEL, "Cancel all")]
        self.mentored = [session for session in sessions if session.mentor_id == user.pk]
        for session in sessions:
            if session not in self.mentored:
                del self.rows[session.pk].fields["to"]
        if not self.mentored:
            del self.all.fields["to"], self.fields["agreed"]

    def suggest(self) -> None:
        """Name in each list who is free then; in the one for all, who is free for all."""
        free = {session.pk: who_is_free(session) for session in self.mentored}
        for key, mentors in free.items():
            form = self.rows[key]
            chosen = [form.heir] if form.is_bound and not form.errors and form.heir else []
            others = [mentor for mentor in chosen if mentor not in mentors]
            form.fields["what"].suggest("Hand over to, free then", mentors)
            form.fields["what"].suggest("Hand over to", others)
        first, *others = free.values() or [[]]
        common = [mentor for mentor in first if all(mentor in mentors for mentors in others)]
        self.all.fields["what"].suggest("Hand over to, free for all", common)

    def clean(self):
        cleaned = super().clean()
        self.decided = {}
        well = self.all.is_valid()
        for session in self.sessions:
            form = self.rows[session.pk]
            if not form.is_valid() or not well:
                continue
            if form.decided:
                self.decided[session.pk] = form.heir
            elif self.all.decided and (self.all.heir is None or session in self.mentored):
                self.decided[session.pk] = self.all.heir
            elif self.all.decided:
                form.add_error("what", f"{self.user} is the mentee here: nobody can take that over. Cancel it.")
            else:
                hand_over = " or hand it over" if session in self.mentored else ""
                form.add_error("what", ValidationError(f"Cancel it{hand_over}.", code="undecided"))
        if not well or any(form.errors for form in self.rows.values()):
            # Said beside each of them.
            self.add_error(None, ValidationError("Nothing has changed yet. Look at what is marked below.", code="look_below"))
        return cleaned

    @property
    def said(self) -> dict:
        """What `leaving.leave` is told."""
        cleaned = self.cleaned_data
        return {
            "decided": self.decided,
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
        self.add_error(None, ValidationError("Nothing has changed yet. Look at what is marked below.", code="look_below"))
        if soft or self.cleaned_data["set_aside"]:
            self.fields["set_aside"].widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def _soft(self, session: Session) -> set[str]:
        heir = self.decided[session.pk]
        if heir is None:
            return set()
        findings = booking.explain(heir, session.mentee, session.period, leave_out=session)
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
        one_by_one = [(f"session-{key}-what", str(heir.pk) if heir else CANCEL) for key, heir in self.decided.items()]
        said = {"reason": self.cleaned_data["reason"], "set_aside": self.cleaned_data["set_aside"]}
        agreed = {"agreed": "on"} if self.cleaned_data.get("agreed") else {}
        return [*one_by_one, *(said | agreed).items()]


def who_is_free(session: Session) -> list[Mentor]:
    """Who is free then, by the rules."""
    others = Mentor.objects.active().exclude(pk__in=[session.mentor_id, session.mentee_id])
    others = others.order_by("user__first_name", "user__last_name", "pk")
    keys = [key for key, _ in islice(booking.free(others, session.minutes, session.period), SUGGESTED)]
    found = Mentor.objects.with_people().in_bulk(keys)
    return [found[key] for key in keys]


class LeavingPage:
    def __init__(self, model_admin, request, role: Role):
        self.model_admin, self.request, self.role = model_admin, request, role
        self.user, self.by = role.user, request.user

    def answer(self) -> HttpResponse:
        if refusal := leaving.refusal(self.user, self.by):
            return self._back(refusal)
        form = self._form(self.request.POST if self.request.method == "POST" else None)
        if not form.is_bound:
            return self._decide(form) if form.sessions else self._confirm(self._form({}))
        if not form.is_valid() or BACK in self.request.POST:
            return self._decide(form)
        return self._confirm(form)

    def _form(self, data) -> LeavingForm:
        return LeavingForm(data, user=self.user, sessions=leaving.ahead(self.user), by=self.by)

    def _confirm(self, form: LeavingForm) -> HttpResponse:
        """Say what would happen; or do it, where the page has said just this."""
        form.is_valid()
        try:
            would = leaving.leave(self.user, by=self.by, only_try=True, **form.said)
            if self.request.method != "POST" or form.cleaned_data["told"] != digest(would):
                return self._last_page(form, would)
            left = leaving.leave(self.user, by=self.by, **form.said)
        except ValidationError as refusal:
            return self._refused(form, refusal)
        messages.success(self.request, self._done(left))
        return redirect(self._role_page())

    def _refused(self, form: LeavingForm, refusal: ValidationError) -> HttpResponse:
        code = getattr(refusal, "code", None)
        if code in ("already", "not_yours", "yourself"):
            return self._back(refusal)
        if code == "undecided":
            # Booked since this request looked: the new form lists it, and asks.
            form = self._form(self.request.POST)
            form.is_valid()
        else:
            form.refuse(refusal)
        return self._decide(form)

    def _back(self, refusal: ValidationError) -> HttpResponse:
        for sentence in refusal.messages:
            messages.error(self.request, sentence)
        return redirect(self._role_page())

    def _role_page(self) -> str:
        opts = self.model_admin.opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[self.user.pk])

    # ---- the pages ------------------------------------------------------------------------------------------------

    def _decide(self, form: LeavingForm) -> TemplateResponse:
        form.suggest()
        return self._page("decide", {"form": form, "media": self.model_admin.media + form.media + form.all.media})

    def _last_page(self, form: LeavingForm, would: list[Session]) -> TemplateResponse:
        zone = timezone.get_current_timezone()
        before = {session.pk: session.other_party(self.user) for session in form.sessions}
        plan = [
            {
                "other": before[session.pk],
                "when": rules.when(session.period, zone),
                "heir": session.mentor if session.status != CANCELED else None,
                "confirmed": session.status == CONFIRMED,
                "aside": rules_set_aside(session) if session.status != CANCELED else "",
            }
            for session in would
        ]
        canceled = sum(session.status == CANCELED for session in would)
        more = {
            "form": form,
            "plan": plan,
            "told": digest(would),
            # Not what the page before this one said.
            "again": bool(form.cleaned_data["told"]),
            "button": self._what(canceled, len(would) - canceled, "Deactivate", "cancel", "hand over"),
            "windows": self.user.mentor.availabilities.ahead().count() if self.user.is_mentor else 0,
            "hours": self.user.is_mentor and self.user.mentor.weekly_hours.exists(),
            "owed": Notice.objects.filter(recipient=self.user, state=State.PENDING).count(),
        }
        return self._page("confirm", more)

    def _page(self, name: str, more: dict) -> TemplateResponse:
        site, opts = self.model_admin.admin_site, self.model_admin.opts
        context = {
            **site.each_context(self.request),
            "title": f"Deactivate {self.user}",
            "opts": opts,
            "original": self.role,
            "person": self.user,
            "media": self.model_admin.media,
            "back": self._role_page(),
            **more,
        }
        self.request.current_app = site.name
        return TemplateResponse(self.request, f"admin/leaving/{name}.html", context)

    # ---- words ----------------------------------------------------------------------------------------------------

    def _what(self, canceled: int, handed: int, first: str, cancel: str, hand_over: str) -> str:
        """ "Deactivate, cancel 3 sessions, hand over 2" """
        said = [first]
        if canceled:
            said.append(f"{cancel} {canceled} session{'s' * (canceled != 1)}")
        if handed:
            said.append(f"{hand_over} {handed}" + ("" if canceled else f" session{'s' * (handed != 1)}"))
        return ", ".join(said)

    def _done(self, left: list[Session]) -> str:
        canceled = sum(session.status == CANCELED for session in left)
        done = [f"{self.user} is deactivated."]
        if canceled:
            done.append(f"Canceled: {canceled}.")
        if len(left) > canceled:
            done.append(f"Handed over: {len(left) - canceled}.")
        if told := {person for session in left for person in session.people} - {self.user}:
            done.append(f"Told: {some(sorted(map(str, told)))}.")
        return " ".join(done)


def digest(would: Iterable[Session]) -> str:
    """What would happen, to compare: who gets which session, in which version, and which rules are set aside for it."""
    return " ".join(
        f"{session.pk}.{session.version}.{session.status}.{session.mentor_id}.{'+'.join(session.set_aside)}"
        for session in would
    )


def some(names: list[str]) -> str:
    """ "Alex, Bo and Cy", or the first of them "and 7 others" """
    shown, others = names[:NAMED], len(names) - NAMED
    last = f"{others} other{'s' * (others != 1)}" if others > 0 else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last
