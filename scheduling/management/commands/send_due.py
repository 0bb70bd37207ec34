"""One sweep by hand or by cron: the second way to send what is due, beside the worker."""

import subprocess
import sys

from django.conf import settings
from django.core.management.base import BaseCommand

from scheduling import delivery
from scheduling.tasks import sweep

HELPER = "--from-the-end"


class Command(BaseCommand):
    help = "Send every notice that is due, once. Safe to run beside the worker."

    def add_arguments(self, parser):
        parser.add_argument(HELPER, action="store_true", help="Begin with the one that is due last.")

    def handle(self, *args, from_the_end=False, **options):
        helper = None
        if not from_the_end and delivery.many_due():
            # As in the worker, a second sender begins at the other end.
            helper = subprocess.Popen([sys.executable, settings.BASE_DIR / "manage.py", "send_due", HELPER])  # noqa: S603  our own words
        self.stdout.write(sweep(last_first=from_the_end))
        if helper:
            self.stdout.flush()
            sys.exit(helper.wait())
