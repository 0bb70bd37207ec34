"""Sessions for calendar programs: the page with one's own address, what is found there, and one session as a file."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from scheduling import calendars, feeds
from scheduling.models import CalendarFeed, Session


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def calendar(request):
    """GET shows the address, or offers to make one; POST makes it. Twice is once."""
    if request.method == "POST":
        feeds.make(request.user)
        return redirect("calendar")
    address = _address(request.user)
    context = {"address": address, "subscribe": f"webcal://{address.partition('://')[2]}"}
    return render(request, "scheduling/calendar.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def reset(request):
    """GET asks "really?"; POST makes the old address worthless."""
    if request.method == "POST":
        if feeds.reset(request.user):
            messages.success(request, _("This is your new address. The old one has stopped working."))
        return redirect("calendar")
    return render(request, "scheduling/calendar_reset.html") if _address(request.user) else redirect("calendar")


# For minutes only, and by nobody in between: a program that asks often is not given the same list anew each time.
@require_safe
@cache_control(private=True, max_age=300)
def feed(request, token: str):
    """Needs no log-in: calendar programs have none. The address is the key, and opens one person's own sessions."""
    reader = feeds.reader(token)
    if reader is None:
        raise Http404
    sessions = Session.objects.in_calendar_of(reader, timezone.now())
    return _calendar(calendars.feed(reader, sessions, request.program), "sessions.ics")


@require_safe
@login_required
def session(request, pk: int):
    mine = Session.objects.visible_to(request.user).with_people()
    session = get_object_or_404(mine, pk=pk)
    return _calendar(calendars.download(session, request.user, request.program), f"session-{session.pk}.ics")


def _address(user) -> str:
    found = CalendarFeed.objects.filter(user=user).first()
    return feeds.address(found) if found else ""


def _calendar(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
