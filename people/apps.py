from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
    # 32-bit keys: the guard against double booking compares two people's keys in one integer array (scheduling/guard.py).
    default_auto_field = "django.db.models.AutoField"
