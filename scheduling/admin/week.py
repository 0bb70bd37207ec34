"""The week: mentors in rows and days in columns, or the week of one person by the hour."""

from collections.abc import Sequence
from datetime import date, timedelta
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget

from people.models import Mentee, Mentor, Skill, Team
from scheduling import week
from scheduling.admin.booking_forms import person_field
from scheduling.admin.week_entries import FREE, OFF, WINDOW, Entry, Shown, entries_of, shown
from scheduling.words import COMPLETED, CONFIRMED, NO_SHOW, PENDING

PER_PAGE = 25
# By the hour, these are shown whatever lies in them: the first and the last.
USUAL_HOURS = (8, 17)
# A calendar program asks for no day further away than this, and a date can be counted on from it.
FIRST, LAST = date(2000, 1, 1), date(2999, 12, 1)


class WeekForm(forms.Form):
    """Which week, and whose. All of it stands in the address, which names people by their keys."""

    day = forms.DateField(
        label=gettext_lazy("Week with the day"), required=False, widget=UnfoldAdminDateWidget, input_formats=["%Y-%m-%d"]
    )
    skill = forms.ModelChoiceField(
        Skill.objects,
        label=gettext_lazy("Skill"),
        required=False,
        empty_label=gettext_lazy("All"),
        widget=UnfoldAdminSelectWidget,
    )
    team = forms.ModelChoiceField(
        Team.objects,
        label=gettext_lazy("With mentees of team"),
        required=False,
        empty_label=gettext_lazy("All"),
        widget=UnfoldAdminSelectWidget,
    )
    mentor = person_field("mentor", label=gettext_lazy("One mentor"), required=False)
    mentee = person_field("mentee", label=gettext_lazy("One mentee"), required=False)
    p = forms.IntegerField(required=False, widget=forms.HiddenInput)

    @property
    def wanted(self) -> dict:
        """What was asked for; what makes no sense is left out, and told beside its field."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) for name in self.fields}


class WeekPage:
    def __init__(self, model_admin, request):
        self.model_admin, self.request = model_admin, request
        self.form = WeekForm(request.GET)
        self.wanted = self.form.wanted
        self.zone = timezone.get_current_timezone()
        day = min(max(self.wanted["day"] or timezone.localdate(), FIRST), LAST)
        self.days = week.days_of(day, self.zone, get_format("FIRST_DAY_OF_WEEK"))
        self.over = week.all_of(self.days)

    def answer(self) -> HttpResponse:
        person = self.wanted["mentor"] or self.wanted["mentee"]
        more = self._of_one(person) if person else self._of_mentors()
        admin, request = self.model_admin, self.request
        today = timezone.localdate()
        context = {
            **admin.admin_site.each_context(request),
            "title": _("Week"),
            "opts": admin.opts,
            "media": admin.media + self.form.media,
            "form": self.form,
            "person": person,
            "days": [(one.date, one.date == today) for one in self.days],
            "first": self.days[0].date,
            "last": self.days[-1].date,
            "zone": timezone.get_current_timezone_name(),
            "before": self._page(day=self.days[0].date - timedelta(days=7)),
            "after": self._page(day=self.days[0].date + timedelta(days=7)),
            "today": self._page(day=None),
            "everybody": self._page(mentor=None, mentee=None),
            "statuses": [PENDING, CONFIRMED, COMPLETED, NO_SHOW],
            **more,
        }
        request.current_app = admin.admin_site.name
        return TemplateResponse(request, "admin/scheduling/session/week.html", context)

    # ---- mentors in rows, days in columns -------------------------------------------------------------------------

    def _of_mentors(self) -> dict:
        page = Paginator(self._mentors(), PER_PAGE).get_page(self.wanted["p"])
        mentors = list(page.object_list)
        entries = entries_of(mentors, self.over, self.request.user)
        cells = [day.period for day in self.days]
        rows = [
            (mentor, self._page(mentor=mentor.pk, p=None), _cells(entries[mentor.pk], cells, continued=True))
            for mentor in mentors
        ]
        pages = {
            "previous": self._page(p=page.previous_page_number()) if page.has_previous() else "",
            "next": self._page(p=page.next_page_number()) if page.has_next() else "",
        }
        narrowed = bool(self.wanted["skill"] or self.wanted["team"])
        return {"rows": rows, "hours": None, "page": page, "pages": pages, "narrowed": narrowed}

    def _mentors(self):
        mentors = Mentor.objects.visible_to(self.request.user).active().with_people()
        mentors = mentors.order_by("user__first_name", "user__last_name", "pk")
        if self.wanted["skill"]:
            mentors = mentors.filter(skills=self.wanted["skill"])
        if self.wanted["team"]:
            with_team = {
                "sessions__mentee__team": self.wanted["team"],
                "sessions__status__in": [PENDING, CONFIRMED, COMPLETED, NO_SHOW],
            }
            during = {"sessions__start_time__lt": self.over.end, "sessions__end_time__gt": self.over.start}
            mentors = mentors.filter(**with_team, **during).distinct()
        return mentors

    # ---- one person, by the hour ----------------------------------------------------------------------------------

    def _of_one(self, person: Mentor | Mentee) -> dict:
        mentors = [person] if isinstance(person, Mentor) else []
        others = () if mentors else (person.pk,)
        found = entries_of(mentors, self.over, self.request.user, sessions_of=others, each_slot=True)[person.pk]
        hours = week.hours_of(self.days, self.zone)
        timed = [entry for entry in found if entry.kind != OFF]
        rows = [
            (row, _cells(found, row.cells, continued=False), [_ground(found, cell) for cell in row.cells])
            for row in week.within(hours, timed, at_least=USUAL_HOURS)
        ]
        rows = [(row, list(zip(cells, grounds, strict=True))) for row, cells, grounds in rows]
        return {"hours": rows, "rows": None, "page": None, "pages": {}}

    def _page(self, **other) -> str:
        """The same page with something else in its address."""
        asked = {name: self.request.GET.get(name) for name in self.form.fields} | {"p": None} | other
        if "p" not in other and "day" in other:
            asked["p"] = self.request.GET.get("p")
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{reverse('admin:scheduling_session_week')}{f'?{query}' if query else ''}"


def _cells(entries: Sequence[Entry], cells, *, continued: bool) -> list[list[Shown]]:
    """What is told in each cell. By the hour (not ``continued``) offered and free time is told where it begins only."""
    told = []
    for cell, there in zip(cells, week.on_each(entries, cells), strict=True):
        if not continued:
            there = [one for one in there if one.kind not in (WINDOW, FREE, OFF) or one.period.start >= cell.start]
            told.append([_by_the_hour(one, cell) for one in there])
        else:
            told.append([shown(one, cell) for one in there])
    return told


def _by_the_hour(entry: Entry, cell) -> Shown:
    """With its own times, though it may last longer than the hour."""
    return Shown(entry, shown(entry, entry.period).times, entry.period.start < cell.start)


def _ground(entries: Sequence[Entry], cell) -> str:
    """The colour under a cell: off before offered."""
    if cell is None:
        return "none"
    kinds = {entry.kind for entry in entries if entry.kind in (OFF, WINDOW) and entry.period.overlaps(cell)}
    return OFF if OFF in kinds else WINDOW if WINDOW in kinds else ""


def week_page(*, day: date | None = None, **whose) -> str:
    """The address of a week: of everybody, or ``mentor=`` or ``mentee=`` a key."""
    query = urlencode({name: value for name, value in (whose | {"day": day}).items() if value})
    return f"{reverse('admin:scheduling_session_week')}{f'?{query}' if query else ''}"
