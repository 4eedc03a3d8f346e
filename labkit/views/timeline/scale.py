"""From event time to pixels: an axis that leaves out what nobody lives in.

One row with a broken clock (the year 2099) would press all others into one line. Where nothing
happens for much longer than everything that does happen, the axis is broken: both parts keep the
same scale, and the break says how much is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from labkit.views.event_time import UNITS_MS, Window, local

MAX_BREAKS = 2
BREAK_PX = 30
PAD_PX = 14
# A gap must be this many times longer than all else together, and so many windows long.
BREAK_TIMES = 4
BREAK_UNITS = 8
MIN_TICK_PX, MIN_FREE_TICK_PX = 26, 40
MIN_MINOR_PX = 12
STEPS_MS = (
    *(ms for ms in (1, 10, 100, 200, 500)),
    *(s * UNITS_MS["second"] for s in (1, 2, 5, 10, 15, 30)),
    *(m * UNITS_MS["minute"] for m in (1, 2, 5, 10, 15, 30)),
    *(h * UNITS_MS["hour"] for h in (1, 2, 3, 6, 12)),
    *(d * UNITS_MS["day"] for d in (1, 2, 7, 28, 91, 365)),
    *(y * UNITS_MS["year"] for y in (2, 5, 10, 20, 50, 100, 500, 1000, 5000, 20000, 100000)),
)


@dataclass(frozen=True)
class Part:
    """A stretch of the axis without a break; pixels are counted downwards."""

    low_ms: int
    high_ms: int
    bottom: float
    top: float


@dataclass(frozen=True)
class Scale:
    """The whole axis, the oldest part first; ``px_per_ms`` is the same in all parts."""

    parts: tuple[Part, ...]
    px_per_ms: float

    def y(self, at_ms: int) -> float:
        """Return the height of an instant; one in a break lies at its edge."""
        for part in self.parts:
            if at_ms <= part.high_ms:
                return (
                    part.bottom - PAD_PX - (max(at_ms, part.low_ms) - part.low_ms) * self.px_per_ms
                )
        last = self.parts[-1]
        return last.bottom - PAD_PX - (last.high_ms - last.low_ms) * self.px_per_ms

    def length(self, duration_ms: int) -> float:
        """Return how many pixels a duration takes."""
        return duration_ms * self.px_per_ms


def scale(stretches: Iterable[Window], unit_ms: int, *, top: float, bottom: float) -> Scale:
    """Return an axis that shows all stretches of event time.

    Parameters
    ----------
    stretches
        What must be seen, start and end in epoch milliseconds; an instant has both the same.
    unit_ms
        What counts as a usual length here, such as the window.
    top, bottom
        The pixels to fill.
    """
    groups = _groups(sorted(stretches), unit_ms)
    if len(groups) == 1:  # room for the next window, so that the axis does not jump at once
        low, high = groups[0]
        groups = [(low, max(high, low + 2 * unit_ms))]
    fixed = 2 * PAD_PX * len(groups) + BREAK_PX * (len(groups) - 1)
    px_per_ms = (bottom - top - fixed) / max(1, sum(high - low for low, high in groups))
    parts = []
    for low, high in groups:
        height = 2 * PAD_PX + (high - low) * px_per_ms
        parts.append(Part(low, high, bottom, bottom - height))
        bottom -= height + BREAK_PX
    return Scale(tuple(parts), px_per_ms)


def _groups(stretches: list[Window], unit_ms: int) -> list[Window]:
    """Join the stretches, and break where a gap is far longer than all of them."""
    joined: list[Window] = []
    for low, high in stretches:
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    gaps = sorted(after[0] - before[1] for before, after in pairwise(joined))
    breaks: list[int] = []
    while gaps and len(breaks) < MAX_BREAKS:
        rest = joined[-1][1] - joined[0][0] - sum(breaks) - gaps[-1]
        if gaps[-1] < max(BREAK_TIMES * rest, BREAK_UNITS * unit_ms):
            break
        breaks.append(gaps.pop())
    groups = [joined[0]]
    for low, high in joined[1:]:
        if low - groups[-1][1] in breaks:
            breaks.remove(low - groups[-1][1])
            groups.append((low, high))
        else:
            groups[-1] = (groups[-1][0], high)
    return [_widened(group, unit_ms) for group in groups]


def _widened(group: Window, unit_ms: int) -> Window:
    """Give a lonely instant some time around it."""
    low, high = group
    return group if high - low >= unit_ms else (low, low + unit_ms)


def ticks(part: Part, of: Scale, grid_ms: int, zone: str) -> tuple[list[int], list[int]]:
    """Return the instants to be named on the axis, and those with a small tick only.

    Parameters
    ----------
    part, of
        The part and its axis.
    grid_ms
        From one window to the next; the names stand there if there is room. 0: no windows.
    zone
        Days begin at midnight there.
    """
    steps = [s for s in STEPS_MS if of.length(s) >= MIN_FREE_TICK_PX] or [STEPS_MS[-1]]
    step = steps[0]
    if grid_ms and of.length(grid_ms) >= MIN_TICK_PX:
        step = grid_ms
    elif grid_ms:
        step = next((s for s in steps if s % grid_ms == 0), step)
    minor = [s for s in STEPS_MS if step % s == 0 and of.length(s) >= MIN_MINOR_PX]
    shift = 0
    if step >= UNITS_MS["hour"] and step != grid_ms:
        offset = local(part.low_ms, zone)[1].utcoffset()
        shift = round(offset.total_seconds() * 1000) if offset else 0
    named = _multiples(part, step, shift)
    small = _multiples(part, minor[0], shift) if minor else []
    return named, [at for at in small if at not in named]


def _multiples(part: Part, step: int, shift: int) -> list[int]:
    first = -(-(part.low_ms + shift) // step) * step - shift
    return list(range(first, part.high_ms + 1, step))
