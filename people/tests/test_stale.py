"""A profile in two tabs, or open while a coordinator corrects the same person: nothing is overwritten unseen."""

import re

import pytest
import time_machine
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.utils.html import strip_tags

from people.forms import ProfileForm
from people.models import Mentor, NotificationSettings, Skill, User
from project.tests.page import form_in

pytestmark = pytest.mark.django_db

URL = "/profile/"
LATER = "Nothing of yours was saved: open the page anew, and make your change again."


@pytest.fixture
def hers(client, maya):
    """Maya's browser."""
    client.force_login(maya.user)
    return client


def refusals(response) -> list[str]:
    return [strip_tags(error) for error in response.context["form"].non_field_errors()]


def coded(form) -> list[tuple[str, str]]:
    """Code and sentence of what a form says about the whole page."""
    return [(error.code, strip_tags(error.message)) for error in form.non_field_errors().as_data()]


def bound(page: dict, user: User) -> ProfileForm:
    """A profile as the view has it, the person loaded and what was sent not yet looked at."""
    sent = QueryDict(mutable=True)
    for name, values in page.items():
        sent.setlist(name, values)
    return ProfileForm(sent, instance=user)


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [
        ("last_name", ["Lopes"], ["Lopeza"]),
        ("about_me", ["Python"], ["Rust"]),
        ("skills", ["Rust"], []),
        ("session_canceled", [], ["on"]),
    ],
)
def test_of_two_tabs_the_older_one_is_told(hers, maya, field, first, second):
    names = {skill.name: str(skill.pk) for skill in (Skill.objects.create(name="Python"), Skill.objects.create(name="Rust"))}
    first, second = ([names.get(value, value) if field == "skills" else value for value in said] for said in (first, second))
    with time_machine.travel("2099-11-24 10:00Z", tick=False) as clock:
        hers.force_login(maya.user)
        older, newer = form_in(hers.get(URL)), form_in(hers.get(URL))
        clock.move_to("2099-11-24 10:02Z")
        assert hers.post(URL, newer | {field: first}).status_code == 302
        left = form_in(hers.get(URL))
        assert left.get(field, []) == first
        clock.move_to("2099-11-24 10:05Z")
        for _ in range(2):
            answer = hers.post(URL, older | {field: second})
            assert refusals(answer) == [f"You changed this at 10:02 on another page. {LATER}"]
            assert form_in(answer).get(field, []) == second, "what was typed stays on the page"
        now = form_in(hers.get(URL))
        assert {**now, "seen": ""} == {**left, "seen": ""}
        assert hers.post(URL, now | {field: second}).status_code == 302


def test_a_coordinator_who_corrected_the_name_meanwhile_is_named(hers, maya, cora):
    page = form_in(hers.get(URL))
    desk = Client()
    desk.force_login(cora)
    url = f"/admin/people/mentor/{maya.pk}/change/"
    assert desk.post(url, form_in(desk.get(url), "mentor_form") | {"last_name": ["López"]}).status_code == 302
    answer = hers.post(URL, page | {"about_me": ["Hello"]})
    assert re.sub(r"\d\d:\d\d", "10:02", refusals(answer)[0]) == f"Cora Diaz changed this at 10:02. {LATER}"
    maya = Mentor.objects.select_related("user").get()
    assert (maya.user.last_name, maya.about_me) == ("López", "")


def test_who_becomes_a_mentor_in_another_tab_opens_the_page_anew(client, alex):
    client.force_login(alex.user)
    page = form_in(client.get(URL))
    client.post("/join/", {"role": "mentor"})
    assert refusals(client.post(URL, page)) == [
        f"You changed this at {Mentor.history.get().history_date:%H:%M} on another page. {LATER}"
    ]


def test_saving_again_and_again_stops_nobody(hers, maya):
    maya.skills.add(Skill.objects.create(name="Python"), Skill.objects.create(name="Rust"))
    before = User.objects.filter(pk=maya.pk).values().get()
    for _ in range(3):
        page = form_in(hers.get(URL))
        # Nobody's change of this person: they log in elsewhere, and a skill in their list is called otherwise.
        Client().force_login(maya.user)
        Skill.objects.filter(name="Python").update(name="Zope")
        assert hers.post(URL, page).status_code == 302
    after = User.objects.filter(pk=maya.pk).values().get()
    assert after | {"last_login": None} == before | {"last_login": None}
    assert maya.skills.count() == 2
    assert NotificationSettings.objects.get().session_canceled is True


def test_what_a_profile_does_not_show_is_kept_as_it_is_by_then(hers, maya):
    """A coordinator deactivates her, and her password is taken away, while her profile is on its way."""
    form = bound(form_in(hers.get(URL)) | {"last_name": ["Lopes"]}, User.objects.get(pk=maya.pk))
    User.objects.filter(pk=maya.pk).update(is_active=False, password="!")
    with transaction.atomic():
        assert form.is_valid(), form.errors
        form.save()
    assert User.objects.filter(pk=maya.pk).values_list("last_name", "is_active", "password").get() == ("Lopes", False, "!")


def test_who_is_erased_meanwhile_stays_erased(hers, maya):
    form = bound(form_in(hers.get(URL)), User.objects.get(pk=maya.pk))
    User.objects.filter(pk=maya.pk).delete()
    with transaction.atomic():
        assert not form.is_valid()
    assert coded(form) == [("stale", "Somebody deleted this meanwhile. Nothing was saved.")]
    assert not User.objects.exists()


def test_the_refusal_has_its_code(hers, maya):
    form = bound(form_in(hers.get(URL)), User.objects.get(pk=maya.pk))
    User.objects.filter(pk=maya.pk).update(last_name="Lopes")
    with transaction.atomic():
        assert not form.is_valid()
    assert coded(form) == [("stale", f"Somebody changed this meanwhile. {LATER}")]
    assert User.objects.get(pk=maya.pk).last_name == "Lopes"
