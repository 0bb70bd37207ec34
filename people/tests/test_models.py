"""What must never be false about people, and who sees whom."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from people import time_zones
from people.models import Mentee, Mentor, NotificationSettings, Skill, User

pytestmark = pytest.mark.django_db


def test_one_address_is_one_person_whatever_its_case(maya):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="other", email="MAYA@Example.org")
    with pytest.raises(ValidationError) as refusal:
        User(username="other", email="MAYA@Example.org", password="x").full_clean()
    assert refusal.value.messages == ["Somebody already has this e-mail address."]


def test_nobody_is_without_an_address(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="other", email="")


def test_a_user_name_is_shown_to_others_so_it_is_no_address(db):
    with pytest.raises(ValidationError) as refusal:
        User(username="a@example.org", email="a@example.org", password="x").full_clean()
    assert [error.code for error in refusal.value.error_dict["username"]] == ["address"]
    assert User.objects.create_user(email="a.b@example.org", first_name="Ana", last_name="Boss").username == "anaboss"


def test_user_names_are_told_apart(person):
    names = {person("Ana Boss", email=f"ana{number}@example.org").username for number in range(3)}
    assert len(names) == 3


def test_a_role_has_its_users_key(kim):
    assert kim.mentor.pk == kim.mentee.pk == kim.pk


def test_skills_are_told_apart_by_more_than_case(db):
    Skill.objects.create(name="SQL")
    with pytest.raises(IntegrityError), transaction.atomic():
        Skill.objects.create(name="sql")
    assert Skill.objects.create(name="PostgreSQL").pk


def test_the_roster_key_is_one_persons(maya, omar):
    Mentor.objects.filter(pk=maya.pk).update(external_id="m-1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Mentor.objects.filter(pk=omar.pk).update(external_id="m-1")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe/" + "x" * 5000, "", "utc\0"])
def test_a_zone_that_does_not_exist_is_refused_and_falls_back(name):
    with pytest.raises(ValidationError):
        time_zones.validate(name)
    assert time_zones.zone(name, fallback="Europe/Berlin").key == "Europe/Berlin"
    assert time_zones.zone(name, fallback=name).key == "UTC"


def test_all_messages_are_on_until_they_are_turned_off(maya):
    assert all(getattr(NotificationSettings(user=maya.user), switch) for switch in NotificationSettings.SWITCHES)
    NotificationSettings.set_all(maya.user, False)
    NotificationSettings.set_all(maya.user, True)
    settings = NotificationSettings.objects.get(user=maya.user)
    assert all(getattr(settings, switch) for switch in NotificationSettings.SWITCHES)


def test_who_sees_whom(maya, omar, alex, bo, cora):
    User.objects.filter(pk__in=[omar.pk, bo.pk]).update(is_active=False)
    people = {"mentor": maya.user, "mentee": alex.user, "coordinator": cora}
    seen = {who: (set(Mentor.objects.visible_to(user)), set(Mentee.objects.visible_to(user))) for who, user in people.items()}
    assert seen == {
        "mentor": ({maya}, {alex}),
        "mentee": ({maya}, {alex}),
        "coordinator": ({maya, omar}, {alex, bo}),
    }
