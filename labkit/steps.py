"""What a step of a feed owes to those who look at it.

Two agreements, kept here because feeds know no Spark and views know no feeds:

- *Watchers* have seen the last step before the next one comes. In complete mode Spark keeps only
  its newest result, so a learner who steps in a loop would overwrite a batch before its view has
  read it.
- A *gate* holds a query back while a step is on its way, so that one step is one micro-batch:
  without it Spark could take the first lines of a step before the last ones are there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Expect = Callable[[int], None]
Gate = Callable[[Any], AbstractContextManager[Expect]]

_watchers: list[Callable[[], None]] = []
_gates: list[Gate] = []


def watch(catch_up: Callable[[], None]) -> None:
    """Have ``catch_up`` called before each step of any feed, until :func:`unwatch`."""
    _watchers.append(catch_up)


def unwatch(catch_up: Callable[[], None]) -> None:
    """Take ``catch_up`` off the list; nothing happens when it is not on it."""
    if catch_up in _watchers:
        _watchers.remove(catch_up)


def before_step() -> None:
    """Let everybody who watches catch up; a feed calls this before it delivers a step."""
    for catch_up in tuple(_watchers):  # a view that ends takes itself off meanwhile
        catch_up()


def use_gate(gate: Gate) -> None:
    """Hold queries with ``gate`` from now on; the room that knows Spark sets it."""
    _gates[:] = [gate]


def held(query: Any) -> AbstractContextManager[Expect]:
    """Hold ``query`` back for the time of a ``with`` block, if there is a gate.

    Parameters
    ----------
    query
        A running query, or None: then nothing is held.

    Returns
    -------
    AbstractContextManager
        Gives a function that takes the number of rows which the block has sent.

    Examples
    --------
    >>> with held(None) as expect:
    ...     expect(3)
    """
    if query is None or not _gates:
        return nullcontext(_expect_nothing)
    return _gates[0](query)


def _expect_nothing(rows: int) -> None:
    pass
