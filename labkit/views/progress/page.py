"""The progress panel's frame: folded in one line, opened as one picture, and as text."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from labkit.engine.watching import RUNNING, WAITING
from labkit.views.frame import Frame, Page, waiting_frame
from labkit.views.progress.axis import (
    LEFT_PX,
    PLOT_PX,
    RIGHT_PX,
    WIDTH_PX,
    Axis,
    Strip,
)
from labkit.views.progress.model import Measured, Panel
from labkit.views.progress.strips import count_bars, strips
from labkit.views.progress.words import Clock, facts_words, seconds, sentence, timeless_sentence
from labkit.views.svg import Markup, element, id_of, join, picture

NOTHING = "Waiting for the first batch: the query runs; nothing has come in yet."
ENDED = "no batch has run."
MAX_LINES = 10
MAX_PARTITIONS = 12
AXIS_PX = 24


def render(panel: Panel) -> Frame:
    """Draw the panel.

    Parameters
    ----------
    panel
        What is known of the query.
    """
    if not panel.batches:
        is_open = panel.state.code in {RUNNING, WAITING}
        return waiting_frame(panel.name, NOTHING if is_open else f"{panel.state.words}: {ENDED}")
    last = panel.batches[-1]
    opened = join([_picture(panel), _tables(panel)])
    html = element("details", _folded(panel), opened, class_="lk-panel")
    facts = facts_words(panel)
    lines = [f"{panel.name} · {facts}", timeless_sentence(panel), *_text_table(panel)]
    pages = (Page("", html),)
    return Frame(
        last.number, last.number, panel.name, facts, sentence(panel), pages, "\n".join(lines)
    )


def _folded(panel: Panel) -> Markup:
    """Write the line that stands for the closed panel."""
    last, interval_s = panel.batches[-1], panel.facts.interval_s
    words = [_fact("rows in", f"{last.input_rows:,}"), _spark(panel)]
    if last.sent_rows is not None:
        words.append(_fact("sent", f"{last.sent_rows:,}"))
    of = f" of {seconds(1000 * interval_s)}" if interval_s else ""
    words.append(element("span", element("b", seconds(last.batch_ms)), of))
    if last.lag is not None:
        words.append(_fact("lag", f"{last.lag:,}"))
    return element("summary", *words, element("span", "All facts", class_="more"))


def _fact(name: str, value: str) -> Markup:
    return element("span", f"{name} ", element("b", value))


def _spark(panel: Panel) -> Markup:
    axis = Axis(len(panel.shown))
    counts = [batch.input_rows for batch in panel.shown]
    bars = count_bars(axis, counts, base=20, tall=18, class_="bar")
    return element(
        "svg",
        *bars,
        width=axis.end - PLOT_PX,
        height=22,
        stroke_width=axis.bar_px,
        viewBox=f"0 0 {axis.count} 22",  # in columns, as in the strips
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _picture(panel: Panel) -> Markup:
    axis, drawn = Axis(len(panel.shown)), strips(panel)
    tops: list[int] = []
    lines = ends = ""
    for strip in drawn:
        tops.append(axis.top)
        lines += "".join(map(axis.line, strip.lines))
        axis = axis.below(strip)
        ends += f"M{LEFT_PX} {axis.top - 0.5}H{WIDTH_PX - LEFT_PX}"
    now = element(
        "rect", x=axis.left(axis.count - 1), width=axis.pitch, height=axis.top + 20, class_="now"
    )
    plots = element(
        "g",
        element("path", d=lines, class_="g"),
        *(path for strip in drawn for path in strip.paths),
        transform=axis.place(),
        stroke_width=axis.bar_px,
    )
    shown = picture(
        id_of("progress", panel.name),
        f"Progress of {panel.name}",
        f"{sentence(panel)} One row for each fact, one column for each batch.",
        now,
        plots,
        element("path", d=ends, class_="r"),
        *_columns_of_words(drawn, tops),
        *(words for strip in drawn for words in strip.words),
        *_numbers(panel, axis),
        width=WIDTH_PX,
        height=axis.top + AXIS_PX,
    )
    return element(
        "div", shown, class_="lk-scroll", tabindex=0, role="region", aria_label="Picture"
    )


def _columns_of_words(drawn: list[Strip], tops: list[int]) -> list[Markup]:
    """Write what stands left and right of the strips, bold words together and faint ones."""
    titles, hints, values, remarks = ([] for _ in range(4))
    for strip, top in zip(drawn, tops, strict=True):
        middle = strip.height / 2
        left = top + min(middle - 3, 22)  # a tall one has a legend or times below its title
        titles.append(element("text", strip.title, y=left))
        values.append(element("text", strip.value, y=top + middle - 3))
        if strip.hint:
            hints.append(element("text", strip.hint, y=left + 16))
        if strip.remark:
            ink = "b v" if strip.warns else None
            remarks.append(element("text", strip.remark, y=top + middle + 13, class_=ink))
    return [
        element("g", *words, class_=class_, transform=f"translate({x})")
        for x, class_, words in (
            (LEFT_PX, "t b", titles),
            (LEFT_PX, "t m", hints),
            (RIGHT_PX, "t b", values),
            (RIGHT_PX, "t m", remarks),
        )
    ]


def _numbers(panel: Panel, axis: Axis) -> list[Markup]:
    """Write the numbers of some batches, always that of the newest, and when it began."""
    shown, last = panel.shown, len(panel.shown) - 1
    step = 5 if axis.pitch * 5 > 8 * len(f"{shown[-1].number:,}") + 12 else 10
    others = [
        element("text", str(batch.number), x=axis.middle(i))
        for i, batch in enumerate(shown[:-1])
        if batch.number % step == 0
        and axis.middle(last) - axis.middle(i) > 8 * len(str(batch.number)) + 10
    ]
    line = f"translate(0 {axis.top + 15})"
    marks = [
        axis.text("batch", PLOT_PX - 14, 15, "t m", anchor="end"),
        element("g", *others, class_="t m", transform=line, text_anchor="middle"),
        axis.above(last, 15, str(shown[-1].number), "t b"),
    ]
    began = shown[-1].started_at
    if began is not None:
        words = f"began {began.astimezone(ZoneInfo(panel.facts.zone)):%H:%M:%S}"
        marks.append(axis.text(words, RIGHT_PX, 15, "t m"))
    return marks


def _tables(panel: Panel) -> Markup:
    """Write the same as tables, folded: the last batches, and where Kafka's partitions stand."""
    heads, rows = _columns(panel, timed=True)
    body = [_table(f"Last batches of {panel.name}", heads, rows)]
    if panel.batches[-1].kafka:
        body.append(_offset_table(panel.batches[-1]))
    shown = "batch" if len(rows) == 1 else f"{len(rows)} batches"
    return element("details", element("summary", f"Show the last {shown} as a table"), *body)


def _offset_table(batch: Measured) -> Markup:
    heads = ["topic", "partition", "from", "to", "newest", "lag"]
    rows = [
        [
            p.topic,
            str(p.number),
            "–" if p.start is None else str(p.start),
            str(p.end),
            str(p.latest),
            f"{p.lag:,}",
        ]
        for p in batch.kafka[:MAX_PARTITIONS]
    ]
    more = len(batch.kafka) - len(rows)
    rest = [element("p", f"{more} more partitions are not shown.")] if more > 0 else []
    return join([_table("Offsets of the newest batch", heads, rows), *rest])


def _table(caption: str, heads: list[str], rows: list[list[str]]) -> Markup:
    top = element("tr", *(element("th", head, scope="col") for head in heads))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", top),
            element("tbody", *body),
            class_="lk-table",
        ),
        class_="lk-scroll",
    )


def _columns(panel: Panel, *, timed: bool) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the last batches; a column without any value is left out."""
    clock = Clock(panel)
    batches = panel.batches[-MAX_LINES:]
    columns = {
        "batch": [str(b.number) for b in batches],
        "rows in": [f"{b.input_rows:,}" for b in batches],
        "sent": ["" if b.sent_rows is None else f"{b.sent_rows:,}" for b in batches],
        "time": [seconds(b.batch_ms) if timed else "" for b in batches],
        "state": ["" if b.state_rows is None else f"{b.state_rows:,}" for b in batches],
        "groups late": ["" if b.state_rows is None else f"{b.dropped_groups:,}" for b in batches],
        "watermark": [clock.full(b.watermark) if b.watermark else "" for b in batches],
        "lag": [" · ".join(f"{p.lag:,}" for p in b.kafka[:MAX_PARTITIONS]) for b in batches],
    }
    filled = {head: cells for head, cells in columns.items() if any(cells)}
    return list(filled), [list(row) for row in zip(*filled.values(), strict=True)]


def _text_table(panel: Panel) -> list[str]:
    heads, rows = _columns(panel, timed=False)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in (heads, *rows)
    ]
