"""Links from mails: they sign in nobody, a look changes nothing, a button acts once, and a refusal tells no more than the mail."""

import logging
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.urls import reverse

from people.models import NotificationSettings, User
from project.tests.page import form_in
from scheduling import booking, mail_links
from scheduling.models import Program, Session

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NO_USER, NO_SESSION = 987_654, 876_543


@pytest.fixture
def client():
    """A browser that insists on tokens against forgery, as real ones are met with, and is logged in as nobody."""
    return Client(enforce_csrf_checks=True)


def path(session, role, verb: str) -> str:
    return urlsplit(mail_links.act(session, role.user, booking.VERBS[verb])).path


def signed(*keys) -> str:
    return reverse("mail_link", args=[signing.dumps(keys, salt=mail_links.ACT)])


def text(response) -> str:
    return " ".join(response.content.decode().split())


def now_is(session) -> tuple[str, str, int]:
    session.refresh_from_db()
    return session.status, session.ending, session.version


# ---- by the button, and by nothing else -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "who", "form", "then", "said"),
    [
        ("confirm", "maya", {}, ("Confirmed", "", 2), "We tell Alex Johnson by mail."),
        ("decline", "maya", {"reason": "Away"}, ("Canceled", "declined", 2), "We tell Alex Johnson by mail."),
        ("cancel", "alex", {"reason": "Away"}, ("Canceled", "canceled", 2), "We tell Maya Lopez by mail."),
    ],
)
def test_a_look_changes_nothing_and_the_button_acts(client, request, session, verb, who, form, then, said):
    actor = request.getfixturevalue(who)
    Session.objects.update(meeting_link="https://meet.example.org/room")
    link = path(session, actor, verb)
    for _ in range(3):
        for look in (client.get, client.head):
            assert look(link).status_code == 200
    page = text(client.get(link))
    assert f"{verb.capitalize()} this session?" in page
    assert "(UTC)" in page
    assert now_is(session) == ("Pending", "", 1)
    done = client.post(link, form)
    assert (done.status_code, now_is(session)) == (200, then)
    assert said in text(done)
    assert "https://meet.example.org/room" in page
    assert ("https://meet.example.org/room" in text(done)) == (verb == "confirm")
    assert session.reason == form.get("reason", "")
    last = session.history.latest("history_id")
    assert (last.history_user, last.acted_for) == (actor.user, None)
    # Nobody was logged in by any of it.
    assert client.cookies == {}
    assert client.get(f"/sessions/{session.pk}/").status_code == 302


def test_what_the_page_sends_is_what_the_verb_needs(client, session, alex):
    link = path(session, alex, "cancel")
    form = form_in(client.get(link))
    assert sorted(form) == ["reason", "version"]
    client.post(link, form | {"reason": ["Trains"]})
    assert now_is(session) == ("Canceled", "canceled", 2)
    assert session.reason == "Trains"


def test_the_version_is_the_mails_whatever_the_form_says(client, session, maya, alex, monday):
    link = path(session, maya, "confirm")
    booking.reschedule(session, monday + HOUR, by=alex.user)
    assert client.post(link, {"version": 2}).status_code == 410
    assert now_is(session) == ("Pending", "", 2)


def test_pressed_twice_it_is_done_once_and_both_times_told(client, session, maya):
    link = path(session, maya, "confirm")
    first, second, look = client.post(link), client.post(link), client.get(link)
    assert [answer.status_code for answer in (first, second, look)] == [200, 200, 200]
    assert [("The session is confirmed." in text(answer)) for answer in (first, second, look)] == [True] * 3
    assert now_is(session) == ("Confirmed", "", 2)
    assert session.notices.filter(kind="confirmed").count() == 1


def test_it_reads_in_the_zone_of_the_mail_whoever_is_logged_in(client, session, maya, alex, zoe):
    User.objects.filter(pk=maya.pk).update(time_zone="Asia/Kolkata")
    User.objects.filter(pk=zoe.pk).update(time_zone="America/Phoenix")
    client.force_login(zoe.user)
    page = text(client.get(path(session, maya, "confirm")))
    assert "14:30–15:00 (Asia/Kolkata)" in page
    assert "09:00–09:30 (UTC)" in page
    assert "Zoe" not in page
    assert "Phoenix" not in page


def test_a_reason_too_long_is_said_and_nothing_happens(client, session, alex):
    answer = client.post(path(session, alex, "cancel"), {"reason": "x" * 301})
    assert (answer.status_code, now_is(session)) == (200, ("Pending", "", 1))
    assert "at most 300 characters" in text(answer)


# ---- refusals -----------------------------------------------------------------------------------------------------------


def refused(client, link, session, status=410) -> str:
    """Both a look and the button are refused, with the same words, and neither changes anything."""
    before = now_is(session)
    answers = [client.get(link), client.post(link)]
    assert [answer.status_code for answer in answers] == [status] * 2
    assert now_is(session) == before
    said = {text(answer).partition("<main")[2] for answer in answers}
    assert len(said) == 1
    return said.pop()


def tells_nothing(said: str) -> bool:
    return not [word for word in ("Maya", "Alex", "Johnson", "Lopez", "09:00", "10:00", "example.org") if word in said]


def test_a_link_too_old(client, session, maya):
    link = path(session, maya, "confirm")
    Session.objects.update(start_time=session.start_time + timedelta(days=60), end_time=session.end_time + timedelta(days=60))
    with time_machine.travel(session.created_at + mail_links.MAX_AGE + HOUR):
        said = refused(client, link, session)
    assert "This link is too old." in said
    assert tells_nothing(said)
    with time_machine.travel(session.created_at + mail_links.MAX_AGE - HOUR):
        assert client.get(link).status_code == 200


@pytest.mark.parametrize("spoil", ["cut", "changed", "another key", "another salt", "garbage", "long", "unicode"])
def test_a_link_that_is_not_ours(client, session, maya, settings, spoil):
    link = path(session, maya, "confirm")
    token = link.split("/")[-2]
    if spoil == "another key":
        settings.SECRET_KEY = "another key, as long as the other one was, and no less random than it"
    spoiled = {
        "cut": token[:-3],
        "changed": ("X" if token[0] != "X" else "Y") + token[1:],
        "another key": token,
        "another salt": urlsplit(mail_links.stop(maya.user, "session_confirmed")).path.split("/")[-2],
        "garbage": "a:b:c",
        "long": "9" * 5000,
        "unicode": "ü:ö:ä",
    }[spoil]
    said = refused(client, reverse("mail_link", args=[spoiled]), session, status=404)
    assert "This link is not complete." in said
    assert tells_nothing(said)


def test_answered_already_it_says_what_it_is_now(client, session, maya, alex):
    link = path(session, maya, "confirm")
    booking.cancel(session, by=alex.user, reason="Private")
    said = refused(client, link, session)
    assert "This session has changed since the mail was sent: it is Canceled now." in said
    assert "Private" not in said
    assert tells_nothing(said)


def test_answered_the_other_way_by_the_same_person_is_no_second_press(client, session, maya):
    link = path(session, maya, "decline")
    booking.confirm(session, by=maya.user)
    assert "it is Confirmed now" in refused(client, link, session)


def test_moved_since_it_tells_no_new_time(client, session, maya, alex, monday):
    link = path(session, maya, "confirm")
    booking.reschedule(session, monday + HOUR, by=alex.user)
    said = refused(client, link, session)
    assert "it is Pending now" in said
    assert tells_nothing(said)


def test_changed_while_the_page_was_open(client, session, maya, alex, monkeypatch):
    """The page was made, the button pressed, and in between the other one was quicker."""
    link, confirm = path(session, maya, "confirm"), booking.confirm

    def slow(late, **how):
        booking.cancel(Session.objects.get(), by=alex.user)
        return confirm(late, **how)

    monkeypatch.setattr(booking, "confirm", slow)
    answer = client.post(link)
    assert answer.status_code == 410
    assert "it is Canceled now" in text(answer)
    assert now_is(session) == ("Canceled", "canceled", 2)


def test_who_left_the_program(client, session, maya):
    link = path(session, maya, "confirm")
    User.objects.filter(pk=maya.pk).update(is_active=False)
    said = refused(client, link, session)
    assert "This account no longer takes part in the program." in said
    assert tells_nothing(said)


def test_who_is_no_longer_in_the_session(client, session, maya, omar, cora, window):
    link = path(session, maya, "confirm")
    window(omar)
    booking.reassign(session, omar, by=cora)
    said = refused(client, link, session)
    assert "This session is no longer yours." in said
    assert tells_nothing(said)


@pytest.mark.parametrize(
    ("verb", "status", "says"),
    [
        ("confirm", "Confirmed", "This session is Confirmed: it cannot be confirmed."),
        ("decline", "Confirmed", "This session is Confirmed: it cannot be declined."),
        ("cancel", "Completed", "This session is Completed: it cannot be canceled."),
    ],
)
def test_what_is_not_legal_now(client, session, maya, verb, status, says):
    link = path(session, maya, verb)
    Session.objects.update(status=status)
    assert says in refused(client, link, session)


def test_after_it_began(client, session, maya):
    link = path(session, maya, "confirm")
    with time_machine.travel(session.start_time + timedelta(minutes=1)):
        assert "This session has already begun: it cannot be confirmed." in refused(client, link, session)


def test_a_mentee_cannot_confirm_by_a_link_either(client, session, alex):
    assert "only be confirmed by the mentor" in refused(client, path(session, alex, "confirm"), session)


@pytest.mark.parametrize("verb", ["reschedule", "reassign", "complete", "expire", "delete"])
def test_other_verbs_are_not_done_by_links(client, session, maya, verb):
    assert "This cannot be done by a link." in refused(client, signed(session.pk, maya.pk, verb, 1), session)


def test_what_is_gone(client, session, maya):
    for keys in ((NO_SESSION, maya.pk, "confirm", 1), (session.pk, NO_USER, "confirm", 1)):
        assert "no longer there" in refused(client, signed(*keys), session)


@pytest.mark.parametrize("power", ["coordinator", "superuser"])
def test_a_coordinators_link_acts_only_as_a_party(client, session, maya, alex, cora, power):
    """What staff may do for others they do logged in: here a mentee with the keys of the house is a mentee."""
    User.objects.filter(pk=alex.pk).update(is_staff=True, is_superuser=power == "superuser")
    alex.user.groups.set(cora.groups.all())
    assert booking.acts_for_program(User.objects.get(pk=alex.pk))
    assert "only be confirmed by the mentor" in refused(client, path(session, alex, "confirm"), session)
    # And the hour until which the two may cancel holds for them.
    Program.objects.update_or_create(pk=1, defaults={"cancel_until_hours": 24})
    session = booking.confirm(session, by=maya.user)
    link = path(session, alex, "cancel")
    with time_machine.travel(session.start_time - HOUR):
        assert "24 hours before they start" in refused(client, link, session)
    assert client.post(link).status_code == 200
    assert now_is(session) == ("Canceled", "canceled", 3)
    stored = User.objects.get(pk=alex.pk)
    assert (stored.is_staff, stored.is_superuser) == (True, power == "superuser")


def test_a_coordinator_in_no_part_of_it_has_no_link(client, session, cora):
    assert "no longer yours" in refused(client, signed(session.pk, cora.pk, "cancel", 1), session)


# ---- what the answers carry, and what is kept of them -------------------------------------------------------------------


def test_no_cache_no_search_engine_and_no_other_site_is_told(client, session, maya):
    stop = urlsplit(mail_links.stop(maya.user, "session_confirmed")).path
    good = path(session, maya, "confirm")
    for answer in (client.get(good), client.get(good[:-4] + "/"), client.get(stop), client.post(stop), client.post(good)):
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]
        assert answer["X-Frame-Options"] == "DENY"
        assert '<meta name="robots" content="noindex">' in text(answer)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_none(client, session, maya, method):
    for link in (path(session, maya, "confirm"), urlsplit(mail_links.stop(maya.user, "session_confirmed")).path):
        assert getattr(client, method)(link).status_code == 405


def test_the_log_names_nobody(client, session, maya, alex, caplog):
    caplog.set_level(logging.DEBUG)
    link = path(session, maya, "confirm")
    stop = urlsplit(mail_links.stop(maya.user, "session_confirmed")).path
    for address in (link, link[:-4] + "/", stop, stop[:-4] + "/"):
        client.get(address)
        client.post(address)
    booking.cancel(session, by=alex.user)
    client.post(link)
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert any("/mail/" in line for line in said)
    assert not [line for line in said for word in ("@", "Maya", "Alex", "Lopez") if word in line]


# ---- turning mails off ---------------------------------------------------------------------------------------------------


def stop_path(role, switch="session_confirmed") -> str:
    return urlsplit(mail_links.stop(role.user, switch)).path


def off(role) -> list[str]:
    """The switches that are off."""
    kept = NotificationSettings.objects.filter(user_id=role.pk).first() or NotificationSettings()
    return [name for name in NotificationSettings.SWITCHES if not getattr(kept, name)]


@pytest.mark.parametrize("switch", NotificationSettings.SWITCHES)
def test_one_click_turns_off_one_switch_of_one_person(client, maya, alex, switch):
    link = stop_path(maya, switch)
    assert client.get(link).status_code == client.head(link).status_code == 200
    assert not NotificationSettings.objects.exists()
    # As RFC 8058 has mail programs send it: no cookie, no token, no redirect; and as often as they like.
    for _ in range(2):
        assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert (off(maya), off(alex)) == ([switch], [])
    assert client.cookies == {}


def test_what_was_off_stays_off(client, maya):
    NotificationSettings.objects.create(user=maya.user, session_requested=False)
    client.post(stop_path(maya, "fifteen_minute_alert"))
    assert off(maya) == ["session_requested", "fifteen_minute_alert"]


def test_the_page_has_a_button_and_a_way_back(client, maya):
    link = stop_path(maya)
    page = client.get(link)
    assert "You get a mail when a session is confirmed, moved or handed over." in text(page)
    assert 'name="turn" value="off"' in text(page)
    page = client.post(link, {"turn": "off"})
    assert "These mails are off" in text(page)
    assert off(maya) == ["session_confirmed"]
    for shown in (page, client.get(link)):
        assert 'name="turn" value="on"' in text(shown)
    page = client.post(link, {"turn": "on"})
    assert "These mails are on again" in text(page)
    assert off(maya) == []
    assert "Maya" not in text(page)


def test_the_link_of_a_mail_of_last_year_still_stops(client, maya):
    link = stop_path(maya)
    with time_machine.travel(maya.user.date_joined + timedelta(days=900)):
        assert client.post(link).status_code == 200
    assert off(maya) == ["session_confirmed"]


@pytest.mark.parametrize("spoil", ["cut", "act", "garbage"])
def test_a_stop_that_is_not_ours(client, session, maya, spoil):
    token = {
        "cut": stop_path(maya).split("/")[-2][:-3],
        "act": path(session, maya, "confirm").split("/")[-2],
        "garbage": "ü",
    }[spoil]
    link = reverse("mail_stop", args=[token])
    assert [client.get(link).status_code, client.post(link).status_code] == [404, 404]
    assert not NotificationSettings.objects.exists()


def test_a_switch_or_an_account_that_is_gone(client, maya):
    gone = reverse("mail_stop", args=[signing.dumps([maya.pk, "is_staff"], salt=mail_links.STOP)])
    assert client.post(gone).status_code == 410
    nobody = reverse("mail_stop", args=[signing.dumps([NO_USER, "session_confirmed"], salt=mail_links.STOP)])
    assert client.post(nobody).status_code == 200
    assert "You get no such mails" in text(client.get(nobody))
    assert not NotificationSettings.objects.exists()


def test_the_settings_page_that_mails_name_is_found_after_a_log_in(client, maya):
    address = reverse("mails")
    assert client.get(address).url == f"/accounts/login/?next={address}"
    client.force_login(maya.user)
    answer = client.get(address)
    assert answer.url == "/profile/#mails"
    page = text(client.get("/profile/"))
    assert 'id="mails"' in page
    assert [name for name in NotificationSettings.SWITCHES if f'name="{name}"' not in page] == []
