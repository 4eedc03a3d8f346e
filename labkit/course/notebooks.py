"""From the source of a lesson to the notebook that a learner opens.

``notebooks/solutions/NN_*.ipynb`` is the source. Its cells with the tag ``keep_output`` carry the
outputs that every run gives, so a test can compare them; ``notebooks/NN_*.ipynb`` is the same
without outputs, so nobody reads the answer to a prediction before the question.

    python -m labkit.course.notebooks          run the sources, save outputs, write the lessons
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

COURSE = Path(__file__).parents[2] / "notebooks"
KEPT = "keep_output"
CELL_LIMIT_S = 120


def sources(course: Path = COURSE) -> list[Path]:
    """Return the source notebooks, in the order of the lessons."""
    return sorted((course / "solutions").glob("[0-9][0-9]_*.ipynb"))


def with_outputs(path: Path) -> Any:
    """Run a source notebook in a fresh kernel; return it with the outputs it keeps.

    Parameters
    ----------
    path
        The notebook; it runs in its own folder, as in JupyterLab.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=CELL_LIMIT_S,
        resources=folder,
        record_timing=False,
        store_widget_state=False,
    )
    os.environ["LABKIT_BARS"] = "0"  # a wait's bar is for people, not for a saved notebook
    client.execute()
    for cell in _code(notebook):
        if KEPT not in cell.metadata.get("tags", []):
            _clear(cell)
    return _plain(notebook)


def for_learners(notebook: Any) -> Any:
    """Return a lesson as a learner gets it: without outputs, its links from one folder up."""
    lesson = copy.deepcopy(notebook)
    for cell in _code(lesson):
        _clear(cell)
    for cell in lesson.cells:
        cell.source = cell.source.replace("](../", "](")
    return _plain(lesson)


def lesson_path(source: Path) -> Path:
    """Return where the learner's notebook of a source lies."""
    return source.parent.parent / source.name


def main() -> int:
    """Run every source, save its outputs and write its lesson."""
    for source in sources():
        print(f"running {source.name}", flush=True)  # noqa: T201 - a command's own words
        notebook = with_outputs(source)
        nbformat.write(notebook, source)
        nbformat.write(for_learners(notebook), lesson_path(source))
    return 0


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _clear(cell: Any) -> None:
    cell.outputs, cell.execution_count = [], None


def _plain(notebook: Any) -> Any:
    """Drop what differs from machine to machine."""
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {"tags": tags} if (tags := cell.metadata.get("tags")) else {}
    return notebook


if __name__ == "__main__":
    sys.exit(main())
