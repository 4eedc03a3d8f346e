"""What a batch of DStreams costs, with the lab's Python workers and with Spark's own.

    .venv/bin/python benchmarks/ticks.py

Medians over five fresh processes of each, in turns, so that they share the machine's mood; a batch
is a ``reduceByKey`` over two pairs, moved on by ``lab.tick``. ``--runs 1`` for a quick look.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from labkit.engine import python_workers

WORKERS = {"Spark's": "pyspark.daemon", "the lab's": python_workers.__name__}
# The first batches start workers; then the seconds of each.
CHILD = """
import sys, time
import labkit as lab
lab.headless()
sc = lab.spark(conf={"spark.python.daemon.module": sys.argv[1]}).sparkContext
ssc = lab.streaming_context()
pairs = ssc.queueStream([[("a", 1), ("b", 2)]] * 30)
pairs.reduceByKey(lambda one, other: one + other).foreachRDD(lambda rdd: rdd.collect() and None)
ssc.start()
lab.tick(ssc, 5)
begun = time.perf_counter()
lab.tick(ssc, 20)
print((time.perf_counter() - begun) / 20)
ssc.stop(stopSparkContext=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    took: dict[str, list[float]] = {name: [] for name in WORKERS}
    for _ in range(runs):
        for name, module in WORKERS.items():
            took[name].append(seconds(module))
    medians = {name: statistics.median(found) for name, found in took.items()}
    for name, found in took.items():
        print(f"{name:<10} {medians[name]:.3f} s a batch ({min(found):.3f} to {max(found):.3f})")
    ratio = medians["the lab's"] / medians["Spark's"]
    print(f"ratio: {ratio:.2f}")
    print(f"load after: {os.getloadavg()[0]:.1f}")


def seconds(module: str) -> float:
    call = (sys.executable, "-c", CHILD, module)
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
