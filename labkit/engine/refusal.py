"""Why Spark does not run a query in an output mode, in plain words.

Spark names the rule that a query breaks. A learner also needs the reason behind the rule and a
way out. What is not in the table here is told in Spark's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from labkit.engine.batches import find_nodes
from labkit.engine.failure import failure_of

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


NEVER_FINAL = (
    "Every group may still grow, because more rows for it can always come. "
    "No row is ever final, so append would never send one."
)
NOT_BY_TIME = (
    "There is a watermark, but the groups are no time windows of its column, so it closes none. "
    "No row is ever final, so append would never send one."
)
# The first rule that fits counts.
RULES = (
    Rule(
        "streaming aggregations without watermark",
        NEVER_FINAL,
        ("Add a watermark and group by a time window.",),
    ),
    Rule(
        "no streaming aggregations",
        "Complete sends the whole result again with every batch, so Spark would have to keep all "
        "rows for ever. It does so only for groups, whose result stays small.",
        ("Group the rows, for example with groupBy(…).count().",),
    ),
    Rule(
        "session window streaming aggregations",
        "In update mode a new row replaces the older one with the same key. The key of a session "
        "is its start and end, and these change while it grows.",
        ("Use append, with a watermark.",),
    ),
    Rule(
        "Join between two streaming",
        "A join of two streams sends a pair when both rows are there, and a pair never changes. "
        "So Spark runs it, and all that comes after it, in append only.",
    ),
    Rule(
        "Stream-stream",
        "A row without a partner may go out only when no partner can come any more. "
        "Without a watermark and a time limit in the join that moment never comes.",
        ("Give both inputs a watermark, and the join a range of time.", "Use an inner join."),
    ),
    Rule(
        "and a static DataFrame",
        "This join keeps all rows of the static side, also those without a partner. "
        "Rows of the stream can always come, so no static row is ever surely without one.",
        ("Keep all rows of the stream's side instead.", "Use an inner join."),
    ),
    Rule(
        "dropDuplicatesWithinWatermark is not supported",
        "It forgets a key when the watermark has passed it. "
        "Without a watermark it would have to remember every key for ever.",
        ("Call withWatermark before it.", "Use dropDuplicates, which remembers every key."),
    ),
    Rule(
        "Sorting is not supported",
        "A row that comes later may belong before rows that were sent already. "
        "Only complete sends its result again as a whole, so only there can it be sorted.",
        ("Group first, and use complete.", "Sort where the result is read."),
    ),
    Rule(
        "Limits are not supported",
        "A limit takes the first rows once and for all. "
        "In update mode a row may change after it was sent, so none is surely among the first.",
        ("Take the first rows where the result is read.",),
    ),
    Rule(
        "possible 'correctness' issue",
        "In this mode the first aggregation sends rows whose time is over already. "
        "The second one would drop them as late, and its result would be wrong.",
        ("Make two queries, with a table or a topic between them.",),
    ),
    Rule(
        "Distinct aggregations are not supported",
        "To count different values, Spark would have to remember every value of every group. "
        "It does not do that on a stream.",
        ("Use approx_count_distinct.", "Use dropDuplicates first, then count."),
    ),
    Rule(
        "Window function is not supported",
        "A rank depends on all rows of its group, also on those that have not come yet. "
        "On a stream Spark knows windows of time only.",
        ("Use max_by or min_by in a group.", "Rank where the result is read."),
    ),
    Rule(
        "mode is not supported with",
        "The function with state was made for another output mode than this query has. "
        "The two must be the same.",
        ("Give the function the mode of the query.",),
    ),
    Rule(
        "Offset is not supported",
        "An offset skips the first rows of a whole result. A stream has no whole result.",
        ("Skip rows where the result is read.",),
    ),
    Rule(
        "Sampling is not supported",
        "A sample is drawn from a whole table. A stream has no end, so it is never whole.",
        ("Filter by a hash, such as abs(hash(key)) % 10 = 0.",),
    ),
    Rule(
        "Intersect of streaming",
        "It looks for rows that are on both sides. "
        "Spark would have to remember every row of the stream for ever.",
        ("Use a left semi join.",),
    ),
    Rule(
        "Except on a streaming",
        "It takes away the rows of the stream. "
        "They can come after a row was sent, and then it is too late to take it away.",
        ("Use a left anti join, with the stream on the left.",),
    ),
    Rule(
        "Append output mode not supported for aggregations",
        "Behind this operation Spark counts the rows of both sides. "
        "Without a watermark no count is ever final, so append would never send a row.",
    ),
    Rule(
        "Global aggregation with session window",
        "Spark looks for sessions within groups of a key. Here there is no key besides the time.",
        ("Group by another column beside session_window.",),
    ),
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
