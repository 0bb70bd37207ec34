"""How a session was: who says it, until when, and who reads it."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from scheduling import booking, feedback
from scheduling.models import Feedback, Session

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def past(maya, alex):
    """A function that makes a session of Maya's that ended so many days ago: past("Completed", days=2)."""

    def make(status="Completed", days=1, mentee=alex, **fields):
        end = timezone.now() - days * DAY
        row = {"start_time": end - HOUR, "end_time": end, "created_at": end - DAY} | fields
        return Session.objects.create(mentor=maya, mentee=mentee, status=status, **row)

    return make


def text(page) -> str:
    return " ".join(page.content.decode().split())


def shown(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


# ---- who may, and when ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Completed", "Confirmed"])
def test_a_mentee_says_how_it_was(client, past, alex, status):
    session = past(status)
    client.force_login(alex.user)
    assert f'href="/sessions/{session.pk}/feedback/">Say how it was' in text(client.get("/"))
    assert f'href="/sessions/{session.pk}/feedback/">Say how it was' in text(client.get(f"/sessions/{session.pk}/"))
    page = client.post(f"/sessions/{session.pk}/feedback/", {"rating": 4, "sentence": "Joins & <b>"}, follow=True)
    assert (page.redirect_chain, shown(page)) == (
        [(f"/sessions/{session.pk}/", 302)],
        ["Thank you. You can change it for a week."],
    )
    said = Feedback.objects.get()
    assert (said.session, said.rating, said.sentence) == (session, 4, "Joins & <b>")
    assert "4 – helpful" in text(page)
    assert "Joins &amp; &lt;b&gt;" in text(page)
    assert "Say how it was" not in text(client.get("/"))


@pytest.mark.parametrize(
    ("who", "status", "days", "code"),
    [
        ("alex", "Completed", 1, None),
        ("alex", "Confirmed", 1, None),
        ("alex", "Confirmed", -1, "too_early"),
        ("alex", "Pending", 1, "not_possible"),
        ("alex", "No-show", 1, "not_possible"),
        ("maya", "Completed", 1, "not_yours"),
        ("zoe", "Completed", 1, "not_yours"),
        ("cora", "Completed", 1, "not_yours"),
    ],
)
def test_only_the_mentee_and_only_of_what_took_place(request, past, cora, who, status, days, code):
    session, somebody = past(status, days), request.getfixturevalue(who)
    user = getattr(somebody, "user", somebody)
    if code is None:
        feedback.give(session, 5, by=user)
    else:
        with pytest.raises(ValidationError) as refusal:
            feedback.give(session, 5, by=user)
        assert refusal.value.code == code
    assert Feedback.objects.count() == (code is None)


def test_it_is_said_once_and_changed_for_a_week(past, alex):
    session = past()
    first = feedback.give(session, 2, "So-so", by=alex.user)
    with time_machine.travel(first.created_at + 7 * DAY - HOUR):
        feedback.give(session, 5, "Better when I tried it", by=alex.user)
    [said] = Feedback.objects.all()
    assert (said.rating, said.sentence, said.created_at) == (5, "Better when I tried it", first.created_at)
    with time_machine.travel(first.created_at + 7 * DAY), pytest.raises(ValidationError) as refusal:
        feedback.give(session, 1, by=alex.user)
    assert refusal.value.code == "too_late"
    assert Feedback.objects.get().rating == 5


@pytest.mark.parametrize("rating", [0, 6, 1000])
def test_the_database_knows_the_ratings(past, rating):
    session = past()
    with pytest.raises(IntegrityError), transaction.atomic():
        Feedback.objects.create(session=session, rating=rating, created_at=timezone.now())
    Feedback.objects.create(session=session, rating=1, created_at=timezone.now())


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"rating": ""}, "rating"),
        ({"rating": "6"}, "rating"),
        ({"sentence": "x" * 501}, "sentence"),
        ({"sentence": "\x00"}, "sentence"),
    ],
)
def test_what_cannot_be_said_is_pointed_at_and_kept(client, past, alex, sent, wrong):
    session = past()
    client.force_login(alex.user)
    page = client.post(f"/sessions/{session.pk}/feedback/", {"rating": "3", "sentence": "It helped me"} | sent)
    assert list(page.context["form"].errors) == [wrong]
    assert ("It helped me" in text(page)) == ("sentence" not in sent)
    assert not Feedback.objects.exists()


def test_what_else_is_sent_changes_nothing(client, past, alex, maya):
    session, other = past(), past(days=3)
    client.force_login(alex.user)
    more = {"session": other.pk, "created_at": "2020-01-01", "status": "No-show", "mentor": alex.pk}
    client.post(f"/sessions/{session.pk}/feedback/", {"rating": 3} | more)
    said = Feedback.objects.get()
    session.refresh_from_db()
    assert (said.session_id, said.created_at.year > 2020, session.status, session.mentor) == (
        session.pk,
        True,
        "Completed",
        maya,
    )


def test_only_the_latest_are_asked_about_and_not_for_ever(past, alex):
    sessions = [past(days=days) for days in (1, 3, 5, 7, 40)]
    assert list(feedback.to_ask(alex.user, timezone.now())) == sessions[:3]
    feedback.give(sessions[1], 3, by=alex.user)
    assert list(feedback.to_ask(alex.user, timezone.now())) == [sessions[0], sessions[2], sessions[3]]


# ---- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "statuses"),
    [
        (None, (302, 302)),
        ("alex", (200, 302)),
        # Who takes part, or runs the program, sees the session and is told; for anybody else it does not exist.
        ("maya", (302, 302)),
        ("cora", (302, 302)),
        ("zoe", (404, 404)),
        ("omar", (404, 404)),
    ],
)
def test_whose_page_it_is(client, request, past, who, statuses):
    session = past()
    if who:
        somebody = request.getfixturevalue(who)
        client.force_login(getattr(somebody, "user", somebody))
    path = f"/sessions/{session.pk}/feedback/"
    assert (client.get(path).status_code, client.post(path, {"rating": 5}).status_code) == statuses
    assert Feedback.objects.count() == (who == "alex")


def test_a_get_and_a_forged_post_say_nothing(past, alex):
    session = past()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alex.user)
    path = f"/sessions/{session.pk}/feedback/"
    assert browser.get(path, {"rating": 5}).status_code == 200
    assert browser.post(path, {"rating": 5}).status_code == 403
    assert browser.put(path).status_code == 403
    assert not Feedback.objects.exists()


# ---- who reads it -----------------------------------------------------------------------------------------------------


def test_the_mentor_sees_a_summary_from_three_answers_on_and_nothing_else(client, past, person, maya, alex, zoe):
    sessions = [past(days=days) for days in (1, 3)]
    for session, rating in zip(sessions, (5, 4), strict=True):
        feedback.give(session, rating, "A secret sentence", by=alex.user)
    client.force_login(maya.user)
    paths = ["/", "/sessions/", *(f"/sessions/{session.pk}/" for session in sessions)]
    pages = [text(client.get(path)) for path in paths]
    assert [page for page in pages if "secret" in page or "What mentees say" in page or "very helpful" in page] == []
    feedback.give(past(mentee=zoe, days=5), 5, "Another secret", by=zoe.user)
    pages = [text(client.get(path)) for path in paths]
    assert "<strong>4.7 of 5</strong> on average, in 3 answers" in pages[0]
    assert [page for page in pages if "secret" in page or "very helpful" in page] == []
    # The control: who said it reads it.
    client.force_login(alex.user)
    assert "A secret sentence" in text(client.get(paths[2]))


def test_visible_to(past, person, alex, maya, zoe, cora):
    mine = feedback.give(past(), 5, by=alex.user)
    theirs = feedback.give(past(mentee=zoe, days=3), 1, by=zoe.user)
    helper = person("Hal Per", is_staff=True)
    seen = {user: set(Feedback.objects.visible_to(user)) for user in (alex.user, zoe.user, maya.user, cora, helper)}
    assert seen == {alex.user: {mine}, zoe.user: {theirs}, maya.user: set(), cora: {mine, theirs}, helper: set()}


def test_staff_read_it_in_the_admin_and_change_nothing(client, past, person, alex, cora):
    session = past()
    feedback.give(session, 2, "Too <i>fast</i>", by=alex.user)
    client.force_login(cora)
    page = text(client.get("/admin/scheduling/feedback/"))
    assert "Too &lt;i&gt;fast&lt;/i&gt;" in page
    assert "2 – not very helpful" in page
    assert "Too &lt;i&gt;fast&lt;/i&gt;" in text(client.get(f"/admin/scheduling/session/{session.pk}/change/"))
    assert "Too &lt;i&gt;" in text(client.get("/admin/scheduling/feedback/?rating__exact=2&q=maya"))
    assert "Too &lt;i&gt;" not in text(client.get("/admin/scheduling/feedback/?rating__exact=3"))
    path = f"/admin/scheduling/feedback/{session.pk}/"
    assert client.get(f"{path}change/").status_code == 200
    refused = [client.post(f"{path}change/", {"rating": 5}), client.post(f"{path}delete/", {"post": "yes"})]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert client.get("/admin/scheduling/feedback/add/").status_code == 403
    assert Feedback.objects.get().rating == 2
    helper = person("Hal Per", is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="view_session", content_type__app_label="scheduling"))
    client.force_login(helper)
    assert client.get("/admin/scheduling/feedback/").status_code == 403
    assert "Too &lt;i&gt;" not in text(client.get(f"/admin/scheduling/session/{session.pk}/change/"))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_admins_list_asks_as_often_for_three_as_for_one(client, past, alex, cora, django_assert_num_queries, rows):
    for days in range(1, 2 * rows, 2):
        feedback.give(past(days=days), 3, by=alex.user)
    client.force_login(cora)
    client.get("/admin/scheduling/feedback/")
    with django_assert_num_queries(7):
        assert client.get("/admin/scheduling/feedback/").context["cl"].result_count == rows


def test_a_session_called_off_since_is_not_asked_about(session, alex):
    booking.cancel(session, by=alex.user)
    with pytest.raises(ValidationError) as refusal:
        feedback.give(session, 5, by=alex.user)
    assert refusal.value.code == "not_possible"
