import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from labkit.course.running.step_inputs import read_inputs
from labkit.errors import InvalidArgument
from labkit.events.orders import Orders
from labkit.events.script import Script

DRILL = Script("10:00 anna\n\n10:01 ben", columns="user string")
ROWS = [[{"a": 1}], [{"a": 2}]]


def schema_of(*rows):
    (read,) = read_inputs([[list(rows)]], None)
    return read.schema


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, None], "boolean"),
        ([1, 2], "bigint"),
        ([1, 2.5], "double"),
        (["x"], "string"),
        ([datetime(2024, 1, 1, tzinfo=UTC)], "timestamp"),
        ([date(2024, 1, 1)], "date"),
        ([Decimal("1.5")], "decimal(38,18)"),
        ([b"x"], "binary"),
        ([[1], [], [None, 2]], "array<bigint>"),
        ([{"x": 1}, {"y": {"z": "t"}}], "struct<x:bigint,y:struct<z:string>>"),
        ([{"two words": 1}], "struct<`two words`:bigint>"),
    ],
)
def test_types_follow_from_the_values(values, kind):
    assert schema_of(*({"a": value} for value in values)) == f"a {kind}"


def test_columns_come_in_the_order_in_which_the_rows_show_them():
    assert schema_of({"b": 1}, {"a": "x", "b": 2}) == "b bigint, a string"


def test_events_and_dicts_with_missing_keys_are_filled_with_null():
    event = DRILL.steps[0][0]
    (read,) = read_inputs([[[event, {"user": "ben"}], []]], DRILL.schema)
    assert [[row.value for row in batch] for batch in read.batches] == [
        [event.value, {"event_time": None, "user": "ben"}],
        [],
    ]


def test_a_script_brings_its_columns_and_others_get_theirs():
    first, second = read_inputs([DRILL, ROWS], "a int")
    assert (first.schema, second.schema) == (DRILL.schema, "a int")
    assert read_inputs([DRILL, ROWS], (None, "a int")) == (first, second)


@pytest.mark.parametrize(
    ("inputs", "schema", "told"),
    [
        ([], None, "the number of inputs is 0"),
        ([[]], None, "the number of steps of input 1 is 0"),
        ([DRILL, [[]]], "a int", "the number of steps is '2 and 1'"),
        ([Orders(seed=7)], None, "input 1 is"),
        ([7], None, "input 1 is 7, a int"),
        (["text"], None, "input 1 is 'text'"),
        ([DRILL.steps[0]], None, "input 1, step 0 is"),
        ([[{"a": 1}]], None, "a list of events or dicts: the rows of one step"),
        ([[[1]]], None, "a row of input 1, step 0 is 1"),
        ([[[]]], None, "the rows of input 1 show no columns"),
        ([[[{"a": None}]]], None, "'null alone'"),
        ([[[{"a": 1}, {"a": "x"}]]], None, "'bigint and string'"),
        ([[[{"a": object}]]], None, "a value of column a is"),
        ([[[{"b": 1}]]], "a int", "a column of input 1, step 0 is 'b'"),
        ([[[{"a": "x"}]]], "a int", "column a of input 1, step 0 is 'x'"),
        ([[[{"a": 2**31}]]], "a int", "a value of type int"),
        ([[[{"a": True}]]], "a int", "a value of type int"),
        ([[[{"a": 1}]]], "a string", "a value of type string"),
        ([[[{"a": "2024-01-01"}]]], "a timestamp", "a value of type timestamp"),
        ([[[{"a": datetime(2024, 1, 1, tzinfo=UTC)}]]], "a date", "a value of type date"),
        ([[[{"a": 1}]]], "a decimal(3,1), b array<int>, c", "such as 'event_time timestamp"),
        ([[[{"a": 1}]]], "a array<int>", "a value of type array<int>"),
        ([[[{"a": 1}]]], "a struct<b:int>", "a value of type struct<b:int>"),
        ([DRILL], "a int", "left out: a Script has its own columns"),
        ([DRILL], ("a int",), "None for a Script"),
        ([ROWS, ROWS], ("a int",), "2, one for each input"),
        ([ROWS], 7, "schema is 7"),
        ([ROWS], (7,), "schema is 7"),
    ],
)
def test_bad_input_is_named(inputs, schema, told):
    with pytest.raises(InvalidArgument, match=re.escape(told)):
        read_inputs(inputs, schema)
