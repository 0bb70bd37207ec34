"""Where staff settle who is erased: a button with a dialog, on the request and on the person's own page."""

from django import forms
from django.contrib import admin
from django.http import Http404
from django.shortcuts import get_object_or_404
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from people import erasure, privacy
from people.admin_pages import ReadOnlyAdmin, answer, page_of
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
        person = self.person_of(request, object_id)

        def act():
            mailed = erasure.erase(person, by=request.user)
            return f"The person is erased. {MAILED if mailed else NOT_MAILED}"

        return answer(request, act, page_of(self.opts, object_id))

    def has_erase_permission(self, request, object_id=None):
        if object_id is None:
            return request.user.has_perm(erasure.SETTLES)
        return erasure.refusal(self.person_of(request, object_id), request.user) is None


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ErasingAdmin, ReadOnlyAdmin):
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
        def act():
            erasure.refuse(self.get_object(request, object_id), form.cleaned_data["answer"], by=request.user)
            return "The request is refused. The person reads why on their privacy page."

        return answer(request, act, page_of(self.opts, object_id))

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
