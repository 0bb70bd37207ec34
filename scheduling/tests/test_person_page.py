"""A person's page: what hangs on them, in tabs, as far as the reader may see it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from scheduling import booking
from scheduling.models import MentorLimits, Session, TimeOff

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)


def page_of(client, role):
    return client.get(reverse(f"admin:people_{role._meta.model_name}_change", args=[role.pk]))


def tabs(page) -> dict[str, int]:
    """The tabs and how many rows each has."""
    return {str(one.title): one.cl.result_count for one in page.context["datasets"]}


def used(page) -> str:
    return next(tile["number"] for tile in page.context["tiles"] if tile["title"] == "Sessions this week")


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


def test_a_mentor_with_all_that_hangs_on_them(desk, session, maya, alex, omar, monday, window):
    TimeOff.objects.create(mentor=maya, start_time=monday + timedelta(days=1), end_time=monday + timedelta(days=2))
    MentorLimits.objects.create(mentor=maya, week_cap=5)
    booking.confirm(session, by=maya.user)
    # Somebody else's are not hers.
    window(omar)
    booking.request(omar, alex, monday + 2 * HALF, 30, by=alex.user)
    page = page_of(desk, maya)
    assert tabs(page) == {
        "Sessions": 1,
        "Windows ahead": 1,
        "Weekly hours": 0,
        "Time off ahead": 1,
        "Notices": 3,
    }
    text = page.content.decode()
    assert "Mon " in text
    assert used(page) == "0 of 5"
    now = timezone.now()
    Session.objects.filter(pk=session.pk).update(start_time=now, end_time=now + HALF)
    assert used(page_of(desk, maya)) == "1 of 5"
    assert [name for name, _ in page.context["links"]] == ["Week", "Book a session"]
    assert all(desk.get(link).status_code == 200 for _, link in page.context["links"])
    mentees = page_of(desk, alex)
    assert tabs(mentees) == {"Sessions": 2, "Notices": 3}
    assert [name for name, _ in mentees.context["links"]] == ["Week", "Book a session"]
    assert desk.get(reverse("admin:people_mentor_add")).status_code == 200


def test_who_may_not_see_sessions_sees_no_tab_of_them(client, session, maya, person):
    reader = person("Vic Stone", is_staff=True)
    reader.user_permissions.add(*Permission.objects.filter(codename__in=["view_mentor", "view_availability"]))
    client.force_login(reader)
    page = page_of(client, maya)
    assert tabs(page) == {"Windows ahead": 1}
    assert page.context["links"] == []
    assert "Alex Johnson" not in page.content.decode()


def test_somebody_who_is_both_has_the_sessions_of_both_roles(client, kim, maya, alex, monday, window, person):
    window(maya)
    window(kim.mentor)
    booking.request(maya, kim.mentee, monday, 30, by=kim)
    booking.request(kim.mentor, alex, monday + 2 * HALF, 30, by=alex.user)
    client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    for role, other in ((kim.mentor, "As a mentee"), (kim.mentee, "As a mentor")):
        page = page_of(client, role)
        assert tabs(page)["Sessions"] == 2
        assert other in dict(page.context["links"])
    account = client.get(reverse("admin:people_user_change", args=[kim.pk]))
    assert tabs(account) == {"Sessions": 2, "Notices": 1}


def test_one_session_and_many_cost_the_same_queries(desk, session, maya, alex, bo, zoe, monday):
    page_of(desk, maya)
    with CaptureQueriesContext(connection) as one:
        page_of(desk, maya)
    for number, mentee in enumerate((bo, zoe), 1):
        asked = booking.request(maya, mentee, monday + number * HALF, 30, by=mentee.user)
        booking.confirm(asked, by=maya.user)
    with CaptureQueriesContext(connection) as three:
        page = page_of(desk, maya)
    assert tabs(page)["Sessions"] == 3
    assert len(one) == len(three)
