"""The rules of tasks: each has an answer, a check and its reasons, and no answer leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from labkit.course.making.marks import BEGIN, answers
from labkit.course.making.notebooks import tags

from .lesson import Lesson

TASK = re.compile(r"\*\*Task (\d\d\.\d+)\*\* \((\d+) minutes?\)")
ENOUGH_TO_LEAK = 20
FEWEST_HIDDEN_WORDS = 30

Complaints = Iterator[str]


def tasks(lesson: Lesson) -> Complaints:
    found = [(n, cell) for n, cell in lesson.tagged("task")]
    ids = []
    for n, cell in found:
        head = TASK.match(cell.source.removeprefix("## ")) or TASK.search(cell.source)
        ids += [head[1]] if head else []
        if not head:
            yield f"cell {n}: a task says **Task {lesson.number}.1** (6 minutes)"
    wanted = [f"{lesson.number}.{k}" for k in range(1, len(found) + 1)]
    if ids != wanted:
        yield f"the tasks are {ids}; in their order they are {wanted}"
    if not 2 <= len(found) <= 4:
        yield f"{len(found)} tasks: a lesson has 2 to 4"
    ends = [*(n for n, _ in found[1:]), len(lesson.cells)][: len(found)]
    for name, (n, _), end in zip(wanted, found, ends, strict=True):
        yield from _parts(lesson, name, n, end)


def _parts(lesson: Lesson, name: str, start: int, end: int) -> Complaints:
    """A task, from its text to the next one: answer, check, hidden words, in this order."""
    part = lesson.cells[start:end]
    answer = [n for n, cell in part if "answer" in tags(cell) and cell.cell_type == "code"]
    check = [n for n, cell in part if f'lab.check("{name}"' in cell.source]
    if not answer:
        yield f"task {name} has no code cell with the tag answer"
    if len(check) != 1:
        yield f'task {name} must be followed by one lab.check("{name}", …)'
        return
    cell = lesson.notebook.cells[check[0]]
    if missing := {"check", "nbval-check-output", "keep_output"} - set(tags(cell)):
        yield f"cell {check[0]}, the check of {name}, lacks the tags {sorted(missing)}"
    if answer and answer[0] > check[0]:
        yield f"task {name}: its answer stands before its check"
    if lesson.is_source:
        yield from _of_the_source(lesson, name, answer, [cell for n, cell in part if n > check[0]])


def _of_the_source(lesson: Lesson, name: str, answer: list[int], after: list[Any]) -> Complaints:
    if not any(BEGIN in lesson.notebook.cells[n].source for n in answer):
        yield f"task {name}: its answer needs {BEGIN} and END around it"
    hidden = [cell for cell in after if "hidden" in tags(cell) and cell.cell_type == "markdown"]
    words = sum(len(cell.source.split()) for cell in hidden)
    if words < FEWEST_HIDDEN_WORDS:
        yield (
            f"task {name} has {words} hidden words after its check: tell the reason, an "
            "alternative, and a tempting wrong answer with its symptom"
        )


def stray_checks(lesson: Lesson) -> Complaints:
    told = {m[1] for _, cell in lesson.tagged("task") for m in TASK.finditer(cell.source)}
    for n, cell in lesson.code:
        for name in re.findall(r'lab\.check\("([^"]*)"', cell.source):
            if name not in told:
                yield f"cell {n} checks {name}, which no task asks for"


def verdicts(lesson: Lesson) -> Complaints:
    for n, cell in lesson.tagged("check"):
        said = str([out.get("data", out.get("text", "")) for out in cell.outputs])
        if not cell.outputs or not cell.execution_count:
            yield f"cell {n}, a check, keeps no verdict: `labkit notebooks build`"
        elif ("Not yet" in said) == lesson.is_source:
            yield f"cell {n}: the check must {'pass' if lesson.is_source else 'say Not yet'} here"


def no_outputs(lesson: Lesson) -> Complaints:
    for n, cell in lesson.code:
        if cell.outputs and "check" not in tags(cell):
            yield f"cell {n} shows its output before it is run: `labkit notebooks build`"


def no_leak(lesson: Lesson) -> Complaints:
    source = lesson.other()
    secret, open_ = [], []
    for cell in source.cells:
        told = answers(cell.source) if cell.cell_type == "code" else []
        hidden = "hidden" in tags(cell)
        secret += [cell.source] if hidden else told
        rest = cell.source
        for answer in told:
            rest = rest.replace(answer, "")
        open_ += [] if hidden else rest.splitlines()
    said = {line.strip() for line in open_}
    telling = {line.strip() for text in secret for line in text.splitlines()} - said
    for n, cell in lesson.cells:
        shown = cell.source + str(cell.get("outputs", ""))
        for line in sorted(telling):
            if len(line) >= ENOUGH_TO_LEAK and line in shown:
                yield f"cell {n} shows a line of a solution: {line[:60]}"
        if BEGIN in cell.source or "hidden" in tags(cell):
            yield f"cell {n} belongs to the source only: run `labkit notebooks build`"
