"""What a feed needs of the place it writes to: a folder, a socket, a topic, or one of your own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from labkit.events.stream import Event, EventStream

Item_contra = TypeVar("Item_contra", contravariant=True)


class Run(Protocol[Item_contra]):
    """One feed's writing to one target, from its first event to its last.

    A target can be fed again and again, by the same cell run twice or by two feeds at once; each
    feed has a run of its own, so file names and event numbers never clash.
    """

    def ready(self, timeout_s: float) -> bool:
        """Say whether anybody can receive now; wait for that at most ``timeout_s`` (real clock)."""

    def write(self, items: Sequence[Item_contra], *, timeout_s: float) -> None:
        """Deliver one step, all of it, and return when it has arrived.

        The same items are given again after an error: a target that may have delivered a part
        of them must leave that part out then.
        """

    def arrival(self, query: Any) -> Callable[[], bool]:
        """Return a test whether ``query`` can see what was written since this call."""


class StoredRun:
    """The part of a :class:`Run` that is the same wherever data stays until somebody reads it."""

    def ready(self, timeout_s: float) -> bool:
        """Return True: nobody has to be there."""
        del timeout_s
        return True

    def arrival(self, query: Any) -> Callable[[], bool]:
        """Return a test that is always true: Spark looks for itself what is there."""
        del query
        return lambda: True


class Target(Protocol):
    """A place that events can be delivered to.

    A new kind of target is one new file with such a class; ``lab.feed(..., to=it)`` needs no more.
    """

    #: A word for messages: ``folder``, ``socket``, ``topic``.
    kind: str

    @property
    def name(self) -> str | None:
        """The default name of a feed that writes here; None: the name of its events."""

    @property
    def place(self) -> str:
        """Where it is: two targets with the same place write to the same files or records."""

    def run(self, events: EventStream, *, key: str | None = None) -> Run[Event]:
        """Begin a run for these events, or say why they do not fit; nothing is written yet."""

    def close(self) -> None:
        """Give back ports, connections and threads; safe to call twice."""
