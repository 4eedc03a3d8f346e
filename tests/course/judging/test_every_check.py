"""Every check of every lesson has what a learner needs, and wrong answers that it must refuse."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

from labkit.course import library
from labkit.course.judging.checks import checks_of
from labkit.course.markup import plain_of

TESTS = Path(__file__).parents[1] / "lessons"
CHECKS = [one for number in library.numbers() for one in checks_of(number).values()]
LESSONS = sorted({one.id[:2] for one in CHECKS})
# They share the tests of that folder.
PACKAGE = "tests.course.lessons"
LEAST = 3
MAX_MINUTES = 15


def gaps_of(check):
    """Return what a check lacks, in words."""
    gaps = []
    if len(check.hints) < LEAST or len(set(check.hints)) < len(check.hints):
        gaps.append(f"needs {LEAST} different hints")
    if not check.title or check.title != check.title.strip().rstrip("."):
        gaps.append("needs a title without a full stop")
    if not 0 < check.minutes <= MAX_MINUTES:
        gaps.append(f"needs 1 to {MAX_MINUTES} minutes")
    if any(not hint.rstrip().endswith((".", "?", "`")) for hint in check.hints):
        gaps.append("each hint is a sentence or a question")
    return gaps


def gaps_of_notebook(check, notebook):
    """Return what the source notebook lacks for a check."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    headings = {plain_of(h).strip() for text in texts for h in re.findall(r"(?m)^#+ (.+)$", text)}
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    gaps = []
    if check.look_at not in headings:
        gaps.append(f"no heading {check.look_at!r}; there are {sorted(headings)}")
    calls = [n for n, text in enumerate(code) if re.search(rf'check\("{check.id}"', text)]
    if not calls:
        gaps.append(f'no cell with lab.check("{check.id}", …)')
    elif not any("# BEGIN SOLUTION" in text for text in _since_last_check(code, calls[0])):
        gaps.append("no cell with BEGIN SOLUTION before the check: the reference is missing")
    return gaps


def _since_last_check(code, place):
    """Return the code cells between the check before and this one."""
    cells = []
    for text in reversed(code[:place]):
        if "lab.check(" in text:
            break
        cells.append(text)
    return cells


def gaps_of_table(check, table):
    """Return what the table of wrong answers lacks for a check."""
    rows = table.get(check.id, [])
    if len(rows) < LEAST:
        return [f"WRONG has {len(rows)} answers, not {LEAST}"]
    names, fragments = {row[0] for row in rows}, [row[2] for row in rows]
    gaps = [] if len(names) == len(rows) else ["names of wrong answers stand twice"]
    if len(set(fragments)) < LEAST or not all(fragments):
        gaps.append(f"needs {LEAST} different causes, has {sorted(set(fragments))}")
    return gaps


def load(number):
    """Import the tests of a lesson to read their table."""
    path = TESTS / f"test_lesson_{number}.py"
    if not path.exists():
        pytest.fail(f"{path.name} with its table WRONG is still to be written")
    spec = importlib.util.spec_from_file_location(f"{PACKAGE}.{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_has_hints_a_title_and_minutes(check):
    assert gaps_of(check) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_has_its_task_and_its_reference_in_the_notebook(check):
    path = library.NOTEBOOKS / library.notebook_name(check.id[:2])
    assert gaps_of_notebook(check, nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_has_wrong_answers_with_causes_of_their_own(check):
    assert gaps_of_table(check, load(check.id[:2]).WRONG) == []


@pytest.mark.parametrize("number", LESSONS)
def test_the_ids_of_a_lesson_count_from_1(number):
    ids = list(checks_of(number))
    assert ids == [f"{number}.{place}" for place in range(1, len(ids) + 1)]


def a_check(**changes):
    from labkit.course.judging.checks import check, passed

    given = {"title": "two", "minutes": 2, "look_at": "Numbers", "hints": ("A?", "B.", "C.")}
    return check("90.1", **(given | changes))(lambda _: passed("It is 2."))


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"hints": ("A?", "B.")}, "3 different hints"),
        ({"hints": ("A?", "A?", "B.")}, "3 different hints"),
        ({"hints": ("A?", "B.", "no end")}, "sentence or a question"),
        ({"title": ""}, "title"),
        ({"minutes": 0}, "minutes"),
    ],
)
def test_a_gap_of_a_check_is_seen(changes, gap):
    assert gap in " ".join(gaps_of(a_check(**changes)))


def test_a_gap_of_a_notebook_is_seen():
    cell, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    good = [
        text("## Numbers"),
        cell("# BEGIN SOLUTION\nx = 2\n# END SOLUTION"),
        cell('lab.check("90.1", x)'),
    ]
    notebook = nbformat.v4.new_notebook(cells=good)
    assert gaps_of_notebook(a_check(), notebook) == []
    for place, gap in enumerate(["heading", "reference", "lab.check"]):
        without = nbformat.v4.new_notebook(cells=good[:place] + good[place + 1 :])
        assert gap in " ".join(gaps_of_notebook(a_check(), without))


def test_a_gap_of_a_table_is_seen():
    rows = [("a", int, "one"), ("b", int, "two"), ("c", int, "three")]
    assert gaps_of_table(a_check(), {"90.1": rows}) == []
    assert gaps_of_table(a_check(), {"90.1": rows[:2]})
    assert gaps_of_table(a_check(), {"90.1": [*rows[:2], ("c", int, "two")]})
