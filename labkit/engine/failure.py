"""Why a query has failed, in the words of the first cause.

What reaches Python is the outermost wrapper ("Exception thrown in awaitResult"); the reason
stands at the end of the chain of Java causes, and for Python code at the end of a traceback in
one of their messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PYTHON_ERROR = re.compile(
    r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|Exit|Interrupt)): (.+)$", re.MULTILINE
)
_OWN_LINE = re.compile(r'File "([^"]*)", line (\d+), in (\w+)')
# Frames of Spark's own Python worker stand in every traceback and help nobody.
_NOT_OWN = ("pyspark", "site-packages", "lib/python")
_CONDITION = re.compile(r"^\[(?P<condition>[A-Z][A-Z0-9_.]+)\]\s*")
MAX_CHARS = 300

# The cure for a fragment of the cause; the first that fits counts.
CURES = (
    ("ZeroDivisionError", "Guard the division, then run the cell that starts the query again."),
    ("UnknownTopicOrPartition", "A source never makes its topic: make it first, then start again."),
    ("node assignment", "No broker answers there: look at the address and the port."),
    ("CAST_INVALID_INPUT", "Use try_cast or try_to_timestamp, which give null for such a value."),
    ("Redefining watermark", "Call withWatermark once on each input."),
    ("without equality predicate", "Join on an equality of columns, such as a key."),
    ("Global aggregation with session window", "Group by another column beside session_window."),
    ("STATE_STORE_KEY_SCHEMA", "The checkpoint is of another plan: use a new checkpoint folder."),
)
ANY_CURE = "Correct the cause, then run the cell that starts the query again."


@dataclass(frozen=True)
class Failure:
    """What ended a query.

    Parameters
    ----------
    cause
        The first cause in one line.
    place
        The learner's own line, such as ``rate, line 2``; empty when the cause is not in Python.
    cure
        How to go on.
    """

    cause: str
    place: str
    cure: str

    @property
    def words(self) -> str:
        """Cause, place and cure as one text."""
        at = f" (in {self.place})" if self.place else ""
        return f"{self.cause}{at}. {self.cure}"


def failure_of(query: Any) -> Failure | None:
    """Return why a query has failed; None when it has not.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark.
    """
    found = query._jsq.exception()
    return read_failure(list(_messages(found.get()))) if found.isDefined() else None


def read_failure(messages: list[str]) -> Failure:
    """Find the cause in the messages of a chain of errors, the outermost first.

    Examples
    --------
    >>> read_failure(["Job aborted.", "[CAST_INVALID_INPUT] The value 'x' cannot be cast."]).cause
    "The value 'x' cannot be cast"
    """
    for message in reversed(messages):
        errors = _PYTHON_ERROR.findall(message) if "Traceback" in message else []
        if errors:
            kind, text = errors[-1]
            return _failure(f"{kind}: {text}", _own_place(message))
    return _failure(messages[-1] if messages else "unknown", "")


def _failure(cause: str, place: str) -> Failure:
    cures = [cure for fragment, cure in CURES if fragment in cause]
    line = _CONDITION.sub("", cause).strip().split("\n")[0][:MAX_CHARS].rstrip(". ")
    return Failure(line, place, (cures or [ANY_CURE])[0])


def _own_place(traceback: str) -> str:
    frames = [
        (name, line)
        for file, line, name in _OWN_LINE.findall(traceback)
        if not any(part in file for part in _NOT_OWN)
    ]
    return f"{frames[-1][0]}, line {frames[-1][1]}" if frames else ""


def _messages(error: Any) -> Iterator[str]:
    """Yield the messages of a Java error and its causes, the outermost first."""
    while error is not None:
        name = error.getClass().getSimpleName()
        yield error.getMessage() or name
        error = error.getCause()
