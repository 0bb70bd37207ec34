"""Sessions: shown here, and changed by their buttons only."""

from collections import defaultdict

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from people.period_filter import PeriodFilter
from people.sheet_admin import SheetAdmin
from scheduling import booking, rules
from scheduling.admin import finding, tabs
from scheduling.admin.booking_forms import ASIDE, BookingForm, PersonField, PersonSelect, is_key, party
from scheduling.admin.bulk import BulkPage
from scheduling.admin.counted import CountedFilter
from scheduling.admin.dialogs import session_or_404, verb_button
from scheduling.admin.feedback import FeedbackInline
from scheduling.admin.filters import ByPerson
from scheduling.admin.history import SessionHistoryAdmin, last_change, rules_set_aside
from scheduling.admin.moving import HandOver, Move
from scheduling.admin.needs import NeedsAdmin, SkillFilter, TeamFilter
from scheduling.admin.notices import NoticeInline
from scheduling.admin.reports import ReportsAdmin
from scheduling.admin.saved_views import SavedViewsAdmin
from scheduling.admin.why_not import why_not
from scheduling.booking import VERBS
from scheduling.exports import SESSIONS
from scheduling.models import Program, Session
from scheduling.resources import SessionResource
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING

STATUS_COLOURS = {PENDING: "warning", CONFIRMED: "success", CANCELED: "danger", COMPLETED: "info", NO_SHOW: "danger"}


# What is asked of a booking.
BOOKING = (("mentor", "mentee"), "start_time", "which_start_time", "minutes", "on_behalf_of", "topic", "meeting_link")


@admin.register(Session)
class SessionAdmin(ReportsAdmin, SavedViewsAdmin, NeedsAdmin, ByPerson, SheetAdmin, SessionHistoryAdmin):
    """Sessions are shown here and changed by their buttons only: the status is never a field."""

    resource_classes = [SessionResource]
    sheet = SESSIONS
    list_display = ("mentor_name", "mentee_name", "from_to", "status_label")
    list_filter = (
        tabs.TabFilter,
        ("status", ChoicesDropdownFilter),
        ("start_time", PeriodFilter),
        ("mentor", AutocompleteSelectFilter),
        ("mentee", AutocompleteSelectFilter),
    )
    opened_by = (TeamFilter, SkillFilter, CountedFilter)
    list_filter_submit = True
    list_per_page = 50
    list_before_template = "admin/scheduling/session/above_list.html"
    show_full_result_count = False
    # A count of each choice among a million sessions.
    show_facets = admin.ShowFacets.NEVER
    # By an index, in both directions.
    sortable_by = ("from_to",)
    # `finding.search` reads them.
    search_fields = ("mentor", "mentee")
    search_help_text = _("A name, or an e-mail address")
    actions = ("confirm_selected", "cancel_selected", "complete_selected", "no_show_selected")
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
    inlines = [NoticeInline, FeedbackInline]
    actions_list = ("why_not",)
    # Named like the verbs: those that are possible now are shown.
    actions_detail = ("confirm", "decline", "reschedule", "reassign", "cancel", "complete", "mark_no_show")

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

    # ---- the list ---------------------------------------------------------------------------------------------------

    def get_changelist(self, request, **kwargs):
        return tabs.SessionList

    def get_ordering(self, request):
        # What the first page sends here has an order of its own.
        own = request.GET.get("needs") == "answer"
        return super().get_ordering(request) if own else tabs.TABS[tabs.chosen(request.GET)].order

    def get_list_display(self, request):
        columns = super().get_list_display(request)
        return (*columns, "answer_until") if tabs.chosen(request.GET) == "waiting" else columns

    def get_paginator(self, request, queryset, per_page, orphans=0, allow_empty_first_page=True):
        asked = request.GET.get("p", "")
        return finding.CappedPaginator(
            queryset,
            per_page,
            orphans=orphans,
            page=int(asked) if is_key(asked) else 1,
            known_many=getattr(request, "found_many", False),
        )

    def get_search_results(self, request, queryset, search_term):
        return finding.search(request, queryset, search_term), False

    def changelist_view(self, request, extra_context=None):
        more = self.views_of(request) | {"most_at_once": booking.MOST}
        return super().changelist_view(request, more | (extra_context or {}))

    def get_urls(self):
        bulk = self.admin_site.admin_view(self.bulk_view)
        return [path("bulk/<str:verb>/", bulk, name="scheduling_session_bulk"), *super().get_urls()]

    def bulk_view(self, request, verb):
        if not self.has_act_permission(request):
            raise PermissionDenied
        page = BulkPage(self, request, verb)
        return page.answer() if request.method == "POST" else redirect("admin:scheduling_session_changelist")

    # These only open the page that says what would happen.
    @admin.action(description=_("Confirm"), permissions=["act"])
    def confirm_selected(self, request, queryset):
        return BulkPage(self, request, "confirm").look(queryset)

    @admin.action(description=_("Cancel, with a reason"), permissions=["act"])
    def cancel_selected(self, request, queryset):
        return BulkPage(self, request, "cancel").look(queryset)

    @admin.action(description=_("They took place"), permissions=["act"])
    def complete_selected(self, request, queryset):
        return BulkPage(self, request, "complete").look(queryset)

    @admin.action(description=_("Mark as no-shows"), permissions=["act"])
    def no_show_selected(self, request, queryset):
        return BulkPage(self, request, "mark_no_show").look(queryset)

    # ---- one session --------------------------------------------------------------------------------------------------

    def has_act_permission(self, request, object_id=None):
        """Whether the verb is possible is for the verb to say, in a sentence."""
        return booking.acts_for_program(request.user)

    def get_actions_detail(self, request, object_id):
        session = self.get_object(request, object_id)
        if session is None or not self.has_act_permission(request):
            return []
        possible = {verb.name for verb in booking.possible(session, request.user, request.program)}
        return [button for button in self._get_base_actions_detail() if button.method.original_function_name in possible]

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

    @display(description="Mentor")
    def mentor_name(self, session):
        return str(session.mentor)

    @display(description="Mentee")
    def mentee_name(self, session):
        return str(session.mentee)

    @display(description=_("When"), ordering="start_time")
    def from_to(self, session):
        start, end = timezone.localtime(session.start_time), timezone.localtime(session.end_time)
        return f"{date_format(start, 'DATETIME_FORMAT')}–{date_format(end, 'TIME_FORMAT')}"

    @display(description="Status", label=STATUS_COLOURS)
    def status_label(self, session):
        return session.status

    @display(description=_("Answer by"))
    def answer_until(self, session):
        return session.answer_by

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
