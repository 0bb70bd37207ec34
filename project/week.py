"""The week in numbers, beside a usual one: the second part of the first page. What each number means is in `scheduling.reports`."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from scheduling import reports
from scheduling.models import Availability, Session
from scheduling.needs import Scope
from scheduling.reports import lasting, percent
from scheduling.slots import Period
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING

# Status -> the colour of its bars. Light ones and dark ones are told apart without colour, too.
COLOURS = {
    PENDING: "#f59e0b",
    CONFIRMED: "#0e7490",
    COMPLETED: "#155e75",
    NO_SHOW: "#b91c1c",
    CANCELED: "#9ca3af",
}


def week(scope: Scope, now: datetime) -> dict:
    zone = timezone.get_current_timezone()
    found = reports.week(scope.sessions(Session.objects), scope.windows(Availability.objects), now, zone)
    today = timezone.localdate(now)
    by_day = [Line(date_format(day.start, "D j"), day, figures, day.start.date() == today) for day, figures in found.days]
    by_week = [Line(date_format(one.start, "j M"), one, figures, now=False) for one, figures in found.before]
    this_week = Period(found.days[0][0].start, found.days[-1][0].end)
    by_week.append(Line(_("this week"), this_week, found.this, now=True))
    return {
        "breakdowns": [
            breakdown(_("Sessions of this week, by day and status"), _("Day"), by_day, scope),
            breakdown(_("Sessions of five weeks, by status"), _("Week from"), by_week, scope),
        ],
        "options": BAR_OPTIONS,
        "figures": figures(found.this, found.usual),
    }


@dataclass
class Line:
    """One day, or one week; ``now``: the one that it is."""

    label: str
    period: Period
    figures: reports.Figures
    now: bool

    def cell(self, scope: Scope, status: str = "") -> tuple[int, str]:
        """How many sessions, and the list of them."""
        first, last = self.period.start.date(), (self.period.end - timedelta(days=1)).date()
        asked = {"start_time_from": first, "start_time_to": last, "status__exact": status, **asdict(scope)}
        query = urlencode({name: value for name, value in asked.items() if value})
        number = self.figures.statuses.get(status, 0) if status else self.figures.sessions
        return number, f"{reverse('admin:scheduling_session_changelist')}?{query}"


def breakdown(title: str, of_what: str, lines: list[Line], scope: Scope) -> dict:
    """One table, each number of which opens its list, and the same as bars."""
    bars = {
        "labels": [line.label for line in lines],
        "datasets": [
            {
                "label": str(status.label),
                "data": [line.figures.statuses.get(status, 0) for line in lines],
                "backgroundColor": colour,
            }
            for status, colour in COLOURS.items()
        ],
    }
    table = [
        {"label": line.label, "now": line.now, "cells": [line.cell(scope, status) for status in (*COLOURS, "")]}
        for line in lines
    ]
    return {
        "title": title,
        "of_what": of_what,
        "bars": json.dumps(bars),
        "statuses": [status.label for status in COLOURS],
        "rows": table,
    }


BAR_OPTIONS = json.dumps(
    {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "maxBarThickness": 36,
        "scales": {
            "x": {"stacked": True, "grid": {"display": False}},
            "y": {"stacked": True, "ticks": {"precision": 0}, "grid": {}},
        },
        "plugins": {"legend": {"position": "bottom", "labels": {"boxWidth": 12, "boxHeight": 12}}},
    }
)


def figures(this: reports.Figures, usual: reports.Figures) -> list[dict]:
    """Each number beside that of a usual week, with what it means."""
    quarter = usual.held / 4
    return [
        {
            "title": _("Sessions held"),
            "this": number_format(this.held, force_grouping=True),
            "usual": number_format(round(quarter) if quarter >= 10 else round(quarter, 1), force_grouping=True),
            "meaning": _("Completed, or confirmed and over."),
        },
        {
            "title": _("Use of offered hours"),
            "this": percent(this.use),
            "usual": percent(usual.use),
            "meaning": _("Hours of sessions that are not canceled, of the hours in mentors’ windows."),
        },
        {
            "title": _("Confirm rate"),
            "this": percent(this.confirm_rate),
            "usual": percent(usual.confirm_rate),
            "meaning": _("Of the requests decided in the week, those that were neither declined nor ran out."),
        },
        {
            "title": _("No-show rate"),
            "this": percent(this.no_show_rate),
            "usual": percent(usual.no_show_rate),
            "meaning": _("No-shows, of no-shows and sessions held."),
        },
        {
            "title": _("Median time to an answer"),
            "this": lasting(this.answer_seconds),
            "usual": lasting(usual.answer_seconds),
            "meaning": _("Half of the requests that were answered in the week waited no longer."),
        },
    ]
