"""Read the columns of a Spark DDL text, without Spark."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from labkit.errors import InvalidArgument

_WORD = re.compile(r"\w+")


class Column(NamedTuple):
    """One column: its name, and its Spark type in lower case without blanks.

    As text it is DDL again.
    """

    name: str
    kind: str

    def __str__(self) -> str:
        name = self.name if _WORD.fullmatch(self.name) else f"`{self.name.replace('`', '``')}`"
        return f"{name} {self.kind}"


_COLUMN = re.compile(r"\s*(?:`((?:[^`]|``)+)`|(\w+)\b)\s*:?\s*(.+)", re.DOTALL)
_EXTRAS = re.compile(r"\s+(?:not\s+null|default\s|comment\s).*", re.IGNORECASE | re.DOTALL)


@cache
def read_columns(schema: str, *, argument: str = "schema") -> tuple[Column, ...]:
    """Return the columns of a DDL text in their order.

    Parameters
    ----------
    schema
        As ``EventStream.schema``: ``"event_time timestamp, amount double"``. Types may nest.
    argument
        What the caller knows the text as, for the error.

    Raises
    ------
    InvalidArgument
        ``OUT_OF_RANGE``: a part of the text is not a name followed by a type.

    Examples
    --------
    >>> read_columns("at timestamp, tags array<string>")[1]
    Column(name='tags', kind='array<string>')
    """
    matches = [_COLUMN.fullmatch(part) for part in _split(schema)]
    if not all(matches):
        bound = "column names with Spark types, such as 'event_time timestamp, amount double'"
        raise InvalidArgument("OUT_OF_RANGE", name=argument, value=schema, bound=bound)
    return tuple(_column(*match.groups()) for match in matches if match)


def _column(quoted: str | None, plain: str, kind: str) -> Column:
    name = quoted.replace("``", "`") if quoted else plain
    return Column(name, re.sub(r"\s+", "", _EXTRAS.sub("", kind)).lower())


def _split(schema: str) -> list[str]:
    """Cut at the commas that stand outside brackets, backticks and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in schema:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "`'\"":
            quote = letter
        else:
            depth += (letter in "<(") - (letter in ">)")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
