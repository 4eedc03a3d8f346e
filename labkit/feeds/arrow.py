"""Events as Parquet and ORC; loaded only when a folder of that format is fed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet

from labkit.errors import InvalidArgument
from labkit.events.columns import Column, read_columns
from labkit.events.stream import Event

_SIMPLE = {
    "string": pa.string(),
    "binary": pa.binary(),
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}
_WRITE = {"parquet": pyarrow.parquet.write_table, "orc": pyarrow.orc.write_table}


def arrow_content(format: str, schema: str) -> Callable[[Sequence[Event]], bytes]:  # noqa: A002 (Spark's word)
    """Return the function that writes events as the content of one Parquet or ORC file.

    Parameters
    ----------
    format
        ``parquet`` or ``orc``.
    schema
        The events' columns as Spark DDL text.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``: a column has a type that is not written here.

    Examples
    --------
    >>> arrow_content("parquet", "amount double")([])[:4]
    b'PAR1'
    """
    fields = pa.schema([(column.name, _arrow_type(column)) for column in read_columns(schema)])
    if format == "orc":
        fields = pa.schema([(field.name, _without_zone(field.type)) for field in fields])

    def content(events: Sequence[Event]) -> bytes:
        table = pa.Table.from_pylist([event.value for event in events], schema=fields)
        sink = pa.BufferOutputStream()
        _WRITE[format](table, sink)
        return bytes(sink.getvalue())

    return content


def _without_zone(kind: pa.DataType) -> pa.DataType:
    """Return the type for ORC: Spark cannot read its timestamps with a zone, so they are in UTC."""
    return pa.timestamp("us") if pa.types.is_timestamp(kind) else kind


def _arrow_type(column: Column) -> pa.DataType:
    if column.kind in _SIMPLE:
        return _SIMPLE[column.kind]
    if decimal := re.fullmatch(r"decimal\((\d+),(\d+)\)", column.kind):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if nested := re.fullmatch(r"array<(.+)>", column.kind):
        return pa.list_(_arrow_type(Column(column.name, nested[1])))
    raise InvalidArgument(
        "UNKNOWN_CHOICE",
        name=f"The type of column {column.name}",
        value=column.kind,
        choices=", ".join(sorted(_SIMPLE)),
        cure="Use format='json', which holds every type.",
    )
