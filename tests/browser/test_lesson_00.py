"""Lesson 00 as a learner meets it: open it in JupyterLab, run all, watch the table move."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

LESSON = Path(__file__).parents[2] / "notebooks" / "00_first_stream.ipynb"
# `make pictures` sets it to docs/pictures, where the README's picture lies.
PICTURES = os.environ.get("LAB_PICTURES")
IS_BUSY = """() => [...document.querySelectorAll('.jp-CodeCell')].some(cell =>
    cell.textContent.includes('feed.is_running')
    && cell.querySelector('.jp-InputPrompt').textContent.includes('*'))"""
# Cells above are drawn only now and push the view away, so: again until it stands.
CENTRE = """() => {
    const view = document.querySelector('.lk-view');
    view.scrollIntoView({block: 'center', behavior: 'instant'});
    const {top, bottom} = view.getBoundingClientRect();
    const rows = view.querySelectorAll('tbody tr').length;
    return top > 150 && bottom < 880 && rows > 6 && view.querySelector('.lk-changed') !== null;
}"""
ALL_STOPPED = """() => {
    const states = [...document.querySelectorAll('.lk-view .lk-state')];
    return states.length === 2 && states.every(state => state.dataset.state === 'stopped');
}"""
# The notebook's panel without the menus, in a window of 1280 × 900.
AROUND_THE_TABLE = {"x": 40, "y": 90, "width": 1200, "height": 780}
TABLE = """() => document.querySelector('.lk-view .lk-table tbody')?.textContent ?? ''"""


@pytest.fixture
def notebook(serve, page, tmp_path):
    shutil.copy(LESSON, tmp_path)  # JupyterLab saves what it runs
    return serve(tmp_path).open(page, LESSON.name)


@pytest.fixture
def pictures(tmp_path):
    folder = Path(PICTURES) if PICTURES else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_table_moves_while_a_cell_is_busy_and_stands_when_all_is_stopped(
    notebook, page, pictures
):
    notebook.command("application:toggle-left-area")
    notebook.start_all()
    page.wait_for_function(IS_BUSY, timeout=120_000)
    before = page.evaluate(TABLE)
    page.wait_for_function(f"before => ({TABLE})() !== before", arg=before, timeout=20_000)
    assert page.evaluate(IS_BUSY)  # it moved although the kernel was busy
    page.wait_for_function(CENTRE, timeout=20_000)
    page.screenshot(path=pictures / "live-table.png", clip=AROUND_THE_TABLE)
    assert notebook.finish() == "ok"

    page.wait_for_function(ALL_STOPPED, timeout=20_000)
    table = page.evaluate(TABLE)
    assert [f"2012-{month:02}" in table for month in range(1, 13)] == [True] * 12
    assert page.complaints == []
