"""The schema, for programs as JSON, for people as a page. Both for who is logged in."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from people.api.keys import KeyAuthentication

schema = SpectacularJSONAPIView.as_view(
    authentication_classes=[KeyAuthentication, SessionAuthentication], permission_classes=[IsAuthenticated]
)


@require_safe
@login_required
def page(request):
    return render(request, "people/api.html")
