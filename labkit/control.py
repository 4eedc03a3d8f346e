"""Stop one thing, or everything: the first line of a cell that starts something, so it runs twice.

Nothing here starts a session or imports a room that was never used: what was not imported cannot
be running.
"""
# ruff: noqa: SLF001 - Spark has no public call that finds a session without ever starting one

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

from labkit.errors import wrong_type
from labkit.waiting import patience, wait_until

# `query.stop()` has returned by then; only the last word of the query's thread is still awaited.
GONE_S = 10.0
# lab.compare runs a query for each and names it after the whole and the mode.
OUTPUT_MODES = ("append", "update", "complete")
# Who ends what, in the order of ending: queries read from services, services outlive their feeds.
ROOMS = (
    ("labkit.feeds.feed", "stop_all_feeds"),
    ("labkit.views.registry", "stop_all_views"),
    ("labkit.services.base", "stop_all_services"),
    ("labkit.engine.session", "stop_session"),
)


def stop(*things: Any) -> None:
    """Stop queries and feeds for good, and return when they are really stopped.

    A query's memory table goes too, so that its name and its memory are free again; read it
    first if the rows still matter. A feed gives back its port or connection; ``feed.stop()`` only
    pauses it. What is not there, or is stopped already, is fine.

    Parameters
    ----------
    things
        Queries, feeds, and names of either. A name stops the query *and* the feed of that name,
        and the queries of a comparison with that name.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: one of the things is none of these; then nothing was stopped.
    NotReady
        ``NOT_READY``: a query still ran 10 s (real clock) after it was told to stop.

    Examples
    --------
    >>> stop("totals")  # no such query yet: fine
    """
    for thing in things:
        _require_stoppable(thing)
    for thing in things:
        if isinstance(thing, str):
            _stop_name(thing)
        elif _is_query(thing):
            _stop_query(thing)
        else:
            thing.close()


def stop_all() -> None:
    """Stop every query, DStream, feed, view and service of this kernel, then the Spark session.

    Safe to call twice, and when nothing was ever started. One part that fails does not keep the
    parts after it from being stopped; its error is raised at the end.

    Examples
    --------
    >>> stop_all()
    >>> stop_all()
    """
    with ExitStack() as parts:  # it calls all of them, the last one first, whatever fails
        for module, function in reversed(ROOMS):
            if loaded := sys.modules.get(module):
                parts.callback(getattr(loaded, function))
        parts.callback(_stop_queries)
        parts.callback(_stop_streaming_context)


def _require_stoppable(thing: Any) -> None:
    if isinstance(thing, str) or _is_query(thing) or _is_feed(thing):
        return
    raise wrong_type("thing", thing, expected="a query, a feed, or the name of one")


def _is_query(thing: Any) -> bool:
    # Asked of the class: on the object, some attributes are calls to Spark.
    return hasattr(type(thing), "processAllAvailable")


def _is_feed(thing: Any) -> bool:
    feeds = sys.modules.get("labkit.feeds.feed")
    return feeds is not None and isinstance(thing, feeds.Feed)


def _stop_name(name: str) -> None:
    session = _session()
    if session is not None:
        names = {name, *(f"{name}_{mode}" for mode in OUTPUT_MODES)}
        for query in session.streams.active:
            if query.name in names:
                _stop_query(query)
        for one in names:
            _drop_memory_table(session, one)
    feeds = sys.modules.get("labkit.feeds.feed")
    if feeds is not None:
        feeds.stop_feed(name)


def _stop_queries() -> None:
    session = _session()
    for query in session.streams.active if session is not None else []:
        _stop_query(query)


def _stop_streaming_context() -> None:
    """Stop the context of DStreams that runs, whoever made it; the session goes on."""
    streaming = sys.modules.get("pyspark.streaming")
    context = streaming.StreamingContext._activeContext if streaming else None
    if context is not None and _session() is not None:
        context.stop(stopSparkContext=False)


def _stop_query(query: Any) -> None:
    session = _session()
    if session is None:  # its Spark is gone, and it with it
        return
    name = query.name
    title = f"The query {name!r}" if name else "The query"
    with patience(what=f"{title} is stopping"):
        query.stop()
    wait_until(
        lambda: not query.isActive,
        what=f"{title} did not stop",
        timeout_s=GONE_S,
        cure="Call lab.stop_all(), or restart the kernel.",
    )
    if name:
        _drop_memory_table(session, name)


def _session() -> Any:
    """Return the session of this kernel if one is alive; never start one."""
    pyspark = sys.modules.get("pyspark")
    context = pyspark.SparkContext._active_spark_context if pyspark else None
    if context is None:
        return None
    java = getattr(context._gateway, "proc", None)
    if java is not None and java.poll() is not None:
        return None
    sessions = sys.modules["pyspark.sql"].SparkSession
    return sessions.getActiveSession() or sessions._instantiatedSession


def _drop_memory_table(session: Any, name: str) -> None:
    # A newer query may bear the name of the one that was stopped; a view that the learner made
    # with createOrReplaceTempView is not ours to drop.
    if any(query.name == name for query in session.streams.active):
        return
    view = session._jsparkSession.sessionState().catalog().getTempView(name)
    if view.isDefined() and "MemoryPlan" in view.get().toString():
        session.catalog.dropTempView(name)
