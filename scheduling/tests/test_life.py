"""A program's life at random: people offer, ask, answer, cancel, leave and come back; the policy and the clock change.

Whatever happens, what must never be false is not. `LIFE_RUNS` and `LIFE_STEPS` in the environment make it longer.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from people.models import Mentee, Mentor, User
from scheduling import booking, guard
from scheduling.models import Availability, Notice, Program, Session
from scheduling.tasks import expire_requests
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, REMINDERS

RUNS = int(os.environ.get("LIFE_RUNS", "30"))
STEPS = int(os.environ.get("LIFE_STEPS", "25"))
BEGINNING = datetime(2027, 3, 22, 6, tzinfo=UTC)  # a week before the clocks change in Berlin

people = st.integers(0, 3)
verbs = st.sampled_from(sorted(booking.VERBS))
POLICIES = st.fixed_dictionaries(
    {
        "minimum_notice_hours": st.sampled_from([0, 2]),
        "buffer_minutes": st.sampled_from([0, 30]),
        "mentor_week_cap": st.sampled_from([None, 2]),
        "mentee_week_cap": st.sampled_from([None, 2]),
        "open_requests_cap": st.sampled_from([None, 1]),
        "cancel_until_hours": st.sampled_from([0, 12]),
    }
)
# Refusals that a booking may meet; anything else is an error.
RULES = {
    *("same_person", "inactive", "past", "mentor_taken", "mentee_taken", "length", "outside_window", "off_step"),
    *("too_soon", "too_far", "buffer", "mentor_week_full", "mentee_week_full", "too_many_requests"),
}


def refused(verb, *args, **kwargs) -> set[str]:
    """Try it; the codes of the refusal, none if it was done. Any other error ends the test."""
    try:
        verb(*args, **kwargs)
    except ValidationError as refusal:
        return {error.code for error in refusal.error_list}
    return set()


class Life(RuleBasedStateMachine):
    """Four people, two of them in both roles, and a superuser. Everything is rolled back at the end of a run."""

    def __init__(self):
        super().__init__()
        self.clock = time_machine.travel(BEGINNING, tick=False)
        self.traveller = self.clock.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = BEGINNING

    @initialize(policy=POLICIES)
    def people_are_there(self, policy):
        Program.objects.update_or_create(pk=1, defaults=policy)
        users = [User.objects.create_user(email=f"p{n}@example.org", first_name=f"P{n}") for n in range(4)]
        self.mentors = [Mentor.objects.create(user=user) for user in users[:3]]
        self.mentees = [Mentee.objects.create(user=user) for user in users[1:]]
        for mentor in self.mentors:
            for day in range(4):
                start = self.now + timedelta(days=day, hours=4)
                Availability.objects.create(mentor=mentor, start_time=start, end_time=start + timedelta(hours=4))
        self.staff = User.objects.create_user(email="s@example.org", first_name="S", is_staff=True, is_superuser=True)

    def mentor(self, who) -> Mentor:
        return Mentor.objects.select_related("user").get(pk=self.mentors[who % 3].pk)

    def mentee(self, who) -> Mentee:
        return Mentee.objects.select_related("user").get(pk=self.mentees[who % 3].pk)

    # ---- what happens ---------------------------------------------------------------------------------------------------

    @rule(who=people, hours_ahead=st.integers(1, 60), length=st.integers(1, 6))
    def offer(self, who, hours_ahead, length):
        start = self.now + timedelta(hours=hours_ahead)
        Availability.objects.create(mentor=self.mentor(who), start_time=start, end_time=start + timedelta(minutes=30 * length))

    @rule(who=people, by=people, half_hours=st.integers(-2, 130), minutes=st.sampled_from([30, 60, 45]))
    def ask_for_any_time(self, who, by, half_hours, minutes):
        mentor, mentee, start = self.mentor(who), self.mentee(by), self.now + timedelta(minutes=30 * half_hours)
        offered = {slot.start for slot in booking.slots(mentor, minutes, until=start + timedelta(days=3), mentee=mentee)}
        why_not = refused(booking.request, mentor, mentee, start, minutes, by=mentee.user)
        assert why_not <= RULES or why_not == {"not_yours"}
        # Offered and taken are one thing, but that somebody who left may not even ask.
        assert (start in offered) is (not why_not) or not mentee.user.is_active

    @rule(who=people, by=people, which=st.integers(0, 50), minutes=st.sampled_from([30, 60]))
    def ask_for_an_offered_time(self, who, by, which, minutes):
        self.take(who, by, which, minutes)

    @rule(who=people, by=people, which=st.integers(0, 5))
    def ask_for_one_of_the_next_times(self, who, by, which):
        self.take(who, by, which, 30)

    def take(self, who, by, which, minutes):
        mentor, mentee = self.mentor(who), self.mentee(by)
        offered = booking.slots(mentor, minutes, until=self.now + timedelta(days=4), mentee=mentee)
        if offered and mentee.user.is_active:
            slot = offered[which % len(offered)]
            assert booking.request(mentor, mentee, slot.start, minutes, by=mentee.user).period == slot

    @precondition(lambda self: Session.objects.active().exists())
    @rule(which=st.integers(0, 50), verb=verbs, by=st.sampled_from(["mentor", "mentee", "staff"]))
    def act_on_what_is_open(self, which, verb, by):
        self.act(Session.objects.active().order_by("pk")[which % Session.objects.active().count()], verb, by)

    @precondition(lambda self: Session.objects.pending().exists())
    @rule(which=st.integers(0, 50))
    def confirm(self, which):
        self.act(Session.objects.pending().order_by("pk")[which % Session.objects.pending().count()], "confirm", "mentor")

    @precondition(lambda self: Session.objects.exists())
    @rule(which=st.integers(0, 50), verb=verbs, stranger=people)
    def act_on_anything(self, which, verb, stranger):
        self.act(Session.objects.order_by("pk")[which % Session.objects.count()], verb, stranger)

    def act(self, session, verb, by):
        who = {"mentor": session.mentor_id, "mentee": session.mentee_id, "staff": self.staff.pk}
        user = User.objects.get(pk=who.get(by) or [*self.mentors, self.mentees[2]][by].pk)
        expected = booking.refusal(session, booking.VERBS[verb], user)
        why_not = refused(getattr(booking, verb), session, by=user)
        if expected is None and verb == "confirm":
            # The rules are asked again: somebody may have left since.
            assert why_not <= RULES
        else:
            assert why_not == ({expected.code} if expected else set())

    @rule(hours=st.sampled_from([1, 1, 2, 5, 30]))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        self.traveller.move_to(self.now, tick=False)

    @rule()
    def the_worker_looks(self):
        expire_requests()
        assert not Session.objects.unanswered().exists()

    @rule(who=people)
    def somebody_leaves_and_the_others_come_back(self, who):
        User.objects.update(is_active=True)
        User.objects.filter(pk=[*self.mentors, self.mentees[2]][who].pk).update(is_active=False)

    @rule(policy=POLICIES)
    def the_policy_changes(self, policy):
        Program.objects.update_or_create(pk=1, defaults=policy)

    # ---- what is never false ----------------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_in_two_places(self):
        assert guard.overlaps(connection) == []

    @invariant()
    def nothing_is_confirmed_without_the_mentor_or_staff(self):
        for session in Session.objects.filter(status__in=[CONFIRMED, COMPLETED, NO_SHOW]):
            by = session.history.get(history_change_reason__startswith="confirmed").history_user
            assert by.pk == session.mentor_id or by == self.staff

    @invariant()
    def every_change_is_in_the_history(self):
        for session in Session.objects.all():
            assert session.history.count() == session.version

    @invariant()
    def every_promise_is_in_the_notices_and_none_is_left_to_what_is_off(self):
        for session in Session.objects.all():
            kinds = set(session.notices.values_list("kind", flat=True))
            confirmed = session.history.filter(history_change_reason__startswith="confirmed").exists()
            assert (set(REMINDERS) <= kinds) is confirmed
            assert (session.status != CANCELED) or str(session.ending) in kinds
        owed = Notice.objects.filter(state="pending")
        assert not owed.filter(kind__in=REMINDERS).exclude(session__status__in=[CONFIRMED, COMPLETED, NO_SHOW]).exists()

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.clock.stop()


@pytest.mark.django_db
def test_a_programs_life():
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
