"""The frame itself: it sees a widget move while a cell is busy, a failed run, a complaint."""

from __future__ import annotations

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


def test_a_view_moves_while_a_cell_is_busy(lab, page):
    notebook = lab.open_cells(page, "moving.ipynb", [MOVING, BUSY, "done.set()"])
    notebook.start_all()
    page.wait_for_function("+document.querySelector('b.count')?.textContent > 3", timeout=30_000)
    assert notebook.run == "running"
    (lab.root / "go").touch()
    assert notebook.finish() == "ok"
    (lab.root / "go").unlink()
    assert "ended" in notebook.outputs()[1]
    assert page.complaints == []


def test_a_failed_run_and_a_complaint_are_seen(lab, page):
    notebook = lab.open_cells(page, "broken.ipynb", ["1 / 0"])
    assert notebook.run_all() == "failed"
    assert "ZeroDivisionError" in notebook.outputs()[0]
    with page.expect_console_message():
        page.evaluate("console.error('something broke')")
    assert page.complaints == ["something broke"]
