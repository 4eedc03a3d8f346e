"""Run nbval on all notebooks five times; write what each took, and what was left behind.

make campaign                                             everything in this folder
.venv/bin/python tests/campaign/repeat.py --rounds 2 00   two rounds of lesson 00
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from labkit.course.making.notebooks import sources
from labkit.course.making.proving import GOAL_S, Proof, line, prove
from labkit.errors import NotReady
from labkit.waiting import wait_until

REPORT = Path(__file__).parents[2] / "docs" / "reports" / "notebooks.md"
# Child processes inherit it, so processes of this round can be told from all others.
MARK = "LAB_TEST_RUN"


@dataclass(frozen=True)
class Round:
    """One run of all notebooks, and the processes that outlived it."""

    proofs: list[Proof]
    left: list[str]

    @property
    def failed(self) -> int:
        return sum(proof.failed for proof in self.proofs) + len(self.left)


def run_round(lessons: Sequence[Path], *, jobs: int) -> Round:
    """Run both versions of every lesson once, then look for processes of this round."""
    mark = uuid.uuid4().hex
    os.environ[MARK] = mark
    try:
        proofs = []
        for proof in prove(lessons, jobs=jobs):
            proofs.append(proof)
            print(line(proof), flush=True)
            if proof.failed:
                print(proof.said, flush=True)
    finally:
        del os.environ[MARK]
    return Round(proofs, left_over(mark))


def left_over(mark: str, *, timeout_s: float = 10) -> list[str]:
    """Return the processes of a round that do not end by themselves in a few seconds."""
    try:
        wait_until(lambda: not _marked(mark), what="processes are left", timeout_s=timeout_s)
    except NotReady:
        return _marked(mark)
    return []


def report(rounds: list[Round]) -> str:
    """Return the report: a row for each notebook, a column for each round."""
    numbers = range(1, len(rounds) + 1)
    rows = [
        ["notebook", *(f"round {n}, s" for n in numbers), "cells", "failed"],
        ["---", *("---:" for _ in range(len(rounds) + 2))],
    ]
    for proofs in zip(*(r.proofs for r in rounds), strict=True):
        times = [f"{proof.seconds:.1f}" for proof in proofs]
        cells = str(proofs[0].passed + proofs[0].failed)
        rows.append([proofs[0].name, *times, cells, str(sum(proof.failed for proof in proofs))])
    slowest = max(proof.seconds for r in rounds for proof in r.proofs)
    left = [
        f"- round {n}: `{name}`" for n, r in zip(numbers, rounds, strict=True) for name in r.left
    ]
    return "\n".join(
        [
            "# Notebooks, again and again",
            "",
            f"`make campaign`: nbval on every notebook, {len(rounds)} times",
            f"on {os.cpu_count()} cores. Real seconds, with the start of Python and kernel.",
            "",
            *("| " + " | ".join(row) + " |" for row in rows),
            "",
            f"Slowest: {slowest:.1f} s; the goal is at most {GOAL_S} s.",
            f"Processes left after a round: {sum(len(r.left) for r in rounds)}.",
            *left,
            "",
        ]
    )


def main(words: list[str]) -> int:
    """Run the rounds, write the report, return 1 if a cell failed or a process was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", help="lessons (none: all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args(words)
    lessons = sources(tuple(given.numbers))  # once: a lesson that appears meanwhile has no round 1
    rounds = []
    for number in range(1, given.rounds + 1):
        print(f"== round {number}", flush=True)
        rounds.append(run_round(lessons, jobs=given.jobs))
        print("".join(f"left: {name}\n" for name in rounds[-1].left), end="", flush=True)
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(report(rounds))
    failed = sum(r.failed for r in rounds)
    print(f"{len(rounds)} rounds, {failed} failed; report: {given.report}")
    return min(1, failed)


def _marked(mark: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != "zombie":
                found.append(" ".join(process.cmdline())[:120])
        except psutil.Error:
            continue  # gone meanwhile, or somebody else's
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
