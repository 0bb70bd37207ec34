"""What more than one file of these tests needs."""

import pytest

from project.tests.mailserver import mail_server


@pytest.fixture
def mail(settings):
    """A mail server that takes everything, unless the test tells it otherwise."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "scheduling.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        settings.EMAIL_TIMEOUT = 10
        settings.SITE_URL = "https://desk.example.org"
        yield server
