"""The ledger: what was promised to whom, and what became of it. Nobody writes here but the sender; staff may send again."""

from datetime import datetime

from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator, capfirst
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from people.admin_pages import ReadOnlyAdmin
from people.export_admin import ExportAdmin
from people.models import User
from scheduling import ledger, resending, rules
from scheduling.admin.booking_forms import is_key
from scheduling.admin.needs import NeedsAdmin, SkillFilter, TeamFilter
from scheduling.admin.resending import ResendPage
from scheduling.exports import NOTICES
from scheduling.models import Notice
from scheduling.slots import Period
from scheduling.words import State

STATE_COLOURS = {
    State.PENDING.label: "info",
    State.SENDING.label: "info",
    State.SENT.label: "success",
    State.FAILED.label: "danger",
    State.EXPIRED.label: "danger",
    State.UNCERTAIN.label: "warning",
}
LINK = "text-primary-600 underline dark:text-primary-500"
# A column of the list; the page of the notice has all of it.
SHORT = 90
# More is no search any more; and SQLite takes only so many parameters in one question.
PEOPLE_FOUND = 500


def moment(at: datetime | None) -> str:
    return display_for_value(at, "-")


class DueFilter(DropdownFilter):
    title = "when it is due"
    parameter_name = "due"

    def lookups(self, request, model_admin):
        # Today by the program's clock, as on the first page.
        return (("today", "Today"), ("late", "Late: unsent for two minutes"), ("ahead", "Ahead"))

    def queryset(self, request, queryset):
        now = timezone.now()
        match self.value():
            case "today":
                return queryset.due_in(ledger.today(request.program, now))
            case "late":
                return queryset.late(now)
            case "ahead":
                return queryset.unsent().filter(due_at__gt=now)
        return queryset


class NoticeWords:
    """How a notice is shown, in its list, on its page and on that of its session."""

    @display(description="To")
    def to(self, notice):
        return str(notice.recipient)

    @display(description="Kind")
    def what(self, notice):
        return capfirst(notice.get_kind_display())

    @display(description="State", label=STATE_COLOURS, ordering="state")
    def state_label(self, notice):
        return notice.get_state_display()

    @display(description="Why")
    def reason(self, notice):
        return notice.detail or "-"

    @display(description="The server’s answer")
    def said(self, notice):
        return notice.answer or "-"


class NoticeInline(NoticeWords, TabularInline):
    """On the session's page: who was promised what, when, and what became of it."""

    model = Notice
    tab = True
    fields = readonly_fields = ("due", "what", "to", "state_label", "reason", "said", "attempts", "sent_at")
    ordering = ("due_at", "pk")
    extra = 0
    can_delete = False
    # Its number is in the way.
    hide_title = True
    verbose_name_plural = "notices"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("recipient")

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @display(description="Due")
    def due(self, notice):
        link = reverse("admin:scheduling_notice_change", args=[notice.pk])
        return format_html('<a class="{}" href="{}">{}</a>', f"{LINK} whitespace-nowrap", link, moment(notice.due_at))


@admin.register(Notice)
class NoticeAdmin(NeedsAdmin, NoticeWords, ExportAdmin, ReadOnlyAdmin):
    sheet = NOTICES
    list_display = ("due_at", "told", "about", "state_label", "why", "attempts", "sent_at")
    list_filter = (DueFilter, ("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    opened_by = (TeamFilter, SkillFilter)
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("recipient",)
    search_help_text = "The recipient’s name or e-mail address"
    # By an index, in both directions.
    ordering = ("-due_at", "-pk")
    sortable_by = ("due_at",)
    fieldsets = (
        (None, {"fields": (("what", "address"), "about", "speaks_of", "state_label")}),
        ("What became of it", {"fields": ("reason", "said", ("attempts", "no_answers"))}),
        ("When", {"fields": (("due_at", "sent_at"), ("expires", "next_try"))}),
        ("Sent again", {"fields": (("resent_by_whom", "resent"),)}),
        ("For whoever looks into the mail server", {"fields": ("message_id",)}),
    )
    actions = ("resend_selected",)
    actions_detail = ("resend",)

    # ---- which --------------------------------------------------------------------------------------------------------

    def get_queryset(self, request):
        return super().get_queryset(request).with_people().select_related("resent_by")

    def get_search_results(self, request, queryset, search_term):
        """People first: their table is small beside this one, and their notices are found by index."""
        if not search_term.strip():
            return queryset, False
        people = User.objects.order_by()
        for word in search_term.split():
            people = people.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word))
        return queryset.filter(recipient__in=list(people.values_list("pk", flat=True)[:PEOPLE_FOUND])), False

    # ---- words ------------------------------------------------------------------------------------------------------

    @display(description="To", header=True)
    def told(self, notice):
        """Two lines, the second small; and so the next."""
        return str(notice.recipient), self.what(notice)

    @display(description="Why, and the server’s answer", header=True)
    def why(self, notice):
        return [Truncator(text).chars(SHORT) for text in (notice.detail or notice.answer, notice.detail and notice.answer)]

    @display(description="Session")
    def about(self, notice):
        session = notice.session
        return format_html(
            '<a class="{}" href="{}">{} and {}</a>',
            LINK,
            reverse("admin:scheduling_session_change", args=[session.pk]),
            session.mentor,
            session.mentee,
        )

    @display(description="To")
    def address(self, notice):
        return f"{notice.recipient}, {notice.recipient.email}"

    @display(description="Speaks of")
    def speaks_of(self, notice):
        zone = timezone.get_current_timezone()
        then = rules.when(Period.of(notice.start_time, notice.session.minutes), zone)
        moved = notice.session.start_time != notice.start_time
        return then + (f". The session is {rules.when(notice.session.period, zone)} now" if moved else "")

    @display(description="Times the server gave no answer")
    def no_answers(self, notice):
        return notice.unanswered

    @display(description="Worth sending until")
    def expires(self, notice):
        return moment(notice.expires_at)

    @display(description="Next try not before")
    def next_try(self, notice):
        return moment(notice.not_before)

    @display(description="By")
    def resent_by_whom(self, notice):
        return notice.resent_by or "-"

    @display(description="At")
    def resent(self, notice):
        return moment(notice.resent_at)

    @display(description="Message key")
    def message_id(self, notice):
        """The first part of the mail's Message-ID, by which a mail server's log is searched."""
        return str(notice.message_key)

    # ---- sending again ------------------------------------------------------------------------------------------------

    # A press only opens the page; what that sends is a POST.
    @action(description="Send again", permissions=["resend"], icon="forward_to_inbox", variant=ActionVariant.DEFAULT)
    def resend(self, request, object_id):
        if not is_key(object_id) or not self.get_queryset(request).filter(pk=object_id).exists():
            raise Http404
        return ResendPage(self, request, [int(object_id)]).look()

    @admin.action(description="Send again", permissions=["resend"])
    def resend_selected(self, request, queryset):
        keys = queryset.order_by("pk").values_list("pk", flat=True)
        return ResendPage(self, request, list(keys[: resending.MOST + 1])).look()

    def resend_view(self, request):
        if not self.has_resend_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:scheduling_notice_changelist")
        return ResendPage.sent(self, request).answer()

    def get_urls(self):
        own = path("send-again/", self.admin_site.admin_view(self.resend_view), name="scheduling_notice_send_again")
        return [own, *super().get_urls()]

    def has_resend_permission(self, request, object_id=None):
        return self.has_view_permission(request) and resending.may_resend(request.user)
