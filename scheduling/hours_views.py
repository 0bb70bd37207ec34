"""The pages on which mentors say when they can be booked, and coordinators for them. Everything goes through ``offering``.

The same pages twice: under ``/windows/`` for one's own hours, and under ``/mentors/<key>/hours/`` for those of a mentor whom
a coordinator acts for. A change that touches what is booked shows it first, and asks: keep it, or cancel it?
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import wraps
from itertools import groupby
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from people import unsent
from people.models import Mentor, User
from people.stale import FreshForm
from people.views import sent
from scheduling import booking, offering
from scheduling.hours_forms import (
    CANCEL,
    KEEP,
    LimitsForm,
    PauseForm,
    TouchedForm,
    WindowForm,
    removal,
)
from scheduling.hours_kinds import KINDS, Desk, Kind
from scheduling.models import Availability, MentorLimits, Program, Session, WeeklyHours
from scheduling.offering import Change, Outcome
from scheduling.sentences import short_day
from scheduling.slots import Period

# How far ahead the list of windows looks, in weeks: the first is what it opens with, the last is further than any window.
WEEKS = (2, 6, 13, 106)
# Names that no form has: the buttons, and the page that asks.
BACK, ANOTHER, PREVIEW, ASKED = "back", "another", "preview", "touched-asked"
# So many of the windows that come or go are shown before a change is made.
PREVIEWED = 8
ONLY_SAVES = {"another": False, "preview": False}
TAKEN_AGAIN = _("New requests are taken again.")


# ---- every page -------------------------------------------------------------------------------------------------------


def page(view: Callable) -> Callable:
    """A page about the reader's own hours, or about those of the mentor in the address for whoever acts for the program."""

    @wraps(view)
    def inner(request, mentor: int | None = None, **kwargs):
        if mentor is not None:
            if not booking.acts_for_program(request.user):
                raise Http404
            # By the user's key: a mentor's, being the same, is not checked for numbers that no database has.
            user = get_object_or_404(
                User.objects.select_related("mentor"), pk=mentor, mentor__isnull=False, mentor_ended_at=None
            )
            address, mentor = {"mentor": mentor}, user.mentor
        elif request.user.is_mentor:
            address, mentor = {}, request.user.mentor
        else:
            messages.error(request, _("Only mentors offer time. You can become one on your profile page."))
            return redirect("home")
        desk = Desk(mentor, request.program.zone_of(mentor.user), mentor.pk != request.user.pk, address)
        return booking.retry_after_deadlock(view)(request, desk, **kwargs)

    return require_http_methods(["GET", "HEAD", "POST"])(login_required(inner))


@contextmanager
def alone(request, desk: Desk):
    """What is sent is looked at, decided and written while nobody books this mentor. Looking at a page locks nobody."""
    if request.method != "POST":
        yield
        return
    with transaction.atomic():
        offering.lock(desk.mentor)
        yield


def row_of(request, desk: Desk, kind: Kind, pk: int) -> Model | None:
    """The mentor's row, or None if it is gone: windows of weekly hours go and come with those. Another's does not exist here."""
    row = kind.model.objects.filter(pk=pk).first()
    if row is None:
        messages.error(request, _("This is not there any more: somebody changed the hours meanwhile. Nothing was changed now."))
        return None
    if row.mentor_id != desk.mentor.pk:
        raise Http404
    row.mentor = desk.mentor
    return row


# ---- one change -------------------------------------------------------------------------------------------------------


@page
def edit(request, desk: Desk, kind: Kind, pk: int | None = None):
    """Fill in a row, new or there; see what it touches; save it."""
    with alone(request, desk):
        row = kind.new(desk) if pk is None else row_of(request, desk, kind, pk)
        if row is None:
            return redirect(desk.home)
        before = None if pk is None else kind.in_words(row, desk)
        form = kind.form(sent(request), instance=row, initial=request.GET.dict() if pk is None else None)
        if answer := submitted(request, desk, kind, form, before):
            return answer
    context = {
        "desk": desk,
        "form": form,
        "title": kind.adds if pk is None else kind.edits,
        "in_zone": kind.zone_name(form),
        "another": kind.model is WeeklyHours and pk is None,
        "preview": kind.model is not Availability,
    }
    return render(request, "scheduling/hours_form.html", context)


def submitted(request, desk: Desk, kind: Kind, form: FreshForm, before: str | None = None) -> HttpResponse | None:
    """What comes of a form that was sent; nothing where it is to be shown (again)."""
    form.by = request.user
    if not (form.is_bound and form.is_valid()) or BACK in request.POST:
        return None

    def facts():
        # Told by the page that asks: only there it is known to make sense.
        after = kind.in_words(form.instance, desk)
        return [(_("Now"), before), (_("Then"), after)] if before else [(kind.noun, after)]

    context = {
        "title": kind.edits if before else kind.adds,
        "does": kind.edits if before else kind.adds,
        "untouched": kind.untouched,
        "facts": facts,
    }
    onward = desk.home
    if ANOTHER in request.POST and kind.model is WeeklyHours:
        same = {name: request.POST.get(name, "") for name in ("begins", "ends")}
        onward = f"{request.path}?{urlencode({'weekday': (form.instance.weekday + 1) % 7} | same)}"
    try:
        return carry_out(request, desk, kind.save(form.instance), context, kind.saved, onward)
    except ValidationError as refusal:
        form.add_error(None, refusal_of_all(refusal))
        return None


@page
def delete(request, desk: Desk, kind: Kind, pk: int):
    """Ask first, also where nobody has booked."""
    with alone(request, desk):
        row = row_of(request, desk, kind, pk)
        if row is None:
            return redirect(desk.home)
        form = removal(kind.model)(sent(request), instance=row)
        form.by = request.user
        stale = form.non_field_errors() if form.is_bound and not form.is_valid() else []
        # As it is by now, and asked about again.
        shown = removal(kind.model)(instance=row)
        context = {
            "title": kind.removes,
            "does": kind.removes,
            "untouched": kind.untouched,
            "facts": [(kind.noun, kind.in_words(row, desk))],
            "removes": True,
            "stale": stale,
            "carried": [("seen", shown["seen"].value())],
        }
        return carry_out(request, desk, kind.remove(row), context, kind.removed, desk.home, always=True)


def carry_out(
    request, desk: Desk, change: Change, context: dict, done: str, onward: str, *, always: bool = False
) -> HttpResponse:
    """Make the change; or show the sessions it touches, and ask. Raises ValidationError where it cannot be made at all."""
    outcome = offering.look(change)
    sessions = outcome.sessions
    cancel = booking.VERBS["cancel"]
    refusals = {one.pk: booking.refusal(one, cancel, request.user, program=request.program) for one in sessions}
    cannot = {key: " ".join(refusal.messages) for key, refusal in refusals.items() if refusal}
    form = TouchedForm(request.POST if ASKED in request.POST else None, sessions=sessions, cannot=cannot)
    asked = form.is_bound and not context.get("stale") and form.is_valid()
    if asked or not (sessions or always or PREVIEW in request.POST):
        keep, canceled = (form.those(KEEP), form.those(CANCEL)) if asked else ((), ())
        reason = form.cleaned_data["reason"] if asked else ""
        try:
            offering.make(change, by=request.user, keep=keep, cancel=canceled, reason=reason)
        except ValidationError as refusal:
            if not asked:
                raise
            form.add_error(None, refusal_of_all(refusal))
        else:
            messages.success(request, done)
            tell_of_sessions(request, len(keep), len(canceled))
            return redirect(onward)
    ours = ("csrfmiddlewaretoken", unsent.AUTHOR, BACK, PREVIEW, f"{TouchedForm.prefix}-")
    carried = [(name, value) for name, values in request.POST.lists() for value in values if not name.startswith(ours)]
    windows = [(title, few[:PREVIEWED], len(few[PREVIEWED:])) for title, few in changes_of(outcome) if few]
    context = {"desk": desk, "form": form, "removes": False, "stale": [], "carried": carried, "windows": windows} | context
    return render(request, "scheduling/touched.html", context)


def changes_of(outcome: Outcome) -> list[tuple[str, list[Period]]]:
    return [(_("Windows that come"), outcome.come), (_("Windows that go"), outcome.go)]


def refusal_of_all(refusal: ValidationError) -> ValidationError:
    """The same for the whole form: what a row refuses may be named after fields that the form calls otherwise."""
    return ValidationError(refusal.messages, code=getattr(refusal, "code", None))


def tell_of_sessions(request, kept: int, canceled: int) -> None:
    if canceled:
        told = ngettext(
            "%(count)s session is canceled. We tell the mentee by mail.",
            "%(count)s sessions are canceled. We tell the mentees by mail.",
            canceled,
        )
        messages.success(request, told % {"count": canceled})
    if kept:
        told = ngettext(
            "%(count)s session is kept, at the time agreed.", "%(count)s sessions are kept, at the time agreed.", kept
        )
        messages.info(request, told % {"count": kept})


@page
def limits(request, desk: Desk):
    """The mentor's own caps, buffer and pause."""
    with alone(request, desk):
        form = LimitsForm(sent(request), instance=MentorLimits.of(desk.mentor))
        form.by = request.user
        if form.is_bound and form.is_valid():
            form.save()
            messages.success(request, _("Saved."))
            return redirect(desk.home)
    context = {"desk": desk, "form": form, "title": _("Limits"), "in_zone": ""} | ONLY_SAVES
    return render(request, "scheduling/hours_form.html", context)


@page
def pause(request, desk: Desk):
    """No new requests for a while, or again from now on: in one click from the first page."""
    with alone(request, desk):
        form = PauseForm(sent(request), instance=MentorLimits.of(desk.mentor))
        form.by = request.user
        if form.is_bound and form.is_valid():
            until = form.save().paused_until_on
            pause = _("No new requests until %(day)s. What is booked stays.")
            messages.success(request, pause % {"day": date_format(until, "DATE_FORMAT")} if until else TAKEN_AGAIN)
            return redirect(desk.home if desk.for_other else "home")
    context = {"desk": desk, "form": form, "title": _("Pause new requests"), "in_zone": ""} | ONLY_SAVES
    return render(request, "scheduling/hours_form.html", context)


# ---- the list ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row of the list, as it is told, with its pages."""

    row: Model
    said: str
    edit: str
    delete: str
    sessions: tuple[Session, ...] = ()
    # The next day of hours that are not every week's.
    next_on: date | None = None

    @property
    def label(self) -> str:
        """Where a window comes from."""
        return _("weekly") if self.row.from_weekly_hours else _("edited") if self.row.instead_of else _("extra")


@page
def windows(request, desk: Desk):
    """The time somebody offers, and who has booked in it; a single window is added here."""
    kind = KINDS["window"]
    with alone(request, desk):
        form = WindowForm(sent(request), instance=kind.new(desk))
        if answer := submitted(request, desk, kind, form):
            return answer
    weeks = request.GET.get("weeks", "")
    weeks = int(weeks) if weeks in map(str, WEEKS) else WEEKS[0]
    # Whole days of the reader's.
    until = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7 * weeks + 1)
    ahead = list(desk.mentor.availabilities.ahead())
    now = [window for window in ahead if window.start_time < until]
    days = groupby(rows_of(desk, kind, now), key=lambda row: timezone.localdate(row.row.start_time))
    hours = desk.mentor.weekly_hours.exclude(valid_until_on__lt=desk.today)
    own = MentorLimits.of(desk.mentor)
    paused_until = own.paused_until(desk.today)
    context = {
        "desk": desk,
        "form": form,
        "hours": rows_of(desk, KINDS["weekly_hours"], hours),
        "time_off": rows_of(desk, KINDS["time_off"], desk.mentor.time_off.ahead()),
        "days": [(day, list(rows)) for day, rows in days],
        "later": len(ahead) - len(now),
        "weeks": weeks,
        "more_weeks": next((more for more in WEEKS if more > weeks), None),
        "limits": limits_in_words(own, request.program, paused_until),
        "paused_until": paused_until,
        "add": {name: desk.url(f"{name}_add") for name in ("weekly_hours", "time_off")},
    }
    return render(request, "scheduling/windows.html", context)


def limits_in_words(own: MentorLimits, program: Program, paused_until: date | None) -> list[tuple[str, str, str]]:
    """What counts, and the program's where that is another."""

    def minutes(number: int) -> str:
        return _("%(minutes)s minutes") % {"minutes": number}

    told = (
        (
            _("Sessions a week"),
            None if own.week_cap is None else f"{own.week_cap}",
            _("no limit") if program.mentor_week_cap is None else f"{program.mentor_week_cap}",
        ),
        (
            _("Free before and after each"),
            None if own.buffer_minutes is None else minutes(own.buffer_minutes),
            minutes(program.buffer_minutes),
        ),
    )
    pause = _("until %(day)s") % {"day": short_day(paused_until)} if paused_until else _("no")
    return [*((name, theirs or usual, usual if theirs else "") for name, theirs, usual in told), (_("Paused"), pause, "")]


def rows_of(desk: Desk, kind: Kind, rows) -> list[Row]:
    rows = list(rows)
    booked = sessions_in(rows, desk.mentor) if kind.model is Availability else {}
    return [
        Row(
            row,
            kind.in_words(row, desk),
            desk.url(kind.name, row.pk),
            desk.url(f"{kind.name}_delete", row.pk),
            booked.get(row.pk, ()),
            next_day(row, desk) if kind.model is WeeklyHours and row.every_weeks > 1 else None,
        )
        for row in rows
    ]


def next_day(hours: WeeklyHours, desk: Desk) -> date | None:
    rule = hours.rule(desk.zone.key)
    first = max(desk.today, hours.valid_from_on)
    return next((timezone.localdate(one.start, rule.zone) for one in rule.between(first, first + timedelta(weeks=4))), None)


def sessions_in(windows: list[Availability], mentor: Mentor) -> dict[int, tuple[Session, ...]]:
    """Window -> the sessions that take its time, whichever window they were booked from."""
    if not windows:
        return {}
    span = Period(min(window.start_time for window in windows), max(window.end_time for window in windows))
    booked = Session.objects.active().filter(mentor=mentor).overlapping(span).with_people().order_by("start_time")
    booked = list(booked)
    return {window.pk: tuple(one for one in booked if one.period.overlaps(window.period)) for window in windows}
