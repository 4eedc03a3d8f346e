import json
import re
import sys
import threading
from types import SimpleNamespace

import pytest

import labkit as lab
from labkit.course.library import NOTEBOOKS
from labkit.course.telling import explaining, silent
from labkit.course.telling.explaining import explain
from labkit.course.telling.findings import Finding
from labkit.engine import last_error
from labkit.engine.signatures import SIGNATURES
from labkit.errors import InvalidArgument, NotFound

NAME = "explained"
NASTY = "<b>&\"'</b>"


@pytest.fixture(autouse=True)
def _no_last_error(monkeypatch):
    monkeypatch.setattr(explaining, "_told", (None, -1))
    for name in ("last_value", "last_exc"):
        monkeypatch.delattr(sys, name, raising=False)


@pytest.fixture
def notebook(monkeypatch):
    """Stand in for IPython's shell: how the last cell ended, and the learner's variables."""
    shell = SimpleNamespace(last_execution_succeeded=True, execution_count=3, user_ns={})
    for module in (explaining, silent):
        monkeypatch.setattr(module, "notebook", lambda: shell)
    return shell


@pytest.fixture
def stream(spark, tmp_path):
    """Give a stream over files, and a function that adds a file."""
    spark.streams.resetTerminated()
    lab.stop(NAME)
    folder = tmp_path / "in"
    folder.mkdir()

    def write(*rows):
        hidden = folder / ".next"
        hidden.write_text("\n".join(json.dumps(row) for row in rows))
        hidden.rename(folder / f"{len(list(folder.iterdir()))}.json")

    def make(schema="name string, amount int, at timestamp"):
        return spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).json(str(folder))

    make.write = write
    yield make
    for query in spark.streams.active:
        query.stop()
    lab.stop(NAME)
    spark.streams.resetTerminated()


def start(df, mode="append", sink="memory", **options):
    writer = df.writeStream.format(sink).outputMode(mode).options(**options)
    query = (writer.queryName(NAME) if sink == "memory" else writer).start()
    query.processAllAvailable()
    return query


def dead(stream, name=NAME):
    """Let a query die after its start; nobody has caught its error."""
    stream.write({"name": "a", "amount": 1})
    query = stream().selectExpr("amount / 0").writeStream.format("memory").queryName(name).start()
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
        query.processAllAvailable()
    return query


@pytest.mark.parametrize("what", [42, True, [], lambda: 1, object(), ValueError])
def test_absurd_things_are_refused(what):
    with pytest.raises(InvalidArgument, match="an exception, a query, or a query's name"):
        explain(what)


def test_an_unknown_name_is_refused():
    with pytest.raises(NotFound, match="no such query"):
        explain("no such query")


def test_an_error_is_explained_with_its_lesson():
    told = explain(ImportError("cannot import name 'Trigger'"))
    assert told.id == "M12"
    assert repr(told) == (
        "This error: Python has no class Trigger for streams; it is Scala's.\n"
        'How to go on: Write .trigger(processingTime="5 seconds") or .trigger(availableNow=True).\n'
        + told.findings[0].lesson_words
        + (f": {told.findings[0].link}" if told.findings[0].link else "")
    )
    assert "aria-label" in told._repr_html_()


def test_an_unknown_error_is_said_to_be_unknown():
    told = explain(ValueError(NASTY))
    assert "no plain words" in told.sentence
    assert f"Its own words: ValueError: {NASTY}" in repr(told)
    assert "from its end" in told.cure
    assert NASTY not in told._repr_html_()
    assert "&lt;b&gt;" in told._repr_html_()


def test_a_name_that_is_not_known_yet_sends_back_to_the_cells_above():
    told = explain(NameError("name 'feed' is not defined"))
    assert "does not know yet" in told.sentence
    assert "Its own words: name 'feed' is not defined" in repr(told)
    assert "cells above" in told.cure


def test_an_error_of_labkits_own_is_told_in_its_words():
    told = explain(NotFound("NOT_FOUND", kind="query", name="x", cure="Start it."))
    assert repr(told) == "This error: There is no query 'x'.\nHow to go on: Start it."


def test_the_link_leads_to_a_heading(monkeypatch):
    notebook = "03_output_modes.ipynb"
    monkeypatch.setattr("labkit.course.telling.findings.notebook_name", lambda _: notebook)
    finding = Finding("x", "y", lesson="03", heading="Who refuses what")
    assert finding.link == "03_output_modes.ipynb#Who-refuses-what"
    assert finding.lesson_words == "Lesson 03, “Who refuses what”"
    assert Finding("x", "y").link == ""


def test_a_lesson_that_is_not_there_is_named_without_a_link():
    finding = Finding("x", "y", lesson="98", heading="h")
    assert (finding.link, finding.lesson_words) == ("", "Lesson 98")


def headings(path):
    cells = json.loads(path.read_text())["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return [line.strip() for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]


@pytest.mark.parametrize(
    ("lesson", "heading"), sorted({(s.lesson, s.heading) for s in SIGNATURES if s.heading})
)
def test_a_heading_is_one_of_its_lesson(lesson, heading):
    for path in NOTEBOOKS.glob(f"{lesson}_*.ipynb"):
        assert heading in headings(path)


def test_without_spark_nothing_runs(monkeypatch):
    for module in (explaining, last_error):
        monkeypatch.setattr(module, "open_session", lambda: None)
    told = explain()
    assert "No query runs, and no error is known." in repr(told)
    assert ".start()" in told.cure


def test_the_cell_before_counts_first(monkeypatch, notebook):
    monkeypatch.setattr(explaining, "open_session", lambda: None)
    monkeypatch.setattr(explaining, "dead_query", lambda: None)
    monkeypatch.setattr(sys, "last_value", KeyError("k"), raising=False)
    notebook.last_execution_succeeded = False
    assert repr(explain()).startswith("The last cell: ")
    notebook.last_execution_succeeded = True
    notebook.execution_count += 1
    assert repr(explain()).startswith("The last cell: "), "asked twice, told twice"
    notebook.execution_count += 5
    assert repr(explain()).startswith("An earlier cell: ")


@pytest.mark.spark
class TestWithSpark:
    """Queries that run, wait, or died unseen."""

    def test_a_query_that_died_unseen_is_found(self, stream):
        query = dead(stream)
        told = explain()
        assert (told.id, told.findings[0].about) == ("M18", f"Query {NAME} has failed")
        assert explain(query).sentence == explain(NAME).sentence == told.sentence
        assert repr(explain()) == repr(explain())

    def test_a_cell_that_just_failed_comes_before_a_dead_query(self, stream, notebook, monkeypatch):
        dead(stream)
        monkeypatch.setattr(sys, "last_value", ImportError("name 'Trigger'"), raising=False)
        assert explain().id == "M18"
        notebook.last_execution_succeeded = False
        assert explain().findings[0].about == "The last cell"

    def test_a_query_that_runs_again_is_not_told_as_dead(self, stream):
        dead(stream)
        start(stream())
        assert [finding.about for finding in explain().findings] == [f"Query {NAME}"]

    def test_the_learners_own_line_is_shown(self, stream):
        from pyspark.sql import functions as F

        def rate(amount):
            return 10 // (amount - amount)

        stream.write({"name": "a", "amount": 1})
        query = stream().select(F.udf(rate, "int")("amount")).writeStream
        query = query.format("memory").queryName(NAME).start()
        with pytest.raises(Exception, match="ZeroDivisionError"):
            query.processAllAvailable()
        assert "return 10 // (amount - amount)" in repr(explain(NAME))
        assert "rate, line " in repr(explain(NAME))
        assert "return 10 //" in explain(NAME)._repr_html_()

    def test_a_query_that_waits_says_so(self, stream):
        stream.write({"name": "a", "amount": 1}, {"name": "b", "amount": 2})
        query = start(stream("name string, amount int"))
        told = explain(NAME)
        assert told.sentence == "Waiting for data: nothing has come since batch 0."
        assert [finding.id for finding in told.findings] == [""]
        query.stop()
        assert explain(query).sentence == "Stopped: batch 0 was the last."

    def test_a_query_that_waits_for_the_watermark_names_the_event(self, stream):
        from pyspark.sql import functions as F

        stream.write({"name": "a", "amount": 1, "at": "2024-01-01T10:00:00"})
        marked = stream().withWatermark("at", "1 minute")
        query = start(marked.groupBy(F.window("at", "5 minutes"), "name").count())
        told = explain(query)
        assert told.sentence.startswith("Waiting for the watermark: needs an event at 10:06:00")
        assert "feed.step()" in told.cure

    def test_a_query_without_any_input_is_told(self, stream):
        told = explain(start(stream()))
        assert told.sentence.startswith("Waiting for the first batch")
        assert told.findings[1].id == "M65"

    def test_a_first_batch_that_still_runs_is_told(self, stream):
        came, may_end = threading.Event(), threading.Event()

        def wait(_rows, _batch):
            came.set()
            may_end.wait(30)

        stream.write({"name": "a", "amount": 1})
        query = stream().writeStream.foreachBatch(wait).start()
        assert came.wait(30)
        [told] = explain(query).findings
        may_end.set()
        query.processAllAvailable()
        assert told.sentence == "The first batch runs now, and has not ended yet."

    def test_columns_that_are_always_null_are_told(self, stream):
        stream.write({"NAME": NASTY, "amount": 1}, {"NAME": "b", "amount": 2})
        [_, found] = explain(start(stream("name string, amount int"))).findings
        assert (found.id, found.sentence) == ("M15", "Every value is null in column name.")

    def test_keys_that_come_again_in_update_mode_are_told(self, stream):
        stream.write({"name": "a", "amount": 1})
        stream.write({"name": "a", "amount": 2})
        query = start(stream().groupBy("name").count(), "update")
        assert [finding.id for finding in explain(query).findings] == ["", "M49"]

    def test_many_state_partitions_are_told(self, stream, spark):
        stream.write({"name": "a", "amount": 1})
        spark.conf.set("spark.sql.shuffle.partitions", 12)
        try:
            query = start(stream().groupBy("name").count(), "complete")
        finally:
            spark.conf.set("spark.sql.shuffle.partitions", 2)
        found = explain(query).findings[1]
        assert (found.id, found.sentence[:31]) == ("M46", "The state lies in 12 partitions")

    def test_a_checkpoint_that_was_taken_over_is_told(self, stream, tmp_path):
        place = {"checkpointLocation": str(tmp_path / "c")}
        first = start(stream(), sink="noop", **place)
        second = start(stream(), sink="noop", **place)
        told = explain(first)
        assert told.findings[1].id == "M55"
        second.stop()

    def test_a_query_that_no_variable_holds_is_told(self, stream, notebook):
        query = start(stream())
        assert "M54" in [finding.id for finding in explain().findings]
        notebook.user_ns["query"] = query
        assert "M54" not in [finding.id for finding in explain().findings]

    @pytest.mark.usefixtures("notebook")
    def test_a_query_that_a_view_shows_is_held(self, stream):
        stream.write({"name": "a", "amount": 1})
        lab.headless()
        view = lab.live(start(stream()))
        assert "M54" not in [finding.id for finding in explain().findings]
        assert explain(view).sentence.startswith("Waiting for data")
        lab.headless(False)

    def test_the_queries_of_a_comparison_are_held_by_it(self, stream, notebook):
        lab.headless()
        view = notebook.user_ns["view"] = lab.compare(stream(), "compared", ("append", "update"))
        assert "M54" not in [finding.id for finding in explain().findings]
        view.stop()
        lab.headless(False)

    @pytest.mark.service
    @pytest.mark.usefixtures("stream")
    def test_a_topic_that_brings_nothing_is_told(self, spark, broker):
        broker.topic("quiet")
        reader = spark.readStream.format("kafka").option("subscribe", "quiet")
        reader = reader.option("kafka.bootstrap.servers", broker.bootstrap_servers)
        assert explain(start(reader.load())).findings[1].id == "K08"
