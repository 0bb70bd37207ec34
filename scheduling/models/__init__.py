"""What happens between people: the program and its policy, the time mentors offer, sessions, and the notices they cause.

Nothing here decides or sends. The verbs are in ``booking`` and ``offering``, the rules in ``rules``, the database's own
refusal in ``guard``.
"""

from scheduling.models.feedback import Feedback
from scheduling.models.note import SessionNote
from scheduling.models.offer import Availability, MentorLimits, TimeOff, WeeklyHours
from scheduling.models.program import LENGTHS, LONGEST_BUFFER, Program, default_lengths, some_known_lengths
from scheduling.models.remark import Remark
from scheduling.models.saved_view import SavedView
from scheduling.models.session import CalendarFeed, Notice, Session

__all__ = [
    "LENGTHS",
    "LONGEST_BUFFER",
    "Availability",
    "CalendarFeed",
    "Feedback",
    "MentorLimits",
    "Notice",
    "Program",
    "Remark",
    "SavedView",
    "Session",
    "SessionNote",
    "TimeOff",
    "WeeklyHours",
    "default_lengths",
    "some_known_lengths",
]
