"""Where a session meets online. It is decided once, and stored: a mentor's new room moves no session that is booked."""

import re
import secrets

from django.utils import timezone

from people.models import Mentor
from scheduling.booking.known import Known
from scheduling.models import Session
from scheduling.slots import Period

# The name of a room we made: nobody guesses it, and it names nobody. In one case, since some servers know no other.
MADE_HERE = re.compile(r"/session-[0-9a-f]{32}$")


def room_for(mentor: Mentor, period: Period, known: Known, typed: str = "") -> str:
    """The link that was typed, else the mentor's own room, else a new one of the program's, else none.

    Raises ValidationError for a typed one that is no web address. What is over already gets no room.
    """
    if typed:
        Session._meta.get_field("meeting_link").run_validators(typed)
        return typed
    if period.end <= timezone.now():
        return ""
    # Not as the caller's mentor has it, who may have been read a while ago.
    return known.rooms[mentor.pk] or _new_room(known.program.meeting_rooms)


def room_after(link: str, before: int, mentor: Mentor, period: Period, known: Known) -> str:
    """Where a session meets that was handed over: ``before`` is the key of the mentor it came from.

    A room they own is theirs, and a room we made is known to them: the session leaves both. What is neither was typed for
    this session, and stays. Their own rooms are all they ever had: the link may be older than the one they have now.
    """
    if link and not MADE_HERE.search(link) and _plain(link) not in _rooms_of(before, known):
        return link
    return room_for(mentor, period, known)


def _new_room(base: str) -> str:
    return f"{base.rstrip('/')}/session-{secrets.token_hex(16)}" if base else ""


def _rooms_of(mentor_key: int, known: Known) -> set[str]:
    if mentor_key not in known.rooms_ever:
        kept = Mentor.history.filter(user_id=mentor_key).exclude(meeting_link="").values_list("meeting_link", flat=True)
        now = Mentor.objects.filter(pk=mentor_key).values_list("meeting_link", flat=True)
        known.rooms_ever[mentor_key] = {_plain(link) for link in (*kept, *now)}
    return known.rooms_ever[mentor_key]


def _plain(link: str) -> str:
    """One room, however it is typed."""
    return link.rstrip("/").casefold()
