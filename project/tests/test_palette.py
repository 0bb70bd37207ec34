"""The palette finds people and sessions: ten at most, at once, and nothing that somebody may not see."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from scheduling import booking

pytestmark = pytest.mark.django_db


@pytest.fixture
def find(client, cora):
    """A function that types something as a coordinator, or as whoever is given, and reads titles and descriptions."""

    def typed(term, by=cora):
        client.force_login(by)
        page = client.get(reverse("admin:search"), {"extended": "1", "s": term})
        assert page.status_code == 200
        return [(one.title, one.description) for one in page.context["results"]]

    return typed


def test_people_are_found_by_name_or_address_and_sessions_by_either_party(find, session, alex, omar, kim):
    [maya, booked] = find("lopez")
    assert maya == ("Maya Lopez", "Mentor, maya@example.org")
    assert booked[0] == "Maya Lopez and Alex Johnson"
    assert booked[1].endswith(", Pending")
    # At once, and as it is now.
    booking.confirm(session, by=session.mentor.user)
    [_, booked] = find("MAYA@ex")
    assert booked[1].endswith(", Confirmed")
    assert [title for title, _ in find("alex johnson")] == ["Alex Johnson", "Maya Lopez and Alex Johnson"]
    assert find("kim") == [("Kim Park", "Mentor and mentee, kim@example.org")]
    assert find("alex lopez") == find("nobody") == []
    omar.user.is_active = False
    omar.user.save()
    assert find("haddad") == [("Omar Haddad", "Mentor, omar@example.org, deactivated")]
    assert find("weekly h") == [("Weekly hours", "page")]


def test_names_that_begin_so_come_first_and_ten_are_the_most(find, person, maya, monday, window):
    for number in range(8):
        person(f"Emma{number} Imayan", mentee=True)
    alex = person("Alex Mayer", mentee=True).mentee
    window(maya, hours=12)
    booked = [booking.request(maya, alex, monday + timedelta(hours=hour), 30, by=alex.user) for hour in range(9)]
    titles = [title for title, _ in find("may")]
    assert titles[:2] == ["Alex Mayer", "Maya Lopez"]
    assert (titles[5:], len(booked)) == (["Maya Lopez and Alex Mayer"] * 5, 9)


def test_ahead_comes_first_then_the_latest_past(find, maya, alex, monday, window):
    window(maya, hours=12)
    for hour in (5, 3, 1):
        booking.request(maya, alex, monday + timedelta(hours=hour), 30, by=alex.user)
    with time_machine.travel(monday + timedelta(hours=2), tick=False):
        hours = [told.partition(":")[0][-2:] for title, told in find("maya lopez") if " and " in title]
    assert hours == ["12", "14", "10"]


def test_nobody_finds_what_they_may_not_see(find, session, vera, person, client, alex):
    found = find("maya", vera)
    assert [title for title, _ in found] == ["Maya Lopez", "Maya Lopez and Alex Johnson"]
    assert (found[0][1], find("maya@example", vera)) == ("Mentor", [])
    stan = person("Stan Doyle", is_staff=True)
    assert find("maya", stan) == find("sessions", stan) == []
    stan.user_permissions.add(Permission.objects.get(codename="view_mentee", content_type__app_label="people"))
    assert (find("maya", stan), find("alex", stan)) == ([], [("Alex Johnson", "Mentee")])
    # What somebody may not see any more they are not shown from before.
    stan.user_permissions.clear()
    assert find("alex", stan) == []
    client.force_login(alex.user)
    assert client.get(reverse("admin:search"), {"s": "maya"}).status_code == 302


@pytest.mark.parametrize("rows", [1, 3])
def test_it_costs_the_same_for_one_and_three(find, client, cora, person, window, monday, rows, django_assert_num_queries):
    for number in range(rows):
        mentor, mentee = person(f"Mentor{number}", mentor=True).mentor, person(f"Mentee{number}", mentee=True).mentee
        window(mentor)
        booking.request(mentor, mentee, monday, 30, by=mentee.user)
    client.force_login(cora)
    with django_assert_num_queries(11):
        page = client.get(reverse("admin:search"), {"s": "mentor"})
    # The people, their sessions, and two pages of the menu: "Mentors" and "Find a mentor".
    assert len(page.context["results"]) == 2 * rows + 2
