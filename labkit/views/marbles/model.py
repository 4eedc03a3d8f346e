"""The marbles' memory: ``fold`` a batch of two DStreams into it (``marbles.page`` draws it).

It is pure: batches come in order, the last ones are kept, and each key gets a shape when it is
first seen, on either side of the operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from unicodedata import east_asian_width

from labkit.engine.batches import MAX_BACKLOG
from labkit.engine.lane_flow import Flow
from labkit.engine.lane_rows import Rows
from labkit.engine.lanes import LaneBatch
from labkit.engine.watching import STOPPED, State
from labkit.views.cells import cut, text_of

# What Python writes of an object without a text of its own; it changes from run to run.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
# Later keys share the shapes anyway.
MAX_KEYS = 500
# Of one value where several stand in a line.
TEXT_WIDTH = 16


@dataclass(frozen=True)
class Marbles:
    """Two DStreams as far as the batches have told.

    Parameters
    ----------
    op
        The operator between the two, as the learner wrote it; empty when not given.
    names
        The learner's names of the two DStreams; empty when not given.
    flow
        Which batches go into a batch.
    batches
        The last batches, oldest first.
    keys
        The number of each key, in the order in which keys were first seen.
    ended
        Whether the context was stopped, so that no batch follows.
    """

    op: str
    names: tuple[str, str]
    flow: Flow
    batches: tuple[LaneBatch, ...] = ()
    keys: dict[str, int] = field(default_factory=dict)
    ended: bool = False

    def takes(self, batch: LaneBatch) -> list[int]:
        """Return the numbers of the batches that a batch of the result is made of."""
        flow = self.flow
        back = max(1, (flow.window_ms or 0) // flow.batch_ms)
        every = flow.given_every_ms // flow.batch_ms
        first = max(1, batch.number - back + 1)
        return [n for n in range(first, batch.number + 1) if n % every == 0]


def fold(marbles: Marbles, batch: LaneBatch) -> Marbles:
    """Return the marbles after one more batch.

    Parameters
    ----------
    marbles
        What is known so far.
    batch
        Both sides of the operator.
    """
    keys = dict(marbles.keys)
    for lane in (batch.given, batch.made):
        for row in lane.rows if lane else ():
            if len(keys) < MAX_KEYS:
                keys.setdefault(key_text(row), len(keys))
    return replace(marbles, batches=(*marbles.batches, batch)[-MAX_BACKLOG:], keys=keys)


def note(marbles: Marbles, state: State) -> Marbles:
    """Return the marbles with how their context stands.

    Parameters
    ----------
    marbles
        What is known so far.
    state
        The context's state.
    """
    return replace(marbles, ended=state.code == STOPPED)


def is_pair(row: Any) -> bool:
    """Whether a row has a key and a value."""
    return type(row) is tuple and len(row) == 2


def key_text(row: Any) -> str:
    """Return what gives a row its shape: its key, or all of it."""
    return value_text(row[0] if is_pair(row) else row)


def row_text(row: Any) -> str:
    """Write a row as a marble shows it.

    Examples
    --------
    >>> row_text("a"), row_text(("a", 3)), row_text(("a", (1, None)))
    ('a', 'a:3', 'a:(1 null)')
    """
    if is_pair(row):
        return cut(f"{value_text(row[0])}:{value_text(row[1])}")
    return cut(value_text(row))


def width_of(text: str) -> int:
    """Return how many columns a text takes; a wide sign such as 雨 takes two.

    Examples
    --------
    >>> width_of("rain"), width_of("雨")
    (4, 2)
    """
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def shorten(text: str, width: int) -> str:
    """Cut a text to so many columns.

    Examples
    --------
    >>> shorten("streaming", 9), shorten("streaming", 6), shorten("雨雨雨", 4)
    ('streaming', 'strea…', '雨…')
    """
    if width_of(text) <= width:
        return text
    kept = text[:width]
    while width_of(kept) >= width:
        kept = kept[:-1]
    return kept + "…"


def value_text(value: Any) -> str:
    """Write a value; what a group or a join gives is written out, in brackets."""
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, dict):
        inner = " ".join(f"{value_text(k)}:{value_text(v)}" for k, v in value.items())
        return f"{{{inner}}}"
    if isinstance(value, set | frozenset):
        return f"({' '.join(sorted(map(value_text, value)))})"
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return f"({' '.join(map(value_text, value))})"
    return _ADDRESS.sub("", text_of(value))


def lane_text(lane: Rows | None) -> str:
    """Write one batch of one DStream: the form in which marbles are tested.

    Examples
    --------
    >>> lane_text(Rows(("a", "b"), 2)), lane_text(Rows((("a", 1), ("b", 1)), 11)), lane_text(Rows())
    ('(a b)', 'a:1 b:1 …+9', ' ∅ ')
    """
    if lane is None:
        return ""
    if lane.failure:
        return "#"
    if not lane.count:
        return " ∅ "
    text = values_text(lane)
    return text if all(map(is_pair, lane.rows)) else f"({text})"


def values_text(lane: Rows, width: int = TEXT_WIDTH) -> str:
    """Write the rows of one batch, and how many more there are; each cut to a width."""
    texts = [_quoted(shorten(row_text(row), width)) for row in lane.rows]
    more = [f"…+{lane.count - len(texts)}"] if lane.count > len(texts) else []
    return " ".join(texts + more)


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text and not text.endswith((")", "}")) else text
