"""Two rows of the progress panel: event time with the watermark, and Kafka's lag."""

from __future__ import annotations

from datetime import datetime

from labkit.views.progress.axis import LETTER_PX, PLOT_PX, Axis, Strip, time_ticks, usual_span
from labkit.views.progress.model import Panel
from labkit.views.progress.words import Clock, need_of
from labkit.views.svg import Markup, element

TALL_PX, EDGE_PX = 130, 16
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
    paths = [axis.base(scale(tick)) for tick in ticks]
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
    paths.append(axis.bars(spans, "bar", min(8, axis.bar_px)))
    paths.append(axis.steps([scale(b.watermark) if b.watermark else None for b in shown], "wm"))
    words += _labels(panel, axis, scale, clock)
    if need is not None and not scale.is_off(need.at):
        line, said = _needed(axis, scale(need.at), f"needed: {clock.full(need.at)}")
        paths.append(line)
        words.append(said)
    last = shown[-1]
    newest = clock.short(panel.newest) if panel.newest else "–"
    return Strip(
        height=TALL_PX,
        title="Event time",
        hint=panel.facts.zone,
        value=f"{newest} newest",
        remark=f"watermark {clock.short(last.watermark)}" if last.watermark else "no watermark yet",
        paths=tuple(paths),
        words=tuple(words),
    )


def _needed(axis: Axis, y: float, words: str) -> tuple[Markup, Markup]:
    """Draw the event time that is needed, with its words before or behind the line."""
    first = max(0, axis.count - 7)
    line = element("path", d=f"M{first} {y:g}H{axis.count}", class_="need")
    start = axis.left(first)
    has_room = start - LETTER_PX * len(words) > PLOT_PX
    x, anchor = (start - 6, "end") if has_room else (axis.end + 6, None)
    return line, axis.text(words, x, y + 4, "t b h", anchor=anchor)


def _labels(panel: Panel, axis: Axis, scale: _Scale, clock: Clock) -> list[Markup]:
    """Write on the marks: which line is the watermark, and what is unusual."""
    shown, drawn = panel.shown, []
    late = [i for i, b in enumerate(shown) if b.oldest and b.watermark and b.oldest < b.watermark]
    oldest = shown[late[-1]].oldest if late else None
    if oldest is not None and not scale.is_off(oldest):
        words = f"back to {clock.short(oldest)}"
        drawn.append(axis.words(late[-1], scale(oldest) + 12, words, "t b v h", inside=True))
    marked = [i for i, b in enumerate(shown) if b.watermark and not scale.is_off(b.watermark)]
    if marked:
        # The line only rises, so there is always room below it, to the right.
        part = 1 if late and late[-1] > len(shown) // 2 else 2
        place = marked[len(marked) * part // 4]
        mark = shown[place].watermark
        y = min(scale(mark) + 16, TALL_PX - 3) if mark else 0
        drawn.append(axis.words(place, y, "watermark", "t b u h", inside=True))
    far = [i for i, b in enumerate(shown) if b.newest and b.newest > scale.high]
    newest = shown[far[0]].newest if far else None
    if newest is not None:
        drawn.append(axis.words(far[0], 12, f"↑ {clock.short(newest)}", "t b h"))
    untimed = [i for i, b in enumerate(shown) if b.untimed]
    if untimed:
        drawn.append(axis.words(untimed[-1], TALL_PX - 4, "a row without event time", "t h"))
    return drawn


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
    paths, words = [axis.base(46)], list[Markup]()
    looks = (("lag1", "t b p h", False), ("lag0", "t h", True))
    for (name, line), (class_, ink, before) in zip(lines.items(), looks, strict=False):
        paths.append(axis.steps([round(45 - 36 * n / most) for n in line], class_))
        words += _peak(axis, name, line, ink, before=before, most=most)
    total = sum(p.lag for p in last)
    parts = " and ".join(f"{p.lag:,}" for p in last)
    return Strip(
        height=50,
        title="Kafka lag",
        hint="records not yet read",
        value=parts if own else f"{total:,}",
        remark=_partition_words(places) if own else f"in {len(places)} partitions",
        paths=tuple(paths),
        words=tuple(words),
    )


def _peak(
    axis: Axis, name: str, line: list[int], ink: str, *, before: bool, most: int
) -> list[Markup]:
    """Name a line at its peak; the lower one before it rises, where the other is not in the way."""
    behind = [i for i, n in enumerate(line) if n]
    if not behind:
        return []
    words = f"{name}: up to {max(line):,}"
    if before and axis.left(behind[0]) - 7 * len(words) > PLOT_PX:
        x = axis.left(behind[0]) - 6
        return [axis.text(words, x, 40, ink, anchor="end")]
    place = line.index(max(line))
    y = 40 if before else 54 - 36 * line[place] / most
    return [axis.words(place, y, words, ink)]


def _name(place: tuple[str, int], places: list[tuple[str, int]]) -> str:
    topics = {topic for topic, _ in places}
    return f"partition {place[1]}" if len(topics) == 1 else f"{place[0]} {place[1]}"


def _partition_words(places: list[tuple[str, int]]) -> str:
    names = [_name(place, places) for place in places]
    if all(name.startswith("partition ") for name in names) and len(names) > 1:
        return "partitions " + " and ".join(name.removeprefix("partition ") for name in names)
    return " and ".join(names)
