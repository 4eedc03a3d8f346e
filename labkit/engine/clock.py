"""DStreams by hand: a StreamingContext whose clock stands still until somebody moves it.

Spark's own tests use such a clock, and the setting for it counts when a context is made: it is
there only for that moment, so other contexts get the real clock.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labkit.engine.by_hand import has_checkpoint, take_in_hand
from labkit.engine.causes import java_chain
from labkit.engine.failure import Failure, read_chain
from labkit.engine.session import spark
from labkit.errors import (
    Conflict,
    LabkitError,
    require_int,
    require_number,
    wrong_type,
)
from labkit.waiting import wait_until

if TYPE_CHECKING:
    from pyspark.streaming import StreamingContext

SETTING = "spark.streaming.clock"
MANUAL_CLOCK = "org.apache.spark.util.ManualClock"
START = datetime(2024, 1, 1, 10, tzinfo=UTC)
MAX_BATCH_S = 86_400
MAX_TICKS = 1000
TICK_WAIT_S = 60.0


def streaming_context(
    batch_s: float = 1, *, get: Callable[[], StreamingContext] | None = None
) -> StreamingContext:
    """Return a plain ``StreamingContext`` whose clock is moved by hand, with :func:`tick`.

    So each run gives the same batches at the same times, on any machine. A context that is still
    running is stopped first, so the cell can be run again; the Spark session goes on.

    Parameters
    ----------
    batch_s
        Length of a batch, in seconds of that clock, from 0.001 to 86,400.
    get
        A function that gives back the context, such as one that calls
        ``StreamingContext.getOrCreate(folder, create)``: each context made inside gets this clock,
        and ``batch_s`` does not count. None: the context is a new one.

    Returns
    -------
    StreamingContext
        PySpark's own, with one method more: ``now_ms()``, its clock in milliseconds since 1970.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    Conflict
        ``RUNS_ALREADY``: ``get`` has started the context; it was stopped again.

    Notes
    -----
    Clock: starts at 2024-01-01 10:00:00 UTC, or where a context that comes back from a checkpoint
    was; moves only in :func:`tick`, so ``ssc.stop(stopGraceFully=True)`` is a plain stop: no batch
    waits. What comes from elsewhere at its own time (sockets, receivers) needs a context with the
    real clock.

    Examples
    --------
    >>> ssc = lab.streaming_context(batch_s=1)  # doctest: +SKIP
    >>> words = ssc.queueStream([["a", "b"], ["a"]])  # doctest: +SKIP
    >>> words.countByValue().pprint()  # doctest: +SKIP
    >>> ssc.start()  # doctest: +SKIP
    >>> lab.tick(ssc, 2)  # doctest: +SKIP
    """
    require_number("batch_s", batch_s, low=0.001, high=MAX_BATCH_S)
    if get is not None and not callable(get):
        raise wrong_type("get", get, expected="a function that gives back a StreamingContext")
    from pyspark import SparkContext  # noqa: PLC0415 - half a second
    from pyspark.streaming import StreamingContext  # noqa: PLC0415 - only where DStreams are used

    # A session that is there may have been made with any connectors.
    running = SparkContext._active_spark_context is not None
    context = (spark(connectors=()) if running else spark()).sparkContext
    stop_streaming()
    forget_checkpoints(context)
    conf = context._jsc.sc().conf()
    conf.set(SETTING, MANUAL_CLOCK)
    try:
        with warnings.catch_warnings():
            # That DStreams are old is what the lesson about them says.
            warnings.simplefilter("ignore", FutureWarning)
            ssc = StreamingContext(context, batch_s) if get is None else get()
    finally:
        conf.remove(SETTING)
    if not isinstance(ssc, StreamingContext):
        raise wrong_type("what get returns", ssc, expected="a StreamingContext")
    take_in_hand(ssc, start_ms=int(START.timestamp() * 1000))
    return ssc


def tick(ssc: StreamingContext, n: int = 1, *, timeout_s: float = TICK_WAIT_S) -> None:
    """Move a context's clock on by ``n`` batches, and return when all their jobs are done.

    Where the context has a checkpoint folder, the checkpoint of each batch is written then, too.

    Parameters
    ----------
    ssc
        A started context of :func:`streaming_context`.
    n
        How many batches, 1 to 1,000; each is done before the next one begins.
    timeout_s
        Limit for each batch, in seconds of the real clock.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE``; also for a context with the real clock.
    Conflict
        ``NOT_STARTED`` or ``STOPPED``: the context does not run.
    LabkitError
        ``BATCH_FAILED``: a job of a batch failed. The context goes on with the next batch.
    NotReady
        ``NOT_READY``: a batch took longer than ``timeout_s``.

    Examples
    --------
    >>> lab.tick(ssc, 3)  # doctest: +SKIP
    """
    require_int("n", n, low=1, high=MAX_TICKS)
    require_number("timeout_s", timeout_s, low=0, low_is_allowed=False, high=86_400)
    java = java_context(ssc)
    clock = java.scheduler().clock()
    if clock.getClass().getName() != MANUAL_CLOCK:
        raise wrong_type("ssc", ssc, expected="a context made by lab.streaming_context()")
    require_running(java)
    batch_ms = java.graph().batchDuration().milliseconds()
    slides_ms = _output_slides_ms(java)
    for _ in range(n):
        now_ms = clock.getTimeMillis()
        end_ms = (now_ms // batch_ms + 1) * batch_ms  # batches end at multiples of their length
        clock.advance(end_ms - now_ms)
        passed_ms = end_ms - java.graph().zeroTime().milliseconds()
        if any(passed_ms % slide_ms == 0 for slide_ms in slides_ms):
            _wait_for(java, end_ms, timeout_s)
        _wait_for_checkpoint(java, end_ms, timeout_s)


def stop_streaming() -> None:
    """Stop the context that runs, if one does; the Spark session goes on."""
    from pyspark import SparkContext  # noqa: PLC0415 - half a second
    from pyspark.streaming import StreamingContext  # noqa: PLC0415 - only where DStreams are used

    known = StreamingContext._activeContext
    if known is not None and known._jvm is SparkContext._jvm:  # else its Java has gone
        known.stop(stopSparkContext=False)
    StreamingContext._activeContext = None


def forget_checkpoints(context: Any) -> None:
    """Let no new context find the checkpoint folder of an earlier one.

    Spark keeps the folder of ``ssc.checkpoint`` for all contexts of its Java, so state without a
    checkpoint would be refused in the first context only.
    """
    none = context._jvm.scala.Option.empty()
    getattr(context._jsc.sc(), "checkpointDir_$eq")(none)


def java_context(ssc: Any) -> Any:
    """Return Spark's own context behind PySpark's.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``.
    """
    if not hasattr(ssc, "_jssc"):
        raise wrong_type("ssc", ssc, expected="a context made by lab.streaming_context()")
    return ssc._jssc.ssc()


def state_of(java: Any) -> str:
    """Return ``INITIALIZED``, ``ACTIVE`` or ``STOPPED``."""
    return str(java.getState().toString())


def require_running(java: Any) -> None:
    """Say so when a context was not started yet, or is stopped."""
    state = state_of(java)
    if state == "INITIALIZED":
        cure = "Define all DStreams and their outputs, then call ssc.start()."
        raise Conflict("NOT_STARTED", what="The streaming context", cure=cure)
    if state == "STOPPED":
        raise stopped_context()


def stopped_context() -> Conflict:
    """Return the error for a context that has come to its end."""
    return Conflict(
        "STOPPED",
        what="The streaming context",
        reason="Spark cannot start it again.",
        cure="Make a new one with lab.streaming_context(), and the DStreams on it anew.",
    )


def batch_number(java: Any, end_ms: int) -> int:
    """Return the number of the batch that ends at a time; the first is 1."""
    graph = java.graph()
    passed_ms = end_ms - graph.zeroTime().milliseconds()
    return int(passed_ms // graph.batchDuration().milliseconds())


def clock_text(end_ms: int) -> str:
    """Write a batch's time in UTC, with parts of a second only where there are some.

    Examples
    --------
    >>> clock_text(1704103201000), clock_text(1704103201500)
    ('10:00:01', '10:00:01.5')
    """
    time = datetime.fromtimestamp(end_ms / 1000, UTC)
    parts = f".{end_ms % 1000:03}".rstrip("0").rstrip(".")
    return f"{time:%H:%M:%S}{parts}"


def failure_in(error: BaseException) -> Failure:
    """Return the first cause of an error that PySpark raised, and the learner's own line."""
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    return read_chain(list(java_chain(java)) if java is not None else [("", str(error))])


def _output_slides_ms(java: Any) -> list[int]:
    """Return how often each output of a context is due; windows may slide by several batches."""
    return [stream.slideDuration().milliseconds() for stream in java.graph().getOutputStreams()]


def _wait_for(java: Any, end_ms: int, timeout_s: float) -> None:
    number = batch_number(java, end_ms)
    title = f"Batch {number} ({clock_text(end_ms)})"
    error = wait_until(
        lambda: _outcome(java, end_ms),
        what=f"{title} still has jobs that are not done",
        timeout_s=timeout_s,
        every_s=0.004,
        cure="Look for an endless function; ssc.stop(stopSparkContext=False) ends the context.",
    )
    if isinstance(error, BaseException):
        java.waiter().notifyError(None)  # told once: the next batch has its own fate
        failure = failure_in(error)
        place = f"It came up in {failure.place}." if failure.place else ""
        raise LabkitError("BATCH_FAILED", batch=title, cause=failure.cause, place=place) from error


def _wait_for_checkpoint(java: Any, end_ms: int, timeout_s: float) -> None:
    wait_until(
        lambda: has_checkpoint(java, end_ms) or _error_of(java) is not None,
        what="The checkpoint of the batch is not written",
        timeout_s=timeout_s,
        every_s=0.004,
    )


def _outcome(java: Any, end_ms: int) -> BaseException | bool:
    """Return whether a batch is done; the error if something in it failed."""
    jobs = java.progressListener()
    error = _error_of(java)
    if error is not None:  # let the jobs beside the failed one come to their end, too
        return error if jobs.runningBatches().isEmpty() else False
    last = jobs.lastCompletedBatch()
    if not last.isDefined():
        return False
    batch = last.get()
    # Of a failed job Spark tells the listener first, and us a moment later.
    return batch.batchTime().milliseconds() >= end_ms and not batch.isFailed()


def _error_of(java: Any) -> BaseException | None:
    """Return the error that Spark keeps for whoever awaits the context's end."""
    try:
        java.awaitTerminationOrTimeout(0)
    except Exception as error:  # noqa: BLE001 - whatever the learner's code may raise
        return error
    return None
