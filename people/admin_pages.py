"""What pages of the admin have in common, whatever they are about."""

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from people.templatetags.kept import kept


class DiscreetAdmin:
    """What somebody may not see they cannot find out by searching for it. Stands before the other bases."""

    def get_search_fields(self, request):
        fields = super().get_search_fields(request)
        return fields if request.user.sees_contact else [field for field in fields if not field.endswith("email")]


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the machine writes: people look."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


def more(items: Iterable) -> dict:
    """Buttons of a page, or their names, as one menu."""
    return {"title": _("More"), "icon": "more_horiz", "items": list(items)}


def page_of(opts, key) -> str:
    """The address of one row's page."""
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[key])


def answer(request, act: Callable[[], str], url: str) -> HttpResponse:
    """To a dialog: do it, and on the page at ``url`` say what ``act`` returns, or the refusal that it raises."""
    try:
        messages.success(request, act())
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return HttpResponse(headers={"HX-Redirect": kept(request, url)})
