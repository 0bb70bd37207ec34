"""A skill that the list lacks: suggested, taken back, taken in, declined."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from people import suggesting
from people.models import Skill, SkillSuggestion

pytestmark = pytest.mark.django_db

URL = "/profile/skills/"


@pytest.fixture
def hers(client, maya):
    client.force_login(maya.user)
    return client


def mine(mentor) -> list[tuple[str, str]]:
    return list(mentor.skill_suggestions.order_by("pk").values_list("name", "state"))


def at_desk(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def press(client, suggestion, verb):
    return client.post(reverse(f"admin:people_skillsuggestion_{verb}", args=[suggestion.pk]), {"_form_submitted": "on"})


def test_a_suggestion_waits_and_can_be_taken_back(hers, maya):
    assert "suggest it" in hers.get("/profile/").content.decode()
    assert hers.post(URL, {"name": "  Public \t speaking "}).status_code == 302
    assert mine(maya) == [("Public speaking", "asked")]
    assert not Skill.objects.exists()
    page = hers.get(URL).content.decode()
    assert "waiting for an answer" in page
    assert hers.get(f"{URL}{maya.skill_suggestions.get().pk}/take-back/").status_code == 405
    assert hers.post(f"{URL}{maya.skill_suggestions.get().pk}/take-back/").status_code == 302
    assert mine(maya) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python", "“Python” is in the list: choose it on your profile."),
        ("RUST", "You have suggested this already."),
        ("", "This field is required."),
        (" \t", "This field is required."),
        ("x" * 81, "Ensure this value has at most 80 characters (it has 81)."),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_what_is_known_or_no_name_is_refused_in_words(hers, maya, name, said):
    Skill.objects.create(name="Python")
    suggesting.suggest(maya, "Rust")
    answer = hers.post(URL, {"name": name})
    assert answer.context["form"].errors["name"] == [said]
    assert mine(maya) == [("Rust", "asked")]


def test_five_may_wait(hers, maya):
    for number in range(5):
        suggesting.suggest(maya, f"Skill {number}")
    answer = hers.post(URL, {"name": "One more"})
    assert answer.context["form"].errors["name"] == ["5 of yours wait for an answer already. Take one back first."]
    suggesting.take_back(maya.skill_suggestions.first())
    assert hers.post(URL, {"name": "One more"}).status_code == 302


def test_only_mentors_suggest_and_only_their_own_is_taken_back(hers, maya, alex, omar):
    assert at_desk(alex.user).get(URL).status_code == at_desk(alex.user).post(URL, {"name": "Go"}).status_code == 404
    assert Client().get(URL).status_code == 302
    suggesting.suggest(omar, "Go")
    assert hers.post(f"{URL}{omar.skill_suggestions.get().pk}/take-back/").status_code == 404
    assert mine(omar) == [("Go", "asked")]


def test_accepted_it_is_in_the_list_and_with_all_who_suggested_it(cora, maya, omar):
    suggesting.suggest(maya, "Go")
    suggesting.suggest(omar, "GO")
    desk = at_desk(cora)
    assert "Skills suggested" in desk.get("/admin/").content.decode()
    suggestion = maya.skill_suggestions.get()
    assert press(desk, suggestion, "accept").headers["HX-Redirect"].startswith("/admin/people/skillsuggestion/")
    assert [skill.name for skill in Skill.objects.all()] == ["Go"]
    assert set(Skill.objects.get().mentors.all()) == {maya, omar}
    assert (mine(maya), mine(omar)) == ([("Go", "accepted")], [("GO", "accepted")])
    assert SkillSuggestion.objects.filter(settled_by=cora).count() == 2
    # A second click changes nothing.
    press(desk, suggestion, "decline")
    assert mine(maya) == [("Go", "accepted")]


def test_declined_it_stays_out_and_the_mentor_sees_it(cora, hers, maya):
    suggesting.suggest(maya, "Go")
    press(at_desk(cora), maya.skill_suggestions.get(), "decline")
    assert (mine(maya), Skill.objects.count()) == ([("Go", "declined")], 0)
    assert "declined" in hers.get(URL).content.decode()
    # Nothing is held against the name.
    suggesting.suggest(maya, "Go")


def test_what_is_in_the_list_by_now_is_not_made_twice(cora, maya):
    suggesting.suggest(maya, "Go")
    known = Skill.objects.create(name="go")
    assert suggesting.accept(maya.skill_suggestions.get(), by=cora) == known
    assert list(maya.skills.all()) == [known]


def test_a_get_settles_nothing_and_neither_does_who_may_not(cora, maya):
    suggesting.suggest(maya, "Go")
    suggestion = maya.skill_suggestions.get()
    desk = at_desk(cora)
    desk.get(reverse("admin:people_skillsuggestion_accept", args=[suggestion.pk]))
    assert mine(maya) == [("Go", "asked")]
    cora.groups.remove(Group.objects.get(name="Coordinators"))
    assert press(desk, suggestion, "accept").status_code in (302, 403)
    assert mine(maya) == [("Go", "asked")]
    with pytest.raises(ValidationError) as refusal:
        suggesting.accept(suggestion, by=maya.user)
    assert refusal.value.code == "not_yours"


def test_a_number_that_is_no_key_of_any_row_is_not_found(hers):
    assert hers.post(f"{URL}99999999999999999999999/take-back/").status_code == 404
