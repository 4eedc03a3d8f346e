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
