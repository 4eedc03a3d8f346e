"""The first rows of one batch of a DStream, and how many there are, in one job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.engine.clock import failure_in

# More marbles could not be told apart.
MAX_ROWS = 6


@dataclass(frozen=True)
class Rows:
    """The rows of one DStream in one batch.

    Parameters
    ----------
    rows
        The first :data:`MAX_ROWS`.
    count
        How many there were in all.
    failure
        Why they could not be had; empty when they could.
    """

    rows: tuple[Any, ...] = ()
    count: int = 0
    failure: str = ""


def _make_rank() -> Any:
    def rank(row: Any) -> tuple[int, float, str]:
        key = row[0] if isinstance(row, tuple) and row else row
        is_number = isinstance(key, int | float)
        return (0, key, "") if is_number else (1, 0, str(key))

    return rank


# Orders pairs by key: numbers by size, before everything else as text.
_rank = _make_rank()


def first_rows(rdd: Any) -> Rows:
    """Return the first rows of an RDD and their count, in one job; an error becomes words."""
    try:
        by_key = _is_hashed(rdd)
        parts = rdd.mapPartitions(_peek(MAX_ROWS, by_key=by_key)).collect()
    except Exception as error:  # noqa: BLE001 - the learner's own output shows it as Spark does
        return Rows(failure=failure_in(error).cause)
    rows = [row for first, _ in parts for row in first]
    if by_key:
        rows.sort(key=_rank)
    return Rows(tuple(rows[:MAX_ROWS]), sum(size for _, size in parts))


def _is_hashed(rdd: Any) -> bool:
    """Whether rows lie where the hash of their key sent them, so that their order says nothing."""
    from pyspark.rdd import portable_hash  # noqa: PLC0415 - only where DStreams are used

    java = rdd._jrdd.rdd()
    found = java.partitioner()
    if not found.isDefined():
        return False
    plain = rdd.ctx._jvm.PythonPartitioner(java.getNumPartitions(), id(portable_hash))
    return bool(found.get().equals(plain))


def _peek(limit: int, *, by_key: bool) -> Any:
    """Return a function for Spark's Python workers, which need no labkit for it."""
    rank = _rank if by_key else None  # neither of them can be imported, so both travel along

    def peek(rows: Any) -> list[tuple[list[Any], int]]:
        from heapq import nsmallest  # noqa: PLC0415 - runs in another process
        from itertools import islice  # noqa: PLC0415 - runs in another process

        seen = 0

        def counted() -> Any:
            nonlocal seen
            for row in rows:
                seen += 1
                yield row

        every = counted()
        first = list(islice(every, limit)) if rank is None else nsmallest(limit, every, key=rank)
        for _ in every:
            pass
        return [(first, seen)]

    return peek
