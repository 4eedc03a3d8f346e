"""What DStreams raise is explained; each entry of the table is met by a real error."""

from __future__ import annotations

import warnings

import pytest

from labkit.engine.clock import stop_streaming, streaming_context, tick
from labkit.engine.signatures import explain_error
from labkit.engine.signatures_dstreams import TABLE
from labkit.engine.spark_end import note_stop_by_dstreams

PROVOKED = []


def provokes(entry, sentence):
    """Put a function into the table: given a bench, it raises that trouble."""

    def keep(function):
        PROVOKED.append((entry, sentence, function))
        return function

    return keep


class Bench:
    """Contexts on one session, and a folder for checkpoints."""

    def __init__(self, spark, folder):
        self.spark, self.sc, self.folder = spark, spark.sparkContext, str(folder)
        self.ssc = streaming_context()

    def words(self):
        return self.ssc.queueStream([["a", "b"], ["a"]])

    def pairs(self):
        return self.words().map(lambda word: (word, 1))

    def run(self, stream):
        """Run a batch of a DStream."""
        stream.foreachRDD(lambda rdd: rdd.collect() and None)
        self.ssc.start()
        tick(self.ssc)


@provokes("D01", "No DStream has an output")
def _(b):
    b.words().countByValue()
    b.ssc.start()


@provokes("D03", "Another streaming context runs")
def _(b):
    second = streaming_context()
    for ssc in (b.ssc, second):
        ssc.queueStream([["a"]]).pprint()
    b.ssc.start()
    second.start()


@provokes("D04", "This streaming context was stopped")
def _(b):
    b.words().pprint()
    b.ssc.start()
    b.ssc.stop(stopSparkContext=False)
    b.ssc.start()


@provokes("D04", "This streaming context was stopped")
def _(b):
    words = b.words()
    words.pprint()
    b.ssc.start()
    b.ssc.stop(stopSparkContext=False)
    words.pprint()


for late in (
    lambda words: words.pprint(),
    lambda words: words.foreachRDD(print_it),
    lambda words: words.window(2),
    lambda words: words.context().queueStream([["c"]]),
):

    @provokes("D05", "The streaming context runs already")
    def _(b, late=late):
        words = b.words()
        words.pprint()
        b.ssc.start()
        late(words)


def print_it(rdd):
    rdd.collect()


@provokes("D06", "ssc.stop() has stopped Spark")
def _(b):
    b.words().pprint()
    b.ssc.start()
    b.ssc.stop()
    b.spark.range(3).count()


@provokes("D06", "ssc.stop() has stopped Spark")
def _(b):
    b.ssc.stop()
    b.sc.parallelize([1]).count()


provokes("D07", "A window and its slide")(
    lambda _b: streaming_context(2).queueStream([[1]]).window(3)
)
provokes("D07", "A window and its slide")(lambda b: b.words().window(2, 1.5))
provokes("D07", "A window and its slide")(
    lambda b: b.pairs().reduceByKeyAndWindow(max, None, 2.5, 1)
)
provokes("D08", "State and inverse windows")(
    lambda b: b.run(b.pairs().updateStateByKey(lambda new, old: len(new) + (old or 0)))
)
provokes("D08", "State and inverse windows")(lambda b: b.run(b.words().countByWindow(2, 1)))


@provokes("D10", "Spark or an RDD is used")
def _(b):
    sc = b.sc
    b.run(b.words().map(lambda word: sc.parallelize([word]).count()))


@provokes("D10", "Spark or an RDD is used")
def _(b):
    cities = b.sc.parallelize([("a", "Bern")])
    b.run(b.words().map(lambda word: cities.lookup(word + word)))


@provokes("D10", "Spark or an RDD is used")
def _(b):
    cities = b.sc.parallelize([("a", "Bern")])
    b.words().foreachRDD(
        lambda rdd: rdd.map(lambda word: cities.lookup(word + word)).collect() and None
    )
    b.ssc.start()
    tick(b.ssc)


provokes("D19", "An operator for pairs")(
    lambda b: b.run(b.words().map(len).reduceByKey(lambda one, other: one + other))
)
provokes("D19", "An operator for pairs")(
    lambda b: b.run(b.words().map(lambda _: "abc").reduceByKey(lambda one, other: one + other))
)


@provokes("D11", "Your function raised an error")
def _(b):
    b.run(b.words().map(lambda word: {}[word]))


@provokes("D11", "Your function raised an error")
def _(b):
    def save(_rdd):
        raise ValueError("no room")

    b.words().foreachRDD(save)
    b.ssc.start()
    tick(b.ssc)


@provokes("D11", "Your function raised an error")
def _(b):
    """Without the hand-moved clock the error waits for whoever asks."""
    from pyspark.streaming import StreamingContext

    def save(_rdd):
        raise ValueError("no room")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        ssc = StreamingContext(b.sc, 0.2)
    ssc.queueStream([["a"]]).foreachRDD(save)
    ssc.start()
    ssc.awaitTerminationOrTimeout(20)


@provokes("D17", "The function gave back a value")
def _(b):
    b.words().foreachRDD(lambda rdd: rdd.count())
    b.ssc.start()
    tick(b.ssc)


provokes("D17", "The function gave back a value")(
    lambda b: b.run(b.words().transform(lambda rdd: rdd.collect()))
)
provokes("D17", "transform and foreachRDD take")(lambda b: b.words().foreachRDD(print))
provokes("D18", "This operator joins")(lambda b: b.pairs().join(b.sc.parallelize([("a", "Bern")])))
provokes("D18", "This operator joins")(lambda b: b.words().union(b.sc.parallelize(["a"])))


@provokes("D12", "A DStream of a queue cannot")
def _(b):
    from pyspark.streaming import StreamingContext

    b.ssc.checkpoint(b.folder)
    b.run(b.words())
    b.ssc.stop(stopSparkContext=False)
    StreamingContext.getOrCreate(b.folder, lambda: None)


@pytest.fixture(autouse=True)
def _no_context_is_left():
    yield
    note_stop_by_dstreams(is_so=False)


@pytest.mark.spark
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("entry", "sentence", "provoke"),
    [pytest.param(*row, id=f"{row[0]}-{place}") for place, row in enumerate(PROVOKED)],
)
def test_what_a_context_raises_is_explained(entry, sentence, provoke, spark, tmp_path):
    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any of them is explained
            provoke(Bench(spark, tmp_path))
        told = explain_error(caught.value)
    finally:
        stop_streaming()
    assert told is not None, caught.value
    assert (told.id, told.sentence[: len(sentence)]) == (entry, sentence)


def test_every_entry_is_met():
    met = {(entry, sentence) for entry, sentence, _ in PROVOKED}
    unmet = [
        one.sentence
        for one in TABLE
        if not any(one.id == entry and one.sentence.startswith(start) for entry, start in met)
    ]
    assert unmet == []


@pytest.mark.spark
def test_the_line_of_the_learner_is_named(spark, tmp_path):
    def rate(word):
        return {}[word]

    bench = Bench(spark, tmp_path)
    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            bench.run(bench.words().map(rate))
    finally:
        stop_streaming()
    told = explain_error(caught.value)
    assert told.cause.startswith("KeyError")
    assert told.own.function == "rate"
