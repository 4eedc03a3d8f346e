"""The rows of the progress panel: each a strip, or None while there is nothing to show in it."""

from __future__ import annotations

from dataclasses import replace

from labkit.views.cells import plural
from labkit.views.progress.axis import PLOT_PX, RIGHT_PX, Axis, Strip, short
from labkit.views.progress.labels import Label, beside, written
from labkit.views.progress.model import Measured, Panel
from labkit.views.progress.times import event_time, kafka_lag
from labkit.views.progress.words import is_slow, pace, seconds
from labkit.views.svg import Markup, element

# More numbers than this on one strip cannot be read.
MAX_NUMBERS = 6


def strips(panel: Panel) -> list[Strip]:
    """Return the rows that have something to show, in order."""
    drawn = (rows_in, rows_sent, batch_time, rates, state, dropped, event_time, kafka_lag)
    axis, found = Axis(len(panel.shown)), list[Strip]()
    for draw in drawn:
        strip = draw(panel, axis)
        if strip is not None:
            found.append(strip)
            axis = axis.below(strip)
    return found


def rows_in(panel: Panel, axis: Axis) -> Strip:
    """Draw the rows read; an empty batch is hollow."""
    counts = [batch.input_rows for batch in panel.shown]
    most = max(counts)
    empty = panel.batches[-1].input_rows == 0
    return Strip(
        height=42,
        title="Rows in",
        hint="hollow: empty batch" if 0 in counts else "in each batch",
        value=f"{counts[-1]:,}",
        remark="empty batch" if empty else f"most: {most:,}",
        paths=tuple(count_bars(axis, counts, base=38, tall=32, class_="bar")),
        lines=(38,),
    )


def count_bars(
    axis: Axis, counts: list[int], *, base: int, tall: int, class_: str, hollow: bool = True
) -> list[Markup]:
    """Draw counts as bars; zero as a small hollow box."""
    most = max([*counts, 1])
    spans = [(base, base - max(3.0, tall * n / most)) if n else None for n in counts]
    empty = [i for i, n in enumerate(counts) if n == 0] if hollow else []
    width = axis.columns(axis.bar_px - 1)
    box = f"h{short(width)}v6h{short(-width)}z"
    return [axis.bars(spans, class_), axis.signs(empty, base - 7, 0.5 - width / 2, box, "o")]


def rows_sent(panel: Panel, axis: Axis) -> Strip | None:
    """Draw the rows that the sink got."""
    counts = [batch.sent_rows or 0 for batch in panel.shown]
    if all(batch.sent_rows is None for batch in panel.shown):
        return None
    numbered = [i for i, n in enumerate(counts) if n]
    if len(numbered) > MAX_NUMBERS:
        numbered = []
    bars = count_bars(axis, counts, base=40, tall=22, class_="sent", hollow=False)
    most = max(counts)
    numbers = [
        axis.above(i, 36 - max(3, 22 * counts[i] // most), f"{counts[i]:,}") for i in numbered
    ]
    return Strip(
        height=44,
        title="Rows sent",
        hint="to the sink",
        value=f"{counts[-1]:,}",
        remark=f"{sum(counts):,} in {plural(len(counts), 'batch').replace('batchs', 'batches')}",
        paths=tuple(bars),
        lines=(40,),
        words=tuple(numbers),
    )


PHASES = ("read", "plan", "run", "log")


def batch_time(panel: Panel, axis: Axis) -> Strip:
    """Draw how long each batch took, in four parts, against the trigger's interval."""
    shown, tall, base = panel.shown, 66, 80
    interval_ms = 1000 * (panel.facts.interval_s or 0)
    most = max([*(batch.batch_ms for batch in shown), interval_ms, 1])
    y = base - tall * interval_ms / most
    paths = _phase_bars(shown, axis, base, tall / most)
    wishes: list[list[Label]] = []
    over = [i for i, batch in enumerate(shown) if interval_ms and batch.batch_ms > interval_ms]
    if over:
        worst = max(reversed(over), key=lambda i: shown[i].batch_ms)
        words = f"{seconds(shown[worst].batch_ms)}: over"
        top = base - tall * shown[worst].batch_ms / most
        wishes.append(beside(axis, worst, min(top + 8, y - 4), words, "t b v h"))
    if interval_ms:
        line = f"M0 {axis.top + y:.1f}h{axis.count}"
        paths.append(element("path", d=line, class_="dash"))
        words = f"trigger interval {seconds(interval_ms)}"
        wishes.append(_interval_places(axis, y, words, crossed=bool(over)))
    return Strip(
        height=84,
        title="Batch time",
        hint="",
        value=seconds(shown[-1].batch_ms),
        remark=_time_remark(panel, len(over)),
        paths=tuple(paths),
        lines=(base,),
        words=(*_phase_legend(axis), *written(axis, *wishes)),
        warns=is_slow(panel),
    )


def _interval_places(axis: Axis, y: float, words: str, *, crossed: bool) -> list[Label]:
    """Return where the trigger's line can be named: rather behind it when bars cross it."""
    on_left = Label(words, PLOT_PX + 2, y - 4, "t m h")
    behind = Label(words, axis.end + 6, y + 4, "t m h")
    on_right = Label(words, axis.end - 2, y - 4, "t m h", from_right=True)
    at_edge = replace(behind, x=RIGHT_PX - 6, from_right=True)
    free = [behind, *([at_edge] if at_edge.left > axis.end else [])]  # where no bar can be
    return [*free, on_left, on_right] if crossed else [on_left, *free]


def _phase_bars(
    shown: tuple[Measured, ...], axis: Axis, base: float, per_ms: float
) -> list[Markup]:
    heights = [float(base)] * len(shown)
    drawn = []
    for phase, name in enumerate(PHASES):
        tops = [
            y - batch.phases_ms[phase] * per_ms for y, batch in zip(heights, shown, strict=True)
        ]
        spans = [(y, top) if y > top else None for y, top in zip(heights, tops, strict=True)]
        drawn.append(axis.bars(spans, name))
        heights = tops
    return drawn


def _phase_legend(axis: Axis) -> list[Markup]:
    """Name the parts beside their colours, in the order in which they are stacked."""
    marks = []
    for i, name in enumerate(reversed(PHASES)):
        x, y = 16 + 58 * (i % 2), 42 + 16 * (i // 2)
        sign = f"M{x} {axis.top + y - 4}h10"
        marks.append(element("path", d=sign, class_=f"k {name}"))
        marks.append(axis.text(name, x + 14, y, "t m"))
    return marks


def _time_remark(panel: Panel, over: int) -> str:
    if is_slow(panel):
        return "over the interval"
    if over:
        return f"{over} of {len(panel.shown)} over"
    return "within the interval" if panel.facts.interval_s else "no trigger interval"


def rates(panel: Panel, axis: Axis) -> Strip | None:
    """Draw how fast rows came and how fast they were processed."""
    came = [batch.came_rate for batch in panel.shown]
    went = [batch.processed_rate for batch in panel.shown]
    known = [rate for rate in (*came, *went) if rate is not None]
    if not known:
        return None
    most = max(known)

    def height(rate: float | None) -> float | None:
        return None if rate is None else 42 - 34 * rate / most

    return Strip(
        height=46,
        title="Rows a second",
        hint="dashed: came in",
        value=_rates_words(came[-1], went[-1]),
        remark=pace(panel),
        paths=(
            axis.steps([height(rate) for rate in went], "went"),
            axis.steps([height(rate) for rate in came], "came"),
        ),
        lines=(42,),
        warns=pace(panel) == "falling behind",
    )


def _rates_words(came: float | None, went: float | None) -> str:
    return f"{_rate(came)} in, {_rate(went)} done" if came or went else "–"


def _rate(rate: float | None) -> str:
    if rate is None:
        return "–"
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def state(panel: Panel, axis: Axis) -> Strip | None:
    """Draw the rows kept in state, and warn of too many stores."""
    counts = [batch.state_rows for batch in panel.shown]
    known = [n for n in counts if n is not None]
    if not known:
        return None
    last, cores = panel.batches[-1], panel.facts.cores
    most = max([*known, 1])
    heights = [None if n is None else 34 - 26 * n / most for n in counts]
    too_many = last.partitions > 4 * cores
    stores = f"{plural(last.stores, 'store')}, {_size(last.state_bytes)}"
    return Strip(
        height=38,
        title="Rows in state",
        hint="kept for later batches",
        value=f"{last.state_rows or 0:,}",
        remark=f"{last.stores:,} stores for {plural(cores, 'core')}: slow" if too_many else stores,
        paths=(axis.steps(heights, "kept", base=34),),
        lines=(34,),
        warns=too_many,
    )


def _size(count: int) -> str:
    return f"{count / 1024:,.0f} KB" if count < 1024**2 else f"{count / 1024**2:,.0f} MB"


def dropped(panel: Panel, axis: Axis) -> Strip | None:
    """Mark the batches in which the watermark dropped groups of late rows."""
    places = [i for i, batch in enumerate(panel.shown) if batch.dropped_groups]
    if not places:
        return None
    width = axis.columns(10)
    triangle = f"h{short(width)}l{short(-width / 2)} 9z"
    numbered = places if len(places) <= MAX_NUMBERS else []
    numbers = [axis.above(i, 15, f"{panel.shown[i].dropped_groups:,}", "t b v h") for i in numbered]
    last = panel.shown[places[-1]]
    return Strip(
        height=38,
        title="Dropped as late",
        hint="groups of late rows",
        value=plural(last.dropped_groups, "group"),
        remark=f"in batch {last.number}",
        paths=(axis.signs(places, 20, 0.5 - width / 2, triangle, "late"),),
        lines=(34,),
        words=tuple(numbers),
    )
