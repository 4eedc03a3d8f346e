"""One query over folders that are filled step by step, and the removal of all that it left."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from labkit import scratch
from labkit.course.running.step_inputs import StepInput
from labkit.course.running.trouble import type_name
from labkit.engine.batches import (
    Batch,
    BatchReader,
    mode_of,
    reports_after,
    running_queries,
)
from labkit.engine.failure import failure_of
from labkit.engine.gate import held
from labkit.engine.refusal import explain, own_words, refused_at_start
from labkit.engine.session import is_open
from labkit.engine.temp_views import restore_temp_views, temp_views
from labkit.engine.time_limit import TimeLimit, end_batch_functions
from labkit.errors import Conflict, InvalidArgument, LabkitError
from labkit.feeds.folder import FolderRun, FolderTarget

# A query that has not stopped by then waits for a function of the learner's.
STOP_S = 3.0
WRITE_S = 10.0
ALL_ROWS = 2**31 - 1
_names: set[str] = set()
_names_lock = threading.Lock()


class SteppedQuery:
    """The query that a function makes, and its input.

    Parameters
    ----------
    session
        The Spark session.
    limit
        The time for each step, and for the function.
    """

    def __init__(self, session: Any, limit: TimeLimit) -> None:
        self._session = session
        self._limit = limit
        self._before = {query.runId for query in running_queries()}
        self._threads = {thread.ident for thread in threading.enumerate()}
        self._views = temp_views(session)
        self._name = _claim_name(set(self._views))
        self._folder: Path = scratch.place("run_stream", self._name)
        self._inputs: tuple[StepInput, ...] = ()
        self._runs: list[FolderRun] = []
        self._frame: Any = None
        self._query: Any = None
        self._started: list[Any] = []
        self._stops: list[threading.Thread] = []
        self._reader: BatchReader | None = None
        self._last = -1
        #: The query's output mode; empty before the start.
        self.mode = ""
        #: All micro-batches that were read.
        self.batches: list[Batch] = []

    def start(self, fn: Callable[..., Any], inputs: tuple[StepInput, ...], mode: str) -> None:
        """Let the function make its DataFrame or query, and start that."""
        self._inputs = inputs
        frames = [self._open(given) for given in inputs]
        returned = self._limit.run(
            partial(fn, *frames),
            what="The function has not returned",
            cure="Return the DataFrame or the query without waiting for anything.",
        )
        self._query = self._limit.run(
            partial(self._start, returned, mode), what="The query has not started"
        )
        self.mode = mode_of(self._query)
        with suppress(InvalidArgument):  # another sink: there are no rows to look at
            self._reader = BatchReader(self._query, most_rows=ALL_ROWS)
        # The plan must be there before the query can be held.
        self._limit.run(self._query.processAllAvailable, what="The query is not ready for input")

    def give(self, number: int) -> None:
        """Deliver one step to all inputs, and wait until the query is through with it."""
        cure = "Look for a loop without an end, or give the run more time with timeout_s=."
        what = f"Step {number} has not been read to its end"
        self._limit.run(partial(self._deliver, number), what=what, cure=cure)
        if not self._query.isActive:
            reason = f"It ended by itself at step {number}."
            cure = "Let it run: no stop(), and no trigger that ends it."
            raise Conflict("STOPPED", what="The query", reason=reason, cure=cure)

    def news(self) -> tuple[tuple[int, ...], list[Batch]]:
        """Return the ids of the batches that ran since the last call, and these batches."""
        reports = reports_after(self._query, self._last) if self._query is not None else []
        batches = [
            batch for report in reports if self._reader for batch in self._reader.read(report)
        ]
        self._last = reports[-1].number if reports else self._last
        self.batches += batches
        return tuple(report.number for report in reports), batches

    def explained(self, error: Exception) -> Exception:
        """Give an error the attribute ``cause_words``: its cause in fixed words, without ids."""
        error.cause_words = self._cause_words(error)  # type: ignore[attr-defined]
        return error

    def is_stopped(self) -> bool:
        """Whether every query of the run has ended, and not only been told to."""
        return not any(stop.is_alive() for stop in self._stops)

    def close(self) -> None:
        """Stop the queries that were started since, and remove folders and tables."""
        try:
            self._clean()
        except BaseException:  # whoever ends this thread does it once, and may hit this very line
            self._clean()
            raise

    def _clean(self) -> None:
        self._stop_new()
        self._limit.end()
        self._stop_new()  # a function in a loop may have started one more
        if is_open(self._session):
            restore_temp_views(self._session, self._views)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self.is_stopped():
            _names.discard(self._name)

    def _stop_new(self) -> None:
        if not is_open(self._session):  # the function has stopped it, and with it all queries
            return
        known = self._before | {query.runId for query in self._started}
        for query in running_queries():
            if query.runId not in known:
                self._started.append(query)
                self._stop(query)

    def _stop(self, query: Any) -> None:
        """Stop a query, and go on without it if it does not listen."""

        def call() -> None:
            with suppress(Exception):  # why it ended is in run.error already
                query.stop()

        stop = threading.Thread(target=call, daemon=True)
        self._stops.append(stop)
        stop.start()
        stop.join(STOP_S)
        if stop.is_alive():
            end_batch_functions(self._threads)
            stop.join(STOP_S)

    def _open(self, given: StepInput) -> Any:
        """Return the streaming DataFrame of an input."""
        path = self._folder / given.name
        path.mkdir(parents=True, exist_ok=True)
        self._runs.append(FolderTarget(path, format="json").run(given))
        reader = self._session.readStream.schema(given.schema).option("mode", "FAILFAST")
        return reader.option("timeZone", "UTC").json(str(path))

    def _start(self, returned: Any, mode: str) -> Any:
        from pyspark.sql import DataFrame  # noqa: PLC0415 - only when there is a query
        from pyspark.sql.streaming.query import StreamingQuery  # noqa: PLC0415
        from pyspark.sql.streaming.readwriter import DataStreamWriter  # noqa: PLC0415

        if isinstance(returned, StreamingQuery):
            return returned
        if isinstance(returned, DataStreamWriter):
            return self._start_writer(returned)
        if not isinstance(returned, DataFrame):
            found = "nothing" if returned is None else f"an object of type {type_name(returned)}"
            raise _no_stream(found, "Return the DataFrame that it makes.")
        if not returned.isStreaming:
            found = "a DataFrame that is not a stream"
            raise _no_stream(found, "Build it from the DataFrame that the function is given.")
        self._frame = returned
        writer = returned.writeStream.format("memory").outputMode(mode).queryName(self._name)
        return writer.option("checkpointLocation", self._checkpoint()).start()

    def _start_writer(self, writer: Any) -> Any:
        try:
            return writer.option("checkpointLocation", self._checkpoint()).start()
        except Exception as error:
            if "Cannot start query with name" not in str(error):
                raise
            return writer.queryName(self._name).start()  # a query of that name runs outside

    def _checkpoint(self) -> str:
        return str(self._folder / "checkpoint")

    def _deliver(self, number: int) -> None:
        # One file arrives in one moment; only several need the gate to arrive together.
        gate = held(self._query) if len(self._runs) > 1 else nullcontext()
        with gate:
            for given, run in zip(self._inputs, self._runs, strict=True):
                run.write(given.batches[number], timeout_s=WRITE_S)
        self._query.processAllAvailable()

    def _cause_words(self, error: Exception) -> str:
        if isinstance(error, LabkitError):
            return str(error).removeprefix(f"[{error.code}] ")
        if not is_open(self._session):
            return "The Spark session was stopped. Leave it open while the query runs."
        failure = failure_of(self._query) if self._query is not None else None
        if failure is not None:
            return failure.words
        if self._frame is not None:
            refusal = refused_at_start(self.mode, error, self._frame)
        else:
            refusal = explain(self.mode, own_words(str(error)))
        if refusal.reason == explain(self.mode, "").reason:  # no rule that we know
            return f"{type(error).__name__}: {refusal.words}"
        return " ".join((refusal.reason, *refusal.ways))


def _no_stream(found: str, cure: str) -> InvalidArgument:
    return InvalidArgument("NO_STREAM", found=found, cure=cure)


def _claim_name(views: set[str]) -> str:
    """Return a name that no query, no temporary view and no other run has."""
    taken = views | {query.name for query in running_queries()}
    with _names_lock:
        number = 1
        while True:
            name = "run_stream" if number == 1 else f"run_stream_{number}"
            if name not in taken | _names:
                _names.add(name)
                return name
            number += 1
