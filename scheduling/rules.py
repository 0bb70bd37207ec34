"""May these two meet then? One pure function answers, and every face of the house asks it.

No database, no clock, no settings: who asks brings the facts. The answer is the whole list of rules, each passed or
failed, so that the same call serves "book it", "offer it" and "why not?".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.sentences import _, day, either, gettext_lazy, ngettext, short_day, when
from scheduling.slots import Period, free_slots, merge, on_step

# What decided a rule: the name of its model and its key.
Record = tuple[str, int]
PROGRAM: Record = ("program", 1)
MOMENT = timedelta(microseconds=1)


# What each rule asks for, in the words of pages that show the passed ones, too.
TITLES = {
    "same_person": gettext_lazy("They are two people"),
    "inactive": gettext_lazy("Both take part in the program"),
    "leaves": gettext_lazy("Both are still in the program then"),
    "past": gettext_lazy("The time is still ahead"),
    "mentor_taken": gettext_lazy("The mentor is in no other session then"),
    "mentee_taken": gettext_lazy("The mentee is in no other session then"),
    "paused": gettext_lazy("The mentor takes new requests"),
    "length": gettext_lazy("Sessions of this length are offered"),
    "too_many_requests": gettext_lazy("The mentee has not too many open requests"),
    "outside_window": gettext_lazy("The mentor has offered this time"),
    "off_step": gettext_lazy("It starts on a step of the time offered"),
    "too_soon": gettext_lazy("It is booked early enough"),
    "too_far": gettext_lazy("It is not too far ahead"),
    "buffer": gettext_lazy("Minutes stay free around the mentor’s other sessions"),
    "mentor_week_full": gettext_lazy("The mentor’s week has room"),
    "mentee_week_full": gettext_lazy("The mentee’s week has room"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the program allows. Minutes, hours and days are whole; a horizon of 0 and a cap of None are no limit."""

    lengths: tuple[int, ...] = (30, 60)
    step: int = 30
    notice_hours: int = 0
    horizon_days: int = 0
    buffer_minutes: int = 0
    mentor_week_cap: int | None = None
    mentee_week_cap: int | None = None
    open_requests_cap: int | None = None
    # Weeks begin on Monday in this zone.
    week_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    # The mentor's: new requests are taken again from this moment on.
    paused_until: datetime | None = None
    # The fields above in which the mentor's own limits take the place of the program's.
    own: frozenset[str] = frozenset()

    def week_of(self, moment: datetime) -> date:
        """The Monday of the week that this moment lies in."""
        day = moment.astimezone(self.week_zone).date()
        return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class Party:
    """One person of a session, as far as the rules need to know.

    ``taken``: their Pending and Confirmed sessions, in either role, each with its key. ``weeks``: Monday -> how many sessions
    that week holds for them in the role they have here, canceled ones left out. ``requests``: theirs that wait for an answer.
    ``until``: the end of their last day in the program.
    """

    key: int
    name: str
    active: bool
    taken: Mapping[Period, int] = field(default_factory=dict)
    weeks: Mapping[date, int] = field(default_factory=dict)
    requests: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's answer. ``hard`` rules hold for everybody, staff may set the others aside.

    ``sentence`` says what is wrong, in the reader's language, and is shown as it is; where nothing is wrong it is empty:
    most are asked of, and nobody reads them. ``record`` is what decides: the session in the way, or the row
    that holds the limit.
    """

    code: str
    passed: bool
    hard: bool
    sentence: str
    record: Record | None = None

    @property
    def title(self) -> str:
        """What the rule asks for."""
        return str(TITLES[self.code])


def _find(code: str, passed: bool, hard: bool, sentence: Callable[[], str], record: Record | None = None) -> Finding:
    return Finding(code, passed, hard, "" if passed else sentence(), record)


def bookable(
    mentor: Party, mentee: Party, period: Period, *, windows: Iterable[Period], policy: Policy, now: datetime, zone: ZoneInfo
) -> list[Finding]:
    """Every rule of a booking, in the order in which people want to hear of them.

    ``windows`` are the mentor's availability, ``zone`` is the zone the sentences are told in.
    """
    windows = list(windows)
    stepped = any(on_step(period.start, window, policy.step) for window in windows)
    # Touching windows hold a session together; somewhere in them is the start of a step.
    offered = any(window.contains(period) for window in merge(windows))
    return [
        *_whoever(mentor, mentee),
        _still_here(mentor, mentee, period, policy),
        _find("past", period.start > now, True, lambda: _("%(when)s has already begun.") % {"when": when(period, zone)}),
        _not_taken("mentor_taken", mentor, period, zone),
        _not_taken("mentee_taken", mentee, period, zone),
        *_whenever(mentor, mentee, period.minutes, policy, now, zone),
        _find(
            "outside_window",
            offered,
            False,
            lambda: _("%(mentor)s has not offered %(when)s.") % {"mentor": mentor.name, "when": when(period, zone)},
        ),
        _find(
            "off_step",
            stepped or not offered,
            False,
            lambda: (
                _("Sessions start every %(step)s minutes from the beginning of the time offered: %(when)s does not.")
                % {"step": policy.step, "when": when(period, zone)}
            ),
            PROGRAM,
        ),
        _find(
            "too_soon",
            period.start <= now or period.start >= _earliest(policy, now),
            False,
            lambda: (
                ngettext(
                    "%(when)s is too soon: sessions are booked at least %(hours)s hour ahead.",
                    "%(when)s is too soon: sessions are booked at least %(hours)s hours ahead.",
                    policy.notice_hours,
                )
                % {"when": when(period, zone), "hours": policy.notice_hours}
            ),
            PROGRAM,
        ),
        _find(
            "too_far",
            not policy.horizon_days or period.start <= _latest(policy, now),
            False,
            lambda: (
                ngettext(
                    "%(when)s is too far off: sessions are booked at most %(days)s day ahead.",
                    "%(when)s is too far off: sessions are booked at most %(days)s days ahead.",
                    policy.horizon_days,
                )
                % {"when": when(period, zone), "days": policy.horizon_days}
            ),
            PROGRAM,
        ),
        _buffer_kept(mentor, period, policy, zone),
        _week_not_full("mentor_week_cap", "mentor_week_full", mentor, period.start, policy),
        _week_not_full("mentee_week_cap", "mentee_week_full", mentee, period.start, policy),
    ]


def offer(
    mentor: Party, mentee: Party, minutes: int, *, windows: Iterable[Period], policy: Policy, now: datetime
) -> Iterator[Period]:
    """The slots of one length that `bookable` passes, in order: cut out of the windows instead of asked for one by one.

    Two ways to one answer, the other one a thousand times slower; a hypothesis test holds them together.
    """
    if not (_whoever_may(mentor, mentee) and _whenever_may(mentee, minutes, policy, now)):
        return
    taken = mentor.taken
    if policy.buffer_minutes:
        pause = timedelta(minutes=policy.buffer_minutes)
        taken = [Period(one.start - pause, one.end + pause) for one in taken]
    capped = policy.mentor_week_cap is not None or policy.mentee_week_cap is not None
    after = max(now, _earliest(policy, now) - MOMENT)
    latest = _latest(policy, now) if policy.horizon_days else None
    until = _until(mentor, mentee)
    for slot in free_slots(windows, [*taken, *mentee.taken], minutes=minutes, step=policy.step, now=after):
        if (latest and slot.start > latest) or (until and slot.end > until):
            return
        if not capped or all(
            finding.passed
            for finding in (
                _week_not_full("mentor_week_cap", "mentor_week_full", mentor, slot.start, policy),
                _week_not_full("mentee_week_cap", "mentee_week_full", mentee, slot.start, policy),
            )
        ):
            yield slot


def _whoever_may(mentor: Party, mentee: Party) -> bool:
    """The answer of `_whoever`, without its words: nobody reads those of thousands of mentors."""
    return mentor.key != mentee.key and mentor.active and mentee.active


def _whenever_may(mentee: Party, minutes: int, policy: Policy, now: datetime) -> bool:
    """The same of `_whenever`."""
    return _takes_requests(policy, now) and minutes in policy.lengths and _may_ask(mentee, policy)


def _takes_requests(policy: Policy, now: datetime) -> bool:
    return policy.paused_until is None or now >= policy.paused_until


def _may_ask(mentee: Party, policy: Policy) -> bool:
    return policy.open_requests_cap is None or mentee.requests < policy.open_requests_cap


def _whoever(mentor: Party, mentee: Party) -> list[Finding]:
    """The rules on the two, whatever they plan."""
    inactive = next((party for party in (mentor, mentee) if not party.active), None)
    return [
        _find("same_person", mentor.key != mentee.key, True, lambda: _("Nobody can book a session with themselves.")),
        _find(
            "inactive",
            inactive is None,
            True,
            lambda: _("%(person)s no longer takes part in the program.") % {"person": inactive.name},
            inactive and ("user", inactive.key),
        ),
    ]


def _until(*parties: Party) -> datetime | None:
    """Of those who leave, the end of the first one's last day."""
    return min((party.until for party in parties if party.until), default=None)


def _still_here(mentor: Party, mentee: Party, period: Period, policy: Policy) -> Finding:
    gone = next((party for party in (mentor, mentee) if party.until and period.end > party.until), None)
    return _find(
        "leaves",
        gone is None,
        True,
        lambda: (
            _("%(person)s leaves the program: %(day)s is the last day.")
            % {"person": gone.name, "day": day(gone.until - MOMENT, policy.week_zone)}
        ),
        gone and ("user", gone.key),
    )


def _whenever(
    mentor: Party, mentee: Party, minutes: int, policy: Policy, now: datetime, zone: ZoneInfo | None = None
) -> list[Finding]:
    """The rules that are the same at any hour of the day."""
    return [
        _find(
            "paused",
            _takes_requests(policy, now),
            False,
            lambda: (
                _("%(mentor)s takes no new requests until %(day)s.")
                % {"mentor": mentor.name, "day": day(policy.paused_until, zone)}
            ),
            ("mentorlimits", mentor.key),
        ),
        _find(
            "length",
            minutes in policy.lengths,
            False,
            lambda: (
                _("A session of %(minutes)s minutes is not offered here: choose %(lengths)s minutes.")
                % {"minutes": minutes, "lengths": either([str(length) for length in policy.lengths])}
            ),
            PROGRAM,
        ),
        _find(
            "too_many_requests",
            _may_ask(mentee, policy),
            False,
            lambda: (
                ngettext(
                    "%(mentee)s has %(count)s request waiting for an answer, which is as many as the program allows."
                    " Wait for an answer, or cancel one.",
                    "%(mentee)s has %(count)s requests waiting for an answer, which is as many as the program allows."
                    " Wait for an answer, or cancel one.",
                    mentee.requests,
                )
                % {"mentee": mentee.name, "count": mentee.requests}
            ),
            PROGRAM,
        ),
    ]


def _earliest(policy: Policy, now: datetime) -> datetime:
    return now + timedelta(hours=policy.notice_hours)


def _latest(policy: Policy, now: datetime) -> datetime:
    return now + timedelta(days=policy.horizon_days)


def _not_taken(code: str, party: Party, period: Period, zone: ZoneInfo) -> Finding:
    other = next((other for other in sorted(party.taken) if other.overlaps(period)), None)
    return _find(
        code,
        other is None,
        True,
        lambda: _("%(person)s already has a session %(when)s.") % {"person": party.name, "when": when(other, zone)},
        other and ("session", party.taken[other]),
    )


def _buffer_kept(mentor: Party, period: Period, policy: Policy, zone: ZoneInfo) -> Finding:
    """For sessions that come too close; those that overlap are another rule's matter."""
    pause = timedelta(minutes=policy.buffer_minutes)
    wide = Period(period.start - pause, period.end + pause)
    close = next((other for other in sorted(mentor.taken) if other.overlaps(wide) and not other.overlaps(period)), None)
    return _find(
        "buffer",
        close is None,
        False,
        lambda: (
            ngettext(
                "%(mentor)s has a session %(when)s, and %(minutes)s minute stay free before and after it.",
                "%(mentor)s has a session %(when)s, and %(minutes)s minutes stay free before and after it.",
                policy.buffer_minutes,
            )
            % {"mentor": mentor.name, "when": when(close, zone), "minutes": policy.buffer_minutes}
        ),
        ("session", mentor.taken[close]) if close else _holder("buffer_minutes", mentor, policy),
    )


def _week_not_full(cap_name: str, code: str, party: Party, start: datetime, policy: Policy) -> Finding:
    cap = getattr(policy, cap_name)
    if cap is None:
        return Finding(code, True, False, "", PROGRAM)
    monday = policy.week_of(start)
    held = party.weeks.get(monday, 0)
    return _find(
        code,
        held < cap,
        False,
        lambda: _week_full(party.name, held, monday, own=cap_name in policy.own),
        _holder(cap_name, party, policy),
    )


def _week_full(name: str, held: int, monday: date, *, own: bool) -> str:
    if own:
        sentence = ngettext(
            "%(person)s already has %(count)s session in the week of %(monday)s, which is as many as they take.",
            "%(person)s already has %(count)s sessions in the week of %(monday)s, which is as many as they take.",
            held,
        )
    else:
        sentence = ngettext(
            "%(person)s already has %(count)s session in the week of %(monday)s, which is as many as the program allows.",
            "%(person)s already has %(count)s sessions in the week of %(monday)s, which is as many as the program allows.",
            held,
        )
    return sentence % {"person": name, "count": held, "monday": short_day(monday)}


def _holder(name: str, mentor: Party, policy: Policy) -> Record:
    """Whose limit this is."""
    return ("mentorlimits", mentor.key) if name in policy.own else PROGRAM
