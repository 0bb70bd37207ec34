"""How long a log-in lasts, and what ends it."""

from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from people.models import User
from people.sessions import end_all
from people.tasks import forget_log_ins
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


def test_log_ins_that_are_over_are_forgotten_and_others_go_on(client, maya, omar):
    log_in(client, maya.user)
    with time_machine.travel(timezone.now() + 13 * DAY):
        other = Client()
        log_in(other, omar.user)
        assert forget_log_ins() == "0 forgotten"
    with time_machine.travel(timezone.now() + 15 * DAY):
        assert forget_log_ins() == "1 forgotten"
        assert [row.user for row in UserSession.objects.all()] == [omar.user]
        assert [row.session_key for row in Session.objects.all()] == [other.session.session_key]
        assert inside(other)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)"])
def test_no_log_in_or_log_out_leads_off_the_site(client, maya, address):
    words = {"login": maya.user.email, "password": PASSWORD, "next": address}
    assert client.post("/accounts/login/", words)["Location"] == "/"
    assert client.post(f"/accounts/reauthenticate/?next={address}", {"password": PASSWORD, "next": address})["Location"] == "/"
    assert client.post("/accounts/logout/", {"next": address})["Location"] == "/"


# ---- a lost phone -----------------------------------------------------------------------------------------------------


def log_out(client, kind, pk):
    """Press the button on somebody's page in the admin, and answer its dialog."""
    return client.post(f"/admin/people/{kind}/{pk}/log-out/", {"_form_submitted": "True"})


def test_a_coordinator_logs_a_person_out_everywhere_and_it_is_written_down(client, maya, omar, cora):
    phone, laptop, others = Client(), Client(), Client()
    for browser, user in ((phone, maya.user), (laptop, maya.user), (others, omar.user), (client, cora)):
        log_in(browser, user)
    assert "Log out everywhere" in client.get(f"/admin/people/mentor/{maya.pk}/change/").content.decode()
    # Only to look at the question ends nothing.
    client.get(f"/admin/people/mentor/{maya.pk}/log-out/")
    assert inside(phone)
    log_out(client, "mentor", maya.pk)
    assert [inside(browser) for browser in (phone, laptop, others, client)] == [False, False, True, True]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        cora,
        str(maya.pk),
        "Logged out everywhere (2 log-ins ended).",
    )
    log_in(phone, maya.user)


@pytest.mark.parametrize("superuser", [False, True])
def test_only_a_superuser_logs_staff_out(client, person, cora, superuser):
    boss = person("Ada Bell", mentor=True, is_staff=True, is_superuser=superuser)
    root = person("Root Ruiz", is_staff=True, is_superuser=True)
    theirs, roots = Client(), Client()
    for browser, user in ((theirs, boss), (client, cora), (roots, root)):
        log_in(browser, user)
    assert "Log out everywhere" not in client.get(f"/admin/people/mentor/{boss.pk}/change/").content.decode()
    assert log_out(client, "mentor", boss.pk).status_code == 403
    assert log_out(client, "user", boss.pk).status_code == 403
    assert inside(theirs)
    with pytest.raises(ValidationError) as refusal:
        end_all(boss, by=cora)
    assert refusal.value.code == "not_yours"
    log_out(roots, "user", boss.pk)
    assert not inside(theirs)


def test_members_log_nobody_out(client, maya, omar):
    theirs = Client()
    log_in(theirs, omar.user)
    log_in(client, maya.user)
    assert log_out(client, "mentor", omar.pk).status_code in (302, 403)
    with pytest.raises(ValidationError):
        end_all(omar.user, by=maya.user)
    assert inside(theirs)
