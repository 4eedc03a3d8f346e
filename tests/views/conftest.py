"""Batches by hand, so that a view's two pure functions are tested without Spark."""

import pytest

from labkit.engine.batches import Batch, Column
from labkit.engine.progress import from_json


@pytest.fixture
def batches():
    """Return a maker of batches: mode, columns, then the rows of each batch in turn."""

    def make(mode, columns, *rows_of):
        made = [Column(name, kind, grouping) for name, kind, grouping in columns]
        return tuple(made), [_batch(mode, tuple(made), n, rows) for n, rows in enumerate(rows_of)]

    return make


def _batch(mode, columns, number, rows):
    report = f'{{"batchId": {number}, "numInputRows": 5, "durationMs": {{"addBatch": 1}}}}'
    return Batch(
        number=number,
        first=number,
        mode=mode,
        columns=columns,
        rows=tuple(rows),
        sent_rows=len(rows),
        progress=from_json(report),
        zone="UTC",
    )
