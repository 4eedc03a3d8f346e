"""What the class-data archive is made from: a session that does what lessons do, then ends well.

Run by :func:`labkit.engine.archive.build` as a process of its own (``python -m``). It needs no
broker: Kafka's classes are loaded by their names.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import SparkContext
from pyspark.sql import functions as F

from labkit import scratch
from labkit.engine.session import spark
from labkit.errors import MissingNeed
from labkit.services import guard

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMA = "at timestamp, k string, n int"
# Loading is enough: the archive holds what was loaded, and linking pulls in what they refer to.
KAFKA_CLASSES = (
    "org.apache.spark.sql.kafka010.KafkaSourceProvider",
    "org.apache.spark.sql.kafka010.KafkaMicroBatchStream",
    "org.apache.spark.sql.kafka010.KafkaOffsetReaderAdmin",
    "org.apache.spark.sql.kafka010.KafkaScan",
    "org.apache.spark.sql.kafka010.consumer.KafkaDataConsumer",
    "org.apache.spark.sql.kafka010.producer.InternalKafkaProducerPool",
    "org.apache.kafka.clients.admin.KafkaAdminClient",
    "org.apache.kafka.clients.consumer.KafkaConsumer",
    "org.apache.kafka.clients.producer.KafkaProducer",
)
END_S = 240.0


def main() -> None:
    """Run the queries, then let Java end by itself: it writes the archive then."""
    session = _session()
    place = scratch.place("warm-up")
    place.mkdir(parents=True)
    _streams(session, place)
    _classes(session)
    gateway: Any = SparkContext._gateway
    session.stop()
    guard.forget(gateway.proc.pid)  # the guard would not leave it the time to write
    gateway.proc.stdin.close()
    gateway.proc.wait(END_S)


def _session() -> SparkSession:
    try:
        return spark(connectors=("kafka", "delta", "iceberg"))
    except MissingNeed:  # not all jars are here
        return spark(connectors=())


def _streams(session: SparkSession, place: Path) -> None:
    rows = [{"at": f"2024-01-01 10:0{i}:00", "k": "ab"[i % 2], "n": i} for i in range(6)]
    for kind, line in (("json", json.dumps), ("csv", lambda row: ",".join(map(str, row.values())))):
        folder = place / kind
        folder.mkdir()
        (folder / "1").write_text("\n".join(line(row) for row in rows))
        source = session.readStream.schema(SCHEMA).format(kind).load(str(folder))
        for mode, table in _tables(source):
            _run(table.writeStream.format("memory").outputMode(mode), f"{kind}_{mode}")
    session.sql("select * from json_complete").toPandas()
    session.sql("select * from csv_append").collect()


def _tables(source: DataFrame) -> list[tuple[str, DataFrame]]:
    marked = source.withWatermark("at", "1 minute")
    windows = marked.groupBy(F.window("at", "2 minutes"), "k").agg(F.sum("n"), F.avg("n"))
    plain = source.where("n > 0").select("k", F.udf(lambda n: n + 1, "int")("n"))
    return [("complete", source.groupBy("k").count()), ("update", windows), ("append", plain)]


def _run(writer: Any, name: str) -> None:
    query = writer.queryName(name).start()
    query.processAllAvailable()
    query.stop()


def _classes(session: SparkSession) -> None:
    for name in KAFKA_CLASSES:
        with suppress(Exception):  # a class less is a little time lost, nothing else
            session._jvm.java.lang.Class.forName(name)


if __name__ == "__main__":
    main()
