"""Which roles people take by themselves, and when."""

import pytest
from django.core import mail

from people.models import Mentee, Mentor, User
from people.tests.test_accounts import SIGN_UP, link_in
from scheduling.models import Program

pytestmark = pytest.mark.django_db


def close(*roles):
    Program.current()
    Program.objects.update(**{f"{role}_may_join": False for role in roles})


@pytest.mark.parametrize(("wish", "mentees", "mentors"), [("mentee", 1, 0), ("mentor", 0, 1), ("both", 1, 1)])
def test_a_wish_comes_true_when_the_address_is_verified(client, wish, mentees, mentors):
    client.post("/accounts/signup/", SIGN_UP | {"wanted_role": wish})
    assert User.objects.get().wanted_role == wish
    assert (Mentee.objects.count(), Mentor.objects.count()) == (0, 0)
    client.post(link_in(mail.outbox[0]))
    assert (Mentee.objects.count(), Mentor.objects.count()) == (mentees, mentors)
    assert User.objects.get().wanted_role == ""


def test_a_password_from_a_mailed_link_verifies_too(client):
    User.objects.create_user(email="ines@example.org", first_name="Ines", last_name="Roy", wanted_role="mentor")
    client.post("/accounts/password/reset/", {"email": "ines@example.org"})
    path = client.get(link_in(mail.outbox[0]), follow=True).redirect_chain[-1][0]
    client.post(path, {"password1": SIGN_UP["password1"], "password2": SIGN_UP["password1"]})
    assert Mentor.objects.get().user.email == "ines@example.org"


def test_a_closed_role_is_not_offered_and_not_given(client, alex):
    close("mentors")
    page = client.get("/accounts/signup/")
    assert [value for value, _ in page.context["form"].fields["wanted_role"].choices] == ["mentee"]
    assert client.post("/accounts/signup/", SIGN_UP | {"wanted_role": "both"}).context["form"].has_error("wanted_role")
    client.force_login(alex.user)
    assert b"I want to mentor" not in client.get("/profile/").content
    page = client.post("/join/", {"role": "mentor"}, follow=True)
    assert "takes nobody in this role" in page.content.decode()
    assert not Mentor.objects.exists()


def test_a_role_that_closes_before_the_address_is_verified_stays_closed(client):
    client.post("/accounts/signup/", SIGN_UP | {"wanted_role": "both"})
    close("mentors")
    client.post(link_in(mail.outbox[0]))
    assert (Mentee.objects.count(), Mentor.objects.count()) == (1, 0)


def test_with_both_closed_nobody_signs_up_and_is_told_kindly(client):
    close("mentees", "mentors")
    for page in (client.get("/accounts/signup/"), client.post("/accounts/signup/", SIGN_UP)):
        assert "Thank you for wanting to take part" in page.content.decode()
    assert not User.objects.exists()


def test_a_strangers_wish_is_forgotten_when_the_roster_takes_the_person(client):
    client.post("/accounts/signup/", SIGN_UP | {"wanted_role": "mentor"})
    user = User.objects.get()
    User.objects.enrol(user)
    assert User.objects.get().wanted_role == ""
