"""What may be done to a session, by whom, and when: asked by every button, and by the verbs themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from people.models import User
from scheduling.models import Program, Session
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING, Ending, Kind, Status

# What may follow what. A session moved or handed on stays what it is, or is Pending again.
MOVES = {PENDING: {PENDING, CONFIRMED, CANCELED}, CONFIRMED: {PENDING, CANCELED, COMPLETED, NO_SHOW}}


@dataclass(frozen=True)
class Verb:
    """One thing that can be done to a session, and by whom. Staff may do all of them for either party."""

    name: str
    label: str
    past: str
    to: Status
    # Which parties may: "mentor", "mentee".
    parties: tuple[str, ...]
    since: tuple[Status, ...]
    ending: Ending | str = ""
    after_start: bool = False
    told: Kind | None = None

    @property
    def moves(self) -> bool:
        """Does it change when or with whom, and not what the session is?"""
        return self.to == PENDING

    @property
    def one_click(self) -> bool:
        """A yes needs no "really?"."""
        return self.to in (CONFIRMED, COMPLETED)


# What nobody does: time does it, and no button offers it.
EXPIRE = Verb("expire", "Expire", "expired", CANCELED, (), (PENDING,), Ending.EXPIRED, told=Kind.EXPIRED)

VERBS = {
    verb.name: verb
    for verb in (
        Verb("confirm", "Confirm", "confirmed", CONFIRMED, ("mentor",), (PENDING,), told=Kind.CONFIRMED),
        Verb("decline", "Decline", "declined", CANCELED, ("mentor",), (PENDING,), Ending.DECLINED, told=Kind.DECLINED),
        Verb(
            "reschedule",
            "Move",
            "moved",
            PENDING,
            ("mentor", "mentee"),
            (PENDING, CONFIRMED),
            told=Kind.RESCHEDULED,
        ),
        Verb("reassign", "Hand over", "handed over", PENDING, (), (PENDING, CONFIRMED), told=Kind.REASSIGNED),
        Verb(
            "cancel",
            "Cancel",
            "canceled",
            CANCELED,
            ("mentor", "mentee"),
            (PENDING, CONFIRMED),
            Ending.CANCELED,
            told=Kind.CANCELED,
        ),
        Verb("complete", "It took place", "completed", COMPLETED, ("mentor",), (CONFIRMED,), after_start=True),
        Verb("mark_no_show", "No-show", "marked as a no-show", NO_SHOW, ("mentor",), (CONFIRMED,), after_start=True),
    )
}


def refusal(
    session: Session, verb: Verb, by: User | None, at: datetime | None = None, program: Program | None = None
) -> ValidationError | None:
    """Why ``by`` cannot do this to the session now, or None if they can. Buttons and verbs both ask here.

    ``program``: for whoever asks about many sessions and has it at hand.
    """
    at = at or timezone.now()
    if verb is not EXPIRE and not acts_for_program(by):
        parties = {"mentor": session.mentor_id, "mentee": session.mentee_id}
        if not by.is_active or by.pk not in {parties[name] for name in verb.parties}:
            return not_yours(verb)
    if session.status not in verb.since or verb.to not in MOVES.get(session.status, ()):
        return ValidationError(f"This session is {session.status}: it cannot be {verb.past}.", code="not_possible")
    if verb is EXPIRE:
        early = session.answer_by is None or at < session.answer_by
        return ValidationError("This request can still be answered.", code="too_early") if early else None
    if verb.after_start and at < session.start_time:
        return ValidationError(f"A session cannot be {verb.past} before it starts.", code="too_early")
    if not verb.after_start and at >= session.start_time:
        return ValidationError(f"This session has already begun: it cannot be {verb.past}.", code="too_late")
    if (verb.ending == Ending.CANCELED or verb.moves) and not acts_for_program(by):
        return _too_late(session, verb, at, program or Program.current())
    return None


def not_yours(verb: Verb) -> ValidationError:
    whose = " or ".join(f"the {name}" for name in verb.parties) or "the program’s coordinators"
    return ValidationError(f"This session can only be {verb.past} by {whose}.", code="not_yours")


def _too_late(session: Session, verb: Verb, at: datetime, program: Program) -> ValidationError | None:
    """A request can be taken back or moved at any time; what was agreed, until the hour that the program sets."""
    hours = program.cancel_until_hours if session.status == CONFIRMED else 0
    if at <= session.start_time - timedelta(hours=hours):
        return None
    return ValidationError(
        f"Sessions can be {verb.past} until {hours} hour{'s' * (hours != 1)} before they start. Ask the program's coordinators.",
        code="too_late",
    )


def possible(session: Session, by: User, program: Program | None = None) -> list[Verb]:
    """The verbs to offer this person, in order."""
    return [verb for verb in VERBS.values() if refusal(session, verb, by, program=program) is None]


def offered(session: Session, by: User, program: Program | None = None) -> list[Verb]:
    """The buttons to show. A mentor declines a request; that they may also cancel it would be a second word for the same.
    Handing over has its page in the admin.
    """
    verbs = possible(session, by, program)
    declines = session.mentor_id == by.pk and VERBS["decline"] in verbs
    left_out = {"reassign", "cancel"} if declines else {"reassign"}
    return [verb for verb in verbs if verb.name not in left_out]


def acts_for_program(user: User) -> bool:
    """May this user act for either party? Coordinators and superusers."""
    return user.is_active and user.is_staff and user.has_perm("scheduling.change_session")


def sets_rules_aside(user: User) -> bool:
    """May this user book against the soft rules, with a reason?"""
    return acts_for_program(user) and user.has_perm("scheduling.set_rules_aside")
