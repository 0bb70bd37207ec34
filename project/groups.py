"""The groups a program needs, with their permissions. Written after every `migrate`, so that no installation lacks them."""

from django.contrib.auth.models import Group, Permission

COORDINATORS, VIEWERS = "Coordinators", "Viewers"
# Group -> model -> what its members may do. Nobody gets `user` permissions: that is how people make themselves superusers.
MAY = {
    COORDINATORS: {
        "people.mentor": "add change view import export",
        "people.mentee": "add change view import export",
        "people.skill": "add change delete view import export",
        "people.team": "add change delete view import export",
        "people.erasurerequest": "view settle",
        "people.skillsuggestion": "view settle",
        "people.sheetexport": "view",
        "people.changeset": "view undo",
        "scheduling.program": "change view",
        "scheduling.availability": "add change delete view import export",
        "scheduling.weeklyhours": "add change delete view import export",
        "scheduling.timeoff": "add change delete view export",
        "scheduling.mentorlimits": "add change delete view",
        "scheduling.session": "add change view import export",
        "scheduling.notice": "view export",
        "scheduling.feedback": "view export",
    },
    # A funder, a board: they read how it goes. Sheets of people and sessions are keyed by e-mail addresses, and the mail
    # server's answers name them; feedback is said to coordinators.
    VIEWERS: {
        "people.mentor": "view",
        "people.mentee": "view",
        "people.skill": "view export",
        "people.team": "view export",
        "scheduling.program": "view",
        "scheduling.availability": "view",
        "scheduling.weeklyhours": "view",
        "scheduling.timeoff": "view",
        "scheduling.mentorlimits": "view",
        "scheduling.session": "view",
    },
}
BESIDES = {
    COORDINATORS: {("people", "see_contact"), ("scheduling", "set_rules_aside"), ("scheduling", "resend_notice")},
    VIEWERS: set(),
}


def install(using: str, **kwargs) -> None:
    """Bring the groups' permissions to what is written here (a `post_migrate` receiver of the last app)."""
    rows = list(Permission.objects.using(using).select_related("content_type"))
    for name, may in MAY.items():
        wanted = BESIDES[name] | {
            (label.split(".")[0], f"{action}_{label.split('.')[1]}")
            for label, actions in may.items()
            for action in actions.split()
        }
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set([row for row in rows if (row.content_type.app_label, row.codename) in wanted])
