"""The hand-over desk: a mentor is ill or away, and every session has a stand-in with a reason; what is done can be undone."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from people import changes
from people.models import ChangeSet, Skill
from project.tests.page import form_in
from scheduling import booking, delivery, leaving
from scheduling.models import Availability, MentorLimits, Notice, Program, Session, TimeOff
from scheduling.slots import Period

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def day(maya, alex, bo, zoe, monday, window):
    """Maya, who knows SQL, meets Alex at 9:00, Bo at 9:30 and Zoe at 10:00 on Monday; all know, nothing is left to be sent."""
    window(maya)
    maya.skills.add(Skill.objects.create(name="SQL"))
    found = []
    for number, mentee in enumerate((alex, bo, zoe)):
        asked = booking.request(maya, mentee, monday + number * HALF, 30, by=mentee.user)
        found.append(booking.confirm(asked, by=maya.user))
    delivery.sweep()
    mail.outbox.clear()
    return found


def address(mentor, day, what="away", until=None) -> str:
    query = f"mentor={mentor.pk}&what={what}&from_on={day:%Y-%m-%d}&until_on={until or day:%Y-%m-%d}"
    return f"{reverse('admin:people_mentor_hand_over')}?{query}"


def offered(page) -> list[list[tuple[str, str]]]:
    """Beside each session who is suggested, and why."""
    rows = page.context["form"].rows.values()
    return [[(option.label, option.why) for option in row.options if option.why] for row in rows]


def now_is(*sessions) -> list[tuple[str, str, str]]:
    rows = Session.objects.with_people().in_bulk([session.pk for session in sessions])
    return [(rows[one.pk].status, str(rows[one.pk].mentor), f"{rows[one.pk].start_time:%H:%M}") for one in sessions]


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_all_suggestions_are_taken_in_one_go_and_each_mentee_has_one_message(desk, day, maya, omar, kim, monday, window, cora):
    """Omar knows SQL and is free at 9:30 only; Kim is free all morning, and knows nothing of it."""
    omar.skills.add(Skill.objects.get())
    window(omar, monday + HALF, hours=1)
    window(kim.mentor)
    page = desk.get(address(maya, monday))
    assert offered(page) == [
        [
            ("Omar Haddad", f"free Mon {monday.day} {monday:%b}, 09:30–10:00 · knows SQL · no session that week"),
            ("Kim Park", "free then · knows none of the skills · no session that week"),
        ],
        [
            ("Omar Haddad", f"free Mon {monday.day} {monday:%b}, 10:00–10:30 · knows SQL · 1 session that week"),
            ("Kim Park", "free then · knows none of the skills · no session that week"),
        ],
        [("Kim Park", "free then · knows none of the skills · no session that week")],
    ]
    kim_at_nine = f"session-{day[0].pk}-what"
    last = desk.post(address(maya, monday), form_in(page, "leaving") | {kim_at_nine: kim.pk, "agreed": "on", "reason": "Ill."})
    # Her own choice for the first; the suggestions for the others are as the page said them.
    assert [(str(step["heir"]), bool(step["moved"])) for step in last.context["plan"]] == [
        ("Kim Park", False),
        ("Omar Haddad", True),
        ("Kim Park", False),
    ]
    assert TimeOff.objects.count() == 0
    assert now_is(*day) == [("Confirmed", "Maya Lopez", at) for at in ("09:00", "09:30", "10:00")]
    done = desk.post(address(maya, monday), form_in(last, "leaving"), follow=True)
    assert said(done)[0].startswith("Maya Lopez is away: Mon ")
    assert now_is(*day) == [
        ("Confirmed", "Kim Park", "09:00"),
        ("Confirmed", "Omar Haddad", "10:00"),
        ("Confirmed", "Kim Park", "10:00"),
    ]
    off = TimeOff.objects.get()
    assert (off.mentor, off.start_time, off.end_time) == (
        maya,
        monday.replace(hour=0),
        monday.replace(hour=0) + timedelta(days=1),
    )
    assert not Availability.objects.filter(mentor=maya).ahead().exists()
    change_set = ChangeSet.objects.get()
    assert reverse("admin:people_changeset_change", args=[change_set.pk]) in said(done)[1]
    assert (change_set.kind, change_set.sentence, change_set.by, change_set.about) == (
        "handover",
        "Away: 3 handed over, 0 canceled",
        cora,
        maya.user,
    )


def test_an_undo_in_time_stops_every_message_and_gives_all_back(desk, day, maya, kim, monday, window, cora):
    window(kim.mentor)
    period = Period(monday.replace(hour=0), monday.replace(hour=0) + timedelta(days=1))
    leaving.be_away(maya, period, by=cora, decided={one.pk: kim.mentor for one in day[:2]} | {day[2].pk: None})
    delivery.sweep()
    assert (mail.outbox, TimeOff.objects.count(), Availability.objects.filter(mentor=maya).count()) == ([], 1, 0)
    outcome = changes.undo(ChangeSet.objects.get(), by=cora)
    assert outcome.refused == []
    assert now_is(*day) == [("Confirmed", "Maya Lopez", at) for at in ("09:00", "09:30", "10:00")]
    assert (TimeOff.objects.count(), Availability.objects.get(mentor=maya).period) == (0, Period(monday, monday + 6 * HALF))
    assert not Notice.objects.filter(state="pending").exclude(kind__startswith="reminder").exists()


def test_leaving_can_be_undone_with_the_account_and_the_windows(day, maya, omar, monday, window, cora):
    window(omar)
    leaving.leave(maya.user, by=cora, decided=dict.fromkeys([one.pk for one in day], omar))
    assert now_is(*day)[0][:2] == ("Pending", "Omar Haddad")
    booking.confirm(Session.objects.with_people().get(pk=day[1].pk), by=omar.user)
    outcome = changes.undo(ChangeSet.objects.get(), by=cora)
    maya.user.refresh_from_db()
    assert (maya.user.is_active, Availability.objects.get(mentor=maya).period) == (True, Period(monday, monday + 6 * HALF))
    assert [row[:2] for row in now_is(*day)] == [
        ("Confirmed", "Maya Lopez"),
        ("Confirmed", "Omar Haddad"),
        ("Confirmed", "Maya Lopez"),
    ]
    [(_, why)] = outcome.refused
    assert why.startswith("Omar Haddad changed this session since")


def test_the_mentee_is_asked_in_one_message_whether_it_suits_and_the_calendar_moves(
    day, maya, kim, monday, window, cora, alex, time_machine
):
    window(kim.mentor)
    period = Period(monday, monday + HALF)
    leaving.be_away(maya, period, by=cora, decided={day[0].pk: kim.mentor}, moved={day[0].pk: monday + 4 * HALF}, agreed=True)
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    delivery.sweep()
    [message] = [one for one in mail.outbox if one.to == [alex.user.email]]
    assert "Kim Park" in message.body
    assert "11:00–11:30" in message.body
    for words in ("need not do anything", "Move:\nhttp", "Cancel:\nhttp"):
        assert words in message.body
    [part] = [part for part in message.alternatives if "calendar" in part.mimetype]
    [event] = Calendar.from_ical(part.content).events
    assert event.decoded("dtstart") == monday + 4 * HALF


def test_ill_today_is_the_rest_of_the_mentors_day_and_short_notice_is_no_hindrance(
    desk, maya, omar, alex, bo, monday, window, time_machine
):
    """Today is where Maya is: at 23:00 UTC it is Tuesday morning in Auckland already."""
    maya.user.time_zone = "Pacific/Auckland"
    maya.user.save()
    time_machine.move_to(monday.replace(hour=20))
    tuesday = monday.replace(hour=23)
    for mentor in (maya, omar):
        window(mentor, tuesday, hours=16)
    today = booking.request(maya, alex, tuesday, 30, by=alex.user)
    tomorrow = booking.request(maya, bo, tuesday + timedelta(hours=13), 30, by=bo.user)
    Program.objects.update(minimum_notice_hours=24)
    page = desk.get(f"{reverse('admin:people_mentor_hand_over')}?mentor={maya.pk}&what=ill")
    assert [session for session, *_ in page.context["form"].shown] == [today]
    assert offered(page) == [[("Omar Haddad", "free then · no session that week")]]
    # The only one is chosen already.
    last = desk.post(page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"], form_in(page, "leaving"))
    assert last.context["plan"][0]["aside"] == "“It is booked early enough”"
    done = desk.post(last.request["PATH_INFO"] + "?" + last.request["QUERY_STRING"], form_in(last, "leaving"))
    assert done.url == reverse("admin:people_mentor_change", args=[maya.pk])
    assert [row[1] for row in now_is(today, tomorrow)] == ["Omar Haddad", "Maya Lopez"]
    assert Session.objects.get(pk=today.pk).set_aside_reason == leaving.AGREED_BEFORE
    assert TimeOff.objects.get().end_time == monday.replace(hour=11) + timedelta(days=1)


def test_who_has_enough_or_takes_no_requests_is_not_suggested_and_what_is_left_stays(
    desk, day, maya, omar, kim, monday, window
):
    for mentor in (omar, kim.mentor):
        window(mentor)
    MentorLimits.objects.create(mentor=omar, week_cap=1)
    MentorLimits.objects.create(mentor=kim.mentor, paused_until_on=monday + timedelta(days=30))
    url = address(maya, monday)
    page = desk.get(url)
    assert offered(page) == [
        [("Omar Haddad", "free then · knows none of the skills · 0 sessions that week, of at most 1")],
        [],
        [],
    ]
    assert page.context["form"].unsuggested == 2
    refused = desk.post(url, form_in(page, "leaving"))
    nobody = ["Nobody is free near this time. Choose another mentor, or cancel it."]
    assert [list(row.errors.get("what", [])) for row in refused.context["form"].rows.values()] == [[], nobody, nobody]
    chosen = form_in(page, "leaving") | {f"session-{day[1].pk}-what": "cancel", f"session-{day[2].pk}-what": "keep"}
    last = desk.post(url, chosen)
    assert (last.context["button"], last.context["kept"]) == ("Enter the time off, cancel 1 session, hand over 1", 1)
    desk.post(url, form_in(last, "leaving"))
    assert now_is(*day) == [
        ("Pending", "Omar Haddad", "09:00"),
        ("Canceled", "Maya Lopez", "09:30"),
        ("Confirmed", "Maya Lopez", "10:00"),
    ]


def test_the_desk_begins_with_a_question_and_says_what_is_wrong_with_it(desk, maya, monday, client, alex):
    url = reverse("admin:people_mentor_hand_over")
    asked = desk.get(f"{url}?mentor={maya.pk}")
    assert asked.context["question"]["mentor"].value() == str(maya.pk)

    def errors(query: str) -> dict:
        return {name: list(said) for name, said in desk.get(f"{url}?{query}").context["question"].errors.items()}

    assert errors("what=ill") == {"mentor": ["This field is required."]}
    assert errors("what=ill&mentor=99999999999999999999999") != {}
    assert errors(f"what=away&mentor={maya.pk}") == {"from_on": ["Choose a day."], "until_on": ["Choose a day."]}
    order = {"until_on": ["The last day must not come before the first."]}
    assert errors(f"what=away&mentor={maya.pk}&from_on=2099-02-02&until_on=2099-02-01") == order
    assert errors(f"what=away&mentor={maya.pk}&from_on=2020-02-01&until_on=2020-02-02") == {
        "until_on": ["These days are over."]
    }
    assert errors(f"what=away&mentor={maya.pk}&from_on=2099-01-01&until_on=2100-02-02") == {
        "until_on": ["Time off lasts at most a year."]
    }
    empty = desk.get(address(maya, monday))
    assert "No sessions then." in empty.content.decode()
    assert TimeOff.objects.count() == 0
    desk.post(address(maya, monday), form_in(empty, "leaving"))
    assert TimeOff.objects.count() == 1
    leaves = desk.get(f"{url}?what=leaves&mentor={maya.pk}")
    assert leaves.context["button"] == "Deactivate"
    client.force_login(alex.user)
    assert client.get(url).status_code == 302


def test_who_leaves_later_gives_up_what_comes_after_the_last_day(desk, day, maya, kim, alex, monday, window):
    window(kim.mentor, monday + timedelta(days=1))
    window(maya, monday + timedelta(days=1))
    after = booking.request(maya, alex, monday + timedelta(days=1), 30, by=alex.user)
    url = address(maya, monday, what="leaves")
    page = desk.get(url)
    assert [session for session, *_ in page.context["form"].shown] == [after]
    last = desk.post(url, form_in(page, "leaving"))
    assert f"Mon {monday.day} {monday:%b %Y} is the last day of Maya Lopez" in last.content.decode()
    assert last.context["button"] == "Set the last day, hand over 1 session"
    done = desk.post(url, form_in(last, "leaving"), follow=True)
    assert said(done)[0].startswith(f"Maya Lopez leaves on Mon {monday.day} {monday:%b %Y}. Handed over: 1.")
    assert [row[1] for row in now_is(after, *day)] == ["Kim Park", *["Maya Lopez"] * 3]
    maya.user.refresh_from_db()
    assert (maya.user.is_active, maya.user.leaves_on, TimeOff.objects.count()) == (True, monday.date(), 0)


def test_one_and_many_sessions_cost_the_same_queries(desk, day, maya, omar, monday, window, person):
    window(omar)
    Session.objects.filter(pk__in=[one.pk for one in day[1:]]).update(status="Completed")
    desk.get(address(maya, monday))
    with CaptureQueriesContext(connection) as few:
        desk.get(address(maya, monday))
    Session.objects.update(status="Confirmed")
    window(person("Nia Free", mentor=True).mentor)
    with CaptureQueriesContext(connection) as many:
        page = desk.get(address(maya, monday))
    assert len(page.context["form"].shown) == 3
    assert len(few) == len(many)


def test_people_and_policy_are_read_once_for_all_sessions_and_what_is_owed_is_written_once(
    day, maya, omar, monday, window, cora
):
    window(omar)
    decided = {one.pk: omar for one in day}
    with CaptureQueriesContext(connection) as asked:
        leaving.be_away(maya, Period(monday, monday + 3 * HALF), by=cora, decided=decided)
    told = [row["sql"] for row in asked.captured_queries]

    def times(start: str) -> int:
        return sum(sql.startswith(start) for sql in told)

    assert now_is(*day) == [("Pending", "Omar Haddad", time) for time in ("09:00", "09:30", "10:00")]
    assert [times(f'INSERT INTO "{table}"') for table in ("scheduling_notice", "scheduling_historicalsession")] == [1, 1]
    # The sessions are changed in one statement of the set, the time off and the windows in the other.
    assert times('INSERT INTO "people_change"') == 2
    # Everybody is locked at the front; the rest is the time off, however many sessions there are.
    assert sum('WHERE "people_user"."id" IN (' in sql for sql in told) == 3
