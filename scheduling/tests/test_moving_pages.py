"""Moving a session on the pages, and what its page tells of it: who does what there, and what comes of it."""

import re
from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from project.testing import PASSWORD
from scheduling import booking
from scheduling.models import MentorLimits, Program, Session
from scheduling.rules import when
from scheduling.slots import Period

pytestmark = pytest.mark.django_db

UTC = ZoneInfo("UTC")
HOUR = timedelta(hours=1)


@pytest.fixture
def as_user(client):
    """A function that gives the browser of somebody who is logged in."""

    def log_in(user):
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def confirmed(session, maya):
    return booking.confirm(session, by=maya.user)


def shown(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def text(page) -> str:
    return " ".join(page.content.decode().split())


def path(session, start=None, minutes=30) -> str:
    address = f"/sessions/{session.pk}/reschedule/"
    if start is None:
        return address
    return f"{address}?" + urlencode({"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "minutes": minutes})


def filled_in(page, **more) -> dict:
    """What a browser sends of the form on this page."""
    return {field.html_name: field.value() or "" for field in page.context["form"]} | more


def hours(page) -> list[str]:
    return [f"{slot.start:%H:%M}" for _, slots in page.context["days"] for slot, _ in slots]


# ---- choosing the time ------------------------------------------------------------------------------------------------


def test_the_free_times_are_those_of_both_and_leave_out_the_present_one(as_user, session, alex, bo, omar, window, maya, monday):
    window(omar)
    booking.request(omar, alex, monday + 2 * HOUR, 30, by=alex.user)
    booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    page = as_user(alex.user).get(path(session))
    assert hours(page) == ["09:30", "10:30", "11:30"]
    assert hours(as_user(maya.user).get(path(session))) == ["09:30", "10:30", "11:30"]
    # A longer one may begin where the present one does.
    assert hours(as_user(alex.user).get(path(session) + "?minutes=60")) == ["09:00"]


def test_the_length_is_that_of_the_session_if_it_is_still_offered(as_user, alex, maya, window, monday):
    window(maya)
    session = booking.request(maya, alex, monday, 60, by=alex.user)
    page = as_user(alex.user).get(path(session))
    assert (page.context["minutes"], hours(page)) == (60, ["09:30", "10:00", "10:30", "11:00"])
    Program.objects.update(session_lengths=[30, 90])
    assert as_user(alex.user).get(path(session)).context["minutes"] == 30


def test_a_mentee_moves_what_was_confirmed_and_the_mentor_confirms_again(as_user, confirmed, alex, maya, monday):
    browser = as_user(alex.user)
    page = browser.get(f"/sessions/{confirmed.pk}/")
    assert f'href="{path(confirmed)}"' in text(page)
    page = browser.get(path(confirmed))
    [(_, [(_, href), *_])] = page.context["days"]
    assert href.replace("&", "&amp;") in text(page)
    page = browser.get(href)
    assert "Maya Lopez has to confirm again: until then the session is Pending." in text(page)
    page = browser.post(path(confirmed), filled_in(page, reason="An exam"), follow=True)
    moved = Period.of(monday + timedelta(minutes=30), 30)
    assert page.redirect_chain == [(f"/sessions/{confirmed.pk}/", 302)]
    assert shown(page) == [f"Moved to {when(moved, UTC)}. We tell Maya Lopez by mail."]
    session = Session.objects.get()
    assert (session.period, session.status, session.reason) == (moved, "Pending", "An exam")


def test_a_mentor_moves_what_stays_confirmed(as_user, confirmed, maya, monday):
    browser = as_user(maya.user)
    page = browser.get(path(confirmed, monday + HOUR, 60))
    assert "The session stays Confirmed. We tell Alex Johnson by mail." in text(page)
    page = browser.post(path(confirmed), filled_in(page), follow=True)
    assert shown(page) == [f"Moved to {when(Period.of(monday + HOUR, 60), UTC)}. We tell Alex Johnson by mail."]
    assert Session.objects.get().status == "Confirmed"


def test_a_coordinator_moves_it_for_both(as_user, confirmed, cora, monday):
    browser = as_user(cora)
    page = browser.get(path(confirmed, monday + HOUR))
    assert "The session stays Confirmed. We tell Maya Lopez and Alex Johnson by mail." in text(page)
    page = browser.post(path(confirmed), filled_in(page), follow=True)
    moved = when(Period.of(monday + HOUR, 30), UTC)
    assert shown(page) == [f"Moved to {moved}. We tell Maya Lopez and Alex Johnson by mail."]


def test_the_new_time_is_told_on_both_clocks(as_user, confirmed, maya, alex, monday):
    maya.user.time_zone = "Asia/Kolkata"
    maya.user.save()
    page = text(as_user(alex.user).get(path(confirmed, monday + HOUR)))
    assert '09:00–09:30 <span class="subtle">(UTC), 30 minutes</span>' in page
    assert '10:00–10:30 <span class="subtle">(UTC), 30 minutes</span>' in page
    assert '15:30–16:00 <span class="subtle">(Asia/Kolkata)</span>' in page


# ---- what cannot be ---------------------------------------------------------------------------------------------------


def test_a_form_sent_twice_is_one_move(as_user, confirmed, alex, monday):
    browser = as_user(alex.user)
    form = filled_in(browser.get(path(confirmed, monday + HOUR)))
    answers = [shown(browser.post(path(confirmed), form, follow=True)) for _ in range(2)]
    assert answers == [[f"Moved to {when(Period.of(monday + HOUR, 30), UTC)}. We tell Maya Lopez by mail."]] * 2
    session = Session.objects.get()
    assert (session.version, session.notices.filter(kind="rescheduled").count()) == (3, 1)


def test_a_time_that_cannot_be_is_explained_with_the_nearest_that_can(as_user, session, alex, bo, maya, monday):
    booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    page = as_user(alex.user).get(path(session, monday + HOUR))
    taken = when(Period.of(monday + HOUR, 30), UTC)
    assert (page.status_code, page.context["reasons"]) == (200, [f"Maya Lopez already has a session {taken}."])
    assert [f"{slot.start:%H:%M}" for slot, _ in page.context["near"]] == ["09:30", "10:30", "11:00"]
    assert page.context["near"][0][1] == path(session, monday + HOUR / 2)
    assert "Lindqvist" not in text(page)


def test_a_time_taken_meanwhile_is_refused_and_the_reason_kept(as_user, session, alex, bo, maya, monday):
    browser = as_user(alex.user)
    form = filled_in(browser.get(path(session, monday + HOUR)), reason="Trains & rain")
    booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    page = browser.post(path(session), form)
    taken = when(Period.of(monday + HOUR, 30), UTC)
    assert page.context["form"].non_field_errors() == [f"Maya Lopez already has a session {taken}."]
    assert "Trains &amp; rain" in text(page)
    assert Session.objects.get(pk=session.pk).start_time == monday


def test_the_time_it_has_already_is_no_move(as_user, session, alex, monday):
    browser = as_user(alex.user)
    page = browser.post(path(session), filled_in(browser.get(path(session, monday))))
    assert page.context["form"].non_field_errors() == ["The session is at this time already. Choose another one."]


def test_an_old_page_moves_nothing_and_says_who_was_quicker(as_user, session, maya, alex, monday):
    browser = as_user(alex.user)
    form = filled_in(browser.get(path(session, monday + HOUR)))
    booking.reschedule(session, monday + 2 * HOUR, by=maya.user)
    page = browser.post(path(session), form, follow=True)
    assert page.redirect_chain == [(f"/sessions/{session.pk}/", 302)]
    [sentence] = shown(page)
    assert sentence.startswith("Maya Lopez changed this session at ")
    assert Session.objects.get().start_time == monday + 2 * HOUR


def test_a_form_without_a_version_moves_nothing(as_user, session, alex, monday):
    page = as_user(alex.user).post(path(session), {"start": (monday + HOUR).isoformat(), "minutes": 30})
    assert "This page is out of date. Look at the session again before you act." in text(page)
    assert Session.objects.get().start_time == monday


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (-10, "This session has already begun: it cannot be moved."),
        (23 * 60, "Sessions can be moved until 24 hours before they start. Ask the program's coordinators."),
    ],
)
def test_too_late_is_said_before_anybody_chooses(as_user, confirmed, alex, monday, before, sentence):
    Program.objects.update(cancel_until_hours=24)
    with time_machine.travel(monday - timedelta(minutes=before)):
        browser = as_user(alex.user)
        assert "reschedule" not in {verb.name for verb in browser.get(f"/sessions/{confirmed.pk}/").context["verbs"]}
        answers = [
            browser.get(path(confirmed), follow=True),
            browser.get(path(confirmed, monday + HOUR), follow=True),
            browser.post(path(confirmed), {"start": "2030", "minutes": 30, "version": 2}, follow=True),
            browser.post(path(confirmed), {"start": (monday + 2 * HOUR).isoformat(), "minutes": 30, "version": 2}, follow=True),
        ]
    assert [(page.redirect_chain, shown(page)) for page in answers] == [([(f"/sessions/{confirmed.pk}/", 302)], [sentence])] * 4


def test_a_stranger_finds_nothing_to_move(as_user, session, zoe, monday):
    zoes = as_user(zoe.user)
    form = {"start": (monday + HOUR).isoformat(), "minutes": 30, "version": 1}
    assert {
        zoes.get(path(session)).status_code,
        zoes.get(path(session, monday + HOUR)).status_code,
        zoes.post(path(session), form).status_code,
    } == {404}
    assert Session.objects.get().start_time == monday


def test_whoever_is_not_logged_in_is_asked_to(client, session):
    assert client.get(path(session)).url == f"/accounts/login/?next={path(session)}"


@pytest.mark.parametrize("query", ["?start=tomorrow", "?minutes=7", "?start=0001-01-01T00:00:00Z&minutes=30"])
def test_an_address_without_a_time_shows_the_free_ones(as_user, session, alex, query):
    page = as_user(alex.user).get(path(session) + query)
    assert hours(page) == ["09:30", "10:00", "10:30", "11:00", "11:30"]


def test_what_is_booked_already_moves_while_the_mentor_pauses(as_user, session, alex, maya, monday):
    MentorLimits.objects.create(mentor=maya, paused_until_on=(monday + timedelta(days=30)).date())
    assert hours(as_user(alex.user).get(path(session))) == ["09:30", "10:00", "10:30", "11:00", "11:30"]


# ---- what the session's page tells ------------------------------------------------------------------------------------


def story(page) -> list[str]:
    """The sentences under "What happened", without their times."""
    part = text(page).partition('id="events"')[2].partition("</dl>")[0]
    sentences = [rest.partition("</dd>")[0].strip() for rest in part.split("<dd>")[1:]]
    return [
        " ".join(sentence.replace('<span class="subtle as-typed">', "").replace("</span>", "").split())
        for sentence in sentences
    ]


def test_what_happened_is_told_the_latest_first(as_user, confirmed, maya, alex, cora, monday):
    booking.reschedule(confirmed, monday + HOUR, by=cora, on_behalf_of=alex.user, reason="An exam")
    booking.confirm(confirmed, by=maya.user)
    session = booking.cancel(confirmed, by=cora, reason="The house is closed")
    page = as_user(alex.user).get(f"/sessions/{session.pk}/")
    new = Period.of(monday + HOUR, 30).start
    assert story(page) == [
        "Canceled by Cora Diaz for the program",
        "Confirmed by Maya Lopez",
        f"Moved by Cora Diaz for Alex Johnson: {new:%a} {new.day} {new:%b %Y}, 10:00–10:30 – An exam",
        "Confirmed by Maya Lopez",
        "Requested by Alex Johnson",
    ]
    assert '<dd class="as-typed">The house is closed</dd>' in text(page)


def test_who_changed_it_for_whom_stands_with_the_facts(as_user, session, alex, cora, monday):
    booking.reschedule(session, monday + HOUR, by=cora, on_behalf_of=alex.user, reason="She called")
    page = text(as_user(alex.user).get(f"/sessions/{session.pk}/")).replace("> <", "><")
    assert '<dt>Changed by</dt><dd>Cora Diaz for Alex Johnson <span class="subtle">(you)</span></dd>' in page
    assert '<dt>Reason</dt><dd class="as-typed">She called</dd>' in page


def test_what_expired_was_nobodys_doing(as_user, session, alex):
    with time_machine.travel(session.answer_by + timedelta(seconds=1)):
        booking.expire(session)
        assert story(as_user(alex.user).get(f"/sessions/{session.pk}/")) == ["Expired", "Requested by Alex Johnson"]


def test_rules_set_aside_are_read_by_staff_only(as_user, session, alex, maya, cora, monday):
    session = booking.reschedule(session, monday + 5 * HOUR, by=cora, set_aside="A favor among friends")
    expected = (
        '<dt>Rules set aside</dt><dd>The mentor has offered this time <span class="subtle">– A favor among friends</span></dd>'
    )
    assert expected in text(as_user(cora).get(f"/sessions/{session.pk}/")).replace("> <", "><")
    for user in (alex.user, maya.user):
        page = as_user(user).get(f"/sessions/{session.pk}/")
        assert "aside" not in text(page)
        assert "favor" not in text(page)
        assert len(story(page)) == 2


def test_telling_what_happened_costs_the_same_however_much_it_was(
    as_user, session, maya, alex, monday, django_assert_num_queries
):
    browser = as_user(alex.user)
    browser.get(f"/sessions/{session.pk}/")
    with django_assert_num_queries(11):
        browser.get(f"/sessions/{session.pk}/")
    for _ in range(2):
        booking.reschedule(session, monday + HOUR, by=maya.user)
        booking.reschedule(session, monday, by=alex.user)
    with django_assert_num_queries(11):
        assert len(story(browser.get(f"/sessions/{session.pk}/"))) == 5


# ---- handed over ------------------------------------------------------------------------------------------------------


@pytest.fixture
def handed(session, omar, cora, window):
    """Maya's session with Alex is Omar's now, and waits for his answer."""
    window(omar)
    return booking.reassign(session, omar, by=cora, reason="Maya is away")


KEEP = "Maya Lopez hands this session over: <strong>Omar Haddad is your mentor now</strong>."


def test_a_mentee_is_told_of_the_new_mentor_and_of_what_can_be_done(as_user, handed, alex):
    page = as_user(alex.user).get(f"/sessions/{handed.pk}/")
    assert f"{KEEP} To keep it, you need not do anything." in text(page)
    assert f'href="{path(handed)}">choose another time</a> or <a href="/sessions/{handed.pk}/cancel/">cancel it</a>' in text(
        page
    )
    assert story(page) == ["Handed over to Omar Haddad by Cora Diaz for the program", "Requested by Alex Johnson"]


def test_the_notice_stays_until_the_mentee_does_something(as_user, handed, alex, omar, monday):
    booking.confirm(handed, by=omar.user)
    assert KEEP in text(as_user(alex.user).get(f"/sessions/{handed.pk}/"))
    booking.reschedule(handed, monday + HOUR, by=alex.user)
    assert KEEP not in text(as_user(alex.user).get(f"/sessions/{handed.pk}/"))


def test_the_new_mentor_is_asked_and_the_old_one_sees_it_no_more(as_user, handed, omar, maya):
    page = as_user(omar.user).get(f"/sessions/{handed.pk}/")
    assert "Maya Lopez hands this session over to you. Please confirm or decline it." in text(page)
    assert as_user(maya.user).get(f"/sessions/{handed.pk}/").status_code == 404
    assert as_user(maya.user).get("/sessions/").context["rows"] == []


def test_what_was_said_to_the_mentor_before_is_not_read_by_the_next(as_user, session, alex, omar, cora, window, monday):
    window(omar)
    booking.reschedule(session, monday + HOUR, by=alex.user, reason="I am ill")
    session = booking.reassign(session, omar, by=cora)
    assert "I am ill" in text(as_user(alex.user).get(f"/sessions/{session.pk}/"))
    page = text(as_user(omar.user).get(f"/sessions/{session.pk}/"))
    assert "Moved by Alex Johnson" in page
    assert "I am ill" not in page


def test_handing_over_is_offered_in_the_admin_and_not_here(as_user, session, cora, monday):
    page = as_user(cora).get(f"/sessions/{session.pk}/")
    assert [verb.name for verb in page.context["verbs"]] == ["confirm", "decline", "reschedule", "cancel"]
    assert f'href="{reverse("admin:scheduling_session_change", args=[session.pk])}"' in text(page)
    assert as_user(cora).get(f"/sessions/{session.pk}/reassign/").status_code == 404


# ---- did it take place? -----------------------------------------------------------------------------------------------


def test_every_session_that_nobody_reported_stays_in_sight(as_user, maya, alex, monday):
    """However many there are, and however much came after them."""
    rows = []
    for days in range(40, 47):
        start = monday - timedelta(days=days)
        rows += [
            Session(mentor=maya, mentee=alex, start_time=at, end_time=at + HOUR, status=status, created_at=start)
            for at, status in ((start, "Confirmed"), (start + 2 * HOUR, "Completed"))
        ]
    Session.objects.bulk_create(rows)
    page = as_user(maya.user).get("/")
    assert [row.session.start_time for row in page.context["unreported"]] == [
        monday - timedelta(days=days) for days in range(40, 47)
    ]
    assert "Did these take place?" in text(page)
    assert len(page.context["earlier"]) == 5


# ---- on a phone, with the keyboard ------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_finding_booking_and_moving_on_a_phone_without_javascript_or_a_mouse(browser, live_server, alex, maya, window, monday):
    window(maya)
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()

    def press(link_or_button):
        """Reach it as the keyboard does, and look at the page it leads to for sideways scrolling."""
        link_or_button.focus()
        link_or_button.press("Enter")
        page.wait_for_load_state()
        assert page.locator("body").bounding_box()["width"] <= 360
        boxes = [one.bounding_box() for one in page.locator("main").locator("a, input, button, select").all()]
        ends = [box["x"] + box["width"] for box in boxes if box]
        assert max(ends) <= 360

    page.goto(f"{live_server.url}/accounts/login/")
    page.locator("[name=login]").fill(alex.user.email)
    page.locator("[name=password]").fill(PASSWORD)
    press(page.get_by_role("button", name="Log in", exact=True))
    press(page.get_by_role("navigation").get_by_role("link", name="Find a mentor"))
    page.get_by_label("Free on").fill(f"{monday:%Y-%m-%d}")
    page.get_by_label("From").fill("08:00")
    page.get_by_label("To", exact=True).fill("10:00")
    press(page.get_by_role("button", name="Search"))
    press(page.get_by_role("link", name=re.compile("Ask Maya Lopez for .*09:30")))
    press(page.get_by_role("button", name="Look at it once more"))
    press(page.get_by_role("button", name="Send the request"))
    press(page.get_by_role("link", name="See the session"))
    press(page.get_by_role("link", name="Move"))
    press(page.locator("a.slot", has_text="11:00"))
    page.get_by_label("Reason").fill("An exam")
    press(page.get_by_role("button", name="Move the session"))
    page.get_by_text("Moved to").wait_for()
    session = Session.objects.get()
    assert (session.period, session.reason) == (Period.of(monday + 2 * HOUR, 30), "An exam")
