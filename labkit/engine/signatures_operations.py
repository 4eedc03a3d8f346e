"""Operations that do not run on a stream, with the reason behind each rule.

The views' refusals (``engine.refusal``) read the reasons and ways out from here.
"""

from __future__ import annotations

from labkit.engine.signature import Signature

_MODE_RULE = "Who refuses what"

# The first that fits counts, so the special ones stand before the general ones.
TABLE = (
    Signature(
        id="M43",
        fragments=("without equality predicate",),
        sentence="Two streams can only be joined on columns that are equal.",
        cure='Add an equality to the join, such as expr("a.id = b.id AND a.v < b.v").',
        reason="Spark finds partners by their key. "
        "Without an equal key it would compare each row with all others.",
        ways=("Join on an equality of columns, such as a key.",),
        lesson="15",
    ),
    Signature(
        id="M42",
        fragments=("Stream-stream",),
        sentence="An outer join of two streams needs watermarks and a range of time.",
        cure="Call withWatermark(…) on both inputs, and add a range of time to the join, "
        'such as expr("… AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 5 MINUTES").',
        reason="A row without a partner may go out only when no partner can come any more. "
        "Without a watermark and a time limit in the join that moment never comes.",
        ways=(
            "Give both inputs a watermark, and the join a range of time.",
            "Use an inner join.",
        ),
        lesson="15",
    ),
    Signature(
        id="M42",
        fragments=("and a static DataFrame",),
        sentence="This outer join keeps all rows of the static side, which a stream cannot do.",
        cure='Keep the rows of the stream: stream.join(static, "id", "left").',
        reason="This join keeps all rows of the static side, also those without a partner. "
        "Rows of the stream can always come, so no static row is ever surely without one.",
        ways=("Keep all rows of the stream's side instead.", "Use an inner join."),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M41",
        fragments=("dropDuplicatesWithinWatermark is not supported with batch",),
        sentence="dropDuplicatesWithinWatermark works on streams, and this DataFrame is static.",
        cure="Call dropDuplicates([…]) here.",
        reason="It forgets a key when the watermark has passed it. "
        "A static DataFrame has no watermark.",
        ways=("Use dropDuplicates on a static DataFrame.",),
        lesson="15",
    ),
    Signature(
        id="M41",
        fragments=("dropDuplicatesWithinWatermark is not supported",),
        sentence="dropDuplicatesWithinWatermark needs a watermark, and there is none.",
        cure="Call withWatermark(…) before it, or use dropDuplicates([…]).",
        reason="It forgets a key when the watermark has passed it. "
        "Without a watermark it would have to remember every key for ever.",
        ways=(
            "Call withWatermark before it.",
            "Use dropDuplicates, which remembers every key.",
        ),
        lesson="15",
    ),
    Signature(
        id="M11",
        fragments=("Distinct aggregations are not supported",),
        sentence="A stream cannot count different values exactly.",
        cure="Call approx_count_distinct(…), or dropDuplicates([…]) first and then count().",
        reason="To count different values, Spark would have to remember every value of every "
        "group. It does not do that on a stream.",
        ways=("Use approx_count_distinct.", "Use dropDuplicates first, then count."),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M10",
        fragments=("Window function is not supported",),
        sentence="Functions with OVER, such as row_number or lag, do not run on a stream.",
        cure="Group by window(…), or use max_by(…) in groupBy(…).agg(…).",
        reason="A rank depends on all rows of its group, also on those that have not come yet. "
        "On a stream Spark knows windows of time only.",
        ways=("Use max_by or min_by in a group.", "Rank where the result is read."),
        lesson="08",
        heading="Further: the other kind of window",
    ),
    Signature(
        id="M11",
        fragments=("Offset is not supported",),
        sentence="offset does not run on a stream.",
        cure="Skip rows where you read: spark.table(name).offset(5).",
        reason="An offset skips the first rows of a whole result. A stream has no whole result.",
        ways=("Skip rows where the result is read.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M11",
        fragments=("Sampling is not supported",),
        sentence="sample does not run on a stream.",
        cure='Filter by a hash, such as where("abs(hash(id)) % 10 = 0").',
        reason="A sample is drawn from a whole table. A stream has no end, so it is never whole.",
        ways=("Filter by a hash, such as abs(hash(key)) % 10 = 0.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M11",
        fragments=("Intersect of streaming",),
        sentence="intersect does not run on a stream.",
        cure='Use a left semi join: stream.join(other, "id", "left_semi").',
        reason="It looks for rows that are on both sides. "
        "Spark would have to remember every row of the stream for ever.",
        ways=("Use a left semi join.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M11",
        fragments=("Except on a streaming",),
        sentence="A stream cannot be taken away from other rows.",
        cure='Use a left anti join: stream.join(other, "id", "left_anti").',
        reason="It takes away the rows of the stream. "
        "They can come after a row was sent, and then it is too late to take it away.",
        ways=("Use a left anti join, with the stream on the left.",),
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M25",
        fragments=("Global aggregation with session window",),
        sentence="Session windows need a key beside the time, such as the user.",
        cure='Group by another column too: groupBy(session_window(…), "user").',
        reason="Spark looks for sessions within groups of a key. "
        "Here there is no key besides the time.",
        ways=("Group by another column beside session_window.",),
        lesson="08",
        heading="Windows that follow a user",
    ),
    Signature(
        id="M11",
        fragments=("pivot is not supported",),
        sentence="pivot does not run on a stream, because its columns depend on rows to come.",
        cure="Use groupBy(…).count() in the query, and pivot(…) where you read its table.",
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M11",
        fragments=("Union between streaming and batch",),
        sentence="A stream and a static DataFrame cannot be put under each other with union.",
        cure="Read both as streams with readStream, then call union(…).",
        lesson="03",
        heading=_MODE_RULE,
    ),
    Signature(
        id="M12",
        fragments=("Continuous processing does not support",),
        sentence="The continuous trigger does not run this source or this operation.",
        cure='Choose trigger(processingTime="1 second").',
        lesson="04",
    ),
)
