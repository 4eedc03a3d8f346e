"""What a query that raises nothing says about itself, and what is amiss with it all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from labkit.course.telling.findings import Finding
from labkit.course.telling.silent_time import about_time
from labkit.engine.batches import Batch, BatchReader, running_queries
from labkit.engine.last_error import notebook
from labkit.engine.progress import Progress
from labkit.engine.query_facts import query_facts
from labkit.engine.signatures_time import FAR_YEAR
from labkit.engine.watching import RUNNING, STOPPED, WAITING, WORDS, ProgressReader, State
from labkit.errors import InvalidArgument
from labkit.views.progress.model import Panel, fold
from labkit.views.progress.words import need_of, sentence
from labkit.views.registry import watched_queries

# Each state partition is a store of its own; more than this many for a core only cost time.
STORES_PER_CORE = 4
# One row with a null is no pattern.
NULL_ROWS = 2
NO_BATCH = "Waiting for the first batch: the query runs, and no batch has run yet."
FIRST_BATCH = "The first batch runs now, and has not ended yet."


def title(query: Any) -> str:
    """Name a query in a sentence."""
    return f"Query {query.name}" if query.name else "A query without a name"


def about_query(query: Any) -> list[Finding]:
    """Return what a query that has not failed does, and what is amiss with it.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark, running or stopped.
    """
    reports = list(ProgressReader(query).backlog())
    panel = _panel(query, reports)
    name = title(query)
    found = [Finding(name, sentence(panel) if panel.batches else _without_batch(panel))]
    of_time = list(about_time(reports, panel.facts, name))
    if panel.state.code == STOPPED:
        return [*found, *_taken_over(query, name), *of_time]
    is_ahead = any(finding.id == "M31" for finding in of_time)  # a later event cannot help then
    if panel.batches and need_of(panel) and not is_ahead:
        found[0] = replace(found[0], cure="Send a later event: feed.step().", lesson="09")
    found += [*_no_input(panel, name), *of_time]
    return [*found, *_stores(panel, name), *_rows(query, name)]


def left_over(queries: Iterable[Any]) -> list[Finding]:
    """Return a finding for each running query that nothing in the notebook holds any more.

    Parameters
    ----------
    queries
        The running queries.
    """
    shell = notebook()
    if shell is None:
        return []
    values = list(shell.user_ns.values())
    held = [v for v in [*values, *watched_queries()] if hasattr(type(v), "runId")]
    runs = {query.runId for query in held}
    return [
        Finding(
            title(query),
            "No variable of the notebook holds this query; it may be left over.",
            f'Stop it with lab.stop("{query.name}").'
            if query.name
            else "Stop all queries with lab.stop_all(), or this one: "
            "for q in spark.streams.active: q.stop().",
            id="M54",
            lesson="01",
        )
        for query in queries
        if query.runId not in runs
    ]


def _panel(query: Any, reports: Sequence[Progress]) -> Panel:
    panel = Panel(name=title(query), facts=query_facts(query))
    for report in reports:
        panel = fold(panel, report)
    return replace(panel, state=_state(query))


def _state(query: Any) -> State:
    if not query.isActive:
        return State(STOPPED, WORDS[STOPPED])
    code = RUNNING if query.status["isDataAvailable"] else WAITING
    return State(code, WORDS[code])


def _without_batch(panel: Panel) -> str:
    if panel.state.code == STOPPED:
        return "Stopped: no batch has run."
    return FIRST_BATCH if panel.state.code == RUNNING else NO_BATCH


def _no_input(panel: Panel, name: str) -> Iterator[Finding]:
    in_first_batch = panel.state.code == RUNNING and not panel.batches
    if in_first_batch or any(batch.input_rows for batch in panel.batches):
        return
    if any(batch.kafka for batch in panel.batches):
        yield Finding(
            name,
            "No row has come from the topic since the query started.",
            'Send rows to the topic; or, to read those that are there, .option("startingOffsets", '
            '"earliest") with a new checkpoint folder.',
            "Without a start position a stream begins at the end of a topic. "
            "With an old checkpoint it goes on from there, whatever the option says.",
            id="K08",
            lesson="05",
        )
        return
    yield Finding(
        name,
        "No row has come in since the query started.",
        "Send some: feed.step(). For files, look whether the folder in .load(path) is the right "
        "one, and whether the files are new and whole.",
        id="M65",
        lesson="02",
    )


def _stores(panel: Panel, name: str) -> Iterator[Finding]:
    most = max((batch.partitions for batch in panel.batches), default=0)
    if most > STORES_PER_CORE * panel.facts.cores:
        yield Finding(
            name,
            f"The state lies in {most} partitions, and {panel.facts.cores} cores do the work.",
            'Set spark.conf.set("spark.sql.shuffle.partitions", 2) before the first start, and '
            "use a new checkpoint folder.",
            "Each partition is a store of its own that every batch opens and saves. "
            "Their number is fixed in the checkpoint by the first batch.",
            id="M46",
            lesson="04",
        )


def _rows(query: Any, name: str) -> Iterator[Finding]:
    """Look at the rows of a memory table."""
    try:
        reader = BatchReader(query)
        batches = [batch for batch in reader.backlog() if batch.rows]
    except InvalidArgument:  # another sink: there are no rows to look at
        return
    if any(map(_has_far_time, batches)):
        far = FAR_YEAR
        yield Finding(
            name, far.sentence, far.cure, far.reason, far.id, lesson=far.lesson, heading=far.heading
        )
    yield from _nulls(batches, name)
    if reader.mode == "update":
        yield from _repeated(batches, name)


def _has_far_time(batch: Batch) -> bool:
    """Whether a time, or the end of a window, is text: Python has no such year."""
    columns = enumerate(batch.columns)
    times = [i for i, one in columns if one.type == "timestamp" or one.is_window]
    values = [row[i] for row in batch.rows for i in times]
    ends = [end for value in values for end in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(end, str) for end in ends)


def _nulls(batches: list[Batch], name: str) -> Iterator[Finding]:
    rows = [row for batch in batches for row in batch.rows]
    if len(rows) < NULL_ROWS:
        return
    columns = [column.name for column in batches[0].columns]
    empty = [c for i, c in enumerate(columns) if all(row[i] is None for row in rows)]
    if empty:
        which = f"column {empty[0]}" if len(empty) == 1 else f"columns {', '.join(empty)}"
        yield Finding(
            name,
            f"Every value is null in {which}.",
            "Compare the names and types in .schema(…) with the data: read one file with "
            "spark.read.text(path).show(), and look at capital letters and at a header line.",
            "Spark does not test a schema that it is given. "
            "A name or a type that does not fit gives null, without an error.",
            id="M15",
            lesson="02",
        )


def _repeated(batches: list[Batch], name: str) -> Iterator[Finding]:
    if not batches:
        return
    keys = [i for i, column in enumerate(batches[0].columns) if column.grouping]
    counts = Counter(
        tuple(str(row[i]) for i in keys) for batch in batches for row in batch.rows if keys
    )
    if counts and counts.most_common(1)[0][1] > 1:
        yield Finding(
            name,
            "One key stands in the table several times: update mode adds a row for each change.",
            'Look at the newest rows with lab.live(query), or choose outputMode("complete").',
            id="M49",
            lesson="03",
        )


def _taken_over(query: Any, name: str) -> Iterator[Finding]:
    for other in running_queries():
        if other.id == query.id and other.runId != query.runId:
            yield Finding(
                name,
                "Another start with the same checkpoint has stopped this query.",
                'Give each query a folder of its own: .option("checkpointLocation", folder).',
                "Two queries on one checkpoint would write over each other's place. "
                "So Spark stops the older one, without an error.",
                id="M55",
                lesson="14",
            )
