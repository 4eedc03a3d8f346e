"""Rows come to Python with their times in a zone; years that Python lacks come as text."""

from zoneinfo import ZoneInfo

import pytest

from labkit.engine.rows import rows_of

pytestmark = pytest.mark.spark
UTC = ZoneInfo("UTC")


def frame(spark, seconds):
    at = f"timestamp_seconds({seconds})"
    return spark.sql(
        f"SELECT 1 AS n, {at} AS at, named_struct('at', {at}, 'n', 2) AS w, array({at}) AS all, "
        f"{at} AS at, CAST(NULL AS STRUCT<at: TIMESTAMP>) AS none"
    )


def test_times_are_told_in_the_zone(spark):
    (row,) = rows_of(frame(spark, 3600), ZoneInfo("Europe/Zurich"))
    number, at, struct, array, again, none = row
    assert (number, none) == (1, None)
    assert {f"{time:%H:%M %Z}" for time in (at, struct.at, array[0], again)} == {"02:00 CET"}
    assert struct.n == 2


def test_milliseconds_that_are_taken_for_seconds_are_text(spark):
    (row,) = rows_of(frame(spark, 1717236000000), UTC)
    number, at, struct, array, again, none = row
    assert (number, none) == (1, None)
    assert at == again == struct.at == "+56387-01-16 16:00:00"
    assert (struct.n, array) == (2, "[+56387-01-16 16:00:00]")
