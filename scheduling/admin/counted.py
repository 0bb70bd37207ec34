"""The rows behind a report's number: filters that its links set, and that the list keeps until somebody clears them."""

from datetime import date, datetime, time, timedelta

from django.contrib import admin
from django.db.models import Count
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from scheduling.admin.booking_forms import is_key
from scheduling.models import Session
from scheduling.reports import COUNTED
from scheduling.slots import Period

WORDS = {"held": _("Sessions held"), "no_shows": _("No-shows"), "answers": _("Requests answered")}


def days(first: date, last: date) -> Period:
    """From the beginning of one day to the end of another, by the reader's clocks. Raises ValueError where they are not in order."""
    zone = timezone.get_current_timezone()
    return Period(datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone))


def from_to(first: date, last: date) -> str:
    return " – ".join(date_format(day, "SHORT_DATE_FORMAT") for day in (first, last))


class HiddenFilter(admin.ListFilter):
    """What a link says is told above the filters, and sent along with them."""

    template = "admin/scheduling/counted_filter.html"
    names: tuple[str, ...]

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self):
        return list(self.names)

    def has_output(self):
        return bool(self.used_parameters)

    def period(self) -> Period | None:
        """None where the address holds no two days."""
        try:
            first, last = (parse_date(self.used_parameters[name]) for name in self.names[:2])
            return days(first, last) if first and last else None
        except (KeyError, ValueError, OverflowError):
            return None

    def choices(self, changelist):
        yield {"said": self.said(), "hidden": list(self.used_parameters.items())}

    def between(self) -> str:
        first, last = (parse_date(self.used_parameters[name]) for name in self.names[:2])
        return from_to(first, last)

    def said(self) -> str:
        return f"{self.what()}, {self.between()}" if self.period() else _("Nothing: the address is not complete.")


class CountedFilter(HiddenFilter):
    title = _("counted in a report")
    names = ("counted_from", "counted_to", "counted", "no_team")

    def queryset(self, request, queryset):
        if not self.used_parameters:
            return queryset
        period, how = self.period(), COUNTED.get(self.used_parameters.get("counted"))
        if not (period and how):
            return queryset.none()
        if "no_team" in self.used_parameters:
            queryset = queryset.filter(mentee__team__isnull=True)
        return how(queryset, period, timezone.now())

    def what(self) -> str:
        return WORDS.get(self.used_parameters.get("counted"), "")


class MetFilter(HiddenFilter):
    """Mentees by the sessions they had."""

    title = _("counted in a report")
    names = ("met_from", "met_to", "met_times", "met_mentor", "no_team")

    def queryset(self, request, queryset):
        if not self.used_parameters:
            return queryset
        period, times, mentor = self.period(), self.times(), self.used_parameters.get("met_mentor")
        if not (period and times and (mentor is None or is_key(mentor))):
            return queryset.none()
        held = COUNTED["held"](Session.objects.all(), period, timezone.now())
        if mentor:
            held = held.filter(mentor=mentor)
        if "no_team" in self.used_parameters:
            queryset = queryset.filter(team__isnull=True)
        return queryset.filter(
            pk__in=held.values("mentee").annotate(times=Count("pk")).filter(times__gte=times).values("mentee")
        )

    def times(self) -> int:
        times = self.used_parameters.get("met_times", "1")
        return int(times) if is_key(times) else 0

    def what(self) -> str:
        return _("With two sessions held or more") if self.times() > 1 else _("With a session held")
