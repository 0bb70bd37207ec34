"""May these two meet then? One pure function answers, and every face of the house asks it.

No database, no clock, no settings: who asks brings the facts. The answer is the whole list of rules, each passed or
failed, so that the same call serves "book it", "offer it" and "why not?".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.slots import Period, merge, on_step


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

    def week_of(self, moment: datetime) -> date:
        """The Monday of the week that this moment lies in."""
        day = moment.astimezone(self.week_zone).date()
        return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class Party:
    """One person of a session, as far as the rules need to know.

    ``taken``: their Pending and Confirmed sessions, in either role. ``weeks``: Monday -> how many sessions that week holds
    for them in the role they have here, canceled ones left out. ``requests``: theirs that wait for an answer.
    """

    key: int
    name: str
    active: bool
    taken: tuple[Period, ...] = ()
    weeks: Mapping[date, int] = field(default_factory=dict)
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's answer. ``hard`` rules hold for everybody; ``sentence`` says what is wrong, and is shown as it is."""

    code: str
    passed: bool
    hard: bool
    sentence: str


def bookable(
    mentor: Party, mentee: Party, period: Period, *, windows: Iterable[Period], policy: Policy, now: datetime, zone: ZoneInfo
) -> list[Finding]:
    """Every rule of a booking, in the order in which people want to hear of them.

    ``windows`` are the mentor's availability, ``zone`` is the zone the sentences are told in.
    """
    inactive = next((party for party in (mentor, mentee) if not party.active), None)
    windows = list(windows)
    offered = any(window.contains(period) for window in merge(windows))
    stepped = not offered or any(on_step(period.start, window, policy.step) for window in windows)
    return [
        Finding("same_person", mentor.key != mentee.key, True, "Nobody can book a session with themselves."),
        Finding(
            "inactive",
            inactive is None,
            True,
            f"{inactive.name if inactive else ''} no longer takes part in the program.",
        ),
        Finding("past", period.start > now, True, f"{when(period, zone)} has already begun."),
        _not_taken("mentor_taken", mentor, period, zone),
        _not_taken("mentee_taken", mentee, period, zone),
        Finding(
            "length",
            period.minutes in policy.lengths,
            False,
            f"A session of {period.minutes} minutes is not offered here: choose {_either(policy.lengths)} minutes.",
        ),
        Finding(
            "outside_window",
            offered,
            False,
            f"{mentor.name} has not offered {when(period, zone)}.",
        ),
        Finding(
            "off_step",
            stepped,
            False,
            f"Sessions start every {policy.step} minutes from the beginning of the time offered:"
            f" {when(period, zone)} does not.",
        ),
        Finding(
            "too_soon",
            period.start <= now or period.start >= now + timedelta(hours=policy.notice_hours),
            False,
            f"{when(period, zone)} is too soon: sessions are booked at least {_count(policy.notice_hours, 'hour')} ahead.",
        ),
        Finding(
            "too_far",
            not policy.horizon_days or period.start <= now + timedelta(days=policy.horizon_days),
            False,
            f"{when(period, zone)} is too far off: sessions are booked at most {_count(policy.horizon_days, 'day')} ahead.",
        ),
        _buffer_kept(mentor, period, policy, zone),
        _week_not_full("mentor_week_full", mentor, policy.mentor_week_cap, period, policy),
        _week_not_full("mentee_week_full", mentee, policy.mentee_week_cap, period, policy),
        Finding(
            "too_many_requests",
            policy.open_requests_cap is None or mentee.requests < policy.open_requests_cap,
            False,
            f"{mentee.name} has {_count(mentee.requests, 'request')} waiting for an answer,"
            " which is as many as the program allows. Wait for an answer, or cancel one.",
        ),
    ]


def when(period: Period, zone: ZoneInfo) -> str:
    """A period as people write it, its zone named: "Tue 24 Nov 2026, 09:00–09:30 (Europe/Berlin)"."""
    start, end = period.start.astimezone(zone), period.end.astimezone(zone)
    ending = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a} {end.day} {end:%b %Y}, {end:%H:%M}"
    return f"{start:%a} {start.day} {start:%b %Y}, {start:%H:%M}–{ending} ({zone.key})"


def _not_taken(code: str, party: Party, period: Period, zone: ZoneInfo) -> Finding:
    other = next((other for other in sorted(party.taken) if other.overlaps(period)), None)
    return Finding(code, other is None, True, f"{party.name} already has a session {when(other or period, zone)}.")


def _buffer_kept(mentor: Party, period: Period, policy: Policy, zone: ZoneInfo) -> Finding:
    """For sessions that come too close; those that overlap are another rule's matter."""
    pause = timedelta(minutes=policy.buffer_minutes)
    wide = Period(period.start - pause, period.end + pause)
    close = next((other for other in sorted(mentor.taken) if other.overlaps(wide) and not other.overlaps(period)), None)
    return Finding(
        "buffer",
        close is None,
        False,
        f"{mentor.name} has a session {when(close or period, zone)},"
        f" and {_count(policy.buffer_minutes, 'minute')} stay free before and after it.",
    )


def _week_not_full(code: str, party: Party, cap: int | None, period: Period, policy: Policy) -> Finding:
    monday = policy.week_of(period.start)
    held = party.weeks.get(monday, 0)
    return Finding(
        code,
        cap is None or held < cap,
        False,
        f"{party.name} already has {_count(held, 'session')} in the week of {monday.day} {monday:%b %Y},"
        " which is as many as the program allows.",
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _either(lengths: tuple[int, ...]) -> str:
    first, last = lengths[:-1], lengths[-1]
    return f"{', '.join(map(str, first))} or {last}" if first else str(last)
