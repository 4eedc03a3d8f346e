"""Marbles of real DStreams."""

import threading
import time
from operator import add  # Spark's workers can import it; they cannot import tests

import pytest

from labkit.engine.clock import stop_streaming, streaming_context, tick
from labkit.errors import Conflict, InvalidArgument
from labkit.views.marbles.live import marbles
from labkit.waiting import wait_until

pytestmark = pytest.mark.spark

WORDS = [["b", "a"], ["a"], [], ["c"]]


@pytest.fixture
def context(tmp_path):
    """Give a new context by hand; whichever runs at the end is stopped."""

    def make(batch_s=1, *, checkpoint=False):
        ssc = streaming_context(batch_s)
        if checkpoint:
            ssc.checkpoint(str(tmp_path / "checkpoint"))
        return ssc

    yield make
    stop_streaming()


def lanes(view):
    return view.to_text().split("\n")[-2:]


def test_words_and_their_counts(context):
    ssc = context()
    words = ssc.queueStream(WORDS)
    view = marbles(words, words.countByValue(), op="countByValue()")
    ssc.start()
    tick(ssc, 4)
    assert lanes(view) == [
        "in : |(b a)  |(a)| ∅ |(c)|",
        "out: |a:1 b:1|a:1| ∅ |c:1|   countByValue()",
    ]
    assert [frame.batch for frame in view.frames] == [1, 2, 3, 4]
    assert view.data["source"].tolist() == WORDS
    assert view.data["end"].tolist() == ["10:00:01", "10:00:02", "10:00:03", "10:00:04"]


@pytest.mark.parametrize("inverse", [None, lambda a, b: a - b])
def test_a_window_that_slides_with_each_batch(context, inverse):
    ssc = context(10, checkpoint=inverse is not None)
    pairs = ssc.queueStream(WORDS).map(lambda word: (word, 1))
    sums = pairs.reduceByKeyAndWindow(add, inverse, 30, 10)
    view = marbles(pairs, sums, op="reduceByKeyAndWindow(3, 1)", names=("pairs", "sums"))
    ssc.start()
    tick(ssc, 4)
    assert lanes(view) == [
        "in : |b:1 a:1|a:1    | ∅     |c:1    |",
        "out: |a:1 b:1|a:2 b:1|a:2 b:1|a:1 c:1|   reduceByKeyAndWindow(3, 1)",
    ]
    assert "batch 1 has left the window, and b with it" in view.frames[-1].sentence
    assert view.model.flow.window_ms == 30_000


def test_a_window_that_slides_by_two(context):
    ssc = context()
    words = ssc.queueStream(WORDS)
    view = marbles(words, words.window(4, 2))
    ssc.start()
    tick(ssc, 3)
    assert lanes(view) == ["in : |(b a)|(a)    | ∅ |", "out: |     |(b a a)|   |"]
    tick(ssc)
    assert view.to_text().endswith("(b a a c)|")
    assert view.model.takes(view.model.batches[-1]) == [1, 2, 3, 4]


def test_a_window_over_a_window_reaches_further(context):
    ssc = context()
    words = ssc.queueStream(WORDS)
    pairs = words.window(3, 1)
    both, second = marbles(words, pairs.window(2, 2)), marbles(pairs, pairs.window(2, 2))
    assert (both.model.flow.window_ms, second.model.flow.window_ms) == (4000, 2000)
    assert second.model.flow.made_every_ms == 2000


def test_state_goes_from_batch_to_batch(context):
    ssc = context(checkpoint=True)
    pairs = ssc.queueStream(WORDS).map(lambda word: (word, 1))
    totals = pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0))
    view = marbles(pairs, totals)
    ssc.start()
    tick(ssc, 2)
    assert lanes(view)[1] == "out: |a:1 b:1|a:2 b:1|"
    assert view.model.flow.keeps_state


def test_the_order_that_the_learner_made_stays(context):
    ssc = context()
    counts = ssc.queueStream([["a", "b", "b", "c", "c", "c"]]).countByValue()
    ranked = counts.transform(lambda rdd: rdd.sortBy(lambda pair: -pair[1]))
    by_key = counts.transform(lambda rdd: rdd.sortByKey(ascending=False))
    first, second = marbles(counts, ranked), marbles(counts, by_key)
    ssc.start()
    tick(ssc)
    assert lanes(first)[1] == "out: |c:3 b:2 a:1|"
    assert lanes(second)[1] == "out: |c:3 b:2 a:1|"
    assert lanes(first)[0] == "in : |a:1 b:2 c:3|"


def test_only_six_rows_of_many_are_taken(context):
    ssc = context()
    numbers = ssc.queueStream([list(range(1000))])
    view = marbles(numbers, numbers.map(lambda n: (n % 50, 1)).reduceByKey(add))
    ssc.start()
    tick(ssc)
    batch = view.model.batches[-1]
    assert batch.given.rows == (0, 1, 2, 3, 4, 5)
    assert batch.made.rows == tuple((n, 20) for n in range(6))
    assert (batch.given.count, batch.made.count) == (1000, 50)


def test_an_error_in_a_lane_is_shown_and_the_context_goes_on(context):
    ssc = context()
    numbers = ssc.queueStream([[1], [0], [2]])
    view = marbles(numbers, numbers.map(lambda n: 6 // n))
    ssc.start()
    tick(ssc, 3)
    assert lanes(view)[1] == "out: |(6)|#  |(3)|"
    assert "ZeroDivisionError" in view.to_text(2)


def test_joined_and_grouped_values_are_written_out(context):
    ssc = context()
    left = ssc.queueStream([[("a", 1), ("a", 2)]])
    right = ssc.queueStream([[("a", "x")]])
    joined, grouped = marbles(left, left.join(right)), marbles(left, left.cogroup(right))
    ssc.start()
    tick(ssc)
    assert sorted(joined.data["result"][0]) == [("a", (1, "x")), ("a", (2, "x"))]
    assert lanes(grouped)[1] == "out: |a:((1 2) (x))|"


def test_after_the_start_it_says_that_it_is_too_late(context):
    ssc = context()
    words = ssc.queueStream(WORDS)
    words.pprint()
    ssc.start()
    with pytest.raises(Conflict) as caught:
        marbles(words, words.countByValue())
    assert caught.value.code == "RUNS_ALREADY"
    ssc.stop(stopSparkContext=False)
    with pytest.raises(Conflict) as caught:
        marbles(words, words.countByValue())
    assert caught.value.code == "STOPPED"


def test_dstreams_of_two_contexts_are_refused(context):
    first, second = context(), context()
    with pytest.raises(InvalidArgument) as caught:
        marbles(first.queueStream([[1]]), second.queueStream([[1]]))
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", "result")


def test_it_ends_with_its_context_and_the_cell_can_be_run_again(context):
    def cell():
        ssc = context()
        words = ssc.queueStream(WORDS)
        view = marbles(words, words.countByValue(), op="countByValue()")
        ssc.start()
        tick(ssc, 2)
        return view

    first = cell()
    second = cell()
    wait_until(lambda: not first.alive, what="the first view goes on", timeout_s=10)
    assert first.state.words == "Context stopped"
    assert second.alive
    second._runner.reader.stop()
    wait_until(lambda: not second.alive, what="the second view goes on", timeout_s=10)
    assert first.to_text() == second.to_text()  # both with the end sign
    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if "countByValue" in name] == []


def test_a_closed_view_takes_no_more_rows(context):
    ssc = context()
    words = ssc.queueStream(WORDS)
    view = marbles(words, words.countByValue())
    ssc.start()
    tick(ssc)
    view.close()
    tick(ssc)
    assert view._runner.reader.latest() == 1


def test_a_context_with_the_real_clock_is_shown_too(spark):
    from pyspark.streaming import StreamingContext

    with pytest.warns(FutureWarning):
        ssc = StreamingContext(spark.sparkContext, 0.5)
    words = ssc.queueStream(WORDS)
    view = marbles(words, words.countByValue())
    before_ms = time.time() * 1000
    ssc.start()
    wait_until(lambda: len(view.frames) >= 4, what="four batches", timeout_s=60)
    ssc.stop(stopSparkContext=False)
    wait_until(lambda: not view.alive, what="the view goes on", timeout_s=10)
    assert all(line.endswith("||") for line in lanes(view))  # the end sign
    first = view.model.batches[0]
    assert view.data["result"].tolist()[:2] == [[("a", 1), ("b", 1)], [("a", 1)]]
    assert first.number == 1
    assert before_ms < first.end_ms <= time.time() * 1000
