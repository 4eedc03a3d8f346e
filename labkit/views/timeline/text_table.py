"""The timeline as a table: the picture's text alternative, and the same for a terminal."""

from __future__ import annotations

from html import escape

from labkit.views.cells import plural
from labkit.views.event_time import Window
from labkit.views.timeline.model import Step, Timeline
from labkit.views.timeline.words import SIGNS, Words, facts, sentence

HEADS = ("batch", "events", "newest so far", "watermark", "late test uses", "windows sent")
# The table names so many events of a batch, then counts; with many batches, fewer.
MAX_LISTED, MAX_LISTED_OF_MANY, MANY = 12, 2, 16


def rows(timeline: Timeline, *, short: bool = False) -> list[tuple[str, ...]]:
    """Return one row of texts for each batch, under :data:`HEADS`."""
    words = Words(timeline)
    listed = MAX_LISTED if len(timeline.steps) <= MANY else MAX_LISTED_OF_MANY
    return [
        (
            str(step.number),
            _events(step, words, listed=listed, short=short),
            words.time(step.newest_so_far_ms, none="none"),
            words.time(step.watermark_ms),
            words.time(step.late_test_ms),
            _sent_words(step, words),
        )
        for step in timeline.steps
    ]


def _events(step: Step, words: Words, *, listed: int, short: bool) -> str:
    if step.rows == 0:
        return "empty batch"
    if step.marks is None:
        ends = f", {words.time(step.oldest_ms)} to {words.time(step.newest_ms)}"
        return plural(step.rows, "row") + (ends if step.oldest_ms is not None else "")
    shown = step.marks[:listed]
    said = [
        f"{SIGNS[m.fate]}{words.event(m)}" if short else f"{words.event(m)} {m.fate}" for m in shown
    ]
    rest = step.marks[len(shown) :]
    counted = {fate: sum(1 for m in rest if m.fate == fate) for fate in SIGNS}
    more = ", ".join(f"{number} {fate}" for fate, number in counted.items() if number)
    return ("  " if short else ", ").join(said) + (f", and {more}" if more else "")


def _sent_words(step: Step, words: Words) -> str:
    if not step.sent:
        return plural(step.sent_rows, "row") if step.sent_rows else "none"
    by_window: dict[Window | None, list[str]] = {}
    for result in step.sent:
        by_window.setdefault(result.window, []).append(result.words)
    items = list(by_window.items())
    said = [
        f"{words.window(window) if window else 'rows'} = {', '.join(texts[:MAX_LISTED])}"
        for window, texts in items[:MAX_LISTED]
    ]
    more = f"; and {len(items) - MAX_LISTED} more" if len(items) > MAX_LISTED else ""
    return "; ".join(said) + more


def as_table(timeline: Timeline) -> str:
    """Return the text alternative of the picture as an HTML table, folded."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in HEADS)
    body = "".join(
        "<tr>"
        f'<th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows(timeline)
    )
    return (
        "<details><summary>Show as table</summary>"
        f'<table class="lk-tl-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        "</details>"
    )


def as_text(timeline: Timeline) -> str:
    """Return the timeline for a terminal, a test or a saved notebook."""
    legend = "  ".join(f"{sign} {fate}" for fate, sign in SIGNS.items())
    lines = [HEADS, *rows(timeline, short=True)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  ".join(
            cell.rjust(width) if place == 0 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    top = f"{timeline.setting.name} · {facts(timeline)}"
    return "\n".join([top, sentence(timeline), *aligned, legend])
