"""The saved views above the list of sessions: kept, renamed and thrown away in dialogs."""

from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from scheduling import booking
from scheduling.models import SavedView

# Which page, and what only Django's own pages put there.
NOT_KEPT = ("p", "e", "all", "_changelist_filters")


def plain(query: str) -> str:
    """The address of a list, in one spelling: two who filter the same see the same view."""
    asked = QueryDict(query, mutable=True)
    for name in NOT_KEPT:
        asked.pop(name, None)
    kept = sorted((name, value) for name, values in asked.lists() for value in values if value)
    found = QueryDict(mutable=True)
    for name, value in kept:
        found.appendlist(name, value)
    return found.urlencode()


class ViewForm(BaseDialogForm, forms.ModelForm):
    """Its name, and who may see it."""

    class Meta:
        model = SavedView
        fields = ("name", "shared")
        widgets = {"name": UnfoldAdminTextInputWidget, "shared": UnfoldBooleanSwitchWidget}

    def __init__(self, request, view: SavedView, data=None):
        super().__init__(request, None, data=data, instance=view)
        if not booking.acts_for_program(request.user):
            del self.fields["shared"]

    def clean_name(self):
        # Here, and not by the constraint: the dialog shows what is said about a field.
        name = self.cleaned_data["name"]
        if SavedView.objects.of(self.instance.owner).filter(name=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("You have a view of this name already."), code="named")
        return name


class SavedViewsAdmin:
    """Gives the list its saved views. Stands before the other bases."""

    def get_urls(self):
        own = [
            ("views/save/", self.save_view_dialog, "save"),
            ("views/<int:key>/rename/", self.rename_view_dialog, "rename"),
            ("views/<int:key>/delete/", self.delete_view_dialog, "delete"),
        ]
        site = self.admin_site
        return [
            *(path(route, site.admin_view(view), name=f"scheduling_session_view_{name}") for route, view, name in own),
            *super().get_urls(),
        ]

    def views_of(self, request) -> dict:
        """For the template above the list: the views, and which of them is open."""
        here, base = plain(request.GET.urlencode()), reverse("admin:scheduling_session_changelist")
        views = [
            {
                "view": view,
                "link": f"{base}?{view.query}",
                "active": view.query == here,
                "own": view.owner_id == request.user.pk,
            }
            for view in SavedView.objects.visible_to(request.user)
        ]
        return {"saved_views": views, "can_be_saved": bool(here) and not any(one["active"] for one in views)}

    def save_view_dialog(self, request):
        # The dialog lies over the list: htmx says which.
        query = plain(urlsplit(request.headers.get("HX-Current-URL", "")).query)
        view = SavedView(owner=request.user, query=query[: SavedView._meta.get_field("query").max_length])
        words = _("Save this view"), _("The tab, filters, search and order of the list, to come back to."), _("Save")
        return self._dialog(request, view, words, _("The view is saved."))

    def rename_view_dialog(self, request, key):
        words = (
            _("Change this view"),
            _("To keep other filters under its name, save a new view and delete this one."),
            _("Save"),
        )
        return self._dialog(request, self._own(request, key), words, _("The view is changed."))

    def delete_view_dialog(self, request, key):
        view = self._own(request, key)
        said = _("Others who use it lose it, too.") if view.shared else _("The sessions in it stay.")
        if self._may(request) and request.method == "POST":
            view.delete()
            return self._go(request, "", _("The view is deleted."))
        dialog = {"title": _("Delete the view “%s”?") % view.name, "description": said}
        form = BaseDialogForm(request)
        return render(request, "unfold/helpers/dialog.html", {"dialog": dialog, "form": form, "form_submit_text": _("Delete")})

    def _own(self, request, key: int) -> SavedView:
        return get_object_or_404(SavedView.objects.of(request.user), pk=key)

    def _may(self, request) -> bool:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return True

    def _dialog(self, request, view: SavedView, words: tuple[str, str, str], done: str) -> HttpResponse:
        self._may(request)
        form = ViewForm(request, view, data=request.POST or None)
        if form.is_valid():
            form.save()
            return self._go(request, view.query, done)
        dialog = {"title": words[0], "description": words[1]}
        return render(request, "unfold/helpers/dialog.html", {"dialog": dialog, "form": form, "form_submit_text": words[2]})

    def _go(self, request, query: str, done: str) -> HttpResponse:
        messages.success(request, done)
        base = reverse("admin:scheduling_session_changelist")
        return HttpResponse(headers={"HX-Redirect": f"{base}?{query}" if query else base})
