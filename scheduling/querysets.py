"""How the rest of the house asks for windows, sessions and notices. Each builds on the last."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.db import models
from django.db.models import Count, Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from scheduling.slots import Period
from scheduling.words import ACTIVE, CANCELED, COMPLETED, CONFIRMED, PENDING, UNSENT

CALENDAR_KEEPS = timedelta(days=90)

A_DAY = timedelta(days=1)

# A sweep starts every minute: what is unsent after two has been missed.
LATE = timedelta(minutes=2)


@lru_cache(2**15)
def moment(text: str) -> datetime:
    """A time as `timed` gives it. SQLite keeps times in UTC and does not say so."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def took_place(now: datetime) -> Q:
    return Q(status=COMPLETED) | Q(status=CONFIRMED, end_time__lte=now)


def late(now: datetime, by: timedelta = LATE) -> Q:
    """Notices due for so long that somebody should look, whatever the reason: nobody sends, or the mail server puts it off."""
    return Q(state__in=UNSENT, due_at__lt=now - by)


class PeriodQuerySet(models.QuerySet):
    """Rows that begin at ``start_time`` and end at ``end_time``."""

    def ahead(self, now: datetime | None = None):
        """Not over yet."""
        return self.filter(end_time__gt=now or timezone.now())

    def over(self, now: datetime | None = None):
        return self.filter(end_time__lte=now or timezone.now())

    def overlapping(self, period: Period):
        return self.filter(start_time__lt=period.end, end_time__gt=period.start)

    def periods(self) -> list[Period]:
        return [Period(*row) for row in self.values_list("start_time", "end_time")]

    def timed(self, *names: str):
        """The fields of these names, the start and the end of each row, as tuples; the times for `moment` to read.

        They come as text: read there, where the same ones come again and again, they cost a tenth of what they cost Django.
        """
        texts = {f"{name}_text": Cast(name, TextField()) for name in ("start_time", "end_time")}
        return self.annotate(**texts).values_list(*names, *texts)


class AvailabilityQuerySet(PeriodQuerySet):
    def visible_to(self, user):
        """What a mentor offers is there to be seen by every member."""
        if user.is_staff:
            return self
        if not user.is_authenticated:
            return self.none()
        return self.filter(mentor__user__is_active=True, mentor__user__mentor_ended_at=None)

    def with_sessions_count(self):
        """Each with ``session_count``: the sessions booked in it that take time."""
        return self.annotate(session_count=Count("sessions", filter=Q(sessions__status__in=ACTIVE)))


class SessionQuerySet(PeriodQuerySet):
    def visible_to(self, user):
        """Both parties and staff; for anybody else the session does not exist."""
        if user.is_staff and user.has_perm("scheduling.view_session"):
            return self
        return self.of(user)

    def of(self, user):
        """Sessions this person is part of, in either role."""
        return self.filter(Q(mentor_id=user.pk) | Q(mentee_id=user.pk)) if user.is_authenticated else self.none()

    def in_calendar_of(self, user, now: datetime):
        """What a person's own calendar shows: all ahead, and what was in the last three months; nothing that is off."""
        mine = self.of(user).exclude(status=CANCELED).filter(end_time__gt=now - CALENDAR_KEEPS)
        return mine.with_people().order_by("start_time", "pk")

    def with_people(self):
        return self.select_related("mentor__user", "mentee__user")

    def pending(self):
        return self.filter(status=PENDING)

    def active(self):
        """Those that take a person's time."""
        return self.filter(status__in=ACTIVE)

    def earlier(self, now: datetime):
        """Over, or called off; the latest first."""
        return self.exclude(status__in=ACTIVE, end_time__gt=now).order_by("-start_time", "-pk")

    def waiting(self, now: datetime | None = None):
        """Requests that can still be answered; the soonest first."""
        return self.pending().filter(start_time__gt=now or timezone.now()).order_by("start_time")

    def waiting_too_long(self, now: datetime | None = None):
        """Requests that run out within a day unless somebody answers, the nearest first; or never do, and are a day old."""
        now = now or timezone.now()
        soon = Q(answer_by__lte=now + A_DAY) | Q(answer_by__isnull=True, created_at__lte=now - A_DAY)
        return self.pending().filter(soon, start_time__gt=now).order_by("answer_by", "pk")

    def unanswered(self, now: datetime | None = None):
        """Requests whose time to be answered is over: what `expire` is for."""
        return self.pending().filter(answer_by__lte=now or timezone.now()).order_by("answer_by", "pk")

    def took_place(self, now: datetime | None = None):
        """Completed; or confirmed and over, and nobody said that somebody did not come."""
        return self.filter(took_place(now or timezone.now()))

    def unreported(self, now: datetime | None = None):
        """Confirmed and over: somebody has to say whether it took place."""
        return self.filter(status=CONFIRMED).over(now)


class FeedbackQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Who said it, and staff; never the mentor it is about."""
        if user.is_staff and user.has_perm("scheduling.view_feedback"):
            return self
        return self.filter(session__mentee_id=user.pk) if user.is_authenticated else self.none()

    def with_people(self):
        return self.select_related("session__mentor__user", "session__mentee__user")


class SessionNoteQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Whoever wrote it, and nobody else: no mentee, no mentor who has the session now, no staff."""
        return self.filter(mentor=user.pk) if user.is_authenticated else self.none()


class RemarkQuerySet(models.QuerySet):
    def for_both(self):
        """What the two who meet read on their pages."""
        return self.filter(shared=True)


class NoticeQuerySet(models.QuerySet):
    def unsent(self):
        """Still owed: waiting, or claimed by a sender."""
        return self.filter(state__in=UNSENT)

    def due(self, now: datetime):
        """What a sweep may claim. A claimed row comes back when its sender's lease has run out."""
        return self.unsent().filter(due_at__lte=now).exclude(not_before__gt=now).order_by("due_at", "pk")

    def due_in(self, period: Period):
        return self.filter(due_at__gte=period.start, due_at__lt=period.end)

    def late(self, now: datetime | None = None, by: timedelta = LATE):
        return self.filter(late(now or timezone.now(), by))

    def with_people(self):
        """With all that it takes to say who was told what, and whether that is still true."""
        return self.select_related("recipient__notification_settings", "session__mentor__user", "session__mentee__user")
