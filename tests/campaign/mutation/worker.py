"""Run one lesson and all mutants of its tasks, in one process with one Spark.

It reads what to do from its standard input and writes a line of JSON for everything that happens.
Whoever started it ends it when no line comes for too long: then the last mutant that began hangs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import nbformat

import labkit as lab
from labkit.course.running.trouble import TookTooLong
from labkit.engine.trial import Trial

from .mutant import Mutant, sample
from .tasks import Task, parts, run

Tell = Callable[..., None]
OUTCOMES = ("killed", "raises", "hangs", "survived")
# Spark has gone: the lesson has to begin again in a new process.
SPOILED = 3


def main() -> int:
    """Work through the wish on standard input."""
    wish = json.loads(sys.stdin.read())
    # What the cells and Java print goes to standard error; the lines of JSON have their own way.
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**what: Any) -> None:
        print(json.dumps(what), file=lines, flush=True)

    notebook = nbformat.reads(wish["notebook"], as_version=4)
    try:
        return work(parts(notebook, wish["checks"]), set(wish["done"]), wish["most"], tell)
    finally:
        lab.stop_all()


def work(lesson: Iterable[str | Task], done: set[str], most: int, tell: Tell) -> int:
    """Run the cells of a lesson in their order, and at each task its mutants.

    Parameters
    ----------
    lesson
        Its cells and tasks.
    done
        Mutants of an earlier run: task and id.
    most
        How many mutants of a task are tried.
    tell
        Takes what happens: a cell, a task, a mutant that begins, its end.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    for part in lesson:
        tell(event="cell")
        if isinstance(part, str):
            run(part, space)
        elif not task(part, space, done, most, tell):
            return SPOILED
    return 0


def task(one: Task, space: dict[str, Any], done: set[str], most: int, tell: Tell) -> bool:
    """Check the reference, then its mutants, then the reference again; False without Spark."""
    before = dict(space)
    start = time.monotonic()
    outcome, cause = judged(one, one.cells, space)
    took = time.monotonic() - start
    every = one.mutants()
    chosen = {mutant.id for mutant in sample([mutant for mutant, _ in every], most)}
    tell(event="task", task=one.id, made=len(every), chosen=len(chosen), seconds=took)
    if outcome != "survived":
        tell(event="reference", task=one.id, cause=f"{outcome}: {cause}")
        return True
    for mutant, cells in every:
        if mutant.id not in chosen or f"{one.id} {mutant.id}" in done:
            continue
        if not _tried(one, mutant, cells, dict(before), tell):
            return False
    tell(event="cell")
    outcome, cause = judged(one, one.cells, dict(before))
    if outcome != "survived":
        tell(event="reference", task=one.id, cause=f"after the mutants, {outcome}: {cause}")
    return True


def _tried(
    one: Task, mutant: Mutant, cells: tuple[str, ...], space: dict[str, Any], tell: Tell
) -> bool:
    names = {"task": one.id, "id": mutant.id, "kind": mutant.kind, "diff": mutant.diff}
    tell(event="begin", **names)
    trial, start = Trial(), time.monotonic()
    outcome, cause = judged(one, cells, space)
    trial.stop_new_queries()
    trial.set_back()
    tell(event="end", **names, outcome=outcome, cause=cause, seconds=time.monotonic() - start)
    return lives()


def judged(one: Task, cells: tuple[str, ...], space: dict[str, Any]) -> tuple[str, str]:
    """Return what becomes of an answer: one of :data:`OUTCOMES`, and why."""
    try:
        for cell in cells:
            run(cell, space, "answer")
        result = run(one.check, space, "check")
    except Exception as error:  # noqa: BLE001 - the cell shows it, so nobody takes it for right
        return "raises", f"{type(error).__name__}: {error}"[:200]
    if isinstance(result.error, TookTooLong):  # also on a machine that is too busy: worth a look
        return "hangs", result.cause
    return ("survived" if result.passed else "killed"), result.cause


def lives() -> bool:
    """Whether Spark still works, if there was one."""
    from pyspark.sql import SparkSession

    session = SparkSession._instantiatedSession
    try:
        return session is None or session.range(1).count() == 1
    except Exception:  # noqa: BLE001 - however it is gone
        return False
