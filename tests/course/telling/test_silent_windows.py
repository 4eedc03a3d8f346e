"""What lab.explain says of windows: another clock than the rows', text, another day."""

from datetime import timedelta

import pytest
from pyspark.sql import functions as F

import labkit as lab
from labkit.course.telling.explaining import explain
from labkit.course.telling.silent_windows import about_windows
from labkit.engine.query_facts import QueryFacts, Windows
from labkit.events.script import Script

NAME = "of_windows"
NEW_YORK, INDIA = "America/New_York", "Asia/Kolkata"


def told(**facts):
    return [finding.id for finding in about_windows(QueryFacts("complete", **facts), NAME)]


def grid(hours, *, slide=None, offset=0):
    return Windows(timedelta(hours=hours), timedelta(hours=slide or hours), timedelta(hours=offset))


@pytest.mark.parametrize(
    ("zone", "windows", "ids"),
    [
        ("UTC", grid(24), []),
        (NEW_YORK, grid(24), ["M19"]),
        (NEW_YORK, grid(24, offset=5), []),
        (NEW_YORK, grid(24, offset=4), []),
        (NEW_YORK, grid(24, offset=3), ["M19"]),
        (NEW_YORK, grid(24, slide=1), []),
        (NEW_YORK, grid(1), []),
        (INDIA, grid(1), ["M19"]),
        (INDIA, grid(0.25), []),
        ("Europe/London", grid(24), []),
        ("+02:00", grid(24), []),
    ],
)
def test_a_grid_that_is_not_of_the_zone_is_told(zone, windows, ids):
    assert told(zone=zone, grid=windows) == ids


@pytest.mark.parametrize(("clock", "id_"), [("batch", "M23"), ("arrival", "M24"), ("text", "M16")])
def test_another_clock_is_told(clock, id_):
    assert told(clock=clock) == [id_]
    assert told() == []


@pytest.fixture
def started(spark):
    """Give a function that starts a plan over three rows."""

    def start(plan, mode="complete"):
        rows = Script("10:00 2024-01-01T10:00:00 7", columns="at string, ms bigint")
        feed = lab.feed(rows, to=lab.folder(NAME))
        stream = spark.readStream.schema(rows.schema).json(feed.path)
        query = plan(stream).writeStream.format("memory").outputMode(mode).queryName(NAME).start()
        feed.step(1, query)
        return query

    lab.stop(NAME)
    yield start
    lab.stop(NAME)
    spark.conf.set("spark.sql.session.timeZone", "UTC")


def day(time):
    return F.window(time, "1 day")


ARRIVED = "_metadata.file_modification_time"
PLANS = {
    "rows": (lambda rows: rows.groupBy(day("event_time")).count(), []),
    "sliding": (lambda rows: rows.groupBy(F.window("event_time", "2 days", "1 day")).count(), []),
    "session": (
        lambda rows: rows.groupBy("at", F.session_window("event_time", "1 hour")).count(),
        [],
    ),
    "no window": (
        lambda rows: rows.withColumn("n", F.current_timestamp()).groupBy("at").count(),
        [],
    ),
    "now": (lambda rows: rows.groupBy(day(F.current_timestamp())).count(), ["M23"]),
    "column now": (
        lambda rows: rows.withColumn("n", F.current_timestamp()).groupBy(day("n")).count(),
        ["M23"],
    ),
    "now beside": (
        lambda rows: rows.withColumn("n", F.current_timestamp()).groupBy(day("event_time")).count(),
        [],
    ),
    "session now": (
        lambda rows: (
            rows.withColumn("n", F.now()).groupBy("at", F.session_window("n", "1 hour")).count()
        ),
        ["M23"],
    ),
    "arrival": (
        lambda rows: rows.withColumn("n", F.col(ARRIVED)).groupBy(day("n")).count(),
        ["M24"],
    ),
    "text": (lambda rows: rows.groupBy(day("at")).count(), ["M16"]),
    "sliding text": (lambda rows: rows.groupBy(F.window("at", "2 days", "1 day")).count(), ["M16"]),
    "text of a time": (
        lambda rows: (
            rows.select(F.col("event_time").cast("string").alias("s")).groupBy(day("s")).count()
        ),
        ["M16"],
    ),
    "seconds": (lambda rows: rows.groupBy(day(F.col("ms").cast("timestamp"))).count(), []),
    "made": (
        lambda rows: rows.withColumn("t", F.try_to_timestamp("at")).groupBy(day("t")).count(),
        [],
    ),
}


@pytest.mark.spark
@pytest.mark.parametrize("name", PLANS)
def test_what_windows_are_cut_from_is_read_from_the_plan(name, started):
    plan, ids = PLANS[name]
    assert [finding.id for finding in explain(started(plan)).findings if finding.id] == ids


@pytest.mark.spark
def test_days_of_another_zone_are_told(spark, started):
    spark.conf.set("spark.sql.session.timeZone", NEW_YORK)
    found = explain(started(PLANS["rows"][0])).findings[1]
    assert found.id == "M19"
    assert "windows of 1 day" in found.sentence
    assert NEW_YORK in found.sentence


@pytest.mark.spark
def test_a_year_that_python_cannot_hold_is_told(started):
    def far(rows):
        return rows.select((F.lit(1_704_103_200_000) + F.col("ms")).cast("timestamp").alias("t"))

    query = started(far, "append")
    found = explain(query).findings[-1]
    assert found.id == "M17"
    assert "timestamp_millis" in found.cure
