"""What a view costs: its kernel's processor time, its query, its memory, its messages.

    .venv/bin/python benchmarks/views.py

Goals, each a ratio or a size within one run, on an idle machine:

- processor time of the kernel (this process, not Spark's) at 4 batches a second: with a table or a
  plot at most 0.05 of a core more than without; a batch takes at most 1.1 times as long;
- a refresh with 10^6 rows in the memory table at most 1.5 times one with 10^2, in append and in
  complete mode;
- less than 30 MB more in the kernel after 1,000 batches; at most 4 messages a second; frames and
  messages of at most 40 KB (40,960 bytes).

``--quick`` runs a few seconds only: it shows that the script works, not what a view costs.
"""

# ruff: noqa: SLF001 - it puts a page of its own where the widget of a notebook would be

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from pyspark.sql import functions as F

import labkit as lab
from labkit.engine.batches import Batch, BatchReader, Column
from labkit.engine.progress import from_json
from labkit.views.table.model import Table, fold
from labkit.views.table.page import render
from labkit.views.view import View
from labkit.waiting import wait_until

NAME = "views_benchmark"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    # 10^6 rows in complete mode, their state included, took 970 MB: in the usual heap of 512 MB
    # Java's memory would be measured, not the view.
    os.environ.setdefault("LABKIT_HEAP", "2048")
    spark = lab.spark()
    fold_memory(100 if quick else 1000)
    cost_of_a_view(spark, seconds=5 if quick else 10, turns=1 if quick else 3)
    for mode in ("append", "complete"):
        refresh(spark, mode, many=10_000 if quick else 1_000_000, times=3 if quick else 20)
    memory(spark, batches=20 if quick else 1000)


@contextmanager
def started(frame: Any, mode: str, name: str = NAME, **trigger: Any) -> Iterator[Any]:
    """Give a memory query that runs; it is stopped at the end."""
    writer = frame.writeStream.format("memory").queryName(name).outputMode(mode)
    query = (writer.trigger(**trigger) if trigger else writer).start()
    try:
        yield query
    finally:
        lab.stop(query)


def source(spark: Any, rows: int) -> Any:
    stream = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", rows)
    return stream.option("numPartitions", 1).load()


class Notes:
    """Stands for the page: notes the size of each message that it would get."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def send(self, message: dict[str, Any]) -> None:
        """Take a message, as the widget does."""
        self.sizes.append(len(json.dumps(message, ensure_ascii=False).encode()))

    sent = property(fset=send)


def draw(ax: Any, rows: Any) -> None:
    ax.bar(rows["k"], rows["count"])
    ax.set_title("Rows of each key")
    ax.set_xlabel("key")


OPENERS: dict[str, Callable[[Any], View[Any]]] = {
    "table": lab.live,
    "plot": lambda query: lab.plot(query, draw),
}


def cost_of_a_view(spark: Any, *, seconds: int, turns: int) -> None:
    """Measure the kernel and the query in turns: without a view, with a table, with a plot."""
    counts = source(spark, 20).groupBy((F.col("value") % 50).alias("k")).count()
    used: dict[str, list[float]] = {kind: [] for kind in ("", *OPENERS)}
    took: dict[str, list[float]] = {kind: [] for kind in ("", *OPENERS)}
    messages = dict.fromkeys(OPENERS, 0)
    with started(counts, "complete", processingTime="250 milliseconds") as query:
        settle(query)
        for _ in range(turns):
            for kind in ("", *OPENERS):
                view, notes = watched(query, kind) if kind else (None, Notes())
                share, batch_ms = measured(query, seconds)
                used[kind].append(share)
                took[kind].append(batch_ms)
                if view is not None:
                    messages[kind] = max(messages[kind], len(notes.sizes))
                    view.close()
    for kind, count in messages.items():
        more = statistics.median(used[kind]) - statistics.median(used[""])
        ratio = statistics.median(took[kind]) / statistics.median(took[""])
        print(f"kernel, part of a core for a {kind}:    {more:.3f}  (goal: at most 0.05)")
        print(f"batch time, with a {kind} / without:  {ratio:.2f}  (goal: at most 1.10)")
        print(f"messages a second of a {kind}:        {count / seconds:.1f}  (goal: at most 4)")
    print(f"kernel, part of a core without a view:   {statistics.median(used['']):.3f}")


def settle(query: Any) -> None:
    """Wait until the query is warm, and load what the first drawing loads."""

    def warm() -> bool:
        return len(query.recentProgress) >= 8

    wait_until(warm, what="The query is not warm", timeout_s=120)
    view, _ = watched(query, "plot")
    view.to_text()
    view.close()


def watched(query: Any, kind: str) -> tuple[View[Any], Notes]:
    """Open a view, and give it a page that notes its messages."""
    view, notes = OPENERS[kind](query), Notes()
    view._widget = notes  # type: ignore[assignment]
    return view, notes


def measured(query: Any, seconds: int) -> tuple[float, float]:
    """Return the share of a core that this process used, and the median batch time in ms."""
    first = query.lastProgress.batchId
    before, began = time.process_time(), time.monotonic()
    time.sleep(seconds)
    share = (time.process_time() - before) / (time.monotonic() - began)
    done = [p for p in query.recentProgress if p.batchId > first]
    return share, statistics.median(p.durationMs["triggerExecution"] for p in done)


def refresh(spark: Any, mode: str, *, many: int, times: int) -> None:
    """Compare reading and drawing a batch of a large and of a small memory table.

    Both are there at once and take turns, so whatever else the machine does meets both.
    """
    few_s, many_s = list[float](), list[float]()
    with filled(spark, mode, 100) as few, filled(spark, mode, many) as large:
        for turn in range(times + 3):
            small_s, large_s = one_refresh(*few), one_refresh(*large)
            if turn >= 3:  # the first ones load what the others have
                few_s.append(small_s)
                many_s.append(large_s)
    few_ms, many_ms = (1000 * statistics.median(taken) for taken in (few_s, many_s))
    print(
        f"refresh in {mode}, {many:,} rows / 100:  {many_ms / few_ms:.2f}  (goal: at most 1.50;"
        f" {few_ms:.1f} and {many_ms:.1f} ms)"
    )


@contextmanager
def filled(spark: Any, mode: str, rows: int) -> Iterator[tuple[Any, Any]]:
    """Give a stopped query with ``rows`` rows in its table, and the report of its last batch.

    Append: the table has them from its first batch, and the report is of a later batch of 100.
    Complete: the batch has sent all of them.
    """
    if mode == "append":
        frame = source(spark, 100).select("value", F.lit(rows // 100).alias("times"))
        first = F.when(F.col("value") < 100, F.col("times")).otherwise(1)
        # Only the first batch is multiplied, so later batches are the same in both tables.
        frame = frame.select(F.explode(F.array_repeat("value", first.cast("int"))).alias("value"))
        wanted, pause = 2, "250 milliseconds"
    else:
        frame = source(spark, rows).groupBy((F.col("value") % rows).alias("k")).count()
        wanted, pause = 1, "1 hour"  # its first batch has all rows: a million take a while
    with started(frame, mode, f"{NAME}_{rows}", processingTime=pause) as query:
        wait_until(lambda: len(query.recentProgress) >= wanted, what="No batch", timeout_s=300)
        query.stop()
        report = next(p for p in reversed(query.recentProgress) if p.numInputRows)
        yield query, from_json(report.json)


def one_refresh(query: Any, progress: Any) -> float:
    reader = BatchReader(query)
    table = Table(NAME, reader.columns, (0,) if reader.mode == "complete" else None)
    began = time.perf_counter()
    (batch,) = reader.read(progress)
    render(fold(table, batch), 50)
    return time.perf_counter() - began


def memory(spark: Any, batches: int) -> None:
    """Compare the kernel's memory after a few batches and after many."""
    rows = source(spark, 20).select("value", "timestamp")  # without state: a batch is soon done
    with started(rows, "append") as query:
        view, notes = watched(query, "table")
        at_least(view, 10)
        before = resident()
        at_least(view, 10 + batches)
        grown = (resident() - before) / 1e6
        view.close()
    print(f"kernel memory over {batches:,} batches:    {grown:.1f} MB  (goal: less than 30)")
    largest = max(notes.sizes) / 1000
    print(f"frames kept: {len(view._runner.frames)}; largest message: {largest:.1f} KB")


def at_least(view: View[Any], number: int) -> None:
    wait_until(
        lambda: bool(view._runner.frames) and view._runner.frames[-1].batch >= number,
        what=f"The view has not come to batch {number}",
        timeout_s=1800,
    )


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def fold_memory(batches: int) -> None:
    """Time fold and render alone, with 50 rows of 8 columns, and measure the frame."""
    names = ["order", "customer", "city", "product", "amount", "count", "status", "note"]
    kinds = ["string", "string", "string", "string", "double", "bigint", "string", "string"]
    columns = tuple(Column(name, kind) for name, kind in zip(names, kinds, strict=True))
    table, sizes, drawn_s = Table(NAME, columns, (0,)), [], []
    row: Callable[[int, int], tuple[Any, ...]] = lambda n, turn: (  # noqa: E731 - one row
        *(f"order-{n:05}", f"Anna Schmidt {n}", "Heidelberg", "Espresso machine, steel"),
        *(12.5 * n + turn, 3 * n + turn, "delivered", "left with the neighbour on floor 3"),
    )
    for number in range(batches):
        rows = tuple(row(n, number) for n in range(50))
        report = f'{{"batchId": {number}, "durationMs": {{"addBatch": 1}}}}'
        batch = Batch(number, number, "update", columns, rows, 50, from_json(report), "UTC")
        began = time.process_time()
        table = fold(table, batch)
        frame = render(table, 50)
        drawn_s.append(time.process_time() - began)
        sizes.append(len(json.dumps(frame.as_message(), ensure_ascii=False).encode()))
    print(f"largest frame of 50 rows x 8 columns:  {max(sizes) / 1000:.1f} KB  (goal: at most 40)")
    print(f"fold and render of it:                 {1000 * statistics.median(drawn_s):.1f} ms")


if __name__ == "__main__":
    main()
