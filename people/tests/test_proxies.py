"""Where a visitor comes from, for the limits on log-ins and the list of devices: nobody chooses it by a header."""

from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured

from project import environment
from project.testing import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_errors_counted():
    """The limits are kept in the cache, which outlives a test that commits."""
    cache.clear()
    yield
    cache.clear()


class Stay(HTTPRedirectHandler):
    def http_error_302(self, request, answer, *args):
        return answer


def try_in(server, login: str, password: str, forwarded: str) -> tuple[int, str]:
    """Log in as a browser does, with this header: the status, and the page."""
    visitor = build_opener(HTTPCookieProcessor(), Stay)
    visitor.addheaders = [("X-Forwarded-For", forwarded)]
    page = visitor.open(f"{server.url}/accounts/login/").read().decode()
    token = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    words = {"login": login, "password": password, "csrfmiddlewaretoken": token}
    with visitor.open(Request(f"{server.url}/accounts/login/", urlencode(words).encode())) as answer:  # noqa: S310
        return answer.status, answer.read().decode()


def refused(page: str) -> bool:
    return "Too many failed login attempts" in page


def test_a_forged_header_escapes_no_limit(live_server, maya):
    for number in range(10):
        assert not refused(try_in(live_server, f"nobody{number}@example.org", "wrong", f"203.0.113.{number}")[1])
    assert refused(try_in(live_server, maya.user.email, PASSWORD, "203.0.113.99")[1])


def test_behind_a_proxy_each_visitor_has_a_limit_of_their_own(live_server, maya, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    # What a visitor writes stands before what the proxy adds.
    for number in range(10):
        forged = f"192.0.2.{number}, 203.0.113.1"
        assert not refused(try_in(live_server, f"nobody{number}@example.org", "wrong", forged)[1])
    assert refused(try_in(live_server, maya.user.email, PASSWORD, "192.0.2.99, 203.0.113.1")[1])
    status, _ = try_in(live_server, maya.user.email, PASSWORD, "203.0.113.1, 203.0.113.2")
    assert (status, UserSession.objects.get().ip) == (302, "203.0.113.2")


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.2"), (2, "203.0.113.1")])
def test_the_list_of_devices_says_where_from(live_server, maya, settings, proxies, seen):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    assert try_in(live_server, maya.user.email, PASSWORD, "192.0.2.1, 203.0.113.1, 203.0.113.2")[0] == 302
    assert UserSession.objects.get().ip == seen


@pytest.mark.parametrize(("said", "count"), [(None, 0), ("", 0), ("2", 2)])
def test_the_number_of_proxies(said, count):
    assert environment.count({} if said is None else {"N": said}, "N") == count


@pytest.mark.parametrize("said", ["-1", "one", "1.5", "²"])
def test_what_is_no_number_stops_the_start(said):
    with pytest.raises(ImproperlyConfigured):
        environment.count({"TRUSTED_PROXY_COUNT": said}, "TRUSTED_PROXY_COUNT")
