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

from people.models import Mentor
from scheduling import leaving, rules
from scheduling.admin.booking_forms import person_field
from scheduling.admin.leaving import GivingUpPage, LeavingPage
from scheduling.models import Program, TimeOff
from scheduling.slots import Period

ILL, AWAY, LEAVES = "ill", "away", "leaves"


class AbsenceForm(forms.Form):
    """Which mentor, and for how long. All of it stands in the address, which names the mentor by a key. Days are the mentor's."""

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

    # When they are away; None for who leaves now.
    period: Period | None = None

    def clean(self):
        cleaned = super().clean()
        mentor, what = cleaned.get("mentor"), cleaned.get("what")
        if mentor and what in (ILL, AWAY) and not self.errors:
            self._find_period(mentor, what, cleaned.get("from_on"), cleaned.get("until_on"))
        if mentor and what == LEAVES and cleaned.get("until_on"):
            self._after(mentor, cleaned["until_on"])
        return cleaned

    def _after(self, mentor: Mentor, last: date) -> None:
        """From the day after the last one on, for as long as time off lasts. Who leaves today leaves now."""
        zone = Program.current().zone_of(mentor.user)
        if last > timezone.now().astimezone(zone).date():
            begins = last + timedelta(days=1)
            ends = begins + timedelta(days=TimeOff.LONGEST_DAYS - 1)
            self.period = Period(datetime.combine(begins, time(), zone), datetime.combine(ends, time(), zone))

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


class LeavesLaterPage(AwayPage):
    """A mentor has a last day, and it is not today: what comes after it is given up, and nobody books there any more."""

    may_keep = False

    def consequences(self):
        said = super().consequences()
        day = date_format(timezone.localtime(self.period.start) - timedelta(days=1), "DATE_FORMAT")
        then = _(
            "Their account stays active until then. After %(day)s, deactivate them on their page; this is not done by itself."
        )
        return [*said, then % {"day": day}]


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
        later = LeavesLaterPage if question.period else LeavesPage
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
