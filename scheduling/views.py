"""The pages on which people see their sessions and answer, move and end them. What may happen is asked of ``booking``;
nothing is decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from people.models import Mentor, User
from people.views import sent
from scheduling import booking, feedback, rules
from scheduling.composing import as_query
from scheduling.forms import MoveForm, SlotForm, form_for
from scheduling.hours_forms import PauseForm
from scheduling.mentor_views import free_times, nearest, why_not
from scheduling.models import MentorLimits, Session, SessionNote
from scheduling.moments import week_ends
from scheduling.sentences import all_of
from scheduling.slots import Period
from scheduling.words import ACTIVE, CONFIRMED, PENDING

PER_PAGE = 25
EARLIER_SHOWN = 5
# In the forms of the first page.
FROM_HOME = "from_home"
# What became of the session since, or of the reader's part in it: no other time would help.
ABOUT_THE_SESSION = {"stale", "not_yours", "not_possible", "too_late"}


# What the history says of whom something was done for.
FOR_WHOM = {
    "the mentor": pgettext_lazy("for whom", "the mentor"),
    "the mentee": pgettext_lazy("for whom", "the mentee"),
    "the program": pgettext_lazy("for whom", "the program"),
}


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
    return booking.offered(session, request.user, request.program)


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
    following = next((row for row in ahead if row.session.status == CONFIRMED), None)
    waiting = [row for row in ahead if row.mentoring and row.session.status == PENDING and row.verbs]
    asked = [row for row in ahead if not row.mentoring and row.session.status == PENDING]
    unreported = rows_for(request, mine.filter(mentor_id=user.pk).unreported(now))
    unrated = rows_for(request, feedback.to_ask(user, now)) if user.is_mentee else []
    shown = [row.session.pk for row in (*unreported, *unrated)]
    coming = [row for row in ahead if row != following and row not in waiting and row not in asked]
    sunday = week_ends()
    context = {
        "now": now,
        "next": following,
        "waiting": waiting,
        "asked": asked,
        "week": [row for row in coming if row.session.start_time < sunday],
        "later": [row for row in coming if row.session.start_time >= sunday],
        "next_this_week": following is not None and following.session.start_time < sunday,
        "unreported": unreported,
        "unrated": unrated,
        "earlier": rows_for(request, mine.earlier(now).exclude(pk__in=shown)[:EARLIER_SHOWN]),
        "liked": None,
        **(mentors_own(user.mentor, now) if user.is_mentor else {}),
    }
    return render(request, "scheduling/home.html", context)


def mentors_own(mentor: Mentor, now: datetime) -> dict:
    limits = MentorLimits.of(mentor)
    return {
        "liked": feedback.summary(mentor.user),
        "longest_word": Session._meta.get_field("reason").max_length,
        "offers": mentor.availabilities.ahead(now).exists(),
        "pause": PauseForm(instance=limits, auto_id="pause_%s"),
        "paused_until": limits.paused_until(timezone.localdate()),
    }


@require_safe
@login_required
def sessions(request):
    """What is over or called off, and what came of it; the latest first."""
    past = Session.objects.of(request.user).earlier(timezone.now()).with_people().select_related("ended_by")
    page = Paginator(past, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "scheduling/sessions.html", {"page": page, "rows": rows_for(request, page)})


# ---- one session ------------------------------------------------------------------------------------------------------


def session_or_404(request, pk: int) -> Session:
    mine = Session.objects.visible_to(request.user).with_people()
    mine = mine.select_related("mentor__user__photo", "mentee__user__photo", "ended_by", "acted_for")
    return get_object_or_404(mine, pk=pk)


def elsewhere(request, session: Session):
    return session.elsewhere(request.program, timezone.get_current_timezone())


@require_safe
@login_required
def session(request, pk: int):
    session, user = session_or_404(request, pk), request.user
    events = story(session, user)
    context = {
        "session": session,
        "verbs": offered(request, session),
        "elsewhere": elsewhere(request, session),
        "events": events,
        "handover": session.status in ACTIVE and session.start_time > timezone.now() and new_handover(session, events),
        "feedback": feedback.of(session, user),
        "mentors": session.mentor_id == user.pk,
        "note": SessionNote.objects.visible_to(user).filter(session=session).first(),
        "remarks": session.remarks.for_both(),
        "may_rate": feedback.refusal(session, user) is None,
        "acts_for_program": booking.acts_for_program(user),
        "set_aside": [rules.TITLES.get(code, code) for code in session.set_aside] if booking.acts_for_program(user) else [],
    }
    return render(request, "scheduling/session.html", context)


@dataclass
class Event:
    """Something that happened to a session, as one reader is told of it. What did not change is None."""

    at: datetime
    what: str
    by: User | None
    # Somebody's name, or "the program".
    for_whom: User | str
    reason: str
    moved_to: Period | None = None
    handed_from: User | None = None
    handed_to: User | None = None

    @property
    def said(self) -> str:
        """What happened, in the reader's language: the history keeps English words."""
        return gettext(self.what)


def story(session: Session, reader: User) -> list[Event]:
    """What happened to the session, the latest first. A reason is read by those who were in it then, and by staff."""
    rows = session.history.select_related("history_user", "acted_for", "mentor__user").order_by("history_date", "history_id")
    events, before = [], None
    for row in rows:
        # As `booking` writes it: "moved for the mentee, rules set aside".
        what, _, role = (row.history_change_reason or "changed").partition(",")[0].partition(" for ")
        heard = reader.pk in (row.mentor_id, row.mentee_id) or booking.acts_for_program(reader)
        event = Event(
            row.history_date, what, row.history_user, row.acted_for or FOR_WHOM.get(role, role), row.reason if heard else ""
        )
        if before and (row.start_time, row.end_time) != (before.start_time, before.end_time):
            event.moved_to = Period(row.start_time, row.end_time)
        if before and row.mentor_id != before.mentor_id:
            event.handed_from, event.handed_to = before.mentor.user, row.mentor.user
        events.append(event)
        before = row
    return events[::-1]


def new_handover(session: Session, events: list[Event]) -> Event | None:
    """The session was handed to another mentor, and the mentee has done nothing to it since."""
    for event in events:
        if event.by == session.mentee.user:
            return None
        if event.handed_to:
            return event
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def session_verb(request, pk: int, verb: str):
    """GET asks "really?", and why where that is kept; POST does it."""
    if verb not in booking.VERBS or booking.VERBS[verb].moves:
        raise Http404
    verb, session = booking.VERBS[verb], session_or_404(request, pk)
    form = form_for(verb)(sent(request), initial={"version": session.version})
    # Who answers on the first page goes on there.
    at_home = FROM_HOME in request.POST
    back = redirect("home") if at_home else redirect("session", pk)
    if form.is_valid():
        try:
            session = getattr(booking, verb.name)(session, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            tell_errors(request, error)
        else:
            other = {"other": session.other_party(request.user), "past": verb.said}
            done = _("The session with %(other)s is %(past)s.") % other if at_home else verb.done
            messages.success(request, f"{done} {told_by_mail(session, request.user)}" if verb.told else done)
        return back
    if refusal := booking.refusal(session, verb, request.user):
        tell_errors(request, refusal)
        return back
    context = {"session": session, "verb": verb, "form": form, "elsewhere": elsewhere(request, session), "at_home": at_home}
    return render(request, "scheduling/verb.html", context)


def told_by_mail(session: Session, user: User) -> str:
    return _("We tell %(people)s by mail.") % {"people": all_of(person for person in session.people if person != user)}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def move(request, pk: int):
    """Another time for a session: the free ones to choose from; then GET asks "really?" of one of them, and POST does it."""
    session = session_or_404(request, pk)
    mentor, mentee, zone = session.mentor, session.mentee, timezone.get_current_timezone()
    slot = SlotForm(request.POST or request.GET)
    start = {**as_query(slot.period), "version": session.version} if slot.is_valid() else {}
    form = MoveForm(sent(request), initial=start)
    if form.is_valid():
        try:
            moved = booking.reschedule(
                session,
                form.cleaned_data["start"],
                form.cleaned_data["minutes"],
                by=request.user,
                reason=form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
            )
        except ValidationError as error:
            if any(refusal.code in ABOUT_THE_SESSION for refusal in error.error_list):
                tell_errors(request, error)
                return redirect("session", pk)
            form.add_error(None, error)
        else:
            moved_to = _("Moved to %(when)s.") % {"when": rules.when(moved.period, zone)}
            messages.success(request, f"{moved_to} {told_by_mail(moved, request.user)}")
            return redirect("session", pk)
    elif refusal := booking.refusal(session, booking.VERBS["reschedule"], request.user):
        tell_errors(request, refusal)
        return redirect("session", pk)

    def path(slot: Period) -> str:
        return f"{reverse('move', args=[pk])}?{urlencode(as_query(slot))}"

    context = {"session": session, "mentor": mentor, "elsewhere": elsewhere(request, session)}
    if not slot.is_valid():
        return render(request, "scheduling/move.html", context | free_times(request, mentor, mentee, path, session))
    period = slot.period
    if not form.is_bound and (reasons := why_not(mentor, mentee, period, session)):
        near = nearest(mentor, mentee, period, path, session)
        return render(request, "scheduling/why_not.html", context | {"period": period, "reasons": reasons, "near": near})
    then = Session(mentor=mentor, mentee=mentee, start_time=period.start, end_time=period.end)
    context |= {"period": period, "form": form, "elsewhere_then": elsewhere(request, then)}
    return render(request, "scheduling/move_to.html", context)
