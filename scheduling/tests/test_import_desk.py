"""Windows, weekly hours, sessions and the past through the import desk, and back again."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError

from people.models import Import, Mentee, User
from people.tests.test_import_desk import apply, counts, look, page, problems
from project.demo import sheets
from scheduling import booking
from scheduling.models import Availability, Feedback, Notice, Session, WeeklyHours

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


LAST_YEAR = """Booking ID,Student,Mentor email,Start,Duration,Times in,State,Subject
h1,alex@example.org,MAYA@example.org,2024-03-04 09:00,30,Europe/Berlin,attended,Résumé
h2,alex@example.org,maya@example.org,2024-03-05 09:00,45,Europe/Berlin,Cancelled,
h3,bo@example.org,maya@example.org,05.03.2024 11:00,60,Europe/Berlin,no show,
"""


def test_the_past_of_another_system_is_written_as_it_was_and_nobody_is_told(desk, maya, alex, bo, cora):
    found = look(desk, "past", LAST_YEAR)
    assert (counts(found), problems(found)) == ({"new": 3}, [])
    apply(desk, found)
    assert found.state == "done"
    rows = [(s.external_id, s.status, s.ending, s.minutes, s.start_time) for s in Session.objects.order_by("start_time")]
    assert rows == [
        ("h1", "Completed", "", 30, datetime(2024, 3, 4, 8, tzinfo=UTC)),
        ("h2", "Canceled", "canceled", 45, datetime(2024, 3, 5, 8, tzinfo=UTC)),
        ("h3", "No-show", "", 60, datetime(2024, 3, 5, 10, tzinfo=UTC)),
    ]
    assert Notice.objects.count() == 0
    history = Session.objects.get(external_id="h1").history.get()
    assert (history.history_user, history.history_change_reason) == (cora, "brought over from another system")
    assert counts(look(desk, "past", LAST_YEAR)) == {"unchanged": 3}
    desk.post(page("undo", found.pk))
    assert Session.objects.count() == 0


def test_of_people_and_sessions_that_all_came_by_mistake_no_words_are_left(desk, maya):
    people = look(desk, "mentees", "email,name\nana@example.org,Ana\nbo@example.org,Bo\n")
    apply(desk, people)
    head = "Booking ID,Student,Mentor email,Start,Duration,Times in,State,Subject\n"
    row = "h{},{}@example.org,maya@example.org,2024-03-0{} 09:00,30,Europe/Berlin,attended,Of {}\n"
    past = look(desk, "past", head + row.format(1, "ana", 4, "Ana") + row.format(2, "bo", 5, "Bo"))
    apply(desk, past)
    kept = Session.objects.get(topic="Of Bo")
    Feedback.objects.create(session=kept, rating=5, created_at=kept.end_time)
    desk.post(page("undo", past.pk))
    desk.post(page("undo", people.pk))
    assert (list(Session.objects.all()), [str(mentee) for mentee in Mentee.objects.all()]) == ([kept], ["Bo"])
    assert set(Session.history.values_list("topic", "external_id")) == {("", ""), ("Of Bo", "h2")}
    gone = past.change_set.changes.exclude(key=kept.pk)
    assert [row.after for row in gone] == [{}]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("{ahead},Completed", "This is not over yet. Book it, or import it as a session that is to come."),
        ("2024-03-04T09:00Z,Pending", "Nobody answered, and it is over: write Canceled."),
        ("2024-03-04T09:15Z,Confirmed", "One of the two has another session at that time: Mon 4 Mar 2024, 09:00–09:30 (UTC)."),
        ("2024-03-04T09:00,later", "“later” is no status: write Pending, Confirmed, Canceled, Completed, No-show."),
    ],
)
def test_what_cannot_have_been_is_refused(desk, maya, alex, monday, row, sentence):
    first = "alex@example.org,maya@example.org,2024-03-04T09:00Z,Confirmed,30"
    second = f"alex@example.org,maya@example.org,{row.format(ahead=monday.isoformat())},30"
    found = look(desk, "past", f"mentee,mentor,start,status,minutes\n{first}\n{second}\n")
    assert [(numbers, said) for numbers, [[_column, said]] in problems(found)] == [([3], sentence)]


def test_only_coordinators_write_the_past_and_the_guard_still_holds(maya, alex, cora):
    start = datetime(2024, 3, 4, 9, tzinfo=UTC)

    def was(minutes: int) -> Session:
        begins = start + timedelta(minutes=minutes)
        end = begins + timedelta(minutes=30)
        return Session(mentor=maya, mentee=alex, start_time=begins, end_time=end, status="Confirmed", created_at=begins)

    with pytest.raises(ValidationError) as refusal:
        booking.bring_over([was(0)], by=maya.user)
    assert refusal.value.code == "not_yours"
    with pytest.raises(ValidationError) as refusal:
        booking.bring_over([was(0), was(15)], by=cora)
    assert (refusal.value.code, Session.objects.count()) == ("taken", 0)
    assert len(booking.bring_over([was(0), was(30)], by=cora)) == 2


def test_weekly_hours_come_in_write_their_windows_and_go_again(desk, maya, cora):
    sheet = "mentor,day,from,to,timezone\nmaya@example.org,Tue,6 pm,8:30 pm,Europe/Berlin\nmaya@example.org,Funday,9,10,\n"
    found = look(desk, "hours", sheet)
    assert problems(found) == [([3], [["weekday", "“Funday” is no day of the week. Write it like Monday."]])]
    apply(desk, found, good="1")
    hours = WeeklyHours.objects.get()
    assert (hours.weekday, hours.begins, hours.ends, hours.time_zone) == (1, time(18), time(20, 30), "Europe/Berlin")
    assert Availability.objects.filter(from_weekly_hours=True).exists()
    later = look(desk, "hours", sheet.splitlines()[0] + "\nmaya@example.org,Tuesday,18:00,21:00,Europe/Berlin\n")
    assert later.rows.get().changes == [["ends", "20:30", "21:00"]]
    apply(desk, later)
    hours.refresh_from_db()
    assert hours.ends == time(21)
    desk.post(page("undo", later.pk))
    hours.refresh_from_db()
    assert hours.ends == time(20, 30)
    desk.post(page("undo", found.pk))
    assert (WeeklyHours.objects.count(), Availability.objects.count()) == (0, 0)


def test_windows_come_in_and_go_again_unless_somebody_has_booked_in_them(desk, maya, alex, monday):
    def row(key, hours):
        begins = monday + timedelta(hours=hours)
        return f"{key},maya@example.org,{begins.isoformat()},{(begins + timedelta(hours=2)).isoformat()}\n"

    found = look(desk, "windows", "window_id,mentor,start,end\n" + row("w1", 0) + row("w2", 4))
    assert counts(found) == {"new": 2}
    apply(desk, found)
    booking.request(maya, alex, monday, 30, by=alex.user)
    desk.post(page("undo", found.pk))
    assert [window.external_id for window in Availability.objects.all()] == ["w1"]
    refused = Import.objects.get().change_set.changes.exclude(refused="").get()
    assert refused.refused == "Something is booked in it by now: change it by hand."


def test_sessions_to_come_are_booked_and_their_messages_wait_for_the_undo(desk, maya, alex, window, monday):
    window(maya)
    found = look(desk, "sessions", f"mentor,mentee,start,minutes\nmaya@example.org,alex@example.org,{monday.isoformat()},30\n")
    assert (counts(found), Session.objects.count(), Notice.objects.count()) == ({"new": 1}, 0, 0)
    apply(desk, found)
    assert (Session.objects.get().status, Notice.objects.filter(state="pending").exists()) == ("Pending", True)
    desk.post(page("undo", found.pk))
    assert (Session.objects.get().status, Notice.objects.filter(state="pending").exists()) == ("Canceled", False)


def test_the_four_sheets_of_a_real_program_go_in_as_they_are_and_twice_is_once(desk):
    """Headers, names, keys and moments unchanged; that its December is over makes its bookings history."""
    four = {"mentors": ("mentors", 5), "mentees": ("students", 5), "windows": ("slots", 23), "past": ("bookings", 6)}
    for kind, (name, rows) in four.items():
        sheet = (sheets.FOLDER / f"{name}.csv").read_bytes()
        found = look(desk, kind, sheet)
        assert (counts(found), problems(found)) == ({"new": rows}, []), name
        answer = apply(desk, found)
        assert (found.state, answer.context["refused"]) == ("done", 0), name
        assert f"{rows} new, 0 changed, 0 unchanged, 0 refused" in answer.content.decode()
        assert counts(look(desk, kind, sheet)) == {"unchanged": rows}, name
    first = Session.objects.with_people().get(external_id="3b198144-7036-4cdc-a77e-ae5250571669")
    assert (first.mentor.user.email, str(first.mentee), first.status, first.minutes) == (
        "john.martinez@example.com",
        "Alex Johnson",
        "Confirmed",
        15,
    )
    assert (first.start_time, first.meeting_link) == (
        datetime(2025, 12, 12, 5, 30, tzinfo=UTC),
        "https://meet.google.com/abc-defg-hij982",
    )
    david = User.objects.get(email="david.kim@university.edu")
    assert not david.notification_settings.session_requested
    assert Notice.objects.count() == 0


@pytest.mark.parametrize(
    "written",
    [
        "24/11/2024 14:30",
        "11/24/2024 2:30 PM",
        "24-11-2024 14:30",
        "24.11.2024 14:30 Uhr",
        '"November 24, 2024 2:30 pm"',
        "2024-11-24 14:30:00 UTC",
        "45620.604166666664",
    ],
)
def test_moments_are_read_as_other_programs_write_them(desk, maya, alex, written):
    found = look(desk, "past", f"mentor,mentee,start,minutes\nMaya <maya@example.org>,alex@example.org,{written},30\n")
    assert (counts(found), problems(found)) == ({"new": 1}, [])
    assert ["start_time", "", "2024-11-24T14:30:00Z"] in found.rows.get().changes


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("04/03/2024 10:00", "“04/03/2024” can be two days."),
        ('"Tuesday, November 6, 2024 2 pm"', "“Tuesday, November 6, 2024” is a Wednesday"),
        ("2024-11-24", "“2024-11-24” says no time of day."),
        ("2024-11-24 14:30 EST", "“EST” in “2024-11-24 14:30 EST” can mean several zones."),
        ("31/31/2024 10:00", "“31/31/2024 10:00” is not a date and time."),
    ],
)
def test_a_moment_that_can_be_two_is_not_guessed(desk, maya, alex, written, sentence):
    found = look(desk, "past", f"mentor,mentee,start,minutes\nmaya@example.org,alex@example.org,{written},30\n")
    [(_numbers, [[_column, said]])] = problems(found)
    assert said.startswith(sentence)


def test_the_day_may_stand_in_a_column_of_its_own_and_twice_is_once(desk, maya, alex):
    sheet = "Mentor,Mentee,Date,Start time,End time\nmaya@example.org,alex@example.org,24/11/2024,2:30 pm,15:00\n"
    apply(desk, look(desk, "past", sheet))
    session = Session.objects.get()
    assert (session.start_time, session.minutes) == (datetime(2024, 11, 24, 14, 30, tzinfo=UTC), 30)
    assert counts(look(desk, "past", sheet)) == {"unchanged": 1}
