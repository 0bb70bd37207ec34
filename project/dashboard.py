"""The first page of the desk: what needs a person, then the week in numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from people.imports import kinds
from people.imports.models import Import
from people.models import ErasureRequest, Mentee, Mentor, Skill, SkillSuggestion, Team, User
from project.counting import MOST, many
from project.week import week
from scheduling import ledger
from scheduling.needs import NEEDS, Scope


class ScopeForm(forms.Form):
    """The part of the program to look at. It stays in the address."""

    team = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget)
    skill = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        parts = {"team": [("", _("All teams"))], "skill": [("", _("All skills"))]}
        teams = Team.objects.order_by().annotate(of=Value("team")).values_list("of", "pk", "number", "name")
        skills = Skill.objects.order_by().annotate(of=Value("skill"), number=Value(0)).values_list("of", "pk", "number", "name")
        for part, key, number, name in teams.union(skills, all=True).order_by("number", "name"):
            parts[part].append((key, str(Team(number=number, name=name)) if part == "team" else name))
        for part, choices in parts.items():
            self.fields[part].choices = choices

    @property
    def needed(self) -> bool:
        return any(len(field.choices) > 1 for field in self.fields.values())

    @property
    def scope(self) -> Scope:
        """What is not in the lists is not looked for."""
        self.full_clean()
        return Scope(**self.cleaned_data)


@dataclass
class Tile:
    title: str
    meaning: str
    permission: str
    rows: QuerySet
    link: str
    number: int = 0

    @property
    def shown(self) -> str:
        return (
            f"{number_format(MOST, force_grouping=True)}+"
            if self.number > MOST
            else number_format(self.number, force_grouping=True)
        )


def dashboard(request, context: dict) -> dict:
    """A few small counts, whatever the size of the program."""
    from django.conf import settings

    context |= {"staff_second_factor": settings.STAFF_SECOND_FACTOR, "looks": request.user.has_perm("scheduling.view_session")}
    if not context["looks"]:
        return context
    now, form = timezone.now(), ScopeForm(request.GET)
    scope = form.scope
    wanted = [tile for tile in tiles(request.user, scope, now) if may_see(request.user, tile)]
    begun = count(wanted, now)
    return context | {
        "promises": promises(request, now),
        "scope_form": form,
        "scoped": scope != Scope(),
        "needs": [tile for tile in wanted if tile.number],
        "clear": [tile for tile in wanted if not tile.number],
        "begun": begun,
        "week": week(scope, now),
        "first_steps": {
            "mentors": reverse("admin:people_mentor_import"),
            "mentees": reverse("admin:people_mentee_import"),
            "session": reverse("admin:scheduling_session_add"),
        },
    }


def may_see(user: User, tile) -> bool:
    return user.has_perm(tile.permission) if tile.permission else bool(kinds.open_to(user))


# ---- what needs a person ----------------------------------------------------------------------------------------------


def tiles(user: User, scope: Scope, now: datetime) -> list[Tile]:
    """In the order in which they are settled: what runs out first comes first."""

    def need(name: str, title: str, meaning: str, model: str, **narrowed) -> Tile:
        app = NEEDS[name].model._meta.app_label
        query = urlencode({"needs": name} | {key: value for key, value in narrowed.items() if value})
        link = f"{reverse(f'admin:{app}_{model}_changelist')}?{query}"
        return Tile(title, meaning, f"{app}.view_{model}", NEEDS[name].rows(scope, now), link)

    both = {"team": scope.team, "skill": scope.skill}
    return [
        need(
            "answer",
            _("Requests waiting too long"),
            _("They run out within a day unless somebody answers."),
            "session",
            **both,
        ),
        need(
            "decision",
            _("Sessions that clash"),
            _("Outside the mentor’s hours as they are now, or with somebody who is deactivated."),
            "session",
            **both,
        ),
        need("report", _("Sessions to report"), _("They are over, and nobody said what became of them."), "session", **both),
        need("sending", _("Notices late or failed"), _("Somebody was not told of a session ahead."), "notice", **both),
        need(
            "window",
            _("Mentors without time"),
            _("They offer nothing in the next two weeks, and have not paused."),
            "mentor",
            skills__id__exact=scope.skill,
        ),
        need(
            "session",
            _("Mentees without a session"),
            _("None this month: none asked for, agreed or held."),
            "mentee",
            team__id__exact=scope.team,
        ),
        Tile(
            _("Imports with rows left over"),
            _("Sheets of yours that wait for you, or that left refused rows out in the last week."),
            "",
            Import.objects.left_over(user, [kind.key for kind in kinds.open_to(user)], now),
            f"{reverse('admin:people_import_upload')}?left=1",
        ),
        *(
            Tile(
                title,
                meaning,
                f"people.view_{model._meta.model_name}",
                model.objects.filter(state=model.State.ASKED),
                f"{reverse(f'admin:people_{model._meta.model_name}_changelist')}?state__exact=asked",
            )
            for model, title, meaning in (
                (ErasureRequest, _("Erasures asked for"), _("People who want to be forgotten.")),
                (SkillSuggestion, _("Skills suggested"), _("By mentors who miss them in the list.")),
            )
        ),
    ]


def count(wanted: list[Tile], now: datetime) -> bool:
    """All in one question; and when the first of the requests runs out. Is there a mentor, and a mentee?"""
    first = Subquery(wanted[0].rows.filter(answer_by__gt=now).values("answer_by")[:1])
    people = (Exists(model.objects.order_by()) for model in (Mentor, Mentee))
    *found, runs_out_at, mentors, mentees = many([tile.rows for tile in wanted], first, *people)
    for tile, number in zip(wanted, found, strict=True):
        tile.number = number
    if runs_out_at:
        at = date_format(timezone.localtime(runs_out_at), "D H:i")
        wanted[0].meaning = _("The first runs out %(at)s, unless somebody answers.") % {"at": at}
    return mentors and mentees


# ---- promises ---------------------------------------------------------------------------------------------------------


def worker_is_silent() -> bool:
    """Has no worker been heard of for a minute, or can nobody know?"""
    from project import health

    return bool(health.finding("cluster"))


def promises(request, now: datetime) -> dict | None:
    """How much of what was promised for today was kept, and what stands against it: the first thing on the first page."""
    if not request.user.has_perm("scheduling.view_notice"):
        return None
    day = ledger.promises_of_today(request.program, now)
    troubles = [
        (day.late, late(day), "due=late"),
        (day.failed, f"{day.failed:,} refused by the mail server.", "due=today&state__exact=failed"),
        (day.uncertain, f"{day.uncertain:,} uncertain: the mail server gave no answer.", "due=today&state__exact=uncertain"),
        (day.expired, f"{day.expired:,} could not be sent in time.", "due=today&state__exact=expired"),
        (worker_is_silent(), "The worker is silent: nothing is sent while it is.", "due=today"),
    ]
    notices = reverse("admin:scheduling_notice_changelist")
    return {
        "sentence": f"{day.kept:,} of {day.due:,} promises of today kept" if day.due else "Nothing had to be sent today so far",
        "troubles": [(said, f"{notices}?{query}") for is_so, said, query in troubles if is_so],
        "ahead": f"{day.ahead:,} more to come today." if day.ahead else "Nothing more to come today.",
        "link": f"{notices}?due=today",
    }


def late(day) -> str:
    """ "3 are late, the oldest by 7 minutes." """
    minutes = int(day.late_by / timedelta(minutes=1))
    by = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
    return f"1 is late, by {by}." if day.late == 1 else f"{day.late:,} are late, the oldest by {by}."
