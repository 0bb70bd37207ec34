"""No form of ours loses what was typed to a log-in that has run out meanwhile: each of them, and in a real browser."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session as WebSession
from django.utils import timezone

from project.testing import PASSWORD
from project.tests.page import form_in
from scheduling import booking
from scheduling.composing import book_path
from scheduling.models import Session, TimeOff, WeeklyHours
from scheduling.slots import Period

pytestmark = pytest.mark.django_db

WORDS = "Boats & knots"


def come_too_late(client, user, path, form, **typed):
    """Send this form after the log-in has ended; log in; and be where one is led."""
    before = Session.objects.values_list("pk", "version")
    WebSession.objects.all().delete()
    answer = client.post(path, form | typed, headers={"referer": f"http://testserver{client.page}"})
    assert answer["Location"].startswith("/accounts/login/")
    page = client.post(answer["Location"], {"login": user.email, "password": PASSWORD}, follow=True)
    # Led on to the form itself, and nothing is done.
    assert list(Session.objects.values_list("pk", "version")) == list(before)
    assert "All that you typed is here again" in page.content.decode()
    return page


def opened(client, user, path):
    client.force_login(user)
    client.page = path
    return form_in(client.get(path))


@pytest.mark.parametrize("name", ["cancel", "decline"])
def test_the_reason_for_ending_a_session(client, session, maya, name):
    path = f"/sessions/{session.pk}/{name}/"
    form = opened(client, maya.user, path)
    page = come_too_late(client, maya.user, path, form, reason=WORDS)
    assert form_in(page) == form | {"reason": [WORDS]}


def test_a_word_on_the_first_page_comes_back_in_its_row_only(client, session, maya, bo, monday):
    other = booking.request(maya, bo, monday + timedelta(hours=1), 30, by=bo.user)
    opened(client, maya.user, "/")
    mine = form_in(client.get("/"), f"answer-{session.pk}")
    page = come_too_late(client, maya.user, f"/sessions/{session.pk}/confirm/", mine, reason=WORDS)
    assert form_in(page, f"answer-{session.pk}") == mine | {"reason": [WORDS]}
    assert form_in(page, f"answer-{other.pk}")["reason"] == [""]
    client.post(f"/sessions/{session.pk}/confirm/", form_in(page, f"answer-{session.pk}"))
    session.refresh_from_db()
    assert (session.status, session.reason) == ("Confirmed", WORDS)


def test_a_pause_on_the_first_page(client, maya):
    opened(client, maya.user, "/")
    day = f"{timezone.localdate() + timedelta(days=20)}"
    form = form_in(client.get("/"), "pause-form")
    page = come_too_late(client, maya.user, "/windows/pause/", form, paused_until_on=day)
    assert form_in(page, "pause-form") == form | {"paused_until_on": [day]}


def test_notes(client, session, maya):
    path = f"/sessions/{session.pk}/note/"
    form = opened(client, maya.user, path)
    page = come_too_late(client, maya.user, path, form, text=WORDS)
    assert form_in(page) == form | {"text": [WORDS]}
    client.post(path, form_in(page))
    assert maya.session_notes.get().text == WORDS


def test_another_time_and_why(client, session, maya, monday):
    path = f"/sessions/{session.pk}/reschedule/?start={monday + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}&minutes=30"
    form = opened(client, maya.user, path)
    page = come_too_late(client, maya.user, path, form, reason=WORDS)
    assert form_in(page) == form | {"reason": [WORDS]}
    client.post(path, form_in(page))
    session.refresh_from_db()
    assert (session.start_time, session.reason) == (monday + timedelta(hours=1), WORDS)


def test_feedback(client, session, maya, alex, monday):
    booking.confirm(session, by=maya.user)
    now = timezone.now()
    Session.objects.update(start_time=now - timedelta(hours=2), end_time=now - timedelta(hours=1))
    path = f"/sessions/{session.pk}/feedback/"
    form = opened(client, alex.user, path)
    page = come_too_late(client, alex.user, path, form, rating="2", sentence=WORDS)
    assert form_in(page) == form | {"rating": ["2"], "sentence": [WORDS]}


def test_a_booking_from_its_form_and_from_the_look_at_it(client, maya, alex, monday, window):
    window(maya)
    here = book_path(maya.pk, Period.of(monday, 30))
    review = f"/mentors/{maya.pk}/book/review/"
    form = opened(client, alex.user, here)
    page = come_too_late(client, alex.user, review, form, topic=WORDS)
    assert form_in(page) == form | {"topic": [WORDS]}
    # What cannot be sent comes back, too: from the page that shows the form with what is wrong.
    wrong = form_in(page) | {"meeting_link": ["my kitchen"]}
    client.post(review, wrong)
    client.page = review
    page = come_too_late(client, alex.user, review, wrong)
    assert form_in(page) == wrong
    looked = client.post(review, form_in(page) | {"meeting_link": ["https://meet.example.org/a"]}, follow=True)
    client.page = looked.wsgi_request.get_full_path()
    whole = form_in(looked)
    page = come_too_late(client, alex.user, f"/mentors/{maya.pk}/book/", whole)
    assert form_in(page) == whole
    looked = client.post(review, form_in(page), follow=True)
    client.post(f"/mentors/{maya.pk}/book/", form_in(looked))
    made = Session.objects.get()
    assert (made.topic, made.meeting_link, made.start_time) == (WORDS, "https://meet.example.org/a", monday)


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/windows/weekly/add/", {"weekday": "2", "begins": "17:10", "ends": "19:20"}),
        ("/windows/off/add/", {}),
        ("/windows/limits/", {"week_cap": "7", "buffer_minutes": "25"}),
        ("/windows/add/", {}),
    ],
)
def test_hours(client, maya, path, typed):
    form = opened(client, maya.user, path)
    typed = typed or {name: "2030-05-06" if "on" in name or name == "day" else values for name, values in form.items()}
    typed = {name: [value] if isinstance(value, str) else value for name, value in typed.items()}
    page = come_too_late(client, maya.user, path, form, **typed)
    assert form_in(page) == form | typed
    assert not WeeklyHours.objects.exists()
    assert not TimeOff.objects.exists()


def test_every_form_with_something_to_type_in_says_whose_it_is():
    """What nobody can say whose it is cannot be kept."""
    ours = settings.BASE_DIR / "templates"
    forms = []
    for folder in ("people", "scheduling"):
        for file in sorted((ours / folder).glob("*.html")):
            for form in re.findall(r'<form method="post".*?</form>', file.read_text(), re.DOTALL):
                if "forms/field" in form or re.search(r"<(textarea|select)|{{ ?form|{{ field }}", form):
                    forms.append(file.name)
                    # The page that a mail leads to needs no log-in.
                    assert 'include "forms/token.html"' in form or file.name.startswith("mail_"), file.name
    assert len(forms) >= 8


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("script", [True, False])
def test_in_a_browser(browser, live_server, maya, script):
    page = browser.new_context(java_script_enabled=script, viewport={"width": 360, "height": 740}).new_page()

    def log_in():
        page.locator("[name=login]").fill(maya.user.email)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()

    page.goto(f"{live_server.url}/accounts/login/?next=/profile/")
    log_in()
    other = page.context.new_page()
    for tab, path, name in ((page, "/profile/", "about_me"), (other, "/windows/limits/", "week_cap")):
        tab.goto(live_server.url + path)
        tab.locator(f"[name={name}]").fill("17")
    WebSession.objects.all().delete()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Log in within half an hour").wait_for()
    log_in()
    page.get_by_text("All that you typed is here again").wait_for()
    assert page.locator("[name=about_me]").input_value() == "17"
    maya.refresh_from_db()
    assert maya.about_me == ""
    # The other tab is from before that log-in: its form is too old, and yet it comes back.
    other.get_by_role("button", name="Save").click()
    other.get_by_text("All that you typed is here again").wait_for()
    assert other.locator("[name=week_cap]").input_value() == "17"
    other.get_by_role("button", name="Save").click()
    other.get_by_text("Saved.").wait_for()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    maya.refresh_from_db()
    assert (maya.about_me, maya.limits.week_cap) == ("17", 17)
