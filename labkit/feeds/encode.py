"""Events as text and as file contents that Spark reads back as equal values.

Text is UTF-8. Timestamps are ISO 8601 with a ``Z``, so they mean the same in every session time
zone (those of ORC have none: they are in UTC, as is a session of ``lab.spark()``). What is written
can be read with ``orders.schema`` and Spark's default options; a CSV file has a header line
(``option("header", True)``). Two things CSV cannot say there: an empty text comes back as null,
and a text with a line break wants ``option("multiLine", True)``.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from labkit.errors import wrong_type
from labkit.events.columns import read_columns
from labkit.events.stream import Event

#: File formats, each also the ending of its files (text: ``.txt``).
FORMATS = ("text", "csv", "json", "parquet", "orc")

TextOf = Callable[[Event], str]
ContentOf = Callable[[Sequence[Event]], bytes]

_LINE_BREAKS = re.compile(r"[\r\n]")
_BREAK_MARKS = {"\r": r"\r", "\n": r"\n"}
# What Spark's CSV reader would take for something else than the text itself.
_CSV_SPECIAL = re.compile(r'[,"\\\r\n]|^\s|\s$')


def iso_text(at: datetime) -> str:
    """Return a time as ISO 8601, with ``Z`` when it has a time zone.

    Examples
    --------
    >>> from labkit.events.stream import START
    >>> iso_text(START)
    '2024-01-01T10:00:00Z'
    """
    if at.tzinfo is None:
        return at.isoformat()  # a timestamp_ntz column: a wall clock without a place
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat()[:-6] + "Z"


def _plain(value: Any) -> Any:
    """Return what JSON can hold for a value that it cannot hold itself."""
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return str(value)
    expected = "text, a number, a time, a date, a list, a dict or None"
    raise wrong_type("a value of an event", value, expected=expected)


# One encoder for all events: building it costs more than using it.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def json_text(event: Event) -> str:
    """Return an event's value as one JSON object on one line.

    Examples
    --------
    >>> from labkit.events.stream import START
    >>> json_text(Event(START, "k", {"event_time": START, "amount": 1.5}))
    '{"event_time":"2024-01-01T10:00:00Z","amount":1.5}'
    """
    return _encode(event.value)


def line_text(schema: str) -> TextOf:
    r"""Return the function that writes an event as one line of text.

    Parameters
    ----------
    schema
        With exactly one column, of type string, a line is that text (a line break in it becomes
        the two letters ``\n``, a null an empty line); otherwise it is one JSON object.

    Examples
    --------
    >>> from labkit.events.stream import START
    >>> line_text("value string")(Event(START, "k", {"value": "to be or not"}))
    'to be or not'
    """
    columns = read_columns(schema)
    if len(columns) != 1 or columns[0].kind != "string":
        return json_text
    name = columns[0].name

    def text(event: Event) -> str:
        return _LINE_BREAKS.sub(lambda found: _BREAK_MARKS[found[0]], event.value[name] or "")

    return text


def file_content(format: str, schema: str) -> ContentOf:  # noqa: A002 (Spark's word for it)
    """Return the function that writes events as the content of one file.

    Parameters
    ----------
    format
        One of :data:`FORMATS`.
    schema
        The events' columns as Spark DDL text.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``: Parquet and ORC cannot hold a column of that type here.
    """
    if format == "csv":
        return _csv_content(schema)
    if format in {"parquet", "orc"}:
        from labkit.feeds.arrow import arrow_content  # noqa: PLC0415 (costs 0.2 s, text needs none)

        return arrow_content(format, schema)
    text_of = json_text if format == "json" else line_text(schema)
    return lambda events: "".join(f"{text_of(event)}\n" for event in events).encode()


def _csv_content(schema: str) -> ContentOf:
    names = [column.name for column in read_columns(schema)]
    header = ",".join(map(_csv_cell, names))

    def content(events: Sequence[Event]) -> bytes:
        rows = (",".join(_csv_cell(event.value[name]) for name in names) for event in events)
        return "".join(f"{line}\n" for line in (header, *rows)).encode()

    return content


def _csv_cell(value: Any) -> str:
    """Write one value so that Spark's CSV reader, with its own defaults, gives it back.

    Spark escapes a quote with a backslash (Python's csv module doubles it), and reads an empty
    cell as null.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"' if _CSV_SPECIAL.search(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if isinstance(value, int | float):
        return "NaN" if value != value else repr(value)  # noqa: PLR0124 (true for NaN alone)
    return _csv_cell(_plain(value))
