"""Times as other programs and people write them, through the desk: weekly hours, windows, and the past of another system."""

import io
from datetime import date, datetime, time

import openpyxl
import pytest
from django.utils import timezone

from people.imports import kinds, work
from people.models import Import
from people.tests.test_import_desk import apply, counts, look, page, problems
from scheduling.models import WeeklyHours

pytestmark = pytest.mark.django_db

BOTH = "maya@example.org,alex@example.org"


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def desk(client, cora, maya, omar, alex):
    client.force_login(cora)
    return client


def values(found: Import, *columns: str) -> list:
    """What the new rows say in these columns."""
    rows = [{column: new for column, _old, new in row.changes} for row in found.rows.filter(outcome="new")]
    return [" ".join(row[column] for column in columns) for row in rows]


# ---- weekly hours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        ("Mentor,Day,From,To\n{},Mo-Mi,17:00,7 pm\n", ["Monday 17:00 19:00", "Tuesday 17:00 19:00", "Wednesday 17:00 19:00"]),
        ("Mentor,Availability\n{},Mondays 5-6pm\n", ["Monday 17:00 18:00"]),
        ("Email,Office hours\n{},Mon/Wed 17:00–18:30\n", ["Monday 17:00 18:30", "Wednesday 17:00 18:30"]),
        ("Mentor,Hours\n{},Tue 11-1 pm; Thursday from 14 to 16 Uhr\n", ["Tuesday 11:00 13:00", "Thursday 14:00 16:00"]),
        ("E-Mail,Monday,Tuesday,Sunday\n{},17:00-19:00,no,\"9:00-10:00, 15:00-16:00\"\n", ["Monday 17:00 19:00", "Sunday 09:00 10:00", "Sunday 15:00 16:00"]),
        ("Email,When can you? [Monday],When can you? [Friday]\n{},5–6 p.m.,\n", ["Monday 17:00 18:00"]),
        ("Mentor,Weekday,Time\n{},\"Mon, Fri\",5pm - 6:30pm\n", ["Monday 17:00 18:30", "Friday 17:00 18:30"]),
        ("Mentor,Tag,Von,Bis\n{},dienstags,17h30,19 Uhr\n", ["Tuesday 17:30 19:00"]),
    ],
)  # fmt: skip
def test_weekly_hours_are_read_as_people_write_them(desk, sheet, expected):
    found = look(desk, "hours", sheet.format("maya@example.org"))
    assert (problems(found), counts(found)) == ([], {"new": len(expected)})
    assert values(found, "weekday", "begins", "ends") == expected
    assert {tuple(row.numbers) for row in found.rows.all()} == {(2,)}


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("Mon 5-6", "“5-6” can be in the morning or in the evening. Write it like 17:00-18:00, or 5-6 pm."),
        ("Mon 17-18 or later", "“Mon 17-18 or later” is not understood. Write it like Mon–Fr 17:00–19:00; Sat 10:00–12:00."),
        ("any time", "“any time” is not understood. Write it like Mon–Fr 17:00–19:00; Sat 10:00–12:00."),
    ],
)
def test_hours_that_are_not_understood_are_refused_and_none_of_them_is_lost(desk, cell, sentence):
    found = look(desk, "hours", f"Mentor,Availability\nmaya@example.org,{cell}\nomar@example.org,\n")
    assert problems(found) == [
        ([2], [["hours", sentence]]),
        ([3], [["weekday", "There is no day, or no time, in this row."]]),
    ]


def test_a_row_of_several_hours_is_written_taken_back_and_refused_as_one(desk):
    sheet = "Mentor,Availability\nmaya@example.org,Mo-Fr 17:00-19:00\nnobody@example.org,Mo-Fr 17:00-19:00\n"
    found = look(desk, "hours", sheet)
    assert counts(found) == {"new": 5, "refused": 5}
    apply(desk, found, good="1")
    assert sorted(WeeklyHours.objects.values_list("weekday", "begins")) == [(day, time(17)) for day in range(5)]
    assert "are by each mentor’s own clocks" in desk.get(page("sheet", look(desk, "hours", sheet).pk)).content.decode()
    refused = desk.get(page("refused", found.pk)).content.decode().splitlines()
    assert len(refused) == 2
    assert refused[1].startswith("nobody@example.org,Mo-Fr 17:00-19:00,Row 3: There is no mentor “nobody@example.org”.")
    assert counts(look(desk, "hours", "\n".join(sheet.splitlines()[:2]))) == {"unchanged": 5}
    desk.post(page("undo", found.pk))
    assert not WeeklyHours.objects.exists()


# ---- moments and lengths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "length"),
    [
        ("12/31/2024 2:30 PM", "30 min"),
        ("12/31/24 14:30", "0:30"),
        ("31.12.24 14.30 Uhr", '"30,0"'),
        ("31. Dezember 2024 um 14h30", "½ hour".replace("½", "0.5")),
        ('"Tue, Dec 31st, 2024 at 2:30pm"', "00:30:00"),
        ("2024-12-31 2:30 p.m.", "30'"),
        ("2024-12-31T14:30:00+0000", "30.0"),
    ],
)
def test_moments_and_lengths_are_read_as_other_programs_write_them(desk, start, length):
    found = look(desk, "past", f"Mentor,Mentee,Start,Duration\n{BOTH},{start},{length}\n")
    assert (problems(found), values(found, "start_time", "end_time")) == ([], ["2024-12-31T14:30:00Z 2024-12-31T15:00:00Z"])


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("Date,Time", "12/31/2024,2:30 - 3 PM"),
        ("Datum,Von,Bis", "31.12.2024,14:30,15 Uhr"),
        ("Start,Length", "2024-12-31 14:30 - 15:00,"),
        ("Start Date,Start Time,Duration", "2024-12-31 00:00:00,14:30:00,30 mins"),
    ],
)
def test_a_day_and_a_time_find_each_other(desk, columns, cells):
    for kind, start in (("past", f"Mentee,Mentor,{columns}\nalex@example.org"), ("windows", f"Notes,Mentor,{columns}\n")):
        found = look(desk, kind, f"{start},maya@example.org,{cells}\n")
        assert (problems(found), values(found, "start_time", "end_time")) == ([], ["2024-12-31T14:30:00Z 2024-12-31T15:00:00Z"])


def test_a_session_over_midnight_ends_on_the_day_that_is_said(desk):
    row = "12/31/2024,11:30 PM,1/1/2025,12:30 AM"
    found = look(desk, "past", f"Mentor,Mentee,Start Date,Start Time,End Date,End Time\n{BOTH},{row}\n")
    assert values(found, "start_time", "end_time") == ["2024-12-31T23:30:00Z 2025-01-01T00:30:00Z"]


def test_an_offset_is_no_end(desk):
    found = look(desk, "past", f"Mentor,Mentee,Start,Minutes\n{BOTH},2024-12-31 04:30-05:00,30\n")
    assert values(found, "start_time", "end_time") == ["2024-12-31T09:30:00Z 2024-12-31T10:00:00Z"]


def test_a_length_of_one_is_an_hour_or_a_minute_and_not_guessed(desk):
    found = look(desk, "past", f"Mentor,Mentee,Start,Length\n{BOTH},2024-12-31 14:30,1\n")
    said = "Write the length as a number of minutes, like 30, or with its unit, like 1 h 30 min."
    assert problems(found) == [([2], [["minutes", said]])]


def test_a_day_in_a_cell_for_a_time_is_not_midnight(desk):
    book = openpyxl.Workbook()
    book.active.append(["Mentor", "Mentee", "Start", "Minutes"])
    for start in (date(2024, 12, 30), datetime(2024, 12, 31)):  # noqa: DTZ001  a cell has no zone
        book.active.append([*BOTH.split(","), start, 30])
    out = io.BytesIO()
    book.save(out)
    found = look(desk, "past", out.getvalue())
    said = "“2024-12-30” says no time of day. Write it like 2026-11-23T14:30Z."
    assert problems(found) == [([2], [["start_time", said]])]
    # This one is shown with its time in the file.
    assert values(found, "start_time") == ["2024-12-31T00:00:00Z"]


@pytest.mark.parametrize(
    ("others", "ask", "says"),
    [
        ("31/12/2024", "", "2024-03-04T10:00:00Z"),
        ("12/31/2024", "", "2024-04-03T10:00:00Z"),
        ("4/3/2024", "day", "2024-03-04T10:00:00Z"),
        ("4/3/2024", "month", "2024-04-03T10:00:00Z"),
    ],
)
def test_which_of_two_days_it_is_the_rest_of_the_sheet_says_or_somebody_is_asked(desk, others, ask, says):
    found = look(desk, "past", f"Mentor,Mentee,Start,Minutes\n{BOTH},4/3/2024 10:00,30\n{BOTH},{others} 12:00,30\n")
    shown = desk.get(page("sheet", found.pk)).content.decode()
    asked = "2 rows have a date that can be two days" in shown
    assert (asked, "as other rows of the sheet say" in shown) == (bool(ask), not ask)
    if ask:
        assert counts(found) == {"refused": 2, "two_days": 2}
        desk.post(page("look", found.pk), {"dates": ask})
        found.refresh_from_db()
        assert "checked" in desk.get(page("sheet", found.pk)).content.decode().partition('name="dates"')[2][:400]
    assert values(found, "start_time")[0] == says
    apply(desk, found)
    assert found.state == "done"


# ---- statuses, and whose column it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("COMPLETED", "Completed"),
        ("No show", "No-show"),
        ("NO_SHOW", "No-show"),
        ("No-show (mentee)", "No-show"),
        ("cancelled by invitee", "Canceled"),
        ("Late cancel", "Canceled"),
        ("Happened", "Completed"),
    ],
)
def test_statuses_of_other_systems_are_known(desk, written, status):
    found = look(desk, "past", f"Mentor,Mentee,Start,Minutes,Status\n{BOTH},2024-12-31 14:30,30,{written}\n")
    assert (problems(found), values(found, "status")) == ([], [status])


CALENDLY = """Event Type Name,Invitee Name,Invitee Email,Invitee Time Zone,Start Date & Time,End Date & Time,Event Created Date & Time,Canceled,User Name,User Email
30 Min,Alex,alex@example.org,Asia/Tokyo,2024-12-30 10:00 AM,2024-12-30 10:30 AM,2024-12-01 09:00 AM,false,Maya,maya@example.org
30 Min,Alex,alex@example.org,Asia/Tokyo,2024-12-31 10:00 AM,2024-12-31 10:30 AM,2024-12-01 09:00 AM,true,Maya,maya@example.org
"""


def test_an_export_of_calendly_comes_in_as_it_is(desk):
    found = look(desk, "past", CALENDLY)
    assert found.mapping == ["", "", "mentee", "", "start_time", "end_time", "created_at", "canceled", "", "mentor"]
    assert values(found, "start_time", "status") == ["2024-12-30T10:00:00Z Completed", "2024-12-31T10:00:00Z Canceled"]


def test_somebody_named_without_an_address_is_not_guessed(desk):
    found = look(desk, "past", "Mentor name,Student,Start,Minutes\nMaya Lopez,alex@example.org,2024-12-31 14:30,30\n")
    said = "There is no mentor “Maya Lopez”. Name them by their e-mail address, or import them first."
    assert problems(found) == [([2], [["mentor", said]])]


# ---- by whose clocks ----------------------------------------------------------------------------------------------------


def test_the_worker_reads_times_by_the_clocks_of_who_uploaded(desk, cora, monkeypatch):
    cora.time_zone = "Europe/Berlin"
    cora.save()
    kind = kinds.get("past")
    monkeypatch.setitem(kinds._kinds, "past", kinds.Kind(**(kind.__dict__ | {"at_once": 0})))
    queued = []
    monkeypatch.setattr(work, "async_task", lambda task, key: queued.append(key))
    found = look(desk, "past", f"Mentor,Mentee,Start,Minutes\n{BOTH},2024-12-31 14:30,30\n")
    assert (queued, timezone.get_current_timezone_name()) == ([str(found.pk)], "UTC")
    work.go_on(queued.pop())
    assert values(found, "start_time") == ["2024-12-31T13:30:00Z"]
    shown = desk.get(page("sheet", found.pk))
    assert ("Start time", "", "Tue 31 Dec 2024, 14:30") in shown.context["rows"][0]["changes"]
    assert "by the clocks of Europe/Berlin" in shown.content.decode()
