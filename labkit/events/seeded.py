"""The base of every invented kind of event: one event from an index and its draws.

A new kind is one file: subclass :class:`SeededStream`, name the columns, and write ``event``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from labkit.errors import InvalidArgument, require_int, require_number, require_type
from labkit.events.chance import HIGHEST_SEED, Chance, Randomness
from labkit.events.stream import START, Event, EventStream

#: First names for whoever acts; orders and clicks share them, so that they can be joined.
PEOPLE = ("anna", "ben", "chloe", "dana", "emil", "fay", "gus", "hana", "ivan", "jo", "kim", "lou")


class SeededStream(EventStream):
    """An endless stream in which event number ``index`` depends on ``(seed, index)`` alone.

    Event ``index`` happens at a random instant of its own slice of event time, which is
    ``every_s`` long: steps are irregular (0 to twice ``every_s``), their mean is ``every_s``, and
    event time never goes back.

    Parameters
    ----------
    seed
        0 to 2**63 - 1. Equal seeds give equal events, another seed gives others.
    every_s
        Mean step between two events in seconds of event time: 0.001 to 3600. Event times are whole
        seconds when it is 1 or more, else whole milliseconds.
    start
        Where event time starts; read as UTC when it has no time zone. Years 1900 to 2200.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``, naming the argument.
    """

    def __init__(self, *, seed: int = 7, every_s: float = 5, start: datetime = START) -> None:
        self.seed = require_int("seed", seed, low=0, high=HIGHEST_SEED)
        self.every_s = require_number("every_s", every_s, low=0.001, high=3600)
        self.start = require_start(start)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(seed={self.seed}, every_s={self.every_s:g})"

    @abstractmethod
    def event(self, index: int, at: datetime, chance: Chance) -> Event:
        """Return event number ``index`` (from 0), which happens at ``at``.

        ``chance`` holds the draws that belong to this index; everything random comes from it.
        """

    def __iter__(self) -> Iterator[Event]:
        randomness = Randomness(self.seed, self.name)
        start, event = self.start, self.event
        slice_us = round(self.every_s * 1_000_000)
        unit_us = 1_000_000 if self.every_s >= 1 else 1_000
        for index in count():
            chance = randomness.at(index)
            offset_us = index * slice_us + chance.whole(0, slice_us - 1)
            at = start + timedelta(0, 0, offset_us - offset_us % unit_us)
            yield event(index, at, chance)


def require_start(value: datetime) -> datetime:
    """Return ``value`` in UTC if it is a date with time in the years 1900 to 2200.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    """
    require_type("start", value, datetime, expected="a datetime")
    if not 1900 <= value.year <= 2200:
        raise InvalidArgument("OUT_OF_RANGE", name="start", value=value, bound="in 1900 to 2200")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
