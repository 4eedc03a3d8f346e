"""The table of words: sorted, used, filled in; errors that survive a trip between processes."""

from __future__ import annotations

import ast
import pickle
import string
import sys
from pathlib import Path

import pytest

from labkit import errors
from labkit.errors import (
    WORDS,
    BadData,
    CheckFailed,
    Conflict,
    InvalidArgument,
    LabkitError,
    MissingNeed,
    NotFound,
    NotReady,
    Unreachable,
    require_choice,
    require_int,
    require_number,
    require_type,
    wrong_type,
)

PACKAGE = Path(errors.__file__).parent
CLASSES = (
    InvalidArgument,
    BadData,
    NotFound,
    Conflict,
    MissingNeed,
    CheckFailed,
    Unreachable,
    NotReady,
)
NAMES = {"LabkitError", *(kind.__name__ for kind in CLASSES)}


def raised():
    """Yield (where, code, names of the parameters or None) of every error made in labkit/."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NAMES:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant):
                    given = {keyword.arg for keyword in node.keywords}
                    where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                    yield where, first.value, None if None in given else given


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_codes_are_sorted_and_none_stands_twice():
    table = next(
        node.value
        for node in ast.parse(Path(errors.__file__).read_text()).body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "WORDS"
    )
    codes = [key.value for key in table.keys]
    assert codes == sorted(set(codes))


def test_every_code_is_used():
    assert sorted({code for _, code, _ in raised()}) == sorted(WORDS)


def test_every_error_is_raised_with_a_known_code_and_the_values_of_its_sentence():
    gaps = [
        (where, code, missing)
        for where, code, given in raised()
        if code not in WORDS
        or (missing := fields(WORDS[code].what) - (given or fields(WORDS[code].what)))
    ]
    assert gaps == []


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_also_the_builtin_that_a_careful_caller_catches(kind):
    builtin = kind.__mro__[2]
    assert issubclass(kind, LabkitError)
    assert builtin.__module__ == "builtins"
    assert kind.__doc__


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_a_trip_to_another_process(kind):
    error = kind("OUT_OF_RANGE", name="rate_per_s", value=-1, bound="more than 0")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(back) is kind
    assert (back.code, back.params, str(back)) == (error.code, error.params, str(error))


def test_a_message_begins_with_its_code_and_leaves_out_what_was_not_given():
    text = str(NotFound("NOT_FOUND", kind="topic", name="orders"))
    assert text == "[NOT_FOUND] There is no topic 'orders'."


def test_a_notebook_shows_the_cell_line_and_keeps_the_rest_at_hand():
    with pytest.raises(InvalidArgument) as caught:
        require_int("batch", 0, low=1, high=9)
    lines = caught.value._render_traceback_()
    assert lines[0] == "InvalidArgument"
    assert lines[1].endswith('require_int("batch", 0, low=1, high=9)')
    assert str(caught.value) in lines
    assert sys.last_value is caught.value


def test_a_value_of_the_right_type_comes_back():
    path = Path("orders")
    assert require_type("name", path, str | Path, expected="a path") is path
    assert require_type("keep", False, bool, expected="True or False") is False


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [(7, str, "int"), (None, str | Path, "NoneType"), (True, int, "bool")],
)
def test_a_value_of_another_type_is_refused(value, kind, found):
    with pytest.raises(InvalidArgument) as caught:
        require_type("name", value, kind, expected="something else")
    assert caught.value.code == "WRONG_TYPE"
    assert caught.value.params == wrong_type("name", value, expected="something else").params
    assert caught.value.params["found"] == found


@pytest.mark.parametrize("value", [True, "3", None])
def test_a_number_of_the_wrong_type_is_refused(value):
    with pytest.raises(InvalidArgument) as caught:
        require_number("rate_per_s", value, low=0, high=5)
    assert caught.value.code == "WRONG_TYPE"
    assert caught.value.params["found"] == type(value).__name__


@pytest.mark.parametrize("value", [-1, 0, 5.1, float("nan"), float("inf")])
def test_a_number_out_of_its_bounds_is_refused(value):
    with pytest.raises(InvalidArgument) as caught:
        require_number("rate_per_s", value, low=0, high=5, low_is_allowed=False)
    assert caught.value.code == "OUT_OF_RANGE"
    assert caught.value.params["name"] == "rate_per_s"


def test_numbers_on_their_bounds_are_let_through():
    assert require_number("rate_per_s", 0, low=0, high=5) == 0
    assert require_number("rate_per_s", 5, low=0, high=5, low_is_allowed=False) == 5
    assert require_int("batch", 1, low=1, high=9) == 1


def test_a_fraction_is_no_whole_number():
    with pytest.raises(InvalidArgument) as caught:
        require_int("batch", 1.0, low=1, high=9)
    assert caught.value.code == "WRONG_TYPE"


def test_a_choice_is_one_of_the_choices():
    assert require_choice("format", "csv", ("csv", "json")) == "csv"
    with pytest.raises(InvalidArgument) as caught:
        require_choice("format", "avro", ("csv", "json"))
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["choices"] == "csv, json"


def test_choices_that_hold_a_comma_are_quoted():
    with pytest.raises(InvalidArgument) as caught:
        require_choice("operation", "where", ("where, select", "union"))
    assert caught.value.params["choices"] == '"where, select", "union"'
