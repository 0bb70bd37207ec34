"""The admin's face: name, colours, menu, and the numbers on its first page."""

from datetime import datetime, timedelta

from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def can(permission: str):
    return lambda request: request.user.has_perm(permission)


def item(title: str, icon: str, view: str, permission: str) -> dict:
    return {"title": title, "icon": icon, "link": reverse_lazy(view), "permission": can(permission)}


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
    "DASHBOARD_CALLBACK": "project.desk.dashboard",
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
    "SIDEBAR": {
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
                    item("Notices", "mail", "admin:scheduling_notice_changelist", "scheduling.view_notice"),
                    item(_("Changes"), "history", "admin:people_changeset_changelist", "people.view_changeset"),
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


def worker_is_silent() -> bool:
    """Has no worker been heard of for a minute, or can nobody know?"""
    from project import health

    return bool(health.finding("cluster"))


def promises(request, now: datetime) -> dict | None:
    """How much of what was promised for today was kept, and what stands against it: the first thing on the first page."""
    from scheduling import ledger

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


def dashboard(request, context: dict) -> dict:
    """What needs a person, each a number that opens the rows behind it. A few small counts, whatever the size of the program."""
    from django.conf import settings

    from people.models import ErasureRequest, SkillSuggestion
    from scheduling.models import Notice, Session
    from scheduling.words import State

    context["staff_second_factor"] = settings.STAFF_SECOND_FACTOR
    if not request.user.has_perm("scheduling.view_session"):
        return context | {"promises": None, "tiles": []}
    now = timezone.now()
    sessions, notices = reverse("admin:scheduling_session_changelist"), reverse("admin:scheduling_notice_changelist")
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Session.objects.active().filter(start_time__gte=midnight, start_time__lt=midnight + timedelta(days=1))
    tiles = [
        (
            "Requests waiting",
            Session.objects.waiting(now).count(),
            f"{sessions}?status__exact=Pending&when=ahead",
            "for a mentor's answer",
        ),
        ("Sessions today", today.count(), f"{sessions}?when=today", "pending and confirmed"),
        (
            "To report",
            Session.objects.unreported(now).count(),
            f"{sessions}?status__exact=Confirmed&when=past",
            "over, and nobody said what became of them",
        ),
        (
            "Notices failed",
            Notice.objects.filter(state=State.FAILED).count(),
            f"{notices}?state__exact=failed",
            "refused by the mail server",
        ),
    ]
    erasures = ErasureRequest.objects.filter(state=ErasureRequest.State.ASKED).count()
    if erasures and request.user.has_perm("people.view_erasurerequest"):
        link = f"{reverse('admin:people_erasurerequest_changelist')}?state__exact=asked"
        tiles.append(("Erasures asked for", erasures, link, "people who want to be forgotten"))
    suggested = SkillSuggestion.objects.filter(state=SkillSuggestion.State.ASKED).count()
    if suggested and request.user.has_perm("people.view_skillsuggestion"):
        link = f"{reverse('admin:people_skillsuggestion_changelist')}?state__exact=asked"
        tiles.append(("Skills suggested", suggested, link, "by mentors who miss them in the list"))
    return context | {
        "promises": promises(request, now),
        "tiles": [dict(zip(("title", "number", "link", "meaning"), tile, strict=True)) for tile in tiles],
        "first_steps": {
            "mentors": reverse("admin:people_mentor_import"),
            "mentees": reverse("admin:people_mentee_import"),
            "session": reverse("admin:scheduling_session_add"),
        },
    }
