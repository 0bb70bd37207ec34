"""The admin's face: name, colours and menu."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def can(permission: str):
    return lambda request: request.user.has_perm(permission)


def item(title: str, icon: str, view: str, permission: str) -> dict:
    return {"title": title, "icon": icon, "link": reverse_lazy(view), "permission": can(permission)}


def imports(request) -> bool:
    from people.imports import kinds

    return bool(kinds.open_to(request.user))


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
                    {"title": "Today", "icon": "today", "link": reverse_lazy("admin:index")},
                    item("Sessions", "event", "admin:scheduling_session_changelist", "scheduling.view_session"),
                    item(
                        "Availability", "schedule", "admin:scheduling_availability_changelist", "scheduling.view_availability"
                    ),
                    item(
                        "Weekly hours", "event_repeat", "admin:scheduling_weeklyhours_changelist", "scheduling.view_weeklyhours"
                    ),
                    item("Time off", "beach_access", "admin:scheduling_timeoff_changelist", "scheduling.view_timeoff"),
                    item("Week", "calendar_view_week", "admin:scheduling_session_week", "scheduling.view_session"),
                    item("Find a mentor", "person_search", "admin:scheduling_session_find", "scheduling.add_session"),
                    item("Hand over", "swap_horiz", "admin:people_mentor_hand_over", "people.change_mentor"),
                    item("Notices", "mail", "admin:scheduling_notice_changelist", "scheduling.view_notice"),
                    item(_("Changes"), "history", "admin:people_changeset_changelist", "people.view_changeset"),
                    item("Reports", "monitoring", "admin:scheduling_session_reports", "scheduling.view_session"),
                    item("Feedback", "reviews", "admin:scheduling_feedback_changelist", "scheduling.view_feedback"),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    item("Mentors", "school", "admin:people_mentor_changelist", "people.view_mentor"),
                    item("Mentees", "group", "admin:people_mentee_changelist", "people.view_mentee"),
                    item("Skills", "psychology", "admin:people_skill_changelist", "people.view_skill"),
                    item(
                        "Suggested skills",
                        "lightbulb",
                        "admin:people_skillsuggestion_changelist",
                        "people.view_skillsuggestion",
                    ),
                    item("Teams", "groups", "admin:people_team_changelist", "people.view_team"),
                    {
                        "title": "Import",
                        "icon": "upload_file",
                        "link": reverse_lazy("admin:people_import_upload"),
                        "permission": imports,
                    },
                    item("Erasures", "person_remove", "admin:people_erasurerequest_changelist", "people.view_erasurerequest"),
                ],
            },
            {
                "title": "Program",
                "separator": True,
                "items": [
                    item("Policy", "tune", "admin:scheduling_program_changelist", "scheduling.view_program"),
                    item("Accounts", "manage_accounts", "admin:people_user_changelist", "people.view_user"),
                    item("Groups", "shield_person", "admin:auth_group_changelist", "auth.view_group"),
                    {
                        "title": "Task queue",
                        "icon": "manufacturing",
                        "link": reverse_lazy("admin:django_q_schedule_changelist"),
                        "permission": superuser,
                    },
                ],
            },
        ],
    },
}
