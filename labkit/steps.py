"""Who must have seen the last step before the next one may come.

In complete mode Spark keeps only its newest result. A learner who steps a feed in a loop would
overwrite a batch before its view has read it, so a feed asks here before each step. Feeds and
views meet only in this list; neither knows the other.
"""

from __future__ import annotations

from collections.abc import Callable

_watchers: list[Callable[[], None]] = []


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
