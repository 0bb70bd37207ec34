from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        from people import changes, privacy
        from people.models import User
        from scheduling import coming_back, guard, leaving, tasks
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
        window, off = self.get_model("Availability"), self.get_model("TimeOff")
        changes.undoes(window, coming_back.put_back_window, named=coming_back.named_times(window))
        changes.undoes(off, coming_back.put_back_time_off, named=coming_back.named_times(off))
        changes.undoes(User, leaving.put_back, named=coming_back.named_people)
