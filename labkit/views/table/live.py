"""``lab.live``: the table of a memory-sink query, one frame per micro-batch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from labkit.engine.batches import MAX_ROWS
from labkit.engine.watching import TableReader
from labkit.errors import NotFound, require_int
from labkit.views.registry import started
from labkit.views.table.model import Table, fold, guess_key
from labkit.views.table.page import render
from labkit.views.view import View

if TYPE_CHECKING:
    from labkit.engine.batches import BatchReader
    from labkit.feeds.delivery import Feed


class LiveTable(View[Table]):
    """The table of a memory-sink query, one frame per micro-batch."""

    @property
    def data(self) -> pd.DataFrame:
        """A copy of the result so far (at most 500 rows), closed windows included, by key."""
        return rows_so_far(self.model)


def rows_so_far(table: Table) -> pd.DataFrame:
    """Return the result that a table holds, closed windows first, at most 500 rows."""
    rows = [*table.closed.values(), *table.rows.values()][-MAX_ROWS:]
    return pd.DataFrame(rows, columns=[column.name for column in table.columns])


def live(
    query: Any, *, key: str | list[str] | None = None, cap: int = 50, feed: Feed | None = None
) -> LiveTable:
    """Show the table of a memory-sink query, one frame per micro-batch.

    Parameters
    ----------
    query
        A started ``StreamingQuery``, or its name.
    key
        The column or columns that make two rows the same; None: the columns that the query
        groups by (append: each row is its own).
    cap
        Rows shown at once, 1 to 500; fewer when a frame would grow beyond 40 KB.
    feed
        A feed for the button "Next batch", which takes one step; None: no such button.

    Returns
    -------
    LiveTable
        Shows itself as the last expression of a cell; ``.data``, ``.frames``, ``.to_text()``.

    Raises
    ------
    Conflict
        ``STOPPED``: the query's Spark has been stopped.
    NotFound
        No running query has this name, or ``key`` names no column.
    InvalidArgument
        ``query`` is something else, its sink is not memory, or ``cap`` is out of range.

    Examples
    --------
    >>> view = lab.live(query)  # doctest: +SKIP
    >>> feed.step(3, query)  # doctest: +SKIP
    >>> print(view.to_text())  # doctest: +SKIP
    """
    require_int("cap", cap, low=1, high=500)
    reader = TableReader(started(query))
    batches = reader.batches
    table = Table(name=reader.name, columns=batches.columns, key=_key_places(key, batches))
    return LiveTable("table", reader, table, fold=fold, render=partial(render, cap=cap), feed=feed)


def _key_places(key: str | list[str] | None, reader: BatchReader) -> tuple[int, ...] | None:
    if key is None:
        return None if reader.mode == "append" else guess_key(reader.columns)
    names = [column.name for column in reader.columns]
    wanted = [key] if isinstance(key, str) else list(key)
    for name in wanted:
        if name not in names:
            reason = f"The columns are: {', '.join(names)}."
            raise NotFound("NOT_FOUND", kind="key column", name=name, reason=reason)
    return tuple(names.index(name) for name in wanted)
