"""How well feeds keep their rate, and how much of Kafka's speed they leave.

    python benchmarks/feeds.py            both parts, about three minutes
    python benchmarks/feeds.py rates      1, 100 and 2,000 events a second, ten seconds each
    python benchmarks/feeds.py kafka      a feed, a bare send loop and Kafka's own tool

Run it on an idle machine; the numbers of a busy one say nothing.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import labkit as lab
from labkit import settings
from labkit.feeds.encode import json_text
from labkit.jars import ivy
from labkit.java import require_java

RATES_PER_S = (1, 100, 2000)
SECONDS = 10.0
EVENTS = 30_000
ROUNDS = 5


def rates() -> None:
    print(f"rate wanted   mean over {SECONDS:g} s   off by")
    for rate_per_s in RATES_PER_S:
        mean = _mean_rate(rate_per_s)
        print(f"{rate_per_s:>11,}   {mean:>13,.2f}   {abs(mean / rate_per_s - 1):.2%}")


def _mean_rate(rate_per_s: float) -> float:
    feed = lab.feed(lab.Orders(seed=7), to=lab.folder("rates"))
    start = time.monotonic()
    feed.start(rate_per_s)
    time.sleep(start + SECONDS - time.monotonic())
    sent, seconds = feed.sent, time.monotonic() - start
    feed.close()
    return sent / seconds


def kafka() -> None:
    broker, tools = lab.kafka(), _tools()
    runs: dict[str, Callable[[], float]] = {
        "feed": lambda: _feed(broker),
        "bare send loop": lambda: _bare_loop(broker),
        "kafka-producer-perf-test": lambda: _perf_test(broker, tools),
    }
    rates_per_s: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):  # in turns, so that a slow minute hits all three
        for name, run in runs.items():
            rates_per_s[name].append(run())
    medians = {name: statistics.median(found) for name, found in rates_per_s.items()}
    print(f"{EVENTS:,} orders in one step, medians of {ROUNDS}, records per second:")
    for name, median in medians.items():
        share = medians["feed"] / median
        print(f"  {name:<26} {median:>10,.0f}   feed / this = {share:.2f}")


def _feed(broker: Any) -> float:
    """Make the events, encode them, send them with headers, and wait for the broker."""
    feed = lab.feed(lab.Orders(seed=7), to=broker.topic("feed"), batch=EVENTS, key="customer")
    feed.target.producer()  # connected beforehand, as the bare loop's producer is
    start = time.perf_counter()
    feed.step()
    seconds = time.perf_counter() - start
    feed.close()
    return EVENTS / seconds


def _bare_loop(broker: Any) -> float:
    """Send the same records, encoded beforehand, with a producer as it comes."""
    from kafka import KafkaProducer  # noqa: PLC0415 (the rates need no Kafka)

    topic = broker.topic("bare").name
    records = [
        (event.value["customer"].encode(), json_text(event).encode(), _headers(number))
        for number, event in enumerate(islice(lab.Orders(seed=7), EVENTS), start=1)
    ]
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers, acks="all")
    producer.partitions_for(topic)
    start = time.perf_counter()
    for key, value, headers in records:
        producer.send(topic, value, key, headers)
    producer.flush()
    seconds = time.perf_counter() - start
    producer.close()
    return EVENTS / seconds


def _headers(number: int) -> list[tuple[str, bytes]]:
    return [("number", b"%d" % number), ("run", b"1")]


def _perf_test(broker: Any, tools: Path) -> float:
    """Let Kafka's Java tool send records of the same mean size."""
    sizes = [len(json_text(event)) for event in islice(lab.Orders(seed=7), 1000)]
    options = {
        "--topic": broker.topic("perf").name,
        "--num-records": EVENTS,
        "--record-size": round(statistics.mean(sizes)),
        "--throughput": -1,
        "--bootstrap-server": broker.bootstrap_servers,
        "--command-property": "acks=all",
    }
    words = [str(word) for option in options.items() for word in option]
    class_path = f"{tools}:{settings.jars() / 'broker'}/*"
    java = [str(require_java().path), "-Xmx256m", "-cp", class_path]
    tool = "org.apache.kafka.tools.ProducerPerformance"
    done = subprocess.run([*java, tool, *words], capture_output=True, text=True, check=False)
    found = re.findall(r"([\d.]+) records/sec", done.stdout)
    if not found:
        sys.exit(f"{tool} failed:\n{done.stdout}\n{done.stderr}")
    return float(found[-1])


def _tools() -> Path:
    """Return the jar with Kafka's own tools; the lab itself does not need it."""
    version = next(line.revision for line in ivy.wanted() if line.name == "kafka_2.13")
    tools = ivy.Wanted("tools", "org.apache.kafka", "kafka-tools", version)
    folder = settings.home() / "benchmarks"
    if not ivy.arrived(folder, tools.file_name):
        ivy.download([tools], folder)
    return ivy.arrived(folder, tools.file_name)[0]


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["rates", "kafka"]
    for part in wanted:
        {"rates": rates, "kafka": kafka}[part]()
    lab.stop_all()
