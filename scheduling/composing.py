"""What a notice says: one message with a text and an HTML part, in its reader's zone.

Each kind has a folder in templates/emails/. Its sentences stand once, in body.txt, and are set in the text frame and in the
HTML frame; what else both parts say (facts, actions, other times) is made here, as plain text. So the two cannot disagree.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from people import languages, time_zones
from people.models import User
from scheduling import booking, calendars, mail_links, rules
from scheduling.models import Notice, Program, Session
from scheduling.notices import BEFORE, ENDINGS, SWITCH
from scheduling.sentences import moment
from scheduling.slots import Period
from scheduling.words import PENDING, Ending, Kind

# What an expired request is offered instead.
LOOK_AHEAD, OTHER_SLOTS = timedelta(days=14), 3
# The messages that tell of a session placed anew.
MOVES = (Kind.RESCHEDULED, Kind.REASSIGNED)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Fact:
    """A line of the list: "With: Maya Lopez". ``href``: where the value leads, for what can be followed."""

    label: str
    value: str
    href: str = ""

    @property
    def indented(self) -> str:
        """For the text part: of a reason's many lines, none looks like a line of ours."""
        return "\n  ".join(line for line in self.value.splitlines() if line.strip())


@dataclass(frozen=True)
class Action:
    """What the reader can do next, and where."""

    label: str
    url: str
    strong: bool = False


def compose(notice: Notice, connection, others: Collection[Notice] = ()) -> EmailMultiAlternatives:
    """The message, with every part it has. ``others``: further notices to the same reader that it tells, too."""
    program, recipient = Program.current(), notice.recipient
    together = sorted((notice, *others), key=lambda one: (one.start_time, one.pk))
    zone = program.zone_of(recipient)
    with timezone.override(zone), languages.speaking(recipient):
        subject, text, html = _written([(one, _context(one, program, zone)) for one in together])
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=[recipient.email],
        headers={
            "Message-ID": f"<{message_key(together)}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
            # RFC 8058: the mail program's own button.
            "List-Unsubscribe": f"<{mail_links.stop(recipient, SWITCH[notice.kind])}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        connection=connection,
    )
    message.attach_alternative(html, "text/html")
    if others:
        calendars.attach_each(message, together, program)
    else:
        calendars.attach(message, notice, program)
    return message


def message_key(together: list[Notice]) -> UUID:
    """The same for the same notices, however often they are tried: of one its own, of several one made of theirs."""
    first, *others = together
    return uuid5(first.message_key, " ".join(str(one.message_key) for one in others)) if others else first.message_key


def _written(notices: list[tuple[Notice, dict]]) -> tuple[str, str, str]:
    """The subject, the text and the HTML of a message about these, each with what is to be said of it."""
    [(notice, context), *others] = notices
    if not others:
        subject = " ".join(render_to_string(f"emails/{notice.kind}/subject.txt", context).split())
        body = f"emails/{notice.kind}/body.txt"
        text = render_to_string(body, context | {"frame": "emails/frame.txt"})
        return subject, text, render_to_string(body, context | {"frame": "emails/frame.html", "subject": subject})
    shared = {"count": len(notices), "acts": any(one["acts"] for _notice, one in notices)}
    subject = " ".join(render_to_string("emails/together/subject.txt", context | shared).split())

    def whole(ending: str) -> str:
        parts = [
            render_to_string(f"emails/{one.kind}/body.txt", told | {"frame": f"emails/part.{ending}"}) for one, told in notices
        ]
        return render_to_string(f"emails/together/body.{ending}", context | shared | {"parts": parts, "subject": subject})

    return subject, whole("txt"), whole("html")


def _context(notice: Notice, program: Program, zone: ZoneInfo) -> dict:
    """What the templates say. People are names in it: no template asks who somebody is."""
    session, recipient = notice.session, notice.recipient
    takes_part = recipient.pk in (session.mentor_id, session.mentee_id)
    # A mentor who handed the session on had it with the mentee.
    other = session.other_party(recipient) if takes_part else session.mentee.user
    before, moved_by = _before(notice)
    was = before and Period(before.start_time, before.end_time)
    # Who is no longer in it reads of the time that they had.
    period = was if was and not takes_part else session.period
    verbs = booking.offered(session, mail_links.as_party(recipient), program) if takes_part else []
    return {
        "name": name(recipient.first_name or recipient),
        "other": name(other),
        "mentor": name(session.mentor),
        "mentor_before": before and name(before.mentor),
        "moved_by": moved_by and name(moved_by),
        "ended_by": session.ended_by and name(session.ended_by),
        "minutes": session.minutes,
        "starts": moment(period.start, zone),
        "starts_in": _starts_in(notice),
        "was": was and rules.when(was, zone),
        "moved": bool(was and was != session.period),
        "mentoring": recipient.pk == session.mentor_id,
        "takes_part": takes_part,
        "pending": session.status == PENDING,
        "changeable": any(verb.moves or verb.ending == Ending.CANCELED for verb in verbs),
        "facts": _facts_of(notice, program, zone, was),
        "actions": _actions(notice, verbs),
        "acts": any(verb.name in mail_links.VERBS for verb in verbs),
        "other_slots": _other_slots(notice, zone),
        "lost_zone": time_zones.lost(recipient.time_zone),
        "program": program,
        "program_name": name(program.name),
        "profile_link": _page("profile"),
        "mails_link": _page("mails"),
    }


# ---- who, when, where --------------------------------------------------------------------------------------------------


def facts(session: Session, reader: User, program: Program, zone: ZoneInfo, *, where: bool = True) -> list[Fact]:
    """Who, when and where, for one of the two."""
    elsewhere = session.elsewhere(program, zone)
    found = [
        Fact(_("When"), rules.when(session.period, zone)),
        *(
            Fact(_("For %(person)s") % {"person": name(person)}, rules.when(session.period, theirs))
            for person, theirs in elsewhere
        ),
        Fact(_("With"), name(session.other_party(reader))),
    ]
    if session.topic:
        found.append(Fact(_("About"), name(session.topic)))
    if session.meeting_link and where:
        found.append(Fact(_("Meet at"), name(session.meeting_link), href=session.safe_link))
    return found


def _facts_of(notice: Notice, program: Program, zone: ZoneInfo, was: Period | None) -> list[Fact]:
    session, reader = notice.session, notice.recipient
    if reader.pk in (session.mentor_id, session.mentee_id):
        found = facts(session, reader, program, zone, where=notice.kind not in ENDINGS)
    else:
        found = [Fact(_("When"), rules.when(was or session.period, zone)), Fact(_("With"), name(session.mentee))]
    if session.reason and notice.kind in (*ENDINGS, *MOVES):
        found.append(Fact(_("Reason"), session.reason))
    if session.reason and notice.kind in (Kind.REQUESTED, Kind.CONFIRMED):
        found.append(Fact(_("Message"), session.reason))
    asked = session.status == PENDING and notice.kind in (Kind.REQUESTED, *MOVES)
    if asked and session.answer_by and reader.pk == session.mentor_id:
        found.append(Fact(_("Answer by"), moment(session.answer_by, zone)))
    return found


def name(of) -> str:
    """A name on one line: a line break in it would make what follows look like ours."""
    return " ".join(str(of).split())


def _starts_in(notice: Notice) -> str:
    """How long until then, for a reminder: after an outage it comes late, and says so."""
    if notice.kind not in BEFORE:
        return ""
    left = min(BEFORE[notice.kind], notice.session.start_time - timezone.now())
    minutes = max(1, -(-left // MINUTE))
    if minutes == 60:
        return _("an hour")
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}


def _before(notice: Notice):
    """For a session placed anew: its row as it was before that, and who did it; each None if that is not known."""
    if notice.kind not in MOVES:
        return None, None
    rows = notice.session.history.filter(version__in=[notice.version - 1, notice.version])
    rows = list(rows.select_related("history_user", "mentor__user").order_by("version", "history_id"))
    # Something may have been written about the session between its verbs: the last row of one version, the first of the next.
    before = next((row for row in reversed(rows) if row.version < notice.version), None)
    return before, next((row.history_user for row in rows if row.version == notice.version), None)


# ---- what next -----------------------------------------------------------------------------------------------------------


def _page(view: str, *args) -> str:
    return settings.SITE_URL + reverse(view, args=args)


def _actions(notice: Notice, verbs: list[booking.Verb]) -> list[Action]:
    """The buttons: each verb that the reader may do now, then the page that shows the session."""
    session, reader = notice.session, notice.recipient
    if reader.pk not in (session.mentor_id, session.mentee_id):
        # Nobody sees a session that is no longer theirs.
        return [Action(_("See your sessions"), _page("home"))]
    found = []
    for verb in verbs:
        if verb.name in mail_links.VERBS:
            found.append(Action(verb.label, mail_links.act(session, reader, verb), strong=verb.name == "confirm"))
        elif verb.name == "reschedule":
            found.append(Action(verb.label, _page("move", session.pk)))
    if notice.kind in (Kind.DECLINED, Kind.EXPIRED) and reader.pk == session.mentee_id:
        found.append(Action(_("Find a mentor"), _page("mentors"), strong=True))
    return [*found, Action(_("See the session"), _page("session", session.pk))]


def _other_slots(notice: Notice, zone: ZoneInfo) -> list[Action]:
    """For a mentee whose request expired: the mentor's next free slots of that length, each with the page that books it."""
    session = notice.session
    if notice.kind != Kind.EXPIRED or notice.recipient_id != session.mentee_id:
        return []
    until = timezone.now() + LOOK_AHEAD
    free = booking.slots(session.mentor, session.minutes, until=until, mentee=session.mentee)[:OTHER_SLOTS]
    return [Action(rules.when(slot, zone), settings.SITE_URL + book_path(session.mentor_id, slot)) for slot in free]


def as_query(slot: Period) -> dict[str, str | int]:
    """A slot as it stands in an address, and in the hidden fields of a form: in UTC, where no time is shown twice."""
    return {"start": f"{slot.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "minutes": slot.minutes}


def book_path(mentor_key: int, slot: Period, form_key=None) -> str:
    """The page that asks this mentor for this slot; with the key of a form that is filled in, the page that shows it whole."""
    query = as_query(slot) | ({"form_key": form_key} if form_key else {})
    return f"{reverse('review' if form_key else 'book', args=[mentor_key])}?{urlencode(query)}"
