"""What goes amiss between Spark and Kafka, as far as an error shows it."""

from __future__ import annotations

from labkit.engine.causes import Facts
from labkit.engine.signature import Signature

LESSON = "05"


def _lacks_a_class(facts: Facts) -> bool:
    """Whether a class is missing: the connector's names stand in every trace of its tasks."""
    missing = ("Could not initialize class", "NoClassDefFound", "ClassNotFound")
    return any(words in facts.said for words in missing)


TABLE = (
    Signature(
        id="K01",
        fragments=("Failed to find data source: kafka", "Failed to find the data source: kafka"),
        sentence="Spark has no connector for Kafka here: it is a jar of its own.",
        cure="Run `labkit fetch` in a terminal, restart the kernel, and call "
        'lab.spark(connectors=("kafka",)).',
        lesson=LESSON,
    ),
    Signature(
        id="K02",
        fragments=("NoClassDefFoundError: scala/", "StreamWriteSupport", "GenTraversableOnce"),
        sentence="A jar is made for another Scala or another Spark.",
        cure="Run `labkit fetch` in a terminal, restart the kernel, and call lab.spark().",
        lesson=LESSON,
    ),
    Signature(
        id="K03",
        fragments=("KafkaDataConsumer$", "KafkaSourceProvider$", "KafkaConfigUpdater"),
        needs=_lacks_a_class,
        sentence="The Kafka connector is here, but the jars that it needs are not.",
        cure="Run `labkit fetch` in a terminal, restart the kernel, and call lab.spark().",
        lesson=LESSON,
    ),
    Signature(
        id="K13",
        fragments=("UnknownTopicOrPartition",),
        sentence="There is no topic of this name.",
        cure='Make it first with kafka.topic("orders"): a source never makes its topic.',
        lesson=LESSON,
    ),
    Signature(
        id="K13",
        fragments=("node assignment", "No resolvable bootstrap urls"),
        sentence="No Kafka broker answers at this address.",
        cure="Look at the address and the port: kafka = lab.kafka() starts a broker, and "
        "kafka.bootstrap_servers is its address.",
        lesson=LESSON,
    ),
    Signature(
        id="K10",
        fragments=("Some data may have been lost", "Cannot fetch offset"),
        sentence="The checkpoint names rows that are no longer in the topic.",
        cure='Use a new folder in .option("checkpointLocation", folder); or, if the loss is fine, '
        '.option("failOnDataLoss", "false").',
        lesson=LESSON,
    ),
    Signature(
        id="K12",
        fragments=("Required attribute 'value' not found",),
        sentence="Kafka's sink sends a column named value, and there is none.",
        cure='Make it: select(to_json(struct("*")).alias("value")).',
        lesson=LESSON,
    ),
    Signature(
        id="K12",
        fragments=("value attribute unsupported type", "key attribute unsupported type"),
        sentence="Kafka's sink takes text or bytes only.",
        cure='Cast the column: col("amount").cast("string").alias("value").',
        lesson=LESSON,
    ),
    Signature(
        id="K12",
        fragments=("topic option required",),
        sentence="Kafka's sink does not know the topic.",
        cure='Add .option("topic", "orders"), or a column named topic.',
        lesson=LESSON,
    ),
    Signature(
        id="K12",
        fragments=("contains a null topic",),
        sentence="A row names no topic: its column topic is null.",
        cure="Name a topic that exists in each row: when(…, …).otherwise(…) leaves no null.",
        lesson=LESSON,
    ),
    Signature(
        id="K08",
        fragments=("'auto.offset.reset' is not supported",),
        sentence="Spark keeps its own place in a topic, so Kafka's option does not count.",
        cure='Use .option("startingOffsets", "earliest").',
        lesson=LESSON,
    ),
    Signature(
        id="K08",
        fragments=("starting offset can't be latest",),
        sentence="A static read of a topic cannot begin at its end.",
        cure='Use .option("startingOffsets", "earliest"), or spark.readStream.',
        lesson=LESSON,
    ),
    Signature(
        id="K08",
        fragments=('Expected e.g. {"topicA"', "startingOffsets contains specific offsets"),
        sentence="Spark cannot read the start position.",
        cure='Use .option("startingOffsets", "earliest"), or name each partition: '
        '\'{"orders": {"0": 5, "1": -2}}\'.',
        lesson=LESSON,
    ),
    Signature(
        id="K06",
        fragments=("deserializer' is not supported", "serializer' is not supported"),
        sentence="Spark always reads and writes Kafka's rows as bytes.",
        cure='Leave the option out, and cast: col("value").cast("string").',
        lesson=LESSON,
    ),
    Signature(
        id="K09",
        fragments=("options must be specified for Kafka source",),
        sentence="Spark does not know which topic to read.",
        cure='Add .option("subscribe", "orders").',
        lesson=LESSON,
    ),
    Signature(
        id="K09",
        fragments=("options can be specified for Kafka source",),
        sentence="The topic is given in two ways.",
        cure='Keep one: .option("subscribe", "orders") or .option("subscribePattern", "orders.*").',
        lesson=LESSON,
    ),
    Signature(
        id="K09",
        fragments=("Kafka parameters for same cache key should be equal",),
        sentence="Spark keeps its readers by consumer group, and this group read from elsewhere.",
        cure='Give a new name in .option("kafka.group.id", …), or leave it out: Spark makes one.',
        lesson=LESSON,
    ),
    Signature(
        id="K05",
        fragments=(
            "ption 'kafka.bootstrap.servers' must be specified",
            "Kafka option bootstrap.servers is not set",
        ),
        sentence="Spark does not know where the broker is.",
        cure='Add .option("kafka.bootstrap.servers", kafka.bootstrap_servers).',
        lesson=LESSON,
    ),
    Signature(
        id="K15",
        fragments=("No module named 'pyspark.streaming.kafka'",),
        sentence="DStreams for Kafka are gone from Python since Spark 3.0.",
        cure='Use spark.readStream.format("kafka").',
        lesson=LESSON,
    ),
)
