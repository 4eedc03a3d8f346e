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
    java_context,
    state_of,
    stopped_context,
)
from labkit.engine.lane_flow import flow_between
from labkit.engine.lane_rows import Rows, first_rows
from labkit.engine.listener import Ended
from labkit.engine.spark_end import end_of
from labkit.engine.watching import RUNNING, SPARK_STOPPED, STOPPED, State
from labkit.errors import Conflict, InvalidArgument, wrong_type

GIVEN, MADE = "given", "made"
LANES = (GIVEN, MADE)
STATES = {RUNNING: "Context running", STOPPED: "Context stopped"}


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
        self.flow = flow_between(given._jdstream.dstream(), made._jdstream.dstream(), self._java)
        self._lock = threading.Lock()
        self._parts: dict[int, dict[str, Rows]] = {}
        self._kept: deque[LaneBatch] = deque(maxlen=MAX_BACKLOG)
        self._inboxes: list[SimpleQueue[Any]] = []
        self._read = -1
        self._has_ended = self._was_stopped = False
        self._end_of_spark = end_of(self._ssc.sparkContext)
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
        if self._end_of_spark.has_begun and not self._was_stopped:
            return SPARK_STOPPED
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
            self._was_stopped = True
            try:
                stop(*args, **kwargs)
            finally:
                self._end()

        self._ssc.stop = stop_and_tell
        self._end_of_spark.then(self._end)

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


def _tap(number: int, lane: str) -> Any:
    def take(time: datetime, rdd: Any) -> None:
        _take(number, lane, time, rdd)

    return take


def _take(number: int, lane: str, time: datetime, rdd: Any) -> None:
    reader = _readers.get(number)
    if reader is not None and reader.is_watched():
        reader.put(lane, round(time.timestamp() * 1000), first_rows(rdd))


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
