"""Single events of a running query, for the timeline: ``tap``, and who reads what it caught.

Spark reports the progress of a batch with the numbers that ``DataFrame.observe`` asked for. The
tap asks for the event times of the batch themselves, so a view sees what came in without a second
query and without touching the learner's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from labkit.engine.batches import Batch, BatchReader, find_nodes
from labkit.engine.listener import News
from labkit.engine.progress import Progress
from labkit.engine.watching import ProgressReader
from labkit.errors import InvalidArgument, NotFound, require_type, wrong_type

PREFIX = "labkit_tap_"
# Beyond, a batch is told in numbers only: single marks could not be read, and reports grow.
MAX_EVENTS = 200
MAX_KEY_CHARS = 40
# As many as Spark keeps reports of.
MAX_HELD = 100

_numbers = count(1)


@dataclass(frozen=True)
class TappedEvent:
    """One row as the tap saw it: its event time in epoch milliseconds, and its key as text."""

    at_ms: int | None
    key: str | None


@dataclass(frozen=True)
class Tapped:
    """What the taps of a query saw in one batch.

    Parameters
    ----------
    rows, untimed
        All rows, and those whose event time is null.
    oldest_ms, newest_ms
        Event times in epoch milliseconds; None when no row has one.
    events
        The rows by event time; None when there were more than :data:`MAX_EVENTS`.
    """

    rows: int
    untimed: int
    oldest_ms: int | None
    newest_ms: int | None
    events: tuple[TappedEvent, ...] | None


@dataclass(frozen=True)
class Moment:
    """One batch as the timeline needs it: Spark's report, the tapped events, the rows sent.

    ``batch`` is None when the sink keeps no rows, or a later batch has replaced them.
    """

    number: int
    progress: Progress
    tapped: Tapped | None
    batch: Batch | None


def tap(
    df: Any, time: str = "event_time", *, key: str | None = None, name: str | None = None
) -> Any:
    """Let ``lab.timeline`` see the single events of a stream; the rows pass unchanged.

    Parameters
    ----------
    df
        A streaming DataFrame, **before** ``withWatermark``.
    time
        The column with the event time, a timestamp.
    key
        A column that is shown with each event; for session windows the one you group by.
    name
        What the tap is called in Spark's report; None: a number. Two taps in one query need two
        names, which the numbers are.

    Returns
    -------
    DataFrame
        The same stream.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: ``df`` is no streaming DataFrame, or ``time`` no timestamp.
    NotFound
        There is no such column.

    Notes
    -----
    A batch holds its event times and keys in memory once more. Of a batch of more than 200 rows
    only their number, oldest and newest are reported.

    Examples
    --------
    >>> events = lab.tap(events, time="event_time", key="user")  # doctest: +SKIP
    >>> counts = events.withWatermark("event_time", "1 minute")  # doctest: +SKIP
    """
    if not getattr(df, "isStreaming", False) or not hasattr(df, "observe"):
        raise wrong_type("df", df, expected="a streaming DataFrame, as spark.readStream makes it")
    require_type("time", time, str, expected="the name of a column")
    kinds = dict(df.dtypes)
    for part, column in (("time", time), ("key", key)):
        if column is not None:
            require_type(part, column, str, expected="the name of a column")
            _require_column(column, kinds)
    if kinds[time] != "timestamp":
        raise InvalidArgument(
            "WRONG_TYPE",
            name="time",
            value=time,
            found=f"column of type {kinds[time]}",
            expected="a column of type timestamp: use to_timestamp() first",
        )
    if name is not None:
        require_type("name", name, str, expected="text")
    return df.observe(f"{PREFIX}{name or next(_numbers)}", *_measures(time, key))


def _require_column(column: str, kinds: dict[str, str]) -> None:
    if column not in kinds:
        reason = f"The columns are: {', '.join(kinds)}."
        raise NotFound("NOT_FOUND", kind="column", name=column, reason=reason)


def _measures(time: str, key: str | None) -> list[Any]:
    from pyspark.sql import functions as F  # noqa: PLC0415 - only when there is a query

    at = F.unix_millis(F.col(f"`{time}`"))
    parts = [at.alias("t")]
    if key is not None:
        words = F.substring(F.col(f"`{key}`").cast("string"), 1, MAX_KEY_CHARS)
        parts.append(F.coalesce(words, F.lit("null")).alias("k"))
    rows = F.count(F.lit(1))
    return [
        rows.alias("rows"),
        F.count(at).alias("timed"),
        F.min(at).alias("oldest"),
        F.max(at).alias("newest"),
        F.when(rows <= MAX_EVENTS, F.collect_list(F.struct(*parts))).alias("events"),
    ]


def read_taps(progress: Progress) -> Tapped | None:
    """Return what all taps of a query saw in one batch; None when there is no tap."""
    metrics = progress.raw.get("observedMetrics") or {}
    seen = [metrics[name] for name in sorted(metrics) if name.startswith(PREFIX)]
    if not seen:
        return None
    rows = sum(tap["rows"] for tap in seen)
    times = [tap[end] for tap in seen for end in ("oldest", "newest") if tap.get(end) is not None]
    lists = [tap.get("events") for tap in seen]
    return Tapped(
        rows=rows,
        untimed=rows - sum(tap["timed"] for tap in seen),
        oldest_ms=min(times, default=None),
        newest_ms=max(times, default=None),
        events=None if None in lists else _events([e for found in lists for e in found or ()]),
    )


def _events(found: list[dict[str, Any]]) -> tuple[TappedEvent, ...]:
    """Order the events of a batch: Spark's own order changes from run to run."""
    events = [TappedEvent(event.get("t"), event.get("k")) for event in found]
    return tuple(sorted(events, key=lambda e: (e.at_ms is None, e.at_ms or 0, e.key or "")))


class MomentReader(ProgressReader):
    """Follows a query's reports together with the rows that it sent.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark; of a memory sink the rows are read too.
    stop_before
        Keep this batch and the later ones back until :meth:`release`; None: none.
    """

    def __init__(self, query: Any, *, stop_before: int | None = None) -> None:
        super().__init__(query)
        self.stop_before = stop_before
        self._held: deque[Moment] = deque(maxlen=MAX_HELD)
        self._batches = _batches(query)
        execution = query._jsq.streamingQuery()
        plan, session = execution.analyzedPlan(), query._jsq.sparkSession()
        conf = session.sessionState().conf()
        self.mode: str = execution.outputMode().toString().lower()
        self.zone: str = conf.sessionLocalTimeZone()
        self.delays_ms = _delays_ms(plan)
        self.group_columns = _group_columns(plan)
        #: Whether the late test uses the watermark of the batch before (Spark's default).
        self.late_test_lags = (
            conf.getConfString("spark.sql.streaming.statefulOperator.allowMultiple", "true")
            == "true"
        )

    def latest(self) -> int:
        """Return the newest batch that may be shown."""
        sink = None if self.is_spark_gone else self._batches
        newest = sink.latest() if sink else super().latest()
        return newest if self.stop_before is None else min(newest, self.stop_before - 1)

    def backlog(self) -> Iterator[Any]:
        """Yield what was kept back and may be shown now, then what nobody has read yet."""
        while self._held and self.stop_before is None:
            yield self._held.popleft()
        yield from super().backlog()

    def read(self, news: News) -> Iterator[Any]:
        """Yield the batch that a report is about, unless it is kept back."""
        for progress in super().read(news):
            moment = Moment(progress.number, progress, read_taps(progress), self._rows_of(progress))
            if self.stop_before is not None and moment.number >= self.stop_before:
                self._held.append(moment)
            else:
                yield moment

    def release(self) -> None:
        """Keep nothing back any more; :meth:`backlog` yields it."""
        self.stop_before = None

    def _rows_of(self, progress: Progress) -> Batch | None:
        if self._batches is None or self.is_spark_gone:
            return None
        try:
            return next(self._batches.read(progress), None)
        except (ValueError, OverflowError):  # a time beyond the year 9999: its batch is shown still
            return None


def _batches(query: Any) -> BatchReader | None:
    try:
        return BatchReader(query)
    except InvalidArgument:  # another sink: there are reports, but no rows
        return None


def _delays_ms(plan: Any) -> tuple[int, ...]:
    nodes = find_nodes(plan, "EventTimeWatermark")
    return tuple(sorted({int(node.getDelayMs(node.delay())) for node in nodes}))


def _group_columns(plan: Any) -> int | None:
    """Return by how many columns the query groups; None without just one aggregation."""
    aggregates = find_nodes(plan, "Aggregate")
    return int(aggregates[0].groupingExpressions().size()) if len(aggregates) == 1 else None
