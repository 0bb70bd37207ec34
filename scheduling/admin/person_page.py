"""A person's page: their sessions, windows, hours and notices as tabs beside the profile, and how much of their caps is used."""

from datetime import datetime, time, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.datasets import BaseDataset
from unfold.decorators import display

from people.models import Mentee, Mentor
from scheduling import rules
from scheduling.admin.booking_forms import is_key
from scheduling.admin.find import find_page
from scheduling.admin.week import week_page
from scheduling.models import Availability, MentorLimits, Notice, Program, Session, TimeOff, WeeklyHours
from scheduling.words import CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING, State

STATUS_COLOURS = {PENDING: "warning", CONFIRMED: "success", CANCELED: "danger", COMPLETED: "info", NO_SHOW: "danger"}
STATE_COLOURS = {State.FAILED: "danger", State.EXPIRED: "danger", State.UNCERTAIN: "warning", State.SENT: "success"}


class TheirsAdmin(ModelAdmin):
    """A list inside a person's page. Unfold asks nobody whether they may see its rows: this does."""

    list_per_page = 20
    show_full_result_count = False
    search_fields = ()
    # Who may see these rows.
    needs: str

    def theirs(self, rows, key: int, user):
        """Of these rows those of the person with this key."""
        raise NotImplementedError

    def get_queryset(self, request):
        rows, key = super().get_queryset(request), self.extra_context["object"]
        if not is_key(key) or not request.user.has_perm(self.needs):
            return rows.none()
        return self.theirs(rows, int(key), request.user)

    def get_actions(self, request):
        return {}

    @display(description=gettext_lazy("When"))
    def when(self, row):
        return rules.when(row.period, timezone.get_current_timezone())


class TheirSessionsAdmin(TheirsAdmin):
    needs = "scheduling.view_session"
    list_display = ("when", "mentor_name", "mentee_name", "status_label")
    ordering = ("-start_time", "-pk")

    def theirs(self, rows, key, user):
        return rows.visible_to(user).filter(pk__in=_sessions_of(key)).with_people()

    @display(description=gettext_lazy("Mentor"))
    def mentor_name(self, session):
        return str(session.mentor)

    @display(description=gettext_lazy("Mentee"))
    def mentee_name(self, session):
        return str(session.mentee)

    @display(description=gettext_lazy("Status"), label=STATUS_COLOURS)
    def status_label(self, session):
        return session.status


def _sessions_of(key: int):
    """By two indexes, instead of through everybody's sessions in one condition."""
    return (
        Session.objects.filter(mentor=key)
        .order_by()
        .values("pk")
        .union(Session.objects.filter(mentee=key).order_by().values("pk"))
    )


class TheirNoticesAdmin(TheirsAdmin):
    needs = "scheduling.view_notice"
    list_display = ("due_at", "what", "about", "state_label", "detail")
    ordering = ("-due_at", "-pk")

    def theirs(self, rows, key, user):
        return rows.filter(recipient=key).select_related("session__mentor__user", "session__mentee__user")

    @display(description=gettext_lazy("What"))
    def what(self, notice):
        return capfirst(notice.get_kind_display())

    @display(description=gettext_lazy("About"))
    def about(self, notice):
        return f"{notice.session.mentor}, {notice.session.mentee}"

    @display(description=gettext_lazy("State"), label=STATE_COLOURS)
    def state_label(self, notice):
        return State(notice.state).label


class TheirWindowsAdmin(TheirsAdmin):
    needs = "scheduling.view_availability"
    list_display = ("when", "booked")
    ordering = ("start_time", "pk")

    def theirs(self, rows, key, user):
        return rows.filter(mentor=key).ahead().with_sessions_count()

    @display(description=gettext_lazy("Sessions booked"))
    def booked(self, window):
        return window.session_count


class TheirHoursAdmin(TheirsAdmin):
    needs = "scheduling.view_weeklyhours"
    list_display = ("weekday", "begins", "ends", "time_zone", "every_weeks", "valid_from_on", "valid_until_on")
    ordering = ("weekday", "begins", "pk")

    def theirs(self, rows, key, user):
        return rows.filter(mentor=key)


class TheirTimeOffAdmin(TheirsAdmin):
    needs = "scheduling.view_timeoff"
    list_display = ("when", "note")
    ordering = ("start_time", "pk")

    def theirs(self, rows, key, user):
        return rows.filter(mentor=key).ahead()


def tab(of, how: type[TheirsAdmin], called) -> type[BaseDataset]:
    return type(f"Their{of.__name__}", (BaseDataset,), {"model": of, "model_admin": how, "tab": True, "title": called})


SESSIONS = tab(Session, TheirSessionsAdmin, gettext_lazy("Sessions"))
NOTICES = tab(Notice, TheirNoticesAdmin, gettext_lazy("Notices"))
WINDOWS = tab(Availability, TheirWindowsAdmin, gettext_lazy("Windows ahead"))
HOURS = tab(WeeklyHours, TheirHoursAdmin, gettext_lazy("Weekly hours"))
TIME_OFF = tab(TimeOff, TheirTimeOffAdmin, gettext_lazy("Time off ahead"))


class TabbedAdmin:
    """A person's page with tabs: those whose rows this reader may see. Stands before the other bases."""

    tabs: tuple[type[BaseDataset], ...] = (SESSIONS, NOTICES)

    def get_changeform_datasets(self, request):
        if request.resolver_match and "object_id" not in request.resolver_match.kwargs:
            return ()
        return [one for one in self.tabs if request.user.has_perm(one.model_admin.needs)]


# ---- use and caps -------------------------------------------------------------------------------------------------------


def use(role: Mentor | Mentee, program: Program) -> tuple[str, str]:
    """How much of this week's cap is used, and of what: ("3 of 5", "sessions this week")."""
    limits = (
        MentorLimits.objects.filter(pk=role.pk).select_related("mentor__user").first() if isinstance(role, Mentor) else None
    )
    policy = program.policy_for(limits)
    monday = policy.week_of(timezone.now())
    begins, ends = (datetime.combine(day, time(), policy.week_zone) for day in (monday, monday + timedelta(days=7)))
    held = role.sessions.exclude(status=CANCELED).filter(start_time__gte=begins, start_time__lt=ends).count()
    cap = policy.mentor_week_cap if isinstance(role, Mentor) else policy.mentee_week_cap
    return (_("%(held)s of %(cap)s") % {"held": held, "cap": cap} if cap is not None else str(held)), _("Sessions this week")


def links(request, role: Mentor | Mentee) -> list[tuple[str, str]]:
    """Where a coordinator goes on from here."""
    mentoring = isinstance(role, Mentor)
    whose = {"mentor" if mentoring else "mentee": role.pk}
    found = []
    if request.user.has_perm("scheduling.view_session"):
        found.append((_("Week"), week_page(**whose)))
    if request.user.has_perm("scheduling.add_session") and role.user.is_active:
        found.append((_("Book a session"), find_page(**whose)))
    if role.user.is_mentor and role.user.is_mentee:
        other = "mentee" if mentoring else "mentor"
        if request.user.has_perm(f"people.view_{other}"):
            found.append(
                (_("As a mentee") if mentoring else _("As a mentor"), reverse(f"admin:people_{other}_change", args=[role.pk]))
            )
    if request.user.has_perm("people.view_user"):
        found.append((_("Account"), reverse("admin:people_user_change", args=[role.pk])))
    return found
