"""What a mentee sees: what is next, what waits, the way to a booking, and what came of it all."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session as WebSession
from django.test import Client
from django.utils import timezone

from people.models import Skill
from project.tests.page import form_in
from scheduling import booking
from scheduling.composing import book_path
from scheduling.models import Program, Session
from scheduling.slots import Period
from scheduling.templatetags.clocks import day, until

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def browser_of():
    """A function that gives a logged-in browser."""

    def log_in(somebody) -> Client:
        browser = Client()
        browser.force_login(somebody.user)
        return browser

    return log_in


def text(page) -> str:
    return " ".join(page.content.decode().split())


def shown(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def type_in(browser, mentor, start, topic="Joins", **more):
    """Fill in the form of a slot and send it: the page that shows it whole."""
    form = form_in(browser.get(book_path(mentor.pk, Period.of(start, 30)))) | {"topic": topic} | more
    return browser.post(f"/mentors/{mentor.pk}/book/review/", form, follow=True)


def send(browser, mentor, page):
    return browser.post(f"/mentors/{mentor.pk}/book/", form_in(page), follow=True)


# ---- the first page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=61), "in 2 minutes"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=60), "in 1 hour"),
        (timedelta(hours=3, minutes=10), "in 3 hours 10 minutes"),
        (timedelta(hours=11, minutes=59), "in 11 hours 59 minutes"),
        (timedelta(hours=12), "in 12 hours"),
        (timedelta(hours=14), "tomorrow"),
        (timedelta(hours=37, minutes=59), "tomorrow"),
        (timedelta(hours=38), "in 2 days"),
        (timedelta(days=30), "in 30 days"),
    ],
)
def test_how_long_from_now_in_words(later, said):
    # 10:00 in Berlin; the day ends there in 14 hours.
    with timezone.override("Europe/Berlin"), time_machine.travel(datetime(2029, 11, 14, 9, tzinfo=UTC), tick=False):
        assert until(timezone.now() + later) == said


def test_a_day_in_words_is_the_readers():
    with time_machine.travel(datetime(2029, 11, 14, 23, 30, tzinfo=UTC), tick=False):
        now = timezone.now()
        assert [day(now), day(now + HOUR), day(now + 25 * HOUR)] == ["today", "tomorrow", "Fri 16 Nov"]
        with timezone.override("Europe/Berlin"):
            assert [day(now), day(now + HOUR), day(now + 25 * HOUR)] == ["today", "today", "tomorrow"]


def test_the_next_session_with_its_link_and_how_long_until_then(browser_of, session, maya, alex, monday):
    Session.objects.update(meeting_link="https://meet.example.org/maya")
    session.refresh_from_db()
    booking.confirm(session, by=maya.user)
    for at, said in [
        (monday - 50 * HOUR, "Your next session is in 2 days"),
        (monday - HOUR / 2, "Your next session is in 30 minutes"),
        (monday + HOUR / 4, "Your session is on now"),
    ]:
        with time_machine.travel(at, tick=False):
            page = text(browser_of(alex).get("/"))
            assert said in page
            assert f'{monday:%A}, {monday.day} {monday:%B}, 09:00–09:30</strong> <span class="subtle">(UTC)</span>' in page
            assert 'href="https://meet.example.org/maya" rel="noopener noreferrer">Open the meeting' in page
            assert f'href="/sessions/{session.pk}.ics">Add to calendar' in page
    with time_machine.travel(monday + HOUR / 2, tick=False):
        assert browser_of(alex).get("/").context["next"] is None


def test_a_link_that_is_no_safe_link_is_only_told(browser_of, session, maya, alex):
    Session.objects.update(meeting_link="http://meet.example.org/maya", topic="<script>alert(1)</script>{{ 7 }}")
    session.refresh_from_db()
    booking.confirm(session, by=maya.user)
    page = text(browser_of(alex).get("/"))
    assert "Meet at http://meet.example.org/maya" in page
    assert "Open the meeting" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 }}" in page
    assert "<script>alert" not in page


def test_a_request_says_until_when_it_waits(browser_of, session, alex):
    with time_machine.travel(session.answer_by - 3 * HOUR, tick=False):
        page = text(browser_of(alex).get("/"))
    by = session.answer_by
    assert f"Waits for Maya Lopez until {by:%a} {by.day} {by:%b, %H:%M} (in 3 hours); then it expires." in page


# ---- four steps -------------------------------------------------------------------------------------------------------


def test_from_the_first_page_to_done_in_four_clicks(browser_of, alex, maya, window, monday):
    window(maya)
    browser = browser_of(alex)
    assert 'href="/mentors/"' in text(browser.get("/"))
    page = browser.get("/mentors/")  # 1
    [(_, href), *_] = page.context["page"][0].free
    assert href.replace("&", "&amp;") in text(page)
    form = form_in(browser.get(href))  # 2
    form |= {"topic": "Joins & <b>", "meeting_link": "https://meet.example.org/alex"}
    page = browser.post(f"/mentors/{maya.pk}/book/review/", form, follow=True)  # 3
    assert not Session.objects.exists()
    assert "<dd>Joins &amp; &lt;b&gt;</dd>" in text(page)
    assert "<dd>https://meet.example.org/alex</dd>" in text(page)
    page = send(browser, maya, page)  # 4
    session = Session.objects.get()
    assert page.redirect_chain == [(f"/sessions/{session.pk}/requested/", 302)]
    assert (session.topic, session.meeting_link) == ("Joins & <b>", "https://meet.example.org/alex")
    assert f'href="/sessions/{session.pk}.ics">Add to calendar' in text(page)
    assert b"BEGIN:VCALENDAR" in browser.get(f"/sessions/{session.pk}.ics").content


def test_what_is_typed_stands_in_no_address(browser_of, alex, maya, window, monday):
    window(maya)
    page = type_in(browser_of(alex), maya, monday, topic="Nobody knows", meeting_link="https://meet.example.org/secret")
    assert "Nobody knows" in text(page)
    [(address, _)] = page.redirect_chain
    assert "Nobody" not in address
    assert "secret" not in address


def test_changing_it_before_it_is_sent(browser_of, alex, maya, window, monday):
    window(maya)
    browser = browser_of(alex)
    page = type_in(browser, maya, monday)
    change = page.redirect_chain[0][0].replace("/review/", "/")
    assert f'href="{change.replace("&", "&amp;")}">Change it' in text(page)
    form = form_in(browser.get(change))
    assert form["topic"] == ["Joins"]
    page = browser.post(f"/mentors/{maya.pk}/book/review/", form | {"topic": "Indexes"}, follow=True)
    send(browser, maya, page)
    assert Session.objects.get().topic == "Indexes"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"topic": "x" * 201}, "topic"),
        ({"meeting_link": "javascript:alert(1)"}, "meeting_link"),
        ({"topic": "a\x00b"}, "topic"),
    ],
)
def test_what_cannot_be_typed_is_pointed_at(browser_of, alex, maya, window, monday, typed, wrong):
    window(maya)
    page = type_in(browser_of(alex), maya, monday, **typed)
    assert (page.redirect_chain, list(page.context["form"].errors)) == ([], [wrong])
    assert "Look at it once more" in text(page)


def test_only_mentees_look_at_it_once_more_and_nothing_is_kept_of_others(browser_of, alex, bo, maya, omar, window, monday):
    window(maya)
    page = type_in(browser_of(alex), maya, monday, topic="For Maya only")
    [(address, _)] = page.redirect_chain
    # Somebody else with the very address: another web session, and nothing in it.
    page = browser_of(bo).get(address, follow=True)
    assert "For Maya only" not in text(page)
    assert page.redirect_chain == [(book_path(maya.pk, Period.of(monday, 30)), 302)]
    assert browser_of(omar).get(address).url == f"/mentors/{maya.pk}/"
    assert Client().get(address).url.startswith("/accounts/login/?next=")


def test_what_was_sent_is_kept_no_longer_and_of_the_rest_the_latest_five(browser_of, alex, maya, window, monday):
    window(maya, hours=6)
    browser = browser_of(alex)
    pages = [type_in(browser, maya, monday + number * HOUR / 2, topic=f"Topic {number}") for number in range(7)]
    drafts = [draft["topic"] for draft in browser.session["drafts"].values()]
    assert drafts == [f"Topic {number}" for number in range(2, 7)]
    send(browser, maya, pages[-1])
    assert [draft["topic"] for draft in browser.session["drafts"].values()] == drafts[:-1]
    assert WebSession.objects.count() == 1


def test_a_forged_form_asks_nobody(alex, maya, window, monday):
    window(maya)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alex.user)
    form = form_in(browser.get(book_path(maya.pk, Period.of(monday, 30))))
    # A page of hers that is too old comes back filled in; it asks nobody, either.
    assert browser.post(f"/mentors/{maya.pk}/book/", form).status_code == 302
    assert not Session.objects.exists()
    # Another site does not know whose page it is.
    del form["written_by"]
    answers = [browser.post(f"/mentors/{maya.pk}/book/{step}", form).status_code for step in ("", "review/")]
    assert (answers, Session.objects.exists(), "drafts" in browser.session) == ([403, 403], False, False)


@pytest.mark.parametrize("query", ["", "start=x&minutes=30", "start=2030-01-01T00:00:00Z&minutes=30&form_key=x"])
def test_an_address_that_says_nothing_leads_to_the_free_times(browser_of, alex, maya, query):
    page = browser_of(alex).get(f"/mentors/{maya.pk}/book/review/?{query}", follow=True)
    assert (page.redirect_chain, shown(page)) == ([(f"/mentors/{maya.pk}/", 302)], ["Choose one of the free times."])


# ---- somebody was faster ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", ["sending", "looking"])
def test_who_comes_second_is_told_keeps_what_they_typed_and_takes_another(browser_of, alex, bo, maya, window, monday, late):
    window(maya)
    browser = browser_of(alex)
    page = type_in(browser, maya, monday + HOUR, topic="Joins & indexes", meeting_link="https://meet.example.org/alex")
    taken = booking.request(maya, bo, monday + HOUR, 30, by=bo.user)
    page = send(browser, maya, page) if late == "sending" else browser.get(page.redirect_chain[0][0])
    assert page.context["reasons"][0].startswith("Maya Lopez already has a session")
    assert "What you typed is kept: choose another time, and it goes along." in text(page)
    assert "<dd>Joins &amp; indexes</dd>" in text(page)
    near = dict(page.context["near"])
    assert [f"{slot.start:%H:%M}" for slot in near] == ["09:00", "09:30", "10:30"]
    slot, href = list(near.items())[1]
    page = send(browser, maya, browser.get(href))
    mine = Session.objects.exclude(pk=taken.pk).get()
    assert (mine.period, mine.topic, mine.meeting_link) == (slot, "Joins & indexes", "https://meet.example.org/alex")
    assert page.redirect_chain == [(f"/sessions/{mine.pk}/requested/", 302)]


def test_all_free_times_carry_what_was_typed_too(browser_of, alex, bo, maya, window, monday):
    window(maya)
    browser = browser_of(alex)
    page = type_in(browser, maya, monday)
    booking.request(maya, bo, monday, 30, by=bo.user)
    page = send(browser, maya, page)
    page = browser.get(f"/mentors/{maya.pk}/", {"minutes": 30, "form_key": page.context["form_key"]})
    [(_, [(slot, href), *_])] = page.context["days"]
    page = browser.get(href)
    assert (page.context["period"], page.context["draft"]["topic"]) == (slot, "Joins")
    # The other lengths and more weeks keep it in their addresses.
    assert f"form_key={page.context['form']['form_key'].value()}" in text(
        browser.get(f"/mentors/{maya.pk}/?{href.partition('?')[2]}")
    )


def test_where_the_mentor_has_no_other_time_others_who_know_the_same_are_offered(
    browser_of, alex, bo, maya, omar, kim, window, monday
):
    sql, lisp = (Skill.objects.create(name=name) for name in ("SQL", "Lisp"))
    maya.skills.add(sql)
    omar.skills.add(sql, lisp)
    kim.mentor.skills.add(lisp)
    window(maya, hours=0.5)
    window(omar, monday - HOUR)
    window(kim.mentor)
    browser = browser_of(alex)
    page = type_in(browser, maya, monday)
    booking.request(maya, bo, monday, 30, by=bo.user)
    page = send(browser, maya, page)
    [(other, slot, href)] = page.context["others"]
    assert (page.context["near"], other, slot) == ([], omar, Period.of(monday, 30))
    page = send(browser, omar, browser.get(href))
    session = Session.objects.get(mentee=alex)
    assert (session.mentor, session.topic) == (omar, "Joins")


def test_whoever_may_ask_for_nothing_now_keeps_what_they_typed(browser_of, alex, maya, window, monday):
    window(maya)
    browser = browser_of(alex)
    page = type_in(browser, maya, monday)
    booking.request(maya, alex, monday + HOUR, 30, by=alex.user)
    Program.objects.update(open_requests_cap=1)
    page = send(browser, maya, page)
    assert "which is as many as the program allows" in text(page)
    assert (page.context["near"], page.context["others"]) == ([], [])
    assert "<dd>Joins</dd>" in text(page)
    assert 'href="/mentors/?minutes=30">Find another mentor' in text(page)


# ---- once is enough ---------------------------------------------------------------------------------------------------


def test_back_after_done_shows_what_was_done(browser_of, alex, maya, window, monday):
    window(maya)
    browser = browser_of(alex)
    page = type_in(browser, maya, monday)
    [(review, _)] = page.redirect_chain
    done = send(browser, maya, page).redirect_chain
    for address in (review, review.replace("/review/", "/"), book_path(maya.pk, Period.of(monday, 30))):
        page = browser.get(address, follow=True)
        assert (page.redirect_chain, shown(page)) == (done, ["You have sent this request already: here it is."])
    # A used form with another hour in its address books nothing either.
    page = browser.get(review.replace("T09%3A00", "T10%3A00"), follow=True)
    assert page.redirect_chain == done
    assert Session.objects.count() == 1


def test_a_used_form_with_another_hour_keeps_what_was_typed(browser_of, alex, maya, window, monday):
    window(maya)
    browser = browser_of(alex)
    form = form_in(type_in(browser, maya, monday))
    browser.post(f"/mentors/{maya.pk}/book/", form)
    page = browser.post(f"/mentors/{maya.pk}/book/", form | {"start": f"{monday + HOUR:%Y-%m-%dT%H:%M:%SZ}"})
    assert page.context["reasons"] == ["This form has been sent before, for another session. Open it anew."]
    slot, href = page.context["near"][-1]
    send(browser, maya, browser.get(href))
    assert {session.period for session in Session.objects.all()} == {Period.of(monday, 30), slot}


def test_the_done_page_is_the_mentees_until_somebody_answers(browser_of, session, maya, alex, zoe):
    path = f"/sessions/{session.pk}/requested/"
    assert browser_of(alex).get(path).status_code == 200
    assert browser_of(maya).get(path).url == f"/sessions/{session.pk}/"
    assert browser_of(zoe).get(path).status_code == 404
    assert Client().get(path).url == f"/accounts/login/?next={path}"
    booking.confirm(session, by=maya.user)
    assert browser_of(alex).get(path).url == f"/sessions/{session.pk}/"


# ---- what came of it --------------------------------------------------------------------------------------------------


def test_the_archive_says_what_came_of_each_and_why(browser_of, alex, maya, bo, window, monday):
    window(maya)
    ahead, declined, canceled = (booking.request(maya, alex, monday + number * HOUR, 30, by=alex.user) for number in range(3))
    booking.decline(declined, by=maya.user, reason="I am <i>away</i>")
    booking.cancel(canceled, by=alex.user)
    past = monday - 40 * 24 * HOUR
    for number, status in enumerate(("Completed", "No-show", "Confirmed", "Pending")):
        start = past + number * HOUR
        Session.objects.create(
            mentor=maya, mentee=alex, start_time=start, end_time=start + HOUR, status=status, created_at=past - HOUR
        )
    page = browser_of(alex).get("/sessions/")
    said = [part.split("</p>")[0].strip() for part in text(page).split('<p class="outcome subtle">')[1:]]
    assert said == [
        "Canceled by Alex Johnson",
        "Declined by Maya Lopez: I am &lt;i&gt;away&lt;/i&gt;",
        "Nobody answered before it was to begin.",
        "The mentor has not said yet whether it took place.",
        "Somebody did not come",
        "It took place",
    ]
    assert ahead not in [row.session for row in page.context["rows"]]
    assert browser_of(bo).get("/sessions/").context["rows"] == []


def test_the_archive_has_pages_of_25(browser_of, alex, maya, monday, django_assert_num_queries):
    past = monday - 100 * 24 * HOUR
    Session.objects.bulk_create(
        Session(
            mentor=maya,
            mentee=alex,
            start_time=past + number * HOUR,
            end_time=past + (number + 1) * HOUR,
            status="Canceled",
            ending="declined",
            ended_by=maya.user,
            created_at=past,
        )
        for number in range(26)
    )
    browser = browser_of(alex)
    browser.get("/sessions/")
    with django_assert_num_queries(7):
        pages = [browser.get("/sessions/")]
    pages.append(browser.get("/sessions/?page=2"))
    assert [len(page.context["rows"]) for page in pages] == [25, 1]
    assert 'rel="next" href="?page=2"' in text(pages[0])
