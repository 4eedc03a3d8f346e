"""Words on the strips: no two lie on each other, and none leaves the plot."""

import re

import pytest

from labkit.engine.query_facts import QueryFacts
from labkit.views.progress.axis import PLOT_PX, RIGHT_PX, Axis
from labkit.views.progress.labels import Label, beside, written
from labkit.views.progress.strips import strips

from .test_progress_panel import APPEND, DRILL_1, FIVE, folded, kafka, long_run, report

INTERVAL = QueryFacts("append", interval_s=1, delay=APPEND.delay, windows=FIVE)


def took(*milliseconds):
    return folded(*(report(n, took_ms=ms) for n, ms in enumerate(milliseconds)), facts=INTERVAL)


def behind(*lags):
    sources = [kafka([0, 0], [9, 9], [9 + one, 9 + other]) for one, other in lags]
    return folded(*(report(n, sources=of) for n, of in enumerate(sources)))


PANELS = {
    "long": long_run(90),
    "drill 1": folded(*DRILL_1),
    "first over": took(1300, 200, 300),
    "last over": took(200, 1300),
    "just over": took(200, 1010, 200),
    "all over": took(*[1300] * 11),
    "long, first over": took(1300, *[200] * 39),
    "long, all over": took(*[1300] * 40),
    "peaks together": behind((7, 7), (0, 0)),
    "peaks apart": behind((7, 3), (4, 9), (2, 2)),
    "peaks often": behind(*((n % 5, n % 7) for n in range(40))),
}


def labels(strip):
    """Read the labels on the plot back from what is drawn; ticks and numbers have no halo."""
    drawn = r'<text x="([\d.]+)" y="([\d.]+)"( text-anchor="end")? class="([^"]* h)">([^<]*)<'
    found = [re.fullmatch(drawn + "/text>", words) for words in strip.words]
    made = [match.groups() for match in found if match]
    return [Label(text, float(x), float(y), ink, bool(end)) for x, y, end, ink, text in made]


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_no_two_labels_of_a_strip_lie_on_each_other(panel):
    for strip in strips(panel):
        found = labels(strip)
        pairs = [(a.text, b.text) for n, a in enumerate(found) for b in found[:n] if a.lies_on(b)]
        assert pairs == [], strip.title
        assert all(label.fits for label in found), strip.title


@pytest.mark.parametrize(
    ("name", "title", "said"),
    [
        ("first over", "Batch time", {"1.3 s: over", "trigger interval 1 s"}),
        ("long, first over", "Batch time", {"1.3 s: over", "trigger interval 1 s"}),
        ("all over", "Batch time", {"1.3 s: over", "trigger interval 1 s"}),
        ("peaks together", "Kafka lag", {"partition 0: up to 7", "partition 1: up to 7"}),
        ("peaks often", "Kafka lag", {"partition 0: up to 4", "partition 1: up to 6"}),
        (
            "drill 1",
            "Event time",
            {"↑ 2099-01-01 00:00", "back to 10:12:01", "watermark"},
        ),
    ],
)
def test_all_that_is_to_be_said_has_a_place(name, title, said):
    [strip] = [strip for strip in strips(PANELS[name]) if strip.title == title]
    assert {label.text for label in labels(strip)} == said


def test_the_interval_is_named_where_no_bar_stands_when_bars_cross_its_line():
    [strip] = [strip for strip in strips(PANELS["all over"]) if strip.title == "Batch time"]
    [interval] = [label for label in labels(strip) if label.text.startswith("trigger")]
    assert interval.left > Axis(11).end


def test_a_label_goes_to_its_other_side_and_then_away():
    axis = Axis(20)
    places = beside(axis, 10, 30, "x" * 8)
    one = written(axis, places)
    assert len(one) == 1
    assert "text-anchor" not in one[0]
    two = written(axis, places, places)
    assert "text-anchor" in two[1]
    assert len(written(axis, places, places, places)) == 2


def test_a_label_stays_in_the_plot():
    axis = Axis(40)
    right, left = beside(axis, 39, 30, "too long for the right side")
    assert (right.fits, left.fits) == (False, True)
    assert right.right > RIGHT_PX
    assert left.left > PLOT_PX
