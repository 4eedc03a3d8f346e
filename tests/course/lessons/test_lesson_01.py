"""Lesson 01: right answers pass, and each typical wrong one is refused with its own cause."""

import json
import re
from pathlib import Path

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery, StreamingQueryManager

import labkit as lab
from labkit.engine.session import spark as session

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = pytest.mark.spark

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "solutions" / "01_the_query.ipynb"


def stop_one(queries, name):
    for query in queries:
        if query.name == name:
            query.stop()


def stop_where(is_wanted):
    """Make an answer that stops each query of which ``is_wanted`` says so."""

    def answer(queries, name):
        for query in queries:
            if is_wanted(query, name):
                query.stop()

    return lambda: answer


def stop_place(place):
    return lambda: lambda queries, _: queries[place].stop()


def words(df):
    return df.select(F.explode(F.split("value", " ")).alias("word"))


def lengths(df):
    return words(df).groupBy(F.length("word").alias("length")).count()


def counts_of(rows):
    return rows.groupBy(F.length("word").alias("length")).count()


def looks_inside(df):
    return lengths(df) if df.count() else df


def another_on_streams(df):
    return counts_of(words(df).dropDuplicates(["word"])) if df.isStreaming else lengths(df)


def always_static(_):
    return lengths(session().createDataFrame([("snow",)], "value string"))


def always_the_stream(_):
    stream = session().readStream.format("rate").load()
    return lengths(stream.select(F.lit("snow").alias("value")))


def starts_itself(df):
    made = lengths(df)
    if df.isStreaming:
        return made.writeStream.format("memory").queryName("answer").outputMode("update")
    return made


def letters(df):
    size = F.length("word").alias("length")
    return words(df).groupBy(size).agg(F.sum(F.length("word")).alias("count"))


def state_of(query):
    if query.isActive:
        return "running" if query.status["isDataAvailable"] else "idle"
    return "dead" if query.exception() else "stopped"


def only_active(query):
    return "running" if query.isActive else "dead"


def without_exception(query):
    return state_of(query) if query.isActive else "stopped"


def all_ended_are_dead(query):
    return state_of(query) if query.isActive else "dead"


def alive_is_running(query):
    return "running" if query.isActive else state_of(query)


def alive_is_idle(query):
    return "idle" if query.isActive else state_of(query)


def by_last_progress(query):
    if not query.isActive:
        return state_of(query)
    last = query.lastProgress
    return "running" if last is not None and last.numInputRows else "idle"


def by_status_alone(query):
    return "running" if query.status["isDataAvailable"] else "idle"


def by_progress_alone(query):
    return "running" if query.lastProgress.numInputRows else "idle"


def waits_for_the_end(query):
    return "idle" if query.awaitTermination(1) else state_of(query)


def by_the_wrong_way_round(query):
    if query.isActive:
        return state_of(query)
    return "stopped" if query.exception() else "dead"


WRONG = {
    "01.1": [
        ("stops all", stop_where(lambda _query, _name: True), "All three are stopped"),
        ("a part of the name", stop_where(lambda q, name: name in q.name), "hold that word"),
        ("the others", stop_where(lambda q, name: q.name != name), "the other way round"),
        ("the first", stop_place(0), "The place in the list"),
        ("the last", stop_place(-1), "The place in the list"),
        ("the second", stop_place(1), "The place in the list"),
        ("its beginning", stop_where(lambda q, n: q.name.startswith(n)), "and one more"),
        ("its end", stop_where(lambda q, n: q.name.endswith(n)), "and one more"),
        ("no brackets", lambda: lambda qs, n: [q.stop for q in qs if q.name == n], "brackets"),
        ("the name as place", lambda: lambda queries, name: queries[name].stop(), "TypeError"),
        ("the whole session", lambda: lambda _queries, _name: session().stop(), "Leave that out"),
        ("the query as text", stop_where(lambda q, name: q == name), "Compare `query.name`"),
        ("the table", lambda: lambda _, n: session().catalog.dropTempView(n), "still run"),
    ],
    "01.2": [
        ("counts inside", lambda: looks_inside, "On the stream: A streaming DataFrame is a plan"),
        ("collects", lambda: lambda df: lengths(df).collect(), "an object of the type list"),
        ("shows", lambda: lambda df: lengths(df).show(), "returns nothing"),
        ("different words", lambda: lambda df: counts_of(words(df).distinct()), "each different"),
        ("lines", lambda: lambda df: counts_of(df.withColumnRenamed("value", "word")), "lines"),
        ("letters", lambda: letters, "adds up the letters"),
        ("word for word", lambda: lambda df: words(df).groupBy("word").count(), "the columns word"),
        ("the columns' names", lambda: lambda df: lengths(df).toDF("n", "c"), "the columns n, c"),
        ("always the same rows", lambda: always_static, "5 expected rows did not come out"),
        ("the lesson's stream", lambda: always_the_stream, "not from `stream`"),
        ("other on streams", lambda: another_on_streams, "did not come out"),
        ("starts a query", lambda: starts_itself, "It must return a DataFrame"),
        ("writes", lambda: lambda df: lengths(df).writeStream, "writeStream is for a stream"),
        ("long words", lambda: lambda df: lengths(df).where("length > 1"), "1 expected row"),
    ],
    "01.3": [
        ("isActive alone", lambda: only_active, "Nothing failed in it"),
        ("no exception", lambda: without_exception, "called stopped"),
        ("ended is dead", lambda: all_ended_are_dead, "called dead"),
        ("alive is running", lambda: alive_is_running, "isActive is True for both"),
        ("alive is idle", lambda: alive_is_idle, "Ask its `status`"),
        ("the last progress", lambda: by_last_progress, "tell of batches that are over"),
        ("status alone", lambda: by_status_alone, "ask `isActive` first"),
        ("progress alone", lambda: by_progress_alone, "that failed is called running"),
        ("waits", lambda: waits_for_the_end, "raises the error of that query"),
        ("words mixed up", lambda: by_the_wrong_way_round, "called stopped"),
        ("another word", lambda: lambda q: state_of(q).replace("idle", "waiting"), "The words are"),
        ("a missing word", lambda: lambda q: "idle" if q.isActive else None, "no word back"),
        ("always idle", lambda: lambda _query: "idle", "The query that failed is called idle"),
    ],
}


ACCEPTED = [
    ("01.1", stop_one),
    ("01.1", lambda _queries, name: lab.stop(name)),
    ("01.2", lengths),
    ("01.3", state_of),
]


def test_the_words_of_five_queries_are_accepted_and_nothing_is_left(accepted, spark):
    before = len(spark.streams.active)
    assert "an exception" in accepted("01.3", state_of).cause
    assert len(spark.streams.active) == before


def test_the_message_of_the_status_is_accepted(accepted):
    def by_message(query):
        message = query.status["message"]
        if message.startswith("Terminated"):
            return "dead"
        known = {"Stopped": "stopped", "Processing new data": "running"}
        return known.get(message, "idle")

    accepted("01.3", by_message)


def test_a_query_of_the_learner_goes_on(accepted, spark, tmp_path):
    own = spark.readStream.text(str(tmp_path)).writeStream.format("noop").start()
    try:
        accepted("01.1", stop_one)
        accepted("01.3", state_of)
        assert own.isActive
    finally:
        own.stop()


def test_the_dead_query_of_the_check_is_not_told_as_the_learners(accepted):
    from labkit.course.telling.explaining import explain

    accepted("01.3", state_of)
    assert "run_stream" not in repr(explain())


def test_the_lesson_names_every_member_of_a_query_and_of_the_manager():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    text = next(t for c in cells if "## Every member of a query" in (t := "".join(c["source"])))
    rows = re.findall(r"^\| `(\w+)", text, re.MULTILINE)
    assert sorted(rows) == [name for name in dir(StreamingQuery) if not name.startswith("_")]
    manager = [name for name in dir(StreamingQueryManager) if not name.startswith("_")]
    assert [name for name in manager if f"`{name}" not in text] == []


def test_a_dead_query_raises_only_where_somebody_waits_for_it():
    from labkit.course.running.practice import Practice
    from labkit.waiting import wait_until

    with Practice("dead") as practice:
        practice.step(["x"])
        query = practice.start(
            lambda lines: lines.select(lines.value.cast("int")), name="run_stream_dead"
        )
        wait_until(lambda: not query.isActive, what="The query lives", timeout_s=30)
        assert query.exception() is not None
        with pytest.raises(StreamingQueryException):
            query.awaitTermination(1)
