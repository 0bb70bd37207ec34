"""The verbs on a session: the only door. Admin, pages, spreadsheets and tasks call these and show what they refuse.

Each verb checks who may, asks the table of moves and the rules, writes under the lock of both people with its history,
and promises the notices in the same transaction. A refusal is a ValidationError with a sentence and a code.
"""

from scheduling.booking.facts import Facts, explain, slots
from scheduling.booking.moves import MOVES, VERBS, Verb, acts_for_program, possible, refusal
from scheduling.booking.verbs import (
    cancel,
    complete,
    confirm,
    decline,
    expire,
    expire_unanswered,
    mark_no_show,
    request,
)

__all__ = [
    "MOVES",
    "VERBS",
    "Facts",
    "Verb",
    "acts_for_program",
    "cancel",
    "complete",
    "confirm",
    "decline",
    "expire",
    "expire_unanswered",
    "explain",
    "mark_no_show",
    "possible",
    "refusal",
    "request",
    "slots",
]
