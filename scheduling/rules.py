"""May these two meet then? One pure function answers, and every face of the house asks it.

No database, no clock, no settings: who asks brings the facts. The answer is the whole list of rules, each passed or
failed, so that the same call serves "book it", "offer it" and "why not?".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduling.slots import Period, merge, on_step


@dataclass(frozen=True, slots=True)
class Policy:
    """What the program allows. Minutes are whole minutes."""

    lengths: tuple[int, ...] = (30, 60)
    step: int = 30


@dataclass(frozen=True, slots=True)
class Party:
    """One person of a session, as far as the rules need to know. ``taken``: their Pending and Confirmed sessions."""

    key: int
    name: str
    active: bool
    taken: tuple[Period, ...] = ()


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
    ]


def when(period: Period, zone: ZoneInfo) -> str:
    """A period as people write it, its zone named: "Tue 24 Nov 2026, 09:00–09:30 (Europe/Berlin)"."""
    start, end = period.start.astimezone(zone), period.end.astimezone(zone)
    ending = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a} {end.day} {end:%b %Y}, {end:%H:%M}"
    return f"{start:%a} {start.day} {start:%b %Y}, {start:%H:%M}–{ending} ({zone.key})"


def _not_taken(code: str, party: Party, period: Period, zone: ZoneInfo) -> Finding:
    other = next((other for other in sorted(party.taken) if other.overlaps(period)), None)
    return Finding(code, other is None, True, f"{party.name} already has a session {when(other or period, zone)}.")


def _either(lengths: tuple[int, ...]) -> str:
    first, last = lengths[:-1], lengths[-1]
    return f"{', '.join(map(str, first))} or {last}" if first else str(last)
