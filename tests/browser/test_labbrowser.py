"""The frame itself: it sees a widget move while a cell is busy, a failed run, a complaint."""

from __future__ import annotations

import nbformat
import pytest

MOVING = """\
import threading, ipywidgets
done, view = threading.Event(), ipywidgets.HTML("<b class='count'>0</b>")

def move():
    count = 0
    while not done.wait(0.1):
        count += 1
        view.value = f"<b class='count'>{count}</b>"

threading.Thread(target=move, daemon=True).start()
view"""
BUSY = (
    "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)\nprint('ended')"
)


@pytest.fixture
def folder(tmp_path):
    for name, cells in {"moving": [MOVING, BUSY, "done.set()"], "broken": ["1 / 0"]}.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    return tmp_path


def test_a_view_moves_while_a_cell_is_busy(serve, page, folder):
    notebook = serve(folder).open(page, "moving.ipynb")
    notebook.start_all()
    page.wait_for_function("+document.querySelector('b.count')?.textContent > 3", timeout=30_000)
    assert notebook.run == "running"
    (folder / "go").touch()
    assert notebook.finish() == "ok"
    assert "ended" in notebook.outputs()[1]
    assert page.complaints == []


def test_a_failed_run_and_a_complaint_are_seen(serve, page, folder):
    notebook = serve(folder).open(page, "broken.ipynb")
    assert notebook.run_all() == "failed"
    assert "ZeroDivisionError" in notebook.outputs()[0]
    with page.expect_console_message():
        page.evaluate("console.error('something broke')")
    assert page.complaints == ["something broke"]
