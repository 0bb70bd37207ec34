"""What is answered where no view does: a page to people, JSON to programs."""

import re

from django.conf import settings
from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults


def is_program(request) -> bool:
    return bool(re.match(settings.CORS_URLS_REGEX, request.path_info)) or "Authorization" in request.headers


def not_found(request, exception):
    if is_program(request):
        return JsonResponse({"code": "not_found", "detail": _("There is nothing at this address.")}, status=404)
    return defaults.page_not_found(request, exception)


def mistake(request):
    if is_program(request):
        return JsonResponse(
            {"code": "error", "detail": _("This is our mistake. It is written down; try again later.")}, status=500
        )
    return defaults.server_error(request)
