"""What mentors offer: weekly hours, time off and single windows, made, changed and taken away, with what is booked in them."""

from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import rule

from scheduling import offering
from scheduling.models import Availability, Program, TimeOff, WeeklyHours
from scheduling.slots import Period, merge, subtract
from scheduling.tests.life.book import Book, tried
from scheduling.tests.life.words import HALF_HOUR, HOUR, dice, half_hours, mentors, seldom, some, weekly_hours, what_to_do
from scheduling.words import CONFIRMED


def held(windows: list[Period], period: Period) -> bool:
    """Do these windows (merged) hold it?"""
    before = bisect_right(windows, period.start, key=lambda window: window.start)
    return before > 0 and windows[before - 1].end >= period.end


def offers(hours: WeeklyHours, moment: datetime) -> bool:
    """Do these weekly hours offer this half hour? Read off the clock on the mentor's wall."""
    local = moment.astimezone(ZoneInfo(hours.time_zone))
    day, at = local.date(), local.time()
    overnight = hours.ends <= hours.begins
    if overnight and at < hours.ends:
        day -= timedelta(days=1)
    elif not (hours.begins <= at and (overnight or at < hours.ends)):
        return False
    week = (day - hours.valid_from_on + timedelta(days=hours.valid_from_on.weekday())).days // 7
    valid = hours.valid_from_on <= day <= (hours.valid_until_on or day)
    return valid and day.weekday() == hours.weekday and week % hours.every_weeks == 0


class Offering(Book):
    @rule(what=what_to_do, who=mentors, which=some, fields=weekly_hours, decisions=dice, by_staff=seldom)
    def weekly_hours(self, what, who, which, fields, decisions, by_staff):
        row = self.pick(what, WeeklyHours.objects.order_by("pk"), which)
        if what == "remove" and row:
            self.change(offering.remove_hours(row), decisions, by_staff)
        else:
            row = row or WeeklyHours(mentor=self.mentor(who))
            for name, value in fields.items():
                setattr(row, name, value)
            self.change(offering.save_hours(row), decisions, by_staff)

    @rule(
        what=what_to_do, who=mentors, which=some, start=half_hours, length=st.integers(1, 30), decisions=dice, by_staff=seldom
    )
    def time_off(self, what, who, which, start, length, decisions, by_staff):
        row = self.pick(what, TimeOff.objects.order_by("pk"), which)
        if what == "remove" and row:
            self.change(offering.remove_time_off(row), decisions, by_staff)
        else:
            # In what was off before, a window may have been added since.
            before = [row.period] if row else []
            row = row or TimeOff(mentor=self.mentor(who))
            row.start_time = self.hour + start * HALF_HOUR
            row.end_time = row.start_time + length * HALF_HOUR
            if self.change(offering.save_time_off(row), decisions, by_staff):
                self.nothing_is_offered(row, subtract([row.period], before))

    @rule(what=what_to_do, who=mentors, which=some, start=half_hours, length=st.integers(1, 8), decisions=dice, by_staff=seldom)
    def single_window(self, what, who, which, start, length, decisions, by_staff):
        row = self.pick(what, Availability.objects.ahead().order_by("start_time", "pk"), which)
        if what == "remove" and row:
            if self.change(offering.remove_window(row), decisions, by_staff):
                offering.write_ahead([row.mentor_id])
                self.nothing_is_offered(row, [row.period])
        else:
            # One that is there is edited a little.
            start = row.start_time + start % 4 * HALF_HOUR if row else self.hour + start * HALF_HOUR
            row = row or Availability(mentor=self.mentor(who))
            row.start_time, row.end_time = start, start + length * HALF_HOUR
            self.change(offering.save_window(row), decisions, by_staff)

    @rule()
    def windows_are_written(self):
        """Twice: the second time there is nothing to do. Then it is as the weekly hours say, half hour by half hour."""
        offering.write_ahead()
        assert offering.write_ahead() == Counter()
        half_hours = range((7 * Program.current().weeks_ahead - 1) * 48)
        moments = [self.hour + HOUR + number * HALF_HOUR for number in half_hours]
        for key in self.cast.mentors:
            rows = list(Availability.objects.filter(mentor=key).ahead())
            by_hand = [row for row in rows if not row.from_weekly_hours]
            closed = [*TimeOff.objects.filter(mentor=key).periods(), *(row.period for row in by_hand)]
            closed = merge([*closed, *(row.instead_of for row in by_hand if row.instead_of)])
            written = merge(row.period for row in rows if row.from_weekly_hours)
            hours = [] if key in self.away else list(WeeklyHours.objects.filter(mentor=key))
            for moment in moments:
                half_hour = Period(moment, moment + HALF_HOUR)
                wanted = not held(closed, half_hour) and any(offers(row, moment) for row in hours)
                assert held(written, half_hour) is wanted, half_hour

    def pick(self, what, rows, which):
        """The row to change or remove, if there is one."""
        rows = list(rows.select_related("mentor__user")) if what != "add" else []
        return rows[which % len(rows)] if rows else None

    def nothing_is_offered(self, row, periods):
        for period in periods:
            assert not Availability.objects.filter(mentor=row.mentor).ahead().overlapping(period).exists()

    def windows(self, mentor: int) -> list[Period]:
        return merge(Availability.objects.filter(mentor=mentor).ahead().periods())

    def change(self, change, decisions, by_staff) -> bool:
        """Make a change, after a decision about each session that it touches. True if it was made."""
        mentor = change.mentor
        by = self.staff if by_staff or mentor.pk in self.away else mentor.user
        before, touched = self.windows(mentor.pk), []
        made, codes = tried(offering.make, change, by=by)
        if codes:
            touched, refusal = tried(offering.touched, change)
            assert codes == (refusal or {"undecided"})
            assert refusal <= {"overlap"}
            assert self.windows(mentor.pk) == before
            if refusal:
                self.happened["overlap"] += 1
                return False
        rolls, decided = cycle(decisions), defaultdict(list)
        for session in touched:
            decided[("keep", "cancel", "cancel", "keep", "keep", "undecided")[next(rolls)]].append(session)
        keep, cancel = ([session.pk for session in decided[what]] for what in ("keep", "cancel"))
        agreed_until = self.now + timedelta(hours=self.policy["cancel_until_hours"])
        late = any(session.status == CONFIRMED and session.start_time < agreed_until for session in decided["cancel"])
        if touched:
            made, codes = tried(offering.make, change, by=by, keep=keep, cancel=cancel)
        after = self.windows(mentor.pk)
        if codes:
            assert codes == {"undecided"} if decided["undecided"] else late and by != self.staff and codes == {"too_late"}
            assert after == before
            return False
        assert made == touched
        for key in cancel:
            self.did(key, "cancel", by, None if by == mentor.user else mentor.user)
        # No session lost its window without a question.
        for key in set(self.open) - set(keep):
            deed = self.deeds[key][-1]
            if deed.mentor == mentor.pk and deed.period.start > self.now and held(before, deed.period):
                assert held(after, deed.period)
        self.happened["hours changed with sessions" if touched else "hours changed"] += 1
        return True
