"""Wait until a streaming query has processed a step. No Spark here: the query is duck-typed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from labkit.errors import InvalidArgument, NotReady, wrong_type
from labkit.waiting import patience, wait_until

CURE = "Give it more time with timeout_s=, or look at query.status."


class Query(Protocol):
    """The part of a Spark ``StreamingQuery`` that a feed looks at."""

    name: str | None
    isActive: bool  # noqa: N815 (Spark's name)
    lastProgress: Any  # noqa: N815 (Spark's name)

    def processAllAvailable(self) -> None:  # noqa: N802 (Spark's name)
        """Block until everything available has been processed; Spark gives it no time limit."""

    def exception(self) -> BaseException | None:
        """Return what ended the query, if it failed."""


def label(query: Query) -> str:
    """Return words for a query.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> label(SimpleNamespace(name="totals"))
    "The query 'totals'"
    """
    return f"The query {query.name!r}" if query.name else "The query"


def require_active(query: Any) -> None:
    """Check that ``query`` is a running query.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, or ``STOPPED`` for a query that was stopped. A query that failed raises
        its own exception.
    """
    if not callable(getattr(query, "processAllAvailable", None)):
        expected = "a started streaming query, as writeStream.start() returns it"
        raise wrong_type("query", query, expected=expected)
    if query.isActive:
        return
    failure = query.exception()
    if failure is not None:
        raise failure
    raise InvalidArgument(
        "STOPPED",
        what=label(query),
        reason="A stopped query processes nothing; nothing was sent.",
        cure="Start it again, or call step() without the query.",
    )


def settle(
    query: Query,
    *,
    what: str,
    timeout_s: float,
    arrived: Callable[[], bool] = lambda: True,
) -> None:
    """Return when ``query`` has processed everything that is available to it.

    Parameters
    ----------
    query
        A running query.
    what
        What is awaited, as the start of a sentence for the error.
    timeout_s
        Limit in seconds of the real clock, for both waits together.
    arrived
        True once the data can be seen by the query; for sources that read on their own time.

    Raises
    ------
    NotReady
        ``NOT_READY`` with ``what``; ``STOPPED`` when somebody stopped the query meanwhile. A
        query that fails raises its own exception.
    """
    deadline = time.monotonic() + timeout_s
    if not arrived():
        wait_until(
            lambda: arrived() or not query.isActive, what=what, timeout_s=timeout_s, cure=CURE
        )
    _process_all_available(query, what=what, left_s=deadline - time.monotonic(), limit_s=timeout_s)
    if not query.isActive:
        raise query.exception() or NotReady(
            "STOPPED",
            what=label(query),
            reason="It was stopped while a step was on its way.",
            cure="The step was sent; start the query again to process it.",
        )


def _process_all_available(query: Query, *, what: str, left_s: float, limit_s: float) -> None:
    # In a thread of its own, since Spark's call cannot be given up; it ends with the query.
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            query.processAllAvailable()
        except BaseException as error:  # noqa: BLE001 (raised again below)
            failures.append(error)

    waiter = threading.Thread(target=wait, name="labkit step", daemon=True)
    waiter.start()
    with patience(what=f"Waiting: {what}"):
        waiter.join(max(0.0, left_s))
    if waiter.is_alive():
        reason = f"{label(query)} is still at work."
        raise NotReady("NOT_READY", what=what, timeout_s=limit_s, reason=reason, cure=CURE)
    if failures:
        raise failures[0]


def source_offsets(query: Query, *, reads_from: str) -> list[int]:
    """Return how far a query has read, for each of its sources whose offset is one number.

    Parameters
    ----------
    query
        A query with or without progress yet.
    reads_from
        Text in the source's description that tells it from other sources.
    """
    progress = query.lastProgress
    if not progress:
        return []
    sources = [_as_dict(source) for source in _as_dict(progress)["sources"]]
    return [
        int(source["endOffset"])
        for source in sources
        if reads_from in source["description"] and source["endOffset"] is not None
    ]


def _as_dict(thing: Any) -> dict[str, Any]:
    return thing if isinstance(thing, dict) else {name: getattr(thing, name) for name in dir(thing)}
