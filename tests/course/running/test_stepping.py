"""What a function sends, step by step; the numbers of the drill are those that Spark documents."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pyspark.errors import AnalysisException, StreamingQueryException
from pyspark.sql import functions as F

from labkit import control, scratch
from labkit.course.running.stepping import run_stream
from labkit.engine.batches import running_queries
from labkit.engine.time_limit import THREAD
from labkit.errors import Conflict, InvalidArgument, NotReady
from labkit.events.script import Script

pytestmark = pytest.mark.spark

DRILL = Script(
    "10:00\n10:03\n\n10:05:30\n\n10:06\n\n10:01\n\n10:05:01\n\n2099-01-01 00:00\n\n10:12:01"
)
WORDS = [[{"k": "a"}, {"k": "b"}], [], [{"k": "a"}]]


def at(clock):
    return datetime.fromisoformat(f"2024-01-01 {clock}+00:00")


def window_counts(df):
    marked = df.withWatermark("event_time", "1 minute")
    return marked.groupBy(F.window("event_time", "5 minutes")).count()


def counts(df):
    return df.groupBy("k").count()


def sent(run):
    """Return what each step sent, as sorted pairs of key and count."""
    return [sorted((row["k"], row["count"]) for row in step.rows) for step in run.steps]


def tables_and_queries(spark):
    tables = {table.name for table in spark.catalog.listTables()}
    return tables | {str(query.id) for query in running_queries()}


@pytest.fixture(autouse=True)
def _leaves_nothing(spark):
    """Whatever a test does with the function: no query, view, folder or thread is left."""
    threads = set(threading.enumerate())
    before = tables_and_queries(spark)  # the session is shared: another test may have left some
    yield
    if spark.sparkContext._jsc is not None:
        assert tables_and_queries(spark) <= before
    assert list(scratch.place("run_stream").glob("*")) == []
    left = set(threading.enumerate()) - threads
    assert [thread.name for thread in left if thread.name == THREAD] == []


def test_the_drill_gives_the_numbers_that_are_known():
    run = run_stream(window_counts, DRILL)
    assert run.error is None
    assert [step.batches for step in run.steps] == [
        (0, 1),
        (2, 3),
        (4, 5),
        (6,),
        (7,),
        (8, 9),
        (10,),
    ]
    first = {"window": (at("10:00"), at("10:05")), "count": 2}
    second = {"window": (at("10:05"), at("10:10")), "count": 3}
    assert [step.rows for step in run.steps] == [[], [], [first], [], [], [second], []]
    assert run.table == run.rows == [first, second]
    facts = [
        (b.number, b.progress.input_rows, b.progress.watermark[:19], b.progress.state_rows)
        for b in run.batches
    ]
    assert facts == [
        (0, 2, "1970-01-01T00:00:00", 1),
        (1, 0, "2024-01-01T10:02:00", 1),
        (2, 1, "2024-01-01T10:02:00", 2),
        (3, 0, "2024-01-01T10:04:30", 2),
        (4, 1, "2024-01-01T10:04:30", 2),
        (5, 0, "2024-01-01T10:05:00", 1),
        (6, 1, "2024-01-01T10:05:00", 1),
        (7, 1, "2024-01-01T10:05:00", 1),
        (8, 1, "2024-01-01T10:05:00", 2),
        (9, 0, "2098-12-31T23:59:00", 1),
        (10, 1, "2098-12-31T23:59:00", 1),
    ]
    assert [b.number for b in run.batches if b.progress.dropped_groups] == [6, 10]


def test_update_sends_what_changed_and_complete_everything():
    update = run_stream(counts, WORDS, output_mode="update")
    assert sent(update) == [[("a", 1), ("b", 1)], [], [("a", 2)]]
    assert len(update.table) == 3
    complete = run_stream(counts, WORDS, output_mode="complete")
    assert sent(complete) == [[("a", 1), ("b", 1)], [("a", 1), ("b", 1)], [("a", 2), ("b", 1)]]
    assert complete.table == complete.steps[2].rows
    assert repr(complete) == "<run of 3 steps in complete mode: 6 rows>"


def test_an_empty_step_is_a_batch_without_rows():
    run = run_stream(lambda df: df, WORDS)
    assert [(len(step.rows), step.batches) for step in run.steps] == [
        (2, (0,)),
        (0, (1,)),
        (1, (2,)),
    ]
    assert run.batches[1].progress.input_rows == 0


def test_two_inputs_arrive_together():
    left = Script("10:00 a\n10:01 b\n\n10:05 c\n\n10:06 d", columns="k string")
    right = [
        [{"k": "a", "n": 1}],
        [{"k": "b", "n": 2}],
        [{"k": "d", "n": 3}, {"k": "d", "n": 4}],
    ]
    run = run_stream(lambda a, b: a.join(b, "k").select("k", "n"), left, right)
    assert [sorted(row["n"] for row in step.rows) for step in run.steps] == [[1], [2], [3, 4]]
    assert [step.batches for step in run.steps] == [(0,), (1,), (2,)]


def test_values_come_back_as_they_were_given():
    schema = (
        "t timestamp, d decimal(5,2), b binary, f double, day date, n bigint, "
        "tags array<string>, place struct<x: int, since: timestamp>, m map<string, int>, "
        "`a b` string"
    )
    row = {
        "t": datetime(2024, 1, 1, 10, 0, 0, 123456, tzinfo=UTC),
        "d": Decimal("1.25"),
        "b": b"\x00\xff",
        "f": float("inf"),
        "day": datetime(2024, 2, 29, tzinfo=UTC).date(),
        "n": 2**63 - 1,
        "tags": ["x\n", None, '"'],
        "place": {"x": 1, "since": at("09:00")},
        "m": {"one": 1},
        "a b": "",
    }
    run = run_stream(lambda df: df, [[row, row, {}]], schema=schema)
    assert run.error is None
    full = [given for given in run.rows if given["n"] is not None]
    for given in full:
        place = given["place"].asDict()
        assert given | {"place": place, "b": bytes(given["b"])} == row
    assert len(full) == 2
    assert [set(given.values()) for given in run.rows if given not in full] == [{None}]


def test_a_time_without_zone_is_utc():
    run = run_stream(lambda df: df, [[{"t": datetime(2024, 1, 1, 10)}]])  # noqa: DTZ001
    assert run.rows == [{"t": at("10:00")}]


def test_more_rows_than_a_view_shows_all_come():
    run = run_stream(lambda df: df, [[{"n": n} for n in range(1200)]])
    assert [row["n"] for row in run.rows] == list(range(1200))
    run = run_stream(
        lambda df: df.groupBy("n").count(), [[{"n": n} for n in range(600)]], output_mode="complete"
    )
    assert len(run.table) == 600


def test_columns_of_the_same_name_are_told_apart():
    run = run_stream(lambda df: df.select("k", F.upper("k").alias("k")), [[{"k": "a"}]])
    assert run.rows == [{"k": "a", "k_2": "A"}]


def test_ten_runs_are_equal():
    one, *others = (run_stream(counts, WORDS, output_mode="update") for _ in range(10))
    assert all(
        [step.rows for step in run.steps] == [step.rows for step in one.steps] for run in others
    )
    assert {run.steps[2].batches for run in (one, *others)} == {(2,)}


@pytest.mark.parametrize("is_started", [False, True])
def test_a_writer_or_a_query_keeps_its_own_mode(is_started):
    def answer(df):
        writer = counts(df).writeStream.outputMode("complete").format("memory").queryName("mine")
        return writer.start() if is_started else writer

    run = run_stream(answer, WORDS)
    assert (run.error, run.mode, run.query_stopped) == (None, "complete", True)
    assert sent(run)[2] == [("a", 2), ("b", 1)]


def test_another_sink_has_batches_but_no_rows():
    run = run_stream(lambda df: df.writeStream.format("noop"), WORDS)
    assert (run.error, run.rows, run.batches) == (None, [], ())
    assert [step.batches for step in run.steps] == [(0,), (1,), (2,)]


class Unusual:
    """Shown with its address unless somebody takes care."""


def memory(df):
    return df.writeStream.format("memory").queryName("q")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda _: 1 // 0, ZeroDivisionError, "ZeroDivisionError: integer division"),
        (lambda _: None, InvalidArgument, "The function returned nothing. "),
        (lambda _: Unusual(), InvalidArgument, "returned an object of type Unusual. "),
        (lambda df: df.sparkSession.range(2), InvalidArgument, "a DataFrame that is not a stream"),
        (counts, AnalysisException, "Every group may still grow"),
        (lambda df: memory(counts(df)), AnalysisException, "Every group may still grow"),
        (lambda df: df.where("nothing = 1"), AnalysisException, "Exception: [UNRESOLVED"),
        (lambda df: df.show(), AnalysisException, "writeStream.start()"),
        (
            lambda df: memory(df).trigger(availableNow=True),
            Conflict,
            "It ended by itself at step 0",
        ),
    ],
)
def test_an_error_before_the_first_rows_is_told_in_fixed_words(answer, kind, words):
    runs = [run_stream(answer, WORDS) for _ in range(2)]
    assert all(isinstance(run.error, kind) for run in runs)
    assert runs[0].error.cause_words == runs[1].error.cause_words
    assert words in runs[0].error.cause_words
    assert (runs[0].rows, runs[0].query_stopped) == ([], True)


def test_steps_before_a_failure_keep_their_rows():
    run = run_stream(
        lambda df: df.selectExpr("10 div n AS part"), [[{"n": 5}], [{"n": 0}], [{"n": 2}]]
    )
    assert isinstance(run.error, StreamingQueryException)
    assert "Division by zero" in run.error.cause_words
    assert [step.rows for step in run.steps] == [[{"part": 2}], []]
    assert repr(run) == (
        "<run of 2 steps in append mode: 1 rows, ended by StreamingQueryException>"
    )


def test_a_failing_python_function_is_named_with_its_line():
    def rate(n):
        return 1 // n

    run = run_stream(lambda df: df.select(F.udf(rate, "int")("n")), [[{"n": 0}]])
    assert run.error.cause_words.startswith("ZeroDivisionError: ")
    assert "(in rate, line " in run.error.cause_words


def waits(df):
    df.writeStream.format("memory").queryName("endless").start().awaitTermination()


def loops(df):
    while True:
        df.isStreaming  # noqa: B018


def never_reads(df):
    @F.udf("int")
    def slow(n):
        while n:
            time.sleep(0.1)

    return df.select(slow("n"))


def waits_in_a_batch(df):
    def endless(batch, number):
        while batch is not None:
            time.sleep(0.05 + 0 * number)

    return df.writeStream.foreachBatch(endless)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (waits_in_a_batch, "Step 0 has not been read to its end after 2 s."),
        (waits, "The function has not returned after 2 s."),
        (loops, "The function has not returned after 2 s."),
        (never_reads, "Step 0 has not been read to its end after 2 s."),
    ],
)
def test_what_hangs_is_ended(answer, words):
    begun = time.monotonic()
    run = run_stream(answer, [[{"n": 1}]], timeout_s=2)
    assert isinstance(run.error, NotReady)
    assert run.error.cause_words.startswith(words)
    assert run.query_stopped
    assert time.monotonic() - begun < 2 + 20  # loose: it must end, on a busy machine too


def test_the_kernels_interrupt_leaves_nothing():
    def interrupted(df):
        query = df.writeStream.format("memory").queryName("endless").start()
        os.kill(os.getpid(), signal.SIGINT)
        query.awaitTermination()

    with pytest.raises(KeyboardInterrupt):
        run_stream(interrupted, WORDS)


def test_queries_and_views_of_the_learner_are_left_alone(spark, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.json").write_text('{"k": "mine"}\n')
    stream = spark.readStream.schema("k string").json(str(tmp_path / "in"))
    query = stream.writeStream.format("memory").queryName("totals").start()
    spark.range(3).createOrReplaceTempView("clicks")
    try:
        query.processAllAvailable()

        def answer(df):
            df.createOrReplaceTempView("clicks")
            df.createOrReplaceTempView("more")
            selected = spark.sql("SELECT k FROM clicks")
            return selected.writeStream.format("memory").queryName("totals")

        before = tables_and_queries(spark)
        run = run_stream(answer, WORDS)
        assert (run.error, len(run.rows)) == (None, 3)
        assert query.isActive
        assert spark.table("totals").collect() == [("mine",)]
        assert spark.table("clicks").count() == 3
        assert tables_and_queries(spark) == before
    finally:
        control.stop(query)
        for name in ("clicks", "totals"):
            spark.catalog.dropTempView(name)


def test_a_run_inside_a_run_does_not_meet_it():
    inner = []

    def answer(df):
        inner.append(run_stream(counts, WORDS, output_mode="update"))
        return df

    run = run_stream(answer, WORDS)
    assert (run.error, len(run.rows), sent(inner[0])[2]) == (None, 3, [("a", 2)])


def test_a_session_that_the_function_stopped_is_told():
    run = run_stream(lambda df: df.sparkSession.stop(), WORDS)
    assert run.error is not None
    assert run.query_stopped
    assert run_stream(lambda df: df, WORDS).error is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"fn": 7}, "fn is 7"),
        ({"output_mode": "apend"}, "append, update, complete"),
        ({"timeout_s": 0}, "more than 0"),
        ({"schema": "k strin"}, "schema is 'k strin'"),
    ],
)
def test_a_call_that_cannot_work_is_refused_at_once(arguments, told):
    called = []
    arguments = {"fn": called.append} | arguments
    with pytest.raises(InvalidArgument, match=told):
        run_stream(arguments.pop("fn"), WORDS, **arguments)
    assert called == []
