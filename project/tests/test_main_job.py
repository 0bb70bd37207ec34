"""The main job, end to end, in a real browser against a real mail server, from an empty database.

A coordinator imports two real sheets, a mentor sets a password by the mail received and offers time, a mentee books, the
mentor confirms, time moves on, and both are reminded: once, in their own zone.
"""

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from people.models import User
from project.demo import sheets
from project.testing import PASSWORD
from project.tests.mailserver import mail_server
from scheduling.models import Notice, Program, Session
from scheduling.tasks import send_due

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mails(settings, live_server):
    settings.SITE_URL = live_server.url
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def take(mails) -> list[EmailMessage]:
    """What has arrived since the last look."""
    taken, mails.messages = mails.messages, []
    return taken


def work() -> None:
    """What the worker does with what is waiting in the queue."""
    for row in OrmQ.objects.order_by("pk"):
        task = row.task
        import_string(task["func"])(*task["args"])
        row.delete()


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def links(mail: EmailMessage) -> list[str]:
    """The pages of ours that it leads to; the room where people meet is elsewhere."""
    found = re.findall(r"https?://\S+", text_of(mail))
    return [link for link in found if "/session-" not in link]


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser, address):
        self.address = address
        self.page = browser.new_context().new_page()
        self.page.set_default_timeout(60_000)

    def log_in(self, email, password=PASSWORD):
        self.page.goto(f"{self.address}/accounts/login/")
        self.page.get_by_label("E-mail").or_(self.page.locator("[name=login]")).first.fill(email)
        self.page.locator("[name=password]").fill(password)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.page.wait_for_url(lambda url: "/accounts/login" not in url)

    def set_password_by(self, link):
        self.page.goto(link)
        for field in self.page.locator("input[type=password]").all():
            field.fill(PASSWORD)
        self.page.locator("main button[type=submit]").click()
        self.page.wait_for_url(f"{self.address}/")

    def import_sheet(self, name, file):
        self.page.goto(f"{self.address}/admin/")
        self.page.get_by_role("link", name=re.compile(rf"\b{name}$")).first.click()
        self.page.get_by_role("link", name=re.compile("Import$")).first.click()
        self.page.locator("select[name=kind]").select_option(label=name)
        self.page.locator("input[type=file]").set_input_files(file)
        self.page.get_by_role("button", name="Next: its columns").click()
        self.page.get_by_role("button", name="Next: see what it would do").click()
        self.page.get_by_role("button", name="Import 5 rows").click()
        self.page.get_by_text("5 new, 0 changed, 0 unchanged, 0 refused").wait_for()

    def invite(self, roster, name):
        self.page.goto(f"{self.address}/admin/people/{roster}/")
        self.page.get_by_role("link", name=name).first.click()
        self.page.get_by_role("link", name="Send invitation").click()
        self.page.locator("#dialog").get_by_role("button", name="Send").click()
        self.page.get_by_text("The invitation is on the way.").wait_for()


def test_the_main_job(browser, live_server, mails, cora):
    assert User.objects.exclude(pk=cora.pk).count() == 0
    Program.objects.update_or_create(pk=1, defaults={"time_zone": "Europe/Berlin"})

    # A coordinator imports the rosters and invites two people.
    coordinator = Person(browser, live_server.url)
    coordinator.log_in(cora.email)
    coordinator.import_sheet("Mentors", sheets.FOLDER / "mentors.csv")
    coordinator.import_sheet("Mentees", sheets.FOLDER / "students.csv")
    coordinator.invite("mentor", "Priya Sharma")
    coordinator.invite("mentee", "Alex Johnson")
    work()
    invitations = take(mails)
    assert [mail["To"] for mail in invitations] == ["priya.sharma@example.com", "alex.johnson@university.edu"]

    # The mentor sets a password by the mail received, and offers 18:00 to 20:00 her time, three days from now.
    mentor = Person(browser, live_server.url)
    mentor.set_password_by(links(invitations[0])[0])
    day = timezone.localdate(timezone=ZoneInfo("Asia/Kolkata")) + timedelta(days=3)
    mentor.page.get_by_role("link", name="My hours").click()
    mentor.page.get_by_label("Day").fill(day.isoformat())
    mentor.page.get_by_label("From").fill("18:00")
    mentor.page.get_by_label("To", exact=True).fill("20:00")
    mentor.page.get_by_role("button", name="Offer this time").click()
    mentor.page.get_by_text("18:00–20:00").first.wait_for()

    # The mentee books 30 minutes, in the program's zone.
    mentee = Person(browser, live_server.url)
    mentee.set_password_by(links(invitations[1])[0])
    mentee.page.get_by_role("link", name="Find a mentor").first.click()
    mentee.page.get_by_role("link", name="Priya Sharma", exact=True).click()
    mentee.page.get_by_role("link", name="30 minutes").click()
    starts_at = datetime(day.year, day.month, day.day, 12, 30, tzinfo=UTC)
    in_berlin = starts_at.astimezone(ZoneInfo("Europe/Berlin"))
    mentee.page.locator(".slot", has_text=f"{in_berlin:%H:%M}").click()
    mentee.page.get_by_label("What do you need help with?").fill("Graphs and trees")
    mentee.page.get_by_role("button", name="Look at it once more").click()
    mentee.page.get_by_role("button", name="Send the request").click()
    mentee.page.get_by_role("heading", name="Requested").wait_for()
    session = Session.objects.get()
    assert (session.start_time, session.minutes, session.status) == (starts_at, 30, "Pending")
    work()
    (requested,) = [mail for mail in take(mails) if mail["To"] == "priya.sharma@example.com" and "Alex" in mail["Subject"]]

    # The mentor follows the link in the mail and confirms.
    mentor.page.goto(links(requested)[0])
    mentor.page.get_by_role("button", name="Confirm").click()
    mentor.page.get_by_text("Confirmed", exact=False).first.wait_for()
    session.refresh_from_db()
    assert session.status == "Confirmed"
    work()
    assert [mail["To"] for mail in take(mails)] == ["alex.johnson@university.edu"]

    # Time moves on to 59 minutes before. The worker sweeps twice; each reminder comes once.
    with time_machine.travel(starts_at - timedelta(minutes=59)):
        send_due()
        send_due()
    taken = take(mails)
    reminders = {mail["To"]: text_of(mail) for mail in taken}
    assert sorted(mail["To"] for mail in taken) == ["alex.johnson@university.edu", "priya.sharma@example.com"]
    assert "18:00" in reminders["priya.sharma@example.com"]
    assert "Asia/Kolkata" in reminders["priya.sharma@example.com"]
    assert f"{in_berlin:%H:%M}" in reminders["alex.johnson@university.edu"]
    assert "Europe/Berlin" in reminders["alex.johnson@university.edu"]
    assert set(Notice.objects.filter(kind="reminder_60").values_list("state", flat=True)) == {"sent"}
