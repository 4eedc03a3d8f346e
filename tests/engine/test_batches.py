from datetime import UTC, datetime

import pytest
from pyspark.sql import functions as F

from labkit import control
from labkit.engine.batches import BatchReader, running_queries
from labkit.engine.progress import from_json
from labkit.errors import InvalidArgument

pytestmark = pytest.mark.spark


@pytest.fixture
def start():
    """Start memory queries that end with the test."""
    started = []

    def run(frame, mode, name="under_test"):
        writer = frame.writeStream.format("memory").queryName(name).outputMode(mode)
        started.append(writer.start())
        return started[-1]

    yield run
    control.stop(*started)


def totals(frame):
    return frame.groupBy("name").agg(F.sum("amount").alias("total"))


def test_append_and_update_can_be_read_at_any_time(spark, files, start):
    query = start(totals(files.stream(spark)), "update")
    for amount in (1, 2, 3):
        files.write(("anna", amount), ("ben", 10 * amount))
        files.write(("ben", 1))
    query.processAllAvailable()
    batches = list(BatchReader(query).backlog())
    assert [(b.first, b.number) for b in batches] == [(n, n) for n in range(6)]
    assert [sorted(b.rows) for b in batches[:3]] == [
        [("anna", 1), ("ben", 10)],
        [("ben", 11)],
        [("anna", 3), ("ben", 31)],
    ]


def test_complete_joins_the_batches_that_nobody_read(spark, files, start):
    query = start(totals(files.stream(spark)), "complete")
    for amount in (1, 2, 3):
        files.write(("anna", amount))
    query.processAllAvailable()
    (only,) = BatchReader(query).backlog()
    assert (only.first, only.number, only.rows) == (0, 2, (("anna", 6),))


def test_each_batch_is_read_once(spark, files, start):
    query = start(totals(files.stream(spark)), "update")
    files.write(("anna", 1))
    query.processAllAvailable()
    reader = BatchReader(query)
    assert len(list(reader.backlog())) == 1
    report = from_json(query.lastProgress.json)
    assert list(reader.read(report)) == []


def test_columns_tell_what_the_query_groups_by(spark, files, start):
    grouped = files.stream(spark).groupBy((F.col("amount") % 3).alias("rest")).count()
    reader = BatchReader(start(grouped, "complete"))
    assert [(c.name, c.type, c.grouping) for c in reader.columns] == [
        ("rest", "int", True),
        ("count", "bigint", False),
    ]


def test_timestamps_and_windows_come_in_the_session_zone(spark, files, start):
    at = F.lit("2024-07-01 10:02:00").cast("timestamp")
    windowed = files.stream(spark).withColumn("at", at).groupBy(F.window("at", "5 minutes")).count()
    query = start(windowed, "complete")
    files.write(("anna", 1))
    query.processAllAvailable()
    (batch,) = BatchReader(query).backlog()
    window, count = batch.rows[0]
    assert (window.start, window.end, count) == (
        datetime(2024, 7, 1, 10, 0, tzinfo=UTC),
        datetime(2024, 7, 1, 10, 5, tzinfo=UTC),
        1,
    )
    assert batch.zone == "UTC"


def test_nested_values_null_and_binary_cross_unharmed(spark, files, start):
    frame = files.stream(spark).select(
        F.struct(F.lit(1).alias("a"), F.array(F.lit("x"))).alias("s"),
        F.lit(None).cast("string").alias("n"),
        F.lit(float("nan")).alias("f"),
        F.encode(F.lit("é"), "utf-8").alias("b"),
        F.create_map(F.lit("k"), F.lit(1)).alias("m"),
    )
    query = start(frame, "append")
    files.write(("anna", 1))
    query.processAllAvailable()
    (batch,) = BatchReader(query).backlog()
    struct, null, nan, binary, mapped = batch.rows[0]
    assert (struct[0], struct[1], null, bytes(binary), mapped) == (
        1,
        ["x"],
        None,
        "é".encode(),
        {"k": 1},
    )
    assert nan != nan  # noqa: PLR0124 - only NaN differs from itself


def test_another_sink_is_refused_with_the_cure(spark, files, tmp_path_factory):
    writer = files.stream(spark).writeStream.format("noop")
    query = writer.option("checkpointLocation", str(tmp_path_factory.mktemp("cp"))).start()
    try:
        with pytest.raises(InvalidArgument) as caught:
            BatchReader(query)
    finally:
        query.stop()
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["choices"] == "memory"


def test_running_queries_are_those_that_run(spark, files, start):
    query = start(files.stream(spark), "append", name="runs")
    assert "runs" in [q.name for q in running_queries()]
    control.stop(query)
    assert "runs" not in [q.name for q in running_queries()]
