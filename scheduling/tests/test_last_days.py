"""Who has a last day: nobody books them for later, nothing later is offered, and once it is over they are deactivated."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from people import changes
from people.models import ChangeSet, User
from scheduling import booking, last_days, leaving, offering, tasks
from scheduling.models import Availability, Program, Session, WeeklyHours
from scheduling.needs import NEEDS, Scope, clash
from scheduling.tests.test_privacy import data_of

pytestmark = pytest.mark.django_db
DAY, HALF = timedelta(days=1), timedelta(minutes=30)


@pytest.fixture
def last(monday) -> date:
    return monday.date()


@pytest.fixture
def hours(maya):
    """Every Monday and Tuesday from 9 to 12, UTC."""
    for weekday in (0, 1):
        WeeklyHours.objects.create(
            mentor=maya, weekday=weekday, begins=time(9), ends=time(12), time_zone="UTC", valid_from_on=date(2020, 1, 6)
        )
    offering.write_ahead([maya.pk])


def account(role) -> tuple:
    user = User.objects.get(pk=role.pk)
    newest = user.history.latest("history_id")
    return user.is_active, user.leaves_on, newest.history_change_reason, newest.history_user


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(ValidationError) as refusal:
        call(*args, **kwargs)
    return refusal.value.error_list[0].code


def latest_start(mentor) -> datetime:
    return Availability.objects.filter(mentor=mentor).latest("start_time").start_time


def test_nothing_is_offered_or_booked_after_the_last_day(maya, alex, omar, monday, last, hours, window, cora, ask):
    tuesday = monday + DAY
    extra = window(maya, monday.replace(hour=22), hours=4)
    leaving.leave_after(maya.user, last, by=cora)
    assert account(maya) == (True, last, "was given a last day", cora)
    # What lies over midnight ends there.
    assert not Availability.objects.filter(pk=extra.pk).exists()
    assert (latest_start(maya), Availability.objects.latest("end_time").end_time) == (
        monday.replace(hour=22),
        tuesday.replace(hour=0),
    )
    offering.write_ahead()
    assert latest_start(maya) == monday.replace(hour=22)
    until = monday + timedelta(days=21)
    assert max(slot.end for slot in booking.slots(maya, 30, until=until)) == tuesday.replace(hour=0)
    # Past every door: a window that is written all the same offers nothing, and cannot be booked by anybody.
    Availability.objects.create(mentor=maya, start_time=tuesday, end_time=tuesday + 2 * HALF)
    assert max(slot.end for slot in booking.slots(maya, 30, until=until)) == tuesday.replace(hour=0)
    Availability.objects.filter(start_time=tuesday).delete()
    told = ask(alex.user, "/api/v1/availability").json()
    assert max(row["end_time"] for row in told) == f"{tuesday:%Y-%m-%d}T00:00:00Z"
    for by, more in ((alex.user, {}), (cora, {"set_aside": "They insist."})):
        assert code_of(booking.request, maya, alex, tuesday, 30, by=by, **more) == "leaves"
    sentence = f"Maya Lopez leaves the program: Mon {last.day} {last:%b %Y} is the last day."
    held = booking.request(maya, alex, monday, 30, by=alex.user)
    assert code_of(booking.reschedule, held, tuesday, by=cora) == "leaves"
    window(omar, tuesday)
    other = booking.request(omar, alex, tuesday, 30, by=alex.user)
    assert code_of(booking.reassign, other, maya, by=cora) == "leaves"
    new = Availability(mentor=maya, start_time=tuesday + 4 * HALF, end_time=tuesday + 6 * HALF)
    with pytest.raises(ValidationError) as refusal:
        offering.put_window(new)
    assert refusal.value.messages == [sentence]


def test_who_has_a_last_day_is_deactivated_once_it_is_over_by_the_programs_clock(
    maya, alex, monday, last, hours, cora, time_machine, client
):
    """In Auckland the day is over before it is in Berlin: it is the program's clock that counts."""
    Program.objects.update_or_create(pk=1, defaults={"time_zone": "America/New_York"})
    User.objects.filter(pk=maya.pk).update(time_zone="Pacific/Auckland")
    leaving.leave_after(maya.user, last, by=cora)
    end = Program.current().midnight_after(last)
    assert end.astimezone(UTC).hour in (4, 5)
    time_machine.move_to(end - timedelta(seconds=1), tick=False)
    assert tasks.let_go() == "0 deactivated, 0 undecided"
    assert account(maya)[:2] == (True, last)
    time_machine.move_to(end, tick=False)
    assert tasks.let_go() == "1 deactivated, 0 undecided"
    assert account(maya) == (False, None, "left the program", None)
    lines = maya.user.history.count()
    # Late, and once more.
    time_machine.move_to(end + 3 * DAY, tick=False)
    assert tasks.let_go() == "0 deactivated, 0 undecided"
    assert maya.user.history.count() == lines
    assert not Availability.objects.filter(mentor=maya).ahead().exists()
    client.force_login(cora)
    page = client.get(reverse("admin:people_mentor_change", args=[maya.pk])).content.decode()
    assert "The program deactivated Maya Lopez, " in page
    # Whoever is brought back stays.
    leaving.come_back(User.objects.get(pk=maya.pk), by=cora)
    assert tasks.let_go() == "0 deactivated, 0 undecided"
    assert account(maya)[0]


def test_a_worker_who_looked_before_somebody_decided_otherwise_deactivates_nobody(maya, omar, last, cora, time_machine):
    for mentor in (maya, omar):
        leaving.leave_after(mentor.user, last, by=cora)
    time_machine.move_to(Program.current().midnight_after(last), tick=False)
    seen = list(User.objects.filter(leaves_on=last).order_by("pk"))
    last_days.stay(maya.user, by=cora)
    leaving.leave(seen[1], by=None)
    for user in seen:
        assert code_of(leaving.leave, user, by=None) == "too_early"
    assert (account(maya)[:2], account(omar)[:2]) == ((True, None), (False, None))
    assert omar.user.history.filter(history_change_reason="left the program").count() == 1


def test_sessions_that_nobody_decided_about_keep_them_active_and_need_a_person(
    maya, alex, monday, last, window, cora, time_machine, caplog
):
    """No door lets them be booked: somebody wrote them past the rules."""
    leaving.leave_after(maya.user, last, by=cora)
    start = monday + 2 * DAY
    left = Session.objects.create(
        mentor=maya, mentee=alex, start_time=start, end_time=start + HALF, status="Confirmed", created_at=timezone.now()
    )
    window(maya, start)
    time_machine.move_to(monday + DAY, tick=False)
    assert tasks.let_go() == "0 deactivated, 1 undecided"
    assert "1 people are still active" in caplog.text
    assert account(maya)[:2] == (True, last)
    assert list(NEEDS["decision"].rows(Scope(), timezone.now())) == [left]
    said = f"This session clashes: the last day of Maya Lopez was Mon {last.day} {last:%b %Y}."
    assert clash(Session.objects.get(pk=left.pk), timezone.now()) == said
    booking.cancel(left, by=cora)
    assert tasks.let_go() == "1 deactivated, 0 undecided"


def test_what_is_booked_later_is_decided_about_in_both_roles(kim, maya, omar, bo, monday, last, window, cora):
    for mentor, day in ((kim.mentor, 0), (kim.mentor, 1), (maya, 1), (omar, 1)):
        window(mentor, monday + day * DAY)
    before = booking.request(kim.mentor, bo, monday, 30, by=bo.user)
    mentoring = booking.request(kim.mentor, bo, monday + DAY, 30, by=bo.user)
    learning = booking.request(maya, kim.mentee, monday + DAY + HALF, 30, by=kim)
    assert code_of(leaving.leave_after, kim, last, by=cora) == "undecided"
    assert account(kim)[1] is None
    left = leaving.leave_after(kim, last, by=cora, decided={mentoring.pk: omar, learning.pk: None})
    assert [(one.status, one.mentor) for one in left] == [("Pending", omar), ("Canceled", maya)]
    assert Session.objects.get(pk=before.pk).version == before.version
    with pytest.raises(ValidationError) as refusal:
        leaving.leave_after(kim, timezone.localdate() - DAY, by=cora)
    assert refusal.value.code == "too_late"


def test_a_last_day_can_be_taken_back(maya, alex, monday, last, hours, cora, client, vera):
    leaving.leave_after(maya.user, last, by=cora)
    page = reverse("admin:people_mentor_change", args=[maya.pk])
    stay = reverse("admin:people_mentor_stay", args=[maya.pk])
    client.force_login(vera)
    assert client.post(stay).status_code == 403
    client.force_login(cora)
    seen = client.get(page)
    said = f"Maya Lopez leaves on Mon {last.day} {last:%b %Y}: that is the last day."
    assert seen.context["gone"].startswith(said)
    assert "Cora Diaz decided so, " in seen.context["gone"]
    assert stay in seen.content.decode()
    assert f"leaves on {last.day} {last:%b %Y}" in client.get(reverse("admin:people_mentor_changelist")).content.decode()
    client.post(stay, {"_form_submitted": "True"})
    assert account(maya) == (True, None, "stays after all", cora)
    assert latest_start(maya).date() > last + timedelta(days=30)
    assert (client.get(page).context["gone"], stay in client.get(page).content.decode()) == ("", False)
    assert code_of(last_days.stay, maya.user, by=cora) == "already"
    assert code_of(last_days.stay, maya.user, by=alex.user) == "not_yours"


def test_undone_the_last_day_goes_and_all_is_as_it_was(maya, omar, alex, monday, last, hours, window, cora):
    tuesday = monday + DAY
    extra = window(maya, tuesday.replace(hour=15))
    held = booking.request(maya, alex, tuesday, 30, by=alex.user)
    window(omar, tuesday)
    before = Availability.objects.filter(mentor=maya).count()
    leaving.leave_after(maya.user, last, by=cora, decided={held.pk: omar})
    change_set = ChangeSet.objects.get()
    assert (change_set.sentence, change_set.about) == ("Last day set: 1 handed over, 0 canceled", maya.user)
    outcome = changes.undo(change_set, by=cora)
    assert outcome.refused == []
    assert account(maya) == (True, None, "undone", cora)
    held.refresh_from_db()
    assert held.mentor == maya
    assert Availability.objects.filter(mentor=maya).count() == before
    assert Availability.objects.filter(mentor=maya, start_time=extra.start_time, end_time=extra.end_time).exists()


def test_a_day_that_was_changed_since_stays_and_another_one_may_follow(maya, monday, last, hours, cora):
    leaving.leave_after(maya.user, last, by=cora)
    first = ChangeSet.objects.get()
    leaving.leave_after(maya.user, last + DAY, by=cora)
    # A day more is offered again.
    assert latest_start(maya) == monday + DAY
    [(_, why)] = changes.undo(first, by=cora).refused
    assert why == "The last day was changed since, or is over."
    changes.undo(ChangeSet.objects.latest("pk"), by=cora)
    assert (account(maya)[1], latest_start(maya)) == (last, monday)


def test_deactivated_before_it_and_undone_the_last_day_is_there_again(maya, last, cora, time_machine):
    leaving.leave_after(maya.user, last, by=cora)
    leaving.leave(maya.user, by=cora)
    assert account(maya)[:2] == (False, None)
    changes.undo(ChangeSet.objects.latest("pk"), by=cora)
    assert account(maya)[:2] == (True, last)
    # What the program did itself does not happen again within the hour.
    time_machine.move_to(Program.current().midnight_after(last), tick=False)
    assert tasks.let_go() == "1 deactivated, 0 undecided"
    changes.undo(ChangeSet.objects.latest("pk"), by=cora)
    assert account(maya)[:2] == (True, None)


def test_who_leaves_reads_it_and_takes_it_along_and_needs_no_window(maya, last, hours, cora, client):
    mentors = NEEDS["window"].rows(Scope(), timezone.now())
    WeeklyHours.objects.filter(mentor=maya).delete()
    Availability.objects.filter(mentor=maya).delete()
    assert list(mentors.all()) == [maya]
    leaving.leave_after(maya.user, last, by=cora)
    assert list(mentors.all()) == []
    assert data_of(User.objects.get(pk=maya.pk))["person"][0]["leaves_on"] == last.isoformat()
    client.force_login(maya.user)
    page = " ".join(client.get(reverse("windows")).content.decode().split())
    assert f"The last day in the program is Mon {last.day} {last:%b %Y}: nothing later is offered." in page
