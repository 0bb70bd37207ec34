"""The self-service pages: who does what on them, and what comes of it."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from people.models import Skill
from scheduling import booking
from scheduling.models import Program, Session

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_user(client):
    """A function that gives the browser of somebody who is logged in."""

    def log_in(user):
        client.force_login(user)
        return client

    return log_in


def shown(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def text(response) -> str:
    return " ".join(response.content.decode().split())


def book_path(mentor, start, minutes=30) -> str:
    return f"/mentors/{mentor.pk}/book/?" + urlencode({"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "minutes": minutes})


def filled_in(page, **more) -> dict:
    """What a browser sends of the form on this page."""
    return {field.html_name: field.value() or "" for field in page.context["form"]} | more


GROUPS = ("waiting", "asked", "week", "later", "unreported", "unrated", "earlier")


# ---- who sees what ----------------------------------------------------------------------------------------------------


def test_whoever_is_not_logged_in_is_welcomed(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "Sign up" in text(page)


@pytest.mark.parametrize(
    "path", ["/sessions/", "/sessions/1/", "/sessions/1/cancel/", "/mentors/", "/mentors/1/", "/mentors/1/book/", "/windows/"]
)
def test_everything_else_asks_for_a_log_in(client, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"


def test_every_page_opens_for_everybody_it_is_for(client, session, maya, alex, kim, cora, person, window, monday):
    offered = window(kim.mentor)
    roleless = person("Rolf Ohne")
    everybody = [maya.user, alex.user, kim, cora, roleless]
    pages = ["/", "/sessions/", "/mentors/", f"/mentors/{maya.pk}/", "/profile/"]
    expected = {(user, page): 200 for user in everybody for page in pages}
    for user in (maya.user, alex.user, cora):
        expected |= {(user, f"/sessions/{session.pk}/"): 200, (user, f"/sessions/{session.pk}/cancel/"): 200}
    expected |= {(maya.user, "/windows/"): 200, (kim, "/windows/"): 200, (kim, f"/windows/{offered.pk}/delete/"): 200}
    expected |= {(alex.user, book_path(maya, monday + timedelta(hours=1))): 200}
    seen = {}
    for user, path in expected:
        client.force_login(user)
        page = client.get(path)
        seen[user, path] = page.status_code
        assert "no-store" in page["Cache-Control"], path
        assert "Times are in UTC" in text(page), path
    assert seen == expected


def test_a_stranger_finds_no_session(as_user, session, zoe):
    zoes = as_user(zoe.user)
    assert {
        zoes.get(f"/sessions/{session.pk}/").status_code,
        zoes.get(f"/sessions/{session.pk}/cancel/").status_code,
        zoes.post(f"/sessions/{session.pk}/cancel/", {"version": 1}).status_code,
        zoes.get("/sessions/99999999999999999999/").status_code,
    } == {404}
    assert "There is nothing here" in text(zoes.get(f"/sessions/{session.pk}/"))
    session.refresh_from_db()
    assert (session.status, session.version) == ("Pending", 1)


def test_my_sessions_are_in_groups(as_user, session, maya, alex, bo, monday):
    confirmed = booking.confirm(booking.request(maya, bo, monday + timedelta(hours=1), 60, by=bo.user), by=maya.user)
    # Feedback is asked for in the first month.
    past = monday - timedelta(days=30)
    over = Session.objects.create(
        mentor=maya, mentee=bo, start_time=past, end_time=past + timedelta(hours=1), status="Confirmed", created_at=past
    )
    day = timedelta(days=1)
    kept = Session.objects.create(
        mentor=maya, mentee=bo, start_time=past - day, end_time=past, status="Completed", created_at=past - day
    )

    def groups(user):
        page = as_user(user).get("/")
        return {name: [row.session for row in page.context[name]] for name in GROUPS} | {
            "next": page.context["next"] and page.context["next"].session
        }

    nothing = {name: [] for name in GROUPS} | {"next": None}
    assert groups(maya.user) == nothing | {"waiting": [session], "next": confirmed, "unreported": [over], "earlier": [kept]}
    assert groups(alex.user) == nothing | {"asked": [session]}
    assert groups(bo.user) == nothing | {"next": confirmed, "unrated": [over, kept]}


@pytest.mark.parametrize(
    ("who", "next_step"), [("maya", "Give weekly hours"), ("alex", "Find a mentor"), ("cora", "Open the admin")]
)
def test_an_empty_list_says_what_to_do_next(as_user, request, who, next_step):
    somebody = request.getfixturevalue(who)
    page = as_user(getattr(somebody, "user", somebody)).get("/")
    assert f">{next_step}</a></p>" in text(page)


# ---- one session ------------------------------------------------------------------------------------------------------


def test_both_local_times_are_shown_where_they_differ(as_user, session, maya, alex, monday):
    maya.user.time_zone = "Asia/Kolkata"
    maya.user.save()
    page = text(as_user(alex.user).get(f"/sessions/{session.pk}/"))
    assert '09:00–09:30 <span class="subtle">(UTC)</span>' in page
    assert '14:30–15:00 <span class="subtle">(Asia/Kolkata)</span>' in page
    maya.user.time_zone = "Africa/Abidjan"  # another name for the same time
    maya.user.save()
    assert "For Maya" not in text(as_user(alex.user).get(f"/sessions/{session.pk}/"))


def test_a_mentor_is_offered_one_way_to_say_no(as_user, session, maya, alex):
    def buttons(user):
        return [verb.name for verb in as_user(user).get(f"/sessions/{session.pk}/").context["verbs"]]

    both = ["reschedule", "cancel"]
    assert (buttons(maya.user), buttons(alex.user)) == (["confirm", "decline", "reschedule"], both)
    booking.confirm(session, by=maya.user)
    assert (buttons(maya.user), buttons(alex.user)) == (both, both)


def test_a_mentor_confirms(as_user, session, maya):
    page = as_user(maya.user).post(f"/sessions/{session.pk}/confirm/", {"version": 1}, follow=True)
    assert page.redirect_chain == [(f"/sessions/{session.pk}/", 302)]
    assert shown(page) == ["The session is confirmed. We tell Alex Johnson by mail."]
    session.refresh_from_db()
    assert session.status == "Confirmed"


def test_a_mentor_declines_with_a_reason(as_user, session, maya, alex):
    path = f"/sessions/{session.pk}/decline/"
    page = as_user(maya.user).get(path)
    as_user(maya.user).post(path, filled_in(page, reason="I am on a train."))
    session.refresh_from_db()
    assert (session.status, session.ending, session.reason) == ("Canceled", "declined", "I am on a train.")
    page = text(as_user(alex.user).get(f"/sessions/{session.pk}/"))
    assert "<dt>Declined by</dt><dd>Maya Lopez</dd>" in page.replace("> <", "><")
    assert "I am on a train." in page


def test_a_mentee_cannot_confirm(as_user, session, alex):
    page = as_user(alex.user).post(f"/sessions/{session.pk}/confirm/", {"version": 1}, follow=True)
    assert shown(page) == ["This session can only be confirmed by the mentor."]
    assert shown(as_user(alex.user).get(f"/sessions/{session.pk}/decline/", follow=True)) == [
        "This session can only be declined by the mentor."
    ]
    session.refresh_from_db()
    assert (session.status, session.version) == ("Pending", 1)


def test_an_old_page_is_told_what_happened_since(as_user, session, maya, alex):
    page = as_user(maya.user).get(f"/sessions/{session.pk}/decline/")
    booking.cancel(session, by=alex.user)
    page = as_user(maya.user).post(f"/sessions/{session.pk}/decline/", filled_in(page), follow=True)
    [sentence] = shown(page)
    assert sentence.startswith("Alex Johnson changed this session at ")
    session.refresh_from_db()
    assert (session.ending, session.ended_by) == ("canceled", alex.user)


def test_a_form_without_a_version_changes_nothing(as_user, session, maya):
    page = as_user(maya.user).post(f"/sessions/{session.pk}/confirm/", {})
    assert "This page is out of date. Look at the session again before you act." in text(page)
    session.refresh_from_db()
    assert session.status == "Pending"


def test_a_reason_too_long_is_kept_and_pointed_at(as_user, session, maya):
    reason = "because " * 50
    page = as_user(maya.user).post(f"/sessions/{session.pk}/decline/", {"version": 1, "reason": reason})
    assert list(page.context["form"].errors) == ["reason"]
    assert reason.strip() in text(page)


def test_a_session_is_not_changed_by_a_link(as_user, session, maya):
    as_user(maya.user).get(f"/sessions/{session.pk}/confirm/")
    session.refresh_from_db()
    assert session.status == "Pending"


def test_an_unknown_verb_is_nothing(as_user, session, maya):
    assert as_user(maya.user).get(f"/sessions/{session.pk}/steal/").status_code == 404


# ---- finding a mentor -------------------------------------------------------------------------------------------------


def listed(page) -> list[str]:
    return [str(card.mentor) for card in page.context["page"]]


def test_a_mentee_finds_a_mentor_by_skill_and_by_words(as_user, alex, maya, omar, kim):
    sql = Skill.objects.create(name="SQL")
    maya.skills.add(sql)
    omar.about_me = "I taught in Lima."
    omar.save()

    def found(**query):
        return listed(as_user(alex.user).get("/mentors/", query))

    assert found() == ["Kim Park", "Maya Lopez", "Omar Haddad"]
    assert found(skill=sql.pk) == ["Maya Lopez"]
    assert found(words="lima OMAR") == ["Omar Haddad"]
    assert found(words="lima maya") == []
    assert found(page="99") == found()
    assert "Select a valid choice" in text(as_user(alex.user).get("/mentors/?skill=999"))


def test_mentors_who_offer_time_come_first(as_user, alex, maya, omar, kim, window, monday):
    window(omar)
    window(maya, monday - timedelta(days=60))
    page = as_user(alex.user).get("/mentors/")
    assert [(str(card.mentor), card.mentor.offers_time) for card in page.context["page"]] == [
        ("Omar Haddad", True),
        ("Kim Park", False),
        ("Maya Lopez", False),
    ]
    assert text(page).count("Offers no time at the moment.") == 2


def test_mentors_who_left_and_the_reader_are_not_listed(as_user, kim, maya, omar):
    assert listed(as_user(kim).get("/mentors/")) == ["Maya Lopez", "Omar Haddad"]
    maya.user.is_active = False
    maya.user.save()
    assert listed(as_user(kim).get("/mentors/")) == ["Omar Haddad"]
    assert as_user(kim).get(f"/mentors/{maya.pk}/").status_code == 404


def test_free_times_are_shown_day_by_day_in_my_zone(as_user, alex, maya, window, monday):
    alex.user.time_zone = "Asia/Tokyo"
    alex.user.save()
    late = monday.replace(hour=14)  # Tokyo is nine hours ahead: the second hour is on the next day there
    window(maya, late, hours=2)

    def free(**query):
        page = as_user(alex.user).get(f"/mentors/{maya.pk}/", query)
        return [[f"{timezone.localtime(slot.start):%H:%M}" for slot, _ in slots] for _, slots in page.context["days"]]

    with timezone.override("Asia/Tokyo"):
        assert free() == [["23:00", "23:30"], ["00:00", "00:30"]]
        assert free(minutes=60) == [["23:00", "23:30"], ["00:00"]]
        assert free(minutes="all", weeks="-1") == free()


def test_a_mentor_free_later_is_found_by_looking_further(as_user, alex, maya, window, monday):
    window(maya, monday + timedelta(days=14))
    page = as_user(alex.user).get(f"/mentors/{maya.pk}/")
    assert "Maya Lopez has no free time of 30 minutes in the next 2 weeks." in text(page)
    page = as_user(alex.user).get(f"/mentors/{maya.pk}/?weeks={page.context['more_weeks']}")
    assert len(page.context["days"]) == 1


# ---- booking ----------------------------------------------------------------------------------------------------------


def test_a_mentee_books_through_the_pages(as_user, alex, maya, window, monday):
    window(maya)
    browser = as_user(alex.user)
    page = browser.get(f"/mentors/{maya.pk}/")
    [(_, [(_, href), *_])] = page.context["days"]
    assert href.replace("&", "&amp;") in text(page)
    page = browser.get(href)
    page = browser.post(f"/mentors/{maya.pk}/book/", filled_in(page, topic="Joins"), follow=True)
    session = Session.objects.get()
    assert page.redirect_chain == [(f"/sessions/{session.pk}/requested/", 302)]
    assert "Maya Lopez has your request and will confirm or decline it. We tell you by mail." in text(page)
    assert (session.mentee, session.start_time, session.minutes, session.topic) == (alex, monday, 30, "Joins")


def test_a_form_sent_twice_is_one_session(as_user, alex, maya, window, monday):
    window(maya)
    browser = as_user(alex.user)
    form = filled_in(browser.get(book_path(maya, monday)), topic="Joins")
    answers = [browser.post(f"/mentors/{maya.pk}/book/", form).url for _ in range(2)]
    assert answers == [f"/sessions/{Session.objects.get().pk}/requested/"] * 2


def test_a_refusal_is_shown_and_what_was_typed_is_kept(as_user, alex, bo, maya, window, monday):
    window(maya)
    browser = as_user(alex.user)
    form = filled_in(browser.get(book_path(maya, monday)), topic="Joins & indexes")
    booking.request(maya, bo, monday, 60, by=bo.user)
    page = browser.post(f"/mentors/{maya.pk}/book/", form)
    when = f"{monday:%a} {monday.day} {monday:%b %Y}, 09:00–10:00 (UTC)"
    assert page.context["form"].non_field_errors() == [f"Maya Lopez already has a session {when}."]
    assert "<dd>Joins &amp; indexes</dd>" in text(page)
    assert f'href="/mentors/{maya.pk}/?minutes=30&amp;form_key={form["form_key"]}"' in text(page)
    assert Session.objects.count() == 1


def test_a_time_not_offered_is_refused_before_anybody_types(as_user, alex, maya, window, monday):
    window(maya)
    page = as_user(alex.user).get(book_path(maya, monday + timedelta(hours=5)))
    when = f"{monday:%a} {monday.day} {monday:%b %Y}, 14:00–14:30 (UTC)"
    assert (page.status_code, page.context["reasons"]) == (200, [f"Maya Lopez has not offered {when}."])


@pytest.mark.parametrize(
    "query",
    ["", "start=tomorrow&minutes=30", "start=0001-01-01T00:00:00Z&minutes=30", "start=2030-01-01T00:00:00Z&minutes=1e9"],
)
def test_an_address_without_a_time_leads_back_to_the_free_times(as_user, alex, maya, query):
    page = as_user(alex.user).get(f"/mentors/{maya.pk}/book/?{query}", follow=True)
    assert page.redirect_chain == [(f"/mentors/{maya.pk}/", 302)]
    assert shown(page) == ["Choose one of the free times."]


def test_only_mentees_book(as_user, omar, maya, window, monday):
    window(maya)
    page = as_user(omar.user).post(f"/mentors/{maya.pk}/book/", {"start": monday.isoformat(), "minutes": 30}, follow=True)
    assert shown(page) == ["Only mentees book sessions. You can become one on your profile page."]
    assert 'class="slot" href' not in text(page)
    assert not Session.objects.exists()


# ---- one query count, however long the list ---------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize(
    ("who", "path", "queries"),
    [("maya", "/", 12), ("alex", "/", 9), ("maya", "/sessions/", 7), ("alex", "/mentors/", 14)],
)
def test_lists_ask_the_database_as_often_for_twenty_rows_as_for_one(
    request, as_user, person, maya, alex, window, monday, django_assert_num_queries, who, path, queries, rows
):
    skills = [Skill.objects.create(name=name) for name in ("SQL", "Rust")]
    for number in range(rows):
        start = monday + timedelta(hours=5 * number)
        window(maya, start)
        booking.request(maya, alex, start, 30, by=alex.user)
        past = start - timedelta(days=60)
        end = past + timedelta(hours=1)
        for status in ("Confirmed", "Completed"):
            past, end = past - timedelta(days=1), end - timedelta(days=1)
            Session.objects.create(mentor=maya, mentee=alex, start_time=past, end_time=end, status=status, created_at=past)
        person(f"Mentor{number} Row", mentor=True).mentor.skills.set(skills)
    browser = as_user(request.getfixturevalue(who).user)
    browser.get(path)  # the first answer of a process asks more
    with django_assert_num_queries(queries):
        assert browser.get(path).status_code == 200


# ---- when something is wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["400", "403", "404", "500"])
def test_error_pages_need_nothing(template, django_assert_num_queries):
    from django.template.loader import get_template

    with django_assert_num_queries(0):
        page = get_template(f"{template}.html").render()
    assert "Go to the first page" in page


# ---- mails ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["requested", "confirmed", "declined", "canceled", "reminder_60", "reminder_15"])
def test_a_mail_says_who_when_and_what_next(session, maya, alex, monday, kind):
    from django.core.mail import get_connection

    from scheduling.composing import compose
    from scheduling.models import Notice

    alex.user.time_zone, alex.user.last_name = "Asia/Kolkata", "O’Neill & Söhne"
    alex.user.save()
    session.topic, session.meeting_link, session.reason = "Joins <3", "https://meet.example.org/a?b=1&c=2", "Trains & rain"
    session.mentee.user = alex.user
    for recipient, other, here, there in [
        (maya.user, alex.user, "09:00–09:30 (UTC)", "14:30–15:00 (Asia/Kolkata)"),
        (alex.user, maya.user, "14:30–15:00 (Asia/Kolkata)", "09:00–09:30 (UTC)"),
    ]:
        notice = Notice(session=session, recipient=recipient, kind=kind, start_time=session.start_time)
        message = compose(notice, get_connection())
        day = f"{monday:%a} {monday.day} {monday:%b %Y}"
        assert str(other) in message.subject
        assert day in message.subject
        lines = message.body.splitlines()
        assert f"When: {day}, {here}" in lines
        assert f"For {other}: {day}, {there}" in lines
        assert "About: Joins <3" in lines
        assert f"http://127.0.0.1:8000/sessions/{session.pk}/" in lines
        assert ("Reason: Trains & rain" in lines) == (kind in ("declined", "canceled"))
        assert ("Meet at: https://meet.example.org/a?b=1&c=2" in lines) == (kind not in ("declined", "canceled"))
        assert "\n\n\n" not in message.body


def test_the_program_names_the_pages(client):
    program = Program.current()
    program.name = "Night school <&>"
    program.save()
    assert "Night school &lt;&amp;&gt;" in text(client.get("/"))


@pytest.mark.parametrize("address", ["mentors/{}/", "mentors/{}/book/", "mentors/{}/hours/", "sessions/{}/", "windows/{}/"])
@pytest.mark.parametrize("key", ["0", "9" * 18, "9" * 19, "9" * 5000])
def test_a_number_that_is_no_key_is_no_page(as_user, kim, address, key):
    answer = as_user(kim).get("/" + address.format(key))
    # A window that is not there leads back to the list: somebody has just removed it.
    assert answer.status_code == 404 or answer.url == "/windows/"


def test_the_mentees_goals_are_read_by_the_mentor_and_staff_and_by_no_stranger(client, cora, session, zoe):
    session.mentee.goals = "A <b>first</b> job"
    session.mentee.save()
    shown = {}
    for reader in (session.mentor.user, cora, session.mentee.user, zoe.user):
        client.force_login(reader)
        page = client.get(f"/sessions/{session.pk}/")
        shown[reader.first_name] = (page.status_code, b"A &lt;b&gt;first&lt;/b&gt; job" in page.content)
    assert shown == {"Maya": (200, True), "Cora": (200, True), "Alex": (200, False), "Zoe": (404, False)}
