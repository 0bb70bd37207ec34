from django.apps import AppConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        from project import groups

        # Last of all apps, so every permission is there.
        post_migrate.connect(groups.install, sender=self, dispatch_uid="project.groups")
        post_migrate.connect(create_cache_table, sender=self, dispatch_uid="project.cache")


def create_cache_table(using: str, **kwargs) -> None:
    call_command("createcachetable", database=using, verbosity=0)
