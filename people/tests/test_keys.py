"""Access keys: shown once, kept as a digest, dead with the password, the person and the date."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from people.models import ApiToken
from project.testing import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_key_is_made_after_the_password_shown_once_and_revoked(client, maya):
    client.force_login(maya.user)
    form = {"name": "<script>report", "days": "30"}
    asked = client.post("/profile/keys/add/", form)
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()
    # The answer to the password is the page that was asked for: nothing typed is lost.
    token = client.post(asked.url, {"password": PASSWORD}).context["token"]
    assert ApiToken.objects.user_of(token) == maya.user
    row = ApiToken.objects.get()
    assert token not in [str(value) for value in vars(row).values()]
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    shown = client.get("/profile/keys/").content.decode()
    assert "&lt;script&gt;report" in shown
    assert row.prefix in shown
    assert token not in shown
    assert row.digest not in shown
    client.get(f"/profile/keys/{row.pk}/revoke/")
    assert ApiToken.objects.user_of(token) == maya.user
    client.post(f"/profile/keys/{row.pk}/revoke/")
    assert ApiToken.objects.user_of(token) is None


def test_somebody_elses_key_does_not_exist(client, maya, omar):
    ApiToken.objects.issue(maya.user, "report", 30)
    client.force_login(omar.user)
    assert b"report" not in client.get("/profile/keys/").content
    assert client.post(f"/profile/keys/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert ApiToken.objects.count() == 1


def test_a_key_dies_with_the_password_the_person_and_its_date(maya):
    token = ApiToken.objects.issue(maya.user, "report", 30)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert ApiToken.objects.user_of(token) is None
    maya.user.is_active = False
    maya.user.save()
    assert ApiToken.objects.user_of(token) is None
    maya.user.is_active = True
    maya.user.save()
    assert ApiToken.objects.user_of(token) == maya.user
    maya.user.set_password("another horse battery staple")
    maya.user.save()
    assert ApiToken.objects.user_of(token) is None


@pytest.mark.parametrize("token", [None, "", "no", "\0", "\xff", "\udcff", "x" * 100_000])
def test_what_is_no_key_opens_nothing(maya, token):
    ApiToken.objects.issue(maya.user, "report", 30)
    assert ApiToken.objects.user_of(token) is None


def test_ten_keys_are_enough(maya):
    for number in range(10):
        ApiToken.objects.issue(maya.user, f"report {number}", 30)
    with pytest.raises(ValidationError) as refusal:
        ApiToken.objects.issue(maya.user, "one more", 30)
    assert refusal.value.code == "too_many"


@pytest.mark.parametrize("form", [{"name": "", "days": "30"}, {"name": "x", "days": "0"}, {"name": "x", "days": "99999"}])
def test_a_key_has_a_name_and_an_end(client, maya, form):
    client.force_login(maya.user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.post("/profile/keys/add/", form).context["form"].errors
    assert not ApiToken.objects.exists()
