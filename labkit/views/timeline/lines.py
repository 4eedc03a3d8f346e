"""The lines of a timeline: newest event, watermark, and the late test where it lags behind."""

from __future__ import annotations

from itertools import pairwise

from labkit.views.event_time import interval_words
from labkit.views.svg import Markup, element, join
from labkit.views.timeline.sheet import BOTTOM, LEFT, Sheet, Spot

Level = tuple[float, float, int]


def lines(on: Sheet) -> Markup:
    """Draw the lines, and keep their places clear."""
    levels, tails = _watermarks(on), _tails(on)
    _keep_clear(on, levels, tails)
    dots = "".join(f"M{x + 6:.1f} {y:.1f}h{on.column_px - 12:.1f}" for x, y in tails)
    courses = [(_stairs(on, _newest(on)), "newest"), (_stairs(on, levels), "watermark")]
    courses += [(dots, "late under"), (dots, "late")]
    return join(element("path", d=d, class_=f"lk-tl-{kind}") for d, kind in courses if d)


def line_labels(on: Sheet) -> Markup:
    """Name the heights of the lines."""
    levels = _watermarks(on)
    return join(
        [
            *(_end_label(on, "watermark", at, "lk-tl b blue") for _, _, at in levels[-1:]),
            *(_end_label(on, "newest event", at, "lk-tl-soft") for _, _, at in _newest(on)[-1:]),
            *_level_labels(on, levels),
        ]
    )


def _watermarks(on: Sheet) -> list[Level]:
    return _levels(on, [(on.x(i), step.watermark_ms) for i, step in enumerate(on.steps)])


def _newest(on: Sheet) -> list[Level]:
    found = [(on.x(i) + on.inset, step.newest_so_far_ms) for i, step in enumerate(on.steps)]
    return _levels(on, found)


def notes(on: Sheet) -> Markup:
    """Explain the lines once, where there is room."""
    return join([_delay(on), _late_label(on, _tails(on)), _none_yet(on)])


def _tails(on: Sheet) -> list[tuple[float, float]]:
    """Return where the late test uses another watermark than the batch: left edge and height."""
    return [
        (on.x(i), on.y(step.late_test_ms))
        for i, step in enumerate(on.steps)
        if step.late_test_ms is not None and step.late_test_ms != step.watermark_ms
    ]


def _keep_clear(on: Sheet, levels: list[Level], tails: list[tuple[float, float]]) -> None:
    for left, right, at in levels:
        on.block(left, on.y(at) - 3, right - left, 6)
    for (_, x, low), (_, _, high) in pairwise(levels):
        on.block(x - 3, on.y(high), 6, on.y(low) - on.y(high))
    for x, y in tails:
        on.block(x, y - 4, on.column_px, 8)


def _levels(on: Sheet, found: list[tuple[float, int | None]]) -> list[Level]:
    """Join columns of the same height: left, right, instant."""
    levels: list[Level] = []
    for x, at in found:
        if at is None:
            continue
        if levels and levels[-1][2] == at:
            levels[-1] = (levels[-1][0], on.end, at)
        else:
            if levels:
                levels[-1] = (levels[-1][0], x, levels[-1][2])
            levels.append((x, on.end, at))
    return levels


def _stairs(on: Sheet, levels: list[Level]) -> str:
    if not levels:
        return ""
    (left, _, at), *_ = levels
    course = f"M{left:.1f} {on.y(at):.1f}"
    return course + "".join(f"V{on.y(at):.1f}H{right:.1f}" for _, right, at in levels)


def _end_label(on: Sheet, what: str, at: int, kind: str) -> Markup:
    y, time = on.y(at), on.words.time(at)
    heights = [y + 4 + shift for shift in (0, -15, 15, -30, 30)]
    spots: list[Spot] = [(on.end + 8, height, "start") for height in heights]
    one_line = on.label([(f"{what} {time}", kind)], spots, wide=True)
    return one_line or on.label([(what, kind), (time, kind)], spots, wide=True)


def _level_labels(on: Sheet, levels: list[Level]) -> list[Markup]:
    """Name each height of the watermark but the last, which is named at the right."""
    labels = []
    for place, (left, _, at) in enumerate(levels[:-1]):
        text = on.words.time(at)
        y = on.y(at)
        spots: list[Spot] = [(left + 5, y + 18, "start"), (left + 5, y - 8, "start")]
        long = f"watermark {text}" if place == 0 else text
        kind = "lk-tl b blue halo"
        labels.append(on.label([(long, kind)], spots) or on.label([(text, kind)], spots))
    return labels


def _late_label(on: Sheet, tails: list[tuple[float, float]]) -> Markup:
    """Say once what the dots are."""
    kind = "lk-tl verm halo"
    whole = [("late test: still the", kind), ("watermark before", kind)]
    for lines in (whole, [("late test", kind)]):
        for x, y in tails:
            above = y - 10 - 15 * (len(lines) - 1)
            found = on.label(lines, [(x + 5, y + 18, "start"), (x + 5, above, "start")])
            if found:
                return found
    return Markup("")


def _delay(on: Sheet) -> Markup:
    """Show once that the watermark lies one delay below the newest event."""
    delays = on.timeline.setting.delays_ms
    for i in range(1, len(on.steps)):
        newest, mark = on.steps[i - 1].newest_so_far_ms, on.steps[i].watermark_ms
        if mark is None or newest is None or len(delays) != 1 or newest - mark != delays[0]:
            continue
        x, top, bottom = on.x(i) + on.column_px * 0.3, on.y(newest) + 2, on.y(mark) - 10
        if bottom - top < 14 or not on.is_free(x - 4, top + 6, 8, bottom - top - 6):
            continue
        on.block(x - 4, top, 8, bottom - top + 8)
        head = element("path", d=f"M{x - 4:.1f} {bottom:.1f}h8l-4 7z", class_="lk-tl-head")
        line = element("path", d=f"M{x:.1f} {top:.1f}V{bottom:.1f}", class_="lk-tl-axis")
        spots: list[Spot] = [(x + 8, (top + bottom) / 2 + 6, "start")]
        words = on.label([(interval_words(delays[0]), "lk-tl halo")], spots)
        return join([line, head, words])
    return Markup("")


def _none_yet(on: Sheet) -> Markup:
    if not on.timeline.setting.delays_ms or on.steps[0].watermark_ms is not None:
        return Markup("")
    spots: list[Spot] = [(LEFT + 6, BOTTOM - 2, "start")]
    return on.label([("no watermark yet", "lk-tl-soft")], spots)
