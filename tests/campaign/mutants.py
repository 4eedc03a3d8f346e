"""Change one thing in each reference answer, and see whether its check notices.

.venv/bin/python tests/campaign/mutants.py                all lessons; writes the report
.venv/bin/python tests/campaign/mutants.py 03 04          some; the other parts of the report stay
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from labkit.course.making.notebooks import sources

if __name__ == "__main__":
    from mutation.lessons import Lesson, run_lesson, worker_command
    from mutation.report import merged, read_reasons, section, stale, unexplained
else:
    from .mutation.lessons import Lesson, run_lesson, worker_command
    from .mutation.report import merged, read_reasons, section, stale, unexplained

REPORT = Path(__file__).parents[2] / "docs" / "reports" / "mutants.md"
# A check takes some seconds, and there are lessons with very many mutants.
MOST = 40


def main(words: list[str]) -> int:
    """Run the mutants, write the report; return 1 if one survives without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", help="lessons (none: all)")
    parser.add_argument("--most", type=int, default=MOST, help="mutants of a task")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args(words)
    os.environ.pop("LABKIT_STRICT", None)  # a mutant is judged, not raised
    reasons, failed = read_reasons(), 0
    for path in sources(tuple(given.numbers)):
        start = time.monotonic()
        command = worker_command(Path(__file__), path.name[:2])
        lesson = run_lesson(path, command, most=given.most)
        failed += _told(lesson, reasons, time.monotonic() - start)
        old = given.report.read_text() if given.report.exists() else ""
        given.report.parent.mkdir(parents=True, exist_ok=True)
        given.report.write_text(merged(old, {lesson.number: section(lesson, reasons)}))
    print(f"{failed} to look at; report: {given.report}")
    return min(1, failed)


def _told(lesson: Lesson, reasons: dict[tuple[str, str], str], seconds: float) -> int:
    """Print what a lesson's mutants have shown; return how much of it somebody has to mend."""
    alive, old = unexplained(lesson, reasons), stale(lesson, reasons)
    words = [
        *(f"{one.task} {one.kind} survived\n{one.diff}" for one in alive),
        *(f"{one.task} {one.kind} has a reason and is killed\n{one.diff}" for one in old),
        *lesson.trouble,
    ]
    count = len(lesson.tried)
    print(f"== {lesson.number}: {count} mutants, {len(alive)} alive, {seconds:.0f} s", flush=True)
    print("".join(f"{line}\n" for line in words), end="", flush=True)
    return len(words)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        from mutation.worker import main as work

        sys.exit(work())
    sys.exit(main(sys.argv[1:]))
