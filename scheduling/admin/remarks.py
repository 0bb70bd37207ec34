"""Coordinators' notes on a session's page: listed in a tab, written and taken away in dialogs."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Q, When
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from people.admin_pages import answer, page_of
from scheduling import booking, remarks
from scheduling.admin.dialogs import session_or_404
from scheduling.models import Remark, Session

BOTH, STAFF = gettext_lazy("mentor and mentee, too"), gettext_lazy("coordinators only")


class RemarkForm(BaseDialogForm):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=Remark._meta.get_field("text").max_length,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    shared = forms.BooleanField(
        label=gettext_lazy("Mentor and mentee read it, too"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("On their page of the session. Nobody gets a message."),
    )


class RemarkInline(TabularInline):
    """Who noted what, when, and for whom."""

    model = Remark
    tab = True
    fields = readonly_fields = ("written_at", "who", "words", "for_whom", "take_away")
    extra = 0
    can_delete = False
    hide_title = True
    verbose_name_plural = gettext_lazy("notes")

    def get_queryset(self, request):
        """Each with ``mine``: whether this reader may take it away (`remarks.refusal` decides when they do)."""
        mine = Q(author=request.user.pk) | Q(pk__isnull=not request.user.is_superuser)
        return super().get_queryset(request).select_related("author").annotate(mine=Case(When(mine, then=True), default=False))

    def has_view_permission(self, request, obj=None):
        return booking.acts_for_program(request.user)

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @display(description=gettext_lazy("By"))
    def who(self, remark):
        return remark.author or "-"

    @display(description=gettext_lazy("Note"))
    def words(self, remark):
        return remark.text

    @display(description=gettext_lazy("Who reads it"))
    def for_whom(self, remark):
        return BOTH if remark.shared else STAFF

    @display(description="")
    def take_away(self, remark):
        if not remark.mine:
            return ""
        link = reverse("admin:scheduling_session_remark_remove", args=[remark.pk])
        return render_to_string("admin/scheduling/session/dialog_link.html", {"link": link, "text": _("Remove")})


class RemarksAdmin:
    """Gives the session's page its notes. Stands before the other bases."""

    @action(
        description=gettext_lazy("Add a note"),
        permissions=["act"],
        icon="note_add",
        variant=ActionVariant.DEFAULT,
        dialog={
            "title": gettext_lazy("Add a note"),
            "description": gettext_lazy("For coordinators, unless you share it."),
            "form_class": RemarkForm,
            "form_submit_text": gettext_lazy("Add"),
        },
    )
    def add_remark(self, request, form, object_id):
        session = session_or_404(request, object_id)

        def act():
            remarks.write(session, form.cleaned_data["text"], by=request.user, shared=form.cleaned_data["shared"])
            return _("The note is added.")

        return answer(request, act, page_of(Session._meta, object_id))

    def get_urls(self):
        view = self.admin_site.admin_view(self.remove_remark)
        return [path("remarks/<int:key>/remove/", view, name="scheduling_session_remark_remove"), *super().get_urls()]

    def remove_remark(self, request, key):
        if not booking.acts_for_program(request.user):
            raise PermissionDenied
        remark = get_object_or_404(Remark, pk=key)
        if request.method == "POST":

            def act():
                remarks.remove(remark, by=request.user)
                return _("The note is removed.")

            return answer(request, act, page_of(Session._meta, remark.session_id))
        dialog = {"title": _("Remove this note?"), "description": remark.text}
        form = BaseDialogForm(request)
        return render(request, "unfold/helpers/dialog.html", {"dialog": dialog, "form": form, "form_submit_text": _("Remove")})
