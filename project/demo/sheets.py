"""A real program's own four sheets, loaded through the import that the admin uses.

Their dates are moved by whole weeks, so that the sheets' two weeks become last week and this one.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import tablib
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from people.models import User
from people.resources import MenteeResource, MentorResource
from scheduling.resources import AvailabilityResource, SessionResource

FOLDER = Path(__file__).parent
# In this order: windows name their mentors, and bookings name their windows.
SHEETS = {
    "mentors.csv": MentorResource,
    "students.csv": MenteeResource,
    "slots.csv": AvailabilityResource,
    "bookings.csv": SessionResource,
}
# The Monday between the sheets' two weeks.
MIDDLE = date(2025, 12, 8)
MOVED = ("start_time", "end_time", "created_at")


def read(name: str, weeks: int = 0) -> tablib.Dataset:
    """One of the sheets as a dataset, its moments moved by so many weeks."""
    sheet = tablib.Dataset().load((FOLDER / name).read_text("utf-8-sig"), format="csv")
    moved = tablib.Dataset(headers=sheet.headers)
    for row in sheet.dict:
        moved.append([_later(value, weeks) if column in MOVED else value for column, value in row.items()])
    return moved


def weeks_until(now: datetime) -> int:
    """By how many weeks the sheets move to lie around ``now``."""
    return ((now.date() - timedelta(days=now.weekday())) - MIDDLE).days // 7


def load(by: User) -> dict[str, int]:
    """Import all four; the number of new rows by sheet. Raises ValidationError with every row refused and its sentence."""
    weeks = weeks_until(timezone.now())
    counts = {}
    for name, resource in SHEETS.items():
        result = resource().import_data(read(name, weeks), user=by)
        refused = [f"{name}, row {row.number}: {' '.join(row.error.messages)}" for row in result.invalid_rows]
        refused += [f"{name}, row {row.number}: {row.errors[0].error}" for row in result.error_rows]
        refused += [f"{name}: {error.error}" for error in result.base_errors]
        if refused:
            raise ValidationError(refused)
        counts[name] = result.totals["new"]
    return counts


def _later(moment: str, weeks: int) -> str:
    return (parse_datetime(moment) + timedelta(weeks=weeks)).isoformat()
