"""The coordinator's desk: who gets in, what the buttons do, and what nobody can do there."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from unfold.admin import ModelAdmin

from people.models import Mentor, User
from project.testing import PASSWORD
from scheduling import booking
from scheduling.models import Notice, Program, Session, TimeOff, WeeklyHours

pytestmark = pytest.mark.django_db

LISTS = [
    "people_mentor",
    "people_mentee",
    "people_skill",
    "people_team",
    "people_changeset",
    "scheduling_availability",
    "scheduling_weeklyhours",
    "scheduling_timeoff",
    "scheduling_session",
    "scheduling_notice",
]
QUEUE = ["django_q_schedule", "django_q_success", "django_q_failure", "django_q_ormq"]


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# ---- who gets in ------------------------------------------------------------------------------------------------------


def test_the_admin_has_no_door_of_its_own(client):
    response = client.get(reverse("admin:login"), follow=True)
    assert response.redirect_chain[0][0].startswith(reverse("account_login"))


def test_staff_who_are_logged_in_guess_no_passwords_there(desk, cora, person):
    person("Root Ruiz", is_staff=True, is_superuser=True, username="root")
    response = desk.post(reverse("admin:login"), {"username": "root", "password": PASSWORD})
    assert response.url == reverse("admin:index")
    assert desk.get("/").wsgi_request.user == cora


def test_changing_the_password_goes_through_the_account_pages(desk):
    assert desk.get("/admin/password_change/").url == reverse("account_change_password")


def test_members_who_are_not_staff_are_refused(client, alex):
    client.force_login(alex.user)
    assert client.get(reverse("admin:index")).status_code in (302, 403)
    assert client.get(reverse("admin:scheduling_session_changelist")).status_code in (302, 403)


@pytest.mark.parametrize("name", LISTS)
def test_a_coordinator_sees_every_list_and_staff_without_permission_none(desk, person, session, name):
    assert desk.get(reverse(f"admin:{name}_changelist")).status_code == 200
    other = Client()
    other.force_login(person("Stan Doyle", is_staff=True))
    assert other.get(reverse(f"admin:{name}_changelist")).status_code == 403


@pytest.mark.parametrize("name", QUEUE)
def test_the_task_queue_is_for_superusers_to_look_at(client, cora, person, name):
    client.force_login(cora)
    assert client.get(reverse(f"admin:{name}_changelist")).status_code == 403
    client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403
    assert client.post(reverse(f"admin:{name}_add"), {"func": "os.system", "args": "'true'"}).status_code == 403


def test_a_coordinator_cannot_touch_accounts_or_groups(desk):
    for name in ("people_user", "auth_group", "account_emailaddress"):
        assert desk.get(reverse(f"admin:{name}_changelist")).status_code == 403


# Buttons that open a page, which acts on a POST: scheduling/tests/test_admin_moving.py and test_why_not.py hold them to it.
PAGES = {"scheduling_session_reschedule", "scheduling_session_reassign", "scheduling_session_why_not"}
# And scheduling/tests/test_leaving.py these.
PAGES |= {"people_mentor_deactivate", "people_mentee_deactivate", "people_mentor_be_away", "people_mentor_hand_over"}
# And these change nothing: scheduling/tests/test_week_page.py and test_find_page.py.
PAGES |= {"scheduling_session_week", "scheduling_session_find"}
# And scheduling/tests/test_ledger.py this.
PAGES |= {"scheduling_notice_resend"}


def test_every_action_has_a_permission_and_every_button_a_dialog():
    """Unfold's buttons are links: without a dialog a GET would act, and without a permission anybody on staff could."""
    buttons = []
    for model_admin in admin.site._registry.values():
        if not isinstance(model_admin, ModelAdmin):
            continue
        for kind in ("list", "detail", "row", "submit_line"):
            for button in getattr(model_admin, f"_get_base_actions_{kind}")():
                buttons.append(button.action_name)
                assert getattr(button.method, "allowed_permissions", None), button.action_name
                assert button.dialog or button.action_name in PAGES, button.action_name
        for action in model_admin.actions:
            function = getattr(model_admin, action) if isinstance(action, str) else action
            assert getattr(function, "allowed_permissions", None), f"{model_admin}: {action}"
    assert {"scheduling_session_confirm", *PAGES} <= set(buttons)


# ---- the lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("scheduling_session", 10),
        ("people_mentor", 10),
        ("scheduling_availability", 8),
        ("scheduling_weeklyhours", 8),
        ("scheduling_timeoff", 8),
    ],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_costs_the_same_for_one_row_and_three(
    desk, person, window, monday, django_assert_num_queries, name, queries, rows
):
    for number in range(rows):
        mentor = person(f"Mentor{number} Ames", mentor=True).mentor
        mentee = person(f"Mentee{number} Bly", mentee=True).mentee
        window(mentor)
        booking.request(mentor, mentee, monday, 30, by=mentee.user)
        WeeklyHours.objects.create(
            mentor=mentor, weekday=1, begins="09:00", ends="12:00", time_zone="UTC", valid_from_on=monday.date()
        )
        TimeOff.objects.create(mentor=mentor, start_time=monday, end_time=monday.replace(hour=12))
    with django_assert_num_queries(queries):
        response = desk.get(reverse(f"admin:{name}_changelist"))
    assert response.context["cl"].result_count == rows


def test_sessions_are_found_by_name_and_filtered_by_status_and_time(desk, session, bo, maya, monday):
    later = booking.confirm(booking.request(maya, bo, monday.replace(hour=10), 30, by=bo.user), by=maya.user)
    url = reverse("admin:scheduling_session_changelist")

    def found(**query):
        return list(desk.get(url, query).context["cl"].result_list)

    assert found() == [session, later]
    assert found(q="Lindqvist") == [later]
    assert found(status__exact="Pending") == [session]
    assert found(when="ahead", o="-3") == [later, session]
    assert found(when="past") == []
    assert found(mentee__user__exact=bo.pk) == [later]
    assert found(mentor__user__exact=maya.pk) == [later, session]


# ---- sessions ---------------------------------------------------------------------------------------------------------


def button(session, name) -> str:
    return reverse(f"admin:scheduling_session_{name}", args=[session.pk])


def test_a_button_asks_first_and_acts_on_post(desk, cora, session):
    asked = desk.get(button(session, "confirm"))
    session.refresh_from_db()
    assert (asked.status_code, session.status) == (200, "Pending")
    assert "Confirm this session?" in asked.content.decode()
    done = desk.post(button(session, "confirm"), {"_form_submitted": "True", "version": 1})
    session.refresh_from_db()
    assert (done["HX-Redirect"], session.status) == (reverse("admin:scheduling_session_change", args=[session.pk]), "Confirmed")
    last = session.history.latest("pk")
    assert (last.history_user, last.history_change_reason) == (cora, "confirmed for the program")
    shown = desk.get(reverse("admin:scheduling_session_history", args=[session.pk])).content.decode()
    assert " ".join(shown.split()).count("Status:") == 1


def test_a_button_needs_the_csrf_token(cora, session):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cora)
    response = client.post(button(session, "cancel"), {"_form_submitted": "True", "version": 1})
    session.refresh_from_db()
    assert (response.status_code, session.status) == (403, "Pending")


def test_only_the_legal_moves_are_buttons(desk, session):
    def offered():
        page = desk.get(reverse("admin:scheduling_session_change", args=[session.pk]))
        shown = page.context["actions_detail"]
        return [[one["title"], *(item["title"] for item in one.get("items", ()))] for one in shown]

    assert offered() == [["Confirm"], ["Decline"], ["Move"], ["More", "Cancel", "Hand over", "Add a note"]]
    booking.confirm(session, by=session.mentor.user)
    assert offered() == [["Move"], ["Cancel"], ["Hand over"], ["Add a note"]]


def test_staff_who_may_only_look_have_no_buttons(client, person, session):
    from django.contrib.auth.models import Permission

    viewer = person("Vic Stone", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_session", content_type__app_label="scheduling"))
    client.force_login(viewer)
    page = client.get(reverse("admin:scheduling_session_change", args=[session.pk]))
    assert (page.status_code, page.context["actions_detail"]) == (200, [])
    refused = client.post(button(session, "confirm"), {"_form_submitted": "True", "version": 1})
    session.refresh_from_db()
    assert (refused.status_code, session.status) == (403, "Pending")


def test_the_second_of_two_coordinators_is_told_what_the_first_did(desk, person, session):
    ana = person("Ana Boss", is_staff=True, is_superuser=True)
    booking.decline(session, by=ana)
    desk.post(button(session, "confirm"), {"_form_submitted": "True", "version": 1})
    page = desk.get(reverse("admin:scheduling_session_change", args=[session.pk]))
    assert len(said(page)) == 1
    assert said(page)[0].startswith("Ana Boss changed this session at ")
    session.refresh_from_db()
    assert (session.status, session.ending) == ("Canceled", "declined")


def test_the_status_is_not_a_field(desk, session):
    url = reverse("admin:scheduling_session_change", args=[session.pk])
    assert desk.post(url, {"status": "Completed", "mentor": session.mentee_id}).status_code == 403
    session.refresh_from_db()
    assert session.status == "Pending"


def test_a_double_click_books_once(desk, maya, alex, window, monday):
    window(maya)
    form = {
        "mentor": maya.pk,
        "mentee": alex.pk,
        "start_time_0": monday.strftime("%Y-%m-%d"),
        "start_time_1": "09:00",
        "minutes": 30,
        "key": "44444444-4444-4444-8444-444444444444",
    }
    for _ in range(2):
        assert desk.post(reverse("admin:scheduling_session_add"), form).status_code == 302
    booked = Session.objects.get()
    page = desk.get(reverse("admin:scheduling_session_change", args=[booked.pk]))
    assert said(page)[0].startswith("Requested: Maya Lopez and Alex Johnson, ")
    assert set(Notice.objects.values_list("recipient_id", flat=True)) == {maya.pk, alex.pk}
    assert str(booked.form_key) == form["key"]


def test_an_address_that_names_nobody_leads_back_with_a_word(desk):
    for key in ("xyz", "5/no-such-page", "999"):
        answered = desk.get(f"/admin/people/mentor/{key}/change/")
        assert (answered.status_code, answered.url) == (302, "/admin/")


# ---- people -----------------------------------------------------------------------------------------------------------

ANA = {"first_name": "Ana", "last_name": "García", "email": "Ana@Example.org", "time_zone": "Europe/Berlin", "about_me": ""}
# On the page of a mentor who is here already: their limits.
ANA |= {"limits-TOTAL_FORMS": "0", "limits-INITIAL_FORMS": "0"}


def test_a_mentor_is_entered_with_the_person(desk):
    assert desk.post(reverse("admin:people_mentor_add"), ANA).status_code == 302
    ana = Mentor.objects.with_email("ana@example.org")
    assert (str(ana), ana.user.time_zone, ana.user.has_usable_password(), ana.user.is_staff) == (
        "Ana García",
        "Europe/Berlin",
        False,
        False,
    )


def test_a_mentors_room_is_a_web_address(desk, maya):
    url, form = reverse("admin:people_mentor_change", args=[maya.pk]), ANA | {"email": "maya@example.org"}
    assert desk.post(url, form | {"meeting_link": "https://meet.example.org/maya"}).status_code == 302
    assert Mentor.objects.get().meeting_link == "https://meet.example.org/maya"
    refused = desk.post(url, form | {"meeting_link": "ftp://example.org/"})
    assert refused.context["errors"] == [["Enter a valid URL."]]


def test_a_mentee_who_becomes_a_mentor_stays_one_person(desk, alex):
    desk.post(reverse("admin:people_mentor_add"), {"first_name": "Alex", "email": "ALEX@example.org", "about_me": "Hello"})
    user = User.objects.get(email="alex@example.org")
    assert (user.pk, user.is_mentor, user.last_name) == (alex.pk, True, "Johnson")


def test_an_address_that_is_taken_is_refused_in_words(desk, maya, omar):
    again = desk.post(reverse("admin:people_mentor_add"), ANA | {"email": "maya@example.org"})
    assert again.context["errors"] == [["Maya Lopez has this address and is a mentor already."]]
    other = desk.post(reverse("admin:people_mentor_change", args=[omar.pk]), ANA | {"email": "MAYA@example.org"})
    assert other.context["errors"] == [["Somebody already has this e-mail address."]]


def test_an_address_changed_by_staff_opens_nothing_until_it_is_verified(desk, maya):
    form = ANA | {"first_name": "Maya", "last_name": "Lopez", "email": "maya@new.example.org"}
    assert desk.post(reverse("admin:people_mentor_change", args=[maya.pk]), form).status_code == 302
    maya.user.refresh_from_db()
    assert (maya.user.email, maya.user.emailaddress_set.count()) == ("maya@new.example.org", 0)


def test_a_coordinator_cannot_take_over_the_account_of_staff(desk, client, person):
    root = person("Root Ruiz", is_staff=True, is_superuser=True, mentor=True)
    url = reverse("admin:people_mentor_change", args=[root.pk])
    refused = desk.post(url, ANA | {"email": "cora@evil.example.org"})
    root.refresh_from_db()
    sentence = "This is the address of a coordinator's account: only a superuser can change it."
    assert (refused.context["errors"], root.email) == ([[sentence]], "root@example.org")
    # The control: everything else about them can be corrected, and a superuser can change the address, too.
    assert desk.post(url, ANA | {"email": "ROOT@example.org", "last_name": "Ruiz"}).status_code == 302
    client.force_login(root)
    assert client.post(url, ANA | {"email": "root@new.example.org"}).status_code == 302
    root.refresh_from_db()
    assert (root.email, root.last_name) == ("root@new.example.org", "García")


def test_the_policy_is_one_page(desk):
    page = desk.get(reverse("admin:scheduling_program_changelist"))
    assert page.url == reverse("admin:scheduling_program_change", args=[1])
    form = {"name": "Ours", "time_zone": "Europe/Berlin", "session_lengths": ["45", "60"], "slot_step": 15}
    form |= {
        "minimum_notice_hours": 2,
        "horizon_days": 30,
        "buffer_minutes": 5,
        "answer_hours": 48,
        "cancel_until_hours": 0,
        "undo_minutes": 2,
    }
    form["weeks_ahead"] = 5
    form |= {"mentor_week_cap": 4, "mentee_week_cap": "", "open_requests_cap": ""}
    desk.post(page.url, form)
    program, policy = Program.current(), Program.current().policy
    assert (program.name, program.time_zone, program.answer_hours, program.weeks_ahead) == ("Ours", "Europe/Berlin", 48, 5)
    assert (policy.lengths, policy.step, policy.notice_hours, policy.horizon_days) == ((45, 60), 15, 2, 30)
    assert (policy.buffer_minutes, policy.mentor_week_cap, policy.mentee_week_cap) == (5, 4, None)
    wrong = form | {"time_zone": "Mars/Olympus", "session_lengths": [], "slot_step": 1, "answer_hours": 0}
    none = desk.post(page.url, wrong)
    assert set(none.context["adminform"].form.errors) == {"time_zone", "session_lengths", "slot_step", "answer_hours"}


# ---- sheets -----------------------------------------------------------------------------------------------------------


def test_import_and_export_need_their_permissions(client, person):
    from django.contrib.auth.models import Permission

    viewer = person("Vic Stone", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__in=["view_mentor", "change_mentor", "add_mentor"]))
    client.force_login(viewer)
    assert client.get(reverse("admin:people_mentor_changelist")).status_code == 200
    for page in ("people_mentor_import", "people_mentor_export", "people_import_upload"):
        assert client.get(reverse(f"admin:{page}")).status_code == 403
