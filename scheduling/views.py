"""The pages where mentors and mentees help themselves. What may happen is asked of ``booking``; nothing is decided here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from people.models import Mentor, User
from people.views import sent
from scheduling import booking
from scheduling.delivery import book_path
from scheduling.filters import MentorFilter
from scheduling.forms import BookForm, EndingForm, SlotForm, VerbForm, WindowForm
from scheduling.models import Availability, Program, Session
from scheduling.slots import Period
from scheduling.words import ACTIVE, PENDING

PER_PAGE = 20
EARLIER_SHOWN = 5
# How far ahead a mentor's page looks, in weeks; the first is what it opens with.
WEEKS = (2, 4, 8)


@dataclass
class Row:
    """One session as one person sees it in a list."""

    session: Session
    other: User
    mentoring: bool
    verbs: list[booking.Verb]


def rows_for(request, sessions) -> list[Row]:
    user = request.user
    return [
        Row(session, session.other_party(user), session.mentor_id == user.pk, offered(request, session)) for session in sessions
    ]


def offered(request, session: Session) -> list[booking.Verb]:
    """The buttons to show. A mentor declines a request; that they may also cancel it would be a second word for the same."""
    verbs = booking.possible(session, request.user, request.program)
    declines = session.mentor_id == request.user.pk and booking.VERBS["decline"] in verbs
    return [verb for verb in verbs if not (declines and verb.name == "cancel")]


def tell_errors(request, error: ValidationError) -> None:
    for sentence in error.messages:
        messages.error(request, sentence)


# ---- my sessions ------------------------------------------------------------------------------------------------------


@require_safe
def home(request):
    """What waits for me, what comes, what was; or a welcome to whoever is not logged in."""
    user, now = request.user, timezone.now()
    if not user.is_authenticated:
        return render(request, "welcome.html")
    mine = Session.objects.of(user).with_people()
    ahead = rows_for(request, mine.active().ahead(now).order_by("start_time", "pk"))
    waiting = [row for row in ahead if row.mentoring and row.session.status == PENDING and row.verbs]
    unreported = rows_for(request, mine.filter(mentor_id=user.pk).unreported(now))
    rest = earlier(mine, now).exclude(pk__in=[row.session.pk for row in unreported])
    context = {
        "waiting": waiting,
        "coming": [row for row in ahead if row not in waiting],
        "unreported": unreported,
        "earlier": rows_for(request, rest[:EARLIER_SHOWN]),
    }
    return render(request, "scheduling/home.html", context)


def earlier(sessions, now: datetime):
    """Over, or called off; the latest first."""
    return sessions.exclude(status__in=ACTIVE, end_time__gt=now).order_by("-start_time", "-pk")


@require_safe
@login_required
def sessions(request):
    """All of my sessions, the latest first."""
    page = Paginator(Session.objects.of(request.user).with_people(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "scheduling/sessions.html", {"page": page, "rows": rows_for(request, page)})


# ---- one session ------------------------------------------------------------------------------------------------------


def session_or_404(request, pk: int) -> Session:
    mine = Session.objects.visible_to(request.user).with_people().select_related("ended_by")
    return get_object_or_404(mine, pk=pk)


@require_safe
@login_required
def session(request, pk: int):
    session = session_or_404(request, pk)
    context = {
        "session": session,
        "verbs": offered(request, session),
        "elsewhere": session.elsewhere(request.program, timezone.get_current_timezone()),
    }
    return render(request, "scheduling/session.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def session_verb(request, pk: int, verb: str):
    """GET asks "really?", and why where that is kept; POST does it."""
    if verb not in booking.VERBS:
        raise Http404
    verb, session = booking.VERBS[verb], session_or_404(request, pk)
    form_class = EndingForm if verb.ending else VerbForm
    form = form_class(sent(request), initial={"version": session.version})
    if form.is_valid():
        try:
            session = getattr(booking, verb.name)(session, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            tell_errors(request, error)
        else:
            messages.success(request, done(session, verb, request.user))
        return redirect("session", pk)
    if refusal := booking.refusal(session, verb, request.user):
        tell_errors(request, refusal)
        return redirect("session", pk)
    return render(request, "scheduling/verb.html", {"session": session, "verb": verb, "form": form})


def done(session: Session, verb: booking.Verb, user: User) -> str:
    told = " and ".join(str(person) for person in (session.mentor.user, session.mentee.user) if person != user)
    return f"The session is {verb.past}." + (f" We tell {told} by mail." if verb.told else "")


# ---- mentors and their free time --------------------------------------------------------------------------------------


@require_safe
@login_required
def mentors(request):
    """Everybody else who mentors; first those who offer time."""
    offers_time = Exists(Availability.objects.filter(mentor=OuterRef("pk")).ahead())
    others = Mentor.objects.active().exclude(pk=request.user.pk).annotate(offers_time=offers_time)
    others = others.order_by("-offers_time", "user__first_name", "user__last_name", "pk")
    found = MentorFilter(request.GET, queryset=others.with_people().prefetch_related("skills"))
    page = Paginator(found.qs, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "scheduling/mentors.html", {"form": found.form, "page": page})


def mentor_or_404(request, pk: int) -> Mentor:
    return get_object_or_404(Mentor.objects.visible_to(request.user).with_people(), pk=pk)


def chosen(request, name: str, choices: tuple[int, ...]) -> int:
    """A number from the address, or the first choice."""
    value = request.GET.get(name, "")
    return int(value) if value in map(str, choices) else choices[0]


@require_safe
@login_required
def mentor(request, pk: int):
    """Who the mentor is and when they are free, day by day in my zone."""
    mentor = mentor_or_404(request, pk)
    lengths = Program.current().policy.lengths
    minutes, weeks = chosen(request, "minutes", lengths), chosen(request, "weeks", WEEKS)
    # Whole days of mine: the last day shown is shown to its end.
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    until = today + timedelta(days=7 * weeks + 1)
    slots = booking.slots(mentor, minutes, until=until, mentee=getattr(request.user, "mentee", None))
    days = groupby(slots, key=lambda slot: timezone.localdate(slot.start))
    context = {
        "mentor": mentor,
        "lengths": lengths,
        "minutes": minutes,
        "weeks": weeks,
        "more_weeks": next((more for more in WEEKS if more > weeks), None),
        "days": [(day, [(slot, book_path(mentor.pk, slot)) for slot in slots]) for day, slots in days],
    }
    return render(request, "scheduling/mentor.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def book(request, pk: int):
    """Ask for one slot. What the address names is checked before anybody types."""
    mentor, mentee = mentor_or_404(request, pk), getattr(request.user, "mentee", None)
    if mentee is None:
        messages.error(request, "Only mentees book sessions. You can become one on your profile page.")
        return redirect("mentor", pk)
    slot = SlotForm(request.POST or request.GET)
    if not slot.is_valid():
        messages.error(request, "Choose one of the free times.")
        return redirect("mentor", pk)
    if request.method != "POST" and (failed := [f for f in booking.explain(mentor, mentee, slot.period) if not f.passed]):
        tell_errors(request, ValidationError([finding.sentence for finding in failed]))
        return redirect("mentor", pk)
    form = BookForm(sent(request), initial=request.GET.dict())
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
    return render(request, "scheduling/book.html", {"mentor": mentor, "period": slot.period, "form": form})


# ---- a mentor's own windows -------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def windows(request):
    """The time I offer, and who has booked in it."""
    mentor = getattr(request.user, "mentor", None)
    if mentor is None:
        messages.error(request, "Only mentors offer time. You can become one on your profile page.")
        return redirect("home")
    form = WindowForm(sent(request), mentor=mentor)
    if form.is_valid():
        form.save()
        messages.success(request, "Offered. Mentees can book this time now.")
        return redirect("windows")
    mine = with_sessions(list(mentor.availabilities.ahead()), mentor)
    return render(request, "scheduling/windows.html", {"form": form, "windows": mine})


def with_sessions(windows: list[Availability], mentor: Mentor) -> list[tuple[Availability, list[Session]]]:
    """Each window with the sessions that take its time, whichever window they were booked from."""
    if not windows:
        return []
    span = Period(min(window.start_time for window in windows), max(window.end_time for window in windows))
    booked = Session.objects.active().filter(mentor=mentor).overlapping(span).with_people().order_by("start_time")
    booked = list(booked)
    return [(window, [session for session in booked if session.period.overlaps(window.period)]) for window in windows]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def window_delete(request, pk: int):
    window = get_object_or_404(Availability.objects.select_related("mentor__user"), pk=pk, mentor_id=request.user.pk)
    if request.method == "POST":
        window.delete()
        messages.success(request, "Removed. Nobody can book this time any more.")
        return redirect("windows")
    [(_, booked)] = with_sessions([window], window.mentor)
    return render(request, "scheduling/window_delete.html", {"window": window, "booked": booked})
