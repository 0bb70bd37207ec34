"""What mails lead to. GET shows and changes nothing, since programs that scan mails follow every link; a button acts.

Nobody is logged in here, and who is does not matter: the signed token is all the authority there is. So there is nothing
for another site's form to borrow, and a mail program's own button (RFC 8058) needs no token against forgery.
"""

from functools import wraps

from django.core.exceptions import ValidationError
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from people import languages
from people.models import NotificationSettings
from scheduling import booking, mail_links
from scheduling.composing import facts
from scheduling.forms import form_for
from scheduling.views import told_by_mail

# Switch -> when its mails come, after "You get a mail ...".
WHEN = {
    "session_requested": _("when a session is requested"),
    "session_confirmed": _("when a session is confirmed, moved or handed over"),
    "session_canceled": _("when a session is canceled"),
    "fifteen_minute_alert": _("15 minutes before a session"),
    "sixty_minute_alert": _("60 minutes before a session"),
}


def by_token(view):
    """The address is a secret: no cache, no search engine and no other site is told of it."""

    @csrf_exempt
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def inner(request, token: str):
        response = view(request, token)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return inner


@by_token
def act(request, token: str):
    """Confirm, decline or cancel a session by the link of a mail."""
    try:
        link = mail_links.opened(token)
    except ValidationError as refusal:
        return _refused(request, refusal)
    zone = request.program.zone_of(link.user)
    # Whoever holds the mail reads on in its language, where one was chosen.
    languages.use(link.user)
    with timezone.override(zone):
        if link.done:
            return _done(request, link, zone)
        # The version is the mail's, whatever the form says.
        data = request.POST.dict() | {"version": link.version} if request.method == "POST" else None
        form = form_for(link.verb)(data, initial={"version": link.version})
        if form.is_valid():
            try:
                getattr(booking, link.verb.name)(link.session, by=link.user, **form.cleaned_data)
            except ValidationError as error:
                return _too_slow(request, token, error)
            return _done(request, link, zone)
        context = {"session": link.session, "verb": link.verb, "form": form, "facts": _facts(request, link, zone)}
        return render(request, "scheduling/mail_link.html", context)


def _facts(request, link: mail_links.Link, zone, *, where: bool = True):
    return facts(link.session, link.user, request.program, zone, where=where)


def _done(request, link: mail_links.Link, zone):
    session, verb, user = link.session, link.verb, link.user
    # Nobody meets anywhere for what was called off.
    found = _facts(request, link, zone, where=not verb.ending)
    context = {"session": session, "verb": verb, "told": told_by_mail(session, user), "facts": found}
    return render(request, "scheduling/mail_link_done.html", context)


def _too_slow(request, token: str, error: ValidationError):
    """Something was quicker than the button: the link itself knows best what, and tells it to whoever holds the mail."""
    try:
        link = mail_links.opened(token)
    except ValidationError as refusal:
        return _refused(request, refusal)
    return _done(request, link, timezone.get_current_timezone()) if link.done else _refused(request, error)


def _refused(request, refusal: ValidationError):
    unreadable = getattr(refusal, "code", "") == "unreadable"
    context = {"sentences": refusal.messages}
    return render(request, "scheduling/mail_link_refused.html", context, status=404 if unreadable else 410)


@by_token
def stop(request, token: str):
    """Turn one kind of mail off, or on again, by the link of a mail. What a mail program posts itself turns it off."""
    try:
        user, switch = mail_links.switch(token)
    except ValidationError as refusal:
        return _refused(request, refusal)
    languages.use(user)
    if user and request.method == "POST":
        wanted = {switch: request.POST.get("turn") == "on"}
        NotificationSettings.objects.update_or_create(user=user, defaults=wanted)
    settings = NotificationSettings.objects.filter(user=user).first() or NotificationSettings()
    context = {
        "when": WHEN[switch],
        "on": user is not None and getattr(settings, switch),
        "known": user is not None,
        "changed": request.method == "POST",
    }
    return render(request, "scheduling/mail_stop.html", context)
