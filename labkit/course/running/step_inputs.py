"""Input for a function that is run step by step: batches of events or dicts, checked and typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from labkit.errors import InvalidArgument, require_type, wrong_type
from labkit.events.columns import Column, read_columns
from labkit.events.script import Script
from labkit.events.stream import START, Event, EventStream

BATCHES = "a Script, or a list of batches, each a list of events or dicts"
# Checked in this order: to Python True is a number and a datetime a date.
_DDL = (
    (bool, "boolean"),
    (int, "bigint"),
    (float, "double"),
    (str, "string"),
    (datetime, "timestamp"),
    (date, "date"),
    (Decimal, "decimal(38,18)"),
    (bytes, "binary"),
)
_WHOLE = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64, "long": 64}
_ACCEPTS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
    "timestamp": (datetime,),
    "timestamp_ntz": (datetime,),
    "date": (date,),
    "binary": (bytes,),
}


@dataclass(frozen=True)
class StepInput(EventStream):
    """What one streaming DataFrame is fed with.

    Parameters
    ----------
    name
        A short name for the folder.
    schema
        The columns as Spark DDL text.
    batches
        The rows, one list for each step; a list may be empty.
    """

    name: str
    schema: str
    batches: tuple[tuple[Event, ...], ...]
    time = None

    def __iter__(self) -> Iterator[Event]:
        for batch in self.batches:
            yield from batch


def read_inputs(
    inputs: Sequence[Any], schema: str | tuple[str | None, ...] | None
) -> tuple[StepInput, ...]:
    """Check the inputs of one run, and find the columns of those that do not say.

    Raises
    ------
    InvalidArgument
        ``OUT_OF_RANGE`` or ``WRONG_TYPE``, naming the input, the step and the row.
    """
    if not inputs:
        raise _out_of_range("the number of inputs", 0, "at least 1")
    schemas = _schemas(inputs, schema)
    pairs = zip(inputs, schemas, strict=True)
    read = tuple(_read_input(i, given, ddl) for i, (given, ddl) in enumerate(pairs, start=1))
    counts = [len(one.batches) for one in read]
    if len(set(counts)) > 1:
        told = " and ".join(map(str, counts))
        bound = "the same for all inputs; an empty list is a step that brings nothing"
        raise _out_of_range("the number of steps", told, bound)
    return read


def _schemas(inputs: Sequence[Any], schema: Any) -> list[str | None]:
    """Return the DDL text that was given for each input; None: look at the rows."""
    if schema is None:
        return [None] * len(inputs)
    if isinstance(schema, str):
        if all(isinstance(given, Script) for given in inputs):
            raise _out_of_range("schema", schema, "left out: a Script has its own columns")
        return [None if isinstance(given, Script) else schema for given in inputs]
    expected = "DDL text, or a tuple with one text for each input"
    require_type("schema", schema, tuple | list, expected=expected)
    if len(schema) != len(inputs):
        raise _out_of_range("len(schema)", len(schema), f"{len(inputs)}, one for each input")
    for given, ddl in zip(inputs, schema, strict=True):
        if ddl is not None:
            require_type("schema", ddl, str, expected=expected)
        if isinstance(given, Script) and ddl is not None:
            raise _out_of_range("schema", ddl, "None for a Script, which has its own columns")
    return list(schema)


def _read_input(number: int, given: Any, ddl: str | None) -> StepInput:
    name = f"input_{number}"
    if isinstance(given, Script):
        return StepInput(name, given.schema, tuple(map(tuple, given.steps)))
    if not isinstance(given, list | tuple):
        raise _wrong(f"input {number}", given, BATCHES)
    if not given:
        raise _out_of_range(f"the number of steps of input {number}", 0, "at least 1")
    rows = [_values(f"input {number}, step {i}", batch) for i, batch in enumerate(given)]
    schema = ddl if ddl is not None else _inferred(number, [row for step in rows for row in step])
    columns = read_columns(schema)
    for i, step in enumerate(rows):
        for row in step:
            _require_fits(f"input {number}, step {i}", row, columns)
    names = [column.name for column in columns]
    batches = tuple(tuple(_event(row, names) for row in step) for step in rows)
    return StepInput(name, schema, batches)


def _values(place: str, batch: Any) -> list[dict[str, Any]]:
    if isinstance(batch, Event | Mapping) or not isinstance(batch, list | tuple):
        raise _wrong(place, batch, "a list of events or dicts: the rows of one step")
    for row in batch:
        if not isinstance(row, Event | Mapping):
            raise _wrong(f"a row of {place}", row, "an event or a dict")
    return [dict(row.value if isinstance(row, Event) else row) for row in batch]


def _event(row: dict[str, Any], names: list[str]) -> Event:
    return Event(START, "", {name: row.get(name) for name in names})


def _inferred(number: int, rows: list[dict[str, Any]]) -> str:
    """Return the columns that the values of the rows show, in the order of their first row."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise _out_of_range("schema", None, f"given: the rows of input {number} show no columns")
    kinds = {name: _kind(name, [row.get(name) for row in rows]) for name in names}
    return ", ".join(str(Column(name, kind)) for name, kind in kinds.items())


def _kind(name: str, values: list[Any]) -> str:
    """Return the one type that fits all values of a column; null fits every type."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, Mapping) for value in known):
        parts = dict.fromkeys(part for value in known for part in value)
        kinds = {part: _kind(f"{name}.{part}", [v.get(part) for v in known]) for part in parts}
        return f"struct<{','.join(f'{_quoted(part)}:{kind}' for part, kind in kinds.items())}>"
    if known and all(isinstance(value, list | tuple) for value in known):
        return f"array<{_kind(name, [item for value in known for item in value])}>"
    found_kinds = {_simple_kind(name, value) for value in known}
    if found_kinds == {"bigint", "double"}:
        return "double"
    if len(found_kinds) != 1:
        found = " and ".join(sorted(found_kinds)) or "null alone"
        raise _out_of_range(f"the type of column {name}", found, "told by schema=")
    return found_kinds.pop()


def _quoted(name: str) -> str:
    return str(Column(name, "")).strip()  # in backticks if it needs them


def _simple_kind(name: str, value: Any) -> str:
    for python, ddl in _DDL:
        if isinstance(value, python):
            return ddl
    raise _wrong(f"a value of column {name}", value, "text, a number, a time or a date")


def _require_fits(place: str, row: dict[str, Any], columns: tuple[Column, ...]) -> None:
    """Check the names and the simple types of a row, which Spark would refuse while it runs."""
    names = [column.name for column in columns]
    for name in row:
        if name not in names:
            listed = ", ".join(names)
            raise InvalidArgument(
                "UNKNOWN_CHOICE", name=f"a column of {place}", value=name, choices=listed
            )
    for name, kind in columns:
        value = row.get(name)
        if value is not None and not _fits(value, kind):
            raise _wrong(f"column {name} of {place}", value, f"a value of type {kind}, or None")


def _fits(value: Any, kind: str) -> bool:
    if kind in _WHOLE:
        limit = 2 ** (_WHOLE[kind] - 1)
        return type(value) is int and -limit <= value < limit
    if kind.startswith("decimal"):
        return isinstance(value, Decimal) or type(value) is int
    if kind.startswith("array<"):
        return isinstance(value, list | tuple)
    if kind.startswith(("struct<", "map<")):
        return isinstance(value, Mapping)
    accepted = _ACCEPTS.get(kind)
    if accepted is None:  # a type that Spark knows and this list does not
        return True
    is_time_for_date = kind == "date" and isinstance(value, datetime)
    is_truth = isinstance(value, bool) and kind != "boolean"
    return isinstance(value, accepted) and not is_time_for_date and not is_truth


def _wrong(name: str, value: Any, expected: str) -> InvalidArgument:
    return wrong_type(name, value, expected=expected)


def _out_of_range(name: str, value: Any, bound: str) -> InvalidArgument:
    return InvalidArgument("OUT_OF_RANGE", name=name, value=value, bound=bound)
