"""The language that a page or a mail speaks: the one its reader chose; else the browser's on pages, the site's in mails."""

from django.conf import settings
from django.utils import translation

from people.models import User


def names() -> dict[str, str]:
    """Code -> name, as its speakers call it."""
    return dict(settings.LANGUAGES)


def chosen(reader) -> str:
    """The code that this person chose, or "" for nobody and for whoever chose none that there is."""
    code = getattr(reader, "language", "")
    return code if code in names() else ""


def speaking(reader: User):
    """Within this mails are written in their reader's language, whoever causes them."""
    return translation.override(chosen(reader) or settings.LANGUAGE_CODE)


def use(reader) -> None:
    """From here on this request speaks the language that its reader chose; none chosen, or nobody logged in: it stays."""
    if code := chosen(reader):
        translation.activate(code)


class LanguageMiddleware:
    """Django's LocaleMiddleware has asked the cookie and the browser. What the reader chose on the profile page wins."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        use(request.user)
        request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
