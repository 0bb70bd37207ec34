"""The coordinator moves a session and hands it over: two pages that show on a GET, act on a POST, and overwrite nobody."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from people.models import Skill, User
from project.tests.page import form_in
from scheduling import booking
from scheduling.models import MentorLimits, Notice, Program, Session

pytestmark = pytest.mark.django_db

HALF_PAST, TEN, NOON = timedelta(minutes=30), timedelta(hours=1), timedelta(hours=3)
PAGES = ("reschedule", "reassign")


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def desk_of():
    """A function that gives somebody a browser of their own."""

    def log_in(user, **options):
        browser = Client(**options)
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def ana(person):
    return person("Ana Boss", is_staff=True, is_superuser=True)


def allow(user, *codenames):
    user.user_permissions.add(
        *Permission.objects.filter(codename__in=codenames, content_type__app_label__in=["people", "scheduling"])
    )


@pytest.fixture
def ray(person):
    """May do everything for the program but set rules aside."""
    ray = person("Ray Tan", is_staff=True)
    allow(ray, "view_session", "add_session", "change_session", "view_mentor", "view_mentee")
    return ray


def address(name, session) -> str:
    return reverse(f"admin:scheduling_session_{name}", args=[getattr(session, "pk", session)])


def filled_in(page, **typed) -> dict:
    """What is sent when somebody opens the page, types this and presses the button. Switches and empty choices send nothing."""
    form = form_in(page, "session_form")
    unknown = set(typed) - set(form) - {"agreed", "new_mentor"}
    assert not unknown, f"There is no such field: {unknown}"
    return form | typed


def clock(moment) -> dict:
    return {"start_time_0": moment.strftime("%Y-%m-%d"), "start_time_1": moment.strftime("%H:%M")}


def told(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def refusals(page) -> list[tuple[str, str]]:
    errors = page.context["adminform"].form.errors.as_data()
    return [(error.code, error.messages[0]) for found in errors.values() for error in found]


def codes(page) -> list[str]:
    return [code for code, _ in refusals(page)]


def of(session) -> tuple:
    session = Session.objects.get(pk=session.pk)
    return session.mentor, session.start_time, session.minutes, session.status


def last(session):
    return session.history.latest("history_id")


# ---- who gets there ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_for_those_who_act_for_the_program(client, desk_of, person, alex, session, name):
    before = of(session)
    viewer = person("Vic Stone", is_staff=True)
    allow(viewer, "view_session")
    for user, answers in ((viewer, {403}), (alex.user, {302, 403}), (session.mentor.user, {302, 403})):
        browser = desk_of(user)
        assert {browser.get(address(name, session)).status_code, browser.post(address(name, session)).status_code} <= answers
    assert client.get(address(name, session)).status_code == 302
    assert of(session) == before


@pytest.mark.parametrize("name", [*PAGES, "confirm", "cancel"])
@pytest.mark.parametrize("key", ["4711", "abc", "9" * 23, "²"])
def test_a_session_that_is_not_there_is_not_found(desk, cora, session, name, key):
    assert desk.get(address(name, key)).status_code == 404
    assert desk.post(address(name, key), {"_form_submitted": "True", "version": 1}).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_a_get_changes_nothing_and_a_post_needs_the_token(desk, desk_of, cora, omar, session, monday, window, name):
    window(omar)
    before = of(session)
    query = {"start": (monday + TEN).isoformat(), "minutes": 30, "mentor": omar.pk}
    sent = filled_in(desk.get(address(name, session), query))
    assert of(session) == before
    assert desk_of(cora, enforce_csrf_checks=True).post(address(name, session), sent).status_code == 403
    assert of(session) == before
    # The control: with the token the very same form acts.
    assert desk.post(address(name, session), sent).status_code == 302
    assert of(session) != before


@pytest.mark.parametrize("name", PAGES)
def test_what_is_over_cannot_be_moved_and_the_page_says_so(desk, cora, session, name):
    booking.cancel(session, by=cora)
    page = desk.get(address(name, session), follow=True)
    past = {"reschedule": "moved", "reassign": "handed over"}[name]
    assert page.redirect_chain == [(address("change", session), 302)]
    assert told(page) == [f"This session is Canceled: it cannot be {past}."]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "query",
    [
        {"start": "soon"},
        {"minutes": "-1"},
        {"minutes": "9" * 30},
        {"mentor": "abc"},
        {"mentor": "9" * 23},
        {"start": "9999-12-31"},
    ],
)
def test_anything_may_stand_in_the_address(desk, session, name, query):
    assert desk.get(address(name, session), query).status_code == 200


@pytest.mark.parametrize("typed", [{"new_mentor": "abc"}, {"new_mentor": "9" * 23}, {"minutes": "x"}, {"version": ""}])
def test_anything_may_be_sent(desk, session, typed):
    before = of(session)
    page = desk.post(address("reassign", session), filled_in(desk.get(address("reassign", session)), **typed))
    assert (page.status_code, of(session)) == (200, before)


# ---- another time -----------------------------------------------------------------------------------------------------


def test_a_session_is_moved(desk, cora, maya, alex, session, monday):
    page = desk.get(address("reschedule", session))
    assert [form_in(page, "session_form")[name] for name in ("start_time_0", "start_time_1", "minutes", "version")] == [
        [monday.strftime("%Y-%m-%d")],
        ["09:00"],
        ["30"],
        ["1"],
    ]
    sent = filled_in(page, **clock(monday + TEN), minutes=60, reason="Maya is at the dentist’s.")
    done = desk.post(address("reschedule", session), sent, follow=True)
    assert done.redirect_chain == [(address("change", session), 302)]
    when = f"{monday:%a} {monday.day} {monday:%b %Y}, 10:00–11:00 (UTC)"
    waits = "It waits for the mentor’s yes again: the mentor confirms, or you do."
    assert told(done) == [f"Moved: Maya Lopez and Alex Johnson, {when}. Both are told. {waits}"]
    assert of(session) == (maya, monday + TEN, 60, "Pending")
    record = last(session)
    assert (record.history_user, record.history_change_reason, record.reason) == (
        cora,
        "moved for the program",
        "Maya is at the dentist’s.",
    )
    notices = Notice.objects.filter(kind="rescheduled").values_list("recipient", flat=True)
    assert set(notices) == {maya.pk, alex.pk}


@pytest.mark.parametrize(
    ("party", "status", "what"),
    [
        ("", "Confirmed", "moved for the program"),
        ("mentor", "Confirmed", "moved for the mentor"),
        ("mentee", "Pending", "moved for the mentee"),
    ],
)
def test_for_whom_it_is_moved_is_kept_and_decides_whether_the_mentor_is_asked_again(desk, session, monday, party, status, what):
    booking.confirm(session, by=session.mentor.user)
    page = desk.get(address("reschedule", session))
    desk.post(address("reschedule", session), filled_in(page, **clock(monday + TEN), on_behalf_of=party))
    session.refresh_from_db()
    acted_for = {"mentor": session.mentor.user, "mentee": session.mentee.user}.get(party)
    assert (session.status, session.acted_for, last(session).history_change_reason) == (status, acted_for, what)


def test_free_times_are_offered_and_fill_in_the_form(desk, session, bo, maya, omar, alex, window, monday):
    """What does not suit the mentee is left out, and so is the time it has already."""
    booking.request(maya, bo, monday + TEN, 30, by=bo.user)
    window(omar, monday + timedelta(hours=2), hours=1)
    booking.request(omar, alex, monday + timedelta(hours=2), 30, by=alex.user)
    page = desk.get(address("reschedule", session))
    [(day, slots)] = page.context["days"]
    assert (day, [f"{slot.start:%H:%M}" for slot, _ in slots]) == (monday.date(), ["09:30", "10:30", "11:30"])
    path, _, fragment = slots[-1][1].partition("#")
    again = desk.get(address("reschedule", session) + path)
    assert (form_in(again, fragment)["start_time_1"], of(session)[1]) == (["11:30"], monday)


def test_the_same_form_sent_twice_moves_once(desk, session, monday):
    sent = filled_in(desk.get(address("reschedule", session)), **clock(monday + TEN))
    for _ in range(2):
        assert desk.post(address("reschedule", session), sent).status_code == 302
    session.refresh_from_db()
    assert (session.version, session.history.count()) == (2, 2)


def test_a_length_that_is_offered_no_longer_can_be_kept(desk, cora, session, monday):
    Program.objects.update(session_lengths=[45])
    page = desk.get(address("reschedule", session))
    assert page.context["adminform"].form.fields["minutes"].choices == [(30, "30 minutes"), (45, "45 minutes")]
    page = desk.post(address("reschedule", session), filled_in(page, **clock(monday + TEN)))
    assert codes(page) == ["length"]
    sent = filled_in(page, set_aside="It was agreed before.")
    assert desk.post(address("reschedule", session), sent).status_code == 302
    assert of(session)[1:3] == (monday + TEN, 30)


# ---- rules set aside --------------------------------------------------------------------------------------------------


def test_soft_rules_are_set_aside_with_a_reason(desk, cora, session, monday):
    evening = monday + timedelta(hours=9)
    page = desk.get(address("reschedule", session))
    assert page.context["adminform"].form["set_aside"].is_hidden
    page = desk.post(address("reschedule", session), filled_in(page, **clock(evening)))
    when = f"{monday:%a} {monday.day} {monday:%b %Y}, 18:00–18:30 (UTC)"
    assert refusals(page) == [("outside_window", f"Maya Lopez has not offered {when}.")]
    assert not page.context["adminform"].form["set_aside"].is_hidden
    assert 'maxlength="300"' in str(page.context["adminform"].form["set_aside"])
    assert of(session)[1] == monday
    done = desk.post(address("reschedule", session), filled_in(page, set_aside="Maya said so on the phone."), follow=True)
    session.refresh_from_db()
    assert (session.start_time, session.set_aside, session.set_aside_reason) == (
        evening,
        ["outside_window"],
        "Maya said so on the phone.",
    )
    # And the session's page tells it.
    shown = " ".join(done.content.decode().split())
    assert "The mentor has offered this time" in shown
    assert "Maya said so on the phone." in shown


def test_a_reason_counts_for_the_rules_that_were_shown_and_no_others(desk, session, monday, maya):
    evening, far = monday + timedelta(hours=9), monday + timedelta(days=365)
    sent = filled_in(desk.get(address("reschedule", session)), **clock(evening))
    page = desk.post(address("reschedule", session), sent)
    # The hour is changed with the reason: another rule is in the way now.
    page = desk.post(address("reschedule", session), filled_in(page, **clock(far), set_aside="By phone."))
    assert codes(page) == ["outside_window", "too_far"]
    assert of(session)[1] == monday
    # A reason on the first page was a reason for nothing.
    page = desk.post(address("reschedule", session), sent | {"set_aside": "By phone."})
    assert codes(page) == ["outside_window"]
    # Typed already, it stays: one more press does it.
    assert form_in(page, "session_form")["set_aside"] == ["By phone."]
    assert desk.post(address("reschedule", session), filled_in(page)).status_code == 302
    assert of(session)[1] == evening


def test_no_reason_outweighs_a_hard_rule(desk, session, bo, maya, monday):
    booking.request(maya, bo, monday + TEN, 30, by=bo.user)
    sent = filled_in(
        desk.get(address("reschedule", session)), **clock(monday + TEN), set_aside="I say so.", told="mentor_taken"
    )
    page = desk.post(address("reschedule", session), sent)
    assert codes(page) == ["mentor_taken"]
    assert page.context["adminform"].form["set_aside"].is_hidden
    assert of(session)[1] == monday


@pytest.mark.parametrize("name", PAGES)
def test_who_may_not_set_rules_aside_is_not_asked_and_cannot_force_it(desk_of, ray, session, omar, monday, name):
    browser, evening = desk_of(ray), monday + timedelta(hours=9)
    before = of(session)
    page = browser.get(address(name, session))
    assert not {"set_aside", "told"} & set(form_in(page, "session_form"))
    other = {"new_mentor": omar.pk} if name == "reassign" else {}
    sent = filled_in(page, **clock(evening), **other)
    page = browser.post(address(name, session), sent)
    assert codes(page) == ["outside_window"]
    assert "set_aside" not in page.content.decode()
    forged = browser.post(address(name, session), sent | {"set_aside": "Because.", "told": "outside_window"})
    [(code, sentence)] = refusals(forged)
    assert (code, "set rules aside" in sentence) == ("not_yours", True)
    assert of(session) == before


# ---- stale pages (fault 12) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_the_second_of_two_coordinators_is_told_and_overwrites_nothing(
    desk, desk_of, ana, cora, session, maya, omar, window, name, time_machine
):
    time_machine.move_to(datetime.combine(datetime.now(UTC) + timedelta(days=1), time(10), UTC), tick=False)
    old, start = desk.get(address(name, session)), session.start_time
    window(omar)
    theirs = {"new_mentor": omar.pk} if name == "reassign" else {}
    time_machine.shift(timedelta(minutes=2))
    first = desk_of(ana)
    first.post(address("reschedule", session), filled_in(first.get(address("reschedule", session)), **clock(start + TEN)))
    time_machine.shift(timedelta(minutes=3))
    page = desk.post(address(name, session), filled_in(old, **clock(start + HALF_PAST), **theirs, reason="As agreed."))
    assert refusals(page) == [
        ("stale", "Ana Boss changed this session at 10:02: it is Pending now. Look again before you act.")
    ]
    assert of(session) == (maya, start + TEN, 30, "Pending")
    # The page shows what it is now, and keeps what was typed: who has looked again may send it.
    assert "10:00–10:30 (UTC)" in page.content.decode()
    assert form_in(page, "session_form")["reason"] == ["As agreed."]
    assert desk.post(address(name, session), filled_in(page)).status_code == 302
    assert of(session) == (omar if theirs else maya, start + HALF_PAST, 30, "Pending")


@pytest.mark.parametrize("name", PAGES)
def test_what_a_colleague_has_canceled_is_not_moved(desk, ana, session, monday, omar, name):
    old = desk.get(address(name, session))
    other = {"new_mentor": omar.pk} if name == "reassign" else {}
    sent = filled_in(old, **clock(monday + TEN), **other)
    booking.cancel(session, by=ana)
    page = desk.post(address(name, session), sent, follow=True)
    past = {"reschedule": "moved", "reassign": "handed over"}[name]
    assert told(page) == [f"This session is Canceled: it cannot be {past}."]
    assert of(session)[1:] == (monday, 30, "Canceled")


def test_a_page_older_than_a_handing_over_hands_nothing_over_again(desk, ana, session, maya, omar, kim, window):
    for mentor in (omar, kim.mentor):
        window(mentor)
    old = desk.get(address("reassign", session))
    booking.reassign(session, omar, by=ana)
    page = desk.post(address("reassign", session), filled_in(old, new_mentor=kim.pk))
    assert codes(page) == ["stale"]
    assert of(session)[0] == omar
    assert "Hand over: Omar Haddad and Alex Johnson" in page.content.decode()


# ---- another mentor ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreed", "status", "next_step"),
    [("", "Pending", "Omar Haddad confirms, or you do."), ("on", "Confirmed", "It is Confirmed.")],
)
def test_a_session_is_handed_over(desk, cora, session, maya, omar, alex, window, monday, agreed, status, next_step):
    window(omar)
    typed = {"new_mentor": omar.pk, "reason": "Maya is ill."} | ({"agreed": agreed} if agreed else {})
    sent = filled_in(desk.get(address("reassign", session)), **typed)
    done = desk.post(address("reassign", session), sent, follow=True)
    when = f"{monday:%a} {monday.day} {monday:%b %Y}, 09:00–09:30 (UTC)"
    assert told(done) == [f"Handed over: Omar Haddad and Alex Johnson, {when}. All three are told. {next_step}"]
    assert of(session) == (omar, monday, 30, status)
    record = last(session)
    assert (record.history_user, record.history_change_reason, record.reason) == (
        cora,
        "handed over for the program",
        "Maya is ill.",
    )
    assert set(Notice.objects.filter(kind="reassigned").values_list("recipient", flat=True)) == {maya.pk, omar.pk, alex.pk}
    # Sent twice, it is one handing over, and no riddle.
    again = desk.post(address("reassign", session), sent, follow=True)
    assert told(again) == told(done)
    assert session.history.count() == 2


def test_those_who_are_free_then_are_offered_the_most_alike_first(
    desk, person, session, maya, omar, bo, alex, kim, window, monday
):
    sql, python, design = (Skill.objects.create(name=name) for name in ("SQL", "Python", "Design"))
    maya.skills.set([sql, python])
    ben = person("Ben Ode", mentor=True).mentor
    for mentor, skills in ((omar, [sql, design]), (ben, [design]), (kim.mentor, [sql, python])):
        mentor.skills.set(skills)
        window(mentor)
    busy, away, gone = (person(f"{name} Q", mentor=True).mentor for name in ("Busy", "Away", "Gone"))
    for mentor in (busy, gone):
        window(mentor)
    window(away, monday + NOON)
    booking.request(busy, bo, monday, 30, by=bo.user)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    page = desk.get(address("reassign", session))
    assert [mentor for mentor, _ in page.context["mentors"]] == [kim.mentor, omar, ben]
    chosen = desk.get(address("reassign", session) + page.context["mentors"][1][1].partition("#")[0])
    assert form_in(chosen, "session_form")["new_mentor"] == [str(omar.pk)]
    # Another time: others are free.
    later = desk.get(address("reassign", session), {"start": (monday + NOON).isoformat(), "minutes": 30})
    assert [mentor for mentor, _ in later.context["mentors"]] == [away]


@pytest.mark.parametrize("mentors", [1, 3])
def test_the_page_costs_the_same_for_one_free_mentor_and_three(
    desk, person, session, window, django_assert_num_queries, mentors
):
    for number in range(mentors):
        mentor = person(f"Mentor{number} Ames", mentor=True).mentor
        mentor.skills.set([Skill.objects.get_or_create(name="SQL")[0]])
        window(mentor)
    with django_assert_num_queries(16):
        page = desk.get(address("reassign", session))
    assert len(page.context["mentors"]) == mentors


def test_no_more_than_ten_are_offered(desk, person, session, window):
    for number in range(12):
        window(person(f"Mentor{number} Ames", mentor=True).mentor)
    assert len(desk.get(address("reassign", session)).context["mentors"]) == 10


def test_a_session_is_not_handed_to_the_mentor_it_has(desk, session):
    page = desk.post(
        address("reassign", session), filled_in(desk.get(address("reassign", session)), new_mentor=session.mentor_id)
    )
    assert refusals(page) == [("same_mentor", "Maya Lopez is the mentor already. Choose another one.")]


def test_soft_rules_are_set_aside_for_another_mentor_too(desk, session, omar, monday):
    MentorLimits.objects.create(mentor=omar, paused_until_on=monday.date() + timedelta(days=30))
    page = desk.post(address("reassign", session), filled_in(desk.get(address("reassign", session)), new_mentor=omar.pk))
    assert codes(page) == ["paused", "outside_window"]
    assert desk.post(address("reassign", session), filled_in(page, set_aside="He offered to.")).status_code == 302
    session.refresh_from_db()
    assert (session.mentor, session.set_aside, session.set_aside_reason) == (
        omar,
        ["paused", "outside_window"],
        "He offered to.",
    )


# ---- the clocks change ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("which", "hour"), [("first", 0), ("second", 1)])
def test_a_time_that_happens_twice_is_asked_about(desk, cora, session, window, maya, time_machine, which, hour):
    User.objects.filter(pk=cora.pk).update(time_zone="Europe/Berlin")
    window(maya, datetime(2027, 10, 31, 0, 0, tzinfo=UTC))
    time_machine.move_to(datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    Program.objects.update(horizon_days=0)
    night = {"start_time_0": "2027-10-31", "start_time_1": "02:30"}
    page = desk.get(address("reschedule", session))
    assert page.context["adminform"].form["which_start_time"].is_hidden
    page = desk.post(address("reschedule", session), filled_in(page, **night))
    assert codes(page) == ["happens_twice"]
    assert "(CET, UTC+1)" in words(page)
    done = desk.post(address("reschedule", session), form_in(page, "session_form") | {"which_start_time": which})
    assert done.status_code == 302
    assert of(session)[1] == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)


def test_a_time_that_never_happens_is_refused(desk, cora, session):
    User.objects.filter(pk=cora.pk).update(time_zone="Europe/Berlin")
    sent = filled_in(desk.get(address("reschedule", session)), start_time_0="2027-03-28", start_time_1="02:30")
    assert codes(desk.post(address("reschedule", session), sent)) == ["does_not_exist"]


# ---- the other buttons, and what is told of it all ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("confirm", [("", "Nobody: for the program"), ("mentor", "Maya Lopez, the mentor")]),
        ("decline", [("", "Nobody: for the program"), ("mentor", "Maya Lopez, the mentor")]),
        (
            "cancel",
            [("", "Nobody: for the program"), ("mentor", "Maya Lopez, the mentor"), ("mentee", "Alex Johnson, the mentee")],
        ),
    ],
)
def test_a_dialog_asks_for_whom_and_one_press_is_enough(desk, session, name, choices):
    asked = desk.get(address(name, session))
    field = asked.context["form"]["on_behalf_of"]
    assert field.field.choices == choices
    sent = {"_form_submitted": "True", "version": "1", "on_behalf_of": field.value(), "reason": ""}
    desk.post(address(name, session), sent)
    session.refresh_from_db()
    # Only the mentor answers a request; who called a session off is not guessed.
    for_whom = {"cancel": (None, "canceled for the program")}.get(name, (session.mentor.user, f"{name}ed for the mentor"))
    expected = {"decline": (session.mentor.user, "declined for the mentor")}.get(name, for_whom)
    assert (session.acted_for, last(session).history_change_reason) == expected


def test_what_took_place_asks_nothing(desk, session, time_machine):
    booking.confirm(session, by=session.mentor.user)
    time_machine.move_to(session.end_time + TEN)
    for name in ("complete", "mark_no_show"):
        assert list(desk.get(address(name, session)).context["form"].fields) == ["_form_submitted", "version"]


def test_the_page_and_the_history_tell_who_did_what_for_whom_and_why(desk, cora, session, monday, omar):
    sent = filled_in(desk.get(address("reschedule", session)), **clock(monday + NOON), on_behalf_of="mentee", reason="An exam.")
    page = desk.post(address("reschedule", session), sent)
    desk.post(address("reschedule", session), filled_in(page, set_aside="Maya is fine with it."))
    desk.post(address("confirm", session), {"_form_submitted": "True", "version": "2", "on_behalf_of": "mentor"})
    shown = words(desk.get(address("change", session)))
    assert "What happened Confirmed for the mentor" in shown
    assert "On behalf of Maya Lopez" in shown
    assert "Rules set aside Rules “The mentor has offered this time”" in shown
    history = words(desk.get(address("history", session)))
    day = f"{monday:%a} {monday.day} {monday:%b %Y}"
    moved = f"When: {day}, 09:00–09:30 (UTC) → {day}, 12:00–12:30 (UTC)"
    assert "Cora Diaz Maya Lopez - Status: Pending → Confirmed" in history
    assert f"Cora Diaz Alex Johnson An exam. {moved}" in history
    # Told once: with the change that set them aside, not with the one after it.
    assert history.count("Rules set aside: “The mentor has offered this time” (Maya is fine with it.)") == 1
    # An old version tells of its own change.
    first = session.history.earliest("history_id")
    old = words(desk.get(reverse("admin:scheduling_session_simple_history", args=[session.pk, first.pk])))
    assert "What happened Requested, by Alex Johnson" in old


def words(page) -> str:
    from django.utils.html import strip_tags

    return " ".join(strip_tags(page.content.decode()).split())
