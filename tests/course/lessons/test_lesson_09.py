"""Lesson 09: right answers pass, and each typical wrong one is refused with its own cause."""

import pytest
from pyspark.sql import functions as F

from labkit.course.judging.checking import check
from labkit.course.lessons.lesson_09 import GUESSES, NONE

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]

SENT = NONE | {4: ["12:00"], 5: ["12:05"]}
NEEDED = {"a": "14:06:00", "b": "14:12:00", "c": "16:00:30"}


def sent(**other):
    """Answer 09.1 right but for some drops, written as ``_5=["12:10"]``."""
    return lambda: SENT | {int(name[1:]): windows for name, windows in other.items()}


def guessed(place):
    return lambda: NONE | GUESSES[place].sent


def totals(bought, *, delay="2 minutes", window=("5 minutes",), of=F.sum):
    marked = bought.withWatermark("event_time", delay)
    groups = marked.groupBy(F.window("event_time", *window), "who")
    return groups.agg(of("amount").alias("total"))


def totals_with(**other):
    return lambda: lambda bought: totals(bought, **other)


def late_mark(bought):
    summed = bought.groupBy(F.window("event_time", "5 minutes"), "who").agg(F.sum("amount"))
    return summed.withWatermark("window", "2 minutes")


def by_who(bought):
    marked = bought.withWatermark("event_time", "2 minutes")
    return marked.groupBy("who").agg(F.sum("amount").alias("total"))


def by_time(bought):
    marked = bought.withWatermark("event_time", "2 minutes")
    return marked.groupBy("event_time", "who").agg(F.sum("amount").alias("total"))


def in_update(bought):
    return totals(bought).writeStream.format("memory").queryName("u").outputMode("update")


def needed(**other):
    return lambda: NEEDED | other


WRONG = {
    "09.1": [
        ("no delay", guessed(0), "12:06 is later than the end"),
        ("later than the end", guessed(1), "reaches the end"),
        ("no empty batch", guessed(2), "one more drop"),
        ("a window without rows", guessed(3), "Nobody was in 12:10"),
        ("the open window", guessed(4), "holds 12:18"),
        ("all windows", guessed(5), "Which windows with rows"),
        ("update", guessed(6), "So does update"),
        ("sent twice", guessed(7), "sends a window once"),
        ("ends", guessed(8), "the ends of the windows"),
        ("something else", sent(_3=["12:00"], _4=[]), "Drop 3 is the first that differs"),
        ("a drop left out", lambda: {1: [], 2: []}, "Drop 3 has no list"),
        ("counts", sent(_4=2), "Drop 4 has 2"),
        ("no times", sent(_5=["first"]), "Drop 5 has ['first']"),
    ],
    "09.2": [
        ("as it was", lambda: lambda b: b.groupBy("who").agg(F.sum("amount")), "is ever final"),
        ("watermark, no window", lambda: by_who, "its groups are not windows"),
        ("watermark after groupBy", lambda: late_mark, "stands after the grouping"),
        ("by the time itself", lambda: by_time, "group by event_time itself"),
        ("one minute", totals_with(delay="1 minute"), "too short"),
        ("five minutes", totals_with(delay="5 minutes"), "too long"),
        ("ten-minute windows", totals_with(window=("10 minutes",)), "ten minutes long"),
        ("counted", totals_with(of=F.count), "You count the purchases"),
        ("update", lambda: in_update, "runs in update mode"),
        ("no delay", totals_with(delay="0 seconds"), "too short"),
        ("a second less", totals_with(delay="119 seconds"), "too short"),
        ("a second more", totals_with(delay="121 seconds"), "too long"),
        ("sliding", totals_with(window=("5 minutes", "1 minute")), "other rows came out"),
        ("text for a time", totals_with(delay="two minutes"), "cannot read this span"),
    ],
    "09.3": [
        ("the end of the window", needed(a="14:05:00"), "the delay comes on top"),
        ("newest + delay", needed(b="14:13:30"), "14:13:29 sends the window already"),
        ("the window that was sent", needed(c="15:00:30"), "ends at 16:00:00"),
        ("a second too early", needed(b="14:11:59"), "14:09:59"),
        ("a minute too late", needed(a="14:07"), "14:06:59 sends"),
        ("no time", needed(c="soon"), "c has 'soon'"),
        ("one left out", lambda: {"a": "14:06"}, "b is missing"),
        ("seconds beyond 59", needed(c="16:00:99"), "c has '16:00:99'"),
    ],
}

ACCEPTED = [
    ("09.1", SENT),
    ("09.1", {str(drop): tuple(f"{w}:00" for w in windows) for drop, windows in SENT.items()}),
    ("09.1", SENT | {4: "12:00", 5: ["12:05–12:10"]}),
    ("09.2", totals),
    ("09.2", lambda bought: totals(bought, delay="120 seconds").select("total", "who", "window")),
    ("09.3", NEEDED),
    ("09.3", {"a": "14:06", "b": " 14:12 ", "c": "16:00:30"}),
]


def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("09.3", needed(b="14:13:30")())) for _ in range(2))
    assert first == second
