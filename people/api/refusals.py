"""What the API refuses, and how it says so: a code for the program, a sentence for the person who reads its log."""

import logging

from django.conf import settings
from django.core.exceptions import ValidationError as Refusal
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

logger = logging.getLogger(__name__)


class Elsewhere(exceptions.APIException):
    """A write. ``page``: where people do that."""

    status_code = status.HTTP_405_METHOD_NOT_ALLOWED
    default_code = "method_not_allowed"

    def __init__(self, sentence: str, page: str):
        super().__init__(sentence)
        self.page = settings.SITE_URL + page


class NotByPassword(exceptions.PermissionDenied):
    """``page``: where such an account gets a key."""

    default_code = "password_not_enough"
    default_detail = _("For this account a password is not enough. Make an access key on this page.")

    def __init__(self, page: str):
        super().__init__()
        self.page = settings.SITE_URL + page


class NotVerified(exceptions.PermissionDenied):
    default_code = "email_not_verified"
    default_detail = _("The e-mail address of this account is not verified yet. Follow the link in the mail about it.")


class TooMany(exceptions.Throttled):
    """Too many tries to log in."""

    default_detail = _("Too many tries. Wait a few minutes, then try again.")
    extra_detail_singular = extra_detail_plural = ""


class Unavailable(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = _("The database cannot be asked at the moment. Try again in a minute.")
    wait = 60


def refused(error: Exception, context: dict) -> Response | None:
    """DRF's handler of exceptions. The body: ``code``, ``detail`` (a sentence), and what else helps: ``page``, ``fields``."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("unavailable: %s", type(error).__name__)
        error = Unavailable()
    elif isinstance(error, Refusal):
        # As the verbs and managers of the house refuse.
        error = exceptions.PermissionDenied(" ".join(error.messages), code=error.error_list[0].code)
    response = exception_handler(error, context)
    if response is None:
        # Nobody's refusal but our mistake: Django logs it.
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = _told(response.data)
    else:
        detail = response.data["detail"]
        response.data = {"code": detail.code, "detail": detail}
    if page := getattr(error, "page", ""):
        response.data["page"] = page
    return response


def _told(errors) -> dict:
    """What is wrong with what was sent, by field, and all of it in a sentence."""
    fields = errors if isinstance(errors, dict) else {"": errors}
    sentences = [" ".join([f"{name}:" if name else "", *map(str, told)]).strip() for name, told in fields.items()]
    return {"code": "invalid", "detail": " ".join(sentences), "fields": fields}
