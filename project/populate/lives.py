"""What becomes of a session: the steps it has taken by now, each a verb at a moment, and the notices those promised."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from scheduling.booking.moves import EXPIRE, VERBS, Verb
from scheduling.notices import BEFORE, ENDINGS, SWITCH
from scheduling.slots import Period
from scheduling.words import PENDING, Ending, Kind, State, Status

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANSWER = 72 * HOUR
# Nobody asks earlier.
LONGEST_LEAD = 14 * DAY
REASONS = ("Something came up.", "I am ill.", "I have to travel that day.", "We solved it by mail.", "", "")
REQUEST = Verb("request", "Request", "requested", PENDING, ("mentee",), (), told=Kind.REQUESTED)
# Of a hundred sessions, what becomes of how many; the rest take place.
DECLINED, EXPIRED, CANCELED, NO_SHOW = 5, 3, 10, 4
# Of a hundred ahead, how many wait for an answer, if they were asked for lately.
WAITING = 22


@dataclass(frozen=True, slots=True)
class Step:
    """One verb that was done: when, by whom (None: by time), and for whom a coordinator did it."""

    verb: Verb
    at: datetime
    by: int | None
    acted_for: int | None = None
    reason: str = ""

    def change_reason(self, mentor: int, mentee: int) -> str:
        """As `booking` writes it into the history."""
        if self.by in (None, mentor, mentee):
            return self.verb.past
        whom = {mentor: "mentor", mentee: "mentee"}.get(self.acted_for, "program")
        return f"{self.verb.past} for the {whom}"


def live(chance: random.Random, period: Period, mentor: int, mentee: int, desk: list[int], now: datetime) -> list[Step]:
    """The life of one session up to now."""
    roll = chance.random

    def hours(least: float, most: float) -> timedelta:
        return timedelta(minutes=int(60 * (least + (most - least) * roll())))

    start, end = period.start, period.end
    asked = start - hours(20, LONGEST_LEAD / HOUR)
    waits = start > now and 100 * roll() < WAITING
    if asked >= now or waits:
        asked = now - hours(0.2, 70 if waits else LONGEST_LEAD / HOUR)
    answer_by = min(asked + ANSWER, start)
    steps = [Step(REQUEST, asked, mentee) if roll() < 0.97 else Step(REQUEST, asked, chance.choice(desk), mentee)]
    fate = 100 * roll()
    answered = asked + hours(0.1, 40)
    if fate < EXPIRED or answered >= answer_by:
        if answer_by <= now:
            steps.append(Step(EXPIRE, answer_by, None))
        return steps
    if waits or answered >= now:
        return steps
    if fate < EXPIRED + DECLINED:
        return [*steps, Step(VERBS["decline"], answered, mentor, reason=chance.choice(REASONS))]
    steps.append(Step(VERBS["confirm"], answered, mentor))
    if fate < EXPIRED + DECLINED + CANCELED:
        called_off = answered + (min(start, now) - answered) * roll()
        called_off = called_off.replace(second=0, microsecond=0)
        who = (mentee, None) if roll() < 0.65 else (mentor, None) if roll() < 0.9 else (chance.choice(desk), mentee)
        steps.append(Step(VERBS["cancel"], max(called_off, answered), *who, chance.choice(REASONS)))
        return steps
    # Somebody says what came of it within two days; until then it stays Confirmed.
    told = end + hours(0, 48)
    if told <= now:
        verb = VERBS["mark_no_show"] if fate >= 100 - NO_SHOW else VERBS["complete"]
        steps.append(Step(verb, told, mentor))
    return steps


class Promise(NamedTuple):
    """One notice as it stands now, by its fields."""

    recipient: int
    kind: Kind
    version: int
    state: State
    detail: str
    due_at: datetime
    expires_at: datetime
    attempts: int
    sent_at: datetime | None
    message_key: uuid.UUID


def promises(
    chance: random.Random, period: Period, mentor: int, mentee: int, steps: list[Step], off: dict[int, set[str]], now: datetime
) -> Iterator[Promise]:
    """The notices of one session, as its verbs write them and a sweep every minute leaves them."""
    people = tuple(sorted((mentor, mentee)))

    def promise(recipient: int, kind: Kind, version: int, due: datetime, said: datetime, taken_back: Step | None) -> Promise:
        state, detail, sent_at = State.SENT, "", due + timedelta(seconds=chance.randint(1, 59))
        if said > due:
            state, detail = State.SUPPRESSED, "The session was confirmed too late for it."
        elif taken_back and taken_back.at < due:
            state, detail = State.SUPPRESSED, f"The session was {taken_back.verb.past}."
        elif due > now:
            state = State.PENDING
        elif SWITCH[kind] in off.get(recipient, ()):
            state, detail = State.SUPPRESSED, "The recipient has turned these messages off."
        elif chance.random() < 0.003:
            state, detail = State.FAILED, "The mail server refused it (550)."
        return Promise(
            recipient,
            kind,
            version,
            state,
            detail,
            due,
            period.start + (DAY if kind in ENDINGS else timedelta(0)),
            attempts=1 if state in (State.SENT, State.FAILED) else 0,
            sent_at=sent_at if state == State.SENT else None,
            message_key=uuid.UUID(int=chance.getrandbits(128), version=4),
        )

    for version, step in enumerate(steps, 1):
        if step.verb.told:
            for recipient in people:
                if recipient != step.by:
                    yield promise(recipient, step.verb.told, version, step.at, step.at, None)
        if step.verb.to == Status.CONFIRMED:
            after = steps[version] if version < len(steps) and steps[version].verb.ending == Ending.CANCELED else None
            for kind, before in BEFORE.items():
                for recipient in people:
                    yield promise(recipient, kind, version, period.start - before, step.at, after)
