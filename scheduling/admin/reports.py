"""The page of reports: a period, line by line, each number the way to its rows; and the same as a file."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

import tablib
from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from people.models import Mentor, Team
from people.sheets.formats import CSV, XLSX
from scheduling import reports
from scheduling.admin.counted import days, from_to
from scheduling.models import Session
from scheduling.reports import Line, lasting, percent

LINES_A_PAGE = 100
FILES = {"csv": CSV, "xlsx": XLSX}
BY = {"": gettext_lazy("the whole program"), "team": gettext_lazy("team"), "mentor": gettext_lazy("mentor")}
LONGEST = timedelta(days=3 * 366)


def presets(today: date) -> dict[str, tuple[str, date, date]]:
    """Name -> title, first and last day. A period that is under way ends with its own last day."""
    month = today.replace(day=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)

    def last(first: date, months: int) -> date:
        years, at = divmod(first.month - 1 + months, 12)
        return first.replace(year=first.year + years, month=at + 1) - timedelta(days=1)

    before = (month - timedelta(days=1)).replace(day=1)
    return {
        "month": (_("This month"), month, last(month, 1)),
        "last_month": (_("Last month"), before, last(before, 1)),
        "quarter": (_("This quarter"), quarter, last(quarter, 3)),
        "year": (_("This year"), month.replace(month=1), last(month.replace(month=1), 12)),
    }


class ReportForm(forms.Form):
    """From one day to another, that day included, by the reader's clocks."""

    first = forms.DateField(
        label=gettext_lazy("From"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), localize=False
    )
    last = forms.DateField(
        label=gettext_lazy("To, that day included"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), localize=False
    )
    by = forms.ChoiceField(
        label=gettext_lazy("A line for each"), required=False, choices=list(BY.items()), widget=UnfoldAdminSelectWidget
    )

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", ValidationError(_("This period ends before it begins."), code="order"))
        elif first and last and last - first > LONGEST:
            self.add_error("last", ValidationError(_("Choose three years at most."), code="too_long"))
        return cleaned


@dataclass(frozen=True)
class Column:
    """One number: how it is headed and defined, what the file says, what the page says, and which rows it opens."""

    title: str
    meaning: str
    value: object
    said: object
    opens: str


def columns() -> list[Column]:
    def whole(value):
        return lambda line: number_format(value(line), force_grouping=True)

    def rate(value):
        return lambda line: percent(value(line))

    def share(value):
        return lambda line: None if value(line) is None else round(value(line), 4)

    return [
        Column(
            _("Sessions held"),
            _("Sessions that begin in the period and are Completed, or Confirmed and over."),
            lambda line: line.held,
            whole(lambda line: line.held),
            "held",
        ),
        Column(
            _("Hours"),
            _("The length of those sessions, as booked."),
            lambda line: line.hours,
            whole(lambda line: line.hours),
            "held",
        ),
        Column(
            _("People reached"),
            _("Different mentees in those sessions."),
            lambda line: line.reached,
            whole(lambda line: line.reached),
            "reached",
        ),
        Column(
            _("Came again"),
            _("Those of them with two sessions held or more in the period (in a mentor’s line: with this mentor)."),
            lambda line: line.again,
            whole(lambda line: line.again),
            "again",
        ),
        Column(
            _("Repeat rate"),
            _("Came again, of people reached."),
            share(lambda line: line.repeat_rate),
            rate(lambda line: line.repeat_rate),
            "again",
        ),
        Column(
            _("No-shows"),
            _("Sessions that begin in the period to which somebody did not come."),
            lambda line: line.no_shows,
            whole(lambda line: line.no_shows),
            "no_shows",
        ),
        Column(
            _("No-show rate"),
            _("No-shows, of no-shows and sessions held."),
            share(lambda line: line.no_show_rate),
            rate(lambda line: line.no_show_rate),
            "no_shows",
        ),
        Column(
            _("Answers"),
            _("Requests first confirmed or declined in the period, whenever the session is."),
            lambda line: line.answers,
            whole(lambda line: line.answers),
            "answers",
        ),
        Column(
            _("Median time to an answer"),
            _("Half of those answers came no later after the request. In the file: hours."),
            lambda line: None if line.answer_seconds is None else round(line.answer_seconds / 3600, 2),
            lambda line: lasting(line.answer_seconds),
            "answers",
        ),
    ]


class ReportsAdmin:
    """Gives the sessions their reports. Stands before the other bases."""

    def get_urls(self):
        own = path("reports/", self.admin_site.admin_view(self.reports_view), name="scheduling_session_reports")
        return [own, *super().get_urls()]

    def reports_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        known = presets(timezone.localdate())
        chosen = request.GET.get("period", "" if "first" in request.GET or "last" in request.GET else "month")
        asked = {"by": request.GET.get("by", "")}
        for name, at in (("first", 1), ("last", 2)):
            asked[name] = known[chosen][at].isoformat() if chosen in known else request.GET.get(name, "")
        form = ReportForm(asked)
        report = Report(request.user, form.cleaned_data) if form.is_valid() else None
        if report and (kind := FILES.get(request.GET.get("format"))):
            return report.file(kind())
        by = asked["by"] if asked["by"] in BY else ""
        context = self.admin_site.each_context(request) | {
            "title": _("Reports"),
            "form": form,
            "presets": [
                (title, urlencode({"period": name, "by": by}), name == chosen) for name, (title, *_days) in known.items()
            ],
            "report": report,
            "columns": columns(),
            "page": report and report.page(request.GET.get("page", 1)),
            "asked": urlencode(asked),
            "zone": timezone.get_current_timezone_name(),
        }
        return TemplateResponse(request, "admin/scheduling/session/reports.html", context)


class Report:
    """The lines of one period."""

    def __init__(self, user, asked: dict):
        self.first, self.last, self.by = asked["first"], asked["last"], asked["by"]
        self.people = user.has_perm("people.view_mentee")
        period, now = days(self.first, self.last), timezone.now()
        sessions = Session.objects.visible_to(user)
        everything = reports.lines(sessions, period, now)
        self.total = everything[0] if everything else Line(None)
        self.total.title = _("All")
        self.lines = self._named(reports.lines(sessions, period, now, self.by)) if self.by else []

    def _named(self, lines: list[Line]) -> list[Line]:
        """In the order of their lists: teams by number, mentors by name; who is of no team comes last."""
        named = Mentor.objects.with_people().order_by("user__first_name", "user__last_name", "pk")
        names = {row.pk: str(row) for row in (named if self.by == "mentor" else Team.objects.all())}
        place = {key: at for at, key in enumerate(names)}
        for line in lines:
            line.title = names.get(line.key, _("no team"))
        return sorted(lines, key=lambda line: place.get(line.key, len(place)))

    @property
    def title(self) -> str:
        return from_to(self.first, self.last)

    def page(self, number):
        """A page of lines, each with its cells: what it says and where it leads."""
        found = Paginator(self.lines, LINES_A_PAGE).get_page(number)
        told = columns()
        rows = [self.total, *found.object_list]
        return {
            "lines": [
                {
                    "title": line.title,
                    "total": line is self.total,
                    "cells": [(column.title, column.said(line), self.link(column, line)) for column in told],
                }
                for line in rows
            ],
            "found": found,
        }

    def link(self, column: Column, line: Line) -> str:
        """To the rows that were counted, or nothing where there are none or the reader may not see them."""
        if not column.value(line):
            return ""
        days = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        of_whom: dict[str, object] = {}
        if column.opens in reports.COUNTED:
            if line is not self.total:
                named = {"team": "team", "mentor": "mentor__user__exact"}[self.by]
                of_whom = {"no_team": 1} if line.key is None else {named: line.key}
            query = {"counted": column.opens} | {f"counted_{end}": day for end, day in days.items()}
            return f"{reverse('admin:scheduling_session_changelist')}?{urlencode(query | of_whom)}"
        if not self.people:
            return ""
        if line is not self.total:
            named = {"team": "team__id__exact", "mentor": "met_mentor"}[self.by]
            of_whom = {"no_team": 1} if line.key is None else {named: line.key}
        query = {f"met_{end}": day for end, day in days.items()} | {"met_times": 2 if column.opens == "again" else 1}
        return f"{reverse('admin:people_mentee_changelist')}?{urlencode(query | of_whom)}"

    def file(self, kind) -> HttpResponse:
        """The same numbers, and below them what each means."""
        told = columns()
        heads = ["", *(column.title for column in told)]
        sheet = tablib.Dataset(headers=heads)
        for line in [*self.lines, self.total]:
            sheet.append([line.title, *(column.value(line) for column in told)])
        empty = [""] * len(told)
        sheet.append(["", *empty])
        sheet.append([f"{self.title} ({timezone.get_current_timezone_name()})", *empty])
        for column in told:
            sheet.append([f"{column.title}: {column.meaning}", *empty])
        name = f"report-{self.first.isoformat()}-{self.last.isoformat()}.{kind.get_extension()}"
        return HttpResponse(
            kind.export_data(sheet),
            content_type=kind.get_content_type(),
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
