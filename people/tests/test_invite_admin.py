"""The first superuser comes by a link that works once, and goes on to their second factor."""

import logging
import re
from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from people.models import User
from project.testing import PASSWORD
from project.tests.test_second_factor import code, protect

pytestmark = pytest.mark.django_db


def invite(email="Root@Example.org", *more) -> str:
    """The path of the link that is printed."""
    out = StringIO()
    call_command("invite_admin", email, *more, stdout=out)
    return urlsplit(out.getvalue().split()[-1]).path


def set_password(client, path):
    form = client.get(path, follow=True)
    return client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD}, follow=True)


def test_nobody_is_there_from_the_start():
    assert not User.objects.exists()


def test_from_the_command_to_the_admin(client, settings, caplog):
    settings.STAFF_SECOND_FACTOR = True
    caplog.set_level(logging.DEBUG)
    path = invite()
    user = User.objects.get()
    assert (user.email, user.is_superuser, user.has_usable_password()) == ("root@example.org", True, False)
    page = set_password(client, path)
    assert page.context["user"] == user
    assert EmailAddress.objects.get().verified
    assert page.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "it opens only to accounts with a second factor" in page.content.decode()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    form = client.get("/accounts/2fa/totp/activate/").context["form"]
    page = client.post("/accounts/2fa/totp/activate/", {"code": code(form.secret)}, follow=True)
    onward = re.search(r'href="([^"]+)">go on to the admin', page.content.decode()).group(1)
    assert client.get(onward).context["user"] == user
    assert (onward, Authenticator.objects.filter(user=user, type="totp").count()) == ("/admin/", 1)
    assert PASSWORD not in caplog.text
    assert path not in caplog.text
    client.logout()
    assert "it has been used already" in client.get(path, follow=True).content.decode()


def test_the_link_ends_after_three_days(client):
    path = invite()
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert client.get(path, follow=True).context["token_fail"]


def test_it_is_mailed_where_that_is_wanted():
    out = StringIO()
    call_command("invite_admin", "root@example.org", "--mail", stdout=out)
    [message] = mail.outbox
    assert (message.to, out.getvalue()) == (["root@example.org"], "The link is mailed.\n")
    assert "/accounts/password/reset/key/" in message.body


def test_a_password_that_a_stranger_set_opens_no_admin(client):
    User.objects.create_user(email="root@example.org", password=PASSWORD, first_name="Not", last_name="Root")
    invite()
    page = client.post("/accounts/login/", {"login": "root@example.org", "password": PASSWORD}, follow=True)
    assert not page.context["user"].is_authenticated
    assert User.objects.get().is_superuser


def test_who_is_locked_out_gets_another_link_and_keeps_the_second_factor(client, person):
    root = person("Root Ruiz", is_staff=True, is_superuser=True)
    protect(root)
    page = set_password(client, invite())
    assert page.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    assert not page.context["user"].is_authenticated


def test_what_is_no_address_is_said_so():
    with pytest.raises(CommandError) as refusal:
        invite("root")
    assert "valid email" in str(refusal.value)
    assert not User.objects.exists()
