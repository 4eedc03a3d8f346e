"""What a word of Spark or Python is exchanged for in a mutant."""

from __future__ import annotations

import ast
import re

MODES = ("append", "update", "complete")
JOINS = ("inner", "left_outer", "right_outer")
PAIRS = {"earliest": "latest", "latest": "earliest", "true": "false", "false": "true"}
# A text, the kind of the change, and what it becomes.
TEXTS = {
    **{one: ("mode", [other for other in MODES if other != one]) for one in MODES},
    **{one: ("join", [other for other in JOINS if other != one]) for one in JOINS},
    **{one: ("option value", [other]) for one, other in PAIRS.items()},
    "leftOuter": ("join", ["inner"]),
    "left": ("join", ["inner"]),
}
AGGREGATES = {
    "sum": ("count", "max"),
    "count": ("sum",),
    "max": ("min", "first", "avg"),
    "min": ("max", "first"),
    "avg": ("max", "sum"),
    "mean": ("max", "sum"),
    "first": ("last",),
    "last": ("first",),
    "collect_list": ("collect_set",),
    "collect_set": ("collect_list",),
    "approx_count_distinct": ("count", "max"),
    "count_distinct": ("count",),
    "countDistinct": ("count",),
}
BUILTINS = {
    "sum": ("max", "len"),
    "len": ("bool",),
    "max": ("min",),
    "min": ("max",),
    "sorted": ("list",),
    "any": ("all",),
    "all": ("any",),
    "list": ("set",),
}
FILTERS = ("where", "filter")
# Without it, what follows has another meaning altogether.
KEPT_CALLS = ("groupBy",)
COLUMN_CALLS = {
    "groupBy",
    "select",
    "orderBy",
    "sort",
    "drop",
    "dropDuplicates",
    "dropDuplicatesWithinWatermark",
    "withWatermark",
    "withColumnRenamed",
    "sum",
    "max",
    "min",
    "avg",
    "mean",
    "get",
}
OPERATORS: dict[type[ast.AST], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.Add: ("+", ("-",)),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("+",)),
    ast.Div: ("/", ("*",)),
    ast.FloorDiv: ("//", ("*",)),
    ast.Mod: ("%", ("*",)),
    ast.BitAnd: ("&", ("|",)),
    ast.BitOr: ("|", ("&",)),
    ast.And: ("and", ("or",)),
    ast.Or: ("or", ("and",)),
}
TYPES = "string|int|bigint|long|double|float|timestamp|date|boolean|binary"
COLUMN = re.compile(rf"\b(\w+) (?:{TYPES})\b")
DDL = re.compile(rf"\w+ (?:{TYPES})(?:, \w+ (?:{TYPES}))*")
OTHER_TYPES = {"string": "int", "int": "string", "bigint": "int", "double": "int"}
DATE = re.compile(r"[yMdHhms:./ -]*[yMdHhms]{2}[yMdHhms:./ -]*")
DURATION = re.compile(r"(\d+) (milli|millisecond|second|minute|hour|day|week)s?")
SECONDS = {
    "milli": 0.001,
    "millisecond": 0.001,
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
}


def durations(text: str) -> list[str]:
    """Return other durations: twice as long, one less, and the number in another unit."""
    number, unit = DURATION.fullmatch(text).groups()
    other = "second" if unit != "second" else "minute"
    less = [f"{int(number) - 1} {unit}s"] if int(number) > 1 else []
    return [f"{int(number) * 2} {unit}s", *less, f"{number} {other}s"]


def in_seconds(text: str) -> str:
    """Return a duration in one unit, any other text as it is."""
    found = DURATION.fullmatch(text)
    return f"{int(found[1]) * SECONDS[found[2]]:g} s" if found else text


def schemas(text: str) -> list[str]:
    """Return other schemas: a column with another type or name, one less, two exchanged."""
    columns = [column.split(" ") for column in text.split(", ")]
    found = []
    for n, (name, kind) in enumerate(columns):
        before, after = columns[:n], columns[n + 1 :]
        found += [
            [*before, [name, OTHER_TYPES.get(kind, "string")], *after],
            [*before, [name.swapcase(), kind], *after],
            [*before, [f"{name}_x", kind], *after],
            [*before, *after],
            [*before, *after[:1], [name, kind], *after[1:]],
        ]
    return [", ".join(" ".join(column) for column in one) for one in found if one]


def dates(text: str) -> list[str]:
    """Return other forms of a date: month first, minutes for months, one letter less."""
    exchanged = text.translate(str.maketrans("Md", "dM"))
    return [exchanged, text.swapcase(), text[1:], text[:-1]]
