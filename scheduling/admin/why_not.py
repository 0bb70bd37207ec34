"""The page that tells why two people can or cannot meet then: every rule, and the record that decides it."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.forms import AdminForm

from people.models import Mentee, Mentor
from scheduling import booking, rules
from scheduling.admin.booking_forms import BookAnywayForm, WhyNotForm, party
from scheduling.models import Session
from scheduling.rules import Finding
from scheduling.slots import Period

TEMPLATE = "admin/scheduling/session/why_not.html"


def why_not(model_admin, request) -> HttpResponse:
    """The question stands in the address; a POST books what was asked about."""
    question = WhyNotForm(request.GET or None)
    answer = {}
    if question.is_valid():
        mentor, mentee, period = question.cleaned_data["mentor"], question.cleaned_data["mentee"], question.period
        findings = booking.explain(mentor, mentee, period)
        sent = request.POST if request.method == "POST" else None
        form = BookAnywayForm(sent, by=request.user, findings=findings)
        if form.is_valid():
            try:
                session = _book(request, mentor, mentee, period, form)
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                messages.success(request, model_admin.requested(session))
                return redirect("admin:scheduling_session_change", session.pk)
        answer = _answer(request, mentor, mentee, period, findings, form)
    fields = (("mentor", "mentee"), "start_time", "which_start_time", "minutes")
    asked = AdminForm(question, [(None, {"fields": fields})], {}, model_admin=model_admin)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Why not?",
        "opts": model_admin.opts,
        "adminform": asked,
        "errors": helpers.AdminErrorList(question, []),
        "inline_admin_formsets": [],
        "media": model_admin.media + asked.media,
        "is_popup": False,
        "answer": answer,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, TEMPLATE, context)


def _book(request, mentor: Mentor, mentee: Mentee, period: Period, form: BookAnywayForm) -> Session:
    wanted = form.cleaned_data
    return booking.request(
        mentor,
        mentee,
        period.start,
        period.minutes,
        by=request.user,
        on_behalf_of=party(wanted["on_behalf_of"], mentor, mentee),
        set_aside=wanted["set_aside"],
        form_key=wanted["key"],
    )


def _answer(request, mentor: Mentor, mentee: Mentee, period: Period, findings: list[Finding], form: BookAnywayForm) -> dict:
    """For the template: every rule with what decides it, and whether this reader can book it."""
    failed = [finding for finding in findings if not finding.passed]
    hard = any(finding.hard for finding in failed)

    def rows(passed: bool) -> list[tuple[Finding, tuple[str, str] | None]]:
        return [(one, _record(request, one, mentor, mentee)) for one in findings if one.passed is passed]

    return {
        "mentor": mentor,
        "mentee": mentee,
        "when": rules.when(period, timezone.get_current_timezone()),
        "broken": rows(False),
        "kept": rows(True),
        "hard": hard,
        "may_book": not failed or (not hard and booking.sets_rules_aside(request.user)),
        "form": form,
    }


def _record(request, finding: Finding, mentor: Mentor, mentee: Mentee) -> tuple[str, str] | None:
    """What decides: its name, and its page in the admin ("" for whoever may not see it)."""
    if finding.code == "outside_window":
        # No one row decides: what is missing is one.
        return _page(request, f"Availability of {mentor}", "scheduling.availability", query={"mentor__user__exact": mentor.pk})
    match finding.record:
        case None:
            return None
        case "session", key:
            return _page(request, "The session in the way", "scheduling.session", key)
        case "program", key:
            return _page(request, "The program’s policy", "scheduling.program", key)
        case "mentorlimits", key:
            return _page(request, f"Limits of {mentor}", "people.mentor", key)
        case "user", key if key == mentee.pk:
            return _page(request, str(mentee), "people.mentee", key)
        case "user", key:
            return _page(request, str(mentor), "people.mentor", key)


def _page(request, text: str, model: str, key: int | None = None, query: dict | None = None) -> tuple[str, str]:
    app, _, name = model.partition(".")
    if not request.user.has_perm(f"{app}.view_{name}"):
        return text, ""
    if key is None:
        return text, f"{reverse(f'admin:{app}_{name}_changelist')}?{urlencode(query)}"
    return text, reverse(f"admin:{app}_{name}_change", args=[key])
