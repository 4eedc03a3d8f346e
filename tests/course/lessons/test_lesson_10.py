"""Lesson 10: right answers pass, and each typical wrong one is refused with its own cause."""

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

from labkit.course.judging.checking import check
from labkit.course.lessons.lesson_10 import ASKED, RULES

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]

COUNTED = ("12:20:00", "12:30", "12:31")
HOUR = "INTERVAL 1 HOUR"


def fates(*counted):
    return {event: "counted" if event in counted else "dropped" for event in ASKED}


def by_rule(place):
    return lambda: fates(*RULES[place].counted)


def fates_with(**other):
    """Answer 10.1 right but for the events after 12, written as ``_31="no"``."""
    return lambda: fates(*COUNTED) | {f"12:{name[1:]}": word for name, word in other.items()}


def behind(history, *, order="received", newest=F.max):
    so_far = Window.orderBy(order).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    column = newest("event_time").over(so_far).cast("long") - F.col("event_time").cast("long")
    return history.select(column.alias("s"))


def delay(history, *, of=F.max, unit="{} seconds", **how):
    return unit.format(behind(history, **how).agg(of("s")).first()[0])


def delay_with(**how):
    return lambda: lambda history: delay(history, **how)


def on_way(history):
    took = F.col("received").cast("long") - F.col("event_time").cast("long")
    return f"{history.select(F.max(took)).first()[0]} seconds"


def row_before(history):
    before = F.lag("event_time").over(Window.orderBy("received")).cast("long")
    steps = history.select((before - F.col("event_time").cast("long")).alias("s"))
    return f"{steps.agg(F.max('s')).first()[0]} seconds"


def from_first_to_last(history):
    times = F.col("event_time").cast("long")
    return f"{history.select(F.max(times) - F.min(times)).first()[0]} seconds"


def as_number(history):
    return behind(history).agg(F.max("s")).first()[0]


def in_minutes(history):
    return f"{as_number(history) // 60} minutes"


def in_more_minutes(history):
    return f"{-(-as_number(history) // 60)} minutes"


def count(readings):
    marked = readings.withWatermark("event_time", "1 minute")
    return marked.groupBy(F.window("event_time", "5 minutes")).count()


def right_rows():
    return F.col("event_time") <= F.col("received") + F.expr(HOUR)


def guarded(readings):
    return count(readings.where(right_rows()))


def filtered(rows):
    """Answer 10.3 with another filter; ``rows`` makes its condition."""
    return lambda: {"counts": lambda r: count(r.where(rows())), "checkpoint": "new"}


def filter_too_late(readings):
    marked = readings.withWatermark("event_time", "1 minute").where(right_rows())
    return marked.groupBy(F.window("event_time", "5 minutes")).count()


def plausible_gap():
    gap = F.col("event_time").cast("long") - F.col("received").cast("long")
    return F.abs(gap) <= 3600


def by_row(readings):
    marked = readings.where(right_rows()).withWatermark("event_time", "1 minute")
    return marked.groupBy(F.window("event_time", "5 minutes"), "received").count()


def in_update(readings):
    return guarded(readings).writeStream.format("memory").queryName("u").outputMode("update")


def clock(**other):
    return lambda: {"counts": guarded, "checkpoint": "new"} | other


WRONG = {
    "10.1": [
        ("row against watermark", by_rule(0), "12:20:00 is older than 12:21"),
        ("at the start of a window", by_rule(1), "window begins there"),
        ("late in its own file", by_rule(2), "inside a file no row"),
        ("within the delay", by_rule(3), "at most five minutes behind"),
        ("all dropped", by_rule(4), "you drop them all"),
        ("all counted", by_rule(5), "You count them all"),
        ("the other way round", by_rule(6), "other way round"),
        ("another one", lambda: fates("12:31"), "12:20:00 is counted. When does"),
        ("half a word", fates_with(_31="kept"), "12:31 has 'kept'"),
        ("one left out", lambda: {"12:19:59": "dropped"}, "12:20:00 has no word"),
    ],
    "10.2": [
        ("how long on its way", lambda: on_way, "received − event_time"),
        ("the row before", lambda: row_before, "just before it"),
        ("first to last", lambda: from_first_to_last, "from the first event to the last"),
        ("by event time", delay_with(order="event_time"), "In which order"),
        ("mean", delay_with(of=lambda s: F.round(F.avg(s)).cast("int")), "mean of all rows"),
        ("sum", delay_with(of=F.sum), "sum of all rows"),
        ("minutes, down", lambda: in_minutes, "round down"),
        ("minutes, up", lambda: in_more_minutes, "round up"),
        ("a number", lambda: as_number, "returns a `int`: 450"),
        ("no unit", delay_with(unit="{}"), "Spark cannot read '450'"),
        ("a fixed delay", lambda: lambda _: "5 minutes", "too short"),
        ("learned by heart", lambda: lambda _: "450 seconds", "longer than needed"),
        ("a second less", lambda: lambda _: "449 seconds", "Spark drops 1 row of"),
    ],
    "10.3": [
        ("no filter", clock(counts=count), "no row is kept out"),
        ("a fixed limit", filtered(lambda: F.col("event_time") < "2100-01-01"), "09:30 is in"),
        (
            "today's time",
            filtered(lambda: F.col("event_time") < F.current_timestamp() + F.expr(HOUR)),
            "not with a fixed time or today's",
        ),
        ("filter behind the mark", clock(counts=filter_too_late), "watermark has seen them"),
        ("late rows out, too", filtered(plausible_gap), "61 minutes after its event"),
        ("no hour", filtered(lambda: F.col("event_time") <= F.col("received")), "ten seconds fast"),
        (
            "less than an hour",
            filtered(lambda: F.col("event_time") < F.col("received") + F.expr(HOUR)),
            "exactly one hour",
        ),
        (
            "two hours",
            filtered(lambda: F.col("event_time") <= F.col("received") + F.expr("INTERVAL 2 HOUR")),
            "09:30 is in",
        ),
        ("the old checkpoint", clock(checkpoint="old"), "dropped 2 of the 2"),
        ("another key", clock(counts=by_row), "columns window, received, count"),
        ("update", clock(counts=in_update), "runs in update mode"),
        ("no checkpoint", clock(checkpoint="none"), "checkpoint is 'none'"),
        ("no function", clock(counts=3), "a function for counts"),
    ],
}

ACCEPTED = [
    ("10.1", fates(*COUNTED)),
    ("10.1", {event: word.upper() for event, word in fates(*COUNTED).items()}),
    ("10.2", delay),
    ("10.2", lambda history: f"{as_number(history)}000 milliseconds"),
    ("10.3", {"counts": guarded, "checkpoint": "new"}),
    ("10.3", {"counts": lambda r: count(r.where(~(~right_rows()))), "checkpoint": " New "}),
]


def test_a_query_of_other_groups_cannot_go_on_from_the_old_checkpoint():
    counted = lambda r: guarded(r).withColumnRenamed("window", "window")  # noqa: E731
    assert "2 of the 2" in check("10.3", {"counts": counted, "checkpoint": "old"}).cause


def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("10.2", row_before)) for _ in range(2))
    assert first == second
