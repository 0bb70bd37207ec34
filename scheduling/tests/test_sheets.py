"""Sheets of windows and sessions: a real program's own, under its policy and under ours."""

from datetime import UTC, datetime, time, timedelta

import pytest
import tablib
import time_machine

from people.resources import MenteeResource, MentorResource
from project.demo import sheets
from scheduling import offering
from scheduling.models import Availability, Notice, Program, Session, WeeklyHours
from scheduling.resources import AvailabilityResource, SessionResource

pytestmark = pytest.mark.django_db

# Before the first window of the sheets.
BEFORE = datetime(2025, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def roster(cora):
    MentorResource().import_data(sheets.read("mentors.csv"))
    MenteeResource().import_data(sheets.read("students.csv"))


def test_the_real_sheets_under_the_default_policy(roster, cora):
    with time_machine.travel(BEFORE):
        windows = AvailabilityResource().import_data(sheets.read("slots.csv"), user=cora)
        sessions = SessionResource().import_data(sheets.read("bookings.csv"), user=cora)
    assert (windows.totals["new"], len(windows.invalid_rows)) == (23, 0)
    sentence = "A session of 15 minutes is not offered here: choose 30 or 60 minutes."
    assert [(row.number, row.error.messages) for row in sessions.invalid_rows] == [(n, [sentence]) for n in range(2, 7)]
    # The one row that could be taken is told, too; with five refused, nothing is.
    assert sessions.totals["new"] == 1
    assert sessions.total_rows == 6
    assert Session.objects.count() == 0


def test_the_real_sheets_under_their_own_policy(roster, cora):
    Program.objects.update_or_create(pk=1, defaults={"session_lengths": [15, 30, 45, 60]})
    with time_machine.travel(BEFORE):
        AvailabilityResource().import_data(sheets.read("slots.csv"), user=cora)
        result = SessionResource().import_data(sheets.read("bookings.csv"), user=cora)
        assert (result.totals["new"], len(result.invalid_rows)) == (6, 0)
        session = Session.objects.get(external_id="4d4ff3d5-2df9-4cc2-996f-399efb6fb3c6")
    assert (str(session.mentor), str(session.mentee), session.status) == ("Emily Davis", "Alex Johnson", "Confirmed")
    assert (session.start_time, session.minutes) == (datetime(2025, 12, 2, 7, tzinfo=UTC), 30)
    assert session.availability.external_id == "b92886c3-dd42-43db-9051-4fdb08b07175"
    assert session.meeting_link == "https://meet.google.com/abc-defg-hij6"
    # Agreed long ago: nobody is told again, and both are reminded.
    assert set(Notice.objects.filter(state="pending").values_list("kind", flat=True)) == {"reminder_60", "reminder_15"}


def test_the_same_sheets_again_change_nothing(roster, cora):
    Program.objects.update_or_create(pk=1, defaults={"session_lengths": [15, 30, 45, 60]})
    with time_machine.travel(BEFORE):
        for _ in range(2):
            windows = AvailabilityResource().import_data(sheets.read("slots.csv"), user=cora)
            sessions = SessionResource().import_data(sheets.read("bookings.csv"), user=cora)
    assert (windows.totals["skip"], sessions.totals["skip"]) == (23, 6)
    assert (Availability.objects.count(), Session.objects.count()) == (23, 6)


def test_two_rows_with_one_key_are_refused_with_both_numbers(maya, monday, cora):
    times = (monday.isoformat(), monday.replace(hour=11).isoformat())
    rows = tablib.Dataset(
        ("w1", "maya@example.org", *times), ("w1", "maya@example.org", *times), headers=["window_id", "mentor", "start", "end"]
    )
    result = AvailabilityResource().import_data(rows, user=cora)
    assert [(refused.number, refused.error.messages) for refused in result.invalid_rows] == [(3, ["Row 2 has the same key."])]


def test_windows_without_keys_are_known_by_mentor_and_times(maya, monday, cora):
    rows = tablib.Dataset(
        ("maya@example.org", monday.isoformat(), monday.replace(hour=11).isoformat()), headers=["E-mail", "From", "To"]
    )
    totals = [AvailabilityResource().import_data(rows, user=cora).totals for _ in range(2)]
    assert [(total["new"], total["skip"]) for total in totals] == [(1, 0), (0, 1)]


# ---- windows beside other windows -----------------------------------------------------------------------------------------


def at(monday, hours) -> datetime:
    return monday + timedelta(hours=hours)


def said(monday, begins, ends) -> str:
    day = f"{monday:%a} {monday.day} {monday:%b %Y}"
    return f"{day}, {at(monday, begins):%H:%M}–{at(monday, ends):%H:%M} (UTC)"


def bring(cora, monday, *rows) -> list[tuple[int, list[str]]]:
    """Import windows of Maya's, (key, from, to) in hours after nine on Monday. The rows refused, and why."""
    headers = ["window_id", "mentor", "start_time", "end_time"]
    sheet = [
        (key, "maya@example.org", at(monday, begins).isoformat(), at(monday, ends).isoformat()) for key, begins, ends in rows
    ]
    result = AvailabilityResource().import_data(tablib.Dataset(*sheet, headers=headers), user=cora)
    assert [row.errors for row in result.error_rows] == []
    return [(refused.number, refused.error.messages) for refused in result.invalid_rows]


def offered(monday) -> list[tuple[str, float, float]]:
    """Key, from and to of every window, in hours after nine on Monday."""
    hour = timedelta(hours=1)
    rows = Availability.objects.order_by("start_time")
    return [(row.external_id, (row.start_time - monday) / hour, (row.end_time - monday) / hour) for row in rows]


def meets(monday, begins, ends) -> str:
    advice = "Change or remove that window, or choose a time that only touches it."
    return f"Maya Lopez already offers {said(monday, begins, ends)}. {advice}"


def test_windows_of_a_sheet_may_touch(maya, monday, cora):
    assert bring(cora, monday, ("w1", 0, 2), ("", 2, 3), ("w3", 3, 4)) == []
    assert offered(monday) == [("w1", 0, 2), ("", 2, 3), ("w3", 3, 4)]


def test_a_row_on_another_window_is_refused_in_words(maya, window, monday, cora):
    window(maya)
    assert bring(cora, monday, ("w1", 4, 5), ("w2", 2, 4)) == [(3, [meets(monday, 0, 3)])]
    assert offered(monday) == [("", 0, 3)], "all of the sheet or nothing"


def test_two_rows_of_a_sheet_that_overlap_are_refused_at_the_second(maya, monday, cora):
    assert bring(cora, monday, ("w1", 0, 2), ("w2", 1, 3)) == [(3, [meets(monday, 0, 2)])]
    # Also with the same times: another key is another window.
    assert bring(cora, monday, ("w1", 0, 2), ("w2", 0, 2)) == [(3, [meets(monday, 0, 2)])]
    assert offered(monday) == []


def test_a_key_is_given_to_the_window_that_is_there_already(maya, session, monday, cora):
    kept = session.availability
    assert bring(cora, monday, ("w1", 0, 3)) == []
    kept.refresh_from_db()
    session.refresh_from_db()
    assert (offered(monday), kept.external_id, session.availability) == ([("w1", 0, 3)], "w1", kept)


def test_a_key_moves_its_window_and_what_is_booked_in_it_stays_there(maya, session, monday, cora):
    bring(cora, monday, ("w1", 0, 3))
    assert bring(cora, monday, ("w1", -1, 1)) == []
    session.refresh_from_db()
    assert (offered(monday), session.availability.external_id) == ([("w1", -1, 1)], "w1")


def test_a_sheet_takes_no_window_away_from_what_is_booked(maya, session, monday, cora):
    bring(cora, monday, ("w1", 0, 3))
    [(number, sentences)] = bring(cora, monday, ("w1", 1, 3))
    assert (number, sentences) == (
        2,
        [
            f"Decide what happens with what is booked then: Alex Johnson, {said(monday, 0, 0.5)}.",
            "A sheet cannot ask: change this window by hand.",
        ],
    )
    assert offered(monday) == [("w1", 0, 3)]
    session.refresh_from_db()
    assert session.availability is not None


def test_a_session_without_a_window_finds_the_one_of_the_sheet(maya, session, monday, cora):
    offering.make(offering.remove_window(session.availability), by=maya.user, keep=[session.pk])
    bring(cora, monday, ("w1", 0, 3))
    session.refresh_from_db()
    assert session.availability.external_id == "w1"


def test_a_sheet_and_weekly_hours_leave_room_for_each_other(maya, monday, cora):
    """Mondays, 9:00 to 12:00."""
    hours = WeeklyHours(mentor=maya, weekday=0, begins=time(9), ends=time(12), time_zone="UTC", valid_from_on=monday.date())
    hours.valid_until_on = monday.date()
    bring(cora, monday, ("w1", 1, 2))
    offering.make(offering.save_hours(hours), by=maya.user)
    assert offered(monday) == [("", 0, 1), ("w1", 1, 2), ("", 2, 3)]
    assert bring(cora, monday, ("w2", 0.5, 1)) == [(2, [meets(monday, 0, 1)])]
    # Where the key's window goes away, the weekly hours come back.
    assert bring(cora, monday, ("w1", 4, 5)) == []
    assert offered(monday) == [("", 0, 3), ("w1", 4, 5)]
    offering.write_ahead()
    assert offered(monday) == [("", 0, 3), ("w1", 4, 5)]


def test_a_key_does_not_give_a_window_to_another_mentor(maya, omar, monday, cora):
    bring(cora, monday, ("w1", 0, 3))
    times = at(monday, 0).isoformat(), at(monday, 3).isoformat()
    rows = tablib.Dataset(("w1", "omar@example.org", *times), headers=["window_id", "mentor", "start_time", "end_time"])
    result = AvailabilityResource().import_data(rows, user=cora)
    sentence = "A window stays its mentor's. Remove it, and add one for the other."
    assert [(row.number, row.error.messages) for row in result.invalid_rows] == [(2, [sentence])]
    assert Availability.objects.get().mentor == maya


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("nobody@example.org", "{start}", "{end}"), "There is no mentor “nobody@example.org”. Import the mentors first."),
        (("maya@example.org", "soon", "{end}"), "“soon” is not a date and time. Write it like 2026-11-23T14:30Z."),
        (("maya@example.org", "{end}", "{start}"), "The end must come after the start."),
    ],
)
def test_a_window_that_cannot_be_read_is_refused_in_words(maya, monday, cora, row, sentence):
    times = {"start": monday.isoformat(), "end": monday.replace(hour=11).isoformat()}
    rows = tablib.Dataset([cell.format(**times) for cell in row], headers=["mentor", "start_time", "end_time"])
    result = AvailabilityResource().import_data(rows, user=cora)
    assert [(refused.number, refused.error.messages) for refused in result.invalid_rows] == [(2, [sentence])]


def test_a_sheet_brings_a_session_to_its_status_through_the_verbs(maya, alex, window, monday, cora):
    window(maya)
    headers = ["mentor_email", "mentee_email", "start", "end", "status"]
    rows = tablib.Dataset(
        ("maya@example.org", "alex@example.org", monday.isoformat(), monday.replace(minute=30).isoformat(), "cancelled"),
        ("maya@example.org", "alex@example.org", monday.isoformat(), monday.replace(minute=30).isoformat(), "confirmed"),
        headers=headers,
    )
    result = SessionResource().import_data(rows, user=cora)
    assert [refused.error.messages for refused in result.invalid_rows] == []
    statuses = [session.status for session in Session.objects.order_by("pk")]
    assert statuses == ["Canceled", "Confirmed"]
    changes = (
        Session.objects.get(status="Confirmed")
        .history.order_by("pk")
        .values_list("history_user__email", "history_change_reason")
    )
    assert list(changes) == [
        ("cora@example.org", "requested for the program"),
        ("cora@example.org", "confirmed for the program"),
    ]


def test_somebody_who_may_not_book_for_others_imports_nothing(maya, alex, window, monday, zoe):
    window(maya)
    rows = tablib.Dataset(
        ("maya@example.org", "alex@example.org", monday.isoformat(), monday.replace(minute=30).isoformat()),
        headers=["mentor", "mentee", "start_time", "end_time"],
    )
    result = SessionResource().import_data(rows, user=zoe.user)
    assert [refused.error.messages for refused in result.invalid_rows] == [["Only the mentee can request this session."]]
