"""The verbs: who may, what may follow what, and what each leaves behind."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from people.models import User
from scheduling import booking
from scheduling.booking.verbs import retry_after_deadlock
from scheduling.models import Availability, Notice, Program, Session
from scheduling.slots import Period

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STATUSES = ["Pending", "Confirmed", "Canceled", "Completed", "No-show"]
VERBS = ["confirm", "decline", "cancel", "complete", "mark_no_show"]
PAST = {verb: verb + "ed" for verb in VERBS} | {
    "decline": "declined",
    "complete": "completed",
    "mark_no_show": "marked as a no-show",
}
# What may follow what, and what comes of it.
LEGAL = {
    ("Pending", "confirm"): ("Confirmed", ""),
    ("Pending", "decline"): ("Canceled", "declined"),
    ("Pending", "cancel"): ("Canceled", "canceled"),
    ("Confirmed", "cancel"): ("Canceled", "canceled"),
    ("Confirmed", "complete"): ("Completed", ""),
    ("Confirmed", "mark_no_show"): ("No-show", ""),
}
AFTER_START = {"complete", "mark_no_show"}


def codes(refusal) -> list[str]:
    return [error.code for error in refusal.value.error_list]


@contextmanager
def refused(code: str, sentence: str):
    """With this one code and this one sentence, and nothing changed."""
    before = list(Session.objects.order_by("pk").values()), list(Notice.objects.order_by("pk").values())
    with pytest.raises(ValidationError) as refusal:
        yield
    assert (codes(refusal), refusal.value.messages) == ([code], [sentence])
    assert (list(Session.objects.order_by("pk").values()), list(Notice.objects.order_by("pk").values())) == before


def put(session, status):
    """Into a status, by no verb."""
    ending = "canceled" if status == "Canceled" else ""
    Session.objects.filter(pk=session.pk).update(status=status, ending=ending)
    session.refresh_from_db()


def told(session) -> set:
    return set(session.notices.values_list("kind", "recipient__first_name", "state", "detail"))


# ---- the usual way ------------------------------------------------------------------------------------------------------


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


# ---- what may follow what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verb", VERBS)
def test_only_the_moves_in_the_table_are_made(session, maya, status, verb):
    put(session, status)
    moment = session.start_time + (HOUR if verb in AFTER_START else -HOUR)
    with time_machine.travel(moment):
        if (status, verb) in LEGAL:
            moved = getattr(booking, verb)(session, by=maya.user)
            assert (moved.status, moved.ending, moved.version) == (*LEGAL[status, verb], 2)
            latest = session.history.first()
            assert (latest.status, latest.history_user, latest.history_change_reason) == (moved.status, maya.user, PAST[verb])
        else:
            with refused("not_possible", f"This session is {status}: it cannot be {PAST[verb]}."):
                getattr(booking, verb)(session, by=maya.user)


@pytest.mark.parametrize("verb", ["complete", "mark_no_show"])
def test_nobody_knows_how_a_session_went_before_it_starts(session, maya, verb):
    put(session, "Confirmed")
    too_early = refused("too_early", f"A session cannot be {PAST[verb]} before it starts.")
    with time_machine.travel(session.start_time - timedelta(seconds=1), tick=False), too_early:
        getattr(booking, verb)(session, by=maya.user)
    with time_machine.travel(session.start_time, tick=False):
        assert getattr(booking, verb)(session, by=maya.user).status == LEGAL["Confirmed", verb][0]


@pytest.mark.parametrize("verb", ["confirm", "decline", "cancel"])
def test_once_begun_it_is_too_late(session, maya, verb):
    too_late = refused("too_late", f"This session has already begun: it cannot be {PAST[verb]}.")
    with time_machine.travel(session.start_time, tick=False), too_late:
        getattr(booking, verb)(session, by=maya.user)
    with time_machine.travel(session.start_time - timedelta(seconds=1), tick=False):
        assert getattr(booking, verb)(session, by=maya.user).status == LEGAL["Pending", verb][0]


def test_a_request_nobody_answered_did_not_take_place(session, cora):
    with time_machine.travel(session.start_time + DAY):
        with refused("too_late", "This session has already begun: it cannot be confirmed."):
            booking.confirm(session, by=cora)
        with refused("not_possible", "This session is Pending: it cannot be completed."):
            booking.complete(session, by=cora)
        assert booking.possible(session, cora) == []


def test_each_is_offered_what_they_may_do_and_no_more(session, maya, alex, cora, zoe):
    def offered():
        return {
            user.first_name: [verb.name for verb in booking.possible(session, user)]
            for user in (maya.user, alex.user, cora, zoe.user)
        }

    theirs, staffs = ["reschedule", "cancel"], ["reschedule", "reassign", "cancel"]
    answers = ["confirm", "decline"]
    assert offered() == {"Maya": answers + theirs, "Alex": theirs, "Cora": answers + staffs, "Zoe": []}
    put(session, "Confirmed")
    assert offered() == {"Maya": theirs, "Alex": theirs, "Cora": staffs, "Zoe": []}
    reports = ["complete", "mark_no_show"]
    with time_machine.travel(session.start_time):
        assert offered() == {"Maya": reports, "Alex": [], "Cora": reports, "Zoe": []}


# ---- who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "who"), [(verb, "the mentor") for verb in VERBS if verb != "cancel"])
def test_a_mentee_may_only_cancel(session, alex, verb, who):
    with refused("not_yours", f"This session can only be {PAST[verb]} by {who}."):
        getattr(booking, verb)(session, by=alex.user)


def test_a_mentor_does_not_request_in_the_mentees_name(maya, alex, window, monday):
    window(maya)
    with refused("not_yours", "Only the mentee can request this session."):
        booking.request(maya, alex, monday, 30, by=maya.user)


@pytest.mark.parametrize("verb", VERBS)
def test_the_word_staff_alone_opens_nothing(session, person, verb):
    sam = person("Sam Staff", is_staff=True)
    whose = "the mentor or the mentee" if verb == "cancel" else "the mentor"
    with refused("not_yours", f"This session can only be {PAST[verb]} by {whose}."):
        getattr(booking, verb)(session, by=sam)


def test_the_word_staff_alone_books_nothing(person, maya, alex, window, monday):
    window(maya)
    with refused("not_yours", "Only the mentee can request this session."):
        booking.request(maya, alex, monday, 30, by=person("Sam Staff", is_staff=True))


def test_a_coordinator_books_for_others_and_both_are_told(maya, alex, cora, window, monday):
    window(maya)
    session = booking.request(maya, alex, monday, 30, by=cora)
    assert told(session) == {("requested", "Maya", "pending", ""), ("requested", "Alex", "pending", "")}
    assert [(h.history_user, h.history_change_reason) for h in session.history.all()] == [(cora, "requested for the program")]


def test_a_coordinator_answers_for_the_mentor_and_history_says_so(session, cora):
    session = booking.confirm(session, by=cora)
    latest = session.history.first()
    assert (latest.history_user, latest.history_change_reason) == (cora, "confirmed for the program")
    confirmed = {notice for notice in told(session) if notice[0] == "confirmed"}
    assert confirmed == {("confirmed", "Maya", "pending", ""), ("confirmed", "Alex", "pending", "")}


def test_a_coordinator_who_left_acts_for_nobody(session, cora):
    cora.is_active = False
    cora.save()
    with refused("not_yours", "This session can only be confirmed by the mentor."):
        booking.confirm(session, by=cora)


def test_one_person_in_both_roles_acts_in_each(kim, maya, alex, window, monday):
    window(maya)
    window(kim.mentor, monday + HOUR)
    asked = booking.request(maya, kim.mentee, monday, 30, by=kim)
    given = booking.request(kim.mentor, alex, monday + HOUR, 30, by=alex.user)
    with refused("not_yours", "This session can only be confirmed by the mentor."):
        booking.confirm(asked, by=kim)
    assert booking.confirm(given, by=kim).status == "Confirmed"


def test_one_person_is_not_booked_in_both_roles_at_one_time(kim, maya, alex, window, monday):
    window(maya)
    window(kim.mentor)
    booking.request(maya, kim.mentee, monday, 30, by=kim)
    with refused("mentor_taken", f"Kim Park already has a session {monday:%a} {monday.day} {monday:%b %Y}, 09:00–09:30 (UTC)."):
        booking.request(kim.mentor, alex, monday, 30, by=alex.user)


def test_nobody_books_themselves(kim, window, monday):
    window(kim.mentor)
    with refused("same_person", "Nobody can book a session with themselves."):
        booking.request(kim.mentor, kim.mentee, monday, 30, by=kim)


# ---- who left -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Maya", "Alex"])
def test_who_left_is_not_booked_however_old_the_page_is(maya, alex, cora, window, monday, name):
    window(maya)
    # Behind the back of the objects at hand, as from another process.
    User.objects.filter(first_name=name).update(is_active=False)
    who = {"Maya": maya, "Alex": alex}[name]
    with refused("inactive", f"{who} no longer takes part in the program."):
        booking.request(maya, alex, monday, 30, by=cora)


def test_a_session_with_somebody_who_left_can_be_canceled_but_not_confirmed(session, maya, alex):
    User.objects.filter(pk=alex.pk).update(is_active=False)
    with refused("inactive", "Alex Johnson no longer takes part in the program."):
        booking.confirm(session, by=maya.user)
    assert booking.cancel(session, by=maya.user).status == "Canceled"


def test_who_left_does_nothing(session, alex):
    alex.user.is_active = False
    alex.user.save()
    with refused("not_yours", "This session can only be canceled by the mentor or the mentee."):
        booking.cancel(session, by=alex.user)


# ---- two at once --------------------------------------------------------------------------------------------------------


def test_an_old_page_is_told_who_changed_what(session, maya, alex):
    seen = session.version
    with time_machine.travel(session.start_time - DAY, tick=False):
        booking.confirm(session, by=maya.user, version=seen)
        sentence = "Maya Lopez changed this session at 14:30: it is Confirmed now. Look again before you act."
        with timezone.override("Asia/Kolkata"), refused("stale", sentence):
            booking.cancel(session, by=alex.user, version=seen)
        assert booking.cancel(session, by=alex.user, version=seen + 1).status == "Canceled"


def test_an_old_object_without_a_version_sees_what_is_there_now(session, maya, alex):
    old = Session.objects.get(pk=session.pk)
    booking.cancel(session, by=alex.user)
    with refused("not_possible", "This session is Canceled: it cannot be confirmed."):
        booking.confirm(old, by=maya.user)


def test_a_form_sent_again_with_other_words_is_not_taken_for_the_first(maya, alex, bo, cora, window, monday):
    """The Back button brings the form back, its key still in it."""
    window(maya)
    form = {"by": cora, "form_key": "11111111-1111-4111-8111-111111111111"}
    sentence = "This form has been sent before, for another session. Open it anew."
    booking.request(maya, alex, monday, 30, **form)
    with refused("form_used", sentence):
        booking.request(maya, bo, monday + HOUR, 30, **form)
    with refused("form_used", sentence):
        booking.request(maya, alex, monday + HOUR, 30, **form)


def test_a_session_written_past_the_door_while_the_rules_were_asked_is_named(maya, alex, bo, window, monday):
    """The guard's refusal is told as the rule it stands for."""
    window(maya)
    Program.current()
    savepoints = []

    def cut_in(execute, sql, params, many, context):
        # The second savepoint is the one around the write: the rules have been asked, and said yes.
        if sql.startswith("SAVEPOINT"):
            savepoints.append(sql)
            if len(savepoints) == 2:
                Session.objects.bulk_create(
                    [Session(mentor=maya, mentee=bo, start_time=monday, end_time=monday + HOUR, created_at=monday)]
                )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cut_in), pytest.raises(ValidationError) as refusal:
        booking.request(maya, alex, monday, 30, by=alex.user)
    assert codes(refusal) == ["mentor_taken"]
    day = f"{monday:%a} {monday.day} {monday:%b %Y}"
    assert refusal.value.messages == [f"Maya Lopez already has a session {day}, 09:00–10:00 (UTC)."]
    assert Notice.objects.count() == 0


class DeadlockError(Exception):
    sqlstate = "40P01"


def deadlocked(times):
    """A verb that ends in a deadlock so many times, told in the server's language."""
    calls = []

    @retry_after_deadlock
    def verb():
        calls.append(None)
        if len(calls) <= times:
            raise OperationalError("Verklemmung entdeckt") from DeadlockError()
        return f"done at call {len(calls)}"

    return verb


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_tried_once_more():
    assert deadlocked(times=1)() == "done at call 2"
    with pytest.raises(OperationalError):
        deadlocked(times=2)()


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_inside_a_larger_transaction_is_not_tried_again():
    with pytest.raises(OperationalError), transaction.atomic():
        deadlocked(times=1)()


# ---- what it leaves behind ----------------------------------------------------------------------------------------------


def test_declining_keeps_who_and_why_and_tells_the_mentee(session, maya):
    session = booking.decline(session, by=maya.user, reason="  I am away that week. ")
    assert (session.status, session.ending, session.reason, session.ended_by) == (
        "Canceled",
        "declined",
        "I am away that week.",
        maya.user,
    )
    assert told(session) == {
        ("requested", "Maya", "suppressed", "The session was declined."),
        ("declined", "Alex", "pending", ""),
    }


def test_canceling_leaves_a_message_to_the_sender_who_has_it(session, alex):
    """It may be on the line already: its sender writes down what became of it, or its lease runs out."""
    session.notices.update(state="sending", not_before=timezone.now() + MINUTE)
    session = booking.cancel(session, by=alex.user)
    assert told(session) == {("requested", "Maya", "sending", ""), ("canceled", "Maya", "pending", "")}


def test_confirming_forty_minutes_ahead_promises_the_later_reminder_only(session, maya):
    with time_machine.travel(session.start_time - 40 * MINUTE):
        session = booking.confirm(session, by=maya.user)
    assert {notice for notice in told(session) if notice[0].startswith("reminder")} == {
        ("reminder_60", "Alex", "suppressed", "The session was confirmed too late for it."),
        ("reminder_60", "Maya", "suppressed", "The session was confirmed too late for it."),
        ("reminder_15", "Alex", "pending", ""),
        ("reminder_15", "Maya", "pending", ""),
    }


def test_a_session_brought_over_from_another_system_mails_nobody(maya, alex, cora, window, monday):
    """Everything happened when it happened, and nothing is promised that is over."""
    window(maya)
    asked, agreed = monday - 2 * DAY, monday - 30 * MINUTE
    with time_machine.travel(monday + DAY):
        session = booking.request(maya, alex, monday, 30, by=cora, external_id="S-17", at=asked)
        booking.confirm(session, by=cora, at=agreed)
        session = booking.complete(session, by=cora, at=monday + HOUR)
    assert (session.status, session.created_at, session.external_id) == ("Completed", asked, "S-17")
    assert list(session.history.values_list("history_date", "status").order_by("history_id")) == [
        (asked, "Pending"),
        (agreed, "Confirmed"),
        (monday + HOUR, "Completed"),
    ]
    over, late = "It was recorded after the session had begun.", "The session was confirmed too late for it."
    assert told(session) == {
        (kind, name, "suppressed", why)
        for kind, why in [("requested", over), ("confirmed", over), ("reminder_60", late), ("reminder_15", over)]
        for name in ("Maya", "Alex")
    }


def test_a_session_brought_over_that_is_still_ahead_promises_only_what_is_ahead(maya, alex, cora, window, monday):
    window(maya)
    with time_machine.travel(monday - 50 * MINUTE):
        session = booking.request(maya, alex, monday, 30, by=cora, at=monday - 2 * DAY)
        session = booking.confirm(session, by=cora, at=monday - DAY)
    past = "It was recorded afterwards."
    expected = {
        (kind, name, "suppressed", past) for kind in ("requested", "confirmed", "reminder_60") for name in ("Maya", "Alex")
    } | {("reminder_15", name, "pending", "") for name in ("Maya", "Alex")}
    assert told(session) == expected


def test_what_was_over_when_it_was_asked_for_is_refused_whenever_it_is_brought_over(maya, alex, cora, window, monday):
    window(maya)
    day = f"{monday:%a} {monday.day} {monday:%b %Y}"
    with time_machine.travel(monday + DAY), refused("past", f"{day}, 09:00–09:30 (UTC) has already begun."):
        booking.request(maya, alex, monday, 30, by=cora, at=monday + MINUTE)


# ---- what is offered ------------------------------------------------------------------------------------------------------


def starts(slots) -> list[str]:
    return [f"{slot.start:%H:%M}" for slot in slots]


def test_the_slots_offered_leave_out_what_either_has(maya, omar, alex, bo, window, monday):
    window(maya)
    window(omar)
    booking.request(maya, bo, monday, 30, by=bo.user)
    booking.request(omar, alex, monday + HOUR, 60, by=alex.user)
    until = monday + DAY
    assert starts(booking.slots(maya, 30, until=until)) == ["09:30", "10:00", "10:30", "11:00", "11:30"]
    assert starts(booking.slots(maya, 30, until=until, mentee=alex)) == ["09:30", "11:00", "11:30"]
    assert booking.slots(maya, 45, until=until) == []


def test_a_slot_that_ends_after_the_last_moment_asked_for_is_free_all_the_way(maya, alex, window, monday):
    window(maya, monday, hours=1)
    window(maya, monday + HOUR, hours=1)
    assert starts(booking.slots(maya, 60, until=monday + HOUR)) == ["09:00", "09:30"]
    booking.request(maya, alex, monday + HOUR, 30, by=alex.user)
    assert starts(booking.slots(maya, 60, until=monday + HOUR)) == ["09:00"]


def test_every_slot_offered_can_be_booked_and_no_other(maya, alex, monday):
    """Also where windows touch at odd minutes and the first of them is over."""
    for start, end in ((0, 45), (45, 195), (195, 260)):
        Availability.objects.create(mentor=maya, start_time=monday + start * MINUTE, end_time=monday + end * MINUTE)
    with time_machine.travel(monday + 60 * MINUTE, tick=False):
        offered = booking.slots(maya, 30, until=monday + DAY, mentee=alex)
        wanted = [Period.of(monday + minute * MINUTE, 30) for minute in range(0, 300, 5)]
        bookable = [p for p in wanted if all(finding.passed for finding in booking.explain(maya, alex, p))]
        assert offered == bookable
    assert starts(offered) == ["10:15", "10:45", "11:15", "11:45", "12:15", "12:45"]


def test_who_left_offers_nothing(maya, window, monday):
    window(maya)
    assert starts(booking.slots(maya, 60, until=monday + HOUR)) == ["09:00", "09:30"]
    maya.user.is_active = False
    assert booking.slots(maya, 60, until=monday + HOUR) == []
