"""``lab.compare``: the same input in several output modes, one frame per input step."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from labkit.engine.modes import (
    MODES,
    groups_rows,
    require_repeatable,
    start_modes,
    watermark_words,
)
from labkit.engine.side_by_side import SideBySideReader
from labkit.errors import (
    InvalidArgument,
    NotReady,
    require_choice,
    require_int,
    require_number,
    require_type,
    wrong_type,
)
from labkit.feeds.query import settle
from labkit.views.compare.model import Comparison, fold, new_lane
from labkit.views.compare.page import render
from labkit.views.frame import Frame
from labkit.views.view import View
from labkit.waiting import wait_until

if TYPE_CHECKING:
    from labkit.views.player import Player

STOP_S = 20.0
CURE = "Give it more time with timeout_s=, or look at view.queries."


class CompareView(View[Comparison]):
    """The same input in several output modes, one frame per input step.

    It can stand where a feed wants a query: ``feed.step(3, view)`` sends three steps, and waits
    after each until all modes have processed it.
    """

    def __init__(self, reader: SideBySideReader, model: Comparison, *, cap: int) -> None:
        #: The started queries by mode; a mode that was refused at the start is not there.
        self.queries: dict[str, Any] = {mode: lane.query for mode, lane in reader.lanes.items()}
        #: What is compared; the queries are called ``<name>_<mode>``.
        self.name = reader.name
        shown = partial(render, cap=cap)
        super().__init__("comparison", reader, model, fold=fold, render=shown, unit="step")

    @property
    def frames(self) -> list[Frame]:
        """The frames kept, one for each input step, after waiting for the newest batch."""
        # An extra batch makes a new frame of the same step.
        newest = {frame.batch: frame for frame in super().frames if frame.batch >= 0}
        return list(newest.values())

    @property
    def data(self) -> pd.DataFrame:
        """A copy of the tables so far (at most 500 rows each), with their mode in front."""
        lanes = self.model.running
        columns = next(([c.name for c in lane.table.columns] for lane in lanes), [])
        rows = [(lane.mode, *row) for lane in lanes for row in lane.rows.values()]
        return pd.DataFrame(rows, columns=["mode", *columns])

    @property
    def isActive(self) -> bool:  # noqa: N802 - Spark's name
        """Whether one of the queries runs."""
        return any(query.isActive for query in self.queries.values())

    @property
    def lastProgress(self) -> None:  # noqa: N802 - Spark's name
        """Always None: each query has its own, see ``queries``."""
        return

    def exception(self) -> None:
        """Return None: a mode that failed shows its reason in the view."""
        return

    def processAllAvailable(self) -> None:  # noqa: N802 - Spark's name
        """Wait without a limit until all running queries have processed what is there."""
        for query in self.queries.values():
            try:
                query.processAllAvailable()
            except Exception:
                if query.isActive:
                    raise

    def wait(self, step: int | None = None, *, timeout_s: float = 60.0) -> None:
        """Wait until all running queries have processed what is there, and the view shows it.

        Parameters
        ----------
        step
            Wait for this input step (counted from 0) instead of the end of the input; the source
            ``rate-micro-batch`` has no end.
        timeout_s
            Limit in seconds of the real clock, more than 0.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
        NotReady
            ``NOT_READY``: it took longer.

        Examples
        --------
        >>> feed.step(3); view.wait()  # doctest: +SKIP
        """
        require_number("timeout_s", timeout_s, low=0, high=86_400, low_is_allowed=False)
        deadline = time.monotonic() + timeout_s
        if step is None:
            for mode, query in self.queries.items():
                self._settle(mode, query, deadline, timeout_s)
            left_s = max(1.0, deadline - time.monotonic())
            self._runner.catch_up(left_s)
            return
        require_int("step", step, low=0, high=10**9)
        wait_until(
            lambda: not self.alive or self._runner.model.step >= step,
            what=f"The queries of {self.name!r} have not all reached step {step}",
            timeout_s=timeout_s,
            cure=CURE,
        )

    def stop(self) -> None:
        """Stop all queries, and return when they have stopped; the frames stay."""
        self._runner.reader.stop()
        wait_until(
            lambda: not self.alive,
            what=f"The view of {self.name!r} has not shown its last step",
            timeout_s=STOP_S,
        )

    def _settle(self, mode: str, query: Any, deadline: float, limit_s: float) -> None:
        what = f"The query of {mode} mode has not processed all that is there"
        try:
            left_s = max(0.1, deadline - time.monotonic())
            settle(query, what=what, timeout_s=left_s)
        except NotReady as error:
            if query.isActive:
                raise NotReady(error.code, **{**error.params, "timeout_s": limit_s}) from None
        except Exception:
            if query.isActive:
                raise

    def _player(self) -> Player:
        player = super()._player()
        player.has_query = bool(self.queries)  # the button stops all of them
        return player


def compare(
    df: Any,
    name: str,
    modes: tuple[str, ...] | list[str] = MODES,
    *,
    cap: int = 12,
) -> CompareView:
    """Run one streaming DataFrame in several output modes, and show them side by side.

    Each mode gets a memory query of its own, called ``<name>_<mode>``; such queries from before
    are stopped first. All read the same input, so a frame shows what each mode made of the same
    input step. A mode that Spark refuses, at the start or later, shows the reason in plain words.

    Parameters
    ----------
    df
        A streaming DataFrame that reads files, Kafka or ``rate-micro-batch``. For Kafka set
        ``startingOffsets`` to ``earliest``, so that all queries begin at the same row.
    name
        A name for the queries: letters, digits and ``_``.
    modes
        Which of ``append``, ``update`` and ``complete``, in the order in which they are shown.
    cap
        Rows shown in each table, 1 to 100; fewer where rows are very long.

    Returns
    -------
    CompareView
        Shows itself as the last expression of a cell; ``.queries``, ``.data``, ``.frames``,
        ``.to_text(step)``, ``.wait()``, ``.stop()``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE``, or ``UNKNOWN_CHOICE``: also for a source that gives each
        query other rows, such as a socket. Then nothing was started or stopped.

    Notes
    -----
    Refresh: at most 4 times a second, 60 frames kept; a step with an extra batch counts twice.
    Threads: one, which ends with the queries.

    Examples
    --------
    >>> view = lab.compare(totals, name="totals")  # doctest: +SKIP
    >>> feed.step(3, view)  # doctest: +SKIP
    >>> print(view.to_text())  # doctest: +SKIP
    """
    wanted = _require_modes(modes)
    require_type("name", name, str, expected="text")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        bound = "letters, digits and _, and begin with no digit"
        raise InvalidArgument("OUT_OF_RANGE", name="name", value=name, bound=bound)
    require_int("cap", cap, low=1, high=100)
    require_repeatable(df)
    queries, refused = start_modes(df, name, wanted)
    try:
        reader = SideBySideReader(name, queries)
    except BaseException:
        for query in queries.values():
            with suppress(Exception):
                query.stop()
        raise
    columns = {mode: lane.batches.columns for mode, lane in reader.lanes.items()}
    is_grouped = groups_rows(df)
    lanes = tuple(
        new_lane(mode, columns.get(mode, ()), refused.get(mode), is_grouped=is_grouped)
        for mode in wanted
    )
    return CompareView(reader, Comparison(name, watermark_words(df), lanes), cap=cap)


def _require_modes(modes: Any) -> tuple[str, ...]:
    if not isinstance(modes, tuple | list):
        raise wrong_type("modes", modes, expected='a list of modes, such as ["append", "update"]')
    for mode in modes:
        require_choice("a mode", mode, MODES)
    if not modes or len(set(modes)) < len(modes):
        bound = "one to three modes, each once"
        raise InvalidArgument("OUT_OF_RANGE", name="modes", value=modes, bound=bound)
    return tuple(modes)
