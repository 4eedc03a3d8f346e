import json

import pytest
from pyspark.sql import functions as F

from labkit import control
from labkit.engine.progress import from_json
from labkit.engine.tap import MAX_EVENTS, MomentReader, TappedEvent, read_taps, tap
from labkit.errors import InvalidArgument, NotFound
from labkit.events.script import Script
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder

NAME = "tapped"


def report(**metrics):
    return from_json(json.dumps({"batchId": 0, "observedMetrics": metrics}))


def test_without_a_tap_nothing_is_known():
    assert read_taps(report()) is None
    assert read_taps(report(the_learners_own={"rows": 3})) is None


def test_the_events_of_two_taps_are_put_in_order_of_time():
    one = {"rows": 2, "timed": 1, "oldest": 7, "newest": 7, "events": [{"t": None}, {"t": 7}]}
    two = {"rows": 1, "timed": 1, "oldest": 5, "newest": 5, "events": [{"t": 5, "k": "a"}]}
    seen = read_taps(report(labkit_tap_1=one, labkit_tap_2=two))
    assert (seen.rows, seen.untimed, seen.oldest_ms, seen.newest_ms) == (3, 1, 5, 7)
    assert seen.events == (TappedEvent(5, "a"), TappedEvent(7, None), TappedEvent(None, None))


def test_when_one_tap_tells_no_events_none_are_told():
    full = {"rows": 1, "timed": 1, "oldest": 5, "newest": 5, "events": [{"t": 5}]}
    many = {"rows": 999, "timed": 999, "oldest": 1, "newest": 9}
    seen = read_taps(report(labkit_tap_1=full, labkit_tap_2=many))
    assert (seen.rows, seen.oldest_ms, seen.newest_ms, seen.events) == (1000, 1, 9, None)


@pytest.fixture
def stream(spark):
    """Give a stream over a script, one step a batch, and its feed."""

    def make(text, columns="user string, note string"):
        script = Script(text, columns=columns)
        rows = feed(script, to=folder(NAME, format="json"))
        reader = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
        return reader.json(rows.path), rows

    control.stop(NAME)
    yield make
    control.stop(NAME)


@pytest.fixture
def start():
    """Start a memory query that ends with the test."""
    return lambda frame, mode="append", sink="memory": (
        frame.writeStream.format(sink).queryName(NAME).outputMode(mode).start()
    )


@pytest.mark.spark
def test_the_tap_tells_times_and_keys_and_changes_no_row(stream, start):
    rows, source = stream("10:03 anna x\n10:00 null y\n\n10:05 ben z")
    query = start(tap(rows, key="user"))
    source.step(2, query)
    moments = list(MomentReader(query).backlog())
    assert [m.number for m in moments] == [0, 1]
    assert moments[0].tapped.events == (
        TappedEvent(1704103200000, "null"),
        TappedEvent(1704103380000, "anna"),
    )
    assert sorted(row[2] for row in moments[0].batch.rows) == ["x", "y"]
    assert moments[1].tapped.events == (TappedEvent(1704103500000, "ben"),)


@pytest.mark.spark
def test_rows_without_a_time_are_counted_and_long_keys_cut(stream, start):
    rows, source = stream(f"10:00 {'k' * 100} x\n10:01 b x")
    late = F.when(F.col("user") == "b", F.col("event_time"))
    query = start(tap(rows.withColumn("event_time", late), key="user"))
    source.step(1, query)
    seen = next(iter(MomentReader(query).backlog())).tapped
    assert (seen.rows, seen.untimed) == (2, 1)
    assert seen.events == (TappedEvent(1704103260000, "b"), TappedEvent(None, "k" * 40))


@pytest.mark.spark
def test_of_a_batch_with_too_many_rows_only_the_ends_are_told(stream, start):
    lines = "\n".join(f"10:{n // 60:02}:{n % 60:02} u n" for n in range(MAX_EVENTS + 1))
    rows, source = stream(lines)
    query = start(tap(rows))
    source.step(1, query)
    seen = next(iter(MomentReader(query).backlog())).tapped
    assert (seen.rows, seen.events) == (MAX_EVENTS + 1, None)
    assert (seen.newest_ms - seen.oldest_ms) == MAX_EVENTS * 1000


@pytest.mark.spark
def test_two_taps_of_one_query_do_not_meet(stream, start):
    rows, source = stream("10:00 a x\n10:01 b y")
    query = start(tap(tap(rows, key="user"), key="note", name="notes"))
    source.step(1, query)
    seen = next(iter(MomentReader(query).backlog())).tapped
    assert [event.key for event in seen.events] == ["a", "x", "b", "y"]


@pytest.mark.spark
def test_the_reader_knows_the_query(stream, start):
    rows, _ = stream("10:00 a x")
    watched = tap(rows).withWatermark("event_time", "90 seconds")
    counts = watched.groupBy(F.window("event_time", "5 minutes"), "user").count()
    reader = MomentReader(start(counts, "update"))
    assert (reader.mode, reader.zone, reader.delays_ms) == ("update", "UTC", (90_000,))
    assert (reader.group_columns, reader.late_test_lags) == (2, True)


@pytest.mark.spark
def test_of_another_sink_the_reports_are_read(stream, start):
    rows, source = stream("10:00 a x")
    query = start(tap(rows), sink="noop")
    source.step(1, query)
    (moment,) = MomentReader(query).backlog()
    assert moment.batch is None
    assert len(moment.tapped.events) == 1


@pytest.mark.spark
def test_what_is_kept_back_comes_after_the_release(stream, start):
    rows, source = stream("10:00 a x\n\n10:01 a x\n\n10:02 a x")
    query = start(tap(rows))
    reader = MomentReader(query, stop_before=1)
    source.step(3, query)
    assert [m.number for m in reader.backlog()] == [0]
    assert reader.latest() == 0
    reader.release()
    assert [m.number for m in reader.backlog()] == [1, 2]
    assert reader.latest() == 2


@pytest.mark.spark
def test_a_table_that_stands_still_is_refused(spark):
    with pytest.raises(InvalidArgument) as caught:
        tap(spark.range(3))
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "df")


@pytest.mark.parametrize("df", ["orders", None, 3])
def test_something_else_is_refused(df):
    with pytest.raises(InvalidArgument) as caught:
        tap(df)
    assert caught.value.code == "WRONG_TYPE"


@pytest.mark.spark
@pytest.mark.parametrize("wrong", [{"time": "when"}, {"key": "who"}])
def test_a_column_that_is_not_there_is_named(stream, wrong):
    rows, _ = stream("10:00 a x")
    with pytest.raises(NotFound) as caught:
        tap(rows, **wrong)
    assert caught.value.params["name"] in wrong.values()
    assert caught.value.params["reason"] == "The columns are: event_time, user, note."


@pytest.mark.spark
@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"time": "user"}, "time"), ({"time": 3}, "time"), ({"key": ["user"]}, "key"),
     ({"name": 1}, "name")],
)  # fmt: skip
def test_wrong_types_are_refused(stream, wrong, name):
    rows, _ = stream("10:00 a x")
    with pytest.raises(InvalidArgument) as caught:
        tap(rows, **wrong)
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", name)
