"""Two DStreams side by side: what went into an operator and what came out, batch by batch.

Both get an output of their own (``foreachRDD``), which takes a few rows of each batch. The rows
of the two are joined by the time of the batch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from queue import SimpleQueue
from typing import Any
from weakref import WeakValueDictionary

from labkit.engine.batches import MAX_BACKLOG
from labkit.engine.clock import (
    batch_number,
    failure_in,
    java_context,
    state_of,
    stopped_context,
)
from labkit.engine.listener import Ended
from labkit.engine.watching import RUNNING, STOPPED, State
from labkit.errors import Conflict, InvalidArgument, wrong_type

# Of each lane and batch; more marbles could not be told apart.
MAX_ROWS = 6
GIVEN, MADE = "given", "made"
LANES = (GIVEN, MADE)
STATES = {RUNNING: "Context running", STOPPED: "Context stopped"}


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


@dataclass(frozen=True)
class LaneBatch:
    """Both DStreams in one batch.

    Parameters
    ----------
    number
        Counted from 1.
    end_ms
        The end of the batch, which is its name in Spark: milliseconds since 1970 of the
        context's clock.
    given, made
        The rows on both sides of the operator; None where the batch is not due, since a window
        slides by several batches.
    """

    number: int
    end_ms: int
    given: Rows | None
    made: Rows | None


@dataclass(frozen=True)
class Flow:
    """Which batches of one DStream go into a batch of another.

    Parameters
    ----------
    batch_ms
        Length of the context's batches.
    given_every_ms, made_every_ms
        How often each of the two has a batch.
    window_ms
        How far back a batch reaches; None when it takes its own batch only.
    keeps_state
        Whether all earlier batches count too (``updateStateByKey``).
    """

    batch_ms: int
    given_every_ms: int
    made_every_ms: int
    window_ms: int | None = None
    keeps_state: bool = False


class LanesReader:
    """Follows two DStreams of one context; see :class:`labkit.engine.watching.Reader`.

    Parameters
    ----------
    given, made
        The DStreams before and after an operator, of a context that was not started yet.
    name
        For titles.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: not a DStream. ``OUT_OF_RANGE``: of two contexts.
    Conflict
        ``RUNS_ALREADY`` or ``STOPPED``: Spark takes no more outputs.
    """

    def __init__(self, given: Any, made: Any, *, name: str) -> None:
        _require_new(given, made)
        self.name = name
        self._ssc = given._ssc
        self._java = java_context(self._ssc)
        self.flow = _flow(given._jdstream.dstream(), made._jdstream.dstream(), self._java)
        self._lock = threading.Lock()
        self._parts: dict[int, dict[str, Rows]] = {}
        self._kept: deque[LaneBatch] = deque(maxlen=MAX_BACKLOG)
        self._inboxes: list[SimpleQueue[Any]] = []
        self._read = -1
        self._has_ended = False
        number = next(_numbers)
        _readers[number] = self
        given.foreachRDD(_tap(number, GIVEN))
        made.foreachRDD(_tap(number, MADE))
        self._end_with_context()

    def open(self) -> SimpleQueue[Any]:
        """Return a queue that gets each batch from now on; ``Ended`` comes last."""
        inbox: SimpleQueue[Any] = SimpleQueue()
        with self._lock:
            self._inboxes.append(inbox)
            if self._has_ended:
                inbox.put(Ended())
        return inbox

    def close(self, inbox: SimpleQueue[Any]) -> None:
        """Send no more batches; when nobody is left, no more rows are taken."""
        with self._lock:
            if inbox in self._inboxes:
                self._inboxes.remove(inbox)

    def latest(self) -> int:
        """Return the number of the newest batch; -1 before the first."""
        with self._lock:
            return self._kept[-1].number if self._kept else -1

    def backlog(self) -> Iterator[LaneBatch]:
        """Yield the batches that are there and were not read yet."""
        with self._lock:
            kept = list(self._kept)
        for batch in kept:
            yield from self.read(batch)

    def read(self, news: Any) -> Iterator[LaneBatch]:
        """Yield a batch, once."""
        if isinstance(news, LaneBatch) and news.number > self._read:
            self._read = news.number
            yield news

    def state(self) -> State:
        """Return how the context stands."""
        code = STOPPED if self._has_ended else RUNNING
        return State(code, STATES[code])

    def stop(self) -> None:
        """Stop the context; the Spark session goes on."""
        self._ssc.stop(stopSparkContext=False)

    def is_watched(self) -> bool:
        """Whether anybody wants the rows."""
        with self._lock:
            return bool(self._inboxes)

    def put(self, lane: str, end_ms: int, rows: Rows) -> None:
        """Take what one lane had in the batch that ends then."""
        with self._lock:
            self._parts.setdefault(end_ms, {})[lane] = rows
            due = self._due(end_ms)
            # A batch that misses a lane when a later one comes will never get it.
            done = [time for time in self._parts if time < end_ms]
            if due <= set(self._parts[end_ms]):
                done.append(end_ms)
            self._send(sorted(done))

    def _due(self, end_ms: int) -> set[str]:
        passed_ms = end_ms - self._java.graph().zeroTime().milliseconds()
        every_ms = (self.flow.given_every_ms, self.flow.made_every_ms)
        return {lane for lane, ms in zip(LANES, every_ms, strict=True) if passed_ms % ms == 0}

    def _send(self, times_ms: list[int]) -> None:
        for end_ms in times_ms:
            parts = self._parts.pop(end_ms)
            number = batch_number(self._java, end_ms)
            batch = LaneBatch(number, end_ms, parts.get(GIVEN), parts.get(MADE))
            self._kept.append(batch)
            for inbox in self._inboxes:
                inbox.put(batch)

    def _end_with_context(self) -> None:
        """Learn when the context is stopped: Spark tells nobody."""
        stop = self._ssc.stop

        def stop_and_tell(*args: Any, **kwargs: Any) -> None:
            try:
                stop(*args, **kwargs)
            finally:
                self._end()

        self._ssc.stop = stop_and_tell

    def _end(self) -> None:
        with self._lock:
            if not self._has_ended:
                self._has_ended = True
                self._send(sorted(self._parts))
                for inbox in self._inboxes:
                    inbox.put(Ended())


_numbers = count(1)
# A checkpoint holds the functions of all outputs: ours holds a number, not the reader.
_readers: WeakValueDictionary[int, LanesReader] = WeakValueDictionary()


def _make_rank() -> Any:
    def rank(row: Any) -> tuple[int, float, str]:
        key = row[0] if isinstance(row, tuple) and row else row
        is_number = isinstance(key, int | float)
        return (0, key, "") if is_number else (1, 0, str(key))

    return rank


# Orders pairs by key: numbers by size, before everything else as text.
_rank = _make_rank()


def _tap(number: int, lane: str) -> Any:
    def take(time: datetime, rdd: Any) -> None:
        _take(number, lane, time, rdd)

    return take


def _take(number: int, lane: str, time: datetime, rdd: Any) -> None:
    reader = _readers.get(number)
    if reader is not None and reader.is_watched():
        reader.put(lane, round(time.timestamp() * 1000), _first_rows(rdd))


def _first_rows(rdd: Any) -> Rows:
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


def _require_new(given: Any, made: Any) -> None:
    """Refuse what is no DStream, and DStreams that Spark takes no more outputs of."""
    from pyspark.streaming import DStream  # noqa: PLC0415 - only where DStreams are used

    for name, stream in (("source", given), ("result", made)):
        if not isinstance(stream, DStream):
            raise wrong_type(name, stream, expected="a DStream, such as words.countByValue()")
    if given._ssc is not made._ssc:
        bound = "a DStream of the same StreamingContext as source"
        raise InvalidArgument("OUT_OF_RANGE", name="result", value=made, bound=bound)
    state = state_of(java_context(given._ssc))
    if state == "STOPPED":
        raise stopped_context()
    if state == "ACTIVE":
        raise Conflict(
            "RUNS_ALREADY",
            what="The streaming context",
            reason="Spark takes no outputs after ssc.start(), and marbles need two.",
            cure="Call lab.marbles(…) before ssc.start(): run the cells from the context on again.",
        )


def _flow(given: Any, made: Any, java: Any) -> Flow:
    """Read from Spark's own DStreams how batches of ``made`` come from those of ``given``."""
    own = _ancestors(given)
    between = [node for node in _ancestors(made) if node not in own]
    kinds = [_kind(node) for node in between]
    return Flow(
        batch_ms=java.graph().batchDuration().milliseconds(),
        given_every_ms=given.slideDuration().milliseconds(),
        made_every_ms=made.slideDuration().milliseconds(),
        window_ms=_reach_ms(made, own) if any("Windowed" in kind for kind in kinds) else None,
        keeps_state=any("StateDStream" in kind for kind in kinds),
    )


def _reach_ms(node: Any, own: list[Any]) -> int:
    """Return how far back a batch of a DStream reaches into those that are given."""
    if node in own:
        return int(node.slideDuration().milliseconds())
    parents = _parents(node)
    behind = max((_reach_ms(parent, own) for parent in parents), default=0)
    if "Windowed" in _kind(node):
        behind += node.windowDuration().milliseconds() - parents[0].slideDuration().milliseconds()
    return int(behind)


def _ancestors(node: Any) -> list[Any]:
    return [node, *(found for parent in _parents(node) for found in _ancestors(parent))]


def _parents(node: Any) -> list[Any]:
    found = node.dependencies()
    return [found.apply(i) for i in range(found.size())]


def _kind(node: Any) -> str:
    return str(node.getClass().getSimpleName())
