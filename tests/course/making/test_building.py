"""Real kernels run small notebooks: what is kept, what is told, and that two builds are equal."""

from __future__ import annotations

import nbformat
import pytest

from labkit.course.making.building import build, drifted, executed
from labkit.course.making.notebooks import lesson_path, read
from labkit.errors import BadData

pytestmark = pytest.mark.notebook
KEPT = ["keep_output", "nbval-check-output"]
TASK = "# BEGIN SOLUTION\n# STUB answer = ...\nanswer = 2\n# END SOLUTION"
CHECK = "print('Not yet' if answer is ... else 'Right')"


@pytest.fixture
def source(tmp_path):
    """Return a function that writes a source of cells, each its text and tags."""

    def make(*cells, name="00_small.ipynb"):
        made = [nbformat.v4.new_code_cell(c, metadata={"tags": tags}) for c, tags in cells]
        path = tmp_path / "solutions" / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    return make


def told(outcomes):
    return [line for outcome in outcomes for line in outcome.troubles]


def test_a_source_keeps_what_it_says_and_a_lesson_its_verdicts(source):
    path = source(("1 + 1", KEPT), ("2 + 2", []), (TASK, ["answer"]), (CHECK, ["check", *KEPT]))
    assert told(build([path])) == []
    kept, dropped, _, check = read(path).cells
    assert (kept.outputs[0].data["text/plain"], kept.execution_count) == ("2", 1)
    assert (dropped.outputs, dropped.execution_count) == ([], None)
    assert check.outputs[0].text == "Right\n"
    hidden, _, stub, verdict = read(lesson_path(path)).cells
    assert hidden.outputs == []
    assert stub.source == "answer = ..."
    assert (verdict.outputs[0].text, verdict.execution_count) == ("Not yet\n", 4)


def test_two_builds_give_the_same_bytes_one_or_two_at_a_time(source):
    prints = "import sys\nfor n in range(50):\n    print(n, flush=True)\nprint(1, file=sys.stderr)"
    paths = [source((prints, KEPT), ("object()", []), name=f"0{n}_small.ipynb") for n in (0, 1)]
    assert told(build(paths, jobs=2)) == []
    files = [*paths, *map(lesson_path, paths)]
    first = [path.read_bytes() for path in files]
    assert told(build(paths, jobs=1)) == []
    assert [path.read_bytes() for path in files] == first


def test_every_failing_cell_is_told_and_nothing_is_written(source):
    path = source(
        (TASK, []), ("1 / 0", []), ("assert answer == 2, 'unanswered'", []), ("no_name", [])
    )
    before = path.read_bytes()
    assert told(build([path])) == [
        "source, cell 1: ZeroDivisionError: division by zero",
        "source, cell 3: NameError: name 'no_name' is not defined",
        "learner's copy, cell 1: ZeroDivisionError: division by zero",
        "learner's copy, cell 2: AssertionError: unanswered",
        "learner's copy, cell 3: NameError: name 'no_name' is not defined",
    ]
    assert path.read_bytes() == before
    assert not lesson_path(path).exists()


def test_one_lesson_that_fails_does_not_stop_the_next(source):
    paths = [source(("1 / 0", []), name="00_a.ipynb"), source(("1", []), name="01_b.ipynb")]
    first, second = build(paths)
    assert (first.name, bool(first.troubles), second.name, second.troubles) == (
        *("00_a.ipynb", True),
        *("01_b.ipynb", ()),
    )
    assert lesson_path(paths[1]).exists()


def test_an_error_that_is_meant_is_no_failure(source):
    assert told(build([source(("1 / 0", ["raises-exception", *KEPT]))])) == []


def test_a_view_that_changes_later_keeps_its_place_behind_pieces_of_print(tmp_path):
    show = "view = display({'text/plain': 'old'}, raw=True, display_id=True)"
    code = [
        "from IPython.display import display",
        f"print('a', flush=True); print('b', flush=True); {show}",
        "view.update({'text/plain': 'new'}, raw=True)",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert executed(notebook, tmp_path, env={}) == []
    said, view = notebook.cells[1].outputs
    assert said.text == "a\nb\n"
    assert view.data["text/plain"] == "new"


@pytest.mark.parametrize("cell", ["import os; os._exit(3)", "import time; time.sleep(60)"])
def test_a_dead_kernel_and_a_cell_without_end_are_told(source, cell, monkeypatch):
    monkeypatch.setattr("labkit.course.making.building.CELL_LIMIT_S", 3)
    path = source(("1", []), (cell, []))
    (outcome,) = build([path], jobs=1)
    assert [line[:16] for line in outcome.troubles] == ["source, cell 1: ", "learner's copy, "]


def test_checks_are_strict_in_the_source_only(source):
    strict = "import os\nprint(os.environ.get('LABKIT_STRICT'), os.environ['LABKIT_BARS'])"
    path = source((strict, ["check", *KEPT]))
    assert told(build([path])) == []
    outputs = [read(p).cells[0].outputs[0].text for p in (path, lesson_path(path))]
    assert outputs == ["1 0\n", "None 0\n"]


def test_drift_is_told_cell_by_cell(source):
    path = source(("1 + 1", KEPT), ("2", []))
    assert told(drifted([path], run=False)) == [
        "00_small.ipynb is not there: labkit notebooks build 00"
    ]
    list(build([path]))
    assert told(drifted([path])) == []
    lesson = read(lesson_path(path))
    lesson.cells[1].source = "3"
    nbformat.write(lesson, lesson_path(path))
    assert told(drifted([path], run=False)) == ["cell 1: other text or code"]
    stale = read(path)
    stale.cells[0].outputs[0].data["text/plain"] = "7"
    nbformat.write(stale, path)
    assert told(drifted([path])) == ["source, cell 0: other outputs", "cell 1: other text or code"]


def test_marks_are_read_before_anything_runs(source):
    path = source(("open('ran', 'w')", []), ("# BEGIN SOLUTION", []))
    with pytest.raises(BadData, match=r"00_small.ipynb, cell 1, line 1"):
        list(build([path]))
    assert not (path.parent / "ran").exists()
