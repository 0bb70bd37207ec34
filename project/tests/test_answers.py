"""What every answer carries."""

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.urls import reverse

from project.middleware import UnavailableMiddleware

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["home", "profile", "account_email", "account_change_password", "admin:index"])
def test_no_cache_keeps_a_page_that_was_made_for_somebody(client, cora, name):
    client.force_login(cora)
    page = client.get(reverse(name), follow=True)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


def test_what_is_the_same_for_everybody_may_be_kept(client, cora):
    client.force_login(cora)
    assert "public" in client.get(reverse("colors"))["Cache-Control"]


def test_scripts_come_from_us_and_only_the_admin_may_compile_expressions(client, cora):
    client.force_login(cora)
    ours, admins = client.get(reverse("home")), client.get(reverse("admin:index"))
    assert "unsafe" not in ours["Content-Security-Policy"]
    assert "default-src 'self'" in ours["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in admins["Content-Security-Policy"]
    for page in (ours, admins):
        assert "object-src 'none'" in page["Content-Security-Policy"]
        assert (page["X-Content-Type-Options"], page["Referrer-Policy"], page["X-Frame-Options"]) == (
            "nosniff",
            "same-origin",
            "DENY",
        )


def test_the_mailbox_is_not_there_outside_the_demo(client, cora):
    client.force_login(cora)
    assert client.get("/demo/mail/").status_code == 404


@pytest.mark.expects_logged_errors
@pytest.mark.parametrize(("error", "busy"), [(OperationalError, True), (InterfaceError, True), (IntegrityError, False)])
def test_a_database_that_is_away_is_no_mistake_of_ours_and_a_broken_rule_is(rf, error, busy):
    answer = UnavailableMiddleware(None).process_exception(rf.get("/"), error("database is locked"))
    if not busy:
        assert answer is None
        return
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "Nothing was changed" in answer.content.decode()
