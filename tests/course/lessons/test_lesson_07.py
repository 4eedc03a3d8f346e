"""Lesson 07: right answers pass, and each typical wrong one is refused with its own cause."""

import sys
from collections import Counter
from operator import add, sub

import pytest
from pyspark import cloudpickle
from pyspark.streaming import StreamingContext

import labkit as lab
from labkit.course.judging.checking import check

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]


@pytest.fixture(autouse=True, scope="module")
def _functions_travel_with_their_jobs():
    """Spark's workers cannot import tests."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


def add_up(new, old):
    return sum(new) + (old or 0)


def start_of(time):
    hour, minute = time.split(":")
    return f"{hour}:{int(minute) // 5 * 5:02}"


# ---- 07.1 ----


def window(length, slide=2, *, first=add, inverse=None, **more):
    return lambda: lambda sales: sales.reduceByKeyAndWindow(first, inverse, length, slide, **more)


def no_filter(sales):
    return sales.reduceByKeyAndWindow(add, sub, 10, 2)


def counted(sales):
    return sales.mapValues(lambda _: 1).reduceByKeyAndWindow(add, None, 10, 2)


def no_shop(sales):
    return sales.map(lambda sale: sale[1]).reduceByWindow(add, None, 10, 2)


def with_filter(sales):
    return sales.reduceByKeyAndWindow(add, sub, 10, 2, filterFunc=lambda pair: pair[1] > 0)


# ---- 07.2 ----


def program(make, checkpoint, *, comes_back=True):
    def create():
        ssc = StreamingContext(lab.spark(connectors=()).sparkContext, 1)
        make(ssc)
        return ssc

    if comes_back:
        return StreamingContext.getOrCreate(checkpoint, create)
    ssc = create()
    ssc.checkpoint(checkpoint)
    return ssc


def words_of(ssc, files):
    return ssc.textFileStream(files).flatMap(str.split).map(lambda word: (word, 1))


def word_totals(files, checkpoint, show):
    return program(lambda ssc: word_state(ssc, files).foreachRDD(show), checkpoint)


def word_state(ssc, files, update=add_up):
    return words_of(ssc, files).updateStateByKey(update)


def with_update(update):
    def answer(files, checkpoint, show):
        return program(lambda ssc: word_state(ssc, files, update).foreachRDD(show), checkpoint)

    return lambda: answer


def each_batch(files, checkpoint, show):
    return program(lambda ssc: words_of(ssc, files).reduceByKey(add).foreachRDD(show), checkpoint)


def new_context(files, checkpoint, show):
    def make(ssc):
        word_state(ssc, files).foreachRDD(show)

    return program(make, checkpoint, comes_back=False)


def no_checkpoint(files, checkpoint, show):  # noqa: ARG001
    ssc = StreamingContext(lab.spark(connectors=()).sparkContext, 1)
    word_state(ssc, files).foreachRDD(show)
    return ssc


def defined_outside(files, checkpoint, show):
    ssc = program(lambda ssc: None, checkpoint)  # noqa: ARG005
    word_state(ssc, files).foreachRDD(show)
    return ssc


def only_news(files, checkpoint, show):
    def make(ssc):
        words = words_of(ssc, files)
        news = word_state(ssc, files).join(words.reduceByKey(add))
        news.mapValues(lambda both: both[0]).foreachRDD(show)

    return program(make, checkpoint)


def printed(files, checkpoint, show):  # noqa: ARG001
    def make(ssc):
        word_state(ssc, files).foreachRDD(lambda rdd: rdd.count() and None)

    return program(make, checkpoint)


def started(files, checkpoint, show):
    ssc = word_totals(files, checkpoint, show)
    ssc.start()
    return ssc


def in_a_list():
    """Answer with totals that Python keeps, outside of the folders."""
    totals = Counter()

    def answer(files, checkpoint, show):
        def make(ssc):
            def kept(rdd):
                totals.update(rdd.collect())
                return rdd.ctx.parallelize(list(totals.items()))

            lines = ssc.textFileStream(files).flatMap(str.split)
            lines.transform(kept).foreachRDD(show)

        return program(make, checkpoint, comes_back=False)

    return answer


def among_files(files, checkpoint, show):  # noqa: ARG001
    return word_totals(files, files, show)


def in_one_folder(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("one-folder"))
    return lambda files, checkpoint, show: word_totals(files, folder, show)  # noqa: ARG005


def stream_given_back(files, checkpoint, show):  # noqa: ARG001
    ssc = StreamingContext(lab.spark(connectors=()).sparkContext, 1)
    return word_state(ssc, files)


def by_an_hour(files, checkpoint, show):
    def make(ssc):
        words_of(ssc, files).reduceByKeyAndWindow(add, sub, 3600, 1).foreachRDD(show)

    return program(make, checkpoint)


# ---- 07.3 ----


def amounts(sales):
    return sales.map(lambda sale: sale[1])


def by_arrival(sales):
    return amounts(sales).reduce(add)


def by_event_time(sales, key=start_of, update=add_up):
    return sales.map(lambda sale: (key(sale[0]), sale[1])).updateStateByKey(update)


def both(arrival=by_arrival, event_time=by_event_time):
    return lambda: lambda sales: (arrival(sales), event_time(sales))


def event_time_with(**other):
    return both(event_time=lambda sales: by_event_time(sales, **other))


def end_of(time):
    hour, minute = map(int, time.split(":"))
    end = 60 * hour + minute // 5 * 5 + 5
    return f"{end // 60:02}:{end % 60:02}"


def each_batch_anew(sales):
    return sales.map(lambda sale: (start_of(sale[0]), sale[1])).reduceByKey(add)


def no_late_rows(sales):
    def on_time(end, rdd):
        start = f"{(end.minute - 5) % 60:02}"
        return rdd.filter(lambda sale: start_of(sale[0]).endswith(start))

    return sales.transform(on_time).map(lambda s: (start_of(s[0]), s[1])).reduceByKey(add)


def with_news(sales):
    news = sales.map(lambda sale: (start_of(sale[0]), 1)).reduceByKey(add)
    return by_event_time(sales).join(news).mapValues(lambda pair: pair[0])


def running(sales):
    total = amounts(sales).map(lambda n: ("all", n)).updateStateByKey(add_up)
    return total.map(lambda pair: pair[1])


WRONG = {
    "07.1": [
        ("one batch", lambda: lambda sales: sales.reduceByKey(add), "by itself"),
        ("slide as long as the window", window(10, 10), "each fifth batch"),
        ("ten batches", window(20), "20 seconds long"),
        ("four batches", window(8), "8 seconds long"),
        ("no end", lambda: lambda sales: sales.updateStateByKey(add_up), "never forget"),
        ("counted", lambda: counted, "You count the sales"),
        ("inverse, no filter", lambda: no_filter, "stays, with 0"),
        ("no sums", lambda: lambda sales: sales.window(10, 2), "the single sales"),
        ("no shop", lambda: no_shop, "column"),
        ("nine seconds", window(9), "multiple"),
        ("one second", window(10, 1), "whole numbers of batches"),
        ("largest", window(10, first=max), "did not come out"),
        ("as it is", lambda: lambda sales: sales, "came out"),
        ("a number", lambda: lambda sales: sales.ssc or 4, "ssc"),
    ],
    "07.2": [
        ("each batch", lambda: each_batch, "by itself"),
        ("a new context", lambda: new_context, "after the restart"),
        ("no checkpoint", lambda: no_checkpoint, "checkpoint"),
        ("among the files", lambda: among_files, "read as text"),
        ("no old value", with_update(lambda new, old: sum(new)), "old value"),  # noqa: ARG005
        ("forgets", with_update(lambda new, old: add_up(new, old) if new else None), "out of the"),
        ("only news", lambda: only_news, "with news"),
        ("shown to nobody", lambda: printed, "No row came out"),
        ("started", lambda: started, "runs already"),
        ("in a list", in_a_list, "second program"),
        ("a stream", lambda: stream_given_back, "must give back"),
    ],
    "07.3": [
        ("by arrival twice", both(event_time=by_arrival), "Both are"),
        ("each batch anew", both(event_time=each_batch_anew), "begins anew"),
        ("by the minute", event_time_with(key=str), "the minute"),
        ("by the end", event_time_with(key=end_of), "named by their end"),
        ("no late rows", both(event_time=no_late_rows), "late rows are lost"),
        ("with news", both(event_time=with_news), "windows with news"),
        ("arrival goes on", both(arrival=running), "go on from batch"),
        ("arrival not added", both(arrival=amounts), "one number"),
        ("arrival counted", both(arrival=lambda sales: sales.count()), "By arrival you count"),
        ("the other way round", lambda: lambda s: (by_event_time(s), by_arrival(s)), "second"),
        ("one stream", lambda: by_event_time, "two DStreams"),
        (
            "counted",
            both(event_time=lambda s: by_event_time(s.mapValues(lambda _: 1))),
            "event time you count",
        ),
    ],
}

ACCEPTED = [
    ("07.1", window(10)()),
    ("07.1", lambda sales: sales.window(10, 2).reduceByKey(add)),
    ("07.1", lambda sales: sales.window(10).reduceByKey(add)),
    ("07.1", with_filter),
    ("07.2", word_totals),
    ("07.2", by_an_hour),
    ("07.3", both()()),
    ("07.3", lambda s: [amounts(s).reduceByWindow(add, None, 300, 300), by_event_time(s)]),
    ("07.3", lambda s: (s.transform(sum_of_all), by_event_time(s))),
]


def sum_of_all(rdd):
    return rdd.ctx.parallelize([rdd.map(lambda sale: sale[1]).sum()])


def test_a_program_with_one_folder_for_all_is_refused(refused, tmp_path_factory):
    assert not refused("07.2", in_one_folder(tmp_path_factory)).passed


@pytest.mark.parametrize("task", WRONG)
def test_the_same_answer_gets_the_same_words(task):
    _, factory, _ = WRONG[task][0]
    first, second = (repr(check(task, factory())) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("task", WRONG)
def test_a_context_that_runs_is_left_alone_and_named(task, refused):
    ssc = lab.streaming_context()
    ssc.queueStream([[1]]).foreachRDD(lambda rdd: rdd.count() and None)
    ssc.start()
    try:
        right = next(answer for name, answer in ACCEPTED if name == task)
        assert "A streaming context of yours runs already" in refused(task, right).cause
        lab.tick(ssc)
    finally:
        ssc.stop(stopSparkContext=False)
