"""A mentor's time at the coordinator's desk: weekly hours, time off, windows and limits. Nothing booked ever vanishes."""

import threading
from datetime import date, datetime, time, timedelta
from time import sleep

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from people.models import User
from project.tests.page import form_in
from scheduling import booking, leaving, offering
from scheduling.admin.offering import OfferingAdmin
from scheduling.models import Availability, MentorLimits, Notice, Program, Session, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

FORWARD = "the clocks go forward then. Choose a time before or after it."


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def hours(maya):
    """Maya offers every Monday from 9:00 to 12:00, and so she does on the Monday after next."""
    Program.objects.update_or_create(pk=1, defaults={"weeks_ahead": 4})
    row = WeeklyHours(mentor=maya, weekday=0, begins=time(9), ends=time(12), time_zone="UTC", valid_from_on=date(2020, 1, 6))
    row.save()
    offering.write_ahead([maya.pk])
    return row


@pytest.fixture
def booked(hours, maya, alex, bo, monday):
    """In that time Alex is Confirmed at 9:00, and Bo has asked for 11:00."""
    with_alex = booking.confirm(booking.request(maya, alex, monday, 30, by=alex.user), by=maya.user)
    return with_alex, booking.request(maya, bo, monday + timedelta(hours=2), 30, by=bo.user)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def url(row, what="change") -> str:
    model = row if isinstance(row, type) else type(row)
    args = [] if row is model else [row.pk]
    return reverse(f"admin:scheduling_{model._meta.model_name}_{what}", args=args)


def filled(desk, row, **changes) -> dict:
    """The form on the page of a row (or of a new one, of a model), with these changes."""
    what, model = ("add", row) if isinstance(row, type) else ("change", type(row))
    return form_in(desk.get(url(row, what)), f"{model._meta.model_name}_form") | {"_save": "Save"} | changes


def on(day: datetime, hour: str, name: str) -> dict:
    return {f"{name}_0": f"{day:%Y-%m-%d}", f"{name}_1": hour}


def asked(page) -> list[tuple]:
    """Of a page that asks: the sessions, and what it says beside each."""
    return [(session, [str(error) for error in field.errors]) for session, field, *_ in page.context["form"].rows]


def errors(page) -> dict:
    return {name: list(found) for name, found in page.context["adminform"].form.errors.items()}


def statuses(*sessions) -> list[tuple[str, str]]:
    return [(row.status, row.reason) for row in (Session.objects.get(pk=session.pk) for session in sessions)]


def offered(mentor, day) -> list[str]:
    windows = Availability.objects.filter(mentor=mentor, start_time__date=day.date()).order_by("start_time")
    return [f"{window.start_time:%H:%M}-{window.end_time:%H:%M}" for window in windows]


# ---- weekly hours -----------------------------------------------------------------------------------------------------


def test_a_coordinator_gives_a_mentor_weekly_hours_and_they_become_windows(desk, maya, monday):
    User.objects.filter(pk=maya.pk).update(time_zone="Europe/Berlin")
    page = desk.get(f"{url(WeeklyHours, 'add')}?mentor={maya.pk}")
    form = form_in(page, "weeklyhours_form")
    assert form["mentor"] == [str(maya.pk)]
    form |= {"weekday": "0", "begins": "18:00", "ends": "20:00"}
    done = desk.post(url(WeeklyHours, "add"), form, follow=True)
    row = WeeklyHours.objects.get()
    assert (str(row), row.time_zone, row.mentor) == ("Monday 18:00–20:00", "Europe/Berlin", maya)
    assert said(done)[0].startswith('The weekly hours “<a href="' + url(row))
    assert offered(maya, monday) in (["16:00-18:00"], ["17:00-19:00"])
    listed = desk.get(url(WeeklyHours, "changelist")).content.decode()
    assert "18:00–20:00" in listed
    assert "Europe/Berlin" in listed


def test_hours_that_meet_others_are_refused_in_words(desk, hours, maya):
    form = filled(desk, WeeklyHours, mentor=maya.pk, weekday="0", begins="11:00", ends="13:00", time_zone="UTC")
    sentence = "These hours overlap others: Monday 09:00–12:00. Change those, or choose hours that only touch them."
    assert errors(desk.post(url(WeeklyHours, "add"), form)) == {"__all__": [sentence]}
    assert WeeklyHours.objects.count() == 1


def test_a_change_that_touches_nothing_is_saved_at_once(desk, hours, maya, monday):
    assert desk.post(url(hours), filled(desk, hours, ends="11:00")).status_code == 302
    assert offered(maya, monday) == ["09:00-11:00"]


def test_a_change_that_touches_sessions_asks_first_and_saves_nothing(desk, hours, maya, booked, monday):
    with_alex, with_bo = booked
    page = desk.post(url(hours), filled(desk, hours, begins="10:00", ends="11:00"))
    assert asked(page) == [(with_alex, []), (with_bo, [])]
    hours.refresh_from_db()
    assert (hours.begins, offered(maya, monday)) == (time(9), ["09:00-12:00"])
    # Nothing is chosen before somebody chooses it, and without a choice nothing happens.
    blank = form_in(page, "touched")
    assert not {name for name in blank if name.startswith("touched-") and name[8:].isdecimal()}
    again = desk.post(url(hours), blank)
    assert asked(again) == [(session, ["Choose: keep it, or cancel it."]) for session in booked]
    assert statuses(*booked) == [("Confirmed", ""), ("Pending", "")]


def test_each_session_is_kept_or_canceled_as_it_is_decided(desk, hours, maya, cora, booked, monday):
    with_alex, with_bo = booked
    page = desk.post(url(hours), filled(desk, hours, begins="10:00", ends="11:00"))
    decided = {f"touched-{with_alex.pk}": "keep", f"touched-{with_bo.pk}": "cancel", "touched-reason": "Maya teaches then."}
    done = desk.post(url(hours), form_in(page, "touched") | decided, follow=True)
    assert said(done)[:2] == [
        "Canceled: 1 session. The mentor is told, and Bo Lindqvist.",
        "Kept, outside of the time offered: 1 session.",
    ]
    assert offered(maya, monday) == ["10:00-11:00"]
    assert statuses(*booked) == [("Confirmed", ""), ("Canceled", "Maya teaches then.")]
    last = with_bo.history.latest("pk")
    assert (last.history_user, last.history_change_reason) == (cora, "canceled for the mentor")
    told = Notice.objects.filter(session=with_bo, kind="canceled").values_list("recipient", flat=True)
    assert set(told) == {maya.pk, with_bo.mentee_id}


def test_one_choice_serves_for_all_that_were_on_the_page(desk, hours, maya, zoe, booked, monday):
    page = desk.post(url(hours, "delete"))
    assert [session for session, _ in asked(page)] == list(booked)
    new = booking.request(maya, zoe, monday + timedelta(hours=1), 30, by=zoe.user)
    sent = form_in(page, "touched") | {"touched-all": "cancel", "touched-reason": "Ill", "_remove": "1"}
    again = desk.post(url(hours, "delete"), sent)
    # Booked since: that "all" did not mean it.
    assert asked(again) == [
        (booked[0], []),
        (new, ["This was booked since you looked. Choose: keep it, or cancel it."]),
        (booked[1], []),
    ]
    assert statuses(*booked, new) == [("Confirmed", ""), ("Pending", ""), ("Pending", "")]
    desk.post(url(hours, "delete"), form_in(again, "touched") | {f"touched-{new.pk}": "keep", "_remove": "1"})
    assert [status for status, _ in statuses(*booked, new)] == ["Canceled", "Canceled", "Pending"]
    assert not WeeklyHours.objects.exists()


def test_what_is_booked_in_the_very_moment_is_asked_about(desk, hours, booked, monkeypatch):
    """After the page has looked, and found nothing, and before the change is made."""
    touched = offering.touched

    def too_early(change):
        monkeypatch.setattr(offering, "touched", touched)
        return []

    monkeypatch.setattr(offering, "touched", too_early)
    page = desk.post(url(hours), filled(desk, hours, begins="10:00", ends="11:00"))
    assert [session for session, _ in asked(page)] == list(booked)
    hours.refresh_from_db()
    assert hours.begins == time(9)


def test_back_from_the_question_shows_what_was_typed(desk, hours, booked):
    page = desk.post(url(hours), filled(desk, hours, begins="10:00", valid_until_on="2030-01-01"))
    again = desk.post(url(hours), form_in(page, "touched") | {"_back": "1"})
    form = form_in(again, "weeklyhours_form")
    assert (form["begins"], form["valid_until_on"], form["weekday"]) == (["10:00"], ["2030-01-01"], ["0"])
    assert errors(again) == {"__all__": ["Nothing is saved yet."]}
    assert "Please correct" not in again.content.decode()
    hours.refresh_from_db()
    assert hours.begins == time(9)


def test_a_row_stays_its_mentors(desk, hours, omar):
    form = filled(desk, hours, mentor=omar.pk, ends="11:00")
    assert desk.post(url(hours), form).status_code == 302
    hours.refresh_from_db()
    assert (str(hours.mentor), hours.ends) == ("Maya Lopez", time(11))


def test_whoever_left_is_given_no_time(desk, maya, cora, monday):
    leaving.leave(maya.user, by=cora)
    page = desk.post(
        url(WeeklyHours, "add"), filled(desk, WeeklyHours, mentor=maya.pk, weekday="0", begins="9:00", ends="10:00")
    )
    assert errors(page) == {"mentor": ["Maya Lopez is deactivated. Bring them back first."]}


def test_a_zone_that_is_gone_is_told_and_chosen_again(desk, hours):
    WeeklyHours.objects.update(time_zone="Europe/Atlantis")
    page = desk.get(url(hours)).content.decode()
    assert "“Europe/Atlantis”, chosen before, is not known any more. Choose again." in page
    assert desk.post(url(hours), filled(desk, hours)).status_code == 302
    hours.refresh_from_db()
    assert hours.time_zone == "UTC"


# ---- time off ---------------------------------------------------------------------------------------------------------


def test_time_off_cuts_the_windows_and_asks_about_what_lies_in_it(desk, maya, booked, monday):
    with_alex, with_bo = booked
    form = filled(
        desk, TimeOff, mentor=maya.pk, note="Dentist", **on(monday, "09:00", "start_time"), **on(monday, "10:00", "end_time")
    )
    page = desk.post(url(TimeOff, "add"), form)
    assert asked(page) == [(with_alex, [])]
    assert not TimeOff.objects.exists()
    done = desk.post(url(TimeOff, "add"), form_in(page, "touched") | {f"touched-{with_alex.pk}": "keep"}, follow=True)
    row = TimeOff.objects.get()
    assert (row.note, row.start_time, row.end_time) == ("Dentist", monday, monday + timedelta(hours=1))
    assert f'href="{url(row)}"' in said(done)[-1]
    assert offered(maya, monday) == ["10:00-12:00"]
    assert statuses(with_alex, with_bo) == [("Confirmed", ""), ("Pending", "")]
    # Another word in the note asks nothing again; less time off gives the rest back.
    assert desk.post(url(row), filled(desk, row, note="The dentist")).status_code == 302
    assert desk.post(url(row), filled(desk, row, **on(monday, "09:30", "end_time"))).status_code == 302
    assert offered(maya, monday) == ["09:30-12:00"]
    gone = desk.get(url(row, "delete"))
    assert "No session is touched." in gone.content.decode()
    assert TimeOff.objects.count() == 1
    assert said(desk.post(url(row, "delete"), {"_remove": "1"}, follow=True))[0].startswith("Deleted: Maya Lopez, Mon ")
    assert (TimeOff.objects.count(), offered(maya, monday)) == (0, ["09:00-12:00"])


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (("2026-12-07", "10:00"), ("2026-12-07", "09:00"), {"__all__": ["The end must come after the start."]}),
        (
            ("2026-12-07", "10:00"),
            ("2028-12-07", "09:00"),
            {"__all__": ["Time off lasts at most a year. Enter the rest as another."]},
        ),
        (("2026-11-02", "10:00"), ("2026-11-02", "11:00"), {"end_time": ["This time is in the past."]}),
        (
            ("2027-03-28", "02:30"),
            ("2027-03-28", "06:00"),
            {"start_time": [f"02:30 on Sun 28 Mar 2027 does not exist in Europe/Berlin: {FORWARD}"]},
        ),
    ],
)
def test_times_that_cannot_be_are_refused_in_words(desk, cora, maya, time_machine, start, end, found):
    User.objects.filter(pk=cora.pk).update(time_zone="Europe/Berlin")
    time_machine.move_to(datetime.fromisoformat("2026-11-24T09:00Z"))
    desk.force_login(cora)
    form = {"mentor": maya.pk, "note": ""}
    form |= dict(zip(("start_time_0", "start_time_1", "end_time_0", "end_time_1"), (*start, *end), strict=True))
    assert errors(desk.post(url(TimeOff, "add"), form)) == found
    assert not TimeOff.objects.exists()


def test_an_hour_that_comes_twice_is_asked_about(desk, cora, maya, time_machine):
    User.objects.filter(pk=cora.pk).update(time_zone="Europe/Berlin")
    time_machine.move_to(datetime.fromisoformat("2027-10-01T09:00Z"))
    desk.force_login(cora)
    form = {"mentor": maya.pk, "start_time_0": "2027-10-31", "start_time_1": "02:30", "end_time_0": "2027-10-31"}
    page = desk.post(url(TimeOff, "add"), form | {"end_time_1": "06:00"})
    assert list(errors(page)) == ["start_time"]
    assert "After the clocks go back" in page.content.decode()
    desk.post(url(TimeOff, "add"), form | {"end_time_1": "06:00", "which_start_time": "second"})
    assert TimeOff.objects.get().start_time == datetime.fromisoformat("2027-10-31T01:30Z")


# ---- windows ----------------------------------------------------------------------------------------------------------


def origins(desk) -> list[str]:
    rows = desk.get(url(Availability, "changelist"), {"o": "2"}).context["cl"].result_list
    model_admin = desk.get(url(Availability, "changelist")).context["cl"].model_admin
    return [model_admin.origin(row) for row in rows]


def test_a_window_that_meets_another_is_refused_beside_the_field(desk, hours, maya, monday):
    form = filled(desk, Availability, mentor=maya.pk, **on(monday, "11:00", "start_time"), **on(monday, "13:00", "end_time"))
    found = errors(desk.post(url(Availability, "add"), form))
    assert list(found) == ["start_time"]
    assert found["start_time"][0].startswith("Maya Lopez already offers Mon ")
    assert found["start_time"][0].endswith("Change or remove that window, or choose a time that only touches it.")
    assert desk.post(url(Availability, "add"), form | on(monday, "12:00", "start_time")).status_code == 302
    assert offered(maya, monday) == ["09:00-12:00", "12:00-13:00"]


def test_each_window_says_where_it_comes_from(desk, hours, maya, monday):
    Program.objects.update(weeks_ahead=2)
    offering.write_ahead([maya.pk])
    written = Availability.objects.get(start_time=monday)
    others = Availability.objects.exclude(pk=written.pk).count()
    assert set(origins(desk)) == {"weekly hours"}
    desk.post(url(written), filled(desk, written, **on(monday, "11:00", "end_time")))
    extra = on(monday, "15:00", "start_time") | on(monday, "16:00", "end_time")
    desk.post(url(Availability, "add"), filled(desk, Availability, mentor=maya.pk, **extra))
    found = origins(desk)
    assert (len(found), found.count("weekly hours"), found.count("edited"), found.count("extra")) == (others + 2, others, 1, 1)
    # What the weekly hours said of the edited one stays away, also when they are written again.
    offering.write_ahead([maya.pk])
    assert offered(maya, monday) == ["09:00-11:00", "15:00-16:00"]


def test_a_window_that_somebody_booked_is_not_deleted_without_a_word(desk, maya, booked, monday):
    window = Availability.objects.get(start_time=monday)
    page = desk.get(url(window, "delete"))
    assert asked(page) == [(session, []) for session in booked]
    # A script that only says "yes" is asked, too.
    assert asked(desk.post(url(window, "delete"), {"post": "yes", "_remove": "1"})) == asked(page)
    assert Availability.objects.filter(pk=window.pk).exists()
    sent = form_in(page, "touched") | {"touched-all": "keep", "_remove": "1"}
    assert desk.post(url(window, "delete"), sent).url == url(Availability, "changelist")
    assert (offered(maya, monday), statuses(*booked)) == ([], [("Confirmed", ""), ("Pending", "")])
    # It came from the weekly hours: so that they do not write it again, it became time off.
    off = TimeOff.objects.get()
    assert (off.start_time, off.note) == (monday, "A single window, removed.")


def test_many_windows_are_deleted_on_one_page(desk, maya, omar, booked, window, monday):
    theirs = [Availability.objects.get(mentor=maya, start_time=monday), window(omar), window(omar, monday + timedelta(days=1))]
    chosen = {"action": "remove_selected", "_selected_action": [row.pk for row in theirs]}
    before = Availability.objects.count()
    page = desk.post(url(Availability, "changelist"), chosen)
    assert [row[:10] for row in page.context["rows"]] == ["Maya Lopez", "Omar Hadda", "Omar Hadda"]
    assert asked(page) == [(session, []) for session in booked]
    assert Availability.objects.count() == before
    sent = form_in(page, "touched") | {
        "touched-all": "keep",
        f"touched-{booked[1].pk}": "cancel",
        "touched-reason": "Ill",
        "_remove": "1",
    }
    done = desk.post(url(Availability, "changelist"), sent, follow=True)
    assert said(done) == [
        "Canceled: 1 session. The mentor is told, and Bo Lindqvist.",
        "Kept, outside of the time offered: 1 session.",
        "Deleted: 3.",
    ]
    assert Availability.objects.count() == before - 3
    assert [status for status, _ in statuses(*booked)] == ["Confirmed", "Canceled"]


def test_not_too_many_at_a_time(desk, maya, window, monday, monkeypatch):
    monkeypatch.setattr(OfferingAdmin, "MOST", 1)
    keys = [window(maya, monday + timedelta(days=day)).pk for day in range(2)]
    done = desk.post(
        url(Availability, "changelist"), {"action": "remove_selected", "_selected_action": keys, "_remove": "1"}, follow=True
    )
    assert (said(done), Availability.objects.count()) == (["Choose at most 1 at a time."], 2)


@pytest.mark.parametrize("model", [WeeklyHours, TimeOff, Availability])
def test_djangos_own_deleting_is_no_way_past_the_door(desk, hours, booked, maya, monday, model):
    TimeOff.objects.create(mentor=maya, start_time=monday + timedelta(days=1), end_time=monday + timedelta(days=2))
    before = model.objects.count()
    keys = list(model.objects.values_list("pk", flat=True))
    desk.post(url(model, "changelist"), {"action": "delete_selected", "_selected_action": keys, "post": "yes"})
    assert model.objects.count() == before > 0


# ---- who may ----------------------------------------------------------------------------------------------------------


def test_who_may_only_look_changes_nothing(client, person, hours):
    reader = person("Vic Stone", is_staff=True)
    reader.user_permissions.add(*Permission.objects.filter(codename__in=["view_weeklyhours", "view_availability"]))
    client.force_login(reader)
    assert client.get(url(hours)).status_code == 200
    assert client.post(url(hours), {"begins": "10:00"}).status_code == 403
    for answer in (client.get(url(hours, "delete")), client.post(url(hours, "delete"), {"_remove": "1"})):
        assert answer.status_code == 403
    assert client.get(url(WeeklyHours, "add")).status_code == 403
    client.post(url(WeeklyHours, "changelist"), {"action": "remove_selected", "_selected_action": [hours.pk], "_remove": "1"})
    assert WeeklyHours.objects.count() == 1


def test_staff_who_do_not_act_for_the_program_are_told(client, person, hours):
    helper = person("Hal Hand", is_staff=True)
    helper.user_permissions.add(*Permission.objects.filter(content_type__model="weeklyhours"))
    client.force_login(helper)
    page = client.post(url(hours), filled(client, hours, ends="11:00"))
    sentence = "Only the mentor and coordinators change when somebody can be booked."
    assert page.context["form"].non_field_errors() == [sentence]
    page = client.post(url(hours, "delete"), {"_remove": "1"})
    assert page.context["form"].non_field_errors() == [sentence]
    hours.refresh_from_db()
    assert hours.ends == time(12)


def test_a_look_changes_nothing_and_a_post_needs_the_token(cora, hours):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cora)
    assert client.get(url(hours, "delete")).status_code == 200
    assert client.post(url(hours, "delete"), {"_remove": "1"}).status_code == 403
    assert WeeklyHours.objects.exists()


@pytest.mark.parametrize("key", ["abc", "0", "9" * 30])
def test_a_wrong_key_is_told(desk, key):
    assert desk.get(f"{url(WeeklyHours, 'add')}?mentor={key}").status_code == 200
    form = filled(desk, WeeklyHours, mentor=key, weekday="0", begins="09:00", ends="10:00")
    sentence = "Select a valid choice. That choice is not one of the available choices."
    assert errors(desk.post(url(WeeklyHours, "add"), form))["mentor"] == [sentence]
    gone = desk.get(reverse("admin:scheduling_weeklyhours_delete", args=[key]), follow=True)
    assert "doesn’t exist" in said(gone)[0]


# ---- lists, and the mentor's page -------------------------------------------------------------------------------------


def test_the_lists_are_searched_and_filtered(desk, hours, maya, omar, monday):
    tuesday = WeeklyHours.objects.create(
        mentor=omar,
        weekday=1,
        begins=time(9),
        ends=time(10),
        time_zone="UTC",
        valid_from_on=date(2020, 1, 1),
        valid_until_on=date(2020, 12, 31),
    )
    ahead = TimeOff.objects.create(mentor=maya, start_time=monday, end_time=monday + timedelta(hours=1))
    past = TimeOff.objects.create(mentor=omar, start_time=monday - timedelta(days=60), end_time=monday - timedelta(days=50))

    def found(model, **query):
        return list(desk.get(url(model, "changelist"), query).context["cl"].result_list)

    assert found(WeeklyHours) == [hours, tuesday]
    assert found(WeeklyHours, q="Haddad") == found(WeeklyHours, weekday__exact="1") == [tuesday]
    assert found(WeeklyHours, valid="now") == found(WeeklyHours, mentor__user__exact=maya.pk) == [hours]
    assert found(WeeklyHours, valid="over") == [tuesday]
    assert found(TimeOff, when="ahead") == found(TimeOff, q="Lopez") == [ahead]
    assert found(TimeOff, when="past") == found(TimeOff, mentor__user__exact=omar.pk) == [past]


@pytest.mark.parametrize("name", ["availability", "timeoff"])
def test_the_menu_leads_to_what_lies_ahead_the_soonest_first(desk, maya, monday, window, name):
    soon, late = (monday + number * timedelta(days=1) for number in (0, 2))
    for start in (late, soon):
        window(maya, start)
        TimeOff.objects.create(mentor=maya, start_time=start, end_time=start + timedelta(hours=1))
    page = desk.get(reverse("admin:index"))
    items = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
    [link] = [str(item["link"]) for item in items if f"/{name}/" in str(item["link"])]
    starts = [row.start_time for row in desk.get(link).context["cl"].result_list]
    assert starts == [soon, late]
    everything = desk.get(reverse(f"admin:scheduling_{name}_changelist"))
    assert [row.start_time for row in everything.context["cl"].result_list] == [late, soon]


def test_a_mentors_page_leads_to_their_time_and_sessions(desk, cora, hours, maya, booked, omar, window):
    window(omar)
    page = desk.get(reverse("admin:people_mentor_change", args=[maya.pk]))
    tiles = {tile["title"]: tile["number"] for tile in page.context["tiles"]}
    windows = maya.availabilities.ahead().count()
    # How much of the week's cap is used is told in words.
    assert tiles.pop("Sessions this week") == "0"
    assert tiles == {"Weekly hours": 1, "Time off ahead": 0, "Windows ahead": windows, "Sessions ahead": 2}
    for tile in (tile for tile in page.context["tiles"] if tile["title"] in tiles):
        assert desk.get(tile["link"]).context["cl"].result_count == tile["number"]
        if tile["add"]:
            name = tile["add_link"].split("/")[3]
            assert form_in(desk.get(tile["add_link"]), f"{name}_form")["mentor"] == [str(maya.pk)]
    leaving.leave(omar.user, by=cora)
    gone = desk.get(reverse("admin:people_mentor_change", args=[omar.pk]))
    assert {tile["add"] for tile in gone.context["tiles"]} == {""}
    mentee = desk.get(reverse("admin:people_mentee_change", args=[booked[0].mentee_id]))
    [tile] = [tile for tile in mentee.context["tiles"] if tile["title"] != "Sessions this week"]
    assert (tile["title"], tile["number"], desk.get(tile["link"]).context["cl"].result_count) == ("Sessions ahead", 1, 1)


def test_who_may_not_see_windows_sees_no_number_of_them(client, person, maya, window):
    window(maya)
    viewer = person("Vic Stone", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__in=["view_mentor", "view_session"]))
    client.force_login(viewer)
    page = client.get(reverse("admin:people_mentor_change", args=[maya.pk]))
    assert [tile["title"] for tile in page.context["tiles"]] == ["Sessions ahead", "Sessions this week"]


def test_a_mentors_own_limits_are_on_their_page(desk, maya):
    page = reverse("admin:people_mentor_change", args=[maya.pk])
    form = form_in(desk.get(page), "mentor_form")
    # Nothing typed is no row, and the program's values count.
    desk.post(page, form)
    assert not MentorLimits.objects.exists()
    form |= {"limits-0-week_cap": "2", "limits-0-paused_until_on": "2030-01-07"}
    assert desk.post(page, form_in(desk.get(page), "mentor_form") | form).status_code == 302
    limits = MentorLimits.objects.get()
    assert (limits.mentor, limits.week_cap, limits.buffer_minutes, limits.paused_until_on) == (maya, 2, None, date(2030, 1, 7))
    policy = Program.current().policy_for(limits)
    assert (policy.mentor_week_cap, policy.buffer_minutes, policy.own) == (2, 0, {"mentor_week_cap"})
    refused = desk.post(page, form_in(desk.get(page), "mentor_form") | {"limits-0-buffer_minutes": "999"})
    assert refused.context["errors"]
    cleared = {"limits-0-week_cap": "", "limits-0-paused_until_on": ""}
    desk.post(page, form_in(desk.get(page), "mentor_form") | cleared)
    limits.refresh_from_db()
    assert (limits.week_cap, limits.paused_until_on) == (None, None)


def test_more_weeks_in_the_policy_are_written_at_once(desk, django_capture_on_commit_callbacks):
    program = Program.current()
    page = url(program)

    def queued(**changes) -> list[str]:
        with django_capture_on_commit_callbacks(execute=True):
            assert desk.post(page, form_in(desk.get(page), "program_form") | changes).status_code == 302
        return [task.func() for task in OrmQ.objects.all()]

    assert queued(slot_step="15") == []
    assert queued(weeks_ahead="20") == ["scheduling.tasks.write_windows"]


# ---- at the same moment -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_mentor_and_a_coordinator_change_the_same_hours_in_one_moment(cora, hours, maya):
    """Who comes second waits for the first, and neither holds what the other needs."""
    desk, locked, failed = Client(), threading.Event(), []
    desk.force_login(cora)
    form = filled(desk, hours, ends="11:00")

    def mentor():
        try:
            with transaction.atomic():
                offering.lock(maya)
                locked.set()
                # Longer than PostgreSQL waits before it looks for a deadlock: then it is the mentor who would be sent away.
                sleep(1.5)
                mine = WeeklyHours.objects.select_related("mentor__user").get()
                mine.begins = time(10)
                offering.make(offering.save_hours(mine), by=maya.user)
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=mentor)
    other.start()
    assert locked.wait(10)
    page = desk.post(url(hours), form)
    other.join()
    # Their page shows what was there before.
    assert (failed, page.context["adminform"].form.has_error("__all__", "stale")) == ([], True)
    hours.refresh_from_db()
    assert (hours.begins, hours.ends) == (time(10), time(12))
