"""Every list of the desk asks the database as often for three rows as for one. A new list has to say here how often."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from people.models import ChangeSet, ErasureRequest, SheetExport, Skill, SkillSuggestion, Team
from scheduling import booking
from scheduling.models import Feedback, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

# List -> questions, of a superuser: session, user and program among them.
QUESTIONS = {
    "people.ChangeSet": 5,
    "people.ErasureRequest": 6,
    "people.SheetExport": 7,
    "people.SkillSuggestion": 6,
    "people.Skill": 6,
    "people.Team": 6,
    "scheduling.Notice": 6,
    "scheduling.Feedback": 5,
    "scheduling.Availability": 6,
    "scheduling.WeeklyHours": 6,
    "scheduling.TimeOff": 6,
    "people.Mentor": 8,
    "people.Mentee": 7,
    "people.User": 7,
    "scheduling.Session": 8,
    "auth.Group": 6,
    "account.EmailAddress": 6,
    "mfa.Authenticator": 6,
    "django_q.Schedule": 6,
    "django_q.Success": 6,
    "django_q.Failure": 6,
    "django_q.OrmQ": 6,
}
# One is a page for uploads, the other the page of its only row.
NO_LISTS = {"people.Import", "scheduling.Program"}


def fill(rows, person, window, monday):
    """So many of everything."""
    now = timezone.now()
    for number in range(rows):
        mentor, mentee = (person(f"{role}{number} Ames", **{role: True}) for role in ("mentor", "mentee"))
        window(mentor.mentor)
        session = booking.request(mentor.mentor, mentee.mentee, monday, 30, by=mentee)
        mentor.mentor.skills.add(Skill.objects.create(name=f"Skill {number}"))
        mentee.mentee.team = Team.objects.create(number=number)
        mentee.mentee.save()
        WeeklyHours.objects.create(
            mentor=mentor.mentor, weekday=1, begins="09:00", ends="12:00", time_zone="UTC", valid_from_on=monday.date()
        )
        TimeOff.objects.create(mentor=mentor.mentor, start_time=monday, end_time=monday + timedelta(hours=1))
        SkillSuggestion.objects.create(name=f"Other {number}", mentor=mentor.mentor, settled_by=mentee)
        ErasureRequest.objects.create(person=mentee)
        Feedback.objects.create(session=session, rating=4, created_at=now)
        ChangeSet.objects.create(kind="bulk", sentence="Canceled", by=mentor, about=mentee)
        SheetExport.objects.create(by=mentor, sheet="mentors", ending="csv", rows=1)
        Authenticator.objects.create(user=mentor, type="totp", data={})
        Group.objects.create(name=f"Group {number}")
        Schedule.objects.create(name=f"Schedule {number}", func="people.tasks.nothing")
        OrmQ.objects.create(key="team-production-system", payload="x", lock=now)
        for success in (True, False):
            key = f"{success}{number}"
            Task.objects.create(id=key, name=key, func="people.tasks.nothing", started=now, stopped=now, success=success)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_costs_the_same_for_one_row_and_three(client, person, window, monday, rows):
    client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    fill(rows, person, window, monday)
    counted, lengths = {}, {}
    for model in admin.site._registry:
        if model._meta.label in NO_LISTS:
            continue
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(url)
        counted[model._meta.label], lengths[model._meta.label] = len(asked), page.context["cl"].result_count
    assert counted == QUESTIONS
    assert min(lengths.values()) == rows, lengths
