"""How long a log-in lasts: until nobody used it for a while, and never longer than a whole span. Staff see more, for less long."""

import time
from datetime import timedelta

from django.contrib.auth import logout

BEGAN, SEEN = "began", "seen"
# (unused, in all)
STAFF = timedelta(hours=2), timedelta(hours=12)
MEMBERS = timedelta(days=14), timedelta(days=30)
# Use is written down so often: not with every page.
WRITTEN_EVERY = timedelta(minutes=5)


def begin(sender, request, **kwargs) -> None:
    """A receiver of Django's `user_logged_in`, which every way of logging in sends."""
    request.session[BEGAN] = request.session[SEEN] = int(time.time())


class SessionLimitsMiddleware:
    """Logs out whose time is over. What they wanted then asks for a log-in as it does from any stranger."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            self._look(request)
        return self.get_response(request)

    def _look(self, request) -> None:
        now = int(time.time())
        unused, in_all = STAFF if request.user.is_staff else MEMBERS
        began = request.session.get(BEGAN)
        if began is None:
            # From before there were limits: it begins now.
            request.session[BEGAN] = request.session[SEEN] = now
            return
        idle = now - request.session[SEEN]
        if idle > unused.total_seconds() or now - began > in_all.total_seconds():
            logout(request)
        elif idle >= WRITTEN_EVERY.total_seconds():
            request.session[SEEN] = now
