"""The hand-over desk: a mentor is ill today, away for a while, or leaves; one page shows who could take over what."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminRadioSelectWidget

from people import time_zones
from people.models import Mentor
from scheduling import leaving, rules
from scheduling.admin.booking_forms import person_field
from scheduling.admin.leaving import GivingUpPage, LeavingPage
from scheduling.models import Program, TimeOff
from scheduling.slots import Period

ILL, AWAY, LEAVES = "ill", "away", "leaves"


class AbsenceForm(forms.Form):
    """Which mentor, and for how long. All of it stands in the address, which names the mentor by a key. Days are
    the mentor's; a last day is the program's."""

    mentor = person_field("mentor", label=gettext_lazy("Mentor"))
    what = forms.ChoiceField(
        label=gettext_lazy("What happens"),
        choices=[
            (ILL, gettext_lazy("Ill today: the rest of today")),
            (AWAY, gettext_lazy("Away from one day to another")),
            (LEAVES, gettext_lazy("Leaves the program, now or after a last day")),
        ],
        initial=ILL,
        widget=UnfoldAdminRadioSelectWidget,
    )
    from_on = forms.DateField(label=gettext_lazy("From"), required=False, widget=UnfoldAdminDateWidget)
    until_on = forms.DateField(
        label=gettext_lazy("To"),
        required=False,
        widget=UnfoldAdminDateWidget,
        help_text=gettext_lazy("The last day away; for who leaves, the last day here. Empty: today."),
    )

    # When they are away; and for who leaves later than today, the last day here.
    period: Period | None = None
    last_day: date | None = None

    def clean(self):
        cleaned = super().clean()
        mentor, what = cleaned.get("mentor"), cleaned.get("what")
        if mentor and what in (ILL, AWAY) and not self.errors:
            self._find_period(mentor, what, cleaned.get("from_on"), cleaned.get("until_on"))
        last = cleaned.get("until_on")
        # Who leaves today leaves now.
        if what == LEAVES and last and last > _today():
            self.last_day = last
        return cleaned

    def _find_period(self, mentor: Mentor, what: str, first: date | None, last: date | None) -> None:
        zone, now = Program.current().zone_of(mentor.user), timezone.now()
        today = now.astimezone(zone).date()
        if what == ILL:
            first = last = today
        for name, day in (("from_on", first), ("until_on", last)):
            if day is None:
                self.add_error(name, ValidationError(_("Choose a day."), code="required"))
        if self.errors:
            return
        if last < first:
            self.add_error("until_on", ValidationError(_("The last day must not come before the first."), code="order"))
        elif last < today:
            self.add_error("until_on", ValidationError(_("These days are over."), code="past"))
        elif (last - first).days >= TimeOff.LONGEST_DAYS:
            self.add_error("until_on", ValidationError(_("Time off lasts at most a year."), code="too_long"))
        else:
            # What has begun is left out; the minute is whole, as on every page.
            begins = max(datetime.combine(first, time(), zone), now.replace(second=0, microsecond=0))
            self.period = Period(begins, datetime.combine(last + timedelta(days=1), time(), zone))


def _today() -> date:
    """By the program's clock."""
    return timezone.localdate(timezone=time_zones.zone(Program.current().time_zone))


class AwayPage(GivingUpPage):
    """A mentor is ill, or away, and comes back."""

    may_keep = True

    def __init__(self, model_admin, request, question: AbsenceForm):
        super().__init__(model_admin, request, question.cleaned_data["mentor"])
        self.question, self.period = question, question.period

    @property
    def title(self) -> str:
        return _("Hand over: %(person)s") % {"person": self.user}

    @property
    def first_word(self) -> str:
        return _("Enter the time off")

    def refusal(self):
        if self.user.is_active:
            return None
        return ValidationError(_("%(person)s is deactivated already.") % {"person": self.user}, code="already")

    def sessions(self):
        return leaving.while_away(self.role, self.period)

    def act(self, form, **how):
        return leaving.be_away(self.role, self.period, by=self.by, keep=form.keep, **form.said, **how)

    def consequences(self):
        person, when = self.user, rules.when(self.period, timezone.get_current_timezone())
        return [_("%(when)s becomes time off of %(person)s: nobody can book then.") % {"when": when, "person": person}]

    def done(self):
        when = rules.when(self.period, timezone.get_current_timezone())
        return _("%(person)s is away: %(when)s.") % {"person": self.user, "when": when}

    def more(self):
        return {"question": self.question, "away": rules.when(self.period, timezone.get_current_timezone())}


class LeavesLaterPage(GivingUpPage):
    """A mentor has a last day, and it is not today: what comes after it is given up, and nobody books there any more."""

    def __init__(self, model_admin, request, question: AbsenceForm):
        super().__init__(model_admin, request, question.cleaned_data["mentor"])
        self.question, self.last_day = question, question.last_day

    @property
    def title(self) -> str:
        return _("%(person)s leaves on %(day)s") % {"person": self.user, "day": self._day}

    @property
    def first_word(self) -> str:
        return _("Set the last day")

    def refusal(self):
        return leaving.refusal(self.user, self.by)

    def sessions(self):
        return leaving.after(self.user, Program.current().midnight_after(self.last_day))

    def act(self, form, **how):
        return leaving.leave_after(self.user, self.last_day, by=self.by, **form.said, **how)

    def consequences(self):
        told = {"person": self.user, "day": self._day, "zone": Program.current().time_zone}
        return [
            _("%(day)s is the last day of %(person)s, by the program’s clock (%(zone)s).") % told,
            _("Nobody can book them for later, and their windows and weekly hours offer nothing later.") % told,
            _("After that day their account is deactivated by itself. Until then you can take it back on their page.") % told,
        ]

    def done(self):
        return _("%(person)s leaves on %(day)s.") % {"person": self.user, "day": self._day}

    def more(self):
        return {"question": self.question}

    @property
    def _day(self) -> str:
        return date_format(self.last_day, "DATE_FORMAT")


class LeavesPage(LeavingPage):
    """The same as the button "Deactivate" of the mentor, with the question above it."""

    def __init__(self, model_admin, request, question: AbsenceForm):
        super().__init__(model_admin, request, question.cleaned_data["mentor"])
        self.question = question

    def more(self):
        return {"question": self.question}


def hand_over(model_admin, request) -> HttpResponse:
    """The question stands in the address; what is sent are decisions about the sessions that it finds."""
    question = AbsenceForm(request.GET or None)
    if "what" not in request.GET:
        # From the mentor's page: who, and nothing else yet.
        question = AbsenceForm(initial={"mentor": request.GET.get("mentor")})
    if question.is_valid():
        later = LeavesLaterPage if question.last_day else LeavesPage
        page = later if question.cleaned_data["what"] == LEAVES else AwayPage
        return page(model_admin, request, question).answer()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Hand over"),
        "opts": model_admin.opts,
        "media": model_admin.media + question.media,
        "question": question,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/leaving/ask.html", context)


def hand_over_page(mentor_key: int, what: str = ILL) -> str:
    """The address of the desk with this mentor in it."""
    return f"{reverse('admin:people_mentor_hand_over')}?{urlencode({'mentor': mentor_key, 'what': what})}"
