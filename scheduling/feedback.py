"""How was it? Asked of the mentee of a session that took place; answered once, and changed while it is fresh."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Avg, Count
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import User
from scheduling import booking
from scheduling.models import Feedback, Session
from scheduling.words import CANCELED, NO_SHOW, PENDING

# For how long an answer can be changed, and for how long the first page asks for one.
CHANGEABLE, ASKED_FOR = timedelta(days=7), timedelta(days=30)
ASKED_AT_ONCE = 3
# With fewer a mentor could tell who said what.
FEWEST_SHOWN = 3


@dataclass(frozen=True)
class Summary:
    """All that a mentor sees of what is said about them. ``average``: of 1 to 5."""

    average: float
    answers: int


def refusal(session: Session, user: User, now: datetime | None = None) -> ValidationError | None:
    """Why this person cannot say how the session was, or change what they said; None if they can."""
    now = now or timezone.now()
    if user.pk != session.mentee_id:
        return ValidationError(_("Only the mentee says how a session was."), code="not_yours")
    if session.status in (CANCELED, NO_SHOW) or (session.status == PENDING and session.end_time <= now):
        return ValidationError(_("This session did not take place."), code="not_possible")
    if not Session.objects.took_place(now).filter(pk=session.pk).exists():
        return ValidationError(_("You can say how it was once the session is over."), code="too_early")
    given = of(session, user)
    if given and now >= given.created_at + CHANGEABLE:
        return ValidationError(
            _("What you said can be changed for %(days)s days: they are over.") % {"days": CHANGEABLE.days}, code="too_late"
        )
    return None


def of(session: Session, user: User) -> Feedback | None:
    """What was said about the session, if this person may read it."""
    return Feedback.objects.visible_to(user).filter(session=session).first()


def give(session: Session, rating: int, sentence: str = "", *, by: User) -> Feedback:
    """Say how it was, or say it anew. Raises ValidationError."""
    with transaction.atomic():
        # Two tabs of one person: the second changes what the first said.
        booking.lock(session.mentee)
        session.refresh_from_db(fields=["status", "end_time"])
        now = timezone.now()
        if no := refusal(session, by, now):
            raise no
        feedback = Feedback.objects.filter(session=session).first() or Feedback(session=session, created_at=now)
        feedback.rating, feedback.sentence = rating, sentence.strip()
        feedback.full_clean()
        feedback.save()
    return feedback


def to_ask(user: User, now: datetime):
    """The mentee's latest sessions that they have not said anything about."""
    recent = Session.objects.filter(mentee_id=user.pk, end_time__gt=now - ASKED_FOR).took_place(now)
    return recent.filter(feedback=None).with_people().order_by("-start_time", "-pk")[:ASKED_AT_ONCE]


def summary(user: User) -> Summary | None:
    """What the mentor sees: None until there are enough answers that nobody is recognised."""
    said = Feedback.objects.filter(session__mentor_id=user.pk).aggregate(average=Avg("rating"), answers=Count("pk"))
    return Summary(round(said["average"], 1), said["answers"]) if said["answers"] >= FEWEST_SHOWN else None
