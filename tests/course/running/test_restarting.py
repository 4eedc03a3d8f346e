"""A program that is stopped and started again: what it shows, and what is left of it."""

from __future__ import annotations

import pytest
from pyspark.streaming import StreamingContext

import labkit as lab
from labkit import scratch
from labkit.course.running.restarting import run_lives
from labkit.errors import InvalidArgument, LabkitError

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]


def counting(*, comes_back=True):
    """Return a program; what is defined here, Spark's workers need not import."""

    def program(files, checkpoint, show):
        def create():
            ssc = StreamingContext(lab.spark(connectors=()).sparkContext, 1)
            words = ssc.textFileStream(files).map(lambda word: (word, 1))
            words.updateStateByKey(lambda new, old: sum(new) + (old or 0)).foreachRDD(show)
            ssc.checkpoint(checkpoint)
            return ssc

        return StreamingContext.getOrCreate(checkpoint, create) if comes_back else create()

    return program


def counts(run):
    return [[row["n"] for row in step.rows] for step in run.steps]


def test_a_program_that_comes_back_goes_on():
    run = run_lives(counting(), [("a", "", "a"), ("a", "a")], "word", "n")
    assert run.error is None
    assert counts(run) == [[1], [1], [2], [3], [4]]
    assert list(scratch.place("run_lives").iterdir()) == []


def test_a_new_context_begins_at_nothing():
    run = run_lives(counting(comes_back=False), [("a", "a"), ("a", "a")], "word", "n")
    assert counts(run) == [[1], [2], [1], [2]]


def test_each_run_has_folders_of_its_own():
    first, second = (run_lives(counting(), [("a",)], "word", "n") for _ in range(2))
    assert counts(first) == counts(second) == [[1]]


def test_what_came_before_an_error_is_kept():
    def program(files, checkpoint, show):
        def fail(time, rdd):
            show(time, rdd)
            if rdd.filter(lambda word: word == "bad").count():
                raise ValueError("a bad word")

        def create():
            ssc = StreamingContext(lab.spark(connectors=()).sparkContext, 1)
            ssc.textFileStream(files).foreachRDD(fail)
            return ssc

        return StreamingContext.getOrCreate(checkpoint, create)

    run = run_lives(program, [("good", "bad", "good")], "word")
    assert [step.rows for step in run.steps] == [[{"word": "good"}]]
    assert isinstance(run.error, LabkitError)
    assert "a bad word" in str(run.error)


@pytest.mark.parametrize("made", [None, 3])
def test_what_is_no_context_is_an_error_of_the_run(made):
    run = run_lives(lambda *_: made, [("a",)], "word")
    assert isinstance(run.error, InvalidArgument)
    assert run.error.params["name"] == "what get returns"
    assert run.steps == ()
