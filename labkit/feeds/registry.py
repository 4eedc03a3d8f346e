"""The feeds of this kernel by name: one feed a name, and nothing left of the older one."""

from __future__ import annotations

import threading
from typing import Protocol, TypeVar

from labkit.feeds.target import Target


class Closable(Protocol):
    """The part of a feed that is needed here."""

    name: str
    target: Target

    @property
    def is_closed(self) -> bool:
        """True once it can deliver nothing more."""

    def close(self, *, because: str = ..., keep_target: bool = ...) -> None:
        """Stop for good."""


AnyFeed = TypeVar("AnyFeed", bound=Closable)

_feeds: dict[str, Closable] = {}
_lock = threading.Lock()


def register(new: AnyFeed) -> AnyFeed:
    """Give a new feed its name, and close the older feed that had it."""
    with _lock:
        older = _feeds.get(new.name)
        _feeds[new.name] = new
    if older is not None:
        because = "A newer feed has the same name and took its place."
        older.close(because=because, keep_target=older.target is new.target)
    return new


def stop_feed(name: str) -> bool:
    """Close the feed of that name; say whether there was one.

    Examples
    --------
    >>> stop_feed("no such feed")
    False
    """
    with _lock:
        found = _feeds.pop(name, None)
    if found is None or found.is_closed:
        return False
    found.close()
    return True


def stop_all_feeds() -> None:
    """Close every feed of this kernel; safe to call twice.

    Examples
    --------
    >>> stop_all_feeds()
    """
    for name in list(_feeds):
        stop_feed(name)


def close_feeds_into(place: str) -> None:
    """Close the feeds that write to a place which is about to be emptied.

    Parameters
    ----------
    place
        As ``Target.place``.

    Examples
    --------
    >>> close_feeds_into("/nobody/writes/here")
    """
    for feed in list(_feeds.values()):
        if feed.target.place == place:
            feed.close(because="Its place was made anew and emptied.")
