"""What a query is doing, in words: the progress panel's state and sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from labkit.engine.watching import FAILED, STOPPED, WAITING
from labkit.views.cells import plural
from labkit.views.progress.model import Measured, Panel, Window

# Spark's rates jump about; three times in a row is no accident.
TIMES_BEHIND = 3


@dataclass(frozen=True)
class Need:
    """The event that the watermark waits for.

    Parameters
    ----------
    at
        An event of this time or later moves the watermark far enough: to equal the end is enough.
    window
        The window that is then sent.
    """

    at: datetime
    window: Window


def need_of(panel: Panel) -> Need | None:
    """Return what an append query waits for; None when it need not wait, or nobody can tell."""
    facts, last = panel.facts, panel.batches[-1]
    if facts.mode != "append" or facts.delay is None or not last.state_rows or not panel.open:
        return None
    window = min(panel.open, key=lambda w: w[1])
    return Need(window[1] + facts.delay, window) if is_settled(panel) else None


def is_settled(panel: Panel) -> bool:
    """Whether all that was there is read, and no empty batch follows to move the watermark."""
    last, delay = panel.batches[-1], panel.facts.delay
    if last.lag:
        return False
    if panel.newest is None or delay is None:
        return True
    return last.watermark is not None and panel.newest - delay <= last.watermark


def is_slow(panel: Panel) -> bool:
    """Whether the newest batch took longer than the trigger's interval."""
    interval_s = panel.facts.interval_s
    return interval_s is not None and panel.batches[-1].batch_ms > interval_s * 1000


def pace(panel: Panel) -> str:
    """Say whether rows are processed as fast as they come; empty when nobody can tell.

    Batches without rows do not count, and a pause between two batches is time to catch up.
    """
    rates = [(b.came_rate, b.processed_rate) for b in panel.batches]
    known = [(came, went) for came, went in rates if came is not None and went is not None]
    recent = known[-TIMES_BEHIND:]
    if not recent:
        return ""
    behind = len(recent) == TIMES_BEHIND and all(went < came for came, went in recent)
    return "falling behind" if behind else "keeping up"


def sentence(panel: Panel) -> str:
    """Say what the query is doing, the state word first."""
    state, last = panel.state, panel.batches[-1]
    if state.code == FAILED:
        return f"Failed: {state.failure or 'the cause is not known'}"
    if state.code == STOPPED:
        return f"Stopped: batch {last.number} was the last."
    if state.code != WAITING and is_slow(panel):
        return (
            f"Slower than the trigger: batch {last.number} took {seconds(last.batch_ms)}, "
            f"the interval is {seconds(1000 * (panel.facts.interval_s or 0))}."
        )
    need = need_of(panel)
    if need is not None:
        return waiting_for(panel, need)
    if state.code == WAITING:
        return f"Waiting for data: nothing has come since batch {last.number}."
    behind = "; rows come faster than they are processed" * (pace(panel) == "falling behind")
    return f"Running: {batch_words(last)}{behind}."


def timeless_sentence(panel: Panel) -> str:
    """Say what the last batch did, without anything that the machine's clock decides."""
    need = need_of(panel)
    last = panel.batches[-1]
    return waiting_for(panel, need) if need else f"Batch {last.number}: {_counts(last)}."


def waiting_for(panel: Panel, need: Need) -> str:
    """Say which event the watermark needs."""
    times = Clock(panel)
    return (
        f"Waiting for the watermark: needs an event at {times.full(need.at)} or later, "
        f"to send window {times.window(need.window)}."
    )


def batch_words(batch: Measured) -> str:
    """Say what one batch did."""
    return f"batch {batch.number}, {_counts(batch)}"


def _counts(batch: Measured) -> str:
    came = plural(batch.input_rows, "row") + " in" if batch.input_rows else "an empty batch"
    return came if batch.sent_rows is None else f"{came}, {batch.sent_rows:,} sent"


def facts_words(panel: Panel) -> str:
    """Return the facts behind the title."""
    facts = panel.facts
    interval = f"trigger every {_short(facts.interval_s)}" if facts.interval_s else ""
    batch = f"batch {panel.batches[-1].number}"
    return " · ".join(part for part in (facts.mode, batch, interval, panel.source) if part)


def _short(interval_s: float) -> str:
    return f"{interval_s:g} s" if interval_s < 120 else f"{interval_s / 60:g} min"


def seconds(milliseconds: float) -> str:
    """Write a time span of processing time.

    Examples
    --------
    >>> seconds(290), seconds(2400), seconds(12_000), seconds(2000)
    ('0.29 s', '2.4 s', '12 s', '2 s')
    """
    return (
        f"{milliseconds / 1000:.2g} s" if milliseconds < 10_000 else f"{milliseconds / 1000:.0f} s"
    )


def _form(time: datetime) -> str:
    return "%H:%M" if time.second == time.microsecond == 0 else "%H:%M:%S"


class Clock:
    """Writes event times in the session's zone, with the date only where it is another one.

    Parameters
    ----------
    panel
        Its first event says which date goes without saying.
    """

    def __init__(self, panel: Panel) -> None:
        self.zone = ZoneInfo(panel.facts.zone)
        first = next((b.newest for b in panel.shown if b.newest is not None), None)
        self._date = first.astimezone(self.zone).date() if first else None

    def full(self, time: datetime) -> str:
        """Write a time with its seconds."""
        return self._written(time, "%H:%M:%S")

    def short(self, time: datetime) -> str:
        """Write a time without seconds that are zero."""
        return self._written(time, _form(time))

    def tick(self, time: datetime) -> str:
        """Write a time for an axis: its date only, when it is midnight."""
        local = time.astimezone(self.zone)
        is_midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
        return f"{local:%m-%d}" if is_midnight else f"{local:{_form(local)}}"

    def window(self, window: Window) -> str:
        """Write a window as ``10:00–10:05``."""
        start, end = window
        same = start.astimezone(self.zone).date() == end.astimezone(self.zone).date()
        until = self.short(end)
        return f"{self.short(start)}–{until.rpartition(' ')[2] if same else until}"

    def _written(self, time: datetime, form: str) -> str:
        local = time.astimezone(self.zone)
        dated = form if local.date() == self._date else f"%Y-%m-%d {form}"
        return local.strftime(dated)
