"""A learner runs cells again: each one twice in a row, then all of them, in the same kernel."""

from __future__ import annotations

import copy

import nbformat
import pytest
from nbclient import NotebookClient

from labkit.course.making.notebooks import sources

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]


# The sources only: a learner's copy has the same cells, and stubs where answers are.
@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_cells_run_twice_and_the_whole_runs_again(source):
    notebook = nbformat.read(source, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    again = [copy.deepcopy(cell) for cell in code for _ in range(2)] + copy.deepcopy(code)
    for number, cell in enumerate(again):
        cell.id = f"run-{number}"
    run = nbformat.v4.new_notebook(cells=again, metadata=notebook.metadata)
    folder = {"metadata": {"path": str(source.parent)}}
    NotebookClient(run, timeout=120, resources=folder).execute()
    assert all(cell.execution_count for cell in again)
