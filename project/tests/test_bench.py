"""The benchmarks measure what they say: the same answers, counted and told right. How fast we are is not asked here."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from project.bench import Row, compared, in_turn, ratio, table


def bench(folder, *names, **env):
    env = os.environ | {"DATA_DIR": str(folder), "BENCH_SCALE": "tiny", "PYTHONWARNINGS": "error"} | env
    command = [sys.executable, "-m", "project.bench", *names]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=240)


@pytest.mark.once
def test_every_row_is_measured_in_databases_of_its_own(tmp_path):
    """Ours and the floors answer the same, or it would have stopped; nothing is left behind but the results."""
    run = bench(tmp_path)
    assert run.returncode == 0, run.stderr
    [file] = (tmp_path / "bench").iterdir()
    results = json.loads(file.read_text())
    begin = (
        "first 50 mentors with SQL free this week",
        "all mentors free this week",
        "queries",
        "first 50:",
        "all mentors:",
        "/mentor/ whole",
        "/mentor/ queries",
        "/mentee/ whole",
        "/mentee/ queries",
        "/session/ whole",
        "/session/ queries",
        "the first page, the database",
        "the palette, a name that many have,",
        "the palette, an address,",
        "the palette, no hit,",
        "sessions, ahead:",
        "sessions, today:",
        "sessions, this week:",
        "sessions, waiting:",
        "sessions, to report:",
        "sessions, all:",
        "sessions, all, searched for a common name:",
        "sessions, searched, no hit:",
        "sessions, the slowest of these",
        "bookings in-process",
        "booking over HTTP",
        "a sweep with nothing due",
        "of that",
        "20 notices to a mail server;",
        "20 notices to a mail server by two",
        "hand-over desk: 60 sessions with",
        "hand-over desk: what",
        "hand-over desk: 60 sessions handed",
        "hand-over desk: queries",
        "export of",
        "export, memory",
        "import of 100 new mentees;",
        "the longest that such an import",
        "the same file once more,",
    )
    rows = {start: row for start, row in zip(begin, results["rows"], strict=True) if row["what"].startswith(start)}
    assert tuple(rows) == begin
    assert rows["queries"]["met"], rows["queries"]
    assert rows["booking over HTTP"]["met"], rows["booking over HTTP"]
    assert rows["hand-over desk: queries"]["met"], rows["hand-over desk: queries"]
    assert all(rows[f"/{name}/ queries"]["met"] for name in ("mentor", "mentee", "session"))
    assert all(len(seconds) > 4 for name in begin[:2] for seconds in rows[name]["runs"].values())
    assert "0 overlaps" in run.stdout
    assert str(file) in run.stdout


@pytest.mark.parametrize(
    ("names", "env", "sentence"),
    [
        ((), {"BENCH_SCALE": "huge"}, "BENCH_SCALE is one of tiny, usual, full, not 'huge'."),
        (
            ("slots", "coffee"),
            {},
            "There are benchmarks of slots, api, desk, sessions, booking, mail, handover, sheets, and none of coffee.",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(tmp_path, names, env, sentence):
    run = bench(tmp_path, *names, **env)
    assert (run.returncode, run.stderr.strip()) == (1, sentence)


def test_jobs_take_turns_and_the_first_round_does_not_count():
    told = []
    seconds = in_turn(
        2, before=lambda name: told.append(f"to {name}"), ours=lambda: told.append("A"), floor=lambda: told.append("B")
    )
    assert told == ["to ours", "A", "to floor", "B"] * 3
    assert {name: len(times) for name, times in seconds.items()} == {"ours": 2, "floor": 2}


def test_the_ratio_is_that_of_neighbors():
    """The machine slowed down for one pair: that changes nothing."""
    assert ratio({"ours": [2.0, 40.0, 2.0], "floor": [1.0, 20.0, 1.0]}) == 2


def test_a_goal_missed_is_shown_as_missed():
    fast, slow = ({"ours": [ours], "floor": [0.01]} for ours in (0.02, 0.05))
    rows = [compared("to look", fast, 3), compared("to leap", slow, 3), Row("to stay", "quiet")]
    assert table(rows).splitlines() == [
        "what     ours     floor    ratio  goal        met",
        "-------  -------  -------  -----  ----------  ------",
        "to look  20.0 ms  10.0 ms  2.00x  at most 3x  yes",
        "to leap  50.0 ms  10.0 ms  5.00x  at most 3x  MISSED",
        "to stay  quiet    -        -      -           -",
    ]
