"""The privacy page: what is kept about me, all of it as a file, and the way out."""

import logging
import tempfile
from contextlib import ExitStack

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people import erasure, privacy

logger = logging.getLogger(__name__)

# More goes to the disk while it is sent.
IN_MEMORY = 2**20


@require_safe
@login_required
def page(request):
    latest = request.user.erasure_requests.first()
    waits = latest is not None and latest.state == erasure.State.ASKED
    ahead = privacy.ahead(request.user) if waits else []
    return render(request, "people/privacy.html", {"latest": latest, "waits": waits, "ahead": ahead})


# Whoever finds a browser open must not leave with all of it.
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
def download(request):
    """GET says what is in it; POST gives it."""
    if request.method != "POST":
        return render(request, "people/privacy_download.html")
    if not ratelimit.consume(request, action="download_my_data", user=request.user):
        messages.error(request, _("You have downloaded your data several times just now. Try again in an hour."))
        return redirect("privacy")
    with ExitStack() as closing:
        file = closing.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
        privacy.write(request.user, file)
        file.seek(0)
        # From here on the response closes it.
        closing.pop_all()
    logger.info("person %s downloads their data", request.user.pk)
    return FileResponse(file, as_attachment=True, filename="my-data.zip", content_type="application/zip")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
def erase(request):
    """GET says what goes and what stays; POST asks for it."""
    if request.method == "POST":
        erasure.ask(request.user)
        messages.success(request, _("The program has your request. You get a mail when it is done."))
        return redirect("privacy")
    if erasure.waiting(request.user):
        return redirect("privacy")
    return render(request, "people/privacy_erase.html", {"ahead": privacy.ahead(request.user)})


@require_POST
@login_required
def withdraw(request):
    try:
        erasure.withdraw(request.user)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, _("You have taken your request back. Everything stays as it is."))
    return redirect("privacy")
