"""Everybody sees times in their own zone, and every page knows the program."""

from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from scheduling.models import Program


class TimeZoneMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(Program.current().zone_of(request.user)):
            return self.get_response(request)


def program(request) -> dict:
    """A context processor; asks the database only on pages that name the program."""
    return {"program": SimpleLazyObject(Program.current)}
