"""The memory of ``lab.compare``: ``fold`` an input step into the tables (``compare.page`` draws).

It is pure, and it uses the live table's own ``fold`` for each mode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from labkit.engine.batches import MAX_BACKLOG, MAX_ROWS, Batch, Column
from labkit.engine.refusal import Refusal
from labkit.engine.side_by_side import Step
from labkit.views.cells import is_window
from labkit.views.table import model as table
from labkit.views.table.model import Row, Table, guess_key, in_order, row_key


@dataclass(frozen=True)
class Sent:
    """How many rows a mode has sent in one step."""

    step: int
    first: int
    rows: int


@dataclass(frozen=True)
class Lane:
    """One output mode.

    Parameters
    ----------
    mode
        ``append``, ``update`` or ``complete``.
    table
        Its result so far.
    order
        Positions of the columns by which its rows are put in order; None: as they came.
    batch
        What it sent in the current step; None when it took no part.
    history
        How many rows it sent in each step, the last 60.
    sent_rows
        How many rows it sent in all.
    closed
        How many rows of windows that are over the result has.
    refusal
        Why it does not run.
    ended
        Whether its query does not run any more.
    """

    mode: str
    table: Table
    order: tuple[int, ...] | None = None
    batch: Batch | None = None
    history: tuple[Sent, ...] = ()
    sent_rows: int = 0
    closed: int = 0
    refusal: Refusal | None = None
    ended: bool = False

    @property
    def rows(self) -> dict[str, Row]:
        """The rows of the result so far that are kept, in the order in which they are shown."""
        if self.table.key is None:
            return self.table.rows
        # A window that is over has left the state, but not the result.
        return in_order({**self.table.closed, **self.table.rows}, self.table.key)

    @property
    def total(self) -> int:
        """How many rows the result so far has, also those that are not kept."""
        return self.table.total + self.closed


@dataclass(frozen=True)
class Comparison:
    """What the view knows: the lanes before and after the current step.

    Parameters
    ----------
    name
        What is compared.
    facts
        What the plan tells, such as its watermark.
    lanes
        The modes, in the order asked for.
    step, first
        The current input step; -1 before the first one.
    read_rows
        For each mode, the input rows since its start.
    """

    name: str
    facts: str
    lanes: tuple[Lane, ...]
    step: int = -1
    first: int = -1
    read_rows: tuple[tuple[str, int], ...] = ()
    before: Comparison | None = None

    @property
    def input_rows(self) -> int:
        """The input rows of the current step."""
        earlier = max((rows for _, rows in self.before.read_rows), default=0) if self.before else 0
        return max((rows for _, rows in self.read_rows), default=0) - earlier

    @property
    def running(self) -> tuple[Lane, ...]:
        """The modes that Spark runs, or ran until somebody stopped them."""
        return tuple(lane for lane in self.lanes if lane.refusal is None)


def new_lane(
    mode: str, columns: tuple[Column, ...], refusal: Refusal | None, *, is_grouped: bool
) -> Lane:
    """Return a mode before its first step.

    Parameters
    ----------
    mode
        The output mode.
    columns
        The columns of its result; empty when it does not run.
    refusal
        Why it does not run.
    is_grouped
        Whether the query groups its rows.
    """
    order = _key_places(columns) if is_grouped else None
    # Append sends each row once; without groups, so does update.
    key = None if mode == "append" else order
    return Lane(mode, Table(mode, columns, key), order, refusal=refusal)


def _key_places(columns: tuple[Column, ...]) -> tuple[int, ...]:
    """Choose the key; where the plan does not tell all of it, what is no number."""
    known = all(column.grouping is not None for column in columns)
    unknown = tuple(replace(column, grouping=None) for column in columns)
    return guess_key(columns if known else unknown)


def fold(model: Comparison, item: Step) -> Comparison:
    """Return the comparison after one more step, or after more of the same step.

    Parameters
    ----------
    model
        The comparison so far.
    item
        What each mode made of the step.
    """
    is_more = model.before is not None and item.step == model.step
    before = model.before if is_more and model.before else replace(model, before=None)
    return Comparison(
        name=model.name,
        facts=model.facts,
        lanes=tuple(_fold_lane(lane, item) for lane in before.lanes),
        step=item.step,
        first=item.first,
        read_rows=tuple(item.read_rows.items()),
        before=before,
    )


def _fold_lane(lane: Lane, item: Step) -> Lane:
    batch = item.batches.get(lane.mode)
    refusal = item.refused.get(lane.mode, lane.refusal)
    lane = replace(lane, refusal=refusal, ended=lane.mode in item.ended)
    if batch is None:
        return replace(lane, batch=None, table=replace(lane.table, before={}, removed={}, final=()))
    batch = replace(batch, rows=_sorted(batch.rows, lane.order))
    now = table.fold(lane.table, batch)
    closed = dict(list(now.closed.items())[-MAX_ROWS:])
    sent = Sent(item.step, item.first, batch.sent_rows)
    return replace(
        lane,
        batch=batch,
        table=replace(now, closed=closed),
        history=(*lane.history, sent)[-MAX_BACKLOG:],
        sent_rows=lane.sent_rows + batch.sent_rows,
        closed=lane.closed + (len(now.removed) if batch.mode == "update" else 0),
    )


def _sorted(rows: tuple[Row, ...], order: tuple[int, ...] | None) -> tuple[Row, ...]:
    """Put rows in the order of their key; Spark's own order changes from run to run."""
    if order is None:
        return rows
    named = {f"{row_key(row, order)}\x1f{place}": row for place, row in enumerate(rows)}
    return tuple(in_order(named, order).values())


def windows_of(lane: Lane) -> list[Any]:
    """Return the time windows in the result of a mode, each once, oldest first."""
    rows = list(lane.rows.values())
    places = [i for i, column in enumerate(lane.table.columns) if column.is_window]
    found = {tuple(row[i]): row[i] for row in rows for i in places if is_window(row[i])}
    return [found[window] for window in sorted(found)]
