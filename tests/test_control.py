"""lab.stop and lab.stop_all: cells that run twice, nothing started on the way, nothing left."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import labkit as lab
from labkit import control
from labkit.errors import InvalidArgument

STOP_WITHOUT_ANYTHING = """
import sys, threading
import labkit as lab
lab.stop("totals", "orders")
lab.stop_all()
lab.stop_all()
heavy = [name for name in ("pyspark", "kafka", "labkit.feeds.feed") if name in sys.modules]
assert heavy == [], heavy
assert threading.active_count() == 1
"""


def test_stopping_loads_and_starts_nothing():
    subprocess.run([sys.executable, "-c", STOP_WITHOUT_ANYTHING], check=True)


@pytest.mark.parametrize("thing", [3, None, ["totals"], {"name": "totals"}, object()])
def test_what_is_no_query_feed_or_name_is_refused_before_anything_stops(thing):
    feed = lab.feed(lab.Lines(seed=7), to=lab.folder("control"))
    with pytest.raises(InvalidArgument) as caught:
        lab.stop(feed, thing)
    assert caught.value.code == "WRONG_TYPE"
    assert caught.value.params["value"] is thing
    assert feed.step() == 10


def test_a_feed_is_closed_by_its_name_and_by_itself():
    first = lab.feed(lab.Lines(seed=7), to=lab.socket(), name="first")
    second = lab.feed(lab.Lines(seed=7), to=lab.folder("second"))
    second.start(rate_per_s=5)
    lab.stop("first", second)
    lab.stop("first", second)
    assert (first.is_closed, second.is_closed, second.is_running) == (True, True, False)


@pytest.mark.parametrize(("module", "function"), control.ROOMS)
def test_every_part_that_stop_all_names_is_there(module, function):
    assert callable(getattr(import_module(module), function))


def test_one_part_that_fails_does_not_keep_the_others_from_being_stopped(monkeypatch):
    class Room:
        def __init__(self, name, *, fails=False):
            self.name, self.fails = name, fails

        def end(self):
            stopped.append(self.name)
            if self.fails:
                raise RuntimeError(self.name)

    stopped = []
    rooms = {"room_1": Room(1), "room_2": Room(2, fails=True), "room_3": Room(3)}
    monkeypatch.setattr(control, "ROOMS", tuple((name, "end") for name in rooms))
    for name, room in rooms.items():
        monkeypatch.setitem(sys.modules, name, room)
    with pytest.raises(RuntimeError, match="2"):
        lab.stop_all()
    assert stopped == [1, 2, 3]


@pytest.fixture(scope="module")
def spark():
    session = lab.spark()
    yield session
    lab.stop_all()


def start(spark, name=None):
    rows = spark.readStream.format("rate").load()
    sink = rows.writeStream.format("memory" if name else "noop")
    return (sink.queryName(name) if name else sink).start()


def views(spark):
    return sorted(table.name for table in spark.catalog.listTables())


@pytest.mark.spark
def test_a_query_and_its_table_go_by_name_and_by_object(spark):
    first, second, nameless = start(spark, "first"), start(spark, "second"), start(spark)
    assert views(spark) == ["first", "second"]
    lab.stop("first", second, nameless)
    assert [query.isActive for query in (first, second, nameless)] == [False] * 3
    assert views(spark) == []
    lab.stop("first", second, nameless)


@pytest.mark.spark
def test_a_cell_that_stops_first_runs_twice(spark):
    for _ in range(2):
        lab.stop("again")
        query = start(spark, "again")
    assert query.isActive
    lab.stop("again")


@pytest.mark.spark
def test_an_older_query_leaves_the_table_of_a_newer_one_alone(spark):
    older = start(spark, "totals")
    older.stop()
    newer = start(spark, "totals")
    lab.stop(older)
    assert newer.isActive
    assert views(spark) == ["totals"]
    lab.stop("totals")


@pytest.mark.spark
def test_a_view_that_the_learner_made_stays(spark):
    spark.range(3).createOrReplaceTempView("mine")
    lab.stop("mine", "no/such: name")
    assert spark.table("mine").count() == 3
    spark.catalog.dropTempView("mine")


@pytest.mark.spark
def test_stop_all_ends_queries_feeds_and_session_and_another_one_can_begin(spark):
    query = start(spark, "totals")
    feed = lab.feed(lab.Lines(seed=7), to=lab.folder("control"))
    for _ in range(2):
        lab.stop_all()
        assert feed.is_closed
    lab.stop(query, "totals")  # its session is gone: fine
    assert lab.spark().range(3).count() == 3
