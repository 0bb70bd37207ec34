"""Moving a session, handing it over, acting for others, and setting soft rules aside."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError

from people.models import User
from scheduling import booking
from scheduling.models import MentorLimits, Notice, Program, Session
from scheduling.rules import when
from scheduling.slots import Period

HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)


def refused(verb, *args, **kwargs) -> tuple[list[str], list[str]]:
    """The codes and the sentences of the refusal."""
    with pytest.raises(ValidationError) as refusal:
        verb(*args, **kwargs)
    return [error.code for error in refusal.value.error_list], refusal.value.messages


def owed(session) -> set[tuple[str, str, str]]:
    """What is still to be sent: kind, to whom, and about which start."""
    pending = Notice.objects.filter(session=session, state="pending").select_related("recipient")
    return {(notice.kind, notice.recipient.first_name, f"{notice.start_time:%H:%M}") for notice in pending}


def story(session) -> list[tuple[str, str | None, str | None, str]]:
    """What happened, by whom, for whom, and why; the latest last."""
    return [
        (
            row.history_change_reason,
            row.history_user and row.history_user.first_name,
            row.acted_for and row.acted_for.first_name,
            row.reason,
        )
        for row in session.history.order_by("history_id")
    ]


# ---- moving -------------------------------------------------------------------------------------------------------------


def test_what_a_mentee_moves_waits_for_the_mentor_again(session, maya, alex, monday):
    booking.confirm(session, by=maya.user)
    moved = booking.reschedule(session, monday + HOUR, 60, by=alex.user, reason="The bus.")
    assert (moved.status, moved.period) == ("Pending", Period.of(monday + HOUR, 60))
    assert moved.answer_by <= moved.start_time
    assert owed(session) == {("rescheduled", "Maya", "10:00")}
    assert story(session)[-1] == ("moved", "Alex", None, "The bus.")
    booking.confirm(moved, by=maya.user)
    assert owed(session) == {
        ("rescheduled", "Maya", "10:00"),
        ("confirmed", "Alex", "10:00"),
        *((kind, name, "10:00") for kind in ("reminder_60", "reminder_15") for name in ("Maya", "Alex")),
    }


def test_what_a_mentor_moves_stays_agreed_and_its_reminders_move_along(session, maya, monday):
    booking.confirm(session, by=maya.user)
    moved = booking.reschedule(session, monday + HOUR, by=maya.user)
    assert (moved.status, moved.minutes) == ("Confirmed", 30)
    assert owed(session) == {
        ("rescheduled", "Alex", "10:00"),
        *((kind, name, "10:00") for kind in ("reminder_60", "reminder_15") for name in ("Maya", "Alex")),
    }
    taken_back = Notice.objects.filter(session=session, kind__startswith="reminder", start_time=monday)
    assert set(taken_back.values_list("state", "detail")) == {("suppressed", "The session was moved.")}


def test_a_request_stays_one_whoever_moves_it(session, maya, alex, monday):
    assert booking.reschedule(session, monday + HOUR, by=maya.user).status == "Pending"
    moved = booking.reschedule(session, monday + 2 * HOUR, by=alex.user)
    assert moved.status == "Pending"
    assert moved.answer_by <= moved.start_time


def test_moved_away_and_back_it_owes_everything_anew(session, maya, monday):
    booking.confirm(session, by=maya.user)
    booking.reschedule(session, monday + HOUR, by=maya.user)
    booking.reschedule(session, monday, by=maya.user)
    assert owed(session) == {
        ("rescheduled", "Alex", "09:00"),
        *((kind, name, "09:00") for kind in ("reminder_60", "reminder_15") for name in ("Maya", "Alex")),
    }


def test_a_session_may_be_moved_into_time_it_takes_itself(session, alex, monday):
    moved = booking.reschedule(session, monday, 60, by=alex.user)
    assert moved.period == Period.of(monday, 60)
    moved = booking.reschedule(session, monday + HALF, 60, by=alex.user)
    assert moved.period == Period.of(monday + HALF, 60)
    assert monday in [slot.start for slot in booking.slots(moved.mentor, 30, until=monday + HOUR, leave_out=moved)]
    assert booking.slots(moved.mentor, 30, until=monday + HOUR) == [Period.of(monday, 30)]


def test_moving_asks_the_rules_of_a_request(session, maya, alex, bo, zoe, monday):
    booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    codes, _ = refused(booking.reschedule, session, monday + HOUR, by=alex.user)
    assert codes == ["mentor_taken"]
    codes, _ = refused(booking.reschedule, session, monday + 5 * HOUR, by=alex.user)
    assert codes == ["outside_window"]
    assert refused(booking.reschedule, session, monday, by=alex.user)[0] == ["same_time"]
    assert refused(booking.reschedule, session, monday + HALF, by=zoe.user) == (
        ["not_yours"],
        ["This session can only be moved by the mentor or the mentee."],
    )
    session.refresh_from_db()
    assert (session.start_time, session.version) == (monday, 1)


def test_caps_do_not_count_the_session_that_moves(session, alex, monday):
    Program.objects.update(mentor_week_cap=1, mentee_week_cap=1, open_requests_cap=1)
    assert booking.reschedule(session, monday + HOUR, by=alex.user).start_time == monday + HOUR


def test_nothing_that_has_begun_is_moved_and_nothing_into_the_past(session, maya, omar, cora, monday):
    booking.confirm(session, by=maya.user)
    begun = ["This session has already begun: it cannot be moved."]
    with time_machine.travel(monday, tick=False):
        assert refused(booking.reschedule, session, monday + HOUR, by=cora) == (["too_late"], begun)
        codes, sentences = refused(booking.reassign, session, omar, by=cora)
        assert (codes, sentences) == (["too_late"], ["This session has already begun: it cannot be handed over."])
    with time_machine.travel(monday - HALF, tick=False):
        codes, _ = refused(booking.reschedule, session, monday - HOUR, by=cora, set_aside="She asked for it.")
        assert codes == ["past"]


def test_what_was_agreed_is_moved_in_time_or_by_a_coordinator(session, maya, alex, cora, monday):
    Program.objects.update(cancel_until_hours=24)
    booking.confirm(session, by=maya.user)
    with time_machine.travel(monday - 2 * HOUR, tick=False):
        sentence = "Sessions can be moved until 24 hours before they start. Ask the program's coordinators."
        assert refused(booking.reschedule, session, monday + HOUR, by=alex.user) == (["too_late"], [sentence])
        assert booking.reschedule(session, monday + HOUR, by=cora).start_time == monday + HOUR


def test_the_same_form_sent_twice_moves_once(session, alex, maya, monday):
    for _ in range(2):
        moved = booking.reschedule(session, monday + HOUR, by=alex.user, version=1)
        assert (moved.version, moved.start_time) == (2, monday + HOUR)
    assert len(story(session)) == 2
    codes, _ = refused(booking.reschedule, session, monday + 2 * HOUR, by=alex.user, version=1)
    assert codes == ["stale"]
    codes, _ = refused(booking.reschedule, session, monday + HOUR, by=maya.user, version=1)
    assert codes == ["stale"]


def test_a_pause_is_for_new_requests_and_not_for_what_is_booked(session, maya, alex, bo, monday):
    MentorLimits.objects.create(mentor=maya, paused_until_on=monday.date() + timedelta(days=30))
    assert refused(booking.request, maya, bo, monday + HOUR, 30, by=bo.user)[0] == ["paused"]
    assert booking.reschedule(session, monday + HOUR, by=alex.user).start_time == monday + HOUR


# ---- handing over -------------------------------------------------------------------------------------------------------


def test_a_session_handed_over_waits_for_the_new_mentors_yes(session, maya, omar, cora, window):
    window(omar)
    booking.confirm(session, by=maya.user)
    handed = booking.reassign(session, omar, by=cora, on_behalf_of=maya.user, reason="Maya is ill.")
    assert (handed.mentor, handed.status, handed.availability.mentor) == (omar, "Pending", omar)
    assert owed(session) == {("reassigned", name, "09:00") for name in ("Maya", "Omar", "Alex")}
    assert story(session)[-1] == ("handed over for the mentor", "Cora", "Maya", "Maya is ill.")
    assert booking.confirm(handed, by=omar.user).status == "Confirmed"
    assert refused(booking.cancel, handed, by=maya.user)[0] == ["not_yours"]


def test_a_mentor_who_has_agreed_already_is_not_asked_again(session, omar, cora, window, monday):
    window(omar)
    handed = booking.reassign(session, omar, monday + HOUR, 60, by=cora, agreed=True)
    assert (handed.status, handed.period, handed.answer_by) == ("Confirmed", Period.of(monday + HOUR, 60), None)
    assert {(kind, name) for kind, name, _ in owed(session)} == {
        *(("reassigned", name) for name in ("Maya", "Omar", "Alex")),
        *((kind, name) for kind in ("reminder_60", "reminder_15") for name in ("Omar", "Alex")),
    }


def test_the_mentor_of_before_hears_of_it_whatever_comes_next(session, maya, omar, alex, cora, window):
    window(omar)
    booking.reassign(session, omar, by=cora)
    booking.cancel(Session.objects.with_people().get(), by=alex.user)
    assert owed(session) == {("reassigned", "Maya", "09:00"), ("canceled", "Omar", "09:00")}


def test_only_coordinators_hand_over_and_only_to_somebody_free(session, maya, omar, alex, bo, cora, window, monday):
    only = ["This session can only be handed over by the program’s coordinators."]
    for user in (maya.user, alex.user, omar.user):
        assert refused(booking.reassign, session, omar, by=user) == (["not_yours"], only)
    window(omar)
    booking.request(omar, bo, monday, 30, by=bo.user)
    assert refused(booking.reassign, session, omar, by=cora)[0] == ["mentor_taken"]
    assert refused(booking.reassign, session, maya, by=cora) == (
        ["same_mentor"],
        ["Maya Lopez is the mentor already. Choose another one."],
    )


def test_nobody_is_handed_over_to_themselves(maya, kim, cora, window, monday):
    window(maya)
    window(kim.mentor)
    session = booking.request(maya, kim.mentee, monday, 30, by=kim)
    assert "same_person" in refused(booking.reassign, session, kim.mentor, by=cora, set_aside="Why not.")[0]


def test_a_page_from_before_the_handing_over_is_old(session, maya, omar, alex, cora, window):
    window(omar)
    old = Session.objects.with_people().get(pk=session.pk)
    booking.reassign(session, omar, by=cora)
    assert refused(booking.confirm, old, by=maya.user)[0] == ["stale"]


# ---- acting for others, and setting rules aside -------------------------------------------------------------------------


def test_who_acted_for_whom_is_kept_with_every_change(maya, alex, cora, window, monday):
    window(maya)
    session = booking.request(maya, alex, monday, 30, by=cora, on_behalf_of=alex.user)
    session = booking.confirm(session, by=cora, on_behalf_of=maya.user)
    session = booking.reschedule(session, monday + HOUR, by=cora, on_behalf_of=alex.user, reason="He called.")
    session = booking.cancel(session, by=cora, reason="Snow.")
    assert story(session) == [
        ("requested for the mentee", "Cora", "Alex", ""),
        ("confirmed for the mentor", "Cora", "Maya", ""),
        ("moved for the mentee", "Cora", "Alex", "He called."),
        ("canceled for the program", "Cora", None, "Snow."),
    ]
    assert session.ended_by == cora


def test_what_a_coordinator_moves_for_the_mentee_waits_for_the_mentor(session, maya, alex, cora, monday):
    booking.confirm(session, by=maya.user)
    assert booking.reschedule(session, monday + HOUR, by=cora, on_behalf_of=alex.user).status == "Pending"


def test_nobody_else_acts_for_others_and_nobody_for_strangers(session, maya, alex, zoe, cora):
    assert refused(booking.cancel, session, by=alex.user, on_behalf_of=maya.user) == (
        ["not_yours"],
        ["Only coordinators act for others."],
    )
    assert refused(booking.cancel, session, by=cora, on_behalf_of=zoe.user) == (
        ["not_a_party"],
        ["Zoe Novak takes no part in this session."],
    )
    session.refresh_from_db()
    assert session.status == "Pending"


def test_soft_rules_are_set_aside_with_a_reason_that_is_kept(maya, alex, cora, monday):
    evening = monday + 9 * HOUR
    assert refused(booking.request, maya, alex, evening, 45, by=cora)[0] == ["length", "outside_window"]
    session = booking.request(maya, alex, evening, 45, by=cora, set_aside="They agreed on the phone.")
    assert (session.set_aside, session.set_aside_reason) == (["length", "outside_window"], "They agreed on the phone.")
    assert story(session) == [("requested for the program, rules set aside", "Cora", None, "")]
    assert session.history.get().set_aside_reason == "They agreed on the phone."
    booking.confirm(session, by=maya.user)
    assert story(session)[-1][0] == "confirmed"


def test_a_reason_where_no_rule_is_in_the_way_is_not_kept(maya, alex, cora, window, monday):
    window(maya)
    session = booking.request(maya, alex, monday, 30, by=cora, set_aside="To be safe.")
    assert (session.set_aside, session.set_aside_reason) == ([], "")


def test_hard_rules_are_never_set_aside(maya, alex, bo, cora, window, monday):
    window(maya)
    booking.request(maya, bo, monday, 30, by=bo.user)
    taken = f"Maya Lopez already has a session {when(Period.of(monday, 30), ZoneInfo('UTC'))}."
    assert refused(booking.request, maya, alex, monday, 45, by=cora, set_aside="Please.") == (["mentor_taken"], [taken])


def test_only_who_may_sets_rules_aside(maya, alex, cora, monday):
    assert refused(booking.request, maya, alex, monday, 30, by=alex.user, set_aside="I want to.") == (
        ["not_yours"],
        ["Only coordinators set rules aside."],
    )
    for group in cora.groups.all():
        group.permissions.remove(Permission.objects.get(codename="set_rules_aside"))
    cora = User.objects.get(pk=cora.pk)
    assert refused(booking.request, maya, alex, monday, 30, by=cora, set_aside="Please.")[0] == ["not_yours"]
