"""Marbles without Spark: texts, sentences, pictures from batches by hand."""

import re
from collections import OrderedDict
from xml.etree import ElementTree as ET

import pytest

from labkit.engine.lane_flow import Flow
from labkit.engine.lane_rows import Rows
from labkit.engine.lanes import LaneBatch
from labkit.engine.watching import State
from labkit.errors import InvalidArgument
from labkit.views.marbles.live import marbles
from labkit.views.marbles.model import MAX_KEYS, Marbles, fold, note, row_text, value_text
from labkit.views.marbles.page import render

START_MS = 1_704_103_200_000
PLAIN = Flow(1000, 1000, 1000)
WINDOW = Flow(10_000, 10_000, 10_000, 30_000)
NASTY = "<script>alert(1)</script>"


def rows(text, more=0):
    """Read ``a:1 b:1`` as pairs and ``a b`` as words."""
    values = [
        (part.split(":")[0], int(part.split(":")[1])) if ":" in part else part
        for part in text.split()
    ]
    return Rows(tuple(values), len(values) + more)


def run(flow, *batches, op="", names=("", "")):
    """Fold batches, each of two sides, and return all models."""
    model = Marbles(op=op, names=names, flow=flow)
    models = [model]
    for number, (given, made) in enumerate(batches, 1):
        end_ms = START_MS + number * flow.batch_ms
        sides = [rows(side) if isinstance(side, str) else side for side in (given, made)]
        models.append(fold(models[-1], LaneBatch(number, end_ms, *sides)))
    return models


def drawn(model):
    """Return the picture as a tree; it must be well-formed."""
    html = render(model).pages[0].html
    svg = html[html.index("<svg") : html.index("</svg>") + len("</svg>")]
    return ET.fromstring(svg)  # noqa: S314 - our own picture


def of_class(tree, name):
    return [node for node in tree.iter() if name in node.get("class", "").split()]


COUNTS = (("a b", "a:1 b:1"), ("a", "a:2 b:1"), ("", "a:1"))
SUMS = (
    ("a:1 b:1", "a:1 b:1"),
    ("a:1", "a:2 b:1"),
    ("", "a:2 b:1"),
    ("c:1", "a:1 c:1"),
    ("b:1 b:1", "b:2 c:1"),
)


LEFT = "batch {} has left the window, and {} with it."


def text_form(model):
    return render(model).text.split("\n")[-2:]


def test_the_text_form_has_one_column_a_batch():
    assert text_form(run(PLAIN, *COUNTS, op="countByValue()")[-1]) == [
        "in : |(a b)  |(a)    | ∅ |",
        "out: |a:1 b:1|a:2 b:1|a:1|   countByValue()",
    ]


def test_the_text_form_says_when_batches_came_before_when_more_rows_and_when_an_error():
    many, error = rows("a b", more=9), Rows(failure="ZeroDivisionError: no")
    model = run(PLAIN, *[("", "")] * 4, (many, many), ("x", error))[-1]
    assert text_form(model) == [
        "in : …| ∅ | ∅ | ∅ |(a b …+9)|(x)|",
        "out: …| ∅ | ∅ | ∅ |(a b …+9)|#  |",
    ]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("a", "a"),
        ("", '""'),
        (("a", 3), "a:3"),
        (("a", 0.5), "a:0.50"),
        ((1, None), "1:null"),
        (("a", (1, ("x", 2))), "a:(1 (x 2))"),
        (("a", ([1, 2], [])), "a:((1 2) ())"),
        ((1, 2, 3), "(1 2 3)"),
        ({"b", "a"}, "(a b)"),
        (OrderedDict(a=1, b=2), "{a:1 b:2}"),
        (b"\x01", "0x01"),
        (float("nan"), "nan"),
        (True, "true"),
        ("x" * 10_000, "x" * 39 + "…"),
    ],
)
def test_a_row_is_short_text(row, text):
    assert row_text(row) == text


def test_the_text_of_an_object_has_no_address():
    assert re.search("0x", value_text(object())) is None


@pytest.mark.parametrize(
    ("batches", "sentence"),
    [
        (1, "Batch 1: a:1 b:1 in, a:1 b:1 out, from batch 1."),
        (2, "Batch 2: a:1 in, a:2 b:1 out, from batches 1 and 2."),
        (3, "Batch 3: nothing in, a:2 b:1 out, from batches 1, 2 and 3."),
        (
            4,
            f"Batch 4: c:1 in, a:1 c:1 out, from batches 2, 3 and 4; {LEFT.format(1, 'b')}",
        ),
        (
            5,
            f"Batch 5: b:1 b:1 in, b:2 c:1 out, from batches 3, 4 and 5; {LEFT.format(2, 'a')}",
        ),
    ],
)
def test_the_sentence_tells_what_a_window_takes_and_what_has_left(batches, sentence):
    assert render(run(WINDOW, *SUMS)[batches]).sentence == sentence


def test_nothing_is_said_of_keys_that_may_stand_beyond_the_rows_taken():
    sums = [SUMS[0], SUMS[1], SUMS[2], (rows("c:1", more=9), "a:1 c:1")]
    assert render(run(WINDOW, *sums)[-1]).sentence.endswith("batch 1 has left the window.")


@pytest.mark.parametrize(
    ("flow", "sentence"),
    [
        (PLAIN, "Batch 1: a in, a:1 out."),
        (Flow(1000, 1000, 1000, None, True), "Batch 1: a in, a:1 out; all batches so far count"),
    ],
)
def test_the_sentence_without_a_window(flow, sentence):
    assert render(run(flow, ("a", "a:1"))[-1]).sentence.startswith(sentence)


def test_a_batch_without_output_says_when_the_next_comes():
    models = run(Flow(1000, 1000, 2000, 4000), ("a", None), ("b", "a b"), ("c", None))
    assert render(models[3]).sentence == (
        "Batch 3: c in; no output before batch 4, as it comes every 2 batches."
    )
    assert of_class(drawn(models[3]), "lk-m-source") == []
    assert len(of_class(drawn(models[2]), "lk-m-source")) == 2


def test_a_window_over_a_stream_that_has_a_batch_only_now_and_then():
    model = run(Flow(1000, 2000, 4000, 4000), *[(None, None)] * 4)[-1]
    assert model.takes(model.batches[-1]) == [2, 4]


@pytest.mark.parametrize(("batch", "sources"), [(1, [1]), (3, [1, 2, 3]), (4, [2, 3, 4])])
def test_the_sources_of_the_newest_batch_are_dashed_and_it_alone_is_framed(batch, sources):
    tree = drawn(run(WINDOW, *SUMS)[batch])
    pitch = 138
    assert [int((float(b.get("x")) - 95) / pitch) + 1 for b in of_class(tree, "lk-m-source")] == (
        sources
    )
    assert len(of_class(tree, "lk-m-current")) == 1
    labels = [node.text for node in of_class(tree, "lk-m-here")]
    assert labels == ["takes " + ", ".join(map(str, sources))]


def test_each_batch_of_a_window_has_its_stair():
    tree = drawn(run(WINDOW, *SUMS)[5])
    takes = [node.text for node in tree.iter() if (node.text or "").startswith("takes ")]
    assert takes == ["takes 1", "takes 1, 2", "takes 1, 2, 3", "takes 2, 3, 4", "takes 3, 4, 5"]


def test_a_wide_window_names_its_ends():
    models = run(Flow(1000, 1000, 1000, 8000), *[("a", "a")] * 12)
    tree = drawn(models[-1])
    assert [node.text for node in of_class(tree, "lk-m-here")] == ["takes 5–12"]


def test_a_key_keeps_its_shape_on_both_sides_and_in_later_frames():
    models = run(PLAIN, ("a b c d", "d:1 b:1"), ("b", "b:2"))
    assert models[1].keys == models[2].keys == {"a": 0, "b": 1, "c": 2, "d": 3}
    squares = [m for m in of_class(drawn(models[2]), "lk-m-marble") if m.get("rx") == "4"]
    assert len(squares) == 4  # b in both lanes of both batches


def test_at_most_sixty_batches_and_five_hundred_keys_are_kept():
    model = run(PLAIN, *[(f"k{n} l{n}", "") for n in range(300)])[-1]
    assert len(model.batches) == 60
    assert len(model.keys) == MAX_KEYS


def test_values_cannot_become_markup():
    nasty = Rows(((NASTY, '"><b>'),), 1)
    failure = Rows(failure=NASTY)
    for model in run(PLAIN, (nasty, failure), op=NASTY, names=(NASTY, "&"))[1:]:
        still = render(model).still
        assert "<script" not in still
        assert "&lt;script" in still
        drawn(model)


@pytest.mark.parametrize("value", ["x" * 10_000, "שלום עולם", "🙂" * 50, "a\nb", ("k" * 99, 1)])
def test_the_largest_frame_stays_small_whatever_the_values(value):
    full = Rows((value,) * 6, 1_000_000)
    model = run(WINDOW, *[(full, full)] * 8, op="f" * 5000, names=("n" * 500, "m" * 500))[-1]
    frame = render(model)
    assert len(frame.pages[0].html.encode()) < 30_000
    drawn(model)


def test_the_picture_keeps_the_rules():
    html = render(run(WINDOW, *SUMS, op="window(30, 10)", names=("pairs", "sums"))[-1]).still
    assert "url(" not in html
    assert "<defs" not in html
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) == 2
    assert all(found.startswith("lk-marbles-") for found in ids)
    assert 'role="img"' in html
    assert "Show as table" in html
    assert "0x" not in html


def test_frames_are_the_same_every_time():
    assert [render(m) for m in run(WINDOW, *SUMS)] == [render(m) for m in run(WINDOW, *SUMS)]


def test_before_the_first_batch_it_says_what_to_do():
    frame = render(run(PLAIN)[0])
    assert frame.batch == -1
    assert "ssc.start()" in frame.text


@pytest.mark.parametrize(
    ("wrong", "name", "code"),
    [
        ({"op": 3}, "op", "WRONG_TYPE"),
        ({"op": None}, "op", "WRONG_TYPE"),
        ({"names": "ab"}, "names", "WRONG_TYPE"),
        ({"names": ("a", 2)}, "names", "WRONG_TYPE"),
        ({"names": ("a",)}, "names", "OUT_OF_RANGE"),
    ],
)
def test_bad_words_are_refused(wrong, name, code):
    with pytest.raises(InvalidArgument) as caught:
        marbles(None, None, **wrong)
    assert (caught.value.code, caught.value.params["name"]) == (code, name)


def test_what_is_no_dstream_is_refused():
    with pytest.raises(InvalidArgument) as caught:
        marbles("words", None)
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "source")


@pytest.mark.parametrize("batches", [COUNTS[:1], COUNTS, SUMS])
def test_a_stopped_context_ends_both_lanes_with_a_bar(batches):
    model = run(PLAIN, *batches)[-1]
    ended = note(model, State("stopped", "Context stopped"))
    assert text_form(ended) == [f"{line}|" for line in text_form(model)]
    said = f"{render(model).sentence} The context was stopped: no batch follows."
    assert render(ended).sentence == said
    tree = drawn(ended)
    (bars,) = of_class(tree, "lk-m-end")
    places = [float(x) for x in re.findall(r"M([\d.]+)", bars.get("d"))]
    assert len(places) == 2
    frames = [
        node for kind in ("box", "source", "current") for node in of_class(tree, f"lk-m-{kind}")
    ]
    right = max(float(f.get("x")) + float(f.get("width")) for f in frames)
    assert right < places[0] == places[1] < float(tree.get("width"))


def test_a_view_that_was_closed_ends_no_lane():
    model = run(PLAIN, *COUNTS)[-1]
    assert render(note(model, State("closed", "View closed"))) == render(model)


def test_a_context_stopped_before_its_first_batch_says_so():
    frame = render(note(run(PLAIN)[0], State("stopped", "Context stopped")))
    assert frame.sentence == "The context was stopped: no batch follows."
