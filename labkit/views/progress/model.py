"""The progress panel's memory: ``fold`` a report into the numbers of the last batches.

It is pure; ``progress.words`` says in words what the query does, ``progress.page`` draws it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from labkit.engine.progress import Progress
from labkit.engine.query_facts import EPOCH, QueryFacts
from labkit.engine.watching import RUNNING, WORDS, State
from labkit.views.progress.offsets import Partition, partitions_of, source_words

# The picture shows fewer; the rest is for ``.data``.
MAX_KEPT = 500
MAX_SHOWN = 40

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Measured:
    """One batch in numbers.

    Parameters
    ----------
    number
        Spark's batch id.
    input_rows, sent_rows
        ``sent_rows`` is None when the sink does not count.
    batch_ms
        The whole batch, milliseconds of processing time; its four parts are in ``phases_ms``.
    phases_ms
        ``read``, ``plan``, ``run`` and ``log``.
    input_rate, processed_rate
        Rows a second of processing time, as Spark has them; None when it could not tell. Spark
        divides the input by the time since it last looked, be it 10 ms ago.
    came_rate
        Rows a second since the last batch with rows began; None for the first.
    watermark
        The watermark in force; None without one and before the first event has moved it.
    oldest, newest
        Event times of the batch's rows; None without rows or without a watermark.
    untimed
        Whether a row had no event time (Spark reports it as one of 1970).
    state_rows
        None when the query keeps no state.
    state_bytes, stores
        Memory of all stores, and their count.
    partitions
        The most state partitions of one operator.
    dropped_groups
        Groups of late rows that were left out.
    kafka
        Offsets of each Kafka partition; empty for other sources.
    started_at
        Processing time.
    """

    number: int
    input_rows: int
    sent_rows: int | None
    batch_ms: int
    phases_ms: tuple[int, int, int, int]
    input_rate: float | None
    processed_rate: float | None
    came_rate: float | None
    watermark: datetime | None
    oldest: datetime | None
    newest: datetime | None
    untimed: bool
    state_rows: int | None
    state_bytes: int
    stores: int
    partitions: int
    dropped_groups: int
    kafka: tuple[Partition, ...]
    started_at: datetime | None

    @property
    def lag(self) -> int | None:
        """Kafka records that were there and not yet read; None for other sources."""
        return sum(p.lag for p in self.kafka) if self.kafka else None


@dataclass(frozen=True)
class Panel:
    """What the panel knows of one query.

    Parameters
    ----------
    name, facts
        The query's name, and what it is set to do.
    source
        Where the rows come from, in words.
    batches
        The last 500 batches, the oldest first.
    newest
        The newest event time of all batches seen.
    open
        Windows that surely hold rows and are not closed: those of each batch's oldest and newest
        event.
    state
        How the query stands, as far as the reader has told.
    """

    name: str
    facts: QueryFacts
    source: str = ""
    batches: tuple[Measured, ...] = ()
    newest: datetime | None = None
    open: frozenset[Window] = frozenset()
    state: State = field(default=State(RUNNING, WORDS[RUNNING]))

    @property
    def shown(self) -> tuple[Measured, ...]:
        """The batches of the picture."""
        return self.batches[-MAX_SHOWN:]


def fold(panel: Panel, progress: Progress) -> Panel:
    """Return the panel after one more batch.

    Parameters
    ----------
    panel
        What is known so far.
    progress
        What Spark reported about a batch that ran.
    """
    batch = measure(progress)
    batch = replace(batch, came_rate=_came_rate(panel, batch))
    seen = [time for time in (panel.newest, batch.newest) if time is not None]
    return replace(
        panel,
        source=panel.source or source_words(progress.raw),
        batches=(*panel.batches, batch)[-MAX_KEPT:],
        newest=max(seen, default=None),
        open=_open_windows(panel, batch),
    )


def note(panel: Panel, state: State) -> Panel:
    """Return the panel after the query's state has changed.

    Parameters
    ----------
    panel
        What is known so far.
    state
        How the query stands now.
    """
    return replace(panel, state=state)


def measure(progress: Progress) -> Measured:
    """Read the numbers of one report."""
    took, raw = progress.phases_ms, progress.raw
    times = raw.get("eventTime") or {}
    operators = raw.get("stateOperators") or []
    oldest, newest = _time(times.get("min")), _time(times.get("max"))
    phases = (
        _sum(took, "latestOffset", "getOffset", "getBatch"),
        _sum(took, "queryPlanning"),
        _sum(took, "addBatch"),
        _sum(took, "walCommit", "commitOffsets"),
    )
    return Measured(
        number=progress.number,
        input_rows=progress.input_rows,
        sent_rows=progress.sent_rows,
        batch_ms=took.get("triggerExecution", sum(phases)),
        phases_ms=phases,
        input_rate=_rate(progress, "inputRowsPerSecond"),
        processed_rate=_rate(progress, "processedRowsPerSecond"),
        came_rate=None,
        watermark=_real(_time(progress.watermark)),
        oldest=_real(oldest) or _real(newest),
        newest=_real(newest),
        untimed=EPOCH in (oldest, newest),
        state_rows=progress.state_rows if operators else None,
        state_bytes=sum(op.get("memoryUsedBytes", 0) for op in operators),
        stores=sum(op.get("numStateStoreInstances", 0) for op in operators),
        partitions=max((op.get("numShufflePartitions", 0) for op in operators), default=0),
        dropped_groups=progress.dropped_groups,
        kafka=partitions_of(raw),
        started_at=_time(progress.started_at),
    )


def _came_rate(panel: Panel, batch: Measured) -> float | None:
    """Return how fast a batch's rows came: those since the last batch that had any."""
    before = next((b for b in reversed(panel.batches) if b.input_rows), None)
    if before is None or before.started_at is None or batch.started_at is None:
        return None
    passed_s = (batch.started_at - before.started_at).total_seconds()
    return batch.input_rows / passed_s if batch.input_rows and passed_s > 0 else None


def _open_windows(panel: Panel, batch: Measured) -> frozenset[Window]:
    """Return the windows that surely hold rows after a batch.

    Of a batch's rows only the oldest and the newest event time are known. A row is late when its
    window had ended by the watermark of the batch before.
    """
    windows = panel.facts.windows
    if windows is None:
        return frozenset()
    late_by = panel.batches[-1].watermark if panel.batches else None
    times = {time for time in (batch.oldest, batch.newest) if time is not None}
    arrived = {w for time in times for w in windows.around(time) if not _over(w, late_by)}
    return frozenset(w for w in panel.open | arrived if not _over(w, batch.watermark))


def _over(window: Window, watermark: datetime | None) -> bool:
    return watermark is not None and window[1] <= watermark


def _sum(took: dict[str, int], *names: str) -> int:
    return sum(took.get(name, 0) for name in names)


def _rate(progress: Progress, name: str) -> float | None:
    """Return a rate; Spark leaves it out, or says 0, when it could not divide."""
    rate = progress.raw.get(name)
    if not isinstance(rate, int | float) or not progress.input_rows or not 0 < rate < float("inf"):
        return None
    return float(rate)


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:  # a year beyond 9999
        return None


def _real(time: datetime | None) -> datetime | None:
    """Leave out 1970, which stands for no time at all."""
    return None if time == EPOCH else time
