"""What every answer carries: the content security policy, and no-store on what a logged-in person sees. And what is answered
where the database or the cache cannot be asked.
"""

import logging

from allauth.mfa.utils import is_mfa_enabled
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from project import health

logger = logging.getLogger(__name__)

# Where in the session stands which page of the admin somebody without a second factor wanted (templates/mfa/go_on.html).
WANTED = "second_factor_for"

# Unfold 0.91 ships the build of Alpine that compiles expressions, and writes its colours into the page.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Strict on our own pages, as strict as the admin's scripts allow under /admin/."""

    def process_response(self, request, response):
        if request.path.startswith(reverse("admin:index")):
            response._csp_update = ADMIN_POLICY
        return super().process_response(request, response)


class HealthMiddleware:
    """Answers /healthz before anybody asks whose session it is: that may be what cannot be asked."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return health.healthz(request) if request.path_info == health.PATH else self.get_response(request)


class LargestBodyMiddleware:
    """Refuses what is far too large before any of it is read. Up to here the forms say in a sentence what is too much."""

    MOST = 10 * 1024 * 1024

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Digits, or nothing: the server has looked at it.
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > self.MOST:
            return HttpResponse(render_to_string("413.html"), status=413)
        return self.get_response(request)


class PersonalPagesMiddleware:
    """No cache keeps a page that was made for somebody, on any path: ours, allauth's, the admin's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class SecondFactorMiddleware:
    """The admin opens to staff with a second factor only. Others are led to the page where they get one, and back."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        if not self._lacks(request.user):
            request.session.pop(WANTED, None)
            return self.get_response(request)
        # What was posted is not repeated by a GET: then to the first page.
        request.session[WANTED] = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect("mfa_index")

    def _lacks(self, user) -> bool:
        return settings.STAFF_SECOND_FACTOR and user.is_staff and not is_mfa_enabled(user)


class UnavailableMiddleware:
    """A database or a cache that is away, full or busy is nobody's mistake: 503, what happened, and what to do.

    What a view had begun is rolled back by then. Log-ins are among what is refused: their limits are kept in the cache.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, OperationalError | InterfaceError | health.RedisError):
            return None
        logger.error("unavailable: %s", type(exception).__name__)
        # Without the request: what draws a page for somebody asks the database.
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "60"})
