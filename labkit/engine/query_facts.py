"""What a started query is set to do, as plain values: mode, trigger, watermark, windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime.fromtimestamp(0, UTC)

# Operators that keep state or change which rows a window gets.
_STATEFUL = ("Aggregate", "Deduplicate", "Join", "FlatMapGroups", "TransformWithState", "Limit")
# What Spark itself puts between a watermark and its windows; a learner's filter is not in it.
_PASSES_ALL = re.compile(r"Project|Expand|SubqueryAlias|Filter isnotnull\(\w+#\d+-T\d+ms\)$")
_WATERMARK = "EventTimeWatermark"
_DELAY = re.compile(r"-T(\d+)ms")
# Groups and keys that the state holds; a column with event time is written as ts#1-T60000ms.
_KEYS = re.compile(r"^[-+:~ ]*(Aggregate|Deduplicate) \[([^]]*)\]", re.MULTILINE)
_SLIDE = re.compile(r"LongType\) - (-?\d+)\) % (\d+)\)")
_LENGTH = re.compile(r"- \d+\) \+ (\d+)\), LongType, Timestamp")
# What a window is cut from, the innermost of Spark's conversions: a column, or an expression.
_CUT_FROM = re.compile(
    r"precisetimestampconversion\((?!\(|precise)(.+?), TimestampType, LongType\)"
)
_COLUMN = re.compile(r"\w+#\d+")
_NOW = re.compile(r"\b(current_timestamp|now|localtimestamp)\(\)")
BATCH, ARRIVAL, TEXT = "batch", "arrival", "text"


@dataclass(frozen=True)
class Windows:
    """How a query cuts event time into windows.

    Parameters
    ----------
    length, slide
        Event time; a tumbling window slides by its own length.
    offset
        By how much the windows are moved against full hours (``startTime``).
    """

    length: timedelta
    slide: timedelta
    offset: timedelta = timedelta(0)

    def around(self, time: datetime) -> list[tuple[datetime, datetime]]:
        """Return start and end of each window that a time falls into, the oldest first.

        Examples
        --------
        >>> ten = Windows(length=timedelta(minutes=10), slide=timedelta(minutes=5))
        >>> [f"{start:%H:%M}" for start, _ in ten.around(datetime(2024, 1, 1, 10, 7, tzinfo=UTC))]
        ['10:00', '10:05']
        """
        start = time - ((time - EPOCH - self.offset) % self.slide)
        found = []
        while start + self.length > time:
            found.append((start, start + self.length))
            start -= self.slide
        return found[::-1]


@dataclass(frozen=True)
class QueryFacts:
    """What a started query is set to do.

    Parameters
    ----------
    mode
        ``append``, ``update`` or ``complete``.
    zone
        The session's time zone, by name.
    cores
        How many tasks run at once.
    interval_s
        Seconds of processing time between two batches; None when the next one starts at once.
    delay
        The watermark's delay in event time; None without one, and when there are several.
    windows
        The windows of the query's one aggregation, when each row below the watermark reaches it
        (no filter or join between); else None.
    watermarks
        How many watermarks it sets.
    timeless
        ``Aggregate`` or ``Deduplicate`` for each operation whose keys hold no event time, so that
        no watermark can remove its state.
    clock
        ``batch`` or ``arrival`` when the windows are cut from such a time and not from one in the
        rows, ``text`` when they are cut from text; else empty.
    grid
        The windows that it cuts, whether all rows reach them or not; None without any.
    """

    mode: str
    zone: str = "UTC"
    cores: int = 1
    interval_s: float | None = None
    delay: timedelta | None = None
    windows: Windows | None = None
    watermarks: int = 0
    timeless: tuple[str, ...] = ()
    clock: str = ""
    grid: Windows | None = None


def query_facts(query: Any) -> QueryFacts:
    """Return what a query is set to do; it may have ended.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark.
    """
    execution = query._jsq.streamingQuery()
    session = query._jsq.sparkSession()
    plan = execution.analyzedPlan().toString()
    return QueryFacts(
        mode=execution.outputMode().toString().lower(),
        zone=session.conf().get("spark.sql.session.timeZone"),
        cores=session.sparkContext().defaultParallelism(),
        interval_s=_interval_s(execution.trigger()),
        delay=delay_in(plan),
        windows=windows_in(plan),
        watermarks=plan.count(_WATERMARK),
        timeless=timeless_in(plan),
        clock=clock_in(plan),
        grid=_read_windows(plan),
    )


def delay_in(plan: str) -> timedelta | None:
    """Return the delay of the only watermark in the text of a plan."""
    found = set(_DELAY.findall(plan))
    if plan.count(_WATERMARK) != 1 or len(found) != 1:
        return None
    return timedelta(milliseconds=int(found.pop()))


def timeless_in(plan: str) -> tuple[str, ...]:
    """Return the operations in the text of a plan whose keys hold no event time.

    Examples
    --------
    >>> timeless_in("~Aggregate [window#9-T60000ms, who#1], [count(1)]")
    ()
    >>> timeless_in("+- ~Deduplicate [who#1]")
    ('Deduplicate',)
    """
    return tuple(node for node, keys in _KEYS.findall(plan) if not _DELAY.search(keys))


def clock_in(plan: str) -> str:
    """Return what other than a time in the rows the windows in the text of a plan are cut from.

    Examples
    --------
    >>> clock_in("precisetimestampconversion(now(), TimestampType, LongType)")
    'batch'
    """
    found = _CUT_FROM.search(plan)
    if found is None:
        return ""
    # A column is made where a line of the plan says "… AS its name".
    column = _COLUMN.search(found[1])
    name = re.escape(column[0]) if column else "nothing"
    source = "".join([found[1], *re.findall(rf"([^\[\n]*?) AS {name}\b", plan)])
    if _NOW.search(source):
        return BATCH
    if "file_modification_time" in source:
        return ARRIVAL
    field = name.partition("\\#")[0].partition("#")[0]
    is_text = f"StructField({field},StringType" in plan or source.endswith("as string)")
    return TEXT if is_text and found[1].startswith("cast(") else ""


def windows_in(plan: str) -> Windows | None:
    """Return the windows in the text of a plan, when they get every row below the watermark."""
    nodes = [line.lstrip(" :+-~") for line in plan.splitlines() if line.strip()]
    stateful = [i for i, node in enumerate(nodes) if _name(node).startswith(_STATEFUL)]
    marks = [i for i, node in enumerate(nodes) if node.startswith(_WATERMARK)]
    if len(stateful) != 1 or len(marks) != 1 or not nodes[stateful[0]].startswith("Aggregate"):
        return None
    between = nodes[stateful[0] + 1 : marks[0]]
    if not between or not all(map(_PASSES_ALL.match, between)):
        return None
    return _read_windows("\n".join(between))


def _name(node: str) -> str:
    return node.split(" ", maxsplit=1)[0].removeprefix("Global").removeprefix("Local")


def _read_windows(nodes: str) -> Windows | None:
    slide, length = _SLIDE.search(nodes), _LENGTH.search(nodes)
    if slide is None or length is None:
        return None
    return Windows(
        length=timedelta(microseconds=int(length[1])),
        slide=timedelta(microseconds=int(slide[2])),
        offset=timedelta(microseconds=int(slide[1])),
    )


def _interval_s(trigger: Any) -> float | None:
    if trigger.getClass().getSimpleName() != "ProcessingTimeTrigger":
        return None
    return trigger.intervalMs() / 1000 or None


def trigger_of(query: Any) -> str:
    """Return what starts a query's batches; the query may have ended.

    It is ``ProcessingTime`` (the default too), ``OneTime``, ``AvailableNow`` or ``Continuous``.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark.
    """
    name = str(query._jsq.streamingQuery().trigger().getClass().getSimpleName())
    return name.removesuffix("$").removesuffix("Trigger")
