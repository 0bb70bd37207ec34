"""What the rules need to know, fetched for the question "who is free when?"; `known` does it for "may these two meet then?"."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from types import MappingProxyType

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext

from people.models import Mentee, Mentor
from scheduling import rules
from scheduling.models import LONGEST_BUFFER, Availability, MentorLimits, Program, Session
from scheduling.querysets import moment
from scheduling.slots import Period
from scheduling.words import ACTIVE, CANCELED

# A window lasts a day at most, and a session two hours: what began a week earlier is over, and is not looked through.
LONGEST = timedelta(days=7)
# A session this far off may be in the way all the same.
PAUSE = timedelta(minutes=LONGEST_BUFFER)
# Of those looked at first, one in so many has to be free.
LOOK_AT = 3
NOTHING: Mapping = MappingProxyType({})


@dataclass(frozen=True)
class Facts:
    """What the rules need to know of two people over a stretch of time, fetched once for any number of questions."""

    mentor: rules.Party
    mentee: rules.Party
    windows: Sequence[Period]
    policy: rules.Policy
    now: datetime

    def ask(self, period: Period) -> list[rules.Finding]:
        """Every rule, passed and failed, told in the active time zone."""
        zone = timezone.get_current_timezone()
        return rules.bookable(
            self.mentor, self.mentee, period, windows=self.windows, policy=self.policy, now=self.now, zone=zone
        )

    def offer(self, minutes: int) -> Iterator[Period]:
        """The slots of this length whose every rule passes."""
        return rules.offer(self.mentor, self.mentee, minutes, windows=self.windows, policy=self.policy, now=self.now)


def slots(
    mentor: Mentor, minutes: int, *, until: datetime, mentee: Mentee | None = None, leave_out: Session | None = None
) -> list[Period]:
    """The free slots of one length that start before ``until``, in order: just those that `request` would take.

    Without a mentee, those that some mentee could have. ``leave_out``: a session that is to be moved.
    """
    now = timezone.now()
    if until <= now:
        return []
    # A slot that starts before ``until`` may end after it.
    over = Period(now, until + timedelta(minutes=minutes))
    [(_, facts)] = gather([mentor], mentee, over, leave_out=leave_out)
    return [slot for slot in facts.offer(minutes) if slot.start < until]


def free(
    mentors: QuerySet[Mentor] | Sequence[Mentor],
    minutes: int,
    over: Period,
    *,
    mentee: Mentee | None = None,
    first: int | None = None,
) -> Iterator[tuple[int, Iterator[Period]]]:
    """Who is free: the key of each mentor with a slot of one length within ``over``, and their slots there, in order.

    Mentors keep their order. The number of queries is the same for one mentor and for all. ``first``: no more than so many are
    wanted; then the others are only looked at where those at the front are not enough.
    """
    found = 0
    for part in [mentors] if first is None else [mentors[: LOOK_AT * first], mentors[LOOK_AT * first :]]:
        for key, facts in gather(part, mentee, over):
            within = (slot for slot in facts.offer(minutes) if over.contains(slot))
            if earliest := next(within, None):
                yield key, chain([earliest], within)
                found += 1
                if found == first:
                    return


def gather(
    mentors: QuerySet[Mentor] | Sequence[Mentor],
    mentee: Mentee | None,
    over: Period,
    *,
    leave_out: Session | None = None,
) -> Iterator[tuple[int, Facts]]:
    """The key and the facts of each mentor, for any period within ``over``. ``mentee`` None stands for somebody with an empty
    calendar.

    A queryset of mentors is asked for their keys only, and stays in the database; from a list come names for the sentences.
    """
    now, program = timezone.now(), Program.current()
    if isinstance(mentors, QuerySet):
        those = mentors.values_list("pk", "user__is_active", "user__mentor_ended_at", "user__leaves_on")
        parties = {key: ("", active and ended is None, leaves) for key, active, ended, leaves in those}
        theirs = list(parties) if mentors.query.is_sliced else mentors.order_by().values("pk")
    else:
        parties = {mentor.pk: (str(mentor.user), mentor.takes_part, mentor.user.leaves_on) for mentor in mentors}
        theirs = list(parties)

    usual = program.policy
    policies = {}
    needed = ("week_cap", "buffer_minutes", "paused_until_on", "mentor__user__time_zone")
    for limits in MentorLimits.objects.filter(mentor__in=theirs).select_related("mentor__user").only(*needed):
        moved = leave_out is not None and leave_out.mentor_id == limits.pk
        policies[limits.pk] = program.policy_for(limits, moved=moved)

    windows = defaultdict(list)
    offered = Availability.objects.filter(mentor__in=theirs, start_time__gt=over.start - LONGEST).overlapping(over)
    for key, start, end in offered.order_by().timed("mentor_id"):
        windows[key].append(Period(moment(start), moment(end)))

    others = Session.objects.exclude(pk=leave_out.pk) if leave_out else Session.objects.all()
    taken = _taken(others, theirs, mentee, Period(over.start - PAUSE, over.end + PAUSE))

    weeks = {}
    capped = [key for key, policy in policies.items() if policy.mentor_week_cap is not None]
    if usual.mentor_week_cap is not None or capped:
        counted = capped if usual.mentor_week_cap is None else theirs
        weeks = weeks_of(others.filter(mentor__in=counted), "mentor_id", over, usual)
    asking = _asking(mentee, others, taken, over, program, now)
    for key, (name, active, leaves_on) in parties.items():
        until = program.midnight_after(leaves_on)
        party = rules.Party(key, name, active, taken.get(key, NOTHING), weeks.get(key, NOTHING), until=until)
        yield key, Facts(party, asking, windows.get(key, ()), policies.get(key, usual), now)


def _taken(others: QuerySet[Session], mentors, mentee: Mentee | None, around: Period) -> dict[int, dict[Period, int]]:
    """Person -> their sessions that take time then, in either role, each with its key: of these mentors and this mentee."""
    near = others.overlapping(around).filter(start_time__gt=around.start - LONGEST)
    # The indexes of each person's sessions are the ones to use. That of the status is hidden from SQLite, which would take it,
    # and walk through everybody's.
    active = near.annotate(hidden_status=Coalesce("status", Value(""))).filter(hidden_status__in=ACTIVE)
    mentoring, learning = Q(mentor__in=mentors), Q(mentee__in=mentors)
    if mentee is not None:
        mentoring, learning = mentoring | Q(mentor=mentee.pk), learning | Q(mentee=mentee.pk)
    active = active.order_by()
    parts = active.filter(mentoring).timed("mentor_id", "pk"), active.filter(learning).timed("mentee_id", "pk")
    taken = defaultdict(dict)
    for person, key, start, end in parts[0].union(parts[1], all=True):
        taken[person][Period(moment(start), moment(end))] = key
    return taken


def _asking(mentee: Mentee | None, others, taken, over: Period, program: Program, now: datetime) -> rules.Party:
    if mentee is None:
        return somebody()
    policy = program.policy
    waiting = 0 if policy.open_requests_cap is None else others.waiting(now).filter(mentee=mentee).count()
    weeks: Mapping[date, int] = {}
    if policy.mentee_week_cap is not None:
        weeks = weeks_of(others.filter(mentee=mentee), "mentee_id", over, policy)[mentee.pk]
    until = program.midnight_after(mentee.user.leaves_on)
    mine = taken.get(mentee.pk, NOTHING)
    return rules.Party(mentee.pk, str(mentee.user), mentee.takes_part, mine, weeks, waiting, until)


def somebody() -> rules.Party:
    """A mentee with an empty calendar."""
    return rules.Party(key=0, name=gettext("The mentee"), active=True)


def weeks_of(sessions, whose: str, over: Period, policy: rules.Policy) -> defaultdict[int, Counter]:
    """Person -> Monday -> how many of these sessions its week holds, for every week that ``over`` touches. Canceled ones do
    not count.
    """
    start, end = week_bounds(over, policy)
    held = sessions.exclude(status=CANCELED).filter(start_time__gte=start, start_time__lt=end).order_by()
    counted = defaultdict(Counter)
    for key, start in held.values_list(whose, "start_time"):
        counted[key][policy.week_of(start)] += 1
    return counted


def week_bounds(over: Period, policy: rules.Policy) -> tuple[datetime, datetime]:
    """From the beginning of the first week that ``over`` touches to the end of the last."""
    first, last = policy.week_of(over.start), policy.week_of(over.end) + timedelta(days=7)
    start, end = (datetime.combine(day, time(), policy.week_zone) for day in (first, last))
    return start, end
