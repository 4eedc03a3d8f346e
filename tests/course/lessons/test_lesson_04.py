"""Lesson 04: right answers pass, and each typical wrong one is refused with its own cause."""

import tempfile
from types import SimpleNamespace

import pytest

import labkit as lab
from labkit.course.lessons import lesson_04
from labkit.course.lessons.lesson_04 import ORDERS

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]

NOW = {"availableNow": True}


def read(folder, limit=2):
    from labkit.engine.session import spark

    reader = spark().readStream.schema(ORDERS.schema)
    return (reader.option("maxFilesPerTrigger", limit) if limit else reader).json(folder)


def to_memory(stream, trigger, name="backlog"):
    writer = stream.writeStream.format("memory").queryName(name)
    return writer.trigger(**trigger) if trigger else writer


def backlog(*, limit=2, trigger=NOW, change=lambda df: df):
    return lambda: lambda folder: to_memory(change(read(folder, limit)), trigger).start()


def limit_on_the_writer(folder):
    return to_memory(read(folder, None), NOW).option("maxFilesPerTrigger", 2).start()


def waits_and_stops(folder):
    query = to_memory(read(folder), {}).start()
    query.processAllAvailable()
    query.stop()
    return query


def forgets_the_return(folder):
    to_memory(read(folder), NOW).start()


def job(
    *, limit=2, trigger=NOW, form="json", keeps=("customer", "amount"), mark=lambda given: given
):
    """Return a factory of jobs; each part can be another one than the task asks for."""

    def run(source, target, checkpoint):
        rows = read(source, limit)
        writer = (rows.select(*keeps) if keeps else rows).writeStream.format(form)
        if mark is not None:
            writer = writer.option("checkpointLocation", mark(checkpoint))
        return (writer.trigger(**trigger) if trigger else writer).start(target)

    return lambda: run


def job_on_one_place():
    place = tempfile.mkdtemp()
    return job(mark=lambda _: place)()


def job_on_the_lessons_stream():
    target = lab.folder("lesson_04_orders")
    with lab.feed(lab.Orders(seed=4), to=target, name="lesson_04", batch=1) as given:
        given.step(10)
    return lambda _, *others: job()()(target.path, *others)


def job_that_waits(source, target, checkpoint):
    query = job()()(source, target, checkpoint)
    query.awaitTermination(60)
    return query


def static(source, target, _):
    from labkit.engine.session import spark

    rows = spark().read.schema(ORDERS.schema).json(source).select("customer", "amount")
    rows.write.mode("append").json(target)


def words(newest=lambda entries: entries[-1], took=lambda entry: entry.batchDuration / 1000):
    def answer(entries, interval_s):
        if not entries or not newest(entries).numInputRows:
            return "idle"
        return "over" if took(newest(entries)) > interval_s else "keeping up"

    return answer


def ever(entries, interval_s):
    if not entries or not entries[-1].numInputRows:
        return "idle"
    is_over = any(entry.batchDuration > 1000 * interval_s for entry in entries)
    return "over" if is_over else "keeping up"


def on_average(entries, interval_s):
    if not entries or not entries[-1].numInputRows:
        return "idle"
    mean_ms = sum(entry.batchDuration for entry in entries) / len(entries)
    return "over" if mean_ms > 1000 * interval_s else "keeping up"


def idle_once(entries, interval_s):
    if not entries or any(not entry.numInputRows for entry in entries):
        return "idle"
    return words()(entries, interval_s)


def idle_never(entries, interval_s):
    if not sum(entry.numInputRows for entry in entries):
        return "idle"
    return "over" if entries[-1].batchDuration > 1000 * interval_s else "keeping up"


def add_batch(entry):
    return entry.durationMs.get("addBatch", 0) / 1000


WRONG = {
    "04.1": [
        ("as it is given", backlog(limit=None, trigger={}), "no trigger that ends it"),
        ("a time between", backlog(trigger={"processingTime": "1 second"}), "no trigger that ends"),
        ("stopped by hand", lambda: waits_and_stops, "no trigger that ends it"),
        ("once", backlog(trigger={"once": True}), "once takes all 7 files"),
        ("no limit", backlog(limit=None), "All 7 files came in one batch"),
        ("limit of the writer", lambda: limit_on_the_writer, "an option of the reader"),
        ("one file a batch", backlog(limit=1), "Each batch has 1 file"),
        ("three files a batch", backlog(limit=3), "The batches have 3, 3, 1 files"),
        ("a part of the rows", backlog(change=lambda df: df.where("order_id > 2")), "all of it"),
        ("a part of the columns", backlog(change=lambda df: df.select("order_id")), "the columns"),
        ("continuous", backlog(trigger={"continuous": "1 second"}), "continuous trigger"),
        ("a number", backlog(trigger={"processingTime": 5}), "is a text, not a number"),
        ("no return", lambda: forgets_the_return, "Your function returns nothing"),
        ("a DataFrame", lambda: read, "returns a `DataFrame`"),
        (
            "no table",
            lambda: lambda folder: read(folder).writeStream.format("noop").trigger(**NOW).start(),
            "has no table to look at",
        ),
    ],
    "04.2": [
        ("waits for ever", job(trigger={}), "no trigger that ends it"),
        ("once", job(trigger={"once": True}), "once takes all 5 files"),
        ("no limit", job(limit=None), "All 5 files came in one batch"),
        ("no checkpoint", job(mark=None), "checkpoint folder"),
        ("a new place each night", job(mark=lambda _: tempfile.mkdtemp()), "forgotten the first"),
        ("one place for all jobs", job_on_one_place, "taken the checkpoint of the first job"),
        ("the stream of the lesson", job_on_the_lessons_stream, "not those of source"),
        ("another format", job(form="parquet"), "end with .parquet"),
        ("all columns", job(keeps=None), "the columns"),
        ("no stream", lambda: static, "Your function returns nothing"),
    ],
    "04.3": [
        ("oldest entry", lambda: words(newest=lambda e: e[0]), "the query is idle"),
        ("any entry", lambda: ever, "Only an older batch"),
        ("mean", lambda: on_average, "Quick ones before do not help"),
        ("milliseconds", lambda: words(took=lambda e: e.batchDuration), "half of the interval"),
        ("a part of the batch", lambda: words(took=add_batch), "addBatch is only a part"),
        ("idle once", lambda: idle_once, "was idle and is so no more"),
        ("idle never again", lambda: idle_never, "0 rows"),
        ("always over", lambda: lambda *_: "over", "No entry yet"),
        ("always idle", lambda: lambda *_: "idle", "took longer than the interval"),
        ("another word", lambda: lambda *_: "busy", "The words are over, idle, keeping up"),
        ("no empty list", lambda: lambda entries, _: entries[-1] and "over", "IndexError"),
        ("no interval", lambda: lambda e, _: words()(e, 0), "half of the interval"),
    ],
}

ACCEPTED = [
    ("04.1", backlog()()),
    ("04.1", lambda folder: to_memory(read(folder), NOW, "another_name")),
    ("04.2", job()()),
    ("04.2", job(mark=lambda given: f"{given}/inside")()),
    ("04.2", job_that_waits),
    ("04.3", words()),
    ("04.3", words(took=lambda entry: entry["durationMs"]["triggerExecution"] / 1000)),
]


def test_a_job_on_one_place_is_refused_each_time_it_is_checked(refused):
    answer = job_on_one_place()
    refused("04.2", answer)
    assert "5 files waited, and none was read" in refused("04.2", answer).cause


def test_a_check_leaves_queries_tables_settings_and_folders_as_they_were(spark, accepted):
    from labkit import scratch

    before = spark.conf.get(lesson_04.IDLE_REPORTS)
    for task, answer in (("04.1", backlog()()), ("04.2", job()()), ("04.3", words())):
        accepted(task, answer)
    assert spark.streams.active == []
    assert not spark.catalog.tableExists("backlog")
    assert spark.conf.get(lesson_04.IDLE_REPORTS) == before
    assert not scratch.place("check_04").exists()


def entry(rows, took_ms, part_ms=1):
    durations = {"addBatch": part_ms, "triggerExecution": took_ms}
    return SimpleNamespace(numInputRows=rows, batchDuration=took_ms, durationMs=durations)


def test_the_words_wanted_follow_from_what_was_reported(monkeypatch):
    slow, quick, rest, last = entry(2, 900), entry(2, 100), entry(0, 3), entry(2, 1000, 800)
    monkeypatch.setattr(lesson_04, "_reported", lambda: [slow, quick, quick, rest, rest, last])
    right = words()
    cases = lesson_04._cases()
    assert [right(list(case.entries), case.interval_s) for case in cases] == [c.word for c in cases]
    assert {case.word for case in cases} == set(lesson_04.WORDS)
    assert cases[-1].title == "quick after slow"


def test_a_machine_on_which_no_batch_is_quick_leaves_that_case_out(monkeypatch):
    reported = [entry(2, 900), entry(2, 950), entry(2, 960), entry(0, 3), entry(2, 1100, 900)]
    monkeypatch.setattr(lesson_04, "_reported", lambda: reported)
    cases = lesson_04._cases()
    assert "quick after slow" not in {case.title for case in cases}
    assert [words()(list(c.entries), c.interval_s) for c in cases] == [c.word for c in cases]
