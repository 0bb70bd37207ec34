"""Times of day, lengths and days of the week as people write them: "5-6pm", "1 h 30", "Mon/Wed 17:00–18:30". Pure."""

import re
from datetime import time
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation

from scheduling.words import Weekday

CLOCK = r"[0-9]{1,2}(?:[:.h][0-9]{2}){0,2}(?:\s?[ap](?:\.?m\b\.?|\b))?(?:\s?(?:uhr|h|o.clock)\b)?"
PARTS = re.compile(
    r"(?P<hour>[0-9]{1,2})(?:[:.h](?P<minute>[0-9]{2}))?(?:[:.](?P<second>[0-9]{2}))?\s?(?P<half>[ap])?(?:\.?m\.?)?"
    r"\s?(?:uhr|h|o.clock)?"
)
SPAN = re.compile(
    rf"(?<![0-9:.])(?P<begins>{CLOCK})\s*(?:-|–|—|\bto\b|\buntil\b|\btill\b|\bbis\b)\s*(?P<ends>{CLOCK})(?![0-9:])"
)
# Between days, between times, and before them.
BETWEEN = re.compile(r"[\s,;:/&|+()]|\b(?:and|und|from|von|at|um|on|every|each|jeden|between|the)\b")
RANGE_OF_DAYS = re.compile(r"([^\W\d_]+)\.?\s*(?:-|–|—|to|through|bis)\s*([^\W\d_]+)\.?")
WEEK = {
    "daily": range(7),
    "every day": range(7),
    "täglich": range(7),
    "weekdays": range(5),
    "werktags": range(5),
    "weekends": range(5, 7),
    "weekend": range(5, 7),
}
LENGTH = re.compile(
    r"(?:(?P<hours>[0-9]+(?:[.,][0-9]+)?)\s*(?:h|hrs?|hours?|std\.?|stunden?)(?![a-z]))?\s*(?:and|und)?\s*"
    r"(?:(?P<minutes>[0-9]+(?:[.,][0-9]+)?)\s*(?:m|mins?\.?|minutes?|minuten?|'|′)?)?"
)
COUNTED = re.compile(r"(?P<hours>[0-9]{1,2}):(?P<minutes>[0-9]{2})(?::[0-9]{2})?")
# A shorter one is a number of hours.
SHORTEST = 5

Span = tuple[time, time]


def clock(text: str) -> time | None:
    """A time of day: "18:30", "6.30 pm", "18h30", "18 Uhr"."""
    found = PARTS.fullmatch(text.strip().lower())
    if not found:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found["half"] == "p")
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def span(begins: str, ends: str) -> Span | None:
    """Two times of day that belong together: in "5-6pm" both are in the evening. Raises ValidationError where it may be either."""
    one, other = clock(begins), clock(ends)
    if one is None or other is None:
        return None
    halves = [PARTS.fullmatch(part.strip().lower())["half"] for part in (begins, ends)]
    if halves[1] and not halves[0] and one.hour <= 12:
        later = clock(f"{begins}{halves[1]}m")
        one = later if later and later < other else clock(f"{begins}am") or one
    if begins.strip().isdigit() and ends.strip().isdigit() and other.hour <= 12:
        raise ValidationError(
            f"“{begins}-{ends}” can be in the morning or in the evening. Write it like 17:00-18:00, or 5-6 pm.",
            code="which_half",
        )
    return one, other


def spans(text: str) -> list[Span] | None:
    """All that stands in a cell: "9:00-10:00, 15:00-16:00". None where there is anything else."""
    found = days_and_spans(f"monday {text}")
    return None if found is None else [one for _day, one in found]


def days_and_spans(text: str) -> list[tuple[int, Span]] | None:
    """Days with their times: "Mo-Fr 17:00-19:00; Sat 10-12:30". None where there is anything else, or nothing."""
    text = text.strip().lower()
    found, on, at = [], None, 0
    for match in SPAN.finditer(text):
        said = text[at : match.start()]
        if BETWEEN.sub("", said):
            on = days(said)
        one = span(match["begins"], match["ends"])
        if not on or one is None:
            return None
        found += [(day, one) for day in on]
        at = match.end()
    return found if found and not BETWEEN.sub("", text[at:]) else None


def days(text: str) -> list[int] | None:
    """Monday is 0: of "Mon", "Mondays", "Mo-Fr", "Mon/Wed", "Montag und Mittwoch", "weekdays". None where it is anything else."""
    text = text.strip().lower().strip(" .,:;")
    if text in WEEK:
        return list(WEEK[text])
    found: list[int] = []

    def of_range(match: re.Match) -> str:
        first, last = _day(match[1]), _day(match[2])
        if first is None or last is None:
            return match[0]
        found.extend((first + step) % 7 for step in range((last - first) % 7 + 1))
        return " "

    words = [word for word in BETWEEN.split(RANGE_OF_DAYS.sub(of_range, text)) if word.strip(".")]
    singles = [_day(word) for word in words]
    if None in singles or not found + singles:
        return None
    return sorted({*found, *singles})


def _day(word: str) -> int | None:
    word = word.strip(".")
    if len(word) < 2:
        return None
    return next((day for name, day in _names() if name == word or f"{name}s" == word or name.startswith(word)), None)


@cache
def _names() -> list[tuple[str, int]]:
    names = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names += [(str(day.label).lower(), int(day)) for day in Weekday]
    return names


def minutes(text: str) -> int | None:
    """A length: "30", "30 min", "1 h 30", "0:30", "1,5 hours"."""
    text = text.strip().lower()
    if found := COUNTED.fullmatch(text):
        return 60 * int(found["hours"]) + int(found["minutes"])
    found = LENGTH.fullmatch(text)
    if not text or not found:
        return None
    hours, rest = (float((found[name] or "0").replace(",", ".")) for name in ("hours", "minutes"))
    length = 60 * hours + rest
    return int(length) if length.is_integer() and length >= SHORTEST else None
