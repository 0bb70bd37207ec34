"""Who could take these sessions over? The same number of queries for one session and for two hundred."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db.models import Count, Q, QuerySet

from people.models import Mentee, Mentor
from scheduling import ranking, rules
from scheduling.booking.facts import gather, weeks_of
from scheduling.models import Program, Session
from scheduling.ranking import Candidate, Suggestion, Wish
from scheduling.slots import Period

# Of many mentors those are looked at who know most of what is asked for.
LOOKED_AT = 300
# What the mentee and the first mentor agreed about long ago: a stand-in is found at shorter notice than a new request.
AGREED = frozenset({"too_soon", "too_far", "length"})


def knowing(skills: Iterable[str]) -> QuerySet[Mentor]:
    """Who takes part, first those who know most of these."""
    skills, names = list(skills), ("user__first_name", "user__last_name", "pk")
    mentors = Mentor.objects.active()
    if not skills:
        # To a count of nothing Django answers with no rows at all.
        return mentors.order_by(*names)
    return mentors.annotate(known=Count("skills", filter=Q(skills__name__in=skills))).order_by("-known", *names)


def candidates(
    mentors: QuerySet[Mentor],
    over: Period,
    lengths: Collection[int],
    *,
    mentee: Mentee | None = None,
    agreed: bool = False,
    first: int = LOOKED_AT,
) -> list[Candidate]:
    """These mentors with their free slots within ``over``, as ``mentee`` could have them; without one, as somebody could.

    ``agreed``: the times were agreed before, see `AGREED`.
    """
    mentors = mentors[:first]
    people = {one.pk: one for one in mentors.select_related("user").prefetch_related("skills")}
    usual = Program.current().policy
    held = weeks_of(Session.objects.filter(mentor__in=list(people)), "mentor_id", over, usual)
    found = []
    for key, facts in gather(mentors, mentee, over):
        policy = facts.policy
        if agreed:
            policy = replace(policy, notice_hours=0, horizon_days=0, lengths=tuple({*policy.lengths, *lengths}))
        slots = {
            minutes: list(rules.offer(facts.mentor, facts.mentee, minutes, windows=facts.windows, policy=policy, now=facts.now))
            for minutes in lengths
        }
        one = people[key]
        found.append(
            Candidate(
                key,
                str(one.user),
                frozenset(skill.name for skill in one.skills.all()),
                slots,
                held.get(key, {}),
                policy.mentor_week_cap,
                timedelta(minutes=policy.buffer_minutes),
            )
        )
    return found


def stand_ins(sessions: Sequence[Session], *, most: int = ranking.MOST) -> dict[int, list[Suggestion]]:
    """For the key of each session who could take it over, the best first; the first ones of all can be taken together."""
    if not sessions:
        return {}
    over = Period(
        min(session.start_time for session in sessions) - ranking.NEAR,
        max(session.end_time for session in sessions) + ranking.NEAR,
    )
    skills = _skills({session.mentor_id for session in sessions})
    busy = _busy({session.mentee_id for session in sessions}, over)
    wishes = [
        Wish(
            session.pk,
            session.period,
            skills[session.mentor_id],
            frozenset({session.mentor_id, session.mentee_id}),
            [period for key, period in busy[session.mentee_id] if key != session.pk],
        )
        for session in sessions
    ]
    wanted = frozenset().union(*skills.values())
    lengths = {session.minutes for session in sessions}
    others = knowing(wanted).exclude(pk__in={session.mentor_id for session in sessions})
    return ranking.plan(
        wishes, candidates(others, over, lengths, agreed=True), week_of=Program.current().policy.week_of, most=most
    )


def _skills(mentors: Collection[int]) -> dict[int, frozenset[str]]:
    names = defaultdict(set)
    for key, name in Mentor.objects.filter(pk__in=mentors, skills__isnull=False).values_list("pk", "skills__name"):
        names[key].add(name)
    return {key: frozenset(names[key]) for key in mentors}


def _busy(people: Collection[int], over: Period) -> dict[int, list[tuple[int, Period]]]:
    """Person -> their sessions then, in either role, each with its key."""
    found = defaultdict(list)
    active = Session.objects.active().overlapping(over).order_by()
    rows = active.filter(Q(mentee__in=people) | Q(mentor__in=people))
    for key, mentor, mentee, start, end in rows.values_list("pk", "mentor_id", "mentee_id", "start_time", "end_time"):
        for person in {mentor, mentee} & set(people):
            found[person].append((key, Period(start, end)))
    return found
