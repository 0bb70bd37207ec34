"""The filter on when something is, from one day to another: by the reader's own clock, as the reader writes dates."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.contrib import admin, messages
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.contrib.filters.forms import RangeDateForm


class PeriodForm(RangeDateForm):
    """Two days with unfold's calendar, either may be left out. ``name``: what both parameters begin with."""

    def __init__(self, name: str, *args, **kwargs):
        super().__init__(name, *args, **kwargs)
        for end, label in (("from", gettext_lazy("From")), ("to", gettext_lazy("To, that day included"))):
            self.fields[f"{name}_{end}"].widget.attrs |= {"aria-label": label, "placeholder": label, "autocomplete": "off"}

    def clean(self):
        cleaned = super().clean()
        first, last = (cleaned.get(f"{self.name}_{end}") for end in ("from", "to"))
        if first and last and last < first:
            self.add_error(f"{self.name}_to", gettext("This period ends before it begins."))
        return cleaned


class PeriodFilter(admin.FieldListFilter):
    """For a column of moments: ``("start_time", PeriodFilter)``. Days in the address, ``start_time_from`` and ``start_time_to``,
    are days of the reader's zone, in the formats of the reader's language or as 2026-11-24; the last one counts in full.

    What is no date is said, and nothing is shown for it: a list that ignored it would be taken for filtered.
    """

    title = gettext_lazy("period")
    template = "unfold/filters/filters_date_range.html"
    form_class = PeriodForm

    def __init__(self, field, request, params, model, model_admin, field_path):
        typed = {name: params.pop(name)[-1].strip() for name in _names(field_path) if name in params}
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = PeriodFilter.title
        self.used_parameters |= {name: value for name, value in typed.items() if value}

    def expected_parameters(self):
        return _names(self.field_path)

    def queryset(self, request, queryset):
        if not self.used_parameters:
            return queryset
        form = self._form()
        if not form.is_valid():
            example = date(2026, 11, 24).strftime(next(iter(form.fields[self.expected_parameters()[0]].input_formats)))
            said = [error for errors in form.errors.values() for error in errors]
            messages.error(
                request,
                gettext("The period cannot be read: %(said)s Write days like %(example)s.")
                % {"said": " ".join(said), "example": example},
            )
            return queryset.none()
        first, last = (form.cleaned_data[name] for name in self.expected_parameters())
        bounds = {}
        if first:
            bounds[f"{self.field_path}__gte"] = midnight(first)
        if last:
            bounds[f"{self.field_path}__lt"] = midnight(last + timedelta(days=1))
        return queryset.filter(**bounds)

    def choices(self, changelist):
        # As it was typed, also where it is wrong: with its error beside it.
        yield {"form": self._form()}

    def _form(self) -> forms.Form:
        return self.form_class(name=self.field_path, data=self.used_parameters)


def midnight(day: date) -> datetime:
    """The moment at which this day begins for the reader."""
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())


def _names(path: str) -> list[str]:
    return [f"{path}_from", f"{path}_to"]
