"""``lab.explain``: the last error, or what the queries do, in plain words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labkit.course.telling.findings import Explained, Finding, finding_of
from labkit.course.telling.silent import about_query, left_over, title
from labkit.engine.batches import running_queries
from labkit.engine.causes import facts_of
from labkit.engine.last_error import DeadQuery, cell_error, dead_query, notebook, open_session
from labkit.engine.signatures import explain_error
from labkit.engine.watching import has_spark
from labkit.errors import NotFound, wrong_type
from labkit.views.registry import watched_queries

NOTHING = Finding(
    "Nothing runs",
    "No query runs, and no error is known.",
    'Start one: query = df.writeStream.format("memory").queryName("totals").start().',
)
GONE = Finding(
    "This query",
    "Its Spark session was stopped, and the query with it.",
    "Get Spark again with spark = lab.spark(), and run the cells from there.",
    id="M66",
    lesson="01",
)
NO_NAME = Finding(
    "",
    "A cell uses a name that this kernel does not know yet.",
    "Look at its spelling. If it is right, run the cells above it, in their order; after a restart "
    "of the kernel, from the first one.",
)
# The checks' own queries are told by their checks.
OURS = "run_stream"

# The cell error that was told last, and the count of cells then: asked again, it is told again.
_told: tuple[BaseException | None, int] = (None, -1)


def explain(what: Any = None) -> Explained:
    """Say in plain words what went amiss, or what the queries do.

    Parameters
    ----------
    what
        An exception, a query, or a query's name. None: the last error of this kernel, be it of a
        cell or of a query that died unseen, and after it what each running query does.

    Returns
    -------
    Explained
        Shows itself as the last expression of a cell; ``.findings`` holds its parts.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: ``what`` is something else.
    NotFound
        ``NOT_FOUND``: no query has this name.

    Notes
    -----
    A query dies after its cell was green. So a cell that has just failed comes first, then a
    query that has died, then a cell that failed earlier, if no query runs.

    Examples
    --------
    >>> explain(ImportError("cannot import name 'Trigger'")).sentence
    "Python has no class Trigger for streams; it is Scala's."
    """
    if what is None:
        return Explained(tuple(_everything()) or (NOTHING,))
    if isinstance(what, BaseException):
        return Explained((_of_error("This error", what),))
    if isinstance(what, str):
        return Explained(tuple(_of_name(what)))
    query = getattr(what, "query", what)  # a view knows its query
    if not hasattr(type(query), "processAllAvailable"):
        raise wrong_type("what", what, expected="an exception, a query, or a query's name")
    return Explained(tuple(_of_query(query)))


def _everything() -> list[Finding]:
    running = running_queries() if open_session() is not None else []
    found = [_of_last_error(running)] if _has_error(running) else []
    for query in running:
        found += _of_query(query)
    return [*found, *left_over(running)]


def _has_error(running: list[Any]) -> bool:
    return _last_dead(running) is not None or (
        cell_error() is not None and (_is_fresh() or not running)
    )


def _of_last_error(running: list[Any]) -> Finding:
    global _told  # noqa: PLW0603 - one kernel has one last error
    error, dead, is_fresh = cell_error(), _last_dead(running), _is_fresh()
    if dead is not None and not (error is not None and is_fresh):
        return _of_error(_failed(dead.name), dead.error)
    _told = (error, _cell_count())
    assert error is not None  # noqa: S101 - as _has_error has found
    return _of_error("The last cell" if is_fresh else "An earlier cell", error)


def _last_dead(running: list[Any]) -> DeadQuery | None:
    """Return the query that died last, unless it runs again or was a check's own."""
    dead = dead_query()
    if dead is None or dead.name.startswith(OURS):
        return None
    is_back = dead.name and any(query.name == dead.name for query in running)
    return None if is_back else dead


def _is_fresh() -> bool:
    """Whether the cell before this one failed, or its error was told there."""
    shell = notebook()
    if shell is None or not getattr(shell, "last_execution_succeeded", True):
        return True
    told, count = _told
    return told is not None and told is cell_error() and _cell_count() - count <= 1


def _cell_count() -> int:
    shell = notebook()
    return int(shell.execution_count) if shell is not None else 0


def _of_name(name: str) -> list[Finding]:
    running = running_queries() if open_session() is not None else []
    known = [query for query in [*running, *watched_queries()] if query.name == name]
    if known:
        return _of_query(known[0])
    dead = dead_query()
    if dead is not None and dead.name == name:
        return [_of_error(_failed(name), dead.error)]
    names = ", ".join(sorted(query.name for query in running if query.name)) or "none"
    raise NotFound(
        "NOT_FOUND",
        kind="query",
        name=name,
        reason=f"Running are: {names}.",
        cure="Start it, or pass the query object.",
    )


def _of_query(query: Any) -> list[Finding]:
    if not has_spark(query):
        return [GONE]
    error = None if query.isActive else query.exception()
    if error is None:
        return about_query(query)
    return [_of_error(f"{title(query)} has failed", error)]


def _of_error(about: str, error: BaseException) -> Finding:
    if isinstance(error, NameError):
        return replace(NO_NAME, about=about, cause=str(error))
    return finding_of(about, explain_error(error), facts_of(error))


def _failed(name: str) -> str:
    return f"Query {name} has failed" if name else "A query without a name has failed"
