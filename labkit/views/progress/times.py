"""Two rows of the progress panel: event time with the watermark, and Kafka's lag."""

from __future__ import annotations

from datetime import datetime

from labkit.views.progress.axis import PLOT_PX, Axis, Strip, time_ticks, usual_span
from labkit.views.progress.labels import Label, beside, written
from labkit.views.progress.model import Panel
from labkit.views.progress.words import Clock, need_of
from labkit.views.svg import Markup, element

TALL_PX, EDGE_PX = 130, 16
# How broad the bar of a batch's event times is at most.
NARROW_PX = 8
# Two lines of words fit on the strip of the lag.
HIGH_PX, LOW_PX = 14, 40
MAX_LINES = 2


class _Scale:
    """From an event time to a height; times far outside stand at the edge."""

    def __init__(self, panel: Panel, needed: datetime | None) -> None:
        shown = panel.shown
        events = [t for b in shown for t in (b.oldest, b.newest) if t is not None]
        marks = [b.watermark for b in shown if b.watermark is not None]
        self.low, self.high = usual_span(events + marks)
        if needed is not None and self.low <= needed - (self.high - self.low) <= self.high:
            self.high = max(self.high, needed)

    def __call__(self, time: datetime) -> int:
        span = (self.high - self.low).total_seconds() or 1
        part = min(1.0, max(0.0, (time - self.low).total_seconds() / span))
        return round(TALL_PX - EDGE_PX - (TALL_PX - 2 * EDGE_PX) * part)

    def is_off(self, time: datetime) -> bool:
        """Whether a time lies outside and stands at the edge."""
        return not self.low <= time <= self.high


def event_time(panel: Panel, axis: Axis) -> Strip | None:
    """Draw each batch's event times as a bar, the watermark as a staircase, and what is needed."""
    shown, clock = panel.shown, Clock(panel)
    if all(batch.newest is None for batch in shown):
        return None
    need = need_of(panel)
    scale = _Scale(panel, need.at if need else None)
    low, high = scale.low.astimezone(clock.zone), scale.high.astimezone(clock.zone)
    ticks = time_ticks(low, high)
    words = [
        axis.text(clock.tick(tick), PLOT_PX - 6, scale(tick) + 4, "t m", anchor="end")
        for tick in ticks
    ]
    spans = [
        (max(scale(b.oldest), scale(b.newest) + 4), scale(b.newest))
        if b.oldest and b.newest
        else None
        for b in shown
    ]
    marks = [scale(b.watermark) if b.watermark else None for b in shown]
    width = NARROW_PX if axis.bar_px > NARROW_PX else None
    paths = [axis.bars(spans, "bar", width), axis.steps(marks, "wm")]
    wishes = _labels(panel, axis, scale, clock)
    if need is not None and not scale.is_off(need.at):
        line, places = _needed(axis, scale(need.at), f"needed: {clock.full(need.at)}")
        paths.append(line)
        wishes.insert(0, places)
    last = shown[-1]
    newest = clock.short(panel.newest) if panel.newest else "–"
    return Strip(
        height=TALL_PX,
        title="Event time",
        hint=panel.facts.zone,
        value=f"{newest} newest",
        remark=f"watermark {clock.short(last.watermark)}" if last.watermark else "no watermark yet",
        paths=tuple(paths),
        lines=tuple(map(scale, ticks)),
        words=(*words, *written(axis, *wishes)),
    )


def _needed(axis: Axis, y: float, words: str) -> tuple[Markup, list[Label]]:
    """Draw the event time that is needed, with its words before or behind the line."""
    first = max(0, axis.count - 7)
    line = element("path", d=f"M{first} {axis.top + y:g}H{axis.count}", class_="need")
    before = Label(words, axis.left(first) - 6, y + 4, "t b h", from_right=True)
    return line, [before, Label(words, axis.end + 6, y + 4, "t b h")]


def _labels(panel: Panel, axis: Axis, scale: _Scale, clock: Clock) -> list[list[Label]]:
    """Name the marks, the most needed first: what is unusual, and which line is the watermark."""
    shown, wishes = panel.shown, list[list[Label]]()
    late = [i for i, b in enumerate(shown) if b.oldest and b.watermark and b.oldest < b.watermark]
    oldest = shown[late[-1]].oldest if late else None
    if oldest is not None and not scale.is_off(oldest):
        words, y = f"back to {clock.short(oldest)}", scale(oldest) + 12
        wishes.append(beside(axis, late[-1], y, words, "t b v h", inside=True))
    far = [i for i, b in enumerate(shown) if b.newest and b.newest > scale.high]
    newest = shown[far[0]].newest if far else None
    if newest is not None:
        wishes.append(beside(axis, far[0], 12, f"↑ {clock.short(newest)}", "t b h"))
    untimed = [i for i, b in enumerate(shown) if b.untimed]
    if untimed:
        wishes.append(beside(axis, untimed[-1], TALL_PX - 4, "a row without event time"))
    marks = [(i, b.watermark) for i, b in enumerate(shown) if b.watermark]
    marked = [(i, scale(mark)) for i, mark in marks if not scale.is_off(mark)]
    # The line only rises, so there is always room below it, to the right.
    wishes.append(
        [
            label
            for quarter in (2, 1, 3, 0)
            for place, y in [marked[len(marked) * quarter // 4]]
            for label in beside(
                axis, place, min(y + 16, TALL_PX - 3), "watermark", "t b u h", inside=True
            )
        ]
        if marked
        else []
    )
    return wishes


def kafka_lag(panel: Panel, axis: Axis) -> Strip | None:
    """Draw the records not yet read, for one or two partitions each on its own."""
    shown = panel.shown
    last = panel.batches[-1].kafka
    if not last:
        return None
    places = [(p.topic, p.number) for p in last]
    lags = [{(p.topic, p.number): p.lag for p in b.kafka} for b in shown]
    own = len(places) <= MAX_LINES
    lines = {
        _name(place, places): [known.get(place, 0) for known in lags] for place in reversed(places)
    }
    if not own:
        lines = {"the most behind": [max(known.values(), default=0) for known in lags]}
        lines["all partitions"] = [sum(known.values()) for known in lags]
    most = max([*(n for line in lines.values() for n in line), 1])
    paths, wishes = list[Markup](), list[list[Label]]()
    looks = (("lag1", "t b p h", False), ("lag0", "t h", True))
    for (name, line), (class_, ink, low) in zip(lines.items(), looks, strict=False):
        heights = [round(45 - 36 * n / most) for n in line]
        paths.append(axis.steps(heights, class_))
        if any(line):
            words = f"{name}: up to {max(line):,}"
            wishes.append(_peak_places(axis, words, heights, ink, low=low))
    total = sum(p.lag for p in last)
    parts = " and ".join(f"{p.lag:,}" for p in last)
    return Strip(
        height=50,
        title="Kafka lag",
        hint="records not yet read",
        value=parts if own else f"{total:,}",
        remark=_partition_words(places) if own else f"in {len(places)} partitions",
        paths=tuple(paths),
        lines=(46,),
        words=written(axis, *wishes),
    )


def _peak_places(axis: Axis, words: str, heights: list[int], ink: str, *, low: bool) -> list[Label]:
    """Return where a line can be named: beside its peak; a ``low`` one rather before it rises."""
    peak, rises = min(heights), next(i for i, y in enumerate(heights) if y < 45)
    before = Label(words, axis.left(rises) - 6, LOW_PX, ink, from_right=True)
    own = min(peak + 9, LOW_PX)
    near = [
        label
        for y in ((LOW_PX, own, HIGH_PX) if low else (own, HIGH_PX, LOW_PX))
        for place in (heights.index(peak), len(heights) - 1)
        for label in beside(axis, place, y, words, ink)
    ]
    return [before, *near] if low else near


def _name(place: tuple[str, int], places: list[tuple[str, int]]) -> str:
    topics = {topic for topic, _ in places}
    return f"partition {place[1]}" if len(topics) == 1 else f"{place[0]} {place[1]}"


def _partition_words(places: list[tuple[str, int]]) -> str:
    names = [_name(place, places) for place in places]
    if all(name.startswith("partition ") for name in names) and len(names) > 1:
        return "partitions " + " and ".join(name.removeprefix("partition ") for name in names)
    return " and ".join(names)
