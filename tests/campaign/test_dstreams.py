"""The campaign about DStreams sees each cell that says something else, and runs cells in order."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from . import dstreams
from .dstreams import Difference, Round, differences, main, report, run_round


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


def test_compared_cells_are_kept_and_the_teardown_does_not_run():
    cells = [
        code("a = 1"),
        new_markdown_cell("text"),
        code("print('a is', a)\na + 1", "nbval-check-output"),
        code("print('not compared')"),
        code("1 / 0", "teardown"),
    ]
    assert run_round(new_notebook(cells=cells)).said == {2: "a is 1\n2"}


def test_a_cell_that_differs_in_one_round_is_found():
    rounds = [Round({1: "a", 2: "b"}, 1.0), Round({1: "a", 2: "b"}, 2.0), Round({1: "c"}, 1.5)]
    assert differences(rounds) == [Difference(1, 3, "a", "c"), Difference(2, 3, "b", "")]
    text = report({"07_a.ipynb": rounds})
    assert "| 07_a.ipynb | 3 | 2 | 1.0 to 2.0 | 2 |" in text
    assert "07_a.ipynb, cell 1, round 3:" in text


@pytest.mark.parametrize(("texts", "status"), [(["a", "a"], 0), (["a", "b"], 1)])
def test_the_exit_status_tells(monkeypatch, tmp_path, texts, status):
    said = iter(texts)
    monkeypatch.setattr(dstreams, "run_round", lambda _: Round({1: next(said)}, 1.0))
    page = tmp_path / "reports" / "dstreams.md"
    assert main(["--rounds", "2", "--report", str(page), "00"]) == status
    assert "| 00_first_stream.ipynb | 2 |" in page.read_text()
