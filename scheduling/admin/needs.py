"""The lists behind the first page's numbers: `?needs=answer`, and the part of the program they are about."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from people.models import Mentee, Skill, Team
from scheduling.admin.finding import of_people
from scheduling.models import Session
from scheduling.needs import NEEDS, Scope

WORDS = {
    "answer": _("Requests that run out within a day"),
    "report": _("Over, and not reported"),
    "sending": _("Late or failed"),
    "decision": _("Outside hours, or with somebody deactivated"),
    "window": _("No time to give in the next two weeks"),
    "session": _("No session this month"),
}


class NeedsFilter(DropdownFilter):
    title = _("what needs you")
    parameter_name = "needs"

    def lookups(self, request, model_admin):
        return [(name, WORDS[name]) for name, need in NEEDS.items() if need.model is model_admin.model]

    def queryset(self, request, queryset):
        need = NEEDS.get(self.value())
        return need.find(queryset, timezone.now()) if need and need.model is queryset.model else queryset


class ScopeFilter(DropdownFilter):
    """One team's, or one skill's part: by the same rule as on the first page."""

    rows: type[Team] | type[Skill]

    def lookups(self, request, model_admin):
        return [(str(row.pk), str(row)) for row in self.rows.objects.all()]

    def queryset(self, request, queryset):
        key = self.value()
        if not key or not key.isdecimal():
            return queryset
        scope = Scope(**{self.parameter_name: int(key)})
        # Of a million sessions the page is to be found quickly, too.
        return of_people(queryset, **scope.sides())[0] if queryset.model is Session else scope.part(queryset)


class TeamFilter(ScopeFilter):
    """Found by typing: a program has hundreds of teams, and a list of them all would be most of the page."""

    title, parameter_name, rows = _("team"), "team", Team
    form_class = AutocompleteDropdownForm

    def __init__(self, request, params, model, model_admin):
        self.request = request
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        return [("", _("All"))]

    def choices(self, changelist):
        yield {
            "form": self.form_class(
                request=self.request,
                name=self.parameter_name,
                label=_("By team"),
                choices=(),
                field=Mentee._meta.get_field("team"),
                model_admin=changelist.model_admin,
                data={self.parameter_name: self.value()},
            )
        }


class SkillFilter(ScopeFilter):
    title, parameter_name, rows = _("skill"), "skill", Skill


class NeedsAdmin:
    """A list that numbers open, of the first page and of reports. Stands before the other bases."""

    opened_by: tuple = ()

    list_before_template = "admin/needs.html"

    def changelist_view(self, request, extra_context=None):
        asked = self.needed(request)
        part = {name: request.GET[name] for name in ("team", "skill") if request.GET.get(name)}
        more = {"needed": WORDS[asked] if asked else "", "today": f"{reverse('admin:index')}?{urlencode(part)}".rstrip("?")}
        return super().changelist_view(request, more | (extra_context or {}))

    def needed(self, request) -> str:
        """The number of the first page that was opened, if any."""
        need = NEEDS.get(request.GET.get("needs", ""))
        return need.name if need and need.model is self.model else ""

    def get_list_filter(self, request):
        return (*super().get_list_filter(request), NeedsFilter, *self.opened_by)

    def get_ordering(self, request):
        """What runs out first is answered first."""
        return ("answer_by", "pk") if request.GET.get("needs") == "answer" else super().get_ordering(request)
