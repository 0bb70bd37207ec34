"""Sheets as other programs write them, through the desk: what is recognised, what is read, and what is said."""

import io
import zipfile

import openpyxl
import pytest

from people.models import Import, Skill, Team
from people.tests.test_import_desk import counts, look, problems, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    for name in ("Python", "SQL", "Resume Help"):
        Skill.objects.create(name=name)
    Team.objects.create(number=4, name="Elm")
    return client


def workbook(*sheets: tuple[str, list], change=None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if change:
            change(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def opendocument(*tables: tuple[str, list, bool]) -> bytes:
    """Each table: its name, its rows, and whether it is hidden; below three empty rows."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
    )
    content = f'<?xml version="1.0"?><office:document-content{names}><office:automatic-styles><style:style style:name="h">'
    content += '<style:table-properties table:display="false"/></style:style></office:automatic-styles><office:body>'
    for title, rows, hidden in tables:
        content += f'<table:table table:name="{title}" table:style-name="{"h" if hidden else "v"}">'
        content += '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
        for row in rows:
            cells = (f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row)
            content += f"<table:table-row>{''.join(cells)}</table:table-row>"
        content += "</table:table>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("content.xml", content + "</office:body></office:document-content>")
    return out.getvalue()


FORM = "Timestamp,Email Address,Full name,Skills [Python],Skills [SQL]\n11/20/2026 9:01:22,ana@example.org,Ana Ruiz,Yes,No\n"
ANA = ["Ana Ruiz", "ana@example.org"]
HEAD = ["Name", "Email"]
REPORT = [["Mentors 2026"], *([f"Filter {number}"] for number in range(8)), [None], [None, *HEAD], [None, *ANA]]
MICROSOFT = [
    ["ID", "Start time", "Completion time", "Email", "Name", "Full name", "E-mail address", "Which skills do you bring?"],
    [1, "11/1/26 10:00", "11/1/26 10:05", "anonymous", None, *ANA, "Python;SQL;"],
]
TWO = [("Read me", [["Who mentors here"]]), ("Mentors", [HEAD, ANA])]
HIDDEN = "The file has hidden rows, as a filter leaves them: they are read like the others."
SECOND = "The file has 2 sheets: “Mentors” is read, because its headers fit best. Save another one as a file of its own."
FIRST = SECOND.replace("its headers fit best", "it is the first that fits")


def hide_a_row(sheet):
    sheet.row_dimensions[2].hidden = True


def move_away(sheet):
    sheet.move_range("A1:D9", rows=4, cols=2)


@pytest.mark.parametrize(
    ("data", "row", "warning", "skills"),
    [
        pytest.param(FORM, 2, "", ["Python"], id="a form: one column for each box"),
        pytest.param(workbook(("Form", MICROSOFT)), 2, "", ["Python", "SQL"], id="a form that did not ask who"),
        pytest.param(workbook(("Report", REPORT)), 12, "", [], id="ten rows above the headers"),
        pytest.param(workbook(("Table", [HEAD, ANA]), change=move_away), 6, "", [], id="a table that begins at C5"),
        pytest.param(workbook(*TWO), 2, SECOND, [], id="a cover sheet"),
        pytest.param(workbook(*reversed(TWO)), 2, FIRST, [], id="another sheet behind it"),
        pytest.param(workbook(("M", [HEAD, ANA]), change=hide_a_row), 2, HIDDEN, [], id="a filtered list"),
        pytest.param(opendocument(*((*sheet, False) for sheet in TWO)), 5, SECOND, [], id="a cover sheet (ODS)"),
        pytest.param(opendocument((*TWO[1], True), (*TWO[1], False)), 5, "", [], id="a hidden sheet (ODS)"),
        pytest.param("Mentors 2026\n\nname;email;skills\nAna Ruiz;ana@example.org;SQL\n", 4, "", ["SQL"], id="a title in a CSV"),
        pytest.param("sep=;\rname;email\rAna Ruiz;ana@example.org\r", 3, "", [], id="lines that end in CR"),
        pytest.param("name,email\nAna Ruiz,ana@example.org\nname,email\n", 2, "", [], id="the headers twice"),
        pytest.param("Name,Email,Python,SQL\nAna Ruiz,ana@example.org,FALSE,x\n", 2, "", ["SQL"], id="boxes to tick"),
        pytest.param(workbook(("M", [[*HEAD, "SQL"], [*ANA, True]])), 2, "", ["SQL"], id="one box to tick"),
        pytest.param("name,email,skills\nAna Ruiz,ana@example.org,Python and SQL\n", 2, "", ["Python", "SQL"], id="a sentence"),
        pytest.param('name,email,skills\nAna Ruiz,ana@example.org,"SQL, and Python"\n', 2, "", ["Python", "SQL"], id="another"),
        pytest.param("name,email,skills\nAna Ruiz,ana@example.org,• SQL • Python\n", 2, "", ["Python", "SQL"], id="dots"),
        pytest.param("name,email,skills\nAna Ruiz,ana@example.org,Resume\u00a0Help\u200b\n", 2, "", ["Resume Help"], id="odd spaces"),
    ],
)  # fmt: skip
def test_ana_comes_in_from_wherever_she_was_kept(desk, data, row, warning, skills):
    found = look(desk, "mentors", data)
    assert (counts(found), problems(found), found.warning) == ({"new": 1}, [], warning)
    new = found.rows.get()
    said = {column: value for column, _old, value in new.changes}
    assert new.numbers == [row]
    assert (said["email"], said["first_name"], said["last_name"]) == ("ana@example.org", "Ana", "Ruiz")
    assert [name for name in said.get("skills", "").split(", ") if name] == skills


def test_formulas_that_nobody_counted_are_told_of(desk):
    found = look(desk, "mentors", workbook(("M", [HEAD, ANA, ['=B2&"!"', "bo@example.org"]])))
    assert found.warning.startswith("It has formulas without their results, which are read as empty cells")


def test_a_file_without_headers_loses_no_row(desk):
    answer = upload(desk, "skills", "Go\nPython\nRust\n")
    found = Import.objects.get()
    assert "The file has no headers: “Go” is a row like those below it." in desk.get(answer.url).content.decode()
    desk.post(answer.url, {"column-0": "name", "headless": "on"})
    found.refresh_from_db()
    assert (counts(found), [row.numbers for row in found.rows.all()]) == ({"new": 2, "unchanged": 1}, [[1], [3]])
    # Said once.
    assert "no headers" not in desk.get(answer.url).content.decode()
    assert "no headers" not in desk.get(upload(desk, "skills", "Skill\nGo\n").url).content.decode()


def test_a_column_of_addresses_is_known_by_what_is_in_it_where_there_is_just_one(desk):
    for headers, mapping in (
        ("Username,Your name,Note", ["email", "name", ""]),
        ("Username,Your name,Other", ["", "name", ""]),
    ):
        upload(desk, "mentors", f"{headers}\nana@example.org,Ana,{'' if 'Note' in headers else 'a@example.org'}\n")
        assert Import.objects.latest("made_at").mapping == mapping


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("US/Pacific", "America/Los_Angeles"),
        ("London", "Europe/London"),
    ],
)
def test_a_time_zone_is_read_as_other_programs_call_it(desk, written, zone):
    found = look(desk, "mentors", f"Email,Name,Time zone\nana@example.org,Ana,{written}\n")
    assert ["time_zone", "", zone] in found.rows.get().changes


def test_a_time_zone_that_can_be_several_is_refused(desk):
    found = look(desk, "mentors", "Email,Name,Time zone\nana@example.org,Ana,EST\n")
    assert problems(found) == [([2], [["time_zone", "“EST” is not a time zone we know. Write it like Europe/Berlin."]])]


def test_a_sheet_of_teams_may_call_its_numbers_teams(desk):
    found = look(desk, "teams", "Team,Name\nT5,Oak\nGroup 6,\n7 Ash,\n")
    assert counts(found) == {"new": 2, "refused": 1}
    assert problems(found) == [([4], [["number", "“7 Ash” is no number of a team. Write it like 4."]])]


def test_a_workbook_with_a_sheet_for_each_kind_is_read_for_the_kind_that_was_chosen(desk):
    mentees = [["Name", "Email", "Team", "Goals"], ["Al Foe", "al@example.org", 4, "Learn"], ["Bo", "bo", 4, ""]]
    found = look(desk, "mentees", workbook(("Mentors", [HEAD, ANA]), ("Mentees", mentees)))
    assert counts(found) == {"new": 1, "refused": 1}
    # What the file says there is of the same sheet.
    assert found.rows.get(outcome="refused").cells == ["Bo", "bo", "4"]


def test_a_word_between_two_names_parts_them_only_where_both_are_known(desk):
    found = look(desk, "mentors", "name,email,skills\nAna,ana@example.org,SQL and Rust\n")
    assert found.counts["unknown"] == {"SQL and Rust": 1}


@pytest.mark.parametrize(
    "written",
    ["ana @example.org", "ana@example.org;", "Ana@Example.org.", "mailto:ana@example.org", '"""Ruiz, A"" <ana@example.org>"', "\u200bana@example.org\u00a0"],
)  # fmt: skip
def test_an_address_is_read_as_people_and_programs_leave_it(desk, written):
    found = look(desk, "mentors", f"Email,Name\n{written},Ana\n")
    assert ["email", "", "ana@example.org"] in found.rows.get().changes


def test_two_words_before_an_at_are_not_put_together(desk):
    found = look(desk, "mentors", "Email,Name\nana ruiz@example.org,Ana\n")
    assert problems(found) == [([2], [["email", "Enter a valid email address."]])]


@pytest.mark.parametrize(
    "written", ["4", "4.0", "#4", "Team 4", "T4", "Team-4", "Group 4", "Elm", "Team Elm", "4 Elm", "Team 4 (Elm)", "4: elm"]
)
def test_a_team_is_known_by_its_number_or_its_name(desk, written):
    found = look(desk, "mentees", f"Email,Name,Team\nana@example.org,Ana,{written}\n")
    assert ["team_number", "", "4"] in found.rows.get().changes


def test_a_number_and_a_name_of_two_teams_are_not_taken_for_one(desk):
    found = look(desk, "mentees", "Email,Name,Team\nana@example.org,Ana,4 Oak\n")
    said = "Team 4 is called “Elm”, and not “Oak”: write the number alone, or the right one."
    assert problems(found) == [([2], [["team_number", said]])]


def test_a_team_without_a_number_is_refused_and_says_what_to_do(desk):
    found = look(desk, "mentees", "Email,Name,Team\nana@example.org,Ana,Oak\n")
    sentence = "There is no team “Oak”. Add it to the list first, or correct the cell. Teams are kept by number: add it there with one."
    assert (problems(found), found.counts["unknown"]) == ([([2], [["team_number", sentence]])], {})
