"""The group a program needs, with its permissions. Written after every `migrate`, so that no installation lacks it."""

from django.contrib.auth.models import Group, Permission

COORDINATORS = "Coordinators"
# Model -> what a coordinator may do. Nobody gets `user` permissions: that is how people make themselves superusers.
COORDINATOR_MAY = {
    "people.mentor": "add change view import export",
    "people.mentee": "add change view import export",
    "people.skill": "add change delete view import export",
    "people.team": "add change delete view import export",
    "people.erasurerequest": "view settle",
    "people.skillsuggestion": "view settle",
    "people.changeset": "view undo",
    "scheduling.program": "change view",
    "scheduling.availability": "add change delete view import export",
    "scheduling.weeklyhours": "add change delete view",
    "scheduling.timeoff": "add change delete view",
    "scheduling.mentorlimits": "add change delete view",
    "scheduling.session": "add change view import export",
    "scheduling.notice": "view",
    "scheduling.feedback": "view",
}


def install(using: str, **kwargs) -> None:
    """Bring the group's permissions to what is written here (a `post_migrate` receiver of the last app)."""
    wanted = {
        (label.split(".")[0], f"{action}_{label.split('.')[1]}")
        for label, actions in COORDINATOR_MAY.items()
        for action in actions.split()
    } | {("scheduling", "set_rules_aside"), ("scheduling", "resend_notice")}
    group, _ = Group.objects.using(using).get_or_create(name=COORDINATORS)
    rows = Permission.objects.using(using).select_related("content_type")
    group.permissions.set([row for row in rows if (row.content_type.app_label, row.codename) in wanted])
