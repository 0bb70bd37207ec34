"""Where staff settle who is erased: a button with a dialog, on the request and on the person's own page."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from people import erasure, privacy
from people.models import ErasureRequest, User

COLOURS = {"waiting": "warning", "erased": "success", "refused": "danger", "withdrawn": "info"}
MAILED = "They were told by mail."
NOT_MAILED = "The mail that tells them could not be sent, and nobody knows the address any more."


class EraseForm(BaseDialogForm):
    sure = forms.BooleanField(label="Erase this person for good", widget=UnfoldBooleanSwitchWidget)


class RefuseForm(BaseDialogForm):
    answer = forms.CharField(
        label="Why not?",
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The person reads it on their privacy page.",
    )


class ErasingAdmin:
    """Gives a page the button. Stands before the other bases."""

    def person_of(self, request, object_id: str) -> User:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row if isinstance(row, User) else row.user

    @action(
        description="Erase",
        permissions=["erase"],
        icon="delete_forever",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Erase this person?",
            "description": "It cannot be undone. Sessions ahead are canceled, and the others in them are told. Name, addresses,"
            " phone, texts, links, keys and log-ins go. Past sessions stay as numbers, of an “Erased person”. They get a last mail.",
            "form_class": EraseForm,
            "form_submit_text": "Erase",
        },
    )
    def erase(self, request, form, object_id):
        try:
            mailed = erasure.erase(self.person_of(request, object_id), by=request.user)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            messages.success(request, "The person is erased. " + (MAILED if mailed else NOT_MAILED))
        return HttpResponse(headers={"HX-Redirect": self._own_page(object_id)})

    def has_erase_permission(self, request, object_id=None):
        if object_id is None:
            return request.user.has_perm(erasure.SETTLES)
        return erasure.refusal(self.person_of(request, object_id), request.user) is None

    def _own_page(self, object_id) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ErasingAdmin, ModelAdmin):
    list_display = ("who", "asked_at", "state_label", "settled_at", "settled_by")
    list_filter = ("state",)
    list_select_related = ("person", "settled_by")
    list_per_page = 50
    fieldsets = (
        (None, {"fields": (("who", "state_label"), "asked_at", "called_off")}),
        ("Settled", {"fields": (("settled_at", "settled_by"), "answer")}),
    )
    actions_detail = ("erase", "refuse")

    def person_of(self, request, object_id):
        # A key, or what somebody typed into the address.
        key = int(object_id) if str(object_id).isascii() and str(object_id).isdigit() and len(str(object_id)) < 10 else 0
        return get_object_or_404(self.get_queryset(request), pk=key).person

    @action(
        description="Refuse",
        permissions=["refuse"],
        icon="block",
        variant=ActionVariant.DEFAULT,
        dialog={
            "title": "Refuse to erase this person?",
            "description": "Everything stays as it is. They can ask again.",
            "form_class": RefuseForm,
            "form_submit_text": "Refuse",
        },
    )
    def refuse(self, request, form, object_id):
        try:
            erasure.refuse(self.get_object(request, object_id), form.cleaned_data["answer"], by=request.user)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            messages.success(request, "The request is refused. The person reads why on their privacy page.")
        return HttpResponse(headers={"HX-Redirect": self._own_page(object_id)})

    def has_refuse_permission(self, request, object_id=None):
        return self.has_erase_permission(request, object_id)

    def has_erase_permission(self, request, object_id=None):
        if not super().has_erase_permission(request, object_id):
            return False
        # Once it is settled there is nothing to press.
        return object_id is None or self.get_queryset(request).filter(pk=object_id, state=erasure.State.ASKED).exists()

    @display(description="Person", ordering="person__first_name")
    def who(self, request):
        return str(request.person)

    @display(description="State", label=COLOURS, ordering="state")
    def state_label(self, request):
        return request.get_state_display()

    @display(description="Will be canceled")
    def called_off(self, request):
        if request.state != erasure.State.ASKED:
            return "-"
        return "\n".join(privacy.ahead(request.person)) or "No sessions ahead"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
