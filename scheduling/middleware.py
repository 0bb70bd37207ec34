"""Everybody sees times in their own zone, and every page knows the program."""

from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from people import time_zones
from scheduling.models import Program


class TimeZoneMiddleware:
    """Also puts there ``request.program`` (one query a request, and none where nobody asks) and ``request.lost_zone``.

    The latter is the name of the reader's own zone where that is not known any more: told on every page, from before a
    form of the page writes another.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.program = SimpleLazyObject(Program.current)
        request.lost_zone = time_zones.lost(getattr(request.user, "time_zone", ""))
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(request.program.zone_of(request.user)):
            return self.get_response(request)


def program(request) -> dict:
    """A context processor. An error page may be drawn for a request that never came as far as the middleware."""
    return {
        "program": getattr(request, "program", None) or SimpleLazyObject(Program.current),
        "lost_zone": getattr(request, "lost_zone", ""),
    }
