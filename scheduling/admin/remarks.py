"""Coordinators' notes on a session's page: listed in a tab; written, corrected and taken away in dialogs."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Q, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
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


class CorrectionForm(RemarkForm):
    """Knows when the note had been changed last."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen(self):
        try:
            return parse_datetime(self.cleaned_data["seen"])
        except ValueError:
            return None


class RemarkInline(TabularInline):
    """Who noted what, when, and for whom."""

    model = Remark
    tab = True
    fields = readonly_fields = ("written_at", "who", "words", "for_whom", "changed", "change")
    extra = 0
    can_delete = False
    hide_title = True
    verbose_name_plural = gettext_lazy("notes")

    def get_queryset(self, request):
        """Each with ``mine``: whether this reader may change it (`remarks.refusal` decides when they do)."""
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
        return remark.text or _("removed")

    @display(description=gettext_lazy("Who reads it"))
    def for_whom(self, remark):
        return BOTH if remark.shared else STAFF

    @display(description=gettext_lazy("Changed"), empty_value="-")
    def changed(self, remark):
        if remark.changed_at is None:
            return None
        at = date_format(timezone.localtime(remark.changed_at), "DATETIME_FORMAT")
        return at if remark.removed else format_html("{} {}", at, dialog_link(remark, "history", _("Before")))

    @display(description="")
    def change(self, remark):
        if not remark.mine or remark.removed:
            return ""
        return format_html("{} {}", dialog_link(remark, "edit", _("Correct")), dialog_link(remark, "remove", _("Remove")))


def dialog_link(remark: Remark, what: str, text: str) -> SafeString:
    link = reverse(f"admin:scheduling_session_remark_{what}", args=[remark.pk])
    return render_to_string("admin/scheduling/session/dialog_link.html", {"link": link, "text": text})


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
        of_one = [
            path(f"remarks/<int:key>/{what}/", self.admin_site.admin_view(view), name=f"scheduling_session_remark_{what}")
            for what, view in (("edit", self.edit_remark), ("remove", self.remove_remark), ("history", self.remark_history))
        ]
        return [*of_one, *super().get_urls()]

    def edit_remark(self, request, key):
        remark = _remark_or_404(request, key)
        seen = remark.changed_at.isoformat() if remark.changed_at else ""
        shown = {"text": remark.text, "shared": remark.shared, "seen": seen}
        form = CorrectionForm(request, None, request.POST or None, initial=shown)
        if form.is_valid():
            said = {name: form.cleaned_data[name] for name in ("text", "shared", "seen")}

            def act():
                remarks.correct(remark, by=request.user, **said)
                return _("The note is corrected.")

            return answer(request, act, page_of(Session._meta, remark.session_id))
        told = _("Whoever reads it sees that it was corrected, and when. Coordinators read what it said before.")
        return _dialog(request, form, _("Correct this note"), told, _("Save"))

    def remove_remark(self, request, key):
        remark = _remark_or_404(request, key)
        if request.method == "POST":

            def act():
                remarks.remove(remark, by=request.user)
                return _("The note is removed.")

            return answer(request, act, page_of(Session._meta, remark.session_id))
        told = _("Its words go for good. That there was a note, whose it was and when it went, stays. It says: “%(note)s”")
        return _dialog(request, BaseDialogForm(request), _("Remove this note?"), told % {"note": remark.text}, _("Remove"))

    def remark_history(self, request, key):
        """What it said before, the latest first."""
        remark = _remark_or_404(request, key)
        before = remark.history.select_related("history_user").order_by("-history_id")[1:]
        return render(request, "admin/scheduling/session/remark_history.html", {"before": before})


def _remark_or_404(request, key: int) -> Remark:
    if not booking.acts_for_program(request.user):
        raise PermissionDenied
    return get_object_or_404(Remark.objects.select_related("author"), pk=key)


def _dialog(request, form: BaseDialogForm, title: str, description: str, button: str) -> HttpResponse:
    dialog = {"title": title, "description": description}
    return render(request, "unfold/helpers/dialog.html", {"dialog": dialog, "form": form, "form_submit_text": button})
