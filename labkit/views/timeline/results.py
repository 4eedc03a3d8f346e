"""The rows that a query sent, by window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.engine.batches import Batch, Column
from labkit.views.cells import cut, is_window, text_of
from labkit.views.event_time import Window, Windows

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Result:
    """One row that was sent: its window (None: not found), its key for a session, its words."""

    window: Window | None
    key: str
    words: str


def results(batch: Batch | None, windows: Windows) -> tuple[Result, ...]:
    """Return the rows of a batch in the order of their windows."""
    if batch is None or windows.kind == "none":
        return ()
    places, window_of = _window_columns(batch.columns)
    others = [i for i in range(len(batch.columns)) if i not in places]
    keys = [i for i in others if _is_key(batch.columns[i])]
    values = [i for i in others if i not in keys]
    made = [
        Result(
            window=window_of(row),
            key=text_of(row[keys[0]]) if keys and windows.kind == "session" else "",
            words=cut(" ".join(text_of(row[i]) for i in [*keys, *values])) or "sent",
        )
        for row in batch.rows
    ]
    return tuple(sorted(made, key=lambda r: (r.window is None, r.window or (0, 0), r.words)))


def _is_key(column: Column) -> bool:
    return column.grouping if column.grouping is not None else not column.is_number


def _window_columns(columns: tuple[Column, ...]) -> tuple[list[int], Callable[[Row], Any]]:
    """Find the window, whole or taken apart into two timestamps."""
    whole = [i for i, column in enumerate(columns) if column.is_window]
    if whole:
        return whole[:1], lambda row: _bounds(row[whole[0]])
    times = [i for i, column in enumerate(columns) if column.type == "timestamp"][:2]
    if len(times) == 2:
        return times, lambda row: _pair(row[times[0]], row[times[1]])
    return [], lambda _: None


def _bounds(window: Any) -> Window | None:
    return _pair(window[0], window[1]) if is_window(window) else None


def _pair(start: Any, end: Any) -> Window | None:
    if not (isinstance(start, datetime) and isinstance(end, datetime)):
        return None
    return round(start.timestamp() * 1000), round(end.timestamp() * 1000)
