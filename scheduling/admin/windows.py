"""Windows, and the filter on time that they share with whatever else lasts."""

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from people.sheet_admin import SheetAdmin
from scheduling import offering
from scheduling.admin.offering import OfferingAdmin, PeriodForm
from scheduling.exports import WINDOWS
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


class SoonestFirst:
    """The list of what lies ahead begins with the soonest; all others with the latest."""

    def get_ordering(self, request):
        ahead = request.GET.get(WhenFilter.parameter_name) in ("ahead", "today", "week")
        return ("start_time", "pk") if ahead else ("-start_time", "-pk")


class WindowForm(PeriodForm):
    save_row = staticmethod(offering.save_window)

    class Meta:
        model = Availability
        fields = ("mentor", "start_time", "end_time")


@admin.register(Availability)
class AvailabilityAdmin(SoonestFirst, OfferingAdmin, SheetAdmin):
    resource_classes = [AvailabilityResource]
    sheet = WINDOWS
    form = WindowForm
    remove_row = staticmethod(offering.remove_window)
    list_display = ("mentor_name", "start_time", "end_time", "origin", "booked")
    list_filter = (WhenFilter, ("mentor", AutocompleteSelectFilter))
    fields = ("mentor", "start_time", "which_start_time", "end_time", "which_end_time")

    def get_queryset(self, request):
        return super().get_queryset(request).with_sessions_count()

    @display(description="Comes from", label={"weekly hours": "info", "edited": "warning"})
    def origin(self, window):
        """What wrote it: the weekly hours, a person instead of them, or a person besides them."""
        if window.from_weekly_hours:
            return "weekly hours"
        return "edited" if window.instead_of else "extra"

    @display(description="Sessions booked", ordering="session_count")
    def booked(self, window):
        return window.session_count
