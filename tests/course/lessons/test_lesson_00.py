"""Lesson 00: right answers pass, and each typical wrong one is refused with its own cause."""

import pytest
from pyspark.sql import functions as F

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = pytest.mark.spark

RIGHT = {"2012-01": 20, "2012-02": 20, "2012-03": 5}


def month(form="yyyy-MM"):
    return F.date_format("Date", form).alias("month")


def highest(rows):
    return rows.groupBy(month()).agg(F.max("High").alias("highest"))


def table(**counts):
    return lambda: {name.replace("m", "2012-"): count for name, count in counts.items()}


def by_month(value, form="yyyy-MM"):
    return lambda: lambda rows: rows.groupBy(month(form)).agg(value().alias("highest"))


def of_other_input():
    def answer(rows):
        other = rows.withColumn("Date", F.add_months("Date", -120))
        return highest(other)

    return answer


WRONG = {
    "00.1": [
        ("the last file alone", table(m02=10, m03=5), "keeps its counts"),
        ("new rows replace old ones", table(m01=20, m02=10, m03=5), "in the place of the 10"),
        ("the months that changed", table(m02=20, m03=5), "January is missing"),
        ("the table of step 2", table(m01=20, m02=10), "it has 30 rows"),
        ("all into February", table(m01=20, m02=25), "only 20 trading days"),
        ("all into March", table(m01=20, m02=10, m03=15), "into March"),
        ("names of months", lambda: {"January": 20}, "The months are written"),
        ("a number as text", lambda: RIGHT | {"2012-03": "5"}, "must be a number of rows"),
        ("an empty table", dict, "Your table is empty"),
        ("one day too many", lambda: RIGHT | {"2012-03": 6}, "2 rows are right"),
        ("a month that is not there", lambda: RIGHT | {"2012-04": 0}, "1 other row came out"),
    ],
    "00.2": [
        ("the last day", by_month(lambda: F.last("High")), "the last day"),
        ("the first day", by_month(lambda: F.first("High")), "the first day"),
        ("the lowest High", by_month(lambda: F.min("High")), "the lowest High"),
        ("the mean", by_month(lambda: F.avg("High")), "the mean"),
        ("the sum", by_month(lambda: F.sum("High")), "adds"),
        ("the days", by_month(lambda: F.count("High")), "counts the days"),
        ("the query of the lesson", by_month(lambda: F.min("Low")), "as in the lesson"),
        ("the close", by_month(lambda: F.max("Close")), "highest value of Close"),
        ("the open", by_month(lambda: F.max("Open")), "highest value of Open"),
        ("the highest low", by_month(lambda: F.max("Low")), "highest value of Low"),
        ("the volume", by_month(lambda: F.max("Volume")), "highest value of Volume"),
        ("per day", by_month(lambda: F.max("High"), "yyyy-MM-dd"), "a group for each day"),
        ("without the year", by_month(lambda: F.max("High"), "MM"), "into one group"),
        ("per year", by_month(lambda: F.max("High"), "yyyy"), "a group for each year"),
        ("the stream of the notebook", of_other_input, "that the check did not send"),
        (
            "without a name",
            lambda: lambda rows: rows.groupBy(month()).agg(F.max("High")),
            "max(High)",
        ),
        ("no group", lambda: lambda rows: rows.agg(F.max("High").alias("highest")), "columns"),
    ],
}


def with_sql_names(rows):
    days = rows.selectExpr("date_format(Date, 'yyyy-MM') AS month", "High AS price")
    return days.groupBy("month").agg(F.max("price").alias("highest"))


ACCEPTED = [
    ("00.1", RIGHT),
    ("00.1", dict(reversed(RIGHT.items()))),
    ("00.2", highest),
    ("00.2", with_sql_names),
]


def test_the_reason_names_a_month(accepted):
    assert "January keeps its 20" in accepted("00.1", RIGHT).cause
    assert "stays at 71" in accepted("00.2", highest).cause
