"""Lesson 00 as a learner meets it: open it in JupyterLab, run all, watch the table move."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

LESSON = Path(__file__).parents[2] / "notebooks" / "00_first_stream.ipynb"
# `make pictures` sets it to docs/pictures, where the README's picture lies.
PICTURES = os.environ.get("LAB_PICTURES")
# Every cell that waits for its turn says [*] too; the busy one is the first of them.
IS_BUSY = """() => {
    const waits = [...document.querySelectorAll('.jp-CodeCell')].filter(
        cell => cell.querySelector('.jp-InputPrompt').textContent.includes('*'));
    return waits.length > 0 && waits[0].textContent.includes('feed.is_running');
}"""
ALL_STOPPED = """() => {
    const states = [...document.querySelectorAll('.lk-view .lk-state')];
    return states.length === 3 && states.every(state => state.dataset.state === 'stopped');
}"""
TABLE = """() => document.querySelector('.lk-view .lk-table tbody')?.textContent ?? ''"""


@pytest.fixture
def notebook(lab, page):
    shutil.copy(LESSON, lab.root)  # JupyterLab saves what it runs
    return lab.open(page, LESSON.name)


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
    cell = page.locator(".jp-CodeCell", has=page.locator(".lk-view")).first
    cell.screenshot(path=pictures / "live-table.png")  # it scrolls there, and draws the cell
    if PICTURES:  # a moment that shows both signs: a month that grows, and a new one
        page.wait_for_selector(".lk-view tr:nth-child(n + 6).lk-new", timeout=20_000)
        cell.screenshot(path=pictures / "live-table.png")
    assert notebook.finish() == "ok"

    page.wait_for_function(ALL_STOPPED, timeout=20_000)
    table = page.evaluate(TABLE)
    assert [f"2012-{month:02}" in table for month in range(1, 13)] == [True] * 12
    assert page.complaints == []
