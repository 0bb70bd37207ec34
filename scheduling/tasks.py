"""What the worker calls. Each task is safe to run late, twice, or in two places."""

import logging

from django_q.models import Schedule
from django_q.tasks import async_task

from scheduling import booking, delivery, last_days, offering

logger = logging.getLogger(__name__)


def send_due() -> str:
    """Send every due notice: once a minute, and at once after a booking."""
    if delivery.many_due():
        async_task("scheduling.tasks.help_to_send")
    return sweep()


def help_to_send() -> str:
    """Where much is due, the worker's second process begins at the other end."""
    return sweep(last_first=True)


def sweep(*, last_first: bool = False) -> str:
    """One sweep, and what came of it in words."""
    outcome = delivery.sweep(last_first=last_first)
    said = ", ".join(f"{count} {state}" for state, count in sorted(outcome.items()))
    if said:
        logger.info("notices: %s", said)
    return said or "nothing was due"


def expire_requests() -> str:
    """Free the time of requests that nobody answered."""
    expired = booking.expire_unanswered()
    if expired:
        logger.info("requests: %s expired", expired)
    return f"{expired} expired"


def write_windows() -> str:
    """Write windows out of the weekly hours, one day further than yesterday."""
    done = offering.write_ahead()
    return f"{done['written']} written, {done['removed']} removed"


def let_go() -> str:
    """Deactivate whose last day is over: every hour, so that it is soon after midnight in any program's zone."""
    done, undecided = last_days.let_go()
    if undecided:
        logger.warning("last days: %s people are still active, since sessions of theirs are not decided about", undecided)
    return f"{done} deactivated, {undecided} undecided"


SCHEDULES = {
    "send due notices": {"func": "scheduling.tasks.send_due", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "expire requests": {"func": "scheduling.tasks.expire_requests", "schedule_type": Schedule.MINUTES, "minutes": 5},
    "send invitations": {"func": "people.tasks.send_invitations", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "forget log-ins": {"func": "people.tasks.forget_log_ins", "schedule_type": Schedule.DAILY},
    "forget imports": {"func": "people.tasks.forget_imports", "schedule_type": Schedule.HOURLY},
    "let go": {"func": "scheduling.tasks.let_go", "schedule_type": Schedule.HOURLY},
    "write windows": {"func": "scheduling.tasks.write_windows", "schedule_type": Schedule.DAILY},
}


def install_schedules(using: str, **kwargs) -> None:
    """A `post_migrate` receiver: the schedules are defined here, never typed into a page."""
    for name, fields in SCHEDULES.items():
        Schedule.objects.using(using).update_or_create(name=name, defaults=fields)
