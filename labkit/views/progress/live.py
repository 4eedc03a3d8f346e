"""``lab.progress``: what Spark reports about each batch of a query, on one batch axis."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labkit.engine.query_facts import query_facts
from labkit.engine.watching import ProgressReader
from labkit.views.progress.model import Measured, Panel, fold, note
from labkit.views.progress.page import render
from labkit.views.registry import started
from labkit.views.view import View


class ProgressPanel(View[Panel]):
    """What Spark reports about each batch of a query, on one batch axis."""

    @property
    def data(self) -> pd.DataFrame:
        """A copy of the numbers, one row for each of the last 500 batches.

        Columns: batch, input_rows, sent_rows, batch_ms and its parts read_ms, plan_ms, run_ms
        and log_ms, input_rate and processed_rate (rows a second), watermark, oldest_event and
        newest_event (event time, UTC), state_rows, dropped_groups, lag (Kafka records).
        """
        rows = [_data_row(batch) for batch in self.model.batches]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS))
        whole = dict.fromkeys(("sent_rows", "state_rows", "lag"), "Int64")
        times = dict.fromkeys(("watermark", "oldest_event", "newest_event"), "datetime64[us, UTC]")
        rates = dict.fromkeys(("input_rate", "processed_rate"), "float64")
        return frame.astype({**whole, **times, **rates})


_COLUMNS = (
    *("batch", "input_rows", "sent_rows", "batch_ms", "read_ms", "plan_ms", "run_ms", "log_ms"),
    *("input_rate", "processed_rate", "watermark", "oldest_event", "newest_event"),
    *("state_rows", "dropped_groups", "lag"),
)


def _data_row(batch: Measured) -> tuple[Any, ...]:
    return (
        *(batch.number, batch.input_rows, batch.sent_rows, batch.batch_ms, *batch.phases_ms),
        *(batch.input_rate, batch.processed_rate, batch.watermark, batch.oldest, batch.newest),
        *(batch.state_rows, batch.dropped_groups, batch.lag),
    )


def progress(query: Any) -> ProgressPanel:
    """Show what Spark reports about each batch: rows, time, state, watermark, Kafka's lag.

    Rows of the picture appear when there is something to show in them; all share one batch axis
    (the last 40 batches).

    Parameters
    ----------
    query
        A started ``StreamingQuery`` with any sink, or its name.

    Returns
    -------
    ProgressPanel
        Shows itself as the last expression of a cell; ``.data``, ``.frames``, ``.to_text()``.

    Raises
    ------
    Conflict
        ``STOPPED``: the query's Spark has been stopped.
    NotFound
        No running query has this name.
    InvalidArgument
        ``WRONG_TYPE``: ``query`` is something else.

    Notes
    -----
    Batch times, rates and starts of batches are processing time (the machine's clock); they are
    in the picture and in ``.data``, not in the text, which is the same in each run.
    Refresh: at most 4 times a second, 60 frames kept. Threads: one, which ends with the query.

    Examples
    --------
    >>> panel = lab.progress(query)  # doctest: +SKIP
    >>> panel.data["input_rows"].sum()  # doctest: +SKIP
    """
    reader = ProgressReader(started(query))
    panel = Panel(name=reader.query.name or "query without a name", facts=query_facts(reader.query))
    return ProgressPanel("progress", reader, panel, fold=fold, render=render, note=note)
