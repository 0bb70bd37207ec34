"""The rules that write windows: weekly hours, and the time off that closes them."""

from django import forms
from django.contrib import admin
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleTimeWidget

from people import time_zones
from people.export_admin import ExportAdmin
from people.stale import FreshAdmin
from scheduling import offering
from scheduling.admin.offering import OfferingAdmin, OfferingForm, PeriodForm
from scheduling.admin.windows import SoonestFirst, WhenFilter
from scheduling.exports import TIME_OFF, WEEKLY_HOURS
from scheduling.models import Program, TimeOff, WeeklyHours


class HoursForm(OfferingForm):
    time_zone = forms.ChoiceField(
        choices=lambda: [("", "The mentor’s time zone"), *time_zones.choices()],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="The hours stay on the clocks of this zone, wherever the mentor moves.",
    )

    class Meta:
        widgets = dict.fromkeys(("begins", "ends"), UnfoldAdminSingleTimeWidget(format="%H:%M"))

    save_row = staticmethod(offering.save_hours)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if lost := time_zones.lost(self.instance.time_zone):
            # No choice has that name: the first is shown as chosen.
            self.fields["time_zone"].help_text = f"“{lost}”, chosen before, is not known any more. Choose again."

    def clean(self):
        cleaned = super().clean()
        mentor = cleaned.get("mentor") or (self.instance.mentor if self.instance.pk else None)
        if mentor and not cleaned.get("time_zone") and "time_zone" not in self.errors:
            cleaned["time_zone"] = Program.current().zone_of(mentor.user).key
        return cleaned


class ValidFilter(admin.SimpleListFilter):
    title = "valid"
    parameter_name = "valid"

    def lookups(self, request, model_admin):
        return (("now", "Now or later"), ("over", "No longer"))

    def queryset(self, request, queryset):
        match self.value():
            case "now":
                return queryset.exclude(valid_until_on__lt=timezone.localdate())
            case "over":
                return queryset.filter(valid_until_on__lt=timezone.localdate())
        return queryset


@admin.register(WeeklyHours)
class WeeklyHoursAdmin(OfferingAdmin, ExportAdmin, FreshAdmin, ModelAdmin):
    form = HoursForm
    sheet = WEEKLY_HOURS
    remove_row = staticmethod(offering.remove_hours)
    list_display = ("mentor_name", "day", "hours", "time_zone", "every_weeks", "validity")
    list_filter = (("weekday", ChoicesDropdownFilter), ValidFilter, ("mentor", AutocompleteSelectFilter))
    fields = ("mentor", "weekday", ("begins", "ends"), "time_zone", ("valid_from_on", "valid_until_on"), "every_weeks")

    def get_changeform_initial_data(self, request):
        return {"valid_from_on": timezone.localdate()} | super().get_changeform_initial_data(request)

    def describe(self, row):
        return f"{row.mentor}, {row} ({row.time_zone})"

    @display(description="Day", ordering="weekday")
    def day(self, row):
        return row.get_weekday_display()

    @display(description="Hours", ordering="begins")
    def hours(self, row):
        return f"{row.begins:%H:%M}–{row.ends:%H:%M}"

    @display(description="Valid", ordering="valid_from_on")
    def validity(self, row):
        since = f"from {row.valid_from_on:%d} {row.valid_from_on:%b %Y}"
        return f"{since} to {row.valid_until_on:%d} {row.valid_until_on:%b %Y}" if row.valid_until_on else since


class TimeOffForm(PeriodForm):
    save_row = staticmethod(offering.save_time_off)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["end_time"].help_text = "For whole days: 00:00 of the day after the last."


@admin.register(TimeOff)
class TimeOffAdmin(SoonestFirst, OfferingAdmin, ExportAdmin, FreshAdmin, ModelAdmin):
    form = TimeOffForm
    sheet = TIME_OFF
    remove_row = staticmethod(offering.remove_time_off)
    list_display = ("mentor_name", "start_time", "end_time", "note")
    list_filter = (WhenFilter, ("mentor", AutocompleteSelectFilter))
    fields = ("mentor", "start_time", "which_start_time", "end_time", "which_end_time", "note")
