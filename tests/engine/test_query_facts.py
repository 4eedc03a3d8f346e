from datetime import UTC, datetime, timedelta

import pytest

from labkit.engine.query_facts import Windows, delay_in, windows_in

WATERMARK = "+- ~EventTimeWatermark 9e81, t#0: timestamp, 1 minutes\n+- ~StreamingRelation x, [t#0]"
TIME = "precisetimestampconversion(t#0-T60000ms, TimestampType, LongType)"


def project(length, slide, offset=0):
    """Write the projection of window() as the text of an analysed plan has it."""
    rest = f"(({TIME} - {offset}) % {slide})"
    start = f"(({TIME} - CASE WHEN {rest} THEN {rest} ELSE {rest} END) - 0)"
    end = f"({start} + {length})"
    window = f"start, ({start}, LongType, TimestampType), end, ({end}, LongType, TimestampType)"
    return f"Project [named_struct({window}) AS window#5-T60000ms, t#0-T60000ms]"


def plan(*between):
    lines = ["~Aggregate [window#5-T60000ms], [count(1) AS count#2L]", *between, WATERMARK]
    return "\n".join(f"+- ~{line}" if i else line for i, line in enumerate(lines))


NOT_NULL = "Filter isnotnull(t#0-T60000ms)"


def test_windows_and_delay_stand_in_the_plan():
    text = plan(project(600_000_000, 300_000_000, 60_000_000), NOT_NULL)
    assert windows_in(text) == Windows(
        timedelta(minutes=10), timedelta(minutes=5), timedelta(minutes=1)
    )
    assert delay_in(text) == timedelta(minutes=1)


@pytest.mark.parametrize(
    "between",
    [
        [project(300_000_000, 300_000_000), NOT_NULL, "Filter (hour(t#0-T60000ms) < 12)"],
        [project(300_000_000, 300_000_000), NOT_NULL, "Join Inner"],
        [project(300_000_000, 300_000_000), NOT_NULL, "Deduplicate [t#0-T60000ms]"],
        ["Project [t#0-T60000ms]"],
        [],
    ],
)
def test_windows_that_may_miss_rows_are_not_told(between):
    assert windows_in(plan(*between)) is None


def test_two_watermarks_have_no_common_delay():
    text = plan(project(300_000_000, 300_000_000), NOT_NULL) + "\n" + WATERMARK
    assert delay_in(text) is None
    assert windows_in(text) is None


def test_a_time_at_the_end_of_a_window_belongs_to_the_next():
    five = Windows(timedelta(minutes=5), timedelta(minutes=5))
    [(start, end)] = five.around(datetime(2024, 1, 1, 10, 5, tzinfo=UTC))
    assert (start.minute, end.minute) == (5, 10)


def test_a_gap_between_windows_has_none():
    gaps = Windows(timedelta(minutes=1), timedelta(minutes=5))
    assert gaps.around(datetime(2024, 1, 1, 10, 3, tzinfo=UTC)) == []
