"""The operations of the table of truth: what a streaming query can do with its rows.

Each is written as the one expression that a learner would type. That text is run and shown, so
the table cannot tell of other code than it has tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

COLUMNS = "who string, at timestamp, n int"
# Two files for each of two inputs; the second one comes long after the windows of the first.
FILES = (
    (("anna", "10:00:01", 1), ("ben", "10:00:03", 2), ("anna", "10:00:12", 3)),
    (("ben", "10:00:40", 4), ("anna", "10:00:41", 5)),
)


class Operation(NamedTuple):
    """One operation: its name, its code, and its group when the learner need not try it."""

    name: str
    code: str
    given: str = ""


OTHER = "Other operations"
TIME = "Windows of time (lessons 08 to 10)"
STATE = "Duplicates, joins and state (lesson 15)"
_MARKED = "df.withWatermark('at', '5 seconds')"
_WINDOW = "F.window('at', '10 seconds')"
_SESSION = "F.session_window('at', '10 seconds')"
_PAIRS = "F.expr('who = who2 and at2 between at - interval 5 seconds and at + interval 5 seconds')"
_MARKED_OTHER = "other.withWatermark('at2', '5 seconds')"
_MARKED_JOIN = f"{_MARKED}.join({_MARKED_OTHER}, {_PAIRS}"

OPERATIONS = (
    Operation("where, select", "df.where('n > 1').select('who', 'n')"),
    Operation("union", "df.union(df2)", OTHER),
    Operation("repartition", "df.repartition(2)", OTHER),
    Operation("now, random", "df.select(F.current_timestamp(), F.expr('uuid()'), F.rand())", OTHER),
    Operation("groupBy", "df.groupBy('who').count()"),
    Operation("total of all", "df.agg(F.sum('n'))"),
    Operation("rollup", "df.rollup('who').count()", OTHER),
    Operation(
        "approx_count_distinct", "df.groupBy('who').agg(F.approx_count_distinct('n'))", OTHER
    ),
    Operation("count_distinct", "df.groupBy('who').agg(F.count_distinct('n'))"),
    Operation("pivot", "df.groupBy('who').pivot('n').count()", OTHER),
    Operation("groupBy twice", "df.groupBy('who').count().groupBy('count').count()", OTHER),
    Operation("orderBy", "df.orderBy('n')"),
    Operation("groupBy, orderBy", "df.groupBy('who').count().orderBy('count')"),
    Operation("limit", "df.limit(2)"),
    Operation("groupBy, limit", "df.groupBy('who').count().limit(1)"),
    Operation("offset", "df.offset(1)", OTHER),
    Operation("sample", "df.sample(0.5, seed=1)", OTHER),
    Operation("distinct", "df.select('who').distinct()"),
    Operation("intersect", "df.select('who').intersect(df2.select('who'))", OTHER),
    Operation(
        "exceptAll with a static table", "df.select('who').exceptAll(static.select('who'))", OTHER
    ),
    Operation(
        "row_number over",
        "df.withColumn('r', F.row_number().over(Window.partitionBy('who').orderBy('at')))",
    ),
    Operation("join with a static table", "df.join(static, 'who')", OTHER),
    Operation("static table left join", "static.join(df, 'who', 'left')", OTHER),
    Operation("mapInPandas", "df.mapInPandas(same_batches, df.schema)", OTHER),
    Operation("applyInPandas", "df.groupBy('who').applyInPandas(same_rows, df.schema)", OTHER),
    Operation("dropDuplicates", "df.dropDuplicates(['who'])", STATE),
    Operation("dropDuplicates, watermark", f"{_MARKED}.dropDuplicates(['who', 'at'])", STATE),
    Operation("dropDuplicatesWithinWatermark", "df.dropDuplicatesWithinWatermark(['who'])", STATE),
    Operation(
        "dropDuplicatesWithinWatermark, watermark",
        f"{_MARKED}.dropDuplicatesWithinWatermark(['who'])",
        STATE,
    ),
    Operation("window", f"df.groupBy({_WINDOW}).count()", TIME),
    Operation(
        "window, watermark",
        f"{_MARKED}.groupBy({_WINDOW}).count().select('window.start', 'count')",
        TIME,
    ),
    Operation("groupBy, watermark", f"{_MARKED}.groupBy('who').count()", TIME),
    Operation(
        "watermark on text",
        "df.withColumn('s', df.at.cast('string')).withWatermark('s', '5 seconds')"
        ".groupBy('who').count()",
        TIME,
    ),
    Operation(
        "window, slide longer than window",
        f"{_MARKED}.groupBy(F.window('at', '10 seconds', '20 seconds')).count()",
        TIME,
    ),
    Operation(
        "window of windows",
        f"{_MARKED}.groupBy(F.window('at', '5 seconds'), 'who').count()"
        ".groupBy(F.window(F.window_time('window'), '10 seconds')).agg(F.sum('count'))",
        TIME,
    ),
    Operation(
        "dropDuplicates, window",
        f"{_MARKED}.dropDuplicates(['who', 'at']).groupBy({_WINDOW}).count()",
        STATE,
    ),
    Operation("session_window", f"df.groupBy({_SESSION}, 'who').count()", TIME),
    Operation("session_window, watermark", f"{_MARKED}.groupBy({_SESSION}, 'who').count()", TIME),
    Operation("session_window, no key", f"{_MARKED}.groupBy({_SESSION}).count()", TIME),
    Operation("join of two streams", "df.join(other, F.expr('who = who2'))", STATE),
    Operation("join of two streams, watermark", f"{_MARKED_JOIN})", STATE),
    Operation("left join", "df.join(other, F.expr('who = who2'), 'left')", STATE),
    Operation("left join, watermark", f"{_MARKED_JOIN}, 'left')", STATE),
    Operation("full join, watermark", f"{_MARKED_JOIN}, 'full')", STATE),
    Operation("left semi join, watermark", f"{_MARKED_JOIN}, 'left_semi')", STATE),
    Operation("join, window", f"{_MARKED_JOIN}).groupBy({_WINDOW}).count()", STATE),
    Operation("applyInPandasWithState", "counted_with_state(df, mode)", STATE),
    Operation("applyInPandasWithState, made for append", "counted_with_state(df, 'append')", STATE),
    Operation("transformWithStateInPandas", "counted_by_processor(df, mode)", STATE),
    Operation(
        "transformWithStateInPandas, made for update", "counted_by_processor(df, 'update')", STATE
    ),
)


def build(code: str, inputs: dict[str, Any], mode: str) -> Any:
    """Return the streaming DataFrame of an operation.

    Parameters
    ----------
    code
        The code of one of :data:`OPERATIONS`.
    inputs
        The streaming DataFrames ``df``, ``df2`` (the same columns) and ``other`` (``who2``,
        ``at2``, ``n2``), and the static ``static``.
    mode
        The output mode, which functions with state want to know.
    """
    from pyspark.sql import Window  # noqa: PLC0415 - only when there is a query
    from pyspark.sql import functions as F  # noqa: PLC0415

    names = {
        **inputs,
        "F": F,
        "Window": Window,
        "mode": mode,
        "same_rows": same_rows,
        "same_batches": same_batches,
        "counted_with_state": counted_with_state,
        "counted_by_processor": counted_by_processor,
    }
    return eval(code, names)  # noqa: S307 - our own text, which the table shows


def same_rows(rows: Any) -> Any:
    """Return the rows of a group as they are."""
    return rows


def same_batches(batches: Any) -> Any:
    """Return the pieces of a batch as they are."""
    return batches


def counted_with_state(df: Any, mode: str) -> Any:
    """Count each key's rows, with a function that is made for one output mode."""
    from pyspark.sql.streaming.state import GroupStateTimeout  # noqa: PLC0415

    def count(key: tuple[str], pieces: Iterator[Any], state: Any) -> Iterator[Any]:
        import pandas as pd  # noqa: PLC0415 - it runs on a worker

        rows = sum(len(piece) for piece in pieces) + (state.get[0] if state.exists else 0)
        state.update((rows,))
        yield pd.DataFrame({"who": [key[0]], "rows": [rows]})

    return df.groupBy("who").applyInPandasWithState(
        count, "who string, rows long", "rows long", mode, GroupStateTimeout.NoTimeout
    )


def counted_by_processor(df: Any, mode: str) -> Any:
    """Count each key's rows, with a processor that is made for one output mode."""
    from pyspark.sql.streaming import StatefulProcessor  # noqa: PLC0415

    class Count(StatefulProcessor):  # type: ignore[misc]
        def init(self, handle: Any) -> None:
            self.rows = handle.getValueState("rows", "rows int")

        def handleInputRows(  # noqa: N802 - Spark's name
            self, key: tuple[str], rows: Iterator[Any], timer: Any
        ) -> Iterator[Any]:
            import pandas as pd  # noqa: PLC0415 - it runs on a worker

            del timer
            before = self.rows.get()[0] if self.rows.exists() else 0
            count = sum(len(piece) for piece in rows) + before
            self.rows.update((count,))
            yield pd.DataFrame({"who": [key[0]], "rows": [count]})

        def close(self) -> None:
            """Close nothing."""

    return df.groupBy("who").transformWithStateInPandas(
        Count(), "who string, rows int", mode, "None"
    )
