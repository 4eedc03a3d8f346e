"""Run the parts of the test suite, one after the other, all of them whatever fails.

``make test`` calls this without arguments, ``make unit`` (and so on) with the names of parts; a
part that needs what most machines lack (Docker) runs only when it is named.
It prints what was skipped and why, the seconds of each part, and ends with one line:
``N passed, N failed``. With ``CI=true`` a skip is a failure: there, nothing may be missing.
"""
# ruff: noqa: T201 - printing is this script's work

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
PYTHON = (sys.executable, "-m")
PYTEST = (*PYTHON, "pytest", "-q")
NBVAL = (*PYTHON, "labkit.course.making.commands", "test")
# A docstring whose example needs a JVM or a broker; the tests of that module run the real thing.
EXAMPLE_ONLY = "all tests skipped by +SKIP option"
# A part is a list of commands; the markers of a test decide its part (see pyproject.toml).
PARTS: dict[str, list[tuple[str, ...]]] = {
    "lint": [(*PYTHON, "ruff", "check"), (*PYTHON, "ruff", "format", "--check")],
    "types": [(*PYTHON, "mypy")],
    "unit": [
        (*PYTEST, "-m", "not (service or spark or notebook or browser or cluster)"),
        (*PYTEST, "--doctest-modules", "labkit"),
    ],
    "services": [(*PYTEST, "-m", "service and not (spark or notebook or browser)")],
    "spark": [(*PYTEST, "-m", "spark and not (notebook or browser)")],
    "notebooks": [(*PYTEST, "-m", "notebook"), NBVAL],
    "browser": [(*PYTEST, "-m", "browser")],
    "cluster": [(*PYTHON, "pytest", "-v", "tests/cluster", "--durations=0", "--durations-min=1")],
}
ON_REQUEST = {"cluster"}


@dataclass
class Tally:
    """What a part came to: counts, the reasons of its skips, and real seconds."""

    passed: int = 0
    failed: int = 0
    skips: list[str] = field(default_factory=list)
    seconds: float = 0.0


def main(names: list[str]) -> int:
    """Run the named parts (none: all usual ones) and return the exit status: 0 if none failed."""
    usual = [name for name in PARTS if name not in ON_REQUEST]
    tallies = {name: run_part(name) for name in names or usual}
    print("\n== summary ==")
    for name, tally in tallies.items():
        counts = f"{tally.passed:5} passed {tally.failed:4} failed {len(tally.skips):4} skipped"
        print(f"{name:10} {counts} {tally.seconds:8.1f} s")
    for name, tally in tallies.items():
        for reason in tally.skips:
            print(f"skipped in {name}: {reason}")
    failed = sum(tally.failed for tally in tallies.values())
    if os.environ.get("CI") == "true":
        failed += sum(len(tally.skips) for tally in tallies.values())
    print(f"{sum(tally.passed for tally in tallies.values())} passed, {failed} failed")
    return min(failed, 1)


def run_part(name: str) -> Tally:
    """Run the commands of one part."""
    print(f"\n== {name} ==", flush=True)
    tally = Tally()
    start = time.monotonic()
    for command in PARTS[name]:
        run_command(command, tally)
    tally.seconds = time.monotonic() - start
    return tally


def run_command(command: tuple[str, ...], tally: Tally) -> None:
    """Run one command and add what it came to; one that writes no report counts as one test."""
    if not {"pytest", "labkit.course.making.commands"} & set(command):
        fine = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
        tally.passed += fine
        tally.failed += not fine
        return
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # Bars show on slow machines only, so no compared output may hold one.
        env = os.environ | {"LABKIT_BARS": "0"}
        run = subprocess.run((*command, f"--junitxml={report}"), cwd=ROOT, check=False, env=env)
        failed = count(report, tally) if report.exists() else 0
    # A crash, or a selection that found no test at all, must not look like success.
    if run.returncode and not failed:
        tally.failed += 1
        print(f"failed with exit status {run.returncode}: {' '.join(command[2:])}")


def count(report: Path, tally: Tally) -> int:
    """Add pytest's own report to ``tally``; return how many tests failed."""
    failed = 0
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own pytest wrote it
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skip is None or skip.get("type") == "pytest.xfail":
            tally.passed += 1
        elif skip.get("message") != EXAMPLE_ONLY:
            tally.skips.append(f"{case.get('name')}: {skip.get('message')}")
    tally.failed += failed
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
