import pytest

from labkit.errors import InvalidArgument
from labkit.views.event_time import (
    Windows,
    clock,
    day,
    interval_ms,
    interval_words,
    ms_of,
    windows,
)

S = 1000


@pytest.mark.parametrize(
    ("text", "length_s"),
    [("5 minutes", 300), ("1 minute", 60), ("90 seconds", 90), ("1 hour 30 minutes", 5400)],
)
def test_lengths_are_read_as_spark_writes_them(text, length_s):
    assert interval_ms("window", text) == length_s * S


@pytest.mark.parametrize("text", ["", "five minutes", "5", "1 month", "2 years", "0 seconds"])
def test_a_length_that_is_none_is_refused(text):
    with pytest.raises(InvalidArgument) as caught:
        interval_ms("window", text)
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", "window")


def test_a_number_is_no_length():
    with pytest.raises(InvalidArgument) as caught:
        windows(300, None, None)
    assert caught.value.code == "WRONG_TYPE"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("5 minutes", "10 minutes", None), "slide"),
        ((None, "5 minutes", None), "slide"),
        (("5 minutes", "1 minute", "1 minute"), "slide"),
    ],
)
def test_windows_that_do_not_go_together_are_refused(given, name):
    with pytest.raises(InvalidArgument) as caught:
        windows(*given)
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", name)


def test_the_start_of_a_window_is_inside_and_its_end_is_not():
    five = windows("5 seconds", None, None)
    assert five.of(5 * S) == [(5 * S, 10 * S)]
    assert five.of(5 * S - 1) == [(0, 5 * S)]
    assert five.of(-1) == [(-5 * S, 0)]


def test_a_row_lies_in_as_many_sliding_windows_as_spark_puts_it_in():
    # spark-facts: 10 s every 3 s gives 3 windows for second 1, 4 for 12 and 60.
    sliding = windows("10 seconds", "3 seconds", None)
    assert [len(sliding.of(at * S)) for at in (1, 12, 60)] == [3, 4, 4]


def test_a_row_alone_makes_a_session_of_one_gap():
    assert windows("5 minutes", None, "10 seconds") == Windows("session", 10 * S)
    assert Windows("session", 10 * S).of(3 * S) == [(3 * S, 13 * S)]


def test_instants_are_read_also_after_the_year_9999():
    assert ms_of("2024-01-01T10:04:30.500Z") == 1704103470500
    far = ms_of("+55970-03-01T00:00:00.000Z")
    assert day(far, "UTC") == "1 Mar 55970"
    assert clock(far, "UTC") == "00:00"
    assert ms_of(None) is None


def test_times_stand_in_the_zone_of_the_session():
    assert clock(0, "Asia/Kolkata") == "05:30"
    assert clock(1500, "UTC") == "00:00:01.500"
    assert day(0, "America/New_York") == "31 Dec 1969"


def test_long_intervals_name_what_matters():
    assert interval_words(75 * 31_557_600_000 - 600_000) == "75 years"
    assert interval_words(90_000) == "1 minute 30 seconds"
    assert interval_words(0) == "0 seconds"
