"""Coordinators' notes on a session: who writes, who reads, who takes them away."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from people import erasure
from scheduling import booking, remarks
from scheduling.models import Remark
from scheduling.tests.test_privacy import data_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


def page(session) -> str:
    return reverse("admin:scheduling_session_change", args=[session.pk])


def url(what, remark) -> str:
    return reverse(f"admin:scheduling_session_remark_{what}", args=[remark.pk])


def test_a_note_is_for_coordinators_unless_it_is_shared(desk, session, maya, alex, zoe, cora):
    add = reverse("admin:scheduling_session_add_remark", args=[session.pk])
    assert "For coordinators, unless you share it." in desk.get(add).content.decode()
    for text, shared in (("Alex is shy", {}), ("Bring the <b>plan</b>", {"shared": "on"})):
        desk.post(add, {"text": text, "_form_submitted": "True"} | shared)
    assert [(one.text, one.shared, one.author) for one in Remark.objects.all()] == [
        ("Alex is shy", False, cora),
        ("Bring the <b>plan</b>", True, cora),
    ]
    seen = desk.get(page(session)).content.decode()
    assert "Alex is shy" in seen
    assert "coordinators only" in seen
    for person in (maya, alex):
        reader = Client()
        reader.force_login(person.user)
        theirs = reader.get(reverse("session", args=[session.pk])).content.decode()
        assert "Bring the &lt;b&gt;plan&lt;/b&gt;" in theirs
        assert "Alex is shy" not in theirs
        given = json.dumps(data_of(person.user))
        assert ("Bring the" in given, "Alex is shy" in given) == (True, False)
    with pytest.raises(ValidationError) as refusal:
        remarks.write(session, "Hello", by=alex.user, shared=True)
    assert refusal.value.code == "not_yours"
    empty = desk.post(add, {"text": "  ", "_form_submitted": "True"})
    assert ("HX-Redirect" in empty, Remark.objects.count()) == (False, 2)


def test_who_wrote_it_corrects_it_and_readers_see_when(desk, session, cora, alex, person, time_machine):
    time_machine.move_to(timezone.now().replace(hour=10, minute=2), tick=False)
    remark = remarks.write(session, "Bring the plan", by=cora, shared=True)
    mentee = Client()
    mentee.force_login(alex.user)
    theirs = reverse("session", args=[session.pk])
    assert "Corrected," not in mentee.get(theirs).content.decode()
    time_machine.shift(timedelta(hours=1))
    dialog = desk.get(url("edit", remark))
    form = dialog.context["form"]
    assert (form["text"].value(), form["shared"].value(), form["seen"].value()) == ("Bring the plan", True, "")
    sent = {"text": "Bring the CV", "shared": "on", "seen": "", "_form_submitted": "True"}
    assert "HX-Redirect" in desk.post(url("edit", remark), sent)
    remark.refresh_from_db()
    assert (remark.text, remark.changed_at, remark.author) == ("Bring the CV", timezone.now(), cora)
    seen = " ".join(mentee.get(theirs).content.decode().split())
    assert "Bring the CV" in seen
    assert "Bring the plan" not in seen
    assert f"Corrected, {date_format(timezone.now(), 'DATETIME_FORMAT')}." in seen
    before = desk.get(url("history", remark)).content.decode()
    assert ("Bring the plan" in before, "Bring the CV" in before) == (True, False)
    rows = remark.history.order_by("history_id").values_list("text", "history_user", "history_change_reason")
    assert list(rows) == [("Bring the plan", cora.pk, None), ("Bring the CV", cora.pk, "corrected")]
    given = json.dumps(data_of(alex.user))
    assert ("Bring the plan" in given, "Bring the CV" in given) == (True, True)
    # The page was open in another tab: what it shows is not what is there.
    desk.post(url("edit", remark), sent | {"text": "Bring nothing"})
    stale = [str(message) for message in desk.get(page(session)).context["messages"]]
    assert stale == ["The note is corrected.", "This note was changed since you opened it: look again."]
    # Saved as it is, nothing was corrected.
    remarks.correct(remark, "Bring the CV", by=cora, shared=True, seen=remark.changed_at)
    assert remark.history.count() == 2
    ana = person("Ana Boss", is_staff=True)
    ana.groups.set(cora.groups.all())
    with pytest.raises(ValidationError) as refusal:
        remarks.correct(remark, "Mine now", by=ana, shared=True, seen=remark.changed_at)
    assert refusal.value.code == "not_yours"
    assert desk.post(url("edit", remark), sent | {"text": " "}).context["form"].errors.keys() == {"text"}


def test_a_note_that_is_shared_no_more_is_read_by_no_one_else_and_its_time_is_kept(session, cora, maya):
    remark = remarks.write(session, "Maya is often late", by=cora, shared=True)
    remarks.correct(remark, "Maya is often late", by=cora, shared=False, seen=None)
    mentor = Client()
    mentor.force_login(maya.user)
    assert "often late" not in mentor.get(reverse("session", args=[session.pk])).content.decode()
    assert list(remark.history.order_by("history_id").values_list("shared", flat=True)) == [True, False]


def test_only_who_wrote_it_takes_it_away(desk, session, person, cora, alex):
    mine = remarks.write(session, "Mine", by=cora, shared=False)
    ana = person("Ana Boss", is_staff=True)
    ana.groups.set(cora.groups.all())
    hers = remarks.write(session, "Hers", by=ana, shared=True)

    seen = desk.get(page(session)).content.decode()
    assert (seen.count("/remove/"), seen.count("/edit/")) == (2, 2)  # in href and hx-get of one link
    desk.post(url("remove", hers))
    refused = [str(message) for message in desk.get(page(session)).context["messages"]]
    assert refused == ["Ana Boss wrote this note. Ask them."]
    remarks.correct(mine, "Mine, too", by=cora, shared=True, seen=None)
    assert "Mine, too" in desk.get(url("remove", mine)).content.decode()
    desk.post(url("remove", mine))
    mine.refresh_from_db()
    # That there was one stays, its words do not.
    assert (mine.removed, set(mine.history.values_list("text", flat=True))) == (True, {""})
    assert mine.history.values_list("history_user", "history_change_reason").first() == (cora.pk, "removed")
    seen = desk.get(page(session)).content.decode()
    assert ("/remove/" in seen, "removed" in seen, "Hers" in seen) == (False, True, True)
    mentee = Client()
    mentee.force_login(alex.user)
    assert "A note was removed, " in mentee.get(reverse("session", args=[session.pk])).content.decode()
    with pytest.raises(ValidationError) as refusal:
        remarks.remove(mine, by=cora)
    assert refusal.value.code == "gone"
    erasure.erase(alex.user, by=person("Root Ruiz", is_staff=True, is_superuser=True))
    assert (Remark.objects.exists(), Remark.history.exists()) == (False, False)


def test_who_may_only_look_sees_no_notes_and_writes_none(session, person, cora):
    from django.contrib.auth.models import Group

    from project.groups import VIEWERS

    remark = remarks.write(session, "Alex is shy", by=cora, shared=False)
    viewer = person("Vic Stone", is_staff=True)
    viewer.groups.add(Group.objects.get(name=VIEWERS))
    client = Client()
    client.force_login(viewer)
    seen = client.get(page(session))
    assert (seen.status_code, "Alex is shy" in seen.content.decode()) == (200, False)
    assert [client.post(url(what, remark)).status_code for what in ("edit", "remove", "history")] == [403] * 3
    assert client.post(reverse("admin:scheduling_session_add_remark", args=[session.pk]), {"text": "x"}).status_code == 403


def test_the_page_tells_what_happened_with_old_and_new_and_for_whom(desk, session, maya, cora, monday):
    booking.reschedule(session, monday.replace(hour=10), by=cora, on_behalf_of=maya.user, reason="Dentist")
    text = " ".join(desk.get(page(session)).content.decode().split())
    assert "What happened" in text
    for told in ("Moved for the mentor", "Cora Diaz", "Maya Lopez", "Dentist", "09:00–09:30", "10:00–10:30"):
        assert told in text, told
