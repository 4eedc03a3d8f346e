"""What every notebook of the course keeps to, whatever it teaches."""

from __future__ import annotations

import re

import nbformat
import pytest


@pytest.fixture
def notebook(notebook_path):
    return nbformat.read(notebook_path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_a_valid_notebook_of_this_kernel(notebook):
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


def test_its_title_carries_its_number(notebook, notebook_path):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith(f"# {notebook_path.name[:2]} ")


def test_it_saves_no_widgets_and_no_errors(notebook):
    # Saved widget state shows as a blank, or as "invalid notebook", where no kernel runs.
    assert "widgets" not in notebook.metadata
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert [output.ename for output in outputs if output.output_type == "error"] == []


def test_its_links_lead_to_files_that_are_there(notebook, notebook_path):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    ours = [link for link in links if link and "://" not in link]
    assert [link for link in ours if not (notebook_path.parent / link).exists()] == []


def test_its_code_cells_are_short(notebook):
    long = [cell.source for cell in code(notebook) if len(cell.source.splitlines()) > 15]
    assert long == []


def test_no_cell_waits_for_ever(notebook):
    source = "\n".join(cell.source for cell in code(notebook))
    assert "awaitTermination()" not in source
    assert [float(s) for s in re.findall(r"sleep\(([\d.]+)\)", source) if float(s) > 1] == []
