"""What the lists of addresses have in common."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter


class KeyConverter(IntConverter):
    """A row's key. Longer numbers are no key of any row, and too large for some databases to look for."""

    regex = "[0-9]{1,18}"


register_converter(KeyConverter, "key")


def with_and_without_slash(address: str, view, name: str) -> list:
    """As programs ask: the document has both."""
    return [path(f"{address}/", view, name=name), path(address, view, name=f"{name}_without_slash")]
