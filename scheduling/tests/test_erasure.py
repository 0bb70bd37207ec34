"""Somebody is erased: sessions ahead are called off, and in no table is a word left that says who it was."""

import logging
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session as WebSession
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Task

from people import erasure
from people.models import ApiToken, ErasureRequest, Mentee, Mentor, NotificationSettings, Skill, Team, User
from people.privacy import keepers
from project.testing import PASSWORD
from scheduling import booking, leaving
from scheduling.models import CalendarFeed, Feedback, MentorLimits, Notice, Session, SessionNote, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

MARK = "Qzj7"


@pytest.fixture
def root(person):
    return person("Root Ruiz", is_staff=True, is_superuser=True)


def past(mentor, mentee, cora, days: int) -> Session:
    """A session that was asked for and took place, so many days ago."""
    then = timezone.now().replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=days)
    session = booking.request(mentor, mentee, then, 30, by=cora, at=then - timedelta(days=1), set_aside="It took place")
    booking.confirm(session, by=cora, at=then - timedelta(hours=20))
    return booking.complete(session, by=cora, at=then + timedelta(hours=1))


@pytest.fixture
def life(kim, maya, alex, cora, root, window, monday):
    """Kim has left a mark in every column that holds text: as mentor, as mentee, and in the admin."""
    client = Client()
    client.post("/accounts/login/", {"login": kim.email, "password": PASSWORD})
    done = past(kim.mentor, alex, cora, 20), past(maya, kim.mentee, cora, 10)
    window(maya)
    window(kim.mentor)
    booking.confirm(booking.request(maya, kim.mentee, monday, 30, by=kim), by=maya.user)
    for session in done:
        Feedback.objects.create(session=session, rating=4, created_at=timezone.now())
    SessionNote.objects.create(session=done[0], mentor=kim.mentor, text="Of Alex")
    SessionNote.objects.create(session=done[1], mentor=maya, text=f"Of Kim {MARK}")
    ApiToken.objects.issue(kim, "report", 30)
    NotificationSettings.set_all(kim, True)
    Authenticator.objects.create(user=kim, type="totp", data={"secret": MARK})
    EmailAddress.objects.create(user=kim, email="second@example.org")
    kim.mentor.skills.add(Skill.objects.create(name="Welding"))
    Mentee.objects.filter(pk=kim.pk).update(team=Team.objects.create(number=7))
    MentorLimits.objects.create(mentor=kim.mentor, week_cap=3)
    CalendarFeed.objects.create(user=kim)
    TimeOff.objects.create(mentor=kim.mentor, start_time=monday, end_time=monday + timedelta(days=1))
    WeeklyHours.objects.create(
        mentor=kim.mentor, weekday=1, begins="09:00", ends="12:00", time_zone="UTC", valid_from_on=monday.date()
    )
    kim.mentee.save()
    kim.mentor.save()
    Task.objects.create(
        id="1",
        name="x",
        func="f",
        success=False,
        started=timezone.now(),
        stopped=timezone.now(),
        result=f"no: {MARK}@example.org",
    )
    erasure.ask(kim)
    write_marks(kim)
    kim.refresh_from_db()
    assert kim.email == f"{MARK.lower()}@example.org"
    kind = ContentType.objects.get_for_model(Mentor)
    LogEntry.objects.create(
        user=cora, content_type=kind, object_id=str(kim.pk), object_repr=f"Kim {MARK}", action_flag=CHANGE, change_message=MARK
    )
    LogEntry.objects.create(user=cora, object_id="99", object_repr=f"{MARK.lower()}@example.org (kim)", action_flag=CHANGE)
    web = client.session
    web["drafts"] = {"1": {"topic": MARK}}
    web.save()
    return kim


# Written by the machine, in its own words or in none.
MACHINE = {"history_change_reason", "digest", "password_seal", "session_key", "ip", "password", "key"}


def write_marks(user) -> None:
    """Into every free column of every table that is theirs."""
    for part in (part for keeper in keepers() for part in keeper.parts):
        model = apps.get_model(part.model)
        mine = models.Q()
        for path in part.whose:
            mine |= models.Q(**{path: user.pk})
        texts = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField) and not field.choices and field.name not in MACHINE
        ]
        for number, row in enumerate(model._base_manager.filter(mine)):
            marks = dict.fromkeys(texts, MARK)
            # These must be unique.
            if "email" in marks:
                marks["email"] = f"{MARK.lower()}{'' if model is not EmailAddress else number}@example.org"
            if "external_id" in marks:
                marks["external_id"] = f"{MARK}{row.pk}"
            if marks:
                model._base_manager.filter(pk=row.pk).update(**marks)


def tables_with(*words: str) -> set[str]:
    """Every table in which one of these stands, in whatever case: raw, and what web sessions and tasks hold packed."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            text = str(cursor.fetchall()).lower()
            found |= {table for word in words if word.lower() in text}
    packed = {
        "django_session": [row.get_decoded() for row in WebSession.objects.all()],
        "django_q_task": [row.result for row in Task.objects.all()],
    }
    return found | {table for table, rows in packed.items() for word in words if word.lower() in str(rows).lower()}


def test_nothing_in_any_table_says_who_it_was(life, cora, maya, alex):
    user = life
    words = MARK, "second@example.org", "kim@example.org", "Kim", "Park"
    assert tables_with(MARK) == {
        "account_emailaddress",
        "django_admin_log",
        "django_q_task",
        "django_session",
        "mfa_authenticator",
        "people_apitoken",
        "people_erasurerequest",
        "people_historicalmentee",
        "people_historicalmentor",
        "people_historicaluser",
        "people_mentee",
        "people_mentor",
        "people_user",
        "scheduling_availability",
        "scheduling_feedback",
        "scheduling_historicalsession",
        "scheduling_notice",
        "scheduling_session",
        "scheduling_sessionnote",
        "scheduling_timeoff",
        "scheduling_weeklyhours",
        "usersessions_usersession",
    }
    mail.outbox.clear()
    assert erasure.erase(user, by=cora)
    assert tables_with(*words) == set()
    assert not Mentor.skills.through.objects.filter(mentor=user.pk)
    # The last mail went to the address that was.
    [last] = mail.outbox
    assert last.to == [f"{MARK.lower()}@example.org"]
    assert "erased" in last.subject


def test_what_is_left_are_numbers(life, cora, maya, alex):
    erasure.erase(life, by=cora)
    user = User.objects.get(pk=life.pk)
    assert str(user) == "Erased person"
    assert (user.is_active, user.has_usable_password(), user.last_login) == (False, False, None)
    sessions = Session.objects.of(user).order_by("start_time")
    assert [(row.status, row.minutes, row.feedback.rating) for row in sessions[:2]] == [("Completed", 30, 4)] * 2
    assert [str(person) for person in sessions[0].people] == ["Erased person", "Alex Johnson"]
    request = ErasureRequest.objects.get()
    assert (request.state, request.settled_by) == ("done", cora)
    last = user.history.latest("pk")
    assert (last.history_change_reason, last.history_user) == ("erased", cora)
    # Whoever is on the roster again is somebody new.
    assert User.objects.with_email("kim@example.org") is None
    for model in (ApiToken, EmailAddress, Authenticator, NotificationSettings, CalendarFeed):
        assert not model.objects.filter(user=user).exists()


def test_others_are_told_and_keep_what_is_theirs(session, maya, alex, bo, cora, monday):
    confirmed = booking.confirm(session, by=maya.user)
    kept = booking.request(maya, bo, monday.replace(hour=11), 30, by=bo.user, topic="About Bo")
    before = tables_with("bo@example.org", "maya lopez", "about bo")
    erasure.erase(alex.user, by=cora)
    confirmed.refresh_from_db()
    assert (confirmed.status, confirmed.ended_by) == ("Canceled", cora)
    told = Notice.objects.filter(session=confirmed, kind="canceled").order_by("pk")
    assert {(row.recipient, row.state) for row in told} == {(maya.user, "pending"), (alex.user, "suppressed")}
    kept.refresh_from_db()
    assert (kept.topic, kept.status) == ("About Bo", "Pending")
    assert tables_with("bo@example.org", "maya lopez", "about bo") == before
    assert not tables_with("alex@example.org", "johnson")


def test_notes_go_with_whoever_wrote_them_or_is_meant_and_no_others(session, maya, omar, alex, bo, cora, window, monday):
    others = booking.request(maya, bo, monday.replace(hour=11), 30, by=bo.user)
    for noted, mentor in ((session, maya), (others, maya), (session, omar)):
        SessionNote.objects.create(session=noted, mentor=mentor, text="Asks a lot")
    erasure.erase(omar.user, by=cora)
    assert list(SessionNote.objects.order_by("pk").values_list("session", "mentor")) == [
        (session.pk, maya.pk),
        (others.pk, maya.pk),
    ]
    erasure.erase(alex.user, by=cora)
    assert SessionNote.objects.get().session == others


def test_a_coordinators_reasons_go_with_them(session, maya, omar, window, cora, root):
    window(omar)
    booking.reassign(session, omar, by=cora, reason="Maya asked Cora", set_aside="Said Cora")
    assert tables_with("asked cora") == {"scheduling_historicalsession", "scheduling_session"}
    erasure.erase(cora, by=root)
    assert not tables_with("asked cora", "said cora", "cora@example.org", "diaz")
    assert Session.objects.get(pk=session.pk).mentor == omar


def test_their_log_ins_end_and_those_of_others_do_not(client, alex, maya, cora):
    client.force_login(alex.user)
    other = Client()
    other.force_login(maya.user)
    assert client.get("/profile/").status_code == 200
    erasure.erase(alex.user, by=cora)
    assert client.get("/profile/").status_code == 302
    assert other.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    ("who", "whom", "code"),
    [
        ("maya", "alex", "not_yours"),
        ("cora", "cora", "yourself"),
        ("cora", "root", "not_yours"),
        ("stan", "alex", "not_yours"),
    ],
)
def test_who_may_not_erase_whom(maya, alex, cora, root, person, who, whom, code):
    cast = {"maya": maya.user, "alex": alex.user, "cora": cora, "root": root, "stan": person("Stan Doyle", is_staff=True)}
    with pytest.raises(ValidationError) as refusal:
        erasure.erase(cast[whom], by=cast[who])
    assert refusal.value.code == code
    assert cast[whom].email == User.objects.get(pk=cast[whom].pk).email
    erasure.ask(cast[whom])
    with pytest.raises(ValidationError):
        erasure.refuse(ErasureRequest.objects.get(), "No", by=cast[who])
    assert ErasureRequest.objects.get().state == "asked"


def test_who_is_erased_does_not_come_back_and_is_not_erased_twice(alex, cora):
    erasure.erase(alex.user, by=cora)
    user = User.objects.get(pk=alex.pk)
    for call in (leaving.come_back, erasure.erase):
        with pytest.raises(ValidationError) as refusal:
            call(user, by=cora)
        assert refusal.value.code == "erased"
    assert ErasureRequest.objects.count() == 1


def test_half_erased_is_not_erased(session, alex, cora, monkeypatch):
    """Something fails at the very end: sessions stand, names are there, nobody is told."""
    monkeypatch.setattr("people.erasure._settle", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erasure.erase(alex.user, by=cora)
    session.refresh_from_db()
    assert session.status == "Pending"
    assert User.objects.get(pk=alex.pk).email == "alex@example.org"
    assert not mail.outbox


def test_where_no_mail_server_answers_they_are_erased_and_staff_are_told(alex, cora, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with caplog.at_level(logging.INFO):
        assert not erasure.erase(alex.user, by=cora)
    assert not tables_with("alex@example.org")
    assert "was not sent: ConnectionRefusedError" in caplog.text
    assert "alex" not in caplog.text.lower()


# ---- the admin ----------------------------------------------------------------------------------------------------------


def press(client, name: str, key: int, **said):
    return client.post(reverse(f"admin:{name}", args=[key]), {"_form_submitted": "on", **said})


def test_a_coordinator_sees_the_request_and_erases_after_a_dialog(client, cora, session, alex):
    client.force_login(cora)

    def asked_for(needs):
        return [(tile.number, tile.link) for tile in needs if tile.title == "Erasures asked for"]

    assert asked_for(client.get("/admin/").context["needs"]) == []
    erasure.ask(alex.user)
    request = ErasureRequest.objects.get()
    [(number, link)] = asked_for(client.get("/admin/").context["needs"])
    assert number == 1
    assert b"Alex Johnson" in client.get(link).content
    page = client.get(reverse("admin:people_erasurerequest_change", args=[request.pk])).content.decode()
    assert "with Maya Lopez" in page
    url = reverse("admin:people_erasurerequest_erase", args=[request.pk])
    client.get(url)
    press(client, "people_erasurerequest_erase", request.pk)
    request.refresh_from_db()
    assert request.state == "asked"
    pressed = press(client, "people_erasurerequest_erase", request.pk, sure="on")
    assert "HX-Redirect" in pressed
    request.refresh_from_db()
    assert (request.state, str(request.person)) == ("done", "Erased person")
    page = client.get(pressed["HX-Redirect"]).content.decode()
    assert "Erased person" in page
    assert url not in page
    assert press(client, "people_erasurerequest_erase", request.pk, sure="on").status_code == 403


def test_a_coordinator_refuses_with_a_reason(client, cora, alex):
    client.force_login(cora)
    erasure.ask(alex.user)
    request = ErasureRequest.objects.get()
    press(client, "people_erasurerequest_refuse", request.pk, answer=" ")
    request.refresh_from_db()
    assert request.state == "asked"
    press(client, "people_erasurerequest_refuse", request.pk, answer="Not before May")
    request.refresh_from_db()
    assert (request.state, request.answer, request.settled_by) == ("refused", "Not before May", cora)


@pytest.mark.parametrize(("role", "model"), [("alex", "mentee"), ("maya", "mentor")])
def test_staff_erase_unasked_on_the_persons_own_page(client, cora, role, model, request):
    row = request.getfixturevalue(role)
    client.force_login(cora)
    url = reverse(f"admin:people_{model}_erase", args=[row.pk])
    assert url in client.get(reverse(f"admin:people_{model}_change", args=[row.pk])).content.decode()
    press(client, f"people_{model}_erase", row.pk, sure="on")
    assert str(User.objects.get(pk=row.pk)) == "Erased person"
    page = client.get(reverse(f"admin:people_{model}_change", args=[row.pk])).content.decode()
    assert url not in page
    assert "bring-back" not in page


def test_staff_without_the_permission_and_wrong_addresses_are_refused(client, person, alex, cora):
    erasure.ask(alex.user)
    key = ErasureRequest.objects.get().pk
    stan = person("Stan Doyle", is_staff=True)
    client.force_login(stan)
    assert press(client, "people_erasurerequest_erase", key, sure="on").status_code == 403
    assert press(client, "people_mentee_erase", alex.pk, sure="on").status_code == 403
    assert User.objects.get(pk=alex.pk).email == "alex@example.org"
    client.force_login(cora)
    for wrong in ("0", "99999999999", "x"):
        assert client.post(f"/admin/people/erasurerequest/{wrong}/erase/", {"sure": "on"}).status_code in (302, 403, 404)
