"""Windows, and the filter on time that they share with sessions."""

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from people.sheet_admin import SheetAdmin
from scheduling.models import Availability
from scheduling.resources import AvailabilityResource
from scheduling.slots import Period


class WhenFilter(admin.SimpleListFilter):
    """Where a period lies from now, by the reader's own clock."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request, model_admin):
        return (("ahead", "Ahead"), ("today", "Today"), ("week", "The next 7 days"), ("past", "Past"))

    def queryset(self, request, queryset):
        now = timezone.now()
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        match self.value():
            case "ahead":
                return queryset.ahead(now)
            case "today":
                return queryset.overlapping(Period(midnight, midnight + timedelta(days=1)))
            case "week":
                return queryset.overlapping(Period(now, now + timedelta(days=7)))
            case "past":
                return queryset.over(now)
        return queryset


@admin.register(Availability)
class AvailabilityAdmin(SheetAdmin):
    resource_classes = [AvailabilityResource]
    list_display = ("mentor_name", "start_time", "end_time", "booked")
    list_filter = (WhenFilter, ("mentor", AutocompleteSelectFilter))
    list_filter_submit = True
    list_per_page = 50
    search_fields = ("mentor__user__first_name", "mentor__user__last_name", "mentor__user__email")
    autocomplete_fields = ("mentor",)
    fields = ("mentor", "start_time", "end_time")
    ordering = ("-start_time", "-pk")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("mentor__user").with_sessions_count()

    @display(description="Mentor", ordering="mentor__user__first_name")
    def mentor_name(self, window):
        return str(window.mentor)

    @display(description="Sessions booked", ordering="session_count")
    def booked(self, window):
        return window.session_count
