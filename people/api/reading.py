"""What every view of the API is: rows to read, as JSON, that a program need not fetch again while they are the same."""

import hashlib
from collections.abc import Callable
from datetime import UTC

from django.db.models import QuerySet
from django.http import Http404
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext_lazy as _
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from people.api.refusals import Elsewhere

# Here and not for every answer: a key that a log-in gives is never packed together with what was sent.
packed = GZipMiddleware(lambda request: None).process_response


class Reading(GenericAPIView):
    """GET and HEAD. Each write that the document has is refused with the page where people do it.

    ``queryset`` or ``get_queryset``: what the reader may see. ``rows``: what is told of it, as ``serializer_class`` describes.
    ``done_at``: the name of the page where people change it, and a sentence. ``done_with_key``: the page is that of one row.
    """

    http_method_names = ["get", "head"]
    rows: Callable[[QuerySet], list[dict]]
    done_at = ("home", _("The API only reads. People change this on the pages; they begin here."))
    done_with_key = False

    def dispatch(self, request, *args, **kwargs):
        # The zone of whoever has a session in the same browser is none of ours.
        with timezone.override(UTC):
            response = super().dispatch(request, *args, **kwargs)
        return fresh(request, response)

    def http_method_not_allowed(self, request, *args, **kwargs):
        page, sentence = self.done_at
        raise Elsewhere(sentence, reverse(page, kwargs=self.kwargs if self.done_with_key else None))

    def only(self, **which) -> dict:
        """The one row like that, or 404."""
        rows = self.rows(self.get_queryset().filter(**which))
        if not rows:
            raise Http404
        return rows[0]


class ListOf(Reading):
    lists = True

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        # Making a form takes longer than a short list.
        return super().filter_queryset(queryset) if self.request.query_params else queryset

    def get(self, request, *args, **kwargs):
        found = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.rows(found))


class OneOf(Reading):
    filter_backends = []
    pagination_class = None

    def get(self, request, pk: int):
        return Response(self.only(pk=pk))


class OwnOf(Reading):
    """What the reader is: ``queryset`` has people, or roles, which have the key of their person."""

    filter_backends = []
    pagination_class = None

    def get(self, request):
        return Response(self.only(pk=request.user.pk))


def fresh(request, response: Response):
    """The answer with its ETag, or 304 where that is what the asking program has. No cache that others use keeps either."""
    if response.status_code != 200 or request.method not in ("GET", "HEAD"):
        response["Cache-Control"] = "no-store"
        return response
    response.render()
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag = quote_etag(hashlib.blake2b(response.content, digest_size=16).hexdigest())
    answer = get_conditional_response(request, etag=etag, response=response)
    return packed(request, answer) if answer.status_code == 200 else answer
