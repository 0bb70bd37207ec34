"""The menu: where one is, and how many wait where."""

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from people.models import ErasureRequest, SkillSuggestion
from project import badges
from scheduling import booking

pytestmark = pytest.mark.django_db


def menu(client, name, *args) -> dict:
    page = client.get(reverse(f"admin:{name}", args=args))
    return {str(item["title"]): item for group in page.context["sidebar_navigation"] for item in group["items"]}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("index", "Today"),
        ("scheduling_session_changelist", "Sessions"),
        ("scheduling_session_add", "Sessions"),
        ("scheduling_session_reports", "Reports"),
        ("scheduling_availability_changelist", "Availability"),
        ("scheduling_timeoff_changelist", "Time off"),
        ("people_mentor_changelist", "Mentors"),
        ("people_mentor_hand_over", "Hand over"),
        ("people_skill_changelist", "Skills"),
        ("people_skillsuggestion_changelist", "Suggested skills"),
        ("people_sheetexport_changelist", "Exports"),
    ],
)
def test_one_item_is_lit(client, cora, name, title):
    client.force_login(cora)
    assert [title for title, item in menu(client, name).items() if item["active"]] == [title]


@pytest.mark.badges
def test_what_waits_is_counted_once_a_minute_and_shown_to_who_may_see_it(client, cora, vera, session, maya, zoe):
    caches["memory"].clear()
    SkillSuggestion.objects.create(name="Rust", mentor=maya)
    ErasureRequest.objects.create(person=zoe.user)

    def shown(user):
        client.force_login(user)
        page = client.get(reverse("admin:people_team_changelist")).content.decode()
        return page.count('class="desk-badge"')

    with time_machine.travel(session.answer_by, tick=False) as clock:
        # The request, the notices about it, the suggestion and the erasure; a viewer sees sessions of these only.
        assert (shown(cora), shown(vera)) == (4, 1)
        assert badges.numbers() == {"answer": 1, "sending": 1, "erasurerequest": 1, "skillsuggestion": 1}
        booking.decline(session, by=maya.user)
        with CaptureQueriesContext(connection) as asked:
            assert shown(cora) == 4
        assert not [query for query in asked if "skillsuggestion" in query["sql"]]
        clock.shift(61)
        assert (badges.shown("answer"), badges.shown("skillsuggestion")) == ("", "1")
    caches["memory"].clear()
