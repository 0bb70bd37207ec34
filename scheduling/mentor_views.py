"""The pages on which people find a mentor and a time: who is free, when, and why not then."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from people.models import Mentee, Mentor
from people.views import sent
from scheduling import booking
from scheduling.composing import as_query, book_path
from scheduling.filters import MentorFilter
from scheduling.forms import BookForm, SlotForm, SpanForm, WantedForm
from scheduling.models import Availability, Session
from scheduling.moments import day_begins
from scheduling.slots import Period

PER_PAGE = 20
# How far ahead a mentor's page looks, in weeks; the first is what it opens with.
WEEKS = (2, 4, 8)
# How many free times stand on a card of the list, and beside a time that cannot be had.
ON_A_CARD, NEARBY = 4, 3
# The rules that leave nothing to offer, whatever the hour.
WHATEVER_THE_HOUR = ("same_person", "inactive", "paused", "too_many_requests")


def asking(request) -> Mentee | None:
    """The reader as a mentee, whose own calendar counts; None if they are none."""
    return getattr(request.user, "mentee", None)


# ---- who is free ------------------------------------------------------------------------------------------------------


@dataclass
class Card:
    """One mentor in the list, and the first free times that were looked for, each with the page that asks for it."""

    mentor: Mentor
    free: list[tuple[Period, str]]


@require_safe
@login_required
def mentors(request):
    """Everybody else who mentors; or, of those, who is free in a time asked about. First those who offer time."""
    offers_time = Exists(Availability.objects.filter(mentor=OuterRef("pk")).ahead())
    others = Mentor.objects.active().exclude(pk=request.user.pk).annotate(offers_time=offers_time)
    others = others.order_by("-offers_time", "user__first_name", "user__last_name", "pk")
    found = MentorFilter(request.GET, queryset=others.with_people().prefetch_related("skills"))
    span = SpanForm(request.GET, lengths=request.program.policy.lengths)
    context = {"form": found.form, "span": span, "page": None, "none_because": []}
    # What was asked for in another way than it was meant is not answered.
    if found.form.is_valid() and span.is_valid():
        page = cards(request, found.qs, span.cleaned_data["minutes"], span.over)
        context |= {"page": page, "over": span.over, "minutes": span.cleaned_data["minutes"]}
        if not any(card.free for card in page) and (somebody := found.qs.first()):
            # It may be the reader who can have nothing now.
            context["none_because"] = why_none(somebody, asking(request), only=["too_many_requests"])
    return render(request, "scheduling/mentors.html", context)


def cards(request, mentors: QuerySet[Mentor], minutes: int, over: Period | None) -> Page:
    """A page of cards in the mentors' order; with ``over``, of those who are free then. The number of queries is the same for
    one mentor and for all.
    """
    number, mentee = request.GET.get("page"), asking(request)
    if over is None:
        page, soon = Paginator(mentors, PER_PAGE).get_page(number), Period(timezone.now(), end_of(WEEKS[0]))
        free = dict(booking.free(list(page), minutes, soon, mentee=mentee))
        shown = [(mentor, free.get(mentor.pk, ()), 1) for mentor in page]
    else:
        page = Paginator(list(booking.free(mentors, minutes, over, mentee=mentee)), PER_PAGE).get_page(number)
        people = mentors.in_bulk([key for key, _ in page])
        shown = [(people[key], slots, ON_A_CARD) for key, slots in page if key in people]
    page.object_list = [
        Card(mentor, [(slot, book_path(mentor.pk, slot)) for slot in islice(slots, most)]) for mentor, slots, most in shown
    ]
    return page


# ---- when a mentor is free --------------------------------------------------------------------------------------------


def mentor_or_404(request, pk: int) -> Mentor:
    return get_object_or_404(Mentor.objects.visible_to(request.user).with_people(), pk=pk)


@require_safe
@login_required
def mentor(request, pk: int):
    """Who the mentor is and when they are free, day by day in my zone; and a place to ask for another time."""
    mentor, mentee = mentor_or_404(request, pk), asking(request)
    free = free_times(request, mentor, mentee, lambda slot: book_path(mentor.pk, slot))
    wanted = WantedForm(lengths=free["lengths"], initial={"minutes": free["minutes"]})
    return render(request, "scheduling/mentor.html", {"mentor": mentor, "wanted": wanted, **free})


def free_times(
    request, mentor: Mentor, mentee: Mentee | None, path: Callable[[Period], str], moving: Session | None = None
) -> dict:
    """What scheduling/free_times.html shows: the slots of the length and the weeks in the address, each with its ``path``.

    ``moving``: the session that one of them is for.
    """
    lengths = request.program.policy.lengths
    usual = (moving.minutes,) if moving and moving.minutes in lengths else ()
    minutes, weeks = chosen(request, "minutes", (*usual, *lengths)), chosen(request, "weeks", WEEKS)
    slots = booking.slots(mentor, minutes, until=end_of(weeks), mentee=mentee, leave_out=moving)
    days = groupby(other_than(moving, slots), key=lambda slot: timezone.localdate(slot.start))
    days = [(day, [(slot, path(slot)) for slot in slots]) for day, slots in days]
    return {
        "lengths": lengths,
        "minutes": minutes,
        "weeks": weeks,
        "more_weeks": next((more for more in WEEKS if more > weeks), None),
        "days": days,
        "none_because": [] if days else why_none(mentor, mentee, moving),
    }


def end_of(weeks: int) -> datetime:
    """So many weeks from now, to the end of that day on the clocks of the page."""
    return day_begins(timezone.localdate() + timedelta(days=7 * weeks + 1))


def chosen(request, name: str, choices: tuple[int, ...]) -> int:
    """A number from the address, or the first choice."""
    value = request.GET.get(name, "")
    return int(value) if value in map(str, choices) else choices[0]


def other_than(moving: Session | None, slots: list[Period]) -> list[Period]:
    """Without the time that a session which is to be moved has already."""
    return [slot for slot in slots if moving is None or slot != moving.period]


def why_none(
    mentor: Mentor,
    mentee: Mentee | None,
    moving: Session | None = None,
    only: Collection[str] = WHATEVER_THE_HOUR,
) -> list[str]:
    """What stands against every hour with this mentor, in sentences."""
    any_hour = Period.of(timezone.now() + timedelta(hours=1), 30)
    return why_not(mentor, mentee, any_hour, moving, only)


# ---- why not then? ----------------------------------------------------------------------------------------------------


def why_not(
    mentor: Mentor, mentee: Mentee | None, period: Period, moving: Session | None = None, only: Collection[str] = ()
) -> list[str]:
    """The rules against this time, each in a sentence; ``only``: of these."""
    findings = booking.explain(mentor, mentee, period, leave_out=moving)
    return [finding.sentence for finding in findings if not finding.passed and (not only or finding.code in only)]


def nearest(
    mentor: Mentor, mentee: Mentee | None, wanted: Period, path: Callable[[Period], str], moving: Session | None = None
) -> list[tuple[Period, str]]:
    """The free slots of the same length that are nearest to the wanted time, in order, each with its ``path``."""
    until = max(wanted.start, timezone.now()) + timedelta(weeks=WEEKS[0])
    free = other_than(moving, booking.slots(mentor, wanted.minutes, until=until, mentee=mentee, leave_out=moving))
    near = sorted(free, key=lambda slot: abs(slot.start - wanted.start))[:NEARBY]
    return [(slot, path(slot)) for slot in sorted(near)]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def book(request, pk: int):
    """Ask for one time: a slot that the address names, or a time of one's own. It is checked before anybody types."""
    mentor, mentee = mentor_or_404(request, pk), asking(request)
    if mentee is None:
        messages.error(request, "Only mentees book sessions. You can become one on your profile page.")
        return redirect("mentor", pk)
    typed = request.method != "POST" and "day" in request.GET
    lengths = request.program.policy.lengths
    slot = WantedForm(request.GET, lengths=lengths) if typed else SlotForm(request.POST or request.GET)
    if typed and not slot.is_valid():
        return render(request, "scheduling/why_not.html", {"mentor": mentor, "wanted": slot, "period": None})
    if not slot.is_valid():
        messages.error(request, "Choose one of the free times.")
        return redirect("mentor", pk)
    period = slot.period
    if request.method != "POST" and (reasons := why_not(mentor, mentee, period)):
        local = timezone.localtime(period.start)
        again = {"day": local.date(), "at": local.time(), "minutes": period.minutes}
        context = {
            "mentor": mentor,
            "period": period,
            "reasons": reasons,
            "near": nearest(mentor, mentee, period, lambda slot: book_path(mentor.pk, slot)),
            "wanted": slot if typed else WantedForm(lengths=lengths, initial=again),
        }
        return render(request, "scheduling/why_not.html", context)
    form = BookForm(sent(request), initial=as_query(period))
    if form.is_valid():
        data = form.cleaned_data
        try:
            session = booking.request(
                mentor,
                mentee,
                data["start"],
                data["minutes"],
                by=request.user,
                topic=data["topic"],
                form_key=data["form_key"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Requested. {mentor} will confirm or decline; we will tell you by mail.")
            return redirect("session", session.pk)
    return render(request, "scheduling/book.html", {"mentor": mentor, "period": period, "form": form})
