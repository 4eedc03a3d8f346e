"""What a feed takes its steps from: events or files, in order, each given out once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, islice
from typing import Any, Generic, TypeVar

from labkit.events.stream import Event, EventStream

Item = TypeVar("Item")


class Supply(Generic[Item]):
    """Items in order, cut into steps.

    Parameters
    ----------
    items
        Everything there is, perhaps without an end.
    step_end
        Where the step ends that begins at a position; the position itself: nothing is left.

    Examples
    --------
    >>> supply = Supply("abcde", step_end=lambda begin: begin + 2)
    >>> supply.step(), supply.take(1), supply.step(), supply.step()
    (['a', 'b'], ['c'], ['d', 'e'], [])
    """

    def __init__(self, items: Iterable[Item], *, step_end: Callable[[int], int]) -> None:
        self._items = iter(items)
        self._step_end = step_end
        self._taken = 0

    def step(self) -> list[Item]:
        """Return the next step; empty when nothing is left."""
        return self.take(self._step_end(self._taken) - self._taken)

    def take(self, count: int) -> list[Item]:
        """Return the next ``count`` items, or as many as are left."""
        taken = list(islice(self._items, count))
        self._taken += len(taken)
        return taken


def in_batches(items: Iterable[Item], size: int) -> Supply[Item]:
    """Return a supply whose steps have ``size`` items."""
    return Supply(items, step_end=lambda begin: begin + size)


def event_supply(events: EventStream, *, batch: int) -> Supply[Event]:
    """Return a supply of events: a script's own steps, or ``batch`` events at a time."""
    steps: Any = getattr(events, "steps", None)
    if steps is None:
        return in_batches(events, batch)
    ends = list(accumulate(len(step) for step in steps))

    def end_of_block(begin: int) -> int:
        block = bisect_right(ends, begin)
        return ends[block] if block < len(ends) else begin

    return Supply((event for step in steps for event in step), step_end=end_of_block)
