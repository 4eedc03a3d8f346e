"""Windows and sessions through the batches: opened by rows, sent, closed by the watermark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from labkit.views.event_time import Window, Windows
from labkit.views.timeline.results import Result

KEPT, LATE, HALF, UNTIMED = "counted", "late", "half late", "no time"
# More cannot be told apart; the newest are kept.
MAX_SPANS = 200
ANY = ""  # the key of a window that holds rows of all keys


@dataclass(frozen=True)
class Mark:
    """One event and what became of it; the windows for which it counted and was late."""

    at_ms: int | None
    key: str | None
    fate: str
    kept: tuple[Window, ...] = ()
    late: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Span:
    """A window (or session) through the batches.

    Parameters
    ----------
    key
        The key of a session; :data:`ANY` for a window.
    shapes
        From which batch on it had which start and end; a session grows.
    opened
        The batch of its first row; None when that was not seen.
    rows
        How many events counted for it so far.
    sent
        The results sent: batch and lines.
    closed
        The batch in which it became final (or, for a session, went up into an older one): it
        takes no rows in the batches after it. None: it is open.
    """

    key: str
    shapes: tuple[tuple[int, int, int], ...]
    opened: int | None = None
    rows: int = 0
    sent: tuple[tuple[int, tuple[str, ...]], ...] = ()
    closed: int | None = None
    merged: bool = False

    @property
    def start_ms(self) -> int:
        """Its start now."""
        return self.shapes[-1][1]

    @property
    def end_ms(self) -> int:
        """Its end now."""
        return self.shapes[-1][2]


def with_marks(
    spans: tuple[Span, ...], marks: Iterable[Mark], windows: Windows, number: int
) -> tuple[Span, ...]:
    """Return the windows after the events of a batch, oldest first."""
    if windows.kind == "none":
        return spans
    found = list(spans)
    for mark in marks:
        for start, end in mark.kept:
            if windows.kind == "session":
                _join_session(found, mark.key or ANY, (start, end), number)
            else:
                _count_in(found, (start, end), number)
    return tuple(sorted(found, key=lambda span: (span.start_ms, span.end_ms, span.key)))


def with_ends(spans: tuple[Span, ...], ends: Iterable[Mark], number: int) -> tuple[Span, ...]:
    """Return the windows when of a batch no more is known than its oldest and newest time."""
    found = list(spans)
    for mark in ends:
        for window in mark.kept:
            if window[0] < window[1]:
                _count_in(found, window, number, rows=0)
    return tuple(sorted(found, key=lambda span: (span.start_ms, span.end_ms, span.key)))


def _count_in(spans: list[Span], window: Window, number: int, rows: int = 1) -> None:
    for place, span in enumerate(spans):
        if (span.start_ms, span.end_ms) == window:
            opened = number if span.opened is None else span.opened
            spans[place] = replace(span, rows=span.rows + rows, opened=opened)
            return
    spans.append(Span(ANY, ((number, *window),), opened=number, rows=rows))


def _join_session(spans: list[Span], key: str, part: Window, number: int) -> None:
    """Put one row into the sessions of its key; it may join two that were apart."""
    start, end = part
    touched = [
        s
        for s in spans
        if s.key == key and s.closed is None and s.start_ms <= end and start <= s.end_ms
    ]
    if not touched:
        spans.append(Span(key, ((number, start, end),), opened=number, rows=1))
        return
    oldest, *others = sorted(touched, key=lambda s: (s.opened or 0, s.start_ms))
    start = min(start, *(s.start_ms for s in touched))
    end = max(end, *(s.end_ms for s in touched))
    rows = 1 + sum(s.rows for s in touched)
    shapes = tuple(shape for shape in oldest.shapes if shape[0] != number)
    if not shapes or shapes[-1][1:] != (start, end):
        shapes = (*shapes, (number, start, end))
    spans[spans.index(oldest)] = replace(oldest, shapes=shapes, rows=rows)
    for other in others:
        place = spans.index(other)
        if other.opened == number:  # it has never been seen alone
            del spans[place]
        else:
            spans[place] = replace(other, closed=number - 1, merged=True)


def with_results(
    spans: tuple[Span, ...], sent: tuple[Result, ...], number: int
) -> tuple[Span, ...]:
    """Return the windows after the rows that a batch sent."""
    found = list(spans)
    for window in dict.fromkeys((r.window, r.key) for r in sent if r.window is not None):
        lines = tuple(r.words for r in sent if (r.window, r.key) == window)
        _send(found, *window, lines=lines, number=number)
    return tuple(found)


def _send(
    spans: list[Span], window: Window, key: str, *, lines: tuple[str, ...], number: int
) -> None:
    same = [s for s in spans if (s.start_ms, s.end_ms) == window and not s.merged]
    mine = [s for s in same if s.key in (key, ANY)] or same
    if not mine:
        spans.append(Span(key, ((number, *window),), sent=((number, lines),)))
        return
    span = mine[0]
    if span.sent and span.sent[-1][1] == lines:  # complete sends everything each time
        return
    spans[spans.index(span)] = replace(span, sent=(*span.sent, (number, lines)))


def close_passed(
    spans: tuple[Span, ...], watermark: int, number: int
) -> tuple[tuple[Span, ...], list[Window]]:
    """Return the windows after the watermark of a batch, and which it made final."""
    over = [s for s in spans if s.closed is None and s.end_ms <= watermark]
    left = tuple(replace(s, closed=number) if s in over else s for s in spans)
    return left, [(s.start_ms, s.end_ms) for s in over]


def still_seen(spans: tuple[Span, ...], first: int) -> tuple[Span, ...]:
    """Leave out windows that were final before the first batch that is shown."""
    return tuple(s for s in spans if s.closed is None or s.closed >= first)[-MAX_SPANS:]
