"""A large program for rehearsals and measurements, made up and the same every time."""

from datetime import UTC, date, datetime

from django.core.management.base import BaseCommand, CommandError

from project.populate import Plan, populate
from project.progress import bar


class Command(BaseCommand):
    help = (
        "Fill an empty database with a made-up program. The same numbers, seed and day give the same data. It stands as at"
        " 00:00 UTC of that day: a worker that starts later finds the reminders of the hours between due, or too late."
    )

    def add_arguments(self, parser):
        parser.add_argument("--mentors", type=int, default=500)
        parser.add_argument("--mentees", type=int, default=2_000)
        parser.add_argument("--sessions", type=int, default=20_000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--today",
            type=date.fromisoformat,
            help="The day around which everything lies, like 2026-11-30. Default: today, in UTC.",
        )

    def handle(self, *args, mentors, mentees, sessions, seed, today, **options):
        if min(mentors, mentees, sessions) < 0:
            raise CommandError("Give numbers of people and sessions from 0 on.")
        try:
            plan = Plan.of(mentors, mentees, sessions)
            written = populate(plan, seed=seed, today=today or datetime.now(UTC).date(), progress=bar(self.stdout))
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(f"{number:>10,} {what}" for what, number in written.items()))
