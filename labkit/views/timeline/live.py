"""``lab.timeline``: event time by batch, drawn from the learner's own query."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labkit.engine.tap import MomentReader
from labkit.errors import require_int
from labkit.views.event_time import windows
from labkit.views.registry import started
from labkit.views.runner import Runner
from labkit.views.timeline.model import Setting, Timeline, fold
from labkit.views.timeline.page import render
from labkit.views.view import View

MAX_BATCH = 1_000_000


class LiveTimeline(View[Timeline]):
    """The event-time picture of a query, one frame per micro-batch."""

    _runner: Runner[Timeline]

    @property
    def data(self) -> pd.DataFrame:
        """One row per tapped event of the batches shown: batch, event time, key, fate."""
        timeline = self.model
        zone = timeline.setting.zone
        found = [(step.number, mark) for step in timeline.steps for mark in step.marks or ()]
        times = pd.to_datetime(
            pd.Series([mark.at_ms for _, mark in found], dtype="Int64"), unit="ms", utc=True
        )
        return pd.DataFrame(
            {
                "batch": [number for number, _ in found],
                "event_time": times.dt.tz_convert(zone),
                "key": [mark.key for _, mark in found],
                "fate": [mark.fate for _, mark in found],
            }
        )

    def go_on(self) -> None:
        """Show the batches that ``stop_before`` kept back, and all that follow.

        Nothing happens when nothing is kept back. It works after the query has ended too.

        Examples
        --------
        >>> view = lab.timeline(query, stop_before=5)  # doctest: +SKIP
        >>> view.go_on()  # doctest: +SKIP
        """
        old = self._runner
        reader = old.reader
        if not isinstance(reader, MomentReader) or reader.stop_before is None:
            return
        old.close()  # its thread is the only one that may read; the next one goes on from here
        reader.release()
        self._runner = old.resumed()
        self._runner.start()


def timeline(
    query: Any,
    window: str | None = "5 minutes",
    *,
    slide: str | None = None,
    gap: str | None = None,
    stop_before: int | None = None,
) -> LiveTimeline:
    """Show event time by batch: events, the watermark, and which windows were sent when.

    Parameters
    ----------
    query
        A started ``StreamingQuery``, or its name. With ``lab.tap`` before its watermark the
        single events are shown; of a memory sink also the values that were sent.
    window, slide
        The windows of the query, in event time, written as for ``window()``. ``window=None``:
        rows are tested one by one, as ``dropDuplicates`` with the time column does.
    gap
        The gap of session windows, in event time; ``window`` then does not count.
    stop_before
        Show no batch from this number on until :meth:`LiveTimeline.go_on` is called.

    Returns
    -------
    LiveTimeline
        Shows itself as the last expression of a cell; ``.frames``, ``.data``, ``.to_text()``.

    Raises
    ------
    Conflict
        ``STOPPED``: the query's Spark has been stopped.
    NotFound
        No running query has this name.
    InvalidArgument
        ``query`` is something else, or a length or ``stop_before`` is out of range.

    Notes
    -----
    The picture applies Spark's rules to the events and compares the number of dropped rows with
    Spark's own: where they differ, the sentence says so.

    Examples
    --------
    >>> view = lab.timeline(query, window="5 minutes")  # doctest: +SKIP
    >>> print(view.to_text())  # doctest: +SKIP
    """
    chosen = windows(window, slide, gap)
    if stop_before is not None:
        require_int("stop_before", stop_before, low=1, high=MAX_BATCH)
    reader = MomentReader(started(query), stop_before=stop_before)
    setting = Setting(
        name=reader.name,
        mode=reader.mode,
        zone=reader.zone,
        windows=chosen,
        delays_ms=reader.delays_ms,
        group_columns=reader.group_columns,
        late_test_lags=reader.late_test_lags,
        stop_before=stop_before,
    )
    return LiveTimeline("timeline", reader, Timeline(setting), fold=fold, render=render)
