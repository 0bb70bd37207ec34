"""The demo: a real program's sheets and a small one around them, web and worker in one foreground process."""

import os
import socket
import sys

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from project import processes
from project.demo import load


class Command(BaseCommand):
    help = "Run the demo program (`make demo` calls this)."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args, port, **options):
        if not settings.DEMO:
            raise CommandError(
                "The demo runs with DEMO=1 only, so that its people never land in a real program. Use `make demo`."
            )
        if not _free(port):
            raise CommandError(f"Port {port} is in use. Choose another one: make demo PORT={port + 1}")
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0)
        if not load.loaded():
            self._load()
        address = f"http://127.0.0.1:{port}"
        self._greet(address)
        ended = processes.run(
            {
                "web": [
                    *(sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}"),
                    *("--workers", "1", "--threads", "8", "--access-logfile", "-", "--no-control-socket"),
                ],
                "worker": [sys.executable, "manage.py", "worker"],
            },
            env=os.environ | {"SITE_URL": address, "DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONUNBUFFERED": "1"},
            log_dir=settings.DATA_DIR / "logs",
        )
        if ended:
            name, code = ended
            raise CommandError(f"The {name} process ended by itself (code {code}). See {settings.DATA_DIR}/logs/{name}.log")
        self.stdout.write("\nStopped. The data is kept; `make demo` goes on with it.")

    def _load(self):
        self.stdout.write("Loading the demo program ...")
        shown = -1

        def progress(done, of):
            nonlocal shown
            percent = done * 100 // of
            if percent != shown and (self.stdout.isatty() or percent % 25 == 0):
                shown = percent
                self.stdout.write(
                    f"\r  [{'#' * (percent // 4):<25}] {percent:3} %", ending="" if self.stdout.isatty() else "\n"
                )
                self.stdout.flush()

        try:
            load.load(progress)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("")

    def _greet(self, address):
        rows = [f"{role:<12} {email:<30} {password}" for role, (email, password) in load.logins(settings.DATA_DIR).items()]
        self.stdout.write(
            "\n".join(
                [
                    "",
                    f"  {address}/             for mentors and mentees",
                    f"  {address}/admin/       for coordinators",
                    f"  {address}/demo/mail/   the mail that the program sends",
                    "",
                    *rows,
                    "",
                    "A second factor for staff is off in this demo. Ctrl-C stops it.",
                    "",
                ]
            )
        )
        self.stdout.flush()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
