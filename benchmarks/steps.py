"""lab.run_stream: what a step costs, by kind of query.

    .venv/bin/python benchmarks/steps.py

Goals on two idle cores, medians over five runs: 0.2 s a step without state or with groups, 0.4 s
with windows in append mode (their extra batches included), 0.8 s for a join of two streams.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from pyspark.sql import functions as F

from labkit.course.running.stepping import Run, run_stream
from labkit.events.script import Script

RUNS = 5
STEPS = 8


def main() -> None:
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {STEPS} steps a run")
    begun = time.perf_counter()
    run_stream(big_only, rows())
    print(f"first run of a fresh kernel, Spark's start included: {since(begun):.2f} s")
    report("no state", 0.2, lambda inputs: run_stream(big_only, *inputs), 1)
    report("groups, update", 0.2, lambda i: run_stream(totals, *i, output_mode="update"), 1)
    report("groups, complete", 0.2, lambda i: run_stream(totals, *i, output_mode="complete"), 1)
    report("windows, append", 0.4, lambda inputs: run_stream(windows, *inputs), 1)
    report("join of two streams", 0.8, lambda inputs: run_stream(joined, *inputs), 2)
    print(f"load after: {os.getloadavg()[0]:.1f}")


def report(what: str, goal_s: float, run: Callable[[list[Script]], Run], inputs: int) -> None:
    """Time whole runs, and a run of one step, which is what every run costs besides."""
    run([rows()] * inputs)
    many = [seconds(run, [rows()] * inputs) for _ in range(RUNS)]
    one = statistics.median(seconds(run, [rows(1)] * inputs) for _ in range(RUNS))
    a_step = [(total - one) / (STEPS - 1) for total in many]
    print(
        f"{what:<22} {statistics.median(a_step):6.3f} s a step "
        f"({min(a_step):.3f} to {max(a_step):.3f}; goal {goal_s:g}), "
        f"a run of one step {one:.2f} s"
    )


def seconds(run: Callable[[list[Script]], Run], inputs: list[Script]) -> float:
    begun = time.perf_counter()
    seen = run(inputs)
    if seen.error is not None:
        raise seen.error
    return since(begun)


def since(begun: float) -> float:
    return time.perf_counter() - begun


def rows(steps: int = STEPS) -> Script:
    """Return two rows a step, five minutes after those of the step before."""
    times = [f"10:{5 * step:02d}" for step in range(steps)]
    text = "\n\n".join(f"{at} anna {n}\n{at}:30 ben {n}" for n, at in enumerate(times))
    return Script(text, columns="user string, amount int")


def big_only(df: Any) -> Any:
    return df.where("amount > 2")


def totals(df: Any) -> Any:
    return df.groupBy("user").sum("amount")


def windows(df: Any) -> Any:
    marked = df.withWatermark("event_time", "1 minute")
    return marked.groupBy(F.window("event_time", "5 minutes")).count()


def joined(left: Any, right: Any) -> Any:
    left = left.withWatermark("event_time", "1 minute").alias("l")
    right = right.withWatermark("event_time", "1 minute").alias("r")
    near = "r.event_time BETWEEN l.event_time AND l.event_time + INTERVAL 1 MINUTE"
    return left.join(right, F.expr(f"l.user = r.user AND {near}"))


if __name__ == "__main__":
    main()
