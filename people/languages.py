"""The language that a page or a mail speaks: the one its reader chose; else the browser's on pages, the site's in mails."""

from django.conf import settings
from django.utils import translation

from people.models import User


def names() -> dict[str, str]:
    """Code -> name, as its speakers call it."""
    return dict(settings.LANGUAGES)


def of(reader: User) -> str:
    """The language of a mail to this person."""
    return reader.language if reader.language in names() else settings.LANGUAGE_CODE


def use(reader) -> None:
    """From here on this request speaks the language that its reader chose; none chosen, or nobody logged in: it stays."""
    chosen = getattr(reader, "language", "")
    if chosen in names():
        translation.activate(chosen)


class LanguageMiddleware:
    """Django's LocaleMiddleware has asked the cookie and the browser. What the reader chose on the profile page wins."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        use(request.user)
        request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
