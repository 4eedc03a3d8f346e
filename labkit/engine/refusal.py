"""Why Spark does not run a query in an output mode, in plain words.

Spark names the rule that a query breaks. A learner also needs the reason behind the rule and a
way out. What is not in the table of refusals is told in Spark's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from labkit.engine import signatures_modes, signatures_operations
from labkit.engine.batches import find_nodes
from labkit.engine.failure import failure_of
from labkit.engine.signatures_modes import NEVER_FINAL, NOT_BY_TIME

MAX_CHARS = 600


@dataclass(frozen=True)
class Refusal:
    """What kept a query from running in one output mode.

    Parameters
    ----------
    mode
        The output mode.
    reason
        Two sentences in plain words.
    ways
        Ways out, besides another mode.
    words
        What Spark said.
    at_start
        False when the query had started and failed while it ran.
    is_rule
        False when the cause is no rule of Spark, such as an error in a function of the learner.
    """

    mode: str
    reason: str
    ways: tuple[str, ...]
    words: str
    at_start: bool = True
    is_rule: bool = True


class Rule(NamedTuple):
    """A piece of Spark's message, the reason behind it, and ways out."""

    piece: str
    reason: str
    ways: tuple[str, ...] = ()


# The first rule that fits counts. A rule that needs the plan as well is looked for further down.
RULES = tuple(
    Rule(piece, one.reason, one.ways)
    for one in (*signatures_modes.TABLE, *signatures_operations.TABLE)
    for piece in one.fragments or (one.condition,)  # Spark's words begin with it, in brackets
    if one.reason and one.needs is None
)


def refused_at_start(mode: str, error: Exception, df: Any) -> Refusal:
    """Return why ``start()`` raised an error.

    Parameters
    ----------
    mode
        The output mode.
    error
        What was raised.
    df
        The streaming DataFrame.
    """
    words = own_words(str(error))
    refusal = explain(mode, words)
    has_watermark = bool(find_nodes(df._jdf.queryExecution().analyzed(), "EventTimeWatermark"))
    if refusal.reason == NEVER_FINAL and has_watermark:
        ways = ("Group by a time window of the column that has the watermark.",)
        return Refusal(mode, NOT_BY_TIME, ways, words)
    return refusal


def refused_while_running(mode: str, query: Any) -> Refusal | None:
    """Return why a query failed while it ran; None when it did not."""
    failure = failure_of(query)
    if failure is None:
        return None
    words = own_words(failure.cause)
    found = _rule(words)
    if found is not None:
        return Refusal(mode, found.reason, found.ways, words, at_start=False)
    at = f" in {failure.place}" if failure.place else ""
    reason = f"The query failed{at}: {words}."
    return Refusal(mode, reason, (failure.cure,), words, at_start=False, is_rule=False)


def explain(mode: str, words: str) -> Refusal:
    """Put a refusal into plain words.

    Examples
    --------
    >>> explain("complete", "… is not supported for no streaming aggregations on …").ways
    ('Group the rows, for example with groupBy(…).count().',)
    """
    found = _rule(words)
    if found is not None:
        return Refusal(mode, found.reason, found.ways, words)
    reason = f"Spark does not run this query in {mode} mode. Its own words say why."
    return Refusal(mode, reason, (), words)


def own_words(message: str) -> str:
    r"""Return what Spark said, without the plan that it prints after it.

    Examples
    --------
    >>> own_words("Sorting is not supported here;\n~Sort [who ASC]\n+- ~Relation")
    'Sorting is not supported here'
    """
    first = message.strip().split("\n")[0].split(" SQLSTATE:")[0]
    return first[:MAX_CHARS].rstrip(";. ")


def _rule(words: str) -> Rule | None:
    return next((rule for rule in RULES if rule.piece in words), None)
