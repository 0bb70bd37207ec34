"""Every address of the house. One door: the admin's log-in is allauth's, with its limits and its second factor."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.shortcuts import redirect
from django.urls import include, path
from django.views.generic import RedirectView

from project import palette
from project.mailbox import mailbox

handler404 = "project.views.not_found"
handler500 = "project.views.mistake"


@secure_admin_login
def arrived(request, extra_context=None):
    """Whoever comes so far is staff and logged in. Django's own form here would know no limit and no second factor."""
    return redirect("admin:index")


admin.site.login = arrived

urlpatterns = [
    # The admin's own page would skip re-authentication and the mail that tells of the change.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/search/", admin.site.admin_view(palette.search)),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("demo/mail/", mailbox, name="demo_mail"),
    path("", include("people.urls")),
    path("", include("scheduling.urls")),
]
