"""How long a log-in lasts, and what ends it."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from people.models import User
from project.testing import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.session_limits]

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def log_in(client, user):
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert inside(client)


def inside(client) -> bool:
    return client.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    ("staff", "step", "lasts"),
    [
        # Unused:
        (True, 2 * HOUR - timedelta(minutes=10), True),
        (True, 2 * HOUR + timedelta(minutes=1), False),
        (False, 14 * DAY - HOUR, True),
        (False, 14 * DAY + HOUR, False),
    ],
)
def test_a_log_in_that_nobody_uses_ends(client, person, staff, step, lasts):
    user = person("Ada Bell", is_staff=staff)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in(client, user)
        clock.shift(step)
        assert inside(client) is lasts


@pytest.mark.parametrize(("staff", "step", "most"), [(True, HOUR, 12 * HOUR), (False, 5 * DAY, 30 * DAY)])
def test_no_log_in_lasts_for_ever(client, person, staff, step, most):
    user = person("Ada Bell", is_staff=staff)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in(client, user)
        for _ in range(most // step):
            clock.shift(step)
            assert inside(client)
        clock.shift(step)
        assert not inside(client)


def test_the_key_changes_at_log_in_and_the_old_cookie_is_dead_after_log_out(client, maya):
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": maya.user.email, "password": "wrong"})
    before = client.cookies.get(settings.SESSION_COOKIE_NAME)
    log_in(client, maya.user)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert before is None or before.value != key
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not inside(thief)


def test_deactivating_a_person_logs_them_out_at_once(client, maya):
    log_in(client, maya.user)
    User.objects.filter(pk=maya.pk).update(is_active=False)
    assert not inside(client)


def test_a_person_ends_their_other_log_ins(client, maya):
    other = Client()
    log_in(other, maya.user)
    log_in(client, maya.user)
    page = client.get("/accounts/sessions/")
    assert page.content.decode().count("Since ") == 2
    client.post("/accounts/sessions/")
    assert (inside(client), inside(other)) == (True, False)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)"])
def test_no_log_in_or_log_out_leads_off_the_site(client, maya, address):
    words = {"login": maya.user.email, "password": PASSWORD, "next": address}
    assert client.post("/accounts/login/", words)["Location"] == "/"
    assert client.post(f"/accounts/reauthenticate/?next={address}", {"password": PASSWORD, "next": address})["Location"] == "/"
    assert client.post("/accounts/logout/", {"next": address})["Location"] == "/"
