"""The timeline without Spark: the two drills with their golden numbers, and each kind of window."""

import json
from datetime import UTC, datetime
from functools import reduce

import pytest
from pyspark.sql import Row

from labkit.engine.batches import Batch, Column
from labkit.engine.progress import from_json
from labkit.engine.tap import Moment, read_taps
from labkit.views.event_time import windows
from labkit.views.timeline.model import MAX_STEPS, Setting, Timeline, fold
from labkit.views.timeline.page import render

MINUTE = 60_000
FAR = "2099-01-01 00:00"
COUNTS = (
    Column("window", "struct<start:timestamp,end:timestamp>", grouping=True),
    Column("count", "bigint", grouping=False),
)
BY_USER = (COUNTS[0], Column("user", "string", grouping=True), COUNTS[1])


def moment_of(text):
    full = text if len(text) > 10 else f"2024-01-01 {text}"
    return datetime.fromisoformat(full).replace(tzinfo=UTC)


def ms(text):
    return round(moment_of(text).timestamp() * 1000)


def event(text):
    """Write an event as the tap reports it: "10:00 anna" has a key, None has no time."""
    if text is None:
        return {"t": None}
    time, _, key = (text, "", "") if text.startswith("2") else text.partition(" ")
    return {"t": ms(time), **({"k": key} if key else {})}


class Batches:
    """Makes the batches of one query by hand, as Spark would report them."""

    def __init__(self, mode="append", columns=COUNTS):
        self.mode, self.columns, self.made = mode, columns, []

    def add(self, *events, wm=None, dropped=0, sent=(), tapped=True, operators=1):
        number = len(self.made)
        seen = [event(text) for text in events]
        times = [e["t"] for e in seen if e["t"] is not None]
        mark = moment_of(wm).isoformat() if wm else "1970-01-01T00:00:00+00:00"
        operator = {"numRowsTotal": 1, "numRowsDroppedByWatermark": dropped}
        raw = {
            "batchId": number,
            "numInputRows": len(seen),
            "durationMs": {"addBatch": 1},
            "eventTime": {"watermark": mark.replace("+00:00", "Z")},
            "stateOperators": [operator] * operators,
            "sink": {"numOutputRows": len(sent)},
        }
        if tapped:
            ends = {"oldest": min(times, default=None), "newest": max(times, default=None)}
            told = seen if len(seen) <= 200 else None
            tap = {"rows": len(seen), "timed": len(times), **ends, "events": told}
            raw["observedMetrics"] = {"labkit_tap_1": tap, "the_learners_own": {"n": 1}}
        elif times:
            raw["eventTime"]["min"] = moment_of(min(events)).isoformat().replace("+00:00", "Z")
            raw["eventTime"]["max"] = moment_of(max(events)).isoformat().replace("+00:00", "Z")
        progress = from_json(json.dumps(raw))
        rows = tuple((Row(start=moment_of(a), end=moment_of(b)), *rest) for a, b, *rest in sent)
        batch = Batch(
            number, number, self.mode, self.columns, rows, len(rows), progress, zone="UTC"
        )
        self.made.append(Moment(number, progress, read_taps(progress), batch))
        return self

    def fold(self, *given, name="counts", zone="UTC", upto=None, **setting):
        chosen = windows(*(given or ("5 minutes", None, None)))
        setting = {"delays_ms": (MINUTE,), "group_columns": len(self.columns) - 1, **setting}
        start = Timeline(Setting(name, self.mode, zone, chosen, **setting))
        return reduce(fold, self.made[:upto], start)

    def sentences(self, *given, **setting):
        counts = range(1, len(self.made) + 1)
        return [render(self.fold(*given, upto=n, **setting)).sentence for n in counts]


def drill_1():
    return (
        Batches()
        .add("10:00", "10:03")
        .add(wm="10:02")
        .add("10:05:30", wm="10:02")
        .add(wm="10:04:30")
        .add("10:06", wm="10:04:30")
        .add(wm="10:05", sent=[("10:00", "10:05", 2)])
        .add("10:01", wm="10:05", dropped=1)
        .add("10:05:01", wm="10:05")
        .add(FAR, wm="10:05")
        .add(wm="2098-12-31 23:59", sent=[("10:05", "10:10", 3)])
        .add("10:12:01", wm="2098-12-31 23:59", dropped=1)
    )


def drill_2():
    return (
        Batches()
        .add("10:00")
        .add("10:30", wm="09:59")
        .add("10:01", wm="10:29", sent=[("10:00", "10:05", 2)])
        .add("10:02", wm="10:29", dropped=1)
        .add("10:31", wm="10:29")
        .add(wm="10:30")
    )


def fates(timeline):
    return [[mark.fate for mark in step.marks or ()] for step in timeline.steps]


def spans(timeline):
    """Tell each window with the batch that opened it, its rows, results and last batch."""
    return [
        (s.key, s.start_ms, s.end_ms, s.opened, s.rows, list(s.sent), s.closed)
        for s in timeline.spans
    ]


DRILL_1_TEXT = """\
counts · event time · append · windows of 5 minutes · watermark 1 minute · UTC
Batch 10: 10:12:01 is late and dropped: window 10:10–10:15 ended by 31 Dec 2098 23:59, \
the watermark of batch 9.
batch  events             newest so far     watermark          late test uses     windows sent
    0  ●10:00  ●10:03     10:03             none yet           none yet           none
    1  empty batch        10:03             10:02              none yet           none
    2  ●10:05:30          10:05:30          10:02              10:02              none
    3  empty batch        10:05:30          10:04:30           10:02              none
    4  ●10:06             10:06             10:04:30           10:04:30           none
    5  empty batch        10:06             10:05              10:04:30           10:00–10:05 = 2
    6  ▽10:01             10:06             10:05              10:05              none
    7  ●10:05:01          10:06             10:05              10:05              none
    8  ●1 Jan 2099 00:00  1 Jan 2099 00:00  10:05              10:05              none
    9  empty batch        1 Jan 2099 00:00  31 Dec 2098 23:59  10:05              10:05–10:10 = 3
   10  ▽10:12:01          1 Jan 2099 00:00  31 Dec 2098 23:59  31 Dec 2098 23:59  none
● counted  ▽ late  ◐ half late  □ no time"""

DRILL_1_SENTENCES = [
    "Batch 0: 10:00 and 10:03 count. There is no watermark yet.",
    (
        "Batch 1: an empty batch, in which the watermark moves to 10:02 "
        "(newest event 10:03 − 1 minute)."
    ),
    "Batch 2: 10:05:30 counts.",
    (
        "Batch 3: an empty batch, in which the watermark moves to 10:04:30 "
        "(newest event 10:05:30 − 1 minute)."
    ),
    "Batch 4: 10:06 counts.",
    "Batch 5: window 10:00–10:05 is sent (2), for the watermark 10:05 has reached its end.",
    (
        "Batch 6: 10:01 is late and dropped: window 10:00–10:05 ended by 10:05, "
        "the watermark of batch 5."
    ),
    "Batch 7: 10:05:01 counts: its window 10:05–10:10 is open.",
    "Batch 8: 1 Jan 2099 00:00 counts.",
    (
        "Batch 9: window 10:05–10:10 is sent (3), "
        "for the watermark 31 Dec 2098 23:59 has reached its end."
    ),
    (
        "Batch 10: 10:12:01 is late and dropped: window 10:10–10:15 ended by 31 Dec 2098 23:59, "
        "the watermark of batch 9."
    ),
]

DRILL_2_SENTENCES = [
    "Batch 0: 10:00 counts. There is no watermark yet.",
    "Batch 1: 10:30 counts. The watermark moves to 09:59 (newest event 10:00 − 1 minute).",
    (
        "Batch 2: window 10:00–10:05 is sent (2), for the watermark 10:29 has reached its end. "
        "10:01 still counts: the late test uses the watermark of batch 1, 09:59."
    ),
    (
        "Batch 3: 10:02 is late and dropped: window 10:00–10:05 ended by 10:29, "
        "the watermark of batch 2."
    ),
    "Batch 4: 10:31 counts.",
    (
        "Batch 5: an empty batch, in which the watermark moves to 10:30 "
        "(newest event 10:31 − 1 minute)."
    ),
]


def test_drill_1_gives_the_golden_marks_boxes_and_table():
    timeline = drill_1().fold()
    assert fates(timeline) == [
        ["counted", "counted"],
        [],
        ["counted"],
        [],
        ["counted"],
        [],
        ["late"],
        ["counted"],
        ["counted"],
        [],
        ["late"],
    ]
    assert spans(timeline) == [
        ("", ms("10:00"), ms("10:05"), 0, 2, [(5, ("2",))], 5),
        ("", ms("10:05"), ms("10:10"), 2, 3, [(9, ("3",))], 9),
        ("", ms(FAR), ms(FAR) + 5 * MINUTE, 8, 1, [], None),
    ]
    assert all(step.agrees for step in timeline.steps)
    assert render(timeline).text == DRILL_1_TEXT


def test_drill_1_in_sentences():
    assert drill_1().sentences() == DRILL_1_SENTENCES


def test_drill_2_counts_a_row_behind_the_watermark_and_sends_it_in_the_same_batch():
    timeline = drill_2().fold()
    assert fates(timeline) == [["counted"], ["counted"], ["counted"], ["late"], ["counted"], []]
    assert spans(timeline) == [
        ("", ms("10:00"), ms("10:05"), 0, 2, [(2, ("2",))], 2),
        ("", ms("10:30"), ms("10:35"), 1, 2, [], None),
    ]
    assert all(step.agrees for step in timeline.steps)
    assert drill_2().sentences() == DRILL_2_SENTENCES


def test_with_the_old_single_watermark_drill_2_drops_that_row():
    timeline = drill_2().fold(late_test_lags=False)
    assert fates(timeline)[2] == ["late"]
    assert not timeline.steps[2].agrees  # these numbers of Spark are those of the new rule


def test_a_row_may_be_late_for_one_sliding_window_and_in_time_for_another():
    made = Batches().add("10:01", "10:16").add(wm="10:15")
    timeline = made.add("10:12", wm="10:15", dropped=1).fold("10 minutes", "5 minutes", None)
    (mark,) = timeline.steps[2].marks
    assert mark.fate == "half late"
    assert mark.late == ((ms("10:05"), ms("10:15")),)
    assert mark.kept == ((ms("10:10"), ms("10:20")),)
    assert render(timeline).sentence == (
        "Batch 2: 10:12 is half late: it counts for 10:10–10:20, no longer for 10:05–10:15."
    )
    assert "◐10:12" in render(timeline).text


def test_sessions_grow_join_and_close_by_key():
    made = Batches(columns=BY_USER).add("10:01 anna", "10:02 ben", "10:09 anna")
    made.add("10:05 anna", wm="10:04").add("10:03 anna", "10:20 ben", wm="10:08", dropped=1)
    made.add(wm="10:19", sent=[("10:01", "10:14", "anna", 3), ("10:02", "10:07", "ben", 1)])
    timeline = made.fold(None, None, "5 minutes")
    assert fates(timeline)[2] == ["counted", "counted"]
    kept = {(s.key, s.start_ms, s.end_ms): s for s in timeline.spans if not s.merged}
    anna = kept["anna", ms("10:01"), ms("10:14")]
    # 10:01–10:06 and 10:09–10:14 are joined by 10:05, which ends at 10:10.
    assert [shape[0] for shape in anna.shapes] == [0, 1]
    assert (anna.rows, anna.sent, anna.closed) == (4, ((3, ("anna 3",)),), 3)
    assert kept["ben", ms("10:02"), ms("10:07")].closed == 2
    joined = [s for s in timeline.spans if s.merged]
    assert [(s.start_ms, s.closed) for s in joined] == [(ms("10:09"), 0)]


def test_a_row_exactly_one_gap_later_joins_the_session():
    timeline = Batches(columns=BY_USER).add("10:00 a", "10:05 a").fold(None, None, "5 minutes")
    assert [(s.start_ms, s.end_ms) for s in timeline.spans] == [(ms("10:00"), ms("10:10"))]


def test_a_session_row_is_late_when_its_own_gap_has_passed():
    made = Batches(columns=BY_USER).add("10:10 a").add(wm="10:09").add("10:04 a", wm="10:09")
    made.add("10:04:01 a", wm="10:09")
    timeline = made.fold(None, None, "5 minutes")
    assert fates(timeline)[2:] == [["late"], ["counted"]]


def test_drop_duplicates_tests_row_by_row():
    made = (
        Batches().add("10:03 a").add(wm="10:02").add("10:02 b", "10:02:01 c", wm="10:02", dropped=1)
    )
    timeline = made.fold(None, None, None)
    assert fates(timeline)[2] == ["late", "counted"]
    assert timeline.spans == ()
    assert timeline.steps[2].agrees
    assert "10:02 b is late and dropped: not newer than 10:02" in render(timeline).sentence


def test_in_complete_mode_nothing_is_late_and_nothing_closes():
    made = Batches("complete").add("10:00", "10:16", sent=[("10:00", "10:05", 1)])
    made.add(wm="10:15", sent=[("10:00", "10:05", 1), ("10:15", "10:20", 1)])
    made.add("10:01", wm="10:15", sent=[("10:00", "10:05", 2), ("10:15", "10:20", 1)])
    timeline = made.fold()
    assert fates(timeline)[2] == ["counted"]
    assert [s.closed for s in timeline.spans] == [None, None]
    assert [s.sent for s in timeline.spans] == [((0, ("1",)), (2, ("2",))), ((1, ("1",)),)]
    assert "takes no more rows" not in render(timeline).pages[0].html


def test_update_mode_has_a_box_for_each_version():
    made = Batches("update", BY_USER)
    made.add("10:00 a", "10:03 b", sent=[("10:00", "10:05", "a", 1), ("10:00", "10:05", "b", 1)])
    made.add("10:01 a", "10:06 a", wm="10:02", sent=[("10:00", "10:05", "a", 2)])
    timeline = made.add(wm="10:05").fold()
    window = timeline.spans[0]
    assert window.sent == ((0, ("a 1", "b 1")), (1, ("a 2",)))
    assert window.closed == 2
    html = render(timeline).pages[0].html
    assert html.count('class="lk-tl-sent old"') == 1
    assert "Window 10:00–10:05 is final, and nothing more is sent" in render(timeline).sentence


def test_a_query_without_state_drops_nothing():
    made = Batches().add("10:10", operators=0).add("10:00", wm="10:09", operators=0)
    assert fates(made.fold())[1] == ["counted"]


def test_where_spark_dropped_another_number_the_sentence_says_so():
    made = Batches().add("10:10").add(wm="10:09").add("10:00", wm="10:09", dropped=0)
    said = render(made.fold()).sentence
    assert said.startswith("Batch 2: picture and Spark disagree: by the rule 1 would be dropped")
    assert "Spark's count is 0" in said


def test_late_rows_of_one_group_are_one_to_spark():
    seven = [f"10:00:0{n} a" for n in range(7)]
    made = Batches().add("10:10 a").add(wm="10:09").add(*seven, wm="10:09", dropped=1)
    timeline = made.fold()
    assert timeline.steps[2].agrees
    assert "7 rows are late and dropped" in render(timeline).sentence
    assert made.fold(group_columns=2).steps[2].agrees
    two = Batches().add("10:10 a").add(wm="10:09").add("10:00 a", "10:01 b", wm="10:09", dropped=2)
    assert two.fold(group_columns=2).steps[2].agrees
    assert not two.fold(group_columns=1).steps[2].agrees
    assert two.fold(group_columns=None).steps[2].agrees  # by what it groups is not known


def test_windows_that_are_not_the_querys_own_are_named():
    made = Batches().add("10:00").add(wm="10:15", sent=[("10:00", "10:10", 1)])
    said = render(made.fold()).sentence
    assert "the query sent window 10:00–10:10, the picture was told of windows of 5 minutes" in said


def test_without_a_tap_there_are_watermark_windows_and_results():
    made = Batches().add("10:00", "10:03", tapped=False).add("10:06", wm="10:02", tapped=False)
    made.add(wm="10:05", sent=[("10:00", "10:05", 2)], tapped=False)
    made.add("10:01", wm="10:05", dropped=1, tapped=False)
    timeline = made.fold()
    assert [step.newest_so_far_ms for step in timeline.steps] == [ms("10:03")] + [ms("10:06")] * 3
    assert [(s.opened, s.rows, s.sent, s.closed) for s in timeline.spans] == [
        (0, 0, ((2, ("2",)),), 2),
        (1, 0, (), None),
    ]
    said = render(timeline).sentence
    assert "Spark dropped late rows: 1 group of them." in said
    assert "lab.tap" in said
    assert "rows so far" not in render(timeline).pages[0].html


def test_of_a_huge_batch_only_the_ends_are_told():
    many = [f"10:0{n // 60}:{n % 60:02}" for n in range(201)]
    timeline = Batches().add(*many).fold()
    assert timeline.steps[0].marks is None
    assert "201 rows, 10:00 to 10:03:20" in render(timeline).text
    assert "201 rows came in." in render(timeline).sentence


def test_rows_without_event_time_are_shown_and_said():
    timeline = Batches().add("10:00", None).fold()
    assert fates(timeline) == [["counted", "no time"]]
    assert "1 row without event time" in render(timeline).sentence
    assert "lk-tl-untimed" in render(timeline).pages[0].html


def test_the_frames_before_a_prediction_ask_for_it():
    asked = drill_1().sentences(stop_before=5)[4]
    assert asked.endswith(
        "The picture stops before batch 5: which windows will be sent, which rows dropped? "
        "Then call .go_on() on the view."
    )
    assert "stops before" not in drill_1().sentences(stop_before=5)[3]


def test_times_are_those_of_the_session_zone():
    text = render(drill_2().fold(zone="Asia/Kolkata")).text
    assert "15:30–15:35 = 2" in text


def test_old_batches_and_their_windows_leave_the_picture():
    made = Batches()
    for n in range(MAX_STEPS + 10):
        made.add(f"{10 + n // 6}:{n % 6}1", wm=f"{10 + (n - 1) // 6}:{(n - 1) % 6}0" if n else None)
    timeline = made.fold()
    assert [timeline.steps[0].number, timeline.steps[-1].number] == [10, MAX_STEPS + 9]
    assert all(s.closed is None or s.closed >= 10 for s in timeline.spans)


@pytest.mark.parametrize("missing", [1, 5])
def test_after_a_gap_in_the_reports_nothing_is_claimed(missing):
    made = drill_1()
    moments = [m for m in made.made if m.number >= missing]
    made.made = moments
    timeline = made.fold()
    assert timeline.steps[0].picture_dropped is None
