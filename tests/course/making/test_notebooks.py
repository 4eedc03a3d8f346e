"""What a source makes for learners, without running anything."""

from __future__ import annotations

import nbformat
import pytest

from labkit.course.making.notebooks import (
    COURSE,
    WIDGET,
    differences,
    for_learners,
    lesson_path,
    read,
    settled,
    sources,
)
from labkit.errors import BadData, NotFound

SOURCES = sources()
code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


def tagged(made, *tags):
    made.metadata = {"tags": list(tags)}
    return made


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_lesson_is_what_its_source_makes(source):
    lesson = for_learners(read(source), name=source.name)
    cure = f"run `labkit notebooks build {source.name[:2]}`"
    assert differences(read(lesson_path(source)), lesson, outputs=False) == [], cure


def test_every_lesson_has_a_source():
    lessons = {path.name for path in COURSE.glob("[0-9][0-9]_*.ipynb")}
    assert lessons == {source.name for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_what_is_compared_has_something_to_compare(source):
    compared = [c for c in read(source).cells if "nbval-check-output" in c.metadata.get("tags", [])]
    assert compared
    for cell in compared:
        assert "keep_output" in cell.metadata.tags
        assert cell.execution_count  # nbval compares no cell without a count
        assert cell.outputs


def test_a_learner_gets_stubs_and_no_hidden_cells_and_no_outputs():
    source = notebook(
        tagged(code("# BEGIN SOLUTION\nx = 1\n# END SOLUTION"), "answer"),
        tagged(text("The reason is one."), "hidden"),
        tagged(code("x", execution_count=1), "keep_output"),
    )
    source.cells[2].outputs = [nbformat.v4.new_output("stream", text="2")]
    lesson = for_learners(source)
    assert [cell.source for cell in lesson.cells] == ["...  # your turn", "x"]
    assert [cell.id for cell in lesson.cells] == ["cell-00", "cell-01"]
    assert (lesson.cells[1].outputs, lesson.cells[1].execution_count) == ([], None)
    assert len(source.cells) == 3
    assert source.cells[2].outputs  # the source is as it was


@pytest.mark.parametrize(
    ("link", "becomes"),
    [
        ("[map](../README.md)", "[map](README.md)"),
        ("[data](../../data/README.md)", "[data](../data/README.md)"),
        ('<img src="../pictures/a.svg">', '<img src="pictures/a.svg">'),
        ("[map]: ../README.md", "[map]: README.md"),
        ("[next](01_query.ipynb#Two-queries)", "[next](01_query.ipynb#Two-queries)"),
        ("a folder such as ../data", "a folder such as ../data"),
    ],
)
def test_links_of_a_lesson_start_one_folder_up(link, becomes):
    assert for_learners(notebook(text(link))).cells[0].source == becomes


def test_code_is_not_taken_for_a_link():
    assert for_learners(notebook(code('f["x"]("../a")'))).cells[0].source == 'f["x"]("../a")'


def test_a_slip_in_a_mark_names_notebook_cell_and_line():
    source = notebook(text("one"), code("x = 1\n# END SOLUTION"))
    with pytest.raises(BadData, match=r"03_modes.ipynb, cell 1, line 2"):
        for_learners(source, name="03_modes.ipynb")


def test_what_differs_from_run_to_run_is_dropped():
    cell = tagged(code("view", execution_count=3, id="chance"), "keep_output")
    data = {"text/html": "<p>", WIDGET: {"model_id": "chance"}}
    cell.outputs = [nbformat.v4.new_output("display_data", data, metadata={"time": 1})]
    cell.metadata["execution"] = {"took": "1"}
    made = settled(notebook(cell), keep="keep_output")
    assert made.cells[0].outputs[0].data == {"text/html": "<p>"}
    assert made.cells[0].outputs[0].metadata == {}
    assert made.cells[0].metadata == {"tags": ["keep_output"]}
    assert "chance" not in nbformat.writes(made)


def test_differences_name_the_cell_and_what_differs():
    old = notebook(text("one"), tagged(code("x"), "check"), code("y", execution_count=1))
    new = notebook(code("one"), tagged(code("x"), "task"), code("y"), text("more"))
    assert differences(old, new, outputs=False) == [
        "3 cells, not 4",
        "cell 0: another kind of cell",
    ]
    del new.cells[3]
    assert differences(old, new, outputs=True) == [
        "cell 0: another kind of cell",
        "cell 1: other tags",
        "cell 2: other outputs",
    ]
    assert differences(old, old, outputs=True) == []


def test_lessons_are_chosen_by_number():
    assert [path.name for path in sources(("0",))] == ["00_first_stream.ipynb"]
    assert sources(("00",)) == sources(("0", "00"))
    with pytest.raises(NotFound) as missing:
        sources(("00", "98"))
    assert missing.value.params["name"] == "98"
    assert "notebooks new" in str(missing.value)
