"""Where several queries of the same input have read equally far: the ends of the input steps.

Batch numbers of output modes drift apart: append and update run extra batches without input, and
a query that lags reads more at once. What the batches have in common is how far they have read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from labkit.engine.batches import MAX_ROWS, Batch

Mark = tuple[Any, ...]


@dataclass
class Stop:
    """A place in the input at which one query ended a batch, and what it sent up to there."""

    mark: Mark
    count: int
    rows: int
    batches: list[Batch]


class Alignment:
    """Finds the places in the input that all running queries have in common.

    Parameters
    ----------
    modes
        Who is compared.
    """

    def __init__(self, modes: tuple[str, ...]) -> None:
        self.running = set(modes)
        self.step, self.first = -1, -1
        self.parts: dict[str, Stop] = {}
        self._open: dict[str, list[Stop]] = {mode: [] for mode in modes}
        self._marks: dict[str, Mark] = {}

    def add(self, mode: str, stop: Stop) -> Iterator[None]:
        """Take one batch; yield each time when the current step has changed.

        A batch at the mark of the one before it has read nothing: it belongs to the same step.
        """
        waiting = self._open[mode]
        if self._marks.get(mode) != stop.mark:
            self._marks[mode] = stop.mark
            waiting.append(stop)
            yield from self._close()
        elif waiting:
            waiting[-1].batches += stop.batches
        elif mode in self.parts:
            self.parts[mode].batches += stop.batches
            yield

    def leave(self, mode: str) -> Iterator[None]:
        """Wait no longer for a query that has ended."""
        self.running.discard(mode)
        yield
        yield from self._close()

    def _close(self) -> Iterator[None]:
        while (mark := self._common()) is not None:
            self.parts = {}
            for mode, stops in self._open.items():
                places = [stop.mark for stop in stops]
                if mark in places:
                    end = places.index(mark) + 1
                    self.parts[mode] = _joined_stop(stops[:end])
                    del stops[:end]
            self.first = self.step + 1
            self.step = max(self.first, *(part.count - 1 for part in self.parts.values()))
            yield

    def _common(self) -> Mark | None:
        """Return the first place that every running query has reached."""
        marks = [[stop.mark for stop in self._open[mode]] for mode in sorted(self.running)]
        if not marks:
            return None
        return next((mark for mark in marks[0] if all(mark in other for other in marks[1:])), None)


def _joined_stop(stops: list[Stop]) -> Stop:
    return replace(stops[-1], batches=[batch for stop in stops for batch in stop.batches])


def join_batches(batches: list[Batch]) -> Batch:
    """Make one batch of those that one query ran in one step.

    Parameters
    ----------
    batches
        At least one, in order.
    """
    dropped = sum(batch.progress.dropped_groups for batch in batches)
    progress = replace(batches[-1].progress, dropped_groups=dropped)
    last = replace(batches[-1], first=batches[0].first, progress=progress)
    if last.mode == "complete":  # each has the whole result
        return last
    rows = tuple(row for batch in batches for row in batch.rows)[:MAX_ROWS]
    sent = sum(batch.sent_rows for batch in batches)
    return replace(last, rows=rows, sent_rows=sent)
