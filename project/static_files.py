"""Static files are served from the packages as they lie there: what makes them small, and kept by browsers, is here."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.middleware.gzip import GZipMiddleware


class VersionedStaticFiles(StaticFilesStorage):
    """Addresses that change with what is in the file, so that browsers may keep it for long and never show an old one."""

    def url(self, name):
        address = super().url(name)
        version = _read(name) if settings.DEBUG else _version(name)
        return f"{address}?v={version}" if version else address


def _read(name: str) -> str:
    path = finders.find(name)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10] if path and Path(path).is_file() else ""


_version = lru_cache(maxsize=None)(_read)


class TextCompressionMiddleware(GZipMiddleware):
    """Compresses pages, styles and scripts. Photos, fonts and archives are compressed already.

    A secret beside words of a stranger in one compressed page could be guessed by its length (BREACH): Django makes lengths
    random, and masks its tokens.
    """

    TEXT = ("text/", "application/json", "application/javascript", "application/xml", "image/svg+xml")

    def process_response(self, request, response):
        if response.status_code == 206 or not response.get("Content-Type", "").startswith(self.TEXT):
            return response
        return super().process_response(request, response)
