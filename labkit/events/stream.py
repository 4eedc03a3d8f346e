"""What an event is, and what every description of events can do.

An :class:`EventStream` is a value: it can be iterated again and again and always gives the same
events. Iteration order is the order of *arrival*; ``Event.at`` is *event time*. All times are
simulated: nothing here reads a clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from labkit.errors import require_int

# Where simulated time starts, unless a description says otherwise: a plain Monday morning.
START = datetime(2024, 1, 1, 10, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    at
        Event time, in UTC.
    key
        What the event belongs to; Kafka puts equal keys into one partition.
    value
        One entry per column of the stream's ``schema``, in that order; Python values
        (``datetime`` in UTC for timestamps, ``date`` for dates, None for null).
    """

    at: datetime
    key: str
    value: dict[str, Any]


class EventStream(ABC):
    """A repeatable description of events: what happens, and in which order it arrives."""

    #: The columns as Spark DDL text, ready for ``spark.readStream.schema(...)``.
    schema: str
    #: A short name for folders, topics and messages, such as ``orders``.
    name: str
    #: The column of ``schema`` that holds event time; None when the rows carry no time.
    time: str | None
    #: Where the stream's chance comes from; disorder takes it over unless told otherwise.
    seed: int = 7

    @abstractmethod
    def __iter__(self) -> Iterator[Event]:
        """Yield the events in order of arrival; endless unless the description has an end."""

    def take(self, count: int) -> list[Event]:
        """Return the first ``count`` events (fewer when the description ends before).

        Parameters
        ----------
        count
            0 to 10,000,000.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
        """
        return list(islice(self, require_int("count", count, low=0, high=10_000_000)))

    def late(
        self,
        share: float = 0.1,
        by_s: tuple[float, float] = (60, 600),
        *,
        seed: int | None = None,
    ) -> EventStream:
        r"""Return the same events, some of which arrive late; the others keep their order.

        A late event keeps its event time. It arrives behind the first other event that happened
        a drawn delay after it, or just before that one if there was a gap and it would become
        later than ``by_s`` allows. What is still on its way when the stream ends arrives then.

        Parameters
        ----------
        share
            Share of late events: 0 to 0.9, no unit (some must be on time).
        by_s
            Least and most delay in seconds of event time, 0 to 1e9. Daily rows need days: one day
            is 86400.
        seed
            0 to 2**63 - 1; None: the stream's own.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``, naming the argument.

        Examples
        --------
        >>> from labkit.events.script import Script
        >>> rows = Script("10:00 1\n10:01 2\n10:02 3", columns="n int")
        >>> [event.value["n"] for event in rows.late(share=0.4, by_s=(60, 60), seed=1)]
        [1, 3, 2]
        """
        from labkit.events.disorder import Late  # noqa: PLC0415 - it is built on this module

        return Late(self, share, by_s, seed)

    def duplicated(
        self, share: float = 0.02, *, within: int = 10, seed: int | None = None
    ) -> EventStream:
        r"""Return the same events, some of which arrive a second time, a little later.

        Parameters
        ----------
        share
            Share of events that arrive twice: 0 to 1, no unit.
        within
            The copy comes 1 to ``within`` arrivals after the first one: 1 to 1,000,000.
        seed
            0 to 2**63 - 1; None: the stream's own.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``, naming the argument.

        Examples
        --------
        >>> from labkit.events.script import Script
        >>> rows = Script("10:00 1\n10:01 2", columns="n int")
        >>> [event.value["n"] for event in rows.duplicated(share=1, within=1)]
        [1, 2, 1, 2]
        """
        from labkit.events.disorder import Duplicated  # noqa: PLC0415 - built on this module

        return Duplicated(self, share, within, seed)

    def paused(self, after: int = 100, for_s: float = 600) -> EventStream:
        r"""Return the same events, with a while in which nothing happens.

        Parameters
        ----------
        after
            How many events arrive before the pause: 0 to 1,000,000,000.
        for_s
            How long nothing happens, in seconds of event time: more than 0, at most 366 days. All
            that happens later happens that much later; stragglers from before keep their time.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``, naming the argument.

        Examples
        --------
        >>> from labkit.events.script import Script
        >>> rows = Script("10:00 1\n10:01 2", columns="n int")
        >>> [f"{event.at:%H:%M}" for event in rows.paused(after=1, for_s=600)]
        ['10:00', '10:11']
        """
        from labkit.events.disorder import Paused  # noqa: PLC0415 - it is built on this module

        return Paused(self, after, for_s)
