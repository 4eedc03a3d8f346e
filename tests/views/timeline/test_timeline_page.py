"""The timeline's picture as SVG: safe, small, the same each time, and readable."""

import importlib.util
import json
import random
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from labkit.views.event_time import windows
from labkit.views.timeline.model import Setting, Timeline
from labkit.views.timeline.page import render
from labkit.views.timeline.scale import scale
from labkit.views.timeline.sheet import sheet

spec = importlib.util.spec_from_file_location(
    "moments", Path(__file__).with_name("test_timeline.py")
)
moments = importlib.util.module_from_spec(spec)
spec.loader.exec_module(moments)
HOUR = 3_600_000


def svg_of(timeline):
    html = render(timeline).pages[0].html
    # our own output, not a stranger's
    return ET.fromstring(re.search(r"<svg.*?</svg>", html, re.DOTALL).group())  # noqa: S314


def texts(timeline):
    return ["".join(node.itertext()) for node in svg_of(timeline).iter("text")]


def late_rows(many, count, seed=3):
    """Many batches of disordered rows, told as Spark would."""
    rng = random.Random(seed)
    made, newest, before = moments.Batches(), 0, None

    def time(second):
        return f"{10 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}"

    for n in range(many):
        rows = [max(0, n * 40 + rng.randint(-300, 120)) for _ in range(count)]
        mark = newest - 60 if newest > 60 else None
        late = {row // 300 for row in rows if before and (row // 300 + 1) * 300 <= before}
        made.add(*map(time, rows), wm=mark and time(mark), dropped=len(late))
        before, newest = mark, max(newest, *rows)
    return made


def test_before_the_first_batch_it_waits():
    frame = render(Timeline(Setting("counts", "append", "UTC", windows("1 hour", None, None))))
    assert frame.batch == -1
    assert "Waiting for the first batch" in frame.sentence


def test_all_values_are_escaped():
    bad = '<script>alert("1")</script>&'
    made = (
        moments.Batches(columns=moments.BY_USER)
        .add(f"10:00 {bad}")
        .add(wm="10:06", sent=[("10:00", "10:05", bad, 1)])
    )
    timeline = made.fold(name=bad)
    still = render(timeline).still
    assert "<script" not in still
    assert "&lt;script&gt;" in still
    svg_of(timeline)


def test_the_picture_keeps_the_rules_of_a_notebook():
    html = render(moments.drill_1().fold()).pages[0].html
    assert "url(" not in html
    assert "<defs" not in html
    assert "style=" not in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert ids
    assert all(name.startswith("lk-timeline-counts") for name in ids)
    svg = svg_of(moments.drill_1().fold())
    assert svg.get("role") == "img"
    assert svg.find("title").text == "Event time by batch of counts"
    assert "late and dropped" in svg.find("desc").text
    assert "Show as table" in html


def test_the_same_batches_give_the_same_bytes():
    assert render(moments.drill_1().fold()) == render(moments.drill_1().fold())


def test_the_box_stands_in_the_batch_that_sent_it():
    timeline = moments.drill_1().fold(upto=8)
    on = sheet(timeline)
    boxes = [r for r in svg_of(timeline).iter("rect") if "lk-tl-sent" in r.get("class", "")]
    assert len(boxes) == 1
    assert on.x(5) <= float(boxes[0].get("x")) < on.x(6)
    assert on.y(moments.ms("10:05")) <= float(boxes[0].get("y")) <= on.y(moments.ms("10:00"))


def test_the_hatching_begins_one_batch_after_the_box():
    timeline = moments.drill_1().fold(upto=8)
    on = sheet(timeline)
    hatched = [p for p in svg_of(timeline).iter("path") if p.get("class") == "lk-tl-hatch"]
    assert [p.get("d").split("h")[0] for p in hatched] == [
        f"M{on.x(6):.0f} {on.y(moments.ms('10:05')):.1f}"
    ]


def test_marks_have_shapes_and_words_of_their_own():
    said = texts(moments.drill_1().fold(upto=8))
    assert "10:01 late:" in said
    assert "window is closed" in said
    assert "10:05:01 counts:" in said
    assert {"watermark 10:05", "newest event 10:06", "open", "3 rows so far", "closed"} <= set(said)


def test_drill_2_says_at_the_mark_why_it_counts():
    said = texts(moments.drill_2().fold(upto=3))
    assert "10:01 counts:" in said
    assert "late test still 09:59" in said


def test_one_row_of_2099_breaks_the_axis_and_the_honest_rows_stay_readable():
    timeline = moments.drill_1().fold()
    on = sheet(timeline)
    assert len(on.scale.parts) == 2
    window = on.y(moments.ms("10:05")) - on.y(moments.ms("10:10"))
    assert window > 60
    assert "75 years left out" in texts(timeline)
    assert {"1 Jan 2024", "1 Jan 2099"} <= set(texts(timeline))


def test_half_an_hour_without_rows_breaks_nothing():
    assert len(sheet(moments.drill_2().fold()).scale.parts) == 1


def test_parts_of_a_broken_axis_have_one_scale():
    axis = scale([(0, HOUR), (1000 * HOUR, 1003 * HOUR)], HOUR, top=0, bottom=400)
    first, second = axis.parts
    assert axis.y(0) - axis.y(HOUR) == pytest.approx(axis.length(HOUR))
    assert axis.y(1000 * HOUR) - axis.y(1001 * HOUR) == pytest.approx(axis.length(HOUR))
    assert second.bottom < first.top
    assert second.top == pytest.approx(0)


def test_many_rows_stay_within_the_budget():
    for many, count in ((40, 10), (40, 3), (40, 100), (60, 10), (12, 60)):
        frame = render(late_rows(many, count).fold())
        size = len(json.dumps(frame.as_message(), ensure_ascii=False).encode())
        assert size <= 30_000, (many, count, size)


def test_more_than_400_rows_are_counted_in_squares():
    timeline = late_rows(12, 60).fold()
    svg = svg_of(timeline)
    numbers = [
        int(t.text) for g in svg.iter("g") if "lk-tl-middle" in g.get("class", "") for t in g
    ]
    assert sum(numbers) == 720


def test_no_label_lies_on_another():
    for timeline in (moments.drill_1().fold(), moments.drill_2().fold(), late_rows(20, 6).fold()):
        boxes = []
        for node in svg_of(timeline).iter("text"):
            width = 6 * len("".join(node.itertext()))  # less than in any usual font
            x, y = float(node.get("x")), float(node.get("y"))
            left = {"end": x - width, "middle": x - width / 2}.get(node.get("text-anchor"), x)
            if "s22" in node.get("class", "") or "s15" in node.get("class", ""):
                continue
            for other in boxes:
                apart = left >= other[2] or left + width <= other[0] or abs(y - other[1]) >= 10
                assert apart, "".join(node.itertext())
            boxes.append((left, y, left + width))


def test_results_of_sessions_that_overlap_lie_side_by_side():
    made = moments.Batches(columns=moments.BY_USER).add("10:01 a", "10:02 b", "10:04 a")
    made.add(wm="10:20", sent=[("10:01", "10:09", "a", 2), ("10:02", "10:07", "b", 1)])
    svg = svg_of(made.fold(None, None, "5 minutes"))
    tops = [float(r.get("y")) for r in svg.iter("rect") if "lk-tl-sent" in r.get("class", "")]
    heights = [
        float(r.get("height")) for r in svg.iter("rect") if "lk-tl-sent" in r.get("class", "")
    ]
    first, second = sorted(zip(tops, heights, strict=True))
    assert first[0] + first[1] <= second[0]


def test_the_picture_of_forty_batches_is_as_wide_as_that_of_eight():
    few, many = svg_of(late_rows(8, 2).fold()), svg_of(late_rows(60, 6).fold())
    assert many.get("width") == few.get("width")


def squares(timeline):
    return sum(
        int(node.text)
        for group in svg_of(timeline).iter("g")
        if "lk-tl-middle" in group.get("class", "")
        for node in group.iter("text")
    )


def test_a_batch_that_would_pile_up_its_events_counts_them_in_squares():
    def seconds(count):
        return [f"10:{n // 60:02}:{n % 60:02}" for n in range(count)]

    assert squares(moments.Batches().add(*seconds(190)).fold()) == 190
    spread = [f"{10 + n // 60}:{n % 60:02}" for n in range(190)]
    assert squares(moments.Batches().add(*spread).fold()) == 0  # all of them can be seen


def test_a_long_key_is_cut_wherever_it_stands():
    timeline = moments.Batches().add(f"10:00 {'x' * 10_000}").fold()
    assert len(json.dumps(render(timeline).as_message())) < 10_000
