"""Lists leave as they are seen: their rows, in their order, in the columns that somebody chose; and it is written down who took
what.
"""

import csv
import io
import logging
from datetime import time
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from odf import opendocument
from odf.table import TableRow

from people.models import SheetExport, Skill, Team
from scheduling import booking
from scheduling.models import Feedback, Notice, Session, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

LISTS = {
    "people_mentor": [
        "Email",
        "First name",
        "Last name",
        "Time zone",
        "Phone number",
        "About me",
        "Skills",
        "Meeting link",
        "Notifications",
        "Roster key",
        "_row",
    ],
    "people_mentee": [
        "Email",
        "First name",
        "Last name",
        "Time zone",
        "Phone number",
        "Team number",
        "Notifications",
        "Roster key",
        "_row",
    ],
    "people_skill": ["Name", "_row"],
    "people_team": ["Number", "Name", "_row"],
    "scheduling_availability": ["Mentor email", "Start time", "End time", "Times in", "Roster key", "Mentor name", "_row"],
    "scheduling_weeklyhours": [
        "Mentor email",
        "Weekday",
        "From",
        "To",
        "Time zone",
        "Valid from",
        "Valid until",
        "Every weeks",
        "Mentor name",
        "_row",
    ],
    "scheduling_timeoff": ["Mentor email", "Mentor name", "Start time", "End time", "Times in", "Note"],
    "scheduling_session": [
        "Mentor email",
        "Mentee email",
        "Start time",
        "End time",
        "Times in",
        "Status",
        "Topic",
        "Meeting link",
        "Created at",
        "Roster key",
        "Mentor name",
        "Mentee name",
        "_row",
    ],
    "scheduling_notice": [
        "Due at",
        "Sent at",
        "Times in",
        "Kind",
        "To",
        "To, e-mail address",
        "State",
        "Why",
        "The server’s answer",
        "Attempts",
        "Mentor",
        "Mentee",
    ],
    "scheduling_feedback": ["Created at", "Times in", "Rating", "In words", "Sentence", "Mentor", "Mentee", "Session"],
}


@pytest.fixture
def world(session, maya, alex, monday):
    """Something of everything."""
    maya.skills.set([Skill.objects.create(name="SQL"), Skill.objects.create(name="Go")])
    alex.team = Team.objects.create(number=7, name="Elm")
    alex.save()
    WeeklyHours.objects.create(
        mentor=maya, weekday=1, begins=time(9), ends=time(12), time_zone="UTC", valid_from_on=monday.date()
    )
    TimeOff.objects.create(mentor=maya, start_time=monday, end_time=monday.replace(hour=12), note="-none-")
    Feedback.objects.create(session=session, rating=5, sentence="=Great", created_at=monday)
    return session


@pytest.fixture
def desk(client, cora):
    cora.time_zone = "Europe/Berlin"
    cora.save()
    client.force_login(cora)

    def leave(name, ending="csv", columns=None, query="", status=200):
        """The file, as other programs read it: rows of cells."""
        url = reverse(f"admin:{name}_export") + query
        page = client.get(url)
        columns = columns or page.context["form"].initial["columns"]
        response = client.post(url, {"columns": columns, "ending": ending})
        assert response.status_code == status
        data = response.getvalue()
        if ending == "csv":
            return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        return openpyxl.load_workbook(io.BytesIO(data)) if ending == "xlsx" else opendocument.load(io.BytesIO(data))

    leave.client = client
    return leave


@pytest.mark.parametrize("name", LISTS)
def test_every_list_leaves_in_every_format(desk, world, name, caplog):
    with caplog.at_level(logging.INFO, "people.export_admin"):
        headers, *rows = desk(name)
    assert headers == LISTS[name]
    assert len(rows) == {"people_skill": 2, "scheduling_notice": Notice.objects.count()}.get(name, 1)
    sheet = desk(name, "xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]] == headers
    assert sheet.max_row == len(rows) + 1
    assert sheet.column_dimensions[sheet.cell(1, len(headers)).column_letter].hidden == (headers[-1] == "_row")
    assert len(desk(name, "ods").getElementsByType(TableRow)) == len(rows) + 1
    kept = SheetExport.objects.last()
    told = [record.getMessage() for record in caplog.records if record.name == "people.export_admin"]
    # That of the sessions opens on those ahead.
    filters = "when" if name == "scheduling_session" else "none"
    assert told[0] == f"export by {kept.by_id}: {len(rows)} rows of {kept.sheet} as csv, filters: {filters}"


def test_rows_are_those_of_the_list_in_its_order_with_times_by_the_coordinators_clock(desk, world, bo, maya, monday):
    later = booking.confirm(booking.request(maya, bo, monday.replace(hour=10), 30, by=bo.user), by=maya.user)
    Session.objects.filter(pk=later.pk).update(topic="+49 30 1")
    columns = ["mentee", "start_time", "times_in", "status", "topic"]
    offset = monday.astimezone(ZoneInfo("Europe/Berlin"))

    def rows(query=""):
        return [row[:-1] for row in desk("scheduling_session", columns=columns, query=query)[1:]]

    first = ["alex@example.org", offset.isoformat(), "Europe/Berlin", "Pending", ""]
    second = ["bo@example.org", offset.replace(hour=offset.hour + 1).isoformat(), "Europe/Berlin", "Confirmed", "'+49 30 1"]
    assert rows() == [first, second]
    # Ordered by the column with the start, as a second click on its head does.
    assert rows("?o=-3") == [second, first]
    assert rows("?status__exact=Pending") == [first]
    assert rows("?q=Lindqvist&when=ahead&p=9") == [second]
    assert rows("?when=past") == []
    page = desk.client.get(
        reverse("admin:scheduling_session_export") + f"?q=Bo&when=ahead&mentor__user__exact={maya.pk}&status__exact=Confirmed"
    )
    assert page.context["filters"] == [("When", "Ahead"), ("Status", "Confirmed"), ("Mentor", "Maya Lopez"), ("Search", "“Bo”")]
    assert "1 row, in the order of the list" in page.content.decode()
    # A page of the list leads there with what is on, and back.
    link = "/admin/scheduling/session/export/?status__exact=Pending"
    assert link in desk.client.get(reverse("admin:scheduling_session_changelist") + "?status__exact=Pending").content.decode()
    assert page.context["back"].startswith("/admin/scheduling/session/?q=Bo&when=ahead")


def test_a_filter_that_is_none_leads_back_with_a_sentence(desk, world):
    response = desk.client.get(reverse("admin:scheduling_session_export") + "?nonsense__exact=1", follow=True)
    assert response.redirect_chain[0][0] == "/admin/scheduling/session/"
    assert "cannot be filtered like this" in response.content.decode()


def test_columns_and_format_are_remembered_for_each_person_and_list_beyond_a_log_out(desk, world, person):
    desk("people_mentor", "ods", ["first_name", "skills"], "?q=Maya&skills__id__exact=")
    desk.client.logout()
    desk.client.force_login(SheetExport.objects.get().by)
    initial = desk.client.get(reverse("admin:people_mentor_export")).context["form"].initial
    assert initial == {"columns": ["first_name", "skills"], "ending": "ods"}
    assert desk.client.get(reverse("admin:people_mentee_export")).context["form"].initial["ending"] == "xlsx"
    desk.client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    assert desk.client.get(reverse("admin:people_mentor_export")).context["form"].initial["ending"] == "xlsx"


def test_who_took_what_is_kept_without_what_was_looked_for(desk, world, cora, caplog):
    with caplog.at_level(logging.INFO):
        desk("people_mentor", "csv", ["first_name", "email"], "?q=maya@example.org&user__is_active__exact=1")
    kept = SheetExport.objects.get()
    assert (kept.by, kept.sheet, kept.rows, kept.ending) == (cora, "mentors", 1, "csv")
    assert (kept.columns, kept.filters) == (["email", "first_name"], ["q", "user__is_active__exact"])
    assert "export by" in caplog.text
    assert "maya" not in caplog.text.lower()
    page = desk.client.get(reverse("admin:people_sheetexport_changelist")).content.decode()
    assert "Cora Diaz" in page
    assert "maya@example.org" not in page


@pytest.mark.parametrize("name", LISTS)
def test_each_list_needs_its_own_permission_to_look_and_to_export(client, person, world, name):
    app, model = name.split("_")
    user = person("Vic Stone", is_staff=True)
    client.force_login(user)
    url = reverse(f"admin:{name}_export")

    def answers(*codenames):
        user.user_permissions.set(Permission.objects.filter(content_type__app_label=app, codename__in=codenames))
        return client.get(url).status_code, client.post(url, {"columns": "name", "ending": "csv"}).status_code

    assert answers(f"view_{model}") == answers(f"export_{model}") == (403, 403)
    assert answers(f"view_{model}", f"export_{model}")[0] == 200
    # Who may not see how people are reached takes none of that out.
    offered = {label for _, label in client.get(url).context["form"].fields["columns"].choices}
    assert not offered & {"Email", "Phone number", "Mentor email", "Mentee email", "To, e-mail address", "The server’s answer"}
    refused = client.post(url, {"columns": ["email", "mentor", "phone_number"], "ending": "csv"})
    assert "attachment" not in refused.headers.get("Content-Disposition", "") or b"@" not in refused.getvalue()


def test_a_csv_streams_with_few_questions_however_many_rows(desk, world, person, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("people.sheets.sheet.PIECE", 2)
    for number in range(5):
        mentor = person(f"Mentor{number} Ames", mentor=True).mentor
        mentor.skills.add(Skill.objects.get(name="SQL"))
    url = reverse("admin:people_mentor_export")
    response = desk.client.post(url, {"columns": ["first_name", "skills"], "ending": "csv"})
    # One for the rows, and one for the skills of each piece.
    with django_assert_num_queries(4):
        parts = [part.decode("utf-8-sig") for part in response.streaming_content]
    assert len(parts) == 4
    lines = list(csv.reader(io.StringIO("".join(parts), newline="")))
    assert [row[:2] for row in lines[1:]] == [["Maya", "Go, SQL"], *([f"Mentor{number}", "SQL"] for number in range(5))]
