"""A coordinator's morning, in a browser: three waiting requests, an ill mentor with five sessions, a mentee to book, a mistake."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from people.models import Skill
from project.testing import PASSWORD
from scheduling import booking, delivery
from scheduling.models import Session, TimeOff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HALF = timedelta(minutes=30)
PATIENCE = 60_000


@pytest.fixture
def desk(browser, live_server, cora):
    """Cora's screen, logged in. What the browser refuses or trips over fails the test."""
    complaints = []
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/accounts/login/?next=/admin/")
    page.locator("[name=login]").fill(cora.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{live_server.url}/admin/")
    yield page
    assert complaints == []


def test_a_coordinators_morning(desk, live_server, maya, omar, kim, alex, bo, zoe, monday, window, person):
    sql = Skill.objects.create(name="SQL")
    for mentor in (maya, omar, kim.mentor):
        mentor.skills.add(sql)
        window(mentor)
    mentees = [alex, bo, zoe, *(person(name, mentee=True).mentee for name in ("Ada Ode", "Ben Ray"))]
    ill = [
        booking.confirm(booking.request(maya, mentee, monday + number * HALF, 30, by=mentee.user), by=maya.user)
        for number, mentee in enumerate(mentees)
    ]
    tuesday = monday + timedelta(days=1)
    window(omar, tuesday)
    waiting = [
        booking.request(omar, mentee, tuesday + number * HALF, 30, by=mentee.user) for number, mentee in enumerate(mentees[:3])
    ]
    delivery.sweep()
    mail.outbox.clear()

    # Three requests wait: she answers each for the mentor, who has said so on the phone.
    for session in waiting:
        desk.goto(live_server.url + reverse("admin:scheduling_session_change", args=[session.pk]))
        desk.get_by_role("link", name=re.compile("Confirm$")).click()
        desk.locator("#dialog").get_by_role("button", name="Confirm", exact=True).click()
        desk.get_by_text("The session is confirmed.").wait_for()
    assert set(Session.objects.filter(pk__in=[one.pk for one in waiting]).values_list("status", flat=True)) == {"Confirmed"}

    # Maya is ill on Monday: every session is handed over as suggested.
    desk.goto(live_server.url + reverse("admin:people_mentor_change", args=[maya.pk]))
    desk.get_by_role("link", name="Ill or away").click()
    hand_over = f"{reverse('admin:people_mentor_hand_over')}?mentor={maya.pk}&what=away&from_on={monday:%Y-%m-%d}&until_on={monday:%Y-%m-%d}"
    desk.goto(live_server.url + hand_over)
    desk.get_by_role("heading", name="5 sessions").wait_for()
    assert desk.get_by_text("first suggestion", exact=True).count() == 5
    desk.get_by_role("button", name="Next: see what will happen").click()
    desk.get_by_role("button", name="Enter the time off, hand over 5 sessions").click()
    desk.get_by_text("Handed over: 5.").wait_for()
    assert not Session.objects.active().filter(mentor=maya).exists()
    assert TimeOff.objects.count() == 1

    # It was the wrong Maya. Nobody has been told yet, and nobody will be.
    desk.get_by_role("link", name="Undo it").click()
    desk.get_by_role("link", name=re.compile("Undo$")).click()
    desk.locator("#dialog").get_by_role("button", name="Undo", exact=True).click()
    desk.get_by_text("Undone: ").first.wait_for()
    assert Session.objects.filter(mentor=maya, status="Confirmed", pk__in=[one.pk for one in ill]).count() == 5
    assert TimeOff.objects.count() == 0
    delivery.sweep()
    told = {one.subject for one in mail.outbox}
    assert not [subject for subject in told if "mentor" in subject.lower()]

    # Zoe wants somebody who knows SQL, on Tuesday.
    desk.goto(
        f"{live_server.url}{reverse('admin:scheduling_session_find')}?mentee={zoe.pk}&skills={sql.pk}&from_on={tuesday:%Y-%m-%d}"
    )
    desk.get_by_role("heading", name="1 mentor fits").wait_for()
    desk.get_by_role("link", name=re.compile("10:30–11:00 ?, book Omar Haddad")).click()
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.get_by_text("Requested: Omar Haddad and Zoe Novak").wait_for()
    booked = Session.objects.latest("pk")
    assert (booked.mentor, booked.mentee, booked.start_time) == (omar, zoe, tuesday + 3 * HALF)

    # In the week she sees all of it.
    desk.goto(f"{live_server.url}{reverse('admin:scheduling_session_week')}?day={monday:%Y-%m-%d}")
    desk.get_by_role("row", name="Omar Haddad").get_by_text("Zoe Novak · Pending").wait_for()
    desk.get_by_role("link", name="Week after").click()
    after = monday + timedelta(days=7)
    desk.get_by_role("columnheader", name=f"{after.day} {after:%b}").wait_for()
    assert desk.get_by_text("Zoe Novak · Pending").count() == 0

    # In the list she selects two of what is ahead, and is told so.
    desk.goto(live_server.url + reverse("admin:scheduling_session_changelist"))
    for number in range(2):
        desk.locator(".action-select").nth(number).check()
    desk.get_by_text(re.compile(r"^2 of \d+ selected$")).wait_for()
    # The filters open by the keyboard, too, and it goes on in them.
    desk.get_by_role("button", name="Filters").press("Enter")
    desk.wait_for_function("document.activeElement.closest('#changelist-filter')")
