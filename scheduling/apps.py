from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        from people import changes, privacy
        from people.imports import kinds
        from people.models import User
        from scheduling import coming_back, guard, last_days, restoring, tasks
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
            aside=undoing.aside,
            in_the_way=undoing.IN_THE_WAY,
        )
        window, hours, off = (self.get_model(name) for name in ("Availability", "WeeklyHours", "TimeOff"))
        changes.undoes(window, restoring.put_back, named=coming_back.named_times(window))
        changes.undoes(hours, restoring.put_back)
        changes.undoes(off, coming_back.put_back_time_off, named=coming_back.named_times(off))
        changes.undoes(User, last_days.put_back, named=coming_back.named_people)
        for kind in imports():
            kinds.register(kind)


def imports() -> list:
    """What of scheduling can be imported. These write through the verbs, row by row: fewer are done at once."""
    from people.imports.kinds import Kind
    from scheduling import resources

    one_by_one = {"at_once": 100, "together": 20, "most": 20_000}
    return [
        Kind("hours", _("Weekly hours"), lambda: resources.WeeklyHoursResource, "scheduling.import_weeklyhours", **one_by_one),
        Kind("windows", _("Windows"), lambda: resources.AvailabilityResource, "scheduling.import_availability", **one_by_one),
        Kind(
            "sessions",
            _("Sessions to come"),
            lambda: resources.SessionResource,
            "scheduling.import_session",
            warning=_("each is booked like by hand: the rules are asked, and people are told."),
            **one_by_one,
        ),
        Kind(
            "past",
            _("Past sessions"),
            lambda: resources.PastSessionResource,
            "scheduling.import_session",
            warning=_("the history of another system, written as it was. No rules are asked, and nobody is told."),
        ),
    ]
