"""Why a query has failed, in the words of the first cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.engine.causes import facts_from, java_chain
from labkit.engine.signatures import signature_of

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
    return read_chain(list(java_chain(found.get()))) if found.isDefined() else None


def read_failure(messages: list[str]) -> Failure:
    """Find the cause in the messages of a chain of errors, the outermost first.

    Examples
    --------
    >>> read_failure(["Job aborted.", "[CAST_INVALID_INPUT] The value 'x' cannot be cast."]).cause
    "The value 'x' cannot be cast"
    """
    return read_chain([("", message) for message in messages or ["unknown"]])


def read_chain(chain: list[tuple[str, str]]) -> Failure:
    """Find the cause in a chain of errors given as class names and messages."""
    facts = facts_from(chain)
    known = signature_of(facts)
    place = facts.own.place if facts.own else ""
    return Failure(facts.cause, place, known.cure if known else ANY_CURE)
