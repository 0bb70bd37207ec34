"""Why can these two not meet then? Every rule on one page, what decides it, and a booking all the same, with a reason."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from people.models import User
from project.tests.page import form_in
from scheduling import booking, rules
from scheduling.models import MentorLimits, Notice, Program, Session

pytestmark = pytest.mark.django_db

PAGE, ADD = "/admin/scheduling/session/why-not/", "/admin/scheduling/session/add/"
HARD = ["same_person", "inactive", "leaves", "past", "mentor_taken", "mentee_taken"]
EVENING = timedelta(hours=9)


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def ray(person):
    """May do everything for the program but set rules aside, and see nothing but sessions."""
    ray = person("Ray Tan", is_staff=True)
    names = ["view_session", "add_session", "change_session"]
    ray.user_permissions.add(*Permission.objects.filter(codename__in=names, content_type__app_label="scheduling"))
    return ray


def query(mentor, mentee, start, minutes=30) -> dict:
    return {
        "mentor": mentor.pk,
        "mentee": mentee.pk,
        "start_time_0": start.strftime("%Y-%m-%d"),
        "start_time_1": start.strftime("%H:%M"),
        "minutes": minutes,
    }


def asked(browser, *question):
    return browser.get(PAGE, query(*question))


def broken(page) -> list[str]:
    return [finding.code for finding, _ in page.context["answer"]["broken"]]


def send(browser, page, **typed):
    """Press the button of the page, whose question stays in the address."""
    return browser.post(page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"], form_in(page, "booking") | typed)


def errors(form) -> list[str]:
    return [error.code for found in form.errors.as_data().values() for error in found]


# ---- the page ---------------------------------------------------------------------------------------------------------


def test_every_rule_is_there_kept_or_broken(desk, maya, alex, window, monday):
    window(maya)
    page = asked(desk, maya, alex, monday + EVENING)
    answer = page.context["answer"]
    assert broken(page) == ["outside_window"]
    assert [finding.code for finding, _ in answer["kept"]] == [code for code in rules.TITLES if code != "outside_window"]
    text = page.content.decode()
    assert all(str(title) in text for title in rules.TITLES.values())
    when = f"{monday:%a} {monday.day} {monday:%b %Y}, 18:00–18:30 (UTC)"
    assert f"Maya Lopez has not offered {when}." in text


def test_before_anything_is_asked_there_is_only_the_question(desk):
    page = desk.get(PAGE)
    assert (page.status_code, page.context["answer"], page.context["errors"]) == (200, {}, [])


def test_each_rule_leads_to_what_decides_it(desk, maya, alex, bo, omar, session, monday, window):
    other = booking.request(maya, bo, monday + timedelta(hours=1), 30, by=bo.user)
    MentorLimits.objects.create(mentor=maya, buffer_minutes=30, paused_until_on=monday.date() + timedelta(days=30))
    Program.objects.update(minimum_notice_hours=24 * 30)
    User.objects.filter(pk=bo.pk).update(is_active=False)
    links = {}
    for question in ((maya, bo, monday), (maya, bo, monday + timedelta(minutes=30)), (omar, bo, monday)):
        page = asked(desk, *question)
        links |= {(question[0], finding.code): record for finding, record in page.context["answer"]["broken"]}
    change = "admin:{}_change".format
    windows = reverse("admin:scheduling_availability_changelist")
    assert links == {
        (maya, "inactive"): (str(bo), reverse(change("people_mentee"), args=[bo.pk])),
        (maya, "mentor_taken"): ("The session in the way", reverse(change("scheduling_session"), args=[session.pk])),
        (maya, "paused"): ("Limits of Maya Lopez", reverse(change("people_mentor"), args=[maya.pk])),
        (maya, "too_soon"): ("The program’s policy", reverse(change("scheduling_program"), args=[1])),
        (maya, "buffer"): ("The session in the way", reverse(change("scheduling_session"), args=[session.pk])),
        (omar, "inactive"): (str(bo), reverse(change("people_mentee"), args=[bo.pk])),
        (omar, "outside_window"): ("Availability of Omar Haddad", f"{windows}?mentor__user__exact={omar.pk}"),
        (omar, "too_soon"): ("The program’s policy", reverse(change("scheduling_program"), args=[1])),
    }
    assert other.pk != session.pk
    # Each of them opens.
    assert {desk.get(link).status_code for _, link in links.values()} == {200}


def test_who_may_not_see_a_record_is_told_which_it_is_without_a_link(client, ray, maya, alex, monday):
    client.force_login(ray)
    page = asked(client, maya, alex, monday)
    assert [record for _, record in page.context["answer"]["broken"]] == [("Availability of Maya Lopez", "")]
    assert "Availability of Maya Lopez" in page.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"mentor": "abc"},
        {"mentor": "9" * 23},
        {"mentee": "²"},
        {"start_time_0": "soon"},
        {"minutes": "7"},
        {"start_time_0": "9999-12-31"},
    ],
)
def test_anything_may_stand_in_the_address(desk, maya, alex, monday, wrong):
    page = desk.get(PAGE, query(maya, alex, monday) | wrong)
    assert (page.status_code, page.context["answer"]) == (200, {})
    assert page.context["errors"]
    # And nothing is booked by it.
    assert (
        desk.post(f"{PAGE}?{page.request['QUERY_STRING']}", {"key": "44444444-4444-4444-8444-444444444444"}).status_code == 200
    )
    assert not Session.objects.exists()


def test_the_start_is_told_by_the_readers_clock(desk, cora, maya, alex, window):
    User.objects.filter(pk=cora.pk).update(time_zone="Europe/Berlin")
    start = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    window(maya, start)
    question = {"mentor": maya.pk, "mentee": alex.pk, "minutes": 30, "start_time_0": "2027-10-31", "start_time_1": "02:30"}
    page = desk.get(PAGE, question)
    assert (page.context["answer"], errors(page.context["adminform"].form)) == ({}, ["happens_twice"])
    page = desk.get(PAGE, question | {"which_start_time": "second"})
    assert broken(page) == ["too_far"]
    assert send(desk, page, set_aside="Planned early.").status_code == 302
    assert Session.objects.get().start_time == start


def test_the_page_is_for_those_who_act_for_the_program(client, person, maya, alex, monday):
    viewer = person("Vic Stone", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_session", content_type__app_label="scheduling"))
    for user, answers in ((viewer, {403}), (alex.user, {302, 403}), (maya.user, {302, 403})):
        client.force_login(user)
        assert {asked(client, maya, alex, monday).status_code, client.post(PAGE).status_code} <= answers


def test_the_address_names_nobody(desk, maya, alex, monday):
    asking = asked(desk, maya, alex, monday).request["QUERY_STRING"]
    assert not re.search("@|maya|alex|lopez|johnson", asking, re.IGNORECASE)


# ---- booking from it --------------------------------------------------------------------------------------------------


def test_what_nothing_stands_against_is_booked_at_once(desk, cora, maya, alex, window, monday):
    window(maya)
    page = asked(desk, maya, alex, monday)
    assert broken(page) == []
    done = send(desk, page, on_behalf_of="mentee")
    booked = Session.objects.get()
    assert done.url == reverse("admin:scheduling_session_change", args=[booked.pk])
    assert (booked.mentor, booked.mentee, booked.start_time, booked.minutes) == (maya, alex, monday, 30)
    assert (booked.status, booked.acted_for, booked.set_aside) == ("Pending", alex.user, [])
    record = booked.history.get()
    assert (record.history_user, record.history_change_reason) == (cora, "requested for the mentee")
    # The double click: the same session, and no riddle.
    assert send(desk, page, on_behalf_of="mentee").url == done.url
    assert set(Notice.objects.values_list("recipient", flat=True)) == {maya.pk, alex.pk}


def test_soft_rules_are_set_aside_with_a_reason(desk, maya, alex, monday):
    page = asked(desk, maya, alex, monday)
    assert "Book anyway" in page.content.decode()
    without = send(desk, page)
    assert errors(without.context["answer"]["form"]) == ["required"]
    assert not Session.objects.exists()
    done = send(desk, without, set_aside="Maya offered it on the phone.")
    booked = Session.objects.get()
    assert done.url == reverse("admin:scheduling_session_change", args=[booked.pk])
    assert (booked.set_aside, booked.set_aside_reason) == (["outside_window"], "Maya offered it on the phone.")
    assert send(desk, page, set_aside="Maya offered it on the phone.").url == done.url
    assert Session.objects.count() == 1


def test_a_reason_counts_for_the_rules_that_were_shown_and_no_others(desk, maya, alex, monday):
    page = asked(desk, maya, alex, monday)
    MentorLimits.objects.create(mentor=maya, paused_until_on=monday.date() + timedelta(days=30))
    changed = send(desk, page, set_aside="By phone.")
    assert (errors(changed.context["answer"]["form"]), broken(changed)) == (["stale"], ["paused", "outside_window"])
    assert not Session.objects.exists()
    # Who has seen both may go on.
    assert send(desk, changed).status_code == 302
    assert Session.objects.get().set_aside == ["paused", "outside_window"]


def test_no_reason_outweighs_a_hard_rule(desk, maya, alex, bo, session, monday):
    page = asked(desk, maya, bo, monday)
    assert broken(page) == ["mentor_taken"]
    text = page.content.decode()
    assert "a hard rule stands against it" in text
    assert "Book anyway" not in text
    forged = {"key": "44444444-4444-4444-8444-444444444444", "set_aside": "I say so.", "told": "mentor_taken"}
    page = desk.post(f"{PAGE}?{page.request['QUERY_STRING']}", forged)
    assert (page.status_code, errors(page.context["answer"]["form"])) == (200, ["stale"])
    assert Session.objects.count() == 1


def test_who_may_not_set_rules_aside_sees_why_and_cannot_force_it(client, ray, maya, alex, window, monday):
    client.force_login(ray)
    page = asked(client, maya, alex, monday)
    assert "set_aside" not in page.content.decode()
    forged = {"key": "44444444-4444-4444-8444-444444444444", "set_aside": "Because.", "told": "outside_window"}
    page = client.post(f"{PAGE}?{page.request['QUERY_STRING']}", forged)
    assert errors(page.context["answer"]["form"]) == ["not_yours"]
    assert "set rules aside" in page.content.decode()
    assert not Session.objects.exists()
    # The control: what no rule stands against, they book.
    window(maya)
    assert send(client, asked(client, maya, alex, monday)).status_code == 302
    assert Session.objects.get().mentor == maya


def test_it_needs_the_csrf_token(desk, cora, maya, alex, window, monday):
    window(maya)
    page = asked(desk, maya, alex, monday)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cora)
    assert (send(browser, page).status_code, Session.objects.count()) == (403, 0)


def test_a_get_books_nothing(desk, maya, alex, window, monday):
    window(maya)
    desk.get(PAGE, query(maya, alex, monday) | {"key": "44444444-4444-4444-8444-444444444444", "set_aside": "x"})
    assert not Session.objects.exists()


# ---- the ways there, and the form for booking -----------------------------------------------------------------------------


def typed(page, *question, **more) -> dict:
    return form_in(page, "session_form") | query(*question) | more


def test_the_list_leads_to_it(desk):
    page = desk.get(reverse("admin:scheduling_session_changelist"))
    assert ("Why not?", PAGE) in [(button["title"], button["path"]) for button in page.context["actions_list"]]


def test_a_refused_booking_leads_to_it_with_the_fields_filled_in(desk, maya, alex, bo, session, monday):
    page = desk.get(ADD)
    assert "why-not" not in page.content.decode()
    page = desk.post(ADD, typed(page, maya, bo, monday))
    form = page.context["adminform"].form
    assert errors(form) == ["mentor_taken"]
    assert form["set_aside"].is_hidden
    [link] = re.findall(r'href="([^"]*why-not[^"]*)"', page.content.decode())
    explained = desk.get(link.replace("&amp;", "&"))
    assert (broken(explained), explained.context["answer"]["mentee"]) == (["mentor_taken"], bo)


def test_the_form_for_booking_sets_soft_rules_aside_with_one_more_press(desk, cora, maya, alex, monday):
    page = desk.post(ADD, typed(desk.get(ADD), maya, alex, monday, on_behalf_of="mentee", topic="SQL"))
    form = page.context["adminform"].form
    assert (errors(form), form["set_aside"].is_hidden) == (["outside_window"], False)
    done = desk.post(ADD, form_in(page, "session_form") | {"set_aside": "Maya is in town."}, follow=True)
    booked = Session.objects.get()
    assert done.redirect_chain == [(reverse("admin:scheduling_session_change", args=[booked.pk]), 302)]
    assert (booked.set_aside, booked.set_aside_reason) == (["outside_window"], "Maya is in town.")
    assert (booked.acted_for, booked.topic) == (alex.user, "SQL")


def test_the_form_for_booking_asks_nobody_who_may_not(client, ray, maya, alex, monday):
    client.force_login(ray)
    page = client.post(ADD, form := typed(client.get(ADD), maya, alex, monday))
    assert errors(page.context["adminform"].form) == ["outside_window"]
    assert "set_aside" not in page.content.decode()
    forged = client.post(ADD, form | {"set_aside": "Because.", "told": "outside_window"})
    assert errors(forged.context["adminform"].form) == ["not_yours"]
    assert not Session.objects.exists()


def test_the_back_button_and_another_hour_are_refused_in_words(desk, maya, alex, window, monday):
    window(maya)
    form = typed(desk.get(ADD), maya, alex, monday)
    assert desk.post(ADD, form).status_code == 302
    page = desk.post(ADD, form | query(maya, alex, monday + timedelta(hours=1)))
    assert errors(page.context["adminform"].form) == ["form_used"]
    assert Session.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"mentor": "abc"}, {"mentee": "9" * 23}])
def test_anything_may_be_sent_to_the_form_for_booking(desk, maya, alex, monday, wrong):
    page = desk.post(ADD, typed(desk.get(ADD), maya, alex, monday, **wrong))
    assert (page.status_code, Session.objects.count()) == (200, 0)


def test_the_form_for_booking_asks_which_of_two_equal_times_is_meant(desk, cora, maya, alex, window):
    User.objects.filter(pk=cora.pk).update(time_zone="Europe/Berlin")
    Program.objects.update_or_create(defaults={"horizon_days": 0})
    window(maya, datetime(2027, 10, 31, 0, 0, tzinfo=UTC))
    night = {"start_time_0": "2027-10-31", "start_time_1": "02:30"}
    page = desk.post(ADD, typed(desk.get(ADD), maya, alex, datetime(2027, 10, 31, tzinfo=UTC)) | night)
    assert errors(page.context["adminform"].form) == ["happens_twice"]
    assert desk.post(ADD, form_in(page, "session_form") | {"which_start_time": "second"}).status_code == 302
    assert Session.objects.get().start_time == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
