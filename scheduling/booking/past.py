"""Sessions that are over, from another system: the one way to write the past. Nothing is owed for them to anybody."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from people.models import ChangeSet, User
from scheduling import rules
from scheduling.booking.locks import lock_keys
from scheduling.booking.moves import acts_for_program
from scheduling.booking.undoing import record
from scheduling.models import Session
from scheduling.words import ACTIVE, PENDING

WHY = "brought over from another system"


def check_past(session: Session, *, beside: Iterable[Session] = ()) -> None:
    """Can this have been? ``beside``: others that are brought over with it. Raises ValidationError.

    No rule of the policy is asked: it was the other system's business.
    """
    if session.end_time <= session.start_time:
        raise ValidationError({"end_time": "The end must come after the start."}, code="ends_before")
    if session.end_time > timezone.now():
        raise ValidationError(
            {"start_time": "This is not over yet. Book it, or import it as a session that is to come."}, code="not_past"
        )
    if session.status == PENDING:
        raise ValidationError({"status": "Nobody answered, and it is over: write Canceled."}, code="unanswered")
    session.full_clean(exclude=["mentor", "mentee"], validate_unique=False, validate_constraints=False)
    if session.mentor_id == session.mentee_id:
        raise ValidationError(_("Nobody has a session with themselves."), code="same_person")
    if session.status not in ACTIVE:
        # Only these take a person's time.
        return
    people = [session.mentor_id, session.mentee_id]
    there = Session.objects.active().overlapping(session.period).filter(Q(mentor__in=people) | Q(mentee__in=people)).first()
    among = (
        other
        for other in beside
        if other.status in ACTIVE and {other.mentor_id, other.mentee_id} & set(people) and other.period.overlaps(session.period)
    )
    if taken := there or next(among, None):
        when = rules.when(taken.period, timezone.get_current_timezone())
        raise ValidationError(_("One of the two has another session at that time: %(when)s.") % {"when": when}, code="taken")


def bring_over(sessions: list[Session], *, by: User, within: ChangeSet | None = None) -> list[Session]:
    """Write sessions that are over, as they were. No notices. The guard looks at each. Raises ValidationError."""
    if not acts_for_program(by):
        raise ValidationError(_("Only coordinators write the past."), code="not_yours")
    with transaction.atomic():
        lock_keys({key for session in sessions for key in (session.mentor_id, session.mentee_id)})
        for session in sessions:
            check_past(session)
        try:
            with transaction.atomic():
                written = bulk_create_with_history(
                    sessions, Session, batch_size=500, default_user=by, default_change_reason=WHY
                )
        except IntegrityError as error:
            raise ValidationError(
                _("Two of these sessions have the same key, or a person in two at one time. Nothing of them is saved."),
                code="taken",
            ) from error
        for session in written:
            record(within, session, None)
    return written
