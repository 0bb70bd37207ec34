"""Coordinators' notes on a session: who writes, who reads, who takes them away."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

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


def test_only_who_wrote_it_takes_it_away(desk, session, person, cora, alex):
    mine = remarks.write(session, "Mine", by=cora, shared=False)
    ana = person("Ana Boss", is_staff=True)
    ana.groups.set(cora.groups.all())
    hers = remarks.write(session, "Hers", by=ana, shared=True)

    def remove(remark):
        return reverse("admin:scheduling_session_remark_remove", args=[remark.pk])

    assert desk.get(page(session)).content.decode().count("/remove/") == 2  # in href and hx-get of one link
    desk.post(remove(hers))
    refused = [str(message) for message in desk.get(page(session)).context["messages"]]
    assert refused == ["Ana Boss wrote this note. Ask them."]
    assert "Mine" in desk.get(remove(mine)).content.decode()
    desk.post(remove(mine))
    assert [one.text for one in Remark.objects.all()] == ["Hers"]
    erasure.erase(alex.user, by=person("Root Ruiz", is_staff=True, is_superuser=True))
    assert not Remark.objects.exists()


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
    assert client.post(reverse("admin:scheduling_session_remark_remove", args=[remark.pk])).status_code == 403
    assert client.post(reverse("admin:scheduling_session_add_remark", args=[session.pk]), {"text": "x"}).status_code == 403


def test_the_page_tells_what_happened_with_old_and_new_and_for_whom(desk, session, maya, cora, monday):
    booking.reschedule(session, monday.replace(hour=10), by=cora, on_behalf_of=maya.user, reason="Dentist")
    text = " ".join(desk.get(page(session)).content.decode().split())
    assert "What happened" in text
    for told in ("Moved for the mentor", "Cora Diaz", "Maya Lopez", "Dentist", "09:00–09:30", "10:00–10:30"):
        assert told in text, told
