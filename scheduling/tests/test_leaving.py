"""People leave safely: nothing ahead is left hanging, nothing that was is lost, and they can come back."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from time import sleep

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from people.models import Mentor, User
from project.tests.page import form_in
from scheduling import booking, delivery, leaving
from scheduling.models import Availability, Notice, Program, Session, WeeklyHours

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(person):
    return person("Root Ruiz", is_staff=True, is_superuser=True)


@pytest.fixture
def sessions(maya, alex, bo, kim, monday, window):
    """On Monday, Maya meets Alex at 9:00 and Bo at 10:00, both Confirmed; Kim, who is both, is asked by Bo for 11:00 and meets
    Maya, as her mentee, at 11:30.
    """
    window(maya)
    window(kim.mentor)

    def meet(mentor, mentee, minutes):
        return booking.request(mentor, mentee, monday + timedelta(minutes=minutes), 30, by=mentee.user)

    with_alex = booking.confirm(meet(maya, alex, 0), by=maya.user)
    with_bo = booking.confirm(meet(maya, bo, 60), by=maya.user)
    return [with_alex, with_bo, meet(kim.mentor, bo, 120), meet(maya, kim.mentee, 150)]


def now_is(*sessions: Session) -> list[tuple]:
    """What became of them: status, mentor, and the last line of the history."""
    rows = Session.objects.with_people().in_bulk([session.pk for session in sessions])
    return [
        (row.status, str(row.mentor), row.history.latest("pk").history_change_reason)
        for row in (rows[session.pk] for session in sessions)
    ]


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(ValidationError) as refusal:
        call(*args, **kwargs)
    return refusal.value.code


# ---- the verb ---------------------------------------------------------------------------------------------------------


def test_a_mentor_leaves_and_each_session_is_decided_about(sessions, maya, omar, kim, cora, monday, window):
    window(omar)
    with_alex, with_bo, of_kim, with_kim = sessions
    assert leaving.ahead(maya.user) == [with_alex, with_bo, with_kim]
    decided = {with_alex.pk: omar, with_bo.pk: None, with_kim.pk: None}
    left = leaving.leave(maya.user, by=cora, decided=decided, reason="Maya moved away.")
    assert left == [with_alex, with_bo, with_kim]
    assert now_is(*sessions) == [
        ("Pending", "Omar Haddad", "handed over for the program"),
        ("Canceled", "Maya Lopez", "canceled for the program"),
        ("Pending", "Kim Park", "requested"),
        ("Canceled", "Maya Lopez", "canceled for the program"),
    ]
    assert set(Session.objects.exclude(pk=of_kim.pk).values_list("reason", flat=True)) == {"Maya moved away."}
    user = User.objects.get(pk=maya.pk)
    assert (user.is_active, Mentor.objects.filter(pk=maya.pk).exists()) == (False, True)
    last = user.history.latest("pk")
    assert (last.history_user, last.history_change_reason, last.is_active) == (cora, "left the program", False)
    assert not maya.availabilities.ahead().exists()
    assert omar.availabilities.ahead().count() == 1


def test_handed_over_to_mentors_who_agreed_it_is_confirmed(sessions, maya, omar, cora, window):
    window(omar)
    with_alex, with_bo, _, with_kim = sessions
    leaving.leave(maya.user, by=cora, decided={with_alex.pk: omar, with_bo.pk: omar, with_kim.pk: omar}, agreed=True)
    assert [status for status, *_ in now_is(with_alex, with_bo, with_kim)] == ["Confirmed"] * 3


def test_no_mail_goes_to_whoever_left_and_everybody_else_is_told(
    sessions, maya, omar, alex, bo, cora, window, mailoutbox, time_machine
):
    window(omar)
    delivery.sweep()
    mailoutbox.clear()
    with_alex, with_bo, _, with_kim = sessions
    owed = Notice.objects.filter(recipient=maya.user, state="pending").count()
    assert owed == 4  # two reminders of each Confirmed session
    leaving.leave(maya.user, by=cora, decided={with_alex.pk: omar, with_bo.pk: None, with_kim.pk: None})
    delivery.sweep()
    assert mailoutbox == []  # as long as it can be undone unseen
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    delivery.sweep()
    assert Counter(mail.to[0] for mail in mailoutbox) == Counter(
        ["alex@example.org", "omar@example.org", "bo@example.org", "kim@example.org"]
    )
    unsent = Notice.objects.filter(recipient=maya.user).exclude(state="sent").exclude(kind="requested")
    assert set(unsent.values_list("state", flat=True)) == {"suppressed"}
    why = Counter(unsent.values_list("detail", flat=True))
    assert why == {
        "The recipient no longer takes part.": 3,  # one handed over, two canceled
        "The session was handed over.": 2,
        "The session was canceled.": 2,
    }


def test_a_mentee_leaves(sessions, alex, cora):
    with_alex = sessions[0]
    leaving.leave(alex.user, by=cora, decided={with_alex.pk: None})
    assert now_is(with_alex) == [("Canceled", "Maya Lopez", "canceled for the program")]
    assert not User.objects.get(pk=alex.pk).is_active


def test_whoever_is_both_leaves_both(sessions, kim, maya, omar, cora, window):
    window(omar)
    _, _, of_kim, with_kim = sessions
    assert leaving.ahead(kim) == [of_kim, with_kim]
    with pytest.raises(ValidationError) as refusal:
        leaving.leave(kim, by=cora, decided={of_kim.pk: omar, with_kim.pk: omar})
    [(key, [error])] = refusal.value.error_dict.items()
    assert (key, error.code) == (with_kim.pk, "not_the_mentor")
    assert now_is(of_kim)[0][1] == "Kim Park"
    leaving.leave(kim, by=cora, decided={of_kim.pk: omar, with_kim.pk: None})
    assert [row[:2] for row in now_is(of_kim, with_kim)] == [("Pending", "Omar Haddad"), ("Canceled", "Maya Lopez")]
    assert not kim.mentor.availabilities.ahead().exists()


def test_a_session_that_nobody_decided_about_keeps_everything_as_it_is(sessions, maya, omar, cora, window):
    window(omar)
    with_alex, _, _, with_kim = sessions
    before = now_is(*sessions)
    with pytest.raises(ValidationError) as refusal:
        leaving.leave(maya.user, by=cora, decided={with_alex.pk: omar, with_kim.pk: None})
    assert refusal.value.code == "undecided"
    assert "Bo Lindqvist, Mon " in refusal.value.message
    assert "Alex" not in refusal.value.message
    assert (now_is(*sessions), User.objects.get(pk=maya.pk).is_active) == (before, True)
    assert maya.availabilities.ahead().count() == 1


def test_what_cannot_be_handed_over_is_told_for_each_and_nothing_changes(sessions, maya, omar, cora, person, window, monday):
    with_alex, with_bo, _, with_kim = sessions
    gone = person("Gus Gone", mentor=True, is_active=False).mentor
    window(omar, monday + timedelta(hours=1))
    before = now_is(*sessions)
    with pytest.raises(ValidationError) as refusal:
        leaving.leave(maya.user, by=cora, decided={with_alex.pk: omar, with_bo.pk: gone, with_kim.pk: maya})
    codes = {key: [error.code for error in errors] for key, errors in refusal.value.error_dict.items()}
    assert codes == {
        with_alex.pk: ["outside_window"],
        with_bo.pk: ["inactive", "outside_window"],
        with_kim.pk: ["same_mentor"],
    }
    assert (now_is(*sessions), User.objects.get(pk=maya.pk).is_active) == (before, True)


def test_a_coordinator_hands_over_against_the_soft_rules_with_a_reason(sessions, maya, omar, cora):
    with_alex, with_bo, _, with_kim = sessions
    decided = {with_alex.pk: omar, with_bo.pk: None, with_kim.pk: None}
    [handed, *_] = leaving.leave(maya.user, by=cora, decided=decided, set_aside="Omar offered it on the phone.")
    assert (handed.set_aside, handed.set_aside_reason) == (["outside_window"], "Omar offered it on the phone.")


def test_a_session_that_changed_since_they_looked_is_told(sessions, maya, alex, cora, monday):
    with_alex, with_bo, *_ = sessions
    seen = {session.pk: session.version for session in sessions}
    booking.reschedule(with_alex, monday + timedelta(minutes=30), by=alex.user)
    decided = dict.fromkeys(seen)
    with pytest.raises(ValidationError) as refusal:
        leaving.leave(maya.user, by=cora, decided=decided, seen=seen)
    [(key, [error])] = refusal.value.error_dict.items()
    assert (key, error.code, error.message[:39]) == (
        with_alex.pk,
        "stale",
        "Alex Johnson changed this session at " + error.message[37:39],
    )
    assert now_is(with_bo)[0][0] == "Confirmed"
    assert leaving.leave(maya.user, by=cora, decided=decided, seen=seen | {with_alex.pk: with_alex.version + 1})


def test_a_try_shows_what_would_happen_and_changes_nothing(sessions, maya, omar, cora, window, mailoutbox):
    window(omar)
    with_alex, with_bo, _, with_kim = sessions
    before, owed = now_is(*sessions), sorted(Notice.objects.values_list("pk", "state"))
    decided = {with_alex.pk: omar, with_bo.pk: None, with_kim.pk: None}
    would = leaving.leave(maya.user, by=cora, decided=decided, only_try=True)
    assert [(session.status, str(session.mentor)) for session in would] == [
        ("Pending", "Omar Haddad"),
        ("Canceled", "Maya Lopez"),
        ("Canceled", "Maya Lopez"),
    ]
    assert (now_is(*sessions), sorted(Notice.objects.values_list("pk", "state"))) == (before, owed)
    assert (User.objects.get(pk=maya.pk).is_active, maya.availabilities.ahead().count()) == (True, 1)


def test_what_has_begun_or_is_over_is_not_asked_about(sessions, maya, cora, time_machine, monday):
    time_machine.move_to(monday + timedelta(minutes=70))
    assert leaving.ahead(maya.user) == [sessions[3]]
    leaving.leave(maya.user, by=cora, decided={sessions[3].pk: None})
    assert [row[0] for row in now_is(*sessions)] == ["Confirmed", "Confirmed", "Pending", "Canceled"]


# ---- who may ----------------------------------------------------------------------------------------------------------


def test_only_coordinators_deactivate_and_nobody_themselves(sessions, maya, alex, zoe, omar, cora, root, person):
    reader = person("Stan Doyle", is_staff=True)
    for by in (maya.user, alex.user, zoe.user, omar.user, reader):
        assert code_of(leaving.leave, alex.user, by=by, decided={sessions[0].pk: None}) == "not_yours"
        assert code_of(leaving.come_back, alex.user, by=by) == "not_yours"
    Mentor.objects.create(user=cora)
    assert code_of(leaving.leave, cora, by=cora) == "yourself"
    assert User.objects.filter(is_active=False).count() == 0


def test_an_account_of_staff_is_for_superusers(person, cora, root):
    colleague = person("Ana Boss", is_staff=True, mentor=True)
    hidden = person("Sue Doer", is_superuser=True, mentee=True)
    for user in (colleague, hidden, root):
        assert code_of(leaving.leave, user, by=cora) == "not_yours"
    leaving.leave(colleague, by=root)
    assert not User.objects.get(pk=colleague.pk).is_active


def test_the_second_of_two_coordinators_is_told_that_it_is_done(sessions, alex, cora, root):
    decided = {sessions[0].pk: None}
    leaving.leave(alex.user, by=root, decided=decided)
    assert code_of(leaving.leave, alex.user, by=cora, decided=decided) == "already"
    leaving.come_back(alex.user, by=root)
    assert code_of(leaving.come_back, alex.user, by=cora) == "already"
    told = alex.user.history.exclude(history_change_reason=None).values_list("history_user", "history_change_reason")
    assert list(told.order_by("pk")) == [(root.pk, "left the program"), (root.pk, "came back")]


# ---- afterwards -------------------------------------------------------------------------------------------------------


def test_whoever_left_is_logged_out_and_cannot_log_in(client, person, cora):
    user = person("Vera Voss", mentor=True, mentee=True)
    credentials = {"login": "vera@example.org", "password": "correct horse battery staple"}
    client.post(reverse("account_login"), credentials)
    assert client.get(reverse("profile")).status_code == 200
    leaving.leave(user, by=cora)
    assert client.get(reverse("profile")).url.startswith(reverse("account_login"))
    refused = client.post(reverse("account_login"), credentials)
    assert (refused.status_code, refused.url) == (302, reverse("account_inactive"))
    assert client.get(reverse("profile")).status_code == 302
    # The control: whoever came back is let in again.
    leaving.come_back(user, by=cora)
    client.post(reverse("account_login"), credentials)
    assert client.get(reverse("profile")).status_code == 200


def test_mentees_do_not_find_a_mentor_who_left(client, maya, zoe, cora):
    client.force_login(zoe.user)
    assert client.get(reverse("mentor", args=[maya.pk])).status_code == 200
    leaving.leave(maya.user, by=cora)
    assert client.get(reverse("mentor", args=[maya.pk])).status_code == 404


def test_whoever_comes_back_offers_the_weekly_hours_again(maya, cora, window, monday):
    Program.objects.update_or_create(pk=1, defaults={"weeks_ahead": 3})
    hours = WeeklyHours.objects.create(
        mentor=maya, weekday=0, begins=time(9), ends=time(12), time_zone="UTC", valid_from_on=date(2020, 1, 6)
    )
    extra = window(maya, monday + timedelta(days=1))
    leaving.leave(maya.user, by=cora)
    assert (maya.availabilities.ahead().count(), maya.weekly_hours.get()) == (0, hours)
    user = leaving.come_back(maya.user, by=cora)
    assert (user.is_active, user.history.latest("pk").history_change_reason) == (True, "came back")
    offered = maya.availabilities.ahead()
    assert set(offered.values_list("from_weekly_hours", flat=True)) == {True}
    assert monday in offered.values_list("start_time", flat=True)
    assert not Availability.objects.filter(pk=extra.pk).exists()


def test_nobody_books_with_whoever_left(maya, omar, alex, zoe, cora, window, monday):
    leaving.leave(maya.user, by=cora)
    window(maya)
    window(omar)
    with pytest.raises(ValidationError) as refusal:
        booking.request(maya, zoe, monday, 30, by=zoe.user)
    assert [error.code for error in refusal.value.error_list] == ["inactive"]
    session = booking.request(omar, zoe, monday, 30, by=zoe.user)
    with pytest.raises(ValidationError) as refusal:
        booking.reassign(session, maya, by=cora)
    assert [error.code for error in refusal.value.error_list] == ["inactive"]


# ---- at the desk: the page --------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def page_of(role) -> str:
    return reverse(f"admin:people_{role._meta.model_name}_deactivate", args=[role.pk])


def buttons(client, role) -> list[str]:
    page = client.get(reverse(f"admin:people_{role._meta.model_name}_change", args=[role.pk]))
    shown = page.context["actions_detail"]
    titles = [button["title"] for one in shown for button in (one, *one.get("items", ()))]
    return [title for title in titles if title not in ("Log out everywhere", "Remove photo")]


def shown(page) -> dict[int, list[str]]:
    """What the page says beside each session."""
    form = page.context["form"]
    return {
        key: [message for errors in row.errors.values() for message in errors] for key, row in form.rows.items() if row.errors
    }


def test_a_coordinator_deactivates_a_mentor_from_start_to_end(desk, sessions, maya, omar, kim, window):
    window(omar)
    with_alex, with_bo, _, with_kim = sessions
    assert buttons(desk, maya) == ["Ill or away", "Send invitation", "More", "Deactivate", "Erase"]
    url = page_of(maya)
    page = desk.get(url)
    assert [(str(other), when[:4]) for _, other, when, _ in page.context["form"].shown] == [
        ("Alex Johnson", "Mon "),
        ("Bo Lindqvist", "Mon "),
        ("Kim Park", "Mon "),
    ]
    assert "(UTC)" in page.content.decode()
    # Nothing is chosen before somebody chooses it, but that each goes to its first suggestion.
    blank = form_in(page, "leaving")
    assert {name: value for name, value in blank.items() if value != [""]} == {"all-what": ["suggested"]}
    assert shown(desk.post(url, blank | {"all-what": ""})) == {
        with_alex.pk: ["Cancel it or hand it over."],
        with_bo.pk: ["Cancel it or hand it over."],
        with_kim.pk: ["Cancel it or hand it over."],
    }
    # Who is free then is suggested: at 11:30 Kim is in the session herself.
    suggested = {key: [option[:3] for option in row.options][1:-1] for key, row in page.context["form"].rows.items()}
    assert suggested[with_alex.pk] == [
        (str(omar.pk), "Omar Haddad", "free then · no session that week"),
        (str(kim.pk), "Kim Park", "free then · 1 session that week"),
    ]
    # With the two that it would have by then.
    assert suggested[with_kim.pk] == [(str(omar.pk), "Omar Haddad", "free then · 1 session that week")]
    chosen = blank | {f"session-{with_alex.pk}-what": str(omar.pk), "all-what": "cancel", "reason": "Maya moved away."}
    last = desk.post(url, chosen)
    assert (last.context["button"], User.objects.get(pk=maya.pk).is_active) == (
        "Deactivate, cancel 2 sessions, hand over 1",
        True,
    )
    assert [(str(step["other"]), str(step["heir"])) for step in last.context["plan"]] == [
        ("Alex Johnson", "Omar Haddad"),
        ("Bo Lindqvist", "None"),
        ("Kim Park", "None"),
    ]
    assert "1 window ahead closes." in last.content.decode()
    done = desk.post(url, form_in(last, "leaving"), follow=True)
    assert said(done)[:1] == [
        "Maya Lopez is deactivated. Canceled: 2. Handed over: 1. Told: Alex Johnson, Bo Lindqvist, Kim Park and Omar Haddad."
    ]
    assert "Cora Diaz deactivated Maya Lopez, " in done.content.decode()
    assert buttons(desk, maya) == ["Bring back", "More", "Erase"]
    assert [row[:2] for row in now_is(with_alex, with_bo, with_kim)] == [
        ("Pending", "Omar Haddad"),
        ("Canceled", "Maya Lopez"),
        ("Canceled", "Maya Lopez"),
    ]
    assert Session.objects.get(pk=with_bo.pk).reason == "Maya moved away."


def test_a_mentee_without_sessions_leaves_in_one_step(desk, zoe):
    page = desk.get(page_of(zoe))
    assert page.context["button"] == "Deactivate"
    assert "No sessions ahead." in page.content.decode()
    done = desk.post(page_of(zoe), form_in(page, "leaving"), follow=True)
    assert said(done)[:1] == ["Zoe Novak is deactivated."]
    assert not User.objects.get(pk=zoe.pk).is_active


def test_a_look_at_the_page_changes_nothing_and_a_post_needs_the_token(cora, zoe):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cora)
    assert client.get(page_of(zoe)).status_code == 200
    assert client.post(page_of(zoe), {"told": ""}).status_code == 403
    assert User.objects.get(pk=zoe.pk).is_active


def test_back_from_the_last_page_keeps_what_was_chosen(desk, sessions, maya, omar, window):
    window(omar)
    key = sessions[0].pk
    last = desk.post(page_of(maya), {"all-what": "cancel", f"session-{key}-to": omar.pk, "agreed": "on", "reason": "Why"})
    again = desk.post(page_of(maya), form_in(last, "leaving") | {"_back": "1"})
    kept = {name: value for name, value in form_in(again, "leaving").items() if value != [""]}
    assert kept == {
        f"session-{key}-what": [str(omar.pk)],
        f"session-{sessions[1].pk}-what": ["cancel"],
        f"session-{sessions[3].pk}-what": ["cancel"],
        "agreed": ["on"],
        "reason": ["Why"],
    }
    assert User.objects.get(pk=maya.pk).is_active


def test_what_is_booked_between_the_pages_is_listed_anew(desk, sessions, maya, zoe, monday):
    last = desk.post(page_of(maya), {"all-what": "cancel"})
    assert last.context["button"] == "Deactivate, cancel 3 sessions"
    new = booking.request(maya, zoe, monday + timedelta(minutes=30), 30, by=zoe.user)
    listed = desk.post(page_of(maya), form_in(last, "leaving"))
    assert shown(listed) == {new.pk: ["Cancel it or hand it over."]}
    assert len(listed.context["form"].shown) == 4
    assert User.objects.get(pk=maya.pk).is_active


def test_what_is_booked_in_the_very_moment_is_listed_anew(desk, sessions, maya, zoe, monday, monkeypatch):
    """After the page has looked, and before the verb does."""
    last = desk.post(page_of(maya), {"all-what": "cancel"})
    leave = leaving.leave

    def booked_first(*args, **kwargs):
        monkeypatch.setattr(leaving, "leave", leave)
        booking.request(maya, zoe, monday + timedelta(minutes=30), 30, by=zoe.user)
        return leave(*args, **kwargs)

    monkeypatch.setattr(leaving, "leave", booked_first)
    listed = desk.post(page_of(maya), form_in(last, "leaving"))
    assert shown(listed) == {Session.objects.get(mentee=zoe).pk: ["Cancel it or hand it over."]}
    assert User.objects.get(pk=maya.pk).is_active


def test_what_moved_between_the_pages_is_shown_again_before_it_is_done(desk, sessions, maya, alex, monday):
    last = desk.post(page_of(maya), {"all-what": "cancel"})
    booking.reschedule(sessions[0], monday + timedelta(minutes=30), by=alex.user)
    again = desk.post(page_of(maya), form_in(last, "leaving"))
    assert (again.context["again"], last.context["again"]) == (True, False)
    assert "09:30" in again.context["plan"][0]["when"]
    assert User.objects.get(pk=maya.pk).is_active
    assert desk.post(page_of(maya), form_in(again, "leaving")).status_code == 302
    assert not User.objects.get(pk=maya.pk).is_active


def test_what_the_rules_refuse_is_told_beside_the_session_and_a_reason_is_asked_for(desk, sessions, maya, omar):
    with_alex = sessions[0]
    form = {f"session-{with_alex.pk}-to": omar.pk, "all-what": "cancel", "agreed": "on"}
    refused = desk.post(page_of(maya), form)
    [(key, [sentence])] = shown(refused).items()
    assert (key, sentence[:35]) == (with_alex.pk, "Omar Haddad has not offered Mon " + sentence[32:35])
    assert "Why set these rules aside?" in refused.content.decode()
    last = desk.post(page_of(maya), form | {"set_aside": "He said so on the phone."})
    assert "The mentor has offered this time" in last.context["plan"][0]["aside"]
    desk.post(page_of(maya), form_in(last, "leaving"))
    handed = Session.objects.get(pk=with_alex.pk)
    assert (handed.status, handed.set_aside_reason) == ("Confirmed", "He said so on the phone.")


def test_a_hard_rule_asks_for_no_reason(desk, sessions, maya, kim):
    with_kim = sessions[3]
    refused = desk.post(page_of(maya), {"all-what": "cancel", f"session-{with_kim.pk}-to": kim.pk})
    assert shown(refused)[with_kim.pk][0] == "Nobody can book a session with themselves."
    assert "Why set these rules aside?" not in refused.content.decode()


def test_only_who_may_set_rules_aside_is_asked_for_a_reason(client, sessions, maya, omar, person):
    planner = person("Pat Plain", is_staff=True)
    names = ["change_mentor", "view_mentor", "change_mentee", "view_session", "change_session"]
    planner.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(planner)
    form = {f"session-{sessions[0].pk}-to": omar.pk, "all-what": "cancel"}
    refused = client.post(page_of(maya), form)
    assert list(shown(refused)) == [sessions[0].pk]
    assert "Why set these rules aside?" not in refused.content.decode()
    forged = client.post(page_of(maya), form | {"set_aside": "Because"})
    assert shown(forged) == {sessions[0].pk: ["Only coordinators set rules aside."]}


def test_one_decision_for_all_does_not_hand_over_what_they_attend(desk, sessions, kim, omar, window):
    window(omar)
    with_kim = sessions[3]
    page = desk.post(page_of(kim.mentor), {"all-to": omar.pk})
    assert shown(page) == {with_kim.pk: ["Kim Park is the mentee here: nobody can take that over. Cancel it."]}
    last = desk.post(page_of(kim.mentor), {"all-to": omar.pk, f"session-{with_kim.pk}-what": "cancel"})
    assert last.context["button"] == "Deactivate, cancel 1 session, hand over 1"
    assert last.context["plan"][0]["heir"] == omar
    # The same page on the mentee's side.
    assert len(desk.get(page_of(kim.mentee)).context["form"].shown) == 2
    assert buttons(desk, kim.mentee) == ["Send invitation", "More", "Deactivate", "Erase"]
    assert buttons(desk, kim.mentor) == ["Ill or away", "Send invitation", "More", "Deactivate", "Erase"]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"what": "cancel", "to": "omar"}, "Cancel it or hand it over: choose one."),
        ({"what": "kim", "to": "omar"}, "Choose one of the two."),
        ({"what": "999999"}, "This mentor is not here any more. Choose another one."),
        ({"what": "delete"}, "Select a valid choice. delete is not one of the available choices."),
        ({"what": "9" * 30}, f"Select a valid choice. {'9' * 30} is not one of the available choices."),
        ({"to": "9" * 30}, "Select a valid choice. That choice is not one of the available choices."),
    ],
)
def test_what_makes_no_sense_is_told_beside_the_session(desk, session, maya, omar, kim, form, sentence):
    keys = {"omar": str(omar.pk), "kim": str(kim.pk)}
    sent = {f"session-{session.pk}-{name}": keys.get(value, value) for name, value in form.items()}
    assert shown(desk.post(page_of(maya), sent)) == {session.pk: [sentence]}


def test_the_second_coordinator_is_sent_back_with_a_sentence(desk, sessions, alex, root):
    last = desk.post(page_of(alex), {"all-what": "cancel"})
    leaving.leave(alex.user, by=root, decided={sessions[0].pk: None})
    back = desk.post(page_of(alex), form_in(last, "leaving"), follow=True)
    assert said(back) == ["Alex Johnson is deactivated already."]


def test_sessions_of_somebody_switched_off_past_the_door_are_decided_about(desk, session, alex):
    User.objects.filter(pk=alex.pk).update(is_active=False)
    assert buttons(desk, alex) == ["Bring back", "More", "Deactivate", "Erase"]
    last = desk.post(page_of(alex), {"all-what": "cancel"})
    desk.post(page_of(alex), form_in(last, "leaving"))
    assert now_is(session)[0][0] == "Canceled"
    assert buttons(desk, alex) == ["Bring back", "More", "Erase"]


def test_who_may_not_deactivate_is_told_or_refused(client, desk, cora, person, alex, maya):
    colleague = person("Ana Boss", is_staff=True, mentor=True)
    assert buttons(desk, colleague.mentor) == ["Ill or away", "Send invitation"]
    refused = desk.get(page_of(colleague.mentor), follow=True)
    assert said(refused) == ["This is a coordinator's account: only a superuser deactivates it."]
    for wrong in ("0", "abc", "9" * 30):
        assert desk.get(reverse("admin:people_mentor_deactivate", args=[wrong])).status_code == 404
    reader = person("Vic Stone", is_staff=True)
    reader.user_permissions.add(*Permission.objects.filter(codename__in=["view_mentor", "view_session"]))
    client.force_login(reader)
    assert buttons(client, maya) == []
    for name in ("deactivate", "bring_back"):
        assert (
            client.post(reverse(f"admin:people_mentor_{name}", args=[maya.pk]), {"_form_submitted": "True"}).status_code == 403
        )
    client.force_login(alex.user)
    assert client.post(page_of(maya), {"told": ""}).status_code in (302, 403)
    assert User.objects.filter(is_active=False).count() == 0


def test_bringing_back_asks_first(desk, maya, cora, root):
    url = reverse("admin:people_mentor_bring_back", args=[maya.pk])
    leaving.leave(maya.user, by=cora)
    asked = desk.get(url)
    assert (asked.status_code, User.objects.get(pk=maya.pk).is_active) == (200, False)
    done = desk.post(url, {"_form_submitted": "True"})
    page = desk.get(done["HX-Redirect"])
    assert (said(page), User.objects.get(pk=maya.pk).is_active) == (["Maya Lopez takes part again."], True)
    again = desk.get(desk.post(url, {"_form_submitted": "True"})["HX-Redirect"])
    assert said(again) == ["Maya Lopez takes part already."]


def test_the_page_costs_the_same_however_many_mentors_there_are(desk, sessions, maya, omar, person, window):
    window(omar)
    desk.get(page_of(maya))
    with CaptureQueriesContext(connection) as few:
        desk.get(page_of(maya))
    for number in range(5):
        window(person(f"Mentor{number} Free", mentor=True).mentor)
    with CaptureQueriesContext(connection) as many:
        desk.get(page_of(maya))
    assert len(few) == len(many)


# ---- at the desk: deleting --------------------------------------------------------------------------------------------


@pytest.fixture
def office(client, root):
    client.force_login(root)
    return client


@pytest.mark.parametrize("name", ["people_mentor", "people_user"])
def test_a_mentor_with_sessions_is_not_deleted_but_offered_to_leave(office, session, maya, name):
    url = reverse(f"admin:{name}_delete", args=[maya.pk])
    for answer in (office.get(url), office.post(url, {"post": "yes"})):
        assert (answer.status_code, answer.url) == (302, page_of(maya))
    told = said(office.get(page_of(maya)))
    assert told[0].startswith("Nobody is deleted: <a ")
    assert "Maya Lopez</a> has sessions, and those are kept. Deactivate them instead" in told[0]
    assert Session.objects.get().mentor == maya


def test_a_mentee_with_sessions_is_not_deleted_either(office, session, alex):
    assert office.post(reverse("admin:people_mentee_delete", args=[alex.pk]), {"post": "yes"}).url == page_of(alex)
    assert Session.objects.get().mentee == alex


def test_whoever_left_and_had_sessions_is_kept_on_their_page(office, session, alex, root):
    leaving.leave(alex.user, by=root, decided={session.pk: None})
    answer = office.post(reverse("admin:people_mentee_delete", args=[alex.pk]), {"post": "yes"})
    assert answer.url == reverse("admin:people_mentee_change", args=[alex.pk])


@pytest.mark.parametrize("name", ["people_mentor", "people_user"])
def test_nobody_is_deleted_in_bulk_with_one_who_has_sessions(office, session, maya, omar, name):
    url = reverse(f"admin:{name}_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [maya.pk, omar.pk]}
    for sent in (chosen, chosen | {"post": "yes"}):
        told = said(office.post(url, sent, follow=True))
        assert len(told) == 1
        assert "Maya Lopez</a> has sessions" in told[0]
        assert "Omar" not in told[0]
    assert Mentor.objects.count() == 2
    # The control: without her it works as everywhere.
    office.post(url, {"action": "delete_selected", "_selected_action": [omar.pk], "post": "yes"})
    assert list(Mentor.objects.all()) == [maya]


@pytest.mark.parametrize("name", ["people_mentor", "people_user"])
def test_without_sessions_somebody_can_be_deleted(office, maya, window, name):
    window(maya)
    assert office.get(reverse(f"admin:{name}_delete", args=[maya.pk])).status_code == 200
    office.post(reverse(f"admin:{name}_delete", args=[maya.pk]), {"post": "yes"})
    assert not Mentor.objects.exists()
    assert User.objects.filter(pk=maya.pk).exists() == (name == "people_mentor")


@pytest.mark.parametrize("how", ["delete_model", "delete_queryset"])
def test_whoever_is_booked_while_they_are_deleted_is_kept(office, maya, alex, monday, window, monkeypatch, how):
    """The page has looked, and then somebody books: the database refuses, and the page says the same."""
    window(maya)
    model_admin = admin.site._registry[Mentor]
    delete = getattr(model_admin, how)

    def booked_first(request, whom):
        booking.request(maya, alex, monday, 30, by=alex.user)
        delete(request, whom)

    monkeypatch.setattr(model_admin, how, booked_first)
    if how == "delete_model":
        answer = office.post(reverse("admin:people_mentor_delete", args=[maya.pk]), {"post": "yes"})
        assert answer.url == page_of(maya)
    else:
        chosen = {"action": "delete_selected", "_selected_action": [maya.pk], "post": "yes"}
        answer = office.post(reverse("admin:people_mentor_changelist"), chosen, follow=True)
        assert [sentence[:18] for sentence in said(answer)] == ["Nobody is deleted:"]
    assert Mentor.objects.filter(pk=maya.pk).exists()


def test_coordinators_delete_nobody(desk, omar):
    assert desk.post(reverse("admin:people_mentor_delete", args=[omar.pk]), {"post": "yes"}).status_code == 403
    listed = desk.get(reverse("admin:people_mentor_changelist"))
    assert "delete_selected" not in dict(listed.context["action_form"].fields["action"].choices)


# ---- at the desk: the switch of an account ----------------------------------------------------------------------------


def account(office, user, **changes):
    """Save the page of an account with these changes; a value of None unticks."""
    url = reverse("admin:people_user_change", args=[user.pk])
    form = form_in(office.get(url), "user_form") | changes
    return office.post(url, {name: value for name, value in form.items() if value is not None})


def test_the_switch_names_the_page_where_sessions_are_decided_about(office, session, alex):
    refused = account(office, alex.user, is_active=None)
    [sentence] = refused.context["adminform"].form.errors["is_active"]
    assert f'href="{page_of(alex)}"' in sentence
    assert sentence.startswith("Alex Johnson has 1 session ahead.")
    assert User.objects.get(pk=alex.pk).is_active


def test_the_switch_is_the_same_door_where_nothing_is_to_be_decided(office, maya, root, window):
    window(maya)
    assert account(office, maya.user, is_active=None, last_name="Lopez-Ruiz").status_code == 302
    user = User.objects.get(pk=maya.pk)
    assert (user.is_active, user.last_name, maya.availabilities.ahead().count()) == (False, "Lopez-Ruiz", 0)
    last = user.history.latest("pk")
    assert (last.history_user, last.history_change_reason) == (root, "left the program")
    assert account(office, user, is_active="on").status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.history.latest("pk").history_change_reason) == (True, "came back")


def test_nobody_switches_themselves_off(office, root):
    refused = account(office, root, is_active=None)
    assert refused.context["adminform"].form.errors["is_active"] == ["Nobody deactivates themselves. Ask another coordinator."]
    assert User.objects.get(pk=root.pk).is_active


# ---- at the same moment -----------------------------------------------------------------------------------------------


def one_after_the_other(first, then) -> list[str]:
    """Both at once, each in a connection of its own: the first has written and not yet committed when the other begins.

    What they said: "done", or the codes of the refusal.
    """
    written, begun = threading.Event(), threading.Event()

    def outcome(call) -> str:
        try:
            call()
        except ValidationError as refusal:
            return " ".join(error.code for error in refusal.error_list)
        finally:
            connection.close()
        return "done"

    def hold():
        with transaction.atomic():
            first()
            written.set()
            assert begun.wait(10)
            # Long enough for the other one to come to the lock.
            sleep(0.5)

    def follow():
        assert written.wait(10)
        begun.set()
        then()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(outcome, (hold, follow)))


@pytest.mark.django_db(transaction=True)
def test_what_is_booked_in_the_moment_of_leaving_is_asked_about(maya, alex, cora, monday, window):
    window(maya)
    said = one_after_the_other(
        lambda: booking.request(maya, alex, monday, 30, by=alex.user),
        lambda: leaving.leave(maya.user, by=cora),
    )
    assert said == ["done", "undecided"]
    assert User.objects.get(pk=maya.pk).is_active
    assert Session.objects.active().count() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_books_in_the_moment_after(maya, alex, cora, monday, window):
    window(maya)
    said = one_after_the_other(
        lambda: leaving.leave(maya.user, by=cora),
        lambda: booking.request(maya, alex, monday, 30, by=alex.user),
    )
    assert said == ["done", "inactive outside_window"]
    assert not User.objects.get(pk=maya.pk).is_active
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nobody_hands_over_to_whoever_is_leaving(maya, omar, alex, cora, root, monday, window):
    window(maya)
    window(omar)
    session = booking.request(maya, alex, monday, 30, by=alex.user)
    said = one_after_the_other(
        lambda: leaving.leave(omar.user, by=root),
        lambda: booking.reassign(session, omar, by=cora, set_aside="They know each other."),
    )
    assert said == ["done", "inactive"]
    assert now_is(session) == [("Pending", "Maya Lopez", "requested")]


@pytest.mark.django_db(transaction=True)
def test_two_coordinators_deactivate_in_one_moment(maya, omar, alex, cora, root, monday, window):
    window(maya)
    window(omar)
    session = booking.request(maya, alex, monday, 30, by=alex.user)
    said = one_after_the_other(
        lambda: leaving.leave(maya.user, by=cora, decided={session.pk: omar}),
        lambda: leaving.leave(maya.user, by=root, decided={session.pk: None}),
    )
    assert said == ["done", "already"]
    assert now_is(session) == [("Pending", "Omar Haddad", "handed over for the program")]


@pytest.mark.django_db(transaction=True)
def test_mentor_and_heir_leave_in_one_moment(maya, omar, alex, cora, root, monday, window):
    """Maya's session goes to Omar just when Omar goes, too: it is asked about again."""
    window(maya)
    window(omar)
    session = booking.request(maya, alex, monday, 30, by=alex.user)
    said = one_after_the_other(
        lambda: leaving.leave(maya.user, by=cora, decided={session.pk: omar}),
        lambda: leaving.leave(omar.user, by=root),
    )
    assert said == ["done", "undecided"]
    assert now_is(session) == [("Pending", "Omar Haddad", "handed over for the program")]
    assert User.objects.get(pk=omar.pk).is_active
