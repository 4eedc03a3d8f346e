"""``lab.live``: open a view of a query, and keep track of the views that are open."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from labkit.engine.batches import BatchReader, running_queries
from labkit.errors import InvalidArgument, NotFound, require_int
from labkit.views.table import Table, fold, guess_key, render
from labkit.views.view import View

_open: list[tuple[str | None, View[Any]]] = []
_is_headless = False


class LiveTable(View[Table]):
    """The table of a memory-sink query, one frame per micro-batch."""

    @property
    def data(self) -> pd.DataFrame:
        """A copy of the result so far (at most 500 rows), in the order of the view."""
        table = self.model
        return pd.DataFrame(list(table.rows.values()), columns=[c.name for c in table.columns])


def live(query: Any, *, key: str | list[str] | None = None, cap: int = 50) -> LiveTable:
    """Show the table of a memory-sink query, one frame per micro-batch.

    Parameters
    ----------
    query
        A started ``StreamingQuery``, or its name.
    key
        The column or columns that make two rows the same; None: the columns that the query
        groups by (append: each row is its own).
    cap
        Rows shown at once, 1 to 500.

    Returns
    -------
    LiveTable
        Shows itself as the last expression of a cell; ``.data``, ``.frames``, ``.to_text()``.

    Raises
    ------
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
    reader = BatchReader(_started(query))
    table = Table(
        name=reader.query.name,
        columns=reader.columns,
        key=_key_places(key, reader),
    )
    view = LiveTable(
        "table",
        reader,
        table,
        fold=fold,
        render=partial(render, cap=cap),
        headless=_is_headless,
    )
    _remember(view)
    return view


def headless(on: bool = True) -> None:
    """Make views without widgets from now on: they collect frames and show text.

    Parameters
    ----------
    on
        False: with widgets again.

    Examples
    --------
    >>> headless()
    >>> headless(False)
    """
    global _is_headless  # noqa: PLW0603 - one switch for the kernel
    _is_headless = on


def stop_all_views() -> None:
    """Close every view that is open; the queries go on. Safe to call twice."""
    for _, view in _open:
        view.close()
    _open.clear()


def _started(query: Any) -> Any:
    """Return the query itself, or the running one of that name."""
    if hasattr(query, "_jsq"):
        return query
    if not isinstance(query, str):
        raise InvalidArgument(
            "WRONG_TYPE",
            name="query",
            value=query,
            found=type(query).__name__,
            expected="a started query (what .start() returned) or its name",
        )
    running = running_queries()
    for candidate in running:
        if candidate.name == query:
            return candidate
    names = ", ".join(sorted(q.name or "(no name)" for q in running)) or "none"
    raise NotFound(
        "NOT_FOUND",
        kind="running query",
        name=query,
        reason=f"Running are: {names}.",
        cure="Start it, or pass the query object: a stopped query can be shown too.",
    )


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


def _remember(view: View[Any]) -> None:
    """Keep the view for ``stop_all``; one from the same cell, run before, is closed."""
    cell = _cell_id()
    for other_cell, other in list(_open):
        if not other.alive or (cell is not None and cell == other_cell):
            other.close()
            _open.remove((other_cell, other))
    _open.append((cell, view))


def _cell_id() -> str | None:
    """Return JupyterLab's id of the cell that runs; None outside it."""
    try:
        from IPython import get_ipython  # noqa: PLC0415 - only in a notebook

        header = get_ipython().kernel.get_parent()
        return str(header["metadata"]["cellId"])
    except (ImportError, AttributeError, KeyError):
        return None
