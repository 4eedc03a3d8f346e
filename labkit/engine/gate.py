"""Holds a query between two micro-batches while a step of a feed is on its way.

Spark looks for new data while it owns the query's progress lock. Whoever holds that lock can
send thirty lines one by one, and the query still sees them as one batch. The lock is internal to
Spark; without it (another Spark, a query that has ended) a step simply is not held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from labkit.engine.batches import find_nodes
from labkit.errors import NotReady
from labkit.waiting import wait_until

ARRIVAL_S = 5.0


@contextmanager
def held(query: Any) -> Iterator[Callable[[int], None]]:
    """Let ``query`` see all that the block sends at once.

    The block tells how many rows it has sent, to the function that it is given: lines for a
    socket are in Spark's buffer only some time after they were sent, and the gate stays closed
    until they are.

    Parameters
    ----------
    query
        A running ``StreamingQuery`` of PySpark, or a view with several ``queries``; anything
        else is not held.
    """
    sent: list[int] = []
    with ExitStack() as gates:
        sockets = []
        for held_query in _queries(query):
            execution = held_query._jsq.streamingQuery()
            lock = execution.awaitProgressLock()
            lock.lock()  # py4j gives each Python thread a Java thread, so this one unlocks it
            gates.callback(lock.unlock)
            sockets += [(source, _lines(source)) for source in _socket_sources(execution)]
        yield sent.append
        for source, before in sockets:
            _wait_for_lines(source, before + sum(sent))


def _queries(thing: Any) -> list[Any]:
    """Return the queries to hold: the one, or all that a comparison runs side by side."""
    several = getattr(thing, "queries", None)
    if isinstance(several, dict):
        return [query for query in several.values() if query.isActive]
    return [thing] if hasattr(thing, "_jsq") else []


def _socket_sources(execution: Any) -> list[Any]:
    relations = find_nodes(execution.logicalPlan(), "StreamingDataSourceV2ScanRelation")
    streams = [relation.stream() for relation in relations]
    return [s for s in streams if s.getClass().getSimpleName() == "TextSocketMicroBatchStream"]


def _lines(source: Any) -> int:
    """Return how many lines the source has received; its offset counts from -1."""
    return int(source.latestOffset().json()) + 1


def _wait_for_lines(source: Any, count: int) -> None:
    # Lines that do not come are the feed's trouble to report, once the gate is open again.
    with suppress(NotReady):
        wait_until(
            lambda: _lines(source) >= count,
            what="Spark's socket source has not received the lines of this step",
            timeout_s=ARRIVAL_S,
            every_s=0.002,
        )
