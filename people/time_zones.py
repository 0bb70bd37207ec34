"""Time zones by name, checked against the names this machine knows."""

import re
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

DEFAULT = "UTC"
AMERICAN = {
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
}
# "(GMT-05:00) " before a name, " (US & Canada)" behind it.
AROUND = re.compile(r"^\s*\((?:GMT|UTC)[^)]*\)|\([^)]*\)\s*$", re.IGNORECASE)


@cache
def names() -> frozenset[str]:
    """The zones a person can choose: Region/City, and UTC. Old aliases such as "EST5EDT" are not offered."""
    regions = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return frozenset(name for name in available_timezones() if name.startswith(regions)) | {DEFAULT}


def choices() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(names())]


def validate(name: str) -> None:
    """Raise ValidationError (code ``unknown_zone``) unless ``name`` is a zone on this machine.

    Never asks ZoneInfo: it raises three kinds of error for bad names, and looks at the file system for some.
    """
    if name not in names():
        raise ValidationError(
            _("“%(name)s” is not a time zone we know. Write it like Europe/Berlin."),
            code="unknown_zone",
            params={"name": str(name)[:60]},
        )


def read(text: str) -> str:
    """The zone that forms and other programs mean: "europe/berlin", "New York", "(GMT-05:00) Eastern Time (US & Canada)".

    What can mean several, like EST, and what is none, stays as it is.
    """
    word = AROUND.sub("", text).strip().lower().replace("_", " ").removesuffix(" standard time").removesuffix(" time")
    return _called().get(word, text)


@cache
def _called() -> dict[str, str]:
    cities = [name.rpartition("/")[2].replace("_", " ").lower() for name in sorted(names())]
    by_city = {city: name for city, name in zip(cities, sorted(names()), strict=True) if cities.count(city) == 1}
    american = {f"{before}{word}": name for word, name in AMERICAN.items() for before in ("", "us/", "us ")}
    return by_city | american | {name.lower().replace("_", " "): name for name in names()}


def lost(name: str) -> str:
    """What to show of a stored name that this machine does not know any more, 60 characters at most; "" for any other."""
    return "" if not name or name in names() else " ".join(name.split())[:60]


def zone(name: str, fallback: str = DEFAULT) -> ZoneInfo:
    """The zone of that name, else the fallback's, else UTC: a stored name may have left the machine's list since."""
    for candidate in (name, fallback):
        if candidate in names():
            return ZoneInfo(candidate)
    return ZoneInfo(DEFAULT)
