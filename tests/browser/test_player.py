"""The player in a real browser, with batches by hand: no Spark, so every step is exact."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SETUP = f"""\
import sys, time, pathlib
sys.path.insert(0, {str(HERE)!r})
import labkit as lab
from byhand import ByHand, table
from labkit.engine.watching import State
reader = ByHand("totals")
view = table(reader)
view"""
BATCHES = """\
for n in range(4):
    reader.send(("anna", n), ("ben", 1), (f"new {n}", n))
    view.catch_up()"""
BUSY = """\
while not pathlib.Path("go").exists():
    time.sleep(0.05)"""
VIEW = ".jp-CodeCell .lk-view"


@pytest.fixture
def run(lab, page, request):
    """Return a function that opens a notebook of the given cells."""
    yield lambda *cells: lab.open_cells(page, f"{request.node.name}.ipynb", cells)
    (lab.root / "go").unlink(missing_ok=True)


def shows(page, batch, place=0):
    page.wait_for_function(
        """([batch, place]) => document.querySelectorAll('.lk-where')[place]
            ?.textContent.startsWith(`Batch ${batch} of`)""",
        arg=[batch, place],
        timeout=30_000,
    )


def holds(page, selector, text):
    """Wait until the first such element holds the text; the page is drawn a frame later."""
    page.wait_for_function(
        "([of, text]) => document.querySelector(of)?.textContent.includes(text)",
        arg=[selector, text],
        timeout=30_000,
    )


def test_pause_step_and_live_work_while_a_cell_is_busy(run, page, lab):
    notebook = run(SETUP, BATCHES, BUSY, 'reader.send(("anna", 9)); view.catch_up()')
    notebook.start_all()
    page.wait_for_selector(VIEW)
    shows(page, 3)
    assert notebook.run == "running"

    page.get_by_label("One batch back").click()
    shows(page, 2)
    holds(page, ".lk-top", "Batch 2:")
    pressed = page.locator(VIEW).get_by_role("button", name="Paused", pressed=True)
    pressed.wait_for()
    page.locator(VIEW).focus()
    for key, batch in {"ArrowLeft": 1, "Home": 0, "ArrowRight": 1, "End": 3}.items():
        page.keyboard.press(key)
        shows(page, batch)
    page.locator(VIEW).focus()
    page.keyboard.press(" ")  # pauses where it is
    pressed.wait_for()
    page.get_by_label("Batch", exact=True).fill("1")
    shows(page, 1)
    assert notebook.run == "running"  # all of it while the kernel was busy

    (lab.root / "go").touch()
    assert notebook.finish() == "ok"
    page.wait_for_function("document.querySelector('.lk-badge').textContent === '1 new batch'")
    holds(page, ".lk-where", "Batch 1 of 0–4")
    page.locator(VIEW).get_by_role("button", name="Live").click()
    shows(page, 4)
    page.locator(".lk-badge").wait_for(state="hidden")
    assert page.complaints == []


def test_tabs_show_the_same_batch_from_four_sides(run, page):
    assert run(SETUP, BATCHES).run_all() == "ok"
    shows(page, 3)
    tabs = page.locator(".lk-tab")
    assert tabs.all_inner_texts() == [
        "Result so far",
        "Sent in this batch",
        "Changelog",
        "Raw progress",
    ]
    tabs.nth(2).click()
    holds(page, ".lk-page", "old value")
    page.keyboard.press("ArrowRight")
    holds(page, ".lk-page", '"batchId": 3')
    page.get_by_label("One batch back").click()
    holds(page, ".lk-raw", '"batchId": 2')
    page.locator(".lk-raw").focus()  # a long report can be scrolled by keyboard
    assert page.evaluate("document.activeElement.className") == "lk-raw"
    assert page.complaints == []


def test_linked_views_share_their_position(run, page):
    other = 'again = ByHand("other")\nsecond = table(again)\nlab.link(view, second)\nsecond'
    more = BATCHES.replace("reader", "again").replace("view", "second")
    assert run(SETUP, other, BATCHES, more).run_all() == "ok"
    shows(page, 3, 0)
    shows(page, 3, 1)
    page.get_by_label("One batch back").nth(0).click()
    shows(page, 2, 1)
    page.locator(VIEW).get_by_role("button", name="Live").nth(1).click()
    shows(page, 3, 0)
    assert page.complaints == []


def test_a_page_that_is_loaded_again_gets_all_frames_back(run, page):
    notebook = run(SETUP, BATCHES)
    assert notebook.run_all() == "ok"
    shows(page, 3)
    notebook.save()
    page.reload()
    page.wait_for_selector(VIEW, timeout=30_000)
    page.wait_for_function("document.querySelector('.lk-where').textContent === 'Batch 3 of 0–3'")
    page.get_by_label("One batch back").click()
    shows(page, 2)
    assert page.complaints == []


def test_stop_query_is_a_button_that_needs_the_kernel(run, page):
    notebook = run(SETUP, BATCHES)
    assert notebook.run_all() == "ok"
    page.locator(VIEW).get_by_role("button", name="Stop query").click()
    page.wait_for_selector(".lk-state[data-state=stopped]")
    page.locator(VIEW).get_by_role("button", name="Stop query", disabled=True).wait_for()
    page.get_by_label("One batch back").click()  # one can still look back
    shows(page, 2)
    assert page.complaints == []


def test_a_failure_says_its_cause_and_cure(run, page):
    fail = 'reader.end(State("failed", "Query failed", "ZeroDivisionError: <b>no</b>. Guard it."))'
    assert run(SETUP, BATCHES, fail).run_all() == "ok"
    page.wait_for_selector(".lk-failure")
    assert (
        page.locator(".lk-failure").inner_text().endswith("ZeroDivisionError: <b>no</b>. Guard it.")
    )
    assert page.get_by_role("alert").count() >= 1
    assert page.complaints == []


def test_shortcuts_of_the_notebook_stay_quiet_inside_a_view(run, page):
    notebook = run(SETUP, BATCHES)
    assert notebook.run_all() == "ok"
    page.locator(VIEW).focus()
    page.keyboard.press("b")  # in command mode: a new cell below
    page.keyboard.press("x")  # … and: cut the cell
    assert page.locator(".jp-NotebookPanel .jp-CodeCell").count() == 2


def test_rows_keep_their_place_when_a_frame_changes_one_value(run, page, lab):
    many = "reader.send(*[(f'n{i:02}', i) for i in range(40)]); view.catch_up()"
    change = "reader.send(*[(f'n{i:02}', i + (i == 39)) for i in range(40)]); view.catch_up()"
    notebook = run(SETUP, many, BUSY, change)
    notebook.start_all()
    shows(page, 0)
    page.evaluate("document.querySelector('.lk-scroll').scrollTop = 100")
    page.evaluate("window.row = document.querySelectorAll('.lk-page tbody tr')[10]")
    (lab.root / "go").touch()
    assert notebook.finish() == "ok"
    shows(page, 1)
    assert page.evaluate("document.querySelector('.lk-scroll').scrollTop") == 100
    assert page.evaluate("window.row.isConnected")
