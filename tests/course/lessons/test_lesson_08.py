"""Lesson 08: right answers pass, and each typical wrong one is refused with its own cause."""

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

from labkit.course.judging.checking import check

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]
FORM = "M/d/yyyy HH:mm:ss XXX"


def sums(bought, *, by=(), time="event_time", window=("5 minutes",), of=F.sum):
    groups = bought.groupBy(F.window(time, *window), *by)
    totals = groups.agg(of("amount").alias("total"))
    return totals.select("window.start", "window.end", "total", *by)


def sums_with(**other):
    return lambda: lambda bought: sums(bought, **other)


def by_now(bought):
    return sums(bought.withColumn("now", F.current_timestamp()), time="now")


def window_kept(bought):
    return bought.groupBy(F.window("event_time", "5 minutes")).agg(F.sum("amount").alias("total"))


def start_alone(bought):
    return window_kept(bought).select("start", "end", "total")


def sums_in_update(bought):
    return sums(bought).writeStream.format("memory").queryName("u").outputMode("update")


def each_who(bought):
    return sums(bought, by=("who",)).drop("who")


def each_row(bought):
    totals = bought.groupBy("event_time").agg(F.sum("amount").alias("total"))
    return totals.select(
        F.col("event_time").alias("start"), F.col("event_time").alias("end"), "total"
    )


def running(bought):
    five = Window.partitionBy(F.window("event_time", "5 minutes")).orderBy("event_time")
    return bought.select("event_time", F.sum("amount").over(five).alias("total"))


def times(sold, form=FORM, of=F.try_to_timestamp):
    read = of("at", F.lit(form)) if of is F.try_to_timestamp else of("at", form)
    return sold.select(read.alias("event_time"), "amount")


def times_with(**other):
    return lambda: lambda sold: times(sold, **other)


def without_zone(sold):
    wall = F.expr("try_to_timestamp(left(at, length(at) - 7), 'M/d/yyyy HH:mm:ss')")
    return sold.select(wall.alias("event_time"), "amount")


def zone_added(sold):
    wall = F.expr("try_to_timestamp(left(at, length(at) - 7), 'M/d/yyyy HH:mm:ss')")
    hours = F.expr("make_interval(0, 0, 0, 0, try_cast(substr(at, -6, 3) AS int))")
    return sold.select((wall + hours).alias("event_time"), "amount")


def nulls_dropped(sold):
    return times(sold).where("event_time IS NOT NULL")


def nulls_are_now(sold):
    filled = F.coalesce(F.try_to_timestamp("at", F.lit(FORM)), F.current_timestamp())
    return sold.select(filled.alias("event_time"), "amount")


def still_text(sold):
    return sold.select(F.col("at").alias("event_time"), "amount")


def cast_(sold):
    return sold.select(F.col("at").cast("timestamp").alias("event_time"), "amount")


def iso_too(sold):
    plain = F.try_to_timestamp("at", F.lit("yyyy-MM-dd HH:mm:ss"))
    both = F.coalesce(F.try_to_timestamp("at", F.lit(FORM)), plain)
    return sold.select(both.alias("event_time"), "amount")


def averages(measured, *, by=("sensor",), window=("15 minutes", "5 minutes"), of=F.avg, at="end"):
    groups = measured.groupBy(F.window("event_time", *window), *by)
    means = groups.agg(of("celsius").alias("average"))
    return means.select(*by, F.col(f"window.{at}").alias("end"), "average")


def averages_with(**other):
    return lambda: lambda measured: averages(measured, **other)


def three_rows(measured):
    last = Window.partitionBy("sensor").orderBy("event_time").rowsBetween(-2, 0)
    return measured.select("sensor", "event_time", F.avg("celsius").over(last).alias("average"))


def visits(clicked, *, by=("user",), gap="10 minutes", of=None):
    groups = clicked.groupBy(F.session_window("event_time", gap), *by)
    counted = groups.agg((F.count("*") if of is None else of("page")).alias("clicks"))
    return counted.select("user", "session_window.start", "session_window.end", "clicks")


def visits_with(**other):
    return lambda: lambda clicked: visits(clicked, **other)


def on_a_grid(clicked):
    counted = clicked.groupBy("user", F.window("event_time", "10 minutes")).agg(
        F.count("*").alias("clicks")
    )
    return counted.select("user", "window.start", "window.end", "clicks")


def without_user(clicked):
    counted = clicked.groupBy(F.session_window("event_time", "10 minutes")).count()
    return counted.select("session_window.start", "session_window.end", "count")


def until_last_click(clicked):
    groups = clicked.groupBy("user", F.session_window("event_time", "10 minutes"))
    counted = groups.agg(F.count("*").alias("clicks"), F.max("event_time").alias("end"))
    return counted.select("user", "session_window.start", "end", "clicks")


def visits_in_update(clicked):
    return visits(clicked).writeStream.format("memory").queryName("u").outputMode("update")


WRONG = {
    "08.1": [
        ("counted", sums_with(of=F.count), "You count the purchases"),
        ("the largest", sums_with(of=F.max), "the largest amount"),
        ("ten minutes", sums_with(window=("10 minutes",)), "ten minutes long"),
        ("one minute", sums_with(window=("1 minute",)), "one minute long"),
        ("sliding", sums_with(window=("5 minutes", "1 minute")), "they overlap"),
        ("by customer", sums_with(by=("who",)), "each customer"),
        ("by customer, left out", lambda: each_who, "each customer"),
        ("the clock of the batch", lambda: by_now, "those of today"),
        ("the struct", lambda: window_kept, "still inside the window"),
        ("a column start", lambda: start_alone, "inside the column window"),
        ("update", lambda: sums_in_update, "runs in update mode"),
        ("OVER", lambda: running, "makes no groups"),
        ("five seconds", sums_with(window=("5 seconds",)), "other rows came out"),
        ("the grid moved", sums_with(window=("5 minutes", "5 minutes", "1 minute")), "other rows"),
        ("each row", lambda: each_row, "other rows came out"),
    ],
    "08.2": [
        ("day first", times_with(form="d/M/yyyy HH:mm:ss XXX"), "taken for the month"),
        ("two digits", times_with(form="MM/dd/yyyy HH:mm:ss XXX"), "of two digits"),
        ("another pattern", times_with(form="yyyy-MM-dd HH:mm:ss"), "rows are right"),
        ("fits nothing", times_with(form="M/d/yyyy HH:mm:ss XX"), "fits none of the texts"),
        ("zone cut off", lambda: without_zone, "the zone is lost"),
        ("zone added", lambda: zone_added, "the other way round"),
        ("rows dropped", lambda: nulls_dropped, "are gone"),
        ("nulls are now", lambda: nulls_are_now, "that of today"),
        ("text", lambda: still_text, "still text"),
        ("cast", lambda: cast_, "could not be read as the type"),
        ("to_timestamp", times_with(of=F.to_timestamp), "could not be read as a time"),
        ("ISO, too", lambda: iso_too, "It has no zone"),
    ],
    "08.3": [
        ("tumbling", averages_with(window=("15 minutes",)), "only every 15 minutes"),
        ("five minutes", averages_with(window=("5 minutes",)), "only the last 5 minutes"),
        ("ten minutes", averages_with(window=("10 minutes", "5 minutes")), "only the last 10"),
        ("every minute", averages_with(window=("15 minutes", "1 minute")), "every minute"),
        ("exchanged", averages_with(window=("5 minutes", "15 minutes")), "slide is longer"),
        ("all sensors", averages_with(by=()), "for all sensors"),
        ("the sum", averages_with(of=F.sum), "This is the sum"),
        ("the start", averages_with(at="start"), "the start of the window"),
        ("OVER", lambda: three_rows, "makes no groups"),
        ("the largest", averages_with(of=F.max), "rows are right"),
    ],
    "08.4": [
        ("on a grid", lambda: on_a_grid, "on a grid"),
        ("five minutes", visits_with(gap="5 minutes"), "after five minutes"),
        ("twenty minutes", visits_with(gap="20 minutes"), "after 20 minutes"),
        ("by page", visits_with(by=("user", "page")), "each page"),
        ("pages", visits_with(of=F.approx_count_distinct), "the different pages"),
        ("no user", lambda: without_user, "need a key beside the time"),
        ("the last click", lambda: until_last_click, "the last click"),
        ("update", lambda: visits_in_update, "do not run in update"),
        ("a second less", visits_with(gap="599 seconds"), "other row"),
        ("a second more", visits_with(gap="601 seconds"), "other row"),
    ],
}

ACCEPTED = [
    ("08.1", sums),
    ("08.1", lambda bought: sums(bought, window=("300 seconds",)).orderBy("start")),
    ("08.1", lambda bought: sums(bought).select("total", "end", "start")),
    ("08.2", times),
    ("08.2", lambda sold: times(sold, form="M/d/yyyy H:mm:ss XXX")),
    ("08.3", averages),
    ("08.3", lambda measured: averages(measured, of=F.mean).orderBy("sensor", "end")),
    ("08.4", visits),
    ("08.4", lambda clicked: visits(clicked, of=F.count)),
]


def test_a_right_answer_passes_also_when_the_notebook_was_left_in_another_zone(spark, accepted):
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        for task, answer in (("08.1", sums), ("08.2", times), ("08.3", averages)):
            accepted(task, answer)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("08.1", by_now)) for _ in range(2))
    assert first == second
