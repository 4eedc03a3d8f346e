"""The live table's picture: four pages of one frame.

==================  ================================================================
Result so far       the newest row of each key, with change signs
Sent in this batch  just what the sink got
Changelog           the same as insert, update and delete; the view works out deletes
Raw progress        what Spark reported
==================  ================================================================
"""

from __future__ import annotations

import json
from html import escape

from labkit.engine.batches import Batch
from labkit.views.cells import plural, text_of
from labkit.views.frame import Frame, Page, batch_words, waiting_frame
from labkit.views.grid import MAX_COLUMNS, Grid, Line, make_grid, table_html, text_lines
from labkit.views.table import REMOVED, WORDS, Table

WAITING = "Waiting for the first batch: the query runs; nothing has come in yet."
GONE = "final: no longer in state"


def render(table: Table, cap: int) -> Frame:
    """Draw the table with at most ``cap`` rows on each page."""
    batch = table.batch
    if batch is None:
        return waiting_frame(table.name, WAITING)
    lines = _result_lines(table, cap)
    grid = _grid(table, batch, lines)
    facts, sentence, foot = _facts(table, batch), _sentence(table, batch), _foot(table, lines)
    pages = (
        Page("Result so far", _html(grid, "result so far", foot, legend=True)),
        Page("Sent in this batch", _sent_page(table, batch, cap)),
        Page("Changelog", _changelog_page(table, batch, cap)),
        Page("Raw progress", _progress_page(batch)),
    )
    words = f"{table.name} · {facts}"
    text = "\n".join([words, sentence, *text_lines(grid), foot])
    return Frame(batch.number, batch.first, table.name, facts, sentence, pages, text)


def _result_lines(table: Table, cap: int) -> list[Line]:
    gone = [Line(key, REMOVED, row, note=_note(table)) for key, row in table.removed.items()]
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
    return f"{batch.mode} · batch {batch.number} · {sent} · {plural(table.total, things)}"


def _sentence(table: Table, batch: Batch) -> str:
    new = sum(1 for old in table.before.values() if old is None)
    if _is_append(table):
        new = batch.sent_rows
    changed = sum(1 for old in table.before.values() if old is not None)
    counts = f"{new:,} new, {changed:,} changed, {len(table.removed):,} removed."
    return f"{batch_words(batch.number, batch.first)}: {counts}{_final_words(table)}"


def _final_words(table: Table) -> str:
    if not table.final:
        return ""
    named = ", ".join(text_of(window) for window in table.final[:3])
    more = f" and {len(table.final) - 3} more" if len(table.final) > 3 else ""
    one = len(table.final) == 1
    return f" {'Window' if one else 'Windows'} {named}{more} {'is' if one else 'are'} final."


def _foot(table: Table, lines: list[Line]) -> str:
    order = "newest last" if _is_append(table) else "by key"
    count = len(lines) - len(table.removed)
    hidden = len(table.columns) - MAX_COLUMNS
    more = f" · +{plural(hidden, 'column')}" if hidden > 0 else ""
    if count == table.total:
        return f"showing all {plural(count, 'row')}, {order}{more}"
    return f"showing {count:,} of {plural(table.total, 'row')}, {order}{more}"


def _sent_page(table: Table, batch: Batch, cap: int) -> str:
    lines = [Line(str(place), "", row) for place, row in enumerate(batch.rows[:cap])]
    count = f"{len(lines):,} of {batch.sent_rows:,}" if len(lines) < batch.sent_rows else "all"
    foot = f"{plural(batch.sent_rows, 'row')} sent to the sink; showing {count}"
    return _html(_grid(table, batch, lines), "sent in this batch", foot)


def _changelog_page(table: Table, batch: Batch, cap: int) -> str:
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
    shown = (lines + deletes)[:cap]
    foot = f"{plural(len(lines + deletes), 'change')}; showing {len(shown):,}"
    if deletes and batch.mode == "update":
        foot += ". The view worked out the −D rows; in update mode Spark never sends them"
    return _html(_grid(table, batch, shown), "changelog", foot)


def _progress_page(batch: Batch) -> str:
    report = {k: v for k, v in batch.progress.raw.items() if k != "observedMetrics"}
    return f'<pre class="lk-raw">{escape(json.dumps(report, indent=1)[:8000])}</pre>'


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
