"""Sheets that go out: what stands in each cell in each format, and what is told from it when it comes back."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from odf import opendocument
from odf.table import TableCell, TableColumn, TableRow
from odf.teletype import extractText
from odf.text import P

from people.sheets import stamps, writing
from people.sheets.cells import guard, tidy
from people.sheets.columns import Clock, Column, Day, Flag, Moment, Names, Number
from people.sheets.comparing import Cell, compare
from people.sheets.writing import Head, made

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2099, 3, 2, 8, 30, tzinfo=UTC)
# The same in Berlin, as a cell has it.
NINE_THIRTY = datetime(2099, 3, 2, 9, 30)  # noqa: DTZ001
COLUMNS = (
    Column("topic"),
    Number("team"),
    Flag("notifications"),
    Names("skills", dict),
    Moment("start_time"),
    Day("valid_from_on"),
    Clock("begins"),
)
NAMES = [column.name for column in COLUMNS]

# What people and other programs put into cells, and what they do not.
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["=1+1", "+49 30 123", "-5", "@SUM(1)", "\tx", "\rx", "'", "'=1", "''=1", " '=1", "' =1", "#N/A", "007", "1e5"]
    ),
    st.sampled_from(
        ["Zoë Über", "a\nb", "a\r\nb", "  two  spaces ", "\x01=1", "'\x01=1", "_x0041_", "2099-03-02", "TRUE", "]]>&<"]
    ),
)
moments = st.datetimes(datetime(1900, 3, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  they get one
rows = st.tuples(
    texts,
    st.none() | st.integers(0, 2**31),
    st.booleans(),
    st.lists(st.text("abc, ;/Ü", min_size=1, max_size=4), max_size=3).map(tuple),
    st.none() | moments,
    st.none() | st.dates(date(1900, 3, 1)),
    st.none() | st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
)


def written(ending: str, values: list[tuple], heads=None) -> bytes:
    write = "csv" if ending == "csv" else "cell"
    cells = [[getattr(column, write)(value, BERLIN) for column, value in zip(COLUMNS, row, strict=True)] for row in values]
    with made(ending, "Sheet", heads or [Head(name) for name in NAMES], [cells]) as file:
        return file.read()


def read(ending: str, data: bytes) -> list[list]:
    """As other programs read it: none of our own readers."""
    if ending == "csv":
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]
    if ending == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
        return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2, max_col=len(COLUMNS))]
    book = opendocument.load(io.BytesIO(data))
    return [[odf_value(cell) for cell in row.getElementsByType(TableCell)] for row in book.getElementsByType(TableRow)[1:]]


def odf_value(cell: TableCell):
    if moment := cell.getAttribute("datevalue"):
        return datetime.fromisoformat(moment) if "T" in moment else date.fromisoformat(moment)
    if clock := cell.getAttribute("timevalue"):
        return datetime.strptime(clock, "PT%HH%MM%SS").time()  # noqa: DTZ007  a time of day
    if cell.getAttribute("valuetype") == "float":
        return float(cell.getAttribute("value"))
    return "\n".join(extractText(line) for line in cell.getElementsByType(P))


@pytest.mark.parametrize("ending", ["csv", "xlsx", "ods"])
@settings(max_examples=60, deadline=None)
@given(values=st.lists(rows, min_size=1, max_size=4))
@example(values=[("a\r\nb\rc", 0, False, (), None, None, None)])
@example(values=[("=1+1", 0, False, ("a, b", "c"), datetime(2099, 10, 25, 0, 30, tzinfo=UTC), None, time(0))])
@example(
    values=[
        ("'" * 3 + "=", None, True, (), datetime(2099, 10, 25, 1, 30, 0, 999999, tzinfo=UTC), date(2099, 1, 1), time(23, 59))
    ]
)
def test_whatever_stands_in_a_cell_comes_back_as_the_same(ending, values):
    """Plain texts are what is compared: an untouched file differs nowhere. In the night the clocks change, too."""
    for row, cells in zip(values, read(ending, written(ending, values)), strict=True):
        for column, value, cell in zip(COLUMNS, row, cells, strict=True):
            assert column.read(cell, BERLIN) == column.text(value), (column.name, value, cell)


@given(texts)
def test_the_guard_takes_off_what_it_put_on(text):
    guarded = guard(text)
    assert guarded in (text, f"'{text}")
    assert not guarded.lstrip().startswith(("=", "+", "-", "@"))
    assert not guarded.startswith(("\t", "\r"))
    # The spaces around a cell are nobody's.
    assert tidy(guarded).strip() == text.strip()


def test_what_libreoffice_makes_of_it_is_read_as_the_same():
    """Measured with 7.4: a tab is dropped, and a time of day in a CSV is written as Americans do."""
    topic, clock = COLUMNS[0], COLUMNS[6]
    assert topic.read("cü", BERLIN) == topic.text("c\tü")
    assert (topic.cell("\tx", BERLIN), topic.cell(" '=1", BERLIN)) == ("\tx", "' '=1")
    assert [clock.read(f"{hour}:30:00 {half}", BERLIN) for hour, half in (("09", "AM"), ("12", "AM"), ("11", "PM"))] == [
        "09:30",
        "00:30",
        "23:30",
    ]


def test_in_a_file_for_excel_texts_are_texts_and_times_are_times():
    values = [("+49 30 1", 4, True, ("SQL",), AT, AT.date(), time(9, 30)), ("#N/A", None, False, (), None, None, None)]
    heads = [Head(name) for name in NAMES[:-1]] + [Head("begins", hidden=True)]
    sheet = openpyxl.load_workbook(io.BytesIO(written("xlsx", values, heads))).worksheets[0]
    first = sheet[2]
    assert [cell.data_type for cell in first] == ["s", "n", "s", "s", "d", "d", "d"]
    # As if typed with an apostrophe: whoever edits the cell does not turn it into a sum.
    assert (first[0].value, first[0].quotePrefix, sheet[3][0].value, sheet[3][0].data_type) == ("+49 30 1", True, "#N/A", "s")
    # By the clocks of Berlin.
    assert (first[4].value, first[4].number_format) == (NINE_THIRTY, "yyyy-mm-dd hh:mm:ss")
    assert [sheet.column_dimensions[letter].hidden for letter in "FG"] == [False, True]


def test_in_a_csv_no_cell_begins_a_formula_and_times_name_their_offset():
    [row] = read("csv", written("csv", [("=cmd|x", 4, True, ("-a",), AT, AT.date(), time(9))]))
    assert row == ["'=cmd|x", "4", "Y", "'-a", "2099-03-02T09:30:00+01:00", "2099-03-02", "09:00"]


def test_a_file_for_libreoffice_says_what_it_is_and_hides_what_is_hidden():
    data = written(
        "ods", [("a", 1, True, (), AT, None, None)], [*(Head(name) for name in NAMES[:-1]), Head("_row", hidden=True)]
    )
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type, book.read(first)) == (
            "mimetype",
            zipfile.ZIP_STORED,
            writing.ODS_TYPE.encode(),
        )
    columns = opendocument.load(io.BytesIO(data)).getElementsByType(TableColumn)
    assert [column.getAttribute("visibility") for column in columns] == [None] * 6 + ["collapse"]


def test_drop_downs_offer_the_words_and_cells_with_several_only_a_hint():
    heads = [
        Head("Status", choices=("Pending", "No, show")),
        Head("Team", choices=(4, 12)),
        Head("Skills", hint="Several: SQL"),
    ]
    with made("xlsx", "Sessions", heads, [[["Pending", 4, "SQL"]]]) as file:
        book = openpyxl.load_workbook(file)
    rules = {str(rule.sqref): rule for rule in book["Sessions"].data_validations.dataValidation}
    assert {where: (rule.type, rule.formula1, rule.prompt) for where, rule in rules.items()} == {
        "A2:A1048576": ("list", "Choices!$A$1:$A$2", None),
        "B2:B1048576": ("list", "Choices!$B$1:$B$2", None),
        "C2:C1048576": (None, None, "Several: SQL"),
    }
    assert ([cell.value for cell in book["Choices"]["A"]], book["Choices"].sheet_state) == (["Pending", "No, show"], "hidden")


def test_more_rows_than_excel_holds_are_refused_before_the_file_is_sent(monkeypatch):
    monkeypatch.setattr(writing, "EXCEL_ROWS", 3)
    with pytest.raises(writing.TooManyRowsError, match="An XLSX file holds 2 rows"):
        made("xlsx", "Sheet", [Head("a")], [[["1"], ["2"]], [["3"]]])


# ---- stamps -------------------------------------------------------------------------------------------------------------


def stamp(texts: dict[str, str], sheet="mentors", columns=("email", "phone", "skills"), row=7) -> str:
    stamper = stamps.Stamper(sheet, columns, [name for name in columns if name in texts], AT)
    return stamper.stamp(row, [stamper.print_of(name, texts[name]) for name in columns if name in texts])


LEFT = {"email": "ana@example.org", "skills": "SQL"}


def test_a_stamp_says_which_row_which_columns_and_when():
    read = stamps.read(stamp(LEFT), "mentors", ("email", "phone", "skills"))
    assert (read.row, read.made_at, list(read.prints)) == (7, AT, ["email", "skills"])
    assert (read.holds("skills", "SQL"), read.holds("skills", "Go"), read.knows("phone")) == (True, False, False)
    # Nothing of what stood there.
    assert "ana" not in stamp(LEFT)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (stamp(LEFT).replace(".7.", ".8."), "not_our_stamp"),
        (stamp(LEFT)[:-1], "not_our_stamp"),
        (stamp(LEFT, columns=("email", "skills", "phone")), "not_our_stamp"),
        ("mentors.1.t.7..aaaaaaaaaa", "not_our_stamp"),
        ("12", "not_our_stamp"),
        (stamp(LEFT, sheet="mentees"), "other_list"),
    ],
)
def test_a_stamp_that_is_not_ours_is_refused(text, code):
    with pytest.raises(ValidationError) as refusal:
        stamps.read(text, "mentors", ("email", "phone", "skills"))
    assert refusal.value.code == code


def test_a_stamp_of_another_program_is_refused(settings):
    theirs = stamp(LEFT)
    settings.SECRET_KEY = "x" * 50
    with pytest.raises(ValidationError):
        stamps.read(theirs, "mentors", ("email", "phone", "skills"))


@pytest.mark.parametrize(
    ("file", "here", "became"),
    [
        ("SQL", "SQL", Cell.SAME),
        ("Go", "SQL", Cell.FILE),
        ("", "SQL", Cell.FILE),
        ("SQL", "Go", Cell.HERE),
        ("Go", "Go", Cell.SAME),
        ("Go", "Rust", Cell.CONFLICT),
    ],
)
def test_three_sides_of_a_cell(file, here, became):
    read = stamps.read(stamp(LEFT), "mentors", ("email", "phone", "skills"))
    assert compare(read, {"skills": file}, {"skills": here, "email": "x"}) == {"skills": became}


def test_a_column_that_was_added_to_the_file_has_two_sides():
    read = stamps.read(stamp(LEFT), "mentors", ("email", "phone", "skills"))
    assert compare(read, {"phone": "1"}, {"phone": "2"}) == {"phone": Cell.FILE}
    assert compare(read, {"phone": "1"}, {"phone": "1"}) == {"phone": Cell.SAME}


def test_what_comes_back_from_other_hands_is_read_as_the_same():
    moment, day, clock, number, flag, names = COLUMNS[4], COLUMNS[5], COLUMNS[6], COLUMNS[1], COLUMNS[2], COLUMNS[3]
    local = NINE_THIRTY
    for cell in (local, local - timedelta(microseconds=3), "2099-03-02T08:30:00Z", "2099-03-02 09:30", AT):
        assert moment.read(cell, BERLIN) == moment.text(AT)
    assert {day.read(cell, BERLIN) for cell in (local, local.date(), "2099-03-02")} == {"2099-03-02"}
    assert {clock.read(cell, BERLIN) for cell in (local, time(9, 30), "9:30", "09:30:00")} == {"09:30"}
    assert {number.read(cell, BERLIN) for cell in (4, 4.0, "4", " 4.0")} == {"4"}
    assert {flag.read(cell, BERLIN) for cell in ("y", "Yes", True, "Y")} == {"Y"}
    assert names.read("sql; Go,", BERLIN) == names.text(("Go", "SQL"))
