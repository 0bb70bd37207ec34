"""A second sender: `python -m project.bench.second` sweeps from the other end for each line it is given, and says when it is done."""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from django.db import connection

    from scheduling import delivery

    connection.ensure_connection()
    for _ in sys.stdin:
        while delivery.sweep(last_first=True):
            pass
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
