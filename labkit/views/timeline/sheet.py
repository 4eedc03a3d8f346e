"""The sheet a timeline is drawn on: where columns and times lie, and which places are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from labkit.views.event_time import UNITS_MS, Window
from labkit.views.svg import Markup, element, join
from labkit.views.timeline.model import Step, Timeline
from labkit.views.timeline.scale import Scale, scale
from labkit.views.timeline.windows import Span
from labkit.views.timeline.words import Words

LEFT, TOP, RIGHT_PX, PLOT_PX, HEIGHT_PX = 88, 20, 168, 556, 400
BOTTOM = TOP + HEIGHT_PX
MIN_COLUMNS, INSET_PX = 8, 14
LINE_PX = 15
# Measured in DejaVu Sans, the widest of the usual fonts, at 12 px.
CHAR_PX, BOLD_CHAR_PX = 7.3, 8.2

Spot = tuple[float, float, str]
Line = tuple[str, str]
Box = tuple[float, float, float, float]
STRIP_PX = 64
# Room under the lowest time, for the name of a line there.
SOLE_PX = 8


@dataclass
class Sheet:
    """Geometry of one picture, and the labels placed on it so far; a label never hides another."""

    timeline: Timeline
    words: Words
    scale: Scale
    column_px: float
    taken: dict[int, list[Box]] = field(default_factory=dict)  # by strip of the page

    @property
    def steps(self) -> tuple[Step, ...]:
        """The batches, left to right."""
        return self.timeline.steps

    @property
    def end(self) -> float:
        """The right edge of the newest batch."""
        return self.x(len(self.steps))

    @property
    def width(self) -> float:
        """The whole width in pixels."""
        return self.x(max(MIN_COLUMNS, len(self.steps))) + RIGHT_PX

    @property
    def inset(self) -> float:
        """How far inside its column an event stands."""
        return min(INSET_PX, self.column_px / 3)

    def x(self, place: float) -> float:
        """Return the left edge of a column, counted from 0."""
        return LEFT + place * self.column_px

    def column(self, batch: int) -> float:
        """Return the left edge of a batch; an older one than is shown lies at the first."""
        numbers = [step.number for step in self.steps]
        return self.x(sum(1 for number in numbers if number < batch))

    def y(self, at_ms: int) -> float:
        """Return the height of an instant."""
        return self.scale.y(at_ms)

    def block(self, x: float, y: float, width: float, height: float) -> None:
        """Keep labels away from a place."""
        box = (x, y, x + width, y + height)
        for strip in _strips(box):
            self.taken.setdefault(strip, []).append(box)

    def is_free(self, x: float, y: float, width: float, height: float) -> bool:
        """Whether nothing that labels must keep away from lies in a place."""
        box = (x, y, x + width, y + height)
        near = (other for strip in _strips(box) for other in self.taken.get(strip, ()))
        return not any(_overlap(box, other) for other in near)

    def label(self, lines: Sequence[Line], spots: Iterable[Spot], *, wide: bool = False) -> Markup:
        """Write lines of text (with their classes) at the first free spot; nothing if none is.

        A spot is the start of the first line's baseline, and its anchor. ``wide`` allows the
        margins.
        """
        width = max(len(text) * (BOLD_CHAR_PX if " b" in kind else CHAR_PX) for text, kind in lines)
        low, high = (0.0, self.width) if wide else (LEFT + 2, self.end)
        for x, y, anchor in spots:
            left = x - width if anchor == "end" else x - width / 2 if anchor == "middle" else x
            height = 14 + LINE_PX * (len(lines) - 1)
            fits = low <= left and left + width <= high and 11 < y < BOTTOM + 19 - height
            if fits and self.is_free(left, y - 11, width, height):
                self.block(left, y - 11, width, height)
                return join(
                    element(
                        "text",
                        text,
                        x=x,
                        y=y + LINE_PX * place,
                        text_anchor=anchor if anchor != "start" else None,
                        class_=kind,
                    )
                    for place, (text, kind) in enumerate(lines)
                )
        return Markup("")


def _strips(box: Box) -> range:
    return range(int(box[0] // STRIP_PX), int(box[2] // STRIP_PX) + 1)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def sheet(timeline: Timeline) -> Sheet:
    """Return an empty sheet for a timeline that has batches."""
    # Always as wide as a notebook, so that the axis and the newest batch are both in sight.
    column_px = PLOT_PX / max(MIN_COLUMNS, len(timeline.steps))
    axis = scale(
        _stretches(timeline) or [(0, 0)], _unit_ms(timeline), top=TOP, bottom=BOTTOM - SOLE_PX
    )
    return Sheet(timeline, Words(timeline), axis, column_px)


def _unit_ms(timeline: Timeline) -> int:
    setting = timeline.setting
    return setting.windows.size_ms or max((*setting.delays_ms, UNITS_MS["minute"]))


def _stretches(timeline: Timeline) -> list[Window]:
    """Return all event time that must be seen."""
    found: list[Window] = [(s.start_ms, s.end_ms) for s in timeline.spans]
    for step in timeline.steps:
        known = (step.oldest_ms, step.newest_ms, step.newest_so_far_ms)
        lines = (step.watermark_ms, step.late_test_ms)
        found += [(at, at) for at in (*known, *lines) if at is not None]
        found += [(m.at_ms, m.at_ms) for m in step.marks or () if m.at_ms is not None]
    return found


def stays(sheet: Sheet, span: Span) -> Iterator[tuple[float, float, int, int]]:
    """Yield where a window lies while it takes rows: left, right, start and end."""
    last = sheet.end if span.closed is None else sheet.column(span.closed + 1)
    later = [sheet.column(shape[0]) for shape in span.shapes[1:]]
    for (batch, start, end), until in zip(span.shapes, [*later, last], strict=True):
        left = sheet.column(batch)
        if min(until, last) > left:
            yield left, min(until, last), start, end
