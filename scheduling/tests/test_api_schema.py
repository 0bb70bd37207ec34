"""The schema says what the API does: valid, for who is logged in, and true, whatever is asked for."""

import contextlib
import os
from collections import Counter

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from people.api.answers import ReadingThrottle
from people.models import ApiToken, NotificationSettings, Skill, Team

pytestmark = pytest.mark.django_db

CASES = int(os.environ.get("API_CASES", "1100"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def described(ask, maya) -> dict:
    answer = ask(maya.user, "/api/schema/")
    assert answer.status_code == 200
    return answer.json()


def test_the_schema_is_valid_and_has_each_address_once(described):
    OpenAPIV31SpecValidator(described).validate()
    assert described["openapi"] == "3.1.0"
    paths = described["paths"]
    assert all(path.endswith("/") for path in paths)
    assert len(paths) == 30
    # The only writes there are.
    assert {path for path, operations in paths.items() if operations.keys() - {"get"}} == {
        "/auth/token/login/",
        "/auth/token/logout/",
    }
    assert not {"nullable"} & _keys(described)


def _keys(node) -> set[str]:
    if isinstance(node, dict):
        return {*node, *(key for value in node.values() for key in _keys(value))}
    return {key for value in node for key in _keys(value)} if isinstance(node, list) else set()


def test_the_schema_and_its_page_are_for_who_is_logged_in(client, maya):
    assert client.get("/api/").url == "/accounts/login/?next=/api/"
    assert client.get("/api/schema/").status_code in (401, 403)
    client.force_login(maya.user)
    assert client.get("/api/schema/").json()["info"]["title"] == "Team Production System"
    page = client.get("/api/")
    assert "unsafe" not in page["Content-Security-Policy"]
    assert b'data-schema="/api/schema/"' in page.content


@pytest.fixture
def server(db):
    """The whole of it, as a web server calls it; but within the test's transaction, so that it stays connected."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def readers(maya, alex, kim, cora, session, window) -> dict:
    """Each kind of person in a program that has something of everything. Nobody, too."""
    maya.skills.add(Skill.objects.create(name="SQL"))
    alex.team = Team.objects.create(number=4)
    alex.save()
    window(kim.mentor)
    for user in (maya.user, alex.user):
        NotificationSettings.objects.create(user=user)
    return {"nobody": None, "mentor": maya.user, "mentee": alex.user, "both": kim, "coordinator": cora}


def test_whatever_is_asked_for_is_answered_as_described(described, server, readers, settings, monkeypatch, caplog):
    """By everybody, with values that the schema allows and with others: no mistake of ours, and no answer it does not know."""
    settings.ACCOUNT_RATE_LIMITS = False
    monkeypatch.setitem(ReadingThrottle.THROTTLE_RATES, "reading", "1000000/min")
    # A thousand refusals in the log would bury what the test says.
    caplog.set_level("ERROR", "django")
    schema = schemathesis.openapi.from_dict(described)
    schema.app = server
    operations = [result.ok() for result in schema.get_all_operations()]
    modes = list(schemathesis.GenerationMode)
    each = -(-CASES // (len(operations) * len(modes) * len(readers)))
    generated = hypothesis.settings(
        max_examples=each,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    keys, asked = {}, Counter()

    def header(reader) -> dict[str, str]:
        # This client would not unpack them.
        plain = {"Accept-Encoding": "identity"}
        if readers[reader] is None:
            return plain
        if reader not in keys:
            keys[reader] = ApiToken.objects.issue(readers[reader], "test", 30)
        return plain | {"Authorization": f"Token {keys[reader]}"}

    def ask(operation, mode):
        @generated
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), pk=hypothesis.strategies.integers(1, 9))
        def everybody(case, pk):
            if mode.is_positive and "pk" in (case.path_parameters or {}):
                # Any key is allowed; these are somebody's.
                case.path_parameters["pk"] = pk
            for reader in readers:
                if reader != "nobody" and case.headers:
                    # Headers that are no key were nobody's turn.
                    case.headers.pop("Authorization", None)
                answer = case.call(headers=header(reader))
                case.validate_response(answer, checks=CHECKS)
                asked[answer.status_code] += 1
                if answer.status_code == 204:
                    keys.pop(reader, None)

        everybody()

    for operation in operations:
        for mode in modes:
            with contextlib.suppress(hypothesis.errors.Unsatisfiable):
                # Where nothing is asked for, nothing wrong can be.
                ask(operation, mode)
    assert sum(asked.values()) >= CASES
    assert min(asked[status] for status in (200, 400, 401, 404)) > 0.1 * CASES, asked
