"""The timeline's memory: which events counted, what the watermark was, which windows were sent.

``fold`` is pure. It applies Spark's rules to the tapped events and checks itself against Spark:

- a row of batch *n* is dropped for a window whose end is at or before the watermark of batch
  *n − 1* (the late test runs one batch behind);
- a window is final in batch *n* when its end is at or before the watermark of batch *n*: append
  sends it then, and it leaves the state;
- complete mode keeps everything: nothing closes, and nothing is late but rows of sessions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from labkit.engine.tap import Moment, TappedEvent
from labkit.views.event_time import Window, Windows, ms_of
from labkit.views.timeline.results import Result, results
from labkit.views.timeline.windows import (
    HALF,
    KEPT,
    LATE,
    UNTIMED,
    Mark,
    Span,
    close_passed,
    still_seen,
    with_ends,
    with_marks,
    with_results,
)

# More columns than this cannot be told apart on a page.
MAX_STEPS = 40


@dataclass(frozen=True)
class Setting:
    """What a timeline knows of its query before the first batch.

    Parameters
    ----------
    name, mode, zone
        The query's name, its output mode, the session's time zone.
    windows
        The windows it is said to use.
    delays_ms
        The delays of its watermarks; several when it has several inputs.
    group_columns
        By how many columns it groups, the window included; None: not known.
    late_test_lags
        Whether the late test uses the watermark of the batch before.
    stop_before
        The batch before which the frames stop at first; None: they do not.
    """

    name: str
    mode: str
    zone: str
    windows: Windows
    delays_ms: tuple[int, ...] = ()
    group_columns: int | None = None
    late_test_lags: bool = True
    stop_before: int | None = None

    @property
    def drops(self) -> bool:
        """Whether late rows are dropped; those of sessions are in every mode (Spark 4.1.3)."""
        return self.mode != "complete" or self.windows.kind == "session"

    @property
    def closes(self) -> bool:
        """Whether windows are final at the watermark."""
        return self.mode != "complete"


@dataclass(frozen=True)
class Step:
    """One batch of the timeline; times in epoch milliseconds, None when there is none yet.

    ``marks`` is None when single events are not known: no tap, or more rows than it tells.
    ``picture_dropped`` is the least and the most that the picture expects Spark to have dropped;
    ``foreign`` is a window that was sent but cannot be one of those that the view was told.
    """

    number: int
    rows: int
    tapped: bool
    marks: tuple[Mark, ...] | None
    oldest_ms: int | None
    newest_ms: int | None
    newest_so_far_ms: int | None
    watermark_ms: int | None
    late_test_ms: int | None
    sent: tuple[Result, ...] = ()
    sent_rows: int | None = None
    closed: tuple[Window, ...] = ()
    picture_dropped: tuple[int, int] | None = None
    spark_dropped: int = 0
    foreign: Window | None = None

    @property
    def agrees(self) -> bool:
        """Whether Spark dropped as much as the picture shows."""
        if self.picture_dropped is None:
            return True
        low, high = self.picture_dropped
        return low <= self.spark_dropped <= high


@dataclass(frozen=True)
class Timeline:
    """What the batches so far have told: the last :data:`MAX_STEPS` of them, and their windows."""

    setting: Setting
    steps: tuple[Step, ...] = ()
    spans: tuple[Span, ...] = field(default=(), repr=False)
    first_ms: int | None = None


def fold(timeline: Timeline, moment: Moment) -> Timeline:
    """Return the timeline after one more batch."""
    setting, before = timeline.setting, timeline.steps[-1] if timeline.steps else None
    watermark = _watermark(moment)
    known = moment.number == (before.number + 1 if before else 0)
    late_test = watermark
    if setting.late_test_lags and known:
        late_test = before.watermark_ms if before else None
    has_state = bool(moment.progress.raw.get("stateOperators"))
    test = late_test if has_state and setting.drops else None
    marks = _marks(moment, setting, test)
    sent = results(moment.batch, setting.windows)
    newest = _newest(moment, before)
    spans = with_marks(timeline.spans, marks or (), setting.windows, moment.number)
    if marks is None and setting.windows.kind != "session":
        ends = [at for at in (newest["oldest_ms"], newest["newest_ms"]) if at is not None]
        seen = [_mark(TappedEvent(at, None), setting.windows, test) for at in dict.fromkeys(ends)]
        spans = with_ends(spans, seen, moment.number)
    spans = with_results(spans, sent, moment.number)
    closed_now: list[Window] = []
    if has_state and setting.closes and watermark is not None:
        spans, closed_now = close_passed(spans, watermark, moment.number)
    step = Step(
        number=moment.number,
        rows=moment.tapped.rows if moment.tapped else moment.progress.input_rows,
        tapped=moment.tapped is not None,
        marks=marks,
        **newest,
        watermark_ms=watermark,
        late_test_ms=late_test,
        sent=sent,
        sent_rows=moment.progress.sent_rows,
        closed=tuple(closed_now),
        picture_dropped=_expected(moment, setting, marks) if known else None,
        spark_dropped=moment.progress.dropped_groups,
        foreign=_foreign(sent, setting.windows),
    )
    steps = (*timeline.steps, step)[-MAX_STEPS:]
    first = step.oldest_ms if timeline.first_ms is None else timeline.first_ms
    return Timeline(setting, steps, still_seen(spans, steps[0].number), first)


def _watermark(moment: Moment) -> int | None:
    return ms_of(moment.progress.watermark) or None  # it starts at 1970, which means none


def _newest(moment: Moment, before: Step | None) -> dict[str, int | None]:
    """Return the oldest and newest event time of the batch, and the newest so far."""
    reported = moment.progress.raw.get("eventTime") or {}
    oldest, newest = ms_of(reported.get("min")), ms_of(reported.get("max"))
    if moment.tapped:
        oldest, newest = moment.tapped.oldest_ms, moment.tapped.newest_ms
    former = before.newest_so_far_ms if before else None
    seen = [at for at in (former, newest) if at is not None]
    return {"oldest_ms": oldest, "newest_ms": newest, "newest_so_far_ms": max(seen, default=None)}


def _marks(moment: Moment, setting: Setting, late_test: int | None) -> tuple[Mark, ...] | None:
    if moment.tapped is None or moment.tapped.events is None:
        return None
    return tuple(_mark(event, setting.windows, late_test) for event in moment.tapped.events)


def _mark(event: TappedEvent, windows: Windows, late_test: int | None) -> Mark:
    if event.at_ms is None:
        return Mark(None, event.key, UNTIMED)
    all_windows = windows.of(event.at_ms)
    late = tuple(w for w in all_windows if late_test is not None and w[1] <= late_test)
    kept = tuple(w for w in all_windows if w not in late)
    fate = (HALF if kept else LATE) if late else KEPT
    return Mark(event.at_ms, event.key, fate, kept, late)


def _expected(
    moment: Moment, setting: Setting, marks: tuple[Mark, ...] | None
) -> tuple[int, int] | None:
    """Return the least and the most that Spark's count of dropped rows can be.

    Rows of one group are combined before the late test, so the count is of groups. By which key
    the query groups is known only when it is by nothing else than the window, or by one column.
    """
    operators = moment.progress.raw.get("stateOperators") or []
    if marks is None or not operators:
        return None
    pairs = [(window, mark.key) for mark in marks for window in mark.late]
    most, groups = len(pairs), len(set(pairs))
    windows = len({window for window, _ in pairs})
    keyed = all(mark.key is not None for mark in marks)
    if len(operators) > 1:  # each operator counts for itself
        return (1, sys.maxsize) if most else (0, 0)
    exact = {1: windows, 2: groups if keyed else None}.get(setting.group_columns or 0)
    if setting.windows.kind == "none":
        exact = most
    elif setting.windows.kind == "session":  # combined in each partition, before the late test
        windows, exact = groups, None
    return (windows, most) if exact is None else (exact, exact)


def _foreign(sent: tuple[Result, ...], windows: Windows) -> Window | None:
    if windows.kind == "session":
        return None
    found = (r.window for r in sent if r.window is not None)
    return next((w for w in found if w not in windows.of(w[0])), None)
