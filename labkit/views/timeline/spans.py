"""Windows of a timeline: open bands, hatched ones, and the boxes of what was sent."""

from __future__ import annotations

import math

from labkit.views.cells import plural
from labkit.views.svg import Markup, element, join
from labkit.views.timeline.sheet import BOTTOM, LINE_PX, TOP, Sheet, Spot, stays
from labkit.views.timeline.windows import ANY, Span

HATCH_PX = 10
# Hatching costs bytes; with many closed windows it gets wider.
HATCHED_BUDGET_PX = 1500
MAX_LINES = 3
# A longer arrow would cross what lies between.
MAX_ARROW_PX = 120


def bands(on: Sheet) -> Markup:
    """Draw where windows take rows, and where they take no more."""
    apart = on.timeline.setting.windows.kind == "tumbling"
    kind = "lk-tl-open" if apart else "lk-tl-open over"
    opened = [
        element(
            "rect",
            x=left,
            y=on.y(end),
            width=right - left,
            height=on.y(start) - on.y(end),
            class_=kind,
        )
        for span in on.timeline.spans
        for left, right, start, end in stays(on, span)
    ]
    closed = _closed(on)
    total = sum(right - left + bottom - top for left, top, right, bottom in closed)
    gap = HATCH_PX * max(1, math.ceil(total / HATCHED_BUDGET_PX))
    hatched = [element("path", d=_hatching(*box, gap=gap), class_="lk-tl-hatch") for box in closed]
    return join([*opened, *hatched])


def _closed(on: Sheet) -> list[tuple[float, float, float, float]]:
    """Return where windows take no more rows; where they overlap, it is said once."""
    found: list[tuple[float, float, float, float]] = []
    ended = [s for s in on.timeline.spans if s.closed is not None and not s.merged]
    for span in sorted(ended, key=lambda s: (s.closed, s.start_ms)):
        left, top = on.column((span.closed or 0) + 1), on.y(span.end_ms)
        bottom = min([on.y(span.start_ms), *(t for _, t, _, b in found if b > top)])
        if left < on.end and bottom - top >= 1:
            found.append((left, top, on.end, bottom))
    return found


def _hatching(left: float, top: float, right: float, bottom: float, *, gap: int) -> str:
    """Return the outline of a box and slanting lines in it."""
    width, height = right - left, bottom - top
    parts = [f"M{left:.0f} {top:.1f}h{width:.0f}v{height:.1f}h{-width:.0f}z"]
    for reach in range(gap // 2, int(width + height), gap):
        x, y = min(reach, width), max(0, reach - width)
        length = min(x, height - y)
        if length > 1:
            parts.append(f"M{left + x:.0f} {top + y:.0f}l{-length:.0f} {length:.0f}")
    return "".join(parts)


def boxes(on: Sheet) -> tuple[Markup, list[Spot]]:
    """Draw each result at the batch in which it was sent; return where "sent" may stand, too."""
    marked = {step.number for step in on.steps if step.rows}
    drawn, below = [], []
    for span in on.timeline.spans:
        for place, (batch, lines) in enumerate(span.sent):
            if batch >= on.steps[0].number:
                newest = place == len(span.sent) - 1
                box, spot = _box(on, span, batch, lines, newest=newest, aside=batch in marked)
                drawn.append(box)
                below += [spot] if newest else []
    return join(drawn), below


def sent_labels(on: Sheet, below: list[Spot]) -> Markup:
    """Write "sent" under the boxes where nothing else is."""
    return join(on.label([("sent", "lk-tl b green halo")], [spot]) for spot in below)


def _box(
    on: Sheet, span: Span, batch: int, lines: tuple[str, ...], *, newest: bool, aside: bool
) -> tuple[Markup, Spot]:
    top, bottom = on.y(span.end_ms), on.y(span.start_ms)
    room = on.column_px - 8
    shown = lines if len(lines) <= MAX_LINES and len(lines) * LINE_PX < bottom - top else ()
    shown = shown or (f"{len(lines)} rows",)
    size = _font_px(shown, room, bottom - top)
    chars = int(room / (size * 0.66))
    texts = [text if len(text) <= chars else text[: max(1, chars - 1)] + "…" for text in shown]
    width = min(room, max(40.0, 12 + size * 0.66 * max(map(len, texts))))
    height = max(8.0, min(8 + (size + 3) * len(texts), bottom - top - 2))
    left = on.column(batch) + (on.column_px - width - 4 if aside else (on.column_px - width) / 2)
    y = _free_height(on, left, width, height, top=top, bottom=bottom)
    on.block(left - 2, y - 2, width + 4, height + 4)
    kind = "new" if newest else "old"
    words = f"{on.words.window((span.start_ms, span.end_ms))} = {', '.join(lines)}, batch {batch}"
    parts = [
        element("title", words),
        element("rect", x=left, y=y, width=width, height=height, rx=4, class_=f"lk-tl-sent {kind}"),
    ]
    if height >= 14:
        first = y + height / 2 + size * 0.36 - (len(texts) - 1) * (size + 3) / 2
        parts += [
            element(
                "text",
                text,
                x=left + width / 2,
                y=first + (size + 3) * i,
                text_anchor="middle",
                class_=f"lk-tl-value {kind} s{size}",
            )
            for i, text in enumerate(texts)
        ]
    cause = _cause(on, batch, left + width / 2, y) if on.timeline.setting.mode == "append" else ""
    below: Spot = (left + width / 2, y + height + 15, "middle")
    return join([Markup(cause), element("g", *parts)]), below


def _free_height(
    on: Sheet, left: float, width: float, height: float, *, top: float, bottom: float
) -> float:
    """Put a box into the middle of its window, or a little aside when something else is there."""
    middle = (top + bottom - height) / 2
    shifts = (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, -2.0)
    free = [
        y
        for y in (middle + shift * (height + 4) for shift in shifts)
        if y > TOP and y + height < BOTTOM and on.is_free(left, y, width, height)
    ]
    inside = [y for y in free if top <= y + height / 2 <= bottom]
    # Sessions of several keys may lie on one another; their boxes name the key.
    beside = free if on.timeline.setting.windows.kind == "session" else []
    return next(iter([*inside, *beside]), middle)


def _cause(on: Sheet, batch: int, x: float, top: float) -> str:
    """Draw an arrow from the watermark, which sends a window, down to the box."""
    step = next(step for step in on.steps if step.number == batch)
    if step.watermark_ms is None:
        return ""
    y = on.y(step.watermark_ms) + 5
    in_one_part = any(part.top <= y and top <= part.bottom for part in on.scale.parts)
    middle = (y + top) / 2  # near its start it may cross the dots of the late test
    free = on.is_free(x - 4, middle, 8, top - middle - 4)
    if not (in_one_part and free and 24 < top - y < MAX_ARROW_PX):
        return ""
    line = element("path", d=f"M{x:.1f} {y:.1f}V{top - 10:.1f}", class_="lk-tl-axis")
    return line + element("path", d=f"M{x - 4:.1f} {top - 10:.1f}h8l-4 7z", class_="lk-tl-head")


def _font_px(texts: tuple[str, ...], room: float, height: float) -> int:
    longest = max(map(len, texts))
    for size in (22, 15):
        if 12 + longest * size * 0.66 <= room and 8 + (size + 3) * len(texts) <= height:
            return size
    return 12


def span_labels(on: Sheet) -> Markup:
    """Name the windows, and say beside the newest batch which are open."""
    drawn = []
    for span in reversed(on.timeline.spans):
        seen = list(stays(on, span))
        if not seen or span.merged:
            continue
        left, _, start, end = seen[-1]
        name = on.words.window((start, end))
        name = name if span.key == ANY else f"{span.key} {name}"
        drawn.append(_name(on, name, left, on.y(end), on.y(start)))
        drawn.append(_state(on, span, name))
    return join(drawn)


def _name(on: Sheet, name: str, left: float, top: float, bottom: float) -> Markup:
    kind = "lk-tl b green halo"
    if bottom - top < LINE_PX:
        return Markup("")
    spots = [(left + 6, top + 15 + 14 * i, "start") for i in range(int((bottom - top) / 14))]
    noun = "session" if on.timeline.setting.windows.kind == "session" else "window"
    whole = on.label([(f"{noun} {name}", kind)], spots[:4])
    return (
        whole
        or on.label([(noun, kind), (name, kind)], spots[:2] if len(spots) > 2 else [])
        or on.label([(name, kind)], spots)
    )


def _state(on: Sheet, span: Span, name: str) -> Markup:
    top, bottom, x = on.y(span.end_ms), on.y(span.start_ms), on.end + 8
    untold = any(step.marks is None and step.rows for step in on.steps)
    rows = f"{'at least ' if untold else ''}{plural(span.rows, 'row')} so far" if span.rows else ""
    if on.timeline.setting.windows.kind != "tumbling":
        state = "closed" if span.closed is not None else "open"
        kind = "lk-tl" if span.closed is None else "lk-tl-soft"
        key, _, window = name.rpartition(" ") if span.key != ANY else ("", "", name)
        lines = [*([(key, kind)] if key else []), (f"{window} {state}", kind)]
    elif span.closed is not None:
        after = on.column(span.closed + 1) < on.end
        lines = [("closed" if after else "final", "lk-tl b")]
        lines += [("takes no more rows", "lk-tl-soft")] if after else []
    else:
        lines = [("open", "lk-tl b green"), *([(rows, "lk-tl")] if rows else [])]
    middle = (top + bottom) / 2
    heights = [top + 15, middle, bottom - 20] if span.closed is None else [middle, top + 15]
    spots = [(x, y, "start") for y in heights if y < bottom]
    short = [(", ".join(text for text, _ in lines), lines[0][1])]
    return next(
        filter(None, (on.label(ls, spots, wide=True) for ls in (lines, short, lines[:1]))),
        Markup(""),
    )
