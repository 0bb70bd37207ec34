"""The privacy page: all of one's data as a file, and nothing of others; and asking to be erased."""

import io
import json
import logging
import zipfile

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people import erasure, privacy
from people.models import ApiToken, ErasureRequest, Mentee, Mentor, User
from project.testing import PASSWORD
from scheduling import booking
from scheduling.models import Feedback, Session, SessionNote, TimeOff

pytestmark = pytest.mark.django_db


def parts() -> dict[str, privacy.Part]:
    return {part.model: part for keeper in privacy.keepers() for part in keeper.parts}


def left_out() -> dict[str, str]:
    return {model: why for keeper in privacy.keepers() for model, why in keeper.left_out.items()}


def unpacked(content: bytes) -> dict:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return json.loads(archive.read("data.json"))


def data_of(user: User) -> dict:
    file = io.BytesIO()
    privacy.write(user, file)
    return unpacked(file.getvalue())


def log_in(client, user):
    """As somebody who has just shown that it is them."""
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


# ---- nothing is forgotten -----------------------------------------------------------------------------------------------


def columns_in(shown: privacy.Shown) -> set[str]:
    if isinstance(shown, F):
        return {shown.name.split("__")[0]}
    if isinstance(shown, str):
        return {shown.split("__")[0]}
    if isinstance(shown, Q):
        return {path.split("__")[0] for path, _ in shown.children}
    return {path for inner in shown.get_source_expressions() if inner is not None for path in columns_in(inner)}


def test_every_table_that_points_at_people_is_given_to_them_or_named_with_a_reason():
    """A new model fails here until a keeper says what becomes of it: see people/privacy.py."""
    given = {apps.get_model(label) for label in parts()}
    assert given >= {User, Mentor, Mentee, Session}
    pointing = {
        model
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and not field.many_to_many and field.is_relation and field.related_model in given
    }
    forgotten = {model._meta.label for model in pointing - given} - set(left_out())
    assert not forgotten, f"Neither given to people nor left out with a reason: {forgotten}"
    kept = set(left_out()) & {model._meta.label for model in pointing}
    assert kept == {"admin.LogEntry", "people.ChangeSet", "people.Import", "people.SheetExport"}


@pytest.mark.parametrize("label", sorted(parts()))
def test_every_column_of_them_is_given_or_withheld_with_a_reason(label):
    part = parts()[label]
    spoken_of = {path.split("__")[0] for path in part.whose} | {name for one in part.shown.values() for name in columns_in(one)}
    spoken_of |= set(part.withheld)
    model = apps.get_model(label)
    columns = {
        name
        for field in model._meta.concrete_fields
        for name in [field.name if {field.name, field.attname} & spoken_of else f"FORGOTTEN: {field.name}"]
    }
    assert not [name for name in columns if name.startswith("FORGOTTEN")]
    assert all(part.withheld.values())


# ---- what is in the file ------------------------------------------------------------------------------------------------


def test_the_file_holds_what_is_kept_about_a_mentee_and_no_secret(client, session, alex, maya, caplog):
    user = alex.user
    user.phone_number = "+12125552368"
    user.save()
    Mentee.objects.filter(pk=alex.pk).update(goals="Learn to weld")
    Session.objects.filter(pk=session.pk).update(topic="Which torch?", set_aside_reason="Between us coordinators")
    token = ApiToken.objects.issue(user, "report", 30)
    log_in(client, user)
    Authenticator.objects.create(user=user, type="totp", data={"secret": "TOPSECRETSEED"})
    with caplog.at_level(logging.INFO):
        answer = client.post("/profile/privacy/download/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert "no-store" in answer["Cache-Control"]
    data = unpacked(answer.getvalue())
    [person] = data["person"]
    assert (person["first_name"], person["email"], person["phone_number"]) == ("Alex", "alex@example.org", "+12125552368")
    assert [row["goals"] for row in data["mentee"]] == ["Learn to weld"]
    assert data["mentor"] == []
    assert [(row["mentor"], row["mentee"], row["what_it_is_about"]) for row in data["sessions"]] == [
        ("Maya Lopez", "Alex Johnson", "Which torch?")
    ]
    assert [(row["change"], row["by"]) for row in data["session_changes"]] == [("requested", "the mentee")]
    assert [(row["name"], row["begins_with"]) for row in data["access_keys"]] == [("report", token[:8])]
    assert [row["kind"] for row in data["second_factors"]] == ["totp"]
    assert [row["verified"] for row in data["email_addresses"]] == [True]
    assert data["devices"]
    text = json.dumps(data)
    row = ApiToken.objects.get()
    for kept_back in (token, row.digest, row.password_seal, user.password, "TOPSECRETSEED", client.session.session_key):
        assert kept_back not in text
    for of_others in ("maya@example.org", "Between us coordinators"):
        assert of_others not in text
    assert f"person {user.pk} downloads their data" in caplog.text
    assert "alex@example.org" not in caplog.text


def test_a_mentor_gets_their_own_words_and_none_that_others_said_of_them(session, maya, alex, omar, monday):
    booking.cancel(session, by=maya.user, reason="I am ill")
    Feedback.objects.create(session=session, rating=1, sentence="Never again", created_at=timezone.now())
    TimeOff.objects.create(mentor=maya, start_time=monday, end_time=monday.replace(hour=12), note="Dentist")
    Mentor.objects.filter(pk=omar.pk).update(about_me="I am Omar")
    SessionNote.objects.create(session=session, mentor=maya, text="Shy, ask again")
    SessionNote.objects.create(session=session, mentor=omar, text="Omar notes")
    data = data_of(maya.user)
    assert [row["text"] for row in data["session_notes"]] == ["Shy, ask again"]
    assert "Shy" not in json.dumps(data_of(alex.user))
    assert [(row["status"], row["reason"], row["ended_by"]) for row in data["sessions"]] == [
        ("Canceled", "I am ill", "the mentor")
    ]
    assert [row["by"] for row in data["session_changes"]] == ["the mentee", "the mentor"]
    assert [row["note"] for row in data["time_off"]] == ["Dentist"]
    assert [(row["kind"], row["state"]) for row in data["notices"]] == [("requested", "suppressed")]
    assert data["windows"]
    assert data["feedback_given"] == []
    for foreign in ("Never again", "I am Omar", "Omar notes", "alex@example.org"):
        assert foreign not in json.dumps(data)
    assert [row["sentence"] for row in data_of(alex.user)["feedback_given"]] == ["Never again"]


def test_who_took_a_session_over_is_not_given_what_was_said_before(session, maya, omar, cora, window, monday):
    Session.objects.filter(pk=session.pk).update(meeting_link="https://meet.example.org/maya")
    session.refresh_from_db()
    booking.reschedule(session, monday.replace(hour=10), by=maya.user, reason="For Maya only")
    window(omar)
    booking.reassign(session, omar, by=cora)
    assert "For Maya only" in json.dumps(data_of(maya.user))
    theirs = data_of(omar.user)
    assert [row["change"] for row in theirs["session_changes"]] == ["handed over for the program"]
    assert "For Maya only" not in json.dumps(theirs)


def test_years_of_sessions_cost_the_same_questions_as_one(session, maya, bo, monday):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            data_of(maya.user)
        return len(queries)

    one = asked()
    for hour in (10, 11):
        booking.request(maya, bo, monday.replace(hour=hour), 30, by=bo.user)
    assert len(data_of(maya.user)["sessions"]) == 3
    assert asked() == one


def test_the_download_asks_for_the_password_and_only_a_post_gives_it(client, alex):
    assert client.get("/profile/privacy/download/").url.startswith("/accounts/login/")
    client.force_login(alex.user)
    for page in ("download", "erase"):
        assert client.post(f"/profile/privacy/{page}/").url.startswith("/accounts/reauthenticate/")
    assert not ErasureRequest.objects.exists()
    log_in(client, alex.user)
    assert client.get("/profile/privacy/download/")["Content-Type"].startswith("text/html")


def test_nobody_downloads_all_the_time(client, alex):
    log_in(client, alex.user)
    for _ in range(6):
        assert unpacked(client.post("/profile/privacy/download/").getvalue())
    refused = client.post("/profile/privacy/download/", follow=True)
    assert "Try again in an hour" in refused.content.decode()


# ---- asking to be erased ------------------------------------------------------------------------------------------------


def test_a_person_asks_sees_what_will_be_canceled_and_takes_it_back(client, session, alex):
    log_in(client, alex.user)
    page = client.get("/profile/privacy/erase/").content.decode()
    assert "with Maya Lopez" in page
    assert "Erased person" in page
    assert not ErasureRequest.objects.exists()
    for _ in range(2):
        client.post("/profile/privacy/erase/")
    [request] = ErasureRequest.objects.all()
    assert (request.person, request.state) == (alex.user, "asked")
    page = client.get("/profile/privacy/").content.decode()
    assert "Take my request back" in page
    assert "with Maya Lopez" in page
    assert client.get("/profile/privacy/withdraw/").status_code == 405
    client.post("/profile/privacy/withdraw/")
    request.refresh_from_db()
    assert request.state == "withdrawn"
    assert "Take my request back" not in client.get("/profile/privacy/").content.decode()
    again = client.post("/profile/privacy/withdraw/", follow=True)
    assert "no request that waits" in again.content.decode()


def test_the_person_reads_why_not(client, cora, alex):
    erasure.ask(alex.user)
    erasure.refuse(ErasureRequest.objects.get(), "<b>The funder</b> needs it until May", by=cora)
    client.force_login(alex.user)
    page = client.get("/profile/privacy/").content.decode()
    assert "&lt;b&gt;The funder" in page
    assert "Ask again" in page
    with pytest.raises(ValidationError) as refusal:
        erasure.refuse(ErasureRequest.objects.get(), "Once more", by=cora)
    assert refusal.value.code == "already"
    assert [row["answer"] for row in data_of(alex.user)["erasure_requests"]] == ["<b>The funder</b> needs it until May"]
