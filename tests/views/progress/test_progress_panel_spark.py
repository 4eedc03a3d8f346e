"""The progress panel of real queries."""

import threading

import pytest
from pyspark.sql import functions as F

import labkit as lab
from labkit import control
from labkit.errors import InvalidArgument, NotFound
from labkit.views.progress.page import render
from labkit.views.progress.strips import strips
from labkit.waiting import wait_until

pytestmark = pytest.mark.spark

DRILL_1 = """\
10:00 a
10:03 a

10:05:30 a

10:06:00 a

10:01:00 a

10:05:01 a

2099-01-01 00:00 a

10:12:01 a
"""
WAITS = "Waiting for the watermark: needs an event at {} or later, to send window {}."
FIRST, SECOND = ("10:06:00", "10:00–10:05"), ("10:11:00", "10:05–10:10")
LAST = ("2099-01-01 00:06:00", "2099-01-01 00:00–00:05")


@pytest.fixture
def drill(spark):
    """Give a feed of drill 1 and a started query of windows of five minutes."""

    def start(mode="append", name="drill", *, keep=None, **trigger):
        script = lab.Script(DRILL_1, columns="user string")
        rows = lab.feed(script, to=lab.folder("drill", format="json"))
        stream = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
        marked = stream.json(rows.path).withWatermark("event_time", "1 minute")
        marked = marked if keep is None else marked.where(keep)
        counts = marked.groupBy(F.window("event_time", "5 minutes")).count()
        writer = counts.writeStream.format("memory").queryName(name).outputMode(mode)
        return rows, (writer.trigger(**trigger) if trigger else writer).start()

    control.stop("drill")
    yield start
    control.stop("drill")


def test_drill_1_step_by_step_says_what_is_waited_for(drill):
    rows, query = drill()
    panel = lab.progress(query)
    said = []
    for _ in range(7):
        rows.step(1, query)
        said.append(panel.to_text().splitlines()[1])
    needs = [FIRST, FIRST, SECOND, SECOND, SECOND, LAST, LAST]
    assert said == [WAITS.format(*need) for need in needs]
    assert [f.batch for f in panel.frames] == list(range(11))
    assert panel.to_text().splitlines()[0] == "drill · append · batch 10 · from folder drill"
    data = panel.data
    assert data["input_rows"].tolist() == [2, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1]
    assert data["sent_rows"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]
    assert data["state_rows"].tolist() == [1, 1, 2, 2, 2, 1, 1, 1, 2, 1, 1]
    assert data["dropped_groups"].tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert data["watermark"].isna().tolist() == [True] + [False] * 10
    assert f"{data['watermark'][9]:%Y-%m-%d %H:%M}" == "2098-12-31 23:59"
    assert (data["batch_ms"] >= data["run_ms"]).all()
    assert (data["batch_ms"] > 0).all()


def test_a_panel_opened_later_tells_the_same(drill):
    rows, query = drill()
    early = lab.progress(query)
    rows.step(4, query)
    late = lab.progress("drill")
    assert [frame.text for frame in late.frames] == [frame.text for frame in early.frames]
    assert late.to_text(5) == early.to_text(5)


def test_a_filter_behind_the_watermark_keeps_the_panel_from_guessing(drill):
    rows, query = drill(keep="hour(event_time) < 12")
    panel = lab.progress(query)
    rows.step(1, query)
    assert panel.model.facts.delay.total_seconds() == 60
    assert panel.model.facts.windows is None
    assert panel.frames[-1].sentence.startswith("Running: batch 1")


def test_update_waits_for_no_watermark(drill):
    rows, query = drill("update")
    panel = lab.progress(query)
    rows.step(2, query)
    assert {f.sentence.split(":")[0] for f in panel.frames} == {"Running"}


def test_the_interval_of_the_trigger_is_found(drill):
    _, query = drill(processingTime="2 seconds")
    facts = lab.progress(query).model.facts
    assert (facts.interval_s, facts.mode, facts.zone) == (2.0, "append", "UTC")
    assert facts.cores >= 1


def test_any_sink_and_a_query_without_a_name(spark):
    script = lab.Script(DRILL_1, columns="user string")
    rows = lab.feed(script, to=lab.folder("drill", format="json"))
    stream = spark.readStream.schema(script.schema).json(rows.path)
    query = stream.writeStream.foreachBatch(lambda frame, _: frame.count()).start()
    try:
        panel = lab.progress(query)
        rows.step(1, query)
        assert panel.to_text().splitlines()[1] == "Batch 0: 2 rows in."
        assert panel.model.name == "query without a name"
        assert [strip.title for strip in strips(panel.model)][:2] == ["Rows in", "Batch time"]
        assert panel.data["sent_rows"].isna().all()
        assert str(query.id)[:8] not in panel.frames[-1].still
    finally:
        query.stop()


def test_the_view_ends_with_its_query_and_stays_readable(drill):
    rows, query = drill()
    panel = lab.progress(query)
    rows.step(1, query)
    query.stop()
    wait_until(lambda: not panel.alive, what="the view's thread goes on", timeout_s=5)
    assert panel.state.code == "stopped"
    assert [f.batch for f in panel.frames] == [0, 1]
    assert "labkit view of drill" not in [t.name for t in threading.enumerate()]
    assert [f.text for f in lab.progress(query).frames] == [f.text for f in panel.frames]


def test_a_frame_of_a_real_query_is_small(drill):
    rows, query = drill()
    panel = lab.progress(query)
    rows.step(7, query)
    assert max(len(f.pages[0].html.encode()) for f in panel.frames) < 8_000
    assert render(panel.model).pages == panel.frames[-1].pages


@pytest.mark.service
@pytest.mark.timeout(240)
def test_lag_of_each_kafka_partition(spark, broker):
    rows = lab.feed(
        lab.Script("\n".join(f"10:00:{n:02} key{n}" for n in range(40)), columns="user string"),
        to=broker.topic("lagging", partitions=2),
    )
    rows.step()
    stream = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", broker.bootstrap_servers)
        .option("subscribe", "lagging")
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", 10)
        .load()
    )
    query = stream.writeStream.format("noop").queryName("lagging").start()
    try:
        panel = lab.progress(query)
        query.processAllAvailable()
        lags = panel.data["lag"].tolist()
        assert lags[0] >= 30
        assert lags[-1] == 0
        assert lags == sorted(lags, reverse=True)
        assert "from Kafka topic lagging" in panel.to_text()
        last = panel.model.batches[-1].kafka
        assert [p.number for p in last] == [0, 1]
        assert sum(p.end for p in last) == 40
        assert panel.model.batches[0].kafka[0].start in (None, 0)
    finally:
        query.stop()


@pytest.mark.parametrize(
    ("given", "error", "code"),
    [
        (7, InvalidArgument, "WRONG_TYPE"),
        (None, InvalidArgument, "WRONG_TYPE"),
        ("nobody", NotFound, "NOT_FOUND"),
    ],
)
@pytest.mark.usefixtures("spark")
def test_what_is_no_query_is_refused(given, error, code):
    with pytest.raises(error) as caught:
        lab.progress(given)
    assert caught.value.code == code
