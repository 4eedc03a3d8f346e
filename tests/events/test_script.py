"""Drills: steps, times, values, and errors that name line and column."""

from datetime import UTC, date, datetime

import pytest

from labkit.errors import BadData, InvalidArgument
from labkit.events.script import Script


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_blank_line_begins_the_next_step():
    drill = Script("\n10:00:00 5\n10:03:00 1\n\n  \n\n10:05:30 4\n\n", columns="amount int")
    assert drill.schema == "event_time timestamp, amount int"
    assert [[e.value["amount"] for e in step] for step in drill.steps] == [[5, 1], [4]]
    assert [e for step in drill.steps for e in step] == list(drill) == drill.take(10)
    assert drill.take(1)[0].value == {"event_time": at("2024-01-01 10:00:00"), "amount": 5}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10:00", "2024-01-01 10:00:00"),
        ("9:05", "2024-01-01 09:05:00"),
        ("10:00:05", "2024-01-01 10:00:05"),
        ("10:00:05.250", "2024-01-01 10:00:05.250"),
        ("2099-01-01 00:00", "2099-01-01 00:00:00"),
        ("2099-01-01T00:00:01", "2099-01-01 00:00:01"),
        ('"2099-01-01 00:00:01"', "2099-01-01 00:00:01"),
        ("2099-01-01", "2099-01-01 00:00:00"),
        ("2024-01-01T12:00:00+02:00", "2024-01-01 10:00:00"),
        ("2024-01-01T10:00:00Z", "2024-01-01 10:00:00"),
    ],
)
def test_times_of_day_and_full_dates(text, moment):
    event = Script(f"{text} 1", columns="n int").take(1)[0]
    assert event.at == event.value["event_time"] == at(moment)
    assert event.at.tzinfo is UTC


def test_every_type_of_column():
    columns = (
        "a string, b INT, c bigint, d double, e boolean, f timestamp, g date, h long, i integer"
    )
    line = "10:00 'x y' -5 9000000000 1.5 TRUE 2024-01-02 11:00 2024-01-03 7 8"
    value = Script(line, columns=columns).take(1)[0].value
    assert list(value.values())[1:] == [
        "x y", -5, 9_000_000_000, 1.5, True, at("2024-01-02 11:00"), date(2024, 1, 3), 7, 8,
    ]  # fmt: skip
    assert "h bigint, i int" in Script(line, columns=columns).schema


def test_null_is_bare_and_a_quoted_null_is_text():
    first, second = Script("10:00 null null\n10:01 'null' 3", columns="s string, n int")
    assert first.value["s"] is None
    assert first.value["n"] is None
    assert second.value["s"] == "null"


def test_the_key_is_the_first_text():
    keys = [
        e.key for e in Script("10:00 1 ben x\n10:01 2 null y", columns="n int, a string, b string")
    ]
    assert keys == ["ben", ""]
    assert Script("10:00").take(1)[0].key == ""


def test_rows_of_a_time_alone():
    drill = Script("10:00\n10:06\n\n10:04")
    assert drill.schema == "event_time timestamp"
    assert [len(step) for step in drill.steps] == [2, 1]


def test_the_steps_given_out_are_copies():
    drill = Script("10:00 1", columns="n int")
    drill.steps[0].clear()
    assert len(drill.steps[0]) == 1


@pytest.mark.parametrize(
    ("text", "columns", "line", "column", "value"),
    [
        ("10:00 5\n10:03 five", "amount int", 2, "amount", "five"),
        ("10:00 5\n\n\n25:00 5", "amount int", 4, "event_time", "25:00"),
        ("ten 5", "amount int", 1, "event_time", "ten"),
        ("null 5", "amount int", 1, "event_time", "null"),
        ("20240101 5", "amount int", 1, "event_time", "20240101"),
        ("10:00", "amount int", 1, "amount", ""),
        ("10:00 5 6", "amount int", 1, "number 3", "6"),
        ("10:00 2147483648", "amount int", 1, "amount", "2147483648"),
        ("10:00 1_000", "amount int", 1, "amount", "1_000"),
        ("10:00 1_000", "amount double", 1, "amount", "1_000"),
        ("10:00 1.5", "amount bigint", 1, "amount", "1.5"),
        ("10:00 yes", "ok boolean", 1, "ok", "yes"),
        ("10:00 2024-02-30", "day date", 1, "day", "2024-02-30"),
        ("10:00 'open", "a string", 1, "?", "10:00 'open"),
        ("0001-01-01T00:00:00+10:00", "", 1, "event_time", "0001-01-01T00:00:00+10:00"),
    ],
)
def test_a_bad_cell_is_named(text, columns, line, column, value):
    with pytest.raises(BadData) as caught:
        Script(text, columns=columns)
    assert caught.value.code == "BAD_VALUE"
    params = caught.value.params
    assert (params["line"], params["column"], params["value"]) == (line, column, value)


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_script_without_rows_is_refused(text):
    with pytest.raises(BadData) as caught:
        Script(text)
    assert caught.value.code == "NO_ROWS"


@pytest.mark.parametrize(
    ("columns", "code", "name"),
    [
        (5, "WRONG_TYPE", "columns"),
        ("amount", "OUT_OF_RANGE", "columns"),
        ("amount int,", "OUT_OF_RANGE", "columns"),
        ("amount decimal(10,2)", "UNKNOWN_CHOICE", "type of amount"),
        ("a int, A string", "OUT_OF_RANGE", "columns"),
        ("event_time timestamp, n int", "OUT_OF_RANGE", "columns"),
        ("amount money", "UNKNOWN_CHOICE", "type of amount"),
    ],
)
def test_bad_columns_are_named(columns, code, name):
    with pytest.raises(InvalidArgument) as caught:
        Script("10:00 5", columns=columns)
    assert caught.value.code == code
    assert caught.value.params["name"] == name


def test_a_name_in_backticks_keeps_them_in_the_schema():
    drill = Script("10:00 5 x", columns="`a, b` int, `c``d`: string NOT NULL")
    assert drill.schema == "event_time timestamp, `a, b` int, `c``d` string"
    assert list(drill.take(1)[0].value) == ["event_time", "a, b", "c`d"]


def test_a_text_must_be_text():
    with pytest.raises(InvalidArgument) as caught:
        Script(["10:00 5"], columns="n int")
    assert caught.value.code == "WRONG_TYPE"
    assert caught.value.params["name"] == "text"
