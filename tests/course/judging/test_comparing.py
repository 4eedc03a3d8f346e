"""Comparing rows: what does not matter is forgiven, what matters is told with its cause."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pyspark.sql import Row

from labkit.course.judging.checks import CheckedRow, Mistake, compare, not_yet
from labkit.course.judging.sameness import same_value, split
from labkit.errors import InvalidArgument

ANNA, BEN = {"who": "anna", "n": 5}, {"who": "ben", "n": 1}
AT = datetime(2024, 1, 1, 10, tzinfo=UTC)
WINDOW = Row(start=AT, end=AT.replace(minute=5))


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (3, 3.0),
        (0.1 + 0.2, 0.3),
        (Decimal("2.50"), 2.5),
        (float("nan"), float("nan")),
        (None, None),
        (AT, AT.replace(tzinfo=None)),
        (AT, "2024-01-01 10:00"),
        (WINDOW, "10:00 – 10:05"),
        (WINDOW, {"start": AT, "end": AT.replace(minute=5)}),
        (WINDOW, (AT, AT.replace(minute=5))),
        ([1, 2.0], (1.0, 2)),
        ({"a": [1]}, Row(A=[1])),
    ],
)
def test_two_ways_to_write_one_value_are_the_same(got, wanted):
    assert same_value(got, wanted)


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (3, 4),
        (2.0, 2.00001),
        (None, 0),
        (0, None),
        (True, 1),
        ("3", 3),
        (float("nan"), 0.0),
        (2**60, 2**60 + 1),
        (AT, AT.replace(minute=1)),
        (WINDOW, "10:00 – 10:06"),
        ([1, 2], [1]),
        ({"a": 1}, {"b": 1}),
        ("a", None),
    ],
)
def test_different_values_are_different(got, wanted):
    assert not same_value(got, wanted)


def test_rows_are_paired_whatever_their_order_and_as_often_as_they_come():
    assert split([BEN, ANNA, ANNA], [ANNA, BEN]) == ([ANNA, BEN], [ANNA], [])


def test_equal_steps_give_no_verdict():
    assert compare([[BEN, ANNA], []], [[ANNA, BEN], []]) is None
    assert compare([[{"N": 5.0, "WHO": "anna"}]], [[ANNA]]) is None
    assert compare([[Row(who="anna", n=5)]], [[ANNA]]) is None
    assert compare([], []) is None


def test_a_table_is_compared_as_one():
    assert compare([BEN, ANNA], [ANNA, BEN]) is None
    verdict = compare([BEN], [ANNA, BEN])
    assert (verdict.place, [row.place for row in verdict.rows]) == ("who", ["ben", "anna"])


def test_each_row_has_its_sign():
    got = [[ANNA, {"who": "ben", "n": 2}, {"who": "dora", "n": 9}]]
    wanted = [[ANNA, BEN, {"who": "carl", "n": 3}]]
    verdict = compare(got, wanted)
    assert verdict.place == "step · who"
    assert [(row.sign, row.place, row.came_out, row.expected) for row in verdict.rows] == [
        ("=", "step 1 · anna", "5", "5"),
        ("Δ", "step 1 · ben", "2", "1"),
        ("−", "step 1 · carl", None, "3"),
        ("+", "step 1 · dora", "9", None),
    ]
    assert verdict.cause == (
        "**2 expected rows** did not come out and **2 other rows** came out; 1 row is right."
    )


def test_the_first_mistake_that_fits_tells_the_cause():
    mistakes = [Mistake("no", [[BEN]]), Mistake("yes", [[ANNA]]), Mistake("late", [[ANNA]])]
    assert compare([[ANNA]], [[ANNA, BEN]], mistakes=mistakes).cause == "yes"


@pytest.mark.parametrize(
    ("got", "wanted", "words"),
    [
        ([[], []], [[ANNA], [BEN]], "No row came out"),
        ([[ANNA], [BEN]], [[BEN], [ANNA]], "in other steps"),
        ([[ANNA, BEN]], [[ANNA], [BEN]], "in other steps"),
        ([[ANNA]], [[ANNA, BEN]], "**1 expected row** did not come out; 1 row is right"),
        ([[ANNA, BEN, BEN]], [[ANNA, BEN]], "**1 other row** came out; 2 rows are right"),
        ([[{"who": "anna", "sum": 5}]], [[ANNA]], "columns **who, sum**, expected were **who, n**"),
    ],
)
def test_a_difference_that_nobody_listed_is_told(got, wanted, words):
    assert words in compare(got, wanted).cause


def test_columns_may_be_compared_by_their_places():
    assert compare([[{"a": "anna", "b": 5}]], [[ANNA]], columns="places") is None
    assert compare([[{"b": 5, "a": "anna"}]], [[ANNA]], columns="places") is not None


def test_a_key_pairs_the_rows():
    verdict = compare([[{"a": 1, "b": 2}]], [[{"a": 1, "b": 3}]], key="a")
    assert [(row.sign, row.place) for row in verdict.rows] == [("Δ", "step 1 · 1")]


def test_a_long_table_is_cut_and_what_is_right_goes_first():
    wanted = [{"who": f"p{n:02}", "n": n} for n in range(30)]
    got = [row if row["n"] != 17 else {"who": "p17", "n": 99} for row in wanted]
    verdict = compare(got, wanted)
    assert (len(verdict.rows), verdict.more) == (12, 18)
    assert [row.place for row in verdict.rows if row.sign == "Δ"] == ["p17"]


def test_a_run_that_failed_is_told_in_words():
    class Run:
        error = ZeroDivisionError("division by zero")
        steps = ()

    assert "ZeroDivisionError" in compare(Run(), [[ANNA]]).cause


def test_bad_arguments_are_named():
    with pytest.raises(InvalidArgument, match="columns is 'order'"):
        compare([], [], columns="order")
    with pytest.raises(InvalidArgument, match="rows is 42, a int"):
        compare(42, [[ANNA]])
    with pytest.raises(InvalidArgument, match="a row is 3"):
        compare([[3]], [[ANNA]])
    with pytest.raises(InvalidArgument, match="sign is '!'"):
        CheckedRow("!", "here")
    with pytest.raises(InvalidArgument, match="cause is None"):
        not_yet(None)
