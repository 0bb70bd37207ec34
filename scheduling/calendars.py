"""Sessions as calendar programs read them (iCalendar, RFC 5545; by mail, RFC 5546).

A mail carries what becomes of the entry in its reader's own calendar, by what the session is now:

* Confirmed: REQUEST, and the entry is there.
* Pending again, after it was Confirmed with this reader in it: REQUEST with the new time, TENTATIVE. Not CANCEL, since
  calendars take the update of an entry they have, and some do not take up one again that they were told to drop.
* Canceled, or handed on by this reader, after it was Confirmed with them in it: CANCEL.
* Anything else is in nobody's calendar: no part at all.

An entry is one for good: its UID names the session, its SEQUENCE is the session's version. Who reads it sees their own
address and the program's in it, and no other.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from icalendar import Calendar, Event, vCalAddress

from people import languages
from people.models import User
from scheduling.models import Notice, Program, Session
from scheduling.sentences import all_of
from scheduling.words import CANCELED, CONFIRMED, PENDING, REMINDERS, Kind

STATUS = {PENDING: "TENTATIVE", CANCELED: "CANCELLED"}
# How often a calendar program should ask again; many go by an interval of their own.
REFRESH = timedelta(hours=1)
# What the standard knows no way to write.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def attach(message: EmailMultiAlternatives, notice: Notice, program: Program | None = None) -> None:
    """Put the calendar part into the message about a session, if it has one."""
    if found := invitation(notice, program or Program.current()):
        method, content = found
        # The method has to be a parameter, too, or mail programs show a file and no entry. Django adds the charset.
        message.attach_alternative(content.decode(), f"text/calendar; method={method}")


def attach_each(message: EmailMultiAlternatives, notices: Iterable[Notice], program: Program) -> None:
    """For a message about several sessions: a file for each that has something to say to calendars. One calendar part may
    speak of one entry only (RFC 5546, 3.2.2), and a mail has one that calendars take for its own.
    """
    for notice in notices:
        if found := invitation(notice, program):
            method, content = found
            message.attach(f"session-{notice.session_id}.ics", content.decode(), f"text/calendar; method={method}")


def invitation(notice: Notice, program: Program) -> tuple[str, bytes] | None:
    """The method and the calendar for the recipient of a notice, or None where there is nothing to say to a calendar."""
    session, reader = notice.session, notice.recipient
    # One that is promised anew was something else in between.
    first = notice.kind == Kind.REQUESTED and notice.version == 1
    if first or notice.kind in REMINDERS:
        return None
    takes_part = reader.pk in (session.mentor_id, session.mentee_id)
    if takes_part and session.status == CONFIRMED:
        return _message("REQUEST", session, reader, program)
    if takes_part and session.status not in (PENDING, CANCELED):
        return None
    theirs = session.history.filter(Q(mentor_id=reader.pk) | Q(mentee_id=reader.pk))
    if not theirs.filter(status=CONFIRMED).exists():
        return None
    if session.status == PENDING and takes_part:
        return _message("REQUEST", session, reader, program)
    return _message("CANCEL", session if takes_part else _as_left(session, theirs), reader, program)


def _as_left(session: Session, theirs: QuerySet) -> Session:
    """As it was when it still was theirs: a time that it got since is none of their business."""
    last = theirs.select_related("mentor__user", "mentee__user").order_by("history_id").last()
    people = {"mentor": last.mentor, "mentee": last.mentee}
    times = {"start_time": last.start_time, "end_time": last.end_time}
    return Session(pk=session.pk, status=CANCELED, version=session.version, **people, **times)


def feed(user: User, sessions: Iterable[Session], program: Program) -> bytes:
    """All these sessions, for this person's calendar program to come back to. ``sessions``: with their people."""
    calendar = _calendar("PUBLISH", program.name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    with languages.speaking(user):
        for session in sessions:
            calendar.add_component(_event(session, user, program))
    return calendar.to_ical()


def download(session: Session, reader: User, program: Program) -> bytes:
    """One session as a file, for whoever may see it."""
    calendar = _calendar("PUBLISH")
    calendar.add_component(_event(session, reader, program))
    return calendar.to_ical()


def _message(method: str, session: Session, reader: User, program: Program) -> tuple[str, bytes]:
    with languages.speaking(reader):
        event = _event(session, reader, program)
    # The reader alone: the other party's address is not theirs to know. It was agreed here, so nothing is asked back.
    attendee = vCalAddress(f"mailto:{reader.email}")
    attendee.params["CN"] = _line(reader)
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "TENTATIVE" if session.status == PENDING else "ACCEPTED"
    attendee.params["RSVP"] = "FALSE"
    event.add("attendee", attendee)
    calendar = _calendar(method)
    calendar.add_component(event)
    return method, calendar.to_ical()


def _calendar(method: str, name: str = "") -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Team Production System//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", _line(name))
    return calendar


def _event(session: Session, reader: User, program: Program) -> Event:
    """The session as ``reader`` has it in their calendar. Asks the database nothing but for the people."""
    takes_part = reader.pk in (session.mentor_id, session.mentee_id)
    who = [session.other_party(reader)] if takes_part else session.people
    event = Event()
    event.add("uid", f"session-{session.pk}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("sequence", session.version)
    event.add("dtstamp", timezone.now().replace(microsecond=0))
    event.add("dtstart", _utc(session.start_time))
    event.add("dtend", _utc(session.end_time))
    event.add("status", STATUS.get(session.status, "CONFIRMED"))
    event.add("summary", gettext("Session with %(people)s") % {"people": all_of(_line(person) for person in who)})
    event.add("organizer", _organizer(program))
    if session.status == CANCELED:
        return event
    described = [gettext("About: %(topic)s") % {"topic": _line(session.topic)}] if session.topic else []
    if session.meeting_link:
        described.append(gettext("Meet at: %(link)s") % {"link": session.meeting_link})
        event.add("location", session.meeting_link)
    if session.safe_link:
        event.add("url", session.safe_link)
    if session.status == PENDING:
        described.append(gettext("It is not confirmed yet."))
    page = f"{settings.SITE_URL}{reverse('session', args=[session.pk])}"
    described.append(gettext("See, move or cancel it: %(page)s") % {"page": page})
    event.add("description", "\n".join(described))
    return event


def _organizer(program: Program) -> vCalAddress:
    # The sender of our mails: calendars take changes from nobody else.
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = _line(program.name)
    return organizer


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _line(text: object) -> str:
    """On one line, without what cannot be written."""
    return " ".join(CONTROLS.sub(" ", str(text)).split())
