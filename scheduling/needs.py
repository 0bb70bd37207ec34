"""What needs a person: each a question that the first page counts, and a list that the number opens. One answer for both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from people.models import Mentee, Mentor
from scheduling.models import Availability, MentorLimits, Notice, Session
from scheduling.querysets import late
from scheduling.slots import Period
from scheduling.words import ACTIVE, CANCELED, State

# How far ahead a mentor should have time to give.
WINDOWS_AHEAD = timedelta(days=14)
LONGEST_WINDOW = timedelta(hours=Availability.LONGEST_HOURS)


@dataclass(frozen=True)
class Scope:
    """The part of the program that somebody looks at: one team's mentees, mentors with one skill. By key; None: all."""

    team: int | None = None
    skill: int | None = None

    def part(self, rows: QuerySet) -> QuerySet:
        """Of sessions, notices, windows, mentors or mentees."""
        parts = {Session: self.sessions, Notice: self.notices, Availability: self.windows}
        return (parts | {Mentor: self.mentors, Mentee: self.mentees})[rows.model](rows)

    def mentors(self, rows: QuerySet) -> QuerySet:
        """By skill alone: mentors belong to no team."""
        return rows.filter(pk__in=self._skilled()) if self.skill else rows

    def mentees(self, rows: QuerySet) -> QuerySet:
        """By team alone: only mentors have skills."""
        return rows.filter(team=self.team) if self.team else rows

    def windows(self, rows: QuerySet) -> QuerySet:
        return rows.filter(mentor__in=self._skilled()) if self.skill else rows

    def sessions(self, rows: QuerySet) -> QuerySet:
        rows = rows.filter(mentee__team=self.team) if self.team else rows
        return rows.filter(mentor__in=self._skilled()) if self.skill else rows

    def notices(self, rows: QuerySet) -> QuerySet:
        rows = rows.filter(session__mentee__team=self.team) if self.team else rows
        return rows.filter(session__mentor__in=self._skilled()) if self.skill else rows

    def sides(self) -> dict[str, QuerySet]:
        """Whose sessions are meant: keys of mentors, and of mentees."""
        mentees = {"mentees": Mentee.objects.filter(team=self.team).order_by().values("pk")} if self.team else {}
        return mentees | ({"mentors": self._skilled()} if self.skill else {})

    def _skilled(self) -> QuerySet:
        return Mentor.skills.through.objects.filter(skill=self.skill).values("mentor")


# ---- sessions ---------------------------------------------------------------------------------------------------------


def waiting_too_long(sessions: QuerySet, now: datetime) -> QuerySet:
    return sessions.waiting_too_long(now)


def unreported(sessions: QuerySet, now: datetime) -> QuerySet:
    return sessions.unreported(now)


def clashing(sessions: QuerySet, now: datetime) -> QuerySet:
    """Ahead, and impossible or at least strange as things are now: somebody in it is deactivated, or the mentor does not
    offer that time any more. What a coordinator booked outside of hours on purpose is neither.
    """
    ahead = sessions.active().filter(start_time__gt=now)
    inactive = Q(mentor__user__is_active=False) | Q(mentee__user__is_active=False)
    # Their last day is over, and nobody has decided about these: see `last_days.let_go`.
    today = timezone.localdate(now)
    inactive |= Q(mentor__user__leaves_on__lt=today) | Q(mentee__user__leaves_on__lt=today)
    return ahead.filter(inactive | _outside_hours() & ~Q(set_aside__icontains="outside_window"))


def clash(session: Session, now: datetime) -> str:
    """What clashes with this one, in words; empty: nothing."""
    if session.status not in ACTIVE or session.start_time <= now:
        return ""
    if not clashing(Session.objects.filter(pk=session.pk), now).exists():
        return ""
    for user in (session.mentor.user, session.mentee.user):
        if not user.is_active:
            return _("This session clashes: %(person)s is deactivated.") % {"person": user}
        if user.leaves_on and user.leaves_on < timezone.localdate(now):
            told = {"person": user, "day": date_format(user.leaves_on, "DATE_FORMAT")}
            return _("This session clashes: the last day of %(person)s was %(day)s.") % told
    return _("This session clashes: %(mentor)s does not offer this time any more.") % {"mentor": session.mentor}


def _outside_hours() -> Q:
    """Windows of one mentor never overlap: a time is covered if one holds its start, and every one that ends within it is
    followed by another at once.
    """
    windows = Availability.objects.order_by().filter(mentor=OuterRef("mentor"))
    holds_start = windows.filter(
        # None lasts longer: an index reads a day, and not all of the past.
        start_time__gt=OuterRef("start_time") - LONGEST_WINDOW,
        start_time__lte=OuterRef("start_time"),
        end_time__gt=OuterRef("start_time"),
    )
    goes_on = Availability.objects.order_by().filter(mentor=OuterRef("mentor"), start_time=OuterRef("end_time"))
    gap = windows.filter(
        start_time__gt=OuterRef("start_time") - LONGEST_WINDOW,
        start_time__lt=OuterRef("end_time"),
        end_time__gt=OuterRef("start_time"),
        end_time__lt=OuterRef("end_time"),
    ).exclude(Exists(goes_on))
    return ~Q(Exists(holds_start)) | Q(Exists(gap))


# ---- people and notices -----------------------------------------------------------------------------------------------


def without_window(mentors: QuerySet, now: datetime) -> QuerySet:
    """Mentors who take part and do not leave, have not paused, and offer nothing in the next two weeks."""
    ahead = Availability.objects.order_by().filter(
        mentor=OuterRef("pk"), start_time__gt=now - LONGEST_WINDOW, start_time__lt=now + WINDOWS_AHEAD, end_time__gt=now
    )
    paused = MentorLimits.objects.filter(mentor=OuterRef("pk"), paused_until_on__gt=timezone.localdate(now))
    return mentors.active().filter(user__leaves_on=None).exclude(Exists(ahead)).exclude(Exists(paused))


def this_month(now: datetime) -> Period:
    """By the reader's clocks."""
    first = timezone.localdate(now).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    zone = timezone.get_current_timezone()
    return Period(*(datetime.combine(day, time(), zone) for day in (first, following)))


def without_session(mentees: QuerySet, now: datetime) -> QuerySet:
    """Mentees who take part and have no session this month: none asked for, none agreed, none that took place."""
    month = this_month(now)
    theirs = Session.objects.order_by().filter(mentee=OuterRef("pk"), start_time__gte=month.start, start_time__lt=month.end)
    return mentees.active().exclude(Exists(theirs.exclude(status=CANCELED)))


def late_or_failed(notices: QuerySet, now: datetime) -> QuerySet:
    """Unsent for too long; or refused, unanswered or too late, about a session that is still ahead."""
    return notices.filter(late(now) | Q(state__in=(State.FAILED, State.UNCERTAIN, State.EXPIRED), start_time__gt=now))


# ---- all of them ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """``find`` narrows rows of ``model`` to those that need somebody; ``name`` is what the list's address says."""

    name: str
    model: type
    find: Callable[[QuerySet, datetime], QuerySet]

    def rows(self, scope: Scope, now: datetime) -> QuerySet:
        return scope.part(self.find(self.model.objects.all(), now))


NEEDS = {
    need.name: need
    for need in (
        Need("answer", Session, waiting_too_long),
        Need("report", Session, unreported),
        Need("sending", Notice, late_or_failed),
        Need("decision", Session, clashing),
        Need("window", Mentor, without_window),
        Need("session", Mentee, without_session),
    )
}
