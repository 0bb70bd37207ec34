"""How long a log-in lasts: until nobody used it for a while, and never longer than a whole span. Staff see more, for less long."""

import time
from datetime import timedelta

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from people.models import User

BEGAN, SEEN = "began", "seen"
# (unused, in all)
STAFF = timedelta(hours=2), timedelta(hours=12)
MEMBERS = timedelta(days=14), timedelta(days=30)
# Use is written down so often: not with every page.
WRITTEN_EVERY = timedelta(minutes=5)


def begin(sender, request, **kwargs) -> None:
    """A receiver of Django's `user_logged_in`, which every way of logging in sends."""
    request.session[BEGAN] = request.session[SEEN] = int(time.time())


def refusal(user: User, by: User) -> ValidationError | None:
    """Why ``by`` cannot end the log-ins of this person, or None if they can."""
    if not (by.is_active and by.is_staff and by.has_perms(["people.change_mentor", "people.change_mentee"])):
        return ValidationError(_("Only the program's coordinators log people out."), code="not_yours")
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        return ValidationError(_("This is a coordinator's account: only a superuser logs it out."), code="not_yours")
    return None


def end_all(user: User, *, by: User) -> int:
    """Log this person out wherever they are logged in: they lost a phone. Returns on how many devices. Access keys stay."""
    if no := refusal(user, by):
        raise no
    log_ins = UserSession.objects.purge_and_list(user)
    get_adapter().end_sessions(log_ins)
    return len(log_ins)


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
