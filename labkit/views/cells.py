"""Values as short text, the same in HTML and in a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

# Longer texts are cut; the whole text is in the cell's title.
MAX_CHARS = 40
MAX_DECIMALS = 4
# Of binary values and lists the start is written; more never fits a cell's title.
MAX_BYTES = 1000
MAX_PARTS = 100

# What would break a line, end a message, drive a terminal or turn the order of what follows.
_UNSEEN: dict[int, int | str] = {code: 0x2400 + code for code in range(32)}
_UNSEEN |= dict.fromkeys([0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F)], 0xFFFD)
_UNSEEN |= dict.fromkeys([*range(0x2066, 0x206A), *range(0xD800, 0xE000), 0x2028, 0x2029], 0xFFFD)
_UNSEEN |= {ord("\n"): "⏎"}
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")


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
            return f"0x{value[:MAX_BYTES].hex()}{'…' if len(value) > MAX_BYTES else ''}"
        case tuple() if is_window(value):
            return window_text(value)
        case tuple() | list() | dict():
            return _nested_text(value, digits)
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
    line = visible(text[: MAX_CHARS + 1])
    return line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1] + "…"


def visible(text: str) -> str:
    r"""Show control characters as signs, so that no value can break the line that it stands in.

    Examples
    --------
    >>> visible("a\x1b[1m")
    'a␛[1m'
    """
    return text.translate(_UNSEEN)


def is_right_to_left(text: str) -> bool:
    """Whether a text has letters that run from right to left."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def plural(count: int, noun: str) -> str:
    """Count things in words.

    Examples
    --------
    >>> plural(1, "row"), plural(1240, "row")
    ('1 row', '1,240 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _nested_text(value: Any, digits: int) -> str:
    """Write a struct as ``{a: 1}``, a map likewise, a list as ``[1, 2]``, of whatever depth."""
    names = getattr(value, "__fields__", None)
    if isinstance(value, dict) or names is not None:
        pairs = value.items() if isinstance(value, dict) else zip(names or (), value, strict=False)
        parts = [f"{text_of(k)}: {text_of(v, digits)}" for k, v in islice(pairs, MAX_PARTS)]
        return f"{{{_joined(parts, len(value))}}}"
    return f"[{_joined([text_of(v, digits) for v in value[:MAX_PARTS]], len(value))}]"


def _joined(parts: list[str], count: int) -> str:
    return ", ".join([*parts, "…"] if count > len(parts) else parts)


def _decimals(value: float | Decimal) -> int:
    if not math.isfinite(value):
        return 0
    text = f"{value:.{MAX_DECIMALS}f}".rstrip("0")
    return max(1, len(text) - text.index(".") - 1)


def _clock_text(time: datetime) -> str:
    return time.strftime("%H:%M" if time.second == time.microsecond == 0 else "%H:%M:%S")


def _time_text(time: datetime) -> str:
    return f"{time:%Y-%m-%d} {_clock_text(time)}"
