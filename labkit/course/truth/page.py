"""The picture of the table of truth: operations and sinks down, output modes across."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from labkit.course.truth.cells import ACCEPTED, FAILED, REFUSED
from labkit.course.truth.operations import OPERATIONS
from labkit.engine.modes import MODES
from labkit.views.view import STYLE

Cell = tuple[str, str, str]
WORDS = {ACCEPTED: "✓ runs", REFUSED: "✗ refused", FAILED: "! fails"}
COLOURS = {
    ACCEPTED: "var(--lk-green-ink)",
    REFUSED: "var(--lk-vermillion-ink)",
    FAILED: "var(--lk-purple-ink)",
}
ON_SINKS = ("where, select", "groupBy")
SINKS_TO_TRY = ("parquet", "toTable", "foreachBatch", "console")
OPERATION, SINK = "What the query does", "Where its rows go"


class Mark(NamedTuple):
    """What stands in one cell."""

    outcome: str
    reason: str = ""
    is_given: bool = False


class Line(NamedTuple):
    """One row of the table: its name, its code, and the cell of each mode."""

    name: str
    code: str
    cells: tuple[Cell, ...]


def _line(operation: str, sink: str, code: str) -> Line:
    name = operation if sink == "memory" else f"{operation} → {sink}"
    return Line(name, code, tuple((operation, sink, mode) for mode in MODES))


def _parts(marks: dict[Cell, Mark]) -> dict[str, list[Line]]:
    """Return the lines by their heading; what was tried beyond them comes to its like."""
    codes = {one.name: one.code for one in OPERATIONS}
    parts = {OPERATION: [_line(o.name, "memory", o.code) for o in OPERATIONS if not o.given]}
    pairs = [(operation, sink) for operation in ON_SINKS for sink in SINKS_TO_TRY]
    tried = dict.fromkeys((o, s) for o, s, _ in marks if s != "memory" and (o, s) not in pairs)
    parts[SINK] = [_line(operation, sink, codes[operation]) for operation, sink in [*pairs, *tried]]
    for one in OPERATIONS:
        if one.given:
            line = _line(one.name, "memory", one.code)
            parts.setdefault(f"Given: {one.given[0].lower()}{one.given[1:]}", []).append(line)
    return parts


def _reasons(parts: dict[str, list[Line]], marks: dict[Cell, Mark]) -> dict[str, int]:
    """Give the reasons numbers, in the order in which a reader meets them."""
    cells = [cell for lines in parts.values() for line in lines for cell in line.cells]
    found = dict.fromkeys(marks[cell].reason for cell in cells if cell in marks)
    return {reason: number for number, reason in enumerate(filter(None, found), start=1)}


def _count_words(parts: dict[str, list[Line]], marks: dict[Cell, Mark]) -> str:
    cells = [c for head in (OPERATION, SINK) for line in parts[head] for c in line.cells]
    return f"{sum(cell in marks for cell in cells)} of {len(cells)} cells tried"


def draw_text(marks: dict[Cell, Mark]) -> str:
    """Draw the table as text, every line of it."""
    parts = _parts(marks)
    reasons = _reasons(parts, marks)
    wide = max(len(line.name) for lines in parts.values() for line in lines) + 2
    text = [_count_words(parts, marks)]
    for head, lines in parts.items():
        text += ["", f"{head:<{wide}}" + "".join(f"{mode:<14}" for mode in MODES).rstrip()]
        for line in lines:
            words = "".join(f"{_words(marks.get(cell), reasons):<14}" for cell in line.cells)
            text.append(f"{line.name:<{wide}}{words}".rstrip())
    return "\n".join([*text, "", *(f"{number}  {reason}" for reason, number in reasons.items())])


def _words(mark: Mark | None, reasons: dict[str, int]) -> str:
    if mark is None:
        return "·"
    number = f" {reasons[mark.reason]}" if mark.reason else ""
    return f"{WORDS[mark.outcome]}{number}"


def draw_html(marks: dict[Cell, Mark]) -> str:
    """Draw the table as HTML; the given parts are folded."""
    parts = _parts(marks)
    reasons = _reasons(parts, marks)
    body = ""
    for head, lines in parts.items():
        table = _table(head, lines, marks, reasons)
        is_given = head not in (OPERATION, SINK)
        body += f"<details><summary>{head}</summary>{table}</details>" if is_given else table
    notes = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    why = f"<details><summary>The reasons</summary><ol>{notes}</ol></details>" if notes else ""
    return (
        f'<style>{STYLE}</style><section class="lk-view"><p class="lk-head">'
        f"<b>Output modes</b> {_count_words(parts, marks)}</p>{body}{why}</section>"
    )


def _table(head: str, lines: list[Line], marks: dict[Cell, Mark], reasons: dict[str, int]) -> str:
    modes = "".join(f'<th scope="col">{mode}</th>' for mode in MODES)
    rows = "".join(_row(line, marks, reasons) for line in lines)
    return (
        f'<table class="lk-table"><caption>{head}</caption><thead><tr><th scope="col">{head}</th>'
        f"{modes}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(line: Line, marks: dict[Cell, Mark], reasons: dict[str, int]) -> str:
    cells = "".join(_cell(marks.get(cell), reasons) for cell in line.cells)
    name = f'<th scope="row" title="{escape(line.code)}">{escape(line.name)}</th>'
    return f"<tr>{name}{cells}</tr>"


def _cell(mark: Mark | None, reasons: dict[str, int]) -> str:
    if mark is None:
        return '<td><span class="lk-unseen">not tried</span></td>'
    number = f"<sup>{reasons[mark.reason]}</sup>" if mark.reason else ""
    weight = 400 if mark.is_given else 600
    style = f"color:{COLOURS[mark.outcome]};font-weight:{weight}"
    title = f' title="{escape(mark.reason)}"' if mark.reason else ""
    return f'<td style="{style}"{title}>{WORDS[mark.outcome]}{number}</td>'
