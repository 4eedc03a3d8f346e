from __future__ import annotations

import nbformat
import pytest

from labkit.course.notebooks import for_learners, lesson_path, sources, with_outputs

SOURCES = sources()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_lesson_is_what_its_source_makes(source):
    written = nbformat.read(lesson_path(source), as_version=4)
    assert written == for_learners(nbformat.read(source, as_version=4))


def test_every_lesson_has_a_source():
    course = SOURCES[0].parent.parent
    lessons = {path.name for path in course.glob("[0-9][0-9]_*.ipynb")}
    assert lessons == {source.name for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_what_is_compared_has_something_to_compare(source):
    cells = nbformat.read(source, as_version=4).cells
    compared = [c for c in cells if "nbval-check-output" in c.metadata.get("tags", [])]
    assert compared
    for cell in compared:
        assert "keep_output" in cell.metadata.tags
        assert cell.execution_count  # nbval compares no cell without a count
        assert cell.outputs


def notebook(*cells):
    made = [nbformat.v4.new_code_cell(code, metadata={"tags": tags}) for code, tags in cells]
    text = nbformat.v4.new_markdown_cell("[map](../README.md)")
    return nbformat.v4.new_notebook(cells=[*made, text])


@pytest.mark.notebook
def test_only_cells_that_say_so_keep_their_output(tmp_path):
    path = tmp_path / "00_small.ipynb"
    nbformat.write(notebook(("1 + 1", ["keep_output"]), ("2 + 2", [])), path)
    kept, dropped, _ = with_outputs(path).cells
    assert kept.outputs[0].data["text/plain"] == "2"
    assert kept.execution_count == 1
    assert (dropped.outputs, dropped.execution_count) == ([], None)


def test_a_learner_gets_no_outputs_and_links_that_fit():
    source = notebook(("1 + 1", ["keep_output"]))
    source.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    lesson = for_learners(source)
    assert lesson.cells[0].outputs == []
    assert lesson.cells[1].source == "[map](README.md)"
    assert source.cells[0].outputs  # the source is as it was
