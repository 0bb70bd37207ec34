"""Two pages of a session: move it to another time, hand it over to another mentor. A GET shows, a POST does."""

from datetime import timedelta
from itertools import groupby, islice
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.forms import AdminForm

from people.admin_pages import page_of
from people.models import Mentor
from people.templatetags.kept import kept
from scheduling import booking, rules
from scheduling.admin.booking_forms import ASIDE, HandOverForm, MoveForm, MovingForm, party, person_field
from scheduling.admin.dialogs import session_or_404
from scheduling.booking import VERBS, Verb
from scheduling.models import Session
from scheduling.slots import Period
from scheduling.words import PENDING


class SuggestionForm(forms.Form):
    """What a suggestion puts into the address, for the fields to begin with."""

    start = forms.DateTimeField(required=False)
    minutes = forms.IntegerField(required=False, min_value=1, max_value=24 * 60)
    mentor = person_field("mentor", required=False)

    @property
    def for_the_fields(self) -> dict:
        if not self.is_valid():
            return {}
        wanted = {"start_time": "start", "minutes": "minutes", "new_mentor": "mentor"}
        return {field: self.cleaned_data[name] for field, name in wanted.items() if self.cleaned_data[name]}


def suggestion(slot: Period, mentor: Mentor | None = None) -> str:
    """The page again, with this in its fields, and scrolled to them."""
    query = {"start": f"{slot.start:%Y-%m-%dT%H:%M:%SZ}", "minutes": slot.minutes}
    return f"?{urlencode(query | ({'mentor': mentor.pk} if mentor else {}))}#session_form"


class MovingPage:
    """What the two have in common: the session as it is, a form, what would fit, and what the verb says to it."""

    verb: Verb
    form_class: type[MovingForm]
    # The template of what would fit.
    fitting: str
    # The form's own fields, before and after the time.
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()

    def __init__(self, model_admin, request):
        self.model_admin, self.request = model_admin, request

    def act(self, session: Session, form: MovingForm) -> Session:
        raise NotImplementedError

    def suggestions(self, form: MovingForm) -> dict:
        """For the template: what would fit."""
        raise NotImplementedError

    def done(self, session: Session) -> str:
        raise NotImplementedError

    def answer(self, session: Session) -> HttpResponse:
        if refusal := self._refusal(session):
            return self._back(session, refusal)
        sent = self.request.POST if self.request.method == "POST" else None
        begin = SuggestionForm(self.request.GET).for_the_fields
        form = self.form_class(sent, initial=begin, session=session, by=self.request.user)
        if form.is_valid():
            try:
                session = self.act(session, form)
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                messages.success(self.request, self.done(session))
                return redirect(self.back(session))
        if form.has_error(NON_FIELD_ERRORS, "stale"):
            session = session_or_404(self.request, str(session.pk))
            if self._refusal(session):
                return self._back(session, ValidationError(list(form.non_field_errors())))
            form.look_again(session)
        return self._page(session, form)

    def _refusal(self, session: Session) -> ValidationError | None:
        return booking.refusal(session, self.verb, self.request.user)

    def _back(self, session: Session, refusal: ValidationError) -> HttpResponse:
        for sentence in refusal.messages:
            messages.error(self.request, sentence)
        return redirect(self.back(session))

    def back(self, session: Session) -> str:
        return kept(self.request, page_of(Session._meta, session.pk))

    def _page(self, session: Session, form: MovingForm) -> TemplateResponse:
        admin, request = self.model_admin, self.request
        aside = ASIDE if booking.sets_rules_aside(request.user) else ()
        # What is hidden comes first: Unfold draws no line under what comes last.
        fields = ("version", *aside, *self.first, "start_time", "which_start_time", "minutes", *self.last, "reason")
        adminform = AdminForm(form, [(None, {"fields": fields})], {}, model_admin=admin)
        context = {
            **admin.admin_site.each_context(request),
            "title": self.verb.label,
            "opts": admin.opts,
            "original": session,
            "adminform": adminform,
            "errors": helpers.AdminErrorList(form, []),
            "inline_admin_formsets": [],
            "media": admin.media + adminform.media,
            "add": False,
            "change": False,
            "is_popup": False,
            "has_add_permission": False,
            "session": session,
            "back": self.back(session),
            "when": admin.when_for_both(session),
            "verb": self.verb,
            "asks_why": form.asks_why,
            "suggestions": self.fitting,
            **self.suggestions(form),
        }
        request.current_app = admin.admin_site.name
        return TemplateResponse(request, "admin/scheduling/session/moving.html", context)


def said(form: MovingForm) -> dict:
    return {name: form.cleaned_data[name] for name in ("set_aside", "reason", "version")}


def when(session: Session) -> str:
    return rules.when(session.period, timezone.get_current_timezone())


class Move(MovingPage):
    verb = VERBS["reschedule"]
    form_class = MoveForm
    fitting = "admin/scheduling/session/free_times.html"
    last = ("on_behalf_of",)
    # Free times that the page offers: those of so many days with any, looked for in so many.
    DAYS_SHOWN, DAYS_AHEAD = 5, 28

    def act(self, session, form):
        wanted = form.cleaned_data
        for_whom = party(wanted["on_behalf_of"], session.mentor, session.mentee)
        return booking.reschedule(
            session, wanted["start_time"], wanted["minutes"], by=self.request.user, on_behalf_of=for_whom, **said(form)
        )

    def suggestions(self, form):
        """The mentor's free times that suit the mentee, too, from the day of the session on."""
        session, minutes = form.session, form.shown.minutes
        since = timezone.localtime(session.start_time).replace(hour=0, minute=0, second=0, microsecond=0)
        until = since + timedelta(days=self.DAYS_AHEAD)
        slots = booking.slots(session.mentor, minutes, until=until, mentee=session.mentee, leave_out=session)
        fitting = (slot for slot in slots if slot.start >= since and slot != session.period)
        days = groupby(fitting, key=lambda slot: timezone.localdate(slot.start))
        shown = [(day, [(slot, suggestion(slot)) for slot in slots]) for day, slots in islice(days, self.DAYS_SHOWN)]
        zone = timezone.get_current_timezone_name()
        return {"heading": f"{minutes} minutes that suit both, from the day of the session on ({zone})", "days": shown}

    def done(self, session):
        waits = " It waits for the mentor’s yes again: the mentor confirms, or you do." if session.status == PENDING else ""
        return f"Moved: {session.mentor} and {session.mentee}, {when(session)}. Both are told.{waits}"


class HandOver(MovingPage):
    verb = VERBS["reassign"]
    form_class = HandOverForm
    fitting = "admin/scheduling/session/free_mentors.html"
    first, last = ("new_mentor",), ("agreed",)
    MENTORS_SHOWN = 10

    def act(self, session, form):
        wanted = form.cleaned_data
        if self._done_already(session, form):
            return session
        return booking.reassign(
            session,
            wanted["new_mentor"],
            wanted["start_time"],
            wanted["minutes"],
            by=self.request.user,
            agreed=wanted["agreed"],
            **said(form),
        )

    def _done_already(self, session: Session, form: HandOverForm) -> bool:
        """Is it the same form, sent twice?"""
        wanted = form.cleaned_data["version"] + 1, form.mentor, form.period
        if wanted != (session.version, session.mentor, session.period):
            return False
        return session.history.latest("history_date", "history_id").history_user_id == self.request.user.pk

    def suggestions(self, form):
        """Who is free then: first those who know most of what the present mentor knows."""
        session, period = form.session, form.shown
        others = Mentor.objects.active().exclude(pk__in=[session.mentor_id, session.mentee_id])
        known = Count("skills", filter=Q(skills__in=session.mentor.skills.all()))
        others = others.annotate(known=known).order_by("-known", "user__first_name", "user__last_name", "pk")
        keys = [key for key, _ in islice(booking.free(others, period.minutes, period), self.MENTORS_SHOWN)]
        found = Mentor.objects.with_people().prefetch_related("skills").in_bulk(keys)
        return {
            "heading": f"Who is free {rules.when(period, timezone.get_current_timezone())}",
            "mentors": [(found[key], suggestion(period, found[key])) for key in keys],
        }

    def done(self, session):
        next_step = f"{session.mentor} confirms, or you do." if session.status == PENDING else "It is Confirmed."
        return f"Handed over: {session.mentor} and {session.mentee}, {when(session)}. All three are told. {next_step}"
