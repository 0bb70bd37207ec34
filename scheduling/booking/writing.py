"""What every verb does to write: lock, check, place, save with history, and say what the database refused."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import Mentor, User
from scheduling.booking.known import Known, explain
from scheduling.booking.locks import lock
from scheduling.booking.moves import Verb, acts_for_program, not_yours, refusal, sets_rules_aside
from scheduling.booking.together import Within, people_of, save, session_of
from scheduling.guard import SESSIONS
from scheduling.models import Program, Session
from scheduling.rules import Finding
from scheduling.slots import Period
from scheduling.words import CONFIRMED, PENDING, Ending


def place(session: Session, mentor: Mentor, period: Period, known: Known, *, by: User, set_aside: str, at: datetime) -> None:
    """Give a session its mentor and time, if the rules allow it or a coordinator sets the soft ones aside."""
    findings = known.facts(mentor, session.mentee, period, at, session if session.pk else None).ask(period)
    failed = [finding for finding in findings if not finding.passed]
    set_aside = set_aside.strip()
    if set_aside and not sets_rules_aside(by):
        raise ValidationError(_("Only coordinators set rules aside."), code="not_yours")
    insist(finding for finding in failed if finding.hard or not set_aside)
    session.mentor = mentor
    session.start_time, session.end_time = period.start, period.end
    session.availability_id = known.window(mentor, period)
    session.set_aside = [finding.code for finding in failed]
    session.set_aside_reason = set_aside if failed else ""


def wait_for_an_answer(session: Session, program: Program) -> None:
    """From now, also for what was asked elsewhere long ago: nobody could answer it here before."""
    session.status = PENDING
    session.answer_by = min(timezone.now() + timedelta(hours=program.answer_hours), session.start_time)


def check(session: Session, verb: Verb, by: User | None, version: int | None, at: datetime) -> None:
    if version is not None and version != session.version:
        raise _stale(session)
    if no := refusal(session, verb, by, at):
        raise no


def lock_session(session: Session, *others: Mentor, within: Within = None) -> Session:
    """The session as it is now, with its people and these others, all locked: people first, as everywhere."""
    mentor, mentee = session.mentor, session.mentee
    lock(mentor, mentee, *others, locked=people_of(within))
    fresh = session_of(within, session.pk) or Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if fresh.mentor_id != mentor.pk:
        # Handed over since it was read: somebody else is to be locked.
        raise _stale(fresh)
    fresh.mentor, fresh.mentee = mentor, mentee
    return fresh


def insist(findings: Iterable[Finding]) -> None:
    """Raise the failed rules: every sentence, each with its code."""
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        raise ValidationError([ValidationError(finding.sentence, code=finding.code) for finding in failed])


def write(
    session: Session,
    by: User | None,
    what: str,
    happened_at: datetime,
    *,
    on_behalf_of: User | None = None,
    verb: Verb | None = None,
    reason: str = "",
    placed: bool = False,
    left: int | None = None,
    within: Within = None,
) -> None:
    """Save with history; the database's refusal becomes a sentence.

    ``verb``: one that is not for both parties, and is done on behalf of none but its own. ``placed``: the change gave it its
    time or mentor. ``left``: the key of the mentor who was in it until now.
    """
    for_whom = ""
    if on_behalf_of is not None and on_behalf_of != by:
        if not acts_for_program(by):
            raise ValidationError(_("Only coordinators act for others."), code="not_yours")
        roles = {left: "mentor", session.mentor_id: "mentor", session.mentee_id: "mentee"}
        if on_behalf_of.pk not in roles:
            raise ValidationError(_("%(person)s takes no part in this session.") % {"person": on_behalf_of}, code="not_a_party")
        if verb and roles[on_behalf_of.pk] not in verb.parties:
            raise not_yours(verb)
        for_whom = f" for the {roles[on_behalf_of.pk]}"
    elif by is not None and by.pk not in (session.mentor_id, session.mentee_id):
        for_whom = " for the program"
    session.acted_for = on_behalf_of if on_behalf_of != by else None
    session.reason = reason.strip()
    if session.decided_at is None and (session.status == CONFIRMED or session.ending in (Ending.DECLINED, Ending.EXPIRED)):
        session.decided_at = happened_at
    session._history_user = by
    session._history_date = happened_at
    session._change_reason = f"{what}{for_whom}" + (", rules set aside" if placed and session.set_aside else "")
    try:
        # A savepoint: after the database's refusal the transaction can still be asked why.
        with transaction.atomic():
            save(session, within)
    except IntegrityError as error:
        raise _why_not_saved(session, error, happened_at) from error


def _why_not_saved(session: Session, error: IntegrityError, happened_at: datetime) -> Exception:
    """The sentence for what the database refused; the error itself where nobody foresaw it."""
    if SESSIONS.refused(error):
        insist(explain(session.mentor, session.mentee, session.period, at=happened_at, leave_out=session))
        return ValidationError(_("One of the two already has a session at that time."), code="taken")
    # Two forms, or two sheets, at the same moment.
    if session.form_key and Session.objects.filter(form_key=session.form_key).exclude(pk=session.pk).exists():
        return form_used()
    if session.external_id and Session.objects.filter(external_id=session.external_id).exclude(pk=session.pk).exists():
        return ValidationError(_("Another session already has this roster key."), code="key_used")
    return error


def form_used() -> ValidationError:
    return ValidationError(_("This form has been sent before, for another session. Open it anew."), code="form_used")


def last_change(session: Session):
    # Not by the date: a clock may have been put back since.
    return session.history.select_related("history_user").latest("history_id")


def _stale(session: Session) -> ValidationError:
    last = last_change(session)
    when = timezone.localtime(last.history_date)
    if last.history_user:
        told = _("%(who)s changed this session at %(time)s: it is %(status)s now. Look again before you act.")
    else:
        told = _("The program changed this session at %(time)s: it is %(status)s now. Look again before you act.")
    facts = {"who": last.history_user, "time": f"{when:%H:%M}", "status": session.get_status_display()}
    return ValidationError(told % facts, code="stale")
