"""The list of sessions: its tabs, filters, search, and the verbs on many of them."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from people.period_filter import PeriodFilter
from scheduling import booking
from scheduling.admin import finding, tabs
from scheduling.admin.booking_forms import is_key
from scheduling.admin.bulk import BulkPage
from scheduling.admin.counted import CountedFilter
from scheduling.admin.needs import NeedsAdmin, SkillFilter, TeamFilter
from scheduling.admin.saved_views import SavedViewsAdmin
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING

STATUS_COLOURS = {PENDING: "warning", CONFIRMED: "success", CANCELED: "danger", COMPLETED: "info", NO_SHOW: "danger"}


class SessionListAdmin(SavedViewsAdmin, NeedsAdmin):
    """Stands before the other bases."""

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
            known=getattr(request, "sessions_found", None),
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
