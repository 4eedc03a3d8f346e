"""Holds a query between two micro-batches while a step of a feed is on its way.

Spark looks for new data while it owns the query's progress lock. Whoever holds that lock can
send thirty lines one by one, and the query still sees them as one batch. The lock is internal to
Spark; without it (another Spark, a query that has ended) a step simply is not held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
        A running ``StreamingQuery`` of PySpark; anything else is not held.
    """
    sent: list[int] = []
    if not hasattr(query, "_jsq"):
        yield sent.append
        return
    execution = query._jsq.streamingQuery()
    lock = execution.awaitProgressLock()
    lock.lock()  # py4j gives each Python thread a Java thread of its own, so this one unlocks it
    try:
        sockets = [(source, _lines(source)) for source in _socket_sources(execution)]
        yield sent.append
        for source, before in sockets:
            _wait_for_lines(source, before + sum(sent))
    finally:
        lock.unlock()


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
