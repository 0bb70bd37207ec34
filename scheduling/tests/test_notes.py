"""Private notes: whoever mentors writes them, and nobody else ever reads them."""

import pytest
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.test import Client

from project.tests.page import form_in
from scheduling import booking, feeds
from scheduling.composing import compose
from scheduling.models import Notice, Session, SessionNote

pytestmark = pytest.mark.django_db

SECRET = "Shy; ask about <Rust> again"
SHOWN = "Shy; ask about &lt;Rust&gt; again"


@pytest.fixture
def browser_of():
    def log_in(user) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def note(session, maya):
    return SessionNote.objects.create(session=session, mentor=maya, text=SECRET)


def text(page) -> str:
    return " ".join(page.content.decode().split())


def shown(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def path_of(session) -> str:
    return f"/sessions/{session.pk}/note/"


def write(browser, session, words, form=None):
    form = form or form_in(browser.get(path_of(session)))
    return browser.post(path_of(session), form | {"text": words}, follow=True)


def test_a_mentor_writes_changes_and_deletes_notes(browser_of, session, maya):
    hers = browser_of(maya.user)
    assert ">Write notes</a>" in text(hers.get(f"/sessions/{session.pk}/"))
    page = write(hers, session, SECRET)
    assert (page.redirect_chain, shown(page)) == ([(f"/sessions/{session.pk}/", 302)], ["Your notes are saved."])
    assert SHOWN in text(page)
    page = write(hers, session, "Knows it by now")
    assert list(SessionNote.objects.values_list("session", "mentor", "text")) == [(session.pk, maya.pk, "Knows it by now")]
    page = write(hers, session, "  ")
    assert shown(page) == ["Your notes are deleted."]
    assert not SessionNote.objects.exists()
    assert not session.history.filter(version__gt=1).exists()


def test_nobody_else_reads_or_writes_them(browser_of, session, note, maya, omar, alex, zoe, kim, cora, person):
    assert SHOWN in text(browser_of(maya.user).get(f"/sessions/{session.pk}/"))
    admin_user = person("Ada Root", is_staff=True, is_superuser=True)
    for user in (alex.user, omar.user, zoe.user, kim, cora, admin_user):
        browser = browser_of(user)
        assert browser.get(path_of(session)).status_code == 404, user
        assert browser.post(path_of(session), {"text": "Mine"}).status_code == 404, user
        for path in ("/", "/notes/", "/sessions/", f"/sessions/{session.pk}/"):
            assert "Shy; ask" not in text(browser.get(path)), (user, path)
    for user in (cora, admin_user):
        page = text(browser_of(user).get(f"/admin/scheduling/session/{session.pk}/change/"))
        assert "Alex Johnson" in page
        assert "Shy; ask" not in page
    note.refresh_from_db()
    assert (note.text, SessionNote.objects.count()) == (SECRET, 1)


def test_they_are_in_no_admin_mail_or_calendar(browser_of, session, note, maya, alex):
    assert SessionNote not in admin.site._registry
    assert SECRET not in str(note)
    booking.confirm(session, by=maya.user)
    messages = [compose(notice, None).message() for notice in Notice.objects.all()]
    parts = [part for message in messages for part in message.walk() if not part.is_multipart()]
    written = [part.get_payload(decode=True).decode() for part in parts]
    for user in (maya.user, alex.user):
        written.append(browser_of(user).get(f"/sessions/{session.pk}.ics").content.decode())
        written.append(Client().get(feeds.address(feeds.make(user))).content.decode())
    assert all("Alex" in one or "Maya" in one for one in written)
    # A word of it: calendars fold their lines.
    assert not any("Shy" in one for one in written)


def test_handed_on_the_notes_stay_with_who_wrote_them(browser_of, session, note, maya, omar, cora, monday, window):
    window(omar)
    booking.reassign(session, omar, by=cora)
    assert "Shy; ask" not in text(browser_of(omar.user).get(f"/sessions/{session.pk}/"))
    assert write(browser_of(omar.user), session, "Omar's own").status_code == 200
    hers = browser_of(maya.user)
    assert hers.get(f"/sessions/{session.pk}/").status_code == 404
    page = hers.get("/notes/")
    assert SHOWN in text(page)
    assert "Omar's own" not in text(page)
    # When it is now is no business of hers.
    page = hers.get(path_of(session))
    assert "On your session with Alex Johnson, which you handed on." in text(page)
    assert f"{monday:%Y}" not in text(page)
    page = write(hers, session, "Told Omar")
    assert page.redirect_chain == [("/notes/", 302)]
    assert dict(SessionNote.objects.values_list("mentor", "text")) == {maya.pk: "Told Omar", omar.pk: "Omar's own"}
    # Deleted, there is nothing left for her to open.
    write(hers, session, "")
    assert hers.get(path_of(session)).status_code == 404


@pytest.mark.parametrize("there", [True, False])
def test_of_two_tabs_the_second_is_told_and_keeps_what_was_typed(browser_of, session, maya, there):
    if there:
        SessionNote.objects.create(session=session, mentor=maya, text=SECRET)
    hers = browser_of(maya.user)
    first, second = (form_in(hers.get(path_of(session))) for _ in range(2))
    write(hers, session, "From the first", first)
    page = write(hers, session, "From the second", second)
    assert page.context["form"].has_error("__all__", "stale")
    assert "From the second</textarea>" in text(page)
    assert list(SessionNote.objects.values_list("text", flat=True)) == ["From the first"]


def test_two_thousand_characters_line_ends_counted_once(browser_of, session, maya):
    hers = browser_of(maya.user)
    lines = "x\r\n" * 999 + "xx"
    assert len(lines.replace("\r\n", "\n")) == 2000
    write(hers, session, lines)
    assert SessionNote.objects.get().text == "x\n" * 999 + "xx"
    page = write(hers, session, lines + "y")
    assert list(page.context["form"].errors) == ["text"]
    assert "xxy</textarea>" in text(page)
    assert SessionNote.objects.get().text.endswith("xx")


def test_one_note_per_session_and_mentor(session, note, maya):
    with pytest.raises(IntegrityError), transaction.atomic():
        SessionNote.objects.create(session=session, mentor=maya, text="Another")


def test_they_go_with_their_session_and_their_mentor(session, note, maya, omar):
    other = SessionNote.objects.create(session=session, mentor=omar, text="Omar's")
    omar.delete()
    assert not SessionNote.objects.filter(pk=other.pk).exists()
    Session.objects.filter(pk=session.pk).delete()
    assert not SessionNote.objects.exists()


def test_the_list_of_notes_asks_as_often_for_twenty_as_for_one(
    browser_of, session, note, maya, alex, django_assert_num_queries
):
    hers = browser_of(maya.user)
    hers.get("/notes/")
    for rows in (1, 20):
        for _ in range(rows - SessionNote.objects.count()):
            one = Session.objects.create(
                mentor=maya,
                mentee=alex,
                start_time=session.start_time,
                end_time=session.end_time,
                status="Completed",
                created_at=session.created_at,
            )
            SessionNote.objects.create(session=one, mentor=maya, text="Met")
        with django_assert_num_queries(7):
            assert len(hers.get("/notes/").context["page"]) == rows


def test_without_notes_the_page_says_what_to_do(browser_of, maya, client):
    assert "Open one of your sessions and write down what you want to remember." in text(browser_of(maya.user).get("/notes/"))
    for path in ("/notes/", "/sessions/1/note/"):
        assert client.get(path).url == f"/accounts/login/?next={path}"
