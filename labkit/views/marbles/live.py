"""``lab.marbles``: two DStreams, batch by batch, one frame per batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from labkit.engine.clock import clock_text
from labkit.engine.lane_rows import Rows
from labkit.engine.lanes import LanesReader
from labkit.errors import InvalidArgument, require_type, wrong_type
from labkit.views.marbles.model import Marbles, fold, note
from labkit.views.marbles.page import render
from labkit.views.view import View

if TYPE_CHECKING:
    from pyspark.streaming import DStream


class MarbleDiagram(View[Marbles]):
    """Two DStreams batch by batch, one frame per batch."""

    @property
    def data(self) -> pd.DataFrame:
        """The last batches (at most 60): number, end (UTC), and up to six rows of each side."""
        rows = [
            (batch.number, clock_text(batch.end_ms), _values(batch.given), _values(batch.made))
            for batch in self.model.batches
        ]
        return pd.DataFrame(rows, columns=["batch", "end", "source", "result"])


def _values(lane: Rows | None) -> list[Any] | None:
    return None if lane is None else list(lane.rows)


def marbles(
    source: DStream, result: DStream, *, op: str = "", names: tuple[str, str] = ("", "")
) -> MarbleDiagram:
    """Show two DStreams batch by batch: what goes into an operator, and what comes out.

    Parameters
    ----------
    source, result
        The DStreams before and after the operator, of one context that was not started yet.
    op
        The operator as text, such as ``"countByValue()"``.
    names
        What the two are called in the lesson, for labels.

    Returns
    -------
    MarbleDiagram
        Shows itself as the last expression of a cell; ``.data``, ``.frames``, ``.to_text()``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    Conflict
        ``RUNS_ALREADY`` after ``ssc.start()``, ``STOPPED`` after ``ssc.stop()``.

    Notes
    -----
    Works with the clock of ``lab.streaming_context`` and with a real one. Both DStreams get one
    output more (``foreachRDD``), which counts the rows of each batch and takes six of them, so
    each is worked out once more. Rows that lie by the hash of their key are shown by key. The
    shape of a marble is its key; the fifth key has the shape of the first.
    Refresh: at most 4 times a second, 60 frames kept. Threads: one, which ends with the context.

    Examples
    --------
    >>> view = lab.marbles(words, counts, op="countByValue()")  # doctest: +SKIP
    >>> ssc.start()  # doctest: +SKIP
    >>> lab.tick(ssc, 3)  # doctest: +SKIP
    >>> print(view.to_text())  # doctest: +SKIP
    """
    require_type("op", op, str, expected="text, such as 'countByValue()'")
    if not isinstance(names, tuple | list) or not all(isinstance(n, str) for n in names):
        raise wrong_type("names", names, expected="two texts, such as ('words', 'counts')")
    if len(names) != 2:
        raise InvalidArgument("OUT_OF_RANGE", name="names", value=names, bound="two texts")
    reader = LanesReader(source, result, name=op or "two DStreams")
    model = Marbles(op=op, names=(names[0], names[1]), flow=reader.flow)
    return MarbleDiagram("marbles", reader, model, fold=fold, render=render, note=note)
