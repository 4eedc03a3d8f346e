"""Which views are open, and whether they may show widgets."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from labkit.engine.batches import running_queries
from labkit.engine.watching import has_spark
from labkit.errors import Conflict, InvalidArgument, NotFound, wrong_type

if TYPE_CHECKING:
    from labkit.views.view import View

# A cell and one run of it, together with the view that was opened there.
_open: list[tuple[tuple[str, str] | None, View[Any]]] = []
_groups = count(1)
_is_headless = False


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


def is_headless() -> bool:
    """Whether new views go without widgets."""
    return _is_headless


def link(*views: View[Any]) -> None:
    """Let views share one position: a step back in one is a step back in all.

    The browser does it, so it works while a cell is busy. Views meet at the same batch number.

    Parameters
    ----------
    views
        Two or more views.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` for something that is no view; ``OUT_OF_RANGE`` for fewer than two.

    Examples
    --------
    >>> link(table, timeline)  # doctest: +SKIP
    """
    for view in views:
        if not callable(getattr(view, "share_position", None)):
            raise wrong_type("view", view, expected="a view, as lab.live(query) returns it")
    if len(views) < 2:
        raise InvalidArgument(
            "OUT_OF_RANGE", name="views", value=len(views), bound="two views or more"
        )
    group = f"group-{next(_groups)}"
    for view in views:
        view.share_position(group)


def stop_all_views() -> None:
    """Close every view that is open; the queries go on. Safe to call twice."""
    for _, view in _open:
        view.close()
    _open.clear()


def watched_queries() -> list[Any]:
    """Return the queries that a view is open for, also those that have ended."""
    # A comparison has several queries.
    found = [one for _, v in _open for one in getattr(v, "queries", {"": v.query}).values()]
    return [query for query in found if query is not None]


def started(query: Any) -> Any:
    """Return the query itself, or the running one of that name.

    Raises
    ------
    Conflict
        ``STOPPED``: the query's Spark has been stopped.
    InvalidArgument
        ``WRONG_TYPE``.
    NotFound
        No running query has this name.
    """
    if hasattr(query, "_jsq"):
        if not has_spark(query):
            reason = "Its queries ended with it, and nobody can ask them any more."
            cure = "Get Spark again with spark = lab.spark(), and run the cells from there."
            raise Conflict("STOPPED", what="The Spark of this query", reason=reason, cure=cure)
        return query
    if not isinstance(query, str):
        raise wrong_type(
            "query", query, expected="a started query (what .start() returned) or its name"
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


def remember(view: View[Any]) -> None:
    """Keep the view for ``stop_all``; what an earlier run of the same cell opened is closed."""
    place = _cell_run()
    for other_place, other in list(_open):
        is_rerun = place and other_place and place[0] == other_place[0] and place != other_place
        if is_rerun or not other.alive:
            other.close()
            _open.remove((other_place, other))
    _open.append((place, view))


def _cell_run() -> tuple[str, str] | None:
    """Return JupyterLab's id of the cell and of this run of it; None outside it."""
    try:
        from IPython import get_ipython  # noqa: PLC0415 - only in a notebook

        request = get_ipython().kernel.get_parent()
        return str(request["metadata"]["cellId"]), str(request["header"]["msg_id"])
    except (ImportError, AttributeError, KeyError):
        return None
