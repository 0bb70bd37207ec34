"""The first page: what needs a person, each number the length of the list it opens; and the week beside a usual one."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from people.imports.models import Import
from people.models import ErasureRequest, Skill, SkillSuggestion, Team
from scheduling import booking
from scheduling.models import Availability, MentorLimits, Notice, Session
from scheduling.words import State

pytestmark = pytest.mark.django_db

MONDAY = datetime(2099, 3, 9, 9, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
TUESDAY = MONDAY + DAY - timedelta(hours=1)


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY - 2 * DAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def desk(clock, client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def world(clock, maya, omar, kim, alex, bo, zoe, window):
    """Tuesday, 8:00. Maya knows SQL, Alex is of team 7."""
    maya.skills.add(Skill.objects.create(name="SQL"))
    alex.team = Team.objects.create(number=7)
    alex.save()
    for day in range(5):
        window(maya, MONDAY + day * DAY)
        window(omar, MONDAY + day * DAY)
    # Kim has paused as a mentor; as a mentee they have no session.
    MentorLimits.objects.create(mentor=kim.mentor, paused_until_on=(MONDAY + WEEK).date())

    def booked(mentor, mentee, start, minutes=30):
        return booking.request(mentor, mentee, start, minutes, by=mentee.user)

    held = booking.confirm(booked(maya, alex, MONDAY, 60), by=maya.user)
    outside = booking.confirm(booked(maya, bo, MONDAY + 2 * DAY), by=maya.user)
    # Two windows that touch are one time.
    Availability.objects.filter(mentor=maya, start_time=MONDAY + 3 * DAY).update(end_time=MONDAY + 3 * DAY + timedelta(hours=1))
    window(maya, MONDAY + 3 * DAY + timedelta(hours=1), hours=2)
    booking.confirm(booked(maya, alex, MONDAY + 3 * DAY + timedelta(minutes=30), 60), by=maya.user)
    clock.move_to(MONDAY - DAY)
    soon, later = booked(omar, bo, MONDAY + DAY), booked(omar, alex, MONDAY + 4 * DAY)
    sooner = booked(omar, alex, MONDAY + DAY + timedelta(minutes=30))
    Session.objects.filter(pk=sooner.pk).update(answer_by=TUESDAY + timedelta(minutes=5))
    Availability.objects.filter(mentor=maya, start_time=MONDAY + 2 * DAY).delete()
    clock.move_to(TUESDAY)
    Notice.objects.update(state=State.SENT)
    later.notices.update(state=State.FAILED)
    held.notices.update(state=State.FAILED)
    return {"held": held, "outside": outside, "soon": soon, "sooner": sooner, "later": later}


def numbers(page) -> dict[str, int]:
    return {tile.title: tile.number for tile in page.context["needs"]}


def opened(desk, page) -> dict[str, list]:
    """Number by number, the list that it opens."""
    tiles = page.context["needs"] + page.context["clear"]
    tiles = [tile for tile in tiles if "left=" not in tile.link]
    return {tile.title: list(desk.get(tile.link).context["cl"].result_list) for tile in tiles}


def test_every_number_is_the_length_of_the_list_it_opens(desk, world, maya, alex, zoe, kim, omar):
    SkillSuggestion.objects.create(name="Rust", mentor=maya)
    ErasureRequest.objects.create(person=zoe.user)
    page = desk.get(reverse("admin:index"))
    assert numbers(page) == {
        "Requests waiting too long": 2,
        "Sessions that clash": 1,
        "Sessions to report": 1,
        "Notices late or failed": world["later"].notices.count(),
        "Mentees without a session": 2,
        "Erasures asked for": 1,
        "Skills suggested": 1,
    }
    lists = opened(desk, page)
    assert {title: len(rows) for title, rows in lists.items() if rows} == numbers(page)
    assert lists["Requests waiting too long"] == [world["sooner"], world["soon"]]
    assert (lists["Sessions that clash"], lists["Sessions to report"]) == ([world["outside"]], [world["held"]])
    assert set(lists["Mentees without a session"]) == {zoe, kim.mentee}
    assert lists["Mentors without time"] == []
    # What was held is answered for, the windows end, and somebody leaves past every door.
    Availability.objects.filter(start_time__gt=TUESDAY, mentor=omar).delete()
    type(alex.user).objects.filter(pk=alex.pk).update(is_active=False)
    booking.complete(world["held"], by=maya.user)
    page = desk.get(reverse("admin:index"))
    lists = opened(desk, page)
    assert {title: len(rows) for title, rows in lists.items() if rows} == numbers(page)
    assert lists["Mentors without time"] == [omar]
    # All ahead but Bo's on Tuesday clash with something; that one has lost its window, too.
    assert len(lists["Sessions that clash"]) == Session.objects.active().filter(start_time__gt=TUESDAY).count() == 5
    assert lists["Sessions to report"] == []


def test_a_list_says_what_it_was_opened_for_and_a_session_what_clashes(desk, world, maya, alex):
    def said(session) -> str:
        return desk.get(reverse("admin:scheduling_session_change", args=[session.pk])).context["clash"]

    assert said(world["outside"]) == "This session clashes: Maya Lopez does not offer this time any more."
    assert (said(world["soon"]), said(world["held"])) == ("", "")
    type(alex.user).objects.filter(pk=alex.pk).update(is_active=False)
    assert said(world["later"]) == "This session clashes: Alex Johnson is deactivated."
    listed = reverse("admin:scheduling_session_changelist")
    opened = desk.get(listed, {"needs": "decision", "team": alex.team_id}).content.decode()
    assert "Outside hours, or with somebody deactivated</strong>" in opened
    assert f'href="{reverse("admin:index")}?team={alex.team_id}"' in opened
    assert 'id="needed"' not in desk.get(listed, {"needs": "window"}).content.decode()
    empty = desk.get(reverse("admin:people_mentor_changelist"), {"needs": "window"}).content.decode()
    assert "Nothing of this needs you now." in empty
    assert "Nothing fits the search and the filters." in desk.get(listed, {"q": "nobody"}).content.decode()


def test_imports_with_rows_left_over_are_open_until_the_rest_is_in(desk, client, cora, vera, person):
    now, colleague, state = TUESDAY, person("Cleo Fox", is_staff=True), Import.State
    desk_now = time_machine.travel(now, tick=False)

    def came(kind="mentors", by=cora, state=state.DONE, refused=0, days=1):
        counts = {"refused": refused} if refused else {}
        return Import.objects.create(kind=kind, by=by, state=state, counts=counts, finished_at=now - days * DAY)

    def left():
        with desk_now:
            page = desk.get(reverse("admin:index"))
            tiles = {tile.title: tile for tile in page.context["needs"] + page.context["clear"]}
            tile = tiles["Imports with rows left over"]
            listed = desk.get(tile.link).context["recent"]
        assert len(listed) == tile.number
        return {one.pk for one, _ in listed}

    assert left() == set()
    waiting, rest = came(state=state.LOOKED), came(by=colleague, refused=2, days=3)
    came(by=colleague, state=state.LOOKED)
    came(refused=1, days=8)
    came(refused=0, days=2, kind="mentees")
    assert left() == {waiting.pk, rest.pk}
    # A sheet of the same kind comes in whole.
    came(days=2)
    assert left() == {waiting.pk}
    with desk_now:
        client.force_login(vera)
        page = client.get(reverse("admin:index"))
    assert "Imports with rows left over" not in [tile.title for tile in page.context["needs"] + page.context["clear"]]


def test_no_question_of_the_page_reads_a_whole_table(desk, world):
    """Whatever was years ago costs nothing. (PostgreSQL reads small tables as a whole, whatever indexes there are.)"""
    with CaptureQueriesContext(connection) as asked:
        page = desk.get(reverse("admin:index"))
    if connection.vendor == "sqlite":
        tiles = [tile for tile in page.context["needs"] + page.context["clear"] if "needs=" in tile.link]
        plans = [tile.rows.explain() for tile in tiles]
        assert len(plans) == 6
        weeks = [query["sql"] for query in asked if "STRFTIME" in query["sql"] or "decided_at" in query["sql"]]
        assert len(weeks) == 2
        with connection.cursor() as cursor:
            for sql in weeks:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}", ())
                plans += ["\n".join(row[3] for row in cursor.fetchall())]
        scans = [line.split("SCAN ")[1] for plan in plans for line in plan.splitlines() if "SCAN " in line]
        # Aliases (U0, V0) are questions inside others. People are few, and walked through for whoever has nothing.
        assert not [scan for scan in scans if scan.startswith(("scheduling", "U", "V", "W"))]


def test_what_was_booked_outside_of_hours_on_purpose_is_no_clash(desk, world, cora):
    Session.objects.filter(pk=world["outside"].pk).update(set_aside=["outside_window"])
    assert "Sessions that clash" not in numbers(desk.get(reverse("admin:index")))


def test_the_page_is_one_teams_or_one_skills_and_so_are_its_lists(desk, world, alex, maya, zoe):
    def of(**query):
        page = desk.get(reverse("admin:index"), query)
        lists = opened(desk, page)
        assert {title: len(rows) for title, rows in lists.items() if rows} == numbers(page)
        return numbers(page), page.context["week"]["figures"][0]["this"]

    everything = numbers(desk.get(reverse("admin:index")))
    late = everything["Notices late or failed"]
    team = {"Requests waiting too long": 1, "Sessions to report": 1, "Notices late or failed": late}
    assert of(team=alex.team_id) == (team, "1")
    skill = {"Sessions that clash": 1, "Sessions to report": 1, "Mentees without a session": 2}
    assert of(skill=maya.skills.get().pk) == (skill, "1")
    assert of(team=alex.team_id, skill=maya.skills.get().pk) == ({"Sessions to report": 1}, "1")
    # What is no team is no part.
    assert of(team="x") == of(team=999) == (everything, "1")


def cells(breakdown) -> dict[str, list[int]]:
    """Day or week -> the numbers of its statuses, and all."""
    return {row["label"]: [number for number, _ in row["cells"]] for row in breakdown["rows"]}


def lengths(desk, breakdown) -> dict[str, list[int]]:
    """How long the lists are that the same numbers open."""

    def length(link) -> int:
        return desk.get(link).context["cl"].result_count

    return {row["label"]: [number and length(link) for number, link in row["cells"]] for row in breakdown["rows"]}


@pytest.mark.parametrize("scoped", [False, True])
def test_every_number_of_the_week_is_the_length_of_the_list_it_opens(desk, world, alex, maya, scoped):
    booking.cancel(world["outside"], by=maya.user, reason="Ill")
    query = {"team": alex.team_id, "skill": maya.skills.get().pk} if scoped else {}
    page = desk.get(reverse("admin:index"), query)
    by_day, by_week = page.context["week"]["breakdowns"]
    assert cells(by_day)["Mon 9"] == [0, 1, 0, 0, 0, 1]
    assert cells(by_week)["this week"] == ([0, 2, 0, 0, 0, 2] if scoped else [3, 2, 0, 0, 1, 6])
    for breakdown in (by_day, by_week):
        assert lengths(desk, breakdown) == cells(breakdown)
        links = [link for row in breakdown["rows"] for number, link in row["cells"] if number]
        assert all(f'<a href="{escape(link)}">' in page.content.decode() for link in links)


def test_the_week_is_told_in_numbers_beside_a_usual_one(clock, desk, maya, omar, alex, bo, window):
    def lived(start, *verbs, mentee=alex, took=timedelta(hours=2), length=60):
        """Asked two days before, answered later, and reported right after the end."""
        clock.move_to(start - 2 * DAY)
        one = booking.request(maya, mentee, start, length, by=mentee.user)
        clock.move_to(start - 2 * DAY + took)
        for verb in verbs:
            if verb in (booking.complete, booking.mark_no_show):
                clock.move_to(one.end_time)
            one = verb(one, by=maya.user)
        return one

    for weeks in (4, 3, 2, 1):
        window(maya, MONDAY - weeks * WEEK + DAY, hours=4)
        lived(MONDAY - weeks * WEEK + DAY, booking.confirm, booking.complete)
    lived(MONDAY - WEEK + DAY + timedelta(hours=2), booking.confirm, booking.mark_no_show, mentee=bo)
    for day in (0, 4):
        window(maya, MONDAY + day * DAY, hours=4)
    lived(MONDAY, booking.confirm, booking.complete, took=timedelta(hours=5), length=30)
    lived(MONDAY + timedelta(hours=1), booking.decline, mentee=bo, took=timedelta(minutes=40))
    clock.move_to(TUESDAY)
    booking.request(maya, alex, MONDAY + 4 * DAY, 60, by=alex.user)
    week = desk.get(reverse("admin:index")).context["week"]
    told = {figure["title"]: (figure["this"], figure["usual"]) for figure in week["figures"]}
    assert told == {
        "Sessions held": ("1", "1.0"),
        # Half an hour and an hour of 8; five hours of 16.
        "Use of offered hours": ("19 %", "31 %"),
        # Answered two days before: for Monday in the week before, and for the first of the Tuesdays in a fifth.
        "Confirm rate": ("–", "83 %"),
        "No-show rate": ("0 %", "20 %"),
        "Median time to an answer": ("–", "2 hours"),
    }
    by_day, by_week = week["breakdowns"]
    assert by_day["statuses"] == ["Pending", "Confirmed", "Completed", "No-show", "Canceled"]
    assert {day: numbers for day, numbers in cells(by_day).items() if any(numbers)} == {
        "Mon 9": [0, 0, 1, 0, 1, 2],
        "Fri 13": [1, 0, 0, 0, 0, 1],
    }
    assert [numbers[-1] for numbers in cells(by_week).values()] == [1, 1, 1, 2, 3]


def test_a_week_begins_on_the_readers_monday(clock, desk, cora, maya, alex, window):
    """Monday 9:00 in UTC is a Sunday nowhere; 01:00 is one in New York."""
    cora.time_zone = "America/New_York"
    cora.save()
    window(maya, MONDAY - timedelta(hours=9), hours=4)
    booking.request(maya, alex, MONDAY - timedelta(hours=8), 30, by=alex.user)
    clock.move_to(TUESDAY)
    by_day, by_week = desk.get(reverse("admin:index")).context["week"]["breakdowns"]
    assert [numbers[-1] for numbers in cells(by_week).values()] == [0, 0, 0, 1, 0]
    assert by_day["rows"][0]["label"] == "Mon 9"
    assert lengths(desk, by_week) == cells(by_week)


def test_a_program_with_nobody_in_it_is_told_how_to_begin(desk, person):
    def shown() -> tuple[bool, bool]:
        text = desk.get(reverse("admin:index")).content.decode()
        return "Begin here" in text, "A usual week" in text

    assert shown() == (True, False)
    assert "There are no mentors yet." in desk.get(reverse("admin:scheduling_session_week")).content.decode()
    person("Maya Lopez", mentor=True)
    assert shown() == (True, False)
    person("Alex Johnson", mentee=True)
    assert shown() == (False, True)


def test_a_viewer_reads_what_they_may(clock, client, vera, world):
    client.force_login(vera)
    page = client.get(reverse("admin:index"))
    assert numbers(page) == {
        "Requests waiting too long": 2,
        "Sessions that clash": 1,
        "Sessions to report": 1,
        "Mentees without a session": 2,
    }
    text = page.content.decode()
    assert (page.context["promises"], "Book a session" in text, "Import mentors" in text) == (None, False, False)


@pytest.mark.parametrize("people", [1, 3])
def test_the_page_costs_the_same_whatever_the_size(desk, person, window, django_assert_num_queries, people):
    for number in range(people):
        mentor, mentee = person(f"M{number}", mentor=True).mentor, person(f"N{number}", mentee=True).mentee
        window(mentor, MONDAY)
        booking.request(mentor, mentee, MONDAY, 30, by=mentee.user)
        Team.objects.create(number=number)
    desk.get(reverse("admin:index"))
    with django_assert_num_queries(11):
        desk.get(reverse("admin:index"))
