"""The ledger that coordinators read: the list, a notice's page, a session's tab, and what the first page says of today."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from people.models import User
from project import dashboard as desk_words
from scheduling import booking, delivery, ledger
from scheduling.models import Notice, Program, Session

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LIST = "/admin/scheduling/notice/"
NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon():
    """It is noon in the program's zone, UTC, on a Wednesday: for everything that a test does."""
    with time_machine.travel(NOON, tick=False):
        yield NOON


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


@pytest.fixture
def owe(maya, alex):
    """A function that writes a notice to Alex, each about a session of its own: owe("sent", due_at)."""

    def write(state, due_at, **fields) -> Notice:
        start = NOON + 30 * DAY + Session.objects.count() * HOUR
        session = Session.objects.create(
            mentor=maya, mentee=alex, start_time=start, end_time=start + 30 * MINUTE, created_at=NOON, status="Confirmed"
        )
        fields = {"recipient": alex.user, "kind": "confirmed"} | fields
        return Notice.objects.create(
            session=session, state=state, start_time=start, due_at=due_at, expires_at=start, version=1, **fields
        )

    return write


@pytest.fixture
def worker(monkeypatch):
    """The worker shows a heartbeat; its own test is without this."""
    monkeypatch.setattr(desk_words, "worker_is_silent", lambda: False)


def promises(client) -> dict:
    return client.get(reverse("admin:index")).context["promises"]


def troubles(client) -> list[str]:
    return [sentence for sentence, _ in promises(client)["troubles"]]


def allow(user, *codenames):
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="scheduling"))


# ---- the list ---------------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_what_is_due_and_what_became_of_it(desk, owe, noon):
    rows = {
        "yesterday": owe("sent", noon - DAY),
        "sent": owe("sent", noon - HOUR),
        "late": owe("pending", noon - 3 * MINUTE),
        "stuck": owe("sending", noon - 2 * DAY),
        "just due": owe("pending", noon - MINUTE),
        "failed": owe("failed", noon - 2 * HOUR),
        "uncertain": owe("uncertain", noon - 3 * HOUR),
        "expired": owe("expired", noon - 4 * HOUR),
        "canceled": owe("suppressed", noon - 5 * HOUR, detail="The session was canceled."),
        "tonight": owe("pending", noon + 11 * HOUR),
        "tomorrow": owe("pending", noon + 12 * HOUR),
    }

    def found(**query) -> list[str]:
        shown = list(desk.get(LIST, query).context["cl"].result_list)
        return [name for name, row in rows.items() if row in shown]

    assert found() == list(rows)
    assert found(due="today") == [name for name in rows if name not in ("yesterday", "stuck", "tomorrow")]
    assert found(due="late") == ["late", "stuck"]
    assert found(due="ahead") == ["tonight", "tomorrow"]
    for state in ("failed", "uncertain", "expired"):
        assert found(state__exact=state) == [state]
    assert found(state__exact="suppressed") == ["canceled"]
    assert found(state__exact="sent") == ["yesterday", "sent"]
    assert found(due="today", state__exact="sent") == ["sent"]
    assert found(kind__exact="reminder_60") == []
    assert "The session was canceled." in desk.get(LIST, {"state__exact": "suppressed"}).content.decode()
    latest_first = [row.due_at for row in desk.get(LIST).context["cl"].result_list]
    assert latest_first == sorted(latest_first, reverse=True)


def test_people_are_found_by_any_part_of_their_name_or_address(desk, owe, noon, maya, bo):
    first, second = owe("sent", noon), owe("sent", noon, recipient=bo.user)

    def found(words) -> list[Notice]:
        return list(desk.get(LIST, {"q": words}).context["cl"].result_list)

    assert (found("Lindqvist"), found("alex joh"), found("BO@")) == ([second], [first], [second])
    assert found(" ") == [second, first]
    # Maya is in both sessions, and was told nothing.
    assert (found("Maya"), found("alex Lindqvist")) == ([], [])


def test_a_search_asks_for_people_first(desk, owe, noon):
    owe("sent", noon)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        desk.get(LIST, {"q": "alex"})
    about_notices = [query["sql"] for query in asked if 'FROM "scheduling_notice"' in query["sql"]]
    assert about_notices
    assert not [sql for sql in about_notices if "LIKE" in sql.upper()]


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_costs_the_same_for_three_rows_and_thirty(desk, owe, noon, rows, django_assert_num_queries):
    for number in range(rows):
        owe("sent", noon - number * MINUTE, answer="250 OK")
    Program.current()
    with django_assert_num_queries(8):
        assert desk.get(LIST).context["cl"].result_count == rows


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda now: Notice.objects.all(), "notice_latest_first"),
        (lambda now: Notice.objects.due_in(ledger.today(Program.current(), now)), "notice_latest_first"),
        (lambda now: Notice.objects.filter(state="failed"), "notice_state_latest_first"),
        (lambda now: Notice.objects.filter(state="sent", kind="requested"), "notice_state_latest_first"),
    ],
)
def test_an_index_answers(owe, noon, query, index):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A few rows are read faster without: this asks whether the index could serve.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        assert index in query(noon)[:50].explain()


@pytest.mark.parametrize("query", [lambda now: Notice.objects.late(now).order_by(), delivery.next_due])
def test_an_index_finds_what_is_late_and_what_is_due(noon, query):
    """Of a million rows the few that are unsent. On PostgreSQL by the sweep's own index, on SQLite by that of the states."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = query(noon).explain()
    assert "notice_unsent_due" in plan or "notice_state_latest_first (state=? AND due_at<" in plan


# ---- one notice -------------------------------------------------------------------------------------------------------------


def test_a_notice_has_a_page_with_all_there_is_to_know(desk, owe, noon, cora):
    notice = owe(
        "failed",
        noon - HOUR,
        detail="The mail server refused it (550).",
        answer="550 5.1.1 <alex@example.org>: no such user",
        attempts=1,
        resent_by=cora,
        resent_at=noon - HOUR,
    )
    Session.objects.update(start_time=notice.start_time + HOUR, end_time=notice.start_time + 2 * HOUR)
    page = desk.get(f"{LIST}{notice.pk}/change/").content.decode()
    for word in (
        "Alex Johnson, alex@example.org",
        "Maya Lopez and Alex Johnson",
        "The session is ",
        "The mail server refused it (550).",
        "550 5.1.1 &lt;alex@example.org&gt;: no such user",
        "Cora Diaz",
        str(notice.message_key),
    ):
        assert word in page, word


def test_nobody_writes_a_notice_by_hand(desk, owe, noon):
    notice = owe("failed", noon)
    assert desk.post(f"{LIST}{notice.pk}/change/", {"state": "sent"}).status_code == 403
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}{notice.pk}/delete/", {"post": "yes"}).status_code == 403
    notice.refresh_from_db()
    assert notice.state == "failed"


def test_the_ledger_is_for_staff_who_may_see_it(owe, noon, person, maya):
    notice = owe("sent", noon)
    other = person("Stan Doyle", is_staff=True)
    allow(other, "view_session")
    for user, status in ((maya.user, 302), (other, 403)):
        browser = Client()
        browser.force_login(user)
        assert browser.get(LIST).status_code == status
        assert browser.get(f"{LIST}{notice.pk}/change/").status_code == status


# ---- on the session's page -----------------------------------------------------------------------------------------------------


def test_a_session_has_a_tab_with_who_was_promised_what(desk, session, maya, person):
    session = booking.confirm(session, by=maya.user)
    session.notices.filter(kind="confirmed").update(state="sent", answer="250 OK queued as 4F2A", attempts=1)
    url = reverse("admin:scheduling_session_change", args=[session.pk])
    page = desk.get(url)
    [inline] = [found for found in page.context["inline_admin_formsets"] if found.opts.model is Notice]
    shown = [row.original.kind for row in inline]
    assert (inline.opts.tab, len(shown), shown.count("reminder_60")) == (True, 6, 2)
    text = page.content.decode()
    assert "250 OK queued as 4F2A" in text
    assert f'href="{LIST}{session.notices.get(kind="confirmed").pk}/change/"' in text
    # Who may see sessions and no notices sees the page without it.
    looker = person("Vic Stone", is_staff=True)
    allow(looker, "view_session")
    browser = Client()
    browser.force_login(looker)
    page = browser.get(url)
    assert (page.status_code, page.context["inline_admin_formsets"]) == (200, [])
    assert "4F2A" not in page.content.decode()


def test_the_tab_costs_the_same_for_many_notices(desk, session, maya):
    url = reverse("admin:scheduling_session_change", args=[session.pk])

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            desk.get(url)
        return len(asked)

    booking.confirm(session, by=maya.user)
    few = cost()
    for version in range(50, 60):
        session.notices.create(
            recipient=maya.user,
            kind="rescheduled",
            version=version,
            start_time=session.start_time,
            due_at=timezone.now(),
            expires_at=session.start_time,
        )
    assert cost() == few


# ---- the first page ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_all_of_today_kept_says_so_and_what_was_rightly_not_sent_does_not_count(desk, owe, noon):
    for hours in (1, 2, 11):
        owe("sent", noon - hours * HOUR)
    owe("suppressed", noon - HOUR)
    owe("pending", noon + HOUR)
    owe("suppressed", noon + HOUR)
    owe("failed", noon - 13 * HOUR)
    owe("pending", noon + 13 * HOUR)
    tile = promises(desk)
    assert (tile["sentence"], tile["troubles"], tile["ahead"]) == ("3 of 3 promises of today kept", [], "1 more to come today.")
    # One that is due now is no trouble yet.
    owe("pending", noon - MINUTE)
    tile = promises(desk)
    assert (tile["sentence"], tile["troubles"]) == ("3 of 4 promises of today kept", [])
    assert desk.get(tile["link"]).context["cl"].result_count == 7


@pytest.mark.usefixtures("worker")
def test_each_trouble_is_said_and_leads_to_its_rows(desk, owe, noon):
    owe("sent", noon - HOUR)
    owe("pending", noon - 7 * MINUTE)
    owe("pending", noon - 3 * MINUTE)
    owe("sending", noon - 4 * MINUTE)
    for _ in range(2):
        owe("failed", noon - HOUR)
    owe("uncertain", noon - HOUR)
    owe("expired", noon - HOUR)
    tile = promises(desk)
    assert tile["sentence"] == "1 of 8 promises of today kept"
    assert [sentence for sentence, _ in tile["troubles"]] == [
        "3 are late, the oldest by 7 minutes.",
        "2 refused by the mail server.",
        "1 uncertain: the mail server gave no answer.",
        "1 could not be sent in time.",
    ]
    assert [desk.get(link).context["cl"].result_count for _, link in tile["troubles"]] == [3, 2, 1, 1]
    assert "border-red" in desk.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("ago", "sentence"),
    [(3 * MINUTE, "1 is late, by 3 minutes."), (5 * HOUR, "1 is late, by 5 hours."), (4 * DAY, "1 is late, by 4 days.")],
)
def test_a_late_one_counts_whenever_it_was_due(desk, owe, noon, ago, sentence):
    owe("pending", noon - 2 * MINUTE)
    assert troubles(desk) == []
    owe("pending", noon - ago)
    assert troubles(desk) == [sentence]


@pytest.mark.usefixtures("worker")
def test_an_empty_day_says_so(desk, noon):
    tile = promises(desk)
    assert tile["sentence"] == "Nothing had to be sent today so far"
    assert (tile["troubles"], tile["ahead"]) == ([], "Nothing more to come today.")


def test_a_silent_worker_is_said_on_any_day(desk, noon):
    """Nobody runs one in the tests."""
    assert troubles(desk) == ["The worker is silent: nothing is sent while it is."]


@pytest.mark.parametrize(("zone", "kept"), [("UTC", 5), ("Pacific/Auckland", 1), ("America/Los_Angeles", 3)])
def test_today_is_the_programs_day_whoever_reads(desk, owe, noon, cora, zone, kept):
    User.objects.filter(pk=cora.pk).update(time_zone="Asia/Kolkata")
    Program.objects.update_or_create(pk=1, defaults={"time_zone": zone})
    # In Auckland (UTC+13) the 11th began an hour ago; in Los Angeles (UTC-8) the 10th is four hours old.
    for hours in (1, 2, 4, 5, 12, 13):
        owe("sent", noon - hours * HOUR)
    assert promises(desk)["sentence"] == f"{kept} of {kept} promises of today kept"


def test_who_may_not_see_notices_is_told_nothing_of_them(owe, noon, person):
    owe("failed", noon - HOUR)
    looker = person("Vic Stone", is_staff=True)
    allow(looker, "view_session")
    browser = Client()
    browser.force_login(looker)
    page = browser.get(reverse("admin:index"))
    assert page.context["promises"] is None
    assert "promises of today" not in page.content.decode()


@pytest.mark.usefixtures("worker")
def test_the_first_page_asks_one_question_of_the_ledger_however_long_it_is(owe, noon, django_assert_num_queries):
    program = Program.current()
    for rows in (3, 30):
        for number in range(rows):
            owe("sent", noon - number * MINUTE)
        with django_assert_num_queries(1):
            ledger.promises_of_today(program, noon)
