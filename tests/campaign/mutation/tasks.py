"""A source notebook as a run of it sees it: plain cells, and the tasks between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.course.making.marks import BEGIN, END, STUB
from labkit.course.making.notebooks import tags

from .mutant import Mutant, mutants
from .swaps import COLUMN, DDL

TASK = re.compile(r"\*\*Task (\d\d\.\d+)\*\*")
CALL = re.compile(r"lab\.check\(\s*\"(\d\d\.\d+)\"")
QUOTED = re.compile(r"`(\w+)`")


@dataclass(frozen=True)
class Task:
    """One task: the cells with its answer, in order, and the cell with its check."""

    id: str
    cells: tuple[str, ...]
    check: str
    columns: frozenset[str]

    def mutants(self) -> list[tuple[Mutant, tuple[str, ...]]]:
        """Return every mutant and the cells of the task with it."""
        return [
            (one, (*self.cells[:n], one.source, *self.cells[n + 1 :]))
            for n, cell in enumerate(self.cells)
            for one in mutants(cell, solution_lines(cell), set(self.columns))
        ]


def parts(notebook: Any, checks: str = "") -> Iterator[str | Task]:
    """Return the code of a notebook up to its last task: cells, and tasks as a whole.

    Parameters
    ----------
    notebook
        The source.
    checks
        The file with the lesson's checks; it says which columns their input has.
    """
    schemas = DDL.findall("\n".join([checks, *(cell.source for cell in notebook.cells)]))
    waiting: list[str] = []
    text, found = "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source if TASK.search(cell.source) else text
        elif cell.cell_type == "code":
            call = CALL.search(cell.source) if "check" in tags(cell) else None
            if call:
                columns = _columns(schemas, text, waiting)
                found.append(Task(call[1], tuple(waiting), cell.source, columns))
                waiting = []
            elif waiting or "answer" in tags(cell):
                waiting.append(cell.source)
            else:
                found.append(cell.source)
    while found and not isinstance(found[-1], Task):
        found.pop()
    yield from found


def _columns(schemas: list[str], text: str, cells: list[str]) -> frozenset[str]:
    """Return the columns that stand in one schema with a column of the task."""
    used = {*QUOTED.findall(text), *re.findall(r"[\"'](\w+)[\"']", "\n".join(cells))}
    named = (set(COLUMN.findall(schema)) for schema in schemas)
    return frozenset().union(*(columns for columns in named if columns & used))


def solution_lines(source: str) -> set[int]:
    """Return the numbers, from 1, of the lines that the learner has to write.

    Examples
    --------
    >>> solution_lines("x = 1\\n# BEGIN SOLUTION\\ny = 2\\n# STUB y = ...\\n# END SOLUTION")
    {3}
    """
    lines, inside = set(), False
    for number, line in enumerate(source.splitlines(), start=1):
        mark = line.strip()
        if mark in {BEGIN, END}:
            inside = mark == BEGIN
        elif inside and not mark.startswith(STUB):
            lines.add(number)
    return lines


def run(source: str, space: dict[str, Any], name: str = "cell") -> Any:
    """Run a cell as a notebook would; return the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, f"<{name}>", "exec"), space)  # noqa: S102 - this is what a notebook does
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), f"<{name}>", "eval"), space)  # noqa: S307
