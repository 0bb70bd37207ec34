from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        from people import changes, privacy
        from scheduling import guard, tasks
        from scheduling.booking import undoing
        from scheduling.privacy import SchedulingKeeper

        post_migrate.connect(guard.install_after_migrate, sender=self, dispatch_uid="scheduling.guard")
        post_migrate.connect(tasks.install_schedules, sender=self, dispatch_uid="scheduling.schedules")
        register(guard.check)
        privacy.register(SchedulingKeeper())
        changes.undoes(
            self.get_model("Session"),
            undoing.put_back,
            first=undoing.lock_all,
            named=undoing.named,
            warned=undoing.warned,
            hidden=undoing.HIDDEN,
        )
