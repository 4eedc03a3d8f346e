"""The timeline of real queries: Spark's own numbers must give the same picture as the drills."""

import importlib.util
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from labkit import control
from labkit.engine.tap import tap
from labkit.errors import InvalidArgument, NotFound
from labkit.events.script import Script
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder
from labkit.views.timeline.live import timeline
from labkit.waiting import wait_until

pytestmark = pytest.mark.spark

spec = importlib.util.spec_from_file_location("pure", Path(__file__).with_name("test_timeline.py"))
pure = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pure)

DRILL_1 = "10:00\n10:03\n\n10:05:30\n\n10:06\n\n10:01\n\n10:05:01\n\n2099-01-01 00:00\n\n10:12:01"
DRILL_2 = "10:00\n\n10:30\n\n10:01\n\n10:02\n\n10:31"
NAME = "counts"


@pytest.fixture
def drill(spark):
    """Give a drill's stream, tapped and with a watermark, and its feed."""

    def make(text, columns="", *, key=None, tapped=True):
        script = Script(text, columns=columns)
        rows = feed(script, to=folder(NAME, format="json"))
        reader = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
        stream = reader.json(rows.path)
        stream = tap(stream, key=key) if tapped else stream
        return stream.withWatermark("event_time", "1 minute"), rows, len(script.steps)

    control.stop(NAME)
    yield make
    control.stop(NAME)


def counted(stream, *keys, window=("5 minutes",), mode="append"):
    counts = stream.groupBy(F.window("event_time", *window), *keys).count()
    return start(counts, mode)


def start(frame, mode="append", sink="memory"):
    return frame.writeStream.format(sink).queryName(NAME).outputMode(mode).start()


def test_drill_1_run_by_spark_is_the_golden_picture(drill):
    stream, rows, steps = drill(DRILL_1)
    query = counted(stream)
    view = timeline(query)
    rows.step(steps, query)
    model = view.model
    golden = pure.drill_1().fold()
    assert model.steps == golden.steps
    assert model.spans == golden.spans
    assert [frame.sentence for frame in view.frames] == pure.DRILL_1_SENTENCES
    assert view.to_text() == pure.DRILL_1_TEXT


def test_drill_2_run_by_spark_without_a_pause(drill):
    stream, rows, steps = drill(DRILL_2)
    rows.step(steps)  # all files are there before the query starts
    query = counted(stream)
    view = timeline(query)
    query.processAllAvailable()
    golden = pure.drill_2().fold()
    assert view.model.steps == golden.steps
    assert view.model.spans == golden.spans
    assert [frame.sentence for frame in view.frames] == pure.DRILL_2_SENTENCES


def test_with_one_watermark_for_all_operators_the_late_test_does_not_lag(spark, drill):
    setting = "spark.sql.streaming.statefulOperator.allowMultiple"
    stream, rows, steps = drill(DRILL_2)
    rows.step(steps)
    spark.conf.set(setting, "false")
    try:
        query = counted(stream)
        view = timeline(query)
    finally:
        spark.conf.unset(setting)
    query.processAllAvailable()
    assert pure.fates(view.model)[2] == ["late"]
    assert all(step.agrees for step in view.model.steps)


def test_data_has_one_row_per_event(drill):
    stream, rows, _ = drill("10:00 anna\n10:03 ben", "user string", key="user")
    query = counted(stream, "user")
    view = timeline(query)
    rows.step(1, query)
    assert view.data["key"].tolist() == ["anna", "ben"]
    assert view.data["fate"].tolist() == ["counted", "counted"]
    assert [f"{t:%H:%M %Z}" for t in view.data["event_time"]] == ["10:00 UTC", "10:03 UTC"]
    assert view.data["batch"].tolist() == [0, 0]


SLIDING = "10:01 a\n10:16 a\n\n10:12 a\n10:12 b\n10:08 a\n10:08 a\n\n10:21 a"


@pytest.mark.parametrize("keys", [(), ("user",)])
def test_sliding_windows_drop_what_the_picture_says(drill, keys):
    stream, rows, steps = drill(SLIDING, "user string", key="user")
    query = counted(stream, *keys, window=("10 minutes", "5 minutes"))
    view = timeline(query, "10 minutes", slide="5 minutes")
    rows.step(steps, query)
    model = view.model
    late = next(step for step in model.steps if step.rows == 4)
    assert sorted(m.fate for m in late.marks) == ["half late"] * 2 + ["late"] * 2
    # 10:05–10:15 of a and of b, 10:00–10:10 of a
    assert late.spark_dropped == (3 if keys else 2)
    assert late.picture_dropped == (late.spark_dropped,) * 2
    assert_sent_is_counted(model, keyed=bool(keys))


def assert_sent_is_counted(model, *, keyed):
    """Each result that Spark sent must be what the picture counted for that window."""
    for span in model.spans:
        for _, lines in span.sent:
            assert sum(int(line.split()[-1]) for line in lines) == span.rows
            assert keyed or len(lines) == 1


SESSIONS = (
    "10:01 anna\n10:02 ben\n10:09 anna\n\n10:05 anna\n\n10:03 anna\n10:20 ben\n\n"
    "10:06 cleo\n10:06 cleo\n10:14 cleo\n\n10:40 dora"
)


def test_sessions_of_spark_are_the_sessions_of_the_picture(drill):
    stream, rows, steps = drill(SESSIONS, "user string", key="user")
    sessions = stream.groupBy(F.session_window("event_time", "5 minutes"), "user").count()
    query = start(sessions)
    view = timeline(query, gap="5 minutes")
    rows.step(steps, query)
    model = view.model
    assert all(step.agrees for step in model.steps)
    assert any(step.spark_dropped for step in model.steps)
    assert_sent_is_counted(model, keyed=True)
    sent = [s for s in model.spans if s.sent]
    assert len(sent) >= 4
    assert all(s.opened is not None for s in sent)  # none that the picture did not know
    assert all(s.sent[0][0] == s.closed for s in sent)


def test_drop_duplicates_drops_what_the_picture_says(drill):
    stream, rows, steps = drill(
        "10:03 a\n\n10:02 b\n10:02:01 c\n10:01 d", "user string", key="user"
    )
    query = start(stream.dropDuplicates(["user", "event_time"]))
    view = timeline(query, window=None)
    rows.step(steps, query)
    late = next(step for step in view.model.steps if step.rows == 3)
    assert [m.fate for m in late.marks] == ["late", "late", "counted"]
    assert (late.spark_dropped, late.agrees) == (2, True)


@pytest.mark.parametrize("mode", ["update", "complete"])
def test_update_and_complete_agree_with_spark(drill, mode):
    stream, rows, steps = drill(DRILL_1)
    query = counted(stream, mode=mode)
    view = timeline(query)
    rows.step(steps, query)
    model = view.model
    assert all(step.agrees for step in model.steps)
    late = sum(fates.count("late") for fates in pure.fates(model))
    assert late == (2 if mode == "update" else 0)
    assert_newest_is_counted(model)


def assert_newest_is_counted(model):
    for span in model.spans:
        assert span.sent[-1][1] == (str(span.rows),)


def test_a_filter_after_the_tap_makes_picture_and_spark_disagree(drill):
    stream, rows, steps = drill("10:10\n\n10:00")
    query = counted(stream.where("minute(event_time) > 5"))
    view = timeline(query)
    rows.step(steps, query)
    assert "picture and Spark disagree" in view.frames[-1].sentence


def test_without_a_tap_the_results_are_shown(drill):
    stream, rows, steps = drill(DRILL_1, tapped=False)
    query = counted(stream)
    view = timeline(query)
    rows.step(steps, query)
    assert "10:00–10:05 = 2" in view.to_text()
    assert "lab.tap" in view.frames[-1].sentence


def test_another_sink_shows_events_and_windows_without_values(drill):
    stream, rows, steps = drill(DRILL_1)
    counts = stream.groupBy(F.window("event_time", "5 minutes")).count()
    query = start(counts, sink="noop")
    view = timeline(query)
    rows.step(steps, query)
    assert [step.number for step in view.model.steps] == list(range(11))
    assert pure.fates(view.model)[6] == ["late"]
    assert [span.closed for span in view.model.spans] == [5, 9, None]


@pytest.mark.parametrize("ended", [False, True])
def test_the_picture_stops_before_a_batch_until_it_may_go_on(drill, ended):
    stream, rows, steps = drill(DRILL_1)
    query = counted(stream)
    view = timeline(query, stop_before=5)
    rows.step(steps, query)
    assert [frame.batch for frame in view.frames] == [0, 1, 2, 3, 4]
    assert "stops before batch 5" in view.frames[-1].sentence
    if ended:
        control.stop(query)
        wait_until(lambda: not view.alive, what="the view's thread goes on", timeout_s=5)
    view.go_on()
    assert [frame.batch for frame in view.frames] == list(range(11))
    assert view.to_text() == pure.DRILL_1_TEXT
    view.go_on()
    assert len(view.frames) == 11


def test_it_may_go_on_before_the_batch_has_come(drill):
    stream, rows, steps = drill(DRILL_1)
    query = counted(stream)
    view = timeline(query, stop_before=5)
    rows.step(1, query)
    view.go_on()
    assert [frame.batch for frame in view.frames] == [0, 1]
    rows.step(steps - 1, query)
    assert [frame.batch for frame in view.frames] == list(range(11))
    assert view.alive


def test_a_stopped_query_shows_what_it_left(drill):
    stream, rows, steps = drill(DRILL_1)
    query = counted(stream)
    rows.step(steps, query)
    query.stop()
    assert timeline(query).to_text() == pure.DRILL_1_TEXT


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"window": "a while"}, "window"),
        ({"slide": "10 minutes"}, "slide"),
        ({"gap": "0 seconds"}, "gap"),
        ({"stop_before": 0}, "stop_before"),
    ],
)
def test_bad_arguments_are_refused(drill, wrong, name):
    stream, _, _ = drill(DRILL_1)
    query = counted(stream)
    with pytest.raises(InvalidArgument) as caught:
        timeline(query, **wrong)
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", name)


def test_an_unknown_query_is_named():
    with pytest.raises(NotFound) as caught:
        timeline("nobody")
    assert caught.value.params["name"] == "nobody"
