"""Days and moments as people and programs write them: only what can mean one thing. 03/04/2026 cannot."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.dateformat import format as date_format
from django.utils.dateparse import parse_datetime
from django.utils.dates import MONTHS, MONTHS_3

from people.sheets.merging import Entry
from scheduling.resources import clocks

YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
DAY_FIRST = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4}|[0-9]{2})")
# Day and month, or month and day: whichever is more than twelve says it.
SLASHED = re.compile(
    r"(?<![0-9/-])(?P<one>[0-9]{1,2})(?P<sign>[/-])(?P<other>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"
)
WORDS = re.compile(r"[^\W\d_]+|[0-9]+")
ORDINAL = re.compile(r"([0-9])(?:st|nd|rd|th)\b", re.IGNORECASE)
WEEKDAY = re.compile(r"([^\W\d_]{2,10})\.?,?\s+(?=\S)")
# Days since 1900, as spreadsheet programs count them where a cell is not formatted: from 1970 to 2119.
SERIAL = re.compile(r"(2[5-9]|[3-7][0-9])[0-9]{3}\.[0-9]+")
FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  the zone is the reader's
AT = re.compile(rf"(?P<day>.*[0-9][.,]?)(?:\s+|T)(?:at |um )?(?P<clock>{clocks.CLOCK})", re.IGNORECASE)
# What a day of a spreadsheet program becomes in a CSV.
MIDNIGHT = re.compile(r"[T ]0?0:00(:00(\.0+)?)?$")
# Orders of day and month that can be said about a sheet.
DAY, MONTH = "day", "month"


def day(text: str) -> date | None:
    """A date, or None. Raises ValidationError where it may be two."""
    text = ORDINAL.sub(r"\1", " ".join(text.split())).strip(" ,")
    if (said := WEEKDAY.match(text)) and not _month(said[1]) and (on := clocks.days(said[1])):
        found = day(text[said.end() :])
        if found and found.weekday() not in on:
            is_one = date_format(found, "l")
            raise ValidationError(f"“{text}” is a {is_one}: correct the day of the week, or the date.", code="weekday")
        return found
    if found := YEAR_FIRST.fullmatch(text):
        return _date(*map(int, found.groups()))
    if found := DAY_FIRST.fullmatch(text):
        return _date(_year(found[3]), int(found[2]), int(found[1]))
    if found := SLASHED.fullmatch(text):
        return _slashed(text, found)
    words = WORDS.findall(text)
    numbers = [word for word in words if word.isdecimal()]
    months = [month for word in words if (month := _month(word))]
    if len(words) != 3 or len(numbers) != 2 or not months:
        return None
    year, number = sorted(numbers, key=len, reverse=True) if len(numbers[0]) != len(numbers[1]) else reversed(numbers)
    return _date(_year(year), months[0], int(number))


def moment(text: str) -> datetime | None:
    """A moment, with its offset where it says one; or None. Raises ValidationError where it may be two days, or no time of day
    is said.
    """
    text = " ".join(text.split())
    if text[-4:].upper() in (" UTC", " GMT"):
        found = moment(text[:-4])
        return found.replace(tzinfo=UTC) if found and timezone.is_naive(found) else found
    if SERIAL.fullmatch(text):
        return (FIRST_DAY + timedelta(days=float(text), microseconds=500_000)).replace(microsecond=0)
    if day(text) or text.isdecimal():
        raise ValidationError(f"“{text}” says no time of day. Write it like 2026-11-23T14:30Z.", code="no_time")
    try:
        if found := parse_datetime(text):
            return found
    except ValueError:
        return None
    found = AT.fullmatch(text)
    # A number alone is no time of day here: it may be a year.
    clock = clocks.clock(found["clock"]) if found and not found["clock"].isdecimal() else None
    on = day(found["day"]) if clock else None
    return datetime.combine(on, clock) if on else None


def in_one_order(columns: list[str], entries: Iterable[Entry], names: Iterable[str], order: str) -> tuple[str, int]:
    """Write the days of a sheet that can be two, like 03/04/2026, as what others of the sheet say they are, or as ``order`` does.

    The order that was taken, or ""; and in how many rows there is still such a day.
    """
    places = [columns.index(name) for name in names if name in columns]
    found = [(entry, at, match) for entry in entries for at in places if (match := SLASHED.search(str(entry.cells[at])))]
    said = {_order(match) for _entry, _at, match in found} - {""}
    order = order or (said.pop() if len(said) == 1 else "")
    unsure = [one for one in found if not _order(one[2]) and one[2]["one"] != one[2]["other"]]
    if not order:
        return "", len({id(entry) for entry, _at, _match in unsure})
    for entry, at, match in unsure:
        month, number = (match["one"], match["other"]) if order == MONTH else (match["other"], match["one"])
        iso = f"{_year(match['year'])}-{int(month):02}-{int(number):02}"
        entry.cells[at] = str(entry.cells[at]).replace(match[0], iso)
    return order if unsure else "", 0


def _order(found: re.Match) -> str:
    return DAY if int(found["one"]) > 12 else MONTH if int(found["other"]) > 12 else ""


def _slashed(text: str, found: re.Match) -> date | None:
    one, other, year = int(found["one"]), int(found["other"]), _year(found["year"])
    if max(one, other) > 12 or one == other:
        return _date(year, *sorted((one, other)))
    raise ValidationError(
        f"“{text}” can be two days. Write the month as a word, or the date like {year}-{other:02}-{one:02}.", code="two_days"
    )


def _year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) <= 2 else 0)


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _month(word: str) -> int | None:
    return _months().get(word.lower())


@cache
def _months() -> dict[str, int]:
    """In all languages of ours, whole and short."""
    names = {"sept": 9}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names |= {str(name).lower(): number for months in (MONTHS, MONTHS_3) for number, name in months.items()}
    return names
