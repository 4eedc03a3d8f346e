"""One frame of the marbles: the sentence, the picture, the same as text and as a table."""

from __future__ import annotations

from html import escape

from labkit.engine.clock import clock_text
from labkit.engine.lane_rows import Rows
from labkit.engine.lanes import LaneBatch
from labkit.views.cells import MAX_CHARS
from labkit.views.frame import Frame, Page, waiting_frame
from labkit.views.marbles.model import (
    TEXT_WIDTH,
    Marbles,
    key_text,
    lane_text,
    shorten,
    values_text,
    width_of,
)
from labkit.views.marbles.picture import MAX_OP_WIDTH, SHOWN, picture_of
from labkit.views.svg import id_of

TITLE = "marbles"
# One sign more than between two batches: nothing follows.
END = "|"
ENDED = "The context was stopped: no batch follows."
WAITING = (
    "Waiting for the first batch: call ssc.start(); a clock that is moved by hand then needs "
    "lab.tick(ssc)."
)


def render(marbles: Marbles) -> Frame:
    """Draw the newest batch and those before it.

    Parameters
    ----------
    marbles
        What is known.
    """
    if not marbles.batches:
        return waiting_frame(TITLE, ENDED if marbles.ended else WAITING)
    batch = marbles.batches[-1]
    sentence, text = _sentence(marbles, batch), _text_form(marbles)
    sentence += f" {ENDED}" if marbles.ended else ""
    drawing = picture_of(marbles, _prefix(marbles), _drawn(marbles), sentence)
    html = (
        '<div class="lk-scroll lk-m-figure" tabindex="0" role="region" aria-label="marbles">'
        f"{drawing}</div>"
        f'<pre class="lk-m-text" tabindex="0">{escape(text)}</pre>'
        f"<details><summary>Show as table</summary>{_table(marbles)}</details>"
    )
    facts = f"batch {batch.number} · one batch = {_duration(marbles.flow.batch_ms)}"
    lines = "\n".join([f"{TITLE} · {facts}", sentence, text])
    return Frame(batch.number, batch.number, TITLE, facts, sentence, (Page("", html),), lines)


def _prefix(marbles: Marbles) -> str:
    """Return what ids start with; it is the same in every run, and names what is shown."""
    named = [shorten(part, MAX_CHARS) for part in (*marbles.names, marbles.op) if part]
    return id_of("marbles", *named)


def _drawn(marbles: Marbles) -> str:
    """Say what the picture is of, for its title."""
    return f"{_op(marbles) or 'an operator'}: what goes in and what comes out, batch by batch"


def _op(marbles: Marbles) -> str:
    return shorten(" ".join(marbles.op.split()), MAX_OP_WIDTH)


def _duration(ms: int) -> str:
    return f"{ms / 1000:g} s"


def _sentence(marbles: Marbles, batch: LaneBatch) -> str:
    given = f"{_side(batch.given)} in" if batch.given else "nothing is due in"
    start = f"Batch {batch.number}: {given}"
    if batch.made is None:
        every = marbles.flow.made_every_ms // marbles.flow.batch_ms
        following = (batch.number // every + 1) * every
        return f"{start}; no output before batch {following}, as it comes every {every} batches."
    made = f"{_side(batch.made)} out"
    if marbles.flow.keeps_state:
        return f"{start}, {made}; all batches so far count, by the state."
    if marbles.flow.window_ms is None:
        return f"{start}, {made}."
    return f"{start}, {made}, from {_batches(marbles.takes(batch))}{_left(marbles, batch)}."


def _side(lane: Rows, width: int = TEXT_WIDTH) -> str:
    if lane.failure:
        return f"an error ({lane.failure})"
    return values_text(lane, width) or "nothing"


def _batches(numbers: list[int]) -> str:
    """Name batches in words.

    Examples
    --------
    >>> _batches([4]), _batches([3, 4]), _batches([2, 3, 4]), _batches([2, 3, 4, 5, 6])
    ('batch 4', 'batches 3 and 4', 'batches 2, 3 and 4', 'batches 2 to 6')
    """
    if not numbers:
        return "no batch"
    if len(numbers) == 1:
        return f"batch {numbers[0]}"
    if len(numbers) > 4:
        return f"batches {numbers[0]} to {numbers[-1]}"
    return f"batches {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _left(marbles: Marbles, batch: LaneBatch) -> str:
    """Say which batches have left the window since its last output, and which keys with them."""
    before = [b for b in marbles.batches[:-1] if b.made is not None][-1:]
    takes = marbles.takes(batch)
    left = [n for b in before for n in marbles.takes(b) if n < min(takes, default=0)]
    if not left:
        return ""
    one = len(left) == 1
    gone = _keys(marbles, left) - _keys(marbles, takes)
    named = [key for key in marbles.keys if key in gone]
    known = 0 < len(named) <= 3 and not _is_cut(marbles, left + takes)
    also = f", and {' and '.join(named)} with {'it' if one else 'them'}" if known else ""
    return f"; {_batches(left)} {'has' if one else 'have'} left the window{also}"


def _keys(marbles: Marbles, numbers: list[int]) -> set[str]:
    return {key_text(row) for lane in _given(marbles, numbers) for row in lane.rows}


def _is_cut(marbles: Marbles, numbers: list[int]) -> bool:
    return any(lane.count > len(lane.rows) for lane in _given(marbles, numbers))


def _given(marbles: Marbles, numbers: list[int]) -> list[Rows]:
    return [b.given for b in marbles.batches if b.number in numbers and b.given is not None]


def _text_form(marbles: Marbles) -> str:
    """Write both lanes as text, one column a batch: the picture for a terminal or a test."""
    shown = marbles.batches[-SHOWN:]
    columns = [(lane_text(batch.given), lane_text(batch.made)) for batch in shown]
    widths = [max(map(width_of, column)) for column in columns]
    earlier = "…" if len(shown) < len(marbles.batches) else ""
    end = END if marbles.ended else ""
    given, made = (
        earlier + "|" + "".join(f"{_padded(cell, width)}|" for cell, width in cells) + end
        for cells in (zip(lane, widths, strict=True) for lane in zip(*columns, strict=True))
    )
    return f"in : {given}\nout: {made}   {_op(marbles)}".rstrip()


def _padded(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def _table(marbles: Marbles) -> str:
    heads = ("batch", "ends (UTC)", "in", "out", "out is made of")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "".join(_table_row(marbles, batch) for batch in marbles.batches[-SHOWN:])
    return (
        '<table class="lk-table"><caption>what goes in and what comes out</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _table_row(marbles: Marbles, batch: LaneBatch) -> str:
    sides = [_side(lane, MAX_CHARS) if lane else "not due" for lane in (batch.given, batch.made)]
    of = _batches(marbles.takes(batch)) if batch.made else ""
    if batch.made and marbles.flow.keeps_state:
        of += " and the state"
    cells = [str(batch.number), clock_text(batch.end_ms), *sides, of]
    inner = "".join(f'<td dir="auto">{escape(cell)}</td>' for cell in cells)
    return f'<tr data-key="{batch.number}">{inner}</tr>'
