"""Is anybody in two sessions at one time, or any hour offered twice? The guards refuse new overlaps; this looks at the rows
already there.
"""

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from scheduling.guard import GUARDS

SHOWN = 100


class Command(BaseCommand):
    help = "Count rows that share a person and a time, and say whether the guards stand. Exit code 1 if anything is wrong."
    # It must run where a guard is missing: that is when it is needed.
    requires_system_checks = []

    def handle(self, *args, **options):
        summaries = []
        wrong = away = False
        for guard in GUARDS:
            overlaps, standing = guard.overlaps(connection), guard.installed(connection)
            for one, other in overlaps[:SHOWN]:
                self.stdout.write(f"{guard.row} {one} overlaps {guard.row} {other}")
            if len(overlaps) > SHOWN:
                self.stdout.write(f"... and {len(overlaps) - SHOWN} more")
            summaries.append(f"{guard.row}s: {len(overlaps)} overlaps, the guard is {'in place' if standing else 'missing'}")
            wrong, away = wrong or bool(overlaps), away or not standing
        summary = "; ".join(summaries) + "."
        if wrong or away:
            hint = " Cancel or remove what overlaps, then run `manage.py migrate`: it puts the guard back." if away else ""
            raise CommandError(summary + hint)
        self.stdout.write(summary)
