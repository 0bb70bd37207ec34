"""Sessions: asked for, answered, moved, handed over, called off, reported; by everybody, in and out of turn."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, precondition, rule

from people.models import Mentor, User
from scheduling import booking
from scheduling.models import Session
from scheduling.slots import Period
from scheduling.tests.life.book import Book, tried
from scheduling.tests.life.words import (
    HALF_HOUR,
    HOUR,
    aside,
    endings,
    half_hours,
    lengths,
    mentees,
    mentors,
    some,
    whoever,
)
from scheduling.words import CONFIRMED, PENDING


class Asking(Book):
    # Sessions as somebody's page shows them, and may have shown them for a while.
    seen = Bundle("seen")

    def acting(self, acts: str, session: Session) -> tuple[User, User | None]:
        """Who acts, and on whose behalf."""
        parties = {"mentor": session.mentor.user, "mentee": session.mentee.user}
        if acts in parties:
            return parties[acts], None
        if acts == "stranger":
            return self.user(min(set(self.cast.everybody) - {session.mentor_id, session.mentee_id})), None
        return self.staff, parties.get(acts.rpartition(" ")[2])

    def offered(self, mentor, mentee, period, leave_out=None) -> bool:
        until = period.start + HOUR
        return period in booking.slots(mentor, period.minutes, until=until, mentee=mentee, leave_out=leave_out)

    # ---- asking ------------------------------------------------------------------------------------------------------------

    @rule(who=mentors, by=mentees, half_hours=half_hours, minutes=lengths, acts=whoever, set_aside=aside)
    def ask_for_any_time(self, who, by, half_hours, minutes, acts, set_aside):
        mentor, mentee = self.mentor(who), self.mentee(by)
        period = Period.of(self.hour + half_hours * HALF_HOUR, minutes)
        self.ask(mentor, mentee, period, acts, set_aside, self.offered(mentor, mentee, period))

    @rule(who=mentors, by=mentees, which=some, minutes=lengths)
    def ask_for_an_offered_time(self, who, by, which, minutes):
        self.take(who, by, which, minutes)

    @rule(who=mentors, by=mentees, which=st.integers(0, 3))
    def ask_for_one_of_the_next_times(self, who, by, which):
        self.take(who, by, which, 30)

    @rule(by=mentees, which=st.integers(0, 1), minutes=lengths)
    def ask_everybody_for_the_next_time(self, by, which, minutes):
        for who in range(3):
            self.take(who, by, which, minutes)

    def take(self, who, by, which, minutes):
        mentor, mentee = self.mentor(who), self.mentee(by)
        slots = booking.slots(mentor, minutes, until=self.now + timedelta(days=4), mentee=mentee)
        if slots:
            self.ask(mentor, mentee, slots[which % len(slots)], "mentee", "", True)

    def ask(self, mentor, mentee, period, acts, set_aside, offered):
        by, for_whom = self.acting(acts, Session(mentor=mentor, mentee=mentee))
        how = {"by": by, "on_behalf_of": for_whom, "set_aside": set_aside}
        session, codes = tried(booking.request, mentor, mentee, period.start, period.minutes, **how)
        if by != self.staff and (by.pk != mentee.pk or by.pk in self.away):
            assert codes == {"not_yours"}
        elif self.placed(codes, by, set_aside, offered, self.impossible(mentor.pk, mentee.pk, period)):
            new = {"status": PENDING, "mentor": mentor.pk, "mentee": mentee.pk, "period": period}
            self.did(session.pk, "request", by, for_whom, **new)

    # ---- answering, calling off, reporting -----------------------------------------------------------------------------------

    @precondition(lambda self: self.waiting)
    @rule(which=some, acts=st.sampled_from(["mentor", "mentor", "staff", "mentee"]))
    def confirm(self, which, acts):
        self.act(self.session(self.waiting, which), "confirm", acts)

    @precondition(lambda self: self.open)
    @rule(which=some, verb=endings, acts=whoever)
    def act_on_what_is_open(self, which, verb, acts):
        self.act(self.session(self.open, which), verb, acts)

    @precondition(lambda self: self.agreed)
    @rule(which=some, verb=st.sampled_from(["complete", "mark_no_show"]), acts=st.sampled_from(["mentor", "mentee", "staff"]))
    def take_place(self, which, verb, acts):
        session = self.session(self.agreed, which)
        self.set_clock(max(session.end_time - self.now, timedelta(0)))
        self.act(session, verb, acts)

    @precondition(lambda self: self.all)
    @rule(which=some, verb=endings, acts=whoever)
    def act_on_anything(self, which, verb, acts):
        self.act(self.session(self.all, which), verb, acts)

    @precondition(lambda self: self.all)
    @rule(target=seen, which=some)
    def somebody_opens_a_page(self, which):
        return self.session(self.all, which)

    @rule(session=seen, verb=endings, acts=whoever)
    def an_old_page_is_sent(self, session, verb, acts):
        if session.version == len(self.deeds[session.pk]):
            self.act(self.session([session.pk], 0), verb, acts)
        else:
            by, _ = self.acting(acts, session)
            assert tried(getattr(booking, verb), session, by=by, version=session.version)[1] == {"stale"}
            self.happened["stale"] += 1

    def act(self, session, verb, acts):
        by, for_whom = self.acting(acts, session)
        expected = booking.refusal(session, booking.VERBS[verb], by)
        _, codes = tried(getattr(booking, verb), session, by=by, on_behalf_of=for_whom, version=session.version)
        impossible = set()
        if verb == "confirm":
            # The rules are asked again: somebody may have left since.
            impossible = self.impossible(session.mentor_id, session.mentee_id, session.period, but=session.pk)
        if expected:
            assert codes == {expected.code}
        elif impossible:
            assert codes == impossible
        elif verb != "cancel" and for_whom == session.mentee.user:
            assert codes == {"not_yours"}
        else:
            assert not codes
            self.did(session.pk, verb, by, for_whom)

    # ---- moving and handing over ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.open)
    @rule(which=some, acts=whoever, half_hours=half_hours, minutes=st.sampled_from([None, None, 30, 60, 45]), set_aside=aside)
    def move_to_any_time(self, which, acts, half_hours, minutes, set_aside):
        session = self.session(self.open, which)
        period = Period.of(self.hour + half_hours * HALF_HOUR, minutes or session.minutes)
        self.move(session, acts, period, set_aside, self.offered(session.mentor, session.mentee, period, session))

    @precondition(lambda self: self.open)
    @rule(which=some, acts=whoever, slot=st.integers(0, 5), minutes=st.sampled_from([None, None, 30, 60]))
    def move_to_an_offered_time(self, which, acts, slot, minutes):
        session = self.session(self.open, which)
        over = {"until": self.now + timedelta(days=4), "mentee": session.mentee, "leave_out": session}
        slots = booking.slots(session.mentor, minutes or session.minutes, **over)
        if slots:
            self.move(session, acts, slots[slot % len(slots)], "", True)

    @precondition(lambda self: self.all)
    @rule(which=some, acts=whoever, half_hours=half_hours)
    def move_anything(self, which, acts, half_hours):
        session = self.session(self.all, which)
        period = Period.of(self.hour + half_hours * HALF_HOUR, session.minutes)
        self.move(session, acts, period, "", self.offered(session.mentor, session.mentee, period, session))

    def move(self, session, acts, period, set_aside, offered):
        by, for_whom = self.acting(acts, session)
        expected = booking.refusal(session, booking.VERBS["reschedule"], by)
        minutes = None if period.minutes == session.minutes else period.minutes
        how = {"by": by, "on_behalf_of": for_whom, "set_aside": set_aside, "version": session.version}
        _, codes = tried(booking.reschedule, session, period.start, minutes, **how)
        impossible = self.impossible(session.mentor_id, session.mentee_id, period, but=session.pk)
        if expected:
            assert codes == {expected.code}
        elif period == session.period:
            assert codes == {"same_time"}
        elif self.placed(codes, by, set_aside, offered, impossible):
            waits = {"status": PENDING} if (for_whom or by).pk == session.mentee_id else {}
            self.did(session.pk, "reschedule", by, for_whom, period=period, **waits)
            # The same form sent again is the same move.
            assert not tried(booking.reschedule, session, period.start, minutes, **how)[1]

    @precondition(lambda self: self.open)
    @rule(
        which=some,
        to=mentors,
        acts=st.sampled_from(["staff", "staff", "staff for the mentee", "mentor"]),
        half_hours=st.sampled_from([0, 0, 0, 1, -1, 2, 10]),
        agreed=st.booleans(),
        set_aside=aside,
    )
    def hand_over(self, which, to, acts, half_hours, agreed, set_aside):
        session = self.session(self.open, which)
        period = Period.of(session.start_time + half_hours * HALF_HOUR, session.minutes)
        self.give(session, self.mentor(to), acts, period, agreed, set_aside)

    @precondition(lambda self: self.open)
    @rule(which=some, to=st.integers(0, 1), agreed=st.booleans())
    def hand_over_to_somebody_free(self, which, to, agreed):
        session = self.session(self.open, which)
        others = Mentor.objects.exclude(pk__in=[session.mentor_id, session.mentee_id]).order_by("pk")
        if found := [key for key, _ in booking.free(others, session.minutes, session.period)]:
            heir = Mentor.objects.with_people().get(pk=found[to % len(found)])
            self.give(session, heir, "staff", session.period, agreed, "")

    def give(self, session, heir, acts, period, agreed, set_aside):
        by, for_whom = self.acting(acts, session)
        expected = booking.refusal(session, booking.VERBS["reassign"], by)
        offered = self.offered(heir, session.mentee, period, session)
        how = {"by": by, "on_behalf_of": for_whom, "agreed": agreed, "set_aside": set_aside, "version": session.version}
        _, codes = tried(booking.reassign, session, heir, None if period == session.period else period.start, **how)
        impossible = self.impossible(heir.pk, session.mentee_id, period, but=session.pk)
        if expected:
            assert codes == {expected.code}
        elif heir.pk == session.mentor_id:
            assert codes == {"same_mentor"}
        elif self.placed(codes, by, set_aside, offered, impossible):
            new = {"status": CONFIRMED if agreed else PENDING, "mentor": heir.pk, "period": period}
            self.did(session.pk, "reassign", by, for_whom, left=session.mentor_id, **new)
