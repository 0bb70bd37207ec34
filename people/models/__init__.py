"""Who there is: users, what they know, where they belong, and the roles they take. Knows nothing of scheduling."""

from people.models.access import ApiToken, Invitation
from people.models.change import Change, ChangeSet
from people.models.erasure import ErasureRequest
from people.models.role import PERMISSIONS, Mentee, Mentor, Role, Skill, SkillSuggestion, Team
from people.models.sheet import SheetExport
from people.models.user import NotificationSettings, Photo, User, Wish, not_an_address

from people.imports.models import Import, ImportRow  # isort: skip  they point at users

__all__ = [
    "PERMISSIONS",
    "ApiToken",
    "Change",
    "ChangeSet",
    "ErasureRequest",
    "Import",
    "ImportRow",
    "Invitation",
    "Mentee",
    "Mentor",
    "NotificationSettings",
    "Photo",
    "Role",
    "SheetExport",
    "Skill",
    "SkillSuggestion",
    "Team",
    "User",
    "Wish",
    "not_an_address",
]
