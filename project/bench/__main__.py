"""Run the benchmarks: `make bench`, or `python -m project.bench slots` for a part of them."""

import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from project.bench import MODULES, say, table
from project.bench.places import SCALES, made


def main(names: list[str]) -> None:
    scale = os.environ.get("BENCH_SCALE") or "usual"
    if scale not in SCALES:
        sys.exit(f"BENCH_SCALE is one of {', '.join(SCALES)}, not {scale!r}.")
    if unknown := set(names) - set(MODULES):
        sys.exit(f"There are benchmarks of {', '.join(MODULES)}, and none of {', '.join(sorted(unknown))}.")
    folder = Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parent.parent.parent / "data") / "bench"
    with made(os.environ.get("DATABASE_URL", ""), SCALES[scale], folder) as places:
        rows = []
        for name in names or MODULES:
            say(f"Measuring {name} ...")
            rows += import_module(f"project.bench.{name}").rows(places)
        results = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "scale": scale} | _versions()
    file = (
        folder / f"{results['at'].translate(str.maketrans(' :', '--'))}-{results['database'].split()[0].lower()}-{scale}.json"
    )
    file.write_text(json.dumps(results | {"rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    missed = sum(row.met is False for row in rows)
    sys.stdout.write(f"\n{results['database']}, scale {scale}\n\n{table(rows)}\n\n")
    sys.stdout.write(f"{missed or 'No'} {'goal' if missed == 1 else 'goals'} missed. Kept in {file}\n")


def _versions() -> dict[str, str]:
    import django
    from django.db import connection

    server = ".".join(map(str, connection.get_database_version()))
    return {
        "database": f"{connection.display_name} {server}",
        "python": platform.python_version(),
        "django": django.__version__,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
