"""One rule, five faces: the same forbidden thing asked of each gets the same sentence."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import tablib
from django.core.exceptions import ValidationError
from django.urls import reverse

from people.models import User
from scheduling import booking
from scheduling.models import Session
from scheduling.resources import SessionResource
from scheduling.rules import day, when
from scheduling.slots import Period

pytestmark = pytest.mark.django_db

# Everybody in these tests sees times in the program's zone.
UTC = ZoneInfo("UTC")


def ask_verb(client, cora, mentor, mentee, start, minutes):
    try:
        booking.request(mentor, mentee, start, minutes, by=mentee.user)
    except ValidationError as refusal:
        return refusal.messages
    return []


def ask_admin(client, cora, mentor, mentee, start, minutes):
    client.force_login(cora)
    form = {
        "mentor": mentor.pk,
        "mentee": mentee.pk,
        "start_time_0": start.strftime("%Y-%m-%d"),
        "start_time_1": start.strftime("%H:%M"),
        "minutes": minutes,
        "key": "22222222-2222-4222-8222-222222222222",
    }
    response = client.post(reverse("admin:scheduling_session_add"), form)
    return response.context["adminform"].form.non_field_errors() if response.context else []


def ask_page(client, cora, mentor, mentee, start, minutes):
    client.force_login(mentee.user)
    form = {
        "start": start.isoformat(),
        "minutes": minutes,
        "form_key": "33333333-3333-4333-8333-333333333333",
        "topic": "SQL",
    }
    response = client.post(reverse("book", args=[mentor.pk]), form)
    return response.context["form"].non_field_errors() if response.context else []


def ask_import(client, cora, mentor, mentee, start, minutes):
    row = (mentor.user.email, mentee.user.email, start.isoformat(), (start + timedelta(minutes=minutes)).isoformat())
    sheet = tablib.Dataset(row, headers=["mentor", "mentee", "start_time", "end_time"])
    result = SessionResource().import_data(sheet, user=cora)
    return [message for refused in result.invalid_rows for message in refused.error.messages]


FACES = [ask_verb, ask_admin, ask_page, ask_import]


@pytest.mark.parametrize("ask", FACES)
@pytest.mark.parametrize(
    ("hours", "minutes", "sentence"),
    [
        (0, 30, "Maya Lopez already has a session {taken}."),
        (-24 * 30, 30, "{wanted} has already begun."),
        (3, 30, "Maya Lopez has not offered {wanted}."),
        (24, 30, "Maya Lopez leaves the program: {day} is the last day."),
        (2, 60, None),
    ],
)
def test_every_face_says_the_same(client, cora, maya, alex, bo, window, monday, ask, hours, minutes, sentence):
    window(maya)
    taken = booking.request(maya, bo, monday, 30, by=bo.user)
    User.objects.filter(pk=maya.pk).update(leaves_on=monday)
    maya.user.refresh_from_db()
    start = monday + timedelta(hours=hours)
    said = list(ask(client, cora, maya, alex, start, minutes))
    if sentence is None:
        # Allowed: the control that shows each face can book at all.
        assert said == []
        assert Session.objects.filter(mentee=alex, start_time=start).count() == 1
    else:
        told = {"taken": when(taken.period, UTC), "wanted": when(Period.of(start, minutes), UTC), "day": day(monday, UTC)}
        expected = sentence.format(**told)
        assert expected in said
        assert Session.objects.filter(mentee=alex).count() == 0


@pytest.mark.parametrize("ask", [ask_verb, ask_import])
def test_a_length_that_is_not_offered(client, cora, maya, alex, window, monday, ask):
    """The forms of the other faces offer no such length to choose."""
    window(maya)
    said = ask(client, cora, maya, alex, monday, 45)
    assert said == ["A session of 45 minutes is not offered here: choose 30 or 60 minutes."]
