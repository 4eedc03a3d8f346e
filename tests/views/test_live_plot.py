"""Drawings of real queries, and what a view leaves behind."""

import sys
import threading

import pytest
from pyspark.sql import functions as F

import labkit as lab
from labkit import control, steps
from labkit.engine import listener
from labkit.engine.listener import Idle
from labkit.events.script import Script
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder
from labkit.waiting import wait_until

pytestmark = pytest.mark.spark

ROWS = "\n\n".join(f"10:00:{n:02} {n}\n10:00:{n:02} {n % 3}" for n in range(20))
NAME = "drawn"


@pytest.fixture
def stepped(spark):
    """Give a feed and a started query in the mode asked for."""

    def start(mode="complete"):
        script = Script(ROWS, columns="amount int")
        rows = feed(script, to=folder(NAME, format="json"))
        stream = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
        frame = stream.json(rows.path).select("amount")
        if mode != "append":
            frame = frame.groupBy((F.col("amount") % 3).alias("rest")).agg(F.count("*").alias("n"))
        writer = frame.writeStream.format("memory").queryName(NAME).outputMode(mode)
        return rows, writer.start()

    control.stop(NAME)
    yield start
    control.stop(NAME)


@pytest.mark.parametrize("mode", ["append", "update", "complete"])
def test_each_batch_that_is_looked_at_is_drawn_once(stepped, mode):
    rows, query = stepped(mode)
    seen = []

    def draw(ax, result):
        seen.append(len(result))
        ax.plot(result.iloc[:, 0])

    view = lab.plot(query, draw)
    rows.step(1, query)
    rows.step(1, query)
    view.catch_up()
    assert seen == []  # no page shows it, and nobody has asked
    assert "batch 1" in view.to_text()
    assert len(seen) == 1
    frames = view.frames
    assert [frame.batch for frame in frames] == [0, 1]
    assert view.frames == frames
    assert all("data:image/png;base64," in frame.still for frame in frames)
    assert seen == ([4, 2] if mode == "append" else [2, 1])
    assert len(view.data) == seen[0]
    assert "batch 0" in view.to_text(0)
    assert repr(view) == "<live plot of 'drawn'>"


def test_a_drawing_that_fails_leaves_the_view_and_the_query_alive(stepped):
    rows, query = stepped()

    def draw(ax, result):
        ax.plot(result["n"] / (len(result) - 1 or result["nobody"]))

    view = lab.plot(query, draw)
    rows.step(2, query)
    first, second = view.frames
    assert "draw failed: KeyError: 'nobody' (in draw, line" in first.sentence
    assert "data:image/png" in second.still
    assert view.alive
    assert query.isActive


def views_of(name):
    return [t for t in threading.enumerate() if t.name == f"labkit view of {name}"]


OPENERS = {
    "table": lab.live,
    "progress": lab.progress,
    "plot": lambda query: lab.plot(query, lambda ax, rows: ax.plot(rows["n"])),
}


@pytest.mark.parametrize("opened", OPENERS)
def test_the_same_cell_run_again_leaves_one_thread(stepped, monkeypatch, opened):
    rows, query = stepped()
    registry = sys.modules["labkit.views.registry"]
    open_view = OPENERS[opened]
    monkeypatch.setattr(registry, "_cell_run", lambda: ("cell", "run 1"))
    first, beside = open_view(query), open_view(query)
    assert len(views_of(NAME)) == 2  # one run may open two views
    for run in ("run 2", "run 3"):
        monkeypatch.setattr(registry, "_cell_run", lambda run=run: ("cell", run))
        newest = open_view(query)
        assert len(views_of(NAME)) == 1
    monkeypatch.setattr(registry, "_cell_run", lambda: ("another cell", "run 4"))
    other = open_view(query)
    assert [view.alive for view in (first, beside, newest, other)] == [False, False, True, True]
    rows.step(1, query)
    assert [len(view.frames) for view in (newest, other)] == [1, 1]
    assert query.isActive


@pytest.mark.parametrize("opened", OPENERS)
def test_nothing_is_left_after_close(stepped, opened):
    before = set(threading.enumerate()), list(steps._watchers)
    rows, query = stepped()
    view = OPENERS[opened](query)
    rows.step(1, query)
    assert len(view.frames) == 1
    assert query.runId in listener._inboxes
    view.close()
    view.close()
    assert views_of(NAME) == []
    assert query.runId not in listener._inboxes
    assert steps._watchers == before[1]
    rows.step(1, query)
    assert len(view.frames) == 1
    lab.stop(query)
    wait_until(lambda: not query.isActive, what="the query goes on", timeout_s=10)
    left = {t.name for t in set(threading.enumerate()) - before[0]}
    assert not {name for name in left if name.startswith("labkit")}


def test_a_query_without_data_sends_its_view_one_message_and_then_none(stepped):
    rows, query = stepped()
    view = lab.live(query)
    shown, show = [], view._runner._show

    def noted(frames, state):
        shown.append(state.code)
        return show(frames, state)

    view._runner._show = noted
    rows.step(1, query)
    assert view.frames
    wait_until(lambda: shown, what="the batch was not shown", timeout_s=5)
    wait_until(lambda: not view._runner._unshown, what="frames wait", timeout_s=5)
    listener._tell(query.runId, Idle())
    wait_until(lambda: shown[-1] == "waiting", what="the view does not say waiting", timeout_s=5)
    count = len(shown)
    for _ in range(20):  # what Spark says every ten seconds
        listener._tell(query.runId, Idle())
    inbox = view._runner._inbox
    wait_until(inbox.empty, what="the news are not read", timeout_s=5)
    rows.step(1, query)  # a batch: everything before it has been read
    assert len(view.frames) == 2
    assert shown[count:].count("waiting") == 0
