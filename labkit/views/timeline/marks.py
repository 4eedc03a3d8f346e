"""The events of a timeline, each where it came in: counted, late, half late, without time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from labkit.views.svg import Markup, element, join
from labkit.views.timeline.model import Step
from labkit.views.timeline.sheet import BOTTOM, LINE_PX, Line, Sheet, Spot
from labkit.views.timeline.windows import HALF, KEPT, LATE, UNTIMED, Mark
from labkit.views.timeline.words import SIGNS

# Beyond, events are counted in squares; beyond the other, they are small and have no titles.
MAX_MARKS, MAX_SINGLE = 400, 60
# So many events of one batch may lie on top of others before squares count them.
MAX_PILED = 12
MAX_LABELS = 60
LATE_PX, MARK_PX, RADIUS_PX = 30, 12, 5.5
DOT_PX = 7
SQUARE_PX = 18
# So close to the right edge the name of a late event may reach into the margin.
SPILL_PX = 150


@dataclass(frozen=True)
class Placed:
    """An event and where it stands."""

    mark: Mark
    x: float
    y: float
    is_piled: bool  # there was no room beside the others of its batch
    why: str  # what a late-looking event that counted has to say


def marks(on: Sheet) -> Markup:
    """Draw the events, and keep their places clear."""
    squares = _squares(on) if _is_dense(on) else None
    untold = [_range(on, i, step) for i, step in enumerate(on.steps) if step.marks is None]
    if squares is not None:
        return join([*untold, *squares])
    placed = _placed(on)
    for p in placed:
        on.block(p.x - 6, p.y - 6, LATE_PX if p.mark.fate == LATE else MARK_PX, MARK_PX)
    if _total(on) > MAX_SINGLE:
        return join([*untold, *_crowd(placed)])
    return join([*untold, *(_draw(on, p) for p in placed)])


def mark_labels(on: Sheet) -> Markup:
    """Name the events as far as there is room, the surprising ones first."""
    if _is_dense(on):
        return Markup("")
    rank = sorted(_placed(on), key=lambda p: (p.mark.fate == KEPT, not p.why))
    return join(_label(on, p) for p in rank[:MAX_LABELS])


def _total(on: Sheet) -> int:
    return sum(len(step.marks or ()) for step in on.steps)


def _is_dense(on: Sheet) -> bool:
    """Whether the events could not be told apart."""
    if _total(on) > MAX_MARKS:
        return True
    columns = (_place(on, i, step) for i, step in enumerate(on.steps))
    return any(sum(p.is_piled for p in column) > MAX_PILED for column in columns)


def _placed(on: Sheet) -> list[Placed]:
    return [p for i, step in enumerate(on.steps) for p in _place(on, i, step)]


def _place(on: Sheet, column: int, step: Step) -> list[Placed]:
    """Put the events of a batch side by side where their times are close."""
    placed: list[Placed] = []
    is_crowd = _total(on) > MAX_SINGLE
    size, late = (DOT_PX, DOT_PX + 2) if is_crowd else (MARK_PX, LATE_PX)
    first = on.x(column) + on.inset
    last = on.x(column + 1) - (size / 2 if is_crowd else 8)
    for mark in step.marks or ():
        y = BOTTOM - 8 if mark.at_ms is None else on.y(mark.at_ms)
        near = [p for p in placed if abs(p.y - y) < size]
        x = first
        for other in sorted(near, key=lambda p: p.x):
            if other.x < x + size:  # else there is room before it
                x = max(x, other.x + (late if other.mark.fate == LATE else size))
        is_piled = bool(near) and x >= last
        x = first if is_piled else x
        placed.append(Placed(mark, x, y, is_piled, _why(on, column, mark)))
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
    if not on.timeline.setting.drops:
        return "nothing is late"
    return f"late test still {on.words.time(step.late_test_ms, none='off')}"


def _draw(on: Sheet, placed: Placed) -> Markup:
    title = element("title", f"{on.words.event(placed.mark)}: {placed.mark.fate}")
    return element("g", title, *_shapes(placed))


def _shapes(placed: Placed) -> list[Markup]:
    x, y, r = placed.x, placed.y, RADIUS_PX
    match placed.mark.fate:
        case "late":
            return [
                element("path", d=_triangle(x, y, r), class_="lk-tl-drop"),
                element("path", d=_cross(x + r + 5, y), class_="lk-tl-cross"),
            ]
        case "half late":
            half = f"M{x:.1f} {y - r:.1f}a{r} {r} 0 0 0 0 {2 * r}z"
            return [
                element("circle", cx=x, cy=y, r=r, class_="lk-tl-drop"),
                element("path", d=half, class_="lk-tl-half"),
            ]
        case "no time":
            square = element("rect", x=x - 5, y=y - 5, width=10, height=10, class_="lk-tl-untimed")
            return [square]
    return [element("circle", cx=x, cy=y, r=r, class_="lk-tl-event")]


def _triangle(x: float, y: float, r: float) -> str:
    return f"M{x - r - 1:.1f} {y - r + 1:.1f}h{2 * r + 2:g}l{-r - 1:g} {1.8 * r:.1f}z"


def _cross(x: float, y: float) -> str:
    return f"M{x:.1f} {y - 4:.1f}l8 8m0-8l-8 8"


def _crowd(placed: list[Placed]) -> list[Markup]:
    """Draw many events as one path for each fate, smaller and without titles."""
    at = {fate: [(p.x, p.y) for p in placed if p.mark.fate == fate] for fate in SIGNS}
    dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in at[KEPT])
    rings = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in at[HALF])
    drops = "".join(_triangle(x, y, RADIUS_PX - 2) for x, y in at[LATE])
    squares = "".join(f"M{x - 4:.0f} {y - 4:.0f}h8v8h-8z" for x, y in at[UNTIMED])
    courses = ((dots, "dots"), (rings, "dots half"), (drops, "drop"), (squares, "untimed"))
    return [element("path", d=course, class_=f"lk-tl-{kind}") for course, kind in courses if course]


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
    wide = mark.fate != KEPT and x > on.end - SPILL_PX
    for lines in _texts(on, placed):
        raised = [(x, y - 15 * (len(lines) - 1) if y < placed.y else y, a) for x, y, a in spots]
        found = on.label(lines, raised, wide=wide) or (_callout(on, placed, lines))
        if found:
            return found
    return Markup("")


def _callout(on: Sheet, placed: Placed, lines: list[Line]) -> Markup:
    """Name a surprising event from above, with an arrow."""
    if placed.mark.fate == KEPT and not placed.why:
        return Markup("")
    foot = placed.y - 8
    for lift in range(40, 220, 20):
        top = foot - lift
        if on.is_free(placed.x - 4, top, 8, foot - top - 2):
            spot: Spot = (placed.x - 4, top - 6 - LINE_PX * (len(lines) - 1), "start")
            found = on.label(lines, [spot], wide=placed.x > on.end - SPILL_PX)
            if found:
                on.block(placed.x - 4, top, 8, foot - top)
                line = f"M{placed.x:.1f} {top:.1f}V{foot - 6:.1f}"
                head = f"M{placed.x - 4:.1f} {foot - 7:.1f}h8l-4 7z"
                arrow = element("path", d=line, class_="lk-tl-axis")
                return join([arrow, element("path", d=head, class_="lk-tl-head"), found])
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


def _range(on: Sheet, column: int, step: Step) -> Markup:
    """Draw a batch whose events are not told: its oldest to its newest, and how many."""
    if step.oldest_ms is None or step.newest_ms is None:
        return Markup("")
    x, top, bottom = on.x(column) + on.inset, on.y(step.newest_ms), on.y(step.oldest_ms)
    on.block(x - 4, top, 8, bottom - top)
    bar = element(
        "path", d=f"M{x - 4:.1f} {top:.1f}h8m-4 0V{bottom:.1f}m-4 0h8", class_="lk-tl-bar"
    )
    words = f"{step.rows:,} row{'' if step.rows == 1 else 's'}"
    spots: list[Spot] = [(x + 8, (top + bottom) / 2 + 4, "start"), (x + 4, top - 6, "start")]
    return join([bar, on.label([(words, "lk-tl halo")], spots)])


def _squares(on: Sheet) -> list[Markup]:
    """Draw many events as counts, one square for each fate and stretch of time."""
    width = min(26.0, on.column_px / 2 - 1)
    # With many columns higher squares, since each costs bytes.
    height = SQUARE_PX * -(-len(on.steps) // 12)
    found: dict[bool, list[tuple[float, float, int]]] = {False: [], True: []}
    for column, step in enumerate(on.steps):
        marks_of = step.marks or ()
        counts = Counter((m.fate == LATE, _height(on, m) // height) for m in marks_of)
        for (late, level), number in sorted(counts.items()):
            x, y = on.x(column) + 1 + (width if late else 0), BOTTOM - (level + 1) * height
            found[late].append((x, y, number))
            on.block(x, y, width, height)
    drawn = []
    for late, squares in found.items():
        kind = "late" if late else "kept"
        box = f"h{width - 2:.1f}v{height - 2}h{2 - width:.1f}z"
        course = "".join(f"M{x:.1f} {y}{box}" for x, y, _ in squares)
        numbers = [
            element("text", str(number), x=x + width / 2 - 1, y=y + height / 2 + 3)
            for x, y, number in squares
        ]
        if squares:
            drawn.append(element("path", d=course, class_=f"lk-tl-square {kind}"))
            drawn.append(element("g", *numbers, class_=f"lk-tl-middle {kind}"))
    return drawn


def _height(on: Sheet, mark: Mark) -> int:
    return int(BOTTOM - (BOTTOM - 1 if mark.at_ms is None else on.y(mark.at_ms)))
