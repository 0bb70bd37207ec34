from django.apps import AppConfig, apps
from django.core.management import call_command
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        from project import groups

        # The last app that has models: by then every permission is there. (An app without models is sent no signal.)
        last = apps.get_app_config("scheduling")
        post_migrate.connect(groups.install, sender=last, dispatch_uid="project.groups")
        post_migrate.connect(create_cache_table, sender=last, dispatch_uid="project.cache")


def create_cache_table(using: str, **kwargs) -> None:
    call_command("createcachetable", database=using, verbosity=0)
