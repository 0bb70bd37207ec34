"""Asking for a session: which slot and what it is about, then everything once more, then done. Nothing typed is lost on the
way, also when somebody else takes the slot meanwhile.
"""

import uuid
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from people.models import Mentee, Mentor
from scheduling import booking, drafts
from scheduling.composing import as_query, book_path
from scheduling.forms import BookForm, KeptSlotForm, WantedForm
from scheduling.mentor_views import asking, elsewhere_near, mentor_or_404, nearest, why_not
from scheduling.models import Session
from scheduling.slots import Period
from scheduling.views import elsewhere, session_or_404
from scheduling.words import PENDING


def for_mentees(view):
    """The view gets the mentor and the reader as a mentee; who is none is told how to become one."""

    @login_required
    def inner(request, pk: int):
        mentor, mentee = mentor_or_404(request, pk), asking(request)
        if mentee is None:
            messages.error(request, _("Only mentees book sessions. You can become one on your profile page."))
            return redirect("mentor", pk)
        return view(request, mentor, mentee)

    return inner


def choose_a_time(request, mentor: Mentor):
    messages.error(request, _("Choose one of the free times."))
    return redirect("mentor", mentor.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@for_mentees
def book(request, mentor: Mentor, mentee: Mentee):
    """GET asks what it is about: at a slot that the address names, or a time of one's own. It is checked before anybody types.
    POST asks the mentor.
    """
    if request.method == "POST":
        return send(request, mentor, mentee)
    lengths, typed = request.program.policy.lengths, "day" in request.GET
    slot = WantedForm(request.GET, lengths=lengths) if typed else KeptSlotForm(request.GET)
    if typed and not slot.is_valid():
        return render(request, "scheduling/why_not.html", {"mentor": mentor, "wanted": slot, "period": None})
    if not slot.is_valid():
        return choose_a_time(request, mentor)
    period, key = slot.period, slot.cleaned_data.get("form_key")
    if there := already_there(mentor, mentee, period):
        return show_instead(request, there)
    if reasons := why_not(mentor, mentee, period):
        return refused(request, mentor, mentee, period, reasons, wanted=slot if typed else None, key=key)
    draft = drafts.kept(request, key)
    form = BookForm(initial=as_query(period) | (draft | {"form_key": key} if draft else {}))
    return render(request, "scheduling/book.html", context_of(mentor, period, form))


@require_http_methods(["GET", "HEAD", "POST"])
@for_mentees
def review(request, mentor: Mentor, mentee: Mentee):
    """POST keeps what was typed; GET shows it once more, at the slot that the address names."""
    if request.method == "POST":
        form = BookForm(request.POST)
        if not form.is_valid():
            return typed_wrongly(request, mentor, form)
        drafts.keep(request, form.cleaned_data)
        return redirect(book_path(mentor.pk, form.period, form.cleaned_data["form_key"]))
    slot = KeptSlotForm(request.GET)
    if not slot.is_valid():
        return choose_a_time(request, mentor)
    period, key = slot.period, slot.cleaned_data["form_key"]
    if there := already_there(mentor, mentee, period, key):
        return show_instead(request, there)
    draft = drafts.kept(request, key)
    if draft is None:
        return redirect(book_path(mentor.pk, period))
    if reasons := why_not(mentor, mentee, period):
        return refused(request, mentor, mentee, period, reasons, key=key)
    then = Session(mentor=mentor, mentee=mentee, start_time=period.start, end_time=period.end)
    context = context_of(mentor, period, BookForm(as_query(period) | draft | {"form_key": key}))
    return render(request, "scheduling/review.html", context | {"draft": draft, "elsewhere": elsewhere(request, then)})


def send(request, mentor: Mentor, mentee: Mentee):
    form = BookForm(request.POST)
    if not form.is_valid():
        return typed_wrongly(request, mentor, form)
    data, period = form.cleaned_data, form.period
    try:
        session = booking.request(
            mentor,
            mentee,
            data["start"],
            data["minutes"],
            by=request.user,
            topic=data["topic"],
            meeting_link=data["meeting_link"],
            form_key=data["form_key"],
        )
    except ValidationError as error:
        # Sent from another tab, too: it is what was wanted.
        if there := already_there(mentor, mentee, period):
            return show_instead(request, there)
        if any(refusal.code == "form_used" for refusal in error.error_list):
            data["form_key"] = uuid.uuid4()
        drafts.keep(request, data)
        form.add_error(None, error)
        return refused(request, mentor, mentee, period, error.messages, key=data["form_key"], form=form)
    drafts.forget(request, data["form_key"])
    return redirect("requested", session.pk)


def typed_wrongly(request, mentor: Mentor, form: BookForm):
    """The form with what is wrong marked in it, if there is a slot to fill it in for."""
    slot = KeptSlotForm(request.POST)
    if not slot.is_valid():
        return choose_a_time(request, mentor)
    return render(request, "scheduling/book.html", context_of(mentor, slot.period, form))


def context_of(mentor: Mentor, period: Period, form: BookForm) -> dict:
    """What the pages of a form that is filled in show. Its addresses differ, and not all of them open without it."""
    return {"mentor": mentor, "period": period, "form": form, "back_to": book_path(mentor.pk, period)}


def already_there(mentor: Mentor, mentee: Mentee, period: Period, key: uuid.UUID | None = None) -> Session | None:
    """The mentee's session that this would be once more: the same meeting, or made of the same form."""
    mine = Session.objects.filter(mentee=mentee)
    same = mine.active().filter(mentor=mentor, start_time=period.start, end_time=period.end).first()
    return same or (mine.filter(form_key=key).first() if key else None)


def show_instead(request, session: Session):
    messages.info(request, _("You have sent this request already: here it is."))
    return redirect("requested", session.pk)


def refused(
    request,
    mentor: Mentor,
    mentee: Mentee,
    period: Period,
    reasons: list[str],
    *,
    wanted: WantedForm | None = None,
    key: uuid.UUID | None = None,
    form: BookForm | None = None,
):
    """Why it cannot be then, and what can be instead: each choice carries on what was typed."""
    draft = drafts.kept(request, key)
    key = key if draft else None
    near = nearest(mentor, mentee, period, partial(book_path, mentor.pk, form_key=key))
    others = [] if near else elsewhere_near(mentor, mentee, period)
    local = timezone.localtime(period.start)
    again = {"day": local.date(), "at": local.time(), "minutes": period.minutes}
    context = {
        "mentor": mentor,
        "period": period,
        "reasons": reasons,
        "near": near,
        "others": [(other, slot, book_path(other.pk, slot, key)) for other, slot in others],
        "wanted": wanted or WantedForm(lengths=request.program.policy.lengths, initial=again),
        "draft": draft,
        "form_key": key,
        "form": form,
    }
    return render(request, "scheduling/why_not.html", context)


@require_safe
@login_required
def requested(request, pk: int):
    """Done: what happens next. Once somebody has answered, the session's own page tells it."""
    session = session_or_404(request, pk)
    if session.mentee_id != request.user.pk or session.status != PENDING:
        return redirect("session", pk)
    context = {"session": session, "elsewhere": elsewhere(request, session)}
    return render(request, "scheduling/requested.html", context)
