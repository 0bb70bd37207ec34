"""What a program reads: what its owner may see on the pages, no more; lists that say what they are asked; nothing twice."""

import gzip
import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.urls import get_resolver
from django.utils import timezone

from people.api.answers import Pages, ReadingThrottle
from people.models import Mentor, NotificationSettings, Skill, Team
from scheduling import booking
from scheduling.models import Availability, Session
from scheduling.words import CANCELED, COMPLETED, CONFIRMED

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_asked_yet():
    caches["throttles"].clear()


def keys(answer) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["pk"] for row in answer.json()]


@pytest.fixture
def past(maya, alex, omar, bo, monday):
    """Sessions of Maya and Alex 10 days, 25 hours and 23 hours ago, and one of Omar and Bo."""
    now = timezone.now()

    def was(mentor, mentee, ago):
        start = now - ago
        return Session.objects.create(
            mentor=mentor,
            mentee=mentee,
            start_time=start,
            end_time=start + timedelta(minutes=45),
            status=COMPLETED,
            created_at=start,
        )

    ours = [was(maya, alex, ago) for ago in (timedelta(days=10), timedelta(hours=25), timedelta(hours=23))]
    return [*ours, was(omar, bo, timedelta(days=10))]


# ---- who sees what ----------------------------------------------------------------------------------------------------


def test_sessions_are_seen_by_their_two_people_and_staff(ask, session, past, maya, alex, omar, zoe, cora):
    week, day, _, other = past
    for user in (maya.user, alex.user):
        assert keys(ask(user, "/session/")) == [session.pk]
        assert keys(ask(user, "/sessionrequest/")) == [session.pk]
        assert keys(ask(user, "/archivesession/")) == [day.pk, week.pk]
        assert ask(user, f"/sessionrequest/{session.pk}").json()["session_length"] == 30
    assert keys(ask(omar.user, "/archivesession/")) == [other.pk]
    assert (
        keys(ask(zoe.user, "/session/"))
        == keys(ask(zoe.user, "/archivesession/"))
        == keys(ask(zoe.user, "/api/v1/sessions/"))
        == []
    )
    assert keys(ask(cora, "/session/")) == [session.pk]
    assert set(keys(ask(cora, "/archivesession/"))) == {week.pk, day.pk, other.pk}
    assert len(keys(ask(cora, "/api/v1/sessions/"))) == 5
    for path in ("/sessionrequest/{}", "/api/v1/sessions/{}/"):
        assert [ask(user, path.format(session.pk)).status_code for user in (zoe.user, omar.user, cora)] == [404, 404, 200]
        # Nobody learns which keys there are.
        assert ask(zoe.user, path.format(session.pk)).content == ask(zoe.user, path.format(10**9)).content


def test_a_session_of_the_api_is_the_session(ask, session, maya, alex, monday):
    assert ask(maya.user, f"/api/v1/sessions/{session.pk}/").json() == {
        "pk": session.pk,
        "mentor": maya.pk,
        "mentor_first_name": "Maya",
        "mentor_last_name": "Lopez",
        "mentor_availability": session.availability_id,
        "mentee": alex.pk,
        "mentee_first_name": "Alex",
        "mentee_last_name": "Johnson",
        "start_time": f"{monday:%Y-%m-%dT%H:%M:%SZ}",
        "end_time": f"{monday + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}",
        "status": "Pending",
        "session_length": 30,
    }
    # The zone of the key's owner changes nothing.
    maya.user.time_zone = "Asia/Tokyo"
    maya.user.save()
    assert ask(maya.user, "/session/").json()[0]["start_time"].endswith("T09:00:00Z")


def test_mentors_are_seen_by_members_with_the_windows_that_are_not_over(ask, maya, omar, zoe, cora, window, monday):
    maya.skills.set([Skill.objects.create(name=name) for name in ("SQL", "Django")])
    running, ahead = window(maya, timezone.now() - timedelta(hours=1)), window(maya)
    window(maya, monday - timedelta(days=60))
    omar.user.is_active = False
    omar.user.save()
    [told] = ask(zoe.user, "/mentor/").json()
    assert told["mentor_profile"]["skills"] == ["Django", "SQL"]
    assert [row["pk"] for row in told["mentor_profile"]["availabilities"]] == [running.pk, ahead.pk]
    assert {row["mentor"] for row in told["mentor_profile"]["availabilities"]} == {maya.pk}
    assert ask(zoe.user, f"/api/v1/mentors/{maya.pk}/").json() == told
    assert ask(zoe.user, f"/api/v1/mentors/{omar.pk}/").status_code == 404
    assert keys(ask(cora, "/mentor/")) == [maya.pk, omar.pk]
    assert keys(ask(zoe.user, "/availabilty/")) == [running.pk, ahead.pk]
    window_gone = Availability.objects.order_by("start_time").first()
    assert [ask(zoe.user, f"/availabilty/{pk}/").status_code for pk in (ahead.pk, window_gone.pk)] == [200, 404]


def test_mentees_are_seen_by_mentors_and_staff(ask, maya, alex, zoe, cora):
    alex.team = Team.objects.create(number=4)
    alex.save()
    assert keys(ask(maya.user, "/mentee/")) == keys(ask(cora, "/mentee/")) == [alex.pk, zoe.pk]
    assert [row["mentee_profile"]["team_number"] for row in ask(maya.user, "/mentee/").json()] == [4, None]
    assert keys(ask(alex.user, "/mentee/")) == [alex.pk]
    assert [ask(user, f"/api/v1/mentees/{zoe.pk}/").status_code for user in (maya.user, alex.user, zoe.user)] == [200, 404, 200]


def test_everybody_reads_their_own(ask, maya, alex, cora):
    assert ask(maya.user, "/myprofile/").json()["email"] == "maya@example.org"
    assert [ask(user, "/mentorinfo/").status_code for user in (maya.user, alex.user, cora)] == [200, 404, 404]
    assert ask(alex.user, "/menteeinfo/").json() == [{"team_number": None}]
    assert ask(maya.user, "/menteeinfo/").json() == []
    mine, theirs = (NotificationSettings.objects.create(user=user, session_canceled=False) for user in (maya.user, alex.user))
    assert ask(maya.user, f"/notificationsettings/{mine.pk}").json()["session_canceled"] is False
    assert ask(maya.user, f"/notificationsettings/{theirs.pk}").status_code == 404
    assert ask(cora, f"/notificationsettings/{theirs.pk}").json()["user"] == alex.user.pk
    assert ask(maya.user, "/api/v1/notification-settings/").json()["pk"] == mine.pk
    assert ask(cora, "/api/v1/notification-settings/").json() == {"pk": None, "user": cora.pk} | dict.fromkeys(
        NotificationSettings.SWITCHES, True
    )


def api_addresses(patterns=None) -> list[str]:
    """All that are read, as they stand in the lists of addresses; each once, with the slash."""
    found = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            # The API's lists are included without a prefix.
            found += api_addresses(pattern.url_patterns) if str(pattern.pattern) == "" else []
        elif (
            (pattern.name or "").startswith("api_") and "token" not in (address := str(pattern.pattern)) and address[-1] == "/"
        ):
            found.append(address)
    return found


def test_nothing_tells_how_others_are_reached(ask, session, past, maya, alex, omar, bo, kim, zoe, cora, window):
    """Addresses and telephones stand in one's own profile only, whatever is read and whoever reads."""
    people = [maya.user, alex.user, kim, zoe.user, cora]
    for number, user in enumerate([*people, omar.user, bo.user]):
        user.phone_number = f"+4930123456{number}"
        user.save()
    NotificationSettings.objects.create(user=kim)
    addresses = api_addresses()
    assert len(addresses) == 28
    leaks, read = [], 0
    for user in people:
        for address in addresses:
            for pk in (maya.pk, session.pk, alex.pk, 1) if "pk" in address else (0,):
                path = "/" + re.sub("<[^>]+pk>", str(pk), address).replace("<skills:skills>", "sql")
                answer = ask(user, path)
                if answer.status_code == 200:
                    read += 1
                    text = answer.content.decode()
                    if path.rstrip("/") in ("/myprofile", "/api/v1/me", "/auth/users"):
                        assert user.email in text
                        text = text.replace(user.email, "").replace(str(user.phone_number), "")
                    leaks += [
                        (path, hit)
                        for hit in re.findall(r"@|\+?4930\d+|last_login|is_staff|is_superuser|password|note|goals", text)
                    ]
    assert read > 80
    assert not leaks


# ---- what is asked ----------------------------------------------------------------------------------------------------


def test_skills_are_found_by_their_whole_name_in_any_case(ask, maya, omar, kim, zoe):
    sql, postgresql, cicd, umlaut, percent = (
        Skill.objects.create(name=name) for name in ("SQL", "PostgreSQL", "CI/CD", "Übersetzen", "100%")
    )
    maya.skills.set([sql, cicd, umlaut])
    omar.skills.set([postgresql, percent])
    kim.mentor.skills.set([sql, postgresql])
    found = {
        "sql": [maya.pk, kim.pk],
        "PostgreSQL": [omar.pk, kim.pk],
        "sql,postgresql": [kim.pk],
        " SQL , sql,": [maya.pk, kim.pk],
        "sql,knitting": [],
        "ql": [],
        "%25": [],
        "_QL": [],
        "100%25": [omar.pk],
        "ci%2Fcd": [maya.pk],
        "ci/cd": [maya.pk],
        "%C3%BCBERSETZEN": [maya.pk],
        ",": [],
        "%ff": [],
        "x" * 10_000: [],
        "%F0%9F%90%98": [],
        "' or 1=1--": [],
    }
    for skills, mentors in found.items():
        for end in ("/", ""):
            assert keys(ask(zoe.user, f"/mentor/{skills}{end}")) == mentors, skills
    assert keys(ask(zoe.user, "/api/v1/mentors/?skills=sql,postgresql")) == [kim.pk]
    assert keys(ask(zoe.user, "/mentor/?skills=knitting")) == []
    for nul in ("/mentor/%00/", "/mentor/sql%00", "/mentor/%00"):
        assert ask(zoe.user, nul).status_code == 404
    assert ask(zoe.user, "/mentor/?skills=%00").status_code == 400


def test_lists_are_narrowed(ask, session, past, maya, alex, omar, kim, cora, window, monday):
    alex.team = Team.objects.create(number=4)
    alex.save()
    confirmed = booking.confirm(session, by=maya.user)
    week, day, hours, other = past
    assert keys(ask(cora, "/mentee/?team=4")) == [alex.pk]
    assert keys(ask(cora, "/mentee/?team=5")) == []
    assert keys(ask(cora, f"/api/v1/sessions/?status={CONFIRMED}")) == [confirmed.pk]
    assert keys(ask(cora, f"/api/v1/sessions/?status={CONFIRMED}&status={COMPLETED}&mentor={maya.pk}")) == [
        confirmed.pk, hours.pk, day.pk, week.pk,
    ]  # fmt: skip
    assert keys(ask(cora, f"/session/?status={CANCELED}")) == []
    assert keys(ask(cora, f"/archivesession/?mentee={other.mentee_id}")) == [other.pk]
    since = f"{timezone.now() - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    assert keys(ask(cora, f"/api/v1/sessions/?to={since}&mentor={maya.pk}")) == [week.pk]
    assert keys(ask(maya.user, f"/api/v1/sessions/?from={since}")) == [confirmed.pk, hours.pk, day.pk]
    later = window(omar, monday + timedelta(days=1))
    assert keys(ask(alex.user, f"/availability/?mentor={omar.pk}")) == [later.pk]
    assert keys(ask(alex.user, f"/api/v1/availability/?from={later.start_time:%Y-%m-%dT%H:%M:%SZ}")) == [later.pk]
    # Maya's window begins with Alex's session.
    free = f"/api/v1/mentors/?free_from={monday:%Y-%m-%dT%H:%MZ}&free_to={monday + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}"
    assert keys(ask(alex.user, free)) == []
    free = f"/api/v1/mentors/?free_from={monday:%Y-%m-%dT%H:%MZ}&free_to={monday + timedelta(hours=1):%Y-%m-%dT%H:%MZ}"
    assert keys(ask(alex.user, free)) == [maya.pk]
    assert keys(ask(alex.user, f"{free}&minutes=60")) == []


def test_a_page_of_a_list_is_asked_for(ask, maya, omar, kim, zoe, monkeypatch):
    whole = [maya.pk, omar.pk, kim.pk]
    assert keys(ask(zoe.user, "/mentor/")) == whole
    first = ask(zoe.user, "/mentor/?limit=2").json()
    assert (first["count"], first["previous"]) == (3, None)
    second = ask(zoe.user, first["next"].removeprefix("http://testserver")).json()
    assert [row["pk"] for row in first["results"] + second["results"]] == whole
    assert second["next"] is None
    assert [row["pk"] for row in ask(zoe.user, "/mentor/?offset=1").json()["results"]] == whole[1:]
    monkeypatch.setattr(Pages, "max_limit", 1)
    for query in ("limit=5", f"limit={10**23}"):
        assert len(ask(zoe.user, f"/mentor/?{query}").json()["results"]) == 1
    assert ask(zoe.user, f"/mentor/?offset={10**23}").json()["results"] == []
    # A list that is too long to be whole says so.
    monkeypatch.setattr(Pages, "most", 2)
    answer = ask(zoe.user, "/mentor/?skills=")
    assert keys(answer) == whole[:2]
    [rest] = re.findall(r'<http://testserver(\S+)>; rel="next"', answer["Link"])
    assert [row["pk"] for row in ask(zoe.user, rest).json()["results"]] == whole[2:]


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=abc", "limit=0", "limit=", "limit=1.5", "limit=%00", "limit=²", f"limit={'9' * 5000}", "offset=-1", "offset=x",
        "status=Cancelled", "status=%00", "mentor=x", "mentor=-1", f"mentor={10**23}", "mentor=NaN", "from=yesterday", "to=%00", "from=0001-01-01T00:00:00%2B23:59",
        "to=9999-12-31T23:59:59-23:59", "from=2026-13-01",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(ask, maya, query):
    answer = ask(maya.user, f"/api/v1/sessions/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    told = answer.json()
    assert (told["code"], list(told["fields"])) == ("invalid", [query.partition("=")[0]])
    assert told["detail"].startswith(f"{query.partition('=')[0]}: ")


@pytest.mark.parametrize(
    "query",
    [
        "free_from=2099-01-01",
        "free_from=2099-01-01&free_to=2098-01-01",
        "free_from=2099-01-01&free_to=2099-03-01",
        "minutes=31",
        "minutes=x",
    ],
)
def test_when_somebody_should_be_free_is_said_in_full(ask, maya, query):
    assert ask(maya.user, f"/mentor/?{query}").json()["code"] == "invalid"


@pytest.mark.parametrize("path", ["/availability/{}/", "/sessionrequest/{}", "/notificationsettings/{}", "/api/v1/mentors/{}/"])
def test_keys_of_no_row_are_404(ask, cora, path):
    for pk in (0, 10**9, 10**18 - 1, 10**18, 2**63, 10**23, "9" * 5000, "-1", "x"):
        answer = ask(cora, path.format(pk))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), pk


# ---- how it is answered -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/mentor/", 4), ("/mentor/sql/", 4), ("/mentee/", 3), ("/availability/", 2), ("/session/", 2), ("/archivesession/", 2),
        ("/sessionrequest/", 2), ("/api/v1/sessions/?limit=2", 3), ("/api/v1/mentors/?limit=2&skills=sql", 6), ("/myprofile/", 2), ("/mentorinfo/", 4),
    ],
)  # fmt: skip
def test_a_longer_list_takes_no_more_questions(ask, django_assert_num_queries, person, window, monday, path, count):
    """One for the key, one for mentees to know that the reader is a mentor, and what the list is made of."""
    sql, reader = Skill.objects.create(name="SQL"), person("Reader Mentor", mentor=True).mentor
    learner = person("Learner Mentee", mentee=True).mentee

    def one_more(number):
        mentor = person(f"Mentor{number} X", mentor=True).mentor
        person(f"Mentee{number} X", mentee=True)
        mentor.skills.add(sql)
        start = monday + timedelta(days=number)
        window(mentor, start)
        for begins in (start, start - timedelta(days=90)):
            Session.objects.create(
                mentor=reader, mentee=learner, start_time=begins, end_time=begins + timedelta(minutes=30), created_at=monday
            )

    ask(reader.user, path)
    one_more(1)
    with django_assert_num_queries(count):
        ask(reader.user, path)
    one_more(2)
    one_more(3)
    with django_assert_num_queries(count):
        answer = ask(reader.user, path).json()
    assert path in ("/myprofile/", "/mentorinfo/") or len(answer.get("results") if isinstance(answer, dict) else answer) >= 2


def test_what_is_the_same_is_not_sent_again(ask, maya, omar, zoe, window):
    answer = ask(zoe.user, "/mentor/")
    assert answer["Cache-Control"] == "private, no-cache"
    again = ask(zoe.user, "/mentor/", if_none_match=answer["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    # As it comes back where the answer was packed on its way.
    assert ask(zoe.user, "/mentor/", if_none_match=f"W/{answer['ETag']}").status_code == 304
    assert ask(zoe.user, "/mentor/", "HEAD")["ETag"] == answer["ETag"]
    window(maya)
    changed = ask(zoe.user, "/mentor/", if_none_match=answer["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != answer["ETag"]
    assert ask(zoe.user, "/nothing/")["Content-Type"] == "application/json"
    assert ask(zoe.user, "/mentor/x/y/?limit=x")["Cache-Control"] == "no-store"
    for header in ("X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy"):
        assert header in answer.headers


def test_who_takes_it_packed_gets_it_packed(ask, maya, zoe, window, monday):
    # Django adds up to a hundred random bytes to what is packed, and sends small answers as they are.
    for day in range(20):
        window(maya, monday + timedelta(days=day))
    plain = ask(zoe.user, "/mentor/")
    packed = ask(zoe.user, "/mentor/", accept_encoding="gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) == int(packed["Content-Length"])
    assert ask(zoe.user, "/mentor/", accept_encoding="gzip", if_none_match=packed["ETag"]).status_code == 304


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "x", "application/json;q=0"])
def test_whoever_asks_gets_json(ask, zoe, accept):
    for path in ("/mentor/", "/mentor/?format=xml", "/nothing/"):
        assert ask(zoe.user, path, accept=accept)["Content-Type"] == "application/json"


def test_who_asks_too_often_is_told_when_to_come_back(ask, maya, zoe, monkeypatch):
    monkeypatch.setitem(ReadingThrottle.THROTTLE_RATES, "reading", "3/min")
    assert [ask(zoe.user, "/session/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = ask(zoe.user, "/api/v1/me/")
    assert answer.json()["code"] == "throttled"
    assert 0 < int(answer["Retry-After"]) <= 60
    assert ask(maya.user, "/session/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert ask(zoe.user, "/session/").status_code == 200


def test_pages_of_other_origins_read_only_where_the_program_lets_them(ask, zoe, settings, client):
    origin = "https://team.example.org"
    assert "Access-Control-Allow-Origin" not in ask(zoe.user, "/mentor/", origin=origin).headers
    settings.CORS_ALLOWED_ORIGINS = [origin]
    answer = ask(zoe.user, "/mentor/", origin=origin)
    assert answer["Access-Control-Allow-Origin"] == origin
    assert "ETag" in answer["Access-Control-Expose-Headers"]
    # No cookie goes along, and no page is read so.
    assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = {"origin": origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    assert "authorization" in ask(None, "/session/", "OPTIONS", **preflight)["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in ask(zoe.user, "/mentors/", origin=origin).headers
    assert "Access-Control-Allow-Origin" not in ask(zoe.user, "/mentor/", origin="https://evil.example").headers


@pytest.mark.expects_logged_errors
def test_a_database_that_is_away_is_503(ask, maya, monkeypatch):
    from django.db import OperationalError

    def away(*args, **kwargs):
        raise OperationalError("disk I/O error at /secret/path")

    monkeypatch.setattr(Mentor.objects, "visible_to", away)
    answer = ask(maya.user, "/mentor/")
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "60", "unavailable")
    assert b"secret" not in answer.content
