"""One verb on many sessions, as one set of changes: what refuses stays as it is and is named, the rest is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from people import changes
from people.models import ChangeSet, User
from scheduling.booking import verbs
from scheduling.booking.locks import lock_keys, retry_after_deadlock
from scheduling.booking.moves import VERBS, Verb, acts_for_program
from scheduling.booking.together import Together, together
from scheduling.models import Session

# More would take longer than a page may.
MOST = 500
# The verbs that need nothing but the session, and perhaps a reason.
IN_BULK = ("confirm", "cancel", "complete", "mark_no_show")


@dataclass
class Done:
    """What became of each; ``change_set`` is None where nothing was done."""

    done: list[Session] = field(default_factory=list)
    refused: list[tuple[Session, list[str]]] = field(default_factory=list)
    change_set: ChangeSet | None = None


@retry_after_deadlock
def all_of(name: str, seen: Mapping[int, int], *, by: User, on_behalf_of: str = "", **said) -> Done:
    """Do the verb of this name to the sessions of these keys, the soonest first.

    ``seen``: key -> the version that was looked at. ``on_behalf_of``: "mentor" or "mentee", of each session. ``said``: what
    else the verb takes, the same for all. Raises ValidationError where nobody may try.
    """
    if not acts_for_program(by):
        raise ValidationError(_("Only the program’s coordinators change many sessions at once."), code="not_yours")
    if len(seen) > MOST:
        raise ValidationError(_("At most %(most)s sessions are changed at once.") % {"most": MOST}, code="too_many")
    verb, outcome = VERBS[name], Done()
    with transaction.atomic():
        people = Session.objects.filter(pk__in=seen).values_list("mentor_id", "mentee_id")
        # Everybody at once: one session after the other, two who do this would wait for each other.
        locked = lock_keys({key for pair in people for key in pair})
        change_set = changes.begin("bulk", f"Sessions {verb.past}", by=by)
        sessions = list(Session.objects.filter(pk__in=seen).with_people().order_by("start_time", "pk"))
        with together(change_set, locked, [session.pk for session in sessions]) as within:
            for session in sessions:
                try:
                    outcome.done.append(_one(verb, session, by, on_behalf_of, seen[session.pk], within, said))
                except ValidationError as refusal:
                    outcome.refused.append((session, refusal.messages))
        if outcome.done:
            outcome.change_set = change_set
        else:
            change_set.delete()
    return outcome


def _one(verb: Verb, session: Session, by: User, party: str, version: int, within: Together, said: dict) -> Session:
    people = {"mentor": session.mentor.user, "mentee": session.mentee.user}
    act = getattr(verbs, verb.name)
    return act(session, by=by, on_behalf_of=people.get(party), version=version, within=within, **said)
