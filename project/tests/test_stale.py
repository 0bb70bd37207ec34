"""Two people with the same page of the admin open: the second is told, and nothing is overwritten. For every page there is."""

import re
import threading
from datetime import date, time, timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.html import strip_tags

from people.models import Mentor, NotificationSettings, Skill, Team, User
from project.groups import COORDINATORS
from project.tests.page import form_in
from scheduling.models import Program, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

# Every page that can be saved: a field in it, and what the first and the second of two people put there.
EDITS = {
    "people.mentor": ("last_name", "Lopes", "Lopeza"),
    "people.mentee": ("external_id", "S-1", "S-2"),
    "people.skill": ("name", "Go", "Gopher"),
    "people.team": ("name", "Owls", "Otters"),
    "people.user": ("first_name", "Mayra", "Mia"),
    "scheduling.program": ("slot_step", "15", "45"),
    "scheduling.availability": ("end_time_1", "13:00", "14:00"),
    "scheduling.weeklyhours": ("ends", "13:00", "14:00"),
    "scheduling.timeoff": ("note", "A journey", "A wedding"),
    "auth.group": ("name", "Desk", "Team"),
    "account.emailaddress": ("email", "maya@one.example.org", "maya@two.example.org"),
}
# In the page, and not about what it shows.
NOT_SHOWN = {"seen", "_save"}
LATER = "Nothing of yours was saved: open the page anew, and make your change again."


@pytest.fixture
def house(maya, alex, window):
    """A row of everything that can be edited."""
    Program.current()
    skill = Skill.objects.create(name="Python")
    Team.objects.create(number=7, name="Foxes")
    maya.skills.add(skill, Skill.objects.create(name="Rust"))
    hours = WeeklyHours(mentor=maya, weekday=1, begins=time(9), ends=time(12), time_zone="UTC", valid_from_on=date(2026, 1, 1))
    hours.save()
    day_off = window(maya).start_time + timedelta(days=3)
    TimeOff.objects.create(mentor=maya, start_time=day_off, end_time=day_off + timedelta(hours=1))
    Group.objects.get(name=COORDINATORS).permissions.set(Permission.objects.all()[:3])


@pytest.fixture
def ana(person):
    return person("Ana Boss", is_staff=True, is_superuser=True)


@pytest.fixture
def coras(cora):
    cora.is_superuser, cora.time_zone = True, "Europe/Berlin"
    cora.save()
    return cora


def row_of(label):
    # Maya is the first of her kind everywhere.
    return apps.get_model(label)._default_manager.order_by("pk").first()


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])


def at_desk(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def opened(client, row) -> dict:
    return form_in(client.get(page_of(row)), f"{row._meta.model_name}_form")


def content(form: dict) -> dict:
    return {name: values for name, values in form.items() if name not in NOT_SHOWN}


def refusals(response) -> list[str]:
    return [strip_tags(error) for error in response.context["adminform"].form.non_field_errors()]


def test_every_page_that_can_be_saved_is_known_here(rf: RequestFactory, ana):
    request = rf.get("/")
    request.user = ana
    every = {model._meta.label_lower: model_admin for model, model_admin in admin.site._registry.items()}
    saved = {label for label, model_admin in every.items() if model_admin.has_change_permission(request)}
    assert saved == set(EDITS), "A new page: add what two people would write there."
    # A list with fields in it would be one more form, and nobody would look again before it is saved.
    assert [label for label, model_admin in every.items() if model_admin.list_editable] == []


@pytest.mark.parametrize("label", EDITS)
def test_the_second_of_two_is_told_who_and_when_and_nothing_is_overwritten(house, ana, coras, label):
    row, (field, first, second) = row_of(label), EDITS[label]
    with time_machine.travel("2099-11-24 09:00Z", tick=False) as clock:
        cora = at_desk(coras)
        page = opened(cora, row)
        clock.move_to("2099-11-24 09:02Z")
        hers = at_desk(ana)
        assert hers.post(page_of(row), opened(hers, row) | {field: [first]}).status_code == 302
        left = opened(hers, row)
        assert left[field] == [first]

        clock.move_to("2099-11-24 09:05Z")
        typed = page | {field: [second]}
        for _ in range(2):
            answer = cora.post(page_of(row), typed)
            assert (answer.status_code, refusals(answer)) == (200, [f"Ana Boss changed this at 10:02. {LATER}"])
            assert "Please correct" not in answer.content.decode(), "there is nothing to correct"
            assert form_in(answer, f"{row._meta.model_name}_form") == typed, "what was typed stays on the page"
        assert content(opened(hers, row)) == content(left)
        assert [entry.user for entry in LogEntry.objects.all()] == [ana]
        # And on the page opened anew it can be said again.
        assert cora.post(page_of(row), opened(cora, row) | {field: [second]}).status_code == 302
        assert opened(cora, row)[field] == [second]


@pytest.mark.parametrize("label", EDITS)
def test_who_is_alone_is_never_stopped(house, coras, label):
    row, (field, first, second) = row_of(label), EDITS[label]
    cora = at_desk(coras)
    page = opened(cora, row)
    before = apps.get_model(label).objects.filter(pk=row.pk).values().get()
    assert cora.post(page_of(row), page).status_code == 302
    assert apps.get_model(label).objects.filter(pk=row.pk).values().get() == before
    assert content(opened(cora, row)) == content(page)
    # Saved unchanged, it is the same page still: what somebody else has open can be saved.
    assert cora.post(page_of(row), page | {field: [first]}).status_code == 302
    # Nor is somebody whose first try was refused for another reason.
    again = cora.post(page_of(row), opened(cora, row) | {field: [second], "_continue": ["1"]}, follow=True)
    assert opened(cora, row)[field] == [second]
    assert cora.post(page_of(row), form_in(again, f"{row._meta.model_name}_form")).status_code == 302


def test_a_page_that_was_refused_for_a_typo_can_be_corrected(house, coras):
    row, cora = row_of("scheduling.program"), at_desk(coras)
    answer = cora.post(page_of(row), opened(cora, row) | {"slot_step": ["1"]})
    assert set(answer.context["adminform"].form.errors) == {"slot_step"}
    assert "Please correct" in answer.content.decode()
    assert cora.post(page_of(row), form_in(answer, "program_form") | {"slot_step": ["20"]}).status_code == 302


@pytest.mark.parametrize("label", EDITS)
def test_what_the_page_remembers_tells_nothing(house, coras, label):
    [seen] = opened(at_desk(coras), row_of(label))["seen"]
    assert re.fullmatch(r"\d{10}\.\d{6}-[0-9a-f]{32}", seen)


@pytest.mark.parametrize("nonsense", ["x", "-", "\x00", "inf-", "1e99-0", "nan-ü", "1" * 5000 + "-"])
def test_nonsense_in_its_place_is_refused_and_blames_nobody(house, ana, coras, nonsense):
    row, cora = row_of("people.skill"), at_desk(coras)
    answer = cora.post(page_of(row), {"name": "Go", "seen": nonsense})
    assert refusals(answer) == [f"Somebody changed this meanwhile. {LATER}"]
    row.refresh_from_db()
    assert row.name == "Python"


def test_who_may_only_look_is_given_nothing_to_send(house, person):
    viewer = person("Vic Stone", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_mentor", "view_skill"]))
    for label in ("people.mentor", "people.skill"):
        page = at_desk(viewer).get(page_of(row_of(label)))
        assert (page.status_code, b'name="seen"' in page.content) == (200, False)


# ---- who it was -------------------------------------------------------------------------------------------------------


def test_a_change_that_nobody_signed_is_not_put_on_whoever_came_before(house, ana, coras):
    row, cora, hers = row_of("people.skill"), at_desk(coras), at_desk(ana)
    hers.post(page_of(row), opened(hers, row) | {"name": ["Go"]})
    page = opened(cora, row)
    Skill.objects.filter(pk=row.pk).update(name="Golang")
    answer = cora.post(page_of(row), page | {"name": ["Gopher"]})
    assert refusals(answer) == [f"Somebody changed this meanwhile. {LATER}"]


def test_a_mentors_page_is_stale_when_she_changed_her_profile(house, maya, coras):
    cora, hers = at_desk(coras), at_desk(maya.user)
    page = opened(cora, maya)
    hers.post(reverse("profile"), form_in(hers.get(reverse("profile"))) | {"phone_number": ["+4930901820"]})
    answer = cora.post(page_of(maya), page | {"about_me": ["Hello"]})
    assert re.sub(r"\d\d:\d\d", "10:02", refusals(answer)[0]) == f"Maya Lopez changed this at 10:02. {LATER}"
    maya = Mentor.objects.select_related("user").get(pk=maya.pk)
    assert (maya.about_me, maya.user.phone_number.as_e164) == ("", "+4930901820")


def test_a_log_in_is_no_change_and_is_not_named_as_one(house, maya, ana, coras):
    cora, hers = at_desk(coras), at_desk(ana)
    for row in (maya, maya.user):
        page = opened(cora, row)
        Client().force_login(maya.user)
        assert cora.post(page_of(row), page).status_code == 302
    pages = {row: opened(cora, row) for row in (maya, maya.user)}
    hers.post(page_of(maya), opened(hers, maya) | {"last_name": ["Lopes"]})
    Client().force_login(User.objects.get(pk=maya.pk))
    for row, page in pages.items():
        assert refusals(cora.post(page_of(row), page))[0].startswith("Ana Boss changed this at ")


def test_a_skill_that_is_renamed_does_not_stop_who_edits_a_mentor(house, maya, coras):
    cora = at_desk(coras)
    page = opened(cora, maya)
    Skill.objects.filter(name="Python").update(name="Zope")
    assert cora.post(page_of(maya), page | {"about_me": ["Hello"]}).status_code == 302


def test_yesterdays_page_is_told_the_day(house, ana, coras):
    row = row_of("people.team")
    with time_machine.travel("2099-11-24 20:00Z", tick=False) as clock:
        cora, hers = at_desk(coras), at_desk(ana)
        page = opened(cora, row)
        # In Berlin that is a day later already.
        clock.move_to("2099-11-24 23:30Z")
        hers.post(page_of(row), opened(hers, row) | {"name": ["Owls"]})
        clock.move_to("2099-11-26 08:00Z")
        cora = at_desk(coras)
        assert refusals(cora.post(page_of(row), page)) == [f"Ana Boss changed this on Wed 25 Nov 2099, 00:30. {LATER}"]


# ---- more than one row ------------------------------------------------------------------------------------------------


def test_switches_below_a_user_are_looked_at_too(house, maya, ana, coras):
    NotificationSettings.objects.create(user=maya.user)
    cora, hers = at_desk(coras), at_desk(ana)
    page = opened(cora, maya.user)
    fresh = opened(hers, maya.user)
    assert fresh.pop("notification_settings-0-session_canceled") == ["on"]
    assert hers.post(page_of(maya.user), fresh).status_code == 302
    answer = cora.post(page_of(maya.user), page)
    assert refusals(answer)[0].startswith("Ana Boss changed this at ")
    assert NotificationSettings.objects.get().session_canceled is False


def test_switches_that_came_meanwhile_are_kept(house, maya, coras):
    cora, hers = at_desk(coras), at_desk(maya.user)
    page = opened(cora, maya.user)
    profile = form_in(hers.get(reverse("profile")))
    del profile["session_canceled"]
    hers.post(reverse("profile"), profile)
    answer = cora.post(page_of(maya.user), page | {"first_name": ["Mia"]})
    assert refusals(answer)[0].startswith("Maya Lopez changed this at ")
    assert NotificationSettings.objects.get().session_canceled is False


def test_permissions_taken_from_a_group_do_not_come_back(house, ana, coras):
    row, cora, hers = row_of("auth.group"), at_desk(coras), at_desk(ana)
    page, fresh = opened(cora, row), opened(hers, row)
    assert len(page["permissions"]) == 3
    hers.post(page_of(row), fresh | {"permissions": fresh["permissions"][:1]})
    assert refusals(cora.post(page_of(row), page))[0].startswith("Ana Boss changed this at ")
    assert row.permissions.count() == 1


def test_a_row_that_was_deleted_meanwhile_is_not_made_anew(house, ana, coras):
    row, cora = row_of("people.team"), at_desk(coras)
    page = opened(cora, row)
    at_desk(ana).post(reverse("admin:people_team_delete", args=[row.pk]), {"post": "yes"})
    answer = cora.post(page_of(row), page, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        f"team with ID “{row.pk}” doesn’t exist. Perhaps it was deleted?"
    ]
    assert Team.objects.count() == 0


# ---- what no page shows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("superuser", [True, False])
def test_an_old_version_is_only_looked_at(house, maya, person, superuser):
    """simple_history would take a form for it, from anybody who may see it."""
    reader = person("Vic Stone", is_staff=True, is_superuser=superuser)
    reader.user_permissions.add(Permission.objects.get(codename="view_mentor"))
    url = reverse("admin:people_mentor_simple_history", args=[maya.pk, maya.history.latest("pk").pk])
    assert at_desk(reader).get(url).status_code == 200
    form = {"first_name": "Mallory", "email": "maya@example.org", "about_me": "Hello"}
    assert at_desk(reader).post(url, form).status_code == 403
    maya.refresh_from_db()
    assert (maya.user.first_name, maya.about_me) == ("Maya", "")


@pytest.mark.parametrize("label", ["people.mentor", "people.user"])
def test_a_password_set_between_look_and_save_is_kept(house, maya, coras, monkeypatch, label):
    """The page of a user carries the password's hash, and the page of a mentor saves the whole user."""
    row, cora = {"people.mentor": maya, "people.user": maya.user}[label], at_desk(coras)
    page = opened(cora, row)
    kind = type(admin.site._registry[type(row)])
    look = kind.get_object

    def look_and_pause(self, *args):
        found = look(self, *args)
        User.objects.filter(pk=maya.pk).update(password="new")
        return found

    monkeypatch.setattr(kind, "get_object", look_and_pause)
    assert cora.post(page_of(row), page | {"last_name": ["Lopes"]}).status_code == 302
    assert User.objects.filter(pk=maya.pk).values_list("last_name", "password").get() == ("Lopes", "new")


@pytest.mark.django_db(transaction=True)
def test_who_saves_while_another_is_saving_waits_and_is_told(person):
    """The page is compared under a lock: a change that is not yet committed is waited for, and not overwritten."""
    ana = person("Ana Boss", is_staff=True, is_superuser=True)
    row, hers = Team.objects.create(number=7, name="Foxes"), at_desk(ana)
    page = opened(hers, row)
    answers = []

    def save():
        try:
            answers.append(hers.post(page_of(row), page | {"name": ["Otters"]}))
        finally:
            connection.close()

    saving = threading.Thread(target=save)
    with transaction.atomic():
        Team.objects.filter(pk=row.pk).update(name="Owls")
        saving.start()
        saving.join(1)
        assert saving.is_alive()
    saving.join(30)
    row.refresh_from_db()
    assert (row.name, refusals(answers[0])) == ("Owls", [f"Somebody changed this meanwhile. {LATER}"])
