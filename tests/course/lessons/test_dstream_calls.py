"""Lessons 06 and 07 use the whole DStream API of Python: each call stands in one of their cells."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import nbformat
import pytest
from pyspark.streaming import DStream, StreamingContext, StreamingListener

NOTEBOOKS = Path(__file__).parents[3] / "notebooks" / "solutions"

# Which lesson has what; the names are PySpark's.
CALLS = {
    "06": {
        DStream: (
            "cache", "cogroup", "combineByKey", "count", "countByValue", "filter", "flatMap",
            "flatMapValues", "foreachRDD", "fullOuterJoin", "glom", "groupByKey", "join",
            "leftOuterJoin", "map", "mapPartitions", "mapPartitionsWithIndex", "mapValues",
            "partitionBy", "persist", "pprint", "reduce", "reduceByKey", "repartition",
            "rightOuterJoin", "saveAsTextFiles", "slice", "transform", "transformWith", "union",
        ),
        StreamingContext: (
            "binaryRecordsStream", "queueStream", "remember", "socketTextStream", "start", "stop",
            "textFileStream", "transform", "union",
        ),
    },
    "07": {
        DStream: (
            "checkpoint", "countByValueAndWindow", "countByWindow", "groupByKeyAndWindow",
            "reduceByKeyAndWindow", "reduceByWindow", "updateStateByKey", "window",
        ),
        StreamingContext: (
            "addStreamingListener", "awaitTerminationOrTimeout", "checkpoint", "getOrCreate",
        ),
        StreamingListener: (
            "onBatchCompleted", "onBatchStarted", "onBatchSubmitted",
            "onOutputOperationCompleted", "onOutputOperationStarted", "onReceiverError",
            "onReceiverStarted", "onReceiverStopped", "onStreamingStarted",
        ),
    },
}  # fmt: skip
# What a lesson need not call, and why.
LEFT_OUT = {
    (DStream, "context"): "ssc is at hand in every cell",
    (StreamingContext, "awaitTermination"): "it waits for ever; the one with a limit is used",
    (StreamingContext, "getActive"): "told in words",
    (StreamingContext, "getActiveOrCreate"): "getOrCreate with getActive before it",
    (StreamingContext, "sparkContext"): "a property",
}
ROWS = [
    pytest.param(lesson, kind, name, id=f"{lesson}-{kind.__name__}.{name}")
    for lesson, kinds in CALLS.items()
    for kind, names in kinds.items()
    for name in names
]


def code_of(*numbers):
    """Return the code cells of the lessons, as far as they are there."""
    cells = []
    for number in numbers:
        for path in NOTEBOOKS.glob(f"{number}_*.ipynb"):
            notebook = nbformat.read(path, as_version=4)
            cells += [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return cells


def names_in(source):
    """Return (owner, name) of each attribute that a cell uses, and the texts and defined names.

    The owner is ``ssc`` for what stands behind a context, else empty: which kind an object has
    cannot be read from the text.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            found.add((owner, node.attr))
        elif isinstance(node, ast.FunctionDef):
            found.add(("", node.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(("", node.value))  # the callbacks of a listener may be set by name
    return found


CONTEXTS = {"ssc", "context", "first", "second", "StreamingContext"}
# RDDs and DataFrames have many of the same names.
OTHERS = {"rdd", "rdds", "sc", "spark", "lab", "query", "cities", "path", "file"}


def is_used(kind, name, used):
    """Whether the API's call is among the names: one of a context behind a context's name."""
    if kind is StreamingListener:
        return ("", name) in used
    owners = {owner for owner, attribute in used if attribute == name}
    return bool(owners & CONTEXTS if kind is StreamingContext else owners - CONTEXTS - OTHERS)


@pytest.mark.parametrize(("lesson", "kind", "name"), ROWS)
def test_the_call_stands_in_a_cell_of_its_lesson(lesson, kind, name):
    used = set().union(*map(names_in, code_of("06", "07")))
    assert is_used(kind, name, used), f"{name} is not called; it belongs into lesson {lesson}"


@pytest.mark.parametrize("kind", [DStream, StreamingContext, StreamingListener])
def test_the_table_holds_the_whole_api(kind):
    public = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}
    listed = [name for kinds in CALLS.values() for name in kinds.get(kind, ())]
    left_out = {name for one, name in LEFT_OUT if one is kind}
    assert public - {"Java"} == set(listed) | left_out
    assert len(listed) == len(set(listed))
    assert not set(listed) & left_out


def test_a_missing_call_is_seen():
    used = names_in("ssc.union(words)\nwords.map(f)\nlab.tick(ssc)")
    assert is_used(StreamingContext, "union", used)
    assert is_used(DStream, "map", used)
    assert not is_used(DStream, "union", used)
    assert not is_used(DStream, "filter", used)
    assert not is_used(DStream, "join", names_in("words.transform(lambda rdd: rdd.join(cities))"))
    assert not is_used(StreamingListener, "onBatchStarted", used)
    assert is_used(StreamingListener, "onBatchStarted", names_in("name = 'onBatchStarted'"))


def test_both_lessons_are_there():
    assert code_of("06")
    assert code_of("07")
