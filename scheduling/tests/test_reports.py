"""Reports: each number is what its definition says, the length of the list it opens, and the same in the file."""

import csv
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import openpyxl
import pytest
import time_machine
from django.urls import reverse

from people.models import Team
from scheduling import booking

pytestmark = pytest.mark.django_db

# A Tuesday. The month before had no sessions.
TODAY = datetime(2099, 3, 17, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URL = "/admin/scheduling/session/reports/"
HEADS = ["Sessions held", "Hours", "People reached", "Came again", "Repeat rate", "No-shows", "No-show rate", "Answers"]


@pytest.fixture
def clock():
    with time_machine.travel(TODAY - 10 * DAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def lived(clock, maya, omar, alex, bo, zoe, window):
    """Two weeks of March. Alex, of a team whose name looks like a formula, came to Maya twice; Bo to each of them once."""
    alex.team = Team.objects.create(number=1, name="=1+1")
    alex.save()

    def live(mentor, mentee, start, *verbs, minutes=30, took=2 * HOUR):
        clock.move_to(start - DAY)
        session = booking.request(mentor, mentee, start, minutes, by=mentee.user)
        clock.move_to(start - DAY + took)
        for verb in verbs:
            if verb in (booking.complete, booking.mark_no_show):
                clock.move_to(session.end_time)
            session = verb(session, by=mentor.user)
        return session

    for day in range(1, 6):
        for mentor in (maya, omar):
            window(mentor, TODAY - day * DAY, hours=6)
    live(maya, alex, TODAY - 5 * DAY, booking.confirm, booking.complete, minutes=60)
    live(maya, alex, TODAY - 4 * DAY, booking.confirm, booking.complete, took=4 * HOUR)
    live(maya, bo, TODAY - 3 * DAY, booking.confirm)  # over, and nobody has said anything
    live(omar, bo, TODAY - 2 * DAY, booking.confirm, booking.complete, took=HOUR)
    live(omar, zoe, TODAY - 2 * DAY + HOUR, booking.confirm, booking.mark_no_show)
    live(omar, zoe, TODAY - 2 * DAY + 2 * HOUR, booking.decline, took=20 * HOUR)
    live(maya, zoe, TODAY - DAY, took=HOUR)
    clock.move_to(TODAY)
    return {"maya": maya, "omar": omar, "team": alex.team}


@pytest.fixture
def report(clock, client, cora):
    """A function that opens a report as a coordinator, and reads its lines."""
    client.force_login(cora)

    def opened(**query):
        page = client.get(URL, query)
        assert page.status_code == 200
        return {line["title"]: [said for _, said, _ in line["cells"]] for line in page.context["page"]["lines"]}, page

    return opened


def test_each_number_is_what_it_says(lived, report):
    everything = ["4", "2.5", "2", "2", "100 %", "1", "20 %", "6", "2 hours"]
    assert report()[0] == {"All": everything}
    by_mentor, _ = report(by="mentor", period="quarter")
    assert by_mentor == {
        "All": everything,
        # In Maya's line only Alex came again: Bo came to each of them once.
        "Maya Lopez": ["3", "2.0", "2", "1", "50 %", "0", "0 %", "3", "2 hours"],
        "Omar Haddad": ["1", "0.5", "1", "0", "0 %", "1", "50 %", "3", "2 hours"],
    }
    by_team, _ = report(by="team", first="2099-03-01", last="2099-03-31")
    assert by_team == {
        "All": everything,
        "1 =1+1": ["2", "1.5", "1", "1", "100 %", "0", "0 %", "2", "2 hours"],
        "no team": ["2", "1.0", "1", "1", "100 %", "1", "33 %", "4", "2 hours"],
    }
    # One day, its end included; and a month in which nothing was.
    assert report(first="2099-03-12", last="2099-03-12")[0]["All"][:3] == ["1", "1.0", "1"]
    empty, page = report(period="last_month")
    assert (empty["All"][0], "Nothing happened in this period" in page.content.decode()) == ("0", True)


@pytest.mark.parametrize("by", ["", "team", "mentor"])
def test_every_number_opens_its_rows(lived, report, client, by):
    _, page = report(by=by)
    opened = 0
    for line in page.context["page"]["lines"]:
        for title, said, link in line["cells"]:
            if title in ("Sessions held", "People reached", "Came again", "No-shows", "Answers"):
                length = client.get(link).context["cl"].result_count if link else 0
                assert (line["title"], title, str(length)) == (line["title"], title, said)
                opened += bool(link)
    assert opened > 4


def test_a_list_says_what_it_was_opened_for_and_refuses_what_it_cannot_read(lived, report, client):
    _, page = report()
    link = page.context["page"]["lines"][0]["cells"][0][2]
    assert "<strong>counted in a report:</strong> Sessions held, 1 Mar 2099 – 31 Mar 2099" in " ".join(
        client.get(link).content.decode().split()
    )
    sessions, mentees = reverse("admin:scheduling_session_changelist"), reverse("admin:people_mentee_changelist")
    whole = {"counted": "held", "counted_from": "2099-03-01", "counted_to": "2099-03-31"}
    assert client.get(sessions, whole).context["cl"].result_count == 4
    for wrong in ({"counted": "all"}, {"counted_from": "x"}, {"counted_to": "2099-02-30"}, {"counted_from": "2099-04-01"}):
        assert client.get(sessions, whole | wrong).context["cl"].result_count == 0
    for wrong in ({"met_times": "x"}, {"met_from": ""}, {"met_mentor": "1 OR 1"}):
        met = {"met_from": "2099-03-01", "met_to": "2099-03-31", "met_times": "1"}
        assert client.get(mentees, met | wrong).context["cl"].result_count == 0


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_has_the_same_numbers_and_no_formulas(lived, report, client, kind):
    response = client.get(URL, {"by": "team", "format": kind})
    assert response["Content-Disposition"] == f'attachment; filename="report-2099-03-01-2099-03-31.{kind}"'
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert rows[1] == ["1 =1+1", "2", "1.5", "1", "1", "1.0", "0", "0.0", "2", "2.0"]
    else:
        book = openpyxl.load_workbook(io.BytesIO(response.content))
        rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
        assert rows[1] == ["1 =1+1", 2, 1.5, 1, 1, 1, 0, 0, 2, 2]
    assert rows[0][1:9] == HEADS
    assert [row[0] for row in rows[1:4]] == ["1 =1+1", "no team", "All"]
    assert rows[6][0] == "Sessions held: Sessions that begin in the period and are Completed, or Confirmed and over."


def test_a_name_like_a_formula_leaves_as_text(lived, client, report):
    lived["maya"].user.first_name = "=HYPERLINK(1)"
    lived["maya"].user.save()
    text = client.get(URL, {"by": "mentor", "format": "csv"}).content.decode("utf-8-sig")
    assert "'=HYPERLINK(1) Lopez" in text
    book = openpyxl.load_workbook(io.BytesIO(client.get(URL, {"by": "mentor", "format": "xlsx"}).content))
    [cell] = [row[0] for row in book.active.iter_rows() if str(row[0].value).startswith("=HYPER")]
    assert cell.data_type == "s" or cell.quotePrefix or cell.data_type != "f"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"first": "2099-03-02", "last": "2099-03-01"}, "This period ends before it begins."),
        ({"first": "2090-03-02", "last": "2099-03-01"}, "Choose three years at most."),
        ({"first": "x", "last": "2099-03-01"}, "Enter a valid date."),
        ({"first": "2099-03-01"}, "This field is required."),
        ({"by": "age"}, "Select a valid choice. age is not one of the available choices."),
    ],
)
def test_a_period_that_cannot_be_read_is_said(report, clock, client, query, sentence):
    page = client.get(URL, query | {"format": "csv"})
    assert [error for errors in page.context["form"].errors.values() for error in errors] == [sentence]
    assert page["Content-Type"].startswith("text/html")


def test_days_are_the_readers(lived, clock, client, cora):
    """Noon in UTC is the next day in Auckland."""
    cora.time_zone = "Pacific/Auckland"
    cora.save()
    client.force_login(cora)
    held = [client.get(URL, {"first": day, "last": day}).context["report"].total.held for day in ("2099-03-12", "2099-03-13")]
    assert held == [0, 1]


def test_viewers_read_reports_and_staff_without_sessions_do_not(lived, client, vera, person):
    client.force_login(vera)
    page = client.get(URL, {"by": "mentor"})
    assert (page.status_code, "@example.org" in page.content.decode().replace(vera.email, "")) == (200, False)
    client.force_login(person("Stan Doyle", is_staff=True))
    assert client.get(URL).status_code == 403


def test_a_report_costs_the_same_for_one_line_and_two(lived, report, client, django_assert_num_queries):
    for query in ({"by": "mentor"}, {"by": "mentor", "first": "2099-03-15", "last": "2099-03-15"}):
        with django_assert_num_queries(12):
            page = client.get(f"{URL}?{urlencode(query)}")
    assert len(page.context["page"]["lines"]) == 2
