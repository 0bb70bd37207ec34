"""What may be done to a session, by whom, and when: asked by every button, and by the verbs themselves."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from people.models import User
from scheduling.models import Program, Session
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING, Ending, Kind, Status

# What may follow what. A session moved or handed on stays what it is, or is Pending again.
MOVES = {PENDING: {PENDING, CONFIRMED, CANCELED}, CONFIRMED: {PENDING, CANCELED, COMPLETED, NO_SHOW}}


@dataclass(frozen=True)
class Verb:
    """One thing that can be done to a session, and by whom. Staff may do all of them for either party."""

    name: str
    label: str = field(compare=False)
    # As the history keeps it, in English; `said` for whoever reads it.
    past: str
    to: Status
    # Which parties may: "mentor", "mentee".
    parties: tuple[str, ...]
    since: tuple[Status, ...]
    ending: Ending | str = ""
    after_start: bool = False
    told: Kind | None = None
    # What the page asks before, and what its button does; for what is asked about.
    asks: str = field(default="", compare=False)
    does: str = field(default="", compare=False)

    @property
    def said(self) -> str:
        """The verb's past, in the reader's language: "confirmed"."""
        return gettext(self.past)

    @property
    def done(self) -> str:
        return _("The session is %(past)s.") % {"past": self.said}

    @property
    def moves(self) -> bool:
        """Does it change when or with whom, and not what the session is?"""
        return self.to == PENDING

    @property
    def one_click(self) -> bool:
        """A yes needs no "really?"."""
        return self.to in (CONFIRMED, COMPLETED)


# What nobody does: time does it, and no button offers it.
EXPIRE = Verb("expire", _("Expire"), gettext_noop("expired"), CANCELED, (), (PENDING,), Ending.EXPIRED, told=Kind.EXPIRED)

VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "confirm",
            _("Confirm"),
            gettext_noop("confirmed"),
            CONFIRMED,
            ("mentor",),
            (PENDING,),
            told=Kind.CONFIRMED,
            asks=_("Confirm this session?"),
            does=_("Confirm the session"),
        ),
        Verb(
            "decline",
            _("Decline"),
            gettext_noop("declined"),
            CANCELED,
            ("mentor",),
            (PENDING,),
            Ending.DECLINED,
            told=Kind.DECLINED,
            asks=_("Decline this session?"),
            does=_("Decline the session"),
        ),
        Verb(
            "reschedule",
            _("Move"),
            gettext_noop("moved"),
            PENDING,
            ("mentor", "mentee"),
            (PENDING, CONFIRMED),
            told=Kind.RESCHEDULED,
        ),
        Verb(
            "reassign",
            _("Hand over"),
            gettext_noop("handed over"),
            PENDING,
            (),
            (PENDING, CONFIRMED),
            told=Kind.REASSIGNED,
        ),
        Verb(
            "cancel",
            _("Cancel"),
            gettext_noop("canceled"),
            CANCELED,
            ("mentor", "mentee"),
            (PENDING, CONFIRMED),
            Ending.CANCELED,
            told=Kind.CANCELED,
            asks=_("Cancel this session?"),
            does=_("Cancel the session"),
        ),
        Verb(
            "complete",
            _("It took place"),
            gettext_noop("completed"),
            COMPLETED,
            ("mentor",),
            (CONFIRMED,),
            after_start=True,
        ),
        Verb(
            "mark_no_show",
            _("No-show"),
            gettext_noop("marked as a no-show"),
            NO_SHOW,
            ("mentor",),
            (CONFIRMED,),
            after_start=True,
        ),
    )
}


# Which parties a verb is for -> what others are told.
ONLY_BY = {
    ("mentor",): _("This session can only be %(past)s by the mentor."),
    ("mentor", "mentee"): _("This session can only be %(past)s by the mentor or the mentee."),
    (): _("This session can only be %(past)s by the program’s coordinators."),
}
# What the history keeps beside the verbs.
BESIDES = (gettext_noop("requested"), gettext_noop("changed"))


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
        return ValidationError(
            _("This session is %(status)s: it cannot be %(past)s.")
            % {"status": session.get_status_display(), "past": verb.said},
            code="not_possible",
        )
    if verb is EXPIRE:
        early = session.answer_by is None or at < session.answer_by
        return ValidationError(_("This request can still be answered."), code="too_early") if early else None
    if verb.after_start and at < session.start_time:
        return ValidationError(_("A session cannot be %(past)s before it starts.") % {"past": verb.said}, code="too_early")
    if not verb.after_start and at >= session.start_time:
        return ValidationError(
            _("This session has already begun: it cannot be %(past)s.") % {"past": verb.said}, code="too_late"
        )
    if (verb.ending == Ending.CANCELED or verb.moves) and not acts_for_program(by):
        return _too_late(session, verb, at, program or Program.current())
    return None


def not_yours(verb: Verb) -> ValidationError:
    return ValidationError(ONLY_BY[verb.parties] % {"past": verb.said}, code="not_yours")


def _too_late(session: Session, verb: Verb, at: datetime, program: Program) -> ValidationError | None:
    """A request can be taken back or moved at any time; what was agreed, until the hour that the program sets."""
    hours = program.cancel_until_hours if session.status == CONFIRMED else 0
    if at <= session.start_time - timedelta(hours=hours):
        return None
    return ValidationError(
        ngettext(
            "Sessions can be %(past)s until %(hours)s hour before they start. Ask the program's coordinators.",
            "Sessions can be %(past)s until %(hours)s hours before they start. Ask the program's coordinators.",
            hours,
        )
        % {"past": verb.said, "hours": hours},
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
