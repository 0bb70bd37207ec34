"""Sessions: shown here, and changed by their buttons only."""

import uuid
from functools import partialmethod

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminURLInputWidget

from people.sheet_admin import SheetAdmin
from scheduling import booking, rules
from scheduling.admin.windows import WhenFilter
from scheduling.booking import VERBS
from scheduling.models import Notice, Program, Session
from scheduling.resources import SessionResource
from scheduling.slots import Period
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING

STATUS_COLOURS = {PENDING: "warning", CONFIRMED: "success", CANCELED: "danger", COMPLETED: "info", NO_SHOW: "danger"}


class BookingForm(forms.ModelForm):
    """Book for others: the same rules as everywhere, told beside the fields before anything is written."""

    minutes = forms.TypedChoiceField(label="Length", coerce=int, widget=UnfoldAdminSelectWidget)
    meeting_link = forms.URLField(
        required=False, assume_scheme="https", widget=UnfoldAdminURLInputWidget, help_text="Where they meet online."
    )
    # Not named form_key: the admin takes that for the field that nobody edits.
    key = forms.UUIDField(widget=forms.HiddenInput)

    class Meta:
        model = Session
        fields = ("mentor", "mentee", "start_time", "topic")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        lengths = Program.current().policy.lengths
        self.fields["minutes"].choices = [(minutes, f"{minutes} minutes") for minutes in lengths]
        self.fields["minutes"].initial = 30 if 30 in lengths else lengths[0]
        self.fields["key"].initial = uuid.uuid4
        self.fields["start_time"].help_text = f"In your time zone, {timezone.get_current_timezone_name()}."

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not Session.objects.filter(form_key=cleaned["key"]).exists():
            period = Period.of(cleaned["start_time"], cleaned["minutes"])
            for finding in booking.explain(cleaned["mentor"], cleaned["mentee"], period):
                if not finding.passed:
                    self.add_error(None, ValidationError(finding.sentence, code=finding.code))
        return cleaned


class VerbForm(BaseDialogForm):
    """The dialog of a button: it remembers the version that was looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        session = Session.objects.filter(pk=self.object_id).only("version").first()
        self.fields["version"].initial = session and session.version


class ReasonForm(VerbForm):
    reason = forms.CharField(
        max_length=300, required=False, widget=UnfoldAdminTextareaWidget, help_text="Both people can read it."
    )


def verb_button(name: str, icon: str, variant: ActionVariant, title: str, description: str):
    """A button on the session's page that calls one verb, after a dialog."""
    verb = VERBS[name]

    def press(self, request, form, object_id):
        session = self.get_queryset(request).get(pk=object_id)
        said = {key: form.cleaned_data[key] for key in ("version", "reason") if key in form.cleaned_data}
        try:
            getattr(booking, name)(session, by=request.user, **said)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            messages.success(request, f"The session is {verb.past}.")
        url = reverse("admin:scheduling_session_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": url})

    press.__name__ = name
    dialog = {
        "title": title,
        "description": description,
        "form_class": ReasonForm if verb.to == CANCELED else VerbForm,
        "form_submit_text": verb.label if verb.to != CANCELED else f"{verb.label} the session",
    }
    return action(description=verb.label, permissions=[name], icon=icon, variant=variant, dialog=dialog)(press)


class NoticeInline(TabularInline):
    model = Notice
    tab = True
    fields = readonly_fields = ("kind", "recipient", "due_at", "state", "detail", "sent_at")
    ordering = ("due_at", "pk")
    extra = 0
    can_delete = False
    verbose_name_plural = "notices"

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Session)
class SessionAdmin(SheetAdmin, SimpleHistoryAdmin):
    """Sessions are shown here and changed by their buttons only: the status is never a field."""

    resource_classes = [SessionResource]
    list_display = ("mentor_name", "mentee_name", "start_time", "length", "status_label")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        WhenFilter,
        ("mentor", AutocompleteSelectFilter),
        ("mentee", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-start_time", "-pk")
    search_fields = (
        "mentor__user__first_name",
        "mentor__user__last_name",
        "mentor__user__email",
        "mentee__user__first_name",
        "mentee__user__last_name",
        "mentee__user__email",
    )
    autocomplete_fields = ("mentor", "mentee")
    add_fieldsets = ((None, {"fields": (("mentor", "mentee"), "start_time", "minutes", "topic", "meeting_link", "key")}),)
    fieldsets = (
        (None, {"fields": (("mentor_name", "mentee_name"), "status_label", "when_for_both", "topic", "link")}),
        ("How it ended", {"fields": (("ending", "ended_by"), "reason")}),
    )
    inlines = [NoticeInline]
    actions_detail = ("confirm", "decline", "cancel", "complete", "mark_no_show")

    confirm = verb_button(
        "confirm",
        "check",
        ActionVariant.PRIMARY,
        "Confirm this session?",
        "You confirm it for the mentor. Both are told, and reminded 60 and 15 minutes before.",
    )
    decline = verb_button(
        "decline",
        "close",
        ActionVariant.DEFAULT,
        "Decline this request?",
        "You decline it for the mentor. Both are told, and the time is free again.",
    )
    cancel = verb_button(
        "cancel",
        "event_busy",
        ActionVariant.DANGER,
        "Cancel this session?",
        "Both are told, their reminders are taken back, and the time is free again. This cannot be undone.",
    )
    complete = verb_button(
        "complete", "task_alt", ActionVariant.PRIMARY, "Did it take place?", "The session is then Completed. Nobody is told."
    )
    mark_no_show = verb_button(
        "mark_no_show",
        "person_off",
        ActionVariant.DEFAULT,
        "Did somebody not come?",
        "The session is then a No-show. Nobody is told.",
    )

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user).with_people()

    def get_form(self, request, obj=None, **kwargs):
        return super().get_form(request, obj, **kwargs if obj else kwargs | {"form": BookingForm})

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return self.add_fieldsets
        return self.fieldsets if obj.status == CANCELED else self.fieldsets[:1]

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return ()
        return ("mentor_name", "mentee_name", "status_label", "when_for_both", "topic", "link", "ending", "ended_by", "reason")

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def has_change_permission(self, request, obj=None):
        """The buttons change a session, its page only shows it."""
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def _may(self, name, request, object_id=None):
        """Is this verb's button there? A press is let through to the verb, whose refusal is a sentence and not a 403."""
        if not booking.acts_for_program(request.user):
            return False
        if object_id is None or request.method == "POST":
            return True
        session = self.get_queryset(request).filter(pk=object_id).first()
        return session is not None and booking.refusal(session, VERBS[name], request.user) is None

    has_confirm_permission = partialmethod(_may, "confirm")
    has_decline_permission = partialmethod(_may, "decline")
    has_cancel_permission = partialmethod(_may, "cancel")
    has_complete_permission = partialmethod(_may, "complete")
    has_mark_no_show_permission = partialmethod(_may, "mark_no_show")

    def add_view(self, request, form_url="", extra_context=None):
        extra_context = {"title": "Book a session"} | (extra_context or {})
        try:
            return super().add_view(request, form_url, extra_context)
        except ValidationError:
            # Somebody booked between the form's question and the verb: ask again, and the form says who, with all typed kept.
            return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        wanted = form.cleaned_data
        session = booking.request(
            wanted["mentor"],
            wanted["mentee"],
            wanted["start_time"],
            wanted["minutes"],
            by=request.user,
            topic=wanted["topic"],
            meeting_link=wanted["meeting_link"],
            form_key=wanted["key"],
        )
        obj.__dict__.update(session.__dict__)

    def response_add(self, request, obj, post_url_continue=None):
        """On to the session's page, where the next step is: confirming it for the mentor, if they have agreed already."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        asked = rules.when(obj.period, timezone.get_current_timezone())
        messages.success(
            request, f"Requested: {obj.mentor} and {obj.mentee}, {asked}. Both are told; the mentor confirms, or you do."
        )
        return redirect("admin:scheduling_session_change", obj.pk)

    @display(description="Mentor", ordering="mentor__user__first_name")
    def mentor_name(self, session):
        return str(session.mentor)

    @display(description="Mentee", ordering="mentee__user__first_name")
    def mentee_name(self, session):
        return str(session.mentee)

    @display(description="Length")
    def length(self, session):
        return f"{session.minutes} min"

    @display(description="Status", label=STATUS_COLOURS, ordering="status")
    def status_label(self, session):
        return session.status

    @display(description="When")
    def when_for_both(self, session):
        """By the reader's clock, then by each party's where it shows another time."""
        here = timezone.get_current_timezone()
        elsewhere = session.elsewhere(Program.current(), here)
        theirs = [f"{rules.when(session.period, zone)} for {user}" for user, zone in elsewhere]
        return " · ".join([rules.when(session.period, here), *theirs])

    @display(description="Meeting link")
    def link(self, session):
        return session.meeting_link or "-"
