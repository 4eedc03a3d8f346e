import pytest

from labkit.errors import InvalidArgument
from labkit.events.columns import Column, read_columns


def test_names_and_types_in_their_order():
    assert read_columns("a bigint, b  STRING,c double") == (
        Column("a", "bigint"),
        Column("b", "string"),
        Column("c", "double"),
    )


def test_nested_types_quotes_and_extras():
    schema = (
        "`odd, na``me` decimal(10, 2) NOT NULL, s struct<a: int, b: array<string>>, "
        "m map<string,int> COMMENT 'with, comma'"
    )
    assert read_columns(schema) == (
        Column("odd, na`me", "decimal(10,2)"),
        Column("s", "struct<a:int,b:array<string>>"),
        Column("m", "map<string,int>"),
    )


@pytest.mark.parametrize("schema", ["", "a", "amount", "a int,", "a int,, b int"])
def test_what_is_no_list_of_columns_is_refused(schema):
    with pytest.raises(InvalidArgument) as caught:
        read_columns(schema)
    assert caught.value.code == "OUT_OF_RANGE"
    assert caught.value.params["value"] == schema


def test_a_column_is_ddl_again():
    schema = "`odd, na``me` decimal(10,2), s struct<a:int>"
    assert ", ".join(map(str, read_columns(schema))) == schema
