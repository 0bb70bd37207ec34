"""A sender that may die: `python -m scheduling.tests.sender HOW SECONDS [POINT COUNT]`.

HOW is "house", or "naive": as it is often written. Its clock is SECONDS ahead. With a POINT it kills itself with SIGKILL when it
comes there for the COUNTth time. DATABASE_URL and EMAIL_URL say what it works on.
"""

import os
import signal
import smtplib
import sys
from datetime import UTC, datetime, timedelta

import django
import time_machine

# Where a sender dies, in the order in which it comes there: half of a message is on the line; the server has said yes; that is
# written and the next one claimed, and not committed; it is committed.
POINTS = ("giving", "given", "claimed", "written")


def die_at(point: str, count: int) -> None:
    """Put the point into the house's own functions."""
    from scheduling import delivery

    left = count

    def here(name: str, first=lambda: None) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if not left:
                first()
                os.kill(os.getpid(), signal.SIGKILL)

    def after(name: str, function):
        def wrapped(*args, **kwargs):
            answer = function(*args, **kwargs)
            here(name)
            return answer

        return wrapped

    delivery.claim = after("claimed", delivery.claim)
    delivery._go_on = after("written", delivery._go_on)
    give = smtplib.SMTP.data

    def data(self, message):
        def half():
            self.docmd("data")
            self.send(message[: len(message) // 2])

        here("giving", first=half)
        answer = give(self, message)
        here("given")
        return answer

    smtplib.SMTP.data = data


def naive() -> None:
    """Look what is due, send it, write down that it was sent. Nobody else is thought of."""
    from django.core.mail import get_connection

    from scheduling import delivery
    from scheduling.models import Notice

    connection = get_connection()
    due = Notice.objects.filter(state="pending").select_related("recipient", "session__mentor__user", "session__mentee__user")
    for notice in list(due.order_by("pk")):
        delivery.compose(notice, connection).send()
        Notice.objects.filter(pk=notice.pk).update(state="sent")


def main(how: str, seconds: str, point: str = "", count: str = "0") -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from scheduling import delivery

    if point:
        die_at(point, int(count))
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=int(seconds)), tick=True):
        if how == "naive":
            naive()
        while how == "house" and delivery.sweep():
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
