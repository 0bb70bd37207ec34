"""One sweep by hand or by cron: the second way to send what is due, beside the worker."""

from django.core.management.base import BaseCommand

from scheduling.tasks import sweep


class Command(BaseCommand):
    help = "Send every notice that is due, once. Safe to run beside the worker."

    def handle(self, *args, **options):
        self.stdout.write(sweep())
