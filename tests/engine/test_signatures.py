"""Each signature is met by an error that Spark really raises, or by its recorded text."""

import json
import os
import re
import shutil
import threading
from pathlib import Path

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

import labkit as lab
from labkit.engine import signatures_dstreams
from labkit.engine.causes import Facts, facts_from, facts_of
from labkit.engine.signatures import SIGNATURES, explain_error, signature_of
from labkit.errors import NotFound

# What no healthy kernel shows, or only after minutes: class and text, and where they are from.
RECORDED = json.loads((Path(__file__).parent / "recorded_errors.json").read_text())
A_CALL = re.compile(r"\w\(|`labkit \w+`|'\{")

PROVOKED = []
WITH_KAFKA = []


def provokes(entry, sentence, *, kafka=False):
    """Put a function into the table: run on a bench, it raises that trouble."""

    def keep(function):
        (WITH_KAFKA if kafka else PROVOKED).append((entry, sentence, function))
        return function

    return keep


class Bench:
    """Streams over two small files, and queries that end with the test."""

    schema = "id string, ts timestamp, v int, s string"

    def __init__(self, spark, folder):
        self.spark, self.folder = spark, folder
        self.source = folder / "in"
        self.source.mkdir()
        self.count = 0
        self.write("a", 0)
        self.write("b", 6)

    def write(self, key, minute):
        self.count += 1
        row = {"id": key, "ts": f"2024-01-01T10:{minute:02}:00", "v": minute, "s": "x"}
        hidden = self.source / ".next"
        hidden.write_text(json.dumps(row) + "\n")
        os.utime(hidden, (self.count, self.count))
        hidden.rename(self.source / f"{self.count}.json")

    @property
    def stream(self):
        reader = self.spark.readStream.schema(self.schema).option("maxFilesPerTrigger", 1)
        return reader.json(str(self.source))

    @property
    def marked(self):
        return self.stream.withWatermark("ts", "1 minute")

    @property
    def static(self):
        return self.spark.read.schema(self.schema).json(str(self.source))

    def path(self, name):
        return str(self.folder / name)

    def writer(self, df, mode="append", sink="memory", checkpoint=""):
        writer = df.writeStream.format(sink).outputMode(mode)
        writer = writer.queryName("trouble") if sink == "memory" else writer
        return writer.option("checkpointLocation", self.path(checkpoint)) if checkpoint else writer

    def run(self, df, mode="append", sink="memory", checkpoint=""):
        self.end(self.writer(df, mode, sink, checkpoint))

    def end(self, writer):
        query = writer.start()
        try:
            query.processAllAvailable()
        finally:
            query.stop()

    def restart(self, first, second):
        self.run(first, "complete", checkpoint="again")
        self.write("z", 7)
        self.run(second, "complete", checkpoint="again")

    def kafka(self, servers, *options, **more):
        reader = self.spark.readStream.format("kafka")
        reader = reader.option("kafka.bootstrap.servers", servers)
        for name, value in [*options, *more.items()]:
            reader = reader.option(name, value)
        return reader.load()


def window(column="ts"):
    return F.window(column, "5 minutes")


# Calls that are refused before a query runs.

for call in ("show", "count", "collect", "toPandas", "cache"):
    provokes("M01", "A streaming DataFrame is a plan")(lambda b, c=call: getattr(b.stream, c)())

provokes("M01", "A streaming DataFrame is a plan")(lambda b: b.stream.rdd)
provokes("M01", "write is for")(lambda b: b.stream.write.parquet(b.path("out")))
provokes("M02", "writeStream is for")(lambda b: b.spark.range(3).writeStream)
provokes("M03", "A stream of files")(lambda b: b.spark.readStream.json(str(b.source)))
provokes("M03", "The folder is missing")(lambda b: b.spark.readStream.format("text").load())
provokes("M03", "The folder is missing")(lambda b: b.run(b.stream, sink="json", checkpoint="c"))
provokes("M03", "The folder to read")(
    lambda b: b.spark.readStream.schema(b.schema).json(b.path("not_there"))
)
provokes("M03", "The schema names")(lambda b: b.spark.readStream.schema("id strng"))


@provokes("M07", "This sink needs")
def _(b):
    b.stream.writeStream.format("parquet").start(b.path("out"))


provokes("M08", "The memory sink")(lambda b: b.stream.writeStream.format("memory").start())
provokes("M08", "The query's name")(
    lambda b: b.stream.writeStream.format("memory").queryName("my-totals").start()
)
provokes("M08", "There is no table")(lambda b: b.spark.table("not_there"))
provokes("M08", "There is no table")(lambda b: b.spark.sql("SELECT * FROM not_there"))
provokes("M12", "There is no output mode")(lambda b: b.stream.writeStream.outputMode("apend"))
provokes("M12", "The trigger's interval")(lambda b: b.stream.writeStream.trigger(processingTime=5))
provokes("M12", "A query has exactly")(lambda b: b.stream.writeStream.trigger())
provokes("M12", "A query has exactly")(
    lambda b: b.stream.writeStream.trigger(once=True, availableNow=True)
)
provokes("M12", "once and availableNow")(lambda b: b.stream.writeStream.trigger(once=False))
provokes("M12", "once and availableNow")(lambda b: b.stream.writeStream.trigger(availableNow=0))
provokes("M12", "trigger takes one")(lambda b: b.stream.writeStream.trigger("5 seconds"))
provokes("M12", "trigger takes one")(lambda b: b.stream.writeStream.trigger(realTime="5 seconds"))
for span in ("5", "5 secnds"):
    provokes("M12", "Spark cannot read this span")(
        lambda b, s=span: b.stream.writeStream.trigger(processingTime=s)
    )
provokes("M12", "A trigger's interval")(
    lambda b: b.writer(b.stream).trigger(processingTime="-5 seconds").start()
)
provokes("M12", "A trigger's interval")(
    lambda b: b.stream.writeStream.trigger(processingTime="1 month")
)
provokes("M12", "Spark cannot read this span")(lambda b: b.stream.withWatermark("ts", "5 minuts"))
provokes("M12", "Spark cannot read this span")(
    lambda b: b.stream.groupBy(F.window("ts", "5 minuts")).count()
)
provokes("M12", "The delay of")(lambda b: b.stream.withWatermark("ts", "-1 minute"))
provokes("M12", "The continuous trigger")(
    lambda b: b.writer(b.stream).trigger(continuous="1 second").start()
)
provokes("M12", "Spark knows no source")(lambda b: b.spark.readStream.format("jsno").load())
provokes("M12", "Spark knows no source")(lambda b: b.run(b.stream, sink="memmory"))


@provokes("M12", "Python has no class Trigger")
def _(_b):
    from pyspark.sql.streaming import Trigger  # noqa: F401


provokes("M14", "start and end")(lambda b: b.stream.groupBy(window()).count().select("start"))
provokes("M14", "There is no column")(lambda b: b.stream.select("idd"))
provokes("M16", "The column of")(lambda b: b.stream.withWatermark("s", "1 minute"))
provokes("M20", "The slide is")(
    lambda b: b.stream.groupBy(F.window("ts", "5 minutes", "10 minutes")).count()
)
provokes("M20", "A window cannot")(lambda b: b.stream.groupBy(F.window("ts", "1 month")).count())
for span in ("0 minutes", "-5 minutes"):
    provokes("M20", "A window, and its slide")(
        lambda b, s=span: b.stream.groupBy(F.window("ts", s)).count()
    )
provokes("M20", "The fourth argument")(
    lambda b: b.stream.groupBy(F.window("ts", "5 minutes", "5 minutes", "7 minutes")).count()
)
provokes("M22", "A query can group")(
    lambda b: b.stream.groupBy(window(), F.window("ts", "10 minutes")).count()
)
provokes("M22", "A query can group")(
    lambda b: b.stream.groupBy(window(), F.session_window("ts", "10 minutes")).count()
)
for cut in (F.window, F.session_window):
    provokes("M17", "A window is cut")(
        lambda b, c=cut: b.stream.groupBy(c("v", "5 minutes"), "id").count()
    )
for pattern in ("dd.MM.yyyy HH:mm", "M/d/yyyy HH:mm:ss XXX", "HH:mm"):
    provokes("M18", "The pattern of the time")(
        lambda b, p=pattern: b.stream.select(F.try_to_timestamp("s", p))
    )
for pattern in ("YYYY-MM-dd", "yyyy-MM-ddTHH:mm", "DD.MM.yyyy hh:mm A"):
    provokes("M18", "Spark cannot read this pattern")(
        lambda b, p=pattern: b.run(b.stream.select(F.try_to_timestamp("s", F.lit(p))))
    )


@provokes("M17", "A time lies so many years")
def _(b):
    b.static.select((F.lit(1_704_103_200_000) + F.col("v")).cast("timestamp")).collect()


provokes("M68", "The socket source")(
    lambda b: b.spark.readStream.format("socket").option("host", "127.0.0.1").load()
)


@provokes("M51", "A memory query")
def _(b):
    b.run(b.stream, checkpoint="again")
    b.run(b.stream, checkpoint="again")


@provokes("M54", "A query of this name")
def _(b):
    query = b.writer(b.stream).start()
    try:
        b.writer(b.stream).start()
    finally:
        query.stop()


@provokes("M61", "The function uses")
def _(b):
    lock = threading.Lock()

    def locked(v):
        with lock:
            return v

    b.run(b.stream.select(F.udf(locked, "int")("v")))


@provokes("M61", "spark and DataFrames")
def _(b):
    spark = b.spark
    b.run(b.stream.select(F.udf(lambda v: spark.range(v).count(), "int")("v")))


# Queries that are refused in a mode, or whose operation does not run.

provokes("M04", "Append mode cannot")(lambda b: b.run(b.stream.groupBy("id").count()))
provokes("M26", "The query has")(lambda b: b.run(b.marked.groupBy("id").count()))
provokes("M27", "The watermark stands")(
    lambda b: b.run(b.stream.groupBy("ts").count().withWatermark("ts", "1 minute"))
)
provokes("M28", "The windows are cut")(
    lambda b: b.run(
        b.marked.withColumn("t", F.date_trunc("minute", "ts")).groupBy(window("t")).count()
    )
)
provokes("M05", "Complete mode needs")(lambda b: b.run(b.stream, "complete"))
for mode in ("update", "complete"):
    provokes("M06", "Files can only")(
        lambda b, m=mode: b.writer(b.stream.groupBy("id").count(), m, "parquet", "c").start(
            b.path("out")
        )
    )
provokes("M09", "A stream cannot be sorted")(lambda b: b.run(b.stream.orderBy("v")))
provokes("M09", "limit does not")(lambda b: b.run(b.stream.limit(1), "update"))
provokes("M10", "Functions with OVER")(
    lambda b: b.run(
        b.stream.withColumn("r", F.row_number().over(Window.partitionBy("id").orderBy("ts")))
    )
)
provokes("M11", "A stream cannot count")(
    lambda b: b.run(b.stream.agg(F.countDistinct("id")), "complete")
)
provokes("M11", "pivot does not")(lambda b: b.stream.groupBy("id").pivot("s").count())
provokes("M11", "A stream and a static")(lambda b: b.run(b.stream.union(b.static)))
provokes("M11", "Append cannot send")(
    lambda b: b.run(b.stream.select("id").exceptAll(b.static.select("id")))
)
provokes("M11", "intersect does not")(
    lambda b: b.run(b.stream.select("id").intersect(b.static.select("id")))
)
provokes("M11", "A stream cannot be taken")(
    lambda b: b.run(b.static.select("id").subtract(b.stream.select("id")))
)
provokes("M11", "offset does not")(lambda b: b.run(b.stream.offset(1)))
provokes("M11", "sample does not")(lambda b: b.run(b.stream.sample(0.5)))
provokes("M25", "Session windows do not")(
    lambda b: b.run(b.marked.groupBy(F.session_window("ts", "5 minutes"), "id").count(), "update")
)
provokes("M25", "Session windows need")(
    lambda b: b.run(b.marked.groupBy(F.session_window("ts", "5 minutes")).count())
)
provokes("M37", "Two groupings")(
    lambda b: b.run(
        b.marked.groupBy(window(), "id")
        .count()
        .groupBy(F.window(F.window_time("window"), "10 minutes"))
        .count(),
        "update",
    )
)
provokes("M41", "dropDuplicatesWithinWatermark needs")(
    lambda b: b.run(b.stream.dropDuplicatesWithinWatermark(["id"]))
)
provokes("M41", "dropDuplicatesWithinWatermark works")(
    lambda b: b.static.dropDuplicatesWithinWatermark(["id"]).show()
)
provokes("M42", "A join of two streams")(
    lambda b: b.run(b.stream.join(b.stream.select("id"), "id"), "update")
)
provokes("M42", "An outer join")(
    lambda b: b.run(b.stream.join(b.stream.select("id"), "id", "left"))
)
provokes("M42", "This outer join")(
    lambda b: b.run(b.static.join(b.stream.select("id"), "id", "left"))
)
provokes("M43", "Two streams can only")(
    lambda b: b.run(b.stream.alias("a").join(b.stream.alias("b"), F.expr("a.v < b.v")))
)

# Queries that started and died.


@provokes("M13", "Your function divided")
def _(b):
    def rate(v):
        return 1 // (v - v)

    b.run(b.stream.select(F.udf(rate, "int")("v")))


@provokes("M13", "Your function raised")
def _(b):
    def rate(v):
        return {}[v]

    b.run(b.stream.select(F.udf(rate, "int")("v")))


@provokes("M13", "Your function in foreachBatch")
def _(b):
    def save(*_):
        raise ValueError("no room")

    b.end(b.stream.writeStream.foreachBatch(save))


@provokes("M14", "There is no column")
def _(b):
    b.end(b.stream.writeStream.foreachBatch(lambda df, _: df.select("nope").count()))


provokes("M15", "A record does not have")(
    lambda b: b.run(b.stream.select(F.from_json("s", "a int", {"mode": "FAILFAST"})))
)
provokes("M18", "A value could not")(lambda b: b.run(b.stream.select(F.col("s").cast("int"))))
provokes("M18", "A text could not")(
    lambda b: b.run(b.stream.select(F.to_timestamp("s", "yyyy-MM-dd")))
)
provokes("M18", "A row divided")(lambda b: b.run(b.stream.select(F.col("v") / F.lit(0))))
provokes("M36", "The query sets")(
    lambda b: b.run(b.marked.withWatermark("ts", "2 minutes").groupBy(window()).count())
)
provokes("M56", "The checkpoint keeps")(
    lambda b: b.restart(b.stream.groupBy("id").count(), b.stream.groupBy("v").count())
)
provokes("M56", "The checkpoint keeps")(
    lambda b: b.restart(b.stream.groupBy("id").count(), b.stream.groupBy("id").agg(F.max("s")))
)
provokes("M56", "The checkpoint is of a query with another")(
    lambda b: b.restart(
        b.stream.groupBy("id").count(), b.stream.union(b.stream).groupBy("id").count()
    )
)


@provokes("M56", "The checkpoint is of a query with other")
def _(b):
    b.run(b.stream.dropDuplicates(["id"]), sink="noop", checkpoint="again")
    b.write("z", 7)
    b.run(b.stream, sink="noop", checkpoint="again")


@provokes("M59", "The function in foreachBatch read")
def _(b):
    for key in "cdefgh":
        b.write(key, 8)
    counts = b.stream.groupBy("id").count().writeStream.outputMode("complete")
    b.end(counts.foreachBatch(lambda df, _: df.limit(1).collect()))


@provokes("M70", "A part of the checkpoint")
def _(b):
    b.run(b.stream.groupBy("id").count(), "complete", "noop", "again")
    shutil.rmtree(b.path("again/offsets"))
    shutil.rmtree(b.path("again/commits"))
    b.run(b.stream.groupBy("id").count(), "complete", "noop", "again")


@provokes("M68", "Nobody listens")
def _(b):
    reader = b.spark.readStream.format("socket").option("host", "127.0.0.1")
    b.run(reader.option("port", 1).load())


# Kafka: what Spark says without a broker, then with one.

ADDRESS = "127.0.0.1:9"
TOPIC = ("subscribe", "orders")
provokes("K06", "from_json reads")(
    lambda b: b.stream.select(F.from_json(F.col("s").cast("binary"), "a int"))
)
provokes("K05", "Spark does not know where")(
    lambda b: b.run(b.spark.readStream.format("kafka").option(*TOPIC).load())
)
provokes("K09", "Spark does not know which")(lambda b: b.kafka(ADDRESS))
provokes("K09", "The topic is given")(lambda b: b.kafka(ADDRESS, TOPIC, subscribePattern="b"))
provokes("K06", "Spark always reads")(
    lambda b: b.kafka(ADDRESS, TOPIC, ("kafka.value.deserializer", "x"))
)
provokes("K08", "Spark keeps its own")(
    lambda b: b.kafka(ADDRESS, TOPIC, ("kafka.auto.offset.reset", "earliest"))
)


@provokes("K08", "A static read")
def _(b):
    reader = b.spark.read.format("kafka").option("kafka.bootstrap.servers", ADDRESS)
    reader.option(*TOPIC).option("startingOffsets", "latest").load()


@provokes("K12", "Kafka's sink does not know")
def _(b):
    sink = b.writer(b.stream.select(F.col("s").alias("value")), sink="kafka", checkpoint="c")
    b.end(sink.option("kafka.bootstrap.servers", ADDRESS))


@provokes("K12", "A row names no topic")
def _(b):
    rows = b.stream.select(F.col("s").alias("value"), F.lit(None).cast("string").alias("topic"))
    b.end(b.writer(rows, sink="kafka", checkpoint="c").option("kafka.bootstrap.servers", ADDRESS))


@provokes("K12", "Kafka's sink sends")
def _(b):
    sink = b.writer(b.stream, sink="kafka", checkpoint="c").option("topic", "orders")
    b.end(sink.option("kafka.bootstrap.servers", ADDRESS))


@provokes("K12", "Kafka's sink takes")
def _(b):
    numbers = b.stream.select(F.col("v").alias("value"))
    sink = b.writer(numbers, sink="kafka", checkpoint="c").option("topic", "orders")
    b.end(sink.option("kafka.bootstrap.servers", ADDRESS))


@provokes("K15", "DStreams for Kafka")
def _(_b):
    import pyspark.streaming.kafka  # noqa: F401


@provokes("K13", "There is no topic", kafka=True)
def _(b, broker):
    b.run(b.kafka(broker.bootstrap_servers, ("subscribe", "never_made")))


for start in ("first", '{"starts": {"7": 0}}'):

    @provokes("K08", "Spark cannot read the start", kafka=True)
    def _(b, broker, position=start):
        broker.topic("starts")
        b.run(b.kafka(broker.bootstrap_servers, ("subscribe", "starts"), startingOffsets=position))


@provokes("K09", "Spark keeps its readers", kafka=True)
def _(b, broker):
    lab.feed(lab.Script("10:00"), to=broker.topic("grouped")).step()
    port = broker.bootstrap_servers.rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost"):  # one broker, and Spark sees two
        group = {"kafka.group.id": "mine", "startingOffsets": "earliest"}
        b.run(b.kafka(f"{host}:{port}", ("subscribe", "grouped"), **group), sink="noop")


def named(table):
    return [
        pytest.param(*row, id=f"{row[0]}-{row[1].replace(' ', '-')}-{i}")
        for i, row in enumerate(table)
    ]


def raised(provoke, *args):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any of them, that is the question
        provoke(*args)
    return caught.value


@pytest.mark.spark
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("entry", "sentence", "provoke"), named(PROVOKED))
def test_what_spark_raises_is_explained(entry, sentence, provoke, spark, tmp_path):
    told = explain_error(raised(provoke, Bench(spark, tmp_path)))
    assert (told.id, told.sentence[: len(sentence)]) == (entry, sentence)
    assert told.cause


@pytest.mark.spark
@pytest.mark.service
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("entry", "sentence", "provoke"), named(WITH_KAFKA))
def test_what_spark_raises_about_kafka_is_explained(  # noqa: PLR0917 - fixtures
    entry, sentence, provoke, spark, broker, tmp_path
):
    told = explain_error(raised(provoke, Bench(spark, tmp_path), broker))
    assert (told.id, told.sentence[: len(sentence)]) == (entry, sentence)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: f"{one['id']} {one['sentence']}")
def test_a_recorded_text_is_explained(recorded):
    found = signature_of(facts_from([tuple(pair) for pair in recorded["chain"]]))
    assert found.id == recorded["id"]
    assert found.sentence.startswith(recorded["sentence"])
    assert recorded["from"]


def test_every_signature_is_met_by_some_error():
    met = [(entry, sentence) for entry, sentence, _ in [*PROVOKED, *WITH_KAFKA]]
    met += [(one["id"], one["sentence"]) for one in RECORDED]
    unmet = [
        f"{one.id} {one.sentence}"
        for one in SIGNATURES
        if one not in signatures_dstreams.TABLE  # they have their own tests
        and not any(one.id == entry and one.sentence.startswith(start) for entry, start in met)
    ]
    assert unmet == []


@pytest.mark.parametrize("one", SIGNATURES, ids=lambda one: f"{one.id} {one.sentence[:20]}")
def test_the_words_of_a_signature_are_complete(one):
    assert one.sentence.endswith(".")
    assert one.sentence.count(". ") == 0, "one sentence"
    assert len(one.sentence) <= 100
    assert A_CALL.search(one.cure), "the cure names a call"
    assert one.cure.endswith(".")
    assert "!" not in one.sentence + one.cure + one.reason
    assert re.fullmatch(r"\d\d", one.lesson)


@pytest.mark.spark
def test_an_error_of_a_learners_function_names_the_line(spark, tmp_path):
    told = explain_error(raised(provoker_of("Your function raised"), Bench(spark, tmp_path)))
    assert told.cause.startswith("KeyError: ")
    assert told.own.function == "rate"
    assert told.own.code == "return {}[v]"


def provoker_of(sentence):
    return next(provoke for _, start, provoke in PROVOKED if start == sentence)


TRACEBACK = """Traceback (most recent call last):
  File "/tmp/cell.py", line 3, in send
    raise ValueError(row)
ValueError: Redefined watermark node assignment
"""


def test_words_of_the_learners_data_do_not_decide():
    chain = [
        ("StreamingQueryException", "[STREAM_FAILED] Query terminated with exception: Job aborted"),
        (
            "PythonException",
            TRACEBACK,
        ),
    ]
    facts = facts_from(chain)
    assert signature_of(facts).id == "M13"
    assert facts.cause == "ValueError: Redefined watermark node assignment"


def test_an_unknown_error_has_no_explanation():
    assert explain_error(ValueError("no room")) is None
    assert explain_error(KeyboardInterrupt()) is None


def test_an_error_of_labkits_own_keeps_its_words():
    told = explain_error(NotFound("NOT_FOUND", kind="query", name="x", cure="Start it."))
    assert (told.id, told.cure) == ("NOT_FOUND", "Start it.")
    assert told.sentence == "There is no query 'x'."


def test_an_error_without_a_message_is_read():
    assert facts_of(ValueError()).cause == "ValueError"
    assert Facts((), "", ()).cause == "unknown"


def test_an_error_is_read_when_java_is_gone():
    class Dead:
        def __getattr__(self, name):
            raise ConnectionRefusedError("no answer")

    error = ValueError("[CAST_INVALID_INPUT] The value 'x' cannot be cast.")
    error._origin = Dead()
    assert explain_error(error).id == "M18"
