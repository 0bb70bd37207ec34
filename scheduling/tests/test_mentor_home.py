"""What a mentor's first page is for: answering in one click, seeing the week, saying what took place, a pause."""

from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.test import Client

from project.tests.page import form_in
from scheduling import booking
from scheduling.composing import compose
from scheduling.models import MentorLimits, Notice, Session
from scheduling.words import Kind

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def tuesday(time_machine):
    """It is 10:00 on Tuesday, 6 November 2029."""
    time_machine.move_to(datetime(2029, 11, 6, 10, tzinfo=UTC), tick=False)


@pytest.fixture
def hers(maya):
    """Maya's browser."""
    browser = Client()
    browser.force_login(maya.user)
    return browser


@pytest.fixture
def asked(maya, alex, window):
    """Alex has asked Maya for 9:00 in a week."""
    start = datetime(2029, 11, 13, 9, tzinfo=UTC)
    window(maya, start)
    return booking.request(maya, alex, start, 30, by=alex.user, topic="Joins & <b>")


def text(page) -> str:
    return " ".join(page.content.decode().split())


def shown(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def answer(browser, session, verb, **typed):
    """Press one of the two buttons in the row of a request."""
    form = form_in(browser.get("/"), f"answer-{session.pk}")
    return browser.post(f"/sessions/{session.pk}/{verb}/", form | typed, follow=True)


def of_mail(session, recipient, kind) -> str:
    return compose(Notice.objects.get(session=session, recipient=recipient, kind=kind), None).body


# ---- requests ---------------------------------------------------------------------------------------------------------


def test_a_request_says_who_what_when_and_until_when(hers, asked):
    page = text(hers.get("/"))
    assert "You mentor Alex Johnson" in page
    assert "Joins &amp; &lt;b&gt;" in page
    assert "Tue 13 Nov 2029, 09:00–09:30" in page
    assert "Answer by Fri 9 Nov, 10:00 (in 3 days); then it expires." in page


@pytest.mark.parametrize(
    ("verb", "past", "then", "kind"),
    [
        ("confirm", "confirmed", ("Confirmed", ""), Kind.CONFIRMED),
        ("decline", "declined", ("Canceled", "declined"), Kind.DECLINED),
    ],
)
@pytest.mark.parametrize("word", ["", "See you there,\nbring <your> laptop."])
def test_one_click_answers_with_or_without_a_word(hers, asked, alex, verb, past, then, kind, word):
    page = answer(hers, asked, verb, reason=word)
    assert page.redirect_chain == [("/", 302)]
    assert shown(page) == [f"The session with Alex Johnson is {past}. We tell Alex Johnson by mail."]
    asked.refresh_from_db()
    assert (asked.status, asked.ending, asked.reason) == (*then, word)
    assert asked.history.latest("history_id").reason == word
    mail = of_mail(asked, alex.user, kind)
    label = "Message" if verb == "confirm" else "Reason"
    assert (f"{label}: See you there,\n  bring <your> laptop." in mail) == bool(word)
    assert (f"{label}: " in mail) == bool(word)
    his = Client()
    his.force_login(alex.user)
    said = f'<dt>{label}</dt> <dd class="as-typed">See you there, bring &lt;your&gt; laptop.</dd>'
    assert (said in text(his.get(f"/sessions/{asked.pk}/")).replace("</dt><dd", "</dt> <dd")) == bool(word)


def test_a_word_to_one_mentee_is_in_no_other_mail(asked, maya):
    booking.confirm(asked, by=maya.user, reason="See you there.")
    reminder = Notice.objects.filter(session=asked, kind__in=(Kind.REMINDER_60, Kind.REMINDER_15))
    assert reminder.count() == 4
    assert not any("See you there" in compose(notice, None).body for notice in reminder)


def test_pressed_twice_it_is_answered_once(hers, asked):
    form = form_in(hers.get("/"), f"answer-{asked.pk}") | {"reason": "Gladly."}
    pages = [hers.post(f"/sessions/{asked.pk}/confirm/", form, follow=True) for _ in range(2)]
    assert [shown(page) for page in pages] == [
        ["The session with Alex Johnson is confirmed. We tell Alex Johnson by mail."],
        ["Maya Lopez changed this session at 10:00: it is Confirmed now. Look again before you act."],
    ]
    asked.refresh_from_db()
    assert (asked.version, Notice.objects.filter(kind=Kind.CONFIRMED).count()) == (2, 1)


@pytest.mark.parametrize(("verb", "reason"), [("decline", ""), ("confirm", "With another word.")])
def test_another_answer_from_a_second_tab_is_told_and_changes_nothing(hers, asked, verb, reason):
    form = form_in(hers.get("/"), f"answer-{asked.pk}")
    answer(hers, asked, "confirm")
    page = hers.post(f"/sessions/{asked.pk}/{verb}/", form | {"reason": reason}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert shown(page) == [
        "Maya Lopez changed this session at 10:00: it is Confirmed now. Look again before you act.",
    ]
    asked.refresh_from_db()
    assert (asked.status, asked.reason, asked.version) == ("Confirmed", "", 2)


def test_taken_back_or_expired_meanwhile_is_said(hers, asked, alex, time_machine):
    form = form_in(hers.get("/"), f"answer-{asked.pk}")
    time_machine.move_to(asked.answer_by + timedelta(minutes=1))
    booking.expire_unanswered()
    page = hers.post(f"/sessions/{asked.pk}/confirm/", form, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert shown(page) == ["The program changed this session at 10:01: it is Canceled now. Look again before you act."]


def test_a_word_too_long_is_kept_and_the_answer_still_leads_home(hers, asked):
    word = "because " * 50
    form = form_in(hers.get("/"), f"answer-{asked.pk}")
    page = hers.post(f"/sessions/{asked.pk}/decline/", form | {"reason": word})
    assert list(page.context["form"].errors) == ["reason"]
    assert word.strip() in unescape(text(page))
    page = hers.post(f"/sessions/{asked.pk}/decline/", form_in(page) | {"reason": "An exam"}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    asked.refresh_from_db()
    assert (asked.ending, asked.reason) == ("declined", "An exam")


def test_who_asked_has_no_buttons_to_answer(asked, alex, zoe):
    for mentee, form, status in ((alex, False, 302), (zoe, False, 404)):
        browser = Client()
        browser.force_login(mentee.user)
        assert ("answer-" in text(browser.get("/"))) == form
        sent = browser.post(f"/sessions/{asked.pk}/confirm/", {"version": 1, "from_home": 1})
        assert sent.status_code == status
    asked.refresh_from_db()
    assert asked.status == "Pending"


def test_the_button_acts_by_post_with_a_token_only(asked, maya, hers):
    assert hers.get(f"/sessions/{asked.pk}/confirm/").status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(maya.user)
    assert strict.post(f"/sessions/{asked.pk}/confirm/", {"version": 1}).status_code == 403
    asked.refresh_from_db()
    assert asked.status == "Pending"


# ---- the week ---------------------------------------------------------------------------------------------------------


def confirmed(mentor, mentee, start) -> Session:
    return Session.objects.create(
        mentor=mentor, mentee=mentee, start_time=start, end_time=start + HOUR / 2, status="Confirmed", created_at=start - DAY
    )


def test_this_week_ends_on_sunday_by_the_mentors_clock(hers, maya, alex):
    maya.user.time_zone = "America/New_York"
    maya.user.save()
    monday = datetime(2029, 11, 12, 5, tzinfo=UTC)  # 0:00 in New York
    first, last, next_week = (confirmed(maya, alex, at) for at in (monday - 3 * DAY, monday - HOUR, monday))
    page = hers.get("/")
    rows = {name: [row.session for row in page.context[name]] for name in ("week", "later")}
    assert (page.context["next"].session, rows) == (first, {"week": [last], "later": [next_week]})
    assert "Later this week" in text(page)


def test_an_empty_week_says_what_to_do_next(hers, maya, alex, window):
    confirmed(maya, alex, datetime(2029, 11, 20, 9, tzinfo=UTC))
    page = text(hers.get("/"))
    assert "Nothing is booked this week." in page
    assert '<a href="/windows/weekly/add/">give weekly hours</a>' in page
    window(maya)
    page = text(hers.get("/"))
    assert 'Mentees can ask for <a href="/windows/">the times you offer</a>.' in page
    assert "give weekly hours" not in page


def test_nothing_at_all_leads_to_weekly_hours(hers, maya, window):
    assert 'href="/windows/weekly/add/">Give weekly hours</a>' in text(hers.get("/"))
    window(maya)
    assert 'href="/windows/">See the times I offer</a>' in text(hers.get("/"))


# ---- did it take place? -----------------------------------------------------------------------------------------------


def test_each_ended_session_is_asked_about_and_answered_in_one_click(hers, maya, alex, bo):
    over = [confirmed(maya, mentee, datetime(2029, 11, day, 9, tzinfo=UTC)) for day, mentee in ((4, alex), (5, bo))]
    page = hers.get("/")
    assert {row.session for row in page.context["unreported"]} == set(over)
    assert text(page).count(">It took place</button>") == 2
    page = hers.post(f"/sessions/{over[0].pk}/complete/", {"version": 1, "from_home": "1"}, follow=True)
    assert (page.redirect_chain, shown(page)) == ([("/", 302)], ["The session with Alex Johnson is completed."])
    assert [row.session for row in page.context["unreported"]] == [over[1]]
    over[0].refresh_from_db()
    assert over[0].status == "Completed"


# ---- a pause ----------------------------------------------------------------------------------------------------------


def test_a_pause_is_taken_and_ended_on_the_first_page(hers, maya, alex, window):
    start = datetime(2029, 11, 13, 9, tzinfo=UTC)
    window(maya, start)
    page = hers.post("/windows/pause/", form_in(hers.get("/"), "pause-form") | {"paused_until_on": "2029-11-20"}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert shown(page) == ["No new requests until Tue 20 Nov 2029. What is booked stays."]
    assert MentorLimits.objects.values_list("mentor", "paused_until_on").get() == (maya.pk, date(2029, 11, 20))
    assert booking.slots(maya, 30, until=start + DAY) == []
    page = hers.get("/")
    assert "You take no new requests until <strong>Tue 20 Nov 2029</strong>" in text(page)
    page = hers.post("/windows/pause/", form_in(page, "pause-form") | {"again": "1"}, follow=True)
    assert (page.redirect_chain, shown(page)) == ([("/", 302)], ["New requests are taken again."])
    assert MentorLimits.objects.get().paused_until_on is None
    assert len(booking.slots(maya, 30, until=start + DAY)) == 6
    assert "Pause new requests</button>" in text(page)


def test_a_pause_leaves_the_other_limits(hers, maya):
    MentorLimits.objects.create(mentor=maya, week_cap=3, buffer_minutes=15)
    hers.post("/windows/pause/", form_in(hers.get("/"), "pause-form") | {"paused_until_on": "2029-11-20"})
    limits = MentorLimits.objects.values_list("week_cap", "buffer_minutes", "paused_until_on").get()
    assert limits == (3, 15, date(2029, 11, 20))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "This field is required."),
        ("2029-11-06", "This day is in the past."),
        ("2031-01-01", "Choose a day within the next year."),
        ("soon", "Enter a valid date."),
    ],
)
def test_a_day_that_cannot_be_is_said_and_kept(hers, typed, said):
    page = hers.post("/windows/pause/", form_in(hers.get("/"), "pause-form") | {"paused_until_on": typed})
    assert page.context["form"].errors == {"paused_until_on": [said]}
    assert f'value="{typed}"' in text(page) or not typed
    assert not MentorLimits.objects.exists()


def test_two_pages_that_pause_are_told_apart(hers, maya):
    first, second = (form_in(hers.get("/"), "pause-form") for _ in range(2))
    hers.post("/windows/pause/", first | {"paused_until_on": "2029-11-20"})
    page = hers.post("/windows/pause/", second | {"paused_until_on": "2029-12-20"})
    assert page.context["form"].has_error("__all__", "stale")
    assert MentorLimits.objects.get().paused_until_on == date(2029, 11, 20)


def test_a_pause_is_the_mentors_own(maya, omar, alex):
    for user, then in ((alex.user, [("/", 302)]), (omar.user, [])):
        browser = Client()
        browser.force_login(user)
        assert browser.get("/windows/pause/", follow=True).redirect_chain == then
        page = browser.post(f"/mentors/{maya.pk}/hours/pause/", {"paused_until_on": "2029-11-20"})
        assert page.status_code == 404
    assert not MentorLimits.objects.exists()
    assert "pause-form" not in text(_home_of(alex))


def test_a_coordinator_pauses_for_a_mentor(maya, cora):
    browser = Client()
    browser.force_login(cora)
    page = browser.post(f"/mentors/{maya.pk}/hours/pause/", {"paused_until_on": "2029-11-20"}, follow=True)
    assert page.redirect_chain == [(f"/mentors/{maya.pk}/hours/", 302)]
    assert MentorLimits.objects.get().mentor == maya


def _home_of(somebody):
    browser = Client()
    browser.force_login(somebody.user)
    return browser.get("/")
