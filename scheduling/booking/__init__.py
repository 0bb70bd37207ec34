"""The verbs on a session: the only door. Admin, pages, spreadsheets and tasks call these and show what they refuse.

Each verb checks who may, asks the table of moves and the rules, writes under the lock of both people with its history,
and promises the notices in the same transaction. A refusal is a ValidationError with a sentence and a code.
"""

from scheduling.booking.bulk import IN_BULK, MOST, Done, all_of
from scheduling.booking.facts import Facts, free, slots
from scheduling.booking.known import explain
from scheduling.booking.locks import lock, lock_keys, retry_after_deadlock
from scheduling.booking.moves import (
    MOVES,
    VERBS,
    Verb,
    acts_for_program,
    offered,
    possible,
    refusal,
    sets_rules_aside,
)
from scheduling.booking.past import bring_over, check_past
from scheduling.booking.standins import AGREED, candidates, knowing, stand_ins
from scheduling.booking.together import Together, together
from scheduling.booking.undoing import put_back
from scheduling.booking.verbs import (
    cancel,
    complete,
    confirm,
    decline,
    expire,
    expire_unanswered,
    mark_no_show,
    reassign,
    request,
    reschedule,
)

__all__ = [
    "AGREED",
    "IN_BULK",
    "MOST",
    "MOVES",
    "VERBS",
    "Done",
    "Facts",
    "Together",
    "Verb",
    "acts_for_program",
    "all_of",
    "bring_over",
    "cancel",
    "candidates",
    "check_past",
    "complete",
    "confirm",
    "decline",
    "expire",
    "expire_unanswered",
    "explain",
    "free",
    "knowing",
    "lock",
    "lock_keys",
    "mark_no_show",
    "offered",
    "possible",
    "put_back",
    "reassign",
    "refusal",
    "request",
    "reschedule",
    "retry_after_deadlock",
    "sets_rules_aside",
    "slots",
    "stand_ins",
    "together",
]
