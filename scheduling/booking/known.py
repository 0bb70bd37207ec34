"""What the rules need to know of people at hand, fetched once: of two for one booking, of hundreds for many in one transaction.

`facts` asks the same about mentors who stay in the database. A hypothesis test holds the two together.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from people.models import Mentee, Mentor
from scheduling import rules
from scheduling.booking.facts import LONGEST, PAUSE, Facts, somebody, week_bounds
from scheduling.models import Availability, MentorLimits, Program, Session
from scheduling.querysets import moment
from scheduling.slots import Period
from scheduling.words import ACTIVE, CANCELED, PENDING


class Meeting(NamedTuple):
    """As much of a session as the rules ask about."""

    key: int
    mentor: int
    mentee: int
    period: Period
    status: str


def explain(
    mentor: Mentor, mentee: Mentee | None, period: Period, *, at: datetime | None = None, leave_out: Session | None = None
) -> list[rules.Finding]:
    """Every rule of this booking, passed and failed, told in the active time zone.

    ``mentee`` None stands for somebody with an empty calendar. ``leave_out``: a session already there, as if it were not.
    ``at``: the moment to judge as of; now, if left out.
    """
    at = at or timezone.now()
    known = Known({person.pk for person in (mentor, mentee) if person}, period, Program.current(), at)
    return known.facts(mentor, mentee, period, at, leave_out).ask(period)


class Known:
    """The time of some people, in whatever role, for any session of two of them within ``over``.

    Those who change many sessions lock all these people first, and `put` here what they change: nothing else can.
    """

    def __init__(self, people: Collection[int], over: Period, program: Program, now: datetime):
        self.people, self.over, self.program, self.now = frozenset(people), over, program, now
        self.usual = program.policy
        # Where mentors meet online: now, and what somebody asked about once (`rooms`).
        self.rooms: dict[int, str] = {}
        self.rooms_ever: dict[int, set[str]] = {}
        self._limits: dict[int, MentorLimits] = {}
        self._windows: dict[int, list[tuple[Period, int]]] = defaultdict(list)
        self._meetings: dict[int, Meeting] = {}
        self._theirs: dict[int, dict[int, Meeting]] = defaultdict(dict)
        self._read_mentors()
        self._read_windows()
        self._read_meetings()

    def covers(self, mentor: Mentor, mentee: Mentee, period: Period, at: datetime) -> bool:
        return {mentor.pk, mentee.pk} <= self.people and self.over.contains(period) and at >= self.now

    def put(self, session: Session) -> None:
        """A session as it is from now on."""
        if before := self._meetings.pop(session.pk, None):
            for person in (before.mentor, before.mentee):
                del self._theirs[person][session.pk]
        if session.status != CANCELED:
            self._put(Meeting(session.pk, session.mentor_id, session.mentee_id, session.period, session.status))

    def facts(
        self, mentor: Mentor, mentee: Mentee | None, period: Period, at: datetime, leave_out: Session | None = None
    ) -> Facts:
        """For the rules of this period only."""
        policy = self._policy(mentor, moved=leave_out is not None and leave_out.mentor_id == mentor.pk)
        return Facts(
            self._party(mentor, "mentor", policy, period, at, leave_out),
            self._party(mentee, "mentee", policy, period, at, leave_out) if mentee else somebody(),
            [window for window, _ in self._windows.get(mentor.pk, ()) if window.overlaps(period)],
            policy,
            at,
        )

    def window(self, mentor: Mentor, period: Period) -> int | None:
        """The key of the mentor's window that this period begins in, or meets first."""
        return next((key for window, key in self._windows.get(mentor.pk, ()) if window.overlaps(period)), None)

    def _party(
        self, person: Mentor | Mentee, role: str, policy: rules.Policy, period: Period, at: datetime, leave_out: Session | None
    ) -> rules.Party:
        around, monday = Period(period.start - PAUSE, period.end + PAUSE), policy.week_of(period.start)
        theirs = [one for one in self._theirs[person.pk].values() if leave_out is None or one.key != leave_out.pk]
        in_role = [one for one in theirs if getattr(one, role) == person.pk]
        return rules.Party(
            person.pk,
            str(person.user),
            person.takes_part,
            {one.period: one.key for one in theirs if one.status in ACTIVE and one.period.overlaps(around)},
            {monday: sum(policy.week_of(one.period.start) == monday for one in in_role)},
            sum(one.status == PENDING and one.period.start > at for one in in_role),
            self.program.midnight_after(person.user.leaves_on),
        )

    def _policy(self, mentor: Mentor, *, moved: bool) -> rules.Policy:
        limits = self._limits.get(mentor.pk)
        if limits is None:
            return self.usual
        limits.mentor = mentor
        return self.program.policy_for(limits, moved=moved)

    def _read_mentors(self) -> None:
        theirs = ("week_cap", "buffer_minutes", "paused_until_on")
        rows = Mentor.objects.filter(pk__in=self.people).order_by()
        for key, room, limited, *values in rows.values_list("pk", "meeting_link", "limits", *(f"limits__{n}" for n in theirs)):
            self.rooms[key] = room
            if limited:
                self._limits[key] = MentorLimits(mentor_id=key, **dict(zip(theirs, values, strict=True)))

    def _read_windows(self) -> None:
        offered = Availability.objects.filter(mentor__in=self.people, start_time__gt=self.over.start - LONGEST)
        for mentor, key, start, end in offered.overlapping(self.over).order_by("start_time", "pk").timed("mentor_id", "pk"):
            self._windows[mentor].append((Period(moment(start), moment(end)), key))

    def _read_meetings(self) -> None:
        since, until = self.over.start - PAUSE, self.over.end + PAUSE
        capped = any(limits.week_cap is not None for limits in self._limits.values())
        if capped or self.usual.mentor_week_cap is not None or self.usual.mentee_week_cap is not None:
            first, last = week_bounds(self.over, self.usual)
            since, until = min(since, first), max(until, last)
        those = Session.objects.filter(Q(mentor__in=self.people) | Q(mentee__in=self.people)).exclude(status=CANCELED)
        if self.usual.open_requests_cap is None:
            those = those.filter(start_time__lt=until)
        else:
            since = min(since, self.now)
        those = those.filter(start_time__gt=since - LONGEST, end_time__gt=since).order_by()
        for key, mentor, mentee, status, start, end in those.timed("pk", "mentor_id", "mentee_id", "status"):
            self._put(Meeting(key, mentor, mentee, Period(moment(start), moment(end)), status))

    def _put(self, meeting: Meeting) -> None:
        self._meetings[meeting.key] = meeting
        self._theirs[meeting.mentor][meeting.key] = self._theirs[meeting.mentee][meeting.key] = meeting
