"""The events of a timeline, each where it came in: counted, late, half late, without time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from labkit.views.svg import Markup, element, join
from labkit.views.timeline import HALF, KEPT, LATE, UNTIMED, Mark, Step
from labkit.views.timeline_lines import INSET_PX
from labkit.views.timeline_sheet import BOTTOM, Line, Sheet, Spot

# Beyond, events are counted in squares; and beyond the other, they have no titles.
MAX_MARKS, MAX_TITLES = 400, 120
LATE_PX, MARK_PX = 30, 12
SQUARE_PX = 18


@dataclass(frozen=True)
class Placed:
    """An event and where it stands."""

    mark: Mark
    x: float
    y: float
    why: str  # what a late-looking event that counted has to say


def marks(on: Sheet) -> tuple[Markup, Markup]:
    """Return the events, and their labels, which must lie on top."""
    total = sum(len(step.marks or ()) for step in on.steps)
    if total > MAX_MARKS:
        return join(_squares(on, i, step) for i, step in enumerate(on.steps)), Markup("")
    placed = [p for i, step in enumerate(on.steps) for p in _place(on, i, step)]
    for p in placed:
        wide = LATE_PX if p.mark.fate == LATE else MARK_PX
        on.block(p.x - 6, p.y - 6, wide, MARK_PX)
    bulk = [element("g", _ranges(on, i, step)) for i, step in enumerate(on.steps)
            if step.marks is None and step.oldest_ms is not None]  # fmt: skip
    radius = 5.5 if total <= MAX_TITLES else 3.5
    drawn = [*bulk, *(_draw(on, p, radius, titled=total <= MAX_TITLES) for p in placed)]
    rank = sorted(placed, key=lambda p: (p.mark.fate == KEPT, not p.why))
    return join(drawn), join(_label(on, p) for p in rank)


def _place(on: Sheet, column: int, step: Step) -> list[Placed]:
    """Put the events of a batch side by side where their times are close."""
    placed: list[Placed] = []
    last = on.x(column + 1) - 8
    for mark in step.marks or ():
        y = BOTTOM - 8 if mark.at_ms is None else on.y(mark.at_ms)
        near = [p for p in placed if abs(p.y - y) < MARK_PX]
        x = on.x(column) + min(INSET_PX, on.column_px / 3)
        if near:
            newest = max(near, key=lambda p: p.x)
            x = newest.x + (LATE_PX if newest.mark.fate == LATE else MARK_PX)
            x = x if x < last else on.x(column) + INSET_PX
        placed.append(Placed(mark, x, y, _why(on, column, mark)))
    return placed


def _why(on: Sheet, column: int, mark: Mark) -> str:
    """Say why an event counts although newer ones have come; nothing for others."""
    step = on.steps[column]
    before = on.steps[column - 1].newest_so_far_ms if column else None
    if mark.fate != KEPT or mark.at_ms is None or before is None or mark.at_ms >= before:
        return ""
    windows = on.timeline.setting.windows.kind in {"tumbling", "sliding"}
    if step.watermark_ms is None or mark.kept[-1][1] > step.watermark_ms:
        return "its window is open" if windows else ""
    if on.timeline.setting.mode == "complete":
        return "nothing is late"
    return f"late test still {on.words.time(step.late_test_ms, none='off')}"


def _draw(on: Sheet, placed: Placed, radius: float, *, titled: bool) -> Markup:
    mark, x, y = placed.mark, placed.x, placed.y
    shape = _shape(mark.fate, x, y, radius)
    if not titled:
        return shape
    return element("g", element("title", f"{on.words.event(mark)}: {mark.fate}"), shape)


def _shape(fate: str, x: float, y: float, r: float) -> Markup:
    match fate:
        case "late":
            down = f"M{x - r - 1:.1f} {y - r + 1:.1f}h{2 * r + 2:.1f}l{-r - 1:.1f} {1.8 * r:.1f}z"
            cross = f"M{x + r + 5:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
            return join(
                [
                    element("path", d=down, class_="lk-tl-drop"),
                    element("path", d=cross, class_="lk-tl-cross"),
                ]
            )
        case "half late":
            half = f"M{x:.1f} {y - r:.1f}a{r} {r} 0 0 0 0 {2 * r}z"
            return join(
                [
                    element("circle", cx=x, cy=y, r=r, class_="lk-tl-drop"),
                    element("path", d=half, class_="lk-tl-half"),
                ]
            )
        case "no time":
            return element("rect", x=x - 5, y=y - 5, width=10, height=10, class_="lk-tl-untimed")
    return element("circle", cx=x, cy=y, r=r, class_="lk-tl-event")


def _label(on: Sheet, placed: Placed) -> Markup:
    mark, x, y = placed.mark, placed.x, placed.y
    wide = LATE_PX - 6 if mark.fate == LATE else 10
    spots: list[Spot] = [
        (x + wide, y + 4, "start"),
        (x + 9, y - 8, "start"),
        (x + 9, y + 18, "start"),
        (x - 9, y - 8, "end"),
        (x - 9, y + 18, "end"),
    ]
    if mark.fate == KEPT:
        spots = [*spots[1:2], spots[0], *spots[2:]]
    for lines in _texts(on, placed):
        raised = [(x, y - 15 * (len(lines) - 1) if y < placed.y else y, a) for x, y, a in spots]
        found = on.label(lines, raised)
        if found:
            return found
    return Markup("")


def _texts(on: Sheet, placed: Placed) -> list[list[Line]]:
    """Return what may stand beside an event, the fullest first."""
    mark = placed.mark
    time, whole = on.words.time(mark.at_ms, none="null"), on.words.event(mark)
    bold, plain = "lk-tl b halo", "lk-tl halo"
    if mark.fate == UNTIMED:
        return [[("no event time", plain)], [("null", plain)]]
    if mark.fate == KEPT:
        reason = [[(f"{whole} counts:", bold), (placed.why, plain)]] if placed.why else []
        return [*reason, [(whole, bold)], [(time, bold)]]
    bold, plain = "lk-tl b verm halo", "lk-tl verm halo"
    if mark.fate == HALF:
        why = "late for one window" if len(mark.late) == 1 else f"late for {len(mark.late)} windows"
        return [[(f"{whole} half late:", bold), (why, plain)], [(f"{time} half late", bold)]]
    why = "window is closed" if on.timeline.setting.windows.kind != "none" else "not newer"
    return [[(f"{whole} late:", bold), (why, plain)], [(f"{time} late", bold)], [("late", bold)]]


def _ranges(on: Sheet, column: int, step: Step) -> Markup:
    """Draw a batch whose events are not told: its oldest to its newest, and how many."""
    if step.oldest_ms is None or step.newest_ms is None:
        return Markup("")
    x, top, bottom = on.x(column) + INSET_PX, on.y(step.newest_ms), on.y(step.oldest_ms)
    on.block(x - 4, top, 8, bottom - top)
    bar = element(
        "path", d=f"M{x - 4:.1f} {top:.1f}h8m-4 0V{bottom:.1f}m-4 0h8", class_="lk-tl-bar"
    )
    words = f"{step.rows:,} row{'' if step.rows == 1 else 's'}"
    spots: list[Spot] = [(x + 8, (top + bottom) / 2 + 4, "start"), (x + 4, top - 6, "start")]
    return join([bar, on.label([(words, "lk-tl halo")], spots)])


def _squares(on: Sheet, column: int, step: Step) -> Markup:
    """Draw many events as counts, one square for each fate and stretch of time."""
    if step.marks is None:
        return _ranges(on, column, step)
    counts = Counter((m.fate == LATE, _level(on, m)) for m in step.marks)
    width = min(26.0, on.column_px / 2 - 1)
    drawn = []
    for (late, level), number in sorted(counts.items()):
        x, y = on.x(column) + 1 + (width if late else 0), BOTTOM - (level + 1) * SQUARE_PX
        kind = "late" if late else "kept"
        box = f"M{x:.1f} {y}h{width - 2:.1f}v{SQUARE_PX - 2}h{2 - width:.1f}z"
        drawn.append(element("path", d=box, class_=f"lk-tl-square {kind}"))
        middle = x + width / 2 - 1
        drawn.append(
            element("text", str(number), x=middle, y=y + 12, class_=f"lk-tl lk-tl-middle {kind}")
        )
    return join(drawn)


def _level(on: Sheet, mark: Mark) -> int:
    y = BOTTOM - 1 if mark.at_ms is None else on.y(mark.at_ms)
    return int((BOTTOM - y) // SQUARE_PX)
