"""Testing lessons as CI does: nbval runs both versions of each and compares what they keep.

Each notebook is run by a pytest of its own, two at a time. Cells with the tag
``nbval-check-output`` are compared; every other cell has to run. In a source each check must pass
(``LABKIT_STRICT``); a lesson shows what its checks say to somebody who has not answered.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from labkit import settings
from labkit.course.making.abreast import abreast
from labkit.course.making.building import CELL_LIMIT_S, QUIET, STRICT
from labkit.course.making.notebooks import COURSE, lesson_path

ROOT = COURSE.parent
SOLUTIONS = "solutions"
SANITIZE = ROOT / "tests" / "notebooks" / "sanitize.cfg"
NBVAL = (
    *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env"),
    *("--nbval-sanitize-with", str(SANITIZE)),
)
NOTHING = "<testsuites />"
BAD = ("failure", "error")
# pytest's own limit for a cell comes after nbval's.
SLACK = 5
# What a lesson may take on two cores, in seconds of the real clock.
GOAL_S = 60


@dataclass(frozen=True)
class Proof:
    """How one notebook fared.

    Attributes
    ----------
    name
        Its path in the course.
    passed, failed
        How many cells.
    seconds
        Seconds of the real clock, with the start of its kernel.
    said
        What pytest printed.
    report
        Its JUnit report, XML.
    """

    name: str
    passed: int
    failed: int
    seconds: float
    said: str
    report: str


def prove(chosen: list[Path], *, jobs: int = 2) -> Iterator[Proof]:
    """Run nbval on sources and their lessons; yield how each notebook fared, in order.

    Parameters
    ----------
    chosen
        The sources, from :func:`labkit.course.making.notebooks.sources`.
    jobs
        How many notebooks at a time.
    """
    both = [path for source in chosen for path in (source, lesson_path(source))]
    return abreast(_prove_one, both, jobs=jobs)


def merged(proofs: list[Proof]) -> str:
    """Return one JUnit report of all proofs."""
    suites = ET.Element("testsuites")
    for proof in proofs:
        suites.extend(list(ET.fromstring(proof.report)))  # noqa: S314 - our own pytest wrote it
    return ET.tostring(suites, encoding="unicode")


def line(proof: Proof) -> str:
    """Return the line of a proof: its name, cells and seconds."""
    counts = f"{proof.passed:4} passed {proof.failed:3} failed"
    return f"{proof.name:45} {counts} {proof.seconds:6.1f} s{_over(proof.seconds)}"


def summary(proofs: list[Proof]) -> str:
    """Return the last line: cells of all notebooks, and the slowest notebook."""
    passed, failed = sum(proof.passed for proof in proofs), sum(proof.failed for proof in proofs)
    if not proofs:
        return "0 passed, 0 failed"
    slowest = max(proofs, key=lambda proof: proof.seconds)
    place = f"slowest: {slowest.name} {slowest.seconds:.1f} s{_over(slowest.seconds)}"
    return f"{passed} passed, {failed} failed; {place}"


def _over(seconds: float) -> str:
    return f", over {GOAL_S} s" if seconds > GOAL_S else ""


def _limits() -> tuple[str, ...]:
    limit_s = CELL_LIMIT_S * settings.patience()
    return ("--nbval-cell-timeout", f"{limit_s:.0f}", "--timeout", f"{SLACK * limit_s:.0f}")


def _prove_one(path: Path) -> Proof:
    env = os.environ | (STRICT if path.parent.name == SOLUTIONS else QUIET)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, *NBVAL, *_limits(), f"--junitxml={report}", str(path)]
        run = subprocess.run(
            command,
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        text = report.read_text() if report.exists() else NOTHING
    seconds = time.monotonic() - start
    return _proof(path, seconds, run.stdout, _honest(text, path, run.returncode))


def _honest(report: str, path: Path, status: int) -> str:
    """Return the report, with a failure of its own where pytest failed and no cell did."""
    suites = ET.fromstring(report)  # noqa: S314 - our own pytest wrote it
    if status == 0 or suites.find(".//failure") is not None or suites.find(".//error") is not None:
        return report
    case = ET.SubElement(ET.SubElement(suites, "testsuite"), "testcase", name=path.name)
    ET.SubElement(case, "failure", message=f"pytest ended with exit status {status}")
    return ET.tostring(suites, encoding="unicode")


def _proof(path: Path, seconds: float, said: str, report: str) -> Proof:
    cases = list(ET.fromstring(report).iter("testcase"))  # noqa: S314 - our own pytest wrote it
    failed = sum(any(case.find(word) is not None for word in BAD) for case in cases)
    name = str(path.relative_to(path.parents[path.parent.name == SOLUTIONS]))
    return Proof(name, len(cases) - failed, failed, seconds, said, report)
