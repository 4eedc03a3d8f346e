"""nbval on small notebooks: a cell that says something else, a cell that fails, a crash."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import nbformat
import pytest
from click.testing import CliRunner

from labkit.course.making import proving
from labkit.course.making.building import build
from labkit.course.making.commands import notebooks
from labkit.course.making.notebooks import lesson_path, read
from labkit.course.making.proving import Proof, line, merged, prove, summary

KEPT = ["keep_output", "nbval-check-output"]
STRICT = "import os\nassert os.environ.get('LABKIT_STRICT') == ('1' if answer == 2 else None)"


@pytest.fixture
def source(tmp_path):
    """Return a built source: an answer, a compared cell, a check that is strict in the source."""
    cells = [
        ("# BEGIN SOLUTION\n# STUB answer = ...\nanswer = 2\n# END SOLUTION", ["answer"]),
        ("answer", ["check", *KEPT]),
        (STRICT, []),
    ]
    made = [nbformat.v4.new_code_cell(code, metadata={"tags": tags}) for code, tags in cells]
    path = tmp_path / "solutions" / "00_small.ipynb"
    path.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    assert [outcome.troubles for outcome in build([path])] == [()]
    return path


def changed(path, number, change):
    notebook = read(path)
    change(notebook.cells[number])
    nbformat.write(notebook, path)


@pytest.mark.notebook
def test_both_versions_run_each_in_its_own_way(source):
    proofs = list(prove([source]))
    assert [(p.name, p.passed, p.failed) for p in proofs] == [
        ("solutions/00_small.ipynb", 3, 0),
        ("00_small.ipynb", 3, 0),
    ]
    assert len(list(ET.fromstring(merged(proofs)).iter("testcase"))) == 6  # noqa: S314


@pytest.mark.notebook
def test_another_output_a_failing_cell_and_no_notebook_are_failures(source):
    changed(source, 1, lambda cell: cell.outputs[0].data.update({"text/plain": "3"}))
    changed(lesson_path(source), 0, lambda cell: cell.update(source="answer = 1 / 0"))
    in_source, in_lesson = prove([source])
    assert (in_source.passed, in_source.failed) == (2, 1)
    assert "mismatch" in in_source.said
    assert in_lesson.failed == 3
    assert "ZeroDivisionError" in in_lesson.said
    lesson_path(source).unlink()
    assert [proof.failed for proof in prove([source])] == [1, 1]


@pytest.mark.notebook
def test_the_command_prints_writes_a_report_and_fails(source, monkeypatch, tmp_path):
    monkeypatch.setattr("labkit.course.making.notebooks.sources", lambda _: [source])
    report = tmp_path / "report.xml"
    result = CliRunner().invoke(notebooks, ["test", "--junitxml", str(report)])
    assert (result.exit_code, result.output.splitlines()[-1][:19]) == (0, "6 passed, 0 failed;")
    assert len(list(ET.parse(report).iter("testcase"))) == 6  # noqa: S314
    changed(source, 2, lambda cell: cell.update(source="no_name"))
    result = CliRunner().invoke(notebooks, ["test"])
    assert (result.exit_code, result.output.splitlines()[-1][:19]) == (1, "5 passed, 1 failed;")
    assert "no_name" in result.output


def proof(name="00_a.ipynb", *, seconds=3.04, failed=0):
    return Proof(name, 4, failed, seconds, "", proving.NOTHING)


def test_a_slow_notebook_is_told():
    assert line(proof()).split() == ["00_a.ipynb", "4", "passed", "0", "failed", "3.0", "s"]
    assert line(proof(seconds=60.1)).endswith("60.1 s, over 60 s")
    assert summary([proof(failed=1), proof("01_b.ipynb", seconds=61)]) == (
        "8 passed, 1 failed; slowest: 01_b.ipynb 61.0 s, over 60 s"
    )
    assert summary([]) == "0 passed, 0 failed"


def test_a_pytest_that_crashed_is_a_failure(tmp_path):
    path = tmp_path / "00_a.ipynb"
    assert "exit status 4" in proving._honest(proving.NOTHING, path, 4)
    assert proving._honest(proving.NOTHING, path, 0) == proving.NOTHING
    bad = "<testsuites><testsuite><testcase><failure/></testcase></testsuite></testsuites>"
    assert proving._honest(bad, path, 1) == bad
