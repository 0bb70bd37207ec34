"""What the worker calls. Each task is safe to run late, twice, or in two places."""

import logging

from django_q.models import Schedule

from scheduling import delivery

logger = logging.getLogger(__name__)


def send_due() -> str:
    """Send every due notice: once a minute, and at once after a booking."""
    outcome = delivery.sweep()
    said = ", ".join(f"{count} {state}" for state, count in sorted(outcome.items()))
    if said:
        logger.info("notices: %s", said)
    return said or "nothing was due"


SCHEDULES = {"send due notices": {"func": "scheduling.tasks.send_due", "schedule_type": Schedule.MINUTES, "minutes": 1}}


def install_schedules(using: str, **kwargs) -> None:
    """A `post_migrate` receiver: the schedules are defined here, never typed into a page."""
    for name, fields in SCHEDULES.items():
        Schedule.objects.using(using).update_or_create(name=name, defaults=fields)
