"""Rows of Spark as values of Python."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

TIMES = {"timestamp", "timestamp_ntz", "date"}


def rows_of(frame: Any, zone: tzinfo) -> tuple[tuple[Any, ...], ...]:
    """Bring the rows of a DataFrame to Python.

    Parameters
    ----------
    frame
        A DataFrame that is no stream.
    zone
        What timestamps are told in. Python has no year after 9999, and Spark has: milliseconds
        that are taken for seconds lie there. Where there is such a time, all times come as text.
    """
    types = [field.dataType for field in frame.schema.fields]
    try:
        rows = frame.collect()
    except (ValueError, OverflowError):
        rows = _with_texts(frame).collect()
    return tuple(
        tuple(_plain(value, kind, zone) for value, kind in zip(row, types, strict=True))
        for row in rows
    )


def _with_texts(frame: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: PLC0415 - only when there is a query

    fields = frame.schema.fields
    plain = frame.toDF(*(f"c{place}" for place in range(len(fields))))  # two may have one name
    texts = (_text(F.col(f"c{place}"), field.dataType) for place, field in enumerate(fields))
    return plain.select(*(text.alias(f"c{place}") for place, text in enumerate(texts)))


def _text(column: Any, kind: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: PLC0415 - only when there is a query

    if kind.typeName() in TIMES:
        return column.cast("string")
    if kind.typeName() == "struct":
        parts = (_text(column[f.name], f.dataType).alias(f.name) for f in kind.fields)
        return F.when(column.isNotNull(), F.struct(*parts))
    return column.cast("string") if _has_time(kind) else column


def _has_time(kind: Any) -> bool:
    return any(name in kind.simpleString() for name in TIMES)


def _plain(value: Any, kind: Any, zone: tzinfo) -> Any:
    """Give timestamps their zone; PySpark hands them over as naive local time of this machine."""
    name = kind.typeName()
    if value is None:
        return None
    if name == "timestamp" and isinstance(value, datetime):
        return value.astimezone(zone)
    if name == "struct":
        parts = (_plain(v, f.dataType, zone) for v, f in zip(value, kind.fields, strict=True))
        return type(value)(**dict(zip(kind.names, parts, strict=True)))
    if name == "array" and not isinstance(value, str):
        return [_plain(v, kind.elementType, zone) for v in value]
    return value
