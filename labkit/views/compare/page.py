"""The picture of ``lab.compare``: one column for each output mode, the same parts side by side.

==================  ================================================================
Sent in this step   just what the sink got
Table so far        the result that these rows make, with change signs
Rows sent           the whole story: how many rows in each step
==================  ================================================================

A mode that Spark refuses has its reason in the place of the tables.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from labkit.engine.batches import Column
from labkit.views.cells import cut, plural
from labkit.views.compare.model import Comparison, Lane, Sent
from labkit.views.compare.words import (
    SAYS,
    facts_of,
    note_of,
    refusal_head_of,
    sentence_of,
    ways_of,
)
from labkit.views.frame import Frame, Page
from labkit.views.grid import Grid, Line, make_grid, table_html, text_lines
from labkit.views.svg import Markup, element, id_of, join, picture
from labkit.views.table.model import SAME

# A column is narrow; and with three of them a frame must stay below 40 KB.
MAX_COLUMNS = 5
MAX_FRAME = 40_000
CAPS = (6, 3, 1)
TITLE_CHARS = 200
STEPS_SHOWN = 8
FROM_X, CELL, BAR, LABELS = 64, 23, 22, 34


def render(model: Comparison, cap: int) -> Frame:
    """Draw the comparison with at most ``cap`` rows in each table, fewer where they are long."""
    frame = _frame(model, cap)
    for few in CAPS:
        if (
            few < cap
            and len(json.dumps(frame.as_message(), ensure_ascii=False).encode()) > MAX_FRAME
        ):
            frame = _frame(model, few)
    return frame


def _frame(model: Comparison, cap: int) -> Frame:
    facts, sentence = facts_of(model), sentence_of(model)
    lines = [f"{model.name} · {facts}", sentence]
    for lane in model.lanes:
        lines += ["", *_lane_text(model, lane, cap)]
    pages = (Page("", _page(model, cap)),)
    text = "\n".join(lines)
    return Frame(model.step, model.first, model.name, facts, sentence, pages, text)


# ---- rows ----


def _sent_lines(lane: Lane, cap: int) -> list[Line]:
    rows = lane.batch.rows[:cap] if lane.batch else ()
    return [Line(str(place), "", row) for place, row in enumerate(rows)]


def _result_lines(lane: Lane, cap: int) -> list[Line]:
    """Choose the rows to be shown: those that have changed come first, the order stays."""
    gone = [Line(key, "−", row) for key, row in _gone(lane).items()]
    signs = {key: _sign(lane, key) for key in lane.rows}
    changed = [key for key, sign in signs.items() if sign != SAME]
    others = [key for key, sign in signs.items() if sign == SAME]
    newest = others[::-1] if lane.table.key is None else others
    chosen = set([*changed[-cap:], *newest][:cap])
    old = lane.table.before
    kept = [Line(k, signs[k], row, old.get(k)) for k, row in lane.rows.items() if k in chosen]
    return [*gone[:cap], *kept]


def _gone(lane: Lane) -> dict[str, Any]:
    """Return rows that have left the result; a window that is over stays in it."""
    return lane.table.removed if lane.mode == "complete" else {}


def _sign(lane: Lane, key: str) -> str:
    if key not in lane.table.before:
        return SAME
    return "+" if lane.table.before[key] is None else "Δ"


def _grid(lane: Lane, lines: list[Line]) -> Grid:
    named = tuple(Column(cut(c.name), c.type, c.grouping) for c in lane.table.columns)
    zone = lane.table.batch.zone if lane.table.batch else ""
    return make_grid(named, lane.order, lines, zone=zone, limit=MAX_COLUMNS)


def _count_words(shown: int, total: int, columns: int) -> str:
    more = f", +{plural(columns - MAX_COLUMNS, 'column')}" if columns > MAX_COLUMNS else ""
    rows = f"{shown:,} of {plural(total, 'row')}" if shown < total else plural(total, "row")
    return f"{rows}{more}"


def _parts(lane: Lane, cap: int) -> tuple[tuple[str, str, list[Line]], ...]:
    """Return the two tables of a mode: name, count in words, lines."""
    sent, result = _sent_lines(lane, cap), _result_lines(lane, cap)
    columns = len(lane.table.columns)
    count = sum(1 for line in result if line.sign != "−")
    rows = lane.batch.sent_rows if lane.batch else 0
    return (
        ("Sent in this step", _count_words(len(sent), rows, columns), sent),
        ("Table so far", _count_words(count, lane.total, columns), result),
    )


# ---- text ----


def _lane_text(model: Comparison, lane: Lane, cap: int) -> list[str]:
    head = f"{lane.mode}: {SAYS[lane.mode]}"
    if lane.refusal is not None:
        ways = [f"  {n}. {way}" for n, way in enumerate(ways_of(model, lane), 1)]
        words = f"  Spark's own words: {lane.refusal.words}"
        return [head, f"  {refusal_head_of(lane)}. {lane.refusal.reason}", *ways, words]
    lines = [head]
    for name, count, rows in _parts(lane, cap):
        lines.append(f"  {name}: {count}")
        lines += [f"  {line}" for line in text_lines(_grid(lane, rows))] if rows else []
    sent = " ".join(f"{sent.rows:,}" for sent in lane.history[-STEPS_SHOWN:])
    return [*lines, f"  Rows sent in each step: {sent or '–'}", f"  {note_of(model, lane)}"]


# ---- HTML ----


def _page(model: Comparison, cap: int) -> str:
    lanes = "".join(_lane_html(model, lane, cap) for lane in model.lanes)
    return (
        '<div class="lk-compare lk-scroll" tabindex="0" role="region" aria-label="Output modes">'
        f'<div class="lk-lanes" data-lanes="{len(model.lanes)}">{lanes}</div></div>'
        f"{_history_html(model)}"
    )


def _lane_html(model: Comparison, lane: Lane, cap: int) -> str:
    head = f'<p class="lk-mode"><b>{lane.mode}</b> <span>{SAYS[lane.mode]}</span></p>'
    if lane.refusal is not None:
        return f'<section class="lk-lane">{head}{_refusal_html(model, lane)}</section>'
    parts = "".join(_part_html(lane, *part) for part in _parts(lane, cap))
    note = f'<p class="lk-lane-note">{escape(note_of(model, lane))}</p>'
    strip = f'<div class="lk-strip">{_strip(model, lane)}</div>'
    return f'<section class="lk-lane">{head}{parts}{note}{strip}</section>'


def _part_html(lane: Lane, name: str, count: str, lines: list[Line]) -> str:
    kind = "lk-result" if name == "Table so far" else "lk-sent"
    caption = f"{lane.mode}: {name}"
    rows = table_html(_grid(lane, lines), caption, signed=True, title_chars=TITLE_CHARS)
    shown = rows if lines else ""
    return f'<div class="{kind}"><p>{name}: <b>{escape(count)}</b></p>{shown}</div>'


def _refusal_html(model: Comparison, lane: Lane) -> str:
    if lane.refusal is None:
        return ""
    ways = "".join(f"<li>{escape(way)}</li>" for way in ways_of(model, lane))
    out = "Ways out" if ways.count("<li>") > 1 else "Way out"
    listed = f"<p><b>{out}</b></p><ol>{ways}</ol>" if ways else ""
    return (
        f'<div class="lk-refusal"><p class="lk-refused">{_no_entry()}<b>{refusal_head_of(lane)}</b>'
        f"</p><p>{escape(lane.refusal.reason)}</p>{listed}"
        f"<details><summary>Spark's own words</summary><code>{escape(lane.refusal.words)}</code>"
        "</details></div>"
    )


def _no_entry() -> Markup:
    ring = element("circle", cx=8, cy=8, r=6.5)
    bar = element("path", d="M3.5 12.5L12.5 3.5")
    return element("svg", ring, bar, width=16, height=16, aria_hidden="true", class_="lk-no-entry")


def _strip(model: Comparison, lane: Lane) -> Markup:
    """Draw the rows sent in the last steps as bars, all modes at one scale."""
    shown = _shown_steps(model)
    sent = {entry.step: entry for entry in lane.history}
    counts = [s.rows for other in model.running for s in other.history if s.step in shown]
    most = max(counts, default=0)
    cells = [
        _cell(place, step, sent.get(step), max(most, 1), is_now=step == model.step)
        for place, step in enumerate(shown)
    ]
    said = ", ".join(f"step {s}: {sent[s].rows}" for s in shown if s in sent)
    height = BAR + LABELS
    return picture(
        id_of("compare", model.name, lane.mode),
        f"Rows sent in {lane.mode} mode",
        said or "nothing yet",
        _label("rows sent", BAR + 13, "lk-axis-word"),
        _label("step", height - 5, "lk-axis-word"),
        join(cells),
        width=FROM_X + CELL * STEPS_SHOWN + 2,
        height=height,
    )


def _shown_steps(model: Comparison) -> list[int]:
    steps = {sent.step for lane in model.running for sent in lane.history}
    return sorted(steps)[-STEPS_SHOWN:]


def _label(words: str, y: float, kind: str) -> Markup:
    return element("text", words, x=0, y=y, class_=kind)


def _cell(place: int, step: int, sent: Sent | None, most: int, *, is_now: bool) -> Markup:
    x, height = FROM_X + place * CELL, BAR + LABELS
    middle = x + CELL / 2
    bar = round(sent.rows / most * BAR, 1) if sent else 0
    shown = _short(sent.rows) if sent else "–"
    kind = "lk-some" if sent and sent.rows else "lk-none"
    parts = [
        element("rect", x=middle - 6, y=BAR - bar + 1, width=12, height=bar, class_="lk-bar"),
        element("text", shown, x=middle, y=BAR + 13, text_anchor="middle", class_=kind),
        element(
            "text", str(step), x=middle, y=height - 5, text_anchor="middle", class_="lk-axis-word"
        ),
    ]
    if is_now:
        frame = element(
            "rect", x=x + 1, y=BAR + 1, width=CELL - 2, height=LABELS - 2, class_="lk-here"
        )
        parts.append(frame)
    return join(parts)


def _short(rows: int) -> str:
    if rows < 1000:
        return str(rows)
    return f"{rows // 1000}k" if rows < 1_000_000 else f"{rows // 1_000_000}M"


def _history_html(model: Comparison) -> str:
    """Return the numbers of the bars as a table, for those who do not see the bars."""
    shown = _shown_steps(model)
    if not shown:
        return ""
    heads = "".join(f'<th scope="col" class="lk-number">{step}</th>' for step in shown)
    rows = "".join(_history_row(lane, shown) for lane in model.running)
    return (
        "<details><summary>Show rows sent as a table</summary>"
        '<table class="lk-table"><caption>Rows sent in each step</caption>'
        f'<thead><tr><th scope="col">step</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        "</details>"
    )


def _history_row(lane: Lane, shown: list[int]) -> str:
    sent = {entry.step: f"{entry.rows:,}" for entry in lane.history}
    cells = "".join(f'<td class="lk-number">{sent.get(step, "–")}</td>' for step in shown)
    return f'<tr><th scope="row">{lane.mode}</th>{cells}</tr>'
