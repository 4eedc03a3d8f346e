"""Running the sources in real kernels, writing them with their outputs, and the lessons from them.

Both versions of a lesson run: the source, in which every check must pass, and the learner's, whose
check cells keep what they say to somebody who has not answered yet. Two lessons run at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from labkit import settings
from labkit.course.making.abreast import abreast
from labkit.course.making.notebooks import (
    CHECK,
    KEPT,
    differences,
    for_learners,
    lesson_path,
    read,
    settled,
    tags,
)

CELL_LIMIT_S = 120
# A wait's bar is for people, not for a saved notebook.
QUIET = {"LABKIT_BARS": "0"}
# In a source every check has to pass; in a lesson none can.
STRICT = QUIET | {"LABKIT_STRICT": "1"}
FIRST_LINES = 3


@dataclass(frozen=True)
class Outcome:
    """What became of one source.

    Attributes
    ----------
    name
        The file's name.
    seconds
        Seconds of the real clock.
    troubles
        A line for each cell that failed, or each place that has drifted; empty: all is well.
    """

    name: str
    seconds: float
    troubles: tuple[str, ...] = ()


def build(chosen: list[Path], *, jobs: int = 2) -> Iterator[Outcome]:
    """Run sources and write them and their lessons; yield what became of each, in order.

    A source with a cell that fails is left as it is. So is its lesson.

    Parameters
    ----------
    chosen
        The sources, from :func:`labkit.course.making.notebooks.sources`.
    jobs
        How many lessons run at a time.

    Raises
    ------
    BadData
        ``BAD_MARK``: a source's marks cannot be read. Nothing has run then.
    """
    return _each("build", chosen, jobs)


def drifted(chosen: list[Path], *, run: bool = True, jobs: int = 2) -> Iterator[Outcome]:
    """Compare the committed notebooks with what the sources make; yield the differences.

    Parameters
    ----------
    chosen
        The sources.
    run
        False: text, code and tags only, nothing is run. True: the outputs too.
    jobs
        How many lessons run at a time.

    Raises
    ------
    BadData
        ``BAD_MARK``: a source's marks cannot be read.
    """
    return _each("compare" if run else "compare sources", chosen, jobs if run else 1)


def executed(notebook: Any, folder: Path, *, env: dict[str, str]) -> list[str]:
    """Run a notebook in a fresh kernel and return a line for each cell that failed.

    Parameters
    ----------
    notebook
        It gets the outputs.
    folder
        Where it runs: its own folder, as in JupyterLab.
    env
        Variables on top of this process's own.
    """
    client = NotebookClient(
        notebook,
        timeout=round(CELL_LIMIT_S * settings.patience()),
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        allow_errors=True,
        extra_arguments=["--log-level=ERROR"],  # ipykernel warns of TCP, on loopback too
    )
    reached: list[int] = []
    client.on_cell_start = lambda cell, cell_index: reached.append(cell_index)  # noqa: ARG005
    try:
        client.execute(env=os.environ | env)
    except (CellTimeoutError, DeadKernelError) as error:
        # The cell that ended the run has an error output too, one that says less.
        before = [line for at, line in _failed_cells(notebook) if at != reached[-1]]
        return [*before, f"cell {reached[-1]}: {_first_lines(str(error))}"]
    _join_prints(notebook)
    return [line for _, line in _failed_cells(notebook)]


def _join_prints(notebook: Any) -> None:
    """Make one output of what each cell has printed, however the pieces came.

    The client could do it too, but while views still change: it would lose their places.
    """
    for cell in notebook.cells:
        first: dict[str, Any] = {}
        joined = []
        for output in cell.get("outputs", []):
            name = output.get("name", "")
            if name in first:
                first[name].text += output.text
                continue
            if output.output_type == "stream":
                first[name] = output
            joined.append(output)
        if joined:
            cell.outputs = joined


def _build_one(path: Path) -> list[str]:
    source, lesson, troubles = _both(path)
    if troubles:
        return troubles
    nbformat.write(source, path)
    nbformat.write(lesson, lesson_path(path))
    return []


def _compare_one(path: Path, *, run: bool) -> list[str]:
    if not lesson_path(path).exists():
        return [f"{path.name} is not there: labkit notebooks build {path.name[:2]}"]
    written = read(lesson_path(path))
    if not run:
        return differences(written, for_learners(read(path), name=path.name), outputs=False)
    source, lesson, troubles = _both(path)
    of_source = differences(read(path), source, outputs=True)
    of_lesson = differences(written, lesson, outputs=True)
    return [*troubles, *(f"source, {line}" for line in of_source), *of_lesson]


def _both(path: Path) -> tuple[Any, Any, list[str]]:
    """Run a source and its lesson; return both with the outputs they keep, and the troubles."""
    source = read(path)
    lesson = for_learners(source, name=path.name)
    in_source = executed(source, path.parent, env=STRICT)
    in_lesson = executed(lesson, lesson_path(path).parent, env=QUIET)
    troubles = [f"source, {line}" for line in in_source]
    troubles += [f"learner's copy, {line}" for line in in_lesson]
    return settled(source, keep=KEPT), settled(lesson, keep=CHECK), troubles


def _each(verb: str, chosen: list[Path], jobs: int) -> Iterator[Outcome]:
    for path in chosen:
        for_learners(read(path), name=path.name)  # marks first: they cost nothing
    if min(jobs, len(chosen)) <= 1:
        yield from (_timed(WORK[verb], path) for path in chosen)
    else:
        yield from abreast(partial(_timed, partial(_in_a_process, verb)), chosen, jobs=jobs)


def _in_a_process(verb: str, path: Path) -> list[str]:
    """Work on one source in a Python of its own, whose main thread ends its kernel on Ctrl-C."""
    command = [sys.executable, "-m", "labkit.course.making.building", verb, str(path)]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if run.returncode:
        return [f"the process that ran it ended with exit status {run.returncode}"]
    troubles: list[str] = json.loads(run.stdout)
    return troubles


def _timed(work: Callable[[Path], list[str]], path: Path) -> Outcome:
    start = time.monotonic()
    troubles = tuple(work(path))
    return Outcome(path.name, time.monotonic() - start, troubles)


def _failed_cells(notebook: Any) -> list[tuple[int, str]]:
    return [
        (number, f"cell {number}: {output.ename}: {_first_lines(output.evalue)}")
        for number, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.output_type == "error" and "raises-exception" not in tags(cell)
    ]


def _first_lines(text: str) -> str:
    return "\n    ".join(text.strip().splitlines()[:FIRST_LINES])


WORK: dict[str, Callable[[Path], list[str]]] = {
    "build": _build_one,
    "compare": partial(_compare_one, run=True),
    "compare sources": partial(_compare_one, run=False),
}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](Path(sys.argv[2]))))  # noqa: T201 - its caller reads it
