"""A streaming context by hand: its clock, its batches, its files, its end."""

import os
import sys
import warnings
from itertools import pairwise

import pytest

import labkit as lab
from labkit import control
from labkit.engine.clock import START, clock_text, state_of, stop_streaming, streaming_context, tick
from labkit.errors import Conflict, InvalidArgument, LabkitError, NotReady

START_MS = int(START.timestamp() * 1000)


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "10:00:00"), (1500, "10:00:01.5"), (50, "10:00:00.05")]
)
def test_a_batch_time_is_written_in_utc(ms, text):
    assert clock_text(START_MS + ms) == text


@pytest.mark.parametrize("batch_s", [0, -1, 86_401, float("nan"), "1", None, True])
def test_a_bad_length_of_a_batch_is_refused_before_spark_starts(batch_s):
    with pytest.raises(InvalidArgument) as caught:
        streaming_context(batch_s)
    assert caught.value.params["name"] == "batch_s"


@pytest.mark.parametrize("n", [0, 1001, 1.5, "3", True])
def test_a_bad_count_of_ticks_is_refused(n):
    with pytest.raises(InvalidArgument) as caught:
        tick(None, n)
    assert caught.value.params["name"] == "n"


@pytest.mark.parametrize("timeout_s", [0, -1, "soon"])
def test_a_bad_limit_is_refused(timeout_s):
    with pytest.raises(InvalidArgument) as caught:
        tick(None, timeout_s=timeout_s)
    assert caught.value.params["name"] == "timeout_s"


@pytest.mark.parametrize("thing", [None, "ssc", 3])
def test_what_is_no_context_cannot_be_ticked(thing):
    with pytest.raises(InvalidArgument) as caught:
        tick(thing)
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "ssc")


@pytest.mark.parametrize("get", [1, "create", []])
def test_what_is_no_function_cannot_give_a_context(get):
    with pytest.raises(InvalidArgument) as caught:
        streaming_context(get=get)
    assert caught.value.params["name"] == "get"


@pytest.fixture(autouse=True)
def _no_context_is_left():
    yield
    if "pyspark.streaming" in sys.modules:
        stop_streaming()


@pytest.fixture
def ssc():
    return streaming_context()


def batches_of(stream):
    """Collect (seconds since the start, rows) of each batch."""
    seen = []

    def take(time, rdd):
        seen.append((time.timestamp() - START.timestamp(), sorted(rdd.collect())))

    stream.foreachRDD(take)
    return seen


@pytest.mark.spark
def test_each_run_gives_the_same_batches_at_the_same_times():
    runs = []
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            ssc = streaming_context(batch_s=10)
        words = ssc.queueStream([["a", "b"], ["a"]])
        runs.append(batches_of(words.countByValue()))
        ssc.start()
        assert ssc.now_ms() == START_MS
        tick(ssc, 3)
        assert ssc.now_ms() == START_MS + 30_000
        ssc.stop(stopSparkContext=False)
    assert runs[0] == [(10, [("a", 1), ("b", 1)]), (20, [("a", 1)]), (30, [])]
    assert runs[1] == runs[0]


@pytest.mark.spark
def test_when_tick_returns_the_jobs_of_its_batches_are_done(ssc):
    seen = batches_of(ssc.queueStream([[n] for n in range(5)]))
    ssc.start()
    for n in range(5):
        tick(ssc)
        assert [rows for _, rows in seen] == [[i] for i in range(n + 1)]


@pytest.mark.spark
def test_a_length_that_does_not_divide_the_hour_ends_each_batch_at_a_multiple_of_it():
    ssc = streaming_context(batch_s=7)
    seen = batches_of(ssc.queueStream([[1], [2]]))
    ssc.start()
    tick(ssc, 2)
    assert ssc.now_ms() % 7000 == 0
    assert [later[0] - earlier[0] for earlier, later in pairwise(seen)] == [7]
    ssc.stop(stopSparkContext=False)


@pytest.mark.spark
def test_batches_without_output_are_passed_over(ssc):
    words = ssc.queueStream([["a"], ["b"], ["c"], ["d"]])
    seen = batches_of(words.window(2, 2))
    ssc.start()
    tick(ssc, 5)
    assert seen == [(2, ["a", "b"]), (4, ["c", "d"])]


@pytest.mark.spark
def test_only_this_context_gets_the_clock(ssc):
    conf = ssc.sparkContext._jsc.sc().conf()
    assert not conf.contains("spark.streaming.clock")


@pytest.mark.spark
def test_a_context_that_runs_is_stopped_by_the_next_one(ssc):
    batches_of(ssc.queueStream([[1]]))
    ssc.start()
    other = streaming_context()
    assert state_of(ssc._jssc.ssc()) == "STOPPED"
    seen = batches_of(other.queueStream([[2]]))
    other.start()
    tick(other)
    assert seen == [(1, [2])]
    other.stop(stopSparkContext=False)


@pytest.mark.spark
def test_a_context_that_does_not_run_is_named(ssc):
    batches_of(ssc.queueStream([[1]]))
    with pytest.raises(Conflict) as caught:
        tick(ssc)
    assert caught.value.code == "NOT_STARTED"
    ssc.start()
    ssc.stop(stopSparkContext=False)
    with pytest.raises(Conflict) as caught:
        tick(ssc)
    assert caught.value.code == "STOPPED"


@pytest.mark.spark
def test_the_real_clock_cannot_be_ticked(spark):
    from pyspark.streaming import StreamingContext

    with pytest.warns(FutureWarning):
        ssc = StreamingContext(spark.sparkContext, 1)
    with pytest.raises(InvalidArgument) as caught:
        tick(ssc)
    assert caught.value.code == "WRONG_TYPE"


@pytest.mark.spark
def test_an_error_in_a_job_is_raised_once_and_the_next_batch_runs(ssc):
    seen = []

    def take(rdd):
        seen.extend(rdd.map(lambda n: 6 // n).collect())

    ssc.queueStream([[1], [0], [2]]).foreachRDD(take)
    ssc.start()
    tick(ssc)
    with pytest.raises(LabkitError) as caught:
        tick(ssc, 2)
    assert caught.value.code == "BATCH_FAILED"
    assert caught.value.params["batch"] == "Batch 2 (10:00:02)"
    assert "ZeroDivisionError" in caught.value.params["cause"]
    tick(ssc)
    assert seen == [6, 3]


@pytest.mark.spark
def test_an_error_while_a_batch_is_planned_is_raised(ssc):
    stream = ssc.queueStream([[1]])
    batches_of(stream.transform(lambda rdd: rdd.nothing()))
    ssc.start()
    with pytest.raises(LabkitError) as caught:
        tick(ssc)
    assert "'nothing'" in caught.value.params["cause"]


@pytest.mark.spark
def test_a_batch_that_takes_too_long_is_named(ssc):
    from threading import Event

    go_on = Event()
    ssc.queueStream([[1]]).foreachRDD(lambda _: go_on.wait(60) and None)
    ssc.start()
    try:
        with pytest.raises(NotReady) as caught:
            tick(ssc, timeout_s=0.2)
    finally:
        go_on.set()
    assert "Batch 1 (10:00:01)" in caught.value.params["what"]


@pytest.mark.spark
def test_text_files_are_seen_in_the_next_batch_in_every_run():
    for _ in range(2):
        ssc = streaming_context(batch_s=5)
        lines = lab.folder("by-hand", format="text", clock=ssc)
        feed = lab.feed(lab.Lines(seed=7), to=lines, batch=2)
        seen = batches_of(ssc.textFileStream(lines.path))
        ssc.start()
        feed.step()
        tick(ssc)
        tick(ssc)
        feed.step(2)
        tick(ssc)
        sent = [event.value["value"] for event in lab.Lines(seed=7).take(6)]
        assert seen == [(5, sorted(sent[:2])), (10, []), (15, sorted(sent[2:]))]
        ssc.stop(stopSparkContext=False)


@pytest.mark.spark
def test_stop_all_stops_a_context_and_can_be_called_twice():
    ssc = streaming_context()
    batches_of(ssc.queueStream([[1]]))
    ssc.start()
    java = ssc._jssc.ssc()
    control.stop_all()
    control.stop_all()
    assert state_of(java) == "STOPPED"
    again = streaming_context()  # starts the next session
    seen = batches_of(again.queueStream([[1]]))
    again.start()
    tick(again)
    assert seen == [(1, [1])]
    again.stop(stopSparkContext=False)


def running_count(texts, memory, book):
    """Return a function that makes or brings back a context with a count of all words."""
    from pyspark.streaming import StreamingContext

    def add(new, old):
        return sum(new) + (old or 0)

    def note(time, rdd):
        with book.open("a") as file:
            print(f"{time:%H:%M:%S}", sorted(rdd.collect()), file=file)

    def create():
        ssc = StreamingContext(lab.spark(connectors=()).sparkContext, 1)
        pairs = ssc.textFileStream(str(texts)).map(lambda word: (word, 1))
        pairs.updateStateByKey(add).foreachRDD(note)
        return ssc

    return lambda: StreamingContext.getOrCreate(str(memory), create)


def arrive(texts, name, *, ssc):
    path = texts / f".{name}"
    path.write_text("a\n")
    os.utime(path, times=(ssc.now_ms() / 1000 + 0.5,) * 2)
    path.rename(texts / name)


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("gracefully", [False, True])
def test_a_context_comes_back_with_its_state_and_its_clock(tmp_path, gracefully):
    texts, memory, book = tmp_path / "texts", tmp_path / "memory", tmp_path / "book"
    texts.mkdir()
    get = running_count(texts, memory, book)
    ssc = streaming_context(get=get)
    assert ssc.now_ms() == START_MS
    ssc.start()
    for name in ("1", "2"):
        arrive(texts, name, ssc=ssc)
        tick(ssc)
    ssc.stop(stopSparkContext=False, stopGraceFully=gracefully)
    stopped_ms = ssc.now_ms()
    lines = book.read_text().splitlines()
    assert lines[:2] == ["10:00:01 [('a', 1)]", "10:00:02 [('a', 2)]"]
    arrive(texts, "3", ssc=ssc)
    ssc = streaming_context(get=get)
    ssc.start()
    assert START_MS < ssc.now_ms() <= stopped_ms
    tick(ssc, 1 + (stopped_ms - ssc.now_ms()) // 1000)
    ssc.stop(stopSparkContext=False)
    last, again = book.read_text().splitlines()[-1], book.read_text().splitlines()[len(lines)]
    assert last.endswith("[('a', 3)]")
    assert again == lines[-1]  # the last batch before the end runs once more


@pytest.mark.spark
def test_a_graceful_stop_ends_although_the_clock_stands_still(ssc):
    seen = batches_of(ssc.queueStream([[1], [2]]))
    ssc.start()
    tick(ssc)
    ssc.stop(stopSparkContext=False, stopGraceFully=True)
    assert state_of(ssc._jssc.ssc()) == "STOPPED"
    assert seen == [(1, [1])]


@pytest.mark.spark
def test_a_context_that_was_started_too_early_is_stopped_and_named(spark):
    from pyspark.streaming import StreamingContext

    made = []

    def get():
        ssc = StreamingContext(spark.sparkContext, 1)
        made.append(ssc)
        batches_of(ssc.queueStream([[1]]))
        ssc.start()
        return ssc

    with pytest.raises(Conflict) as caught:
        streaming_context(get=get)
    assert caught.value.code == "RUNS_ALREADY"
    assert state_of(made[0]._jssc.ssc()) == "STOPPED"


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_what_is_given_back_must_be_a_context():
    with pytest.raises(InvalidArgument) as caught:
        streaming_context(get=lambda: None)
    assert caught.value.code == "WRONG_TYPE"
