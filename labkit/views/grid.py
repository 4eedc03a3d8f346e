"""Rows as a table, in HTML and in text, with a sign for what has changed.

The live table and the comparison of output modes are made of such tables. What goes into a cell
is written once, for both forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from labkit.engine.batches import Column
from labkit.views.cells import column_texts, cut
from labkit.views.table import CHANGED, NEW, REMOVED, SAME, WORDS, Row

MAX_COLUMNS = 8
# The whole text of a cell that had to be cut, for the pointer.
TITLE_CHARS = 2000
KINDS = {NEW: "new", CHANGED: "changed", REMOVED: "removed", SAME: "same", "": "same"}
KINDS |= {"+I": "insert", "−U": "before", "+U": "after", "−D": "delete"}


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


def make_grid(
    columns: tuple[Column, ...],
    key: tuple[int, ...] | None,
    lines: list[Line],
    *,
    zone: str,
    limit: int = MAX_COLUMNS,
) -> Grid:
    """Write the cells of some rows.

    Parameters
    ----------
    columns
        The columns of the rows.
    key
        Positions of the key columns, if there are any.
    lines
        The rows.
    zone
        The time zone of times, by name, for the head of their column.
    limit
        Columns shown; those after them are left out.
    """
    shown = columns[:limit]
    by_column = [_column_cells(place, lines) for place in range(len(shown))]
    return Grid(
        heads=[_head(column, zone) for column in shown],
        numbers=[column.is_number for column in shown],
        keys=[place in (key or ()) for place in range(len(shown))],
        lines=lines,
        cells=[list(cells) for cells in zip(*by_column, strict=True)],
    )


def text_lines(grid: Grid) -> list[str]:
    """Align the cells in columns, with the sign in front."""
    body = [[cut(now) if old is None else f"{old} → {now}" for now, old in r] for r in grid.cells]
    widths = [max(map(len, column)) for column in zip(grid.heads, *body, strict=True)]

    def line(sign: str, cells: list[str], note: str = "") -> str:
        shown = zip(cells, widths, grid.numbers, strict=True)
        aligned = (c.rjust(w) if number else c.ljust(w) for c, w, number in shown)
        return "  ".join([sign, *aligned, note]).rstrip()

    rows = zip(grid.lines, body, strict=True)
    return [line(" ", grid.heads), *(line(of.sign, cells, of.note) for of, cells in rows)]


def table_html(
    grid: Grid, caption: str, *, signed: bool = False, title_chars: int = TITLE_CHARS
) -> str:
    """Write the element ``table``.

    Parameters
    ----------
    grid
        Its cells.
    caption
        What it shows; only screen readers get it.
    signed
        Whether it has a column of signs even when no row has one.
    title_chars
        How much of a cut text the pointer shows.
    """
    heads = "".join(
        f'<th scope="col"{_classes(number=number)}>{escape(title)}</th>'
        for title, number in zip(grid.heads, grid.numbers, strict=True)
    )
    signed = signed or any(line.sign for line in grid.lines)
    change = '<th scope="col"><span class="lk-unseen">change</span></th>' if signed else ""
    notes = any(line.note for line in grid.lines)
    note = '<th scope="col"><span class="lk-unseen">note</span></th>' if notes else ""
    rows = "".join(
        _html_row(grid, place, signed=signed, notes=notes, title_chars=title_chars)
        for place in range(len(grid.lines))
    )
    return (
        f'<table class="lk-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{change}{heads}{note}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _column_cells(place: int, lines: list[Line]) -> list[tuple[str, str | None]]:
    now = [line.row[place] for line in lines]
    then = [(line.old or line.row)[place] for line in lines]
    texts = column_texts(now + then)
    pairs = zip(texts[: len(now)], texts[len(now) :], strict=True)
    return [(new, old if new != old else None) for new, old in pairs]


def _head(column: Column, zone: str) -> str:
    timed = column.type == "timestamp" or column.is_window
    return f"{column.name} ({zone})" if timed else column.name


def _html_row(grid: Grid, place: int, *, signed: bool, notes: bool, title_chars: int) -> str:
    line = grid.lines[place]
    cells = "".join(
        _html_cell(*cell, number=number, key=key, title_chars=title_chars)
        for cell, number, key in zip(grid.cells[place], grid.numbers, grid.keys, strict=True)
    )
    word = WORDS.get(line.sign, "")
    said = f'<span class="lk-unseen">{word}</span>' if word else ""
    hidden = ' aria-hidden="true"' if word else ""
    sign = f'<td class="lk-sign"><span{hidden}>{line.sign}</span>{said}</td>' if signed else ""
    note = f'<td class="lk-note">{escape(line.note)}</td>' if notes else ""
    row_id = escape(line.key, quote=True)
    return f'<tr data-key="{row_id}" class="lk-{KINDS[line.sign]}">{sign}{cells}{note}</tr>'


def _html_cell(now: str, old: str | None, *, number: bool, key: bool, title_chars: int) -> str:
    short = cut(now)
    title = f' title="{escape(now[:title_chars], quote=True)}"' if short != now else ""
    was = f'<span class="lk-old">{escape(cut(old))} →</span> ' if old is not None else ""
    value = f"<b>{escape(short)}</b>" if old is not None else escape(short)
    classes = _classes(number=number, key=key, moved=old is not None)
    return f'<td{classes}{title} dir="auto">{was}{value}</td>'


def _classes(**kinds: Any) -> str:
    named = " ".join(f"lk-{kind}" for kind, yes in kinds.items() if yes)
    return f' class="{named}"' if named else ""
