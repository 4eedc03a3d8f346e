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
from dataclasses import dataclass
from html import escape
from typing import Any

from labkit.engine.batches import Batch, Column
from labkit.views.cells import column_texts, cut, plural, text_of
from labkit.views.frame import Frame, Page, batch_words, waiting_frame
from labkit.views.table import CHANGED, NEW, REMOVED, SAME, WORDS, Row, Table

MAX_COLUMNS = 8
WAITING = "Waiting for the first batch: the query runs; nothing has come in yet."
GONE = "final: no longer in state"


@dataclass(frozen=True)
class Line:
    """One row of a page: its key, sign, values, the values before it, and a note."""

    key: str
    sign: str
    row: Row
    old: Row | None = None
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """The cells of a page as text, by row; a cell's second text is there when it has changed."""

    heads: list[str]
    numbers: list[bool]
    keys: list[bool]
    lines: list[Line]
    cells: list[list[tuple[str, str | None]]]


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
    text = "\n".join([words, sentence, *_text_lines(grid), foot])
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
    columns = table.columns[:MAX_COLUMNS]
    by_column = [_column_cells(place, lines) for place in range(len(columns))]
    return Grid(
        heads=[_head(column, batch) for column in columns],
        numbers=[column.is_number for column in columns],
        keys=[place in (table.key or ()) for place in range(len(columns))],
        lines=lines,
        cells=[list(cells) for cells in zip(*by_column, strict=True)],
    )


def _column_cells(place: int, lines: list[Line]) -> list[tuple[str, str | None]]:
    now = [line.row[place] for line in lines]
    then = [(line.old or line.row)[place] for line in lines]
    texts = column_texts(now + then)
    pairs = zip(texts[: len(now)], texts[len(now) :], strict=True)
    return [(new, old if new != old else None) for new, old in pairs]


def _head(column: Column, batch: Batch) -> str:
    timed = column.type == "timestamp" or column.is_window
    return f"{column.name} ({batch.zone})" if timed else column.name


def _text_lines(grid: Grid) -> list[str]:
    """Align the cells in columns, with the sign in front."""
    body = [[cut(now) if old is None else f"{old} → {now}" for now, old in r] for r in grid.cells]
    widths = [max(map(len, column)) for column in zip(grid.heads, *body, strict=True)]

    def line(sign: str, cells: list[str], note: str = "") -> str:
        shown = zip(cells, widths, grid.numbers, strict=True)
        aligned = (c.rjust(w) if number else c.ljust(w) for c, w, number in shown)
        return "  ".join([sign, *aligned, note]).rstrip()

    rows = zip(grid.lines, body, strict=True)
    return [line(" ", grid.heads), *(line(of.sign, cells, of.note) for of, cells in rows)]


def _html(grid: Grid, caption: str, foot: str, *, legend: bool = False) -> str:
    heads = "".join(
        f'<th scope="col"{_classes(number=number)}>{escape(title)}</th>'
        for title, number in zip(grid.heads, grid.numbers, strict=True)
    )
    signed = any(line.sign for line in grid.lines) or legend
    change = '<th scope="col"><span class="lk-unseen">change</span></th>' if signed else ""
    notes = any(line.note for line in grid.lines)
    note = '<th scope="col"><span class="lk-unseen">note</span></th>' if notes else ""
    rows = "".join(
        _html_row(grid, place, signed=signed, notes=notes) for place in range(len(grid.lines))
    )
    signs = " ".join(f"<span><b>{sign}</b> {word}</span>" for sign, word in WORDS.items())
    shown = f'<span class="lk-legend">{signs}</span>' if legend else "<span></span>"
    return (
        f'<div class="lk-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="lk-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{change}{heads}{note}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="lk-foot">{shown}<span>{escape(foot)}</span></p>'
    )


KINDS = {NEW: "new", CHANGED: "changed", REMOVED: "removed", SAME: "same", "": "same"}
KINDS |= {"+I": "insert", "−U": "before", "+U": "after", "−D": "delete"}


def _html_row(grid: Grid, place: int, *, signed: bool, notes: bool) -> str:
    line = grid.lines[place]
    cells = "".join(
        _html_cell(*cell, number=number, key=key)
        for cell, number, key in zip(grid.cells[place], grid.numbers, grid.keys, strict=True)
    )
    word = WORDS.get(line.sign, "")
    said = f'<span class="lk-unseen">{word}</span>' if word else ""
    hidden = ' aria-hidden="true"' if word else ""
    sign = f'<td class="lk-sign"><span{hidden}>{line.sign}</span>{said}</td>' if signed else ""
    note = f'<td class="lk-note">{escape(line.note)}</td>' if notes else ""
    row_id = escape(line.key, quote=True)
    return f'<tr data-key="{row_id}" class="lk-{KINDS[line.sign]}">{sign}{cells}{note}</tr>'


def _html_cell(now: str, old: str | None, *, number: bool, key: bool) -> str:
    short = cut(now)
    title = f' title="{escape(now[:2000], quote=True)}"' if short != now else ""
    was = f'<span class="lk-old">{escape(cut(old))} →</span> ' if old is not None else ""
    value = f"<b>{escape(short)}</b>" if old is not None else escape(short)
    classes = _classes(number=number, key=key, moved=old is not None)
    return f'<td{classes}{title} dir="auto">{was}{value}</td>'


def _classes(**kinds: Any) -> str:
    named = " ".join(f"lk-{kind}" for kind, yes in kinds.items() if yes)
    return f' class="{named}"' if named else ""
