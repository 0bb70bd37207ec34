"""Logging in and out, for programs that only know a password: the only writes there are."""

import logging

from allauth.account.adapter import get_adapter
from allauth.account.utils import has_verified_email
from allauth.core import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from people.api.answers import AnyJSON
from people.api.reading import fresh
from people.api.refusals import NotByPassword, NotVerified, TooMany
from people.models import ApiToken, User

logger = logging.getLogger(__name__)


class LogInShape(serializers.Serializer):
    username = serializers.CharField(max_length=254, help_text="Or the e-mail address.")
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})


class KeyShape(serializers.Serializer):
    auth_token = serializers.CharField()


class Writing(APIView):
    http_method_names = ["post"]

    def dispatch(self, request, *args, **kwargs):
        return fresh(request, super().dispatch(request, *args, **kwargs))


class LogIn(Writing):
    """A key for whoever has a user name or e-mail address and the password to it. It is good for 30 days.

    Staff, and who has a second factor, make their keys on the page of access keys: a password alone is not enough there.
    """

    authentication_classes = []
    permission_classes = []
    parser_classes = [FormParser, MultiPartParser, AnyJSON]

    @extend_schema(auth=[], request=LogInShape, responses={200: KeyShape})
    def post(self, request):
        form = LogInShape(data=request.data)
        form.is_valid(raise_exception=True)
        user = self._known(request._request, **form.validated_data)
        if user is None:
            raise exceptions.ValidationError(_("This user name or e-mail address does not go with this password."))
        # Only who knows the password hears more.
        if user.is_staff or is_mfa_enabled(user):
            raise NotByPassword(reverse("access_keys"))
        if not has_verified_email(user):
            raise NotVerified
        token = ApiToken.objects.log_in(user)
        logger.info("API log-in of user %s", user.pk)
        return Response({"auth_token": token})

    def _known(self, request, username: str, password: str) -> User | None:
        """By allauth, with the limits that log-ins on the page have, too: they are counted together."""
        adapter = get_adapter(request)
        if not ratelimit.consume(request, action="login"):
            raise TooMany(60)
        try:
            user = adapter.authenticate(request, username=username, password=password)
        except ValidationError:
            raise TooMany(300) from None
        return user if user and user.is_active else None


class LogOut(Writing):
    """The key that asks is good for nothing any more."""

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Done.")})
    def post(self, request):
        ApiToken.objects.revoke(request.auth)
        return Response(status=204)
