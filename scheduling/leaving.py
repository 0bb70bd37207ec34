"""How people leave, come back, and are away for a while. Nobody is deleted: what they were part of stays, and nothing ahead is
left hanging.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people import changes, erasure, keeping
from people.models import ChangeSet, Mentor, User
from scheduling import booking, coming_back, offering, rules
from scheduling.models import Notice, Program, Session, TimeOff
from scheduling.notices import GONE
from scheduling.slots import Period
from scheduling.words import State

# What the history says of it.
LEFT, BACK, LEAVES = "left the program", "came back", "was given a last day"
ACCOUNT, LAST_DAY = ("is_active", "leaves_on"), ("leaves_on",)
# Why rules do not count for what was agreed before: see `booking.AGREED`.
AGREED_BEFORE = "Handed over: the mentee had agreed on it before."


def ahead(user: User, role: str = "") -> list[Session]:
    """What somebody has to decide about before this person leaves: their sessions that have not begun, the soonest first.

    ``role``: "mentor" or "mentee", where only that is left.
    """
    active = Session.objects.active().of(user).filter(start_time__gt=timezone.now())
    if role:
        active = active.filter(**{role: user.pk})
    return list(active.with_people().order_by("start_time", "pk"))


def while_away(mentor: Mentor, period: Period) -> list[Session]:
    """The mentor's sessions that have not begun and meet this time, the soonest first."""
    active = Session.objects.active().filter(mentor=mentor, start_time__gt=timezone.now()).overlapping(period)
    return list(active.with_people().order_by("start_time", "pk"))


def after(user: User, moment: datetime) -> list[Session]:
    """Somebody's sessions, in either role, that have not begun and are not over by then: the soonest first."""
    active = Session.objects.active().of(user).filter(start_time__gt=timezone.now()).ahead(moment)
    return list(active.with_people().order_by("start_time", "pk"))


def refusal(user: User, by: User) -> ValidationError | None:
    """Why ``by`` cannot deactivate or bring back this person, or None if they can."""
    if not (booking.acts_for_program(by) and by.has_perms(["people.change_mentor", "people.change_mentee"])):
        return ValidationError(_("Only the program's coordinators deactivate people."), code="not_yours")
    if user.pk == by.pk:
        return ValidationError(_("Nobody deactivates themselves. Ask another coordinator."), code="yourself")
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        return ValidationError(_("This is a coordinator's account: only a superuser deactivates it."), code="not_yours")
    if erasure.is_erased(user):
        return ValidationError(_("This person is erased: nobody is left to bring back."), code="erased")
    return None


@booking.retry_after_deadlock
def leave(
    user: User,
    *,
    by: User | None,
    decided: Mapping[int, Mentor | None] | None = None,
    only_try: bool = False,
    told: str | None = None,
    **how,
) -> list[Session]:
    """Deactivate a person: their windows close, their log-in ends, and what was still to be sent to them is not. ``by`` None:
    the program does it, since their last day is over.

    ``decided``: for the key of each session ahead, the mentor who takes it over (where this person mentors it), or None to
    cancel it. ``only_try``: take it all back, to see what would happen. ``told``: the `digest` of what somebody was told would
    happen; where it would be anything else, it is taken back, too. ``how``: see `_give_up`.

    Raises ValidationError: with the code ``undecided`` where nobody decided about a session (it may have been booked since
    they looked); with an ``error_dict`` where sessions cannot be canceled or handed over: for the key of each, the refusals
    of its verb. Then nothing has changed. Returns the sessions as they are left.
    """
    if by and (no := refusal(user, by)):
        raise no
    decided = decided or {}
    with transaction.atomic():
        locked = _lock(user, ahead(user), decided)
        user, sessions = locked[user.pk], ahead(user)
        if not by and not Program.current().is_over(user.leaves_on):
            # Taken back, or done by somebody else, since we looked.
            raise ValidationError(_("The last day is not over."), code="too_early")
        if not (user.is_active or sessions):
            raise ValidationError(_("%(person)s is deactivated already.") % {"person": user}, code="already")
        within = changes.begin("handover", f"Deactivated: {_counted(sessions, decided)}", by=by, about=user)
        left = _give_up(sessions, user, decided, locked, by=by, within=within, **how)
        before = changes.snapshot(user, ACCOUNT)
        user.is_active, user.leaves_on = False, None
        _save(user, by, LEFT, *ACCOUNT)
        windows: coming_back.Windows = {}
        if user.is_mentor:
            windows = coming_back.by_hand(user.mentor)
            offering.make(offering.close(user.mentor), by=by)
        account = [(user, before, changes.snapshot(user, ACCOUNT))] if before["is_active"] else []
        coming_back.record(within, windows, *account)
        owed = Notice.objects.filter(recipient=user, state=State.PENDING)
        owed.update(state=State.SUPPRESSED, detail=GONE, not_before=None)
        _take_back(left, only_try, told)
    return left


@booking.retry_after_deadlock
def leave_after(
    user: User,
    last_day: date,
    *,
    by: User,
    decided: Mapping[int, Mentor | None] | None = None,
    only_try: bool = False,
    told: str | None = None,
    **how,
) -> list[Session]:
    """Give somebody a last day: nobody can book them for a later time, nothing later is offered, and `last_days.let_go`
    deactivates them once it is over. What is booked later is decided about now, as of `leave`.
    """
    if no := refusal(user, by):
        raise no
    decided, program = decided or {}, Program.current()
    end = program.midnight_after(last_day)
    if program.is_over(last_day):
        raise ValidationError(_("This day is over. Deactivate them now."), code="too_late")
    with transaction.atomic():
        locked = _lock(user, after(user, end), decided)
        user, sessions = locked[user.pk], after(user, end)
        if not user.is_active:
            raise ValidationError(_("%(person)s is deactivated already.") % {"person": user}, code="already")
        within = changes.begin("handover", f"Last day set: {_counted(sessions, decided)}", by=by, about=user)
        left = _give_up(sessions, user, decided, locked, by=by, within=within, **how)
        before = changes.snapshot(user, LAST_DAY)
        user.leaves_on = last_day
        _save(user, by, LEAVES, *LAST_DAY)
        windows: coming_back.Windows = {}
        if user.is_mentor:
            windows = coming_back.by_hand(user.mentor)
            offering.make(offering.close(user.mentor, end), by=by)
        coming_back.record(within, windows, (user, before, changes.snapshot(user, LAST_DAY)))
        _take_back(left, only_try, told)
    return left


@booking.retry_after_deadlock
def be_away(
    mentor: Mentor,
    period: Period,
    *,
    by: User,
    decided: Mapping[int, Mentor | None] | None = None,
    keep: Collection[int] = (),
    only_try: bool = False,
    told: str | None = None,
    **how,
) -> list[Session]:
    """A mentor is ill or on holiday: their sessions then are decided about, and the time is entered as time off.

    As of `leave`; ``keep``: the keys of sessions that stay as they are, since the mentor comes all the same. Those are not in
    what is returned.
    """
    if not booking.acts_for_program(by):
        raise ValidationError(_("Only the program's coordinators hand over a mentor's sessions."), code="not_yours")
    decided = decided or {}
    with transaction.atomic():
        locked = _lock(mentor.user, while_away(mentor, period), decided)
        user = locked[mentor.pk]
        if not user.is_active:
            raise ValidationError(_("%(person)s is deactivated already.") % {"person": user}, code="already")
        sessions = while_away(mentor, period)
        given_up = [session for session in sessions if session.pk not in keep]
        within = changes.begin("handover", f"Away: {_counted(given_up, decided)}", by=by, about=user)
        left = _give_up(given_up, user, decided, locked, by=by, within=within, **how)
        windows = coming_back.by_hand(mentor)
        before = set(TimeOff.objects.filter(mentor=mentor).values_list("pk", flat=True))
        off = TimeOff(mentor=mentor, start_time=period.start, end_time=period.end)
        offering.make(offering.save_time_off(off), by=by, keep=[session.pk for session in sessions])
        entered = TimeOff.objects.filter(mentor=mentor).exclude(pk__in=before)
        coming_back.record(within, windows, *((row, None, changes.snapshot(row, coming_back.WHEN)) for row in entered))
        _take_back(left, only_try, told)
    return left


def come_back(user: User, *, by: User) -> User:
    """Activate a person again. A mentor's weekly hours offer time again; windows they had added by hand do not come back."""
    if no := refusal(user, by):
        raise no
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.is_active:
            raise ValidationError(_("%(person)s takes part already.") % {"person": user}, code="already")
        user.is_active = True
        _save(user, by, BACK, "is_active")
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
        user = _lock(user, ahead(user, role), {})[user.pk]
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


def digest(would: Iterable[Session]) -> str:
    """What would happen, to compare: who gets which session when, in which version, and which rules are set aside for it."""
    return " ".join(
        f"{one.pk}.{one.version}.{one.status}.{one.mentor_id}.{one.start_time.timestamp():.0f}.{'+'.join(one.set_aside)}"
        for one in would
    )


def _counted(sessions: Collection[Session], decided: Mapping[int, Mentor | None]) -> str:
    """For the name of the set of changes: "2 handed over, 1 canceled"."""
    handed = sum(decided.get(session.pk) is not None for session in sessions)
    return f"{handed} handed over, {len(sessions) - handed} canceled"


def _take_back(left: list[Session], only_try: bool, told: str | None) -> None:
    if only_try or (told is not None and told != digest(left)):
        transaction.set_rollback(True)


def _lock(user: User, sessions: Iterable[Session], decided: Mapping[int, Mentor | None]) -> dict[int, User]:
    """Everybody at once, in the one order; a session booked in this moment waits, and finds the person gone.

    Returns all these people by their keys, as they are now.
    """
    people = {role.pk: role for session in sessions for role in (session.mentor, session.mentee)}
    own = getattr(user, "mentor", None) or getattr(user, "mentee", None)
    # The heirs are those that the caller holds: the rules ask them, not their doubles, whether they take part.
    heirs = [mentor for mentor in decided.values() if mentor]
    roles = [*filter(None, ({user.pk: own} | people).values()), *heirs]
    locked = {one.pk: one for one in booking.lock_keys({user.pk, *(role.pk for role in roles)})}
    for role in roles:
        role.user = locked[role.pk]
    return locked


def _give_up(
    sessions: list[Session],
    user: User,
    decided: Mapping[int, Mentor | None],
    locked: Mapping[int, User],
    *,
    by: User,
    within: ChangeSet,
    moved: Mapping[int, datetime] | None = None,
    seen: Mapping[int, int] | None = None,
    agreed: bool = False,
    set_aside: str = "",
    reason: str = "",
) -> list[Session]:
    """Do to each session what was decided. ``moved``: for keys of sessions, the time at which the heir takes it.

    ``seen``: for keys of sessions, the version that was looked at. ``agreed``: the heirs have said yes. ``set_aside``: why the
    soft rules do not count for handing over.
    """
    if undecided := [session for session in sessions if session.pk not in decided]:
        zone = timezone.get_current_timezone()
        listed = "; ".join(f"{session.other_party(user)}, {rules.when(session.period, zone)}" for session in undecided)
        raise ValidationError(
            _("Decide who takes these over, or cancel them: %(listed)s.") % {"listed": listed}, code="undecided"
        )
    moved, seen = moved or {}, seen or {}
    left, refused = [], {}
    with booking.together(within, locked.values(), [session.pk for session in sessions]) as many:
        for session in sessions:
            said = {"by": by, "reason": reason, "version": seen.get(session.pk), "within": many}
            heir, start = decided[session.pk], moved.get(session.pk)
            try:
                if heir is None:
                    left.append(booking.cancel(session, **said))
                elif session.mentor_id != user.pk:
                    sentence = _("%(person)s is the mentee here: nobody can take that over. Cancel it.") % {"person": user}
                    raise ValidationError(sentence, code="not_the_mentor")
                else:
                    left.append(_hand_on(session, heir, start, agreed=agreed, set_aside=set_aside, **said))
            except ValidationError as error:
                refused[session.pk] = error
        if refused:
            raise ValidationError(refused)
    return left


def _hand_on(session: Session, heir: Mentor, start: datetime | None, *, by: User, set_aside: str, **said) -> Session:
    try:
        return booking.reassign(session, heir, start, by=by, set_aside=set_aside, **said)
    except ValidationError as refused:
        codes = {error.code for error in refused.error_list}
        if set_aside or not codes <= booking.AGREED or not booking.sets_rules_aside(by):
            raise
        return booking.reassign(session, heir, start, by=by, set_aside=AGREED_BEFORE, **said)


def _save(user: User, by: User | None, what: str, *fields: str) -> None:
    user._history_user, user._change_reason = by, what
    user.save(update_fields=fields)
