"""The document is the contract: each of its samples is read from a copy of it, and what we answer has the same keys, in the
same order, of the same types.
"""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from people.models import NotificationSettings, Photo, Skill, Team
from scheduling.models import Session

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).with_name("original-readme.md").read_text()
SAMPLE = re.compile(
    r"#### Request Sample:\s+```\n(?P<method>[A-Z]+) /?(?P<path>\S+).*?```\s+#### Response Example \((?P<status>\d+)[^)]*\)\s+```\n(?P<body>.*?)```",
    re.DOTALL,
)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def samples() -> list[tuple[str, str, object]]:
    """(method, path, what is answered; None where nothing is), in the document's order."""
    found = []
    for sample in SAMPLE.finditer(DOCUMENT):
        body = sample["body"]
        # They are written by hand: commas are missing between two lines, and stand before the end.
        body = re.sub(r'(["\]}\d])(\s*\n\s*")', r"\1,\2", body)
        body = re.sub(r",(\s*[\]}])", r"\1", body)
        found.append((sample["method"], f"/{sample['path']}", None if "No body" in body else json.loads(body)))
    return found


SAMPLES = samples()
READ = [(path, body) for method, path, body in SAMPLES if method == "GET"]
WRITTEN = [(method, path, body) for method, path, body in SAMPLES if method != "GET"]
LOG_IN = {"/auth/token/login/", "/auth/token/logout/"}
# Where what a write answered is read now, where it is not at the same address.
READ_AT = {
    ("POST", "/mentorinfo/"): "/mentorinfoupdate/",
    ("POST", "/availabilty/"): "/availabilty/<int:pk>/",
}
# What people are told to open, from each write.
DONE_AT = {
    "/auth/users/": "/accounts/signup/",
    "/myprofile/": "/profile/",
    "/mentorinfo/": "/profile/",
    "/mentorinfoupdate/": "/profile/",
    "/menteeinfo/": "/profile/",
    "/menteeinfoupdate/": "/profile/",
    "/availabilty/": "/windows/",
    "/availabilty/<int:pk>/": "/windows/",
    "/sessionrequest/": "/mentors/",
    "/sessionrequest/<int:pk>": "/sessions/{session}/",
    "/notificationsettings/<int:pk>": "/profile/mails/",
}


def test_all_samples_are_found():
    assert len(SAMPLES) == DOCUMENT.count("#### Response Example") == 24
    assert len(READ) == 9
    assert {path for _, path, _ in WRITTEN} == LOG_IN | DONE_AT.keys()


def unlike(sample, answer, where="answer") -> list[str]:
    """Where the two differ in their keys, their order, their nesting or their types."""
    if where.endswith(".skills"):
        # The samples are of two minds; we are of one.
        sample = [sample] if isinstance(sample, str) else sample
    if sample is None:
        return [] if answer is None or isinstance(answer, str) else [f"{where} is {answer!r}"]
    if type(sample) is not type(answer):
        return [f"{where} is {answer!r}, not like {sample!r}"]
    if isinstance(sample, dict):
        if list(sample) != list(answer):
            return [f"{where} has {list(answer)}, not {list(sample)}"]
        return [line for key in sample for line in unlike(sample[key], answer[key], f"{where}.{key}")]
    if isinstance(sample, list):
        if not answer:
            return [f"{where} is empty: there is nothing to compare"]
        return [line for one in answer for other in sample for line in unlike(other, one, f"{where}[]")]
    if isinstance(sample, str) and INSTANT.fullmatch(sample) and not INSTANT.fullmatch(answer):
        return [f"{where} is {answer!r}, not like {sample!r}"]
    return []


@pytest.fixture
def keys(maya, kim, alex, session, window, monday) -> dict[str, int]:
    """A program in which each list has something. Kim is mentor and mentee."""
    skills = [Skill.objects.create(name=name) for name in ("HTML", "CSS", "Django")]
    for mentor in (maya, kim.mentor):
        mentor.about_me = "I like to code."
        mentor.save()
        mentor.skills.set(skills)
    for mentee in (alex, kim.mentee):
        mentee.team = Team.objects.get_or_create(number=4)[0]
        mentee.save()
    Session.objects.bulk_create(
        Session(
            mentor=kim.mentor,
            mentee=alex,
            availability=window(kim.mentor, start),
            start_time=start,
            end_time=start + timedelta(minutes=30),
            created_at=timezone.now(),
        )
        for start in (monday + timedelta(days=1), monday - timedelta(days=60))
    )
    kim.phone_number = "+12345678987"
    kim.save()
    Photo.objects.create(user=kim, file="kim.webp")
    settings = NotificationSettings.objects.create(user=kim)
    ahead = Session.objects.get(mentor=kim.mentor, start_time__gt=monday)
    return {"availabilty": ahead.availability_id, "sessionrequest": ahead.pk, "notificationsettings": settings.pk}


def asked(path: str, keys: dict[str, int]) -> str:
    """The address of the document with something real in it."""
    return path.replace("<str:skills>", "html").replace("<int:pk>", str(keys.get(path.split("/")[1])))


def test_what_is_read_has_the_shape_of_its_sample(ask, keys, kim):
    differ = []
    for path, sample in READ:
        for address in {asked(path, keys), asked(path, keys).rstrip("/")}:
            answer = ask(kim, address)
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), address
            differ += unlike(sample, answer.json(), address)
    # The dictionary's spelling is the same resource.
    assert ask(kim, "/availability/").json() == ask(kim, "/availabilty/").json() != []
    assert not differ


def test_what_was_answered_to_a_write_is_read_in_its_shape(ask, keys, kim):
    differ = []
    for method, path, sample in WRITTEN:
        if sample is not None and path not in LOG_IN:
            address = asked(READ_AT.get((method, path), path), keys)
            answer = ask(kim, address)
            assert answer.status_code == 200, (method, path)
            # Of the requests that wait, each looks like the one that was just made.
            like = [sample] if path == "/sessionrequest/" else sample
            differ += unlike(like, answer.json(), address)
    assert not differ


@pytest.mark.parametrize("slash", ["with", "without"])
def test_a_write_is_refused_with_the_page_where_people_do_it(ask, client, keys, kim, settings, slash):
    client.force_login(kim)
    for method, path, _ in WRITTEN:
        if path in LOG_IN:
            continue
        address = asked(path, keys).rstrip("/") + ("/" if slash == "with" else "")
        answer = ask(kim, address, method)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD"), (method, address)
        told = answer.json()
        page = DONE_AT[path].format(session=keys["sessionrequest"])
        assert (told["code"], told["page"]) == ("method_not_allowed", settings.SITE_URL + page), (method, address)
        assert told["detail"].startswith("The API only reads. "), (method, address)
        assert client.get(page).status_code in (200, 302), (method, address)
    assert ask(None, "/auth/users/", "POST").json()["page"].endswith("/accounts/signup/")


def test_a_method_named_in_a_header_changes_nothing(ask, keys, kim):
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert ask(kim, "/myprofile/", "POST", **{header: "GET"}).status_code == 405
        assert ask(kim, "/myprofile/", "GET", **{header: "DELETE"}).status_code == 200


def test_nothing_that_is_not_documented_is_there(ask, kim):
    for path in (
        "/session/1/",
        "/mentee/1/",
        "/auth/",
        "/auth/users/me/",
        "/auth/token/",
        "/notificationsettings/",
        "/api/v1/users/",
    ):
        answer = ask(kim, path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json"), path
        assert answer.json()["code"] == "not_found", path
        assert ask(None, path).json() == answer.json()


@pytest.mark.parametrize(
    ("sample", "answer", "line"),
    [
        ({"pk": 1}, {"pk": "1"}, "answer.pk is '1', not like 1"),
        ({"pk": 1, "user": 2}, {"user": 2, "pk": 1}, "answer has ['user', 'pk'], not ['pk', 'user']"),
        ([{"on": True}], [{"on": 1}], "answer[].on is 1, not like True"),
        ([{"on": True}], [], "answer is empty: there is nothing to compare"),
        (
            {"at": "2023-04-12T15:30:00Z"},
            {"at": "2023-04-12T15:30:00+00:00"},
            "answer.at is '2023-04-12T15:30:00+00:00', not like",
        ),
        ({"skills": "CSS"}, {"skills": "CSS"}, "answer.skills is 'CSS', not like ['CSS']"),
    ],
)
def test_a_difference_is_seen(sample, answer, line):
    assert unlike(sample, answer)[0].startswith(line)
