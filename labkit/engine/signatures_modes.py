"""Queries that Spark refuses in one output mode, with the reason behind each rule.

The views' refusals (``engine.refusal``) read the reasons and ways out from here.
"""

from __future__ import annotations

from labkit.engine.causes import Facts
from labkit.engine.signature import Signature

NEVER_FINAL = (
    "Every group may still grow, because more rows for it can always come. "
    "No row is ever final, so append would never send one."
)
NOT_BY_TIME = (
    "There is a watermark, but the groups are no time windows of its column, so it closes none. "
    "No row is ever final, so append would never send one."
)
_WITHOUT_WATERMARK = "streaming aggregations without watermark"
_MODE_RULE = "Who refuses what"


def _nodes(facts: Facts) -> list[str]:
    return [line.lstrip(" :+-~'") for line in facts.plan.splitlines() if line.strip()]


def _first(nodes: list[str], name: str) -> int:
    return next((i for i, node in enumerate(nodes) if node.startswith(name)), -1)


def _watermark_comes_after(facts: Facts) -> bool:
    nodes = _nodes(facts)
    return 0 <= _first(nodes, "EventTimeWatermark") < _first(nodes, "Aggregate")


def _window_of_another_column(facts: Facts) -> bool:
    nodes = _nodes(facts)
    groups = _first(nodes, "Aggregate [window")
    return 0 <= groups < _first(nodes, "EventTimeWatermark")


def _has_watermark(facts: Facts) -> bool:
    return "EventTimeWatermark" in facts.plan


# The first that fits counts, so the special ones stand before the general ones.
TABLE = (
    Signature(
        id="M27",
        fragments=(_WITHOUT_WATERMARK,),
        needs=_watermark_comes_after,
        sentence="The watermark stands after the grouping, so the groups do not know of it.",
        cure="Write withWatermark(…) before groupBy(…).",
        reason="A watermark marks a column of the rows that go into the groups. "
        "Behind the groups it comes too late.",
        lesson="09",
        heading="Four plans, one of them runs",
    ),
    Signature(
        id="M28",
        fragments=(_WITHOUT_WATERMARK,),
        needs=_window_of_another_column,
        sentence="The windows are cut from a column that does not carry the watermark.",
        cure="Make the time column first, then withWatermark(…) on it, then groupBy(window(…)).",
        reason="A watermark belongs to one column. A column that is calculated from it has none.",
        lesson="09",
        heading="Four plans, one of them runs",
    ),
    Signature(
        id="M26",
        fragments=(_WITHOUT_WATERMARK,),
        needs=_has_watermark,
        sentence="The query has a watermark, but its groups are not windows of that column.",
        cure="Group by window(…) of the column in withWatermark(…), "
        'or choose outputMode("update").',
        reason=NOT_BY_TIME,
        lesson="09",
        heading="Four plans, one of them runs",
    ),
    Signature(
        id="M04",
        fragments=(_WITHOUT_WATERMARK,),
        sentence="Append mode cannot send these groups, because none of them is ever final.",
        cure='Choose outputMode("update") or outputMode("complete"); '
        "or call withWatermark(…) and group by window(…).",
        reason=NEVER_FINAL,
        ways=("Add a watermark and group by a time window.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M05",
        fragments=("no streaming aggregations",),
        sentence="Complete mode needs groups, and this query has none.",
        cure='Choose outputMode("append"), or group the rows with groupBy(…).count().',
        reason="Complete sends the whole result again with every batch, so Spark would have to "
        "keep all rows for ever. It does so only for groups, whose result stays small.",
        ways=("Group the rows, for example with groupBy(…).count().",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M25",
        fragments=("session window streaming aggregations",),
        sentence="Session windows do not run in update mode.",
        cure='Choose outputMode("append"), and call withWatermark(…) before groupBy(…).',
        reason="In update mode a new row replaces the older one with the same key. The key of a "
        "session is its start and end, and these change while it grows.",
        ways=("Use append, with a watermark.",),
        lesson="08",
        heading="Windows that follow a user",
    ),
    Signature(
        id="M42",
        fragments=("Join between two streaming",),
        sentence="A join of two streams runs in append mode only.",
        cure='Choose outputMode("append").',
        reason="A join of two streams sends a pair when both rows are there, and a pair never "
        "changes. So Spark runs it, and all that comes after it, in append only.",
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M09",
        fragments=("Sorting is not supported",),
        sentence="A stream cannot be sorted, except for groups in complete mode.",
        cure='Group first and choose outputMode("complete"), '
        "or sort where you read: spark.table(name).orderBy(…).",
        reason="A row that comes later may belong before rows that were sent already. "
        "Only complete sends its result again as a whole, so only there can it be sorted.",
        ways=("Group first, and use complete.", "Sort where the result is read."),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M09",
        fragments=("Limits are not supported",),
        sentence="limit does not run in update mode.",
        cure='Choose outputMode("append"), or take the rows where you read: '
        "spark.table(name).limit(5).",
        reason="A limit takes the first rows once and for all. "
        "In update mode a row may change after it was sent, so none is surely among the first.",
        ways=("Take the first rows where the result is read.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M37",
        fragments=("possible 'correctness' issue",),
        sentence="Two groupings, one behind the other, run in append mode only.",
        cure='Choose outputMode("append"), or make two queries with a table between them.',
        reason="In this mode the first aggregation sends rows whose time is over already. "
        "The second one would drop them as late, and its result would be wrong.",
        ways=("Make two queries, with a table or a topic between them.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M06",
        condition="STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
        sentence="Files can only be added to, so a file sink takes append mode only.",
        cure='Choose outputMode("append"), or write each batch yourself with foreachBatch(…).',
        reason="In other modes a query may change rows that were sent before. "
        "A row in a file that is written stays as it is.",
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M11",
        fragments=("mode is not supported with",),
        sentence="The function with state and the query have different output modes.",
        cure="Give outputMode(…) the same mode as the function.",
        reason="The function with state was made for another output mode than this query has. "
        "The two must be the same.",
        ways=("Give the function the mode of the query.",),
        lesson="15",
    ),
    Signature(
        id="M11",
        fragments=("Append output mode not supported for aggregations",),
        sentence="Append cannot send what this operation counts behind the scenes.",
        cure='Choose outputMode("update"), or call join(other, "id", "left_anti").',
        reason="Behind this operation Spark counts the rows of both sides. "
        "Without a watermark no count is ever final, so append would never send a row.",
        lesson="03",
        heading=_MODE_RULE,
    ),
)
