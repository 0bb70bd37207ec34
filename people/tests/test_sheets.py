"""Sheets of people: what is read, what is left alone, what is refused, and what comes back as it went out."""

import pytest
import tablib

from people.models import Mentee, Mentor, NotificationSettings, Skill, Team, User
from people.resources import MenteeResource, MentorResource
from people.sheets.cells import split_name
from people.sheets.formats import CSV, ODS, XLSX
from people.sheets.reading import UnreadableError
from project.demo import sheets

pytestmark = pytest.mark.django_db


def sheet(headers: str, *rows: str) -> tablib.Dataset:
    return tablib.Dataset(*[row.split("|") for row in rows], headers=headers.split("|"))


def refusals(result) -> list[tuple[int, list[str]]]:
    assert [row.errors[0].error for row in result.error_rows] == []
    return [(row.number, row.error.messages) for row in result.invalid_rows]


def test_a_real_roster_of_mentors():
    resource = MentorResource()
    result = resource.import_data(sheets.read("mentors.csv"))
    assert (result.totals["new"], refusals(result)) == (5, [])
    assert result.unused == ["display_name", "created_at", "calendar_id"]
    sarah = Mentor.objects.with_email("Sarah.Chen@Example.com")
    assert (sarah.user.first_name, sarah.user.last_name, sarah.user.time_zone) == ("Dr. Sarah", "Chen", "America/New_York")
    assert sarah.about_me == "Expert in software engineering interviews"
    assert not sarah.user.has_usable_password()
    assert "@" not in sarah.user.username


def test_a_real_roster_of_mentees_and_their_wish_for_no_mail():
    result = MenteeResource().import_data(sheets.read("students.csv"))
    assert (result.totals["new"], refusals(result), result.unused) == (5, [], ["college", "created_at"])
    off = NotificationSettings.objects.filter(**dict.fromkeys(NotificationSettings.SWITCHES, False))
    assert [settings.user.email for settings in off] == ["david.kim@university.edu"]
    assert Mentee.objects.with_email("alex.johnson@university.edu").user.time_zone == ""


@pytest.mark.parametrize(("resource", "name"), [(MentorResource, "mentors.csv"), (MenteeResource, "students.csv")])
def test_the_same_sheet_again_changes_nothing(resource, name):
    resource().import_data(sheets.read(name))
    history = User.history.count()
    result = resource().import_data(sheets.read(name))
    assert (result.totals["skip"], result.totals["new"], result.totals["update"]) == (5, 0, 0)
    assert User.history.count() == history


@pytest.mark.parametrize("kind", [CSV, XLSX, ODS])
def test_an_untouched_export_imports_as_no_change(kind):
    Skill.objects.create(name="SQL")
    MentorResource().import_data(
        sheet(
            "email|name|phone|about|skills|notifications",
            "ana@example.org|Ana García|+34911234567|=1+1|SQL|N",
            "bo@example.org|@Bo||-none-||",
        )
    )
    written = kind().export_data(MentorResource().export())
    again = kind().create_dataset(written)
    result = MentorResource().import_data(again)
    assert (result.totals["skip"], refusals(result)) == (2, [])
    ana = Mentor.objects.with_email("ana@example.org")
    assert (ana.about_me, str(ana.user.phone_number), ana.user.last_name) == ("=1+1", "+34911234567", "García")


def test_nothing_that_begins_like_a_formula_leaves_as_one():
    data = tablib.Dataset(["=1+1", "+1", "-1", "@SUM(1)", "\tx", "plain"], headers=list("abcdef"))
    assert CSV().export_data(data).decode("utf-8-sig").splitlines()[1] == "'=1+1,'+1,'-1,'@SUM(1),'\tx,plain"
    import io

    import openpyxl

    cells = openpyxl.load_workbook(io.BytesIO(XLSX().export_data(data))).active[2]
    assert {cell.data_type for cell in cells} == {"s"}


@pytest.mark.parametrize(
    "data",
    [
        "email,name\nana@example.org,José\n".encode(),
        "email;name\r\nana@example.org;José\r\n".encode("utf-8-sig"),
        "email\tname\nana@example.org\tJosé\n".encode("utf-16"),
        "email,name,zone\n\nana@example.org,José\n".encode(),
        "email,name\nana@example.org,José,,\n".encode(),
    ],
)
def test_the_shapes_that_spreadsheet_programs_write_are_read(data):
    assert refusals(MentorResource().import_data(CSV().create_dataset(data))) == []
    assert Mentor.objects.get().user.first_name == "José"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"email,name\na@example.org,Ana,extra\n", "Row 2 has 3 cells, but the first row names 2 columns."),
        (
            b"email,name\na@example.org," + b"x" * 200_000,
            "The file cannot be read as CSV (field larger than field limit (131072))",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data, sentence):
    with pytest.raises(UnreadableError) as refusal:
        CSV().create_dataset(data)
    assert str(refusal.value).startswith(sentence)


def test_a_character_that_no_database_stores_is_refused_in_words():
    result = MentorResource().import_data(sheet("email|name", "ana@example.org|An\0a"))
    assert refusals(result) == [(2, ["The cell holds a character that cannot be stored (NUL). Type it again."])]


def test_one_bad_row_and_nothing_is_saved_and_every_bad_row_is_told_with_its_number():
    result = MentorResource().import_data(
        sheet(
            "E-Mail Address|Full name|Timezone|skills",
            "ana@example.org|Ana|Europe/Berlin|",
            "|Nobody||",
            "bo@example|Bo||",
            "cy@example.org|Cy|Mars/Olympus|",
            "di@example.org|Di||Juggling",
            "ANA@example.org|Ana again||",
        )
    )
    assert refusals(result) == [
        (2, ["Row 7 is the same one (ana@example.org), but says “Ana again” here. Keep one of them."]),
        (3, ["An e-mail address is needed: it is how people are told apart."]),
        (4, ["Enter a valid email address."]),
        (5, ["“Mars/Olympus” is not a time zone we know. Write it like Europe/Berlin."]),
        (6, ["There is no skill “Juggling”. Add it to the list first, or correct the cell."]),
        (7, ["Row 2 is the same one (ana@example.org), but says “Ana” here. Keep one of them."]),
    ]
    assert User.objects.count() == 0


def test_a_sheet_without_a_column_for_the_key_is_refused_once():
    result = MentorResource().import_data(sheet("name|zone", "Ana|UTC", "Bo|UTC"))
    assert [error.error.messages for error in result.base_errors] == [
        ["The sheet has no column “email”. Its first row has “name”, “zone”."]
    ]
    assert (len(result.invalid_rows), len(result.error_rows)) == (0, 0)


def test_an_empty_cell_and_a_missing_column_change_nothing(maya):
    maya.about_me = "Ask me"
    maya.save()
    result = MentorResource().import_data(sheet("email|first_name|about_me", "MAYA@example.org|Maja|"))
    maya = Mentor.objects.get(pk=maya.pk)
    assert (result.totals["update"], maya.about_me, maya.user.first_name, maya.user.last_name) == (1, "Ask me", "Maja", "Lopez")


def test_a_room_comes_and_leaves_with_the_sheet_and_is_a_web_address(maya):
    MentorResource().import_data(sheet("email|name|meeting_link", "maya@example.org|Maya Lopez|https://meet.example.org/maya"))
    assert Mentor.objects.get().meeting_link == "https://meet.example.org/maya"
    assert MentorResource().export()["meeting_link"] == ["https://meet.example.org/maya"]
    refused = MentorResource().import_data(sheet("email|name|meeting_link", "maya@example.org|Maya Lopez|javascript:alert(1)"))
    assert refusals(refused) == [(2, ["Enter a valid URL."])]


def test_a_person_can_be_both(alex):
    result = MentorResource().import_data(sheet("email|name", "alex@example.org|Alex Johnson"))
    assert result.totals["new"] == 1
    user = User.objects.get(email="alex@example.org")
    assert (user.is_mentor, user.is_mentee) == (True, True)


def test_who_took_an_address_that_is_not_theirs_gains_nothing_when_the_roster_comes(person):
    """They signed up with it, and cannot read the mail that asks them to verify it."""
    stranger = person("Eve Stranger", email="ana@example.org")
    member = person("Bo Known", email="bo@example.org")
    stranger.emailaddress_set.update(verified=False)
    MentorResource().import_data(sheet("email|name", "ana@example.org|Ana García", "bo@example.org|Bo Known"))
    stranger.refresh_from_db()
    member.refresh_from_db()
    assert (stranger.is_mentor, stranger.first_name, stranger.has_usable_password()) == (True, "Ana", False)
    assert (member.is_mentor, member.has_usable_password()) == (True, True)


def test_nobody_is_made_staff_by_a_sheet(cora):
    result = MenteeResource().import_data(sheet("email|name|is_staff|is_superuser", "eve@example.org|Eve|1|1"))
    assert result.unused == ["is_staff", "is_superuser"]
    eve = User.objects.get(email="eve@example.org")
    assert (eve.is_staff, eve.is_superuser) == (False, False)


def test_teams_are_known_by_number():
    Team.objects.create(number=4, name="Elm")
    result = MenteeResource().import_data(sheet("email|name|team", "ana@example.org|Ana|4", "bo@example.org|Bo|9"))
    assert refusals(result) == [(3, ["There is no team “9”. Add it to the list first, or correct the cell."])]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Dr. Sarah Chen", ("Dr. Sarah", "Chen")),
        ("Ana", ("Ana", "")),
        ("Ana Ruiz (she/her)", ("Ana", "Ruiz (she/her)")),
        ("Ana Ruiz Jr.", ("Ana", "Ruiz Jr.")),
        ("Ana Md", ("Ana", "Md")),
        ("Dr. Maya de la Cruz", ("Dr. Maya", "de la Cruz")),
        ("ana von trapp", ("ana von", "trapp")),
        ('Ana "the best" Ruiz', ('Ana "the best"', "Ruiz")),
        ("Ana Ruiz, PhD, MBA", ("Ana", "Ruiz, PhD, MBA")),
        ("Ruiz, Ana", ("Ana", "Ruiz")),
        (" Ana  María López ", ("Ana  María", "López")),
    ],
)
def test_names_are_split_before_the_last_word(name, parts):
    assert split_name(name) == parts
