"""A session's start and a stateful batch, against plain Spark: medians of 5 fresh processes.

    .venv/bin/python benchmarks/start.py

Goals: ``lab.spark()`` to the end of a first streaming aggregation batch in at most half the time
that plain ``SparkSession.builder.getOrCreate()`` takes for the same; a stateful batch at least 30
times faster than with Spark's defaults. Both in one run, in turns, so that they share the
machine's mood. ``--runs 1`` for a quick look.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from labkit import settings
from labkit.engine import archive

# The first batch from the first import on; then batches of a warm query, in ms.
CHILD = """
import json, sys, time
begun = time.perf_counter()
if sys.argv[1] == "plain":
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.getOrCreate()
else:
    import labkit as lab
    spark = lab.spark()
session = time.perf_counter() - begun
from pyspark.sql import functions as F
rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 20).load()
counts = rows.groupBy((F.col("value") % 3).alias("k")).count()
query = counts.writeStream.format("memory").queryName("q").outputMode("complete").start()
def batches():
    return [p.batchDuration for p in query.recentProgress if p.numInputRows]
while not batches():
    time.sleep(0.01)
first = time.perf_counter() - begun
while len(batches()) < int(sys.argv[2]):
    time.sleep(0.01)
print(json.dumps({"session": session, "first": first, "batch": batches()[1:]}))
query.stop()
"""
# How many batches are watched: enough to be warm; Spark's defaults take seconds for each.
KINDS = {"plain": 4, "lab": 30, "lab without archive": 30}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    if archive.current() is None:
        sys.exit("There is no class-data archive: run `labkit fetch` first.")
    seen: dict[str, list[dict[str, object]]] = {kind: [] for kind in KINDS}
    for turn in range(runs):
        for kind in KINDS:
            seen[kind].append(once(kind))
            print(f"run {turn + 1}, {kind}: {told(seen[kind][-1:])}", flush=True)
    report(seen)


def once(kind: str) -> dict[str, object]:
    command = [sys.executable, "-c", CHILD, kind.split(maxsplit=1)[0], str(KINDS[kind])]
    environment = {**os.environ}
    with tempfile.TemporaryDirectory() as empty:
        if "without" in kind:  # the same jars under another path: no archive fits them
            Path(empty, "spark").symlink_to(settings.jars() / "spark")
            environment["LABKIT_JARS"] = empty
        done = subprocess.run(
            command, env=environment, cwd=empty, capture_output=True, text=True, check=True
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def medians(found: Sequence[dict[str, object]]) -> tuple[float, float, float]:
    """Return seconds to the session and to the first batch's end, and ms of a warm batch."""
    warm = [statistics.median(run["batch"][len(run["batch"]) // 2 :]) for run in found]
    session, first = ([run[key] for run in found] for key in ("session", "first"))
    return statistics.median(session), statistics.median(first), statistics.median(warm)


def told(found: Sequence[dict[str, object]]) -> str:
    session, first, warm = medians(found)
    return f"session {session:.2f} s, first batch done {first:.2f} s, later batch {warm:.0f} ms"


def report(seen: dict[str, list[dict[str, object]]]) -> None:
    print()
    for kind, found in seen.items():
        print(f"{kind:20} {told(found)}")
    (_, plain, plain_batch), (_, lab, lab_batch), (_, without, _) = map(medians, seen.values())
    print(f"first batch, lab / plain:   {lab / plain:.2f}  (goal: at most 0.50)")
    print(f"without the archive:        {without / plain:.2f}")
    print(f"stateful batch, plain / lab: {plain_batch / lab_batch:.0f}  (goal: at least 30)")


if __name__ == "__main__":
    main()
