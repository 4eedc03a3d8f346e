"""The columns of a drill, and its cells read by their types."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from labkit.errors import InvalidArgument, require_choice, require_type
from labkit.events.columns import Column, read_columns
from labkit.events.stream import START

INT_MOST = 2**31 - 1
BIGINT_MOST = 2**63 - 1
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SPELLINGS = {"integer": "int", "long": "bigint"}


def drill_columns(ddl: str, *, first: Column) -> tuple[Column, ...]:
    """Return the columns of a drill: a first one, and those of a DDL text.

    Parameters
    ----------
    ddl
        Such as ``amount int, user string``; empty: no more columns.
    first
        The column that is there by itself.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE`` (not a list of columns, or a name twice), or
        ``UNKNOWN_CHOICE`` (a type that is not one of :data:`READERS`).

    Examples
    --------
    >>> for column in drill_columns("amount int, n long", first=Column("at", "timestamp")):
    ...     print(column)
    at timestamp
    amount int
    n bigint
    """
    require_type("columns", ddl, str, expected="DDL text")
    given = read_columns(ddl, argument="columns") if ddl.strip() else ()
    columns = [first]
    for name, kind in given:
        if name.lower() in {column.name.lower() for column in columns}:
            bound = f"without a second {name} ({first.name} is there by itself)"
            raise InvalidArgument("OUT_OF_RANGE", name="columns", value=ddl, bound=bound)
        known = require_choice(f"type of {name}", _SPELLINGS.get(kind, kind), tuple(READERS))
        columns.append(Column(name, known))
    return tuple(columns)


def read_moment(text: str) -> datetime:
    """Return the UTC time of ``10:00``, ``10:00:05`` or a full date with or without time.

    A time of day means the day on which event time starts, 2024-01-01; a full date without a zone
    is UTC.

    Raises
    ------
    ValueError
        ``text`` is neither.
    """
    if _TIME_OF_DAY.fullmatch(text):
        text = f"{START:%Y-%m-%d} {text.zfill(len(text) + (text[1] == ':'))}"
    if not _DATE.match(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def starts_with_date(text: str) -> bool:
    """Tell whether ``text`` is a date that a time of day may follow."""
    return _DATE.fullmatch(text) is not None


def is_time_of_day(text: str) -> bool:
    """Tell whether ``text`` looks like ``10:00`` or ``10:00:05``."""
    return _TIME_OF_DAY.fullmatch(text) is not None


def _whole(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not -most - 1 <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return read


def _double(text: str) -> float:
    if "_" in text:  # Python allows 1_000, data does not
        raise ValueError(text)
    return float(text)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


#: Spark type → how a cell's text becomes a Python value (ValueError or KeyError: it does not).
READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int": _whole(INT_MOST),
    "bigint": _whole(BIGINT_MOST),
    "double": _double,
    "boolean": _boolean,
    "timestamp": read_moment,
    "date": _date,
}
