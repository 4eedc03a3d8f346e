"""What goes wrong on the way: events that arrive late, arrive twice, or stay away for a while.

Each of these wraps a stream and is a stream again. Nothing is mutated, the inner stream may be
endless, and what is chosen depends only on the seed and the event's place in the inner stream.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

from labkit.errors import require_int, require_number, wrong_type
from labkit.events.chance import HIGHEST_SEED, Randomness
from labkit.events.stream import Event, EventStream

# Some events must be on time, or there is nothing to be behind of.
HIGHEST_LATE_SHARE = 0.9
LONGEST_DELAY_S = 1e9
LONGEST_PAUSE_S = 366 * 86_400
_NEVER = datetime.min.replace(tzinfo=UTC)


class Disordered(EventStream):
    """A stream whose events are those of another one, but arrive differently."""

    #: One word for what happens.
    kind: str
    #: What this stream's chance is drawn for: name and kinds, the whole way down.
    lineage: str

    def __init__(self, source: EventStream, seed: int | None) -> None:
        self.source = source
        self.schema, self.name, self.time = source.schema, source.name, source.time
        given = source.seed if seed is None else seed
        self.seed = require_int("seed", given, low=0, high=HIGHEST_SEED)
        # So late().late() draws twice, and not the same events again.
        inner = source.lineage if isinstance(source, Disordered) else source.name
        self.lineage = f"{inner}.{self.kind}"

    @abstractmethod
    def __iter__(self) -> Iterator[Event]: ...


class _Held(NamedTuple):
    """A late event on its way: it may arrive from ``due`` on and must by ``latest``."""

    due: datetime
    place: int
    latest: datetime
    event: Event


class Late(Disordered):
    """Some events arrive later than others that happened after them; see ``EventStream.late``."""

    kind = "late"

    def __init__(
        self, source: EventStream, share: float, by_s: tuple[float, float], seed: int | None
    ) -> None:
        super().__init__(source, seed)
        self.share = require_number("share", share, low=0, high=HIGHEST_LATE_SHARE)
        self.by_s = _pair_of_seconds(by_s)

    def __repr__(self) -> str:
        return f"{self.source!r}.late(share={self.share:g}, by_s={self.by_s})"

    def __iter__(self) -> Iterator[Event]:
        randomness = Randomness(self.seed, self.lineage)
        shortest_us, longest_us = (round(bound * 1_000_000) for bound in self.by_s)
        longest = timedelta(microseconds=longest_us)
        held: list[_Held] = []
        front = _NEVER  # the newest event time that has arrived
        for index, event in enumerate(self.source):
            newest = max(front, event.at)
            chance = randomness.at(index)
            if chance.share() < self.share:
                delay = timedelta(microseconds=chance.whole(shortest_us, longest_us))
                heappush(held, _Held(newest + delay, index, newest + longest, event))
                continue
            front = newest
            yield from _around(event, held, front)
        while held:
            yield heappop(held).event


def _around(event: Event, held: list[_Held], front: datetime) -> list[Event]:
    """Return an arrival with the held events that are due: behind it, unless that is too late."""
    due = []
    while held and held[0].due <= front:
        due.append(heappop(held))
    before = [late.event for late in due if late.latest < front]
    behind = [late.event for late in due if late.latest >= front]
    return [*before, event, *behind]


class Duplicated(Disordered):
    """Some events arrive a second time; see ``EventStream.duplicated``."""

    kind = "duplicated"

    def __init__(self, source: EventStream, share: float, within: int, seed: int | None) -> None:
        super().__init__(source, seed)
        self.share = require_number("share", share, low=0, high=1)
        self.within = require_int("within", within, low=1, high=1_000_000)

    def __repr__(self) -> str:
        return f"{self.source!r}.duplicated(share={self.share:g}, within={self.within})"

    def __iter__(self) -> Iterator[Event]:
        randomness = Randomness(self.seed, self.lineage)
        copies: list[tuple[int, int, Event]] = []
        for index, event in enumerate(self.source):
            yield event
            while copies and copies[0][0] <= index:
                yield heappop(copies)[2]
            chance = randomness.at(index)
            if chance.share() < self.share:
                heappush(copies, (index + chance.whole(1, self.within), index, event))
        while copies:
            yield heappop(copies)[2]


class Paused(Disordered):
    """Nothing happens for a while; see ``EventStream.paused``."""

    kind = "paused"

    def __init__(self, source: EventStream, after: int, for_s: float) -> None:
        super().__init__(source, None)
        self.after = require_int("after", after, low=0, high=1_000_000_000)
        self.for_s = require_number(
            "for_s", for_s, low=0, high=LONGEST_PAUSE_S, low_is_allowed=False
        )

    def __repr__(self) -> str:
        return f"{self.source!r}.paused(after={self.after}, for_s={self.for_s:g})"

    def __iter__(self) -> Iterator[Event]:
        events = iter(self.source)
        front, newest = _NEVER, list[Event]()  # the newest event time, and who has it
        for event in islice(events, self.after):
            if event.at > front:
                front, newest = event.at, []
            if event.at == front:
                newest.append(event)
            yield event
        for event in events:
            # A straggler, or a copy, of something before the pause happened before the pause.
            happened_before = event.at < front or event in newest
            yield event if happened_before else self._shifted(event)

    def _shifted(self, event: Event) -> Event:
        at = event.at + timedelta(seconds=self.for_s)
        if self.time is None:
            return Event(at, event.key, event.value)
        is_moment = isinstance(event.value[self.time], datetime)
        return Event(at, event.key, {**event.value, self.time: at if is_moment else at.date()})


def _pair_of_seconds(by_s: tuple[float, float]) -> tuple[float, float]:
    if not (isinstance(by_s, tuple | list) and len(by_s) == 2):
        raise wrong_type("by_s", by_s, expected="a pair of seconds such as (60, 600)")
    shortest = require_number("by_s[0]", by_s[0], low=0, high=LONGEST_DELAY_S)
    return shortest, require_number("by_s[1]", by_s[1], low=shortest, high=LONGEST_DELAY_S)
