"""Several queries with the same input, followed together, input step by input step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from labkit.engine.alignment import Alignment, Stop, join_batches
from labkit.engine.batches import Batch, BatchReader
from labkit.engine.listener import Ended, Inbox, Left, News, subscribe, unsubscribe
from labkit.engine.progress import Progress, from_json
from labkit.engine.refusal import Refusal, refused_while_running
from labkit.engine.spark_end import end_of
from labkit.engine.watching import FAILED, RUNNING, SPARK_STOPPED, STOPPED, WORDS, State


@dataclass(frozen=True)
class Step:
    """What each query made of the same input.

    Parameters
    ----------
    number
        Counts what the reader gave; the same step comes again when an extra batch belongs to it.
    step, first
        The input step, counted from 0; ``first`` is smaller when a query took several at once,
        and both are -1 before the first step.
    batches
        For each mode, its batches of this step joined into one; none for a query that has ended.
    read_rows
        For each mode, the input rows that it has read since its start.
    refused
        For each mode that failed while it ran, why.
    ended
        The modes whose query does not run any more.
    """

    number: int
    step: int
    first: int
    batches: dict[str, Batch]
    read_rows: dict[str, int]
    refused: dict[str, Refusal] = field(default_factory=dict)
    ended: frozenset[str] = frozenset()


class Lane:
    """One of the queries: what it has read so far, and its batches."""

    def __init__(self, query: Any) -> None:
        self.query = query
        self.batches = BatchReader(query)
        self.seen = -1
        self._read: list[int] = []
        self._places: tuple[Any, ...] = ()
        self._same = 0
        self._count = 0

    def read(self, progress: Progress) -> Iterator[Stop]:
        """Yield what a report brings, unless it was read already or a later one will bring it."""
        if not progress.ran or progress.number <= self.seen:
            return
        self._move(progress.raw.get("sources") or [])
        batches = list(self.batches.read(progress))
        if batches:
            mark = (self._places, self._same)
            yield Stop(mark, self._count, sum(self._read), batches)
        self.seen = progress.number  # only now, when a view has made its frame of it

    def reports(self) -> Iterator[Progress]:
        """Yield what Spark has reported so far."""
        for report in self.query.recentProgress:
            yield from_json(report.json)

    def is_read(self) -> bool:
        """Whether everything in the sink has been read."""
        return self.batches.latest() <= self.seen

    def _move(self, sources: list[dict[str, Any]]) -> None:
        """Note how far the query has read now."""
        self._read = self._read or [0] * len(sources)
        rows = zip(self._read, sources, strict=True)
        self._read = [before + int(source.get("numInputRows") or 0) for before, source in rows]
        if all(source.get("startOffset") == source.get("endOffset") for source in sources):
            return  # a batch without input
        places = tuple(
            _place(source, read) for source, read in zip(sources, self._read, strict=True)
        )
        self._same = self._same + 1 if places == self._places else 0
        self._places = places
        self._count += 1


def _place(source: dict[str, Any], read_rows: int) -> Any:
    """Return how far a source was read, the same for all queries that have read the same rows.

    The offset of files counts a query's own batches; whether two of them hold the same files, only
    the rows can tell.
    """
    if str(source.get("description", "")).startswith("FileStreamSource"):
        return read_rows
    return json.dumps(source.get("endOffset"), sort_keys=True)


class _Shared(SimpleQueue[News]):
    """The news of several queries; it ends with the last of them."""

    def __init__(self, run_ids: set[str]) -> None:
        super().__init__()
        self._open = run_ids

    def put(self, item: News, block: bool = True, timeout: float | None = None) -> None:
        if isinstance(item, Ended) and item.run_id:
            self._open.discard(item.run_id)
            item = Left(item.run_id) if self._open else Ended()
        super().put(item, block, timeout)


class SideBySideReader:
    """Follows several queries of one plan, input step by input step.

    Parameters
    ----------
    name
        What is compared, for titles.
    queries
        The running queries by mode; there may be none.
    """

    def __init__(self, name: str, queries: dict[str, Any]) -> None:
        self.name = name
        self.lanes = {mode: Lane(query) for mode, query in queries.items()}
        self._alignment = Alignment(tuple(queries))
        self._refused: dict[str, Refusal] = {}
        self._left: set[str] = set()
        self._given = -1
        self._end = end_of()

    def open(self) -> Inbox:
        """Return a queue that gets the news of all queries from now on."""
        shared = _Shared({lane.query.runId for lane in self.lanes.values()})
        for lane in self.lanes.values():
            subscribe(lane.query, shared)
        if not self.lanes:
            shared.put(Ended())
        return shared

    def close(self, inbox: Inbox) -> None:
        """Send no more news."""
        unsubscribe(inbox)

    def latest(self) -> int:
        """Return the number of the newest step; one more while there is something to read."""
        if self._end.has_begun:
            return self._given
        following = [lane for mode, lane in self.lanes.items() if mode not in self._left]
        is_read = all(lane.query.isActive and lane.is_read() for lane in following)
        return self._given if is_read else self._given + 1

    def backlog(self) -> Iterator[Step]:
        """Yield the steps that were there before anybody looked, and are not read yet."""
        for mode, lane in self.lanes.items():
            for report in lane.reports():
                yield from self._add(mode, report)
        for mode in self._leaving():
            yield from self._leave(mode)

    def read(self, news: News) -> Iterator[Step]:
        """Yield the steps that some news brings."""
        if self._end.has_begun:
            return
        for mode, lane in self.lanes.items():
            if isinstance(news, Progress) and news.run_id == lane.query.runId:
                yield from self._add(mode, news)
            if isinstance(news, Left) and news.run_id == lane.query.runId:
                yield from self._leave(mode)

    def state(self) -> State:
        """Return how the queries stand now."""
        if self._end.has_begun:
            return SPARK_STOPPED
        if any(lane.query.isActive for lane in self.lanes.values()):
            return State(RUNNING, WORDS[RUNNING])
        if len(self._refused) == len(self.lanes):
            return State(FAILED, "No query runs")
        return State(STOPPED, "Queries stopped")

    def stop(self) -> None:
        """Stop all queries."""
        for lane in self.lanes.values():
            lane.query.stop()

    def _leaving(self) -> list[str]:
        """Return the modes whose query has ended, which nobody has been told yet."""
        others = ((mode, lane) for mode, lane in self.lanes.items() if mode not in self._left)
        return [mode for mode, lane in others if not lane.query.isActive]

    def _add(self, mode: str, progress: Progress) -> Iterator[Step]:
        for stop in self.lanes[mode].read(progress):
            for _ in self._alignment.add(mode, stop):
                yield self._step()

    def _leave(self, mode: str) -> Iterator[Step]:
        if mode in self._left:
            return
        refusal = refused_while_running(mode, self.lanes[mode].query)
        if refusal is not None:
            self._refused[mode] = refusal
        for _ in self._alignment.leave(mode):
            yield self._step()
        self._left.add(mode)

    def _step(self) -> Step:
        self._given += 1
        parts = self._alignment.parts
        return Step(
            number=self._given,
            step=self._alignment.step,
            first=self._alignment.first,
            batches={mode: join_batches(part.batches) for mode, part in parts.items()},
            read_rows={mode: part.rows for mode, part in parts.items()},
            refused=dict(self._refused),
            ended=frozenset(self.lanes) - self._alignment.running,
        )
