"""The report of the repeats tells every failure and every process that was left."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from labkit.course.making.proving import NOTHING, Proof

from . import repeat
from .repeat import MARK, Round, left_over, main, report


def proof(name, seconds, failed=0):
    return Proof(name, 4 - failed, failed, seconds, "", NOTHING)


def test_the_report_has_a_row_for_each_notebook_and_a_column_for_each_round():
    first = Round([proof("00_a.ipynb", 10), proof("01_b.ipynb", 20)], [])
    second = Round([proof("00_a.ipynb", 11, failed=1), proof("01_b.ipynb", 61.26)], ["java -x"])
    lines = report([first, second]).splitlines()
    assert "| notebook | round 1, s | round 2, s | cells | failed |" in lines
    assert "| 00_a.ipynb | 10.0 | 11.0 | 4 | 1 |" in lines
    assert "| 01_b.ipynb | 20.0 | 61.3 | 4 | 0 |" in lines
    assert "Slowest: 61.3 s; the goal is at most 60 s." in lines
    assert "Processes left after a round: 1." in lines
    assert "- round 2: `java -x`" in lines


def test_a_process_of_the_round_is_found_and_no_other():
    child = [sys.executable, "-c", "input()"]
    with subprocess.Popen(child, stdin=subprocess.PIPE, env=os.environ | {MARK: "ours"}) as process:
        assert left_over("ours", timeout_s=0.2) == [" ".join(child)]
        assert left_over("theirs", timeout_s=0.2) == []
        process.communicate(b"\n")
    assert left_over("ours", timeout_s=5) == []


@pytest.mark.parametrize(
    ("failed", "left", "status"), [(0, [], 0), (1, [], 1), (0, ["java -x"], 1)]
)
def test_the_exit_status_tells(monkeypatch, tmp_path, failed, left, status):
    rounds = lambda numbers, jobs: Round([proof("00_a.ipynb", 1, failed)], left)  # noqa: ARG005, E731
    monkeypatch.setattr(repeat, "run_round", rounds)
    page = tmp_path / "reports" / "notebooks.md"
    assert main(["--rounds", "2", "--report", str(page)]) == status
    assert "round 2, s" in page.read_text()
