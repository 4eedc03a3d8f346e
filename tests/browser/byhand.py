"""A view whose batches come by hand, without Spark: for tests of what happens in the browser."""

from __future__ import annotations

from functools import partial
from queue import SimpleQueue

from labkit.engine.batches import Batch, Column
from labkit.engine.listener import Ended
from labkit.engine.progress import Progress, from_json
from labkit.engine.watching import State
from labkit.views.table.live import LiveTable
from labkit.views.table.model import Table, fold
from labkit.views.table.page import render

COLUMNS = (Column("name", "string", grouping=True), Column("total", "bigint", grouping=False))


class ByHand:
    """A reader; ``send`` brings one batch, ``end`` ends what is followed."""

    query = "a query, to have the button"

    def __init__(self, name, columns=COLUMNS, mode="complete"):
        self.name, self.columns, self.mode = name, columns, mode
        self.batches, self.inbox = [], SimpleQueue()
        self._state = State("running", "Query running")
        self.stopped = 0

    def send(self, *rows):
        number = len(self.batches)
        report = (
            f'{{"batchId": {number}, "numInputRows": {len(rows)}, "durationMs": {{"addBatch": 1}}}}'
        )
        progress = from_json(report)
        self.batches.append(
            Batch(number, number, self.mode, self.columns, rows, len(rows), progress, "UTC")
        )
        self.inbox.put(progress)

    def end(self, state=None):
        self._state = state or State("stopped", "Query stopped")
        self.inbox.put(Ended())

    def stop(self):
        self.stopped += 1
        self.end()

    def open(self):
        return self.inbox

    def close(self, inbox):
        pass

    def latest(self):
        return len(self.batches) - 1

    def backlog(self):
        yield from ()

    def read(self, news):
        if isinstance(news, Progress):
            yield self.batches[news.number]

    def state(self):
        return self._state


def table(reader, cap=50, key=(0,)):
    """Return the live table of a reader."""
    model = Table(reader.name, reader.columns, key)
    return LiveTable("table", reader, model, fold=fold, render=partial(render, cap=cap))
