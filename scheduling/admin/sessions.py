"""Sessions: shown here, and changed by their buttons only."""

from collections import defaultdict

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from people.admin_pages import more
from people.sheet_admin import SheetAdmin
from scheduling import booking, rules
from scheduling.admin.booking_forms import ASIDE, BookingForm, PersonField, PersonSelect, party
from scheduling.admin.dialogs import session_or_404, verb_button
from scheduling.admin.feedback import FeedbackInline
from scheduling.admin.filters import ByPerson
from scheduling.admin.history import SessionHistoryAdmin, last_change, rules_set_aside
from scheduling.admin.moving import HandOver, Move
from scheduling.admin.notices import NoticeInline
from scheduling.admin.planning import PlanningAdmin
from scheduling.admin.remarks import RemarkInline, RemarksAdmin
from scheduling.admin.reports import ReportsAdmin
from scheduling.admin.session_list import SessionListAdmin
from scheduling.admin.why_not import why_not
from scheduling.booking import VERBS
from scheduling.exports import SESSIONS
from scheduling.models import Program, Session
from scheduling.needs import clash
from scheduling.resources import SessionResource

# What is asked of a booking.
BOOKING = (("mentor", "mentee"), "start_time", "which_start_time", "minutes", "on_behalf_of", "topic", "meeting_link")


@admin.register(Session)
class SessionAdmin(RemarksAdmin, PlanningAdmin, ReportsAdmin, SessionListAdmin, ByPerson, SheetAdmin, SessionHistoryAdmin):
    """Sessions are shown here and changed by their buttons only: the status is never a field."""

    resource_classes = [SessionResource]
    sheet = SESSIONS
    autocomplete_fields = ("mentor", "mentee")
    fieldsets = (
        (None, {"fields": (("mentor_name", "mentee_name"), "status_label", "when_for_both", "topic", "link")}),
        ("The last change", {"fields": ("last_change", ("for_whom", "reason"))}),
        ("Rules set aside", {"fields": ("rules_set_aside", "set_aside_reason")}),
    )
    readonly_fields = (
        "mentor_name",
        "mentee_name",
        "status_label",
        "when_for_both",
        "topic",
        "link",
        "last_change",
        "for_whom",
        "reason",
        "rules_set_aside",
        "set_aside_reason",
    )
    inlines = [RemarkInline, NoticeInline, FeedbackInline]
    change_form_outer_before_template = "admin/scheduling/session/clash.html"
    change_form_after_template = "admin/scheduling/session/what_happened.html"
    actions_list = ("week", "find", "why_not")
    # Named like the verbs: those that are possible now are shown, the first ones first.
    actions_detail = ("confirm", "decline", "complete", "mark_no_show", "reschedule", "cancel", "reassign", "add_remark")

    confirm = verb_button(
        "confirm",
        "check",
        ActionVariant.PRIMARY,
        "Confirm this session?",
        "Both are told, and reminded 60 and 15 minutes before.",
    )
    decline = verb_button(
        "decline",
        "close",
        ActionVariant.DEFAULT,
        "Decline this request?",
        "Both are told, and the time is free again.",
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

    # These two and "Why not?" are pages: a press only opens them, and what they send is a POST.
    @action(description=VERBS["reschedule"].label, permissions=["act"], icon="event_repeat")
    def reschedule(self, request, object_id):
        return Move(self, request).answer(session_or_404(request, object_id))

    @action(description=VERBS["reassign"].label, permissions=["act"], icon="swap_horiz")
    def reassign(self, request, object_id):
        return HandOver(self, request).answer(session_or_404(request, object_id))

    @action(description="Why not?", permissions=["act"], icon="help", url_path="why-not")
    def why_not(self, request):
        return why_not(self, request)

    # ---- one session --------------------------------------------------------------------------------------------------

    def has_act_permission(self, request, object_id=None):
        """Whether the verb is possible is for the verb to say, in a sentence."""
        return booking.acts_for_program(request.user)

    def get_actions_detail(self, request, object_id):
        session = self.get_object(request, object_id)
        if session is None or not self.has_act_permission(request):
            return []
        possible = {verb.name for verb in booking.possible(session, request.user, request.program)} | {"add_remark"}
        return [button for button in self._get_base_actions_detail() if button.method.original_function_name in possible]

    def _get_actions_navigation(self, provided_actions, allowed_actions, object_id=None):
        buttons = super()._get_actions_navigation(provided_actions, allowed_actions, object_id)
        return [*buttons[:3], more(buttons[3:])] if object_id and len(buttons) > 4 else buttons

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user).with_people().select_related("acted_for")

    def get_form(self, request, obj=None, **kwargs):
        if obj:
            return super().get_form(request, obj, **kwargs)
        form = super().get_form(request, obj, **kwargs | {"form": BookingForm})
        form.by, form.refused = request.user, getattr(request, "refused", None)
        return form

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        person = {"form_class": PersonField, "widget": PersonSelect(db_field.name)}
        return super().formfield_for_foreignkey(db_field, request, **person | kwargs)

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            aside = ASIDE if booking.sets_rules_aside(request.user) else ()
            # What is hidden comes first: Unfold draws no line under what comes last.
            return ((None, {"fields": ("key", *aside, *BOOKING)}),)
        return self.fieldsets if obj.set_aside else self.fieldsets[:2]

    def get_readonly_fields(self, request, obj=None):
        return self.readonly_fields if obj else ()

    def get_inlines(self, request, obj):
        """No tab for what nobody has said."""
        said = obj and hasattr(obj, "feedback")
        return [inline for inline in self.inlines if said or inline is not FeedbackInline] if obj else []

    def has_change_permission(self, request, obj=None):
        """The buttons change a session, its page only shows it."""
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def change_view(self, request, object_id, form_url="", extra_context=None):
        more = {"page_obj": self.last_changes(request, object_id)}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        # The name of the browser's tab tells sessions apart.
        more = {"clash": clash(obj, timezone.now()), "subtitle": f"{obj.mentor} · {obj.mentee}"} if obj else {}
        return super().render_change_form(request, context | more, add, change, form_url, obj)

    def add_view(self, request, form_url="", extra_context=None):
        extra_context = {"title": "Book a session"} | (extra_context or {})
        try:
            return super().add_view(request, form_url, extra_context)
        except ValidationError as refusal:
            # The form had found nothing against it, the verb has: the form says what, with all typed kept.
            request.refused = refusal
            return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        wanted = form.cleaned_data
        session = booking.request(
            wanted["mentor"],
            wanted["mentee"],
            wanted["start_time"],
            wanted["minutes"],
            by=request.user,
            on_behalf_of=party(wanted["on_behalf_of"], wanted["mentor"], wanted["mentee"]),
            set_aside=wanted["set_aside"],
            topic=wanted["topic"],
            meeting_link=wanted["meeting_link"],
            form_key=wanted["key"],
        )
        obj.__dict__.update(session.__dict__)

    def response_add(self, request, obj, post_url_continue=None):
        """On to the session's page, where the next step is: confirming it for the mentor, if they have agreed already."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, self.requested(obj))
        return redirect("admin:scheduling_session_change", obj.pk)

    def requested(self, session) -> str:
        asked = rules.when(session.period, timezone.get_current_timezone())
        return f"Requested: {session.mentor} and {session.mentee}, {asked}. Both are told; the mentor confirms, or you do."

    @display(description="When")
    def when_for_both(self, session):
        """By the reader's clock, then by each party's where it shows another time."""
        here, theirs = timezone.get_current_timezone(), defaultdict(list)
        for user, zone in session.elsewhere(Program.current(), here):
            theirs[rules.when(session.period, zone)].append(str(user))
        return " · ".join(
            [rules.when(session.period, here), *(f"{when} for {' and '.join(who)}" for when, who in theirs.items())]
        )

    @display(description="Meeting link")
    def link(self, session):
        return session.meeting_link or "-"

    @display(description="What happened")
    def last_change(self, session):
        return last_change(session)

    @display(description="On behalf of")
    def for_whom(self, session):
        return session.acted_for or "-"

    @display(description="Rules")
    def rules_set_aside(self, session):
        return rules_set_aside(session)
