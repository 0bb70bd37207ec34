"""A verb that is part of a set of changes remembers the session as it was; and the verb that puts it back."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext as _

from people import changes
from people.models import Change, Mentor, User
from scheduling import notices, rules
from scheduling.booking.known import explain
from scheduling.booking.locks import lock_keys
from scheduling.booking.moves import acts_for_program
from scheduling.booking.together import Within, pile_of, program_of
from scheduling.booking.writing import insist, last_change, lock_session, wait_for_an_answer, write
from scheduling.models import Notice, Program, Session
from scheduling.words import ACTIVE, CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING, REMINDERS, Ending, Kind, State

# What is put back. Words that were said with a change are in the history, and stay there.
KEPT = (
    "mentor",
    "start_time",
    "end_time",
    "status",
    "ending",
    "ended_by",
    "meeting_link",
    "answer_by",
    "decided_at",
    "set_aside",
    "set_aside_reason",
    "version",
)
# Of that, what tells a reader of the page nothing.
HIDDEN = frozenset({"version", "owed", "ended_by_id", "answer_by", "decided_at"})
# Why one cannot be put back while another one is where it was.
IN_THE_WAY = frozenset({"mentor_taken", "mentee_taken", "taken"})
# What the history says.
UNDONE = gettext_noop("undone")
# What people read who have been told of the change.
MISTAKE = "The last change was a mistake: the session is as it was before."
NEVER_MEANT = "It was entered by mistake."


def patience(within: Within) -> timedelta:
    """How long the messages of a change wait, so that undoing it stops them."""
    return timedelta(minutes=program_of(within).undo_minutes) if within else notices.AT_ONCE


def remember(within: Within, session: Session) -> dict | None:
    """The locked session as it is before the change, with what it still owes to whom."""
    return changes.snapshot(session, KEPT) | {"owed": notices.owed(session, pile_of(within))} if within else None


def record(within: Within, session: Session, before: dict | None) -> None:
    if within:
        within.record(session, before, changes.snapshot(session, KEPT))


def lock_all(rows: list[Change]) -> None:
    """Everybody whom putting these back concerns, at once: one by one, two who undo would wait for each other."""
    people = set(Session.objects.filter(pk__in=[row.key for row in rows]).values_list("mentor_id", "mentee_id"))
    lock_keys({key for pair in people for key in pair} | {row.before["mentor_id"] for row in rows if row.before})


def aside(rows: list[Change]) -> None:
    """Until each of these is put back, it takes nobody's time. What that makes of it is seen by nobody outside the transaction."""
    Session.objects.active().filter(pk__in=[row.key for row in rows]).update(status=CANCELED, ending=Ending.CANCELED)


def named(keys: list[int]) -> dict[int, str]:
    """What the page of a set of changes calls these sessions."""
    zone = timezone.get_current_timezone()
    found = Session.objects.with_people().in_bulk(keys)
    return {key: f"{session.mentor} and {session.mentee}, {rules.when(session.period, zone)}" for key, session in found.items()}


def warned(rows: list[Change]) -> str:
    """What undoing these would do to messages."""
    since = {row.key: (row.before or {}).get("version", 0) for row in rows}
    news = Notice.objects.filter(session__in=since).exclude(kind__in=REMINDERS)
    waiting, told = 0, set()
    for key, version, state, recipient in news.values_list("session_id", "version", "state", "recipient_id"):
        if version > since[key]:
            waiting += state == State.PENDING
            told |= {recipient} if state in notices.TOLD else set()
    said = []
    if waiting:
        said.append(ngettext("%d message waits and is not sent.", "%d messages wait and are not sent.", waiting) % waiting)
    if told:
        said.append(
            ngettext(
                "%d person has been told already, and gets a message that says what is true then.",
                "%d people have been told already, and get a message that says what is true then.",
                len(told),
            )
            % len(told)
        )
    return " ".join(said) or gettext("Nobody has been told, and nobody will be.")


def put_back(change: Change, *, by: User) -> Session | None:
    """Make a session again what it was before a change; one that the change made is canceled, or removed if it is over.

    Nobody may have touched it since, and the hard rules are asked again: the time may be taken by now. Who has been told
    of the change is told what is true now; who has not, never hears of it. Raises ValidationError.
    """
    if not acts_for_program(by):
        raise ValidationError(_("Only the program’s coordinators undo changes."), code="not_yours")
    session = Session.objects.with_people().filter(pk=change.key).first()
    if session is None:
        raise ValidationError(_("This session is not there any more."), code="gone")
    mentor = session.mentor
    if change.before and change.before["mentor_id"] != mentor.pk:
        mentor = Mentor.objects.with_people().get(pk=change.before["mentor_id"])
    session = lock_session(session, mentor)
    if session.version != change.after["version"]:
        raise _changed_since(session)
    return _as_it_was(session, mentor, change.before, by) if change.before else _unmake(session, by)


def _as_it_was(session: Session, mentor: Mentor, before: dict, by: User) -> Session:
    now, left, start, reported = timezone.now(), session.mentor_id, session.start_time, session.status in (COMPLETED, NO_SHOW)
    told = notices.told_since(session, before["version"])
    version = session.version + 1
    changes.put_values(session, before)
    session.mentor, session.version = mentor, version
    if session.start_time > now:
        insist(f for f in explain(mentor, session.mentee, session.period, leave_out=session) if f.hard)
    elif not reported:
        when = rules.when(session.period, timezone.get_current_timezone())
        raise ValidationError(_("It was to begin %(when)s: that is over.") % {"when": when}, code="too_late")
    # The windows may be others by now.
    session.availability = mentor.availabilities.overlapping(session.period).order_by("start_time").first()
    if session.status == PENDING and session.answer_by and session.answer_by <= now:
        wait_for_an_answer(session, Program.current())
    notices.take_back(session, notices.UNDONE, left=left)
    write(session, by, UNDONE, now, reason=MISTAKE, left=left)
    kind = _news(session, moved=session.start_time != start, handed_on=session.mentor_id != left)
    notices.tell_these(told - {by.pk}, session, kind, at=now)
    for kind, key in before["owed"]:
        if key not in told:
            notices.tell_these({key}, session, Kind(kind), at=now)
    if session.status == CONFIRMED and session.start_time > now:
        notices.remind(session, at=now)
    return session


def _news(session: Session, *, moved: bool, handed_on: bool) -> Kind:
    """What says to those who know of the change how it is now, so that their calendars are right, too."""
    if handed_on:
        return Kind.REASSIGNED
    if moved:
        return Kind.RESCHEDULED
    return Kind.CONFIRMED if session.status == CONFIRMED else Kind.REQUESTED


def _unmake(session: Session, by: User) -> Session | None:
    now = timezone.now()
    if session.status in ACTIVE and session.start_time > now:
        told = notices.told_since(session, 0)
        session.status, session.ending, session.ended_by = CANCELED, Ending.CANCELED, by
        # A better sheet may bring it again.
        session.external_id = ""
        session.version += 1
        notices.take_back(session, notices.UNDONE)
        write(session, by, UNDONE, now, reason=NEVER_MEANT)
        notices.tell_these(told - {by.pk}, session, Kind.CANCELED, at=now)
        return session
    if hasattr(session, "feedback") or session.notes.exists():
        raise ValidationError(_("Somebody has written about this session since."), code="in_use")
    session._history_user, session._change_reason = by, UNDONE
    session.delete()
    return None


def _changed_since(session: Session) -> ValidationError:
    last = last_change(session)
    when = timezone.localtime(last.history_date)
    if last.history_user:
        told = _("%(who)s changed this session since, on %(day)s at %(time)s: it is %(status)s now.")
    else:
        told = _("The program changed this session since, on %(day)s at %(time)s: it is %(status)s now.")
    facts = {"who": last.history_user, "status": session.get_status_display()}
    facts |= {"day": date_format(when, _("j M")), "time": f"{when:%H:%M}"}
    return ValidationError(told % facts, code="changed_since")
