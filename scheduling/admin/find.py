"""Book for others: who is free then, knows what is asked for, and has least to do. It changes nothing, and leads to the form."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTimeWidget,
)

from people import time_zones
from people.forms import TimeZoneField
from people.models import Skill
from scheduling import booking, ranking
from scheduling.admin.booking_forms import booking_page, person_field
from scheduling.admin.suggestions import day_and_clock, why_found
from scheduling.admin.week import week_page
from scheduling.models import Program
from scheduling.slots import Period

ANY, MORNING, AFTERNOON, EVENING = "any", "morning", "afternoon", "evening"
PARTS = {ANY: (0, 24), MORNING: (6, 12), AFTERNOON: (12, 17), EVENING: (17, 22)}
DAYS, LONGEST_DAYS = 7, 62
MENTORS_SHOWN, SLOTS_SHOWN = 20, 6


class FindForm(forms.Form):
    """What is looked for. All of it stands in the address, which names people by their keys; every field may be left out."""

    mentee = person_field("mentee", label=gettext_lazy("For the mentee"), required=False)
    mentor = person_field("mentor", label=gettext_lazy("With the mentor"), required=False)
    skills = forms.ModelMultipleChoiceField(
        Skill.objects, label=gettext_lazy("Who knows"), required=False, widget=UnfoldAdminSelect2MultipleWidget
    )
    from_on = forms.DateField(label=gettext_lazy("From"), required=False, widget=UnfoldAdminDateWidget)
    until_on = forms.DateField(label=gettext_lazy("To"), required=False, widget=UnfoldAdminDateWidget)
    part = forms.ChoiceField(
        label=gettext_lazy("Part of the day"),
        required=False,
        choices=[
            (ANY, gettext_lazy("Any time")),
            (MORNING, gettext_lazy("Morning, 06:00–12:00")),
            (AFTERNOON, gettext_lazy("Afternoon, 12:00–17:00")),
            (EVENING, gettext_lazy("Evening, 17:00–22:00")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    from_at = forms.TimeField(label=gettext_lazy("Or from"), required=False, widget=UnfoldAdminTimeWidget)
    until_at = forms.TimeField(label=gettext_lazy("until"), required=False, widget=UnfoldAdminTimeWidget)
    zone = TimeZoneField(label=gettext_lazy("By the clocks of"), required=False, widget=UnfoldAdminSelectWidget)
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("Length"), coerce=int, empty_value=None, required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, data=None):
        super().__init__(data)
        lengths = Program.current().policy.lengths
        self.usual = 30 if 30 in lengths else lengths[0]
        self.fields["minutes"].choices = [(minutes, _("%(minutes)s minutes") % {"minutes": minutes}) for minutes in lengths]
        self.fields["zone"].choices = [("", _("The mentee’s, or else yours")), *time_zones.choices()]

    def clean(self):
        cleaned = super().clean()
        if self.errors:
            return cleaned
        self.thought_in = self._zone(cleaned)
        today = timezone.now().astimezone(self.thought_in).date()
        first = max(cleaned.get("from_on") or today, today)
        last = cleaned.get("until_on") or (first if cleaned.get("from_on") else first + timedelta(days=DAYS - 1))
        begins, ends = cleaned.get("from_at"), cleaned.get("until_at")
        if last < first:
            self.add_error("until_on", ValidationError(_("The last day must not come before the first."), code="order"))
        elif (last - first).days >= LONGEST_DAYS:
            self.add_error("until_on", ValidationError(_("Look at two months at most."), code="too_long"))
        elif begins and ends and ends <= begins:
            self.add_error("until_at", ValidationError(_("The end must come after the beginning."), code="order"))
        else:
            days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
            self.periods = [period for day in days if (period := self._on(day, begins, ends))]
        return cleaned

    def _zone(self, cleaned) -> ZoneInfo:
        if cleaned.get("zone"):
            return ZoneInfo(cleaned["zone"])
        mentee = cleaned.get("mentee")
        return Program.current().zone_of(mentee.user) if mentee else timezone.get_current_timezone()

    def _on(self, day: date, begins: time | None, ends: time | None) -> Period | None:
        """The part of this day that is asked for. A night on which the clocks change may leave nothing of it."""
        first, last = PARTS[self.cleaned_data.get("part") or ANY]
        start = datetime.combine(day, begins or time(0 if ends else first), self.thought_in)
        midnight = datetime.combine(day + timedelta(days=1), time(), self.thought_in)
        if ends:
            end = datetime.combine(day, ends, self.thought_in)
        else:
            end = midnight if begins or last == 24 else datetime.combine(day, time(last), self.thought_in)
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        return Period(start, end) if start < end else None

    @property
    def length(self) -> int:
        return self.cleaned_data.get("minutes") or self.usual


def find_page(**whose) -> str:
    """The address of the search with ``mentee=`` or ``mentor=`` a key in it."""
    query = urlencode({name: value for name, value in whose.items() if value})
    return f"{reverse('admin:scheduling_session_find')}{f'?{query}' if query else ''}"


def find(model_admin, request) -> HttpResponse:
    form = FindForm(request.GET or None)
    well = form.is_valid()
    found = _found(form) if well else []
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Find a mentor"),
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
        "form": form,
        "well": well,
        "found": found,
        "zone": form.thought_in.key if well else "",
        "elsewhere": well and form.thought_in.key != timezone.get_current_timezone_name(),
        "mine": timezone.get_current_timezone_name(),
        "nobody_because": _why_nobody(form) if well and not found else [],
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/scheduling/session/find.html", context)


def _found(form: FindForm) -> list[dict]:
    if not form.periods:
        return []
    wanted, minutes = form.cleaned_data, form.length
    skills = [skill.name for skill in wanted["skills"]]
    mentors = booking.knowing(skills)
    if wanted["mentor"]:
        mentors = mentors.filter(pk=wanted["mentor"].pk)
    elif skills:
        mentors = mentors.filter(known__gt=0)
    over = Period(form.periods[0].start, form.periods[-1].end)
    rows = ranking.find(
        booking.candidates(mentors, over, {minutes}, mentee=wanted["mentee"]),
        form.periods,
        minutes,
        skills=frozenset(skills),
        week_of=Program.current().policy.week_of,
        most=MENTORS_SHOWN,
    )
    mentee = wanted["mentee"] and wanted["mentee"].pk
    shown = SLOTS_SHOWN * 5 if wanted["mentor"] else SLOTS_SHOWN
    return [
        {
            "name": one.mentor.name,
            "why": why_found(one),
            "week": week_page(day=timezone.localdate(one.slots[0].start), mentor=one.mentor.key),
            "why_not": _why_not(one.mentor.key, mentee, one.slots[0]),
            "slots": [
                (_by(slot, form.thought_in), day_and_clock(slot), booking_page(mentor=one.mentor.key, mentee=mentee, slot=slot))
                for slot in one.slots[:shown]
            ],
            "more": len(one.slots) - shown if len(one.slots) > shown else 0,
        }
        for one in rows
    ]


def _by(slot: Period, zone: ZoneInfo) -> str:
    with timezone.override(zone):
        return day_and_clock(slot)


def _why_not(mentor: int | None, mentee: int | None, slot: Period) -> str:
    """The page that asks every rule, with what is known in its fields."""
    start = timezone.localtime(slot.start)
    asked = {
        "mentor": mentor or "",
        "mentee": mentee or "",
        "start_time_0": f"{start:%Y-%m-%d}",
        "start_time_1": f"{start:%H:%M}",
        "minutes": slot.minutes,
    }
    return f"{reverse('admin:scheduling_session_why_not')}?{urlencode(asked)}"


def _why_nobody(form: FindForm) -> list[tuple[str, str]]:
    """What to do where nobody is found: each a sentence, and where it leads."""
    wanted, said = form.cleaned_data, []
    mentor, mentee = wanted["mentor"], wanted["mentee"]
    if form.periods and (mentor or mentee):
        slot = Period.of(form.periods[0].start, form.length)
        said.append((_("Ask the rules why not"), _why_not(mentor and mentor.pk, mentee and mentee.pk, slot)))
    if mentor:
        day = timezone.localdate(form.periods[0].start) if form.periods else None
        said.append((_("See the week of %(mentor)s") % {"mentor": mentor}, week_page(day=day, mentor=mentor.pk)))
        said.append((_("Look for other mentors"), find_page(mentee=mentee and mentee.pk)))
    return said
