"""The program's policy."""

from django import forms
from django.contrib import admin
from django.db import transaction
from django.shortcuts import redirect
from django_q.tasks import async_task
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminURLInputWidget

from people import time_zones
from people.links import LinkFormField
from people.stale import FreshAdmin
from scheduling.models import LENGTHS, Program

POLICY = (
    (None, {"fields": ("name", "time_zone")}),
    (
        "What can be booked",
        {"fields": ("session_lengths", "slot_step", "minimum_notice_hours", "horizon_days", "weeks_ahead", "buffer_minutes")},
    ),
    ("Who may join", {"fields": ("mentees_may_join", "mentors_may_join")}),
    ("How much", {"fields": ("mentor_week_cap", "mentee_week_cap", "open_requests_cap")}),
    ("Where people meet", {"fields": ("meeting_rooms",)}),
    ("Answering, canceling and undoing", {"fields": ("answer_hours", "cancel_until_hours", "undo_minutes")}),
)


class PolicyForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        choices=time_zones.choices,
        widget=UnfoldAdminSelectWidget,
        help_text=Program._meta.get_field("time_zone").help_text,
    )
    session_lengths = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=[(minutes, f"{minutes} minutes") for minutes in LENGTHS],
        widget=forms.CheckboxSelectMultiple,
        help_text=Program._meta.get_field("session_lengths").help_text,
    )

    # Shorter than a session's link, which has the room's name in it, too.
    meeting_rooms = LinkFormField(
        required=False,
        max_length=150,
        widget=UnfoldAdminURLInputWidget,
        help_text=Program._meta.get_field("meeting_rooms").help_text,
    )

    class Meta:
        model = Program
        fields = [name for _, part in POLICY for name in part["fields"]]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if time_zones.lost(self.instance.time_zone):
            # Else the browser would show the first zone of the list, and any save would keep that.
            self.fields["time_zone"].choices = [("", "Choose one: the old one is not known any more"), *time_zones.choices()]


@admin.register(Program)
class ProgramAdmin(FreshAdmin, ModelAdmin):
    """The one row: its list is its page."""

    form = PolicyForm
    fieldsets = POLICY

    def changelist_view(self, request, extra_context=None):
        return redirect("admin:scheduling_program_change", Program.current().pk)

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if "weeks_ahead" in form.changed_data:
            # The worker would do it tomorrow; and it may be quicker than this transaction.
            transaction.on_commit(lambda: async_task("scheduling.tasks.write_windows"), robust=True)
