"""``lab.plot``: the learner's own matplotlib drawing, one frame per micro-batch.

A picture costs a kernel more than all else in a view, so a batch is drawn when somebody looks at
it: a page, ``.frames`` or ``.to_text()``. That may be in the view's thread, so the drawing gets an
``Axes`` of a figure of its own and never ``pyplot``, which belongs to the main thread. A drawing
that fails is a frame too: it says the cause and the line, and the next batch is drawn again.
"""

from __future__ import annotations

import inspect
import math
import re
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from labkit.engine.watching import TableReader
from labkit.errors import InvalidArgument, wrong_type
from labkit.views.cells import plural, visible
from labkit.views.frame import AnyFrame, Frame, Page, Undrawn, batch_words
from labkit.views.registry import started
from labkit.views.table.live import rows_so_far
from labkit.views.table.model import Table, fold, guess_key
from labkit.views.table.page import render as render_table
from labkit.views.view import View

if TYPE_CHECKING:  # matplotlib takes half a second to load
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Axes", pd.DataFrame], Any]

DOTS_PER_INCH = 100
# A picture that would be too large for a frame gets fewer dots, down to this.
MIN_DOTS = 5
PICTURE_BYTES = 28_000
ROWS_BYTES = 8_000
ROWS_SHOWN = 10
MAX_INCHES = 12
MAX_CHARS = 300
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
# Fonts and other caches of matplotlib are shared, and it takes no care of threads itself.
_drawing = threading.Lock()


class LivePlot(View[Table]):
    """The learner's drawing of a memory-sink query's result, one frame per micro-batch."""

    @property
    def data(self) -> pd.DataFrame:
        """A copy of the rows that were drawn last (at most 500)."""
        return rows_so_far(self.model)


@dataclass(frozen=True)
class Picture:
    """What came of one drawing.

    Parameters
    ----------
    html
        The picture, or why there is none.
    trouble
        Why the drawing failed, in one line; else empty.
    """

    html: str
    trouble: str = ""


def plot(query: Any, draw: Draw, *, size: tuple[float, float] = (6, 3)) -> LivePlot:
    """Show your own drawing of a memory-sink query's result, one frame per micro-batch.

    Parameters
    ----------
    query
        A started ``StreamingQuery``, or its name.
    draw
        Called as ``draw(ax, rows)`` with an empty matplotlib ``Axes`` and a pandas DataFrame of
        the result so far (a copy of at most 500 rows), as soon as there are rows; once for each
        batch that somebody looks at.
        What it returns is not used. Draw with ``ax.plot``, ``ax.bar`` …, not with ``pyplot``.
    size
        Width and height in inches of 100 pixels, 1 to 12 each.

    Returns
    -------
    LivePlot
        Shows itself as the last expression of a cell; ``.data``, ``.frames``, ``.to_text()``.

    Raises
    ------
    Conflict
        ``STOPPED``: the query's Spark has been stopped.
    NotFound
        No running query has this name.
    InvalidArgument
        ``query`` is something else, its sink is not memory, ``draw`` does not take two
        arguments, or ``size`` is out of range.

    Notes
    -----
    ``draw`` runs in the view's thread or in yours. An error in it is shown in the frame, with its
    line; the view goes on with the next batch. A simple drawing takes about 80 ms of processor
    time on a busy machine, so a page gets the newest batch every few seconds when batches are
    faster than that. The others follow when there is time for them, at the latest when the query
    has ended.

    Examples
    --------
    >>> def draw(ax, rows):
    ...     ax.bar(rows["name"], rows["total"])
    >>> view = lab.plot(query, draw)  # doctest: +SKIP
    """
    _require_draw(draw)
    width, height = _require_size(size)
    reader = TableReader(started(query))
    columns, mode = reader.batches.columns, reader.batches.mode
    key = None if mode == "append" else guess_key(columns)
    table = Table(name=reader.name, columns=columns, key=key)
    shown = partial(later, draw=draw, size=(width, height))
    return LivePlot("plot", reader, table, fold=fold, render=shown)


def later(table: Table, draw: Draw, size: tuple[float, float]) -> AnyFrame:
    """Return the frame of :func:`render`, drawn when somebody looks at it."""
    if table.batch is None:
        return render(table, draw, size)
    return Undrawn(table.batch.number, table.batch.first, partial(render, table, draw, size))


def render(table: Table, draw: Draw, size: tuple[float, float]) -> Frame:
    """Draw the result so far; its rows are the second page."""
    frame = render_table(table, ROWS_SHOWN, ROWS_BYTES)
    if table.batch is None:
        return frame
    picture = drawn(table, draw, size)
    sentence, text = frame.sentence, frame.text
    if picture.trouble:
        which = batch_words(frame.batch, frame.first)
        sentence = f"{which}: draw failed: {picture.trouble}"
        text = f"{text}\n{sentence}"
    pages = (Page("Plot", picture.html), Page("Rows", frame.pages[0].html))
    return replace(frame, sentence=sentence, pages=pages, text=text)


def drawn(table: Table, draw: Draw, size: tuple[float, float]) -> Picture:
    """Have the learner's function draw, and catch what it raises."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second to load

    rows = rows_so_far(table)
    if rows.empty:
        return Picture('<p class="lk-plot">No rows yet, so there is nothing to draw.</p>')
    with _drawing:
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        try:
            draw(axes, rows)
            png = _png(figure)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is shown
            return _failed(error)
    if not any(part.has_data() or part.texts for part in figure.axes):
        return _nothing()
    return Picture(_image(png, size, _alt(table, axes.get_title(), len(rows))))


def _png(figure: Figure) -> bytes:
    """Draw a figure so that it fits into a frame, and so that its bytes are always the same.

    The canvas draws once; ``savefig`` draws twice for the same pixels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above

    canvas: Any = FigureCanvasAgg(figure)
    figure.set_facecolor("white")
    dots, room = DOTS_PER_INCH, PICTURE_BYTES * 3 // 4  # base64 makes four bytes of three
    while True:
        figure.set_dpi(dots)
        canvas.draw()
        file = BytesIO()
        drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
        drawn.convert("RGB").save(file, "png")
        png = file.getvalue()
        if len(png) <= room or dots == MIN_DOTS:
            return png
        dots = max(MIN_DOTS, int(0.95 * dots * math.sqrt(room / len(png))))


def _image(png: bytes, size: tuple[float, float], alt: str) -> str:
    width, height = (round(inches * DOTS_PER_INCH) for inches in size)
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return (
        f'<img class="lk-plot" width="{width}" height="{height}" '
        f'alt="{escape(alt)}" src="{source}">'
    )


def _alt(table: Table, title: str, count: int) -> str:
    what = visible(title[:MAX_CHARS]) or "Drawing"
    number = table.batch.number if table.batch else -1
    return f"{what}: {table.name[:MAX_CHARS]} after batch {number}, {plural(count, 'row')}"


def _nothing() -> Picture:
    trouble = "nothing was drawn on ax; call ax.plot, ax.bar …, not plt.plot"
    return Picture(f'<p class="lk-failure">{escape(trouble)}</p>', trouble)


def _failed(error: BaseException) -> Picture:
    message = visible(_ADDRESS.sub("", f"{type(error).__name__}: {error}")[:MAX_CHARS])
    place, line = _own_place(error)
    html = f'<p class="lk-failure">{escape(message)}{escape(place)}</p>'
    code = escape(visible(line[:MAX_CHARS]))
    source = f'<pre class="lk-raw" tabindex="0">{code}</pre>' if line else ""
    return Picture(html + source, message + place)


def _own_place(error: BaseException) -> tuple[str, str]:
    """Return where in the learner's code it happened, and the line there.

    File names are left out: a cell's file has another name in each kernel.
    """
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one calls ``draw``
    own = [
        f for f in frames if "site-packages" not in f.filename and "lib/python" not in f.filename
    ]
    if not own:
        return "", ""
    return f" (in {own[-1].name}, line {own[-1].lineno})", (own[-1].line or "").strip()


def _require_draw(draw: Any) -> None:
    expected = "a function draw(ax, rows)"
    if not callable(draw):
        raise wrong_type("draw", draw, expected=expected)
    try:
        inspect.signature(draw).bind(None, None)
    except ValueError:  # some built-in functions do not tell their parameters
        return
    except TypeError as error:
        raise wrong_type("draw", draw, expected=expected) from error


def _require_size(size: Any) -> tuple[float, float]:
    try:
        width, height = (float(inches) for inches in size)
    except (TypeError, ValueError) as error:
        raise wrong_type("size", size, expected="width and height, such as (6, 3)") from error
    if not (1 <= width <= MAX_INCHES and 1 <= height <= MAX_INCHES):
        bound = f"two numbers from 1 to {MAX_INCHES} (inches)"
        raise InvalidArgument("OUT_OF_RANGE", name="size", value=size, bound=bound)
    return width, height
