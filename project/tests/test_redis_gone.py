"""Redis is configured and away: pages work, bookings stand, mail goes out by cron, and nobody guesses passwords meanwhile."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from people.models import User
from project.testing import PASSWORD
from project.tests.mailserver import mail_server
from project.tests.webserver import web_server
from scheduling.models import Session
from scheduling.tests.test_race import database_url

# A port that nobody listens on.
GONE = "redis://127.0.0.1:1/0"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alex(alex):
    """With a password as the web server, which has no quick hashes, keeps it."""
    User.objects.filter(pk=alex.pk).update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000))
    alex.user.refresh_from_db()
    return alex


def test_without_redis_all_goes_on_but_logging_in(maya, alex, window, monday):
    window(maya)
    with web_server(REDIS_URL=GONE) as web:
        assert web.get("/accounts/login/").status == 200
        refused = web.post("/accounts/login/", login="alex@example.org", password=PASSWORD)
        assert refused.status == 503
        assert "sessionid" not in str(refused.headers.get_all("Set-Cookie", []))
        assert "Nothing was changed" in refused.text
        web.log_in(alex.user)
        for path in ("/", "/sessions/", "/mentors/", f"/mentors/{maya.pk}/", "/profile/"):
            assert web.get(path).status == 200, path
        booked = web.post(
            f"/mentors/{maya.pk}/book/", start=f"{monday:%Y-%m-%dT%H:%M:%SZ}", minutes=30, form_key=uuid4(), topic="SQL"
        )
        assert (booked.status, booked.headers["Location"]) == (302, f"/sessions/{Session.objects.get().pk}/requested/")
    with mail_server() as mail:
        command = [sys.executable, "manage.py", "send_due"]
        env = {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY, "REDIS_URL": GONE}
        env["EMAIL_URL"] = f"smtp://127.0.0.1:{mail.port}"
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ | env, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, "1 sent\n"), done.stderr
        assert [to for to, _ in mail.arrived] == ["maya@example.org"]


def test_with_everything_there_the_same_log_in_succeeds(alex):
    """The control: it was Redis."""
    with web_server() as web:
        taken = web.post("/accounts/login/", login="alex@example.org", password=PASSWORD)
        assert (taken.status, "sessionid" in str(taken.headers.get_all("Set-Cookie"))) == (302, True)
