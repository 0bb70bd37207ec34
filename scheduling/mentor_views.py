"""The pages on which people find a mentor and a time: who is free, when, and why not then."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, groupby, islice

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from people.models import Mentee, Mentor
from scheduling import booking, drafts
from scheduling.composing import book_path
from scheduling.filters import MentorFilter
from scheduling.forms import KeyForm, SpanForm, WantedForm
from scheduling.models import Availability, Session
from scheduling.moments import day_begins
from scheduling.slots import Period

PER_PAGE = 20
# How far ahead a mentor's page looks, in weeks; the first is what it opens with.
WEEKS = (2, 4, 8)
# How many free times stand on a card of the list, and beside a time that cannot be had.
ON_A_CARD, NEARBY = 3, 3
# The rules that leave nothing to offer, whatever the hour.
WHATEVER_THE_HOUR = ("same_person", "inactive", "paused", "too_many_requests")


def asking(request) -> Mentee | None:
    """The reader as a mentee, whose own calendar counts; None if they are none."""
    return request.user.mentee if request.user.is_mentee else None


# ---- who is free ------------------------------------------------------------------------------------------------------


@dataclass
class Card:
    """One mentor in the list, and the first free times that were looked for, each with the page that asks for it."""

    mentor: Mentor
    free: list[tuple[Period, str]]


@require_safe
@login_required
def mentors(request):
    """Everybody else who mentors, or who of them is free in a time asked about. First those who are free soonest."""
    offers_time = Exists(Availability.objects.filter(mentor=OuterRef("pk")).ahead())
    others = Mentor.objects.active().exclude(pk=request.user.pk).annotate(offers_time=offers_time)
    others = others.order_by("-offers_time", "user__first_name", "user__last_name", "pk")
    found = MentorFilter(request.GET, queryset=others)
    span = SpanForm(request.GET, lengths=request.program.policy.lengths)
    context = {"form": found.form, "span": span, "page": None, "none_because": []}
    # What was asked for in another way than it was meant is not answered.
    if found.form.is_valid() and span.is_valid():
        page = cards(request, found.qs, span)
        asked = span.cleaned_data
        context |= {
            "page": page,
            "skills": found.form.cleaned_data["skill"],
            "minutes": asked["minutes"],
            "when": asked["when"],
        }
        if not any(card.free for card in page) and (somebody := found.qs.with_people().first()):
            # It may be the reader who can have nothing now.
            context["none_because"] = why_none(somebody, asking(request), only=["too_many_requests"])
    return render(request, "scheduling/mentors.html", context)


def cards(request, mentors: QuerySet[Mentor], span: SpanForm) -> Page:
    """A page of cards, those free soonest first; where no time is asked about, then the others in the mentors' order. The
    number of queries is the same for one mentor and for all.
    """
    over = span.over or Period(timezone.now(), end_of(WEEKS[0]))
    fitting = {}
    for key, slots in booking.free(mentors, span.cleaned_data["minutes"], over, mentee=asking(request)):
        slots = filter(span.fits, slots)
        if first := next(slots, None):
            fitting[key] = first, slots
    keys = sorted(fitting, key=lambda key: fitting[key][0].start)
    if not span.narrows:
        keys += [key for key in mentors.values_list("pk", flat=True) if key not in fitting]
    page = Paginator(keys, PER_PAGE).get_page(request.GET.get("page"))
    people = mentors.with_people().select_related("user__photo").prefetch_related("skills").in_bulk(page.object_list)
    page.object_list = [
        Card(people[key], [(slot, book_path(key, slot)) for slot in islice(soonest(*fitting.get(key, ())), ON_A_CARD)])
        for key in page.object_list
        if key in people
    ]
    return page


def soonest(first: Period | None = None, rest: Iterable[Period] = ()) -> Iterable[Period]:
    return chain([first], rest) if first else ()


# ---- when a mentor is free --------------------------------------------------------------------------------------------


def mentor_or_404(request, pk: int) -> Mentor:
    return get_object_or_404(Mentor.objects.visible_to(request.user).with_people(), pk=pk)


@require_safe
@login_required
def mentor(request, pk: int):
    """Who the mentor is and when they are free, day by day in my zone; and a place to ask for another time."""
    mentor, mentee = mentor_or_404(request, pk), asking(request)
    # On the way to another time for what is typed already.
    key = KeyForm(request.GET)
    key = key.cleaned_data["form_key"] if key.is_valid() else None
    path = partial(book_path, mentor.pk, form_key=key if drafts.kept(request, key) else None)
    free = free_times(request, mentor, mentee, path)
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


def elsewhere_near(mentor: Mentor, mentee: Mentee, wanted: Period) -> list[tuple[Mentor, Period]]:
    """Others who know some of what this mentor knows and are free about then: the nearest slot of each."""
    days = timedelta(days=NEARBY)
    over = Period(max(wanted.start - days, timezone.now()), max(wanted.start, timezone.now()) + days)
    others = Mentor.objects.active().exclude(pk__in=[mentor.pk, mentee.pk])
    others = others.filter(pk__in=Mentor.objects.filter(skills__in=mentor.skills.all()).values("pk"))

    def away(slot: Period) -> timedelta:
        return abs(slot.start - wanted.start)

    found = [(key, min(slots, key=away)) for key, slots in booking.free(others, wanted.minutes, over, mentee=mentee)]
    found = sorted(found, key=lambda one: away(one[1]))[:NEARBY]
    people = Mentor.objects.with_people().in_bulk([key for key, _ in found])
    return [(people[key], slot) for key, slot in found]
