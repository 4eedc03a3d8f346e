"""The live table: ``fold`` a batch into the result so far, ``render`` it as HTML and text.

Both are pure. What the rows of a batch mean depends on the output mode:

==========  ======================================================================
append      rows that are final: they are added at the end
update      rows that are new or changed: the newest row of each key counts
complete    the whole result: a key that is missing has gone
==========  ======================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from labkit.engine.batches import MAX_ROWS, Batch, Column
from labkit.views.cells import column_texts, cut, is_window, plural
from labkit.views.frame import Frame, batch_words

MAX_COLUMNS = 8
NEW, CHANGED, REMOVED, SAME = "+", "Δ", "−", "·"
WORDS = {NEW: "new", CHANGED: "changed", REMOVED: "removed", SAME: "same"}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """The result of one query as far as the batches have told it.

    Parameters
    ----------
    columns
        The columns of the rows.
    key
        Positions of the key columns; None: every row is its own (append).
    rows
        Newest row by key, in the order in which they are shown.
    before
        For each key that the last batch changed: the row before it; None for a new key.
    removed
        Rows that the last batch took away.
    total
        Rows of the whole result, also those beyond :data:`MAX_ROWS` that are not kept.
    batch
        The last batch; None before the first.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[int, ...] | None
    rows: dict[str, Row] = field(default_factory=dict)
    before: dict[str, Row | None] = field(default_factory=dict)
    removed: dict[str, Row] = field(default_factory=dict)
    total: int = 0
    batch: Batch | None = None

    def sign(self, key: str) -> str:
        """Return the change sign of a row that is shown."""
        if key in self.removed:
            return REMOVED
        if key not in self.before:
            return SAME
        return NEW if self.before[key] is None else CHANGED


def fold(table: Table, batch: Batch) -> Table:
    """Return the table after one more batch.

    Parameters
    ----------
    table
        The result so far; its ``key`` says what makes two rows the same.
    batch
        What the sink got.
    """
    # A key that the learner gave makes appended rows replace each other too.
    by_row = _append if table.key is None else _update
    merge = _complete if batch.mode == "complete" else by_row
    return replace(merge(table, batch), batch=batch)


def _append(table: Table, batch: Batch) -> Table:
    start = table.total
    arrived = {str(start + i): row for i, row in enumerate(batch.rows)}
    kept = dict(list({**table.rows, **arrived}.items())[-MAX_ROWS:])
    new: dict[str, Row | None] = dict.fromkeys(arrived)
    return replace(table, rows=kept, before=new, removed={}, total=start + batch.sent_rows)


def _update(table: Table, batch: Batch) -> Table:
    sent = {row_key(row, table.key): row for row in batch.rows}
    known = {**table.rows, **sent}
    rows = _in_order(dict(list(known.items())[:MAX_ROWS]), table.key)
    before = _changes(table.rows, sent)
    unseen = sum(1 for k in sent if k not in table.rows)
    return replace(table, rows=rows, before=before, removed={}, total=table.total + unseen)


def _complete(table: Table, batch: Batch) -> Table:
    now = {row_key(row, table.key): row for row in batch.rows}
    before = _changes(table.rows, now)
    whole = batch.sent_rows == len(batch.rows)  # of a cut result nobody can say what has gone
    gone = {k: row for k, row in table.rows.items() if whole and k not in now}
    rows = _in_order(now, table.key)
    return replace(table, rows=rows, before=before, removed=gone, total=batch.sent_rows)


def _changes(old: dict[str, Row], new: dict[str, Row]) -> dict[str, Row | None]:
    """Return the former row of each key whose row is another one now; None for a new key."""
    # Compared as text: NaN is not equal to itself, yet it has not changed.
    return {k: old.get(k) for k, row in new.items() if k not in old or repr(old[k]) != repr(row)}


def row_key(row: Row, key: tuple[int, ...] | None) -> str:
    """Return what makes a row the same row in the next batch, as text."""
    parts = row if key is None else [row[i] for i in key]
    return "\x1f".join(repr(part) for part in parts)


def _in_order(rows: dict[str, Row], key: tuple[int, ...] | None) -> dict[str, Row]:
    """Order rows by key: Spark's own order changes from batch to batch."""
    places = key if key is not None else ()

    def rank(item: tuple[str, Row]) -> list[tuple[int, Any]]:
        parts = [item[1][i] for i in places] or [item[0]]
        return [(0, part) if part is not None else (1, 0) for part in parts]

    try:
        return dict(sorted(rows.items(), key=rank))
    except TypeError:  # values that cannot be compared, such as maps
        return dict(sorted(rows.items()))


def guess_key(columns: tuple[Column, ...]) -> tuple[int, ...]:
    """Choose the key columns: those the query groups by, else all that are not numbers.

    Examples
    --------
    >>> guess_key((Column("month", "int", True), Column("rows", "bigint", False)))
    (0,)
    """
    grouped = tuple(i for i, column in enumerate(columns) if column.grouping)
    return grouped or tuple(i for i, column in enumerate(columns) if not column.is_number)


def render(table: Table, cap: int) -> Frame:
    """Draw the table with at most ``cap`` rows."""
    batch = table.batch
    if batch is None:
        words = "Waiting for the first batch. The query runs; nothing has come in yet."
        return Frame(-1, -1, words, f'<p class="lk-sentence">{words}</p>', words)
    shown = _shown(table, cap)
    sentence = _sentence(table, batch)
    head, foot = _head(table, batch), _foot(table, shown)
    grid = _grid(table, shown)
    html = _html(table, grid, (head, sentence, foot))
    text = "\n".join([head, sentence, *_text_lines(grid), foot])
    return Frame(batch.number, batch.first, sentence, html, text)


def _shown(table: Table, cap: int) -> list[tuple[str, Row]]:
    removed = list(table.removed.items())
    rows = list(table.rows.items())
    newest_last = table.batch is not None and table.batch.mode == "append"
    return removed + (rows[-cap:] if newest_last else rows[:cap])


def _head(table: Table, batch: Batch) -> str:
    things = "row" if batch.mode == "append" else "key"
    read = plural(batch.progress.input_rows, "row")
    return (
        f"{table.name} · {batch.mode} · batch {batch.number} · "
        f"{read} in, {batch.sent_rows:,} sent · {plural(table.total, things)}"
    )


def _sentence(table: Table, batch: Batch) -> str:
    new = sum(1 for old in table.before.values() if old is None)
    if batch.mode == "append":
        new = batch.sent_rows
    changed = sum(1 for old in table.before.values() if old is not None)
    counts = f"{new:,} new, {changed:,} changed, {len(table.removed):,} removed."
    return f"{batch_words(batch.number, batch.first)}: {counts}"


def _foot(table: Table, shown: list[tuple[str, Row]]) -> str:
    order = "newest last" if table.batch and table.batch.mode == "append" else "by key"
    count = len(shown) - len(table.removed)
    hidden = len(table.columns) - MAX_COLUMNS
    more = f" · +{plural(hidden, 'column')}" if hidden > 0 else ""
    if count == table.total:
        return f"showing all {plural(count, 'row')}, {order}{more}"
    return f"showing {count:,} of {plural(table.total, 'row')}, {order}{more}"


@dataclass(frozen=True)
class _Grid:
    """The cells as text, by column; ``old`` is there where a value has changed."""

    heads: list[str]
    numbers: list[bool]
    keys: list[str]
    signs: list[str]
    cells: list[list[tuple[str, str | None]]]


def _grid(table: Table, shown: list[tuple[str, Row]]) -> _Grid:
    columns = table.columns[:MAX_COLUMNS]
    rows = [row for _, row in shown]
    olds = [table.before.get(key) for key, _ in shown]
    by_column = [_column_cells(i, rows, olds) for i in range(len(columns))]
    return _Grid(
        heads=[_column_head(c, table, i) for i, c in enumerate(columns)],
        numbers=[c.is_number for c in columns],
        keys=[key for key, _ in shown],
        signs=[table.sign(key) for key, _ in shown],
        cells=[list(cells) for cells in zip(*by_column, strict=True)],
    )


def _column_cells(
    place: int, rows: list[Row], olds: list[Row | None]
) -> list[tuple[str, str | None]]:
    now = [row[place] for row in rows]
    then = [row[place] if old is None else old[place] for row, old in zip(rows, olds, strict=True)]
    texts = column_texts(now + then)
    pairs = zip(texts[: len(now)], texts[len(now) :], strict=True)
    return [(new, old if new != old else None) for new, old in pairs]


def _column_head(column: Column, table: Table, place: int) -> str:
    values = [row[place] for row in table.rows.values()]
    timed = column.type == "timestamp" or any(is_window(v) for v in values)
    return f"{column.name} ({table.batch.zone})" if timed and table.batch else column.name


def _text_lines(grid: _Grid) -> list[str]:
    """Align the cells in columns, with the sign in front."""
    body = [[cut(now) if old is None else f"{old} → {now}" for now, old in r] for r in grid.cells]
    widths = [max(map(len, column)) for column in zip(grid.heads, *body, strict=True)]

    def line(sign: str, cells: list[str]) -> str:
        shown = zip(cells, widths, grid.numbers, strict=True)
        aligned = (c.rjust(w) if number else c.ljust(w) for c, w, number in shown)
        return "  ".join([sign, *aligned]).rstrip()

    lines = [line(sign, cells) for sign, cells in zip(grid.signs, body, strict=True)]
    return [line(" ", grid.heads), *lines]


def _html(table: Table, grid: _Grid, words: tuple[str, str, str]) -> str:
    head, sentence, foot = (escape(part) for part in words)
    name, _, facts = head.partition(" · ")
    heads = "".join(
        f'<th scope="col"{_number_class(number)}>{escape(title)}</th>'
        for title, number in zip(grid.heads, grid.numbers, strict=True)
    )
    body = "".join(_html_row(grid, i) for i in range(len(grid.keys)))
    legend = " ".join(f"<span><b>{sign}</b> {word}</span>" for sign, word in WORDS.items())
    start, _, counts = sentence.partition(": ")
    return (
        f'<p class="lk-head"><b>{name}</b> {facts}</p>'
        f'<p class="lk-sentence"><b>{start}:</b> {counts}</p>'
        f'<div class="lk-scroll"><table class="lk-table">'
        f"<caption>{escape(table.name)}, result so far</caption>"
        f'<thead><tr><th scope="col"><span class="lk-unseen">change</span></th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="lk-foot"><span class="lk-legend">{legend}</span><span>{foot}</span></p>'
    )


def _number_class(number: bool) -> str:
    return ' class="lk-number"' if number else ""


def _html_row(grid: _Grid, place: int) -> str:
    sign = grid.signs[place]
    cells = "".join(
        _html_cell(now, old, number)
        for (now, old), number in zip(grid.cells[place], grid.numbers, strict=True)
    )
    said = f'<span aria-hidden="true">{sign}</span><span class="lk-unseen">{WORDS[sign]}</span>'
    key = escape(grid.keys[place], quote=True)
    return (
        f'<tr data-key="{key}" class="lk-{WORDS[sign]}"><td class="lk-sign">{said}</td>{cells}</tr>'
    )


def _html_cell(now: str, old: str | None, number: bool) -> str:
    kinds = [kind for kind, yes in (("lk-number", number), ("lk-moved", old is not None)) if yes]
    of_kind = f' class="{" ".join(kinds)}"' if kinds else ""
    short = cut(now)
    title = f' title="{escape(now[:2000], quote=True)}"' if short != now else ""
    was = f'<span class="lk-old">{escape(cut(old))} →</span> ' if old is not None else ""
    value = f"<b>{escape(short)}</b>" if old is not None else escape(short)
    return f"<td{of_kind}{title}>{was}{value}</td>"
