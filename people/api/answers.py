"""How the API answers, whatever it is asked: in JSON, lists whole or in pages, and not without end."""

from urllib.parse import urlencode

import orjson
from django.core.cache import caches
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle


class JSON(BaseRenderer):
    """Datetimes must be in UTC: they end in Z."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        # What is not JSON by itself are sentences that are translated only now.
        return b"" if data is None else orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class AnyJSON(BaseParser):
    """JSON, also where the content type is "json", as the document has it."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError:
            raise exceptions.ParseError(_("This is not JSON.")) from None


class AlwaysJSON(DefaultContentNegotiation):
    """There is nothing to choose from: a browser that wants a page is shown the JSON, too."""

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


class ReadingThrottle(UserRateThrottle):
    """Counted in each process by itself: a limit that is shared by all would cost each question a write.

    Counting by the user, not by the key: ten keys are no ten times as much.
    """

    scope = "reading"

    @property
    def cache(self):
        return caches["throttles"]


class Pages(LimitOffsetPagination):
    """The whole list, as documented; or a page of it where ``limit`` or ``offset`` is asked for.

    Works on querysets and leaves them unread. A list with more than ``most`` rows is cut off there, and the header ``Link``
    leads on.
    """

    max_limit = 1_000
    most = 10_000
    # No list is longer, and no database takes more.
    furthest = 10**12

    def paginate_queryset(self, queryset, request, view=None):
        self.request = request
        asked = {name: self._number(name) for name in ("limit", "offset") if name in request.query_params}
        self.limit = min(asked.get("limit", self.max_limit), self.max_limit)
        self.offset = asked.get("offset", 0)
        self.count = queryset.count() if asked else None
        # One more than there may be: whether the list goes on.
        end = self.offset + self.limit if asked else self.most + 1
        return queryset[self.offset : end]

    def _number(self, name: str) -> int:
        text, least = self.request.query_params[name], 1 if name == "limit" else 0
        if not (text.isascii() and text.isdigit() and len(text) < 1_000 and int(text) >= least):
            raise exceptions.ValidationError({name: [_("This is a whole number, %(least)s or more.") % {"least": least}]})
        return min(int(text), self.furthest)

    def get_paginated_response(self, data: list) -> Response:
        if self.count is not None:
            return super().get_paginated_response(data)
        if len(data) <= self.most:
            return Response(data)
        rest = self.request.query_params.dict() | {"limit": self.max_limit, "offset": self.most}
        address = f"{self.request.build_absolute_uri(self.request.path)}?{urlencode(rest)}"
        return Response(data[: self.most], headers={"Link": f'<{address}>; rel="next"'})

    def get_schema_operation_parameters(self, view) -> list[dict]:
        """For the schema, as the next one."""
        told = {
            "limit": ("A page of so many rows, instead of the whole list.", {"minimum": 1, "maximum": self.max_limit}),
            "offset": ("So many rows are left out before the page.", {"minimum": 0}),
        }
        return [
            {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "integer"} | bounds}
            for name, (text, bounds) in told.items()
        ]

    def get_paginated_response_schema(self, schema: dict) -> dict:
        address = {"type": ["string", "null"], "format": "uri"}
        properties = {"count": {"type": "integer"}, "next": address, "previous": address, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}
