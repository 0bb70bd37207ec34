"""What lies in a week: what mentors offer, what is free, their time off and their sessions. A few queries, however many they are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import Mentor, User
from scheduling import booking, sentences
from scheduling.admin.booking_forms import booking_page
from scheduling.models import Availability, Program, Session, TimeOff
from scheduling.slots import Period, merge
from scheduling.words import CANCELED

WINDOW, FREE, OFF, SESSION = "window", "free", "off", "session"


@dataclass(frozen=True)
class Entry:
    """One thing in somebody's week. ``said``: with the time, what is read; ``more``: what a screen reader says besides."""

    kind: str
    period: Period
    said: str
    more: str = ""
    link: str = ""
    status: str = ""


@dataclass(frozen=True)
class Shown:
    """An entry where it is shown: with the times of the part that lies there. ``goes_on``: it began before."""

    entry: Entry
    times: str
    goes_on: bool = False


def entries_of(
    mentors: Sequence[Mentor], over: Period, user: User, *, sessions_of: Sequence[int] = (), each_slot: bool = False
) -> dict[int, list[Entry]]:
    """The key of each person -> what lies in their week, as ``user`` may see it. ``sessions_of``: people whose sessions are
    shown besides those of the mentors. ``each_slot``: free time slot by slot, to be booked; not only in stretches.
    """
    found: dict[int, list[Entry]] = defaultdict(list)
    keys = [mentor.pk for mentor in mentors]
    for window in Availability.objects.filter(mentor__in=keys).overlapping(over):
        found[window.mentor_id].append(Entry(WINDOW, window.period, _("offered")))
    for off in TimeOff.objects.filter(mentor__in=keys).overlapping(over):
        found[off.mentor_id].append(Entry(OFF, off.period, _("time off"), off.note))
    _add_sessions(found, [*keys, *sessions_of], over, user)
    _add_free(found, mentors, over, user, each_slot)
    return found


def shown(entry: Entry, cell: Period) -> Shown:
    """As it is told in the cell of a day or an hour."""
    begins, ends = max(entry.period.start, cell.start), min(entry.period.end, cell.end)
    if (begins, ends) == cell and entry.period != cell:
        return Shown(entry, _("all day"), entry.period.start < cell.start)
    start, end = timezone.localtime(begins), timezone.localtime(ends)
    return Shown(entry, f"{sentences.clock(start)}–{sentences.clock(end)}", entry.period.start < cell.start)


def _add_sessions(found, keys: list[int], over: Period, user: User) -> None:
    sessions = Session.objects.visible_to(user).exclude(status=CANCELED).overlapping(over).with_people()
    theirs = sessions.filter(Q(mentor__in=keys) | Q(mentee__in=keys)).distinct()
    for session in theirs:
        link = reverse("admin:scheduling_session_change", args=[session.pk])
        for person, other in ((session.mentor, session.mentee), (session.mentee, session.mentor)):
            if person.pk in keys:
                mentoring = person is session.mentor
                more = _("with the mentee") if mentoring else _("with the mentor")
                found[person.pk].append(
                    Entry(SESSION, session.period, str(other), more if mentoring else f"{more}", link, session.status)
                )


def _add_free(found, mentors: Sequence[Mentor], over: Period, user: User, each_slot: bool) -> None:
    may_book, now = user.has_perm("scheduling.add_session"), timezone.now()
    if over.end <= now:
        return
    names = {mentor.pk: str(mentor) for mentor in mentors}
    lengths = Program.current().policy.lengths
    minutes = 30 if 30 in lengths else lengths[0]
    for key, slots in booking.free(list(mentors), minutes, over):
        slots = list(slots)
        for free in slots if each_slot else merge(slots):
            first = Period.of(free.start, minutes)
            link = booking_page(mentor=key, slot=first) if may_book else ""
            said = _("book here") if may_book else _("free")
            found[key].append(Entry(FREE, free, said, names[key], link))
