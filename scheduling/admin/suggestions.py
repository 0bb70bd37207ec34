"""Why somebody is suggested, in words: the same on every page that suggests."""

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scheduling import sentences
from scheduling.ranking import Found, Suggestion
from scheduling.slots import Period


def day_and_clock(period: Period) -> str:
    """In the reader's zone, which the page names: "Tue 24 Nov, 09:00–09:30"."""
    start, end = timezone.localtime(period.start), timezone.localtime(period.end)
    return f"{start:%a} {start.day} {start:%b}, {sentences.clock(start)}–{sentences.clock(end)}"


def why(one: Suggestion) -> str:
    """ "Free then · knows SQL, Python · 2 sessions that week, of 5" """
    return " · ".join([_when(one), *_knows(one), _load(one)])


def why_found(one: Found) -> str:
    """ "Knows SQL, Python · 2 sessions that week, of at most 5" """
    return capfirst(" · ".join([*_knows(one), _load(one)]))


def _when(one: Suggestion) -> str:
    if one.exact:
        return _("free then")
    return _("free %(when)s") % {"when": day_and_clock(one.slot)}


def _knows(one: Suggestion | Found) -> list[str]:
    if not one.wanted:
        return []
    if not one.shared:
        return [_("knows none of the skills")]
    names = ", ".join(one.shared)
    if len(one.shared) == one.wanted:
        return [_("knows %(skills)s") % {"skills": names}]
    return [
        _("knows %(skills)s (%(shared)s of %(wanted)s)") % {"skills": names, "shared": len(one.shared), "wanted": one.wanted}
    ]


def _load(one: Suggestion | Found) -> str:
    if not one.held and one.mentor.cap is None:
        return _("no session that week")
    held = ngettext("%(number)s session that week", "%(number)s sessions that week", one.held) % {"number": one.held}
    return held if one.mentor.cap is None else _("%(held)s, of at most %(cap)s") % {"held": held, "cap": one.mentor.cap}
