"""Try one cell of the table of truth: one operation, one output mode, one sink.

The query runs in a session of its own, over files of its own, and is gone when the call returns.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from labkit import scratch
from labkit.course.truth.operations import COLUMNS, FILES, OPERATIONS, build
from labkit.engine.modes import MODES
from labkit.engine.refusal import (
    Refusal,
    explain,
    own_words,
    refused_at_start,
    refused_while_running,
)
from labkit.engine.session import spark
from labkit.errors import NotReady, require_choice, require_type
from labkit.waiting import patience

ACCEPTED, REFUSED, FAILED = "accepted", "refused", "fails while running"
FILE_SINKS = ("parquet", "json", "csv")
SINKS = ("memory", "console", "noop", "foreach", "foreachBatch", *FILE_SINKS, "toTable")
# Processors with state need it; the others do not mind.
STATE_STORE = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
# Warm and alone it takes a second; the limit is for machines that do much else.
LIMIT_S = 300
# On a machine that does much else Spark gives up waiting for its own workers: no rule, so again.
TOO_BUSY = "Timed out while waiting for the Python worker"
TRIES, WORKER_S = 3, 10  # 10 s is Spark's own limit for a worker

_numbers = count(1)


@dataclass(frozen=True)
class Attempt:
    """What Spark did with one operation, in one output mode, on one sink.

    Parameters
    ----------
    operation, code, mode, sink
        What was tried.
    refusal
        The reason in plain words, ways out and Spark's own words; None when it was accepted.
    """

    operation: str
    code: str
    mode: str
    sink: str
    refusal: Refusal | None = None

    @property
    def outcome(self) -> str:
        """Either ``accepted``, ``refused`` (at the start) or ``fails while running``."""
        if self.refusal is None:
            return ACCEPTED
        return REFUSED if self.refusal.at_start else FAILED

    @property
    def reason(self) -> str:
        """Why Spark does not run it; empty when it does."""
        return self.refusal.reason if self.refusal else ""

    def __repr__(self) -> str:
        to = "" if self.sink == "memory" else f" → {self.sink}"
        line = f"{self.code}{to} · {self.mode}: {self.outcome}"
        return "\n  ".join([line, *([self.reason] if self.reason else [])])


def try_cell(operation: str, mode: str, sink: str) -> Attempt:
    """Run one cell of the table, and return what Spark did.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``UNKNOWN_CHOICE``; nothing was started.
    NotReady
        ``NOT_READY``: the query was not through after 300 s (real clock), or this machine is too
        busy to start Spark's Python workers.
    """
    require_type("operation", operation, str, expected="the name of an operation")
    named = {one.name: one.code for one in OPERATIONS}
    require_choice("operation", operation, tuple(named))
    require_choice("mode", mode, MODES)
    require_choice("sink", sink, SINKS)
    code = named[operation]
    with patience(what=f"Trying {operation} in {mode} mode"):
        for _ in range(TRIES):
            with _workplace() as folder:
                refusal = _refusal_of(code, mode, sink, folder)
            if refusal is None or TOO_BUSY not in refusal.words:
                return Attempt(operation, code, mode, sink, refusal)
    raise NotReady(
        "NOT_READY",
        what="Spark's Python workers have not started",
        timeout_s=WORKER_S * TRIES,
        reason=f"Spark said: {TOO_BUSY}.",
        cure="Try again when the machine does less at the same time.",
    )


def _refusal_of(code: str, mode: str, sink: str, folder: Path) -> Refusal | None:
    """Run a query; return why Spark refuses it or why it failed, None when it ran through."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - only when there is a query

    # Its settings, temporary views and list of queries are its own; the learner's are not touched.
    session = spark().newSession()
    session.conf.set("spark.sql.streaming.stateStore.providerClass", STATE_STORE)
    name = f"truth_{folder.name}"
    df = None
    try:
        df = build(code, _inputs(session, folder), mode)
        query = _started(df, mode, sink, name, folder)
        try:
            return _failure_of(query, mode)
        finally:
            query.stop()
    except PySparkException as error:
        if df is None:  # some refusals come before there is a plan
            return explain(mode, own_words(str(error)))
        return refused_at_start(mode, error, df)
    finally:
        session.sql(f"drop table if exists {name}")
        session.catalog.dropTempView(name)


def _failure_of(query: Any, mode: str) -> Refusal | None:
    from pyspark.errors import StreamingQueryException  # noqa: PLC0415 - when there is a query

    with suppress(StreamingQueryException):  # told in the words of its first cause
        if not query.awaitTermination(LIMIT_S):
            what = "The query that tries this cell has not ended"
            raise NotReady("NOT_READY", what=what, timeout_s=LIMIT_S)
    return refused_while_running(mode, query)


def _started(df: Any, mode: str, sink: str, name: str, folder: Path) -> Any:
    writer = df.writeStream.outputMode(mode).trigger(availableNow=True).queryName(name)
    writer = writer.option("checkpointLocation", str(folder / "checkpoint"))
    if sink == "toTable":
        return writer.toTable(name)
    if sink == "foreach":
        return writer.foreach(_take).start()
    if sink == "foreachBatch":
        return writer.foreachBatch(_read_whole).start()
    if sink in FILE_SINKS:
        writer = writer.option("path", str(folder / "out"))
    if sink != "console":
        return writer.format(sink).start()
    with _unseen_console(df.sparkSession):
        return writer.format(sink).start()


def _take(row: Any) -> None:
    """Do nothing with a row; it runs on a worker."""
    del row


def _read_whole(rows: Any, number: int) -> None:
    """Read a batch to its end, as Spark wants it of a function that gets one."""
    del number
    rows.write.format("noop").mode("append").save()


@contextmanager
def _unseen_console(session: Any) -> Iterator[None]:
    """Let what the console sink prints go nowhere, for queries that start in this block.

    Scala's console belongs to a thread, and a query's thread inherits that of its parent.
    """
    jvm = session._jvm  # noqa: SLF001 - Java's output has no public handle
    console = getattr(getattr(jvm.scala, "Console$"), "MODULE$")
    before = console.out()
    nowhere = jvm.java.io.OutputStream.nullOutputStream()
    console.setOutDirect(jvm.java.io.PrintStream(nowhere))
    try:
        yield
    finally:
        console.setOutDirect(before)


@contextmanager
def _workplace() -> Iterator[Path]:
    """Give a folder with the input files, and remove it."""
    folder = scratch.place("truth", str(next(_numbers)))
    for side, names in (("df", ("who", "at", "n")), ("other", ("who2", "at2", "n2"))):
        (folder / side).mkdir(parents=True)
        for number, rows in enumerate(FILES):
            file = folder / side / f"{number}.json"
            lines = [dict(zip(names, _row(*row), strict=True)) for row in rows]
            file.write_text("\n".join(json.dumps(line) for line in lines))
            os.utime(file, (10**9 + number, 10**9 + number))  # Spark goes by it, not by names
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _row(who: str, at: str, n: int) -> tuple[str, str, int]:
    return who, f"2024-01-01T{at}Z", n


def _inputs(session: Any, folder: Path) -> dict[str, Any]:
    reader = session.readStream.option("maxFilesPerTrigger", 1)
    df = reader.schema(COLUMNS).json(str(folder / "df"))
    second = COLUMNS.replace("who", "who2").replace("at ", "at2 ").replace("n int", "n2 int")
    other = reader.schema(second).json(str(folder / "other"))
    df2 = reader.schema(COLUMNS).json(str(folder / "df"))
    static = session.sql("select 'anna' as who, 10 as points")
    return {"df": df, "df2": df2, "other": other, "static": static}
