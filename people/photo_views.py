"""Where people change and remove their own photo. Who sees it is decided where it is served (scheduling/photo_views.py)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from people import photos
from people.forms import PhotoForm
from people.models import Photo
from people.views import sent


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request):
    form = PhotoForm(sent(request), request.FILES or None)
    if form.is_valid():
        photos.put(request.user, form.cleaned_data["photo"])
        messages.success(request, _("This is your photo now."))
        return redirect("profile")
    return render(request, "people/photo.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request):
    """GET asks "really?"; POST removes it."""
    photo = get_object_or_404(Photo, user=request.user)
    if request.method == "POST":
        photo.delete()
        messages.success(request, _("Your photo is removed."))
        return redirect("profile")
    return render(request, "people/photo_remove.html")
