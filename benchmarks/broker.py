"""The embedded Kafka broker: seconds until it is ready, and the memory it takes.

    .venv/bin/python benchmarks/broker.py

Goals: ready in less than 3 s and below 220 MB, each the median of five on an idle machine; about
4 s from a restart after ``kill -9`` until it serves again.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
from kafka import KafkaAdminClient, KafkaProducer

from labkit.services import kafka_archive, kafka_node
from labkit.services.kafka import KafkaBroker

RUNS = 5
ROWS = 100_000
# A notebook's first cell in a fresh kernel: imports, guard and broker.
FIRST_CELL = """
import time
begun = time.perf_counter()
import labkit as lab
lab.kafka()
print(time.perf_counter() - begun)
"""


def main() -> None:
    archive = "with" if kafka_archive.is_built() else "WITHOUT (run `labkit fetch`)"
    print(f"broker with -Xmx{kafka_node.HEAP_MIB}m, {archive} its class-data archive")
    report("fresh Python to a ready broker", "s", [first_cell() for _ in range(RUNS)])
    starts, stops, at_first, later, restarts = [], [], [], [], []
    for _ in range(RUNS):
        broker = KafkaBroker()
        starts.append(seconds(broker.start))
        at_first.append(resident_mb(broker))
        write(broker)
        later.append(resident_mb(broker))
        broker.kill()
        restarts.append(seconds(broker.restart))
        stops.append(seconds(broker.stop))
    report("start (the same Python)", "s", starts)
    report("restart after kill -9, with its rows", "s", restarts)
    report("stop", "s", stops)
    report("resident after the start", "MB", at_first)
    report(f"resident after {ROWS:,} rows", "MB", later)


def first_cell() -> float:
    told = subprocess.run(
        [sys.executable, "-c", FIRST_CELL], capture_output=True, text=True, check=True
    )
    return float(told.stdout)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def resident_mb(broker: KafkaBroker) -> float:
    return psutil.Process(broker.pid).memory_info().rss / 2**20


def write(broker: KafkaBroker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics({"rows": {"num_partitions": 2, "replication_factor": 1}})
    admin.close()
    producer = KafkaProducer(bootstrap_servers=broker.address, acks="all", linger_ms=5)
    for number in range(ROWS):
        producer.send("rows", key=b"%d" % (number % 50), value=b'{"order_id": %d}' % number)
    producer.flush()
    producer.close()


def report(what: str, unit: str, values: list[float]) -> None:
    middle, digits = statistics.median(values), 2 if unit == "s" else 0
    spread = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
    print(f"{what:<42} {middle:8.{digits}f} {unit:<3} ({spread})")


if __name__ == "__main__":
    main()
