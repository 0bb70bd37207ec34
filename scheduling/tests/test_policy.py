"""The program's policy at work: what is offered, what is booked, and what time does by itself."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from scheduling import booking
from scheduling.composing import compose
from scheduling.models import MentorLimits, Notice, Program, Session
from scheduling.slots import Period
from scheduling.tasks import expire_requests

pytestmark = pytest.mark.django_db


def rule(**fields) -> None:
    Program.objects.update_or_create(pk=1, defaults=fields)


def refused(mentor, mentee, start, minutes=30) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        booking.request(mentor, mentee, start, minutes, by=mentee.user)
    return [error.code for error in refusal.value.error_list]


def starts(mentor, mentee=None, minutes=30) -> list[str]:
    found = booking.slots(mentor, minutes, until=timezone.now() + timedelta(days=60), mentee=mentee)
    return [f"{slot.start:%a %H:%M}" for slot in found]


# ---- what is offered is what is taken ---------------------------------------------------------------------------------

ALL = ["Mon 09:00", "Mon 09:30", "Mon 10:00", "Mon 10:30", "Mon 11:00", "Mon 11:30"]


def test_without_a_policy_everything_is_offered(maya, window):
    window(maya)
    assert starts(maya) == ALL


def test_notice(maya, alex, window, monday):
    window(maya)
    rule(minimum_notice_hours=24)
    with time_machine.travel(monday - timedelta(hours=23), tick=False):
        assert starts(maya) == ["Mon 10:00", "Mon 10:30", "Mon 11:00", "Mon 11:30"]
        assert refused(maya, alex, monday) == ["too_soon"]


def test_horizon(maya, alex, window, monday):
    window(maya)
    rule(horizon_days=3)
    with time_machine.travel(monday - timedelta(days=3) + timedelta(minutes=45)):
        assert starts(maya) == ["Mon 09:00", "Mon 09:30"]
        assert refused(maya, alex, monday + timedelta(hours=1)) == ["too_far"]


def test_buffer(maya, alex, bo, window, monday):
    window(maya)
    rule(buffer_minutes=15)
    booking.request(maya, bo, monday + timedelta(hours=1), 30, by=bo.user)
    assert starts(maya) == ["Mon 09:00", "Mon 11:00", "Mon 11:30"]
    assert refused(maya, alex, monday + timedelta(minutes=30)) == ["buffer"]


def test_a_buffer_reaches_over_the_end_of_a_window(maya, alex, bo, window, monday):
    """The other session lies outside of the asked period: the facts are fetched that much wider."""
    window(maya, hours=1)
    window(maya, monday + timedelta(hours=1), hours=1)
    rule(buffer_minutes=30)
    booking.request(maya, bo, monday + timedelta(hours=1), 30, by=bo.user)
    assert refused(maya, alex, monday + timedelta(minutes=30)) == ["buffer"]


def test_caps_count_requests_and_leave_out_what_was_canceled(maya, omar, alex, bo, window, monday):
    window(maya)
    window(maya, monday + timedelta(days=7))
    window(omar)
    rule(mentor_week_cap=1, mentee_week_cap=1)
    first = booking.request(maya, bo, monday, 30, by=bo.user)
    assert starts(maya) == ALL, "the next week is free, this one is full"
    assert refused(maya, alex, monday + timedelta(hours=1)) == ["mentor_week_full"]
    assert refused(omar, bo, monday + timedelta(hours=1)) == ["mentee_week_full"]
    assert (starts(omar, bo), starts(omar, alex)) == ([], ALL)
    booking.cancel(first, by=bo.user)
    assert booking.request(maya, alex, monday, 30, by=alex.user).status == "Pending"


def test_a_mentors_own_limits_take_the_place_of_the_programs(maya, omar, alex, bo, window, monday):
    window(maya)
    window(omar)
    rule(mentor_week_cap=1, buffer_minutes=60)
    MentorLimits.objects.create(mentor=maya, week_cap=3, buffer_minutes=0)
    for mentor in (maya, omar):
        booking.request(mentor, bo if mentor == maya else alex, monday, 30, by=(bo if mentor == maya else alex).user)
    assert (starts(maya), starts(omar)) == (ALL[1:], [])
    assert refused(omar, bo, monday + timedelta(hours=2)) == ["mentor_week_full"]
    assert booking.request(maya, alex, monday + timedelta(minutes=30), 30, by=alex.user).status == "Pending"


def test_a_pause_ends_with_the_day_in_the_mentors_zone(person, alex, window, monday):
    jun = person("Jun Sato", mentor=True, time_zone="Asia/Tokyo").mentor
    window(jun)
    MentorLimits.objects.create(mentor=jun, paused_until_on=(monday - timedelta(days=3)).date())
    midnight = (monday - timedelta(days=3)).replace(hour=0) - timedelta(hours=9)
    with time_machine.travel(midnight - timedelta(seconds=1), tick=False):
        assert starts(jun) == []
        assert refused(jun, alex, monday) == ["paused"]
    with time_machine.travel(midnight, tick=False):
        assert starts(jun) == ALL


def test_open_requests(maya, alex, window, monday):
    window(maya)
    rule(open_requests_cap=1)
    first = booking.request(maya, alex, monday, 30, by=alex.user)
    assert refused(maya, alex, monday + timedelta(hours=1)) == ["too_many_requests"]
    assert starts(maya, alex) == []
    booking.confirm(first, by=maya.user)
    assert starts(maya, alex) == ALL[1:]


def test_somebody_who_is_both_is_not_offered_themselves(kim, window):
    window(kim.mentor)
    assert starts(kim.mentor, kim.mentee) == []
    assert starts(kim.mentor) == ALL


def test_offering_costs_the_same_for_many_slots_as_for_one(maya, alex, window, monday, django_assert_num_queries):
    rule(mentor_week_cap=9, mentee_week_cap=9, open_requests_cap=9)
    window(maya, hours=1)
    for days in (1, 8, 15):
        window(maya, monday + timedelta(days=days), hours=8)
    with django_assert_num_queries(7):
        assert len(starts(maya, alex)) == 50


# ---- answering and canceling ------------------------------------------------------------------------------------------


def test_a_request_can_be_answered_until_its_hours_are_over_or_it_starts(maya, alex, bo, window, monday):
    window(maya)
    rule(answer_hours=24)
    with time_machine.travel(monday - timedelta(days=2), tick=False):
        early = booking.request(maya, alex, monday, 30, by=alex.user)
    with time_machine.travel(monday - timedelta(hours=5), tick=False):
        late = booking.request(maya, bo, monday + timedelta(hours=1), 30, by=bo.user)
    assert early.answer_by == monday - timedelta(days=1)
    assert late.answer_by == late.start_time


def test_what_nobody_answered_expires_frees_its_time_and_tells_both(session, maya, alex):
    with time_machine.travel(session.answer_by - timedelta(seconds=1)):
        assert expire_requests() == "0 expired"
        assert starts(maya) == ALL[1:]
    with time_machine.travel(session.answer_by + timedelta(seconds=1)):
        assert expire_requests() == "1 expired"
        assert expire_requests() == "0 expired"
        assert starts(maya) == ALL
    session.refresh_from_db()
    assert (session.status, session.ending, session.ended_by) == ("Canceled", "expired", None)
    last = session.history.latest("pk")
    assert (last.history_user, last.history_change_reason) == (None, "expired")
    told = Notice.objects.filter(kind="expired", state="pending")
    assert {notice.recipient for notice in told} == {maya.user, alex.user}
    assert not Notice.objects.filter(kind="requested", state="pending").exists()


def test_the_mentee_is_offered_three_other_times_and_the_mentor_none(session, maya, alex):
    with time_machine.travel(session.answer_by + timedelta(seconds=1)):
        booking.expire(session)
        mails = {
            notice.recipient: compose(notice, None).body
            for notice in Notice.objects.filter(kind="expired").select_related("recipient")
        }
    assert mails[alex.user].count("/book/?start=") == 3
    assert "09:00–09:30 (UTC)" in mails[alex.user]
    assert "/book/" not in mails[maya.user]
    assert "your time is free again" in mails[maya.user]


def test_an_answer_in_time_ends_the_matter(session, maya):
    booking.confirm(session, by=maya.user)
    with time_machine.travel(session.answer_by + timedelta(seconds=1)):
        assert expire_requests() == "0 expired"
    with pytest.raises(ValidationError) as refusal:
        booking.expire(session)
    assert refusal.value.code == "not_possible"


def test_a_request_that_can_still_be_answered_does_not_expire(session):
    with pytest.raises(ValidationError) as refusal:
        booking.expire(session)
    assert refusal.value.code == "too_early"


def test_what_was_agreed_is_canceled_in_time_or_by_a_coordinator(session, maya, alex, cora):
    rule(cancel_until_hours=24)
    booking.confirm(session, by=maya.user)
    with time_machine.travel(session.start_time - timedelta(hours=23)):
        assert "cancel" not in {verb.name for verb in booking.possible(Session.objects.get(), alex.user)}
        with pytest.raises(ValidationError) as refusal:
            booking.cancel(session, by=alex.user)
        sentence = "Sessions can be canceled until 24 hours before they start. Ask the program's coordinators."
        assert (refusal.value.code, refusal.value.messages) == ("too_late", [sentence])
        assert booking.cancel(session, by=cora).status == "Canceled"


def test_a_request_can_be_taken_back_at_any_time_before_it_starts(session, alex):
    rule(cancel_until_hours=24)
    with time_machine.travel(session.start_time - timedelta(hours=1)):
        assert booking.cancel(session, by=alex.user).status == "Canceled"


def test_a_past_request_brought_over_from_elsewhere_does_not_expire_at_once(maya, alex, window, monday, cora):
    window(maya)
    long_ago = timezone.now() - timedelta(days=30)
    session = booking.request(maya, alex, monday, 30, by=cora, at=long_ago)
    assert session.created_at == long_ago
    assert session.answer_by > timezone.now() + timedelta(hours=71)
    assert Period.of(monday, 30) == session.period
