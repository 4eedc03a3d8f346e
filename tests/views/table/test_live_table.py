import threading

import pytest
from pyspark.sql import functions as F

from labkit import control
from labkit.errors import Conflict, InvalidArgument, NotFound
from labkit.events.script import Script
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder
from labkit.views.registry import headless, stop_all_views
from labkit.views.table.live import live
from labkit.waiting import wait_until

pytestmark = pytest.mark.spark

ROWS = "\n\n".join(f"10:00:{n:02} {n}\n10:00:{n:02} {n % 3}" for n in range(40))


@pytest.fixture
def stepped(spark):
    """Give a feed of forty steps and a started query in the mode asked for."""
    name = "stepped"

    def start(mode):
        script = Script(ROWS, columns="amount int")
        rows = feed(script, to=folder(name, format="json"))
        stream = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
        frame = stream.json(rows.path).select("amount")
        if mode != "append":
            frame = frame.groupBy((F.col("amount") % 3).alias("rest")).agg(F.count("*").alias("n"))
        writer = frame.writeStream.format("memory").queryName(name).outputMode(mode)
        return rows, writer.start()

    control.stop(name)
    yield start
    control.stop(name)


def expected(mode, upto):
    """Work out with plain Python what the sink must hold after batch ``upto``."""
    amounts = [(n, n % 3) for n in range(upto + 1)]
    if mode == "append":
        return {("amount", a) for a in amounts[-1]}
    flat = [a % 3 for pair in amounts for a in pair]
    return {rest: flat.count(rest) for rest in set(flat)}


@pytest.mark.parametrize("mode", ["append", "update", "complete"])
def test_every_frame_of_forty_steps_holds_its_own_batch(stepped, mode):
    rows, query = stepped(mode)
    view = live(query)
    models = []
    for number in range(40):
        rows.step(1, query)
        model = view.model
        assert model.batch.number == model.batch.first == number
        models.append(model)
    assert [(f.first, f.batch) for f in view.frames] == [(n, n) for n in range(40)]
    for number, model in enumerate(models):
        if mode == "append":
            assert sorted(model.batch.rows) == sorted([(number,), (number % 3,)])
        else:
            assert dict(model.rows.values()) == expected(mode, number)


def test_steps_in_a_loop_without_looking_lose_no_frame_in_complete_mode(stepped):
    rows, query = stepped("complete")
    view = live(query)
    for _ in range(40):
        rows.step()
        query.processAllAvailable()
    assert [(f.first, f.batch) for f in view.frames] == [(n, n) for n in range(40)]


def test_data_is_a_copy_of_the_result_so_far(stepped):
    rows, query = stepped("complete")
    view = live(query)
    rows.step(2, query)
    assert view.data.to_dict("list") == {"rest": [0, 1], "n": [2, 2]}
    copy = view.data
    copy.loc[0, "n"] = 99
    assert view.data["n"].tolist() == [2, 2]


def test_to_text_gives_any_batch_that_is_kept(stepped):
    rows, query = stepped("update")
    view = live(query)
    rows.step(2, query)
    assert "batch 0" in view.to_text(0)
    assert view.to_text() == view.to_text(1)
    with pytest.raises(NotFound) as caught:
        view.to_text(7)
    assert caught.value.params["name"] == 7


def test_the_thread_ends_with_the_query_and_the_frames_stay(stepped):
    rows, query = stepped("update")
    view = live(query)
    rows.step(1, query)
    query.stop()
    wait_until(lambda: not view.alive, what="the view's thread goes on", timeout_s=5)
    assert [f.batch for f in view.frames] == [0]
    assert "labkit view of stepped" not in [t.name for t in threading.enumerate()]


def test_a_view_of_a_stopped_query_shows_what_it_left(stepped):
    rows, query = stepped("update")
    rows.step(3, query)
    query.stop()
    view = live(query)
    assert [f.batch for f in view.frames] == [0, 1, 2]
    assert not view.alive or wait_until(lambda: not view.alive, what="still alive", timeout_s=5)


def test_two_views_of_one_query_are_independent(stepped):
    rows, query = stepped("update")
    first, second = live(query), live("stepped")
    rows.step(1, query)
    first.close()
    rows.step(1, query)
    assert [f.batch for f in first.frames] == [0]
    assert [f.batch for f in second.frames] == [0, 1]
    assert query.isActive


def test_stop_all_views_leaves_the_query_running(stepped):
    _, query = stepped("update")
    view = live(query)
    stop_all_views()
    stop_all_views()
    assert not view.alive
    assert query.isActive


def test_a_failing_query_is_named_in_the_static_copy(spark, stepped):
    fail = F.udf(lambda _: 1 // 0, "int")
    rows, query = stepped("append")
    control.stop(query)
    stream = spark.readStream.schema("event_time timestamp, amount int").json(rows.path)
    failing = stream.select(fail("amount").alias("x")).writeStream.format("memory")
    query = failing.queryName("stepped").start()
    view = live(query)
    rows.step()
    wait_until(lambda: not query.isActive, what="the query did not fail", timeout_s=30)
    wait_until(lambda: not view.alive, what="the view's thread goes on", timeout_s=2)
    assert view.state.failure.startswith("ZeroDivisionError: ")
    assert "Guard the division" in view.state.failure
    still = view._bundle()["text/html"]
    assert "Query failed" in still
    assert "Guard the division" in still


def test_the_text_of_a_view_has_no_values_and_no_addresses(stepped):
    _, query = stepped("update")
    assert repr(live(query)) == "<live table of 'stepped'>"


def test_headless_views_make_no_widget(stepped):
    _, query = stepped("update")
    headless()
    try:
        view = live(query)
        view._ipython_display_()
    finally:
        headless(False)
    assert view._widget is None
    assert set(view._bundle()) == {"text/plain", "text/html"}


@pytest.mark.parametrize("cap", [0, 501, "many", True, 2.5])
def test_a_bad_cap_is_refused(stepped, cap):
    _, query = stepped("update")
    with pytest.raises(InvalidArgument) as caught:
        live(query, cap=cap)
    assert caught.value.params["name"] == "cap"


def test_an_unknown_name_says_which_queries_run(stepped):
    stepped("update")
    with pytest.raises(NotFound) as caught:
        live("nobody")
    assert "stepped" in caught.value.params["reason"]


def test_something_else_is_not_a_query(spark):
    with pytest.raises(InvalidArgument) as caught:
        live(spark.range(3))
    assert caught.value.code == "WRONG_TYPE"


def test_an_unknown_key_says_which_columns_there_are(stepped):
    _, query = stepped("update")
    with pytest.raises(NotFound) as caught:
        live(query, key="nothing")
    assert caught.value.params["reason"] == "The columns are: rest, n."


def test_a_view_of_a_new_session_hears_of_its_batches():
    """Another Java may know its sessions by the same number as the one before."""
    queries = []
    for name in ("one", "two"):
        control.stop_all()
        from labkit.engine.session import spark as start

        spark = start()
        script = Script(ROWS, columns="amount int")
        rows = feed(script, to=folder(name, format="json"))
        stream = spark.readStream.schema(script.schema).json(rows.path)
        query = stream.writeStream.format("memory").queryName(name).start()
        queries.append(query)
        view = live(query)
        rows.step(1, query)
        assert [f.batch for f in view.frames] == [0]
    with pytest.raises(Conflict, match="The Spark of this query is stopped"):
        live(queries[0])


def test_a_feed_goes_on_when_java_dies_under_a_view(stepped):
    import os
    import signal

    from pyspark import SparkContext

    rows, query = stepped("update")
    view = live(query)
    rows.step(1, query)
    os.kill(SparkContext._gateway.proc.pid, signal.SIGKILL)
    SparkContext._gateway.proc.wait()
    assert rows.step() == 2
    wait_until(lambda: not view.alive, what="the view's thread goes on", timeout_s=10)
    control.stop_all()
