import json
import re
from base64 import b64decode
from functools import reduce
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from labkit.errors import InvalidArgument
from labkit.views import plot as plot_module
from labkit.views.plot import PICTURE_BYTES, plot, render
from labkit.views.table.model import Table, fold

TOTALS = [("name", "string", True), ("total", "bigint", False)]
SIZE = (4, 2)


def bars(ax, rows):
    ax.bar(rows["name"], rows["total"])
    ax.set_title("Totals")


@pytest.fixture
def frame_of(batches):
    """Return a function that draws the result of some batches."""

    def make(draw, *rows_of, size=SIZE, name="totals"):
        columns, made = batches("complete", TOTALS, *rows_of)
        return render(reduce(fold, made, Table(name, columns, (0,))), draw, size)

    return make


def picture(frame):
    return b64decode(re.search(r"base64,([A-Za-z0-9+/=]+)", frame.pages[0].html)[1])


def bytes_of(frame):
    return len(json.dumps(frame.as_message(), ensure_ascii=False).encode())


def test_a_drawing_gets_the_result_so_far_and_becomes_an_image(frame_of):
    seen = []
    frame = frame_of(
        lambda ax, rows: (bars(ax, rows), seen.append(rows)),
        [("anna", 5)],
        [("anna", 7), ("ben", 1)],
    )
    assert seen[0].to_dict("list") == {"name": ["anna", "ben"], "total": [7, 1]}
    assert picture(frame).startswith(b"\x89PNG")
    assert 'width="400" height="200"' in frame.pages[0].html
    assert 'alt="Totals: totals after batch 1, 2 rows"' in frame.pages[0].html
    assert [page.name for page in frame.pages] == ["Plot", "Rows"]
    assert "anna" in frame.pages[1].html
    assert frame.text.splitlines()[:2] == [
        "totals · complete · batch 1 · 5 rows in, 2 sent · 2 keys",
        "Batch 1: 1 new, 1 changed, 0 removed.",
    ]


def test_the_same_rows_give_the_same_bytes_without_date_and_software(frame_of):
    first, second = (frame_of(bars, [("anna", 5)]) for _ in range(2))
    assert first == second
    assert b"Software" not in picture(first)
    assert b"pHYs" not in picture(first)
    assert b"tEXt" not in picture(first)
    assert b"tIME" not in picture(first)


def legend(ax, rows):
    ax.plot(rows["total"], label="a")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    ax.twinx().plot([1000, 2000])


def heat(ax, _):
    ax.figure.colorbar(ax.imshow(np.arange(9).reshape(3, 3)), ax=ax)


@pytest.mark.parametrize("draw", [bars, legend, heat])
def test_a_picture_has_the_pixels_that_matplotlib_would_save(frame_of, draw):
    rows = [("anna", 5), ("ben", 7)]
    figure = Figure(figsize=SIZE, dpi=100, layout="constrained")
    draw(figure.subplots(), pd.DataFrame(rows, columns=["name", "total"]))
    saved = BytesIO()
    figure.savefig(saved, format="png", facecolor="white")
    ours = Image.open(BytesIO(picture(frame_of(draw, rows))))
    assert np.array_equal(np.asarray(ours), np.asarray(Image.open(saved).convert("RGB")))


def test_before_the_first_rows_nothing_is_drawn(frame_of):
    def never(*_):
        raise AssertionError

    assert "Waiting for the first batch" in frame_of(never).still
    assert "No rows yet" in frame_of(never, []).still


def test_an_error_shows_its_message_and_its_line(frame_of):
    def draw(ax, rows):
        ax.plot([1])
        ax.set_title(rows["<b>nobody</b>"])

    line = draw.__code__.co_firstlineno + 2
    frame = frame_of(draw, [("anna", 5)])
    assert (
        frame.sentence == f"Batch 0: draw failed: KeyError: '<b>nobody</b>' (in draw, line {line})"
    )
    assert f"line {line}" in frame.text
    assert "ax.set_title(rows[" in frame.pages[0].html
    assert "<b>nobody" not in frame.still
    assert "<img" not in frame.still


def test_an_error_has_no_address_and_no_file(frame_of):
    def draw(*_):
        raise ValueError(str(object()))

    assert frame_of(draw, [("a", 1)]) == frame_of(draw, [("a", 1)])
    assert "<object object>" in frame_of(draw, [("a", 1)]).sentence
    assert "test_plot.py" not in frame_of(draw, [("a", 1)]).still


@pytest.mark.parametrize("error", [SystemExit(1), RecursionError("deep")])
def test_no_error_ends_the_view(frame_of, error):
    def draw(*_):
        raise error

    assert f"draw failed: {type(error).__name__}" in frame_of(draw, [("a", 1)]).sentence


def test_an_error_while_the_figure_is_saved_is_shown_as_well(frame_of):
    frame = frame_of(lambda ax, rows: (bars(ax, rows), ax.set_ylabel("$\\nonsense{$")), [("a", 1)])
    assert "draw failed: ValueError" in frame.sentence


def test_a_drawing_that_forgot_its_axes_is_told_so(frame_of):
    assert "nothing was drawn on ax" in frame_of(lambda *_: None, [("a", 1)]).sentence


def test_a_picture_never_grows_beyond_its_frame(frame_of):
    noise = np.random.default_rng(1).random((600, 600))
    frame = frame_of(lambda ax, _: ax.imshow(noise), [("a" * 5000, 1)] * 40, size=(12, 12))
    assert len(picture(frame)) * 4 / 3 <= PICTURE_BYTES + 4
    assert bytes_of(frame) <= 40_000
    assert 'width="1200" height="1200"' in frame.pages[0].html


def test_names_and_titles_are_text(frame_of):
    bad = "\"'><script>alert(1)</script>"
    frame = frame_of(lambda ax, rows: (bars(ax, rows), ax.set_title(bad)), [(bad, 1)], name=bad)
    assert "<script" not in frame.still
    assert "&lt;script&gt;" in frame.pages[0].html


def test_pyplot_is_never_loaded():
    names = set(vars(plot_module))
    assert not {"plt", "pyplot"} & names
    assert "matplotlib.pyplot" not in (plot_module.__doc__ or "")


@pytest.mark.parametrize(
    ("draw", "size", "code", "name"),
    [
        ("bars", (6, 3), "WRONG_TYPE", "draw"),
        (lambda _: None, (6, 3), "WRONG_TYPE", "draw"),
        (lambda _1, _2, _3: None, (6, 3), "WRONG_TYPE", "draw"),
        (bars, 6, "WRONG_TYPE", "size"),
        (bars, (6,), "WRONG_TYPE", "size"),
        (bars, ("a", "b"), "WRONG_TYPE", "size"),
        (bars, (6, 0), "OUT_OF_RANGE", "size"),
        (bars, (13, 3), "OUT_OF_RANGE", "size"),
        (bars, (float("nan"), 3), "OUT_OF_RANGE", "size"),
    ],
)
def test_bad_input_is_refused_before_the_query_is_looked_for(draw, size, code, name):
    with pytest.raises(InvalidArgument) as caught:
        plot("nobody", draw, size=size)
    assert (caught.value.code, caught.value.params["name"]) == (code, name)


def test_something_else_is_not_a_query():
    with pytest.raises(InvalidArgument) as caught:
        plot(3, bars)
    assert caught.value.params["name"] == "query"
