"""People stop mentoring, or being mentored: what is ahead is called off, what they said of themselves goes, what was stays."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from tablib import Dataset

from people.models import Mentor, Skill, SkillSuggestion, Team, User
from people.resources import MentorResource
from scheduling import booking, leaving
from scheduling.models import Availability, MentorLimits, Notice, Program, Session, SessionNote, TimeOff, WeeklyHours
from scheduling.tests.test_leaving import code_of, one_after_the_other

pytestmark = pytest.mark.django_db

MENTOR, MENTEE = "/profile/mentor/give-up/", "/profile/mentee/give-up/"


@pytest.fixture
def life(kim, maya, bo, alex, monday, window):
    """Kim mentors Bo at 9:00, asked for, and has mentored Alex; Maya mentors Kim at 11:30. Of each role Kim has said something."""
    mentor, mentee = kim.mentor, kim.mentee
    window(mentor)
    window(maya)
    WeeklyHours.objects.create(
        mentor=mentor, weekday=6, begins=time(9), ends=time(10), time_zone="UTC", valid_from_on=datetime.now(UTC).date()
    )
    TimeOff.objects.create(mentor=mentor, start_time=monday, end_time=monday + timedelta(hours=1))
    MentorLimits.objects.create(mentor=mentor, week_cap=2)
    mentor.about_me, mentor.external_id = "Ask me about trains.", "M-7"
    mentor.save()
    mentor.skills.add(Skill.objects.create(name="Trains"))
    SkillSuggestion.objects.create(mentor=mentor, name="Ferries")
    mentee.goals, mentee.team = "To speak in public.", Team.objects.create(number=3)
    mentee.save()
    ago = datetime.now(UTC) - timedelta(days=5)
    over = Session.objects.create(
        mentor=mentor, mentee=alex, start_time=ago, end_time=ago + timedelta(hours=1), status="Completed", created_at=ago
    )
    SessionNote.objects.create(session=over, mentor=mentor, text="Likes ferries.", changed_at=ago)
    asked = booking.request(mentor, bo, monday, 30, by=bo.user)
    met = booking.request(maya, mentee, monday + timedelta(minutes=150), 30, by=kim)
    return {"over": over, "asked": asked, "met": met}


def statuses() -> dict[int, str]:
    return dict(Session.objects.values_list("pk", "status"))


def test_a_mentor_gives_up_and_stays_a_mentee(client, life, kim, bo):
    client.force_login(kim)
    assert MENTOR in client.get("/profile/").content.decode()
    page = client.get(MENTOR)
    assert [session for session, _ in page.context["rows"]] == [life["asked"]]
    assert statuses()[life["asked"].pk] == "Pending"
    seen = f"{life['asked'].pk}-{life['asked'].version}"
    page = client.post(MENTOR, {"seen": seen, "reason": "I am moving away."}, follow=True)
    assert [str(said) for said in page.context["messages"]] == [
        "You are no mentor any more. 1 session is canceled, and we tell the other by mail."
    ]
    kim = User.objects.get(pk=kim.pk)
    assert (kim.is_mentor, kim.is_mentee, kim.mentee.goals) == (False, True, "To speak in public.")
    assert kim.history.latest().history_change_reason == "gave up being a mentor"
    assert statuses() == {life["over"].pk: "Completed", life["asked"].pk: "Canceled", life["met"].pk: "Pending"}
    assert Session.objects.get(pk=life["asked"].pk).reason == "I am moving away."
    assert Notice.objects.filter(recipient=bo.user, kind="canceled").count() == 1
    # What they offered and said of themselves is gone, also from what was before; the roster still knows them.
    for model in (Availability, WeeklyHours, TimeOff, MentorLimits, SkillSuggestion):
        assert not model.objects.filter(mentor=kim.pk).exists(), model
    mentor = Mentor.objects.get(pk=kim.pk)
    assert (mentor.about_me, mentor.external_id, list(mentor.skills.all())) == ("", "M-7", [])
    assert set(mentor.history.values_list("about_me", flat=True)) == {""}
    # Their notes on what was are still theirs, and the page of the session opens.
    assert "Likes ferries." in client.get(f"/sessions/{life['over'].pk}/note/").content.decode()
    assert client.get(f"/sessions/{life['over'].pk}/").status_code == 200
    # A second click finds it done.
    assert client.post(MENTOR, {}).url == "/profile/"


def test_a_mentee_gives_up(client, life, kim, maya):
    client.force_login(kim)
    client.post(MENTEE, {"seen": f"{life['met'].pk}-{life['met'].version}"})
    kim = User.objects.get(pk=kim.pk)
    assert (kim.is_mentor, kim.is_mentee) == (True, False)
    assert (kim.mentee.goals, kim.mentee.team, kim.mentor.about_me) == ("", None, "Ask me about trains.")
    assert statuses()[life["met"].pk] == "Canceled"
    assert client.get(f"/mentors/{maya.pk}/").status_code == 200
    assert client.get(f"/mentors/{maya.pk}/book/").status_code == 302


def test_what_was_booked_or_changed_meanwhile_is_shown_first(client, life, kim, bo, monday):
    client.force_login(kim)
    seen = f"{life['asked'].pk}-{life['asked'].version}"
    more = booking.request(kim.mentor, bo, monday + timedelta(hours=1), 30, by=bo.user)
    page = client.post(MENTOR, {"seen": seen, "reason": "Away."})
    assert "booked while you looked" in page.content.decode()
    assert [session for session, _ in page.context["rows"]] == [life["asked"], more]
    assert page.context["form"]["reason"].value() == "Away."
    booking.confirm(life["asked"], by=kim)
    page = client.post(MENTOR, {"seen": [seen, f"{more.pk}-{more.version}"]})
    assert page.context["form"].errors
    assert User.objects.get(pk=kim.pk).is_mentor
    assert statuses()[more.pk] == "Pending"
    # Whatever else is sent.
    for nonsense in ({}, {"seen": "x"}, {"seen": "1-"}, {"seen": f"{'9' * 40}-1"}):
        assert client.post(MENTOR, nonsense).status_code == 200


def test_what_cannot_be_canceled_any_more_is_said_instead_of_asked(client, life, kim):
    booking.confirm(life["asked"], by=kim)
    Program.objects.update(cancel_until_hours=24 * 60)
    client.force_login(kim)
    page = client.get(MENTOR).content.decode()
    assert "What cannot be canceled any more takes place" in page
    assert f'href="/sessions/{life["asked"].pk}/"' in page
    assert "Stop mentoring and" not in page
    assert client.post(MENTOR, {"seen": f"{life['asked'].pk}-2"}).context["form"].errors
    assert User.objects.get(pk=kim.pk).is_mentor


def test_nobody_finds_or_books_who_gave_up_until_they_begin_anew(client, life, kim, alex, cora, monday, window):
    leaving.give_up(kim, "mentor", by=kim, seen={life["asked"].pk: life["asked"].version})
    kim = User.objects.get(pk=kim.pk)
    client.force_login(alex.user)
    found = client.get("/mentors/").content.decode()
    assert "Maya Lopez" in found
    assert "Kim Park" not in found
    assert client.get(f"/mentors/{kim.pk}/").status_code == 404
    window(kim.mentor)
    with pytest.raises(ValidationError) as refusal:
        booking.request(kim.mentor, alex, monday, 30, by=cora, set_aside="They asked.")
    assert [error.code for error in refusal.value.error_list] == ["inactive"]
    roster = Dataset(["kim@example.org", "Kim", "Back."], headers=["email", "first_name", "about_me"])
    result = MentorResource().import_data(roster)
    assert [row.error.message_dict.keys() for row in result.invalid_rows] == [{"email"}]
    # By themselves, where the program lets them.
    client.force_login(kim)
    Program.objects.update(mentors_may_join=False)
    client.post("/join/", {"role": "mentor"})
    assert not User.objects.get(pk=kim.pk).is_mentor
    Program.objects.update(mentors_may_join=True)
    client.post("/join/", {"role": "mentor"})
    assert User.objects.get(pk=kim.pk).is_mentor
    assert Mentor.objects.get(pk=kim.pk).about_me == ""


def test_a_coordinator_adds_them_again(client, maya, cora):
    leaving.give_up(maya.user, "mentor", by=maya.user, seen={})
    client.force_login(cora)
    assert "gave it up" in client.get("/admin/people/mentor/").content.decode()
    assert client.get(f"/mentors/{maya.pk}/hours/").status_code == 404
    form = {"first_name": "Maya", "email": maya.user.email, "about_me": "Here again."}
    page = client.post("/admin/people/mentor/add/", form)
    assert page.status_code == 302, page.context["adminform"].form.errors
    again = Mentor.objects.get(pk=maya.pk)
    assert (again.takes_part, again.about_me) == (True, "Here again.")


def test_who_gives_up_what(client, maya, alex, cora):
    assert code_of(leaving.give_up, maya.user, "mentor", by=cora, seen={}) == "not_yours"
    assert code_of(leaving.give_up, alex.user, "mentor", by=alex.user, seen={}) == "already"
    client.force_login(alex.user)
    assert client.get(MENTOR).url == "/profile/"
    assert client.get("/profile/superuser/give-up/").status_code == 404
    Program.current()
    Program.objects.update(mentees_may_join=False)
    assert "only a coordinator can bring you back" in client.get(MENTEE).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["book", "give_up"])
def test_nothing_is_booked_past_it_in_the_same_moment(maya, alex, monday, window, first):
    window(maya)
    acts = [
        lambda: booking.request(maya, alex, monday, 30, by=alex.user),
        lambda: leaving.give_up(alex.user, "mentee", by=alex.user, seen={}),
    ]
    said = one_after_the_other(*(acts if first == "book" else acts[::-1]))
    assert said == ["done", "undecided" if first == "book" else "inactive"]
