"""What mentors do with the time they offer: weekly hours, time off, single windows. The only door to any of it.

A `Change` is made in two steps, so that nothing booked is lost on the way: `look` says which windows would come and go, and
which sessions would no longer lie in the time offered; `make` does it once somebody has decided for each of them. Windows are written out of the weekly hours
some weeks ahead, after every change and once a day; writing twice changes nothing, and what a person added or edited stays.
"""

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from people import changes
from people.models import Mentor, User
from scheduling import booking, rules
from scheduling.guard import WINDOWS
from scheduling.models import Availability, MentorLimits, Program, Session, TimeOff, WeeklyHours
from scheduling.slots import Period, join, merge, subtract

# So many mentors are written at a time, and locked while they are.
TOGETHER = 200
# Longer than any window: what was over before then is in nobody's way.
RECENT = timedelta(days=2)


@dataclass(frozen=True)
class Change:
    """One change of a mentor's time, not made yet. ``within``: sessions there are touched, whether in a window or not."""

    mentor: Mentor
    apply: Callable[[], None]
    within: Collection[Period] = ()


def save_hours(hours: WeeklyHours) -> Change:
    """New weekly hours, or those of a row changed."""

    def apply():
        _clean_and_save(hours)

    return Change(hours.mentor, apply)


def remove_hours(hours: WeeklyHours) -> Change:
    return Change(hours.mentor, lambda: WeeklyHours.objects.filter(pk=hours.pk).delete())


def save_time_off(off: TimeOff) -> Change:
    """New time off, or a row of it changed: every window is cut to what lies outside, also those that a person added.

    In what was off already nothing is cut or touched again: a window there was added since, and what is booked there was kept.
    """
    before = [row.period for row in TimeOff.objects.filter(pk=off.pk)]
    closed = subtract([off.period], before) if off.start_time < off.end_time else []

    def apply():
        _clean_and_save(off)
        for period in closed:
            _cut(off.mentor_id, period)

    return Change(off.mentor, apply, closed)


def remove_time_off(off: TimeOff) -> Change:
    """The weekly hours offer this time again. Windows that a person added do not come back."""
    return Change(off.mentor, lambda: TimeOff.objects.filter(pk=off.pk).delete())


def save_window(window: Availability) -> Change:
    """An extra window, or one edited by hand: from now on the weekly hours leave it alone."""
    return Change(window.mentor, lambda: put_window(_copied(window)))


def remove_window(window: Availability) -> Change:
    """The window goes. Where the weekly hours would write it again, it becomes time off."""

    def apply():
        Availability.objects.filter(pk=window.pk).delete()
        for closed in merge(filter(None, (window.period, window.instead_of))):
            if _planned(window.mentor, closed):
                TimeOff.objects.create(
                    mentor=window.mentor, start_time=closed.start, end_time=closed.end, note="A single window, removed."
                )

    return Change(window.mentor, apply)


def close(mentor: Mentor, since: datetime | None = None) -> Change:
    """No window is left ahead, or none from this moment on: for a mentor who leaves. The weekly hours stay, for the day they
    come back.
    """

    def apply():
        ahead = mentor.availabilities.ahead()
        (ahead.filter(start_time__gte=since) if since else ahead).delete()
        if since:
            _cut(mentor.pk, Period(since, since + RECENT))

    return Change(mentor, apply)


def give_up(mentor: Mentor) -> Change:
    """Nothing is offered any more, and no plan is left to offer anything: for somebody who stops being a mentor."""

    def apply():
        for model in (WeeklyHours, TimeOff, MentorLimits):
            rows = model.objects.filter(mentor=mentor)
            changes.forget(model, list(rows.values_list("pk", flat=True)))
            rows.delete()
        mentor.availabilities.ahead().delete()

    return Change(mentor, apply)


def lock(mentor: Mentor) -> None:
    """The mentor, and whoever has a session with them ahead: what a change touches stays the same until the transaction ends."""
    ahead = Session.objects.active().filter(mentor=mentor).ahead().select_related("mentee__user")
    booking.lock(mentor, *(session.mentee for session in ahead))


@dataclass(frozen=True)
class Outcome:
    """What a change would do: the sessions ahead that it leaves without a window, and the windows ahead that come and go."""

    sessions: list[Session]
    come: list[Period]
    go: list[Period]


def look(change: Change) -> Outcome:
    """What this change would do, the soonest first. Raises ValidationError.

    The change is tried, looked at and taken back: what is shown is what would happen.
    """
    ahead = Availability.objects.filter(mentor=change.mentor).ahead()
    with transaction.atomic():
        booking.lock(change.mentor)
        before = set(ahead.periods())
        found = _apply(change)
        after = set(ahead.periods())
        transaction.set_rollback(True)
    return Outcome(found, sorted(after - before), sorted(before - after))


def touched(change: Change) -> list[Session]:
    """The sessions ahead that this change would leave without a window, the soonest first. Raises ValidationError."""
    return look(change).sessions


@booking.retry_after_deadlock
def make(
    change: Change,
    *,
    by: User | None,
    keep: Collection[int] = (),
    cancel: Collection[int] = (),
    reason: str = "",
) -> list[Session]:
    """Make the change; ``keep`` and ``cancel`` are the keys of the sessions it touches, decided one by one. ``by`` None: the
    program itself.

    Raises ValidationError: with the code ``undecided`` where a session is touched that nobody decided about (it may have been
    booked since they looked); with the verb's own code where one cannot be canceled. Then nothing has changed. Returns the
    sessions touched.
    """
    mentor = change.mentor
    if by and by.pk != mentor.pk and not booking.acts_for_program(by):
        raise ValidationError(_("Only the mentor and coordinators change when somebody can be booked."), code="not_yours")
    with transaction.atomic():
        lock(mentor)
        sessions = _apply(change)
        if undecided := [session for session in sessions if session.pk not in keep and session.pk not in cancel]:
            zone = timezone.get_current_timezone()
            listed = "; ".join(f"{session.mentee}, {rules.when(session.period, zone)}" for session in undecided)
            raise ValidationError(
                _("Decide what happens with what is booked then: %(listed)s.") % {"listed": listed}, code="undecided"
            )
        for session in sessions:
            if session.pk in cancel:
                booking.cancel(session, by=by, on_behalf_of=None if by.pk == mentor.pk else mentor.user, reason=reason)
    return sessions


def put_window(window: Availability) -> None:
    """Write one window that a person gives, under the mentor's lock. Raises ValidationError where it meets another one."""
    with transaction.atomic():
        booking.lock(window.mentor)
        before = Availability.objects.filter(pk=window.pk).first() if window.pk else None
        if before and before.mentor_id != window.mentor_id:
            raise ValidationError(_("A window stays its mentor's. Remove it, and add one for the other."), code="other_mentor")
        weekly = bool(before and before.from_weekly_hours)
        moved = weekly and (before.start_time, before.end_time) != (window.start_time, window.end_time)
        if moved:
            window.instead_of_start, window.instead_of_end = before.start_time, before.end_time
        # What another system calls by a key must not be written anew without it.
        window.from_weekly_hours = weekly and not moved and not window.external_id
        window.full_clean()
        other = Availability.objects.filter(mentor=window.mentor).overlapping(window.period).exclude(pk=window.pk).first()
        if other:
            raise _meets(window.mentor, other.period)
        try:
            with transaction.atomic():
                window.save()
        except IntegrityError as error:
            # Written past this door, since we looked.
            if not WINDOWS.refused(error):
                raise
            raise _meets(window.mentor, window.period) from error
        _find_windows_again([window.mentor_id], timezone.now())


def write_ahead(mentors: Iterable[int] | None = None, *, at: datetime | None = None) -> Counter:
    """Bring the windows of these mentors (by key; all, if left out) to what their weekly hours and time off say.

    Returns how many windows were ``written`` and ``removed``. Sessions are not touched: what is booked stays. ``at``: as of
    that moment, for a program that is told to have begun earlier.
    """
    done: Counter = Counter()
    keys = sorted(Mentor.objects.values_list("pk", flat=True) if mentors is None else mentors)
    for first in range(0, len(keys), TOGETHER):
        done += _write_together(keys[first : first + TOGETHER], at or timezone.now())
    return done


@booking.retry_after_deadlock
def _write_together(keys: list[int], now: datetime) -> Counter:
    program = Program.current()
    with transaction.atomic():
        mentors = list(Mentor.objects.filter(pk__in=keys).select_related("user"))
        booking.lock(*mentors)
        hours, off, windows = defaultdict(list), defaultdict(list), defaultdict(list)
        for row in WeeklyHours.objects.filter(mentor__in=keys):
            hours[row.mentor_id].append(row.rule(program.time_zone))
        # Hours that run now began in the past, and what was closed or written there still counts.
        since = now - RECENT
        for row in TimeOff.objects.filter(mentor__in=keys).ahead(since):
            off[row.mentor_id].append(row.period)
        for row in Availability.objects.filter(Q(end_time__gt=since) | Q(instead_of_end__gt=since), mentor__in=keys):
            windows[row.mentor_id].append(row)
        stale, missing = [], []
        for mentor in mentors:
            fixed = [row for row in windows[mentor.pk] if not row.from_weekly_hours or row.end_time <= now]
            closed = [*off[mentor.pk], *(row.period for row in fixed), *filter(None, (row.instead_of for row in fixed))]
            rule = hours[mentor.pk] if mentor.takes_part else []
            until = program.midnight_after(mentor.user.leaves_on)
            wanted = set(subtract(_plan(rule, now, program.weeks_ahead, until), closed))
            there = {row.period: row.pk for row in windows[mentor.pk] if row.from_weekly_hours and row.end_time > now}
            stale += [key for period, key in there.items() if period not in wanted]
            missing += [
                Availability(mentor=mentor, start_time=period.start, end_time=period.end, from_weekly_hours=True)
                for period in sorted(wanted - there.keys())
                if period.end > now
            ]
        if stale:
            Availability.objects.filter(pk__in=stale).delete()
        if missing:
            Availability.objects.bulk_create(missing)
        if stale or missing:
            _find_windows_again(keys, now)
    return Counter(written=len(missing), removed=len(stale))


def _plan(hours: Iterable, now: datetime, weeks: int, until: datetime | None = None) -> list[Period]:
    """What weekly hours offer from now on, up to the end of the mentor's last day. Those of one mentor may meet on a night when
    the clocks change: then they are one.
    """
    plan = []
    for rule in hours:
        today = now.astimezone(rule.zone).date()
        # Yesterday's may still be running.
        plan += rule.between(today - timedelta(days=1), today + timedelta(weeks=weeks))
    plan = join(plan)
    if until:
        plan = [Period(period.start, min(period.end, until)) for period in plan if period.start < until]
    return [period for period in plan if period.end > now]


def _planned(mentor: Mentor, period: Period) -> bool:
    """Would the weekly hours write a window there?"""
    program = Program.current()
    rows = WeeklyHours.objects.filter(mentor=mentor)
    until = program.midnight_after(mentor.user.leaves_on)
    plan = _plan((row.rule(program.time_zone) for row in rows), timezone.now(), program.weeks_ahead, until)
    return any(one.overlaps(period) for one in plan)


def _find_windows_again(mentors: Collection[int], now: datetime) -> None:
    """Sessions whose window went, or was written anew, point to the one they begin in now, or to none. No change of theirs:
    the history has none.
    """
    ahead = Session.objects.active().filter(mentor__in=mentors, start_time__gt=now)
    left = Q(start_time__lt=F("availability__start_time")) | Q(start_time__gte=F("availability__end_time"))
    ahead.filter(left).update(availability=None)
    holding = Availability.objects.filter(
        mentor=OuterRef("mentor"), start_time__lte=OuterRef("start_time"), end_time__gt=OuterRef("start_time")
    )
    ahead.filter(availability=None).update(availability=Subquery(holding.values("pk")[:1]))


def _apply(change: Change) -> list[Session]:
    """Make the change and write the windows; the sessions it leaves without one."""
    mentor = change.mentor
    now = timezone.now()
    ahead = list(Session.objects.active().filter(mentor=mentor, start_time__gt=now).with_people().order_by("start_time", "pk"))
    before = _offered(mentor, now)
    held = {session.pk for session in ahead if _holds(before, session.period)}
    change.apply()
    write_ahead([mentor.pk])
    _find_windows_again([mentor.pk], now)
    left = _offered(mentor, now)
    return [
        session
        for session in ahead
        if (session.pk in held and not _holds(left, session.period))
        or any(period.overlaps(session.period) for period in change.within)
    ]


def _offered(mentor: Mentor, now: datetime) -> list[Period]:
    return merge(Availability.objects.filter(mentor=mentor).ahead(now).periods())


def _holds(windows: list[Period], period: Period) -> bool:
    return any(window.contains(period) for window in windows)


def _cut(mentor_key: int, period: Period) -> None:
    """Leave of every window ahead what lies outside this period."""
    for window in Availability.objects.filter(mentor=mentor_key).ahead().overlapping(period):
        rest = subtract([window.period], [period])
        Availability.objects.filter(pk=window.pk).delete()
        if not rest and window.instead_of:
            # What the edited window stood for stays closed.
            stood_for = window.instead_of
            TimeOff.objects.create(
                mentor_id=mentor_key, start_time=stood_for.start, end_time=stood_for.end, note="A single window, removed."
            )
        for left in rest:
            part = _copied(window)
            part.pk, part._state.adding = None, True
            part.start_time, part.end_time = left.start, left.end
            # The key names one window: the first part keeps it.
            part.external_id = window.external_id if left == rest[0] else ""
            part.save(force_insert=True)


def _clean_and_save(row: WeeklyHours | TimeOff) -> None:
    row = _copied(row)
    row.full_clean()
    row.save()


def _copied(row):
    """A change may be tried and taken back: the row in somebody's form must not think that it is saved."""
    row = copy.copy(row)
    row._state = copy.copy(row._state)
    return row


def _meets(mentor: Mentor, period: Period) -> ValidationError:
    offered = rules.when(period, timezone.get_current_timezone())
    return ValidationError(
        _("%(mentor)s already offers %(when)s. Change or remove that window, or choose a time that only touches it.")
        % {"mentor": mentor, "when": offered},
        code="overlap",
    )
