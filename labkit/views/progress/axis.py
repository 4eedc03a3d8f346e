"""What the rows of the progress panel share: the batch axis, a strip, bars, steps, time ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from labkit.views.svg import Markup, element

LEFT_PX, PLOT_PX, RIGHT_PX = 16, 192, 646
PLOT_WIDTH_PX, WIDTH_PX = 440, 850
MIN_PITCH_PX, MAX_PITCH_PX = 11, 20
# As wide as in a font such as DejaVu Sans.
LETTER_PX = 7.2

# Steps between two ticks of event time, in seconds.
NICE_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
DAY_S = 86_400
# Times that lie further off than this, in spans of the others, are put at the edge.
FAR = 20
MIN_SPAN = timedelta(minutes=10)


@dataclass(frozen=True)
class Strip:
    """One row of the panel.

    Parameters
    ----------
    height
        Pixels.
    title, hint
        The words on the left.
    value, remark
        The newest value, and more about it, on the right.
    marks
        What is drawn between, from 0 at the strip's top.
    warns
        Whether the remark is a warning.
    """

    height: int
    title: str
    hint: str
    value: str
    remark: str
    marks: tuple[Markup, ...]
    warns: bool = False


@dataclass(frozen=True)
class Axis:
    """Where the batches stand, from left to right in equal steps."""

    count: int

    @property
    def pitch(self) -> int:
        """Pixels from one batch to the next."""
        return max(MIN_PITCH_PX, min(MAX_PITCH_PX, PLOT_WIDTH_PX // max(1, self.count)))

    @property
    def bar_px(self) -> int:
        """How broad a bar is."""
        return self.pitch - 3 - self.pitch // 8

    def left(self, place: int) -> int:
        """Return where the column of a batch begins."""
        return PLOT_PX + place * self.pitch

    def middle(self, place: int) -> float:
        """Return the middle of a batch's column."""
        return self.left(place) + self.pitch / 2

    @property
    def end(self) -> int:
        """Where the newest batch's column ends."""
        return self.left(self.count)

    def base(self, y: int) -> Markup:
        """Draw the line on which bars stand."""
        return element("path", d=f"M{PLOT_PX} {y}H{PLOT_PX + PLOT_WIDTH_PX}", class_="g")

    def bars(
        self, spans: Sequence[tuple[float, float] | None], class_: str, width: int | None = None
    ) -> Markup:
        """Draw an upright bar for each batch, from one height to another.

        Heights are whole pixels, and each bar starts from the end of the one before: a picture of
        40 batches stays small.
        """
        parts: list[str] = []
        x, y = 0.0, 0
        for i, span in enumerate(spans):
            start, end = (round(span[0]), round(span[1])) if span else (0, 0)
            if start != end:
                parts.append(f"m{self.middle(i) - x:g} {start - y}v{end - start}")
                x, y = self.middle(i), end
        path = "".join(parts).replace("m", "M", 1)
        return element("path", d=path, stroke_width=width or self.bar_px, class_=class_)

    def steps(self, heights: Sequence[float | None], class_: str) -> Markup:
        """Draw a staircase; where nothing is known the line has a gap."""
        return element("path", d=self.outline(heights), class_=class_)

    def outline(self, heights: Sequence[float | None]) -> str:
        """Return the path of a staircase."""
        parts: list[str] = []
        before: float | None = None
        for i, height in enumerate(heights):
            if height is None:
                before = None
                continue
            y = f"{round(height)}"
            if before is None:
                parts.append(f"M{self.left(i)} {y}")
            elif round(before) != round(height):
                parts.append(f"V{y}")
            # A line that goes on level need not stop at each batch.
            following = heights[i + 1] if i + 1 < len(heights) else None
            goes_on = following is not None and round(following) == round(height)
            parts.append("" if goes_on else f"H{self.left(i + 1)}")
            before = height
        return "".join(parts)

    def words(
        self, place: int, y: float, text: str, class_: str = "t h", *, inside: bool = False
    ) -> Markup:
        """Write beside a batch (``inside``: from its column on), on the side with room."""
        x = self.left(place) if inside else self.left(place + 1) + 3
        if x + LETTER_PX * len(text) < RIGHT_PX:
            return element("text", text, x=x, y=y, class_=class_)
        x = self.left(place + 1) if inside else self.left(place) - 4
        return element("text", text, x=x, y=y, text_anchor="end", class_=class_)

    def above(self, place: int, y: float, text: str, class_: str = "t b h") -> Markup:
        """Write above a batch."""
        return element("text", text, x=self.middle(place), y=y, text_anchor="middle", class_=class_)


def usual_span(times: Sequence[datetime]) -> tuple[datetime, datetime]:
    """Return the range of most times, without those that lie very far off.

    One row of the year 2099 (or 1970) must not press all others into one line.

    Examples
    --------
    >>> from datetime import UTC
    >>> honest = [datetime(2024, 1, 1, 10, minute, tzinfo=UTC) for minute in (0, 3, 6)]
    >>> low, high = usual_span([*honest, datetime(2099, 1, 1, tzinfo=UTC)])
    >>> f"{low:%H:%M}", f"{high:%H:%M}"
    ('10:00', '10:06')
    """
    kept = sorted(times)
    while len(kept) > 1:
        gaps = [b - a for a, b in pairwise(kept)]
        cut = gaps.index(max(gaps)) + 1
        parts = (kept[:cut], kept[cut:])
        part = max(parts, key=len)  # the older one when both are as long
        if gaps[cut - 1] <= FAR * max(part[-1] - part[0], MIN_SPAN):
            break
        kept = part
    return kept[0], kept[-1]


def time_ticks(low: datetime, high: datetime, most: int = 4) -> list[datetime]:
    """Return round times between two times, in the zone of ``low``.

    Examples
    --------
    >>> from datetime import UTC
    >>> low = datetime(2024, 1, 1, 9, 58, tzinfo=UTC)
    >>> [f"{tick:%H:%M}" for tick in time_ticks(low, low + timedelta(minutes=9))]
    ['10:00', '10:05']
    """
    span_s = (high - low).total_seconds()
    days = (DAY_S * n for n in (1, 2, 7, 14, 28, 91, 182, 365, 3650))
    step_s = next((s for s in (*NICE_S, *days) if span_s / s <= most), 36_500 * DAY_S)
    midnight = low.replace(hour=0, minute=0, second=0, microsecond=0)
    first = -(-(low - midnight).total_seconds() // step_s)
    ticks = [midnight + timedelta(seconds=step_s * (first + n)) for n in range(most + 1)]
    return [tick for tick in ticks if tick <= high]
