"""One plan, several output modes: start a memory query for each, as far as Spark allows it."""

from __future__ import annotations

from typing import Any

from labkit.engine.batches import find_nodes, running_queries
from labkit.engine.refusal import Refusal, refused_at_start
from labkit.errors import InvalidArgument, wrong_type

MODES = ("append", "update", "complete")
# Each query reads for itself, and from these it gets the same rows as the others.
REPEATABLE = ("files", "kafka", "rate-micro-batch")
WHY_NOT = {
    "socket": "A socket gives each row to one reader only, so every query would get other rows.",
    "rate": "The rate source makes rows by the clock, so every query would get other rows.",
}
OTHERWISE = "It is not known to give every query the same rows in the same order."
CURES = {
    "socket": "Write the rows to lab.folder(…) or a Kafka topic, and read them from there.",
    "rate": 'Use .format("rate-micro-batch"), which makes the same rows for every query.',
}


def require_repeatable(df: Any) -> None:
    """Check that every query on ``df`` would read the same rows.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: no streaming DataFrame. ``UNKNOWN_CHOICE``: it reads from a source that
        gives each query other rows, such as a socket.
    """
    if not hasattr(df, "_jdf") or not df.isStreaming:
        raise wrong_type("df", df, expected="a streaming DataFrame, as spark.readStream makes it")
    for name in _sources(df._jdf.queryExecution().analyzed()):
        if name not in REPEATABLE:
            raise InvalidArgument(
                "UNKNOWN_CHOICE",
                name="the source",
                value=name,
                choices=", ".join(REPEATABLE),
                cure=" ".join([WHY_NOT.get(name, OTHERWISE), CURES.get(name, "")]).strip(),
            )


def _sources(plan: Any) -> list[str]:
    """Return the names of a plan's sources; all formats of files are called ``files``."""
    names = [relation.sourceName() for relation in find_nodes(plan, "StreamingRelation")]
    others = [relation.sourceName() for relation in find_nodes(plan, "StreamingRelationV2")]
    memory = find_nodes(plan, "StreamingExecutionRelation")
    files = ["files" if name.startswith("FileSource[") else name for name in names]
    return [*files, *others, *("memory" for _ in memory)]


def start_modes(
    df: Any, name: str, modes: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Refusal]]:
    """Start one memory query for each mode, and return them and the refusals, both by mode.

    Queries of these names that still run are stopped first; every query begins at the start of
    its input.

    Parameters
    ----------
    df
        A streaming DataFrame.
    name
        Each query is called ``<name>_<mode>``.
    modes
        Output modes.
    """
    from pyspark.errors import (  # noqa: PLC0415 - only when there is a query
        AnalysisException,
        IllegalArgumentException,
    )

    _stop_earlier({f"{name}_{mode}" for mode in modes})
    queries: dict[str, Any] = {}
    refused: dict[str, Refusal] = {}
    for mode in modes:
        writer = df.writeStream.format("memory").queryName(f"{name}_{mode}").outputMode(mode)
        try:
            queries[mode] = writer.start()
        except (AnalysisException, IllegalArgumentException) as error:
            refused[mode] = refused_at_start(mode, error, df)
            _forget_table(df.sparkSession, f"{name}_{mode}")
        except BaseException:
            for query in queries.values():
                query.stop()
            raise
    return queries, refused


def groups_rows(df: Any) -> bool:
    """Whether a plan combines rows into groups."""
    return bool(find_nodes(df._jdf.queryExecution().analyzed(), "Aggregate"))


def watermark_words(df: Any) -> str:
    """Say which watermark a plan has, such as ``watermark 1 minute``."""
    marks = find_nodes(df._jdf.queryExecution().analyzed(), "EventTimeWatermark")
    delays = sorted({_singular(mark.delay().toString()) for mark in marks})
    return f"watermark {', '.join(delays)}" if delays else "no watermark"


def _singular(delay: str) -> str:
    return delay[:-1] if delay.startswith("1 ") and delay.endswith("s") else delay


def _stop_earlier(names: set[str]) -> None:
    for query in running_queries():
        if query.name in names:
            query.stop()


def _forget_table(session: Any, name: str) -> None:
    """Drop what an earlier query of that name has left, so that nobody reads it as this one's."""
    view = session._jsparkSession.sessionState().catalog().getTempView(name)
    if view.isDefined() and "MemoryPlan" in view.get().toString():
        session.catalog.dropTempView(name)
