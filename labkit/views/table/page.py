"""The live table's picture: four pages of one frame.

==================  ================================================================
Result so far       the newest row of each key, with change signs
Sent in this batch  just what the sink got
Changelog           the same as insert, update and delete; the view works out deletes
Raw progress        what Spark reported
==================  ================================================================

A frame is a message, up to four times a second: it never grows beyond :data:`MAX_BYTES`. The
result has the first right to the room; every page says how many of its rows it shows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from typing import Any

from labkit.engine.batches import Batch
from labkit.views.cells import cut, plural, text_of
from labkit.views.frame import Frame, Page, batch_words, waiting_frame
from labkit.views.grid import (
    MAX_COLUMNS,
    Grid,
    Line,
    fitting,
    make_grid,
    message_bytes,
    table_html,
    text_lines,
)
from labkit.views.table.model import REMOVED, WORDS, Table

WAITING = "Waiting for the first batch: the query runs; nothing has come in yet."
GONE = "final: no longer in state"
MAX_BYTES = 40_000
RESULT_BYTES = 33_000
RAW_CHARS = 5000
# Heads, feet, sentence and what is around the pages.
FRAME_BYTES = 3000


def render(table: Table, cap: int, result_bytes: int = RESULT_BYTES) -> Frame:
    """Draw the table.

    Parameters
    ----------
    table
        The result so far.
    cap
        Rows on each page at most.
    result_bytes
        Room for the result and its text form.
    """
    table = replace(table, name=cut(table.name))
    batch = table.batch
    if batch is None:
        return waiting_frame(table.name, WAITING)
    raw = _progress_page(batch)
    room = MAX_BYTES - FRAME_BYTES - message_bytes(raw)
    grid = fitting(
        _grid(table, batch, _result_lines(table, cap)),
        min(room, result_bytes),
        signed=True,
        newest=_is_append(table),
        text=True,
    )
    facts, sentence, foot = _facts(table, batch), _sentence(table, batch), _foot(table, grid.lines)
    result, text = _html(grid, "result so far", foot, legend=True), "\n".join(text_lines(grid))
    room -= message_bytes(result + text)
    changelog = _changelog_page(table, batch, cap, room // 2)
    sent = _sent_page(table, batch, cap, room - message_bytes(changelog))
    pages = (
        Page("Result so far", result),
        Page("Sent in this batch", sent),
        Page("Changelog", changelog),
        Page("Raw progress", raw),
    )
    text = "\n".join([f"{table.name} · {facts}", sentence, text, foot])
    return Frame(batch.number, batch.first, table.name, facts, sentence, pages, text)


def _result_lines(table: Table, cap: int) -> list[Line]:
    removed = list(table.removed.items())[:cap]
    gone = [Line(key, REMOVED, row, note=_note(table)) for key, row in removed]
    rows = list(table.rows.items())
    shown = rows[-cap:] if _is_append(table) else rows[:cap]
    return gone + [Line(k, table.sign(k), row, table.before.get(k)) for k, row in shown]


def _note(table: Table) -> str:
    return GONE if table.batch and table.batch.mode == "update" else ""


def _is_append(table: Table) -> bool:
    return table.key is None


def _facts(table: Table, batch: Batch) -> str:
    things = "row" if _is_append(table) else "key"
    read = plural(batch.progress.input_rows, "row")
    sent = f"{read} in, {batch.sent_rows:,} sent"
    total = f"{'over ' if table.uncounted else ''}{plural(table.total, things)}"
    return f"{batch.mode} · batch {batch.number} · {sent} · {total}"


def _sentence(table: Table, batch: Batch) -> str:
    new = sum(1 for old in table.before.values() if old is None)
    if _is_append(table):
        new = batch.sent_rows
    changed = sum(1 for old in table.before.values() if old is not None)
    counts = f"{new:,} new, {changed:,} changed, {len(table.removed):,} removed"
    among = f" among the {plural(len(table.rows), 'key')} followed" if table.more else ""
    return f"{batch_words(batch.number, batch.first)}: {counts}{among}.{_final_words(table)}"


def _final_words(table: Table) -> str:
    if not table.final:
        return ""
    named = ", ".join(text_of(window) for window in table.final[:3])
    more = f" and {len(table.final) - 3} more" if len(table.final) > 3 else ""
    one = len(table.final) == 1
    return f" {'Window' if one else 'Windows'} {named}{more} {'is' if one else 'are'} final."


def _foot(table: Table, lines: list[Line]) -> str:
    order = "newest last" if _is_append(table) else "by key"
    gone = sum(1 for line in lines if line.sign == REMOVED)
    count = len(lines) - gone
    total = f"{'over ' if table.uncounted else ''}{table.total:,}"
    noun = "row" if table.total == 1 else "rows"
    shown = "all" if count == table.total and not table.uncounted else f"{count:,} of"
    foot = f"showing {shown} {total} {noun}, {order}"
    if gone < len(table.removed):
        foot += f" · {gone:,} of {len(table.removed):,} removed"
    if table.more:
        foot += f" · follows the first {plural(len(table.rows), 'key')} of {total}"
    hidden = len(table.columns) - MAX_COLUMNS
    return foot + (f" · +{plural(hidden, 'column')}" if hidden > 0 else "")


def _sent_page(table: Table, batch: Batch, cap: int, room: int) -> str:
    lines = [Line(str(place), "", row) for place, row in enumerate(batch.rows[:cap])]
    grid = fitting(_grid(table, batch, lines), room, signed=False, newest=False, text=False)
    lines = grid.lines
    count = f"{len(lines):,} of {batch.sent_rows:,}" if len(lines) < batch.sent_rows else "all"
    foot = f"{plural(batch.sent_rows, 'row')} sent to the sink; showing {count}"
    return _html(grid, "sent in this batch", foot)


def _changelog_page(table: Table, batch: Batch, cap: int, room: int) -> str:
    lines: list[Line] = []
    for key, old in table.before.items():
        now = table.rows.get(key) or table.removed.get(key)
        if now is None:
            continue
        if old is not None:
            lines.append(Line(key + "-", "−U", old, note="old value"))
        sign, note = ("+I", "new") if old is None else ("+U", "new value")
        lines.append(Line(key, sign, now, note=note))
    deletes = [
        Line(key + "!", "−D", row, note=_note(table) or "no longer in the result")
        for key, row in table.removed.items()
    ]
    changes = lines + deletes
    grid = fitting(_grid(table, batch, changes[:cap]), room, signed=True, newest=False, text=False)
    foot = f"{plural(len(changes), 'change')}; showing {len(grid.lines):,}"
    if deletes and batch.mode == "update":
        foot += ". The view worked out the −D rows; in update mode Spark never sends them"
    return _html(grid, "changelog", foot)


def _progress_page(batch: Batch) -> str:
    report = {k: v for k, v in batch.progress.raw.items() if k != "observedMetrics"}
    return f'<pre class="lk-raw" tabindex="0">{escape(_shortened(report), quote=False)}</pre>'


def _shortened(report: dict[str, Any]) -> str:
    text = json.dumps(report, indent=1, ensure_ascii=False)
    return text if len(text) <= RAW_CHARS else f"{text[:RAW_CHARS]}…"


def _grid(table: Table, batch: Batch, lines: list[Line]) -> Grid:
    return make_grid(table.columns, table.key, lines, zone=batch.zone)


def _html(grid: Grid, caption: str, foot: str, *, legend: bool = False) -> str:
    signs = " ".join(f"<span><b>{sign}</b> {word}</span>" for sign, word in WORDS.items())
    shown = f'<span class="lk-legend">{signs}</span>' if legend else "<span></span>"
    return (
        f'<div class="lk-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"{table_html(grid, caption, signed=legend)}</div>"
        f'<p class="lk-foot">{shown}<span>{escape(foot)}</span></p>'
    )
