"""Each rule sees what breaks it: a good small lesson, and one change to it at a time."""

from __future__ import annotations

import copy

import nbformat
import pytest

from labkit.course.making.course_map import row
from labkit.course.making.new_lesson import begin
from labkit.course.making.notebooks import for_learners, lesson_path, read, settled, tags

from .lesson import Lesson
from .rules import RULES

code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell

HERE = "/".join(("", "home", "me", "x"))  # noqa: FLY002 - no file may hold such a path


def say(cell, words):
    cell.execution_count = 1
    cell.outputs = [nbformat.v4.new_output("stream", text=words)]


@pytest.fixture
def course(tmp_path):
    """Return the root of a course with one lesson that keeps every rule, written in full."""
    path = begin("7", "Drops", root=tmp_path)[0]
    source = read(path)
    at = next(n for n, cell in enumerate(source.cells) if "hidden" in tags(cell)) + 1
    task = [
        cell for cell in source.cells if set(tags(cell)) & {"task", "answer", "check", "hidden"}
    ]
    source.cells[at:at] = copy.deepcopy(task)
    settled(source, keep=None)
    for cell in source.cells[at : at + len(task)]:
        cell.source = cell.source.replace("07.1", "07.2")
    for cell in source.cells:
        cell.source = cell.source.replace("TO WRITE: ", "This says it: ")
        if "check" in tags(cell):
            say(cell, "Right")
    lesson = for_learners(source)
    for cell in lesson.cells:
        if "check" in tags(cell):
            say(cell, "Not yet")
    nbformat.write(source, path)
    nbformat.write(lesson, lesson_path(path))
    page = tmp_path / "notebooks" / "README.md"
    page.write_text(f"# The course\n\n{row(path)}\n")
    return tmp_path


def complaints(root, version, change=lambda _: None):
    folder = root / "notebooks" / ("solutions" if version == "source" else "")
    path = folder / "07_drops.ipynb"
    notebook = read(path)
    change(notebook)
    lesson = Lesson(path, notebook, root)
    return {r.find.__name__: list(r.find(lesson)) for r in RULES if r.binds(lesson)}


def broken(found):
    return {name: words for name, words in found.items() if words}


@pytest.mark.parametrize("version", ["source", "copy"])
def test_a_good_lesson_breaks_no_rule(course, version):
    assert broken(complaints(course, version)) == {}


def test_a_lesson_just_begun_is_told_what_is_still_to_write(tmp_path):
    path = begin("7", "Drops", root=tmp_path)[0]
    (tmp_path / "notebooks" / "README.md").write_text("")
    found = broken(complaints(tmp_path, "source"))
    assert set(found) == {"written", "in_the_map", "tasks", "verdicts"}
    gaps = sum("TO WRITE" in cell.source for cell in read(path).cells)
    assert len(found["written"]) == gaps > 10
    assert found["tasks"] == ["1 tasks: a lesson has 2 to 4"]


def replace(old, new):
    """Return a change of the first cell that holds some words."""

    def change(notebook):
        cell = next(cell for cell in notebook.cells if old in cell.source)
        cell.source = cell.source.replace(old, new)

    return change


def tag(old, *new):
    def change(notebook):
        cell = next(cell for cell in notebook.cells if old in tags(cell))
        cell.metadata["tags"] = [t for t in tags(cell) if t != old] + list(new)

    return change


def drop(words):
    def change(notebook):
        notebook.cells = [cell for cell in notebook.cells if words not in cell.source]

    return change


def add(*cells):
    return lambda notebook: notebook.cells.insert(3, *cells)


def without(tag_):
    def change(notebook):
        notebook.cells = [cell for cell in notebook.cells if tag_ not in tags(cell)]

    return change


def many(count, make):
    def change(notebook):
        notebook.cells[3:3] = [make("a line") for _ in range(count)]

    return change


def outputs(words, number=3):
    return lambda notebook: say(
        [cell for cell in notebook.cells if cell.cell_type == "code"][number], words
    )


def widget(notebook):
    notebook.metadata["widgets"] = {"state": {}}


def error(notebook):
    output = nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    notebook.cells[1].outputs = [output]


@pytest.mark.parametrize(
    ("rule", "change", "words"),
    [
        ("valid", widget, "saves the state of widgets"),
        ("valid", error, "cell 1 saves an error"),
        ("written", add(text("TO WRITE: more")), "cell 3 is still to write: TO WRITE: more"),
        ("written", add(code("")), "cell 3 is empty"),
        ("first_cell", replace("# 07 ", "# 08 "), "begin with `# 07 Title`"),
        ("first_cell", replace("?**", ".**"), "opening question"),
        ("first_cell", replace("will be able to", "can"), "able to do"),
        ("first_cell", replace("40 minutes", "long"), "say the minutes"),
        ("first_cell", replace("Needs Java", "Java"), "say what it needs"),
        ("first_cell", tag("objective"), "the tag objective"),
        ("second_cell", tag("setup"), "cell 1 must be code with the tag setup"),
        ("second_cell", replace("spark = ", "a = 1\n" * 4 + "spark = "), "at most 6"),
        ("last_cells", tag("teardown"), "must have the tag teardown"),
        ("last_cells", replace("lab.stop_all()", "spark.stop()"), "must call lab.stop_all()"),
        ("last_cells", replace("> This says", "This says"), "the sentence to take home"),
        ("last_cells", tag("recap"), "the tag recap"),
        ("length", many(30, text), "20 to 45 are right"),
        ("length", drop("This says it"), "20 to 45 are right"),
        ("balance", many(20, text), "texts for each code cell"),
        ("balance", many(25, code), "texts for each code cell"),
        ("short_code", replace("feed.step()", "feed.step()\n" * 15), "at most 15"),
        ("short_code", many(25, code), "the middle code cell has 1 lines"),
        ("known_tags", tag("predict", "guess"), "'guess' is no tag of the course"),
        ("known_tags", tag("setup", "setup", "raises-exception"), "add keep_output, nbval"),
        ("no_registry", add(text("see files.pythonhosted.org")), "names a package registry"),
        ("no_absolute_path", add(code(f"open('{HERE}')")), "cell 3 holds a path of one machine"),
        ("no_absolute_path", outputs(HERE, 2), "a path of one machine"),
        ("plain_words", add(text("Well done!")), "exclamation mark"),
        ("plain_words", add(text("Well \u2705")), "emoji"),
        ("for_a_class", replace("waits here for the group", "waits"), "waits here for the group"),
        ("for_a_class", replace("**Bonus:**", "More:"), "no **Bonus**"),
        ("no_waiting", add(code("query.awaitTermination()")), "give awaitTermination a timeout"),
        ("no_waiting", add(code("spark.streams.awaitAnyTermination()")), "waits for ever"),
        ("no_waiting", add(code("import time\ntime.sleep(1.5)")), "sleeps 1.5 s"),
        ("no_magics", add(code("%pip install x")), "is not Python"),
        ("no_magics", add(code("!ls")), "is not Python"),
        ("links", add(text("[a](nothing.md)")), "leads to no file"),
        ("links", add(text("[a](#No-such-heading)")), "leads to no heading"),
        ("quiz", drop("lab.quiz"), 'must ask lab.quiz("07")'),
        ("quiz", replace('quiz("07")', 'quiz("06")'), 'must ask lab.quiz("07")'),
        ("quiz", tag("quiz"), "must have the tag quiz"),
        ("when_nothing_moves", replace("lab.explain()", ""), "no cell holds the three"),
        (
            "when_nothing_moves",
            add(text("query.isActive lab.progress(q) lab.explain()")),
            "cells [2, 3] hold",
        ),
        ("tasks", replace("Task 07.2", "Task 07.3"), "in their order they are"),
        ("tasks", replace("(6 minutes)", ""), "a task says"),
        ("tasks", without("answer"), "task 07.1 has no code cell with the tag answer"),
        ("tasks", without("check"), 'must be followed by one lab.check("07.1"'),
        ("tasks", tag("check", "view"), "lacks the tags ['check']"),
        ("stray_checks", add(code('lab.check("07.9", 1)')), "checks 07.9, which no task asks"),
        (
            "verdicts",
            lambda nb: [c.update(outputs=[]) for c in nb.cells if "check" in tags(c)],
            "keeps no",
        ),
    ],
)
@pytest.mark.parametrize("version", ["source", "copy"])
def test_a_rule_sees_what_breaks_it(course, version, rule, change, words):
    found = complaints(course, version, change)[rule]
    assert any(words in line for line in found), found


@pytest.mark.parametrize(
    ("version", "rule", "change", "words"),
    [
        ("source", "tasks", replace("# BEGIN SOLUTION\n", ""), "needs # BEGIN SOLUTION"),
        ("source", "tasks", without("hidden"), "task 07.1 has 0 hidden words"),
        ("copy", "no_outputs", outputs("3"), "shows its output before it is run"),
    ],
)
def test_a_rule_of_one_version_sees_what_breaks_it(course, version, rule, change, words):
    found = complaints(course, version, change)[rule]
    assert any(words in line for line in found), found


@pytest.mark.parametrize("version", ["source", "copy"])
def test_a_map_of_yesterday_is_seen(course, version):
    page = course / "notebooks" / "README.md"
    page.write_text(page.read_text().replace("| 40 |", "| 35 |"))
    assert "| 40 |" in complaints(course, version)["in_the_map"][0]


def test_a_verdict_of_the_other_version_is_seen(course):
    def swap(words):
        return lambda nb: [say(cell, words) for cell in nb.cells if "check" in tags(cell)]

    assert "must pass here" in complaints(course, "source", swap("Not yet"))["verdicts"][0]
    assert "must say Not yet here" in complaints(course, "copy", swap("Right"))["verdicts"][0]


def test_a_leak_is_seen_in_code_text_and_outputs(course):
    line = 'return df.groupBy("who").agg(F.sum("amount").alias("total"))'
    for change in (add(code(f"def f(df):\n    {line}")), add(text(f"`{line}`")), outputs(line)):
        assert "shows a line of a solution" in complaints(course, "copy", change)["no_leak"][0]
    hidden = "**Tempting.** This says it: a wrong answer"
    assert complaints(
        course, "copy", add(text(f"{hidden} that people really give, and its symptom."))
    )["no_leak"]


def test_a_draft_without_checks_is_not_asked_for_tasks(course):
    (course / "labkit/course/lessons/lesson_07.py").unlink()
    assert "tasks" not in complaints(course, "source")
    assert "written" in complaints(course, "source")


def test_lesson_00_may_have_more_cells_than_others(course):
    for folder in ("solutions", ""):
        path = course / "notebooks" / folder / "07_drops.ipynb"
        path.rename(path.with_name("00_drops.ipynb"))
    path = course / "notebooks/solutions/00_drops.ipynb"
    notebook = read(path)
    many(30, text)(notebook)
    length = next(rule for rule in RULES if rule.find.__name__ == "length")
    assert list(length.find(Lesson(path, notebook, course))) == []
    many(30, text)(notebook)
    assert "20 to 60" in next(length.find(Lesson(path, notebook, course)))
