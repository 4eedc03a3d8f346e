"""Rows as a table, in HTML and in text, with a sign for what has changed.

The live table and the comparison of output modes are made of such tables. What goes into a cell
is written once, for both forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from html import escape
from typing import Any

from labkit.engine.batches import Column
from labkit.views.cells import MAX_CHARS, column_texts, cut, is_right_to_left, visible
from labkit.views.table.model import CHANGED, NEW, REMOVED, SAME, WORDS, Row

MAX_COLUMNS = 8
# The whole text of a cell that had to be cut, for the pointer; all titles of a page share this.
TITLE_CHARS = 2000
# A row's place in the page is told by its key; a longer key is told by its sum.
KEY_CHARS = 80
# A shorter title than this says hardly more than the cell.
MIN_TITLE = 60
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
    #: How much of a cut text the pointer shows.
    title_chars: int = TITLE_CHARS


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


def fitting(grid: Grid, room: int, *, signed: bool, newest: bool, text: bool) -> Grid:
    """Return as many of the rows as fit into a message.

    Parameters
    ----------
    grid
        All of the rows.
    room
        Bytes for them.
    signed
        Whether the page has a column of signs.
    newest
        Whether the last rows are kept; else the first ones.
    text
        Whether their text form needs room as well.
    """
    notes = any(line.note for line in grid.lines)
    title_chars = _title_room(grid)
    places = range(len(grid.lines))
    count = 0
    for place in reversed(places) if newest else places:
        html = _html_row(grid, place, signed=signed, notes=notes, title_chars=title_chars)
        room -= message_bytes(html)
        room -= message_bytes("".join(_text_cells(grid.cells[place]))) if text else 0
        if room < 0:
            break
        count += 1
    kept = slice(len(grid.lines) - count, None) if newest else slice(count)
    return replace(grid, lines=grid.lines[kept], cells=grid.cells[kept], title_chars=title_chars)


def message_bytes(text: str) -> int:
    """Return the bytes of a text in a message to the browser, which is JSON."""
    return len(text.encode()) + text.count('"') + text.count("\n") + text.count("\\")


def _title_room(grid: Grid) -> int:
    """Return how many characters of a title each cut cell may have."""
    long = sum(1 for row in grid.cells for now, _ in row if len(now) > MAX_CHARS)
    return TITLE_CHARS // max(1, long)


def text_lines(grid: Grid) -> list[str]:
    """Align the cells in columns, with the sign in front."""
    body = [_text_cells(row) for row in grid.cells]
    widths = [max(map(len, column)) for column in zip(grid.heads, *body, strict=True)]

    def line(sign: str, cells: list[str], note: str = "") -> str:
        shown = zip(cells, widths, grid.numbers, strict=True)
        aligned = (c.rjust(w) if number else c.ljust(w) for c, w, number in shown)
        return "  ".join([sign, *aligned, note]).rstrip()

    rows = zip(grid.lines, body, strict=True)
    return [line(" ", grid.heads), *(line(of.sign, cells, of.note) for of, cells in rows)]


def table_html(
    grid: Grid, caption: str, *, signed: bool = False, title_chars: int | None = None
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
        How much of a cut text the pointer shows; None: as the grid says.
    """
    title_chars = grid.title_chars if title_chars is None else title_chars
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


def _text_cells(cells: Iterable[tuple[str, str | None]]) -> list[str]:
    return [cut(now) if old is None else f"{cut(old)} → {cut(now)}" for now, old in cells]


def _column_cells(place: int, lines: list[Line]) -> list[tuple[str, str | None]]:
    now = [line.row[place] for line in lines]
    then = [(line.old or line.row)[place] for line in lines]
    texts = column_texts(now + then)
    pairs = zip(texts[: len(now)], texts[len(now) :], strict=True)
    return [(new, old if new != old else None) for new, old in pairs]


def _head(column: Column, zone: str) -> str:
    timed = column.type == "timestamp" or column.is_window
    return f"{cut(column.name)} ({zone})" if timed else cut(column.name)


def _html_row(grid: Grid, place: int, *, signed: bool, notes: bool, title_chars: int) -> str:
    line = grid.lines[place]
    cells = "".join(
        _html_cell(*cell, number=number, key=key, title_chars=title_chars)
        for cell, number, key in zip(grid.cells[place], grid.numbers, grid.keys, strict=True)
    )
    word = WORDS.get(line.sign, "") if line.sign != SAME else ""
    said = f'<span class="lk-unseen">{word}</span>' if word else ""
    hidden = ' aria-hidden="true"' if word else ""
    sign = f'<td class="lk-sign"><span{hidden}>{line.sign}</span>{said}</td>' if signed else ""
    note = f'<td class="lk-note">{escape(line.note)}</td>' if notes else ""
    row_id = escape(_short_key(line.key), quote=True)
    return f'<tr data-key="{row_id}" class="lk-{KINDS[line.sign]}">{sign}{cells}{note}</tr>'


def _short_key(key: str) -> str:
    if len(key) <= KEY_CHARS:
        return visible(key)
    return visible(key[:20]) + blake2b(key.encode(errors="replace"), digest_size=12).hexdigest()


def _html_cell(now: str, old: str | None, *, number: bool, key: bool, title_chars: int) -> str:
    short = escape(cut(now), quote=False)
    whole = visible(now[:title_chars])
    wanted = len(now) > MAX_CHARS and title_chars >= MIN_TITLE
    title = f' title="{escape(whole)}"' if wanted else ""
    classes = _classes(number=number, key=key, moved=old is not None)
    if old is None:
        return f"<td{classes}{title}{_direction(now)}>{short}</td>"
    before = escape(cut(old), quote=False)
    # From left to right always, or the arrow would point from the new value to the old one.
    was = f'<span class="lk-old">{_isolated(before)} →</span>'
    return f"<td{classes}{title}>{was} <b{_direction(now)}>{short}</b></td>"


def _isolated(text: str) -> str:
    return f"<bdi>{text}</bdi>" if is_right_to_left(text) else text


def _direction(text: str) -> str:
    return ' dir="auto"' if is_right_to_left(cut(text)) else ""


def _classes(**kinds: Any) -> str:
    named = " ".join(f"lk-{kind}" for kind, yes in kinds.items() if yes)
    return f' class="{named}"' if named else ""
