"""What lab.explain says of event time: of queries that raise nothing and go astray all the same."""

import pytest
from pyspark.sql import functions as F

import labkit as lab
from labkit.course.telling.explaining import explain
from labkit.events.script import Script

pytestmark = pytest.mark.spark
NAME = "of_time"


@pytest.fixture
def drill(spark):
    """Give a function that runs a plan over a script, one step after the other."""

    def run(text, plan, mode="append", columns="who string", sink="memory"):
        script = Script(text, columns=columns)
        rows = lab.feed(script, to=lab.folder(NAME))
        reader = spark.readStream.schema(script.schema).option("maxFilesPerTrigger", 1)
        writer = plan(reader.json(rows.path)).writeStream.format(sink).outputMode(mode)
        query = writer.queryName(NAME).start()
        rows.step(len(script.steps), query)
        return query

    lab.stop(NAME)
    yield run
    lab.stop(NAME)


def windows(rows, *keys, delay="1 minute"):
    marked = rows.withWatermark("event_time", delay)
    return marked.groupBy(F.window("event_time", "5 minutes"), *keys).count()


def ids(query):
    return [finding.id for finding in explain(query).findings if finding.id]


def test_a_healthy_query_has_no_findings(drill):
    text = "10:00 anna\n\n10:07 ben\n\n10:12 anna\n\n10:13 anna"
    assert ids(drill(text, windows)) == []
    assert explain(NAME).sentence.endswith("to send window 10:10–10:15.")


def test_a_time_in_the_future_is_told_before_the_rows_that_it_cost(drill):
    query = drill("10:00 anna\n\n2099-01-01 00:00 ben\n\n10:02 anna\n\n10:03 ben", windows)
    told = explain(query)
    assert [finding.id for finding in told.findings] == ["", "M31", "M33"]
    assert "1 Jan 2099 00:00" in repr(told)
    assert told.cure == "", "no later event can help"
    assert "new checkpoint" in told.findings[1].cure


def test_milliseconds_that_were_read_as_seconds_are_told(drill):
    def in_seconds(rows):
        at = F.col("sent").cast("timestamp").alias("event_time")
        return windows(rows.select(at))

    query = drill("10:00 1704103200\n\n10:01 1704103260000", in_seconds, columns="sent bigint")
    assert ids(query) == ["M31"]
    assert " 5597" in repr(explain(query))


def test_a_long_jump_is_told_only_when_rows_were_dropped_after_it(drill):
    far = "10:00 anna\n\n2024-02-01 00:00 ben"
    assert ids(drill(far, windows)) == []
    lab.stop(NAME)
    assert ids(drill(f"{far}\n\n10:01 anna", windows)) == ["M31", "M33"]


def test_dropped_rows_are_told_in_groups(drill):
    late = "\n".join(f"10:0{n} anna" for n in range(5))
    query = drill(f"10:00 anna\n\n10:20 anna\n\n{late}\n10:00 anna\n10:01 anna", windows)
    assert ids(query) == ["M33"]
    assert "1 group of them" in repr(explain(query))
    query.stop()
    assert ids(query) == ["M33"]


def test_state_that_only_grows_is_told(drill):
    def by_who(rows):
        return rows.withWatermark("event_time", "1 minute").groupBy("who").count()

    query = drill("10:00 anna\n\n10:20 ben\n\n10:40 cleo", by_who, "update")
    assert ids(query) == ["M26"]
    assert "it holds 3 rows" in repr(explain(query))


def test_windows_in_update_mode_do_not_only_grow(drill):
    keyed = lambda rows: windows(rows, "who")  # noqa: E731
    assert ids(drill("10:00 anna\n\n10:01 ben\n\n10:03 cleo", keyed, "update")) == []


def test_keys_without_time_are_remembered_for_ever(drill):
    def different(rows):
        return rows.withWatermark("event_time", "1 minute").dropDuplicates(["who"])

    assert ids(drill("10:00 anna\n\n10:20 ben\n\n10:40 cleo", different)) == ["M40"]


def test_keys_with_their_time_are_forgotten(drill):
    def different(rows):
        marked = rows.withWatermark("event_time", "1 minute")
        return marked.dropDuplicates(["who", "event_time"])

    assert ids(drill("10:00 anna\n\n10:20 ben\n\n10:40 cleo", different)) == []


def test_complete_mode_makes_the_watermark_idle(drill):
    query = drill("10:00 anna\n\n10:20 ben\n\n10:01 anna", windows, "complete")
    assert ids(query) == ["M34"]
    assert "nothing is dropped" in repr(explain(query))


def test_late_rows_of_sessions_are_dropped_in_complete_mode_too(drill):
    def sessions(rows):
        marked = rows.withWatermark("event_time", "1 minute")
        return marked.groupBy(F.session_window("event_time", "5 minutes"), "who").count()

    query = drill("10:00 anna\n\n10:20 ben\n\n10:21 ben\n\n10:01 anna", sessions, "complete")
    assert "M34" in ids(query)
    assert "nothing is dropped" not in repr(explain(query))
    states = [state for report in query.recentProgress for state in report.stateOperators]
    assert max(state.numRowsDroppedByWatermark for state in states) == 1


def test_a_watermark_that_nothing_uses_is_told(drill):
    query = drill("10:00 anna\n\n10:20 ben", lambda rows: rows.withWatermark("event_time", "1 day"))
    assert "nothing in it uses one" in explain(query).findings[1].sentence


def test_a_watermark_without_times_stands_still(drill):
    def of_text(rows):
        at = F.try_to_timestamp("who").alias("event_time")
        return windows(rows.select(at))

    assert ids(drill("10:00 anna\n\n10:20 ben", of_text)) == ["M18"]


def test_without_a_watermark_nothing_is_said_of_time(drill):
    plain = lambda rows: rows.groupBy(F.window("event_time", "5 minutes")).count()  # noqa: E731
    assert ids(drill("10:00 anna\n\n2099-01-01 00:00 ben", plain, "complete")) == []
