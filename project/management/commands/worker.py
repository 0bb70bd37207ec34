"""What runs beside the web server: sends what is due, expires requests, writes windows ahead."""

from django.core.management.base import BaseCommand

from project import worker


class Command(BaseCommand):
    help = "Run the task queue, and start it anew when it is dead, silent or deaf. Ctrl-C or SIGTERM stops it."

    def handle(self, *args, **options):
        worker.supervise()
