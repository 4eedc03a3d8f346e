"""From the source of a lesson to the notebook that a learner opens.

``notebooks/solutions/NN_*.ipynb`` is the source, ``notebooks/NN_*.ipynb`` the lesson made of it.
Here is what can be said without running anything; :mod:`labkit.course.making.building` runs them.

- A lesson has stubs where its source has solution blocks (:mod:`labkit.course.making.marks`), and
  no cells with the tag ``hidden``.
- Links are rewritten, since a lesson lies one folder up.
- The source keeps the outputs of cells with the tag ``keep_output``. A lesson keeps those of its
  ``check`` cells alone ("Not yet"), so nobody reads what comes out before the question.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import nbformat

from labkit.course.making.marks import stubbed
from labkit.errors import NotFound

COURSE = Path(__file__).parents[3] / "notebooks"
KEPT, CHECK, HIDDEN = "keep_output", "check", "hidden"
LINK_UP = re.compile(r"""(\]\(|\]:\s*|\b(?:src|href)=["'])\.\./""")
# Holds a number drawn at random in each run; the HTML beside it shows the same picture.
WIDGET = "application/vnd.jupyter.widget-view+json"


def sources(numbers: tuple[str, ...] = (), course: Path = COURSE) -> list[Path]:
    """Return the source notebooks of the numbers (none: all), in the order of the lessons.

    Raises
    ------
    NotFound
        ``NOT_FOUND``: no source has that number.

    Examples
    --------
    >>> [path.name for path in sources(("00",))]
    ['00_first_stream.ipynb']
    """
    found = sorted((course / "solutions").glob("[0-9][0-9]_*.ipynb"))
    if not numbers:
        return found
    here = [path.name[:2] for path in found]
    for number in numbers:
        if number.zfill(2) not in here:
            cure = 'labkit notebooks new NN "Title" begins one.'
            reason = f"The folder solutions holds {', '.join(here) or 'none'}."
            raise NotFound("NOT_FOUND", kind="lesson", name=number, reason=reason, cure=cure)
    wanted = {number.zfill(2) for number in numbers}
    return [path for path in found if path.name[:2] in wanted]


def lesson_path(source: Path) -> Path:
    """Return where the learner's notebook of a source lies."""
    return source.parent.parent / source.name


def read(path: Path) -> Any:
    """Return the notebook of a file."""
    return nbformat.read(path, as_version=4)


def for_learners(source: Any, *, name: str = "the source") -> Any:
    """Return the lesson that a source makes, without any output; the source stays as it is.

    Parameters
    ----------
    source
        The notebook of the source.
    name
        What messages call it.

    Raises
    ------
    BadData
        ``BAD_MARK``: the marks of a solution block cannot be read.
    """
    lesson = copy.deepcopy(source)
    for number, cell in enumerate(lesson.cells):
        if cell.cell_type == "code":
            cell.source = stubbed(cell.source, place=f"{name}, cell {number}")
        else:
            cell.source = LINK_UP.sub(r"\1", cell.source)
    lesson.cells = [cell for cell in lesson.cells if HIDDEN not in tags(cell)]
    return settled(lesson, keep=None)


def settled(notebook: Any, *, keep: str | None) -> Any:
    """Drop from a notebook what differs from run to run and from machine to machine.

    Parameters
    ----------
    notebook
        It is changed, and returned.
    keep
        The tag of the cells that keep their outputs; None: no cell does.
    """
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
        cell.metadata = {"tags": tags(cell)} if tags(cell) else {}
        if cell.cell_type == "code":
            _settle_outputs(cell, kept=keep in tags(cell))
    return notebook


def tags(cell: Any) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def differences(written: Any, wanted: Any, *, outputs: bool) -> list[str]:
    """Return where two notebooks differ, a line for each cell.

    Parameters
    ----------
    written, wanted
        The notebook in the repository, and what its source makes now.
    outputs
        Whether the outputs count too.

    Examples
    --------
    >>> one, two = nbformat.v4.new_notebook(), nbformat.v4.new_notebook()
    >>> one.cells = [nbformat.v4.new_markdown_cell("one")]
    >>> two.cells = [nbformat.v4.new_markdown_cell("two")]
    >>> differences(one, two, outputs=False)
    ['cell 0: other text or code']
    """
    found = []
    for number, (old, new) in enumerate(zip(written.cells, wanted.cells, strict=False)):
        parts = {
            "another kind of cell": (old.cell_type, new.cell_type),
            "other text or code": (old.source, new.source),
            "other tags": (tags(old), tags(new)),
            "other outputs": (_outputs(old), _outputs(new)) if outputs else (),
        }
        if unequal := [what for what, pair in parts.items() if pair and pair[0] != pair[1]]:
            found.append(f"cell {number}: {', '.join(unequal)}")
    if len(written.cells) != len(wanted.cells):
        # A cell that came or went moves all cells after it; the first difference tells enough.
        return [f"{len(written.cells)} cells, not {len(wanted.cells)}", *found[:1]]
    return found


def _outputs(cell: Any) -> Any:
    return cell.get("outputs", []), cell.get("execution_count")


def _settle_outputs(cell: Any, *, kept: bool) -> None:
    if not kept:
        cell.outputs, cell.execution_count = [], None
    for output in cell.outputs:
        if "data" in output:
            output.data.pop(WIDGET, None)
        if "metadata" in output:
            output.metadata = {}
