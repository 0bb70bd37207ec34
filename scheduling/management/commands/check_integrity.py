"""Is anybody in two sessions at one time? The guard refuses new overlaps; this looks at the rows already there."""

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from scheduling import guard


class Command(BaseCommand):
    help = "Count sessions that share a person and a time, and say whether the guard stands. Exit code 1 if anything is wrong."
    # It must run where the guard is missing: that is when it is needed.
    requires_system_checks = []

    def handle(self, *args, **options):
        overlaps = guard.overlaps(connection)
        for one, other in overlaps[:100]:
            self.stdout.write(f"session {one} overlaps session {other}")
        if len(overlaps) > 100:
            self.stdout.write(f"... and {len(overlaps) - 100} more")
        standing = guard.installed(connection)
        summary = f"{len(overlaps)} overlaps; the guard is {'in place' if standing else 'missing'}."
        if overlaps or not standing:
            hint = "" if standing else " Cancel what overlaps, then run `manage.py migrate`: it puts the guard back."
            raise CommandError(summary + hint)
        self.stdout.write(summary)
