"""How fast is it? Ours against a floor, in one run on one machine: `make bench`. docs/benchmarks.md explains each row.

A floor is the least work that gives the same answer; each module says what that is, and looks whether both answers are the
same before it measures. A module has a function `rows(places)` that yields its part of the table, and is named in MODULES.
"""

import gc
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

# In the order of the table.
MODULES = ("slots", "api", "desk", "sessions", "booking", "mail", "handover", "sheets")


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` is None where there is no goal; ``runs`` is what the medians were taken from."""

    what: str
    ours: str
    floor: str = "-"
    ratio: float | None = None
    goal: str = "-"
    met: bool | None = None
    runs: dict[str, list[float]] = field(default_factory=dict)


def say(sentence: str) -> None:
    """What is being done; the table comes at the end."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def in_turn(
    runs: int, *, before: Callable[[str], object] = lambda name: None, **jobs: Callable[[], object]
) -> dict[str, list[float]]:
    """The seconds of each job, so many times in turn (A B A B), after once that does not count: noise meets all alike.

    ``before`` is called with the job's name, and its time does not count either.
    """
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    # What Django has loaded is left out of the rounds of the garbage collector: one such round takes as long as a question,
    # and meets whichever job is just running.
    gc.collect()
    gc.freeze()
    try:
        for run in range(runs + 1):
            for name, job in jobs.items():
                before(name)
                begun = perf_counter()
                job()
                if run:
                    seconds[name].append(perf_counter() - begun)
    finally:
        gc.unfreeze()
    return seconds


def ratio(seconds: dict[str, list[float]]) -> float:
    """Ours to floor: the median of the pairs' ratios. A machine that is slow for a while is slow for both."""
    return median(ours / floor for ours, floor in zip(seconds["ours"], seconds["floor"], strict=True))


def compared(what: str, seconds: dict[str, list[float]], at_most: float, goal: str = "") -> Row:
    """A row of times: ours, the floor's, and how many times as long ours takes."""
    times = ratio(seconds)
    ours, floor = (f"{1000 * median(seconds[name]):,.1f} ms" for name in ("ours", "floor"))
    return Row(what, ours, floor, times, goal or f"at most {at_most:g}x", times <= at_most, seconds)


def table(rows: Iterable[Row]) -> str:
    """For people, in columns."""
    met = {True: "yes", False: "MISSED", None: "-"}
    lines = [("what", "ours", "floor", "ratio", "goal", "met")]
    for row in rows:
        times = "-" if row.ratio is None else f"{row.ratio:.2f}x"
        lines.append((row.what, row.ours, row.floor, times, row.goal, met[row.met]))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
