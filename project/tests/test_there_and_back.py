"""A list leaves, is edited or not, and comes back: compared cell by cell with what it was, and with what it is here."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.exports import MENTEES, MENTORS, SKILLS, TEAMS
from people.models import Import, Mentor, NotificationSettings, Skill, Team, User
from people.resources import MenteeResource, MentorResource, SkillResource, TeamResource
from people.sheets.formats import CSV
from people.sheets.reading import read
from people.sheets.writing import made
from scheduling import booking
from scheduling.exports import SESSIONS, WEEKLY_HOURS, WINDOWS
from scheduling.models import Availability, Session, WeeklyHours
from scheduling.resources import AvailabilityResource, PastSessionResource, SessionResource, WeeklyHoursResource

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
BACK = [
    (MENTORS, MentorResource),
    (MENTEES, MenteeResource),
    (SKILLS, SkillResource),
    (TEAMS, TeamResource),
    (WINDOWS, AvailabilityResource),
    (WEEKLY_HOURS, WeeklyHoursResource),
    (SESSIONS, SessionResource),
    (SESSIONS, PastSessionResource),
]


def left(sheet, ending="csv", columns=None, rows=None) -> tablib.Dataset:
    """The list as a file, read again."""
    columns = sheet.chosen(columns) if columns else [column for column in sheet.columns if column.usual]
    rows = RESOURCE[sheet.name]._meta.model.objects.order_by("pk") if rows is None else rows
    pieces = sheet.rows(rows, columns, "csv" if ending == "csv" else "cell", BERLIN, timezone.now())
    with made(ending, sheet.name, sheet.heads(columns), pieces) as file:
        return read(file.read())


RESOURCE = {sheet.name: resource for sheet, resource in reversed(BACK)}


def edited(dataset: tablib.Dataset, row: int, **cells) -> tablib.Dataset:
    """With other words under these headers, in this row."""
    values = list(dataset[row])
    for header, value in cells.items():
        values[dataset.headers.index(header.replace("_", " ").capitalize())] = value
    dataset[row] = values
    return dataset


def told(result) -> tuple[dict, list]:
    """What became of the rows, and what was refused: (row, column, code)."""
    assert [error.error for error in result.base_errors] == []
    assert [row.errors[0].error for row in result.error_rows] == []
    refused = [
        (row.number, column, error.code)
        for row in result.invalid_rows
        for column, errors in (
            row.error.error_dict.items() if hasattr(row.error, "error_dict") else [("", row.error.error_list)]
        )
        for error in errors
    ]
    return {name: count for name, count in result.totals.items() if count}, refused


@pytest.fixture
def world(maya, omar, alex, bo, window, monday, cora):
    """Something of everything, with umlauts, empty cells, and what looks like formulas."""
    for name in ("SQL", "Reading, Writing", "=Sum", "Übung"):
        Skill.objects.create(name=name)
    maya.skills.set(Skill.objects.all())
    maya.about_me, maya.external_id = "-none-\nÜber: '=1+1'", "007"
    maya.save()
    User.objects.filter(pk=maya.pk).update(phone_number="+493012345", time_zone="Europe/Berlin", last_name="=Löwe")
    NotificationSettings.set_all(alex.user, on=False)
    alex.team = Team.objects.create(number=4, name="@Elm")
    alex.save()
    Team.objects.create(number=12)
    window(maya)
    # In the hour that Berlin has twice, first and second.
    for hour in (0, 1):
        Availability.objects.create(
            mentor=omar,
            start_time=datetime(2099, 10, 25, hour, 15, tzinfo=UTC),
            end_time=datetime(2099, 10, 25, hour, 45, tzinfo=UTC),
        )
    WeeklyHours.objects.create(
        mentor=maya, weekday=6, begins=time(9), ends=time(0), time_zone="Asia/Kolkata", valid_from_on=date(2099, 1, 1)
    )
    first = booking.request(maya, alex, monday, 30, by=alex.user, topic="+49 is a number")
    booking.confirm(first, by=maya.user)
    booking.request(maya, bo, monday + timedelta(hours=1), 60, by=bo.user)
    past = timezone.now() - timedelta(days=30, microseconds=1234)
    Session.objects.create(
        mentor=omar, mentee=bo, start_time=past, end_time=past + timedelta(minutes=30), status="No-show", created_at=past
    )
    return cora


@pytest.mark.parametrize("ending", ["csv", "xlsx", "ods"])
@pytest.mark.parametrize(("sheet", "resource"), BACK, ids=lambda one: getattr(one, "__name__", getattr(one, "name", "")))
def test_an_untouched_list_changes_nothing(world, sheet, resource, ending):
    dataset = left(sheet, ending)
    count = len(dataset)
    assert count
    # However its rows are sorted.
    dataset = tablib.Dataset(*reversed(list(dataset)), headers=dataset.headers)
    assert told(resource(clear=True).import_data(dataset, user=world)) == ({"skip": count}, [])


@pytest.mark.parametrize(("sheet", "resource"), BACK, ids=lambda one: getattr(one, "__name__", getattr(one, "name", "")))
def test_without_stamps_the_headers_still_say_what_they_are(world, sheet, resource):
    """Every column that is compared is one that the import reads under that header."""
    columns = [column for column in sheet.columns if column.compared]
    assert resource.recognise([column.header for column in columns]) == [column.name for column in columns]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    ["=1+1", "+49", "-5", "@a", "'=1", "''", "a\nb", "None", "[]", "1.0", "2026-01-01", " x ", "N/A"]
)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "ods"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(about=texts, name=texts, key=texts)
def test_whatever_stands_in_a_mentor_comes_back_as_no_change(maya, cora, ending, about, name, key):
    Mentor.objects.filter(pk=maya.pk).update(about_me=about, external_id=key.replace("\0", ""))
    User.objects.filter(pk=maya.pk).update(last_name=name)
    assert told(MentorResource(clear=True).import_data(left(MENTORS, ending), user=cora)) == ({"skip": 1}, [])


def test_what_the_file_changed_is_taken_and_what_changed_here_stays(world, maya):
    dataset = edited(left(MENTORS), 0, First_name="Maja", Skills="SQL; Übung")
    User.objects.filter(pk=maya.pk).update(phone_number="+493099999")
    assert told(MentorResource().import_data(dataset, user=world)) == ({"update": 1, "skip": 1}, [])
    maya = Mentor.objects.get(pk=maya.pk)
    assert (maya.user.first_name, str(maya.user.phone_number)) == ("Maja", "+493099999")
    assert sorted(skill.name for skill in maya.skills.all()) == ["SQL", "Übung"]
    # Again: it is as the file says, and as it was changed here.
    assert told(MentorResource().import_data(dataset, user=world))[0] == {"skip": 2}


def test_what_both_changed_is_asked_about_cell_by_cell(world, maya):
    dataset = left(MENTORS)
    edited(dataset, 0, First_name="Maja", Phone_number="'+493011111")
    User.objects.filter(pk=maya.pk).update(first_name="May", phone_number="+493022222")

    def bring(**choices):
        copy = tablib.Dataset(*dataset, headers=dataset.headers)
        result = MentorResource(choices={name.replace("_of_", f"{maya.pk}."): said for name, said in choices.items()})
        return told(result.import_data(copy, user=world))

    asked = [(2, "first_name", "conflict"), (2, "phone_number", "conflict")]
    assert bring()[1] == asked
    assert bring(_of_first_name="file")[1] == asked[1:]
    assert User.objects.get(pk=maya.pk).first_name == "May"
    assert bring(_of_first_name="file", _of_phone_number="here") == ({"update": 1, "skip": 1}, [])
    user = User.objects.get(pk=maya.pk)
    assert (user.first_name, str(user.phone_number)) == ("Maja", "+493022222")
    # Both changed it alike: nothing to ask.
    edited(dataset, 0, First_name="Mara", Phone_number="'+493022222")
    User.objects.filter(pk=maya.pk).update(first_name="Mara")
    assert bring() == ({"skip": 2}, [])


def test_an_emptied_cell_deletes_only_where_that_is_ticked(world, maya):
    dataset = edited(left(MENTORS), 0, Phone_number="")
    copy = tablib.Dataset(*dataset, headers=dataset.headers)
    assert told(MentorResource().import_data(copy, user=world)) == ({"skip": 2}, [])
    assert told(MentorResource(clear=True).import_data(dataset, user=world)) == ({"update": 1, "skip": 1}, [])
    assert User.objects.get(pk=maya.pk).phone_number == ""


def test_a_person_gets_another_address_by_a_sheet_and_nobody_is_taken_over(world, maya, omar, person):
    rows = Mentor.objects.order_by("pk")
    edited_sheet = edited(left(MENTORS, rows=rows), 0, Email="maja@example.org")
    assert told(MentorResource().import_data(edited_sheet, user=world)) == ({"update": 1, "skip": 1}, [])
    user = User.objects.get(pk=maya.pk)
    # The old address opens nothing any more; the new one has to be verified.
    assert (user.email, user.emailaddress_set.count()) == ("maja@example.org", 0)
    taken = edited(left(MENTORS, rows=rows), 0, Email="alex@example.org")
    assert told(MentorResource().import_data(taken, user=world))[1] == [(2, "email", "unique")]
    User.objects.filter(pk=omar.pk).update(is_staff=True)
    staff = edited(left(MENTORS, rows=rows), 1, Email="evil@example.org")
    assert told(MentorResource().import_data(staff, user=world))[1] == [(3, "email", "not_yours")]
    root = person("Root Ruiz", is_staff=True, is_superuser=True)
    staff = edited(left(MENTORS, rows=rows), 1, Email="omar.h@example.org")
    assert told(MentorResource().import_data(staff, user=root)) == ({"update": 1, "skip": 1}, [])


def test_rows_that_are_copied_forged_or_gone_are_refused_in_words(world, maya):
    dataset = left(SKILLS)
    gone, forged = Skill.objects.order_by("pk")[0], list(dataset[1])
    gone.delete()
    forged[-1] = forged[-1].replace(".", ".0", 1)
    other = list(left(TEAMS)[0])
    rows = [dataset[0], forged, ["Drawing", other[-1]], dataset[2], ["Copied", dataset[2][-1]], ["Typed", ""], dataset[3]]
    result = SkillResource().import_data(tablib.Dataset(*rows, headers=dataset.headers), user=world)
    assert told(result)[1] == [(2, "", "gone"), (3, "", "not_our_stamp"), (4, "", "other_list"), (6, "", "copied")]


def test_columns_that_were_left_out_are_no_matter(world, maya):
    dataset = left(MENTORS, columns=["first_name"])
    assert dataset.headers == ["First name", "_row"]
    edited(dataset, 0, First_name="Maja")
    assert told(MentorResource().import_data(dataset, user=world)) == ({"update": 1, "skip": 1}, [])
    assert User.objects.get(pk=maya.pk).first_name == "Maja"


def test_a_skill_and_a_team_are_renamed_not_added(world):
    assert told(SkillResource().import_data(edited(left(SKILLS), 0, Name="PostgreSQL"), user=world))[0] == {
        "update": 1,
        "skip": 3,
    }
    assert told(TeamResource().import_data(edited(left(TEAMS), 0, Number="5"), user=world))[0] == {"update": 1, "skip": 1}
    assert (Skill.objects.filter(name="PostgreSQL").count(), Skill.objects.count()) == (1, 4)
    assert sorted(Team.objects.values_list("number", flat=True)) == [5, 12]


def test_a_window_is_moved_by_its_cells(world, maya, monday):
    window = Availability.objects.get(mentor=maya)
    dataset = left(WINDOWS, rows=Availability.objects.filter(mentor=maya))
    later = (monday + timedelta(hours=4)).astimezone(BERLIN)
    edited(dataset, 0, End_time=later.isoformat())
    assert told(AvailabilityResource().import_data(dataset, user=world)) == ({"update": 1}, [])
    window.refresh_from_db()
    assert window.end_time == later


def test_a_session_gets_another_status_through_the_verbs_and_nothing_else(world, maya, bo):
    waits, rows = Session.objects.get(status="Pending"), Session.objects.order_by("pk")
    at = list(rows.values_list("pk", flat=True)).index(waits.pk)

    def bring(resource=SessionResource, **cells):
        return told(resource().import_data(edited(left(SESSIONS, rows=rows), at, **cells), user=world))

    assert bring(Topic="Another")[1] == [(at + 2, "topic", "buttons")]
    assert bring(Topic="Another", Status="Confirmed")[1] == [(at + 2, "topic", "buttons")]
    assert bring(Status="Completed")[1] == [(at + 2, "", "too_early")]
    assert bring(PastSessionResource, Status="Confirmed")[1] == [(at + 2, "status", "buttons")]
    assert bring(Status="Confirmed") == ({"update": 1, "skip": 2}, [])
    waits.refresh_from_db()
    assert (waits.status, waits.history.latest().history_user) == ("Confirmed", world)
    assert bring(Status="Pending")[1] == [(at + 2, "status", "buttons")]
    assert bring(Status="cancelled") == ({"update": 1, "skip": 2}, [])
    assert bring(Status="Confirmed")[1] == [(at + 2, "", "not_possible")]


def test_a_file_may_be_saved_by_another_program(world):
    """As a spreadsheet program writes a CSV anew: semicolons, everything in quotation marks, another order of columns."""
    dataset = left(MENTEES)
    order = list(reversed(range(len(dataset.headers))))
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
    for row in [dataset.headers, *dataset]:
        writer.writerow([row[at] for at in order])
    result = MenteeResource(clear=True).import_data(read(file.getvalue().encode("utf-8-sig")), user=world)
    assert told(result) == ({"skip": 2}, [])


def test_at_the_desk_conflicts_are_shown_chosen_about_and_the_rest_is_taken(client, world, maya, omar, settings, tmp_path):
    """The file that leaves the list, edited, goes through the desk: upload, columns, preview with choices, apply, undo."""
    settings.MEDIA_ROOT = tmp_path
    client.force_login(world)
    page = client.get(reverse("admin:people_mentor_export"))
    answer = client.post(
        reverse("admin:people_mentor_export"), {"columns": page.context["form"].initial["columns"], "ending": "csv"}
    )
    dataset = read(answer.getvalue())
    edited(dataset, 0, First_name="Maja", Phone_number="'+493011111", About_me="Ask me")
    edited(dataset, 1, First_name="Omer")
    User.objects.filter(pk=maya.pk).update(first_name="May", phone_number="+493022222", last_name="Löwe")
    file = SimpleUploadedFile("mentors.csv", CSV().export_data(dataset))
    client.post(reverse("admin:people_import_upload"), {"kind": "mentors", "file": file})
    found = Import.objects.get()
    guessed = {f"column-{place}": column for place, column in enumerate(found.mapping)}
    assert found.mapping[-1] == "_row"
    shown = client.post(reverse("admin:people_import_columns", args=[found.pk]), guessed, follow=True)
    found.refresh_from_db()
    assert (found.count("changed"), found.count("refused"), found.count("conflicts")) == (1, 1, 1)
    text = shown.content.decode()
    assert "The file says “Maja”, and here it was changed to “May” since the file left" in text
    assert f'name="choice-{maya.pk}.first_name" value="file"' in text

    def look(**choices):
        posted = {name.replace("_of_", f"choice-{maya.pk}."): said for name, said in choices.items()}
        shown = client.post(reverse("admin:people_import_look", args=[found.pk]), posted, follow=True)
        found.refresh_from_db()
        return found.count("changed"), found.count("conflicts"), found.count("newer"), shown.content.decode()

    assert look(_of_first_name="file")[:3] == (1, 1, 0)
    # The rest at once; what was chosen before stays chosen.
    *counts, text = look(**{"choice-*": "here"})
    assert counts == [2, 0, 1]
    assert "In 1 row something was changed here since the file left: that stays." in text
    client.post(reverse("admin:people_import_apply", args=[found.pk]))
    user = User.objects.get(pk=maya.pk)
    assert (user.first_name, str(user.phone_number), user.last_name) == ("Maja", "+493022222", "Löwe")
    assert (Mentor.objects.get(pk=maya.pk).about_me, User.objects.get(pk=omar.pk).first_name) == ("Ask me", "Omer")
    client.post(reverse("admin:people_import_undo", args=[found.pk]))
    assert [User.objects.get(pk=key).first_name for key in (maya.pk, omar.pk)] == ["May", "Omar"]
