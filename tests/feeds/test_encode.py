import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from labkit.errors import InvalidArgument
from labkit.events.stream import START, Event
from labkit.feeds.encode import file_content, iso_text, json_text, line_text


def event(**value):
    return Event(START, "k", value)


def test_times_are_utc_with_a_z():
    at = datetime(2024, 1, 1, 12, 0, 0, 1500, tzinfo=timezone(timedelta(hours=2)))
    assert iso_text(at) == "2024-01-01T10:00:00.001500Z"
    assert iso_text(at.replace(tzinfo=None)) == "2024-01-01T12:00:00.001500"


def test_json_is_one_line_with_every_kind_of_value():
    text = json_text(
        event(a=1, b=1.5, c=True, d=None, e='"\n☃', f=date(2024, 2, 29), g=START, h=Decimal("1.20"))
    )
    assert "\n" not in text
    assert "☃" in text
    assert json.loads(text) == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": None,
        "e": '"\n☃',
        "f": "2024-02-29",
        "g": "2024-01-01T10:00:00Z",
        "h": "1.20",
    }


def test_bytes_are_base64_and_other_objects_are_refused():
    assert json_text(event(a=b"\x00\x01")) == '{"a":"AAE="}'
    with pytest.raises(InvalidArgument) as caught:
        json_text(event(a={1, 2}))
    assert caught.value.code == "WRONG_TYPE"
    assert caught.value.params["found"] == "set"


def test_one_string_column_is_the_text_itself_and_stays_one_line():
    text_of = line_text("value string")
    assert text_of(event(value="to be")) == "to be"
    assert text_of(event(value="a\nb\r\nc")) == r"a\nb\r\nc"
    assert text_of(event(value=None)) == ""


@pytest.mark.parametrize("schema", ["value bigint", "value string, n int"])
def test_other_columns_are_an_object_on_each_line(schema):
    assert json.loads(line_text(schema)(event(value=1, n=2))) == {"value": 1, "n": 2}


def test_text_and_json_files_hold_a_line_for_each_event():
    rows = [event(value="a"), event(value="b")]
    assert file_content("text", "value string")(rows) == b"a\nb\n"
    assert file_content("json", "value string")(rows) == b'{"value":"a"}\n{"value":"b"}\n'


def test_csv_has_a_header_the_schemas_order_and_sparks_escapes():
    content = file_content("csv", "t string, at timestamp, x double, ok boolean")
    rows = [
        event(x=1.5, t='say "hi", \\', at=START, ok=True),
        event(x=float("nan"), t=None, at=None, ok=False),
        event(x=float("-inf"), t=" lead", at=None, ok=None),
    ]
    assert content(rows).decode().splitlines() == [
        "t,at,x,ok",
        r'"say \"hi\", \\",2024-01-01T10:00:00Z,1.5,true',
        ",,NaN,false",
        '" lead",,-Inf,',
    ]


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_arrow_files_keep_types_and_values(kind, tmp_path):
    import pyarrow.orc
    import pyarrow.parquet

    schema = "a int, d date, p decimal(6,2), tags array<string>, at timestamp"
    row = event(a=1, d=date(2024, 1, 1), p=Decimal("1.20"), tags=["x", "y"], at=START)
    path = tmp_path / "file"
    path.write_bytes(file_content(kind, schema)([row]))
    read = pyarrow.orc.read_table if kind == "orc" else pyarrow.parquet.read_table
    (found,) = read(path).to_pylist()
    found["at"] = found["at"].replace(tzinfo=UTC)  # ORC: UTC, but without saying so
    assert found == row.value
    assert str(read(path).schema.field("a").type) == "int32"


def test_arrow_refuses_a_type_that_it_cannot_write():
    with pytest.raises(InvalidArgument) as caught:
        file_content("parquet", "a int, m map<string,int>")
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["value"] == "map<string,int>"
