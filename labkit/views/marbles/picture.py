"""The marbles as SVG: two lanes, the operator between them, and stairs for windows.

The newest batch is the last column. Its sources are dashed, what comes of them is framed; in
shape, text and line, so that the picture can be read without colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from labkit.engine.clock import clock_text
from labkit.engine.lane_rows import Rows
from labkit.engine.lanes import LaneBatch
from labkit.views.marbles.model import Marbles, key_text, row_text, shorten, width_of
from labkit.views.svg import Markup, element, join, path, picture

# Columns of the picture; older batches are in older frames.
SHOWN = 5
# Pixels.
LEFT, WIDTH, GAP = 95, 132, 6
PITCH = WIDTH + GAP
RIGHT = LEFT + SHOWN * PITCH - GAP
TOP, LANE_MIN, ROW, PAD = 34, 62, 40, 11
STAIR, TICK, OP, ARROW = 22, 7, 38, 32
HALF, BETWEEN, BOLD_CHAR = 18, 6, 8
# Columns of text.
# Thirteen of them, such as 10:10–10:15:3, just fit into a box.
MAX_WIDTH, MAX_OP_WIDTH, MAX_NAME_WIDTH = 13, 84, 12
SHAPES = ("round", "square", "diamond", "triangle")


@dataclass(frozen=True)
class Heights:
    """Where the parts of the picture lie, from top to bottom."""

    given: float
    made: float
    stairs: float

    @property
    def op_y(self) -> float:
        """The top of the operator's box."""
        return TOP + self.given + self.stairs

    @property
    def made_y(self) -> float:
        """The top of the lower lane."""
        return self.op_y + OP + ARROW

    @property
    def bottom(self) -> float:
        """The line with the times."""
        return self.made_y + self.made + 20


@dataclass(frozen=True)
class Box:
    """Where one batch of one DStream is drawn, and the class of its frame."""

    x: float
    y: float
    height: float
    kind: str


@dataclass(frozen=True)
class Marble:
    """A row to draw: its key (None: no row, only words) and its text."""

    key: str | None
    text: str


def picture_of(marbles: Marbles, prefix: str, title: str, words: str) -> Markup:
    """Draw the last batches.

    Parameters
    ----------
    marbles
        What is known, with at least one batch.
    prefix
        What the ids start with.
    title, words
        What the picture is, and what is to be seen in it.
    """
    shown = marbles.batches[-SHOWN:]
    made = [batch for batch in shown if batch.made is not None]
    stairs = len(made) * STAIR + 24 if marbles.flow.window_ms else ARROW
    at = Heights(_lane_height(marbles, "given"), _lane_height(marbles, "made"), stairs)
    newest = shown[-1]
    takes = set(marbles.takes(newest)) if newest.made is not None else set()
    inner = [
        *_labels(marbles, at),
        *(part for i, batch in enumerate(shown) for part in _column(marbles, i, batch, takes, at)),
        *_links(marbles, list(shown), at),
        *_operator(marbles, at),
        *(_end_sign(len(shown), at) if marbles.ended else ()),
    ]
    return picture(prefix, title, words, *inner, width=RIGHT + 6, height=at.bottom + 8)


def _lane_height(marbles: Marbles, side: str) -> float:
    """Return the height for the fullest batch that is kept, so that the picture does not jump."""
    lanes = [getattr(batch, side) for batch in marbles.batches]
    rows = max((len(_lines(lane)) for lane in lanes if lane is not None), default=1)
    return max(LANE_MIN, rows * ROW + 2 * PAD)


def _labels(marbles: Marbles, at: Heights) -> Iterator[Markup]:
    lanes = [("in", TOP, at.given), ("out", at.made_y, at.made)]
    for (word, y, height), name in zip(lanes, marbles.names, strict=True):
        middle = y + height / 2
        yield _text(word, 2, middle - 3 if name else middle + 5, "lk-m-strong")
        if name:
            yield _text(shorten(name, MAX_NAME_WIDTH), 2, middle + 13, "lk-m-quiet")
    yield _text("batch ends", 2, at.bottom, "lk-m-quiet")
    for line, words in enumerate(_flow_words(marbles)):
        yield _text(words, 2, at.op_y + 17 + 15 * line, "lk-m-quiet")


def _end_sign(columns: int, at: Heights) -> Iterator[Markup]:
    """Draw a bar across both lanes behind the last batch, as marbles do where a stream ends."""
    x = LEFT + columns * PITCH - GAP + 4
    bars = f"M{x} {TOP - 4}v{at.given + 8:g}M{x} {at.made_y - 4:g}v{at.made + 8:g}"
    yield element("path", d=bars, class_="lk-m-end")
    yield _text("end", x, 22, "lk-m-strong", "end")


def _flow_words(marbles: Marbles) -> list[str]:
    flow = marbles.flow
    if flow.keeps_state:
        return ["keeps state"]
    if flow.window_ms is None:
        return []
    return [f"window {flow.window_ms / 1000:g} s", f"slide {flow.made_every_ms / 1000:g} s"]


def _column(
    marbles: Marbles, place: int, batch: LaneBatch, takes: set[int], at: Heights
) -> Iterator[Markup]:
    x = LEFT + place * PITCH
    is_newest = batch is marbles.batches[-1]
    head = "lk-m-strong" if is_newest else "lk-m-quiet"
    yield _text(f"batch {batch.number}", x + WIDTH / 2, 22, head, "middle")
    upper = Box(x, TOP, at.given, "lk-m-source" if batch.number in takes else "lk-m-box")
    yield from _side(marbles, batch.given, upper)
    lower = Box(x, at.made_y, at.made, "lk-m-current" if is_newest else "lk-m-box")
    yield from _side(marbles, batch.made, lower)
    yield _text(clock_text(batch.end_ms), x + WIDTH, at.bottom, head, "end")


def _side(marbles: Marbles, lane: Rows | None, box: Box) -> Iterator[Markup]:
    """Draw one batch of one DStream."""
    middle_x, middle_y = box.x + WIDTH / 2, box.y + box.height / 2
    if lane is None:
        yield _text("not due", middle_x, middle_y + 4, "lk-m-quiet", "middle")
        return
    frame = {"x": box.x, "y": box.y, "width": WIDTH, "height": box.height}
    yield element("rect", **frame, rx=4, class_=box.kind)
    if lane.failure:
        yield _text("# error", middle_x, middle_y + 4, "lk-m-error", "middle")
    elif not lane.count:
        yield _text("∅ empty", middle_x, middle_y + 4, "lk-m-quiet", "middle")
    lines = _lines(lane)
    for number, line in enumerate(lines):
        y = middle_y + (number - (len(lines) - 1) / 2) * ROW
        left = middle_x - (sum(map(_width, line)) + BETWEEN * (len(line) - 1)) / 2
        for marble in line:
            width = _width(marble)
            yield _marble(marbles, marble, left + width / 2, y, is_on=box.kind != "lk-m-box")
            left += width + BETWEEN


def _lines(lane: Rows) -> list[list[Marble]]:
    """Put marbles into lines that fit into a box."""
    marbles = [Marble(key_text(row), shorten(row_text(row), MAX_WIDTH)) for row in lane.rows]
    if lane.count > len(lane.rows):
        marbles.append(Marble(None, f"…+{lane.count - len(lane.rows)}"))
    lines: list[list[Marble]] = []
    room = 0.0
    for marble in marbles:
        width = _width(marble)
        if not lines or width > room:
            lines.append([])
            room = WIDTH - 8
        lines[-1].append(marble)
        room -= width + BETWEEN
    return lines


def _width(marble: Marble) -> float:
    return max(2 * HALF, BOLD_CHAR * width_of(marble.text) + 12)


def _marble(marbles: Marbles, marble: Marble, x: float, y: float, *, is_on: bool) -> Markup:
    words = _text(marble.text, x, y + 4.5, "lk-m-value", "middle")
    if marble.key is None:
        return words
    shape = SHAPES[marbles.keys.get(marble.key, 0) % len(SHAPES)]
    kind = "lk-m-marble lk-m-on" if is_on else "lk-m-marble"
    outline = _outline(shape, x, y, _width(marble) / 2, kind)
    return join([outline, words])


def _outline(shape: str, x: float, y: float, half: float, kind: str) -> Markup:
    if shape in {"diamond", "triangle"}:
        return element("path", d=path(_corners(shape, x, y, half)) + "Z", class_=kind)
    box = {"x": x - half, "y": y - HALF, "width": 2 * half, "height": 2 * HALF}
    return element("rect", **box, rx=HALF if shape == "round" else 4, class_=kind)


def _corners(shape: str, x: float, y: float, half: float) -> list[tuple[float, float]]:
    top, bottom = y - HALF, y + HALF
    if shape == "diamond":
        flat = half - 14 if half > 24 else 0  # a long text stretches it
        return [
            (x - half - 3, y),
            (x - flat, top - 2),
            (x + flat, top - 2),
            (x + half + 3, y),
            (x + flat, bottom + 2),
            (x - flat, bottom + 2),
        ]
    flat = max(5, half - 8)  # steep sides, or a long text would reach over them
    return [(x - flat, top), (x + flat, top), (x + half + 3, bottom), (x - half - 3, bottom)]


def _links(marbles: Marbles, shown: list[LaneBatch], at: Heights) -> Iterator[Markup]:
    """Draw what leads from the upper lane through the operator to the lower one."""
    made = [(i, batch) for i, batch in enumerate(shown) if batch.made is not None]
    for step, (place, batch) in enumerate(made):
        is_newest = batch is shown[-1]
        kind = "lk-m-link lk-m-on" if is_newest else "lk-m-link"
        x = LEFT + place * PITCH + WIDTH / 2
        start = TOP + at.given
        if marbles.flow.window_ms is not None:
            start += 20 + step * STAIR
            yield from _bracket(marbles, shown, batch, start, kind)
        end = at.made_y - 9
        yield element("path", d=path([(x, start), (x, end)]), class_=kind)
        head = [(x - 5, end), (x + 5, end), (x, end + 8)]
        arrow = "lk-m-arrow lk-m-on" if is_newest else "lk-m-arrow"
        yield element("path", d=path(head) + "Z", class_=arrow)
    if marbles.flow.keeps_state:
        yield from _state_links(made, at)


def _bracket(
    marbles: Marbles, shown: list[LaneBatch], batch: LaneBatch, y: float, kind: str
) -> Iterator[Markup]:
    """Draw over which batches a batch of the result reaches; open where they are not shown."""
    takes = marbles.takes(batch)
    first = shown[0].number
    begins = takes[0] >= first
    left = LEFT + max(0, takes[0] - first) * PITCH + 12
    right = LEFT + (takes[-1] - first) * PITCH + 120
    corners = [(left, y), (right, y), (right, y - TICK)]
    yield element("path", d=path([(left, y - TICK), *corners] if begins else corners), class_=kind)
    ink = "lk-m-here" if batch is shown[-1] else "lk-m-quiet"
    x = left - 9
    yield _text(f"takes {_numbers(takes)}", x, y + 2, f"{ink} lk-m-halo", "end")


def _numbers(takes: list[int]) -> str:
    return ", ".join(map(str, takes)) if len(takes) <= 3 else f"{takes[0]}–{takes[-1]}"


def _state_links(made: list[tuple[int, LaneBatch]], at: Heights) -> Iterator[Markup]:
    """Draw how the state goes from each batch to the next."""
    y = at.op_y + OP + ARROW / 2 - 4
    for (before, _), (after, batch) in pairwise(made):
        newest = batch is made[-1][1]
        kind = "lk-m-link lk-m-on" if newest else "lk-m-link"
        start = LEFT + before * PITCH + WIDTH / 2 + 8
        end = LEFT + after * PITCH + WIDTH / 2 - 10
        yield element("path", d=path([(start, y), (end, y)]), class_=f"{kind} lk-m-state")
        head = [(end, y - 4), (end, y + 4), (end + 7, y)]
        arrow = "lk-m-arrow lk-m-on" if newest else "lk-m-arrow"
        yield element("path", d=path(head) + "Z", class_=arrow)
        yield _text("state", (start + end) / 2, y + 4, "lk-m-quiet lk-m-halo", "middle")


def _operator(marbles: Marbles, at: Heights) -> Iterator[Markup]:
    box = {"x": LEFT, "y": at.op_y, "width": RIGHT - LEFT, "height": OP}
    yield element("rect", **box, rx=5, class_="lk-m-operator")
    text = shorten(" ".join(marbles.op.split()), MAX_OP_WIDTH)
    yield _text(text, (LEFT + RIGHT) / 2, at.op_y + 24, "lk-m-code", "middle")


def _text(words: str, x: float, y: float, kind: str, anchor: str | None = None) -> Markup:
    return element("text", words, x=x, y=y, class_=kind, text_anchor=anchor)
