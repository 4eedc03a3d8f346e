"""A drill: a few rows written out by hand, a blank line between two steps."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from labkit.errors import BadData, require_type
from labkit.events.cells import READERS, drill_columns, is_time_of_day, starts_with_date
from labkit.events.columns import Column
from labkit.events.stream import Event, EventStream

TIME = "event_time"


class Script(EventStream):
    r"""Rows as they are written down, in that order; it ends with the last one.

    Each line is one event: its event time, then a value for each column. A blank line begins the
    next step. Times are times of day on 2024-01-01 (``10:00``, ``10:00:05``), or full dates
    (``2099-01-01 00:00``, ``2024-01-01T10:00:00Z``); no zone means UTC. They need not be in order.

    Parameters
    ----------
    text
        The lines. Values with spaces stand in quotes; a bare ``null`` is null, ``"null"`` is text.
    columns
        Names and types of the values after the time, as Spark DDL: string, int, bigint, double,
        boolean, timestamp, date. Empty: rows of a time alone.

    Attributes
    ----------
    steps
        The events, one list for each step.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE`` or ``UNKNOWN_CHOICE``: the columns.
    BadData
        ``BAD_VALUE`` with line and column; ``NO_ROWS``: the text holds no line.

    Notes
    -----
    The key of an event is its first column of type string; without one (or when that is null) it
    is empty, and Kafka puts all rows into one partition.

    Examples
    --------
    >>> drill = Script("10:00 anna 5\n10:03 ben 1\n\n10:05:30 anna 4", columns="user string, n int")
    >>> [[event.value["n"] for event in step] for step in drill.steps]
    [[5, 1], [4]]
    >>> drill.schema
    'event_time timestamp, user string, n int'
    """

    name = "script"
    time = TIME

    def __init__(self, text: str, *, columns: str = "") -> None:
        require_type("text", text, str, expected="lines of text")
        self._columns = drill_columns(columns, first=Column(TIME, "timestamp"))
        self._key = next((name for name, kind in self._columns if kind == "string"), None)
        self.schema = ", ".join(map(str, self._columns))
        self._steps = tuple(self._read_steps(text))
        if not self._steps:
            raise BadData("NO_ROWS", file="The script")

    def __repr__(self) -> str:
        return f"Script({len(self._steps)} steps, columns={self.schema!r})"

    def __iter__(self) -> Iterator[Event]:
        for step in self._steps:
            yield from step

    @property
    def steps(self) -> list[list[Event]]:
        """The events, one list for each step."""
        return [list(step) for step in self._steps]

    def _read_steps(self, text: str) -> Iterator[tuple[Event, ...]]:
        step: list[Event] = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                step.append(self._read_event(line, number))
            elif step:
                yield tuple(step)
                step = []
        if step:
            yield tuple(step)

    def _read_event(self, line: str, number: int) -> Event:
        words = _split(line, number)
        value: dict[str, Any] = {}
        for column, kind in self._columns:
            word = _take(words, kind)
            value[column] = _read_cell(word, column, kind, number)
        if words:
            last = f"number {len(self._columns) + 1}"
            raise _bad(number, last, words[0], f"a column (there are {len(self._columns)})")
        return Event(value[TIME], (self._key and value[self._key]) or "", value)


def _split(line: str, number: int) -> list[str]:
    try:
        return shlex.split(line, posix=False)  # keeps the quotes: "null" in quotes is a text
    except ValueError as error:
        raise _bad(number, "?", line.strip(), f"values ({error})") from None


def _take(words: list[str], kind: str) -> str:
    """Take the first value; a date and a time of day after it are one timestamp."""
    if not words:
        return ""
    first = words.pop(0)
    if kind == "timestamp" and words and starts_with_date(first) and is_time_of_day(words[0]):
        return f"{first} {words.pop(0)}"
    return first


def _read_cell(word: str, column: str, kind: str, number: int) -> Any:
    if word == "null" and column != TIME:
        return None
    is_quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\""
    text = word[1:-1] if is_quoted else word
    if not word:
        raise _bad(number, column, "", kind)
    try:
        return READERS[kind](text)
    except (ValueError, KeyError, OverflowError):
        raise _bad(number, column, text, kind) from None


def _bad(number: int, column: str, value: str, kind: str) -> BadData:
    return BadData(
        "BAD_VALUE", file="The script", line=number, column=column, value=value, kind=kind
    )
