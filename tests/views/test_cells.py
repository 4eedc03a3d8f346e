from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import Row

from labkit.views.cells import column_texts, cut, plural, text_of

TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (1.5, "1.50"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (Decimal("2.5"), "2.50"),
        (date(2024, 1, 2), "2024-01-02"),
        (TEN, "2024-01-01 10:00"),
        (TEN.replace(second=5), "2024-01-01 10:00:05"),
        (b"\x00\xff", "0x00ff"),
        (Row(start=TEN, end=TEN.replace(minute=5)), "10:00 – 10:05"),
        (Row(start=TEN, end=TEN.replace(day=2)), "2024-01-01 10:00 – 2024-01-02 10:00"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_each_kind_of_value_has_its_text(value, text):
    assert text_of(value) == text


def test_a_column_of_fractions_has_equal_digits():
    assert column_texts([1.0, 2.125, None]) == ["1.000", "2.125", "null"]
    assert column_texts([0.1 + 0.2]) == ["0.3"]


def test_cut_keeps_one_line():
    assert cut("a\nb") == "a⏎b"
    assert len(cut("x" * 100)) == 40


def test_plural():
    assert [plural(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
