"""What every answer carries: the content security policy, and no-store on what a logged-in person sees."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

# Unfold 0.91 ships the build of Alpine that compiles expressions, and writes its colours into the page.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Strict on our own pages, as strict as the admin's scripts allow under /admin/."""

    def process_response(self, request, response):
        if request.path.startswith(reverse("admin:index")):
            response._csp_update = ADMIN_POLICY
        return super().process_response(request, response)


class PersonalPagesMiddleware:
    """No cache keeps a page that was made for somebody, on any path: ours, allauth's, the admin's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response
