"""The panel's fold, words and picture, from reports written by hand: no Spark."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import reduce
from xml.etree import ElementTree as ET

import pytest

from labkit.engine.progress import from_json
from labkit.engine.query_facts import QueryFacts, Windows
from labkit.engine.watching import FAILED, STOPPED, WAITING, State
from labkit.views.progress.model import MAX_KEPT, MAX_SHOWN, Panel, fold, measure, note
from labkit.views.progress.page import render
from labkit.views.progress.strips import strips

FIVE = Windows(timedelta(minutes=5), timedelta(minutes=5))
APPEND = QueryFacts("append", delay=timedelta(minutes=1), windows=FIVE)


def time(text):
    return f"2024-01-01T{text}.000Z" if len(text) == 8 else text


def report(number, rows=1, *, sent=0, took_ms=100, event=(), watermark=None, state=None, **more):
    """Write a report as Spark does; ``event`` holds the oldest and the newest event time."""
    times = {"watermark": time(watermark)} if watermark else {}
    if event:
        times |= {"min": time(event[0]), "max": time(event[-1])}
    phases = {"latestOffset": 10, "getBatch": 10, "queryPlanning": 20, "addBatch": took_ms - 60}
    raw = {
        "batchId": number,
        "timestamp": "2024-06-01T14:05:10.000Z",
        "numInputRows": rows,
        "durationMs": {**phases, "walCommit": 10, "commitOffsets": 10, "triggerExecution": took_ms},
        "eventTime": times,
        "sink": {"numOutputRows": sent},
        "sources": more.pop("sources", []),
        "stateOperators": [],
    }
    if state is not None:
        operator = {"numRowsTotal": state, "numStateStoreInstances": 2, "numShufflePartitions": 2}
        raw["stateOperators"] = [operator | more.pop("operator", {})]
    return from_json(json.dumps(raw | more))


def folded(*reports, facts=APPEND, name="counts"):
    return reduce(fold, reports, Panel(name, facts))


def kafka(start, end, latest):
    def of(offsets):
        return {"orders": {str(i): n for i, n in enumerate(offsets)}}

    source = {"description": "KafkaV2[Subscribe[orders]]", "startOffset": of(start)}
    return [source | {"endOffset": of(end), "latestOffset": of(latest)}]


EPOCH = "1970-01-01T00:00:00.000Z"
FAR = "2099-01-01T00:00:00.000Z"
NEAR_FAR = "2098-12-31T23:59:00.000Z"

# Drill 1 of reading/misconceptions.md: oldest and newest event, watermark, state rows, dropped.
DRILL_1 = [
    report(0, 2, event=("10:00:00", "10:03:00"), watermark=EPOCH, state=1),
    report(1, 0, watermark="10:02:00", state=1),
    report(2, event=("10:05:30",), watermark="10:02:00", state=2),
    report(3, 0, watermark="10:04:30", state=2),
    report(4, event=("10:06:00",), watermark="10:04:30", state=2),
    report(5, 0, watermark="10:05:00", state=1, sent=1),
    report(
        6,
        event=("10:01:00",),
        watermark="10:05:00",
        state=1,
        operator={"numRowsDroppedByWatermark": 1},
    ),
    report(7, event=("10:05:01",), watermark="10:05:00", state=1),
    report(8, event=(FAR,), watermark="10:05:00", state=2),
    report(9, 0, watermark=NEAR_FAR, state=1, sent=1),
    report(
        10,
        event=("10:12:01",),
        watermark=NEAR_FAR,
        state=1,
        operator={"numRowsDroppedByWatermark": 1},
    ),
]
WAITS = "Waiting for the watermark: needs an event at {} or later, to send window {}."
SENTENCES = [
    "Running: batch 0, 2 rows in, 0 sent.",  # an empty batch follows and moves the watermark
    WAITS.format("10:06:00", "10:00–10:05"),
    "Running: batch 2, 1 row in, 0 sent.",
    WAITS.format("10:06:00", "10:00–10:05"),
    "Running: batch 4, 1 row in, 0 sent.",  # exactly what was needed has come
    WAITS.format("10:11:00", "10:05–10:10"),
    WAITS.format("10:11:00", "10:05–10:10"),
    WAITS.format("10:11:00", "10:05–10:10"),
    "Running: batch 8, 1 row in, 0 sent.",
    WAITS.format("2099-01-01 00:06:00", "2099-01-01 00:00–00:05"),
    WAITS.format("2099-01-01 00:06:00", "2099-01-01 00:00–00:05"),
]


@pytest.mark.parametrize("upto", range(len(DRILL_1)))
def test_drill_1_says_after_each_batch_what_is_waited_for(upto):
    assert render(folded(*DRILL_1[: upto + 1])).sentence == SENTENCES[upto]


def test_the_text_of_a_frame_holds_no_clock_of_the_machine():
    slow = QueryFacts("append", interval_s=0.05, delay=APPEND.delay, windows=FIVE)
    frame = render(folded(*DRILL_1[:6], facts=slow, name="<counts>"))
    assert frame.sentence.startswith("Slower than the trigger: batch 5 took 0.1 s, the interval is")
    assert frame.text.splitlines() == [
        "<counts> · append · batch 5 · trigger every 0.05 s",
        WAITS.format("10:11:00", "10:05–10:10"),
        "batch  rows in  sent  state  groups late  watermark",
        "    0        2     0      1            0           ",
        "    1        0     0      1            0   10:02:00",
        "    2        1     0      2            0   10:02:00",
        "    3        0     0      2            0   10:04:30",
        "    4        1     0      2            0   10:04:30",
        "    5        0     1      1            0   10:05:00",
    ]


def test_before_the_first_batch_it_says_that_it_waits():
    frame = render(Panel("counts", APPEND))
    assert frame.batch == -1
    assert frame.sentence.startswith("Waiting for the first batch")


# ---- what the data do not prove is not said ----


@pytest.mark.parametrize(
    "facts",
    [
        QueryFacts("update", delay=timedelta(minutes=1), windows=FIVE),
        QueryFacts("complete", delay=timedelta(minutes=1), windows=FIVE),
        QueryFacts("append", delay=timedelta(minutes=1)),  # a filter stands before the windows
        QueryFacts("append", windows=FIVE),  # several watermarks
    ],
)
def test_only_an_append_query_with_known_windows_waits_for_its_watermark(facts):
    assert render(folded(*DRILL_1[:2], facts=facts)).sentence.startswith("Running: batch 1")


def test_a_query_with_records_left_to_read_does_not_wait():
    left = report(1, 0, watermark="10:02:00", state=1, sources=kafka([0, 0], [2, 2], [2, 3]))
    assert render(folded(DRILL_1[0], left)).sentence.startswith("Running")


def test_a_late_row_opens_no_window_again():
    assert {w[0].hour * 60 + w[0].minute for w in folded(*DRILL_1[:7]).open} == {605}


def test_a_row_without_event_time_is_not_one_of_1970():
    panel = folded(
        report(0, 2, event=(EPOCH, "10:00:00"), watermark=EPOCH, state=1),
        report(1, 0, watermark="09:59:00", state=1),
    )
    frame = render(panel)
    assert frame.sentence == WAITS.format("10:06:00", "10:00–10:05")
    assert "a row without event time" in frame.pages[0].html
    assert "1970" not in frame.pages[0].html


def test_a_row_in_several_sliding_windows_waits_for_the_first():
    slide = Windows(timedelta(minutes=10), timedelta(minutes=5))
    facts = QueryFacts("append", delay=timedelta(minutes=1), windows=slide)
    assert render(folded(*DRILL_1[:2], facts=facts)).sentence == WAITS.format(
        "10:06:00", "09:55–10:05"
    )


def test_times_are_written_in_the_zone_of_the_session():
    facts = QueryFacts("append", zone="Asia/Tokyo", delay=APPEND.delay, windows=FIVE)
    assert render(folded(*DRILL_1[:2], facts=facts)).sentence == WAITS.format(
        "19:06:00", "19:00–19:05"
    )


# ---- state words ----


def test_state_words_follow_the_query():
    panel = folded(report(0, 3, sent=3), facts=QueryFacts("append"))
    said = {
        code: render(note(panel, State(code, "", "boom: x (in f, line 2). Mend it."))).sentence
        for code in (WAITING, STOPPED, FAILED)
    }
    assert said == {
        WAITING: "Waiting for data: nothing has come since batch 0.",
        STOPPED: "Stopped: batch 0 was the last.",
        FAILED: "Failed: boom: x (in f, line 2). Mend it.",
    }


def test_an_idle_query_that_needs_an_event_still_says_which():
    panel = note(folded(*DRILL_1[:2]), State(WAITING, ""))
    assert render(panel).sentence == SENTENCES[1]


def test_one_batch_over_the_interval_is_slower_than_the_trigger():
    facts = QueryFacts("append", interval_s=2)
    late, fine = report(0, took_ms=2400), report(1, took_ms=2000)
    assert render(folded(late, facts=facts)).sentence == (
        "Slower than the trigger: batch 0 took 2.4 s, the interval is 2 s."
    )
    assert "2.4 s: over" in render(folded(late, facts=facts)).pages[0].html
    assert render(folded(late, fine, facts=facts)).sentence.startswith("Running")
    assert "1 of 2 over" in render(folded(late, fine, facts=facts)).pages[0].html


def rates(*batches):
    """Fold batches of (second of the start, rows, rows a second); say what the strip says."""
    given = [
        report(n, rows, timestamp=f"2024-06-01T14:05:{at:02}.000Z", processedRowsPerSecond=went)
        for n, (at, rows, went) in enumerate(batches)
    ]
    [strip] = [s for s in strips(folded(*given)) if s.title == "Rows a second"]
    return strip.value, strip.remark


def test_falling_behind_takes_three_batches():
    slow = [(at, 10, 5.0) for at in range(4)]
    assert rates(*slow[:3]) == ("10 in, 5.0 done", "keeping up")
    assert rates(*slow) == ("10 in, 5.0 done", "falling behind")
    assert rates(*slow, (4, 10, 10.0)) == ("10 in, 10 done", "keeping up")
    panel = folded(
        *(
            report(n, 9, timestamp=f"2024-06-01T14:05:0{n}Z", processedRowsPerSecond=5)
            for n in range(4)
        )
    )
    assert render(panel).sentence == (
        "Running: batch 3, 9 rows in, 0 sent; rows come faster than they are processed."
    )


def test_a_pause_between_batches_is_time_to_catch_up():
    # Spark's own input rate counts from its last look, 10 ms ago, and would say 1,000 a second.
    assert rates((0, 10, 5.0), (10, 10, 5.0), (20, 10, 5.0), (30, 10, 5.0))[1] == "keeping up"


def test_a_rate_that_nobody_knows_is_a_dash():
    assert rates((0, 10, 5.0), (1, 0, 0.0)) == ("–", "")
    assert rates((0, 10, 5.0), (1, 3, None)) == ("3.0 in, – done", "")


# ---- rows of the picture ----


def titles(*reports, **more):
    return [strip.title for strip in strips(folded(*reports, **more))]


def test_only_rows_with_data_are_drawn():
    assert titles(report(0, sent=-1)) == ["Rows in", "Batch time"]
    assert titles(*DRILL_1[:1]) == [
        "Rows in",
        "Rows sent",
        "Batch time",
        "Rows in state",
        "Event time",
    ]
    assert titles(*DRILL_1[:7])[-2:] == ["Dropped as late", "Event time"]


def test_too_many_stores_are_a_warning():
    def remark(partitions):
        operator = {"numShufflePartitions": partitions, "numStateStoreInstances": partitions}
        panel = folded(report(0, state=3, operator=operator), facts=QueryFacts("append", cores=2))
        [strip] = [s for s in strips(panel) if s.title == "Rows in state"]
        return strip.remark, strip.warns

    assert remark(8) == ("8 stores, 0 KB", False)
    assert remark(200) == ("200 stores for 2 cores: slow", True)


def test_one_row_of_2099_does_not_press_the_others_together():
    html = render(folded(*DRILL_1)).pages[0].html
    assert "↑ 2099-01-01 00:00" in html
    bars = re.findall(r'<path d="([^"]*)" stroke-width="8" class="bar"', html)
    assert {step[1] for step in re.findall(r"([mM][\d.]+ -?\d+)(v-?\d+)", bars[-1])} != {"v-4"}


def test_lag_is_shown_for_each_partition_and_in_total():
    first = report(0, 3, sources=kafka([0, 0], [2, 1], [9, 1]))
    second = report(1, 3, sources=kafka([2, 1], [9, 1], [9, 1]))
    [strip] = [s for s in strips(folded(first)) if s.title == "Kafka lag"]
    assert (strip.value, strip.remark) == ("7 and 0", "partitions 0 and 1")
    html = render(folded(first, second)).pages[0].html
    assert "partition 0: up to 7" in html
    assert "partition 1: up to" not in html
    assert "<td>orders</td><td>0</td><td>2</td><td>9</td><td>9</td><td>0</td>" in html


def test_offsets_as_text_are_read_too():
    sources = kafka([0], [2], [9])
    texts = {k: json.dumps(v) if k.endswith("Offset") else v for k, v in sources[0].items()}
    [partition] = measure(report(0, sources=[texts])).kafka
    assert (partition.start, partition.end, partition.latest, partition.lag) == (0, 2, 9, 7)


def test_many_partitions_are_one_sum():
    sources = kafka([0] * 20, [1] * 20, [3] * 20)
    panel = folded(report(0, sources=sources))
    [strip] = [s for s in strips(panel) if s.title == "Kafka lag"]
    assert (strip.value, strip.remark) == ("40", "in 20 partitions")
    assert "8 more partitions are not shown" in render(panel).pages[0].html


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("KafkaV2[Subscribe[orders]]", "from Kafka topic orders"),
        ("FileStreamSource[file:/tmp/12-ab/orders]", "from folder orders"),
        ("TextSocketV2[host: 127.0.0.1, port: 40123]", "from a socket"),
        ("RateStreamV2[rowsPerSecond=1]", "from the rate source"),
        ("Something[1]", ""),
    ],
)
def test_the_source_is_named_without_anything_that_changes(description, words):
    assert folded(report(0, sources=[{"description": description}])).source == words


# ---- bounds ----


def long_run(count, *, with_kafka=True):
    def one(n):
        at = datetime(2024, 1, 1, 10, tzinfo=UTC) + timedelta(seconds=40 * n)
        event = (f"{at - timedelta(minutes=1):%H:%M:%S}", f"{at:%H:%M:%S}")
        mark = f"{at - timedelta(seconds=100):%H:%M:%S}"
        return report(
            n,
            n % 7 * 900,
            sent=n % 5 * 13,
            took_ms=500 + n * 37 % 1900,
            event=event,
            watermark=mark,
            state=n % 11,
            sources=kafka([n, n], [n + 1, n + 1], [n + n % 9, n + n % 4]) if with_kafka else [],
            inputRowsPerSecond=1.0 + n % 8,
            processedRowsPerSecond=3.5 + n % 3,
            operator={"numRowsDroppedByWatermark": n % 3},
        )

    facts = QueryFacts("append", interval_s=2, delay=APPEND.delay, windows=FIVE)
    return folded(*map(one, range(count)), facts=facts)


def test_a_full_panel_stays_small():
    def size(panel):
        return len(render(panel).pages[0].html.encode())

    assert size(long_run(60, with_kafka=False)) < 8_000
    assert size(long_run(90, with_kafka=False)) < 8_000
    assert size(long_run(90)) < 9_400
    assert len(long_run(90).shown) == MAX_SHOWN


def test_only_the_last_batches_are_kept():
    panel = reduce(fold, (report(n) for n in range(MAX_KEPT + 50)), Panel("counts", APPEND))
    assert [panel.batches[0].number, len(panel.batches)] == [50, MAX_KEPT]


def test_windows_that_stay_open_do_not_pile_up():
    panel = long_run(400)
    assert len(panel.open) < 5


# ---- safety and readers ----


def test_names_are_shown_safely_and_ids_are_the_view_s_own():
    nasty = '<script>alert(1)</script>"x'
    topic = kafka([0], [1], [1])[0] | {"description": f"KafkaV2[Subscribe[{nasty}]]"}
    topic["endOffset"] = {nasty: {"0": 1}}
    frame = render(folded(report(0, sources=[topic]), name=nasty))
    html = frame.still
    assert "<script" not in html
    assert "url(#" not in html
    assert "<defs" not in html
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) == 2
    assert all(re.fullmatch(r"lk-progress-[\w-]+", found) for found in ids)


def test_the_page_is_well_formed_and_described():
    root = ET.fromstring(render(long_run(90)).pages[0].html)  # noqa: S314 - our own text
    assert root.tag == "details"
    assert "open" not in root.attrib  # folded at first
    picture = root.find(".//svg[@role='img']")
    first, second = picture[0], picture[1]
    assert (first.tag, second.tag) == ("title", "desc")
    assert picture.get("aria-labelledby") == f"{first.get('id')} {second.get('id')}"
    assert len(root.findall(".//table")[0].findall("tbody/tr")) == 10
    sizes = re.findall(r"font-size=\"?([\d.]+)", ET.tostring(root, encoding="unicode"))
    assert sizes == []  # all text has the size of its class, 12 px


def test_the_same_batches_give_the_same_frame():
    assert render(long_run(30)) == render(long_run(30))
