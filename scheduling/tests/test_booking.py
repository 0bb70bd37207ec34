"""The verbs: who may, what may follow what, and what each leaves behind."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from scheduling import booking
from scheduling.models import Notice, Session


def codes(refusal) -> list[str]:
    return [error.code for error in refusal.value.error_list]


def test_a_request_is_pending_and_told_to_the_mentor(maya, alex, window, monday):
    offered = window(maya)
    session = booking.request(maya, alex, monday, 30, by=alex.user, topic="System design")
    assert (session.status, session.minutes, session.topic, session.availability) == ("Pending", 30, "System design", offered)
    assert list(session.notices.values_list("kind", "recipient__first_name", "state")) == [("requested", "Maya", "pending")]
    assert [(h.history_user, h.history_change_reason) for h in session.history.all()] == [(alex.user, "requested")]


def test_one_form_is_one_session(maya, alex, window, monday):
    window(maya)
    key = "11111111-1111-4111-8111-111111111111"
    first = booking.request(maya, alex, monday, 30, by=alex.user, form_key=key)
    again = booking.request(maya, alex, monday, 30, by=alex.user, form_key=key)
    assert again == first
    assert Session.objects.count() == 1


def test_confirming_tells_the_mentee_and_promises_both_their_reminders(session, maya, alex):
    session = booking.confirm(session, by=maya.user)
    assert session.status == "Confirmed"
    promised = session.notices.exclude(kind="requested").order_by("due_at", "recipient__first_name")
    assert [(n.kind, n.recipient.first_name) for n in promised] == [
        ("confirmed", "Alex"),
        ("reminder_60", "Alex"),
        ("reminder_60", "Maya"),
        ("reminder_15", "Alex"),
        ("reminder_15", "Maya"),
    ]
    assert {session.start_time - n.due_at for n in promised if n.kind == "reminder_60"} == {timedelta(minutes=60)}


def test_a_mentee_cannot_confirm_their_own_request(session, alex):
    with pytest.raises(ValidationError) as refusal:
        booking.confirm(session, by=alex.user)
    assert codes(refusal) == ["not_yours"]
    assert refusal.value.messages == ["This session can only be confirmed by the mentor."]


def test_canceling_takes_back_the_reminders_and_keeps_who_and_why(session, maya, alex):
    booking.confirm(session, by=maya.user)
    session = booking.cancel(session, by=alex.user, reason="Exam that day")
    assert (session.status, session.ending, session.reason, session.ended_by) == (
        "Canceled",
        "canceled",
        "Exam that day",
        alex.user,
    )
    left = Notice.objects.filter(state="pending")
    assert [(n.kind, n.recipient) for n in left] == [("canceled", maya.user)]


@pytest.mark.parametrize("verb", ["confirm", "decline", "cancel", "complete", "mark_no_show"])
def test_a_stranger_may_do_nothing(session, zoe, verb):
    with pytest.raises(ValidationError) as refusal:
        getattr(booking, verb)(session, by=zoe.user)
    assert codes(refusal) == ["not_yours"]
    session.refresh_from_db()
    assert (session.status, session.version) == ("Pending", 1)
