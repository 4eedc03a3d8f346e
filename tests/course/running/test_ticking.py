"""What DStreams give, tick by tick; no context and no folder is left."""

from __future__ import annotations

import threading
import time
from operator import add

import pytest

from labkit import scratch
from labkit.course.judging.checks import compare
from labkit.course.running.ticking import DStreamRun, PrintedRun, as_rows, run_dstream, run_printing
from labkit.course.running.trouble import words_of
from labkit.engine.clock import java_context, state_of, stop_streaming, streaming_context, tick
from labkit.errors import Conflict, InvalidArgument, LabkitError, NotReady

WORDS = [["a b", "a"], [], ["b"]]


def counts(lines):
    words = lines.flatMap(str.split)
    return words.map(lambda word: (word, 1)).reduceByKey(add)


# Workers cannot import tests, but a lambda travels along.
total = lambda new, old: sum(new) + (old or 0)  # noqa: E731


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"fn": 7}, "fn is 7"),
        ({"batch_s": 0}, "batch_s is 0"),
        ({"more_batches": -1}, "more_batches is -1"),
        ({"more_batches": True}, "more_batches is True"),
        ({"partitions": 0}, "partitions is 0"),
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"checkpoint": "yes"}, "checkpoint is 'yes'"),
        ({"inputs": []}, "the number of inputs is 0"),
        ({"inputs": [WORDS] * 3}, "the number of inputs is 3"),
        ({"inputs": ["abc"]}, "input 0 is 'abc'"),
        ({"inputs": [WORDS, []]}, "the number of batches of input 1 is 0"),
        ({"inputs": [WORDS, [[], "abc"]]}, "input 1, batch 1 is 'abc'"),
    ],
)
def test_a_call_that_cannot_work_is_refused_before_anything_starts(arguments, named):
    called = []
    arguments = {"fn": called.append, "inputs": [WORDS]} | arguments
    with pytest.raises(InvalidArgument) as caught:
        run_dstream(arguments.pop("fn"), *arguments.pop("inputs"), **arguments)
    assert named in str(caught.value)
    assert called == []


@pytest.mark.parametrize(
    ("element", "names", "row"),
    [
        (("a", 2), ("word", "n"), {"word": "a", "n": 2}),
        (("a", (5, "Bern")), ("who", "n", "city"), {"who": "a", "n": 5, "city": "Bern"}),
        ((("a", 5), "Bern"), ("who", "n", "city"), {"who": "a", "n": 5, "city": "Bern"}),
        ("a", ("word",), {"word": "a"}),
        (3, ("word", "n"), {"element": 3}),
        (("a", (x for x in (1, 2))), ("k", "values"), {"k": "a", "values": [1, 2]}),
        (("a", (1, 2)), ("k", "v"), {"element": ("a", (1, 2))}),
        ({"n": 1}, ("n",), {"n": {"n": 1}}),
    ],
)
def test_the_parts_of_an_element_get_names(element, names, row):
    named = as_rows(DStreamRun(([element], []), None), *names)
    assert [step.rows for step in named.steps] == [[row], []]


def test_an_error_goes_along_with_the_names():
    error = ValueError("no room")
    named = as_rows(DStreamRun((), error), "word", "n")
    assert "no room" in compare(named, [[{"word": "a", "n": 1}]]).cause


@pytest.fixture
def _leaves_nothing(spark):
    threads = set(threading.enumerate())
    yield
    from pyspark.streaming import StreamingContext

    assert StreamingContext.getActive() is None
    assert list(scratch.place("run_dstream").glob("*")) == []
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    assert [name for name in left if name.startswith("labkit")] == []
    assert not spark.sparkContext.getJobTags()
    stop_streaming()


def with_spark(test):
    return pytest.mark.spark(pytest.mark.usefixtures("_leaves_nothing")(test))


@with_spark
def test_each_tick_gives_its_batch():
    run = run_dstream(counts, WORDS, more_batches=1)
    assert run.error is None
    assert [sorted(batch) for batch in run.batches] == [[("a", 2), ("b", 1)], [], [("b", 1)], []]
    assert isinstance(run.batches, tuple)


@with_spark
def test_ten_runs_are_equal():
    runs = {repr(run_dstream(counts, WORDS)) for _ in range(10)}
    assert len(runs) == 1


@with_spark
def test_two_inputs_come_together_and_the_shorter_is_filled_up():
    left, right = [[("a", 1)], [("b", 2)], [("a", 3)]], [[("a", "x")], [("b", "y")]]
    run = run_dstream(lambda one, other: one.leftOuterJoin(other), left, right)
    rows = as_rows(run, "k", "n", "sign")
    assert run.batches == ([("a", (1, "x"))], [("b", (2, "y"))], [("a", (3, None))])
    assert (
        compare(
            rows,
            [
                [{"k": "a", "n": 1, "sign": "x"}],
                [{"k": "b", "n": 2, "sign": "y"}],
                [{"k": "a", "n": 3, "sign": None}],
            ],
        )
        is None
    )


@with_spark
def test_a_batch_can_be_longer_and_a_window_can_slide_by_several():
    run = run_dstream(lambda s: s.window(20, 20), [[1], [2], [3]], batch_s=10, more_batches=1)
    assert [sorted(batch) for batch in run.batches] == [[], [1, 2], [], [3]]
    refused = run_dstream(lambda s: s.window(15), [[1]], batch_s=10)
    assert isinstance(refused.error, ValueError)


@with_spark
def test_state_needs_the_checkpoint_that_was_asked_for(spark, tmp_path):
    def totals(lines):
        return counts(lines).updateStateByKey(total)

    run = run_dstream(totals, WORDS, checkpoint=True)
    assert [sorted(batch) for batch in run.batches] == [
        [("a", 2), ("b", 1)],
        [("a", 2), ("b", 1)],
        [("a", 2), ("b", 2)],
    ]
    # A folder that somebody has set before must not help, and is set again afterwards.
    spark.sparkContext.setCheckpointDir(str(tmp_path))
    java = spark.sparkContext._jsc.sc()
    before = java.checkpointDir().get()
    without = run_dstream(totals, WORDS)
    assert "checkpoint directory has not been set" in str(without.error)
    assert java.checkpointDir().get() == before


@with_spark
@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda _: 1 // 0, ZeroDivisionError, "ZeroDivisionError: integer division"),
        (lambda _: None, InvalidArgument, "returned nothing"),
        (lambda _: [1], InvalidArgument, "an object of type list"),
        (lambda s: s.map(lambda line: line.nothing), LabkitError, "'nothing'"),
        (lambda s: s.foreachRDD(lambda rdd: rdd.nothing()), InvalidArgument, "returned nothing"),
        (lambda s: s.transform(lambda rdd: rdd.nothing()), LabkitError, "'nothing'"),
        (lambda s: s.context().stop(), RuntimeError, "stops the Spark session"),
        (lambda s: s.context().stop(False) or s, Exception, "context was stopped"),
    ],
)
def test_what_goes_wrong_is_told_in_fixed_words(answer, kind, words):
    runs = [run_dstream(answer, WORDS) for _ in range(2)]
    assert all(isinstance(run.error, kind) for run in runs)
    assert words in words_of(runs[0].error)
    assert words_of(runs[0].error) == words_of(runs[1].error)
    assert runs[0].batches == ()


@with_spark
def test_batches_before_a_failure_are_kept():
    run = run_dstream(lambda s: s.map(lambda n: 6 // n), [[1, 2], [0], [3]])
    assert run.batches == ([6, 3],)
    assert "ZeroDivisionError" in words_of(run.error)


def endless(_):
    while True:
        time.sleep(0.05)


@with_spark
@pytest.mark.parametrize(
    "answer",
    [
        endless,
        lambda s: s.transform(endless),
        lambda s: s.map(lambda _: time.sleep(600)),
        lambda s: (s.foreachRDD(endless), s)[1],
    ],
)
def test_what_hangs_is_ended(answer):
    begun = time.monotonic()
    run = run_dstream(answer, [[1]], timeout_s=2)
    assert isinstance(run.error, NotReady)
    assert time.monotonic() - begun < 2 + 20  # loose: it must end, on a busy machine too
    assert run_dstream(lambda s: s, [[1]]).batches == ([1],)


@with_spark
def test_a_context_of_the_learner_is_left_alone():
    ssc = streaming_context()
    ssc.queueStream([[1]]).pprint()
    ssc.start()
    called = []
    with pytest.raises(Conflict) as caught:
        run_dstream(called.append, WORDS)
    assert "ssc.stop(stopSparkContext=False)" in str(caught.value)
    assert (called, state_of(java_context(ssc))) == ([], "ACTIVE")
    tick(ssc)
    ssc.stop(stopSparkContext=False)
    assert run_dstream(counts, WORDS).error is None


@with_spark
def test_a_context_that_was_not_started_can_be_started_afterwards(tmp_path):
    ssc = streaming_context()
    ssc.checkpoint(str(tmp_path))
    seen = []
    stream = ssc.queueStream([[("a", 1)]]).updateStateByKey(total)
    stream.foreachRDD(lambda rdd: seen.extend(rdd.collect()))
    assert run_dstream(counts, WORDS).error is None
    ssc.start()
    tick(ssc)
    ssc.stop(stopSparkContext=False)
    assert len(seen) <= 1  # the checkpoint has its own copy of the list


def shows(ssc, lines):
    counts(lines).foreachRDD(lambda rdd: print(sorted(rdd.collect())))  # noqa: T201
    ssc.start()


@with_spark
def test_what_a_job_prints_is_kept_batch_by_batch(capfd):
    run = run_printing(shows, WORDS)
    assert run == PrintedRun(("[('a', 2), ('b', 1)]\n", "[]\n", "[('b', 1)]\n"), None)
    worker = run_printing(
        lambda ssc, lines: (lines.foreachRDD(lambda rdd: rdd.foreach(print)), ssc.start()), WORDS
    )
    assert worker.printed == ("", "", "")
    assert capfd.readouterr().out == ""


@with_spark
@pytest.mark.parametrize(
    ("job", "words"),
    [
        (lambda ssc, _: ssc.start(), "No output operations"),
        (lambda _, lines: lines.pprint(), "has not been started"),
        (lambda ssc, lines: (lines.pprint(), ssc.start(), lines.pprint()), "after starting"),
    ],
)
def test_a_job_that_cannot_print_says_why(job, words):
    run = run_printing(job, WORDS)
    assert words in str(run.error)
    assert run.printed == ()
