"""What people have to do with sessions, on their own pages: how they leave, what they offer, and that nothing is lost."""

from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Count, ProtectedError, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import UserChangeForm

from people import admin as people_admin
from people.admin_pages import answer, more, page_of
from people.models import Mentee, Mentor, User
from scheduling import booking, last_days, leaving
from scheduling.admin.booking_forms import is_key
from scheduling.admin.counted import MetFilter
from scheduling.admin.hand_over import hand_over, hand_over_page
from scheduling.admin.leaving import NAMED, LeavingPage
from scheduling.admin.needs import NeedsAdmin
from scheduling.admin.offering import count
from scheduling.admin.person_page import HOURS, NOTICES, SESSIONS, TIME_OFF, WINDOWS, TabbedAdmin, links, use
from scheduling.models import MentorLimits, Session

admin.site.unregister([Mentor, Mentee, User])

# What deleting people raises where somebody booked with them since the page looked.
BOOKED_MEANWHILE = (ProtectedError, IntegrityError)


class KeptAdmin:
    """Who has sessions is not deleted: they are deactivated, and their sessions decided about. Stands before the other bases."""

    def user_of(self, row) -> User:
        return row.user

    def with_sessions(self, rows: QuerySet) -> QuerySet:
        """Those of them who cannot be deleted."""
        return rows.filter(sessions__isnull=False).distinct()

    def delete_view(self, request, object_id, extra_context=None):
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_delete_permission(request, row):
            return super().delete_view(request, object_id, extra_context)
        if not self.with_sessions(self.model.objects.filter(pk=row.pk)).exists():
            try:
                return super().delete_view(request, object_id, extra_context)
            except BOOKED_MEANWHILE:
                pass
        user = self.user_of(row)
        messages.error(request, self._kept([user]))
        if user.is_active:
            return redirect(leaving_page(user))
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)

    def get_actions(self, request):
        actions = super().get_actions(request)
        if "delete_selected" in actions:
            _, name, description = actions["delete_selected"]
            actions["delete_selected"] = (delete_without_sessions, name, description)
        return actions

    def _kept(self, users: list[User]) -> SafeString:
        links = format_html_join(", ", '<a class="underline" href="{}">{}</a>', ((leaving_page(user), user) for user in users))
        return format_html(
            "Nobody is deleted: {} {} sessions, and those are kept. Deactivate them instead: what is ahead is handed over or"
            " canceled, and everybody is told.",
            links,
            "has" if len(users) == 1 else "have",
        )

    def refuse_to_delete(self, request, queryset) -> bool:
        kept = [self.user_of(row) for row in self.with_sessions(queryset)[:NAMED]]
        if kept:
            messages.error(request, self._kept(kept))
        return bool(kept)


def delete_without_sessions(model_admin, request, queryset):
    if model_admin.refuse_to_delete(request, queryset):
        return None
    try:
        return delete_selected(model_admin, request, queryset)
    except BOOKED_MEANWHILE:
        model_admin.refuse_to_delete(request, queryset)
        return None


def leaving_page(user: User) -> str:
    return reverse(f"admin:people_{'mentor' if user.is_mentor else 'mentee'}_deactivate", args=[user.pk])


class LeavingAdmin(TabbedAdmin, KeptAdmin):
    """Mentors and mentees, who leave and come back. Stands before the other bases."""

    change_form_outer_before_template = "admin/leaving/tiles.html"
    # What is rare, and ends something, is in the menu.
    actions_detail = ("bring_back", "stay", "invite", more(["deactivate", "log_out", "remove_photo", "erase"]))

    # A page: a press only opens it, and what it sends is a POST.
    @action(description="Deactivate", permissions=["leave"], icon="person_off", variant=ActionVariant.DANGER)
    def deactivate(self, request, object_id):
        return LeavingPage(self, request, self._role_or_404(request, object_id)).answer()

    @action(
        description="Bring back",
        permissions=["leave"],
        icon="person_add",
        variant=ActionVariant.PRIMARY,
        url_path="bring-back",
        dialog={
            "title": "Bring them back?",
            "description": "They can log in and take part again. A mentor’s weekly hours offer time again; single windows that"
            " were added by hand do not come back, nor do sessions.",
            "form_submit_text": "Bring back",
        },
    )
    def bring_back(self, request, form, object_id):
        user = self._role_or_404(request, object_id).user

        def act():
            leaving.come_back(user, by=request.user)
            return f"{user} takes part again."

        return answer(request, act, page_of(self.opts, user.pk))

    @action(
        description=_("Stays after all"),
        permissions=["leave"],
        icon="event_repeat",
        url_path="stay",
        dialog={
            "title": _("Take the last day back?"),
            "description": _(
                "They can be booked for later again, and their weekly hours offer that time. What was handed over or canceled"
                " stays so: to have it back, too, undo the hand-over under “Changes” instead."
            ),
            "form_submit_text": _("Take it back"),
        },
    )
    def stay(self, request, form, object_id):
        user = self._role_or_404(request, object_id).user

        def act():
            last_days.stay(user, by=request.user)
            return gettext("%(person)s stays in the program.") % {"person": user}

        return answer(request, act, page_of(self.opts, user.pk))

    def has_leave_permission(self, request, object_id=None):
        """Whether this person can leave is for the verb to say, in a sentence."""
        return self.has_change_permission(request) and booking.acts_for_program(request.user)

    def get_actions_detail(self, request, object_id):
        role = self.get_object(request, object_id)
        if role is None:
            # An address may hold anything.
            return []
        if leaving.refusal(role.user, request.user):
            hidden = {"deactivate", "bring_back", "stay"} | ({"be_away"} if role is None or not role.user.is_active else set())
        elif role.user.is_active:
            hidden = {"bring_back"}
        else:
            # Switched off past the door, they may have sessions still: then somebody has to decide about those.
            hidden = {"be_away"} if leaving.ahead(role.user) else {"be_away", "deactivate"}
        if role.user.leaves_on is None:
            hidden |= {"stay"}
        hidden |= {"invite"} if role.user.last_login else set()
        buttons = super().get_actions_detail(request, object_id)
        return [button for button in buttons if button.method.original_function_name not in hidden]

    def render_change_form(self, request, context, *args, **kwargs):
        role = context.get("original")
        more = {"tiles": [], "gone": "", "links": []}
        if role:
            more = {"tiles": self.tiles(request, role), "gone": gone(role.user), "links": links(request, role)}
        return super().render_change_form(request, context | more, *args, **kwargs)

    def tiles(self, request, role) -> list[dict]:
        """What hangs on this person, each a number that opens the rows behind it."""
        raise NotImplementedError

    def _role_or_404(self, request, object_id: str) -> Mentor | Mentee:
        """Whom the address names. An address may hold anything."""
        if not is_key(object_id):
            raise Http404
        return get_object_or_404(self.get_queryset(request), pk=object_id)


def gone(user: User) -> str:
    """Who deactivated this person, and when, or gave them which last day; empty for everybody else."""
    if user.leaves_on:
        return _leaves(user)
    if user.is_active:
        return ""
    record = user.history.filter(history_change_reason=leaving.LEFT).select_related("history_user").first()
    if record is None:
        return f"{user} is deactivated."
    when = date_format(timezone.localtime(record.history_date), "DATETIME_FORMAT")
    return f"{record.history_user or 'The program'} deactivated {user}, {when}."


def _leaves(user: User) -> str:
    record = user.history.filter(leaves_on=user.leaves_on, history_change_reason=leaving.LEAVES).first()
    day = date_format(user.leaves_on, "DATE_FORMAT")
    said = gettext(
        "%(person)s leaves on %(day)s: that is the last day. Nobody can book them for later, and the account is deactivated by"
        " itself then."
    )
    said %= {"person": user, "day": day}
    if record and record.history_user:
        when = date_format(timezone.localtime(record.history_date), "DATETIME_FORMAT")
        said += " " + gettext("%(who)s decided so, %(when)s.") % {"who": record.history_user, "when": when}
    return said


def tile(request, title: str, number: int | str, model: str, add: str = "", **query) -> dict | None:
    """``add``: the button that adds another row for this person; it begins with their key."""
    if not request.user.has_perm(f"scheduling.view_{model}"):
        return None
    may_add = add and request.user.has_perm(f"scheduling.add_{model}")
    return {
        "title": title,
        "number": number,
        "link": f"{reverse(f'admin:scheduling_{model}_changelist')}?{urlencode(query)}",
        "add": add if may_add else "",
        "add_link": f"{reverse(f'admin:scheduling_{model}_add')}?mentor={query.get('mentor__user__exact', '')}",
    }


def used(request, role: Mentor | Mentee, **query) -> dict | None:
    """How much of this week's cap is used."""
    number, of = use(role, request.program)
    return tile(request, of, number, "session", **query, when="week")


class LimitsInline(StackedInline):
    model = MentorLimits
    verbose_name = verbose_name_plural = "limits"
    hide_title = True
    fields = ("week_cap", "buffer_minutes", "paused_until_on")
    can_delete = False


@admin.register(Mentor)
class MentorAdmin(NeedsAdmin, LeavingAdmin, people_admin.MentorAdmin):
    inlines = [LimitsInline]
    tabs = (SESSIONS, WINDOWS, HOURS, TIME_OFF, NOTICES)
    actions_list = ("hand_over",)
    actions_detail = ("be_away", *LeavingAdmin.actions_detail)

    # Two pages: a press only opens them, and what they send is a POST.
    @action(description=_("Hand over"), permissions=["leave"], icon="swap_horiz", url_path="hand-over")
    def hand_over(self, request):
        return hand_over(self, request)

    @action(description=_("Ill or away"), permissions=["leave"], icon="sick", url_path="away")
    def be_away(self, request, object_id):
        return redirect(hand_over_page(self._role_or_404(request, object_id).pk))

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def tiles(self, request, role):
        sessions = Session.objects.active().ahead().filter(mentor=role)
        mine, ahead = {"mentor__user__exact": role.pk}, {"mentor__user__exact": role.pk, "when": "ahead"}
        # Who left is given no time.
        hours, off, window = ("Add hours", "Add time off", "Add window") if role.user.is_active else ("", "", "")
        counted = [
            tile(request, "Weekly hours", role.weekly_hours.count(), "weeklyhours", hours, **mine),
            tile(request, "Time off ahead", role.time_off.ahead().count(), "timeoff", off, **ahead),
            tile(request, "Windows ahead", role.availabilities.ahead().count(), "availability", window, **ahead),
            tile(request, "Sessions ahead", sessions.count(), "session", **ahead),
            used(request, role, **mine),
        ]
        return [one for one in counted if one]


@admin.register(Mentee)
class MenteeAdmin(NeedsAdmin, LeavingAdmin, people_admin.MenteeAdmin):
    opened_by = (MetFilter,)

    def tiles(self, request, role):
        number = Session.objects.active().ahead().filter(mentee=role).count()
        mine = {"mentee__user__exact": role.pk, "when": "ahead"}
        counted = [
            tile(request, "Sessions ahead", number, "session", **mine),
            used(request, role, mentee__user__exact=role.pk),
        ]
        return [one for one in counted if one]


class AccountForm(UserChangeForm):
    """The switch "active" of an account is the door by which people leave: it opens where nothing has to be decided first."""

    def clean(self):
        cleaned = super().clean()
        self.turned = "is_active" in cleaned and cleaned["is_active"] != self.instance.is_active
        if not self.turned:
            return cleaned
        if refusal := leaving.refusal(self.instance, self.by):
            self.add_error("is_active", refusal)
        elif self.instance.is_active and (number := len(leaving.ahead(self.instance))):
            self.add_error("is_active", self._elsewhere(number))
        return cleaned

    def _elsewhere(self, number: int) -> ValidationError:
        sentence = (
            '{} has {} ahead. <a class="underline" href="{}">Deactivate them on this page</a>, which asks what becomes of {}.'
        )
        what = "it" if number == 1 else "each"
        page = leaving_page(self.instance)
        return ValidationError(format_html(sentence, self.instance, count(number, "session"), page, what), code="undecided")


@admin.register(User)
class UserAdmin(TabbedAdmin, KeptAdmin, people_admin.UserAdmin):
    form = AccountForm

    def user_of(self, row):
        return row

    def with_sessions(self, rows):
        counted = rows.annotate(mentored=Count("mentor__sessions"), attended=Count("mentee__sessions"))
        return counted.exclude(mentored=0, attended=0)

    def save_model(self, request, obj, form, change):
        """The switch is turned last, through the door: it also closes windows, and takes back what was to be sent."""
        turned = change and form.turned
        if turned:
            obj.is_active = not obj.is_active
        super().save_model(request, obj, form, change)
        if turned and obj.is_active:
            leaving.leave(obj, by=request.user)
        elif turned:
            leaving.come_back(obj, by=request.user)
