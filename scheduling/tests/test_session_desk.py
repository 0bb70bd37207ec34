"""The list of sessions: what each tab shows, how it is searched and filtered, saved views, and verbs on many at once."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from people.models import ChangeSet, NotificationSettings, Skill, Team
from scheduling import booking, delivery
from scheduling.admin import finding
from scheduling.models import SavedView, Session
from scheduling.tests.test_undo import sent

pytestmark = pytest.mark.django_db

DESK = "/admin/scheduling/session/"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A Wednesday, 12:00 in Berlin.
NOW = datetime(2099, 6, 17, 12, tzinfo=ZoneInfo("Europe/Berlin"))

# Bytes, before they are compressed.
LIGHT = 130_000


@pytest.fixture
def desk(client, cora):
    cora.time_zone = "Europe/Berlin"
    cora.save()
    client.force_login(cora)
    return client


@pytest.fixture
def then(desk, cora):
    """The desk on that Wednesday."""
    with time_machine.travel(NOW, tick=False):
        desk.force_login(cora)
        yield


def found(desk, **query) -> list[int]:
    return [session.pk for session in desk.get(DESK, query).context["cl"].result_list]


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def many(maya, omar, alex, bo):
    """A function that makes sessions by no verb: many(("Confirmed", start), ...) returns their keys."""

    def make(*rows, mentor=maya, mentee=alex, minutes=30):
        return [
            Session.objects.create(
                mentor=mentor,
                mentee=mentee,
                start_time=start,
                end_time=start + timedelta(minutes=minutes),
                status=status,
                ending="canceled" if status == "Canceled" else "",
                created_at=start - 3 * DAY,
                answer_by=start if status == "Pending" else None,
            ).pk
            for status, start in rows
        ]

    return make


# ---- tabs ---------------------------------------------------------------------------------------------------------------


def test_each_tab_shows_what_it_says_in_its_order_and_how_many(desk, then, many, bo, omar):
    running, tonight, sunday, later, off = many(
        ("Confirmed", NOW - timedelta(minutes=10)),
        ("Confirmed", NOW.replace(hour=23, minute=59)),
        ("Pending", NOW.replace(day=21, hour=23)),
        ("Pending", NOW + 20 * DAY),
        ("Canceled", NOW + HOUR),
    )
    [first] = many(("Confirmed", NOW.replace(day=15, hour=0)), mentor=omar, mentee=bo)
    [last_week, held] = many(("Confirmed", NOW.replace(day=14, hour=23, minute=29)), ("Completed", NOW - 30 * DAY))
    # The nearer one may wait longer.
    Session.objects.filter(pk=later).update(answer_by=NOW + HOUR)
    assert found(desk) == found(desk, when="ahead") == [running, tonight, sunday, later]
    assert found(desk, when="today") == [running, tonight]
    assert found(desk, when="week") == [first, running, tonight, sunday]
    assert found(desk, when="waiting") == [later, sunday]
    assert found(desk, when="report") == [first, last_week]
    assert found(desk, when="past") == [first, last_week, held]
    assert found(desk, when="all") == [later, sunday, tonight, off, running, first, last_week, held]
    # What is off is shown to whoever asks for it.
    assert found(desk, when="today", status__exact="Canceled") == [off]
    page = desk.get(DESK)
    assert [(tab["title"], tab["count"]) for tab in page.context["cl"].tabs] == [
        ("Ahead", 4),
        ("Today", 2),
        ("This week", 4),
        ("Waiting", 2),
        ("To report", 2),
        ("Past", None),
        ("All", None),
    ]
    assert [tab["title"] for tab in page.context["cl"].tabs if tab["active"]] == ["Ahead"]
    assert "Answer by" in desk.get(DESK, {"when": "waiting"}).content.decode()


def test_the_heads_of_the_columns_say_how_the_tab_is_ordered(desk, then, many):
    many(("Pending", NOW + HOUR))
    orders = {
        when: desk.get(DESK, {"when": when}).context["cl"].get_ordering_field_columns() for when in ("ahead", "waiting", "all")
    }
    # The fourth column is when they start.
    assert orders == {"ahead": {3: "asc"}, "waiting": {}, "all": {3: "desc"}}
    assert desk.get(DESK, {"when": "ahead", "o": "-3"}).context["cl"].get_ordering_field_columns() == {3: "desc"}


def test_a_page_of_fifty_is_light_in_every_tab(desk, then, many):
    many(
        *(
            (status, NOW + sign * number * HOUR)
            for status, sign in (("Pending", 1), ("Confirmed", -1))
            for number in range(1, 51)
        )
    )
    pages = {when: desk.get(DESK, {"when": when}).content for when in ("ahead", "waiting", "report", "past", "all")}
    assert {when: page.count(b'name="_selected_action"') for when, page in pages.items()} == dict.fromkeys(pages, 50)
    assert {when: len(page) for when, page in pages.items() if len(page) > LIGHT} == {}


def test_an_address_that_asks_for_something_finds_it_anywhere_and_keeps_its_tab_when_it_has_one(desk, then, many, maya):
    [held, ahead] = many(("Completed", NOW - DAY), ("Confirmed", NOW + DAY))
    assert found(desk, mentor__user__exact=maya.pk) == [ahead, held]
    assert found(desk, q="maya lopez") == [ahead, held]
    assert found(desk, when="ahead", q="maya lopez") == [ahead]
    assert found(desk, when="nonsense") == [ahead, held]
    page = desk.get(DESK, {"status__exact": "Confirmed", "when": "ahead", "q": "maya"}).context["cl"]
    assert [tab["count"] for tab in page.tabs] == [None] * 7
    kept = [parse_qs(urlsplit(tab["link"]).query) for tab in page.tabs]
    assert kept[0] == {"status__exact": ["Confirmed"], "when": ["ahead"], "q": ["maya"]}
    assert kept[3] == kept[0] | {"when": ["waiting"]}
    # The search and the filters keep it: also the one that the address does not name.
    assert desk.get(DESK).content.decode().count('name="when" value="ahead"') == 2
    back = desk.get(f"{DESK}{ahead}/change/?_changelist_filters=when%3Dweek%26q%3Dmaya").content.decode()
    assert f"{DESK}?when=week&amp;q=maya" in back


def test_a_thousand_and_more_are_not_counted(desk, then, many, monkeypatch):
    monkeypatch.setattr(finding, "CAP", 2)
    monkeypatch.setattr("scheduling.admin.tabs.CAP", 2)
    many(*(("Confirmed", NOW + number * HOUR) for number in range(1, 56)))
    page = desk.get(DESK).context["cl"]
    assert (str(page.tabs[0]["count"]), str(page.result_count), len(page.result_list)) == ("2+", "52+", 50)
    second = desk.get(DESK, {"p": 2}).context["cl"]
    assert (second.result_count, len(second.result_list)) == (55, 5)
    assert desk.get(DESK, {"p": 9}).url == f"{DESK}?e=1"


def test_what_is_settled_on_a_page_leads_back_to_the_list_it_was_opened_from(desk, then, many):
    [key] = many(("Confirmed", NOW - DAY))
    kept = "?_changelist_filters=needs%3Dreport"
    page = desk.get(f"{DESK}{key}/change/{kept}").content.decode()
    assert [f'hx-get="{DESK}{key}/{verb}/{kept}"' in page for verb in ("complete", "mark_no_show")] == [True, True]
    assert f'href="{DESK}?needs=report"' in page
    assert "<title>Maya Lopez · Alex Johnson | " in " ".join(page.split()).replace("<title> ", "<title>")
    settled = desk.post(f"{DESK}{key}/complete/{kept}", {"_form_submitted": "True", "version": "0"})
    assert settled["HX-Redirect"] == f"{DESK}{key}/change/{kept}"
    # From elsewhere there is nothing to lead back to.
    assert f'hx-get="{DESK}{key}/add_remark/"' in desk.get(f"{DESK}{key}/change/").content.decode()


# ---- search and filters -------------------------------------------------------------------------------------------------


def test_few_and_many_are_found_alike(desk, then, client, many, person, maya, omar, bo, cora, monkeypatch):
    hers = many(*(("Confirmed", NOW + number * HOUR) for number in range(1, 4)))
    [other] = many(("Confirmed", NOW + HOUR), mentor=omar, mentee=bo)
    alls = {
        "Lopez": hers,
        "maya@example.org": hers,
        "ALEX john": hers,
        "Bo": [other],
        "o": [hers[0], other, *hers[1:]],
        "xyz": [],
    }
    for few in (2_000, 1):
        monkeypatch.setattr(finding, "FEW", few)
        for term, keys in alls.items():
            assert found(desk, when="ahead", q=term) == keys, (few, term)
    monkeypatch.setattr(finding, "PEOPLE_FOUND", 1)
    assert said(desk.get(DESK, {"q": "o"}))[0].startswith("More than 1 person is called that")


def test_who_may_not_see_addresses_cannot_search_by_them(then, many, person, maya):
    from django.contrib.auth.models import Group

    from project.groups import VIEWERS

    viewer = person("Vic Stone", is_staff=True)
    viewer.groups.add(Group.objects.get(name=VIEWERS))
    client = Client()
    client.force_login(viewer)
    [key] = many(("Confirmed", NOW + HOUR))
    assert found(client, q="maya") == [key]
    assert found(client, q="maya@example.org") == []
    page = client.get(DESK)
    assert page.context["action_form"] is None or not page.context["action_form"].fields["action"].choices[1:]


def test_skill_team_and_period(desk, then, many, maya, omar, alex, bo):
    sql, green = Skill.objects.create(name="SQL"), Team.objects.create(number=7, name="Green")
    maya.skills.add(sql)
    bo.team = green
    bo.save()
    [hers] = many(("Confirmed", NOW + DAY))
    [his] = many(("Confirmed", NOW + DAY), mentor=omar, mentee=bo)
    assert (found(desk, skill=sql.pk), found(desk, team=green.pk), found(desk, skill=sql.pk, team=green.pk)) == (
        [hers],
        [his],
        [],
    )
    # 31 October is the day of 25 hours in Berlin: the last hour of it is one, and midnight is not.
    edges = [datetime(2099, 10, day, hour, minute, tzinfo=NOW.tzinfo) for day, hour, minute in ((25, 0, 0), (25, 23, 59))]
    first, last = many(("Completed", edges[0]), ("Completed", edges[1]))
    many(("Completed", edges[0] - timedelta(minutes=1)), ("Completed", edges[1] + timedelta(minutes=1)))
    day = {"start_time_from": "2099-10-25", "start_time_to": "2099-10-25"}
    assert found(desk, **day) == [last, first]
    assert len(found(desk, start_time_from="2099-10-25", when="all")) == 3
    assert len(found(desk, start_time_to="10/25/2099", status__exact="Completed")) == 3
    for wrong, why in {
        "31.31.2099": "The period cannot be read: Enter a valid date. Write days like 2026-11-24.",
        "2099-10-26": "The period cannot be read: This period ends before it begins. Write days like 2026-11-24.",
    }.items():
        page = desk.get(DESK, day | {"start_time_from": wrong})
        assert (list(page.context["cl"].result_list), said(page)) == ([], [why])
        # In the form as it was typed.
        assert f'value="{wrong}"' in page.content.decode()


def test_days_are_read_as_the_readers_language_writes_them(cora):
    from people.period_filter import PeriodFilter

    request = RequestFactory().get("/")
    request.user = cora
    with translation.override("de"):
        asked = {"start_time_from": ["24.06.2099"], "start_time_to": ["2099-06-24"]}
        one = PeriodFilter(Session._meta.get_field("start_time"), request, asked, Session, None, "start_time")
        assert one._form().is_valid()
        assert asked == {}


# ---- saved views --------------------------------------------------------------------------------------------------------


def test_a_view_is_saved_shared_renamed_and_deleted(desk, person, cora):
    here = {"HTTP_HX_CURRENT_URL": f"http://testserver{DESK}?when=waiting&q=maya&p=3"}
    save = reverse("admin:scheduling_session_view_save")
    assert "Save this view" in desk.get(save, **here).content.decode()
    assert not SavedView.objects.exists()
    form = {"name": "Maya's requests", "_form_submitted": "True"}
    done = desk.post(save, form, **here)
    [view] = SavedView.objects.all()
    assert (view.owner, view.query, view.shared, done["HX-Redirect"]) == (
        cora,
        "q=maya&when=waiting",
        False,
        f"{DESK}?q=maya&when=waiting",
    )
    page = desk.get(DESK, {"q": "maya", "when": "waiting", "p": 1})
    assert [(one["active"], one["own"]) for one in page.context["saved_views"]] == [(True, True)]
    assert not page.context["can_be_saved"]
    twice = desk.post(save, form, **here)
    assert "You have a view of this name already." in twice.content.decode()
    other = Client()
    other.force_login(person("Ana Boss", is_staff=True, is_superuser=True))
    assert other.get(DESK).context["saved_views"] == []
    rename = reverse("admin:scheduling_session_view_rename", args=[view.pk])
    assert other.post(rename, form).status_code == 404
    desk.post(rename, {"name": "Hers", "shared": "on", "_form_submitted": "True"})
    assert [(one["view"].name, one["own"]) for one in other.get(DESK).context["saved_views"]] == [("Hers", False)]
    delete = reverse("admin:scheduling_session_view_delete", args=[view.pk])
    assert other.post(delete).status_code == 404
    assert "Others who use it lose it, too." in desk.get(delete).content.decode()
    assert SavedView.objects.count() == 1
    desk.post(delete, {"_form_submitted": "True"})
    assert not SavedView.objects.exists()


def test_views_are_for_who_sees_sessions(client, person):
    client.force_login(person("Stan Doyle", is_staff=True))
    assert client.get(reverse("admin:scheduling_session_view_save")).status_code == 403


# ---- many at once -------------------------------------------------------------------------------------------------------


def select(desk, action, sessions, query="?when=waiting&q=x"):
    return desk.post(DESK + query, {"action": f"{action}_selected", "_selected_action": [one.pk for one in sessions]})


def bulk(verb) -> str:
    return reverse("admin:scheduling_session_bulk", args=[verb])


@pytest.fixture
def three(session, maya, bo, kim, monday):
    """Alex's, Bo's and Kim's requests to Maya; Kim wants no mail about what is canceled, and Bo's is confirmed."""
    others = [booking.request(maya, one, monday + number * HOUR, 30, by=one.user) for number, one in ((1, bo), (2, kim.mentee))]
    settings, _ = NotificationSettings.objects.get_or_create(user=kim)
    NotificationSettings.objects.filter(pk=settings.pk).update(session_canceled=False)
    booking.confirm(others[0], by=maya.user)
    delivery.sweep()
    return [session, *others]


def test_cancel_many_says_who_is_told_names_what_is_refused_and_can_be_undone(desk, cora, three, bo, maya, monday):
    for one in three:
        one.refresh_from_db()
    held = Session.objects.create(
        mentor=maya, mentee=bo, start_time=monday - 9 * DAY, end_time=monday - 9 * DAY + HOUR, status="Completed",
        created_at=monday - 9 * DAY,
    )  # fmt: skip
    page = select(desk, "cancel", [*three, held], f"?when=all&mentor__user__exact={maya.pk}")
    assert [one.pk for one in page.context["ready"]] == [one.pk for one in three]
    assert page.context["button"] == "Cancel 3 sessions"
    assert page.context["told"] == {
        "messages": 5,
        "people": 3,
        "names": ["Alex Johnson", "Bo Lindqvist", "Maya Lopez"],
        "more": 0,
        "silent": 1,
    }
    [(why, named)] = page.context["refused"]
    assert (why, named[0][:27]) == ("This session is Completed: it cannot be canceled.", "Maya Lopez and Bo Lindqvist")
    assert not ChangeSet.objects.exists()
    form = page.context["form"].initial
    assert len(form["sessions"].split(",")) == 4
    none = desk.post(bulk("cancel"), form)
    assert none.context["form"].errors["reason"] == ["Write why: so many people want to know."]
    # One of them is changed by somebody else between the page and the button.
    booking.confirm(three[0], by=maya.user)
    done = desk.post(bulk("cancel"), form | {"reason": "The house is closed", "on_behalf_of": ""})
    assert [one.pk for one in done.context["outcome"].done] == [three[1].pk, three[2].pk]
    assert sorted(why[:26] for why, _ in done.context["refused"]) == [
        "Maya Lopez changed this se",
        "This session is Completed:",
    ]
    assert done.context["back"] == f"{DESK}?when=all&mentor__user__exact={maya.pk}"
    [change_set] = ChangeSet.objects.all()
    assert (change_set.kind, change_set.sentence, change_set.by, change_set.changes.count()) == (
        "bulk",
        "Sessions canceled",
        cora,
        2,
    )
    three[1].refresh_from_db()
    assert (three[1].status, three[1].reason) == ("Canceled", "The house is closed")
    assert [one for one in sent() if one == "bo"] == []
    # Sent twice, it does nothing twice.
    again = desk.post(bulk("cancel"), form | {"reason": "The house is closed"})
    assert (again.context["outcome"].done, ChangeSet.objects.count()) == ([], 1)
    assert "Nothing is changed." in again.content.decode()


@pytest.mark.parametrize(
    ("action", "verb", "status", "messages"),
    [
        ("confirm", "confirm", "Confirmed", 2),
        ("complete", "complete", "Completed", None),
        ("no_show", "mark_no_show", "No-show", None),
    ],
)
def test_the_other_verbs(desk, cora, session, maya, action, verb, status, messages):
    if verb != "confirm":
        booking.confirm(session, by=maya.user)
    with time_machine.travel(session.start_time + (HOUR if verb != "confirm" else -HOUR)):
        desk.force_login(cora)
        page = select(desk, action, [session])
        told = page.context["told"]
        assert (told and told["messages"]) == messages
        done = desk.post(
            bulk(verb), page.context["form"].initial | {"on_behalf_of": "mentor"} if messages else page.context["form"].initial
        )
    session.refresh_from_db()
    assert (session.status, len(done.context["outcome"].done)) == (status, 1)
    assert session.acted_for == (maya.user if messages else None)


def test_all_that_match_are_taken_up_to_a_limit(desk, then, many, monkeypatch):
    keys = many(*(("Pending", NOW + number * HOUR) for number in range(1, 53)))
    all_of_them = {"action": "confirm_selected", "_selected_action": [keys[0]], "select_across": "1"}
    page = desk.post(f"{DESK}?when=ahead", all_of_them)
    assert len(page.context["ready"]) == 52
    assert "Select all 52" in desk.get(DESK).content.decode()
    monkeypatch.setattr("scheduling.admin.bulk.MOST", 51)
    monkeypatch.setattr(booking, "MOST", 51)
    refused = desk.post(f"{DESK}?when=ahead", all_of_them, follow=True)
    assert said(refused) == [
        "More than 51 sessions are selected, and at most so many are changed at once. Filter, and select fewer."
    ]
    assert "Select all 52" not in refused.content.decode()


def test_only_who_acts_for_the_program_changes_many(desk, client, session, person):
    from django.contrib.auth.models import Group

    from project.groups import VIEWERS

    form = select(desk, "confirm", [session]).context["form"].initial
    assert desk.get(bulk("confirm")).status_code == 302
    assert desk.post(bulk("reassign"), form).status_code == 404
    empty = desk.post(bulk("confirm"), {"sessions": "x.y"}, follow=True)
    assert said(empty) == ["Select sessions in the list."]
    viewer = person("Vic Stone", is_staff=True)
    viewer.groups.add(Group.objects.get(name=VIEWERS))
    client.force_login(viewer)
    assert client.post(bulk("confirm"), form).status_code == 403
    session.refresh_from_db()
    assert session.status == "Pending"
