from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete


class PeopleConfig(AppConfig):
    name = "people"
    # 32-bit keys: the guard against double booking compares two people's keys in one integer array (scheduling/guard.py).
    default_auto_field = "django.db.models.AutoField"

    def ready(self):
        from people import privacy, sessions, unsent
        from people.keeping import PeopleKeeper
        from people.photos import remove_file

        privacy.register(PeopleKeeper())
        user_logged_in.connect(sessions.begin)
        user_logged_in.connect(unsent.claim)
        post_delete.connect(remove_file, sender=self.get_model("Photo"))
