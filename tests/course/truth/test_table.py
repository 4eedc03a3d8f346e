"""The table of output mode, operation and sink: its measured file, and cells tried for real."""

import pytest

from labkit.course.truth import cells as truth_cells
from labkit.course.truth.cells import ACCEPTED, FAILED, REFUSED, SINKS, Attempt, try_cell
from labkit.course.truth.operations import OPERATIONS
from labkit.course.truth.table import TruthTable, all_cells, attempt, measure, measured
from labkit.engine.modes import MODES
from labkit.engine.refusal import Refusal
from labkit.errors import InvalidArgument, NotReady

RUNS, NO, DIES = ACCEPTED, REFUSED, FAILED


def by_mode(operation, sink="memory"):
    found = {f.mode: f.outcome for f in measured() if (f.operation, f.sink) == (operation, sink)}
    return tuple(found[mode] for mode in MODES)


def test_the_file_holds_every_cell_once():
    assert [(f.operation, f.sink, f.mode) for f in measured()] == all_cells()
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)


# The rules as the course tells them (append, update, complete).
@pytest.mark.parametrize(
    ("operation", "outcomes"),
    [
        ("where, select", (RUNS, RUNS, NO)),
        ("groupBy", (NO, RUNS, RUNS)),
        ("groupBy, watermark", (NO, RUNS, RUNS)),
        ("window, watermark", (RUNS, RUNS, RUNS)),
        ("groupBy, orderBy", (NO, NO, RUNS)),
        ("limit", (RUNS, NO, NO)),
        ("distinct", (RUNS, RUNS, NO)),
        ("count_distinct", (NO, NO, NO)),
        ("session_window, watermark", (RUNS, NO, RUNS)),
        ("session_window, no key", (DIES, NO, DIES)),
        ("join of two streams", (RUNS, NO, NO)),
        ("left join", (NO, NO, NO)),
        ("exceptAll with a static table", (DIES, RUNS, NO)),
        ("applyInPandasWithState", (RUNS, RUNS, NO)),
    ],
)
def test_the_file_says_what_the_course_says(operation, outcomes):
    assert by_mode(operation) == outcomes


def test_files_are_only_added_to_and_other_sinks_take_every_mode():
    files = {"parquet", "json", "csv", "toTable"}
    assert {by_mode("where, select", sink) for sink in files} == {(RUNS, NO, NO)}
    assert {by_mode("groupBy", sink) for sink in files} == {(NO, NO, NO)}
    assert {by_mode("groupBy", sink) for sink in set(SINKS) - files} == {(NO, RUNS, RUNS)}


def test_a_refusal_has_spark_s_words_and_a_run_has_none():
    assert all(bool(f.spark_says) == (f.outcome != ACCEPTED) for f in measured())


@pytest.mark.parametrize(
    ("operation", "mode", "sink"),
    [("group by", "append", "memory"), ("groupBy", "Append", "memory"), ("groupBy", "append", "s")],
)
def test_an_unknown_cell_is_an_error_that_lists_the_known_ones(operation, mode, sink):
    with pytest.raises(InvalidArgument) as caught:
        attempt(operation, mode, sink)
    assert caught.value.code == "UNKNOWN_CHOICE"


def test_an_operation_that_is_no_text_is_an_error():
    with pytest.raises(InvalidArgument) as caught:
        attempt(42, "append")
    assert caught.value.code == "WRONG_TYPE"


def refused(reason="A reason."):
    refusal = Refusal("append", reason, (), "words")
    return Attempt("groupBy", "df.groupBy()", "append", "memory", refusal)


def line_of(text, name):
    return next(line for line in text.splitlines() if line.startswith(name + " "))


def test_cells_not_tried_are_empty_and_those_of_later_lessons_are_given():
    text = repr(TruthTable())
    assert line_of(text, "groupBy").split()[1:] == ["·", "·", "·"]
    assert line_of(text, "join of two streams").count("✗ refused") == 2
    assert text.startswith("0 of 54 cells tried")


def test_an_attempt_fills_its_cell_and_its_reason_stands_below():
    table = TruthTable()
    table.note(refused("Because <it> is so."))
    assert "✗ refused 1" in line_of(repr(table), "groupBy")
    assert "1  Because <it> is so." in repr(table)
    page = table._repr_html_()
    assert "Because &lt;it&gt; is so." in page
    assert "Because <it>" not in page
    assert "1 of 54 cells tried" in page


def test_the_same_cell_again_counts_once():
    table = TruthTable()
    table.note(refused())
    table.note(refused())
    assert len(table.tried) == 1


def test_a_sink_beyond_the_listed_ones_gets_a_line_of_its_own():
    table = TruthTable()
    table.note(Attempt("limit", "df.limit(2)", "append", "json"))
    assert "✓ runs" in line_of(repr(table), "limit → json")


def slow(times):
    """Stand in for a run on a busy machine, which works after some tries."""
    left = iter([Refusal("append", "", (), truth_cells.TOO_BUSY, at_start=False)] * times)
    return lambda *_: next(left, None)


def test_a_busy_machine_is_no_rule_of_spark(monkeypatch):
    monkeypatch.setattr(truth_cells, "_refusal_of", slow(2))
    assert try_cell("groupBy", "append", "memory").outcome == ACCEPTED
    monkeypatch.setattr(truth_cells, "_refusal_of", slow(3))
    with pytest.raises(NotReady):
        try_cell("groupBy", "append", "memory")


@pytest.mark.spark
def test_an_attempt_leaves_nothing_behind(spark):
    def tables():
        return {table.name for table in spark.catalog.listTables()}

    before = tables(), spark.conf.get("spark.sql.shuffle.partitions")
    assert attempt("where, select", "append", "toTable").outcome == ACCEPTED
    assert attempt("groupBy", "update").outcome == ACCEPTED
    assert attempt("exceptAll with a static table", "append").outcome == FAILED
    assert attempt("groupBy", "complete", "parquet").outcome == REFUSED
    assert (tables(), spark.conf.get("spark.sql.shuffle.partitions")) == before
    assert spark.streams.active == []
    from labkit import scratch

    assert list(scratch.place("truth").iterdir()) == []


@pytest.fixture
def console(spark):
    """Give Java's console another end, where we see what is printed."""
    jvm = spark._jvm
    scala = getattr(getattr(jvm.scala, "Console$"), "MODULE$")
    before, seen = scala.out(), jvm.java.io.ByteArrayOutputStream()
    scala.setOutDirect(jvm.java.io.PrintStream(seen))
    yield seen
    scala.setOutDirect(before)


@pytest.mark.spark
def test_what_a_console_sink_prints_is_unseen_and_later_queries_print_again(spark, console):
    assert try_cell("where, select", "append", "console").outcome == ACCEPTED
    assert console.toString() == ""
    rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 1).load()
    query = rows.writeStream.format("console").trigger(once=True).start()
    assert query.awaitTermination(60)
    assert "Batch: 0" in console.toString()


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_the_reason_is_in_plain_words():
    found = attempt("groupBy", "append")
    assert found.reason.startswith("Every group may still grow")
    assert repr(found).startswith("df.groupBy('who').count() · append: refused\n")
    assert "A row in a file" in attempt("where, select", "update", "parquet").reason


@pytest.mark.spark
@pytest.mark.timeout(900)  # 90 s on an idle machine
@pytest.mark.usefixtures("spark")
def test_this_spark_does_what_the_file_says():
    differences = [
        f"now {now}, in the file {then}"
        for now, then in zip(measure(), measured(), strict=True)
        if now != then
    ]
    assert differences == []
