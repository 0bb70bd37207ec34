"""The sheets of scheduling: windows, weekly hours, sessions that go through the verbs, and sessions of the past."""

from scheduling.resources.hours import WeeklyHoursResource
from scheduling.resources.past import PastSessionResource
from scheduling.resources.sessions import SessionResource
from scheduling.resources.windows import AvailabilityResource

__all__ = ["AvailabilityResource", "PastSessionResource", "SessionResource", "WeeklyHoursResource"]
