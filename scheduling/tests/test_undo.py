"""Sets of changes: messages that wait, and putting everything back that nobody has touched since."""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from people import changes, erasure
from people.models import Change, ChangeSet
from scheduling import booking, delivery
from scheduling.models import Feedback, Program, Session
from scheduling.notices import UNDONE
from scheduling.privacy import SchedulingKeeper

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def bulk(cora) -> ChangeSet:
    return changes.begin("bulk", "Changed some sessions", by=cora)


@pytest.fixture
def confirmed(session, cora):
    """Alex and Maya meet on Monday at 9:00; that is sent."""
    session = booking.confirm(session, by=cora)
    delivery.sweep()
    mail.outbox.clear()
    return session


@pytest.fixture
def other(maya, bo, monday, cora, session):
    """Bo and Maya meet on Monday at 10:00; that is sent."""
    other = booking.confirm(booking.request(maya, bo, monday + HOUR, 30, by=cora), by=cora)
    delivery.sweep()
    mail.outbox.clear()
    return other


def sent(minutes=0) -> dict:
    """Send what is due so many minutes from now: first name -> the subject's first word, and what the calendar is told."""
    mail.outbox.clear()
    with time_machine.travel(timezone.now() + minutes * MINUTE):
        delivery.sweep()
    found = {}
    for message in mail.outbox:
        [*parts] = [Calendar.from_ical(part.content) for part in message.alternatives if "calendar" in part.mimetype]
        told = [(str(part["METHOD"]), str(part.events[0]["STATUS"]), int(part.events[0]["SEQUENCE"])) for part in parts]
        found[message.to[0].partition("@")[0]] = (message.subject.split(maxsplit=1)[0], *told)
    assert len(found) == len(mail.outbox)
    return found


def owed(session) -> list:
    """What waits: kind, to whom, how long before the start."""
    rows = session.notices.filter(state="pending").order_by("due_at", "recipient__first_name")
    return [(row.kind, row.recipient.first_name, round((session.start_time - row.due_at) / MINUTE)) for row in rows]


def as_is(session) -> dict:
    session.refresh_from_db()
    return changes.snapshot(session, ["status", "ending", "ended_by", "mentor", "start_time", "end_time", "meeting_link"])


def refused_by(change_set, by) -> str:
    with pytest.raises(ValidationError) as refusal:
        changes.undo(change_set, by=by)
    return refusal.value.code


REMINDERS = [("reminder_60", "Alex", 60), ("reminder_60", "Maya", 60), ("reminder_15", "Alex", 15), ("reminder_15", "Maya", 15)]


# ---- in time, and too late ----------------------------------------------------------------------------------------------


def test_undone_in_time_nobody_hears_of_it(confirmed, other, bulk, cora):
    before = as_is(confirmed)
    for session in (confirmed, other):
        booking.cancel(session, by=cora, reason="The room burns", within=bulk)
    assert as_is(confirmed)["ending"] == "canceled"
    # The control: a single action tells at once.
    assert sent() == sent(minutes=1) == {}
    outcome = changes.undo(bulk, by=cora)
    assert ([change.key for change in outcome.undone], outcome.refused) == ([other.pk, confirmed.pk], [])
    assert as_is(confirmed) == before
    confirmed.refresh_from_db()
    assert confirmed.version == 4
    assert owed(confirmed) == REMINDERS
    assert set(confirmed.notices.filter(kind="canceled").values_list("state", "detail")) == {("suppressed", UNDONE)}
    assert sent(minutes=10) == {}
    last = confirmed.history.latest("history_id")
    assert (last.history_change_reason, last.history_user) == ("undone for the program", cora)
    bulk.refresh_from_db()
    assert bulk.undone_by == cora
    assert refused_by(bulk, cora) == "already"


def test_undone_too_late_for_the_mails_both_are_told_what_is_true_now(confirmed, bulk, cora):
    booking.cancel(confirmed, by=cora, within=bulk)
    canceled = ("Canceled:", ("CANCEL", "CANCELLED", 3))
    assert sent(minutes=3) == {"alex": canceled, "maya": canceled}
    changes.undo(bulk, by=cora)
    again = ("Confirmed:", ("REQUEST", "CONFIRMED", 4))
    assert sent() == {"alex": again, "maya": again}
    assert "Message: The last change was a mistake: the session is as it was before." in mail.outbox[0].body
    assert owed(confirmed) == REMINDERS


def test_the_program_decides_how_long_they_wait(confirmed, other, bulk, cora):
    Program.objects.update_or_create(pk=1, defaults={"undo_minutes": 0})
    booking.cancel(confirmed, by=cora, within=bulk)
    assert set(sent()) == {"alex", "maya"}
    Program.objects.update(undo_minutes=30)
    booking.cancel(other, by=cora, within=bulk)
    assert sent(minutes=29) == {}
    assert set(sent(minutes=31)) == {"bo", "maya"}


def test_a_single_action_and_what_would_come_too_late_do_not_wait(session, cora, bulk, monday):
    with time_machine.travel(monday - MINUTE):
        booking.confirm(session, by=cora, within=bulk)
        assert sent() == {
            "alex": ("Confirmed:", ("REQUEST", "CONFIRMED", 2)),
            "maya": ("Confirmed:", ("REQUEST", "CONFIRMED", 2)),
        }


def test_a_yes_taken_back_is_a_request_again(session, bulk, cora):
    delivery.sweep()
    booking.confirm(session, by=cora, within=bulk)
    sent(minutes=3)
    changes.undo(bulk, by=cora)
    session.refresh_from_db()
    assert (session.status, session.answer_by > timezone.now(), session.decided_at) == ("Pending", True, None)
    tentative = ("REQUEST", "TENTATIVE", 3)
    assert sent() == {"alex": ("A", tentative), "maya": ("Alex", tentative)}
    assert owed(session) == []


def test_what_was_still_owed_is_owed_again(session, bulk, cora):
    booking.cancel(session, by=cora, within=bulk)
    changes.undo(bulk, by=cora)
    assert [row[:2] for row in owed(session)] == [("requested", "Maya")]
    assert sent() == {"maya": ("Alex",)}


# ---- what was touched since ---------------------------------------------------------------------------------------------


def test_what_was_changed_since_stays_and_the_rest_is_undone(session, bo, maya, bulk, cora, alex, monday):
    other = booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    for one in (session, other):
        booking.confirm(one, by=cora, within=bulk)
    booking.reschedule(other, monday + 2 * HOUR, by=bo.user)
    at = timezone.localtime(other.history.latest("history_id").history_date)
    outcome = changes.undo(bulk, by=cora)
    [(change, why)] = outcome.refused
    assert why == f"Bo Lindqvist changed this session since, on {at.day} {at:%b} at {at:%H:%M}: it is Pending now."
    assert ([change.key for change in outcome.undone], change.key) == ([session.pk], other.pk)
    session.refresh_from_db()
    assert session.status == "Pending"
    change.refresh_from_db()
    assert (change.refused, change.undone_at) == (why, None)
    # Once more: what was refused is tried, and what is undone is left alone.
    again = changes.undo(bulk, by=cora)
    assert ([one.key for one, _ in again.refused], again.undone) == ([other.pk], [])


def test_a_time_that_is_taken_by_now_is_told_in_words(confirmed, bulk, cora, bo, maya, monday):
    booking.cancel(confirmed, by=cora, within=bulk)
    booking.request(maya, bo, monday, 30, by=bo.user)
    [(_, why)] = changes.undo(bulk, by=cora).refused
    assert why.startswith("Maya Lopez already has a session Mon ")
    assert as_is(confirmed)["status"] == "Canceled"


def test_what_has_begun_by_now_is_not_put_back_but_reports_are(confirmed, other, bulk, cora, monday):
    booking.cancel(other, by=cora, within=bulk)
    with time_machine.travel(monday + HOUR + 10 * MINUTE):
        booking.complete(confirmed, by=cora, within=bulk)
        outcome = changes.undo(bulk, by=cora)
    assert [change.key for change in outcome.undone] == [confirmed.pk]
    [(change, why)] = outcome.refused
    assert (change.key, why.startswith("It was to begin "), why.endswith(": that is over.")) == (other.pk, True, True)
    confirmed.refresh_from_db()
    assert (confirmed.status, owed(confirmed)) == ("Confirmed", [])


def test_the_last_moved_goes_back_first(confirmed, other, bulk, cora, monday):
    before = as_is(confirmed), as_is(other)
    booking.reschedule(confirmed, monday + 2 * HOUR, by=cora, within=bulk)
    # To where the first one came from: that has to be free again before it can go back.
    booking.reschedule(other, monday, by=cora, within=bulk)
    assert len(changes.undo(bulk, by=cora).undone) == 2
    assert (as_is(confirmed), as_is(other)) == before


@pytest.fixture
def swapped(confirmed, other, bulk, cora, monday) -> list[Session]:
    """The two have changed places, within one set: each is where the other has to go back to."""
    confirmed = booking.reschedule(confirmed, monday + 2 * HOUR, by=cora, within=bulk)
    other = booking.reschedule(other, monday, by=cora, within=bulk)
    return [booking.reschedule(confirmed, monday + HOUR, by=cora, within=bulk), other]


def test_two_that_swapped_places_go_back_together(confirmed, other, swapped, bulk, cora, monday):
    times = [monday + HOUR, monday]
    assert [one.start_time for one in swapped] == times
    outcome = changes.undo(bulk, by=cora)
    assert ([change.key for change in outcome.undone], outcome.refused) == ([other.pk, confirmed.pk], [])
    for session, start in ((confirmed, monday), (other, monday + HOUR)):
        assert (as_is(session)["status"], session.start_time, session.ending) == ("Confirmed", start, "")
        # Never shown as anything else in between.
        assert "Canceled" not in session.history.values_list("status", flat=True)
        assert session.history.latest("history_id").history_change_reason == "undone for the program"
    # In time: nobody heard of it.
    assert sent(minutes=3) == {}


def test_three_in_a_ring_go_back_and_each_is_told_what_is_true(confirmed, other, maya, zoe, bulk, cora, monday):
    third = booking.confirm(booking.request(maya, zoe, monday + 2 * HOUR, 30, by=cora), by=cora)
    delivery.sweep()
    before = [as_is(one) for one in (confirmed, other, third)]
    late = booking.reschedule(third, monday + 2 * HOUR + 30 * MINUTE, by=cora, within=bulk)
    booking.reschedule(other, monday + 2 * HOUR, by=cora, within=bulk)
    booking.reschedule(confirmed, monday + HOUR, by=cora, within=bulk)
    booking.reschedule(late, monday, by=cora, within=bulk)
    with time_machine.travel(timezone.now() + 3 * MINUTE):
        delivery.sweep()
    mail.outbox.clear()
    assert changes.undo(bulk, by=cora).refused == []
    assert [as_is(one) for one in (confirmed, other, third)] == before
    delivery.sweep()
    told = Counter(message.to[0].partition("@")[0] for message in mail.outbox)
    assert told == {"alex": 1, "bo": 1, "zoe": 1, "maya": 3}


def test_of_two_that_swapped_places_none_goes_back_where_one_was_changed_since(confirmed, other, swapped, bulk, cora, maya):
    booking.cancel(swapped[0], by=maya.user)
    booking_of_bo = as_is(other)
    outcome = changes.undo(bulk, by=cora)
    # The way is free by now for the one, and the other stays canceled.
    assert [change.key for change in outcome.undone] == [other.pk]
    assert booking_of_bo["status"] == as_is(other)["status"] == "Confirmed"
    [(change, why)] = outcome.refused
    assert (change.key, as_is(confirmed)["ending"]) == (confirmed.pk, "canceled")
    assert why.startswith("Maya Lopez changed this session since")


def test_where_one_of_them_stays_both_do_and_the_rest_is_undone(swapped, maya, zoe, bulk, cora, monday):
    first, second = swapped
    third = booking.confirm(booking.request(maya, zoe, monday + 2 * HOUR, 30, by=cora, within=bulk), by=cora, within=bulk)
    # Nothing of it is moved, and still it is not as it was left.
    Session.objects.filter(pk=first.pk).update(version=first.version + 1)
    before = as_is(first), as_is(second)
    outcome = changes.undo(bulk, by=cora)
    assert [change.key for change in outcome.undone] == [third.pk]
    assert {change.key for change, _ in outcome.refused} == {first.pk, second.pk}
    assert (as_is(first), as_is(second)) == before
    taken = {change.key: why for change, why in outcome.refused}[second.pk]
    assert taken.startswith("Maya Lopez already has a session")


def test_a_hand_over_comes_back_with_room_and_answer(confirmed, maya, omar, window, bulk, cora):
    window(omar)
    Session.objects.filter(pk=confirmed.pk).update(meeting_link="https://meet.example.org/session-" + "a" * 32)
    before = as_is(confirmed)
    booking.reassign(confirmed, omar, by=cora, within=bulk)
    assert as_is(confirmed)["meeting_link"] != before["meeting_link"]
    assert set(sent(minutes=3)) == {"alex", "maya", "omar"}
    changes.undo(bulk, by=cora)
    assert as_is(confirmed) == before
    told = sent()
    assert told == {
        "alex": ("Maya", ("REQUEST", "CONFIRMED", 4)),
        "maya": ("A", ("REQUEST", "CONFIRMED", 4)),
        "omar": ("Handed",),
    }


def test_what_was_made_anew_is_canceled_and_what_is_over_is_removed(maya, alex, window, monday, bulk, cora):
    window(maya)
    ahead = booking.request(maya, alex, monday, 30, by=cora, external_id="S1", within=bulk)
    then = timezone.now() - timedelta(days=30)
    over = Session.objects.create(
        mentor=maya, mentee=alex, start_time=then, end_time=then + HOUR, status="Completed", created_at=then
    )
    noted = Session.objects.create(
        mentor=maya, mentee=alex, start_time=then - HOUR, end_time=then, status="Completed", created_at=then
    )
    bulk.record_many((one, None, changes.snapshot(one, ["status", "version"])) for one in (over, noted))
    Feedback.objects.create(session=noted, rating=5, created_at=timezone.now())
    outcome = changes.undo(bulk, by=cora)
    assert [change.key for change in outcome.undone] == [over.pk, ahead.pk]
    assert [(change.key, why) for change, why in outcome.refused] == [
        (noted.pk, "Somebody has written about this session since.")
    ]
    ahead.refresh_from_db()
    assert (ahead.status, ahead.external_id, set(Session.objects.all())) == ("Canceled", "", {ahead, noted})
    assert sent(minutes=10) == {}


@pytest.mark.parametrize("who", ["maya", "alex"])
def test_of_a_session_that_an_undo_removed_no_words_are_left_either(maya, alex, bulk, cora, who, person):
    then = timezone.now() - timedelta(days=30)
    words = {"topic": "Welding", "reason": "Welding is fun", "external_id": "Welding 1"}
    over = Session.objects.create(
        mentor=maya, mentee=alex, start_time=then, end_time=then + HOUR, status="Completed", created_at=then, **words
    )
    bulk.record(over, None, changes.snapshot(over, ["status", "version", "external_id"]))
    changes.undo(bulk, by=cora)
    assert not Session.objects.exists()
    [part] = [part for part in SchedulingKeeper.parts if part.name == "session_changes"]
    user = {"maya": maya, "alex": alex}[who].user
    assert [row["what_it_is_about"] for row in part.rows(user)] == ["Welding", "Welding"], "it is given to them"
    erasure.erase(user, by=person("Root Ruiz", is_staff=True, is_superuser=True))
    left = [*Session.history.values("topic", "reason", "external_id"), *Change.objects.values("before", "after")]
    assert (Session.history.count(), "Welding" in str(left)) == (2, False)


# ---- who, and what is nobody's ------------------------------------------------------------------------------------------


def test_only_coordinators_undo(confirmed, bulk, cora, maya, person):
    booking.cancel(confirmed, by=cora, within=bulk)
    assert refused_by(bulk, maya.user) == refused_by(bulk, person("Stan Doyle", is_staff=True)) == "not_yours"
    assert as_is(confirmed)["status"] == "Canceled"


def test_what_is_erased_cannot_come_back(confirmed, alex, maya, bulk, cora, person):
    root = person("Root Ruiz", is_staff=True, is_superuser=True)
    Session.objects.filter(pk=confirmed.pk).update(meeting_link="https://meet.example.org/alex-johnson")
    booking.cancel(confirmed, by=cora, within=bulk)
    bulk.record(alex, {"goals": "Learn to weld"}, {"goals": "Learn to fly"})
    bulk.record(Program.current(), None, {"name": "Welding"})
    assert "alex-johnson" in str(list(Change.objects.values()))
    erasure.erase(alex.user, by=root)
    left = str(list(Change.objects.values("before", "after")))
    assert "alex-johnson" not in left
    assert "Learn to" not in left
    outcome = changes.undo(bulk, by=cora)
    assert [why for _, why in outcome.refused] == [
        "Nobody knows how to undo this.",
        "What it was before is erased, with the person.",
        "What it was before is erased, with the person.",
    ]


# ---- the desk -----------------------------------------------------------------------------------------------------------


def page_of(bulk, name="change") -> str:
    return reverse(f"admin:people_changeset_{name}", args=[bulk.pk])


def test_the_page_says_what_was_changed_and_undoes_it(client, confirmed, bo, maya, bulk, cora, monday):
    asked = booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    for one in (confirmed, asked):
        booking.cancel(one, by=cora, within=bulk)
    with time_machine.travel(timezone.now() + 3 * MINUTE):
        delivery.sweep()
    Session.objects.filter(pk=asked.pk).update(version=7)
    client.force_login(cora)
    [row] = client.get(reverse("admin:people_changeset_changelist")).context["cl"].result_list
    assert (row.touched_count, row.something_left, row.undone_at) == (2, True, None)
    first, _ = client.get(page_of(bulk)).context["page"].object_list
    assert first["name"].startswith("Maya Lopez and Alex Johnson, Mon ")
    assert [(one.label, one.old, one.new) for one in first["differences"]] == [
        ("Status", "Confirmed", "Canceled"),
        ("Ending", "–", "Canceled"),
    ]
    dialog = " ".join(client.get(page_of(bulk, "undo")).content.decode().split())
    assert "2 things were changed. 3 people have been told already, and get a message that says what is true then." in dialog
    assert as_is(confirmed)["status"] == "Canceled"
    done = client.post(page_of(bulk, "undo"), {"_form_submitted": "True"})
    assert (done["HX-Redirect"], as_is(confirmed)["status"]) == (page_of(bulk), "Confirmed")
    page = client.get(page_of(bulk))
    assert [str(message) for message in page.context["messages"]] == [
        "1 stays as it is: see why below.",
        "Undone: 1 of 2.",
    ]
    assert [bool(one["change"].refused) for one in page.context["page"].object_list] == [True, False]
    assert [one["title"] for one in page.context["actions_detail"]] == ["Undo"]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_cost_the_same_for_one_row_and_three(
    client, cora, omar, window, maya, alex, monday, django_assert_num_queries, rows
):
    window(maya)
    window(omar)
    sets = [changes.begin("handover", "Handed over", by=cora, about=maya.user) for _ in range(rows)]
    for number in range(rows):
        session = booking.request(maya, alex, monday + number * HOUR, 30, by=alex.user)
        booking.reassign(session, omar, by=cora, within=sets[0])
    client.force_login(cora)
    client.get(page_of(sets[0]))  # what is asked once in the life of a process
    with django_assert_num_queries(7):
        assert len(client.get(reverse("admin:people_changeset_changelist")).context["cl"].result_list) == rows
    with django_assert_num_queries(11):
        assert len(client.get(page_of(sets[0])).context["page"].object_list) == rows


def test_who_may_only_look_sees_no_button(client, confirmed, bulk, cora, person):
    booking.cancel(confirmed, by=cora, within=bulk)
    viewer = person("Vic Stone", is_staff=True)
    client.force_login(viewer)
    assert client.get(page_of(bulk)).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_changeset"))
    page = client.get(page_of(bulk))
    assert (page.status_code, page.context["actions_detail"]) == (200, [])
    assert client.post(page_of(bulk, "undo"), {"_form_submitted": "True"}).status_code == 403
    assert as_is(confirmed)["status"] == "Canceled"
