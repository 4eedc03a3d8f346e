"""The live table's memory: ``fold`` a batch into the result so far (``table.page`` draws it).

It is pure. What the rows of a batch mean depends on the output mode:

==========  ======================================================================
append      rows that are final: they are added at the end
update      rows that are new or changed: the newest row of each key counts; a window that
            the watermark has passed leaves the state
complete    the whole result: a key that is missing has gone
==========  ======================================================================

At most :data:`MAX_ROWS` keys are followed. Of the others nobody can say whether they are new or
have changed, so they are counted where Spark tells their number, and never marked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from labkit.engine.batches import MAX_ROWS, Batch, Column
from labkit.views.cells import is_window
from labkit.views.event_time import ms_of

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
    closed
        Rows of windows that the watermark has passed (update): final, no longer in state; the
        newest :data:`MAX_ROWS`.
    final
        Windows that became final with the last batch.
    total
        Rows of the whole result, also those beyond :data:`MAX_ROWS` that are not kept; with
        ``uncounted`` there may be more.
    more, uncounted
        Whether there are keys that are not followed, and whether nobody knows how many.
    batch
        The last batch; None before the first.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[int, ...] | None
    rows: dict[str, Row] = field(default_factory=dict)
    before: dict[str, Row | None] = field(default_factory=dict)
    removed: dict[str, Row] = field(default_factory=dict)
    closed: dict[str, Row] = field(default_factory=dict)
    final: tuple[Any, ...] = ()
    total: int = 0
    more: bool = False
    uncounted: bool = False
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
    return replace(merge(table, batch), batch=batch, final=_final_windows(table, batch))


def _append(table: Table, batch: Batch) -> Table:
    start = table.total
    arrived = {str(start + i): row for i, row in enumerate(batch.rows)}
    kept = dict(list({**table.rows, **arrived}.items())[-MAX_ROWS:])
    new: dict[str, Row | None] = dict.fromkeys(arrived)
    return replace(table, rows=kept, before=new, removed={}, total=start + batch.sent_rows)


def _update(table: Table, batch: Batch) -> Table:
    sent = {row_key(row, table.key): row for row in batch.rows}
    place = _window_place(table.columns)
    known = {**table.rows, **sent}
    passed = {
        k: row for k, row in known.items() if place is not None and _is_over(row[place], batch)
    }
    # A place that a passed window leaves is free for the next key.
    open_rows = {k: row for k, row in known.items() if k not in passed}
    followed = dict(list(open_rows.items())[:MAX_ROWS])
    removed = dict(list(passed.items())[:MAX_ROWS])
    shown = {k: row for k, row in sent.items() if k in followed or k in removed}
    more, total = _count(table, batch, len(open_rows))
    return replace(
        table,
        rows=in_order(followed, table.key),
        before=_changes(table, shown),
        removed=in_order(removed, table.key),
        closed=dict(list({**table.closed, **removed}.items())[-MAX_ROWS:]),
        total=total if more else len(followed),
        more=more,
        uncounted=more and total != _state_rows(batch),
    )


def _count(table: Table, batch: Batch, known: int) -> tuple[bool, int]:
    """Tell whether there are more keys than those followed, and how many there are in all."""
    in_state = _state_rows(batch)
    # Spark sends each key once in a batch, but a key may stand in several batches.
    seen = max(known, batch.sent_rows if batch.first == batch.number else 0)
    all_followed = in_state is not None and in_state <= known
    more = seen > MAX_ROWS or (table.more and not all_followed)
    if in_state is not None and in_state >= seen:
        return more, in_state
    return more, max(table.total, seen)


def _state_rows(batch: Batch) -> int | None:
    """Return how many groups Spark keeps; None when its number does not mean just that."""
    operators = batch.progress.raw.get("stateOperators") or []
    counted = batch.mode == "update" and len(operators) == 1
    if not counted or operators[0].get("operatorName") != "stateStoreSave":
        return None
    return batch.progress.state_rows


def _complete(table: Table, batch: Batch) -> Table:
    now = {row_key(row, table.key): row for row in batch.rows[:MAX_ROWS]}
    whole = batch.sent_rows <= len(batch.rows)  # of a cut result nobody can say what has gone
    gone = {k: row for k, row in table.rows.items() if whole and k not in now}
    return replace(
        table,
        rows=in_order(now, table.key),
        before=_changes(table, now),
        removed=gone,
        total=len(now) if whole else batch.sent_rows,
        more=not whole,
    )


def _changes(table: Table, now: dict[str, Row]) -> dict[str, Row | None]:
    """Return the former row of each key whose row is another one now; None for a new key.

    While there are keys that are not followed, one that appears may have been there before, so
    it is not called new.
    """
    old = table.rows
    new = {k: None for k in now if k not in old and not table.more}
    # Compared as text: NaN is not equal to itself, yet it has not changed.
    changed = {k: old[k] for k, row in now.items() if k in old and repr(old[k]) != repr(row)}
    marked = {**new, **changed}
    return {k: marked[k] for k in now if k in marked}


def _window_place(columns: tuple[Column, ...]) -> int | None:
    """Return which column is a time window, if one is."""
    windows = (i for i, column in enumerate(columns) if column.is_window)
    return next(windows, None)


def _is_over(window: Any, batch: Batch) -> bool:
    """Whether the watermark of a batch has reached the end of a window."""
    mark_ms = ms_of(batch.progress.watermark)
    if mark_ms is None or not is_window(window) or not isinstance(window[1], datetime):
        return False
    return window[1].timestamp() * 1000 <= mark_ms


def _final_windows(table: Table, batch: Batch) -> tuple[Any, ...]:
    """Return the windows that the watermark passed with this batch, oldest first."""
    place = _window_place(table.columns)
    if place is None or batch.mode == "complete":
        return ()
    before = table.batch
    rows = [*batch.rows, *table.rows.values()]
    windows = {tuple(row[place]): row[place] for row in rows if row[place] is not None}
    over = [w for w in windows.values() if _is_over(w, batch)]
    return tuple(sorted((w for w in over if before is None or not _is_over(w, before)), key=tuple))


def row_key(row: Row, key: tuple[int, ...] | None) -> str:
    """Return what makes a row the same row in the next batch, as text."""
    parts = row if key is None else [row[i] for i in key]
    return "\x1f".join(repr(part) for part in parts)


def in_order(rows: dict[str, Row], key: tuple[int, ...] | None) -> dict[str, Row]:
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
