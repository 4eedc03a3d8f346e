"""A feed: events (or files), a target, and a pace.

    lab.feed(orders, to=lab.folder("orders"))      events, made up or read from a description
    lab.drip(lab.data("stocks/*.csv"), to=…)       files that exist, unchanged

Both give a :class:`Feed`, which goes by steps or at a rate.
"""

from __future__ import annotations

from typing import Any

from labkit.errors import InvalidArgument, require_int, require_type, wrong_type
from labkit.events.columns import read_columns
from labkit.events.stream import EventStream
from labkit.feeds.delivery import Feed
from labkit.feeds.files import Files, find_files
from labkit.feeds.folder import FolderTarget
from labkit.feeds.registry import register, stop_all_feeds, stop_feed
from labkit.feeds.supply import event_supply, in_batches
from labkit.feeds.target import Target

__all__ = ["Feed", "drip", "feed", "stop_all_feeds", "stop_feed"]


def feed(
    events: EventStream,
    *,
    to: Target,
    batch: int = 10,
    key: str | None = None,
    name: str | None = None,
) -> Feed:
    """Connect a description of events with a place; nothing is sent before the first step.

    Parameters
    ----------
    events
        What happens: ``lab.Orders(seed=7)``, a script, …
    to
        Where: ``lab.folder(...)``, ``lab.socket()``, ``kafka.topic(...)``.
    batch
        Events in one step, 1 to 1,000,000; a script has its own steps. Rates do not use it.
    key
        The column whose values become the keys of Kafka records; None: each event's own key.
    name
        For ``lab.stop(name)``; None: the folder's or topic's name, or that of the events. A feed
        takes the place of the older one with the same name, which is stopped.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE``, or ``UNKNOWN_CHOICE`` for a key that is no column.

    Examples
    --------
    >>> import labkit as lab
    >>> with lab.feed(lab.Orders(seed=7), to=lab.folder("orders"), batch=5) as orders:
    ...     orders.step(2)
    10
    """
    require_type("events", events, EventStream, expected="events such as lab.Orders(seed=7)")
    _require_target(to)
    require_int("batch", batch, low=1, high=1_000_000)
    if key is not None:
        _require_key(events, to, key)
    feed_name = _feed_name(name, to.name or events.name)
    supply = event_supply(events, batch=batch)
    return register(Feed(feed_name, supply, to, to.run(events, key=key)))


def drip(files: Files, *, to: FolderTarget, name: str | None = None) -> Feed:
    """Connect existing files with a folder: each step copies one, unchanged, byte for byte.

    Parameters
    ----------
    files
        A file, a folder or a path with wildcards (in the order of the files' names), or a list
        (in its own order).
    to
        A folder made by ``lab.folder(...)``; the format named there plays no part.
    name
        As for :func:`feed`; None: the folder's name.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``.
    NotFound
        ``NOT_FOUND``: no file is there.

    Examples
    --------
    >>> import labkit as lab
    >>> stocks = lab.drip(lab.data("stocks/*.csv"), to=lab.folder("stocks"))
    >>> stocks.step()
    1
    """
    found = find_files(files)
    require_type("to", to, FolderTarget, expected="a folder made by lab.folder(...)")
    feed_name = _feed_name(name, to.name)
    return register(Feed(feed_name, in_batches(found, 1), to, to.copies()))


def _require_target(to: Any) -> None:
    if not callable(getattr(to, "run", None)):
        raise wrong_type("to", to, expected="lab.folder(...), lab.socket(), kafka.topic(...)")


def _require_key(events: EventStream, to: Target, key: str) -> None:
    names = [column.name for column in read_columns(events.schema)]
    if key not in names:
        raise InvalidArgument("UNKNOWN_CHOICE", name="key", value=key, choices=", ".join(names))
    if to.kind != "topic":
        raise InvalidArgument(
            "WRONG_TYPE",
            name="to",
            value=to,
            found=to.kind,
            expected="a topic when key= is given: only Kafka's records have keys",
        )


def _feed_name(name: Any, default: str) -> str:
    if name is None:
        return default
    require_type("name", name, str, expected="text")
    if not name:
        raise InvalidArgument("OUT_OF_RANGE", name="name", value=name, bound="some text")
    return str(name)
