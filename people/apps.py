from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "people"
    # 32-bit keys: the guard against double booking compares two people's keys in one integer array (scheduling/guard.py).
    default_auto_field = "django.db.models.AutoField"

    def ready(self):
        from people import changes, privacy, sessions, unsent
        from people.imports import kinds
        from people.keeping import PeopleKeeper
        from people.photos import remove_file
        from people.sheets import undoing

        privacy.register(PeopleKeeper())
        for kind in imports():
            kinds.register(kind)
        for name in ("Mentor", "Mentee"):
            changes.undoes(
                self.get_model(name),
                undoing.put_back_role,
                first=undoing.lock_people,
                named=undoing.named_people,
                together=undoing.remove_together,
            )
        for name in ("Skill", "Team"):
            changes.undoes(self.get_model(name), undoing.put_back_row, named=undoing.named_by(self.get_model(name)))
        user_logged_in.connect(sessions.begin)
        user_logged_in.connect(unsent.claim)
        post_delete.connect(remove_file, sender=self.get_model("Photo"))


def imports() -> list:
    """What of people can be imported, in the order in which a program needs it."""
    from people import resources
    from people.imports.kinds import Kind

    return [
        Kind("mentees", _("Mentees"), lambda: resources.MenteeResource, "people.import_mentee", invites=True),
        Kind("mentors", _("Mentors"), lambda: resources.MentorResource, "people.import_mentor", invites=True),
        Kind("skills", _("Skills"), lambda: resources.SkillResource, "people.import_skill", at_once=500, together=100),
        Kind("teams", _("Teams"), lambda: resources.TeamResource, "people.import_team", at_once=500, together=100),
    ]
