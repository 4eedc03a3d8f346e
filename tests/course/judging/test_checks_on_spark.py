"""Answers that use Spark: the right one, the careless and the absurd; the session lives on."""

from __future__ import annotations

import _thread
import time

import pytest
from pyspark.sql import functions as F

from labkit import scratch
from labkit.course.judging import checking
from labkit.course.judging.checks import Mistake, check, compare, passed
from labkit.course.running import guarding
from labkit.course.running.stepping import run_stream
from labkit.events.script import Script

pytestmark = pytest.mark.spark

INPUT = Script(
    """10:00:00 anna 5
10:00:01 ben 1

10:00:02 anna 2""",
    columns="who string, amount int",
)
FIRST = [{"who": "anna", "total": 5}, {"who": "ben", "total": 1}]
NO_MEMORY = "Your query adds up each step **by itself**."


@check("90.1", title="totals", minutes=5, look_at="Totals", hints=("A?", "B.", "C."))
def totals(answer):
    run = run_stream(answer, INPUT, output_mode="update")
    mistakes = [Mistake(NO_MEMORY, [FIRST, [{"who": "anna", "total": 2}]])]
    wrong = compare(run, [FIRST, [{"who": "anna", "total": 7}]], mistakes=mistakes)
    return wrong or passed("anna has **7**: 5 from step 1 and 2 more.")


@pytest.fixture
def ask(spark, monkeypatch):
    """Return ``lab.check`` for the task above; the session must be as it was afterwards."""
    monkeypatch.setattr(checking, "find", lambda _: totals)

    def state():
        queries = {query.id for query in spark.streams.active}
        tables = {table.name for table in spark.catalog.listTables()}
        return dict(spark.conf.getAll), queries, tables, set(scratch.place("run_stream").glob("*"))

    before = state()
    yield lambda answer: checking.check("90.1", answer)
    assert state() == before
    assert spark.range(3).count() == 3


def good(df):
    return df.groupBy("who").agg(F.sum("amount").alias("total"))


def test_the_right_answer_passes_twice(ask):
    texts = {repr(ask(good)) for _ in range(2)}
    assert texts == {"Passed: 90.1 totals\nanna has 7: 5 from step 1 and 2 more."}


@pytest.mark.timeout(120)
def test_a_check_that_was_interrupted_does_not_disturb_the_next(ask):
    def interrupted(df):
        _thread.interrupt_main()
        return good(df)

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            ask(interrupted)
        assert ask(good).passed


def test_a_typical_mistake_has_its_own_cause(ask):
    result = ask(lambda df: df.selectExpr("who", "amount AS total"))
    assert result.cause == "Your query adds up each step by itself."
    assert [row.sign for row in result.rows] == ["=", "=", "Δ"]


def test_a_column_of_another_name_is_told(ask):
    result = ask(lambda df: df.groupBy("who").sum("amount"))
    assert "columns who, sum(amount), expected were who, total" in result.cause


def stops_the_session(df):
    df.sparkSession.stop()


def stops_the_context(df):
    df.sparkSession.sparkContext.stop()
    return good(df)


def waits_for_its_query(df):
    df.writeStream.format("memory").queryName("m2_waits").start().awaitTermination()


def raises(df):
    return df.groupBy("who").agg(F.sum("amount") / (1 - 1 / 0))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (42, "of the type `int`"),
        (int, "TypeError"),
        ((_ for _ in ()), "of the type `generator`"),
        (lambda df: 42, "returned"),  # noqa: ARG005
        (lambda df: df.sparkSession.range(3), "returned"),
        (lambda df: df.select("no_such_column"), "no_such_column"),
        (lambda df: df.no_such_method(), "no_such_method"),
        (raises, "ZeroDivisionError: division by zero` (in raises, line "),
        (stops_the_session, "stops the Spark session (in stops_the_session, line "),
        (stops_the_context, "stops the Spark session (in stops_the_context, line "),
    ],
)
def test_an_absurd_answer_is_told_in_words(ask, answer, words):
    result = ask(answer)
    assert not result.passed
    assert words in result.cause
    assert " at 0x" not in repr(result)


def test_a_dataframe_and_a_query_are_no_functions(ask, spark):
    assert "of the type `DataFrame`" in ask(spark.range(3)).cause
    rate = spark.readStream.format("rate").load()
    query = rate.writeStream.format("noop").queryName("m2_mine").start()
    try:
        assert "of the type `StreamingQuery`" in ask(query).cause
        assert query.isActive
    finally:
        query.stop()


def test_queries_that_an_answer_starts_are_stopped(ask):
    def starts(df):
        df.writeStream.format("memory").queryName("m2_stray").start()
        return good(df)

    assert ask(starts).passed


def test_settings_that_an_answer_changes_are_set_back(ask):
    def sets(df):
        df.sparkSession.conf.set("spark.sql.shuffle.partitions", "3")
        df.sparkSession.conf.set("spark.labkit.test", "1")
        return good(df)

    assert ask(sets).passed


def test_a_query_of_the_learner_runs_on(ask, spark):
    rate = spark.readStream.format("rate").load()
    query = rate.writeStream.format("noop").queryName("m2_own").start()
    try:
        assert ask(good).passed
        assert query.isActive
    finally:
        query.stop()


def test_a_wait_for_a_query_of_its_own_is_ended(ask, monkeypatch):
    monkeypatch.setattr(guarding, "CALL_S", 2.0)
    assert "had not come back" in ask(waits_for_its_query).cause


def test_a_function_that_spark_calls_and_that_hangs_is_ended(ask, monkeypatch):
    monkeypatch.setattr(guarding, "CALL_S", 2.0)

    def spin(batch, number):  # noqa: ARG001
        while True:
            pass

    start = time.monotonic()
    assert "had not come back" in ask(lambda df: df.writeStream.foreachBatch(spin)).cause
    assert time.monotonic() - start < 30  # sooner than the time limit of the run
    assert ask(good).passed


def test_an_answer_may_start_its_own_query_and_the_rows_count(ask):
    def starts(df):
        return good(df).writeStream.format("memory").queryName("m2_given").outputMode("update")

    assert ask(starts).passed
