"""The tabs of the session desk: what each shows, in which order, and how many there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from people.period_filter import midnight
from scheduling.admin.finding import CAP, counted_each
from scheduling.models import Session
from scheduling.slots import Period
from scheduling.words import CANCELED

# A session is over within a day of its beginning: what began before is not looked through.
LONGEST = timedelta(days=1)
DAY = timedelta(days=1)
SOONEST, LATEST = ("start_time", "pk"), ("-start_time", "-pk")
# What no address of a list is about: which page, in which order, and what Django notes of a mistake.
NO_FILTER = {"p", "o", "e", "all", "_changelist_filters"}


@dataclass(frozen=True)
class Tab:
    title: str
    rows: Callable[[QuerySet, datetime], QuerySet]
    order: tuple[str, str] = SOONEST
    # What is off is shown to whoever asks for it by its status.
    hides_canceled: bool = False


def _today(rows: QuerySet, now: datetime) -> QuerySet:
    day = midnight(timezone.localdate(now))
    return _around(rows, Period(day, day + DAY))


def _this_week(rows: QuerySet, now: datetime) -> QuerySet:
    today = timezone.localdate(now)
    monday = midnight(today - timedelta(days=today.weekday()))
    return _around(rows, Period(monday, monday + 7 * DAY))


def _around(rows: QuerySet, period: Period) -> QuerySet:
    return rows.overlapping(period).filter(start_time__gt=period.start - LONGEST)


TABS: Mapping[str, Tab] = {
    "ahead": Tab(_("Ahead"), lambda rows, now: rows.ahead(now).filter(start_time__gt=now - LONGEST), hides_canceled=True),
    "today": Tab(_("Today"), _today, hides_canceled=True),
    "week": Tab(_("This week"), _this_week, hides_canceled=True),
    # The nearest to expiry first.
    "waiting": Tab(_("Waiting"), lambda rows, now: rows.waiting(now), ("answer_by", "pk")),
    # The start again: no index knows the end.
    "report": Tab(_("To report"), lambda rows, now: rows.unreported(now).filter(start_time__lt=now), LATEST),
    "past": Tab(_("Past"), lambda rows, now: rows.over(now).filter(start_time__lt=now), LATEST),
    "all": Tab(_("All"), lambda rows, now: rows, LATEST),
}
OPENS_ON = "ahead"


def chosen(query: Mapping[str, str]) -> str:
    """The tab of this address. One that says nothing opens on what is ahead; one that asks for something finds it anywhere."""
    if query.get("when") in TABS:
        return query["when"]
    return "all" if set(query) - NO_FILTER else OPENS_ON


def rows_of(name: str, rows: QuerySet, now: datetime, *, status_asked: bool = False) -> QuerySet:
    tab = TABS[name]
    found = tab.rows(rows, now)
    return found.exclude(status=CANCELED) if tab.hides_canceled and not status_asked else found


class TabFilter(admin.SimpleListFilter):
    """The tabs stand above the list; among the filters there is only the mark that keeps the one that is open."""

    title = "when"
    parameter_name = "when"
    template = "admin/scheduling/session/tab_filter.html"

    def __init__(self, request, params, model, model_admin):
        self.chosen = chosen(request.GET)
        super().__init__(request, params, model, model_admin)
        self.used_parameters = {self.parameter_name: self.chosen}

    def lookups(self, request, model_admin):
        return [(name, tab.title) for name, tab in TABS.items()]

    def queryset(self, request, queryset):
        return rows_of(self.chosen, queryset, timezone.now(), status_asked="status__exact" in request.GET)

    def choices(self, changelist):
        yield {"value": self.chosen, "selected": True, "display": TABS[self.chosen].title}


class SessionList(ChangeList):
    """A list that keeps its tab through search and filters, and counts no further than people read."""

    def __init__(self, request, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        self.tab, self.order = chosen(request.GET), self.model_admin.get_ordering(request)
        # For the form of the search.
        self.filter_params["when"] = [self.tab]
        # Of a filtered list they would say something else than the list.
        filtered = any(value for key, value in self.params.items() if key not in ("o", "all", "when"))
        counts = {} if filtered else numbers(Session.objects.visible_to(request.user), timezone.now())
        self.tabs = [
            {
                "title": tab.title,
                "link": self.get_query_string({"when": name}, remove=["p", "o"]),
                "active": name == self.tab,
                "count": counts.get(name),
            }
            for name, tab in TABS.items()
        ]

    def _get_default_ordering(self):
        """What the head of a column says of the order is the tab's, too."""
        return self.order

    def get_filters(self, request):
        specs, has_filters, rest, duplicates, _ = super().get_filters(request)
        active = any(spec.used_parameters for spec in specs if not isinstance(spec, TabFilter))
        return specs, has_filters, rest, duplicates, active

    def get_results(self, request):
        super().get_results(request)
        # Unfold offers "Show all" where these two differ, and means the address without anything.
        self.full_result_count = self.result_count


def numbers(sessions: QuerySet, now: datetime) -> dict[str, int]:
    """How many stand behind each tab that somebody acts on; nobody does on the number of the past."""
    names = [name for name in TABS if name not in ("past", "all")]
    return dict(zip(names, counted_each([rows_of(name, sessions, now) for name in names], CAP), strict=True))
