"""What Spark reads is what the feed was given, step by step."""

import math
from datetime import UTC, date, timedelta

import pytest

import labkit as lab
from labkit.errors import InvalidArgument, NotReady
from labkit.events.stream import START, Event, EventStream

pytestmark = [pytest.mark.spark, pytest.mark.timeout(240)]

TEXTS = [
    "plain",
    'with "quotes"',
    '"',
    '\\"',
    "back\\slash",
    "ends\\",
    "\\\\",
    "comma, and; semicolon",
    "ünï ☃",
    " lead",
    "trail ",
    "tab\there",
    "null",
    "NaN",
    "#comment",
    "'single'",
    '1,"2"',
]
NUMBERS = [1.5, None, float("nan"), 1e300, -0.1, float("inf"), float("-inf"), 0.1 + 0.2]


class Odd(EventStream):
    """Every kind of column, with values that formats like to get wrong."""

    name = "odd"
    time = "at"
    schema = "id bigint, small int, at timestamp, day date, text string, x double, ok boolean"

    def __iter__(self):
        for i, text in enumerate([*TEXTS, None]):
            at = START + timedelta(seconds=i, microseconds=1001 * i)
            value = {
                "id": 2**60 + i if i % 3 else None,
                "small": -i,
                "at": at if i % 7 else None,
                "day": date(2020, 2, 28) + timedelta(i) if i % 5 else None,
                "text": text,
                "x": NUMBERS[i % len(NUMBERS)],
                "ok": (True, False, None)[i % 3],
            }
            yield Event(at, "k", value)


def same(row, value):
    """Compare a row with an event's value; NaN equals NaN, times are compared as instants."""
    row = row.asDict()
    for name, expected in value.items():
        found = row[name]
        if isinstance(expected, float) and math.isnan(expected):
            assert math.isnan(found), name
        elif name == "at" and expected is not None:
            assert found.astimezone(UTC) == expected
        else:
            assert (found, type(found)) == (expected, type(expected)), name


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "orc"])
def test_every_format_comes_back_equal(kind, spark):
    odd = Odd()
    feed = lab.feed(odd, to=lab.folder(f"odd-{kind}", format=kind), batch=7)
    feed.step(3)
    reader = spark.read.schema(odd.schema).option("header", True)
    rows = reader.format(kind).load(feed.path).orderBy("small", ascending=False).collect()
    assert len(rows) == len(list(odd))
    for row, event in zip(rows, odd, strict=True):
        same(row, event.value)


def test_a_text_folder_holds_the_lines(spark):
    lines = lab.Lines(seed=7)
    feed = lab.feed(lines, to=lab.folder("lines", format="text"))
    feed.step()
    expected = [event.value["value"] for event in lines.take(10)]
    assert [row.value for row in spark.read.text(feed.path).collect()] == expected


def test_each_step_to_a_folder_is_a_batch_of_its_own(spark):
    orders = lab.Orders(seed=7)
    feed = lab.feed(orders, to=lab.folder("steps"), batch=4)
    query = memory_query(spark.readStream.schema(orders.schema).json(feed.path), "steps")
    feed.step(5, query)
    assert rows_of_batches(query) == [4] * 5
    found = {row.order_id for row in spark.table("steps").collect()}
    assert found == {event.value["order_id"] for event in orders.take(20)}
    lab.stop(query)


def test_files_made_again_are_read_by_a_query_that_still_runs(spark):
    orders = lab.Orders(seed=7)
    feed = lab.feed(orders, to=lab.folder("rerun"), batch=4)
    query = memory_query(spark.readStream.schema(orders.schema).json(feed.path), "rerun")
    feed.step(2, query)
    lab.feed(orders, to=lab.folder("rerun"), batch=4).step(2, query)
    assert rows_of_batches(query) == [4] * 4
    lab.stop(query)


def test_files_are_read_in_the_order_of_the_drip(spark, tmp_path):
    for number in range(12):
        (tmp_path / f"part-{number:02}.txt").write_text(f"{number}\n")
    feed = lab.drip(tmp_path, to=lab.folder("drip"))
    feed.step(12)
    lines = spark.readStream.option("maxFilesPerTrigger", 1).text(feed.path)
    query = memory_query(lines, "drip")
    query.processAllAvailable()
    assert rows_of_batches(query) == [1] * 12
    assert [row.value for row in spark.table("drip").collect()] == [str(n) for n in range(12)]
    lab.stop(query)


def test_a_socket_step_returns_when_its_lines_are_processed(spark):
    lines = lab.Lines(seed=7)
    feed = lab.feed(lines, to=lab.socket(), batch=5)
    source = spark.readStream.format("socket").option("host", feed.host).option("port", feed.port)
    first = memory_query(source.load(), "socket_first")
    for step in range(1, 4):
        feed.step(1, first)
        assert spark.table("socket_first").count() == 5 * step
    second = memory_query(source.load(), "socket_second")
    feed.step(2, second)
    assert spark.table("socket_second").count() == 10
    feed.step(1, first)
    expected = sorted(event.value["value"] for event in lines.take(30))
    assert sorted(row.value for row in spark.table("socket_first").collect()) == expected
    lab.stop(first, second)


@pytest.mark.service
@pytest.mark.parametrize("offsets", ["earliest", "latest"])
def test_each_step_to_a_topic_is_a_batch_of_its_own(offsets, spark, broker):
    name = f"feeds-spark-{offsets}"
    feed = lab.feed(lab.Orders(seed=7), to=broker.topic(name, partitions=2), batch=4)
    feed.step(2)
    options = {**broker.options(name), "startingOffsets": offsets}
    query = memory_query(spark.readStream.format("kafka").options(**options).load(), "topic")
    feed.step(5, query)
    backlog = [8] if offsets == "earliest" else []
    assert rows_of_batches(query) == backlog + [4] * 5
    lab.stop(query)


def test_a_query_that_stopped_failed_or_hangs(spark):
    orders = lab.Orders(seed=7)
    feed = lab.feed(orders, to=lab.folder("trouble"), batch=4)
    source = spark.readStream.schema(orders.schema).json(feed.path)
    query = memory_query(source, "trouble")
    query.stop()
    with pytest.raises(InvalidArgument) as stopped:
        feed.step(1, query)
    assert (stopped.value.code, feed.sent) == ("STOPPED", 0)

    query = memory_query(source.selectExpr("raise_error('on purpose')"), "trouble")
    with pytest.raises(Exception, match="on purpose"):
        feed.step(1, query)
    with pytest.raises(Exception, match="on purpose"):
        feed.step(1, query)
    assert feed.sent == 4

    query = memory_query(source.selectExpr("java_method('java.lang.Thread', 'sleep', 30000L)"), "x")
    with pytest.raises(NotReady) as late:
        feed.step(1, query, timeout_s=0.5)
    assert late.value.params["timeout_s"] == 0.5
    lab.stop(query, "trouble")


def memory_query(df, name):
    return df.writeStream.format("memory").queryName(name).start()


def rows_of_batches(query):
    """Return the rows of each batch that had any, in order."""
    rows = {p.batchId: p.numInputRows for p in query.recentProgress}
    return [count for _, count in sorted(rows.items()) if count]
