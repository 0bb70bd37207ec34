"""Viewers read how the program goes, and nothing of how anybody can be reached."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from people.models import Skill, Team
from project.groups import MAY, VIEWERS, install
from scheduling.models import TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

READ = ["people_mentor", "people_mentee", "people_skill", "people_team", "scheduling_session", "scheduling_availability"]
READ += ["scheduling_weeklyhours", "scheduling_timeoff"]
CLOSED = ["scheduling_notice", "scheduling_feedback", "people_erasurerequest", "people_skillsuggestion", "people_user"]
CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\+1 ?\(?650")


@pytest.fixture
def view(client, vera, session, maya, alex):
    """A function that opens a page as a viewer, where there is something of everything."""
    client.force_login(vera)
    for user in (maya.user, alex.user):
        user.phone_number = "+16502530000"
        user.save()
    maya.skills.add(Skill.objects.create(name="SQL"))
    alex.team = Team.objects.create(number=7)
    alex.save()
    day = session.start_time.date()
    WeeklyHours.objects.create(mentor=maya, weekday=1, begins="09:00", ends="12:00", time_zone="UTC", valid_from_on=day)
    TimeOff.objects.create(mentor=maya, start_time=session.end_time, end_time=session.end_time.replace(hour=12))

    def open_page(name, *args, **query):
        page = client.get(reverse(f"admin:{name}", args=args), query)
        # Her own address stands in the corner of every page.
        page.text = page.content.decode().replace(vera.email, "")
        return page

    return open_page


def test_a_viewer_opens_every_list_and_page_and_meets_no_contact_data(view, maya):
    for name in READ:
        page = view(f"{name}_changelist")
        assert (name, page.status_code, CONTACT.findall(page.text)) == (name, 200, [])
        [row] = page.context["cl"].result_list
        page = view(f"{name}_change", row.pk)
        assert (name, page.status_code, CONTACT.findall(page.text)) == (name, 200, [])
        assert (name, view(f"{name}_add").status_code, view(f"{name}_delete", row.pk).status_code) == (name, 403, 403)
    assert "Maya Lopez" in view("people_mentor_change", maya.pk).text
    for name in CLOSED:
        assert (name, view(f"{name}_changelist").status_code) == (name, 403)
    assert view("index").status_code == 200


def test_a_coordinator_sees_what_a_viewer_does_not(view, client, cora, maya):
    client.force_login(cora)
    assert "maya@example.org" in view("people_mentor_changelist").text
    assert "maya@example.org" in view("people_mentor_change", maya.pk).text


def test_a_viewer_cannot_find_people_by_what_is_hidden(view, client, cora):
    lists = ["people_mentor", "scheduling_session", "scheduling_availability"]

    def found():
        return [view(f"{name}_changelist", q="maya@example").context["cl"].result_count for name in lists]

    assert found() == [0, 0, 0]
    assert view("people_mentor_changelist", q="Maya").context["cl"].result_count == 1
    client.force_login(cora)
    assert found() == [1, 1, 1]


def test_only_sheets_without_contact_data_leave(view, client):
    exports = {name: view(f"{name}_export").status_code for name in (*READ[:6], "scheduling_session")}
    assert exports == dict.fromkeys(READ[:6], 403) | {"people_skill": 200, "people_team": 200}
    for name in ("people_mentor", "scheduling_session"):
        assert (
            client.post(
                reverse(f"admin:{name}_export"), {"columns": ["mentor_name", "first_name"], "ending": "csv"}
            ).status_code
            == 403
        )


def test_the_groups_are_brought_to_what_is_written(db):
    """Whatever somebody took away or gave by hand is put right by the next `migrate`."""
    viewers = Group.objects.get(name=VIEWERS)
    before = set(viewers.permissions.values_list("codename", flat=True))
    assert "see_contact" not in before
    viewers.permissions.set(Group.objects.get(name="Coordinators").permissions.all())
    install("default")
    assert set(viewers.permissions.values_list("codename", flat=True)) == before
    assert len(before) == sum(len(actions.split()) for actions in MAY[VIEWERS].values())
