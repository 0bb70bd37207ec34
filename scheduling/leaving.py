"""How people leave, and come back. Nobody is deleted: what they were part of stays, and nothing ahead is left hanging."""

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people import erasure, keeping
from people.models import Mentor, User
from scheduling import booking, offering, rules
from scheduling.models import Notice, Session
from scheduling.notices import GONE
from scheduling.words import State

# What the history says of it.
LEFT, BACK = "left the program", "came back"


def ahead(user: User, role: str = "") -> list[Session]:
    """What somebody has to decide about before this person leaves: their sessions that have not begun, the soonest first.

    ``role``: "mentor" or "mentee", where only that is left.
    """
    active = Session.objects.active().of(user).filter(start_time__gt=timezone.now())
    if role:
        active = active.filter(**{role: user.pk})
    return list(active.with_people().order_by("start_time", "pk"))


def refusal(user: User, by: User) -> ValidationError | None:
    """Why ``by`` cannot deactivate or bring back this person, or None if they can."""
    if not (booking.acts_for_program(by) and by.has_perms(["people.change_mentor", "people.change_mentee"])):
        return ValidationError("Only the program's coordinators deactivate people.", code="not_yours")
    if user.pk == by.pk:
        return ValidationError("Nobody deactivates themselves. Ask another coordinator.", code="yourself")
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        return ValidationError("This is a coordinator's account: only a superuser deactivates it.", code="not_yours")
    if erasure.is_erased(user):
        return ValidationError("This person is erased: nobody is left to bring back.", code="erased")
    return None


@booking.retry_after_deadlock
def leave(
    user: User,
    *,
    by: User,
    decided: Mapping[int, Mentor | None] | None = None,
    seen: Mapping[int, int] | None = None,
    agreed: bool = False,
    set_aside: str = "",
    reason: str = "",
    only_try: bool = False,
) -> list[Session]:
    """Deactivate a person: their windows close, their log-in ends, and what was still to be sent to them is not.

    ``decided``: for the key of each session ahead, the mentor who takes it over (where this person mentors it), or None to
    cancel it. ``seen``: for keys of sessions, the version that was looked at. ``agreed``: those mentors have said yes.
    ``set_aside``: why the soft rules do not count for handing over. ``only_try``: take it all back, to see what would happen.

    Raises ValidationError: with the code ``undecided`` where nobody decided about a session (it may have been booked since
    they looked); with an ``error_dict`` where sessions cannot be canceled or handed over: for the key of each, the refusals
    of its verb. Then nothing has changed. Returns the sessions as they are left.
    """
    if no := refusal(user, by):
        raise no
    decided, seen = decided or {}, seen or {}
    with transaction.atomic():
        user = _lock(user, [mentor for mentor in decided.values() if mentor])
        sessions = ahead(user)
        if not (user.is_active or sessions):
            raise ValidationError(f"{user} is deactivated already.", code="already")
        if undecided := [session for session in sessions if session.pk not in decided]:
            zone = timezone.get_current_timezone()
            listed = "; ".join(f"{session.other_party(user)}, {rules.when(session.period, zone)}" for session in undecided)
            raise ValidationError(f"Decide who takes these over, or cancel them: {listed}.", code="undecided")
        left, refused = [], {}
        for session in sessions:
            said = {"by": by, "reason": reason, "version": seen.get(session.pk)}
            try:
                left.append(_give_up(session, user, decided[session.pk], agreed, set_aside, said))
            except ValidationError as error:
                refused[session.pk] = error
        if refused:
            raise ValidationError(refused)
        user.is_active = False
        _save(user, by, LEFT)
        if user.is_mentor:
            offering.make(offering.close(user.mentor), by=by)
        owed = Notice.objects.filter(recipient=user, state=State.PENDING)
        owed.update(state=State.SUPPRESSED, detail=GONE, not_before=None)
        if only_try:
            transaction.set_rollback(True)
    return left


def come_back(user: User, *, by: User) -> User:
    """Activate a person again. A mentor's weekly hours offer time again; windows they had added by hand do not come back."""
    if no := refusal(user, by):
        raise no
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.is_active:
            raise ValidationError(f"{user} takes part already.", code="already")
        user.is_active = True
        _save(user, by, BACK)
        if user.is_mentor:
            offering.write_ahead([user.pk])
    return user


@booking.retry_after_deadlock
def give_up(user: User, role: str, *, by: User, seen: Mapping[int, int], reason: str = "") -> list[Session]:
    """Stop being a "mentor" or "mentee", and go on in the other role: by the person only.

    What is ahead in this role is canceled, and the others are told. What the person said of themselves in it goes; for a
    mentor also weekly hours, time off, limits and the windows ahead. The role's row and what is past stay. The person can
    take the role again, and begins empty-handed.

    ``seen``: for keys of sessions, the version that was looked at. Raises ValidationError: with the code ``undecided`` where
    a session is not among them, since it was booked meanwhile; with an ``error_dict`` where some cannot be canceled: for the
    key of each, the refusals. Then nothing has changed. Returns the sessions that were canceled.
    """
    if by.pk != user.pk:
        raise ValidationError(_("Only the person gives up a role. Coordinators deactivate people."), code="not_yours")
    with transaction.atomic():
        user = _lock(user, ())
        if not getattr(user, f"is_{role}"):
            raise ValidationError(_("You have given this up already."), code="already")
        sessions, refused = ahead(user, role), {}
        if any(session.pk not in seen for session in sessions):
            raise ValidationError(
                _("Something was booked while you looked. Look at the list again; nothing is changed yet."), code="undecided"
            )
        for session in sessions:
            try:
                booking.cancel(session, by=by, reason=reason, version=seen[session.pk])
            except ValidationError as error:
                refused[session.pk] = error
        if refused:
            raise ValidationError(refused)
        if role == "mentor":
            offering.make(offering.give_up(user.mentor), by=by)
        keeping.empty_role(user, role)
        setattr(user, f"{role}_ended_at", timezone.now())
        _save(user, by, f"gave up being a {role}", f"{role}_ended_at")
    return sessions


def _lock(user: User, heirs: Iterable[Mentor]) -> User:
    """Everybody at once, in the one order; a session booked in this moment waits, and finds the person gone."""
    people = {role.pk: role for session in ahead(user) for role in (session.mentor, session.mentee)}
    own = getattr(user, "mentor", None) or getattr(user, "mentee", None)
    # The heirs are those that the caller holds: the rules ask them, not their doubles, whether they take part.
    booking.lock(*filter(None, ({user.pk: own} | people).values()), *heirs)
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _give_up(session: Session, user: User, heir: Mentor | None, agreed: bool, set_aside: str, said: dict) -> Session:
    if heir is None:
        return booking.cancel(session, **said)
    if session.mentor_id != user.pk:
        raise ValidationError(f"{user} is the mentee here: nobody can take that over. Cancel it.", code="not_the_mentor")
    return booking.reassign(session, heir, agreed=agreed, set_aside=set_aside, **said)


def _save(user: User, by: User, what: str, field: str = "is_active") -> None:
    user._history_user, user._change_reason = by, what
    user.save(update_fields=[field])
