"""The admin's face: name, colours and menu."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


def can(permission: str):
    return lambda request: request.user.has_perm(permission)


def item(title: str, icon: str, view: str, permission: str, badge: str = "", query: str = "") -> dict:
    """``badge``: the function in `project.badges` that says how many wait there. ``query``: what of a list is shown at first."""
    path = reverse_lazy(view)
    link = format_lazy("{}?{}", path, query) if query else path
    known = {"title": title, "icon": icon, "link": link, "permission": can(permission), "active": lit(path)}
    return known | ({"badge": f"project.badges.{badge}"} if badge else {})


def lit(path):
    """Is this where the page belongs? Unfold would light every item whose address begins this one's."""

    def active(request) -> bool:
        links = [str(one["link"]) for group in UNFOLD["SIDEBAR"]["navigation"] for one in group["items"]]
        paths = [link.partition("?")[0] for link in links[1:]]
        fits = [one for one in paths if request.path.startswith(one)]
        return max(fits, key=len, default="") == str(path)

    return active


def imports(request) -> bool:
    from people.imports import kinds

    return bool(kinds.open_to(request.user))


def invites(request) -> bool:
    return request.user.has_perm("people.change_mentor") or request.user.has_perm("people.change_mentee")


def superuser(request) -> bool:
    return request.user.is_superuser


def environment(request) -> list[str] | None:
    """The label beside the name, where the data is not real."""
    from django.conf import settings

    return ["Demo", "warning"] if settings.DEMO else None


def program_name(request) -> str:
    return request.program.name


def zone(request) -> str:
    """Every page names the zone of its times. A name too long for the sidebar beside other words stands alone."""
    name = timezone.get_current_timezone_name()
    return f"Times in {name}" if len(name) <= 22 else name


UNFOLD = {
    "SITE_TITLE": program_name,
    "SITE_HEADER": program_name,
    "SITE_SUBHEADER": zone,
    "SITE_SYMBOL": "handshake",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("site/mark.svg")}],
    "ENVIRONMENT": environment,
    "STYLES": [lambda request: static("site/admin.css")],
    "SCRIPTS": [lambda request: static("site/admin.js")],
    "DASHBOARD_CALLBACK": "project.dashboard.dashboard",
    "SHOW_HISTORY": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .014 200)",
            "100": "oklch(94.8% .03 200)",
            "200": "oklch(90% .055 200)",
            "300": "oklch(83% .085 200)",
            "400": "oklch(72% .105 203)",
            "500": "oklch(61% .105 206)",
            "600": "oklch(52% .095 210)",
            "700": "oklch(45.5% .08 213)",
            "800": "oklch(39.5% .065 216)",
            "900": "oklch(35% .052 218)",
            "950": "oklch(26% .045 220)",
        }
    },
    # The palette. What it finds is `project.palette`.
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": [
            {
                "items": [
                    {"title": _("Today"), "icon": "today", "link": reverse_lazy("admin:index")},
                    item(_("Sessions"), "event", "admin:scheduling_session_changelist", "scheduling.view_session", "requests"),
                    item(
                        _("Availability"),
                        "schedule",
                        "admin:scheduling_availability_changelist",
                        "scheduling.view_availability",
                        query="when=ahead",
                    ),
                    item(
                        _("Weekly hours"),
                        "event_repeat",
                        "admin:scheduling_weeklyhours_changelist",
                        "scheduling.view_weeklyhours",
                    ),
                    item(
                        _("Time off"),
                        "beach_access",
                        "admin:scheduling_timeoff_changelist",
                        "scheduling.view_timeoff",
                        query="when=ahead",
                    ),
                    item(_("Week"), "calendar_view_week", "admin:scheduling_session_week", "scheduling.view_session"),
                    item(_("Find a mentor"), "person_search", "admin:scheduling_session_find", "scheduling.add_session"),
                    item(_("Hand over"), "swap_horiz", "admin:people_mentor_hand_over", "people.change_mentor"),
                    item(_("Notices"), "mail", "admin:scheduling_notice_changelist", "scheduling.view_notice", "notices"),
                    item(_("Changes"), "history", "admin:people_changeset_changelist", "people.view_changeset"),
                    item(_("Reports"), "monitoring", "admin:scheduling_session_reports", "scheduling.view_session"),
                    item(_("Feedback"), "reviews", "admin:scheduling_feedback_changelist", "scheduling.view_feedback"),
                ],
            },
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    item(_("Mentors"), "school", "admin:people_mentor_changelist", "people.view_mentor"),
                    item(_("Mentees"), "group", "admin:people_mentee_changelist", "people.view_mentee"),
                    item(_("Skills"), "psychology", "admin:people_skill_changelist", "people.view_skill"),
                    item(
                        _("Suggested skills"),
                        "lightbulb",
                        "admin:people_skillsuggestion_changelist",
                        "people.view_skillsuggestion",
                        "suggestions",
                    ),
                    item(_("Teams"), "groups", "admin:people_team_changelist", "people.view_team"),
                    {
                        "title": _("Import"),
                        "icon": "upload_file",
                        "link": reverse_lazy("admin:people_import_upload"),
                        "permission": imports,
                        "active": lit(reverse_lazy("admin:people_import_upload")),
                    },
                    item(_("Exports"), "download", "admin:people_sheetexport_changelist", "people.view_sheetexport"),
                    item(
                        _("Erasures"),
                        "person_remove",
                        "admin:people_erasurerequest_changelist",
                        "people.view_erasurerequest",
                        "erasures",
                    ),
                ],
            },
            {
                "title": _("Program"),
                "separator": True,
                "items": [
                    item(_("Policy"), "tune", "admin:scheduling_program_changelist", "scheduling.view_program"),
                    item(_("Accounts"), "manage_accounts", "admin:people_user_changelist", "people.view_user"),
                    item(_("Groups"), "shield_person", "admin:auth_group_changelist", "auth.view_group"),
                    {
                        "title": _("Task queue"),
                        "icon": "manufacturing",
                        "link": reverse_lazy("admin:django_q_schedule_changelist"),
                        "permission": superuser,
                        "active": lit(reverse_lazy("admin:django_q_schedule_changelist")),
                    },
                ],
            },
        ],
    },
}
