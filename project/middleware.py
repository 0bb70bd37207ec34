"""The content security policy: strict on our own pages, as strict as the admin's scripts allow under /admin/."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.urls import reverse

# Unfold 0.91 ships the build of Alpine that compiles expressions, and writes its colours into the page.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    def process_response(self, request, response):
        if request.path.startswith(reverse("admin:index")):
            response._csp_update = ADMIN_POLICY
        return super().process_response(request, response)
