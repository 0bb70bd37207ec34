"""Who asks: `Authorization: Token ...`, with an access key from the page or from a log-in."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import TokenAuthentication

from people.models import ApiToken, User


class KeyAuthentication(TokenAuthentication):
    """DRF's way with the header, and our keys. No cookie: a browser does not send a key by itself, so nobody can make it."""

    def authenticate_credentials(self, key: str) -> tuple[User, str]:
        user = ApiToken.objects.user_of(key)
        if user is None:
            raise exceptions.AuthenticationFailed(_("This access key is not known, or not good any more."))
        return user, key


class KeyScheme(OpenApiAuthenticationExtension):
    """For the schema."""

    target_class = KeyAuthentication
    name = "accessKey"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token`, a space, and an access key.",
        }
