"""A streaming context for one run: its inputs, its clock, its end, and nothing left of it."""
# ruff: noqa: SLF001 - Spark has no public call that tells which context runs

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from labkit import scratch
from labkit.course.running.threads import CallsOfSpark
from labkit.engine.clock import java_context, state_of, streaming_context, tick
from labkit.engine.session import spark
from labkit.engine.time_limit import THREAD, TimeLimit
from labkit.engine.trial import SessionKept
from labkit.errors import Conflict, InvalidArgument

# A context that has not stopped by then waits for a function of the learner's.
STOP_S = 5.0
_numbers = count(1)
# A checkpoint holds the functions of all outputs: ours holds a number, not the context.
_running: dict[int, TickedContext] = {}


class TickedContext:
    """A context with the clock that is moved by hand, and a queue for each input.

    Parameters
    ----------
    inputs
        The batches of each input, each a list of elements; all have the same number of batches.
    batch_s
        Length of a batch in seconds of the context's clock.
    timeout_s
        Limit for each tick, and for the function, in seconds of the real clock.
    checkpoint
        Whether it has a checkpoint folder.
    partitions
        In how many partitions the elements of a batch lie. Each is a task of each operator and
        of each window, so a few elements should have one.
    get
        Gives back the context, as for ``lab.streaming_context``; None: it is a new one.

    Raises
    ------
    Conflict
        ``RUNS_ALREADY``: a context of somebody else runs.
    """

    def __init__(
        self,
        inputs: list[list[list[Any]]],
        *,
        batch_s: float = 1,
        timeout_s: float,
        checkpoint: bool = False,
        partitions: int = 1,
        get: Callable[[], Any] | None = None,
    ) -> None:
        _require_no_other()
        self._number = next(_numbers)
        self._folder: Path | None = None
        self._tag = f"labkit-dstreams-{self._number}"
        self._timeout_s = timeout_s
        self._folder_before = _checkpoint_folder()
        self._calls = CallsOfSpark(THREAD)
        self._rows: list[Any] = []
        #: The context of PySpark.
        self.context = streaming_context(batch_s, get=get)
        self._limit = TimeLimit(spark(connectors=()), timeout_s)
        self._keep_session()
        _running[self._number] = self
        # Spark gives its jobs the tags that hold here, so that one without end can be ended.
        self.context.sparkContext.addJobTag(self._tag)
        try:
            if checkpoint:
                self._folder = scratch.place("run_dstream", str(self._number))
                self.context.checkpoint(str(self._folder))
            self._streams = [self._stream(batches, partitions) for batches in inputs]
        except BaseException:
            self.close()
            raise

    def _stream(self, batches: Sequence[Sequence[Any]], partitions: int) -> Any:
        sc = self.context.sparkContext
        return self.context.queueStream([sc.parallelize(batch, partitions) for batch in batches])

    def call(self, fn: Callable[..., Any], *first: Any) -> Any:
        """Return what a function of the learner returns for the streams, within the time."""
        return self._limit.run(
            partial(fn, *first, *self._streams),
            what="The function has not returned",
            cure="Define the DStreams and return, without waiting for anything.",
        )

    def collect(self, fn: Callable[..., Any]) -> None:
        """Let a function make a DStream, and collect it in each tick."""
        from pyspark.streaming import DStream  # noqa: PLC0415 - only where DStreams are used

        made = self.call(fn)
        if not isinstance(made, DStream) or made.context() is not self.context:
            raise InvalidArgument("NO_DSTREAM", found=_kind(made), cure="Return the one you make.")
        made.foreachRDD(_tap(self._number))

    def start(self) -> None:
        """Start the context."""
        self.context.start()

    def tick(self) -> None:
        """Run the next batch to its end."""
        self._rows = []
        tick(self.context, timeout_s=self._timeout_s)

    def collected(self) -> list[Any]:
        """Return the elements of the last tick."""
        return self._rows

    def put(self, rows: list[Any]) -> None:
        """Take the elements of a batch."""
        self._rows = rows

    def close(self) -> None:
        """Stop the context, whatever it is doing, and remove what it has left."""
        _running.pop(self._number, None)
        self._limit.end()
        sc = self.context.sparkContext
        if sc._jsc is None:  # the session was stopped, and the context with it
            return
        stop = threading.Thread(target=self._stop, daemon=True)
        stop.start()
        stop.join(STOP_S)
        if stop.is_alive():
            self._calls.end()
            with suppress(Exception):
                sc.cancelJobsWithTag(self._tag)
            stop.join(STOP_S)
        sc.removeJobTag(self._tag)
        _set_checkpoint_folder(self._folder_before)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self) -> None:
        with suppress(Exception):  # it was never started, or Java is gone
            type(self.context).stop(self.context, stopSparkContext=False)

    def _keep_session(self) -> None:
        """Refuse ``ssc.stop()``, which would end the session of all cells."""
        stop = self.context.stop

        def refused(stopSparkContext: bool = True, stopGraceFully: bool = False) -> None:  # noqa: N803
            if stopSparkContext:
                raise SessionKept
            stop(False, stopGraceFully)

        self.context.stop = refused


def _require_no_other() -> None:
    from pyspark import SparkContext  # noqa: PLC0415 - half a second
    from pyspark.streaming import StreamingContext  # noqa: PLC0415

    known = StreamingContext._activeContext
    if known is None or known._jvm is not SparkContext._jvm:  # else its Java has gone
        return
    if state_of(java_context(known)) == "ACTIVE":
        raise Conflict(
            "RUNS_ALREADY",
            what="A streaming context of yours",
            reason="Spark runs one at a time, and this call needs one of its own.",
            cure="Call ssc.stop(stopSparkContext=False), then run this cell again.",
        )


def _kind(made: Any) -> str:
    from pyspark.streaming import DStream  # noqa: PLC0415

    if made is None:
        return "nothing"
    if isinstance(made, DStream):
        return "a DStream of another context"
    return f"an object of type {type(made).__name__}"


def _checkpoint_folder() -> Any:
    """Return the folder that Spark keeps for all contexts of its Java, as Java's Option."""
    from pyspark import SparkContext  # noqa: PLC0415 - half a second

    active = SparkContext._active_spark_context
    return active._jsc.sc().checkpointDir() if active is not None else None


def _set_checkpoint_folder(folder: Any) -> None:
    from pyspark import SparkContext  # noqa: PLC0415 - half a second

    active = SparkContext._active_spark_context
    if active is not None and folder is not None:
        getattr(active._jsc.sc(), "checkpointDir_$eq")(folder)


def _tap(number: int) -> Any:
    def take(rdd: Any) -> None:
        _take(number, rdd)

    return take


def _take(number: int, rdd: Any) -> None:
    ticked = _running.get(number)
    if ticked is not None:
        ticked.put(rdd.collect())
