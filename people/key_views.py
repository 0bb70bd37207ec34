"""The page of a person's access keys: made, shown once, seen in use, revoked."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from people.forms import AccessKeyForm
from people.models import ApiToken
from people.views import sent


@require_safe
@login_required
def keys(request):
    return render(request, "people/keys.html", {"keys": request.user.api_tokens.all(), "now": timezone.now()})


# Whoever finds a browser open must not leave with a key.
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
def add(request):
    form, token = AccessKeyForm(sent(request)), ""
    if form.is_valid():
        try:
            token = ApiToken.objects.issue(request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
    return render(request, "people/key_add.html", {"form": form, "token": token})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke(request, pk):
    """GET asks "really?"; POST revokes it."""
    key = get_object_or_404(request.user.api_tokens, pk=pk)
    if request.method == "POST":
        key.delete()
        messages.success(request, _("“%(name)s” is revoked. It opens nothing any more.") % {"name": key.name})
        return redirect("access_keys")
    return render(request, "people/key_revoke.html", {"key": key})
