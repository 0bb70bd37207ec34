"""What the rules need to know, fetched: the questions "may these two meet then?" and "when is somebody free?"."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from people.models import Mentee, Mentor
from scheduling import rules
from scheduling.models import Availability, Program, Session
from scheduling.slots import Period, free_slots
from scheduling.words import CANCELED


@dataclass(frozen=True)
class Facts:
    """What the rules need to know of two people over a stretch of time, fetched once for any number of questions."""

    mentor: rules.Party
    mentee: rules.Party
    windows: list[Period]
    policy: rules.Policy
    now: datetime

    def ask(self, period: Period) -> list[rules.Finding]:
        """Every rule, passed and failed, told in the active time zone."""
        zone = timezone.get_current_timezone()
        return rules.bookable(
            self.mentor, self.mentee, period, windows=self.windows, policy=self.policy, now=self.now, zone=zone
        )

    def allow(self, period: Period) -> bool:
        return all(finding.passed for finding in self.ask(period))


def explain(
    mentor: Mentor, mentee: Mentee, period: Period, *, at: datetime | None = None, leave_out: Session | None = None
) -> list[rules.Finding]:
    """Every rule of this booking, passed and failed, told in the active time zone. ``leave_out``: a session already there."""
    return _facts(mentor, mentee, period, at=at, leave_out=leave_out).ask(period)


def slots(mentor: Mentor, minutes: int, *, until: datetime, mentee: Mentee | None = None) -> list[Period]:
    """The free slots of one length that start before ``until``, in order: just those that `request` would take.

    Without a mentee, those that some mentee could have.
    """
    now = timezone.now()
    if until <= now:
        return []
    # A slot that starts before ``until`` may end after it.
    facts = _facts(mentor, mentee, Period(now, until + timedelta(minutes=minutes)))
    taken = facts.mentor.taken + facts.mentee.taken
    cut = free_slots(facts.windows, taken, minutes=minutes, step=facts.policy.step, now=now)
    return [slot for slot in cut if slot.start < until and facts.allow(slot)]


def _facts(
    mentor: Mentor, mentee: Mentee | None, over: Period, *, at: datetime | None = None, leave_out: Session | None = None
) -> Facts:
    """The facts for any period within ``over``. ``mentee`` None stands for somebody with an empty calendar."""
    now, policy = at or timezone.now(), Program.current().policy
    others = Session.objects.exclude(pk=leave_out.pk if leave_out else None)
    pause = timedelta(minutes=policy.buffer_minutes)
    around = others.active().overlapping(Period(over.start - pause, over.end + pause))
    if mentee is None:
        asking = rules.Party(key=0, name="The mentee", active=True)
    else:
        waiting = 0 if policy.open_requests_cap is None else others.waiting(now).filter(mentee=mentee).count()
        weeks = {} if policy.mentee_week_cap is None else _weeks(others.filter(mentee=mentee), over, policy)
        asking = _party(mentee, around, weeks, waiting)
    weeks = {} if policy.mentor_week_cap is None else _weeks(others.filter(mentor=mentor), over, policy)
    windows = Availability.objects.filter(mentor=mentor).overlapping(over).periods()
    return Facts(_party(mentor, around, weeks), asking, windows, policy, now)


def _weeks(sessions, over: Period, policy: rules.Policy) -> Counter:
    """Monday -> how many of these sessions its week holds, for every week that ``over`` touches. Canceled ones do not count."""
    first, last = policy.week_of(over.start), policy.week_of(over.end) + timedelta(days=7)
    start, end = (datetime.combine(day, time(), policy.week_zone) for day in (first, last))
    held = sessions.exclude(status=CANCELED).filter(start_time__gte=start, start_time__lt=end)
    return Counter(policy.week_of(moment) for moment in held.values_list("start_time", flat=True))


def _party(role: Mentor | Mentee, around, weeks: Mapping[date, int], requests: int = 0) -> rules.Party:
    taken = tuple(around.of(role.user).periods())
    return rules.Party(role.pk, str(role.user), role.user.is_active, taken, weeks, requests)
