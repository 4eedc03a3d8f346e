"""Lesson 05: right answers pass, and each typical wrong one is refused with its own cause."""

import json
import shutil

import pytest
from pyspark.sql import functions as F

import labkit as lab
from labkit.course.judging.checking import check
from labkit.course.lessons.lesson_05 import _LAG_MISTAKES
from labkit.engine.session import spark as session
from labkit.errors import Conflict

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.usefixtures("spark", "broker")]

SCHEMA = "id int, who string, amount double"


def parsed(schema=SCHEMA, options=None, *, change=lambda rows: rows):
    """Make an answer to 05.1 with another schema, or with something done to its rows."""

    def parse(messages):
        text = F.col("value").cast("string")
        order = F.from_json(text, schema, options or {}).alias("o")
        return change(messages.select("key", order).select("key", "o.*")).drop("key")

    return lambda: parse


def by_hand(messages):
    text = F.col("value").cast("string")
    fields = [F.get_json_object(text, f"$.{name}").alias(name) for name in ("id", "who", "amount")]
    return messages.select(*fields)


def without_cast(messages):
    return messages.select(F.from_json("value", SCHEMA).alias("o")).select("o.*")


def place_of(name):
    return lab.folder(name).path


def again(start="earliest", place=lambda _: place_of("again"), option="startingOffsets"):
    """Make an answer to 05.2 with another start, another place or a misspelled option."""

    def read_again(topic, old):
        reader = session().readStream.format("kafka").option("subscribe", topic)
        reader = reader.option("kafka.bootstrap.servers", lab.kafka().bootstrap_servers)
        if start:
            reader = reader.option(option, start)
        writer = reader.load().writeStream.format("noop")
        where = place(old)
        return writer.option("checkpointLocation", where) if where else writer

    return lambda: read_again


def removed(old):
    shutil.rmtree(old)
    return place_of("again")


def copied(old):
    new = place_of("copied")
    shutil.copytree(old, new, dirs_exist_ok=True)
    return new


def kept_place():
    place = place_of("kept")
    return again(place=lambda _: place)()


def started():
    inner = again()()
    return lambda topic, old: inner(topic, old).queryName("early").start()


def frame_only():
    return lambda *_: session().readStream.format("rate").load()


def of_source(of):
    """Make an answer to 05.3 that looks at the first source alone."""
    return lambda: lambda progress: of(json.loads(progress.json)["sources"][0])


def lag(progress):
    source = json.loads(progress.json)["sources"][0]
    topics = source["latestOffset"]
    return sum(sum(topics[t].values()) - sum(source["endOffset"][t].values()) for t in topics)


def lag_of_metrics(progress):
    source = json.loads(progress.json)["sources"][0]
    parts = sum(len(offsets) for offsets in source["endOffset"].values())
    return round(float(source["metrics"]["avgOffsetsBehindLatest"]) * parts)


def largest_times_partitions(source):
    return float(source["metrics"]["maxOffsetsBehindLatest"]) * 3


def topic_of(condition):
    return lambda large, small: F.when(F.expr(condition), large).otherwise(small)


LARGE = topic_of("amount >= 100")


def order():
    return F.to_json(F.struct("who", "amount"))


def routed(topic=LARGE, value=order, key="who", where="true", option=None):
    """Make an answer to 05.4 that differs in one thing."""

    def route(paid, large, small):
        columns = [value().alias("value")]
        columns += [topic(large, small).alias("topic")] if topic else []
        columns += [F.col(key).alias("key")] if key else []
        writer = paid.where(where).select(*columns).writeStream.format("kafka")
        writer = writer.option("kafka.bootstrap.servers", lab.kafka().bootstrap_servers)
        return writer.option("topic", large if option == "large" else small) if option else writer

    return lambda: route


WRONG = {
    "05.1": [
        ("bytes", lambda: without_cast, "from_json reads text"),
        ("whole numbers", parsed("id int, who string, amount int"), "null in 2 orders"),
        ("text", parsed("id int, who string, amount string"), "The amount is text"),
        ("all text", lambda: by_hand, "The amount is text"),
        ("id as text", parsed("id string, who string, amount double"), "The id is text"),
        (
            "the key",
            parsed(change=lambda rows: rows.withColumn("who", F.col("key").cast("string"))),
            "who holds the key",
        ),
        ("no nulls", parsed(change=lambda rows: rows.where("id IS NOT NULL")), "it is gone"),
        (
            "capital letters",
            parsed("id int, Who string, amount double"),
            "who is null in every row",
        ),
        ("other names", parsed("order int, name string, paid double"), "have the columns"),
        ("fail fast", parsed(options={"mode": "FAILFAST"}), "does not have the form"),
        ("each once", parsed(change=lambda rows: rows.dropDuplicates(["id"])), "1 expected row"),
        ("a list", lambda: lambda messages: [messages], "an object of the type `list`"),
        ("no rows", parsed(change=lambda rows: rows.where("false")), "No row came out"),
        ("no stream", lambda: lambda _: session().range(1), "not a stream"),
    ],
    "05.2": [
        ("old place", again(place=lambda old: old), "Only the 2 new rows"),
        ("old place, no start", again(None, place=lambda old: old), "Only the 2 new rows"),
        ("a copy of the old place", again(place=copied), "Only the 2 new rows"),
        ("no start", again(None), "No row came"),
        ("misspelled", again(option="startingOffset"), "No row came"),
        ("from the end", again("latest"), "No row came"),
        ("the same new place each time", kept_place, "The second time: No row came"),
        ("old place removed", again(place=removed), "not what it was"),
        ("started", started, "Leave out `start()`"),
        ("a frame", frame_only, "Return the writer"),
        ("another word", again("first"), "cannot read the start position"),
    ],
    "05.3": [
        *((cause[:40], of_source(of), cause.replace("**", "")[:60]) for cause, of in _LAG_MISTAKES),
        (
            "largest for all",
            of_source(largest_times_partitions),
            "are not the rows that still wait",
        ),
        (
            "text",
            of_source(lambda source: source["metrics"]["maxOffsetsBehindLatest"]),
            "It must be a number",
        ),
        ("a dict", of_source(lambda source: source["latestOffset"]), "of the type `dict`"),
        (
            "attributes",
            lambda: lambda progress: json.loads(progress.sources[0].endOffset),
            "JSONDecodeError",
        ),
        ("nothing waits", of_source(lambda _: 0), "are not the rows that still wait"),
    ],
    "05.4": [
        ("more than 100", routed(topic_of("amount > 100")), "100 or more"),
        (
            "less than 100",
            lambda: (
                lambda paid, large, small: routed(topic_of("NOT (amount < 100)"))()(
                    paid.fillna(1e9), large, small
                )
            ),
            "1 other row",
        ),
        (
            "null is large",
            routed(lambda large, small: F.when(F.col("amount") < 100, small).otherwise(large)),
            "without an amount is in the large topic",
        ),
        ("changed over", routed(topic_of("amount < 100 OR amount IS NULL")), "changed over"),
        ("option large", routed(option="large"), "in one topic"),
        ("option small", routed(option="small"), "in one topic"),
        ("no key", routed(key=None), "The key is null"),
        ("no null amounts", routed(where="amount IS NOT NULL"), "is lost"),
        (
            "no otherwise",
            routed(lambda large, _: F.when(F.col("amount") >= 100, large)),
            "names no topic",
        ),
        (
            "names as texts",
            routed(lambda *_: F.when(F.col("amount") >= 100, "large").otherwise("small")),
            "There is no topic large. The names of the topics are the arguments",
        ),
        ("no topic at all", routed(topic=None), "does not know the topic"),
        ("plain value", routed(value=lambda: F.col("who")), "Asked is JSON"),
        ("a number as value", routed(value=lambda: F.col("amount")), "takes text or bytes only"),
        (
            "only the amount",
            routed(value=lambda: F.to_json(F.struct("amount"))),
            "0 rows are right",
        ),
        (
            "no sink",
            lambda: lambda paid, *_: paid.writeStream.format("noop"),
            "Nothing is in either topic",
        ),
        ("rows only", lambda: lambda paid, *_: paid, "Return the writer"),
    ],
}

ACCEPTED = [
    ("05.1", parsed()()),
    ("05.1", parsed("amount double, id bigint, who string", {"mode": "PERMISSIVE"})()),
    (
        "05.1",
        lambda messages: by_hand(messages).selectExpr(
            "CAST(id AS INT) id", "who", "CAST(amount AS DECIMAL(9, 2)) amount"
        ),
    ),
    ("05.2", again()()),
    ("05.2", again(place=lambda _: None)()),
    ("05.2", again("0", option="startingTimestamp")()),
    ("05.3", lag),
    ("05.3", lag_of_metrics),
    ("05.4", routed()()),
    ("05.4", routed(topic_of("coalesce(amount, 0) >= 100"), lambda: F.to_json(F.struct("*")))()),
]


def test_a_check_leaves_no_topic_and_keeps_those_of_the_learner(broker, accepted):
    mine = broker.topic("check-parse-1")
    feed = lab.feed(lab.Script("10:00 anna", columns="who string"), to=mine)
    feed.step()
    accepted("05.1", parsed()())
    assert [name for name in broker.topics() if name.startswith("check-")] == ["check-parse-1"]
    assert len(broker.records("check-parse-1")) == 1
    mine.delete()


def test_a_topic_of_somebody_else_is_left_alone(broker, accepted):
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.create_topics({"check-paid-1": {"num_partitions": 1}}, wait_for_metadata=True)
    accepted("05.4", routed()())
    with pytest.raises(Conflict):
        broker.topic("check-paid-1")
    admin.delete_topics(["check-paid-1"])
    admin.close()


def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("05.2", again(None)())) for _ in range(2))
    assert first == second
