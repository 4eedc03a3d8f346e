"""Values as short text, the same in HTML and in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

# Longer texts are cut; the whole text is in the cell's title.
MAX_CHARS = 40
MAX_DECIMALS = 4


def column_texts(values: Sequence[Any]) -> list[str]:
    """Write the values of one column so that they can be compared by eye.

    Numbers get the same count of decimals (at most four), windows and times drop what all of
    them share, texts are kept whole.

    Examples
    --------
    >>> column_texts([1.5, 2.25, None])
    ['1.50', '2.25', 'null']
    """
    digits = max((_decimals(v) for v in values if isinstance(v, float | Decimal)), default=0)
    return [text_of(value, digits) for value in values]


def text_of(value: Any, digits: int = 2) -> str:  # noqa: PLR0911 - one line per kind of value
    """Write one value; ``digits`` is the number of decimals of a fraction."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float() | Decimal() if not math.isfinite(value):
            return str(value)
        case float() | Decimal():
            return f"{value:.{digits}f}"
        case datetime():
            return _time_text(value)
        case date():
            return value.isoformat()
        case bytes() | bytearray():
            return "0x" + bytes(value).hex()
        case tuple() if is_window(value):
            return window_text(value)
        case _:
            return str(value)


def is_window(value: Any) -> bool:
    """Whether a value is the struct that Spark's ``window()`` makes."""
    names = getattr(value, "__fields__", None)
    return names is not None and list(names) == ["start", "end"]


def window_text(window: Any) -> str:
    """Write a time window as ``10:00 – 10:05``, with the date where it spans midnight.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> start = datetime(2024, 1, 1, 10, tzinfo=UTC)
    >>> window_text((start, start + timedelta(minutes=5)))
    '10:00 – 10:05'
    """
    start, end = window
    if not (isinstance(start, datetime) and isinstance(end, datetime)):
        return f"{text_of(start)} – {text_of(end)}"
    if start.date() == end.date():
        return f"{_clock_text(start)} – {_clock_text(end)}"
    return f"{_time_text(start)} – {_time_text(end)}"


def cut(text: str) -> str:
    """Shorten a text to one line of at most :data:`MAX_CHARS` characters."""
    line = text.replace("\n", "⏎")
    return line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1] + "…"


def plural(count: int, noun: str) -> str:
    """Count things in words.

    Examples
    --------
    >>> plural(1, "row"), plural(1240, "row")
    ('1 row', '1,240 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _decimals(value: float | Decimal) -> int:
    if not math.isfinite(value):
        return 0
    text = f"{value:.{MAX_DECIMALS}f}".rstrip("0")
    return max(1, len(text) - text.index(".") - 1)


def _clock_text(time: datetime) -> str:
    return time.strftime("%H:%M" if time.second == time.microsecond == 0 else "%H:%M:%S")


def _time_text(time: datetime) -> str:
    return f"{time:%Y-%m-%d} {_clock_text(time)}"
