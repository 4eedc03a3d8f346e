"""Run the cells of the lessons about DStreams again and again in one Java, and compare.

make campaign                                             everything in this folder
.venv/bin/python tests/campaign/dstreams.py --rounds 3 07    three rounds of lesson 07
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

import labkit as lab
from labkit.course.making.notebooks import read, sources, tags

if __name__ == "__main__":
    from mutation.tasks import run
else:
    from .mutation.tasks import run

REPORT = Path(__file__).parents[2] / "docs" / "reports" / "dstreams.md"
LESSONS = ("06", "07")
ROUNDS = 20


@dataclass(frozen=True)
class Round:
    """What the compared cells of a lesson have printed, and how long all cells took.

    Parameters
    ----------
    said
        The text of each compared cell by its number.
    seconds
        Of the real clock.
    """

    said: dict[int, str]
    seconds: float


@dataclass(frozen=True)
class Difference:
    """A cell that has said something else than in the first round."""

    cell: int
    number: int
    first: str
    now: str


def run_round(notebook: Any) -> Round:
    """Run all code cells in their order, but for the teardown, which would end Spark."""
    start, said = time.monotonic(), {}
    space: dict[str, Any] = {"__name__": "__main__"}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or "teardown" in tags(cell):
            continue
        page = io.StringIO()
        with redirect_stdout(page):
            value = run(cell.source, space)
        if "nbval-check-output" in tags(cell):
            said[place] = page.getvalue() + ("" if value is None else repr(value))
    return Round(said, time.monotonic() - start)


def differences(rounds: Iterable[Round]) -> list[Difference]:
    """Return where a later round has said something else than the first one."""
    first, *others = rounds
    return [
        Difference(cell, number, text, other.said.get(cell, ""))
        for number, other in enumerate(others, start=2)
        for cell, text in first.said.items()
        if other.said.get(cell, "") != text
    ]


def report(lessons: dict[str, list[Round]]) -> str:
    """Return the report: a row for each lesson, and each cell that differs."""
    rows, told = [], []
    for name, rounds in lessons.items():
        found = differences(rounds)
        seconds = sorted(one.seconds for one in rounds)
        span = f"{seconds[0]:.1f} to {seconds[-1]:.1f}"
        rows.append(f"| {name} | {len(rounds)} | {len(rounds[0].said)} | {span} | {len(found)} |")
        told += [
            f"\n{name}, cell {one.cell}, round {one.number}:\n\n"
            f"```\n{one.first}\n---\n{one.now}\n```"
            for one in found
        ]
    return "\n".join(
        [
            "# The same batches in each run",
            "",
            "`python tests/campaign/dstreams.py`: all cells of a lesson, again and again in one",
            "Java. What a compared cell says must be what it said in the first round.",
            "",
            "| lesson | rounds | compared cells | s a round | differences |",
            "| --- | ---: | ---: | ---: | ---: |",
            *rows,
            *told,
            "",
        ]
    )


def main(words: list[str]) -> int:
    """Run the rounds, write the report; return 1 if a cell has said different things."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", help=f"lessons (none: {' '.join(LESSONS)})")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args(words)
    lessons = {}
    try:
        for path in sources(tuple(given.numbers) or LESSONS):
            bar = tqdm(range(given.rounds), desc=path.stem, disable=None)
            notebook = read(path)
            lessons[path.name] = [run_round(notebook) for _ in bar]
    finally:
        lab.stop_all()
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(report(lessons))
    failed = sum(len(differences(rounds)) for rounds in lessons.values())
    print(f"{given.rounds} rounds, {failed} differences; report: {given.report}")
    return min(1, failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
