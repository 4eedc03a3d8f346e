"""Real queries side by side."""

import threading

import pytest
from pyspark.sql import functions as F

from labkit import control
from labkit.engine.batches import running_queries
from labkit.errors import InvalidArgument, NotFound, NotReady
from labkit.events.script import Script
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder
from labkit.feeds.registry import stop_all_feeds
from labkit.views.compare.live import compare
from labkit.views.registry import stop_all_views
from labkit.waiting import wait_until

pytestmark = pytest.mark.spark

DRILL = """10:01 anna 5
10:02 ben 1

10:03 anna 2

10:06:30 ben 4

10:04 ben 3"""


@pytest.fixture
def orders(spark):
    """Give a feed of four steps and the stream that reads it, one file in a batch."""
    script = Script(DRILL, columns="who string, amount int")
    rows = feed(script, to=folder("compared", format="json"))
    stream = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
    yield rows, stream.json(rows.path)
    for query in running_queries():
        control.stop(query)
    stop_all_views()
    stop_all_feeds()


def sums(stream):
    windows = stream.withWatermark("event_time", "1 minute")
    grouped = windows.groupBy(F.window("event_time", "5 minutes"), "who")
    return grouped.agg(F.sum("amount").alias("sum"))


def totals(stream):
    return stream.groupBy("who").agg(F.sum("amount").alias("sum"))


def sent(view):
    """Return the rows sent in each step, by mode."""
    return {lane.mode: [s.rows for s in lane.history] for lane in view.model.lanes}


def names():
    return sorted(query.name for query in running_queries())


def test_all_files_at_once_give_the_steps_of_the_mock_up(orders):
    rows, stream = orders
    rows.step(4)
    view = compare(sums(stream), "sums")
    view.wait()
    assert [(f.first, f.batch) for f in view.frames] == [(n, n) for n in range(4)]
    assert sent(view) == {"append": [0, 0, 0, 2], "update": [2, 1, 1, 1], "complete": [2, 2, 3, 3]}
    assert "window 10:00 – 10:05 is final" in view.to_text(3)
    rest = view.data.groupby("mode")["sum"].apply(list).to_dict()
    assert rest == {"append": [7, 4], "update": [7, 4, 4], "complete": [7, 4, 4]}


def test_extra_batches_belong_to_the_step_before_them(orders):
    rows, stream = orders
    view = compare(sums(stream), "sums")
    assert rows.step(4, view) == 5
    # The extra batch of step 2 closes the window, so ben's 3 comes too late for append and update.
    assert sent(view) == {"append": [0, 0, 2, 0], "update": [2, 1, 1, 0], "complete": [2, 2, 3, 3]}
    assert [f.batch for f in view.frames] == [0, 1, 2, 3]
    batches = {mode: query.lastProgress.batchId for mode, query in view.queries.items()}
    assert batches["append"] > batches["complete"]
    said = [frame.sentence for frame in view.frames]
    assert said[2].endswith("The watermark is now 10:05:30, so window 10:00 – 10:05 is final.")
    assert said[3].endswith("Rows that came too late were dropped by append and update.")


def test_two_runs_give_the_same_frames(orders):
    rows, stream = orders
    first = compare(sums(stream), "sums")
    rows.step(4, first)
    shown = [frame.as_message() for frame in first.frames]
    again = compare(sums(stream), "sums")
    again.wait()
    assert len(again.frames) == 4
    third = compare(sums(stream), "sums")
    third.wait()
    assert [f.as_message() for f in third.frames] == [f.as_message() for f in again.frames]
    assert [f.as_message() for f in first.frames] == shown


def test_a_refusal_at_the_start_leaves_the_others_running(orders):
    rows, stream = orders
    view = compare(totals(stream), "totals")
    rows.step(4, view)
    assert names() == ["totals_complete", "totals_update"]
    assert sorted(view.queries) == ["complete", "update"]
    assert sent(view) == {"append": [], "update": [2, 1, 1, 1], "complete": [2, 2, 2, 2]}
    assert "Append was refused at the start." in view.frames[-1].sentence
    assert "No row is ever final" in view.to_text()
    assert view.data["mode"].unique().tolist() == ["update", "complete"]


def test_a_watermark_on_something_else_than_the_groups_is_told_apart(orders):
    marked = orders[1].withWatermark("event_time", "1 minute")
    view = compare(totals(marked), "totals", ["append"])
    assert "closes none" in view.to_text()
    assert view.queries == {}
    wait_until(lambda: not view.alive, what="a view of nothing goes on", timeout_s=5)
    assert view.frames == []


def test_a_refusal_while_running_is_shown_and_the_others_go_on(spark, orders):
    rows, stream = orders
    gone = spark.createDataFrame([("zoe",)], "who string")
    view = compare(stream.select("who").exceptAll(gone), "rest", ("append", "update"))
    rows.step(2, view)
    assert names() == ["rest_update"]
    assert sent(view)["update"] == [2, 2]  # anna has come twice, and update sends both again
    assert view.frames[-1].sentence.endswith("Append was refused while it ran.")
    assert "Without a watermark no count is ever final" in view.to_text()


def test_an_error_of_the_learners_own_ends_every_mode_and_is_named(orders):
    rows, stream = orders
    broken = stream.select(F.udf(lambda n: 1 // (n - 5), "int")("amount").alias("x"))
    view = compare(broken, "broken", ("append", "update"))
    rows.step(1)
    view.wait()
    wait_until(lambda: not view.alive, what="the view goes on", timeout_s=10)
    assert view.to_text().count("ZeroDivisionError") == 4
    assert view.state.code == "failed"


def test_the_same_cell_again_stops_what_ran_before(orders):
    rows, stream = orders
    first = compare(totals(stream), "totals")
    again = compare(totals(stream), "totals")
    wait_until(lambda: not first.alive, what="the first view goes on", timeout_s=10)
    rows.step(1, again)
    assert names() == ["totals_complete", "totals_update"]
    assert not any(query.isActive for query in first.queries.values())
    views = [t for t in threading.enumerate() if t.name == "labkit view of totals"]
    assert len(views) == 1


def test_a_table_of_an_earlier_run_is_not_left_for_a_refused_mode(spark, orders):
    rows, stream = orders
    rows.step(1)
    compare(sums(stream), "t").wait()
    assert spark.catalog.tableExists("t_append")
    compare(totals(stream), "t").wait()
    assert not spark.catalog.tableExists("t_append")
    assert spark.table("t_update").count() == 2


def test_stop_stops_all_and_keeps_the_frames(orders):
    rows, stream = orders
    view = compare(sums(stream), "sums")
    rows.step(2, view)
    view.stop()
    view.stop()
    assert names() == []
    assert not view.alive
    assert view.state.code == "stopped"
    assert [f.batch for f in view.frames] == [0, 1]
    assert "Stopped after" not in view.to_text()


def test_lab_stop_takes_the_view_or_the_name_of_one_query(orders):
    rows, stream = orders
    view = compare(sums(stream), "sums")
    control.stop("sums_append")
    rows.step(1, view)
    assert "update sent 2 rows, complete 2." in view.frames[-1].sentence
    assert "Stopped." in view.to_text()
    control.stop(view)
    assert names() == []


def test_stop_all_stops_the_queries_of_a_comparison(orders):
    rows, stream = orders
    view = compare(sums(stream), "sums")
    rows.step(1, view)
    control.stop_all()
    wait_until(lambda: not view.alive, what="the view goes on", timeout_s=10)


def test_rate_micro_batch_is_awaited_by_its_step(spark):
    source = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()
    view = compare(source.groupBy((F.col("value") % 2).alias("odd")).count(), "rate")
    view.wait(3)
    assert sent(view)["update"][:4] == [2, 2, 2, 2]
    with pytest.raises(NotReady):
        view.wait(timeout_s=0.5)
    view.stop()


def test_the_static_copy_and_the_thread_end_with_the_queries(orders):
    rows, stream = orders
    view = compare(sums(stream), "sums")
    rows.step(3, view)
    view.close()
    assert names() == ["sums_append", "sums_complete", "sums_update"]
    html = view._bundle()["text/html"]
    assert "Table so far" in html
    assert "View closed" in html


@pytest.mark.parametrize("kind", ["socket", "rate"])
def test_a_source_that_gives_each_query_other_rows_is_refused_before_anything_starts(
    spark, orders, kind
):
    rows, stream = orders
    before = compare(sums(stream), "sums")
    source = spark.readStream.format(kind).option("host", "127.0.0.1").option("port", 9).load()
    with pytest.raises(InvalidArgument) as caught:
        compare(source, "sums")
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["value"] == kind
    assert "other rows" in caught.value.params["cure"]
    rows.step(1, before)
    assert len(before.frames) == 1


def test_a_source_within_a_join_is_seen_too(spark, orders):
    rate = spark.readStream.format("rate").load().withColumnRenamed("timestamp", "event_time")
    with pytest.raises(InvalidArgument) as caught:
        compare(orders[1].join(rate, "event_time"), "joined")
    assert caught.value.params["value"] == "rate"


def test_a_table_that_does_not_stream_is_refused(spark):
    for wrong in (spark.range(3), "totals", None):
        with pytest.raises(InvalidArgument) as caught:
            compare(wrong, "totals")
        assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "df")


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        ({"name": "my totals"}, "OUT_OF_RANGE", "name"),
        ({"name": ""}, "OUT_OF_RANGE", "name"),
        ({"name": 3}, "WRONG_TYPE", "name"),
        ({"modes": "append"}, "WRONG_TYPE", "modes"),
        ({"modes": ()}, "OUT_OF_RANGE", "modes"),
        ({"modes": ("append", "append")}, "OUT_OF_RANGE", "modes"),
        ({"modes": ("append", "upsert")}, "UNKNOWN_CHOICE", "a mode"),
        ({"cap": 0}, "OUT_OF_RANGE", "cap"),
        ({"cap": 101}, "OUT_OF_RANGE", "cap"),
        ({"cap": "many"}, "WRONG_TYPE", "cap"),
    ],
)
def test_bad_arguments_are_refused(orders, arguments, code, name):
    with pytest.raises(InvalidArgument) as caught:
        compare(totals(orders[1]), **{"name": "totals", **arguments})
    assert (caught.value.code, caught.value.params["name"]) == (code, name)
    assert names() == []


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"step": -1}, "step"), ({"step": "all"}, "step"), ({"timeout_s": 0}, "timeout_s")],
)
def test_wait_refuses_what_cannot_be_waited_for(orders, arguments, name):
    view = compare(totals(orders[1]), "totals", ["update"])
    with pytest.raises(InvalidArgument) as caught:
        view.wait(**arguments)
    assert caught.value.params["name"] == name


def test_a_step_that_is_not_kept_is_named(orders):
    view = compare(totals(orders[1]), "totals", ["update"])
    with pytest.raises(NotFound) as caught:
        view.to_text(7)
    assert caught.value.params["name"] == 7


@pytest.mark.service
def test_kafka_rows_meet_at_the_same_offsets(spark, broker):
    script = Script(DRILL, columns="who string, amount int")
    rows = feed(script, to=broker.topic("compared", partitions=2))
    options = {**broker.options("compared"), "startingOffsets": "earliest"}
    source = spark.readStream.format("kafka").options(**options).load()
    rows.step(1)
    view = compare(source.groupBy("partition").count(), "kafka_rows", ("update", "complete"))
    view.wait()
    for _ in range(3):
        rows.step(1)
        view.wait()
    model = view.model
    assert {rows for _, rows in model.read_rows} == {5}
    update, complete = (dict(lane.rows) for lane in model.lanes)
    assert update == complete
    view.stop()


def test_lab_stop_with_the_name_of_the_whole_stops_all_and_their_tables(spark, orders):
    _, stream = orders
    compare(totals(stream), name="totals")
    assert names() == ["totals_complete", "totals_update"]
    control.stop("totals")
    assert names() == []
    tables = {table.name for table in spark.catalog.listTables()}
    assert not tables & {"totals_complete", "totals_update"}


def test_a_step_of_kafka_is_one_input_step_for_all_queries(spark, broker):
    name = "compared-topic"
    script = Script(DRILL, columns="who string, amount int")
    rows = feed(script, to=broker.topic(name, partitions=2), key="who")
    records = spark.readStream.format("kafka").options(**broker.options(name)).load()
    parsed = F.from_json(F.col("value").cast("string"), script.schema)
    view = compare(totals(records.select(parsed.alias("row")).select("row.*")), name="totals")
    try:
        rows.step(4, view)
        # A query on an empty topic begins with an empty batch.
        modes = {"append": [], "update": [0, 2, 1, 1, 1], "complete": [0, 2, 2, 2, 2]}
        assert sent(view) == modes
    finally:
        control.stop("totals")
        stop_all_feeds()
