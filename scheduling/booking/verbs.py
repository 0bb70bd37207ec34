"""The verbs: each asks, writes under the lock of both people with its history, and promises the notices."""

import uuid
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import Mentee, Mentor, User
from scheduling import notices
from scheduling.booking.locks import lock, retry_after_deadlock
from scheduling.booking.moves import EXPIRE, VERBS, Verb, acts_for_program
from scheduling.booking.rooms import room_after, room_for
from scheduling.booking.together import Within, apart, known_of, people_of, pile_of, program_of
from scheduling.booking.undoing import patience, record, remember
from scheduling.booking.writing import check, form_used, insist, last_change, lock_session, place, wait_for_an_answer, write
from scheduling.models import Session
from scheduling.slots import Period
from scheduling.words import CANCELED, CONFIRMED, PENDING, Kind


@retry_after_deadlock
def request(
    mentor: Mentor,
    mentee: Mentee,
    start_time: datetime,
    minutes: int,
    *,
    by: User,
    on_behalf_of: User | None = None,
    set_aside: str = "",
    topic: str = "",
    meeting_link: str = "",
    form_key: uuid.UUID | None = None,
    external_id: str = "",
    at: datetime | None = None,
    within: Within = None,
) -> Session:
    """Ask a mentor for a session; the answer is Pending.

    ``on_behalf_of``: the one of the two for whom a coordinator does this. ``set_aside``: why a coordinator books against the
    soft rules. ``form_key`` names one filled-in form: sent twice, it gives the same session twice. ``at`` is when this
    happened, for sessions brought over from another system; the rules are asked as of then. ``meeting_link``: where they
    meet; empty: in the mentor's own room, or a new one. ``within``: the set of changes it is part of, which can be undone;
    its messages wait so long. Raises ValidationError.
    """
    if not acts_for_program(by) and not (by.is_active and by.pk == mentee.pk):
        raise ValidationError(_("Only the mentee can request this session."), code="not_yours")
    period = Period.of(start_time, minutes)
    happened_at = at or timezone.now()
    with transaction.atomic():
        lock(mentor, mentee, locked=people_of(within))
        if form_key and (earlier := Session.objects.filter(form_key=form_key).first()):
            # The browser's Back button sends the same form with another hour or person in it.
            if (earlier.mentor_id, earlier.mentee_id, earlier.period) != (mentor.pk, mentee.pk, period):
                raise form_used()
            return earlier
        program = program_of(within)
        known = known_of(within, mentor, mentee, period, happened_at, program)
        session = Session(
            mentor=mentor,
            mentee=mentee,
            topic=topic,
            meeting_link=room_for(mentor, period, known, typed=meeting_link),
            form_key=form_key,
            external_id=external_id,
            created_at=happened_at,
        )
        place(session, mentor, period, known, by=by, set_aside=set_aside, at=happened_at)
        wait_for_an_answer(session, program)
        write(session, by, "requested", happened_at, on_behalf_of=on_behalf_of, placed=True)
        record(within, session, None)
        notices.tell(session, Kind.REQUESTED, by=by, at=happened_at, wait=patience(within), pile=pile_of(within))
    return session


def confirm(session: Session, *, by: User, **how) -> Session:
    """The mentor agrees. Both are promised their reminders."""
    return _end_or_agree(session, VERBS["confirm"], by=by, **how)


def decline(session: Session, *, by: User, **how) -> Session:
    """The mentor cannot: the session is Canceled, its ending ``declined``."""
    return _end_or_agree(session, VERBS["decline"], by=by, **how)


def cancel(session: Session, *, by: User, **how) -> Session:
    """Either party calls it off before it starts. What it still owed is taken back."""
    return _end_or_agree(session, VERBS["cancel"], by=by, **how)


def complete(session: Session, *, by: User, **how) -> Session:
    """It took place."""
    return _end_or_agree(session, VERBS["complete"], by=by, **how)


def mark_no_show(session: Session, *, by: User, **how) -> Session:
    """Somebody did not come."""
    return _end_or_agree(session, VERBS["mark_no_show"], by=by, **how)


@retry_after_deadlock
def reschedule(
    session: Session,
    start_time: datetime,
    minutes: int | None = None,
    *,
    by: User,
    on_behalf_of: User | None = None,
    set_aside: str = "",
    reason: str = "",
    version: int | None = None,
    within: Within = None,
) -> Session:
    """Move a session that has not begun to another time (and length), under the rules of a new request.

    What a mentee moves waits for the mentor's yes again; what a mentor or the program moves stays what it is. The other party
    is told, and reminders are promised anew.
    """
    verb, now = VERBS["reschedule"], timezone.now()
    with apart(within):
        session = lock_session(session, within=within)
        period = Period.of(start_time, session.minutes if minutes is None else minutes)
        if version == session.version - 1 and session.period == period and last_change(session).history_user == by:
            return session  # the same form, sent twice
        check(session, verb, by, version, now)
        if period == session.period:
            raise ValidationError(_("The session is at this time already. Choose another one."), code="same_time")
        seen = remember(within, session)
        program = program_of(within)
        known = known_of(within, session.mentor, session.mentee, period, now, program)
        place(session, session.mentor, period, known, by=by, set_aside=set_aside, at=now)
        if session.status == PENDING or (on_behalf_of or by).pk == session.mentee_id:
            wait_for_an_answer(session, program)
        _moved(session, verb, by, on_behalf_of, reason, now, within=within, seen=seen)
    return session


@retry_after_deadlock
def reassign(
    session: Session,
    mentor: Mentor,
    start_time: datetime | None = None,
    minutes: int | None = None,
    *,
    by: User,
    on_behalf_of: User | None = None,
    agreed: bool = False,
    set_aside: str = "",
    reason: str = "",
    version: int | None = None,
    within: Within = None,
) -> Session:
    """Hand a session that has not begun to another mentor, at the same time or a new one, under the rules of a new request.

    It waits for the new mentor's yes, unless they have ``agreed`` already: then it is Confirmed. All three are told; the
    mentee keeps it, moves it or cancels it.
    """
    verb, now = VERBS["reassign"], timezone.now()
    with apart(within):
        session = lock_session(session, mentor, within=within)
        before = session.mentor_id
        period = Period.of(start_time or session.start_time, session.minutes if minutes is None else minutes)
        check(session, verb, by, version, now)
        if mentor.pk == before:
            raise ValidationError(
                _("%(mentor)s is the mentor already. Choose another one.") % {"mentor": mentor}, code="same_mentor"
            )
        seen = remember(within, session)
        program = program_of(within)
        known = known_of(within, mentor, session.mentee, period, now, program)
        place(session, mentor, period, known, by=by, set_aside=set_aside, at=now)
        session.meeting_link = room_after(session.meeting_link, before, mentor, period, known)
        wait_for_an_answer(session, program)
        if agreed:
            session.status, session.answer_by = CONFIRMED, None
        _moved(session, verb, by, on_behalf_of, reason, now, also=before, within=within, seen=seen)
    return session


def expire(session: Session) -> Session:
    """Nobody answered in time: the session is Canceled, its ending ``expired``, its time free again. Both are told."""
    return _end_or_agree(session, EXPIRE, by=None)


def expire_unanswered() -> int:
    """Expire every request whose time to be answered is over. Returns how many; safe to run late or in two places."""
    expired = 0
    for session in Session.objects.unanswered().with_people():
        try:
            expire(session)
        except ValidationError:
            continue  # answered, or expired by somebody else, since we looked
        expired += 1
    return expired


@retry_after_deadlock
def _end_or_agree(
    session: Session,
    verb: Verb,
    *,
    by: User | None,
    on_behalf_of: User | None = None,
    reason: str = "",
    version: int | None = None,
    at: datetime | None = None,
    within: Within = None,
) -> Session:
    """Do a verb that changes what the session is, and not when or with whom.

    ``version`` is the one the person saw; a newer one in the database is refused (code ``stale``). ``on_behalf_of``: the one
    of the two for whom a coordinator does this. ``reason``, or with a yes a word, is kept with the change and shown to both.
    """
    happened_at = at or timezone.now()
    with apart(within):
        session = lock_session(session, within=within)
        check(session, verb, by, version, happened_at)
        if verb.to == CONFIRMED:
            # The mentor's yes settles what the policy only prefers; what can never be is asked again.
            people, period = (session.mentor, session.mentee), session.period
            known = known_of(within, *people, period, happened_at, program_of(within))
            findings = known.facts(*people, period, happened_at, session).ask(period)
            insist(finding for finding in findings if finding.hard)
        seen = remember(within, session)
        session.status, session.ending = verb.to, verb.ending
        if verb.to == CANCELED:
            session.ended_by = by
        session.version += 1
        write(session, by, verb.past, happened_at, on_behalf_of=on_behalf_of, verb=verb, reason=reason, within=within)
        record(within, session, seen)
        if verb.to == CANCELED:
            notices.take_back(session, f"The session was {verb.past}.", pile=pile_of(within))
        if verb.told:
            notices.tell(session, verb.told, by=by, at=happened_at, wait=patience(within), pile=pile_of(within))
        if verb.to == CONFIRMED:
            notices.remind(session, at=happened_at, wait=patience(within), pile=pile_of(within))
    return session


def _moved(
    session: Session,
    verb: Verb,
    by: User,
    on_behalf_of: User | None,
    reason: str,
    now: datetime,
    *,
    also: int | None = None,
    within: Within,
    seen: dict | None,
) -> None:
    """Write a session that is placed anew; what it owed for the old time is taken back, and promised for the new one."""
    session.version += 1
    write(session, by, verb.past, now, on_behalf_of=on_behalf_of, reason=reason, placed=True, left=also, within=within)
    record(within, session, seen)
    notices.take_back(session, f"The session was {verb.past}.", left=also, pile=pile_of(within))
    notices.tell(session, verb.told, by=by, at=now, also=also, wait=patience(within), pile=pile_of(within))
    if session.status == CONFIRMED:
        notices.remind(session, at=now, wait=patience(within), pile=pile_of(within))
