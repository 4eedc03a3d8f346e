"""The timeline's picture: event time upwards, batches from left to right."""

from __future__ import annotations

from itertools import pairwise

from labkit.views.event_time import UNITS_MS, clock, day, interval_words
from labkit.views.frame import Frame, Page, waiting_frame
from labkit.views.svg import Markup, element, id_of, join, path, picture
from labkit.views.timeline.lines import line_labels, lines, notes
from labkit.views.timeline.marks import mark_labels, marks
from labkit.views.timeline.model import Timeline
from labkit.views.timeline.scale import Part, ticks
from labkit.views.timeline.sheet import BOTTOM, LEFT, Sheet, sheet
from labkit.views.timeline.spans import bands, boxes, sent_labels, span_labels
from labkit.views.timeline.text_table import as_table, as_text
from labkit.views.timeline.words import WAITING, facts, sentence

FOOT_PX = 50
ZIGZAG_PX = 6


def render(timeline: Timeline) -> Frame:
    """Draw the timeline after its newest batch."""
    name = timeline.setting.name
    if not timeline.steps:
        return waiting_frame(name, WAITING)
    said = sentence(timeline)
    page = (
        '<div class="lk-scroll lk-tl-figure" tabindex="0" role="region" '
        f'aria-label="event time by batch">{draw(timeline, said)}</div>{as_table(timeline)}'
    )
    number = timeline.steps[-1].number
    return Frame(number, number, name, facts(timeline), said, (Page("", page),), as_text(timeline))


def draw(timeline: Timeline, said: str) -> Markup:
    """Return the picture as SVG; ``said`` is its description for screen readers."""
    on = sheet(timeline)
    # What is drawn first lies below; who asks first gets the best place for a label.
    axis, breaks, ground = _event_axis(on), _breaks(on), bands(on)
    events = marks(on)
    sent, below = boxes(on)
    course = lines(on)
    return picture(
        id_of("timeline", timeline.setting.name),
        f"Event time by batch of {timeline.setting.name}",
        said,
        axis,
        ground,
        course,
        sent,
        events,
        breaks,
        sent_labels(on, below),
        line_labels(on),
        mark_labels(on),
        notes(on),
        span_labels(on),
        _batch_axis(on),
        width=on.width,
        height=BOTTOM + FOOT_PX,
    )


def _event_axis(on: Sheet) -> Markup:
    zone = on.timeline.setting.zone
    setting = on.timeline.setting
    parts = [element("text", "event time ↑", x=2, y=12, class_="lk-tl-soft")]
    for part in on.scale.parts:
        foot = BOTTOM if part is on.scale.parts[0] else part.bottom
        named, small = ticks(part, on.scale, setting.windows.slide_ms, zone)
        days = len(named) > 1 and named[1] - named[0] >= UNITS_MS["day"]
        edges = [
            at for at in named if setting.windows.slide_ms and at % setting.windows.slide_ms == 0
        ]
        grid = "".join(f"M{LEFT} {on.y(at):.1f}H{on.end:.1f}" for at in edges)
        tiny = "".join(f"M{LEFT - 4} {on.y(at):.1f}h4" for at in small)
        parts += [
            element("path", d=f"M{LEFT} {foot:.1f}V{part.top:.1f}{tiny}", class_="lk-tl-axis")
        ]
        parts += [element("path", d=grid, class_="lk-tl-grid")] if grid else []
        parts += [_tick(on, at, day(at, zone) if days else clock(at, zone)) for at in named]
        parts += [] if days else [_date(on, part, named)]
    return join(parts)


def _tick(on: Sheet, at: int, text: str) -> Markup:
    y = on.y(at) + 4
    on.block(0, y - 11, LEFT - 6, 14)
    return element("text", text, x=LEFT - 9, y=y, text_anchor="end", class_="lk-tl b")


def _date(on: Sheet, part: Part, named: list[int]) -> Markup:
    """Name the day of a part between two ticks, or inside the picture."""
    zone = on.timeline.setting.zone
    between = [(on.y(a) + on.y(b)) / 2 + 4 for a, b in pairwise(named)]
    spots = [(LEFT - 9, y, "end") for y in between] + [(LEFT + 6, part.top + 11, "start")]
    return on.label([(day((named or [part.low_ms])[0], zone), "lk-tl-soft")], spots, wide=True)


def _breaks(on: Sheet) -> Markup:
    """Draw the places where the axis leaves time out, over the lines that cross them."""
    drawn = []
    for below, above in pairwise(on.scale.parts):
        low, high = below.top, above.bottom
        xs = [LEFT - 12 + ZIGZAG_PX * i for i in range(int((on.end - LEFT + 24) / ZIGZAG_PX))]
        edge = [(x, high + 4 * (i % 2)) for i, x in enumerate(xs)]
        under = [(x, low - 4 + 4 * (i % 2)) for i, x in enumerate(xs)]
        left_out = f"{interval_words(above.low_ms - below.high_ms)} left out"
        drawn += [
            element("path", d=path([*edge, *reversed(under)]) + "Z", class_="lk-tl-ground"),
            element("path", d=path(edge) + path(under), class_="lk-tl-axis"),
            element(
                "text",
                left_out,
                x=(LEFT + on.end) / 2,
                y=(low + high) / 2 + 4,
                text_anchor="middle",
                class_="lk-tl-soft halo",
            ),
        ]
        on.block(LEFT, high - 2, on.end - LEFT, low - high + 4)
    return join(drawn)


def _batch_axis(on: Sheet) -> Markup:
    roomy = on.column_px >= 66 and all(step.rows < 100 for step in on.steps)
    longest = max(len(str(on.steps[-1].number)), *(len(_short(step.rows)) for step in on.steps))
    every = 1 if roomy else -(-longest * 9 // int(on.column_px - 6))
    drawn = [
        element("text", "batch", x=LEFT - 9, y=BOTTOM + 20, text_anchor="end", class_="lk-tl-soft"),
        element("text", "→ in order of", x=on.end + 8, y=BOTTOM + 20, class_="lk-tl-soft"),
        element("text", "processing", x=on.end + 8, y=BOTTOM + 36, class_="lk-tl-soft"),
    ]
    if not roomy:
        drawn += [
            element(
                "text", "rows", x=LEFT - 9, y=BOTTOM + 36, text_anchor="end", class_="lk-tl-soft"
            )
        ]
    edges = "".join(f"M{on.x(i):.1f} {BOTTOM}v5" for i in range(len(on.steps) + 1))
    drawn += [element("path", d=f"M{LEFT} {BOTTOM}H{on.end:.1f}{edges}", class_="lk-tl-axis")]
    for i, step in enumerate(on.steps):
        middle = on.x(i + 0.5)
        noun = "event" if step.rows == 1 else "events"
        count = f"{step.rows} {noun}" if roomy else _short(step.rows)
        count = "empty" if roomy and not step.rows else count
        if i % every == 0:
            drawn += [_middle(str(step.number), middle, BOTTOM + 20, "lk-tl b")]
            drawn += [_middle(count, middle, BOTTOM + 36, "lk-tl-soft")]
    return join(drawn)


def _short(number: int) -> str:
    return str(number) if number < 1000 else f"{number / 1000:.0f}k"


def _middle(text: str, x: float, y: float, kind: str) -> Markup:
    return element("text", text, x=x, y=y, text_anchor="middle", class_=kind)
