"""What somebody typed into a form and could not send, since their log-in had ended: kept until they are back on the form.

Nothing is sent for them. Only they see it, once, within half an hour; no address and no log has it. A form of ours with
something to type in carries forms/token.html, which says whose page it is: what comes without that is not kept.
"""

import json
import secrets
import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.signing import BadSignature, Signer
from django.forms import BoundField
from django.forms.renderers import TemplatesSetting
from django.http import QueryDict
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

KEPT_IN, AT_MOST = "unsent", 5
LASTS = int(timedelta(minutes=30).total_seconds())
LARGEST = 64 * 1024
# What forms/token.html sends, and what stands in the address that leads back.
AUTHOR, BACK_TO, KEY = "written_by", "back_to", "kept"

KEPT = _(
    "You were logged out meanwhile, and nothing is saved yet. Log in within half an hour: you come back to the form, with all"
    " that you typed."
)
TOO_LONG = _("You were logged out meanwhile. Nothing is saved, and what you typed was too long to be kept.")
NOT_DONE = _("You were logged out meanwhile, and nothing was done. Log in, and press the button again.")

signer = Signer(salt="people.unsent")
# What the forms of the page that is being made show instead of what is stored.
_typed: ContextVar[QueryDict | None] = ContextVar("typed", default=None)


# ---- kept -------------------------------------------------------------------------------------------------------------


def author(request) -> str | None:
    """The key of the person whose page the form stood on. Signed: nobody writes in another's name."""
    try:
        return signer.unsign(request.POST.get(AUTHOR, ""))
    except BadSignature:
        return None


def keep(request) -> str | None:
    """Keep what was posted for its author. The address that leads back to it; None where it is too much to keep."""
    typed = {name: values for name, values in request.POST.lists() if not _is_ours(name)}
    if len(json.dumps(typed)) > LARGEST:
        return None
    key, entry = secrets.token_urlsafe(16), {"by": author(request), "at": int(time.time()), "typed": typed}
    others = list(request.session.get(KEPT_IN, {}).items())[1 - AT_MOST :]
    request.session[KEPT_IN] = dict(others) | {key: entry}
    if not request.user.is_authenticated:
        request.session.set_expiry(LASTS)
    page = urlsplit(page_of(request))
    query = [(name, value) for name, value in parse_qsl(page.query, keep_blank_values=True) if name != KEY]
    return f"{page.path}?{urlencode([*query, (KEY, key)])}"


def _is_ours(name: str) -> bool:
    return name in ("csrfmiddlewaretoken", AUTHOR, BACK_TO) or "password" in name


def page_of(request) -> str:
    """The page that a form was sent from: as it says itself, else as the browser does, else where it was sent."""
    referer = urlsplit(request.META.get("HTTP_REFERER", ""))
    came_from = urlunsplit(("", "", referer.path, referer.query, "")) if referer.netloc == request.get_host() else ""
    pages = request.POST.get(BACK_TO, ""), came_from, request.get_full_path()
    # A path and nothing else: no other site, and no address that browsers would take for one.
    return next(page for page in pages if page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None))


# ---- shown again ------------------------------------------------------------------------------------------------------


def kept(request) -> QueryDict | None:
    """What the address asks for: if the reader wrote it, and lately."""
    entry = request.session.get(KEPT_IN, {}).get(request.GET[KEY])
    if entry is None or entry["by"] != str(request.user.pk) or time.time() - entry["at"] > LASTS:
        return None
    typed = QueryDict(mutable=True)
    for name, values in entry["typed"].items():
        typed.setlist(name, values)
    return typed


def forget(request) -> None:
    if request.session.get(KEPT_IN, {}).pop(request.GET[KEY], None):
        request.session.modified = True


def claim(sender, request, user, **kwargs) -> None:
    """Whoever logs in finds what they wrote, and nobody else's. A receiver of Django's `user_logged_in`."""
    if KEPT_IN not in request.session:
        return
    entries = request.session[KEPT_IN].items()
    request.session[KEPT_IN] = {key: entry for key, entry in entries if entry["by"] == str(user.pk)}
    # The log-in lasts longer than what was kept before it; unless somebody has said already how long.
    if not request.session.get_expire_at_browser_close() and request.session.get_expiry_age() == LASTS:
        request.session.set_expiry(None)


@contextmanager
def filled_in(typed: QueryDict):
    """Forms that are shown in here, and are not sent, show what was typed."""
    token = _typed.set(typed)
    try:
        yield
    finally:
        _typed.reset(token)


class TypedField(BoundField):
    def value(self):
        typed, widget = _typed.get(), self.field.widget
        if typed is None or self.form.is_bound or self.field.disabled:
            return super().value()
        if widget.value_omitted_from_data(typed, {}, self.html_name):
            return super().value()
        value = widget.value_from_datadict(typed, {}, self.html_name)
        return self.field.prepare_value(self.field.bound_data(value, self.initial))


class FormRenderer(TemplatesSetting):
    bound_field_class = TypedField


def written_by(request) -> dict:
    """A context processor: for forms/token.html."""
    user = getattr(request, "user", None)
    return {AUTHOR: signer.sign(user.pk) if user and user.is_authenticated else ""}


# ---- on the way -------------------------------------------------------------------------------------------------------


class UnsentMiddleware:
    """Whoever sends a form and is led to the log-in comes back to its page. Puts ``request.unsent`` there: what is shown again."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        asked = request.method == "GET" and KEY in request.GET and request.user.is_authenticated
        request.unsent = kept(request) if asked else None
        request.unsent_gone = asked and request.unsent is None
        with filled_in(request.unsent):
            response = self.get_response(request)
        if request.unsent is not None and response.status_code == 200:
            forget(request)
        if request.method == "POST" and not request.user.is_authenticated and _leads_to_log_in(response):
            return self._back_later(request)
        return response

    def _back_later(self, request):
        back = keep(request) if author(request) else None
        if back:
            messages.info(request, KEPT)
        else:
            messages.warning(request, TOO_LONG if author(request) else NOT_DONE)
        return redirect_to_login(back or page_of(request))


def _leads_to_log_in(response) -> bool:
    """To come back: whoever has verified an address is led there, too, and has lost nothing."""
    if response.status_code != 302:
        return False
    to = urlsplit(response["Location"])
    return to.path == resolve_url(settings.LOGIN_URL) and "next=" in to.query
