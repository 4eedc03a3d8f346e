"""What the rows of the progress panel share: the batch axis, a strip, bars, steps, time ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from labkit.views.svg import Markup, element

LEFT_PX, PLOT_PX, RIGHT_PX = 16, 192, 646
PLOT_WIDTH_PX, WIDTH_PX = 440, 840
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
    paths
        What is drawn between, in columns of the axis and in pixels of the whole picture.
    lines
        Heights of the thin lines behind it, such as the one on which bars stand.
    words
        What is written on it, in pixels of the whole picture.
    warns
        Whether the remark is a warning.
    """

    height: int
    title: str
    hint: str
    value: str
    remark: str
    paths: tuple[Markup, ...]
    lines: tuple[int, ...]
    words: tuple[Markup, ...] = ()
    warns: bool = False


@dataclass(frozen=True)
class Axis:
    """Where the batches stand, from left to right in equal steps.

    Paths are written in columns, so that one number or two are enough for a batch; how broad a
    column is stands once, in :meth:`place`. Words are written in pixels. A panel is sent several
    times a second, and so stays within 8 KB.

    Parameters
    ----------
    count
        The batches.
    top
        Where the strip that is drawn begins, in pixels.
    """

    count: int
    top: int = 0

    def below(self, strip: Strip) -> Axis:
        """Return the axis of the strip that comes next."""
        return replace(self, top=self.top + strip.height + 1)

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

    @property
    def breadth(self) -> float:
        """The width of the plot in columns, also where no batch stands yet."""
        return round(PLOT_WIDTH_PX / self.pitch, 2)

    def columns(self, pixels: float) -> float:
        """Return a width in columns."""
        return round(pixels / self.pitch, 2)

    def place(self) -> str:
        """Return the transformation from columns to pixels of the picture."""
        return f"matrix({self.pitch} 0 0 1 {PLOT_PX} 0)"

    def line(self, y: int) -> str:
        """Return the path of a thin line at some height of the strip."""
        return f"M0 {self.top + y}h{short(self.breadth)}"

    def bars(
        self, spans: Sequence[tuple[float, float] | None], class_: str, width: int | None = None
    ) -> Markup:
        """Draw an upright bar for each batch, from one height to another.

        Heights are whole pixels, and each bar starts at its end that is nearer to the one before.
        Bars are as broad as all of the picture, or have a ``width`` of their own.
        """
        parts: list[str] = []
        x, y = 0.0, -self.top
        for i, span in enumerate(spans):
            start, end = (round(span[0]), round(span[1])) if span else (0, 0)
            if start == end:
                continue
            if parts and abs(end - y) < abs(start - y):
                start, end = end, start
            parts.append(f"m{short(i + 0.5 - x)}{_after(start - y)}v{end - start}")
            x, y = i + 0.5, end
        if not parts:
            return Markup("")
        return element("path", d="".join(parts), stroke_width=width, class_=class_)

    def signs(self, places: Sequence[int], y: int, left: float, shape: str, class_: str) -> Markup:
        """Draw the same closed shape at some batches; it begins ``left`` columns in each."""
        if not places:
            return Markup("")
        steps = "".join(f"m{b - a} 0{shape}" for a, b in pairwise(places))
        first = f"M{short(places[0] + left)} {self.top + y}{shape}"
        return element("path", d=first + steps, class_=class_)

    def steps(
        self, heights: Sequence[float | None], class_: str, base: int | None = None
    ) -> Markup:
        """Draw a staircase, or an area on a base; where nothing is known there is a gap."""
        tops = [None if y is None else self.top + y for y in heights]
        line = outline(tops, None if base is None else self.top + base)
        return element("path", d=line, class_=class_) if line else Markup("")

    def text(
        self, text: str, x: float, y: float, class_: str, *, anchor: str | None = None
    ) -> Markup:
        """Write at a place in the strip."""
        return element("text", text, x=x, y=self.top + y, text_anchor=anchor, class_=class_)

    def above(self, place: int, y: float, text: str, class_: str = "t b h") -> Markup:
        """Write above a batch."""
        return self.text(text, self.middle(place), y, class_, anchor="middle")


def outline(heights: Sequence[float | None], base: int | None = None) -> str:
    """Return the path of a staircase, one column for each height; with a base that of an area.

    Examples
    --------
    >>> outline([9, 9, 4, None, 7])
    'M0 9h2v-5h1M4 7h1'
    >>> outline([9, 9, 4, None, 7], base=20)
    'M0 20V9h2v-5h1V20M4 20V7h1V20'
    """
    parts: list[str] = []
    place, before = 0, None
    down = "" if base is None else f"V{base}"
    for y, same in groupby(None if height is None else round(height) for height in heights):
        count = len(list(same))
        if y is None:
            parts.append(down * (before is not None))
        else:
            start = f"M{place} {y}" if base is None else f"M{place} {base}V{y}"
            parts.append(start if before is None else f"v{y - before}")
            parts.append(f"h{count}")
        place, before = place + count, y
    return "".join([*parts, down * (before is not None)])


def short(number: float) -> str:
    """Write a number of columns as short as a path allows.

    Examples
    --------
    >>> short(0.5), short(-0.4545), short(3.0)
    ('.5', '-.45', '3')
    """
    return (
        f"{round(number, 2):g}".replace("0.", ".", 1)
        if abs(number) < 1
        else f"{round(number, 2):g}"
    )


def _after(number: int) -> str:
    """Write a number behind another; a minus parts them as well as a space does."""
    return f"{number}" if number < 0 else f" {number}"


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
