"""Addresses that lead back to a list as it was filtered."""

from urllib.parse import urlencode

from django.template import Library

register = Library()


@register.filter
def kept(request, url: str) -> str:
    """This address, with the filters of the list from which the page of this request was opened."""
    filters = request.GET.get("_changelist_filters")
    return f"{url}?{urlencode({'_changelist_filters': filters})}" if filters else url
