"""Invitations: whom, how many, what the server says to them, and who has come in."""

import re
import smtplib
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from people import inviting, tasks
from people.models import Invitation, User
from project.testing import PASSWORD
from project.tests.page import form_in

pytestmark = pytest.mark.django_db

PAGE = "/admin/people/import/invite/"


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """The tasks that were asked for; the worker stands here."""
    asked = []
    monkeypatch.setattr(inviting, "async_task", asked.append)
    return asked


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def roster(person):
    """Five of the roster: nobody has a password."""
    people = [person(f"Ada{number} Roster", mentee=number < 3, mentor=number >= 3) for number in range(5)]
    for user in people:
        user.set_unusable_password()
        user.save()
    return people


def test_not_yet_invited_people_are_shown_counted_and_mailed_once(desk, roster, queued, django_capture_on_commit_callbacks):
    page = desk.get(PAGE)
    assert (page.context["ready"], len(page.context["samples"]), len(page.context["people"])) == (5, 3, 5)
    assert desk.get(f"{PAGE}?role=mentor").context["ready"] == 2
    form = form_in(desk.get(f"{PAGE}?role=mentee"), "invite")
    with django_capture_on_commit_callbacks(execute=True):
        answer = desk.post(PAGE, form, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["3 invitations are on their way."]
    assert (queued, mail.outbox) == (["people.tasks.send_invitations"], [])
    assert tasks.send_invitations() == "3 sent"
    assert tasks.send_invitations() == "0 sent"
    assert sorted(message.to[0] for message in mail.outbox) == [user.email for user in roster[:3]]
    # The same press once more finds others than it was shown.
    assert desk.post(PAGE, form).context["again"]
    assert Invitation.objects.count() == 3
    counts = {name: count for name, _label, count in desk.get(PAGE).context["tabs"]}
    assert counts == {"not_invited": 2, "waiting": 0, "invited": 3, "accepted": 0, "failed": 0}


def test_an_invitation_is_accepted_once_and_seen_to_be(client, desk, roster, cora):
    ada = roster[0]
    inviting.ask([ada.pk], by=cora)
    inviting.sweep()
    link = re.search(r"https?://[^/]+(/\S+)", mail.outbox[0].body).group(1)
    desk.logout()
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    client.logout()
    assert "it has been used already" in client.get(link, follow=True).content.decode()
    client.force_login(cora)
    page = client.get(f"{PAGE}?state=accepted")
    assert [(user, str(label)) for user, label, _row in page.context["people"]] == [(ada, "Accepted")]
    assert page.context["ready"] == 0
    assert inviting.ask([ada.pk], by=cora) == 0


def test_it_is_sent_again_with_a_new_link_to_who_has_not_come(desk, roster, cora):
    ada = roster[0]
    inviting.ask([ada.pk], by=cora)
    inviting.sweep()
    form = form_in(desk.get(f"{PAGE}?state=invited"), "invite")
    desk.post(PAGE, form)
    inviting.sweep()
    row = Invitation.objects.get()
    assert (row.times, row.state, len(mail.outbox)) == (2, "sent", 2)
    assert "2 times" in desk.get(f"{PAGE}?state=invited").content.decode()
    link = re.search(r"https?://[^/]+(/\S+)", mail.outbox[0].body).group(1)
    with time_machine.travel(timezone.now() + timedelta(days=4), tick=False):
        assert "set a password" not in desk.get(link, follow=True).content.decode().lower()


def test_the_list_of_people_leads_to_the_same_page(desk, roster):
    keys = [roster[3].pk, roster[4].pk]
    page = desk.post(
        reverse("admin:people_mentor_changelist"), {"action": "invite_selected", "_selected_action": keys, "index": 0}
    )
    assert (page.context["ready"], Invitation.objects.count()) == (2, 0)
    desk.post(PAGE, form_in(page, "invite"))
    assert set(Invitation.objects.values_list("pk", flat=True)) == set(keys)


def test_what_the_server_puts_off_is_tried_again_and_what_it_refuses_is_listed(roster, cora, monkeypatch, desk):
    answers = iter([smtplib.SMTPDataError(451, b"later"), None, smtplib.SMTPRecipientsRefused({"x": (550, b"no such user")})])

    def told(user):
        if error := next(answers):
            raise error

    monkeypatch.setattr(inviting, "invite", told)
    inviting.ask([roster[0].pk], by=cora)
    assert inviting.sweep() == 0
    row = Invitation.objects.get()
    assert (row.state, row.times) == ("waiting", 0)
    assert inviting.sweep() == 0, "not before its pause is over"
    with time_machine.travel(row.not_before + timedelta(seconds=1), tick=False):
        assert inviting.sweep() == 1
    inviting.ask([roster[1].pk], by=cora)
    assert inviting.sweep() == 0
    assert [user for user, *_more in desk.get(f"{PAGE}?state=failed").context["people"]] == [roster[1]]


def test_a_sender_that_was_killed_leaves_its_row_to_the_next(roster, cora):
    inviting.ask([roster[0].pk], by=cora)
    row = inviting.due(timezone.now()).get()
    assert inviting._claim(row)
    assert inviting.sweep() == 0
    with time_machine.travel(timezone.now() + inviting.LEASE + timedelta(seconds=1), tick=False):
        assert inviting.sweep() == 1


def test_who_left_is_not_invited_and_who_may_not_change_people_invites_nobody(client, roster, cora, person):
    inviting.ask([roster[0].pk], by=cora)
    User.objects.filter(pk=roster[0].pk).update(is_active=False)
    assert (inviting.sweep(), len(mail.outbox)) == (0, 0)
    client.force_login(person("Vic Stone", is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"state": "not_invited"}).status_code == 403
