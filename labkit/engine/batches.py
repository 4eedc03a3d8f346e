"""The rows of each micro-batch, read from Spark's memory sink.

Asking ``spark.table(name)`` costs time in proportion to the whole table. The sink itself knows
its batches, so this module, the only one that does so, reaches for Spark's internal
``MemorySink``: rows are cut in the JVM and cross to Python once (about 10 ms for 20 rows).

Append and update keep every batch, so a batch can be read at any time. Complete keeps only the
newest: when several batches ran before we could read, they are shown together as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from labkit.engine.progress import Progress, from_json
from labkit.engine.rows import rows_of
from labkit.errors import InvalidArgument

# A view never shows more, and 500 rows cross in about 17 ms.
MAX_ROWS = 500
# How many finished batches a view can go back to.
MAX_BACKLOG = 60

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


@dataclass(frozen=True)
class Column:
    """One column of a result: its name, Spark's type as text, and its part in the query."""

    name: str
    type: str
    #: Whether the query groups by it; None when the plan does not tell.
    grouping: bool | None = None

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.type.startswith(_NUMBERS)

    @property
    def is_window(self) -> bool:
        """Whether the values are time windows, as Spark's ``window()`` makes them."""
        return self.type == "struct<start:timestamp,end:timestamp>"


@dataclass(frozen=True)
class Batch:
    """What one micro-batch of one query gave to its sink.

    Parameters
    ----------
    number, first
        Spark's batch id. ``first`` is smaller when several batches are shown together.
    mode
        ``append``, ``update`` or ``complete``.
    columns
        The columns of ``rows``.
    rows
        The rows that the sink got, at most :data:`MAX_ROWS`, as plain Python values: timestamps
        in ``zone``, structs as ``Row``.
    sent_rows
        How many rows the sink got in all.
    progress
        What Spark reported about the batch.
    zone
        The session's time zone, by name.
    """

    number: int
    first: int
    mode: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    sent_rows: int
    progress: Progress
    zone: str


class BatchReader:
    """Gives the batches of one memory-sink query in order, each exactly once.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark, running or ended, that writes to the memory sink.
    most_rows
        How many rows of a batch are read.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``: the query writes to another sink.
    """

    def __init__(self, query: Any, *, most_rows: int = MAX_ROWS) -> None:
        self._most_rows = most_rows
        self._execution = query._jsq.streamingQuery()
        self._sink = self._execution.sink()
        if self._sink.getClass().getSimpleName() != "MemorySink":
            raise InvalidArgument(
                "UNKNOWN_CHOICE",
                name=f"the sink of query {query.name or query.id!r}",
                value=self._sink.getClass().getSimpleName(),
                choices="memory",
                cure='Write it with .format("memory").queryName("a_name") to look at its rows.',
            )
        self.query = query
        self.mode = mode_of(query)
        self._session = _session()
        self._zone: str = self._session.conf.get("spark.sql.session.timeZone")
        self._java_schema = self._execution.analyzedPlan().schema()
        self._fields = _fields(self._java_schema)
        #: The columns of the result.
        self.columns = _columns(self._fields, self._execution.analyzedPlan())
        self._kept = _kept_batches(self._sink)
        self._next = 0

    def latest(self) -> int:
        """Return the id of the newest batch in the sink; -1 before the first."""
        found = self._sink.latestBatchId()
        return int(found.get()) if found.isDefined() else -1

    def backlog(self) -> Iterator[Batch]:
        """Yield the batches that ran before anybody watched, oldest first."""
        latest = self.latest()
        reports = [from_json(report.json) for report in self.query.recentProgress]
        known = {p.number: p for p in reports if p.ran and p.number <= latest}
        kept = sorted(known)[-MAX_BACKLOG:]
        if kept and self.mode == "complete":
            self._next = min(known)
        elif kept and kept[0] > 0:
            yield self._before(known, kept[0])
        for number in kept:
            yield from self.read(known[number])

    def read(self, progress: Progress) -> Iterator[Batch]:
        """Yield the batch that ``progress`` reports, unless it was read or is gone already."""
        if not progress.ran or progress.number < self._next:
            return
        if self.mode == "complete":
            rows = self._newest_rows(progress.number)
            if rows is None:  # a later batch has replaced it and will bring it along
                return
        else:
            cut = min(progress.sent_rows or 0, self._most_rows)
            rows = self._cross(self._sink.dataSinceBatch(progress.number - 1), cut)
            self._next = progress.number  # these modes lose no batch, so none is joined
        yield self._made(progress, rows, progress.sent_rows or 0)

    def _newest_rows(self, number: int) -> tuple[tuple[Any, ...], ...] | None:
        """Return the complete result of a batch, or None when it is not the newest any more."""
        from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - only when there is a query

        if self.latest() != number:
            return None
        try:
            newest = self._kept.last()
        except Py4JJavaError:  # just now the sink takes it out, to put a later one in
            return None
        if newest.batchId() != number:
            return None
        # The sink's own methods copy all rows, which may be a million, to give us 500.
        rows = self._session._jvm.scala.Predef.genericWrapArray(newest.data())
        return self._cross(rows.take(self._most_rows).toList(), self._most_rows)

    def _before(self, known: dict[int, Progress], first: int) -> Batch:
        """Join all batches before ``first`` into one."""
        later = sum(p.sent_rows or 0 for number, p in known.items() if number >= first)
        count = int(self._sink.allData().size()) - later
        rows = self._cross(self._sink.allData(), min(count, MAX_ROWS))
        return self._made(replace(known[first], number=first - 1), rows, count)

    def _made(self, progress: Progress, rows: tuple[tuple[Any, ...], ...], sent: int) -> Batch:
        first, self._next = self._next, progress.number + 1
        return Batch(
            number=progress.number,
            first=first,
            mode=self.mode,
            columns=self.columns,
            rows=rows,
            sent_rows=sent,
            progress=progress,
            zone=self._zone,
        )

    def _cross(self, rows: Any, count: int) -> tuple[tuple[Any, ...], ...]:
        """Bring the first ``count`` rows of a Scala sequence to Python."""
        from pyspark.sql import DataFrame  # noqa: PLC0415 - only when there is a query

        if count <= 0:
            return ()
        converters = self._session._jvm.scala.jdk.javaapi.CollectionConverters
        java_rows = converters.asJava(rows.take(count))
        frame = self._session._jsparkSession.createDataFrame(java_rows, self._java_schema)
        return rows_of(DataFrame(frame, self._session), ZoneInfo(self._zone))


def _kept_batches(sink: Any) -> Any:
    """Return the sink's private list of batches: one in complete mode, else all of them."""
    field = sink.getClass().getDeclaredField("batches")
    field.setAccessible(True)
    return field.get(sink)


def running_queries() -> list[Any]:
    """Return the queries that run in this kernel's session; none when there is no session."""
    session = _session()
    return list(session.streams.active) if session is not None else []


def mode_of(query: Any) -> str:
    """Return a query's output mode: ``append``, ``update`` or ``complete``."""
    return str(query._jsq.streamingQuery().outputMode().toString().lower())


def reports_after(query: Any, number: int) -> list[Progress]:
    """Return Spark's reports on the batches that ran after batch ``number``, oldest first."""
    found: list[Progress] = []
    # PySpark's own recentProgress reads every report field by field over the bridge.
    for report in reversed(list(query._jsq.recentProgress())):
        if report.batchId() <= number:
            break
        found.append(from_json(report.json()))
    return [report for report in reversed(found) if report.ran]


def _session() -> Any:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only when there is a query

    # The active session belongs to a thread; the other one to the process.
    return SparkSession.getActiveSession() or SparkSession._instantiatedSession


def _fields(java_schema: Any) -> list[Any]:
    from pyspark.sql.types import StructType  # noqa: PLC0415 - only when there is a query

    return list(StructType.fromJson(json.loads(java_schema.json())).fields)


def _columns(fields: list[Any], plan: Any) -> tuple[Column, ...]:
    parts = _grouping(plan)
    return tuple(Column(f.name, f.dataType.simpleString(), parts.get(f.name)) for f in fields)


def find_nodes(node: Any, name: str) -> list[Any]:
    """Return the nodes of a plan or expression whose Java class has this simple name.

    Parameters
    ----------
    node
        The root of a Scala tree (``LogicalPlan``, ``Expression``).
    name
        For example ``Aggregate``.
    """
    found = [node] if node.getClass().getSimpleName() == name else []
    children = node.children()
    for i in range(children.size()):
        found += find_nodes(children.apply(i), name)
    return found


def _grouping(plan: Any) -> dict[str, bool]:
    """Tell for each output column of the top aggregation whether the query groups by it."""
    aggregates = find_nodes(plan, "Aggregate")
    if not aggregates:
        return {}
    outputs = aggregates[0].aggregateExpressions()
    named = (outputs.apply(i) for i in range(outputs.size()))
    return {output.name(): not find_nodes(output, "AggregateExpression") for output in named}
