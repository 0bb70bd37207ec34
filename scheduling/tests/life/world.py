"""What goes on around the sessions: people leave and come back, limits, policy, messages, the clock and the worker."""

from datetime import timedelta
from itertools import cycle

from django.core import mail
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from people.models import NotificationSettings
from scheduling import leaving
from scheduling.models import Availability, MentorLimits, Notice, Program
from scheduling.notices import SWITCH
from scheduling.tasks import expire_requests, send_due
from scheduling.tests.life.book import Book, tried
from scheduling.tests.life.words import HARD, HOUR, SOFT, TRUE_IN, aside, dice, mentors, people, policies, some
from scheduling.words import CONFIRMED, PENDING, State

# The policy's default, which the machine does not change.
TO_UNDO = timedelta(minutes=2)


class World(Book):
    @rule(who=people, decisions=dice, agreed=st.booleans(), set_aside=aside)
    def leave(self, who, decisions, agreed, set_aside):
        user, by = self.user(self.cast.everybody[who]), self.staff
        rolls, decided = cycle(decisions), {}
        for session in leaving.ahead(user):
            if (roll := next(rolls)) < 5:
                decided[session.pk] = self.mentor(roll) if roll < 2 else None
        last = {key: self.deeds[key][-1] for key in self.open}
        concerned = {key for key, deed in last.items() if user.pk in deed.people and deed.period.start > self.now}
        how = {"decided": decided, "agreed": agreed, "set_aside": set_aside, "reason": "They moved away."}
        sessions, codes = tried(leaving.leave, user, by=by, **how)
        if user.pk in self.away and not concerned:
            assert codes == {"already"}
        elif concerned - decided.keys():
            assert codes == {"undecided"}
        elif codes:
            # Somebody cannot take over: nothing has happened.
            assert any(decided.values())
            assert codes <= HARD | SOFT | {"same_mentor", "not_the_mentor"}
        else:
            assert {session.pk for session in sessions} == concerned
            # What they attend, nobody takes over.
            assert all(heir is None or user.pk == last[key].mentor for key, heir in decided.items())
            for key, heir in decided.items():
                if heir:
                    status = CONFIRMED if agreed else PENDING
                    self.did(key, "reassign", by, mentor=heir.pk, left=user.pk, status=status, wait=TO_UNDO)
                else:
                    self.did(key, "cancel", by, wait=TO_UNDO)
            self.away.add(user.pk)
            self.left[user.pk] = self.step
            self.happened["leave with sessions" if sessions else "leave"] += 1
            assert not Availability.objects.filter(mentor=user.pk).ahead().exists()

    @precondition(lambda self: self.away)
    @rule(who=people)
    def come_back(self, who):
        key = sorted(self.away)[who % len(self.away)]
        leaving.come_back(self.user(key), by=self.staff)
        self.away.remove(key)
        self.happened["come back"] += 1

    @rule(who=mentors, cap=st.sampled_from([None, 2]), buffer=st.sampled_from([None, 0, 30]), pause=st.integers(-3, 2))
    def a_mentor_sets_limits(self, who, cap, buffer, pause):
        until = self.now.date() + timedelta(days=pause) if pause > 0 else None
        limits = {"week_cap": cap, "buffer_minutes": buffer, "paused_until_on": until}
        MentorLimits.objects.update_or_create(mentor_id=self.cast.mentors[who], defaults=limits)

    @rule(who=people, wanted=st.lists(st.booleans(), min_size=5, max_size=5))
    def somebody_chooses_messages(self, who, wanted):
        switches = dict(zip(NotificationSettings.SWITCHES, wanted, strict=True))
        NotificationSettings.objects.update_or_create(user_id=self.cast.everybody[who], defaults=switches)

    @rule(policy=policies)
    def the_policy_changes(self, policy):
        Program.objects.update_or_create(pk=1, defaults=policy)
        self.policy = policy

    @rule(minutes=st.sampled_from([10, 60, 60, 120, 300, 1800]))
    def time_passes(self, minutes):
        self.set_clock(timedelta(minutes=minutes))

    @precondition(lambda self: self.open)
    @rule(which=some, minutes=st.sampled_from([-61, -60, -15, -10, 0, 1, 30, 60]))
    def a_session_comes_near(self, which, minutes):
        start = self.deeds[self.open[which % len(self.open)]][-1].period.start
        self.set_clock(max(start + timedelta(minutes=minutes) - self.now, timedelta(0)))

    @rule()
    def the_clock_is_put_back(self):
        self.set_clock(-2 * HOUR)

    @rule()
    def requests_expire(self):
        expired = [key for key in self.waiting if self.deeds[key][-1].answer_by <= self.now]
        expire_requests()
        for key in expired:
            self.did(key, "expire", None)

    @rule()
    def mail_goes_out(self):
        """What is due is sent, if it is still true, wanted and in time; the rest says why not."""
        due = list(
            Notice.objects.due(self.now).values_list("pk", "kind", "recipient_id", "session_id", "expires_at", "part_of")
        )
        switches = {row.user_id: row for row in NotificationSettings.objects.all()}
        mail.outbox.clear()
        send_due()
        messages = set()
        for key, kind, recipient, session, expires_at, hand_over in due:
            status = self.deeds[session][-1].status
            wanted = getattr(switches.get(recipient, NotificationSettings()), SWITCH[kind])
            goes = wanted and status in TRUE_IN.get(kind, (status,)) and recipient not in self.away
            self.swept[key] = State.SUPPRESSED if not goes else State.SENT if self.now < expires_at else State.EXPIRED
            if self.swept[key] == State.SENT:
                # Who has several from one hand-over gets them as one.
                messages.add((hand_over, recipient) if hand_over else key)
        assert len(mail.outbox) == len(messages)
        self.happened["mail"] += len(messages)
